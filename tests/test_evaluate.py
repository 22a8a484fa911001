"""`jib.evaluate`: one shot, names from where numexpr's users expect them."""

from __future__ import annotations

import math
import weakref
from typing import Any

import numpy as np
import pytest

import jib

z = 100


def test_names_come_from_keywords_variables_and_the_caller() -> None:
    x, y = 3, 4
    assert jib.evaluate("x * y") == 12
    assert jib.evaluate("x + z") == 103  # a global
    assert jib.evaluate("x * y", y=10) == 30  # keywords first
    assert jib.evaluate("x * y", {"x": 1, "y": 2}) == 2
    assert jib.evaluate("x * y", {"x": 1, "y": 2}, x=7) == 14
    assert (x, y) == (3, 4)


def test_untrusted_text_sees_only_what_it_is_given() -> None:
    secret = 42
    with pytest.raises(NameError, match="name 'secret' is not defined"):
        jib.evaluate("secret + 1", {})
    assert jib.evaluate("secret + 1") == secret + 1


def test_a_name_that_is_nowhere() -> None:
    with pytest.raises(NameError, match="name 'nowhere' is not defined"):
        jib.evaluate("nowhere + 1")
    with pytest.raises(TypeError, match="'b' is not a name in the text"):
        jib.evaluate("a + 1", a=1, b=2)


def test_types_may_change_from_one_time_to_the_next() -> None:
    values = [jib.evaluate("a / 2 if a else a", a=a) for a in (3, 3.0, 0, True, 0.0)]
    assert [(type(v), v) for v in values] == [(float, 1.5), (float, 1.5), (float, 0.0), (float, 0.5), (float, 0.0)]


def test_errors_are_those_of_the_text_and_of_the_call() -> None:
    with pytest.raises(jib.ParseError):
        jib.evaluate("1 +")
    with pytest.raises(ZeroDivisionError):
        jib.evaluate("1 / a", a=0)
    with pytest.raises(TypeError, match="text of a program"):
        jib.evaluate(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="out must be a NumPy array"):
        jib.evaluate("1", out=[0])  # type: ignore[arg-type]


def test_often_enough_is_hot() -> None:
    for i in range(5000):
        assert jib.evaluate("i * i - 1", i=i) == i * i - 1


def test_a_text_with_parameters_of_its_own() -> None:
    assert jib.evaluate("def f(a, b=2): return a + b", {}, a=1) == 3
    assert jib.evaluate("def f(a, *, b): return a - b", {"b": 2}, a=1) == -1
    assert jib.evaluate("lambda a, b=5: a * b", {"a": 3}) == 15
    with pytest.raises(NameError, match="name 'a' is not defined"):
        jib.evaluate("def f(a, /, b=2): return a + b", {})


def test_constants_give_way_to_variables_that_are_given() -> None:
    assert jib.evaluate("2 * e", {"e": 10}) == 20
    assert jib.evaluate("2 * e", e=10) == 20
    assert jib.evaluate("inf + x", {"inf": 1, "x": 2}) == 3
    assert jib.evaluate("2 * e", {}) == 2 * 2.718281828459045
    assert jib.evaluate("def f(x): return x * pi", {"x": 1, "pi": 3}) == 3.141592653589793  # names of its own


def test_a_mapping_is_not_asked_whether_it_is_true() -> None:
    class Frame(dict[str, float]):
        def __bool__(self) -> bool:
            raise ValueError("ambiguous")

    for text in ("tie * 2", "ta * 2"):  # with and without the letter of a constant
        assert jib.evaluate(text, Frame({text[:-4]: 1.5})) == 3.0
    assert jib.evaluate("e + pi", Frame({"e": 1.0})) == 1.0 + math.pi


def test_variables_are_a_mapping() -> None:
    with pytest.raises(TypeError, match="variables must be a mapping, not str"):
        jib.evaluate("x", "x")  # type: ignore[arg-type]


# -------------------------------------------------------------------------------------------------------------- arrays


