"""The kernels: small programs of loops and recursion over numbers, as people write them.

In: nothing. Out: texts that jib, CPython and numba all read, each with what makes its arguments; kernels.c has the same in C.
Always holds: the last function is the one that is called, and C's has its name. Those with `needs_numpy` take arrays, and write to them.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple


class Kernel(NamedTuple):
    text: str
    args: Callable[[], tuple[Any, ...]]
    needs_numpy: bool = False

    @property
    def functions(self) -> list[str]:
        """The names of its functions; the last is the one to call."""
        return [part.partition("(")[0] for part in self.text.split("def ")[1:]]


def _planets() -> tuple[Any, ...]:
    """The sun and four planets: places, speeds, masses."""
    np = import_module("numpy")
    places = [[0.0, 0, 0], [4.84, -1.16, -0.1], [8.34, 4.12, -0.4], [12.8, -15.1, -0.22], [15.3, -25.9, 0.17]]
    speeds = [[0.0, 0, 0], [0.6, 2.8, -0.02], [-1.01, 1.8, 0.008], [1.08, 0.86, -0.01], [0.97, 0.59, -0.03]]
    return np.array(places), np.array(speeds), np.array([39.47, 0.037, 0.011, 0.0017, 0.002]), 0.01, 500


def _marks() -> tuple[Any, ...]:
    np = import_module("numpy")
    return (np.ones(50_000, np.uint8),)


def _vectors() -> tuple[Any, ...]:
    np = import_module("numpy")
    return np.zeros(100), np.zeros(100), np.zeros(100)


KERNELS: dict[str, Kernel] = {
    "fib, recursive": Kernel(
        """
def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)
""",
        lambda: (25,),
    ),
    "collatz": Kernel(
        """
def collatz(limit: int) -> int:
    best = 0
    for start in range(1, limit):
        n = start
        steps = 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        if steps > best:
            best = steps
    return best
""",
        lambda: (3000,),
    ),
    "mandelbrot point": Kernel(
        """
def mandel(cx: float, cy: float, most: int) -> int:
    x = 0.0
    y = 0.0
    for i in range(most):
        xx = x * x
        yy = y * y
        if xx + yy > 4.0:
            return i
        y = 2.0 * x * y + cy
        x = xx - yy + cx
    return most
""",
        lambda: (-0.5, 0.5, 20_000),
    ),
    "n-body step": Kernel(
        """
def nbody(x, v, m, dt, steps):
    n = len(m)
    for _ in range(steps):
        for i in range(n):
            for j in range(i + 1, n):
                dx = x[i, 0] - x[j, 0]
                dy = x[i, 1] - x[j, 1]
                dz = x[i, 2] - x[j, 2]
                d2 = dx * dx + dy * dy + dz * dz
                mag = dt / (d2 * sqrt(d2))
                v[i, 0] -= dx * m[j] * mag
                v[i, 1] -= dy * m[j] * mag
                v[i, 2] -= dz * m[j] * mag
                v[j, 0] += dx * m[i] * mag
                v[j, 1] += dy * m[i] * mag
                v[j, 2] += dz * m[i] * mag
        for i in range(n):
            for k in range(3):
                x[i, k] += dt * v[i, k]
    return x[0, 0]
""",
        _planets,
        needs_numpy=True,
    ),
    "sieve": Kernel(
        """
def sieve(marks):
    n = len(marks)
    for i in range(n):
        marks[i] = 1
    count = 0
    for i in range(2, n):
        if marks[i]:
            count += 1
            for j in range(i * i, n, i):
                marks[j] = 0
    return count
""",
        _marks,
        needs_numpy=True,
    ),
    "spectral norm": Kernel(
        """
def a(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)

def times(v, u, w, n):
    for i in range(n):
        s = 0.0
        for j in range(n):
            s += a(i, j) * v[j]
        w[i] = s
    for i in range(n):
        s = 0.0
        for j in range(n):
            s += a(j, i) * w[j]
        u[i] = s

def spectral(u, v, w):
    n = len(u)
    for i in range(n):
        u[i] = 1.0
    for _ in range(3):
        times(u, v, w, n)
        times(v, u, w, n)
    vbv = 0.0
    vv = 0.0
    for i in range(n):
        vbv += u[i] * v[i]
        vv += v[i] * v[i]
    return sqrt(vbv / vv)
""",
        _vectors,
        needs_numpy=True,
    ),
    "gcd": Kernel(
        """
def gcds(n: int) -> int:
    total = 0
    for i in range(1, n):
        for j in range(1, n):
            a = i
            b = j
            while b:
                a, b = b, a % b
            total += a
    return total
""",
        lambda: (150,),
    ),
    "LCG": Kernel(
        """
def lcg(seed: int, n: int) -> int:
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return seed
""",
        lambda: (42, 200_000),
    ),
    "xorshift": Kernel(
        """
def xorshift(x: int, n: int) -> int:
    total = 0
    for _ in range(n):
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        total += x & 255
    return total
""",
        lambda: (2463534242, 100_000),
    ),
    "Simpson": Kernel(
        """
def simpson(a: float, b: float, n: int) -> float:
    h = (b - a) / n
    total = sin(a) / a + sin(b) / b
    for i in range(1, n):
        x = a + i * h
        y = sin(x) / x
        if i % 2:
            total += 4.0 * y
        else:
            total += 2.0 * y
    return total * h / 3.0
""",
        lambda: (0.5, 20.0, 50_000),
    ),
    "n-queens": Kernel(
        """
def queens(row_mask: int, cols: int, left: int, right: int) -> int:
    if cols == row_mask:
        return 1
    count = 0
    free = row_mask & ~(cols | left | right)
    while free:
        bit = free & -free
        free ^= bit
        count += queens(row_mask, cols | bit, ((left | bit) << 1) & row_mask, (right | bit) >> 1)
    return count
""",
        lambda: (255, 0, 0, 0),
    ),
    "primes by trial": Kernel(
        """
def primes(n: int) -> int:
    count = 0
    for candidate in range(2, n):
        divisor = 2
        while divisor * divisor <= candidate:
            if candidate % divisor == 0:
                break
            divisor += 1
        else:
            count += 1
    return count
""",
        lambda: (8000,),
    ),
}
