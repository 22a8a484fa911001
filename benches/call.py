"""What a call costs: jib's functions beside C builtins of the same shape and beside Python's, net of the loop that calls them.

A round calls each twenty times in a row in a loop, without anything between; what the empty loop takes is taken off. The C
builtins are those of `math` and `operator`, and those of `reference.c`, compiled here if there is a C compiler. Ratios are
medians of the rounds' ratios.
"""

from __future__ import annotations

import ctypes
import importlib.util
import math
import operator
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from types import ModuleType, SimpleNamespace
from typing import Any

from harness import HERE, digits, duration, measure, options, save, table, timed

import jib

CALLS = 20
LOOPS = 2_000

LONG = "((a + b) * a - b) * (a - b) + (a * b + a) * (b - a) + a * a * a - b * b * b + (a + 2.0) * (b + 3.0)"  # 20 operations

Names = dict[str, Any]


def reference() -> ModuleType | None:
    """The compiled reference.c, or None without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    folder = Path(tempfile.mkdtemp())
    library = folder / f"reference{sysconfig.get_config_var('EXT_SUFFIX')}"
    include = sysconfig.get_paths()["include"]
    words = [compiler, "-O2", "-shared", "-fPIC", f"-I{include}", str(HERE / "reference.c"), "-o", str(library)]
    if subprocess.run(words, capture_output=True).returncode:
        return None
    spec = importlib.util.spec_from_file_location("reference", library)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def loop(expression: str, names: Names) -> Callable[[], float]:
    """A case: the nanoseconds, in seconds, of the expression."""
    scope = dict(names)
    body = "; ".join([expression] * CALLS) if expression else "pass"
    parameters = ", ".join(f"{name}={name}" for name in names)
    exec(f"def run(loops, {parameters}):\n    for _ in loops: {body}", scope)
    run = scope["run"]

    def case() -> float:
        loops = [None] * LOOPS
        begin = perf_counter()
        run(loops)
        return (perf_counter() - begin) / LOOPS / CALLS

    return case


def cases() -> tuple[dict[str, tuple[str, str, str]], Names]:
    """Of each shape: the call of jib, of a C builtin, of Python; and what their names stand for."""
    c = reference()
    if c is None:
        print("no C compiler: shapes that the math module has no function for have no builtin beside them")
        c = SimpleNamespace(none=None, four_floats=None, one_int=operator.neg, one_float=math.fabs)
    names: Names = {
        "x": 1.5, "y": 2.5, "i": 1234567, "big": 1 << 61,
        "copysign": math.copysign, "fabs": math.fabs, "neg": operator.neg, "isqrt": math.isqrt,
        "c0": c.none, "c1": c.one_float, "c1i": c.one_int, "c4": c.four_floats,
        "j2": jib.compile("a + b"), "p2": lambda a, b: a + b,
        "j2c": jib.compile("copysign(a, b)"),
        "j1": jib.compile("-a"), "p1": lambda a: -a,
        "j1i": jib.compile("-a"),
        "j1b": jib.compile("a - 1"), "p1b": lambda a: a - 1,
        "j0": jib.compile("1.5"), "p0": lambda: 1.5,
        "j4": jib.compile("a + b + c + d"), "p4": lambda a, b, c, d: a + b + c + d,
        "j20": jib.compile(LONG), "p20": eval(f"lambda a, b: {LONG}"),
    }  # fmt: skip
    shapes = {
        "two floats": ("j2(x, y)", "copysign(x, y)", "p2(x, y)"),
        "two floats, copysign itself": ("j2c(x, y)", "copysign(x, y)", ""),
        "one float": ("j1(x)", "fabs(x)", "p1(x)"),
        "one float (reference.c)": ("j1(x)", "c1(x)", ""),
        "one int": ("j1i(i)", "neg(i)", "p1(i)"),
        "one int (reference.c)": ("j1i(i)", "c1i(i)", ""),
        "one int of 62 bits": ("j1b(big)", "neg(big)", "p1b(big)"),
        "four floats": ("j4(x, y, x, y)", "c4(x, y, x, y)", "p4(x, y, x, y)"),
        "no argument": ("j0()", "c0()", "p0()"),
        "20 operations": ("j20(x, y)", "", "p20(x, y)"),
    }
    missing = {name for name, value in names.items() if value is None}
    return {
        shape: (ours, "" if builtin.partition("(")[0] in missing else builtin, python)
        for shape, (ours, builtin, python) in shapes.items()
    }, {name: value for name, value in names.items() if value is not None}


def shapes(rounds: int) -> dict[str, dict[str, float]]:
    wanted, names = cases()
    calls = {call for row in wanted.values() for call in row if call}
    for call in calls:
        eval(call, names)
    runs = {call: loop(call, names) for call in ("", *sorted(calls))}
    taken: dict[str, list[float]] = {call: [] for call in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for call, run in runs.items():
            taken[call].append(run())
    net = {call: [value - empty for value, empty in zip(taken[call], taken[""])] for call in runs}

    def ratio(ours: str, theirs: str) -> float:
        return median([a / b for a, b in zip(net[ours], net[theirs])])

    found = {}
    rows = []
    for shape, (ours, builtin, python) in wanted.items():
        row = {"jib": median(net[ours]) * 1e9}
        if builtin:
            row |= {"builtin": median(net[builtin]) * 1e9, "jib / builtin": ratio(ours, builtin)}
        if python:
            row |= {"python": median(net[python]) * 1e9, "jib / python": ratio(ours, python)}
        found[shape] = row
        heads = ("jib", "builtin", "python", "jib / builtin", "jib / python")
        rows.append([shape, builtin.partition("(")[0], *[digits(row[head]) if head in row else "" for head in heads]])
    table(
        "One call, ns net of the loop",
        ("arguments", "builtin", "jib", "builtin", "Python", "jib / builtin", "jib / Python"),
        rows,
    )
    return found


def others(rounds: int) -> dict[str, float]:
    """Ways to call that are not the straight one, and other tools."""
    f, g = jib.compile("a + b"), jib.compile("a + b")
    total = jib.compile("t = 0.0\nfor i in range(n): t += a\nt")
    address = f.ctypes("float(float, float)")
    names: Names = {
        "f": f, "g": g, "x": 1.5, "y": 2.5, "i": 3, "total": total, "c": address,
        "auto": jib.compile("a + b", engine="auto"), "slow": jib.compile("a + b", engine="interpreter"),
        "power": jib.compile("a ** b"), "pair": jib.compile("a, b"), "is_less": jib.compile("a < b"),
        "fib": jib.compile("def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)"),
        "host": jib.compile("h(a)", externs=[jib.extern(abs, "float(float)", name="h")]),
    }  # fmt: skip
    rows = {
        "a + b": "f(x, y)", "by keyword": "f(a=x, b=y)", "types in turns": "g(x, y); g(i, i)",
        "engine='auto', hot": "auto(x, y)", "engine='interpreter'": "slow(x, y)",
        "a ** b": "power(x, y)", "a pair as the result": "pair(x, y)", "a bool as the result": "is_less(x, y)",
        "a loop of one round": "total(1, x)", "recursion, one call": "fib(1)", "a Python function called by the text": "host(x)",
        "through ctypes": "c(x, y)",
    }  # fmt: skip
    try:
        import numpy as np

        names["np64"] = np.float64(1.5)
        rows["a NumPy scalar"] = "f(np64, y)"
    except ImportError:
        pass
    try:
        import numba

        names["nb"] = numba.njit(lambda a, b: a + b)
        rows["numba, a + b"] = "nb(x, y)"
    except ImportError:
        print("numba is not installed: left out")
    library = ctypes.CDLL(None)
    library.hypot.restype, library.hypot.argtypes = ctypes.c_double, [ctypes.c_double] * 2
    names["hypot"] = library.hypot
    rows["ctypes, hypot of the C library"] = "hypot(x, y)"
    for expression in rows.values():
        for _ in range(3000 if "auto" in expression else 2):
            exec(expression, names)
    found = measure({name: loop(expression, names) for name, expression in rows.items()}, rounds)
    table("Other calls", ("call", "with the loop"), [(name, result) for name, result in found.items()])
    return {name: result.median * 1e9 for name, result in found.items()}


def texts(rounds: int) -> dict[str, float]:
    """Compiling a text that is known, and one that is not."""
    numbers = iter(range(10**9))

    def fresh() -> None:
        jib.compile(f"a + b + {next(numbers)}.5")

    def fresh_called() -> None:
        jib.compile(f"a * b + {next(numbers)}.5")(1.5, 2.5)

    def cleared() -> float:
        took = []
        for _ in range(20):
            jib.cache_clear()
            begin = perf_counter()
            jib.compile("a + b")(7, 35)
            took.append(perf_counter() - begin)
        return median(took)

    known = timed(lambda: jib.compile("a + b"), 2_000)
    called = timed(lambda: jib.compile("a + b")(7, 35), 2_000)
    rows = {
        "a known text": known, "a known text, and its first call": called,
        "a + b, unknown, and its first call": cleared,
        "a new text of seven tokens": timed(fresh, 20), "the same, and its first call": timed(fresh_called, 20),
    }  # fmt: skip
    found = measure(rows, rounds)
    table("jib.compile", ("text", "time"), [(name, duration(result.median)) for name, result in found.items()])
    return {name: result.median * 1e6 for name, result in found.items()}


def main() -> None:
    wanted = options(__doc__ or "", rounds=101)
    found = {
        "shapes": shapes(wanted.rounds),
        "others": others(wanted.rounds // 3 + 1),
        "texts": texts(wanted.rounds // 3 + 1),
    }
    if wanted.json:
        save(__file__, found)


if __name__ == "__main__":
    main()
