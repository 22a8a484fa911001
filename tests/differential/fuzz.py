"""The driver: N programs from a seed.

`python -m differential N SEED [FOLDER]` (with tests/ on the path) prints programs a second and what differs; each finding is shrunk and
written into FOLDER (fuzz-findings) as a candidate for tests/filetests/run. Program k of seed S is program S * 10**9 + k, always.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import NamedTuple

from .compare import Mismatch, examine, holds_within, still
from .generate import Generated, program
from .inputs import arguments
from .shrink import shrink

CALLS = 10


class Finding(NamedTuple):
    seed: int
    program: Generated
    mismatch: Mismatch


class Summary(NamedTuple):
    programs: int
    calls: int
    values: int
    failures: int
    diverged: int
    refused: Counter[str]
    findings: list[Finding]
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.programs} programs, {self.calls} calls ({self.values} values, {self.failures} exceptions, {self.diverged} with a "
            f"stated divergence), {sum(self.refused.values())} programs refused, {len(self.findings)} mismatches; "
            f"{self.programs / self.seconds:.0f} programs/s"
        )


def fuzz(count: int, seed: int, *, at_most: int = 20, report: float = 10.0) -> Summary:
    """Runs programs until there are so many findings. `report` is the seconds between lines on stderr; 0 is silence."""
    start = spoke = time.perf_counter()
    findings: list[Finding] = []
    refused: Counter[str] = Counter()
    programs = values = failures = diverged = 0
    for number in range(seed * 10**9, seed * 10**9 + count):
        made = program(number)
        random = Random(number)
        calls = [arguments(random, made.types) for _ in range(CALLS)]
        try:
            found = examine(made.text, made.params, calls, cpython=not made.sized)
        except Exception:
            print(f"program {number}:\n{made.text}", file=sys.stderr)
            raise
        programs += 1
        values += found.values
        failures += found.failures
        diverged += found.diverged
        if found.refused:
            refused[found.refused.split(" (<jib>")[0]] += 1
        if found.mismatches:
            findings.append(Finding(number, made, found.mismatches[0]))
            if report:
                print(f"program {number}: {found.mismatches[0]}", file=sys.stderr)
            if len(findings) >= at_most:
                break
        if report and time.perf_counter() - spoke > report:
            spoke = time.perf_counter()
            print(
                f"{programs} programs, {len(findings)} mismatches, {programs / (spoke - start):.0f}/s", file=sys.stderr
            )
    return Summary(
        programs, values + failures, values, failures, diverged, refused, findings, time.perf_counter() - start
    )


def small(finding: Finding) -> tuple[str, Mismatch]:
    """The finding's program after shrinking, and how it differs."""
    made, mismatch = finding.program, finding.mismatch
    kind = (bool(mismatch.answer.error), bool(mismatch.differs.error), mismatch.one == "CPython")

    def holds(text: str) -> bool:
        now = still(text, made.params, mismatch.arguments, not made.sized)
        return now is not None and (bool(now.answer.error), bool(now.differs.error), now.one == "CPython") == kind

    text = shrink(made.text, lambda text: holds_within(0.5, lambda: holds(text)))
    return text, still(text, made.params, mismatch.arguments, not made.sized) or mismatch


def candidate(finding: Finding) -> str:
    """A filetest of the finding: the line `run:` says what CPython answers."""
    text, mismatch = small(finding)
    args = ", ".join(map(repr, mismatch.arguments))
    answer = mismatch.answer
    want = f"raises {answer.error}" if answer.error else f"-> {answer.value!r}"
    options = "" if text.startswith("def ") else f"# options: params={','.join(finding.program.params)}\n"
    words = "".join(f"# {line}\n" for line in str(mismatch).splitlines())
    return f"{text}\n{options}# run: ({args}) {want}\n# program {finding.seed}\n{words}"


def main(argv: list[str]) -> int:
    count = int(argv[0]) if argv else 1000
    seed = int(argv[1]) if len(argv) > 1 else 0
    folder = Path(argv[2] if len(argv) > 2 else "fuzz-findings")
    print(f"{count} programs of seed {seed}")
    summary = fuzz(count, seed)
    print(summary)
    for words, times in summary.refused.most_common(12):
        print(f"  refused {times} times: {words}")
    for finding in summary.findings:
        folder.mkdir(exist_ok=True)
        text = candidate(finding)
        (folder / f"{finding.seed}.jib").write_text(text, encoding="utf-8")
        print(f"--- {folder}/{finding.seed}.jib\n{text}")
    return 1 if summary.findings else 0
