"""How each production of the grammar grows, up to the limits of a text: text to IR, and IR to machine code.

`productions.py NAME` measures those with this in their names, and nothing else. Each has a process of its own.
"""

from __future__ import annotations

import ast
import gc
import math
import resource
import subprocess
import sys
from time import process_time
from typing import Any, NamedTuple

from production_texts import PRODUCTIONS, unused

import jib
from jib.bench.say import digits, grid
from jib.limits import DEFAULT

CERTAIN = 0.05  # seconds: of less the clock says too little
MOST = 2.3  # per doubling; more is a finding
HEAD = (
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
)


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
    for size in (top // 16, top // 4, top):
        text = production.make(size)
        python[size], outcome = min([once(text) for _ in range(3 if size < top // 8 else 1)])
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


def productions(only: str) -> list[str]:
    rows: list[list[Any]] = []
    steep = []
    for name in PRODUCTIONS:
        if only not in name:
            continue
        done = subprocess.run([sys.executable, __file__, "--one", name], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name}: ended with {done.returncode}: {done.stderr[-300:]}")
            steep.append(f"{name}: ended with {done.returncode}")
            continue
        growth = Growth(*ast.literal_eval(done.stdout))
        top, ratio = max(growth.python), per_doubling(growth.python)
        row = [name, top, growth.tokens, digits(growth.python[top]), f"{ratio:.2f}", growth.megabytes, "", "", ""]
        if ratio > MOST and growth.python[top] > CERTAIN:
            steep.append(f"{name}: text to IR {ratio:.2f}")
        if len(growth.native) > 1:
            top, ratio = max(growth.native), per_doubling(growth.native)
            row[-3:] = top, digits(growth.native[top]), f"{ratio:.2f}"
            if ratio > MOST and growth.native[top] > CERTAIN:
                steep.append(f"{name}: IR to machine code {ratio:.2f}")
        rows.append([*row, growth.outcome])
        print(*rows[-1], sep="  ", flush=True, file=sys.stderr)
    print(grid(HEAD, rows))
    return steep


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        print(repr(tuple(grow(sys.argv[2]))))
        return
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    print(f"\nSteeper than {MOST} per doubling: {'; '.join(productions(only)) or 'nothing'}.")
    if not only:
        from jib import parse

        print(f"Productions of the grammar that no text has: {', '.join(unused(parse)) or 'none'}.")


if __name__ == "__main__":
    main()
