"""What came of a text.

In: a `Text`. Out: `Verdict`: the outcome's name and, if something is wrong with it, what.
Always holds: nothing is wrong with a refusal (ParseError, CompileError, LimitError) that shows its place, nor with a function whose
text CPython takes too, which compiles for some types or is refused for them, and whose calls give a value, BudgetError, or a failure of
the running program with its place.
"""

from __future__ import annotations

import inspect
import re
import time
import traceback
from typing import NamedTuple

import jib

from .texts import Text

REFUSALS = (jib.ParseError, jib.CompileError, jib.LimitError)
SUSPECT = 0.02  # seconds
SLOW = 1.0  # seconds of this process's time
_PLACE = re.compile(r" \(line (\d+), column (\d+)\)\Z")

# Refusals of CPython's that are limits of its own implementation, or rules about names that only its compiler has.
CPYTHON_ONLY = (
    "too many statically nested blocks", "too many levels of indentation", "too many nested parentheses", "too complex",
    "cannot assign to __debug__",
)  # fmt: skip


FUEL = 10_000
CALLS = 3
ENGINES = ("native", "native", "native", "interpreter", "auto")
_INTS = (0, 1, -1, 2, 3, 7, 63, 64, 100)
_FLOATS = (0.0, -0.0, 1.0, -1.5, 2.0, 0.1, 1e308, 5e-324, float("inf"), float("-inf"), float("nan"))
VALUES: dict[str, tuple[object, ...]] = {
    "int": (*_INTS, 2**63 - 1, -(2**63), 2**53 + 1), "float": (*_FLOATS, 3), "bool": (True, False), "i8": (*_INTS, 127, -128),
    "u8": (0, 1, 2, 255), "i32": (*_INTS, 2**31 - 1, -(2**31)), "u64": (0, 1, 64, 2**64 - 1), "f32": _FLOATS,
    "tuple[int, float]": ((0, 0.0), (1, -1.0), (-(2**63), float("nan"))),
}  # fmt: skip


class Verdict(NamedTuple):
    outcome: str
    wrong: str | None
    seconds: float


def examine(made: Text) -> Verdict:
    start = time.perf_counter()
    outcome, wrong = _outcome(made)
    seconds = time.perf_counter() - start
    if seconds > SUSPECT:
        # Once more, by the clock of this process alone: others may have had the machine. (Asking that clock takes longer than most texts.)
        start = time.process_time()
        _outcome(made)
        seconds = time.process_time() - start
        if wrong is None and seconds > SLOW:
            wrong = f"took {seconds:.2f} s"
    return Verdict(outcome, wrong, seconds)


def _outcome(made: Text) -> tuple[str, str | None]:
    try:
        function = jib.compile(made.text, **made.options)
    except REFUSALS as error:
        return type(error).__name__, _refusal(error, made.text)
    except BaseException as error:
        return type(error).__name__, _words(error)
    wrong = _cpython(made.text)
    if wrong is None:
        wrong = _natively(made, len(function.params))
    return "compiled", wrong


def _words(error: BaseException) -> str:
    return "".join(traceback.format_exception(type(error), error, error.__traceback__, -4, chain=False))[-2000:]


def _refusal(error: Exception, text: str) -> str | None:
    """What is wrong with an error of the text: it has a place in the text, and Python can print it."""
    words = str(error)
    if isinstance(error, SyntaxError):
        line, column, end_line, end_column = error.lineno, error.offset, error.end_lineno, error.end_offset
        if None in (line, column, end_line, end_column) or error.text is None or not error.msg:
            return f"a place is missing: {error!r}"
    else:
        found = _PLACE.search(words)
        if not found:
            return f"no place: {words}"
        line, column = end_line, end_column = int(found[1]), int(found[2])
    lines = text.split("\n")
    for row, at in ((line, column), (end_line, end_column)):
        if not (1 <= row <= len(lines) and 1 <= at <= len(lines[row - 1]) + 2):  # type: ignore[operator]
            return f"place {row}:{at} is outside the text: {words}"
    if (end_line, end_column) < (line, column):  # type: ignore[operator]
        return f"ends before it begins: {words}"
    if not error.code or error.span is None:  # type: ignore[attr-defined]
        return f"no code or span: {words}"
    traceback.format_exception_only(type(error), error)
    return None


def _cpython(text: str) -> str | None:
    refusal = _refused_by_cpython(text)
    if refusal and refusal.startswith("IndentationError"):
        refusal = _refused_by_cpython(f"if 1:\n{text}")  # a text of jib may be indented as a whole
    return refusal and f"CPython refuses it: {refusal}"


def _refused_by_cpython(text: str) -> str | None:
    try:
        compile(text, "<text>", "exec")
    except (RecursionError, MemoryError):  # limits of CPython's own
        pass
    except (SyntaxError, ValueError) as error:
        if not any(words in str(error) for words in CPYTHON_ONLY):
            return f"{type(error).__name__}: {error}"
    return None


def _natively(made: Text, count: int) -> str | None:
    """Compile for the types that the text drew, and call with some arguments of them."""
    types = [made.types[min(at, len(made.types) - 1)] for at in range(count)]
    draw = made.arguments
    try:
        function = jib.compile(
            made.text, f"({', '.join(types)})", fuel=FUEL, engine=draw.choice(ENGINES), **made.options
        )
    except REFUSALS as error:
        return _refusal(error, made.text)
    except BaseException as error:
        return f"for ({', '.join(types)}): {_words(error)}"
    for _ in range(CALLS):
        arguments = [draw.choice(VALUES[kind]) for kind in types]
        wrong = _call(function, arguments, made.text)
        if wrong is not None:
            return f"called with {arguments}: {wrong}"
    return None


def _call(function: jib.Function, arguments: list[object], text: str) -> str | None:
    keywords = [param for param in inspect.signature(function).parameters.values() if param.kind is param.KEYWORD_ONLY]
    positional = arguments[: len(arguments) - len(keywords)]
    named = {param.name: value for param, value in zip(keywords, arguments[len(positional) :])}
    try:
        function(*positional, **named)
    except REFUSALS as error:
        return _refusal(error, text)
    except jib.BudgetError:
        return None
    except jib.JitError as error:
        return _words(error)
    except (MemoryError, SystemError) as error:
        return _words(error)
    except Exception as error:
        # What a running program raises has its place; what it does to the arguments comes before it runs.
        if not hasattr(error, "jib_span") and "argument" not in str(error):
            return f"no place: {_words(error)}"
    except BaseException as error:
        return _words(error)
    return None
