"""Texts with colours: the language, and its stages.

In: a text, and what it is. Out: the same text for a terminal or for a page. Always holds: nothing that a text contains can drive the
terminal, or be taken for HTML; without Pygments the text has no colours, and nothing else is missing. Pygments is imported when
the first text is coloured.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pygments.formatter import Formatter

# Control characters but tab, newline, and a return before one; what changes the direction of a text or hides in it; lone surrogates.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]|\r(?!\n)"
)

#: Of the page around a text nothing but its font's size and colour is taken over.
_PRE = "margin:0;padding:0;border:0;background:none;line-height:1.25;white-space:pre;overflow-x:auto"


def coloured(text: str, language: str) -> str:
    """The text with the colours of a terminal, as escape sequences; characters that could drive the terminal are made visible.

    `language` is "jib" or one of `jib.STAGES`; ValueError for any other.

    >>> coloured("a + 0.5", "jib")
    'a + \\x1b[32m0.5\\x1b[39m'
    """
    text = visible(text)
    try:
        from pygments.formatters.terminal256 import Terminal256Formatter

        from .palette import Terminal
    except ImportError:
        _check(language)
        return text
    return _formatted(text, language, Terminal256Formatter(style=Terminal))


def html(text: str, language: str) -> str:
    """The text as one `<pre>` of HTML, whose colours stand in it; can be read on dark pages and on light ones.

    `language` is "jib" or one of `jib.STAGES`; ValueError for any other.

    >>> print(html("a < 0.5", "jib"))
    <pre style="...">a &lt; <span style="color: #3A843C">0.5</span></pre>
    """
    text = visible(text)
    try:
        from pygments.formatters.html import HtmlFormatter

        from .palette import Page
    except ImportError:
        from html import escape

        _check(language)
        return f'<pre style="{_PRE}">{escape(text)}</pre>'
    inner = _formatted(text, language, HtmlFormatter(style=Page, noclasses=True, nowrap=True))
    # Pygments ends the last line. A newline right behind <pre> is none to HTML.
    inner = inner if text.endswith("\n") else inner.removesuffix("\n")
    return "".join((f'<pre style="{_PRE}">', "\n" if inner.startswith("\n") else "", inner, "</pre>"))


def wants_colour(stream: Any) -> bool:
    """Whether a stream is one to colour texts for: a terminal, unless the environment says otherwise.

    `NO_COLOR` says no, else `FORCE_COLOR` yes, else `TERM=dumb` no, as in Python itself.

    >>> import io
    >>> wants_colour(io.StringIO())
    False
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return os.environ["FORCE_COLOR"] != "0"
    if os.environ.get("TERM") == "dumb":
        return False
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError, OSError):  # no stream, a closed one
        return False


def visible(text: str) -> str:
    """The text with escapes in place of characters that could drive a terminal or hide something.

    >>> print(visible("\\x1b[2J \\u202e\\ud800 é"))
    \\x1b[2J \\u202e\\ud800 é
    """
    return _HIDDEN.sub(_escape, text)


def aligned(text: str) -> str:
    """As `visible`, but with one sign for each such character, so that carets under the text stay where they are.

    >>> aligned("\x1b[2J \u202e")
    '␛[2J �'
    """
    return _HIDDEN.sub(_sign, text)


def _sign(match: re.Match[str]) -> str:
    code = ord(match.group())
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _check(language: str) -> None:
    from . import STAGES

    if language not in ("jib", *STAGES):
        raise ValueError(f"language must be 'jib' or one of {', '.join(map(repr, STAGES))}, not {language!r:.80}")


def _formatted(text: str, language: str, formatter: Formatter[str]) -> str:
    from io import StringIO

    from .lexers import BY_LANGUAGE

    _check(language)
    out = StringIO()
    # Not `pygments.lex`, which drops empty lines at both ends and adds one.
    tokens = BY_LANGUAGE[language]().get_tokens_unprocessed(text)
    formatter.format(((kind, part) for _, kind, part in tokens if part), out)
    return out.getvalue()
