"""Writes docs/builtins.md from the table of builtins: `make docs-tables`. `tests/test_documents.py` says when that is due.

In: the rows of the table, which are Rust's; what Python, `math` and NumPy call the same; what calls with difficult numbers raise. Out: the
page. Always holds: names, signatures and what a builtin is are the table's, exceptions are those that calls have raised here; only the
groups, and what stands behind the table's words, are written by hand, below.
"""

from __future__ import annotations

import builtins as python
import itertools
import math
import re
from pathlib import Path
from typing import Any

import numpy

import jib
from jib import _native
from jib.builtins import LATE, Param, read_signature

PAGE = Path(__file__).with_name("builtins.md")

HEAD = """\
# Builtins

Every function and constant of the language. A name is written by itself, or as `math.sin` where Python's `math` has it; only `math.pow` is
another function than `pow`. [The language](language.md#builtins) says what goes for all of them, and what of `math` is left out; `range`,
`enumerate` and `zip` belong to [loops](language.md#statements).

- **From** is whose function it is: Python's, one of `math`, one of NumPy, or jib's own. Its answers are those of its origin, for one
  number.
- **Parameters** before `/` are given by position, those behind `*` by name.
- **Raises** shows a call for each exception that numbers bring about by Python's rules; with `arithmetic="numpy"`, and for the elements of
  arrays, functions of floats give nan and inf instead. Not shown is what all have in common: types that do not fit are a CompileError,
  which is a TypeError.
"""

GROUPS = {
    "Numbers": "abs min max round int float bool pow divmod",
    "Sequences, arrays and output": "len sum prod any all mean dot argmin argmax count_nonzero print",
    "Sized types": "i8 i16 i32 i64 u8 u16 u32 u64 f32",
    "Roots, powers, logarithms": "sqrt cbrt exp exp2 expm1 log log2 log10 log1p math.pow hypot square reciprocal",
    "Angles": "sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh degrees radians",
    "Rounding and parts": "floor ceil trunc rint modf frexp ldexp fabs copysign fmod remainder fma nextafter ulp sign",
    "Choosing": "where minimum maximum clip",
    "Tests": "isclose isfinite isinf isnan signbit logical_and logical_or logical_xor logical_not",
    "Special functions": "erf erfc gamma lgamma",
    "Integers": "gcd lcm isqrt factorial comb perm",
    "Constants": "pi e tau inf nan",
}  # fmt: skip

#: What stands behind the table's words.
MORE = {
    "min": "Of arguments, a tuple, a generator or [an array](language.md#whole-arrays); `default=` for a generator.",
    "max": "Likewise.",
    "round": "Without `ndigits` an int.",
    "pow": "With `mod`, of ints only; a negative `exp` gives the inverse.",
    "len": "Of a tuple; of an array, that of its first dimension.",
    "sum": "Of a tuple, a generator, or [an array](language.md#whole-arrays), in the order promised there.",
    "prod": "Likewise.",
    "any": "Likewise; it stops when that is known.",
    "all": "Likewise.",
    "dot": "They have one dimension and one length.",
    "print": "`sep` and `end` are literal texts; literal texts can be printed.",
    "i64": "The same type as `int`.",
    "math.pow": "`pow` without `math.` is the operator `**`.",
    "floor": 'A float in `arithmetic="numpy"`.',
    "ceil": "Likewise.",
    "trunc": "Likewise.",
    "remainder": "Not NumPy's `remainder`, which is `%`.",
    "nextafter": "Of doubles, also for an f32.",
    "ulp": "Of the double, also for an f32.",
    "sign": "An int for ints.",
    "reciprocal": "Of an int too, where NumPy would answer an int.",
}

#: Numbers that functions have something against; where several calls raise an exception, the first is shown.
NUMBERS = (
    "0", "-1", "1", "2", "0.0", "-1.0", "1.0", "0.5", "300", "1000", "2**40", "1e300", "1e308", "-1e300", "2**63-1", "-2**63", "inf", "nan",
)  # fmt: skip

#: Calls of what takes other things than one to three numbers, and what to say of them.
CALLS = {
    "min": ("min(x)", "an array without elements"),
    "max": ("max(x)", "an array without elements"),
    "mean": ("mean(x)", "an array without elements"),
    "argmin": ("argmin(x)", "an array without elements"),
    "argmax": ("argmax(x)", "an array without elements"),
    "dot": ("dot(x, y)", "two lengths"),
    "sum": ("sum((a, a))", "a sum of ints outside 64 bits"),
    "prod": ("prod((a, a))", "a product of ints outside 64 bits"),
    "isclose": ("isclose(1.0, a, rel_tol=-a)", "a negative tolerance"),
}
VALUES: dict[str, Any] = {"x": numpy.zeros(0), "y": numpy.zeros(1), "a": 2**63 - 1}


def page() -> str:
    """The text of the page."""
    rows = {name: row for name, *row in _native.builtins()}
    grouped = [name for names in GROUPS.values() for name in names.split()]
    if sorted(grouped) != sorted(rows):
        raise SystemExit(f"GROUPS of docs/tables.py: {sorted(set(grouped) ^ set(rows))} is in none, or is no builtin")
    text = HEAD
    for title, names in GROUPS.items():
        constants = rows[names.split()[0]][1] == "="
        head = (
            ["name", "value", "from", "what it is"]
            if constants
            else ["name", "parameters", "from", "what it is", "raises"]
        )
        text += f"\n## {title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}\n"
        for name in names.split():
            aliases, signature, doc, *value = rows[name]
            spellings = ", ".join([f"`{each}`" for each in (name, *aliases)])
            what = f"{doc} {MORE.get(name, '')}".strip()
            if constants:
                cells = [spellings, f"`{value[0]!r}`", origin(name), what]
            else:
                cells = [spellings, f"`{signature}`", origin(name), what, raises(name, read_signature(signature))]
            text += f"| {' | '.join(cells)} |\n"
    return text


def origin(name: str) -> str:
    """Whose function it is."""
    bare = name.removeprefix("math.")
    if hasattr(python, name):
        return "Python"
    if hasattr(math, bare) or bare in LATE:
        return "`math`"
    return "NumPy" if hasattr(numpy, name) else "jib"


def raises(name: str, params: tuple[Param, ...]) -> str:
    """The exceptions that calls of a builtin raise, each with such a call, which raises it as a text of its own, too."""
    if name == "print":
        return "what `sys.stdout` raises"
    if name in CALLS:
        call, words = CALLS[name]
        kind = raised(call, {letter: value for letter, value in VALUES.items() if re.search(rf"\b{letter}\b", call)})
        return f"{kind}: {words}"
    found: dict[str, str] = {}
    least = sum(param.required for param in params)
    most = 2 if params[-1].kind == "rest" else len(params)
    for count in range(least, most + 1):
        letters = "abc"[:count]
        for numbers in itertools.product(NUMBERS, repeat=count):
            values = {letter: eval(number, {}, vars(math)) for letter, number in zip(letters, numbers)}
            kind = raised(f"{name}({', '.join(letters)})", values)
            shown = f"{name}({', '.join(numbers)})"
            if kind is not None and kind not in found and raised(shown, {}) == kind:
                found[kind] = shown
    return "; ".join([f"{kind}: `{call}`" for kind, call in sorted(found.items())]) or "–"


def raised(call: str, values: dict[str, Any]) -> str | None:
    """The exception of a call at run time, if it raises one; a mistake of types is none."""
    try:
        jib.compile(call, params=list(values), engine="interpreter")(*values.values())
    except jib.CompileError:
        return None
    except (ArithmeticError, ValueError) as error:
        return type(error).__name__
    return None


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
