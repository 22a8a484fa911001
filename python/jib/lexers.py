"""Lexers for Pygments: the language, and the texts of its stages.

In: a text. Out: Pygments' tokens, which together are the text. Always holds: no text fails, and time is linear in its length; the
words of the language are those of its own tables (the grammar's terminals, the builtins, the types), so what is no part of it looks wrong.

Whatever knows Pygments finds them by name (`jib`, `jib-ast`, `jib-ir`, `jib-asm`, `clif`), through the entry points in pyproject.toml.
The tables are read when the first text is coloured: Pygments imports this file also while it looks for other lexers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from pygments.lexer import Lexer, RegexLexer, bygroups, using
from pygments.lexers.graphviz import GraphvizLexer
from pygments.token import (
    Comment,
    Error,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Text,
    Whitespace,
    _TokenType,
)  # fmt: skip

if TYPE_CHECKING:
    from .layout import Lexicon

_Token = tuple[int, _TokenType, str]

# The groups of the lexicon's regular expression, in their order there.
_NAME, _NUMBER, _OPERATOR, _STRING, _NEWLINE, _COMMENT, _CONTINUATION, _OTHER = range(1, 9)
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^{}\n\\]*\}|[0-7]{1,3}|(?s:.))")
_LINE = re.compile(r"[^\r\n]*")
_WORD = re.compile(r"[\w.]+")
_OPERATORS = frozenset("+-*/%&|^~<>=!")


@cache
def _tables() -> tuple[Lexicon, dict[str, _TokenType]]:
    """The lexicon, and what kind of word each name is that means something by itself."""
    from . import builtins
    from .lower.annotations import SCALARS
    from .parse import lexicon

    kinds: dict[str, _TokenType] = dict.fromkeys(builtins.MODULES, Name.Namespace)
    for name in builtins.names():
        row = builtins.resolve(name)
        kinds[name] = Name.Constant if row is not None and row.constant else Name.Builtin
    kinds |= dict.fromkeys((*SCALARS, "tuple"), Keyword.Type)
    kinds |= dict.fromkeys(builtins.exceptions(), Name.Exception)
    found = lexicon()
    for word, terminal in found.words.items():
        kinds[word] = Error if terminal == "FOREIGN" else Keyword
    kinds |= dict.fromkeys(("and", "or", "not", "in"), Operator.Word)
    kinds |= dict.fromkeys(("None", "True", "False"), Keyword.Constant)
    return found, kinds


class JibLexer(Lexer):
    """The language. It reads words as the parser does, by the same regular expression: what that has no word for is an Error.

    >>> from pygments.token import Error
    >>> tokens = list(JibLexer().get_tokens("sqrt(x) if x is 1"))
    >>> "".join(text for _, text in tokens)
    'sqrt(x) if x is 1\\n'
    >>> [text for kind, text in tokens if kind is Error]
    ['is']
    """

    name = "jib"
    aliases: ClassVar[list[str]] = ["jib"]
    filenames: ClassVar[list[str]] = ["*.jib"]
    mimetypes: ClassVar[list[str]] = ["text/x-jib"]
    url = ""

    def get_tokens_unprocessed(self, text: str) -> Iterator[_Token]:
        """The tokens with their places; also of a text that is not finished yet."""
        lexicon, kinds = _tables()
        # `before` is the name or operator before; `fresh` says whether a statement begins.
        at, before, fresh = 0, "", True
        own: set[str] = set()  # what the text defines is no builtin from there on
        while at < len(text):
            for match in lexicon.scan(text, at):
                group = match.lastindex
                if group is None:  # spaces at the end
                    break
                start, end = match.span(group)
                if at < start:
                    yield at, Whitespace, text[at:start]
                at = end
                word = text[start:end]
                if group == _NAME:
                    if before == "def":
                        own.add(word)
                    yield start, self._name(word, before, kinds, own), word
                elif group == _NUMBER:
                    yield start, Number.Integer if word.isdecimal() else Number, word
                elif group == _OPERATOR:
                    yield start, Operator if word[0] in _OPERATORS and word != "->" else Punctuation, word
                elif group == _STRING:
                    yield from _pieces(start, word, String.Doc if fresh else String)
                elif group == _COMMENT:
                    yield start, Comment.Single, word
                elif group == _OTHER:
                    # To look again right behind it could take time without bound.
                    at = _strange(text, start)
                    # A string that does not end may be one that is being written: its quote says that something is missing.
                    end = at if word not in "'\"" else start + 3 if text.startswith(word * 3, start) else start + 1
                    yield start, Error, text[start:end]
                    if end < at:
                        yield end, String, text[end:at]
                    before, fresh = "", False
                    break
                else:
                    yield start, Whitespace, word
                if group != _COMMENT:
                    before = word if group in (_NAME, _OPERATOR) else ""
                    fresh = group == _NEWLINE or (group == _OPERATOR and word == ":") or (fresh and not word.strip())
            else:
                continue
            if group is None:
                break
        if at < len(text):
            yield at, Whitespace, text[at:]

    def _name(self, word: str, before: str, kinds: dict[str, _TokenType], own: set[str]) -> _TokenType:
        kind = kinds.get(word, Name)
        if before == "def":
            return Name.Function if kind is not Keyword and kind is not Error else Error
        if before == "." and kind not in (Keyword, Error, Operator.Word, Keyword.Constant):
            return Name.Attribute if kind is not Name.Builtin and kind is not Name.Constant else kind
        return Name if word in own and kind in (Name.Builtin, Name.Constant) else kind


def _pieces(start: int, word: str, kind: _TokenType) -> Iterator[_Token]:
    """A string, with its escapes by themselves."""
    if word[0] not in "rR":
        at = 0
        for match in _ESCAPE.finditer(word):
            if at < match.start():
                yield start + at, kind, word[at : match.start()]
            at = match.end()
            yield start + match.start(), String.Escape, match.group()
        start, word = start + at, word[at:]
    if word:
        yield start, kind, word


def _strange(text: str, start: int) -> int:
    """Where what has no meaning ends: a word with what it runs into, a string that does not end with its line, or text."""
    for quotes in ('"""', "'''"):
        if text.startswith(quotes, start):
            return len(text)
    if text[start] in "'\"":
        line = _LINE.match(text, start)
        assert line is not None
        return line.end()
    run = _WORD.match(text, start)
    return start + 1 if run is None else run.end()


