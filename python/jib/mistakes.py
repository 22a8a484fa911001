"""What to say when the parser cannot go on.

In: the word at which it stopped, the words before it, and what it would have taken. Out: the error, in people's words.
Always holds: every mistake gets some message of errors.py, with a span inside the text; loaded only when there is a mistake.

`explain` asks its questions in order, the most telling first: is the word Python that jib leaves out, is a bracket open, is the layout
wrong, is it a well-known slip; and last, what could have stood there.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .errors import JitError, error
from .layout import Layout, Lexicon, Token, retrace
from .limits import UNLIMITED
from .source import Source, Span
from .strange import strange

_LAYOUT = frozenset(("NEWLINE", "INDENT", "DEDENT"))
_COMPOUND = frozenset(("if", "elif", "else", "while", "for", "def"))
_STARTS = frozenset(("NAME", "NUMBER", "STRING", "NONE", "TRUE", "FALSE", "LAMBDA", "NOT", "TILDE", "LPAR", "LSQB"))
_ENDS = frozenset(("NAME", "NUMBER", "STRING", "NONE", "TRUE", "FALSE", "RPAR", "RSQB"))

# Python's words that are not the language's: what the message is made of.
_WORDS = {
    "import": ("construct-instead", "imports are", "the functions of math and numpy are known by name"),
    "from": ("construct-instead", "imports are", "the functions of math and numpy are known by name"),
    "as": ("construct", "'as' is"),
    "class": ("construct", "classes are"),
    "try": ("construct", "'try' is"),
    "except": ("construct", "'except' is"),
    "finally": ("construct", "'finally' is"),
    "with": ("construct", "'with' is"),
    "del": ("construct", "'del' is"),
    "global": ("construct", "'global' is"),
    "nonlocal": ("construct", "'nonlocal' is"),
    "yield": ("construct", "'yield' is"),
    "async": ("construct", "'async' is"),
    "await": ("construct", "'await' is"),
    "is": ("operator-is",),
}
# Two signs in a row that other languages have: the message and its argument.
_SLIPS = {
    "<>": ("respell", "<>", "!="),
    "&&": ("respell", "&&", "and"),
    "||": ("respell", "||", "or"),
    "===": ("respell", "===", "=="),
    "!==": ("respell", "!==", "!="),
    "=>": ("respell", "=>", ">="),
    "=<": ("respell", "=<", "<="),
    "->": ("arrow",),
}


class Place:
    """Where the parser stopped: `token`, the words `before` it, and whether it `accepts` a terminal."""

    def __init__(self, source: Source, lexicon: Lexicon, token: Token | None, accepts: Callable[[str], bool]) -> None:
        end = len(source.text)
        self.source = source
        self.lexicon = lexicon
        self.span = token.span if token else Span(end, end)
        self.type = token.type if token else "NEWLINE"
        self.value = token.value if token else ""
        self.accepts = accepts
        self.before = retrace(source, lexicon, token)
        self.previous = self.before[-1] if self.before else None
        self.open: list[int] = []  # where in `before` the open brackets stand
        for at, word in enumerate(self.before):
            if word.type in ("LPAR", "LSQB"):
                self.open.append(at)
            elif word.type in ("RPAR", "RSQB"):
                self.open.pop()

    def fail(self, code: str, *args: object, span: Span | None = None) -> JitError:
        return error(code, self.source, span or self.span, *args)

    def line(self) -> list[Token]:
        """The words of this logical line before the place."""
        start = len(self.before)
        while start and self.before[start - 1].type not in _LAYOUT:
            start -= 1
        return self.before[start:]

    def inner(self) -> list[Token]:
        """The words since the innermost open bracket, or since the line or the statement began."""
        words = self.before[self.open[-1] + 1 :] if self.open else self.line()
        semicolons = [at for at, word in enumerate(words) if word.type == "SEMICOLON"]
        return words[semicolons[-1] + 1 :] if semicolons else words

    def opener(self) -> str:
        """What the innermost open bracket is: "call", "parameters", "subscript", "group", or "" when none is open."""
        if not self.open:
            return ""
        at = self.open[-1]
        before = self.before[at - 1] if at else None
        if self.before[at].type == "LSQB":
            return "subscript"
        if before is None or before.type not in _ENDS:
            return "group"
        return "parameters" if at > 1 and self.before[at - 2].type == "DEF" else "call"

    def in_lambda(self) -> bool:
        """Whether the place is among the parameters of a lambda."""
        colon = False
        for word in reversed(self.inner()):
            colon = colon or word.type == "COLON"
            if word.type == "LAMBDA":
                return not colon
        return False

    def next_is(self, pattern: str) -> bool:
        """Whether the text from the place on looks like this."""
        return re.compile(pattern).match(self.source.text, self.span[0]) is not None


def explain(source: Source, lexicon: Lexicon, token: Token | None, accepts: Callable[[str], bool]) -> JitError:
    """The error of a text that stops being in the language at `token` (None is its end)."""
    place = Place(source, lexicon, token, accepts)
    for question in (_foreign, _never_closed, _layout, _slip, _keyword, _sign, _star, _neighbours):
        if found := question(place):
            return found
    return _expected(place)


def _foreign(p: Place) -> JitError | None:
    """Words and characters of which the language knows nothing."""
    if p.type != "FOREIGN":
        return None
    if p.value in _WORDS:
        if p.value == "from" and any(word.type == "RAISE" for word in p.inner()):
            return p.fail("construct", "'raise ... from' is")
        if p.next_is(r"is\b") and p.accepts("NUMBER"):
            return p.fail("keyword-as-name", p.value)
        if p.next_is(r"\w+[ \t]*=[^=]"):
            return p.fail("keyword-as-name", p.value)
        return p.fail(*_WORDS[p.value])
    if p.value == "@":
        if p.previous is None or p.previous.type in _LAYOUT:
            return p.fail("construct", "decorators are")
        return p.fail("construct", "matrix multiplication with '@' is")
    return strange(p.source, p.span[0])


def _never_closed(p: Place) -> JitError | None:
    """A bracket that is open to the end of the text explains what goes wrong on a later line."""
    if not p.open:
        return None
    opener = p.before[p.open[-1]]
    if p.source.position(opener.span[0])[0] == p.source.position(p.span[0])[0]:
        return None
    try:
        for _ in Layout(p.source, p.lexicon, UNLIMITED).tokens():
            pass
    except JitError as problem:
        return problem if problem.code == "never-closed" else None
    return None


def _layout(p: Place) -> JitError | None:
    """Indentation and the lines that begin with a keyword."""
    if p.accepts("INDENT"):
        header = len(p.before) - 1
        while header and p.before[header - 1].type not in _LAYOUT:
            header -= 1
        first = p.before[header]
        line = p.source.place(first.span[0]).line
        return p.fail("expected-block", f"'{first.value}'", line)
    if p.type == "INDENT":
        return p.fail("unexpected-indent")
    begins = p.previous is None or p.previous.type in _LAYOUT
    if begins and p.value in ("else", "elif"):
        return p.fail("else-alone", p.value, "" if p.value == "elif" else ", 'while' or 'for'")
    if p.value in _COMPOUND and p.accepts("PASS") and p.previous and p.previous.type in ("SEMICOLON", "COLON"):
        return p.fail("compound-on-line", p.value)
    return None


def _slip(p: Place) -> JitError | None:
    """Signs of other languages."""
    before = p.previous
    if before is None or before.type in _LAYOUT:
        return None
    if before.span[1] == p.span[0] and (slip := _SLIPS.get(before.value + p.value)):
        return p.fail(*slip, span=Span(before.span[0], p.span[1]))
    if (p.type == "NEWLINE" or p.value in (")", ";")) and before.type == "SIGN" and len(p.before) > 1:
        other = p.before[-2]
        if other.value == before.value and other.span[1] == before.span[0]:
            span = Span(other.span[0], before.span[1])
            return p.fail("increment", before.value * 2, before.value, span=span)
    return None


def _keyword(p: Place) -> JitError | None:
    """Keywords in the wrong place."""
    before = p.previous.type if p.previous else ""
    if p.value.isalpha() and p.type not in ("NAME", "NUMBER", "STRING"):
        if before in ("DEF", "DOT") or p.accepts("NAME") and p.next_is(r"\w+[ \t]*=[^=]"):
            return p.fail("keyword-as-name", p.value)
        if p.accepts("NAME") and not p.accepts("NUMBER"):
            return p.fail("keyword-as-name", p.value)
    if p.type == "IN" or p.type == "NOT" and p.next_is(r"not\s+in\b") and not p.accepts("NOT"):
        if p.type == "IN" and p.accepts("NUMBER"):
            return None
        return p.fail("operator-in", "in" if p.type == "IN" else "not in")
    if p.type == "NOT" and p.accepts("NUMBER") and p.previous:
        return p.fail("not-parentheses", p.previous.value)
    if p.type == "LAMBDA" and p.accepts("NUMBER") and p.previous:
        return p.fail("lambda-alone", p.previous.value)
    if p.type == "FOR" and before in _ENDS and p.opener() == "call":
        return p.fail("generator-parentheses")
    if p.type == "EQUAL" and p.previous and p.previous.value.isalpha() and before not in _ENDS:
        return p.fail("keyword-as-name", p.previous.value, span=p.previous.span)
    return None


def _sign(p: Place) -> JitError | None:
    """`=`, `:=`, `->`, and a comma or a bracket where they have another meaning."""
    before = p.previous.type if p.previous else ""
    if p.type == "EQUAL" and before in _ENDS:
        if p.opener() == "call" and not p.in_lambda():
            return p.fail("keyword-expression")
        return p.fail("assign-in-expression")
    if p.value == ":=" and before in _ENDS:
        if before == "NAME" and (len(p.before) < 2 or p.before[-2].type != "DOT"):
            return p.fail("walrus-parentheses")
        return p.fail("walrus-target")
    if p.value == "->":
        return p.fail("arrow")
    if p.type == "COMMA" and p.opener() == "call" and any(word.type == "FOR" for word in p.inner()):
        return p.fail("generator-parentheses")
    if p.type == "LSQB" and p.accepts("NUMBER"):
        if p.next_is(r"\[[^][(){}\n]*\bfor\b"):
            return p.fail("construct", "comprehensions are")
        return p.fail("construct-instead", "lists are", "a tuple is written in '(' and ')'")
    if p.type == "LPAR" and before == "LAMBDA":
        return p.fail("lambda-parentheses")
    if p.value == "." and p.next_is(r"\.\.\.") and p.accepts("NUMBER"):
        return p.fail("construct", "'...' is", span=Span(p.span[0], p.span[0] + 3))
    return None


def _star(p: Place) -> JitError | None:
    """`*args` and `**kwargs`."""
    before = p.previous
    parameters = p.in_lambda() or p.opener() == "parameters"
    if p.type == "NAME" and before and before.type == "STAR" and parameters:
        return p.fail("star-parameter", "*", span=Span(before.span[0], p.span[1]))
    if p.type in ("STAR", "POWER") and (p.accepts("NAME") or p.accepts("NUMBER")):
        if parameters:
            return p.fail("star-parameter", p.value)
        if before is None or before.type in _LAYOUT or before.value in ("(", ",", "=", "return", "[", "in", ";"):
            return p.fail("star-argument", p.value) if p.opener() == "call" else p.fail("starred")
    return None


def _neighbours(p: Place) -> JitError | None:
    """Two expressions side by side, where something belongs between them."""
    before = p.previous
    if before is None or before.type not in _ENDS or p.type not in _STARTS:
        return None
    line = p.line()
    if before is line[0] and before.type == "NAME":
        if before.value in ("match", "case", "type"):
            return p.fail("construct", f"'{before.value}' is", span=before.span)
        if before.value == "print":
            return p.fail("call-parentheses", before.value)
    if line[0].type == "DEF" and len(line) == 2:
        return p.fail("expected", "'('")
    if p.in_lambda():
        return p.fail("lambda-colon")
    if p.opener() == "parameters":
        return p.fail("expected", "',' or ')'")
    if p.accepts("IN"):
        return p.fail("expected-in")
    if p.open:
        return p.fail("missing-comma")
    if p.accepts("COLON") and line[0].value in _COMPOUND:
        return p.fail("expected", "':'")
    return p.fail("missing-operator")


def _expected(p: Place) -> JitError:
    """What could have stood there."""
    before = p.previous
    line = p.line()
    if before is not None and before.type not in _LAYOUT:
        if before.type in ("DEF", "DOT", "FOR") and p.accepts("NAME"):
            return p.fail("expected-name", before.value)
        if p.accepts("NAME") and not p.accepts("NUMBER"):
            return p.fail("expected-parameter")
        if p.accepts("NUMBER") and before.type != "SEMICOLON":
            return p.fail("expected-expression-after", before.value)
        if p.in_lambda() and p.accepts("COLON"):
            return p.fail("lambda-colon")
        if p.accepts("ELSE") and not p.accepts("NEWLINE") and not p.accepts("RPAR"):
            return p.fail("expected-else")
        if p.accepts("IN"):
            return p.fail("expected-in")
        if not p.open and line and line[0].value in _COMPOUND and p.accepts("COLON"):
            return p.fail("expected", "':'")
        if line and line[0].value == "def" and p.accepts("LPAR") and len(line) == 2:
            return p.fail("expected", "'('")
        if p.open:
            closer = "')'" if p.before[p.open[-1]].type == "LPAR" else "']'"
            if p.accepts("RPAR" if closer == "')'" else "RSQB"):
                return p.fail("expected", f"',' or {closer}" if p.accepts("COMMA") else closer)
    if p.accepts("NUMBER"):
        return p.fail("expected-expression")
    if p.type == "NEWLINE":
        return p.fail("unexpected-end")
    if p.accepts("NEWLINE"):
        return p.fail("expected-end", p.value)
    return p.fail("unexpected", p.value)
