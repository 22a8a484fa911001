"""How the time of each stage grows with the text: seconds by size, and the ratio per doubling, where 2 is linear."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from jib.bench import texts
from jib.bench.measure import Cell, Meter
from jib.bench.say import Table
from jib.bench.tables.compile import stages_once

MOST = 2.3  # per doubling
CERTAIN = 0.0005  # seconds: of less the clock says too little


class Family(NamedTuple):
    make: Callable[[int], str]
    sizes: tuple[int, ...]
    args: tuple[Any, ...] = (1.5, 2.5)


FAMILIES = {
    "terms of a sum": Family(texts.sum_of, (1250, 2500, 5000, 10_000)),
    "terms of an and": Family(texts.ands, (1250, 2500, 5000, 10_000)),
    "terms of a comparison": Family(texts.comparisons, (1250, 2500, 5000, 10_000)),
    "lines of assignments": Family(texts.suite, (250, 500, 1000, 2000)),
    "lines of ifs": Family(texts.branches, (250, 500, 1000, 2000)),
    "functions": Family(texts.functions, (125, 250, 500, 1000)),
    "loops": Family(texts.loops, (62, 125, 250, 500)),
    "ifs in ifs": Family(texts.nested_ifs, (22, 45, 90, 180)),
}


def measure(meter: Meter) -> tuple[list[Table], list[str]]:
    tables = []
    rounds = max(1, meter.plan.rounds // 4)
    for name in meter.over(FAMILIES):
        family = FAMILIES[name]
        sizes = family.sizes[:2] if meter.plan.quick else family.sizes
        runs: dict[int, list[dict[str, float]]] = {size: [] for size in sizes}
        for _ in range(rounds):
            for size in sizes:
                gc.collect()
                runs[size].append(stages_once(family.make(size), family.args))
        table = Table(name.capitalize(), "stage")
        doublings = math.log2(sizes[-1] / sizes[0])
        for stage in runs[sizes[0]][0]:
            # The least of the rounds: what is asked here is the growth of the work, not of the noise.
            cells = {f"{size:,}": Cell.of([run[stage] for run in runs[size]], best=True) for size in sizes}
            first, *_, last = cells.values()
            growth = (last.median / max(first.median, 1e-6)) ** (1 / doublings)
            goal = MOST if last.median > CERTAIN else None
            table.rows[stage] = {**cells, "per doubling": Cell(growth, growth, growth, rounds, "x", most=goal)}
        tables.append(table)
    return tables, []
