"""Text -> tokens: words, and the layout that Python gives a meaning.

In: a `Source` and the terminals of the grammar (`Lexicon`). Out: tokens, with NEWLINE at the end of each logical line, and INDENT
and DEDENT where a block begins and ends.
Always holds: tokens come in the order of the text, the last is a NEWLINE or DEDENT, brackets and indentations match; anything else is
an error, raised when the parser has taken all tokens before it. Time is linear in the length of the text. Nothing here knows Lark.
"""

from __future__ import annotations

import re
from itertools import islice

from .errors import error
from .light import TYPE_CHECKING, NamedTuple
from .limits import UNLIMITED, Limits
from .source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class _Word(NamedTuple):
    type: str
    span: Span
    value: str
    layout: Layout


class Token(_Word):
    """A word of the text. `layout` is the run it comes from, which counts the depth of nesting for everyone.

    `type` is the name of a terminal; the parser reads nothing else of it.
    """

    __slots__ = ()

    # Lark copies these to the end marker that it makes out of the last token.
    start_pos = line = column = end_line = end_column = end_pos = None


# The groups of the lexicon's one regular expression, in their order there. Up to STRING they are tokens.
_NAME, _NUMBER, _OPERATOR, _STRING, _NEWLINE, _COMMENT, _CONTINUATION, _OTHER = range(1, 9)

# Characters that hide what a text says, wherever they stand: the bidirectional controls and the lone surrogates.
_HIDDEN = "[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\ud800-\udfff]"
_OPEN = {"(": ")", "[": "]", "{": "}"}
# Python's keywords that are none of the language's: no names either.
_FOREIGN = (
    "as", "async", "await", "class", "del", "except", "finally", "from", "global", "import", "is", "nonlocal", "try", "with", "yield",
)  # fmt: skip
_new = tuple.__new__


class Lexicon:
    """The words of the language: one regular expression, and the terminals of names and operators by their text."""

    def __init__(self, patterns: Mapping[str, str], texts: Iterable[tuple[str, str]]) -> None:
        """`patterns` are the regular expressions of NAME, NUMBER and STRING, `texts` all other terminals, each behind its text."""
        self.words: dict[str, str] = dict.fromkeys(_FOREIGN, "FOREIGN")
        self.operators: dict[str, str] = {}
        for text, name in texts:
            (self.words if text.isalpha() else self.operators)[text] = name
        operators = "|".join(re.escape(text) for text in sorted(self.operators, key=len, reverse=True))
        groups = (
            patterns["NAME"], patterns["NUMBER"], operators, patterns["STRING"],
            r"\r?\n(?:[ \t\f\r\n]*\n)?", r"#[^\n]*", r"\\\r?\n(?!\Z)", r"(?s:.)",
        )  # fmt: skip
        self.scan = re.compile(r"[ \t\f]*(?:" + "|".join(f"({group})" for group in groups) + r"|\Z)").finditer


