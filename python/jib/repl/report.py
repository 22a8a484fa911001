"""What went wrong -> lines for a person.

In: an exception, and the text that was typed. Out: its place, carets, and what it says. Always holds: every character of it is visible;
where the person sees the line at fault just above, carets come right under it and the line is not repeated.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..highlight import visible

if TYPE_CHECKING:
    from ..source import Place

_PLACE = re.compile(r" \(line \d+, column \d+\)$")  # what a message says itself where nothing else does
WIDEST = 200  # characters of a line that are shown, beside the place


class _At(NamedTuple):
    name: str
    line: int
    start: int  # columns from 0
    end: int
    text: str


def report(problem: BaseException, typed: str = "", prompt: int = 0) -> str:
    """The lines that tell of an exception.

    `typed` is the one line that stands just above, after a prompt of so many columns.

    >>> from jib import CompileError, compile
    >>> try:
    ...     compile("1 + sqroot(2)")(1)
    ... except CompileError as problem:
    ...     print("jib> 1 + sqroot(2)")
    ...     print(report(problem, "1 + sqroot(2)", 5))
    jib> 1 + sqroot(2)
             ^^^^^^
    CompileError: name 'sqroot' is not defined; did you mean 'sqrt'?
    """
    at = _place(problem)
    lines = []
    if at is not None:
        text = at.text.rstrip()
        if typed and text == typed.rstrip() and text.isprintable():
            lines.append(" " * (prompt + _width(text[: at.start])) + "^" * max(1, _width(text[at.start : at.end])))
        else:
            lines.append(f"  {visible(at.name)}, line {at.line}:" if at.name else f"  line {at.line}:")
            lines += _excerpt(at)
    lines.append(headline(problem) if at is None else _PLACE.sub("", headline(problem)))
    notes = getattr(problem, "__notes__", ())
    if isinstance(notes, (list, tuple)):
        shown = [note for note in notes if isinstance(note, str) and not (at is not None and "^" in note)]
        lines += [visible(note) for note in shown]
    return "\n".join(lines)


def headline(problem: BaseException) -> str:
    """What an exception is and says, in a line."""
    kind = type(problem).__name__
    says = (problem.msg or "") if isinstance(problem, SyntaxError) else _says(problem)
    return f"{kind}: {visible(says)}" if says else kind


def _says(problem: BaseException) -> str:
    try:
        return str(problem)
    except Exception:
        return ""


def _place(problem: BaseException) -> _At | None:
    """Where in a text it happened, if that is known."""
    if isinstance(problem, SyntaxError):
        if not problem.text or problem.lineno is None or problem.offset is None:
            return None
        text = problem.text.rstrip("\r\n")
        same_line = problem.end_lineno in (None, problem.lineno)
        end = problem.end_offset if same_line and problem.end_offset else len(text) + 1
        return _At(problem.filename or "", problem.lineno, problem.offset - 1, max(end - 1, problem.offset), text)
    place: Place | None = getattr(problem, "jib_place", None)
    if place is None:
        return None
    line, column, end_line, end_column = problem.jib_span  # type: ignore[attr-defined]
    end = end_column - 1 if end_line == line else len(place.text)
    return _At(place.name, line, column - 1, max(end, column), place.text)


def _excerpt(at: _At) -> list[str]:
    """The line, and carets under the place; of a long line, what is around it."""
    text, start, end = at.text.expandtabs(1), at.start, at.end
    indent = len(text) - len(text.lstrip())
    first = min(indent, start)
    before = after = ""
    if len(text) - first > WIDEST:
        if start - first > WIDEST // 2:
            first, before = start - WIDEST // 2, "..."
        if first + WIDEST < len(text):
            text, after = text[: first + WIDEST], "..."
    end = min(end, len(text) + 1)
    shown, left = visible(text[first:]), visible(text[first:start])
    carets = "^" * max(1, _width(visible(text[start:end])))
    return [f"    {before}{shown}{after}", " " * (4 + len(before) + _width(left)) + carets]


def _width(text: str) -> int:
    """The columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    import unicodedata

    wide = sum([unicodedata.east_asian_width(character) in "WF" for character in text])
    return len(text) + wide - sum([unicodedata.combining(character) > 0 for character in text])
