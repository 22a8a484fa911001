"""`jib.evaluate` of a known text beside `numexpr.evaluate` and `numexpr.re_evaluate`: nanoseconds a call, and numexpr's times by ours.

Without numexpr it prints jib's alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from statistics import median
from time import perf_counter_ns
from typing import Any

import numpy as np

import jib

TEXT = "2*a + 3*b"


def turns(calls: dict[str, Callable[[], Any]], number: int, rounds: int = 31) -> dict[str, float]:
    """The median of each, measured in turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            call()
            begin = perf_counter_ns()
            for _ in range(number):
                call()
            times[name].append((perf_counter_ns() - begin) / number)
    return {name: median(each) for name, each in times.items()}


def main() -> None:
    try:
        numexpr: Any = importlib.import_module("numexpr")
    except ImportError:
        numexpr = None
    for n in (10, 1000, 100_000):
        a, b = np.arange(float(n)), np.ones(n)
        function, mapping = jib.compile(TEXT), {"a": a, "b": b}

        def names(a: np.ndarray = a, b: np.ndarray = b) -> Any:
            return jib.evaluate(TEXT)

        calls: dict[str, Callable[[], Any]] = {
            "f(a, b)": lambda: function(a, b),  # noqa: B023
            "jib.evaluate": names,
            "jib.evaluate, mapping": lambda: jib.evaluate(TEXT, mapping),  # noqa: B023
        }
        if numexpr is not None:

            def theirs(a: np.ndarray = a, b: np.ndarray = b) -> Any:
                return numexpr.evaluate(TEXT)

            def again(a: np.ndarray = a, b: np.ndarray = b) -> Any:
                return numexpr.re_evaluate()

            theirs()
            calls |= {"numexpr.evaluate": theirs, "numexpr.re_evaluate": again}
        found = turns(calls, 20 if n > 10_000 else 200)
        print(f"{n:,} elements")
        for name, ns in found.items():
            print(f"  {name:24}{ns:12,.0f} ns {ns / found['jib.evaluate']:8.2f}")


if __name__ == "__main__":
    main()