class Layout:
    """One run over one text. `depth` is how deep the parser is nested now, `deepest` how deep it has been.

    `enter` and `leave` belong to whoever sees a construct begin and end: here brackets and blocks, in the actions of the grammar the rest.
    """

    __slots__ = ("source", "lexicon", "limits", "depth", "deepest", "brackets", "begun")

    def __init__(self, source: Source, lexicon: Lexicon, limits: Limits) -> None:
        self.source = source
        self.lexicon = lexicon
        self.limits = limits
        self.depth = 0
        self.deepest = 0
        self.brackets: list[Token] = []
        self.begun = False

    def enter(self, span: Span) -> None:
        """Something that nests begins at `span`."""
        self.depth = depth = self.depth + 1
        if depth > self.deepest:
            self.deepest = depth
            if depth > self.limits.nesting:
                raise error("nesting-limit", self.source, span, self.limits.nesting)

    def leave(self) -> None:
        """The innermost thing that nests has ended."""
        self.depth -= 1

    def tokens(self) -> Iterator[Token]:
        """The tokens of the text, one run."""
        source, limits, lexicon, brackets = self.source, self.limits, self.lexicon, self.brackets
        text, words, operators, name_limit = source.text, lexicon.words, lexicon.operators, limits.name
        self._check_characters(text)
        indents: list[tuple[int, int]] = []
        fresh = True  # no token on this logical line yet
        line_start = 0
        for match in islice(lexicon.scan(text), limits.tokens + 1):
            kind = match.lastindex
            if kind is None:
                break
            span = _new(Span, match.span(kind))
            if fresh and (kind <= _STRING or kind == _OTHER):
                fresh = False
                indent = self._indentation(text[line_start : span[0]], span)
                if not indents:
                    indents.append(indent)
                    self.begun = True
                elif indent != indents[-1]:
                    yield from self._change(indents, indent, _new(Span, (line_start, span[0])))
            if kind == _NAME:
                if span[1] - span[0] > name_limit:
                    raise error("name-limit", source, span, name_limit)
                word = match[1]
                yield _new(Token, (words.get(word, "NAME"), span, word, self))
            elif kind == _OPERATOR:
                word = match[3]
                token = _new(Token, (operators[word], span, word, self))
                if word in "([":
                    brackets.append(token)
                    self.enter(span)
                elif word in ")]":
                    if not brackets:
                        raise error("unmatched-bracket", source, span, word)
                    opener = brackets.pop()
                    if _OPEN[opener.value] != word:
                        raise error("wrong-bracket", source, span, word, opener.value)
                    self.depth -= 1
                yield token
            elif kind == _NUMBER:
                if span[1] - span[0] > limits.digits:
                    raise error("digits-limit", source, span, limits.digits)
                yield _new(Token, ("NUMBER", span, match[2], self))
            elif kind == _NEWLINE:
                if not brackets:
                    line_start = span[1]
                    if not fresh:
                        fresh = True
                        yield _new(Token, ("NEWLINE", _new(Span, (span[0], span[0])), "", self))
            elif kind == _STRING:
                yield _new(Token, ("STRING", span, match[4], self))
            elif kind == _OTHER:
                span = _new(Span, (span[0], span[0] + 1))
                yield _new(Token, ("FOREIGN", span, match[8], self))
        else:
            raise error("tokens-limit", source, span, limits.tokens)
        end = _new(Span, (len(text), len(text)))
        if brackets:
            raise error("never-closed", source, brackets[-1].span, brackets[-1].value)
        if not fresh:
            yield _new(Token, ("NEWLINE", end, "", self))
        for _ in indents[1:]:
            self.depth -= 1
            yield _new(Token, ("DEDENT", end, "", self))

    def _check_characters(self, text: str) -> None:
        """Reject what may stand nowhere, not even in a comment."""
        if not text.isascii() and (hidden := re.search(_HIDDEN, text)):
            code = "surrogate" if "\ud800" <= hidden[0] <= "\udfff" else "bidi-mark"
            raise error(code, self.source, Span(*hidden.span()), f"U+{ord(hidden[0]):04X}")
        at = text.find("\0")
        if at >= 0:
            raise error("nul", self.source, Span(at, at + 1))
        # To Python it ends the line: what follows it in a comment would be code.
        if "\r" in text and (alone := re.search("\r(?!\n)", text)):
            raise error("carriage-return", self.source, Span(*alone.span()))

    def _indentation(self, blank: str, span: Span) -> tuple[int, int]:
        """The width of an indentation with a tab every 8 columns and with a tab every column: Python compares both."""
        if not blank:
            return 0, 0
        # A form feed starts the line anew; a backslash ends the indentation, what follows it is another physical line.
        blank = blank.split("\\", 1)[0].rpartition("\f")[2]
        return len(blank.expandtabs(8)), len(blank)

    def _change(self, indents: list[tuple[int, int]], indent: tuple[int, int], span: Span) -> Iterator[Token]:
        """INDENT or DEDENTs, from the last of `indents` to `indent`."""
        width, other = indent
        if width > indents[-1][0] and other > indents[-1][1]:
            indents.append(indent)
            self.enter(span)
            yield _new(Token, ("INDENT", span, "", self))
            return
        while width < indents[-1][0] and other < indents[-1][1] and len(indents) > 1:
            indents.pop()
            self.depth -= 1
            yield _new(Token, ("DEDENT", span, "", self))
        if indent != indents[-1]:
            same_direction = (width < indents[-1][0]) == (other < indents[-1][1]) and (width > indents[-1][0]) == (
                other > indents[-1][1]
            )
            raise error("dedent-mismatch" if same_direction else "tab-mismatch", self.source, span)


def retrace(source: Source, lexicon: Lexicon, until: Token | None) -> list[Token]:
    """The tokens before one of them, for a message; the text up to there is known to have no mistake."""
    found: list[Token] = []
    for token in Layout(source, lexicon, UNLIMITED).tokens():
        if until is not None and token[:3] == until[:3]:
            break
        found.append(token)
    return found
