"""How fast the compiled code runs: small scalar kernels, jib beside CPython, and beside numba where it is installed.

Every answer is compared with CPython's before anything is measured. Compiling is measured apart from running.
"""

from __future__ import annotations

import math
from functools import partial
from time import perf_counter
from typing import Any

from harness import Result, duration, measure, options, repeats, save, table, timed

import jib

KERNELS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "fib(27), recursive": (
        """
def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)
""",
        (27,),
    ),
    "collatz, longest below": (
        """
def collatz(limit):
    best = 0
    for start in range(1, limit):
        n = start
        steps = 0
        while n != 1:
            if n % 2 == 0:
                n = n // 2
            else:
                n = 3 * n + 1
            steps += 1
        if steps > best:
            best = steps
    return best
""",
        (3000,),
    ),
    "mandelbrot point": (
        """
def mandel(cx, cy, most):
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
        (-0.5, 0.5, 20_000),
    ),
    "gcd, summed": (
        """
def gcds(n):
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
        (150,),
    ),
    "LCG with masks": (
        """
def lcg(seed, n):
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return seed
""",
        (42, 200_000),
    ),
    "Simpson, sin(x)/x": (
        """
def simpson(a, b, n):
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
        (0.5, 20.0, 50_000),
    ),
    "8 queens, bits": (
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
        (255, 0, 0, 0),
    ),
    "sum of i*i": (
        """
def squares(n):
    total = 0
    for i in range(n):
        total += i * i
    return total
""",
        (300_000,),
    ),
    "primes by trial": (
        """
def primes(n):
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
        (8000,),
    ),
}


def main() -> None:
    wanted = options(__doc__, rounds=7)
    try:
        import numba
    except ImportError:
        numba = None
    jib.compile("a + b")(1, 2)  # the first text of a process loads the parser
    running: dict[str, dict[str, Result]] = {}
    compiling: dict[str, dict[str, float]] = {}
    for name, (text, args) in KERNELS.items():
        names: dict[str, Any] = dict(vars(math))
        exec(text, names)
        python = names[text.partition("def ")[2].partition("(")[0]]
        engines: dict[str, Any] = {}
        compiling[name] = {}
        begin = perf_counter()
        engines["jib"] = jib.compile(text)
        engines["jib"](*args)
        compiling[name]["jib"] = -begin + perf_counter()
        if numba is not None:
            begin = perf_counter()
            # Recursion is by the name in the module: numba's own function must stand there.
            names[python.__name__] = engines["numba"] = numba.njit(python)
            engines["numba"](*args)
            compiling[name]["numba"] = -begin + perf_counter()
            names = dict(vars(math))
            exec(text, names)
            python = names[python.__name__]
        engines["CPython"] = python
        answer = python(*args)
        for engine, function in engines.items():
            got = function(*args)
            same = got == answer if engine == "jib" or type(got) is int else math.isclose(got, answer, rel_tol=1e-9)
            assert same and (engine != "jib" or type(got) is type(answer)), (name, engine, got, answer)
        calls = {engine: partial(function, *args) for engine, function in engines.items()}
        cases = {engine: timed(call, repeats(call)) for engine, call in calls.items()}
        running[name] = measure(cases, wanted.rounds)
        for engine in compiling[name]:
            compiling[name][engine] -= running[name][engine].median
    engines = list(next(iter(running.values())))
    rows = []
    for name, results in running.items():
        own = results["jib"].median
        row: list[object] = [name, *[results[engine] for engine in engines]]
        row.append(f"{results['CPython'].median / own:.0f}")
        if "numba" in engines:
            row.append(f"{own / results['numba'].median:.2f}")
        rows.append(row)
    head = ["kernel", *engines, "faster than CPython"] + ["time of numba's"] * ("numba" in engines)
    table("Running", head, rows)
    table(
        "Compiling: the first call, less a later one",
        ["kernel", *[engine for engine in engines if engine != "CPython"]],
        [[name, *[duration(max(taken, 0.0)) for taken in each.values()]] for name, each in compiling.items()],
    )
    if wanted.json:
        save(__file__, {"running": running, "compiling": compiling})


if __name__ == "__main__":
    main()
