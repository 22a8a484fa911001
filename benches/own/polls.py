"""What it costs that a run can be stopped: tight loops and recursion that count for polls, for fuel, and not at all.

The last is code that nobody can get: it would run on after Ctrl-C. Each column is the median of its ratio to it, round by round.
"""

from __future__ import annotations

from functools import partial
from statistics import geometric_mean
from typing import Any

from script import meter, options, table

from jib import ir
from jib._native import Callable, Program
from jib.bench.kernels import KERNELS
from jib.builtins import Param
from jib.limits import DEFAULT
from jib.lower import lower
from jib.parse import parse
from jib.source import Source

LOOPS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "count to n": ("def f(n: int) -> int:\n    i = 0\n    while i < n:\n        i += 1\n    return i\n", (200_000,)),
    "float recurrence": (
        "def f(n: int, x: float) -> float:\n    s = 0.0\n    for i in range(n):\n        s = s * x + 1.5\n    return s\n",
        (100_000, 0.5),
    ),
    "nested loops": (
        "def f(n: int) -> int:\n    t = 0\n    for i in range(n):\n        for j in range(n):\n            t ^= i + j\n    return t\n",
        (300,),
    ),
    "short inner loop": (
        "def f(n: int) -> int:\n    t = 0\n    for i in range(n):\n        for j in range(3):\n            t ^= i + j\n    return t\n",
        (30_000,),
    ),
    "call of a small function": (
        "def g(x: int) -> int: return x * 3 & 1023\n"
        "def f(n: int) -> int:\n    t = 0\n    for i in range(n):\n        t ^= g(i)\n    return t\n",
        (100_000,),
    ),
}
SMALLER: dict[str, tuple[Any, ...]] = {
    "fib, recursive": (20,),
    "collatz": (300,),
    "primes by trial": (1500,),
}


def compiled(text: str, counting: str) -> Callable:
    """A function that counts for "polls", for "fuel", or "nothing"."""
    source = Source(text)
    lowered = lower(parse(source, DEFAULT), source, None, DEFAULT)
    params = tuple(Param(p.name, p.kind, p.required, p.default) for p in lowered.params)
    fuel = 2**62 if counting == "fuel" else None
    module = ir.encode(lowered.module)
    return Callable(
        Program(module, source, "f", params, None, "native", "speed", "python", DEFAULT, fuel, counting=counting)
    )


def main() -> None:
    wanted = options(__doc__, rounds=101)
    ways = ("nothing", "polls", "fuel")
    rows, ratios = [], {}
    kernels = {name: (kernel.text, kernel.args) for name, kernel in KERNELS.items() if not kernel.needs_numpy}
    loops = {name: (text, lambda args=args: args) for name, (text, args) in LOOPS.items()}
    for name, (text, make) in {**kernels, **loops}.items():
        calls = {way: partial(compiled(text, way), *(SMALLER.get(name) or make())) for way in ways}
        assert len({call() for call in calls.values()}) == 1
        turns = meter(wanted.rounds, 0.002).compete(calls)
        ratios[name] = {way: cell.median for way in ways[1:] for cell in turns.ratio(way, "nothing").values()}
        rows.append([name, *[f"{ratios[name][way]:.3f}" for way in ways[1:]]])
    rows.append(["geometric mean", *[f"{geometric_mean(r[way] for r in ratios.values()):.3f}" for way in ways[1:]]])
    table("Time, in that of code that counts nothing", ["program", "polls", "fuel"], rows)


if __name__ == "__main__":
    main()
