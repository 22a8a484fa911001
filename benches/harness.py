"""What all benchmarks share: rounds, medians, tables, and where the microseconds of one compilation go.

In: cases by name, each a function that does its work once and gives what it took. Out: `Result` for each, Markdown on stdout, and
JSON in benches/results/ with `--json`.
Always holds: cases are measured in turns, a round of each and then the next round, so that a busy machine slows them all alike: the ratios
are to be trusted, the single numbers less. Answers are compared before anything is measured.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any, NamedTuple

HERE = Path(__file__).parent

Case = Callable[[], float]


class Result(NamedTuple):
    """The median of some rounds in seconds, and their spread: half of what lies between the quartiles, as a part of the median."""

    median: float
    spread: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Result:
        low, middle, high = quantiles(values, n=4) if len(values) > 1 else [*values] * 3
        return cls(middle, (high - low) / 2 / middle if middle else 0.0, len(values))

    def __str__(self) -> str:
        return f"{duration(self.median)} ±{self.spread:.0%}"


def parser(text: str, rounds: int) -> argparse.ArgumentParser:
    """Of the options of every benchmark."""
    parser = argparse.ArgumentParser(description=text.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=rounds, help="how often each case is measured (%(default)s)")
    parser.add_argument("--json", action="store_true", help="also write benches/results/<name>.json")
    return parser


def options(text: str, rounds: int) -> argparse.Namespace:
    return parser(text, rounds).parse_args()


def timed(work: Callable[[], object], repeat: int = 1) -> Case:
    """A case that does the work so many times, and takes what one of them took."""

    def case() -> float:
        begin = perf_counter()
        for _ in range(repeat):
            work()
        return (perf_counter() - begin) / repeat

    return case


def repeats(work: Callable[[], object], seconds: float = 0.02) -> int:
    """How often to repeat a piece of work, so that a round is long enough for the clock."""
    work()
    begin = perf_counter()
    work()
    return max(1, min(100_000, int(seconds / max(perf_counter() - begin, 1e-8))))


def in_turns(cases: Mapping[str, Case], rounds: int) -> dict[str, list[float]]:
    """Every case once in each round, in turns: what each took in each round."""
    values: dict[str, list[float]] = {name: [] for name in cases}
    gc.collect()
    for _ in range(rounds):
        for name, case in cases.items():
            values[name].append(case())
    return values


def measure(cases: Mapping[str, Case], rounds: int) -> dict[str, Result]:
    """Every case once in each round, in turns."""
    return {name: Result.of(taken) for name, taken in in_turns(cases, rounds).items()}


class Stages:
    """Where the time of one text goes, from text to the first answer, in microseconds; medians of some rounds."""

    PYTHON = ("parse", "lower", "encode")

    @staticmethod
    def once(text: str, args: Sequence[Any]) -> dict[str, float]:
        from jib import ir
        from jib.function import Function, Options, make
        from jib.limits import DEFAULT
        from jib.lower import lower
        from jib.parse import parse
        from jib.source import Source

        laps = [perf_counter()]
        source = Source(text)
        program = parse(source, DEFAULT)
        laps.append(perf_counter())
        lowered = lower(program, source, None, DEFAULT)
        laps.append(perf_counter())
        module = ir.encode(lowered.module)
        laps.append(perf_counter())
        function = Function(make(source, module, lowered, Options()))
        function(*args)
        laps.append(perf_counter())
        took = dict(zip(Stages.PYTHON, [(b - a) * 1e6 for a, b in zip(laps, laps[1:])]))
        took.update(function.specializations[0].stages)
        total = (laps[-1] - laps[0]) * 1e6
        return {**took, "callable": total - sum(took.values()), "total": total}

    @staticmethod
    def medians(text: str, args: Sequence[Any], rounds: int) -> dict[str, float]:
        runs = [Stages.once(text, args) for _ in range(rounds)]
        return {stage: median([run[stage] for run in runs]) for stage in runs[0]}


# ------------------------------------------------------------------------------------------------- saying it


def duration(seconds: float) -> str:
    """Three digits and a unit.

    >>> duration(0.00002512), duration(3.2)
    ('25.1 µs', '3.20 s')
    """
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{digits(seconds * factor)} {unit}"
    return f"{digits(seconds * 1e9)} ns"


def digits(value: float) -> str:
    """A number with three digits: 1.23, 12.3, 123."""
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table in Markdown, its columns aligned; the first to the left, the others to the right."""
    cells = [list(head), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    lines = [
        "| " + " | ".join([c.rjust(w) if at else c.ljust(w) for at, (c, w) in enumerate(zip(row, widths))]) + " |"
        for row in cells
    ]
    rule = "|" + "|".join(["-" * (w + 1) + (":" if at else "-") for at, w in enumerate(widths)]) + "|"
    print(f"\n### {title}\n", lines[0], rule, *lines[1:], sep="\n", flush=True)


def save(file: str, data: object) -> None:
    """Write the numbers down, with the machine they come from."""
    path = HERE / "results" / f"{Path(file).stem}.json"
    path.parent.mkdir(exist_ok=True)
    machine = {"python": sys.version.split()[0], "platform": platform.platform(), "processor": processor()}
    path.write_text(json.dumps({"machine": machine, "results": data}, indent=1, default=lambda r: r._asdict()) + "\n")
    print(f"\nwritten: {path.relative_to(HERE.parent)}")


def processor() -> str:
    """The name of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()
