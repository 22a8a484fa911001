"""The same in several processes.

In: numbers of programs, how many processes. Out: tallies, as they come. Always holds: each number is run once, and none is lost: where
a process dies or does not come back, that is a finding about the number it was at, and another process goes on behind it.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

from .campaign import Finding, Tally, one

CHUNK = 200  # programs between two messages
PATIENCE = 60.0  # seconds that one program may take

# A forked child would inherit the pipes of its brothers, and this process may have threads.
Examine = Callable[[int], Tally]
PROCESSES = multiprocessing.get_context("spawn")


def work(pipe: Connection, at: Any, one: Examine) -> None:
    """What a process does: ranges come in, tallies go out; `at` is the number it is at."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    gc.set_threshold(20_000, 50, 100)  # trees are made and dropped all the time, in circles hardly ever
    while True:
        which = pipe.recv()
        total = Tally()
        for number in which:
            at.value = number
            total += one(number)
        pipe.send(total)


class Worker:
    """A process and what it is at."""

    def __init__(self, one: Examine) -> None:
        self.pipe, theirs = PROCESSES.Pipe()
        self.at = PROCESSES.RawValue("q", -1)
        self.seen = -1
        self.since = time.monotonic()
        self.range = range(0)
        self.process = PROCESSES.Process(target=work, args=(theirs, self.at, one), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, which: range) -> None:
        self.range = which
        self.at.value = which.start
        self.seen, self.since = -1, time.monotonic()
        self.pipe.send(which)

    def hangs(self) -> bool:
        if self.at.value != self.seen:
            self.seen, self.since = self.at.value, time.monotonic()
        return time.monotonic() - self.since > PATIENCE

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def cause(code: int | None) -> str:
    if code is not None and code < 0:
        return f"the process died of {signal.Signals(-code).name}"
    return f"the process ended with status {code}"


def spread(which: range, jobs: int, one: Examine = one) -> Iterator[Tally]:
    """The tallies of these numbers, from so many processes; `one` makes the tally of a number."""
    chunks = [which[at : at + CHUNK] for at in range(0, len(which), CHUNK)][::-1]
    workers: list[Worker] = []
    try:
        while chunks or workers:
            while chunks and len(workers) < jobs:
                workers.append(Worker(one))
                workers[-1].give(chunks.pop())
            ready = wait([worker.pipe for worker in workers], timeout=1.0)
            for worker in list(workers):
                trouble = ""
                if worker.pipe in ready:
                    try:
                        yield worker.pipe.recv()
                        if chunks:
                            worker.give(chunks.pop())
                            continue
                    except (EOFError, ConnectionResetError):
                        worker.process.join()
                        trouble = cause(worker.process.exitcode)
                elif worker.hangs():
                    trouble = f"no answer for {PATIENCE:.0f} seconds"
                else:
                    continue
                workers.remove(worker)
                worker.stop()
                if trouble:
                    # What the process had done of its range before is done again: its tally died with it.
                    at = worker.at.value
                    chunks.append(range(at + 1, worker.range.stop))
                    chunks.append(range(worker.range.start, at))
                    chunks[:] = [chunk for chunk in chunks if chunk]
                    yield Tally(1, findings=[Finding(at, trouble=trouble)])
    finally:
        for worker in workers:
            worker.stop()
