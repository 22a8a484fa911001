"""Host functions for tests.

In: Python functions, and texts that call them. Out: C functions of ctypes, and the text on every engine.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any

import jib

ENGINES = ("native", "interpreter", "auto")
EVERYWHERE: list[dict[str, str]] = [
    {"engine": "native"},
    {"engine": "native", "opt_level": "none"},
    {"engine": "interpreter"},
    {"engine": "auto"},
]
#: Where `cbrt` and the like are.
LIBM = "libm.so.6" if sys.platform == "linux" else None


def c_function(python: Callable[..., Any], result: Any, *params: Any) -> Any:
    """A function pointer of C by which C calls back."""
    return ctypes.CFUNCTYPE(result, *params)(python)


def everywhere(text: str, *externs: jib.Extern, **options: Any) -> list[Callable[..., Any]]:
    """The function of the text on each engine."""
    return [jib.compile(text, externs=externs, **{**each, **options}) for each in EVERYWHERE]
