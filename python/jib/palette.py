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
    Keyword: ("bold ansimagenta", "bold #b448c6"),
    Keyword.Type: ("nobold ansicyan", "nobold #008292"),
    Keyword.Constant: ("nobold ansigreen", "nobold #3a843c"),
    Keyword.Pseudo: ("nobold", "nobold #767676"),
    Operator.Word: ("bold ansimagenta", "bold #b448c6"),
    Name.Builtin: ("ansicyan", "#008292"),
    Name.Constant: ("ansicyan", "#008292"),
    Name.Exception: ("ansicyan", "#008292"),
    Name.Namespace: ("ansicyan", "#008292"),
    Name.Function: ("bold", "bold"),
    Name.Class: ("bold", "bold"),
    Name.Tag: ("bold", "bold"),
    Name.Label: ("bold", "bold"),
    Name.Entity: ("italic", "italic"),
    Literal: ("ansigreen", "#3a843c"),
    Literal.String.Doc: ("italic", "italic"),
    Literal.String.Escape: ("bold", "bold"),
    Error: ("underline ansired", "underline #d83c3c"),
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