def test_numbers_are_pythons_and_arrays_are_numpys() -> None:
    assert jib.evaluate("a * b + 1", a=3, b=5) == 16
    with pytest.raises(OverflowError):
        jib.evaluate("a + 1", a=2**63 - 1)
    assert jib.evaluate("a + 1", a=np.array([2**63 - 1]))[0] == -(2**63)
    assert jib.evaluate("a + 1", a=np.array([2**31 - 1], "i4"))[0] == -(2**31)
    assert jib.evaluate("a + b", a=[1, 2], b=3).tolist() == [4, 5]
    zero = jib.evaluate("a * 2", a=np.array(1.5))
    assert type(zero) is np.float64 and zero == 3.0
    assert jib.evaluate("sum(a) / len(a)", a=(1, 2, 6)) == 3.0  # a tuple is Python's
    with np.errstate(all="ignore"):
        assert np.isnan(jib.evaluate("sum(a) / len(a)", a=np.zeros(0)))
    with pytest.raises(ZeroDivisionError):
        jib.compile("sum(a) / len(a)")(np.zeros(0))


def test_types_and_layouts() -> None:
    given = {"single": np.ones(3, "f4"), "double": np.ones(3), "ints": np.arange(3, dtype="i4")}
    for text, dtype in (
        ("single * 2.5", "f4"), ("single * double", "f8"), ("single * ints", "f8"), ("ints * 2", "i4"), ("ints / 2", "f8"),
        ("ints > 1", "?"),
        ("where(ints > 1, single, 0)", "f4"), ("ints + 2.5", "f8"),
    ):  # fmt: skip
        assert jib.evaluate(text, given).dtype == np.dtype(dtype), text
    assert jib.evaluate("half * 2", half=np.ones(3, "f2")).dtype == np.float32
    assert jib.evaluate("sum(half)", half=np.ones(3, "f2")) == 3.0
    for swapped in (np.arange(3, dtype=">f8"), np.arange(3, dtype=">i2")):
        assert jib.evaluate("sum(a) + a[1]", a=swapped) == 4
        assert jib.evaluate("a + 1", a=swapped).tolist() == [1, 2, 3]
        assert jib.evaluate("sum(a)", a=swapped) == 3
    assert jib.evaluate("sum(a)", a=np.array(3.0)) == 3.0
    assert jib.evaluate("sum(a)", a=np.ones((2,) * 6)) == 64.0
    assert jib.evaluate("sum(a)", a=[1, 2, 3]) == 6
    assert jib.evaluate("sum(a * k)", a=np.full(3, 0.1, "f4"), k=0.1) == pytest.approx(
        np.sum(np.full(3, 0.1, "f4") * 0.1).item()
    )
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    assert jib.evaluate("sum(a)", a=masked) == 2.0 and jib.evaluate("a + 1", a=masked).mask.tolist() == [True, False]
    for wrong in (np.ones(3, "c16"), np.ones(3, "g"), np.array(["a"]), np.array([None])):
        with pytest.raises(TypeError, match="argument 'a'"):
            jib.evaluate("a + 1", a=wrong)


def test_programs_for_each_element() -> None:
    n = np.arange(1, 30)

    def steps(n: int) -> int:
        found = 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            found += 1
        return found

    text = "m = n\nfound = 0\nwhile m != 1:\n    m = m // 2 if m % 2 == 0 else 3*m + 1\n    found += 1\nfound"
    assert jib.evaluate(text).tolist() == [steps(int(each)) for each in n]
    assert jib.evaluate("def f(n, low=5): return n if n > low else low", n=n).tolist() == np.maximum(n, 5).tolist()
    assert (
        jib.evaluate("def f(n, *, low): return n if n > low else low", n=n, low=5).tolist() == np.maximum(n, 5).tolist()
    )


