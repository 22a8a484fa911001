"""Something for a profiler to look at: functions that loop, recur, and go through arrays, for as many seconds as you like.

Run it: python examples/profile_me.py [SECONDS]; it needs NumPy. docs/profiling.md shows what perf, gdb and Valgrind say of it.
"""

from __future__ import annotations

import sys
from time import perf_counter

import jib

collatz = jib.compile("""
def steps(n):
    count = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3*n + 1
        count += 1
    return count

def longest(below: int) -> int:
    best = 0
    for n in range(1, below):
        best = max(best, steps(n))
    return best
""")


@jib.jit
def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def main(seconds: str = "1") -> None:
    try:
        import numpy as np
    except ImportError:
        print("NumPy is not installed")
        return
    bell = jib.compile("exp(-x*x/2) / sqrt(2*pi)", name="bell")
    area = jib.compile("sum(y) * step", name="area")
    x = np.linspace(-8.0, 8.0, 100_001)
    end = perf_counter() + float(seconds)
    while True:
        answers = collatz(5_000), fib(20), round(area(bell(x), 16 / 100_000), 6)
        if perf_counter() >= end:
            break
    print(*answers)


if __name__ == "__main__":
    main(*sys.argv[1:2])
