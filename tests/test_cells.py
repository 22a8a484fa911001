"""Cells and a namespace: many short texts one after the other, beside CPython, which runs the same."""

from __future__ import annotations

import ast
import random
from typing import Any

import pytest

import jib
from jib.integrations.cells import Cells, Place

PLACE = Place("<cell>", "Cell In[1]", 1)

LINES = [
    "x", "y + 1", "f(1)", "g(2)", "k = 3", "k += 1", "x = f(2)", "f = lambda z: z + k", "def f(x): return x", "f = 3", "1 // 0", "z",
    "def g(y): return f(y) + k", "def f(x): return x*k + (g(x - 5) if x > 5 else 0)", "for i in range(3): s = i", "x, y = 1, 2.5",
    "t = (x, k)", "assert k < 5", "def h(v): return v * s", "h(1.5)", "def x(): return 1", "y = -y",
]  # fmt: skip
VALUES = [1, 2.5, True, -7, (1, 2), [1], len, None, object(), 10**30]


def in_python(text: str, space: dict[str, Any]) -> Any:
    """The value of the last expression, and what the text does to the names."""
    body = ast.parse(text).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<python>", "exec"), space)
    return None if last is None else eval(compile(ast.Expression(last.value), "<python>", "eval"), space)  # type: ignore[attr-defined]


def same(own: Any, other: Any) -> bool:
    """Whether two values are: a variable that is int on one path and float on another is float here."""
    if isinstance(own, tuple) and isinstance(other, tuple):
        return len(own) == len(other) and all(map(same, own, other))
    return (
        repr(own) == repr(other) or (type(own) is float and type(other) is int and own == other) or type(own) is object
    )


def answer(function: Any, *args: Any) -> Any:
    try:
        return function(*args)
    except (ArithmeticError, TypeError, NameError, RecursionError) as problem:
        return TypeError if isinstance(problem, TypeError) else type(problem)  # a CompileError is one


@pytest.mark.parametrize("seed", range(6))
def test_cells_do_what_python_does(seed: int) -> None:
    draw = random.Random(seed)
    cells, space = Cells(fuel=10_000), {"x": 1, "y": 2.5, "k": 2}
    beside: dict[str, Any] = dict(space)
    ran = 0
    for _ in range(400):
        if draw.random() < 0.1:
            name, value = draw.choice("xyfgkhs"), draw.choice(VALUES)
            space[name] = beside[name] = value
        if draw.random() < 0.05:
            name = draw.choice("xyfgkhs")
            space.pop(name, None)
            beside.pop(name, None)
        text = "\n".join(draw.choice(LINES) for _ in range(draw.randint(1, 4)))
        known, before = list(cells.session), dict(space)
        try:
            done = cells.run(text, space, PLACE)
        except (jib.JitError, ArithmeticError, AssertionError, NameError) as problem:
            assert dict(space) == before
            assert list(cells.session) == known
            if isinstance(problem, SyntaxError):
                assert problem.filename == "<cell>" and (problem.lineno or 0) >= 2
            continue
        ran += 1
        space.update(done.names)
        value = in_python(text, beside)
        assert same(done.value, value), text
        for name, found in space.items():
            other = beside[name]
            assert callable(found) == callable(other), (text, name)
            if not callable(found):
                assert same(found, other), (text, name)
        for name in ("f", "g", "h"):
            if isinstance(space.get(name), jib.Function) and name in done.names:
                for given in (3, 0.5):
                    own = answer(space[name], given)
                    # What jib refuses Python may take: a tuple times an int.
                    assert own is TypeError or same(own, answer(beside[name], given)), (text, name)
    assert ran > 30


def test_values_and_places_are_kept_for_long() -> None:
    cells, space = Cells(), {"k": 2.0}
    for number in range(50):
        done = cells.run(f"def f{number}(x): return x / k", space, Place("<cell>", f"Cell In[{number}]", 1))
        space.update(done.names)
    space["k"] = 0.0
    done = cells.run("1", space, PLACE)
    assert len(done.names) == 50
    space.update(done.names)
    with pytest.raises(ZeroDivisionError) as caught:
        space["f7"](1.0)  # type: ignore[operator]
    notes = "".join(getattr(caught.value, "__notes__", ()))
    assert 'File "Cell In[7]", line 2' in notes and "x / k" in notes
    with pytest.raises(ZeroDivisionError) as caught:
        cells.run("f9(1.0)", space, PLACE)
    assert "  Cell In[9], line 2" in "".join(getattr(caught.value, "__notes__", ()))
