"""Threads with stacks of a chosen size.

In: KiB, and work. Out: what the work raises. Always holds: the size of other threads' stacks is what it was.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

#: CPython 3.13 alone frees nested tuples by recursion, up to 10,000 deep, however small the stack is: on a thread with 256 KiB, 3,000 named
#: tuples in one another end the process, without jib. What a text becomes is such a nest: of `a + b + …` as deep as it has terms. 1 MiB
#: is enough for every text.
FREES_BY_RECURSION = sys.version_info[:2] == (3, 13)


def on_stack(kib: int, work: Callable[[], None]) -> None:
    """Do the work on a thread with such a stack."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    before = threading.stack_size(kib * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join(120)
    assert not thread.is_alive()
    if failures:
        raise failures[0]
