"""Loops over arrays as people write them: jib beside numba, by one thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import jib
from jib.bench.measure import Disagreement, Meter
from jib.bench.say import Table

from .arrays import installed

#: What is promised: the time of numba's in ours, at least.
TO_NUMBA = 1 / 1.3

#: Text, and what makes its arguments; those that are written to come first.
Make = Callable[[int], tuple[Any, ...]]
KERNELS: dict[str, tuple[str, Make]] = {}


def kernel(name: str, text: str) -> Callable[[Make], Make]:
    """A row of the table; the function makes the arguments, smaller by a divisor."""

    def add(make: Make) -> Make:
        KERNELS[name] = (text, make)
        return make

    return add


@kernel(
    "mandelbrot 512²",
    """
def mandelbrot(counts, limit):
    height, width = counts.shape
    for i in range(height):
        for j in range(width):
            x = -2.0 + 3.0 * j / width
            y = -1.5 + 3.0 * i / height
            a = 0.0
            b = 0.0
            n = 0
            while n < limit and a * a + b * b <= 4.0:
                a, b = a * a - b * b + x, 2.0 * a * b + y
                n += 1
            counts[i, j] = n
""",
)
def _(divisor: int) -> tuple[Any, ...]:
    return np.zeros((512 // divisor, 512 // divisor), "i4"), 50


PRODUCT = """
def product(c, a, b):
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            total = 0.0
            for k in range(a.shape[1]):
                total += a[i, k] * b[k, j]
            c[i, j] = total
"""
PRODUCT_IKJ = """
def product(c, a, b):
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            c[i, j] = 0.0
        for k in range(a.shape[1]):
            for j in range(c.shape[1]):
                c[i, j] += a[i, k] * b[k, j]
"""


@kernel("matrix product 256³, ikj", PRODUCT_IKJ)
@kernel("matrix product 256³, ijk", PRODUCT)
def matrices(divisor: int) -> tuple[Any, ...]:
    n = 256 // divisor
    seed = np.random.default_rng(3)
    return np.zeros((n, n)), seed.random((n, n)), seed.random((n, n))


@kernel("matrix product 250³, ijk", PRODUCT)  # rows of 256 doubles meet in few sets of the caches
def _(divisor: int) -> tuple[Any, ...]:
    return tuple([array[: 250 // divisor, : 250 // divisor].copy() for array in matrices(divisor)])


@kernel(
    "3-point stencil 10⁶",
    """
def smooth(out, x):
    for i in range(1, len(x) - 1):
        out[i] = 0.25 * x[i - 1] + 0.5 * x[i] + 0.25 * x[i + 1]
""",
)
def _(divisor: int) -> tuple[Any, ...]:
    x = np.random.default_rng(4).random(1_000_000 // divisor)
    return np.zeros_like(x), x


@kernel(
    "Floyd–Warshall n=200",
    """
def paths(work, graph):
    n = len(graph)
    for i in range(n):
        for j in range(n):
            work[i, j] = graph[i, j]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if work[i, k] + work[k, j] < work[i, j]:
                    work[i, j] = work[i, k] + work[k, j]
""",
)
def _(divisor: int) -> tuple[Any, ...]:
    n = 200 // divisor
    graph = np.random.default_rng(5).random((n, n))
    return np.zeros_like(graph), graph


@kernel(
    "histogram 10⁶",
    """
def histogram(counts, x):
    bins = len(counts)
    for i in range(bins):
        counts[i] = 0
    for i in range(len(x)):
        counts[int(x[i] * bins)] += 1
""",
)
def _(divisor: int) -> tuple[Any, ...]:
    return np.zeros(100, "i8"), np.random.default_rng(6).random(1_000_000 // divisor)


def measure(meter: Meter) -> tuple[list[Table], list[str]]:
    peers, absent = installed(["numba"])
    table = Table("Loops over arrays", "loop")
    for name in meter.over(KERNELS):
        text, make = KERNELS[name]
        scope: dict[str, Any] = {}
        exec(text, scope)
        python = scope[text.partition("def ")[2].partition("(")[0]]
        engines: dict[str, Callable[..., Any]] = {"jib": jib.compile(text)}
        if "numba" in peers:
            engines["numba"] = peers["numba"].njit(python)
        small = make(16 if "10⁶" not in name else 1000)
        python(*small)
        for engine, function in engines.items():
            result = np.zeros_like(small[0])
            function(result, *small[1:])
            if not np.array_equal(result, small[0]):
                raise Disagreement(f"{name}: {engine} answers {result}, CPython {small[0]}")
        args = make(2 if meter.plan.quick else 1)
        turns = meter.compete({engine: partial(function, *args) for engine, function in engines.items()})
        table.rows[name] = {**turns.cells(), **turns.ratio("numba", "jib", least=TO_NUMBA)}
    if meter.plan.quick:
        table.notes.append("In the quick run, arrays are half as long in each dimension.")
    return [table], absent
