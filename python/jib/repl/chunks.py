"""Lines -> texts that can be run.

In: lines, one after the other. Out: whether what has come so far is whole: nothing is open that only another line can close.
Always holds: each line is looked at once, so time is linear; a text that the parser takes is never held back for good: an empty line,
or one that begins at the margin, ends a block. Mistakes are the parser's to tell: a text that is wrong anyhow is whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..limits import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterator

# What hides brackets and colons: a string in one pair of quotes ends with its line.
_WORDS = re.compile(r"""#.*|\"\"\"|'''|'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?|[()\[\]{}]|\\$|[^\s'"#()\[\]{}\\]+|\\""")
_ENDS = {quote: re.compile(r"(?:[^\\]|\\.)*?" + quote) for quote in ('"""', "'''")}
_COMPOUND = re.compile(r"(?:if|elif|else|for|while|def)\b")
_GOES_ON = re.compile(r"(?:elif|else)\b")


class Scan:
    """What is open after some lines."""

    __slots__ = ("brackets", "quote", "joined", "header", "compound", "empty")

    def __init__(self) -> None:
        self.brackets = 0
        self.quote = ""  # the three quotes that a string began with
        self.joined = False  # a backslash ends the line
        self.header = False  # a colon ends it: a block follows
        self.compound = False  # a statement has begun that may have a block
        self.empty = True  # nothing but space and comments so far

    def line(self, line: str) -> None:
        """Look at one more line, without its newline."""
        at = 0
        fresh = not (self.quote or self.brackets or self.joined)
        self.joined = False
        if fresh:
            self.header = False
            if _COMPOUND.match(line):
                self.compound = True
        last = ""
        while True:
            if self.quote:
                end = _ENDS[self.quote].match(line, at)
                if end is None:
                    return
                self.quote, at, last = "", end.end(), "'"
            word = _WORDS.search(line, at)
            if word is None:
                break
            at = word.end()
            text = word[0]
            if text[0] == "#":
                break
            self.empty = False
            last = text[-1]
            if text in _ENDS:
                self.quote = text
            elif text in "([{":
                self.brackets += 1
            elif text in ")]}":
                self.brackets = max(0, self.brackets - 1)
            elif text == "\\" and at == len(line):
                self.joined = True
        self.header = last == ":" and not self.brackets

    @property
    def open(self) -> bool:
        """Whether only another line can end it."""
        return bool(self.brackets or self.quote or self.joined or self.header)


def is_whole(text: str) -> bool:
    """Whether a person who has typed this has said all: nothing is open, and a block has been ended by an empty line.

    >>> [is_whole(text) for text in ["a + b", "f(1,", "if a:", "if a:\\n  b", "if a:\\n  b\\n", "if a: b", "'''"]]
    [True, False, False, False, True, True, False]
    """
    scan = Scan()
    lines = text.split("\n")
    for line in lines:
        scan.line(line)
    return not scan.open and (not scan.compound or len(lines) == 1 or not lines[-1].strip())


class Chunks:
    """The texts of a script and the lines where they begin, each when it is known to be whole.

    >>> chunks = Chunks()
    >>> [list(chunks.add(line)) for line in ["1", "if 2:", "  3", "", "else:", "  4", "5"]]
    [[(1, '1')], [], [], [], [], [], [(2, 'if 2:\\n  3\\n\\nelse:\\n  4'), (7, '5')]]
    """

    def __init__(self, longest: int = DEFAULT.characters) -> None:
        self._lines: list[str] = []
        self._scan = Scan()
        self._number = 0  # of the line that has come last
        self._left = self._longest = longest  # characters; a text that has more is given away, for the parser to refuse

    def add(self, line: str) -> Iterator[tuple[int, str]]:
        """The texts that are whole now that this line, without its newline, has come."""
        scan = self._scan
        if (
            scan.compound
            and not scan.open
            and line[:1] not in ("", " ", "\t", "\f", "#", "\r")
            and not _GOES_ON.match(line)
        ):
            yield from self.rest()
            scan = self._scan
        self._number += 1
        self._lines.append(line)
        scan.line(line)
        self._left -= len(line) + 1
        if scan.empty and not scan.open:
            self._clear()
        elif not (scan.open or scan.compound) or self._left < 0:
            yield from self.rest()

    def rest(self) -> Iterator[tuple[int, str]]:
        """What has come and was not whole yet, now that nothing more comes."""
        text = "\n".join(self._lines).rstrip()
        first = self._number - len(self._lines) + 1
        self._clear()
        if text:
            yield first, text

    def _clear(self) -> None:
        self._lines.clear()
        self._scan = Scan()
        self._left = self._longest
