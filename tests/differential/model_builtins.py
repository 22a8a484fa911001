"""What operators and builtins answer under the stated divergences, and of which type.

In: names and types of arguments. Out: for `divergences`, the function to call instead and the type of its result.
Always holds: where no divergence is met, each does what CPython's own does; where one is, `Trace.diverged` is set.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Iterable
from typing import Any

from .model_types import Unmodelled

LEAST, MOST = -(1 << 63), (1 << 63) - 1
# The functions of one float.
FLOAT1 = (
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "cbrt",
    "erf",
    "erfc",
    "gamma",
    "lgamma",
    "degrees",
    "radians",
    "ulp",
    "sqrt",
    "fabs",
)
FLOATS = (*FLOAT1, "atan2", "hypot", "fmod", "remainder", "copysign", "nextafter", "ldexp")
SPELLINGS = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "arctan2": "atan2", "rad2deg": "degrees", "deg2rad": "radians", "absolute": "abs", "f64": "float",
}  # fmt: skip
BOOLS = (
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "bool",
    "logical_and",
    "logical_or",
    "logical_xor",
    "logical_not",
    "any",
    "all",
)
INTS = ("int", "floor", "ceil", "trunc", "gcd", "lcm", "isqrt", "factorial", "comb", "perm")
KEEP = ("int", "round", "floor", "ceil", "trunc", "math.floor")  # an int is itself to these, and a literal stays one


class Trace:
    """Whether a run met a stated divergence."""

    diverged = False


def call_type(name: str, types: list[Any], join: Any) -> tuple[str, Any]:
    """The function to call instead of a builtin, and the type of its answer."""
    name = SPELLINGS.get(name.removeprefix("math.").removeprefix("np."), name) if name != "math.pow" else name
    name = name.removeprefix("math.") if name != "math.pow" else name
    if name in FLOATS or name in ("float", "reciprocal", "rint", "math.pow"):
        return "_" + name.replace(".", "_"), "f"
    if name in BOOLS:
        return "_" + name, "b"
    if name in INTS:
        return "_" + name, "i"
    if name in ("abs", "square", "sign"):
        return "_" + name, "f" if types[0] == "f" else "i"
    if name == "round":
        return "_round", "f" if types[0] == "f" and len(types) > 1 else "i"
    if name in ("min", "max", "minimum", "maximum", "clip", "where", "sum", "prod"):
        items = [*types[0], *types[1:]] if isinstance(types[0], tuple) else types[name == "where" :]
        ty = "i" if name in ("sum", "prod") else items[0]
        for item in items:
            ty = join(ty, item)
        return "_" + name, ty
    if name == "pow":
        return "_powmod", "i"
    if name == "divmod":
        return "_divmod", ("f", "f") if "f" in types else ("i", "i")
    if name == "len":
        return "_len", "i"
    if name == "frexp":
        return "_frexp", ("f", "i")
    if name == "modf":
        return "_modf", ("f", "f")
    raise Unmodelled(name)


def reduction_type(name: str, element: Any, options: list[Any], join: Any, plain: Any) -> tuple[str, Any]:
    """The same for a reduction over a generator of such elements."""
    if name in ("any", "all"):
        return "_" + name, "b"
    if name in ("min", "max"):
        ty = element
        for option in options:
            ty = join(ty, plain(option))
        return "_" + name, ty
    ty = join("i" if not options else plain(options[0]), element)
    return "_" + name, "i" if ty == "b" else ty


def coercion(ty: Any, trace: Trace) -> Callable[[Any], Any]:
    """The conversion to a type that a value has already or gives way to."""
    if isinstance(ty, tuple):
        items = [coercion(item, trace) for item in ty]
        return lambda value: tuple(item(each) for item, each in zip(items, value, strict=True))
    wanted: Any = {"b": bool, "i": int, "f": float, "n": None}[ty]

    def convert(value: Any) -> Any:
        if type(value) is wanted or wanted is None:
            return value
        assert type(value) is not float, "a float never becomes an int by itself"
        trace.diverged = True
        return wanted(value)

    return convert


def names(trace: Trace) -> dict[str, Any]:
    """Everything that rewritten programs call."""

    def diverge(error: type[Exception], words: str) -> Exception:
        trace.diverged = True
        return error(words)

    def chk(value: Any) -> Any:
        if type(value) is int and not LEAST <= value <= MOST:
            raise diverge(OverflowError, "int result outside 64 bits")
        return value

    def shl(a: int, count: int) -> int:
        if count >= 64 and a != 0:
            raise diverge(OverflowError, "int result outside 64 bits")
        return 0 if a == 0 and count >= 0 else int(chk(a << count))

    def pow_i(a: int, b: int) -> int:
        if b < 0:
            if a == 0:
                return 0**b  # type: ignore[no-any-return]
            raise diverge(ValueError, "int to a negative power")
        if b > 63 and abs(a) > 1:
            raise diverge(OverflowError, "int result outside 64 bits")
        if b > 63:
            return int(a**2 if b % 2 == 0 else a)
        return int(chk(a**b))

    def pow_f(a: float, b: float) -> float:
        if a < 0 and math.isfinite(a) and math.isfinite(b) and b != math.floor(b):
            raise diverge(ValueError, "complex")
        return a**b  # type: ignore[no-any-return]

    def fold(values: Iterable[Any], total: Any, multiply: bool) -> Any:
        for value in values:
            total = chk(total * value if multiply else total + value)
        return total

    def factorial(n: int) -> int:
        if n > 30:
            raise diverge(OverflowError, "int result outside 64 bits")
        return int(chk(math.factorial(n)))

    def comb(n: int, k: int) -> int:
        if n >= k >= 0 and min(k, n - k) > 66:  # at least 2**66
            raise diverge(OverflowError, "int result outside 64 bits")
        return int(chk(math.comb(n, k)))

    def perm(n: int, k: int | None = None) -> int:
        if (n if k is None else k) > 30 and n >= (n if k is None else k):
            raise diverge(OverflowError, "int result outside 64 bits")
        return int(chk(math.perm(n, k)))

    def round_(x: Any, digits: int | None = None) -> Any:
        if digits is not None and digits < -20 and type(x) is not float:
            trace.diverged = True  # no divergence, but CPython would compute the power of ten
            return 0
        return chk(round(x, digits))

    def checked(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: chk(function(*args, **kwargs))

    def sign(x: Any) -> Any:
        return x if x != x else type(x + 0)((x > 0) - (x < 0))

    def minimum(a: Any, b: Any) -> Any:
        return a if a != a or a < b else b

    def maximum(a: Any, b: Any) -> Any:
        return a if a != a or a > b else b

    table: dict[str, Any] = {"_" + name: getattr(math, name) for name in FLOATS if hasattr(math, name)}
    table |= {"_" + name: getattr(math, name) for name in ("isclose", "isfinite", "isinf", "isnan", "frexp", "modf")}
    table |= {"_" + name: checked(getattr(math, name)) for name in ("floor", "ceil", "trunc", "gcd", "lcm", "isqrt")}
    table |= {"_" + name: getattr(builtins, name) for name in ("bool", "float", "min", "max", "any", "all", "len")}
    table |= {
        "_chk": chk, "_shl": shl, "_pow_i": pow_i, "_pow_f": pow_f, "_factorial": factorial, "_comb": comb, "_perm": perm,
        "_int": checked(int), "_abs": checked(abs), "_round": round_, "_powmod": checked(pow), "_math_pow": math.pow,
        "_divmod": lambda a, b: tuple(chk(part) for part in divmod(a, b)), "_square": lambda a: chk(a * a),
        "_sum": lambda values, start=0: fold(values, start, False), "_prod": lambda values, start=1: fold(values, start, True),
        "_where": lambda c, a, b: a if c else b, "_reciprocal": lambda a: 1.0 / a, "_sign": sign,
        "_minimum": minimum, "_maximum": maximum,
        "_rint": lambda x: x if x != x or math.isinf(x) else math.copysign(float(round(x)), x),
        "_clip": lambda x, low, high: minimum(maximum(x, low), high),
        "_logical_and": lambda a, b: bool(a) & bool(b), "_logical_or": lambda a, b: bool(a) | bool(b),
        "_logical_xor": lambda a, b: bool(a) ^ bool(b), "_logical_not": lambda a: not a,
    }  # fmt: skip
    return table
