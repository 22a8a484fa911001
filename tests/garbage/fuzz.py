"""The driver: N texts from a seed, by processes that may die.

`python -m garbage N SEED [JOBS [FOLDER]]` (with tests/ on the path) prints texts a second, what came of them, the slowest, the
largest, and the findings; each finding is written into FOLDER (fuzz-findings). Text k of seed S is text S * 10**9 + k, always.

A batch of numbers goes to a process, a tally comes back. A process that is killed, or that is at one text for too long, has its
text for a finding; the rest of its batch goes to others, so that the tallies are of all texts.
"""

from __future__ import annotations

import mmap
import multiprocessing
import os
import resource
import signal
import struct
import sys
import time
import warnings
from collections import Counter
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from .judge import examine
from .texts import PER_SEED, Text, text

BATCH = 500
PATIENCE = 120.0  # seconds at one text
TOGETHER = 10  # texts between two looks at the memory
LARGE = 64 * 1024  # kilobytes by which so many texts may raise the most that was ever used
MEMORY = 4 << 30  # bytes of addresses of a process


class Finding(NamedTuple):
    number: int
    words: str


class Tally(NamedTuple):
    """Of some texts; `slowest` and `largest` are (seconds or kilobytes, number)."""

    texts: int
    outcomes: Counter[tuple[str, str]]  # by kind of text and outcome
    slowest: tuple[float, int]
    largest: tuple[int, int]
    findings: list[Finding]

    def __add__(self, other: Any) -> Tally:
        return Tally(
            self.texts + other.texts, self.outcomes + other.outcomes, max(self.slowest, other.slowest),
            max(self.largest, other.largest), self.findings + other.findings,
        )  # fmt: skip


NOTHING = Tally(0, Counter(), (0.0, 0), (0, 0), [])


def run(numbers: range, now: Any = None) -> Tally:
    """These texts, in this process; `now(number)` is told of each before it begins."""
    outcomes: Counter[tuple[str, str]] = Counter()
    slowest, largest = (0.0, 0), (0, 0)
    findings = []
    high = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of CPython, about what it compiles
        for at, number in enumerate(numbers, 1):
            if now is not None:
                now(number)
            made = text(number)
            verdict = examine(made)
            outcomes[made.kind, verdict.outcome] += 1
            slowest = max(slowest, (verdict.seconds, number))
            if verdict.wrong is not None:
                findings.append(Finding(number, verdict.wrong))
            if at % TOGETHER == 0 or at == len(numbers):
                before, high = high, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                largest = max(largest, (high - before, number))
                if high - before > LARGE:
                    findings.append(Finding(number, f"{(high - before) // 1024} MB for this and those before it"))
    return Tally(len(numbers), outcomes, slowest, largest, findings)


# ------------------------------------------------------------------------------------------------ processes


def _work(connection: Connection, shared: mmap.mmap) -> None:
    """The life of a worker: batches in, tallies out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout = open(os.devnull, "w", encoding="utf-8", errors="replace")  # noqa: SIM115  (what programs print)

    def now(number: int) -> None:
        struct.pack_into("q", shared, 0, number)

    for warm in (
        "a + b",
        "a +",
        "\N{GREEK SMALL LETTER ALPHA}",
        "sqtr(a)",
    ):  # what is loaded at first use is no text's growth
        examine(Text(0, "", warm, {}, ("int",), Random(0)))
    while (batch := connection.recv()) is not None:
        connection.send((run(batch, now), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


class _Worker:
    def __init__(self) -> None:
        self.shared = mmap.mmap(-1, 8)
        context = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, self.shared), daemon=True)
        self.process.start()
        theirs.close()
        self.batch = range(0)
        self.seen = (-1, 0.0)

    def give(self, batch: range) -> None:
        self.batch = batch
        struct.pack_into("q", self.shared, 0, batch.start)
        self.connection.send(batch)

    def number(self) -> int:
        number: int = struct.unpack_from("q", self.shared)[0]
        return number

    def stuck(self) -> bool:
        number, clock = self.number(), time.monotonic()
        if number != self.seen[0]:
            self.seen = number, clock
        return clock - self.seen[1] > PATIENCE

    def end(self) -> str:
        """How it ended; what ends without a signal is a mistake of the fuzzer's."""
        self.process.join()
        code = self.process.exitcode or 0
        if code >= 0:
            raise RuntimeError(f"the process at text {self.number()} ended with status {code}")
        return f"killed by {signal.Signals(-code).name}"


