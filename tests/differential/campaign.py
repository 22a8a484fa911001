"""Runs programs by their numbers and counts what came of them.

In: numbers. Out: `Tally`, which can be added. Always holds: what is done with a number depends on nothing but the number.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from .compare import Mismatch, examine, spend
from .generate import Generated, program
from .inputs import arguments

CALLS = 10
WITH_FUEL = 8  # each so many programs are run with little fuel too


class Finding(NamedTuple):
    """A program that should not do what it does: answers differ, or `trouble` says what happened instead of an answer."""

    number: int
    mismatch: Mismatch | None = None
    trouble: str = ""

    def __str__(self) -> str:
        return f"program {self.number}: {self.mismatch or self.trouble}"


@dataclass
class Tally:
    programs: int = 0
    values: int = 0
    failures: int = 0
    diverged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def __iadd__(self, other: Tally) -> Tally:
        self.programs += other.programs
        self.values += other.values
        self.failures += other.failures
        self.diverged += other.diverged
        self.refused += other.refused
        self.findings += other.findings
        return self

    def __str__(self) -> str:
        calls = self.values + self.failures
        return (
            f"{self.programs} programs, {calls} calls ({self.values} values, {self.failures} exceptions, {self.diverged} with a "
            f"stated divergence; {100 * self.values / max(calls, 1):.0f} % values), {sum(self.refused.values())} programs "
            f"refused, {len(self.findings)} mismatches"
        )


def numbers(seed: int, count: int) -> range:
    """The programs of a seed."""
    return range(seed * 10**9, seed * 10**9 + count)


def calls_of(random: Random, made: Generated) -> list[tuple[object, ...]]:
    """What a program is called with: edges, and what is tame if it is; sometimes its defaults are used."""
    calls: list[tuple[object, ...]] = []
    for _ in range(CALLS):
        given = arguments(random, made.types, made.tame)
        short = random.randrange(made.optional + 1) if made.optional and random.random() < 0.3 else 0
        calls.append(given[: len(given) - short])
    return calls


def inputs(number: int, made: Generated) -> list[tuple[object, ...]]:
    """What the program of a number is called with."""
    return calls_of(Random(number), made)


def fuel(number: int) -> int:
    """How much: from too little to enough."""
    return 1 + number // WITH_FUEL % 14


def one(number: int) -> Tally:
    """The program of a number, on every engine."""
    try:
        made = program(number)
        calls = inputs(number, made)
        found = examine(made.text, made.params, calls)
        if number % WITH_FUEL == 0:
            found.mismatches += spend(made.text, made.params, calls, fuel(number))
    except KeyboardInterrupt:
        raise
    except BaseException:  # also a panic, which is no Exception
        return Tally(1, findings=[Finding(number, trouble=traceback.format_exc())])
    tally = Tally(1, found.values, found.failures, found.diverged)
    if found.refused:
        tally.refused[found.refused.split(" (<jib>")[0]] += 1
    if found.mismatches:
        tally.findings.append(Finding(number, found.mismatches[0]))
    return tally


def run(which: Iterable[int], at_most: int = 20) -> Tally:
    """All of them here and now, until there are so many findings."""
    total = Tally()
    for number in which:
        total += one(number)
        if len(total.findings) >= at_most:
            break
    return total
