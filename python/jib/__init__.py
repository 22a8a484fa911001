"""jib: text in, native function out.

>>> import jib as jit
>>> f = jit.compile("a + b")
>>> f(7, 35)
42
>>> f(1.5, 2)
3.5
"""

from ._native import __version__, get_num_threads, set_num_threads
from .api import STAGES, cache_clear, cache_info, compile
from .decorator import jit
from .errors import BudgetError, CompileError, InternalError, JitError, LimitError, ParseError
from .externs import Extern, extern
from .function import Function
from .integrations import load_ipython_extension as load_ipython_extension
from .integrations import unload_ipython_extension as unload_ipython_extension
from .limits import Limits
from .oneshot import evaluate
from .session import Session

__all__ = [
    "STAGES",
    "BudgetError",
    "CompileError",
    "Extern",
    "Function",
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
    "evaluate",
    "extern",
    "get_num_threads",
    "jit",
    "set_num_threads",
]
