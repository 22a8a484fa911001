"""The kernels, run and compiled apart: jib beside numba, C and CPython."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import jib

from ..kernels import KERNELS, Kernel
from ..measure import Meter, agree, geometric
from ..peers import NUMBA, compiled_c, present
from ..say import Table

RATIOS = (("jib", "numba"), ("jib", "C"), ("CPython", "jib"))
C_TYPES: dict[type, Any] = {int: ctypes.c_int64, float: ctypes.c_double}


def measure(meter: Meter) -> tuple[list[Table], list[str]]:
    peers, absent = present([NUMBA])
    library = compiled_c((Path(__file__).parents[1] / "kernels.c").read_text(encoding="utf-8"))
    absent += ["a C compiler"] * (library is None)
    chosen = dict(KERNELS)
    try:
        import_module("numpy")
    except ImportError:
        chosen = {name: kernel for name, kernel in KERNELS.items() if not kernel.needs_numpy}
        absent.append(f"NumPy, for {', '.join(name for name in KERNELS if name not in chosen)}")
    running, first = Table("Running", "kernel"), Table("The first call: compiling and running", "kernel")
    for name in meter.over(chosen):
        kernel = chosen[name]
        makers: dict[str, Callable[[], Callable[..., Any]]] = {"jib": partial(jib.compile, kernel.text)}
        if peers:
            makers["numba"] = partial(of_numba, kernel)
        contenders = {engine: make() for engine, make in makers.items()}
        python = contenders["CPython"] = of_python(kernel)
        answer = python(*kernel.args())
        if library is not None:
            result = float if isinstance(answer, float) else int  # a NumPy double is a float
            contenders["C"] = of_c(ctypes.CDLL(str(library)), kernel, result)
        agree(name, {engine: function(*kernel.args()) for engine, function in contenders.items()})
        turns = meter.compete({engine: called(function, kernel) for engine, function in contenders.items()})
        running.rows[name] = turns.cells()
        for over, under in RATIOS:
            running.rows[name] |= turns.ratio(over, under)
        # Compiling varies less than running, and numba's takes long.
        firsts = Meter(meter.plan._replace(most=meter.plan.most / 5)).compete(
            {engine: at_first(make, kernel) for engine, make in makers.items()}, forget=jib.cache_clear
        )
        first.rows[name] = {**firsts.cells(), **firsts.ratio("numba", "jib")}
    if len(running.rows) > 1:
        for table in (running, first):
            table.rows["geometric mean"] = geometric(table.rows.values(), table.columns("x"))
    running.notes.append(
        "All run the same text; C is kernels.c by -O2. jib checks overflow, indices and division; numba checks division "
        '(error_model="python") and, unless it is asked to, neither overflow nor indices; C checks nothing. '
        "CPython has the same arrays as the others, and would be quicker with lists."
    )
    return [running, first], absent


def called(function: Callable[..., Any], kernel: Kernel) -> Callable[[], Any]:
    """A call with arguments that are its own: some are written to."""
    return partial(function, *kernel.args())


def at_first(make: Callable[[], Callable[..., Any]], kernel: Kernel) -> Callable[[], Any]:
    args = kernel.args()
    return lambda: make()(*args)


def names_of(kernel: Kernel) -> dict[str, Any]:
    names: dict[str, Any] = dict(vars(math))
    exec(kernel.text, names)
    return names


def of_python(kernel: Kernel) -> Callable[..., Any]:
    function: Callable[..., Any] = names_of(kernel)[kernel.functions[-1]]
    return function


def of_numba(kernel: Kernel) -> Callable[..., Any]:
    """Compiled for the types of its first call; each function knows the others by their names, as numba's."""
    names = names_of(kernel)
    for name in kernel.functions:
        names[name] = NUMBA.compiled(names[name])
    function: Callable[..., Any] = names[kernel.functions[-1]]
    return function


def of_c(library: ctypes.CDLL, kernel: Kernel, result: type) -> Callable[..., Any]:
    function = library[kernel.functions[-1]]
    function.restype = C_TYPES[result]

    def call(*args: Any) -> Any:
        return function(*converted(args))

    return call


def converted(args: Sequence[Any]) -> list[Any]:
    """As C takes them: an array as a pointer and its length."""
    found: list[Any] = []
    for arg in args:
        if type(arg) in C_TYPES:
            found.append(C_TYPES[type(arg)](arg))
        else:
            found += [ctypes.c_void_p(arg.ctypes.data), ctypes.c_int64(len(arg))]
    return found
