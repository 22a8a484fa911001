"""Classic little programs: each text is compiled by jib and run by CPython, and both answers are shown.

Exit status 1 if one differs. Equal means equal in value and type, and a float in its bits.
"""

from __future__ import annotations

import math
import sys
from functools import reduce
from operator import add

import jib

GCD = """\
def gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a
"""

COLLATZ = """\
def collatz(n: int) -> int:
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps
"""

# The columns and diagonals that are taken are the bits of three ints; `free & -free` is the lowest free column.
QUEENS = """\
def place(all: int, columns: int, left: int, right: int) -> int:
    if columns == all:
        return 1
    count = 0
    free = all & ~(columns | left | right)
    while free:
        queen = free & -free
        free ^= queen
        count += place(all, columns | queen, (left | queen) << 1, (right | queen) >> 1)
    return count

def queens(n: int) -> int:
    return place((1 << n) - 1, 0, 0, 0)
"""

MANDELBROT = """\
def mandelbrot(x: float, y: float, limit: int) -> int:
    a = b = 0.0
    for i in range(limit):
        a, b = a * a - b * b + x, 2.0 * a * b + y
        if a * a + b * b > 4.0:
            return i
    return limit
"""

NEWTON = """\
def f(x: float) -> float:
    return x * x * x - 2.0 * x - 5.0

def slope(x: float) -> float:
    return 3.0 * x * x - 2.0

def newton(x: float) -> tuple[float, int]:
    steps = 0
    while abs(f(x)) > 1e-12:
        x -= f(x) / slope(x)
        steps += 1
    return x, steps
"""

FIB = """\
def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)
"""

SIMPSON = """\
def g(x: float) -> float:
    return exp(-x * x) * cos(3.0 * x)

def simpson(a: float, b: float, n: int) -> float:
    h = (b - a) / n
    inner = sum((4.0 if i % 2 else 2.0) * g(a + i * h) for i in range(1, n))
    return (g(a) + inner + g(b)) * h / 3.0
"""

CLASSICS: list[tuple[str, str, tuple[int | float, ...]]] = [
    ("gcd", GCD, (1071, 462)),
    ("collatz", COLLATZ, (97,)),
    ("queens", QUEENS, (8,)),
    ("mandelbrot", MANDELBROT, (-0.75, 0.06, 1000)),
    ("newton", NEWTON, (2.0,)),
    ("fib", FIB, (20,)),
    ("simpson", SIMPSON, (-1.0, 2.0, 200)),
]


def by_cpython(text: str, name: str, args: tuple[int | float, ...]) -> object:
    """What CPython answers: the same text, with the names of `math` that jib knows without an import. Its own `sum` is exacter since 3.12;
    this one adds from left to right, as jib does and CPython did before."""
    names: dict[str, object] = {"exp": math.exp, "cos": math.cos, "sum": lambda terms: reduce(add, terms, 0)}
    exec(text, names)
    return names[name](*args)  # type: ignore[operator]


def main() -> int:
    different = 0
    print(f"{'call':<44} {'jib':<26} {'CPython':<26} equal")
    for name, text, args in CLASSICS:
        ours, theirs = jib.compile(text)(*args), by_cpython(text, name, args)
        equal = repr(ours) == repr(theirs)  # of floats, repr tells every bit but those of a nan
        different += not equal
        call = f"{name}({', '.join(map(repr, args))})"
        print(f"{call:<44} {ours!r:<26} {theirs!r:<26} {'yes' if equal else 'NO'}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
