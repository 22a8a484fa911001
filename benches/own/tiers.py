"""When compiling pays: what a text costs interpreted and compiled, and what `engine="auto"` makes of it.

The first table gives the number of interpreted instructions for which compiling could have been had: what the two constants in
rust/python/src/tiers.rs are to be near to. The second compares whole lives of a function, from its text to its last call, with the
better of the two engines: 1.00 is the best that can be had without knowing how often it will be called, 2.00 what theory allows.
"""

from __future__ import annotations

import re
from functools import partial
from statistics import median
from typing import Any

from script import meter, options, table

import jib
from jib.bench.measure import timed
from jib.bench.say import digits, duration

LONG = "\n".join(f"v{i} = a * {i} + b - {f'v{i - 1}' if i else 'a'}" for i in range(100)) + "\nv99"

TEXTS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "a + b": ("a + b", (1, 2)),
    "cubic polynomial": ("((a * x + b) * x + c) * x + d", (1.5, 2.5, 3.5, 4.5, 5.5)),
    "condition": ("sqrt(x * x + y * y) if x > y else y", (3.0, 2.0)),
    "functions of math": ("sin(x) ** 2 + cos(y) ** 2 + exp(-x * y)", (0.5, 0.7)),
    "100 lines of floats": (LONG, (1.5, 2.5)),
    "100 lines of ints": (LONG, (1, 2)),
}
LIVES = (1, 10, 100, 1000, 10_000)


def live(text: str, args: tuple[Any, ...], engine: str, calls: int) -> None:
    """One function from its text to its last call."""
    function = jib.compile(text, engine=engine)
    for _ in range(calls):
        function(*args)


def compiling(text: str, args: tuple[Any, ...]) -> float:
    """Seconds from typed IR to machine code; the median of some."""
    taken = []
    for _ in range(15):
        function = jib.compile(text)
        function(*args)
        stages = function.specializations[0].stages
        taken.append((stages["clif"] + stages["machine"] + stages["link"]) / 1e6)
    return median(taken)


def main() -> None:
    wanted = options(__doc__, rounds=7)
    rows: list[list[object]] = []
    for name, (text, args) in TEXTS.items():
        engines = {engine: jib.compile(text, engine=engine) for engine in ("interpreter", "native")}
        assert engines["interpreter"](*args) == engines["native"](*args)
        cases = {engine: timed(partial(function, *args), 500) for engine, function in engines.items()}
        calls = meter(wanted.rounds).in_turns(cases).cells()
        instructions = len(re.findall(r"^  ", engines["native"].dump("typed-ir"), re.MULTILINE)) - 1
        step = max(calls["interpreter"].median - calls["native"].median, 1e-9) / instructions
        cost = compiling(text, args)
        rows.append([name, instructions, duration(cost), duration(step), digits(cost / step)])
    head = ["text", "instructions", "to compile", "to interpret one", "compiling costs instructions"]
    table("What compiling costs", head, rows)
    rows = []
    for name, (text, args) in TEXTS.items():
        row: list[object] = [name]
        for calls_made in LIVES:
            cases = {
                engine: timed(partial(live, text, args, engine, calls_made))
                for engine in ("interpreter", "native", "auto")
            }
            results = meter(wanted.rounds).in_turns(cases).cells()
            best = min(results["interpreter"].median, results["native"].median)
            row.append(f"{results['auto'].median / best:.2f}")
        rows.append(row)
    table('Time of engine="auto", in that of the better engine', ["text", *[f"{n} calls" for n in LIVES]], rows)


if __name__ == "__main__":
    main()
