"""Threads with stacks of a chosen size.

In: KiB, and work. Out: what the work raises. Always holds: the size of other threads' stacks is what it was.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


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
