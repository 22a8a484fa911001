"""Text and places in it.

In: the text a person wrote. Out: `Source`, which finds lines, columns and carets.
Always holds: offsets count characters of the text from 0; lines and columns, as people read them, count from 1. A text that was cut out
of files knows for each of its lines where that stands there: what people are shown are the places in the files.
"""

from __future__ import annotations

from .light import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Span(NamedTuple):
    """A half-open range of characters, `text[start:end]`."""

    start: int
    end: int


NOWHERE = Span(0, 0)

ONE = [0]  # of all texts of one line; nobody changes it


class Origin(NamedTuple):
    """Where a line was cut out: the file, the line there, and how many characters before it were left out."""

    name: str
    line: int
    column: int


class Place(NamedTuple):
    """A place as people are shown it: a file, line and column counted from 1, and the text of that line."""

    name: str
    line: int
    column: int
    text: str


class Source:
    """A text, its name for messages, and where its lines begin; `origins` says of each line where it was cut out."""

    __slots__ = ("text", "name", "line_starts", "origins")

    def __init__(self, text: str, name: str = "<jib>", origins: Sequence[Origin] | None = None) -> None:
        self.text = text
        self.name = name
        self.origins = origins
        at = text.find("\n")
        starts = [0] if at >= 0 else ONE
        while at >= 0:
            starts.append(at + 1)
            at = text.find("\n", at + 1)
        self.line_starts = starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both counted from 1.

        >>> Source("a +\\n b").position(5)
        (2, 2)
        """
        from bisect import bisect_right  # for messages alone

        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def place(self, offset: int) -> Place:
        """Where people find a character.

        >>> Source("a +\\n b", origins=[Origin("x.py", 7, 4), Origin("x.py", 8, 4)]).place(5)
        Place(name='x.py', line=8, column=6, text='     b')
        """
        line, column = self.position(offset)
        text = self.line(line).rstrip("\r")
        if self.origins is None:
            return Place(self.name, line, column, text)
        origin = self.origins[line - 1]
        return Place(origin.name, origin.line, column + origin.column, " " * origin.column + text)

    def line(self, number: int) -> str:
        """The text of one line, counted from 1, without its newline.

        >>> Source("a +\\n b").line(2)
        ' b'
        """
        start = self.line_starts[number - 1]
        end = self.line_starts[number] - 1 if number < len(self.line_starts) else len(self.text)
        return self.text[start:end]

    def caret(self, span: Span) -> str:
        """The line of a span, and carets under it; a span over several lines is marked on its first.

        >>> print(Source("a / b").caret(Span(2, 3)))
        a / b
          ^
        """
        line, column = self.position(span.start)
        text = self.line(line)
        width = max(1, min(span.end - span.start, len(text) - column + 1))
        return f"{text}\n{' ' * (column - 1)}{'^' * width}"
