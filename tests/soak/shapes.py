"""Texts without end, and their answers.

In: a number. Out: a `Text` that no other number gives. Always holds: who checks one keeps nothing of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jib


class Text(NamedTuple):
    """A text, arguments, and what calling comes to: a value, or the class of an exception, which may come from compiling."""

    text: str
    arguments: tuple[Any, ...]
    answer: Any
    engine: str = "native"


SHAPES: tuple[Callable[[int], Text], ...] = (
    lambda k: Text(f"a * {k} + b", (k, 7), k * k + 7),
    lambda k: Text(f"sqrt(a * a + {k}) if a > b else b", (1.5, 0), math.sqrt(2.25 + k)),
    lambda k: Text(f"t = {k}\nfor i in range(n):\n    t += i * m\nt", (10, k), 46 * k),
    lambda k: Text(f"def f(a, b=0.5): return a + {k}, (a < b, a / 2)", (k,), (2 * k, (k < 0.5, k / 2))),
    lambda k: Text(f"def g(n: int) -> int: return n if n < 2 else g(n - 1) + {k}", (5,), 1 + 4 * k),
    lambda k: Text(f"a ^ {k}", (k,), 0, "auto"),
    lambda k: Text(f"x_{k} - {k}", (0.5,), 0.5 - k, "interpreter"),
    lambda k: Text(f"{k} // (a - a)", (k,), ZeroDivisionError),
    lambda k: Text(f"a * {k} + unknown(b)", (), jib.CompileError),
    lambda k: Text(f"a * {k} +", (), jib.ParseError),
)


def text(number: int) -> Text:
    """
    >>> text(40).text, text(41).answer
    ('a * 40 + b', 6.576473218982953)
    """
    return SHAPES[number % len(SHAPES)](number)


def check(wanted: Text) -> jib.Function | None:
    """Compiles and calls; the function, if there is one.

    >>> check(text(42))
    <jib function <suite>(n, m)>
    """
    function = None
    try:
        function = jib.compile(wanted.text, engine=wanted.engine)
        answer: Any = function(*wanted.arguments)
    except (ZeroDivisionError, jib.JitError) as error:
        answer = type(error)
    compare(answer, wanted)
    return function


def compare(answer: Any, wanted: Text) -> None:
    """To the bit, which for these answers their text is."""
    assert repr(answer) == repr(wanted.answer), f"{wanted}: {answer!r}"
