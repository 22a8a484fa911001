"""How everything is measured: contenders in turns, round by round.

In: contenders by name, each a piece of work, or a case, which does its work and says what it took. Out: cells: the median of the rounds
and between what their middle half lies; a ratio is the median of the rounds' ratios.
Always holds: in each round every contender has its turn, so that a busy machine slows them all alike: ratios are to be trusted, single
numbers less. Answers are compared before anything is timed.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import geometric_mean, median, quantiles
from time import perf_counter, thread_time
from typing import Any, NamedTuple, TypeVar

Work = Callable[[], object]
Case = Callable[[], float]
Tell = Callable[[float, str], None]
Row = TypeVar("Row")


class Plan(NamedTuple):
    """How much is measured, and by what clock."""

    rounds: int
    seconds: float
    """How long one turn of a contender is to last: short work is repeated."""
    most: float
    """Seconds for all turns of a contender: a slow one has fewer, and one that takes more than this at once has no other."""
    quick: bool = True
    """Whether tables leave out what takes long."""
    cpu: bool = False
    """By the processor's time of this thread, for a machine that others use too."""
    best: bool = False
    """The best round counts instead of the one in the middle."""
    rows: tuple[str, ...] = ()
    """Only rows that have one of these words in their names; none: all."""
    sizes: tuple[int, ...] = ()
    """Numbers of elements, for the table of arrays."""
    out: bool = False
    """Arrays are written where arrays are before."""

    def clock(self) -> Callable[[], float]:
        return thread_time if self.cpu else perf_counter


QUICK = Plan(rounds=7, seconds=0.004, most=0.5)
FULL = Plan(rounds=21, seconds=0.02, most=5.0, quick=False)


class Cell(NamedTuple):
    """What was measured: the median of the rounds, and the quartiles around it."""

    median: float
    low: float
    high: float
    rounds: int = 1
    unit: str = "s"
    """s: seconds; B: bytes; x: a ratio; nothing: a count."""
    least: float | None = None
    """A goal: the ratio is to be at least this, or"""
    most: float | None = None
    """at most that."""

    @classmethod
    def of(cls, values: Sequence[float], unit: str = "s", best: bool = False) -> Cell:
        """
        >>> Cell.of([3.0, 1.0, 2.0, 9.0, 4.0])
        Cell(median=3.0, low=2.0, high=4.0, rounds=5, unit='s', least=None, most=None)
        """
        low, middle, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
        if best:
            return cls(min(values), min(values), low, len(values), unit)
        return cls(middle, low, high, len(values), unit)

    @property
    def spread(self) -> float:
        """Half of what lies between the quartiles, as a part of the median."""
        return (self.high - self.low) / 2 / abs(self.median) if self.median else 0.0

    @property
    def missed(self) -> float:
        """By what part of it the goal is missed; 0 or less: it is met, or there is none."""
        if self.least is not None:
            return 1 - self.median / self.least
        return 0.0 if self.most is None else self.median / self.most - 1


Cells = dict[str, Cell]


class Turns:
    """What each contender took in each round; None where it sat out."""

    def __init__(self, taken: Mapping[str, Sequence[float | None]], best: bool = False) -> None:
        self.taken, self.best = dict(taken), best

    def __contains__(self, name: str) -> bool:
        return name in self.taken

    def values(self, name: str) -> list[float]:
        return [value for value in self.taken[name] if value is not None]

    def cell(self, name: str, per: float = 1.0) -> Cell:
        return Cell.of([value / per for value in self.values(name)], best=self.best)

    def cells(self, per: float = 1.0) -> Cells:
        return {name: self.cell(name, per) for name in self.taken}

    def ratio(
        self, over: str, under: str, named: str = "", *, least: float | None = None, most: float | None = None
    ) -> Cells:
        """The time of one in that of the other, as a cell named `over / under`; nothing where one of them is not there.

        >>> Turns({"a": [1.0, 2.0, 9.0, 1.0], "b": [2.0, 4.0, None, 2.0]}).ratio("b", "a")["b / a"].median
        2.0
        """
        if over not in self.taken or under not in self.taken:
            return {}
        both = zip(self.taken[over], self.taken[under])
        ratios = [a / b for a, b in both if a is not None and b is not None and b > 0]
        if len(ratios) < 3 or self.best:  # too few rounds that both were in: the medians of all
            ratios = [self.cell(over).median / self.cell(under).median]
        return {named or f"{over} / {under}": Cell.of(ratios, "x")._replace(least=least, most=most)}

    def less(self, name: str) -> Turns:
        """The others, net of what this one took in the same round."""
        empty = self.taken[name]
        return Turns(
            {
                other: [None if a is None or b is None else a - b for a, b in zip(values, empty)]
                for other, values in self.taken.items()
                if other != name
            },
            self.best,
        )