# ---------------------------------------------------------------------------------------------------------- stages
#
# Each pattern takes all that it looks at, or a bounded part of a line, so that no character is looked at again and again.

_PLACE = (r"@[0-9]+:[0-9]+", Comment.Special)
_REMARK = (r"(;[ \t]*[0-9]+[ \t]*\|)([^\n]*)", bygroups(Comment.Special, using(JibLexer)))  # a line of the source
_TYPE = r"(?:[iu](?:8|16|32|64|128)|f(?:16|32|64|128))(?:x[0-9]{1,3})?(?![\w$])"
_SPACE = (r"[ \t\r\f]+|\n", Whitespace)
_NUMBERS = re.compile(r"[-+]?(?:[0-9]|\.[0-9]|inf|nan)")


def _word(kinds: dict[str, _TokenType], first: _TokenType) -> Any:
    """A callback for words: numbers, those of a table, else `first` where a line's instruction stands, and a plain name anywhere else."""

    def classify(lexer: Lexer, match: re.Match[str], context: object = None) -> Iterator[_Token]:
        word, start = match.group(), match.start()
        kind = kinds.get(word)
        if kind is None:
            if _NUMBERS.match(word):
                kind = Number
            else:
                line = match.string[max(start - 60, match.string.rfind("\n", max(start - 60, 0), start) + 1) : start]
                kind = first if _BEGINNING.fullmatch(line) else Name
        yield start, kind, word

    return classify


#: What may stand before an instruction: its place, its address and bytes, and the names of its results.
_BEGINNING = re.compile(r"[ \t]*(?:@[0-9]+:[0-9]+[ \t]+)?(?:[%\w]+(?:, ?[%\w]+)* = )?")


class AstLexer(RegexLexer):
    """The tree as text: `jib.Function.dump("ast")`."""

    name = "jib tree"
    aliases: ClassVar[list[str]] = ["jib-ast"]
    url = ""
    tokens: ClassVar[dict[str, Any]] = {
        "root": [
            _SPACE, _PLACE, _REMARK,
            (r"'(?:[^'\\\n]|\\.)*'?|\"(?:[^\"\\\n]|\\.)*\"?", String),
            (r"([a-z_]\w{0,40}(?:\.[0-9]{1,9})?)(:)", bygroups(Name.Attribute, Punctuation)),
            (r"([a-z_]\w{0,40})(=)", bygroups(Name.Attribute, Operator)),
            (r"(?:None|True|False)(?!\w)", Keyword.Constant),
            (r"[A-Z]\w*", Name.Class),
            (r"-?[0-9][\w.]*(?:e-[0-9]+)?", Number),
            (r"[()\[\],]", Punctuation),
            (r"\w+", Name),
        ]
    }  # fmt: skip


