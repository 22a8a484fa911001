"""What a call costs, by its shape: jib's functions beside C builtins and Python's, net of the loop; and ways to call that are not straight.

The C builtins are those of `math` and `operator`, and those of reference.c, compiled here if there is a C compiler.
"""

from __future__ import annotations

import ctypes
import importlib.util
import math
import operator
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import jib
from jib.bench.measure import Meter, Turns
from jib.bench.peers import c_compiler
from jib.bench.say import Table
from jib.bench.tables.call import loop

LONG = "((a + b) * a - b) * (a - b) + (a * b + a) * (b - a) + a * a * a - b * b * b + (a + 2.0) * (b + 3.0)"  # 20 operations

Names = dict[str, Any]


def measure(meter: Meter) -> tuple[list[Table], list[str]]:
    found, absent = others(meter)
    return [shapes(meter), found], absent + ["a C compiler"] * (c_compiler() is None)


def shapes(meter: Meter) -> Table:
    every, names = cases()
    wanted = {shape: every[shape] for shape in meter.wanted(every)}
    calls = {call for row in wanted.values() for call in row if call}
    for call in calls:
        eval(call, names)
    net = meter.in_turns({call: loop(call, names, meter) for call in ("", *sorted(calls))}).less("")
    table = Table("One call, net of the loop", "arguments")
    for shape, expressions in wanted.items():
        row = dict(zip(("jib", "builtin", "Python"), expressions))
        turns = Turns({column: net.taken[call] for column, call in row.items() if call}, meter.plan.best)
        builtin = row["builtin"].partition("(")[0]
        name = f"{shape} ({builtin})" if builtin in ("copysign", "fabs", "neg") else shape  # others are reference.c's
        table.rows[name] = {**turns.cells(), **turns.ratio("jib", "builtin"), **turns.ratio("jib", "Python")}
    return table


def cases() -> tuple[dict[str, tuple[str, str, str]], Names]:
    """Of each shape: the call of jib, of a C builtin, of Python; and what their names stand for."""
    c = reference()
    if c is None:
        c = SimpleNamespace(none=None, four_floats=None, one_int=operator.neg, one_float=math.fabs)
    names: Names = {
        "x": 1.5, "y": 2.5, "i": 1234567, "big": 1 << 61,
        "copysign": math.copysign, "fabs": math.fabs, "neg": operator.neg,
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


def others(meter: Meter) -> tuple[Table, list[str]]:
    """Ways to call that are not the straight one, and other tools."""
    absent: list[str] = []
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
        absent.append("numba")
    library = ctypes.CDLL(None)
    library.hypot.restype, library.hypot.argtypes = ctypes.c_double, [ctypes.c_double] * 2
    names["hypot"] = library.hypot
    rows["ctypes, hypot of the C library"] = "hypot(x, y)"
    for expression in rows.values():
        for _ in range(3000 if "auto" in expression else 2):
            exec(expression, names)
    wanted = meter.wanted(rows)
    turns = meter.in_turns({name: loop(rows[name], names, meter) for name in wanted})
    return Table("Other calls, with the loop", "call", {name: {"time": turns.cell(name)} for name in wanted}), absent


def reference() -> ModuleType | None:
    """The compiled reference.c, or None without a compiler."""
    compiler = c_compiler()
    if compiler is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="jib-bench-"))
    library = folder / f"reference{sysconfig.get_config_var('EXT_SUFFIX')}"
    include = sysconfig.get_paths()["include"]
    words = [
        compiler,
        "-O2",
        "-shared",
        "-fPIC",
        f"-I{include}",
        str(Path(__file__).with_name("reference.c")),
        "-o",
        str(library),
    ]
    if subprocess.run(words, capture_output=True).returncode:
        return None
    spec = importlib.util.spec_from_file_location("reference", library)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
