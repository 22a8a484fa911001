"""Calls with arrays: what ten elements cost beside np.add, what large arrays take by one thread and by two, and when two are faster.

The last says what `WORTH` in rust/python/src/threads.rs is to be, on an idle machine. Where others use the processors too, the time of the
calling thread alone says what the others took from it: the third number.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import jib

TEXTS = ["a*b+c", "where(a>b, a-b, b-a)", "sin(a)**2 + cos(b)**2", "exp(-a*a/2)"]


def median(
    call: Callable[[], Any], calls: int, rounds: int = 15, clock: Callable[[], int] = time.perf_counter_ns
) -> float:
    """Nanoseconds of a call."""
    call()
    times = []
    for _ in range(rounds):
        begin = clock()
        for _ in range(calls):
            call()
        times.append((clock() - begin) / calls)
    return statistics.median(times)


def main() -> None:
    add = jib.compile("a + b")
    a, b = np.arange(10.0), np.arange(10.0)
    print("ten elements, ns a call")
    for name, call in (
        ("np.add(a, b)", lambda: np.add(a, b)), ("f(a, b)", lambda: add(a, b)), ("f(a, 2.0)", lambda: add(a, 2.0)),
        ("f.ufunc(a, b)", lambda: add.ufunc(a, b)), ("f(a[::2], b[::2])", lambda: add(a[::2], b[::2])),
    ):  # fmt: skip
        print(f"  {name:20} {median(call, 10_000):8.0f}")
    print("ns an element, by 1 and 2 threads; by the calling one of 2")
    print(f"  {'':24}" + "".join(f"{n:>24,}" for n in SIZES))
    for text in TEXTS:
        line = f"  {text:24}"
        one, two = jib.compile(text, threads=1), jib.compile(text, threads=2)
        for n in SIZES:
            arrays = np.random.default_rng(1).random((len(one.params), n))
            arrays = [array.copy() for array in arrays]
            calls = max(1, 2_000_000 // n)
            times = [median(lambda: f(*arrays), calls, 7) / n for f in (one, two)]  # noqa: B023
            times.append(median(lambda: two(*arrays), calls, 7, time.thread_time_ns) / n)  # noqa: B023
            line += "".join(f"{ns:8.2f}" for ns in times)
        print(line)


SIZES = (10_000, 30_000, 60_000, 100_000, 200_000, 500_000, 1_000_000)

if __name__ == "__main__":
    main()
