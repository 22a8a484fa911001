"""How the time of each stage grows with the text: the ratio per doubling, where 2 is linear."""

from __future__ import annotations

import ast
import gc
import math
import resource
import subprocess
import sys
from collections.abc import Callable
from time import process_time
from typing import Any, NamedTuple

import texts
from harness import Stages, digits, options, save, table
from productions import PRODUCTIONS, unused

import jib
from jib.limits import DEFAULT

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


def families(rounds: int) -> tuple[dict[str, Any], list[str]]:
    everything: dict[str, dict[int, dict[str, float]]] = {}
    steep = []
    for name, family in FAMILIES.items():
        runs: dict[int, list[dict[str, float]]] = {size: [] for size in family.sizes}
        failed = False
        for _ in range(rounds):
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
    return everything, steep


# --------------------------------------------------------------------------------------------- each production


class Growth(NamedTuple):
    """Of one production: seconds by size, for text to IR and for IR to machine code, and what the largest text needed."""

    python: dict[int, float]
    native: dict[int, float]
    tokens: int
    megabytes: int
    outcome: str


def grow(name: str) -> Growth:
    """Up to the limits of a text, in this process."""
    from jib import parse

    production = PRODUCTIONS[name]
    scan = parse._make_parser().lexicon.scan

    def tokens(text: str) -> int:
        return sum(1 for _ in scan(text))

    least, more = production.make(1_000), production.make(2_000)
    top = int(min(
        (DEFAULT.characters - len(least)) * 1000 / (len(more) - len(least)),
        (DEFAULT.tokens - tokens(least)) * 1000 / max(tokens(more) - tokens(least), 1),
    ) * 0.99)  # fmt: skip
    python, native, outcome = {}, {}, ""
    for size in (top // 16, top // 8, top // 4, top // 2, top):
        text = production.make(size)
        python[size], outcome = min([once(text) for _ in range(3 if size < top // 3 else 1)])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    text = production.make(8)
    if production.native and once(text)[1] == "compiled":
        signature = f"({', '.join(['float'] * len(jib.compile(text).params))})"
        for size in (production.native // 4, production.native // 2, production.native):
            text = production.make(size)
            try:
                made = [jib.compile(text, signature).specializations[0].stages for _ in range(3)]
            except jib.JitError as error:
                outcome += f"; for float {error.code}"
                break
            native[size] = min([sum(stages.values()) for stages in made]) / 1e6
    return Growth(python, native, tokens(production.make(top)), peak, outcome)


def once(text: str) -> tuple[float, str]:
    """Seconds of this process until the text is IR or refused, and which."""
    gc.collect()
    start = process_time()
    try:
        jib.compile(text)
        end = "compiled"
    except jib.JitError as error:
        end = f"{type(error).__name__} {error.code}"
    return process_time() - start, end


def per_doubling(seconds: dict[int, float]) -> float:
    first, *_, last = seconds
    return (seconds[last] / max(seconds[first], 1e-4)) ** (1 / math.log2(last / first))


def productions(only: str) -> tuple[dict[str, Any], list[str]]:
    everything: dict[str, Any] = {}
    rows, steep = [], []
    for name in PRODUCTIONS:
        if only not in name:
            continue
        done = subprocess.run([sys.executable, __file__, "--one", name], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name}: ended with {done.returncode}: {done.stderr[-300:]}")
            steep.append(f"{name}: ended with {done.returncode}")
            continue
        python, native, tokens, megabytes, outcome = ast.literal_eval(done.stdout)
        everything[name] = Growth(python, native, tokens, megabytes, outcome)._asdict()
        top = max(python)
        row = [name, top, tokens, digits(python[top]), f"{per_doubling(python):.2f}", megabytes]
        if per_doubling(python) > MOST and python[top] > 0.05:
            steep.append(f"{name}: text to IR {per_doubling(python):.2f}")
        if len(native) > 1:
            row += [max(native), digits(native[max(native)]), f"{per_doubling(native):.2f}"]
            if per_doubling(native) > MOST and native[max(native)] > 0.05:
                steep.append(f"{name}: IR to machine code {per_doubling(native):.2f}")
        else:
            row += ["", "", ""]
        rows.append([*row, outcome])
        print(".", end="", flush=True, file=sys.stderr)
    head = [
        "production",
        "n",
        "tokens",
        "text to IR, s",
        "per doubling",
        "MB",
        "n",
        "IR to code, s",
        "per doubling",
        "outcome",
    ]
    table("Each production up to the limits of a text", head, rows)
    return everything, steep


def main() -> None:
    """`bench_growth.py NAME` measures the productions with this in their names, and nothing else."""
    if sys.argv[1:2] == ["--one"]:
        print(repr(tuple(grow(sys.argv[2]))))
        return
    only = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else ""
    wanted = options(__doc__, rounds=5)
    everything, steep = ({}, []) if only else families(wanted.rounds)
    everything["productions"], found = productions(only)
    print(f"\nSteeper than {MOST} per doubling: {'; '.join(steep + found) or 'nothing'}.")
    if not only:
        from jib import parse

        print(f"Productions of the grammar that no text has: {', '.join(unused(parse)) or 'none'}.")
    if wanted.json:
        save(__file__, everything)


if __name__ == "__main__":
    main()