class IrLexer(RegexLexer):
    """The IR and the typed IR as text: `jib.Function.dump("ir")`, `dump("typed-ir")`."""

    name = "jib IR"
    aliases: ClassVar[list[str]] = ["jib-ir"]
    url = ""
    tokens: ClassVar[dict[str, Any]] = {
        "root": [
            _SPACE, _PLACE, _REMARK,
            (r";[^\n]*", Comment.Single),
            (r"%[0-9]+", Name.Variable),
            (r"block[0-9]+", Name.Label),
            (r"(func)([ \t]+)([^\s(]+)", bygroups(Keyword.Declaration, Whitespace, Name.Function)),
            (r'"(?:[^"\\\n]|\\.)*"?', String),
            (_TYPE, Keyword.Type),
            (r"->", Punctuation),
            (
                r"[-+]?[\w.]+(?:e[-+][0-9]+)?",
                _word(
                    dict.fromkeys(("int", "float", "bool", "tuple"), Keyword.Type)
                    | dict.fromkeys(("None", "True", "False"), Keyword.Constant)
                    | dict.fromkeys(("lines", "locals", "externs"), Keyword.Declaration)
                    | dict.fromkeys(("jump", "branch", "return", "raise", "call", "fail"), Keyword),
                    Name.Builtin,
                ),
            ),
            (r"[(),:=\[\]<>*]", Punctuation),
        ]
    }  # fmt: skip


class ClifLexer(RegexLexer):
    """CLIF, Cranelift's IR: `jib.Function.dump("clif")`, `dump("clif-opt")`."""

    name = "CLIF"
    aliases: ClassVar[list[str]] = ["clif"]
    filenames: ClassVar[list[str]] = ["*.clif"]
    url = "https://github.com/bytecodealliance/wasmtime/blob/main/cranelift/docs/ir.md"
    tokens: ClassVar[dict[str, Any]] = {
        "root": [
            _SPACE, _PLACE, _REMARK,
            (r";[^\n]*", Comment.Single),
            (r"block[0-9]+", Name.Label),
            (r"v[0-9]+(?!\w)", Name.Variable),
            (r"(?:sig|fn|ss|dss|gv|const|jt|mt|u)[0-9]+(?:[:_][0-9]+)?(?!\w)", Name.Entity),
            (_TYPE, Keyword.Type),
            (r"%[\w.]*", Name.Function),
            (r'"(?:[^"\\\n]|\\.)*"?', String),
            (r"->", Punctuation),
            (
                r"[-+]?[\w.]+(?:[-+][0-9]+)?",
                _word(
                    dict.fromkeys(("function", "test", "target", "set"), Keyword.Declaration)
                    | dict.fromkeys(("jump", "brif", "br_table", "return", "call", "call_indirect"), Keyword)
                    | dict.fromkeys(
                        ("system_v", "fast", "tail", "cold", "colocated", "preserve_all", "notrap", "aligned", "readonly"),
                        Keyword.Pseudo,
                    ),
                    Name.Builtin,
                ),
            ),
            (r"[(){}\[\],:=+*-]", Punctuation),
        ]
    }  # fmt: skip


class AsmLexer(RegexLexer):
    """Machine code as text, with addresses, and places of the source as remarks: `jib.Function.dump("asm")`."""

    name = "jib machine code"
    aliases: ClassVar[list[str]] = ["jib-asm"]
    url = ""
    tokens: ClassVar[dict[str, Any]] = {
        "root": [
            (
                r"([ \t]*)([0-9a-f]{1,16}:?)([ \t]+)((?:[0-9a-f]{2}[ \t]){0,16})([ \t]*)([a-z][\w.]*)?",
                bygroups(Whitespace, Number.Hex, Whitespace, Comment.Special, Whitespace, Name.Builtin),
                "line",
            ),
            (r"[ \t\r\f]+", Whitespace),
            (r"(?=[^\n])", Text, "line"),
            (r"\n", Whitespace),
        ],
        "line": [
            (r"\n", Whitespace, "#pop"),
            (r"[ \t\r\f]+", Whitespace),
            _REMARK,
            (r";[^\n]*", Comment.Single),
            (r"(?:lock|rep|repne|repe)(?!\w)", Keyword.Pseudo),
            (r"%[\w]*", Name.Variable),
            (r"[$#]?-?(?:0x[0-9a-f]+|[0-9]+(?:\.[0-9]+)?)(?!\w)", Number),
            (r"[$#]?[\w.]+", Name),
            (r"[()\[\]{},:*+!-]", Punctuation),
        ],
    }  # fmt: skip


#: What colours a text of each kind: the language, and the stages of `jib.STAGES`.
BY_LANGUAGE: dict[str, type[Lexer]] = {
    "jib": JibLexer,
    "ast": AstLexer,
    "ir": IrLexer,
    "typed-ir": IrLexer,
    "clif": ClifLexer,
    "clif-opt": ClifLexer,
    "asm": AsmLexer,
    "cfg": GraphvizLexer,
}
