"""A host that lets its users write formulas: alarms of a cold store, over what its sensors measure.

Users see the host's names and functions and nothing else. A formula is inspected before it runs; what the host does not allow is refused
with a caret under it; what cannot be bounded gets fuel and a deadline. docs/embedding.md walks through this file.

Run it: python examples/formulas.py ["formula"]
"""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import sys
import traceback

import jib
from jib.frontend import mistake

#: What the sensors measure: the names that a formula may use, and what they are, for its author.
SENSORS = {
    "temp": "°C",
    "humidity": "% of saturation",
    "door": "whether it is open",
    "minutes": "since the last reading",
}


def excess(value: float, least: float, most: float) -> float:
    """How far a value lies outside of a range: a function of Python's."""
    return max(least - value, value - most, 0.0)


# A function of C's, which ctypes finds.
libm = ctypes.CDLL(ctypes.util.find_library("m") or "ucrtbase")
libm.cbrt.argtypes, libm.cbrt.restype = [ctypes.c_double], ctypes.c_double

#: What formulas may call and name.
EXTERNS = [jib.extern(excess, pure=True), jib.extern(libm.cbrt, name="cbrt", pure=True)]
BUILTINS = {"abs", "min", "max", "sqrt", "exp", "log", "round", "range"}
CONSTANTS = {"pi"}

#: A formula is a line or two; nobody needs more.
SIZE = jib.Limits(characters=2_000, tokens=400, nesting=20, ir_instructions=2_000)

#: Without loops a call takes no more than this: instructions of some nanoseconds, and functions of the host beside them.
CHEAP = 500


def admit(formula: str) -> jib.Function:
    """The function of a formula; ParseError, CompileError or LimitError, with a caret, for one that is not allowed."""
    found = jib.inspect_source(formula, externs=EXTERNS, limits=SIZE)

    def refuse(name: str, words: str) -> jib.ParseError:
        return mistake(formula, found.places[name], words)

    for name in found.params:
        if name not in SENSORS:
            raise refuse(name, f"there is no sensor '{name}'; there are {', '.join(SENSORS)}")
    for name in found.unknown:
        offered = sorted(BUILTINS.union(each.name for each in EXTERNS))
        raise refuse(name, f"there is no function '{name}'; there are {', '.join(offered)}")
    for name in (*found.builtins, *found.constants):
        if name not in BUILTINS | CONSTANTS:
            raise refuse(name, f"'{name}' is not for formulas")
    if found.kind not in ("expression", "suite") or found.recurses or found.loops > 1 or found.arrays:
        raise mistake(formula, (0, len(formula)), "a formula is an expression, or some lines with at most one loop")
    cheap = found.cost is not None and found.cost <= CHEAP
    budget = {} if cheap else {"fuel": 10_000, "timeout": 0.05}
    return jib.compile(formula, externs=EXTERNS, limits=SIZE, engine="auto", **budget)  # type: ignore[arg-type]


FORMULAS = [
    "excess(temp, -1, 4) > 0.5 and not door",
    "minutes * max(temp - 4, 0) / 60",
    "cbrt(humidity / 100) * exp(temp / 10)",
    "t = temp\nfor i in range(minutes):\n    t += (20 - t) * 0.01\nt > 4",
    "wind > 3",
    "dewpoint(temp, humidity) > temp",
    "factorial(minutes)",
    "temp > 4 andd door",
    "while True: pass",
    "lambda temp: temp",
]


def show(error: Exception) -> None:
    """What the author of a formula sees."""
    lines = traceback.format_exception_only(type(error), error)
    if sys.version_info < (3, 11):  # notes are younger
        lines += [f"{note}\n" for note in getattr(error, "__notes__", [])]
    print("".join(lines), end="")


def main(*formulas: str) -> None:
    reading = {"temp": 5.0, "humidity": 80.0, "door": False, "minutes": 15}
    for formula in formulas or FORMULAS:
        print(f"\n{formula}")
        try:
            alarm = admit(formula)
            found = jib.inspect_source(formula, externs=EXTERNS)
            bound = f"at most {found.cost} instructions" if found.bounded else "no bound, so with fuel"
            print(
                f"  reads {', '.join(found.params)}; calls {', '.join(found.builtins + found.externs) or '-'}; {bound}"
            )
            print(f"  now: {alarm(*[reading[name] for name in found.params])}")
        except (jib.JitError, ArithmeticError, ValueError) as error:
            show(error)

    print("\nall readings of a day at once")
    try:
        import numpy as np
    except ImportError:
        print("NumPy is not installed")
        return
    hours = np.arange(24)
    day = {"temp": 2 + 3 * np.sin(hours / 24 * math.tau), "door": hours == 9}
    warm = admit("excess(temp, -1, 4) > 0.5 and not door")
    print("  warm at:", np.flatnonzero(warm(**{name: day[name] for name in warm.params})))


if __name__ == "__main__":
    main(*sys.argv[1:])
