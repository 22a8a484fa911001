"""What CPython makes of a text: the answer that jib must give.

In: a text of the language. Out: the Python function it stands for, or None where this version of CPython lacks a name of it. Always
holds: the names mean what DESIGN says they mean: builtins first, then `math`, then NumPy's spellings of those. One stated divergence
lives here instead of in every file: `sum` adds left to right, as CPython itself did before 3.12. And where the versions of CPython do not
answer alike, jib answers as the newest does, and `MATH` says so for the older ones.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

NEWER = frozenset({"cbrt", "exp2", "fma", "sumprod"})  # functions of `math` that the oldest supported CPython lacks
NUMPY_SPELLINGS = {
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "arctan2": math.atan2,
    "arcsinh": math.asinh,
    "arccosh": math.acosh,
    "arctanh": math.atanh,
    "absolute": abs,
    "deg2rad": math.radians,
    "rad2deg": math.degrees,
    "where": lambda condition, a, b: a if condition else b,
    "square": lambda a: a * a,
}
IMPORT_ANNOTATIONS = __future__.annotations.compiler_flag  # annotations such as `f64[:]` are for jib alone


def _pow(x: float, y: float, /) -> float:
    """As since CPython 3.11, which answers what was a ValueError before."""
    return math.inf if x == 0 and y == -math.inf else math.pow(x, y)


#: The module `math` as the newest CPython has it, but for `NEWER`.
MATH: Any = math if sys.version_info >= (3, 11) else SimpleNamespace(**{**vars(math), "pow": _pow})


#: What CPython says since 3.12, and what it said before, which is what jib says.
OLDER_WORDS = {f"{name}() iterable argument is empty": f"{name}() arg is an empty sequence" for name in ("min", "max")}


def _sum(values: Iterable[Any], /, start: Any = 0) -> Any:
    for value in values:
        start = start + value
    return start


def as_function(text: str, params: Sequence[str]) -> Callable[..., Any] | None:
    """The function of a text; `params` are those of an expression or a suite, which does not name them itself.

    >>> as_function("a + b", ["a", "b"])(7, 35)
    42
    >>> as_function("def f(x): return x * 2\\ndef g(x): return f(x) + 1", [])(3)
    7
    >>> as_function("t = 0\\nfor i in range(n):\\n    t += i\\nt", ["n"])(4)
    6
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:  # an expression may spread over lines, or be indented
        tree = ast.parse(f"(\n{text}\n)")
    wanted = {node.id if isinstance(node, ast.Name) else getattr(node, "attr", "") for node in ast.walk(tree)}
    if wanted & NEWER - set(vars(math)):
        return None
    names = _names()
    body = tree.body
    if len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Lambda):
        body[0] = ast.copy_location(ast.Assign([ast.Name("__entry__", ast.Store())], body[0].value), body[0])
        entry = "__entry__"
    elif body and isinstance(body[-1], ast.FunctionDef):
        entry = body[-1].name
    else:
        if body and isinstance(body[-1], ast.Expr):
            body[-1] = ast.copy_location(ast.Return(body[-1].value), body[-1])
        function = ast.parse(f"def __entry__({', '.join(params)}): pass").body[0]
        assert isinstance(function, ast.FunctionDef)
        function.body = body or function.body
        tree.body = [function]
        entry = "__entry__"
    code = compile(ast.fix_missing_locations(tree), "<cpython>", "exec", IMPORT_ANNOTATIONS, dont_inherit=True)
    exec(code, names)
    result: Callable[..., Any] = names[entry]
    return result


def _names() -> dict[str, Any]:
    public = {name: value for name, value in vars(MATH).items() if not name.startswith("_")}
    own = {name: value for name, value in public.items() if not hasattr(builtins, name)}
    return {"__name__": "text", "math": MATH, **NUMPY_SPELLINGS, **own, "sum": _sum}