def test_division_by_zero_warns_as_errstate_says() -> None:
    i, f = np.arange(3), np.arange(3.0)
    for text in ("i // 0", "i % z", "f / z", "i // z", "1 / i", "log(f)"):
        with np.errstate(invalid="ignore"), pytest.warns(RuntimeWarning, match="divide by zero"):
            jib.evaluate(text, {"i": i, "f": f, "z": np.zeros(3, int)})
        with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
            jib.evaluate(text, {"i": i, "f": f, "z": np.zeros(3, int)})
    with np.errstate(all="ignore"):
        assert jib.evaluate("i // z", {"i": i, "z": np.zeros(3, int)}).tolist() == [0, 0, 0]


def test_out_casting_and_order() -> None:
    a, m = np.arange(3.0), np.arange(6.0).reshape(2, 3)
    out = np.zeros(3)
    for text in ("a + 1", "sum(m, axis=0)", "x = a; x + 1"):
        assert jib.evaluate(text, out=out, **({"a": a} if "a +" in text or "= a" in text else {"m": m})) is out
    assert out.tolist() == [1, 2, 3]
    assert jib.evaluate("sum(m)", out=np.zeros(())) == 15
    assert jib.evaluate("1 + 2", out=np.zeros((), int)) == 3
    assert jib.evaluate("k + 1", k=2, out=out).tolist() == [3, 3, 3]
    assert jib.evaluate("half * 2", half=np.ones(3, "f2"), out=np.zeros(3, "f4")).tolist() == [2, 2, 2]
    for text, good in (("a + 1", np.zeros(3, "f4")), ("sum(m, axis=0)", np.zeros(3, "f4"))):
        for casting, raises in (("no", 1), ("equiv", 1), ("safe", 1), ("same_kind", 0), ("unsafe", 0)):
            if raises:
                with pytest.raises(TypeError):
                    jib.evaluate(text, {"a": a, "m": m}, out=good, casting=casting)
            else:
                assert jib.evaluate(text, {"a": a, "m": m}, out=good, casting=casting) is good
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    for text in ("a + 1", "sum(m, axis=0)"):
        for wrong, error in (
            (np.zeros(4), ValueError),
            (frozen, ValueError),
            ([0, 0, 0], TypeError),
            (np.zeros(3, "i4"), TypeError),
        ):
            with pytest.raises(error):
                jib.evaluate(text, {"a": a, "m": m}, out=wrong)
    with pytest.raises(ValueError, match="casting must be one of"):
        jib.evaluate("a + 1", casting="sure")
    with pytest.raises(ValueError, match="order must be one of"):
        jib.evaluate("a + 1", order="Z")
    for given, order, flag in (
        (m, "C", "C"),
        (m, "F", "F"),
        (m, "K", "C"),
        (m, "A", "C"),
        (m.T, "C", "C"),
        (m.T, "K", "F"),
        (m.T, "A", "F"),
    ):
        assert jib.evaluate("m * 2", m=given, order=order).flags[flag + "_CONTIGUOUS"]
    assert jib.evaluate("m * 2", m=2, order="F") == 4


@pytest.mark.parametrize("n", [10, 1000, 100_000])
def test_out_may_overlap_operands(n: int) -> None:
    base = np.arange(float(n))
    for read, written in (
        (np.s_[:-1], np.s_[1:]),
        (np.s_[1:], np.s_[:-1]),
        (np.s_[::-1], np.s_[:]),
        (np.s_[:], np.s_[:]),
    ):
        x = base.copy()
        expected = base[read] * 2 + 1
        assert jib.evaluate("a * 2 + 1", a=x[read], out=x[written]).tolist() == expected.tolist()


