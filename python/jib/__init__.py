"""jib: text in, native function out.

>>> import jib as jit
>>> f = jit.compile("a + b")
>>> f(7, 35)
42
>>> f(1.5, 2)
3.5
"""

from __future__ import annotations

from ._native import __version__, get_num_threads, set_num_threads
from .api import STAGES, cache_clear, cache_info, compile
from .errors import BudgetError, CompileError, InternalError, JitError, LimitError, ParseError
from .function import Function
from .light import TYPE_CHECKING
from .limits import Limits

if TYPE_CHECKING:
    from typing import Any

    from .config import show_config
    from .decorator import jit
    from .externs import Extern, extern
    from .frontend import compile_ir
    from .inspection import Inspection, inspect_source
    from .integrations import load_ipython_extension as load_ipython_extension
    from .integrations import unload_ipython_extension as unload_ipython_extension
    from .oneshot import evaluate
    from .session import Session

#: Names whose modules are imported when somebody asks for them: importing jib stays light.
_LATER = {
    "Extern": "externs",
    "Inspection": "inspection",
    "Session": "session",
    "compile_ir": "frontend",
    "evaluate": "oneshot",
    "extern": "externs",
    "inspect_source": "inspection",
    "jit": "decorator",
    "load_ipython_extension": "integrations",
    "show_config": "config",
    "unload_ipython_extension": "integrations",
}

__all__ = [
    "STAGES",
    "BudgetError",
    "CompileError",
    "Extern",
    "Function",
    "Inspection",
    "InternalError",
    "JitError",
    "LimitError",
    "Limits",
    "ParseError",
    "Session",
    "__version__",
    "cache_clear",
    "cache_info",
    "compile",
    "compile_ir",
    "evaluate",
    "extern",
    "get_num_threads",
    "inspect_source",
    "jit",
    "set_num_threads",
    "show_config",
]


def __getattr__(name: str) -> Any:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module 'jib' has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f".{module}", __name__), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
