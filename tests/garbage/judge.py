"""What came of a text.

In: a `Text`. Out: `Verdict`: the outcome's name and, if something is wrong with it, what.
Always holds: nothing is wrong with a refusal (ParseError, CompileError, LimitError) that shows its place, nor with a function whose
text CPython takes too and which compiles for some types, or is refused for them.
"""

from __future__ import annotations

import re
import resource
import time
import traceback
from typing import NamedTuple

import jib

from .texts import Text

REFUSALS = (jib.ParseError, jib.CompileError, jib.LimitError)
SLOW = 1.0  # seconds of this process's time
LARGE = 64 * 1024  # kilobytes by which one text may raise the most memory ever used
_PLACE = re.compile(r" \(line (\d+), column (\d+)\)\Z")

# Refusals of CPython's that are limits of its own implementation, or rules about names that only its compiler has.
CPYTHON_ONLY = (
    "too many statically nested blocks", "too many levels of indentation", "too many nested parentheses", "too complex",
    "cannot assign to __debug__",
)  # fmt: skip


class Verdict(NamedTuple):
    outcome: str
    wrong: str | None
    seconds: float
    growth: int  # kilobytes


def examine(made: Text) -> Verdict:
    high = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    outcome, wrong = _outcome(made)
    seconds = time.process_time() - start
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - high
    if wrong is None and seconds > SLOW:
        wrong = f"took {seconds:.2f} s"
    if wrong is None and growth > LARGE:
        wrong = f"took {growth // 1024} MB"
    return Verdict(outcome, wrong, seconds, growth)


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
    """Compile for the types that the text drew."""
    types = [made.types[min(at, len(made.types) - 1)] for at in range(count)]
    try:
        jib.compile(made.text, f"({', '.join(types)})", **made.options)
    except REFUSALS as error:
        return _refusal(error, made.text)
    except BaseException as error:
        return f"for ({', '.join(types)}): {_words(error)}"
    return None