def fuzz(count: int, seed: int, jobs: int, report: float = 10.0) -> tuple[Tally, float, int]:
    """The tally of so many texts, the seconds, and the most kilobytes that a process had.

    `report` is the seconds between lines on stderr; 0 is silence.
    """
    first = seed * PER_SEED
    waiting = [range(first + at, first + min(at + BATCH, count)) for at in reversed(range(0, count, BATCH))]
    start = spoke = time.perf_counter()
    total, memory = NOTHING, 0
    workers: list[_Worker] = []
    while waiting or workers:
        while waiting and len(workers) < jobs:
            workers.append(_Worker())
            workers[-1].give(waiting.pop())
        ready = wait([worker.connection for worker in workers], 1.0)
        for worker in list(workers):
            found = None
            if worker.connection in ready:
                try:
                    tally, high = worker.connection.recv()
                    total, memory = total + tally, max(memory, high)
                    if waiting:
                        worker.give(waiting.pop())
                    else:
                        worker.connection.send(None)
                        worker.process.join()
                        workers.remove(worker)
                    continue
                except (EOFError, OSError):
                    found = worker.end()
            elif worker.stuck():
                worker.process.kill()
                worker.end()
                found = f"no end after {PATIENCE:.0f} s"
            if found is not None:
                number = worker.number()
                total += Tally(
                    1, Counter({(text(number).kind, "killed"): 1}), (0.0, 0), (0, 0), [Finding(number, found)]
                )
                rest = [range(worker.batch.start, number), range(number + 1, worker.batch.stop)]
                waiting += [batch for batch in rest if len(batch)]
                workers.remove(worker)
        if report and time.perf_counter() - spoke > report:
            spoke = time.perf_counter()
            print(
                f"{total.texts} texts, {len(total.findings)} findings, {total.texts / (spoke - start):.0f}/s",
                file=sys.stderr,
            )
    return total, time.perf_counter() - start, memory


# ------------------------------------------------------------------------------------------------- saying it


def lines(total: Tally, seconds: float, memory: int, jobs: int) -> str:
    outcomes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for (kind, outcome), times in total.outcomes.items():
        outcomes[outcome] += times
        kinds[kind] += times
    compiled = {kind: total.outcomes[kind, "compiled"] for kind in kinds}
    return "\n".join([
        f"{total.texts} texts in {seconds:.0f} s: {total.texts / seconds:.0f} texts/s by {jobs} processes",
        "outcomes: " + ", ".join(f"{name} {times}" for name, times in outcomes.most_common()),
        "kinds: " + ", ".join(f"{kind} {times} ({compiled[kind]} compiled)" for kind, times in kinds.most_common()),
        f"slowest: {total.slowest[0] * 1000:.1f} ms, text {total.slowest[1]}",
        f"largest growth of memory in {TOGETHER} texts: {total.largest[0] / 1024:.1f} MB, up to text {total.largest[1]}",
        f"largest process: {memory / 1024:.0f} MB",
        f"findings: {len(total.findings)}",
    ])  # fmt: skip


def main(argv: list[str]) -> int:
    count, seed = int(argv[0]) if argv else 10_000, int(argv[1]) if len(argv) > 1 else 0
    jobs = int(argv[2]) if len(argv) > 2 else os.cpu_count() or 1
    folder = Path(argv[3] if len(argv) > 3 else "fuzz-findings")
    print(f"{count} texts of seed {seed}", flush=True)
    total, seconds, memory = fuzz(count, seed, jobs)
    print(lines(total, seconds, memory, jobs))
    for finding in sorted(total.findings)[:50]:
        made = text(finding.number)
        folder.mkdir(exist_ok=True)
        path = folder / f"text-{finding.number}.txt"
        path.write_text(made.text, encoding="utf-8", errors="surrogatepass", newline="")
        print(f"--- {path} ({made.kind}, {made.options}, {made.types})\n{finding.words}")
    return 1 if total.findings else 0
