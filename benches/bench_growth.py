"""How the time of each stage grows with the text: the ratio per doubling, where 2 is linear."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import texts
from harness import Stages, digits, options, save, table

MOST = 2.3  # per doubling; more is a finding


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


def main() -> None:
    wanted = options(__doc__, rounds=5)
    everything: dict[str, dict[int, dict[str, float]]] = {}
    steep = []
    for name, family in FAMILIES.items():
        runs: dict[int, list[dict[str, float]]] = {size: [] for size in family.sizes}
        failed = False
        for _ in range(wanted.rounds):
            for size in family.sizes:
                gc.collect()
                try:
                    runs[size].append(Stages.once(family.make(size), family.args))
                except Exception as problem:
                    print(f"\n{name}: {size}: {type(problem).__name__}: {problem}")
                    failed = True
                    break
            if failed:
                break
        done = {size: taken for size, taken in runs.items() if taken}
        if len(done) < 2:
            continue
        # The least of the rounds: what is asked here is the growth of the work, not of the noise.
        best = {size: {stage: min([run[stage] for run in taken]) for stage in taken[0]} for size, taken in done.items()}
        everything[name] = best
        first, *_, last = best
        doublings = math.log2(last / first)
        rows = []
        for stage in best[first]:
            per_doubling = (best[last][stage] / max(best[first][stage], 1e-3)) ** (1 / doublings)
            steepest = " (!)" if per_doubling > MOST and best[last][stage] > 500 else ""
            if steepest:
                steep.append(f"{name}: {stage}: {per_doubling:.2f}")
            rows.append(
                [stage, *[digits(each[stage] / 1000) for each in best.values()], f"{per_doubling:.2f}{steepest}"]
            )
        table(f"{name.capitalize()}: milliseconds", ["stage", *map(str, best), "per doubling"], rows)
    print(f"\nSteeper than {MOST} per doubling: {'; '.join(steep) or 'nothing'}.")
    if wanted.json:
        save(__file__, everything)


if __name__ == "__main__":
    main()
