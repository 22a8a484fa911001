"""What came of a call.

In: a function and its arguments as a directive writes them. Out: `Outcome`: the value or the exception, what was printed, and the
arrays as the call left them. Always holds: an `Exception` is an outcome, never a failure of the runner.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any, NamedTuple

from .directives import Place
from .values import read_arguments, same


class Outcome(NamedTuple):
    value: Any = None
    exception: str | None = None
    message: str | None = None
    place: Place | None = None
    printed: tuple[str, ...] = ()
    arrays: tuple[Any, ...] = ()

    def __str__(self) -> str:
        what = repr(self.value) if self.exception is None else f"{self.exception}: {self.message}"
        where = f" @ {show_place(self.place)}" if self.place else ""
        printed = f", printing {list(self.printed)}" if self.printed else ""
        arrays = f", leaving {list(self.arrays)}" if self.arrays else ""
        return f"{what}{where}{printed}{arrays}"


def observe(function: Callable[..., Any], arguments: str) -> Outcome:
    """Calls, and says what happened.

    >>> print(observe(lambda a: 1 // a, "(0)"))
    ZeroDivisionError: integer division or modulo by zero
    """
    args, kwargs = read_arguments(arguments)
    arrays = tuple(arg for arg in (*args, *kwargs.values()) if hasattr(arg, "dtype"))
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            value = function(*args, **kwargs)
    except Exception as error:
        return Outcome(None, type(error).__name__, message_of(error), place_of(error), _lines(output), arrays)
    return Outcome(value, printed=_lines(output), arrays=arrays)


def agree(a: Outcome, b: Outcome) -> bool:
    """Whether two engines did the same, to the bit and to the letter."""
    return a[1:5] == b[1:5] and same(a.value, b.value) and same(a.arrays, b.arrays)


def agree_with_cpython(ours: Outcome, theirs: Outcome) -> bool:
    """The same, but for messages, which CPython words anew in each version, and places, which it does not tell."""
    return (
        ours.exception == theirs.exception
        and ours.printed == theirs.printed
        and same(ours.value, theirs.value)
        and same(ours.arrays, theirs.arrays)
    )


def message_of(error: BaseException) -> str:
    return str(error.msg) if isinstance(error, SyntaxError) else str(error)


def place_of(error: BaseException) -> Place | None:
    """Where in the text: a compile error's own attributes, a run-time error's `jib_span`."""
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return (error.lineno, error.offset or 0, error.end_lineno or 0, error.end_offset or 0)
    span = getattr(error, "jib_span", None)
    return None if span is None else (span[0], span[1], span[2], span[3])


def show_place(place: Place) -> str:
    return "{}:{}-{}:{}".format(*place)


def _lines(output: io.StringIO) -> tuple[str, ...]:
    return tuple(line.strip() for line in output.getvalue().splitlines())
