"""What the rewritten programs of the oracle call.

In: values. Out: what CPython answers, under the stated divergences. Always holds: where no divergence is met, each does what CPython's
own does; where one is, `TRACE.diverged` is set. `NAMES` is the namespace, one for all programs.
"""

from __future__ import annotations

import builtins
import math
import struct
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from filetest_runner import cpython

from .model_types import LEAST, MOST, Unmodelled, plain


class Trace:
    """Whether a run met a stated divergence."""

    diverged = False


TRACE = Trace()
LOW, HIGH = LEAST["i"], MOST["i"]


def diverge(error: type[Exception], words: str) -> Exception:
    TRACE.diverged = True
    return error(words)


def chk(value: Any) -> Any:
    if type(value) is int and not LOW <= value <= HIGH:
        raise diverge(OverflowError, "int result outside 64 bits")
    return value


def checker(ty: str) -> Callable[[Any], Any]:
    """What a result of a sized type goes through."""
    low, high = LEAST[ty], MOST[ty]

    def check(value: Any) -> Any:
        if not low <= value <= high:
            raise diverge(OverflowError, "value outside the range of the integer type")
        return int(value)

    return check


def shifter(ty: str) -> Callable[[int, int], int]:
    check = checker(ty)

    def shift(a: int, count: int) -> int:
        if count < 0 or a == 0:
            return 0 << count
        return int(check(a << min(count, 64)))

    return shift


def power(ty: str) -> Callable[[int, int], int]:
    check = checker(ty)

    def pow_int(a: int, b: int) -> int:
        if b < 0:
            if a == 0:
                return 0**b  # type: ignore[no-any-return]
            raise diverge(ValueError, "int to a negative power")
        if b > 63 and abs(a) > 1:
            raise diverge(OverflowError, "int result outside 64 bits")
        return int(check(a ** (2 - b % 2 if b > 63 else b)))

    return pow_int


def pow_f(a: float, b: float) -> float:
    if a < 0 and math.isfinite(a) and math.isfinite(b) and b != math.floor(b):
        raise diverge(ValueError, "complex")
    return a**b  # type: ignore[no-any-return]


def to_f32(x: Any) -> float:
    """The nearest single, rounded once, also from an int that no double holds."""
    if type(x) is int and abs(x) >> 53:
        shift = abs(x).bit_length() - 32
        kept = abs(x) >> shift
        x = math.copysign(float((kept | (kept << shift != abs(x))) << shift), x)
    try:
        return float(struct.unpack("f", struct.pack("f", x))[0])
    except OverflowError:
        return math.copysign(math.inf, x)


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


def round_(number: Any, ndigits: int | None = None) -> Any:
    if ndigits is not None and ndigits < -20 and type(number) is not float:
        TRACE.diverged = True  # no divergence, but CPython would compute the power of ten
        return 0
    return chk(round(number, ndigits))


def fma(x: float, y: float, z: float) -> float:
    """As `math.fma` of CPython 3.13, which makes floats of ints first."""
    x, y, z = float(x), float(y), float(z)
    if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(z)):
        if math.isfinite(x) and math.isfinite(y):
            return z
        result = x * y + z
        if result != result and x == x and y == y and z == z:
            raise ValueError("invalid operation in fma")
        return result
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    if exact == 0:
        return math.copysign(0.0, math.copysign(1.0, x) * math.copysign(1.0, y)) + z if z == 0 else 0.0
    try:
        return exact.numerator / exact.denominator
    except OverflowError:
        raise OverflowError("overflow in fma") from None


def sign(x: Any) -> Any:
    return x if x != x else type(x + 0)((x > 0) - (x < 0))


def minimum(a: Any, b: Any) -> Any:
    return a if a != a or a < b else b


def maximum(a: Any, b: Any) -> Any:
    return a if a != a or a > b else b


def equal(a: Any, b: Any) -> bool:
    """Of tuples; Python looks at the identity of elements first."""
    result = len(a) == len(b) and all(equal(x, y) if type(x) is tuple else x == y for x, y in zip(a, b))
    if result != (a == b):
        TRACE.diverged = True
    return result


