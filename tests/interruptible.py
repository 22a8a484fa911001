"""Processes that a test interrupts.

In: a command, or a time. Out: the running process, which answers Ctrl-C even where the tests run with SIGINT ignored, as shells start what
they put in the background; and which is gone afterwards, whatever the test did.
"""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruptible(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The process of a command, with its outputs as pipes."""

    def listen() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment, preexec_fn=listen) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def ctrl_c_after(seconds: float) -> Iterator[None]:
    """Ctrl-C comes to this process's main thread after a while, and is answered, even where the tests run with SIGINT ignored."""
    main = threading.main_thread().ident or 0
    timer = threading.Timer(seconds, lambda: signal.pthread_kill(main, signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer.start()
    try:
        yield
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