class Meter:
    """Measures by a plan, and tells how far it is: a part of the whole, and the row that it is at."""

    def __init__(self, plan: Plan, tell: Tell = lambda part, row: None) -> None:
        self.plan, self.tell = plan, tell
        self._at, self._rows, self._row = 0, 1, ""

    def wanted(self, rows: Iterable[Row], name: Callable[[Row], str] = str) -> list[Row]:
        """The rows that the plan wants."""
        return [row for row in rows if not self.plan.rows or any(word in name(row) for word in self.plan.rows)]

    def over(self, rows: Iterable[Row], name: Callable[[Row], str] = str) -> Iterator[Row]:
        """The same one by one, with progress: rows that are measured each by itself."""
        wanted = self.wanted(rows, name)
        self._rows = max(1, len(wanted))
        for self._at, row in enumerate(wanted):
            self._row = name(row)
            self._told(0.0)
            yield row

    def _told(self, part: float) -> None:
        self.tell((self._at + part) / self._rows, self._row)

    def compete(
        self, works: Mapping[str, Work], before: Mapping[str, Work] | None = None, forget: Work | None = None
    ) -> Turns:
        """Times pieces of work, each repeated for a turn's length. Off the clock, `before` is done ahead of a contender's turn,
        and `forget` ahead of each repetition of any."""
        cases, firsts = {}, {}
        for name, work in works.items():
            firsts[name], cases[name] = self._case(work, (before or {}).get(name), forget)
        return self._in_turns(cases, firsts)

    def in_turns(self, cases: Mapping[str, Case]) -> Turns:
        """Times cases that have clocks of their own, after a round of all that does not count."""
        firsts = {}
        for name, case in cases.items():
            begin = perf_counter()
            case()
            firsts[name] = perf_counter() - begin
        return self._in_turns(cases, firsts)

    def _case(self, work: Work, before: Work | None, forget: Work | None) -> tuple[float, Case]:
        """How long a turn will last, and the turn."""
        clock, seconds = self.plan.clock(), self.plan.seconds
        once = timed(work, 1, clock, before, forget)
        first = once()
        if first > self.plan.most:
            return first, lambda: first  # what it took is its only turn
        first = min(first, once())
        repeat = max(1, min(100_000, int(seconds / max(first, 1e-8))))
        return max(first, seconds if repeat > 1 else 0.0), timed(work, repeat, clock, before, forget)

    def _in_turns(self, cases: Mapping[str, Case], firsts: Mapping[str, float]) -> Turns:
        rounds, most = self.plan.rounds, self.plan.most
        turns = {name: max(1, int(min(rounds, most / max(first, 1e-9)))) for name, first in firsts.items()}
        taken: dict[str, list[float | None]] = {name: [] for name in cases}
        gc.collect()
        gc.freeze()  # what a large peer has loaded is not for others to be searched
        try:
            for at in range(rounds):
                self._told(at / rounds)
                for name, case in cases.items():
                    # A slow one has its turns spread over the rounds.
                    is_on = (at + 1) * turns[name] // rounds > at * turns[name] // rounds
                    taken[name].append(case() if is_on else None)
        finally:
            gc.unfreeze()
        return Turns(taken, self.plan.best)


def timed(
    work: Work,
    repeat: int = 1,
    clock: Callable[[], float] = perf_counter,
    before: Work | None = None,
    forget: Work | None = None,
) -> Case:
    """A case that does the work so many times, and takes what one of them took: on average or, timed apart, in the middle."""

    def once() -> float:
        begin = clock()
        work()
        return clock() - begin

    def case() -> float:
        if before is not None:
            before()
        if forget is not None:
            taken = []
            for _ in range(repeat):
                forget()
                taken.append(once())
            return median(taken)
        begin = clock()
        for _ in range(repeat):
            work()
        return (clock() - begin) / repeat

    return case


def geometric(rows: Iterable[Cells], names: Sequence[str]) -> Cells:
    """The geometric means of cells of these names; of quartiles too, which says how far all could move together."""
    found = {}
    for name in names:
        cells = [row[name] for row in rows if name in row]
        if cells:
            middle, low, high = (
                geometric_mean([max(value, 1e-12) for value in each])
                for each in zip(*[(cell.median, cell.low, cell.high) for cell in cells])
            )
            found[name] = Cell(middle, low, high, min(cell.rounds for cell in cells), cells[0].unit)
    return found


class Disagreement(Exception):
    """Contenders give different answers: nothing is measured."""


def agree(row: str, answers: Mapping[str, Any], to: str = "CPython", exactly: Sequence[str] = ("jib",)) -> None:
    """All answers are those of `to`: to the last bit and of the same type for some, else to nine digits. NumPy's scalars are taken for
    the numbers that they are.

    >>> agree("a / b", {"CPython": 0.5, "jib": 0.5, "numexpr": 0.5000000000001})
    >>> agree("a / b", {"CPython": 1.0, "jib": 1})
    Traceback (most recent call last):
    jib.bench.measure.Disagreement: a / b: jib answers 1, CPython 1.0
    """
    plain = {name: answer.item() if hasattr(answer, "item") else answer for name, answer in answers.items()}
    expected = plain.pop(to)
    for name, answer in plain.items():
        if name in exactly:
            same = type(answer) is type(expected) and repr(answer) == repr(expected)
        else:
            same = math.isclose(float(answer), float(expected), rel_tol=1e-9, abs_tol=1e-12)
        if not same:
            raise Disagreement(f"{row}: {name} answers {answer!r}, {to} {expected!r}")
