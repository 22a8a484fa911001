"""A session: how long a line takes from text to value, compiling included, and whether redefinitions take memory."""

from __future__ import annotations

import gc
from functools import partial

import numpy as np
from script import meter, options, table

import jib
from jib.bench.measure import timed
from jib.bench.say import digits, duration

LINES = (
    "a + b",
    "a = a + 1",
    "def g(v): return v + a",
    "sqrt(a*a + b*b) if a > b else 0.5",
    "x[3]",
    "sum(x * 2)",
    "first(2)",
)
DEFINITIONS = (0, 100, 2000)
REDEFINITIONS = 10_000
MOST = 0.005  # seconds a line


def session_of(definitions: int) -> jib.Session:
    """Many definitions, of which few need each other."""
    session = jib.Session()
    session.update(a=7, b=35, x=np.arange(1000.0))
    session.run("def first(v): return v * b")
    for at in range(definitions):
        callee = f"f{at - 1}" if at % 50 else "first"
        session.run(f"def f{at}(v): return {callee}(v) + {at}")
    return session


def resident() -> float:
    """Megabytes of memory that the process has now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


def main() -> None:
    wanted = options(__doc__, rounds=50)
    sessions = {count: session_of(count) for count in DEFINITIONS}
    rows, slow = [], []
    for line in LINES:
        cases = {str(count): timed(partial(session.run, line), 5) for count, session in sessions.items()}
        cells = meter(wanted.rounds).in_turns(cases).cells().values()
        rows.append([line, *[duration(each.median) for each in cells]])
        slow += [line for each in cells if each.median > MOST]
    table("A line, text to value, by definitions in the session", ["line", *map(str, DEFINITIONS)], rows)
    session = session_of(0)
    session.run("def caller(v): return f(v) + x[1]")
    sizes = []
    for at in range(REDEFINITIONS):
        session.run(f"def f(v): return v * {at} + x[{at % 1000}]")
        session.run("y = caller(1)")
        assert not session.broken
        if at % (REDEFINITIONS // 5) == REDEFINITIONS // 5 - 1:
            gc.collect()
            sizes.append(resident())
    rows = [[REDEFINITIONS // 5 * (at + 1), f"{digits(size)} MB"] for at, size in enumerate(sizes)]
    table("Memory, after redefinitions with a call between", ["redefinitions", "resident"], rows)
    print("\nmore than 5 ms:", ", ".join(slow) or "nothing")


if __name__ == "__main__":
    main()
