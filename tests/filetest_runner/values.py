"""Values in directives, and when two values are the same.

In: literals as Python writes them, also `nan`, `inf`, and `array([1.0, 2.0], "f8")`. Out: fresh values. Always holds: equality is by
type and by bits, except that one nan equals another: nobody promises its payload.
"""

from __future__ import annotations

import math
import struct
from typing import Any


def read_value(text: str) -> Any:
    """The value of a literal.

    >>> read_value("(1, -0.0, True)")
    (1, -0.0, True)
    """
    return eval(text, _names(text))  # test files are ours


def read_arguments(text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call, made anew each time: a run may write into its arrays.

    >>> read_arguments("(1, b=2.5)")
    ((1,), {'b': 2.5})
    """
    names = _names(text) | {"__arguments__": lambda *args, **kwargs: (args, kwargs)}
    result: tuple[tuple[Any, ...], dict[str, Any]] = eval("__arguments__" + text, names)
    return result


def same(a: Any, b: Any) -> bool:
    """Whether two values are of one type and one bit pattern.

    >>> same(0.0, -0.0), same(1, 1.0), same(1, True), same(float("nan"), -float("nan"))
    (False, False, False, True)
    """
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return struct.pack("<d", a) == struct.pack("<d", b) or (math.isnan(a) and math.isnan(b))
    if type(a).__module__ == "numpy":
        return _same_arrays(a, b)
    return bool(a == b)


def _same_arrays(a: Any, b: Any) -> bool:
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind == "f":
        both_nan = (a != a) & (b != b)
        bits = f"u{a.dtype.itemsize}"
        return bool((both_nan | (a.copy().view(bits) == b.copy().view(bits))).all())
    return bool((a == b).all())


def _names(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"nan": math.nan, "inf": math.inf}
    if "array(" in text or "np." in text:
        import numpy as np

        names |= {"np": np, "array": np.array}
    return names
