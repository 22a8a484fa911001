"""`jib.evaluate`: one shot, names from where numexpr's users expect them."""

from __future__ import annotations

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
    with pytest.raises(TypeError, match="must be a NumPy array"):
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


def test_variables_are_a_mapping() -> None:
    with pytest.raises(TypeError, match="variables must be a mapping, not str"):
        jib.evaluate("x", "x")  # type: ignore[arg-type]