def unknown() -> None:
    """Where the types of a statement were never known: it cannot be reached."""
    raise Unmodelled("a statement without types")


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: chk(function(*args, **kwargs))


def as_class(wanted: Any) -> Callable[[Any], Any]:
    """Where bool gives way to int and int to float."""

    def convert(value: Any) -> Any:
        if type(value) is wanted:
            return value
        assert type(value) is not float, "a float never becomes an int by itself"
        TRACE.diverged = True
        return wanted(value)

    return convert


def coercion(ty: Any) -> str:
    """The name of the conversion to a type that a value has already or gives way to."""
    if not isinstance(ty, tuple):
        return f"_co_{ty}"
    name = "_co_" + repr(plain(ty)).translate({ord(c): "_" for c in "(), '"})
    if name not in NAMES:
        items = [NAMES[coercion(item)] for item in ty]
        NAMES[name] = lambda value: tuple([item(each) for item, each in zip(items, value, strict=True)])
    return name


MATH = (
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "exp", "exp2",
    "expm1", "log", "log2", "log10", "log1p", "cbrt", "erf", "erfc", "gamma", "lgamma", "degrees", "radians", "ulp",
    "sqrt", "fabs", "atan2", "hypot", "fmod", "remainder", "copysign", "nextafter", "ldexp", "isclose", "isfinite",
    "isinf", "isnan", "frexp", "modf",
)  # fmt: skip


def pair(ty: str) -> Callable[[Any], Any]:
    """The two answers of divmod."""
    check = checker(ty) if ty != "i" else chk
    return lambda both: (check(both[0]), check(both[1]))


NAMES: dict[str, Any] = {
    **{"_" + name: getattr(math, name) for name in MATH if hasattr(math, name)},
    **{"_c_" + name: getattr(math, name) for name in ("pi", "e", "tau", "inf", "nan")},
    **{"_" + name: checked(getattr(math, name)) for name in ("floor", "ceil", "trunc", "gcd", "lcm", "isqrt")},
    **{"_" + name: getattr(builtins, name) for name in ("bool", "float", "min", "max", "any", "all", "len")},
    **{"_chk_" + ty: checker(ty) for ty in LEAST},
    **{"_shl_" + ty: shifter(ty) for ty in LEAST},
    **{"_pow_" + ty: power(ty) for ty in LEAST},
    **{"_co_" + ty: as_class(int) for ty in LEAST},
    **{"_pair_" + ty: pair(ty) for ty in LEAST},
    "_pair_f": lambda both: both,
    "_pair_f32": lambda both: (to_f32(both[0]), to_f32(both[1])),
    "_co_b": as_class(bool), "_co_f": as_class(float), "_co_n": lambda value: value, "_co_f32": to_f32,
    "_chk_i": chk, "_pow_f": pow_f, "_f32": to_f32, "_factorial": factorial, "_comb": comb, "_perm": perm, "_fma": fma,
    "_int": checked(int), "_abs": abs, "_round": round_, "_powmod": checked(pow), "_math_pow": cpython.MATH.pow,
    "_unknown": unknown, "_divmod": divmod, "_equal": equal,
    "_sum": lambda values, start=0: fold(values, start, False), "_prod": lambda values, start=1: fold(values, start, True),
    "_where": lambda condition, x, y: x if condition else y, "_reciprocal": lambda a: 1.0 / a, "_sign": sign,
    "_minimum": minimum, "_maximum": maximum, "_square": lambda a: a * a,
    "_signbit": lambda x: math.copysign(1.0, x) < 0,
    "_rint": lambda x: x if x != x or math.isinf(x) else math.copysign(float(round(x)), x),
    "_clip": lambda x, low, high: minimum(maximum(x, low), high),
    "_logical_and": lambda a, b: bool(a) & bool(b), "_logical_or": lambda a, b: bool(a) | bool(b),
    "_logical_xor": lambda a, b: bool(a) ^ bool(b), "_logical_not": lambda a: not a,
}  # fmt: skip
