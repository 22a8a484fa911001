"""When two threads are faster than one: calls with arrays of growing size.

It says what `WORTH` in rust/python/src/threads.rs is to be, on an idle machine. Where others use the processors too, the time of the
calling thread alone says what the others took from it: the third column.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from script import meter, options, table

import jib
from jib.bench.measure import Meter
from jib.bench.say import digits

TEXTS = ["a*b+c", "where(a>b, a-b, b-a)", "sin(a)**2 + cos(b)**2", "exp(-a*a/2)"]
SIZES = (10_000, 30_000, 60_000, 100_000, 200_000, 500_000, 1_000_000)


def main() -> None:
    wanted = options(__doc__ or "", rounds=7)
    by_clock = meter(wanted.rounds, 0.01)
    by_processor = Meter(by_clock.plan._replace(cpu=True))
    for text in TEXTS:
        rows = []
        for size in SIZES:
            arrays = list(np.random.default_rng(1).random((3, size)))
            calls = {}
            for threads in (1, 2):
                function = jib.compile(text, threads=threads)
                calls[str(threads)] = partial(function, *[array.copy() for array in arrays[: len(function.params)]])
            cells = [
                *by_clock.compete(calls).cells(size).values(),
                by_processor.compete({"2": calls["2"]}).cell("2", size),
            ]
            rows.append([f"{size:,}", *[digits(cell.median * 1e9) for cell in cells]])
        head = ["elements", "one thread", "two", "the calling one of two, processor time"]
        table(f"`{text}`, ns an element", head, rows)


if __name__ == "__main__":
    main()
