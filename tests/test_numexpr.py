"""numexpr's operators and functions in `jib.evaluate`: NumPy's values and types for all of them, and numexpr's where it is installed.

Where numexpr means something else than NumPy, docs/api.md says so; `DIFFERS` is that list.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import jib

RNG = np.random.default_rng(7)
DTYPES = ("f4", "f8", "i4", "i8", "?")


def values(dtype: str, n: int = 60) -> np.ndarray:
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return RNG.random(n) < 0.5
    if kind.kind == "i":
        return RNG.integers(-20, 20, n).astype(kind)
    found = (RNG.random(n) * 6 - 3).astype(kind)
    found[:8] = [0.0, -0.0, 1.0, np.nan, np.inf, -np.inf, 0.5, -2.5]
    return found


ARRAYS = {dtype: (values(dtype), values(dtype)) for dtype in DTYPES}

FUNCTIONS = [
    "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "log", "log10", "log1p",
    "log2", "exp", "expm1", "sqrt", "abs", "floor", "ceil", "round", "trunc", "sign", "isnan", "isfinite", "isinf", "signbit",
]  # fmt: skip
OTHERS = ["arctan2", "fmod", "hypot", "copysign", "maximum", "minimum", "where"]
ONE = [
    *[f"{name}(a)" for name in FUNCTIONS],
    "-a", "~a", "~(a > 0)", "2*a + 3", "a + 2.5", "a / 2", "1 / a", "a**2", "a**3", "a**0.5", "2.0**a", "a % 3", "a // 3", "a << 2",
    "a >> 1", "a & 3", "a | 1", "a ^ 3", "a < 1", "a <= 1", "a == 1", "a != 1", "a > 1", "a >= 1", "where(a > 0, a, 0)",
    "where(a > 0, a, 2.5)", "where(a > 0, 1, 2)",
]  # fmt: skip
TWO = [
    "a + b", "a - b", "a * b", "a / b", "a // b", "a % b", "a ** b", "a << b", "a >> b", "a & b", "a | b", "a ^ b", "a < b", "a <= b",
    "a == b", "a != b", "a > b", "a >= b", "arctan2(a, b)", "fmod(a, b)", "hypot(a, b)", "copysign(a, b)", "maximum(a, b)",
    "minimum(a, b)", "where(a > b, a, b)", "(a > 1) & (b < 2)", "(a > 1) | (b < 2)", "(a > 1) ^ (b < 2)", "(a > 1) * (b < 2)",
    "where(~(a > b), a, b)", "(a * b - 4.1 * a > 2.5 * b)",
]  # fmt: skip

NUMPYS = {name: getattr(np, name) for name in [*FUNCTIONS, *OTHERS]}


def asked(call: Any) -> Any:
    """An array, or the exception."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return np.asarray(call())
        except (TypeError, ValueError, OverflowError, NotImplementedError, SystemError) as problem:
            return problem


def close(got: np.ndarray, expected: np.ndarray) -> bool:
    if got.dtype.kind != "f":
        return np.array_equal(got, expected)
    tolerance = 1e-6 if "f4" in (got.dtype.str[1:], expected.dtype.str[1:]) else 1e-14
    return np.allclose(got, expected, rtol=tolerance, atol=tolerance, equal_nan=True)


CASES = [
    *[(text, {"a": ARRAYS[dtype][0]}) for text in ONE for dtype in DTYPES],
    *[(text, {"a": ARRAYS[one][0], "b": ARRAYS[two][1]}) for text in TWO for one in DTYPES for two in DTYPES],
]
IDS = [f"{text}-{','.join(array.dtype.str[1:] for array in names.values())}" for text, names in CASES]


@pytest.mark.parametrize(("text", "names"), CASES, ids=IDS)
def test_values_and_types_are_numpys(text: str, names: dict[str, np.ndarray]) -> None:
    expected, got = asked(lambda: eval(text, dict(NUMPYS), dict(names))), asked(lambda: jib.evaluate(text, names))
    if isinstance(expected, Exception):
        assert isinstance(got, TypeError if isinstance(expected, TypeError) else type(expected)), got
        return
    assert isinstance(got, np.ndarray), got
    # NumPy's half precision is a float here; a bool to the power of an int is one of 8 bits there.
    assert got.dtype == expected.dtype or expected.dtype == np.float16 or text in ("a**2", "a**3"), (
        got.dtype,
        expected.dtype,
    )
    if expected.dtype == np.float16:
        assert np.allclose(got, expected, rtol=1e-2, atol=1e-2, equal_nan=True)
    else:
        assert close(got, expected)


#: What numexpr answers otherwise: texts, and for which types of arrays (all, if none are said).
DIFFERS = {
    "a // 3": "f", "a // b": "", "a % b": "f", "fmod(a, b)": "i?", "a ** b": "i?", "~a": "", "sign(a)": "?",
}  # fmt: skip


@pytest.mark.parametrize(("text", "names"), CASES, ids=IDS)
def test_values_are_numexprs(text: str, names: dict[str, np.ndarray]) -> None:
    numexpr = pytest.importorskip("numexpr")
    if text in DIFFERS and (
        not DIFFERS[text] or {array.dtype.char for array in names.values()} & set(DIFFERS[text] + "dlq")
    ):
        return
    expected, got = asked(lambda: numexpr.evaluate(text, names, {})), asked(lambda: jib.evaluate(text, names))
    if isinstance(expected, Exception):
        return
    assert isinstance(got, np.ndarray), got
    assert np.allclose(got.astype("f8"), expected.astype("f8"), rtol=1e-5, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("text", ["sum(a * b)", "prod(a)", "min(a + b)", "max(a)", "sum(a > b)"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8"])
def test_reductions(text: str, dtype: str) -> None:
    a, b = (RNG.integers(1, 4, (5, 6)).astype(dtype) for _ in range(2))
    inner = text[text.index("(") + 1 : -1]
    function = getattr(np, text[: text.index("(")])
    got = jib.evaluate(text)
    assert type(got) is (float if dtype[0] == "f" and ">" not in text else int)
    assert got == pytest.approx(function(eval(inner)).item())
    for axis in (0, 1, -1, (0, 1), None):
        words = f"{text[:-1]}, axis={axis})"
        expected = function(eval(inner), axis=axis)
        got = jib.evaluate(words)
        assert np.shape(got) == np.shape(expected) and np.allclose(got, expected)
        if axis is not None:
            assert got.dtype == expected.dtype
    if text[:4] in ("sum(", "prod"):
        assert np.array_equal(jib.evaluate(f"{text[:-1]}, 1)"), function(eval(inner), axis=1))


def test_texts_of_numexprs_guide() -> None:
    a, b = np.arange(1e3), np.arange(1e3) / 3 + 1
    assert np.array_equal(jib.evaluate("a + 1"), a + 1)
    assert np.array_equal(jib.evaluate("a*b-4.1*a > 2.5*b"), a * b - 4.1 * a > 2.5 * b)
    assert np.allclose(jib.evaluate("sin(a) + arcsinh(a/b)"), np.sin(a) + np.arcsinh(a / b))
    assert np.allclose(jib.evaluate("sum(2*a + 3*b)"), np.sum(2 * a + 3 * b))
    assert np.array_equal(jib.evaluate("a + b", local_dict={"a": a, "b": 1}), a + 1)
    assert np.array_equal(jib.evaluate("a + c", global_dict={"c": b}), a + b)
    assert jib.evaluate("x + c", local_dict={"x": 1}, global_dict={"x": 5, "c": 2}) == 3
    assert jib.evaluate("local_dict + 1", local_dict=3) == 4  # a name like others, where the text has it
