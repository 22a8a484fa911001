"""The colours of highlighted texts, as styles of Pygments.

In: nothing. Out: `Terminal` and `Page`. Always holds: both give a kind of token the same role (`ROLES` is the one table); they set no
background, and can be read on a dark one and on a light one.

A terminal's own 16 colours are the ones that its user has made readable; of these blue vanishes on many dark backgrounds, yellow and white
on light ones, and grey in some palettes. So there are four, and bold and italic, which say the same without colours. A page has no such
palette: its colours have nearly the same contrast with white as with black, which is then at least 4 with either.
"""

from __future__ import annotations

from typing import ClassVar

from pygments.style import Style
from pygments.token import Comment, Error, Keyword, Literal, Name, Operator, _TokenType

#: What a kind of token looks like: in terminals, and on pages.
ROLES: dict[_TokenType, tuple[str, str]] = {
    Comment: ("italic", "italic #767676"),
    Keyword: ("bold ansimagenta", "bold #b040c0"),
    Keyword.Type: ("nobold ansicyan", "nobold #007f8f"),
    Keyword.Constant: ("nobold ansigreen", "nobold #38803a"),
    Keyword.Pseudo: ("nobold", "nobold #767676"),
    Operator.Word: ("bold ansimagenta", "bold #b040c0"),
    Name.Builtin: ("ansicyan", "#007f8f"),
    Name.Constant: ("ansicyan", "#007f8f"),
    Name.Exception: ("ansicyan", "#007f8f"),
    Name.Namespace: ("ansicyan", "#007f8f"),
    Name.Function: ("bold", "bold"),
    Name.Class: ("bold", "bold"),
    Name.Tag: ("bold", "bold"),
    Name.Label: ("bold", "bold"),
    Name.Entity: ("italic", "italic"),
    Literal: ("ansigreen", "#38803a"),
    Literal.String.Doc: ("italic", "italic"),
    Literal.String.Escape: ("bold", "bold"),
    Error: ("underline ansired", "underline #d03838"),
}


class Terminal(Style):
    """For terminals, and for the REPL's line."""

    name = "jib"
    styles: ClassVar[dict[_TokenType, str]] = {token: terminal for token, (terminal, _) in ROLES.items()}


class Page(Style):
    """For HTML."""

    name = "jib-page"
    background_color = "inherit"
    styles: ClassVar[dict[_TokenType, str]] = {token: page for token, (_, page) in ROLES.items()}