def test_what_may_be_an_axis_or_a_number() -> None:
    m = np.arange(6.0).reshape(2, 3)
    for text in ("min(m, 1)", "max(m, 1)"):
        with pytest.raises(jib.CompileError, match="axis or a number") as info:
            jib.evaluate(text)
        assert (info.value.lineno, info.value.offset, info.value.end_offset) == (1, 8, 9)
    assert jib.evaluate("max(m, 1)", m=0) == 1  # of numbers it is Python's
    assert jib.evaluate("max(m, 1) + 0").tolist() == np.maximum(m, 1).tolist()  # no reduction in numexpr
    assert jib.evaluate("sum(t, 5)", t=(1, 2)) == 8
    for text in ("sum(m, axis=k)", "sum(m, axis=1.0)", "sum(m, axis=True)"):
        with pytest.raises(jib.CompileError):
            jib.evaluate(text)
    with pytest.raises(jib.CompileError, match="unexpected keyword argument 'axis'"):
        jib.evaluate("sum(m, axis=0) + 1")
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        jib.evaluate("sum(m, axis=2)")
    assert jib.evaluate("sum(m[0], axis=0)") == 3.0
    assert jib.evaluate("mean(m, 1)").tolist() == [1.0, 4.0]


def test_names_of_builtins_are_variables_where_they_are_not_called() -> None:
    x = np.arange(3.0)
    assert jib.evaluate("gamma * x + erf", {"gamma": 2, "x": x, "erf": 1}).tolist() == [1, 3, 5]
    assert jib.evaluate("sum(gamma * x * e, axis=0)", {"gamma": 2, "x": x, "e": 1}) == 6.0
    assert jib.evaluate("sin(x) * gamma", x=0.0, gamma=2) == 0.0
    with pytest.raises(NameError, match=r"name 'sin' is not defined; 'sin\(\)' is a function"):
        jib.evaluate("sin * x", x=1)
    for text in ("lambda a: a * gamma", "gamma(x) + gamma", "math.sin * x"):
        with pytest.raises(jib.CompileError):
            jib.evaluate(text, {"x": 1, "a": 1, "gamma": 2})


def test_texts_reach_nothing_else() -> None:
    secret = 42  # noqa: F841
    x = np.arange(3.0)
    for text in ("secret + 1", "x + secret", "sum(secret, axis=0)", "__import__", "np", "z"):
        for given in ({}, {"x": x}):
            with pytest.raises((NameError, jib.JitError)):
                jib.evaluate(text, given)
            with pytest.raises((NameError, jib.JitError)):
                jib.evaluate(text, local_dict=given)
    for text in (
        "x.__class__",
        "x.dtype",
        "x.tobytes()",
        "x.base",
        "().__class__",
        "'{x}'.format",
        "x.data",
        "open('/')",
        "eval('x')",
    ):
        with pytest.raises(jib.JitError):
            jib.evaluate(text, {"x": x})


def test_a_caller_keeps_no_more_than_before() -> None:
    """Before Python 3.13, a frame that was asked for its variables keeps them."""

    def plain() -> Any:
        x = np.ones(10)
        jib.evaluate("x + 1")
        seen = weakref.ref(x)
        del x
        return seen()

    def mixed() -> Any:
        x = np.ones(10)
        jib.evaluate("x + y", y=1)
        seen = weakref.ref(x)
        del x
        return seen()

    assert plain() is None and mixed() is None

    def held() -> dict[str, Any]:
        x = 1
        found = locals()
        jib.evaluate("x + 1")
        return found

    assert held()["x"] == 1

    class Body:
        x = 1
        y = jib.evaluate("x + 1")

    assert (Body.x, Body.y) == (1, 2)


def test_a_comparison_of_masks() -> None:
    a, b = np.arange(6), np.arange(6)[::-1]
    assert jib.evaluate("(a > 1) & (b < 4)").tolist() == ((a > 1) & (b < 4)).tolist()
    assert jib.evaluate("where(~((a > 1) | (b < 2)), a, -b)").tolist() == np.where(~((a > 1) | (b < 2)), a, -b).tolist()
    mask = a % 2 == 0
    assert jib.evaluate("where(mask, a, b)").tolist() == np.where(mask, a, b).tolist()
    assert jib.evaluate("~mask").dtype == bool


def test_the_cache_is_looked_up_by_text() -> None:
    jib.cache_clear()
    for k in range(3):
        assert jib.evaluate("k + 0.125") == k + 0.125
    info = jib.cache_info().evaluated
    assert (info.hits, info.misses, info.currsize) == (2, 1, 1)
