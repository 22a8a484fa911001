"""What to say of characters that begin no word of the language.

In: a text and the place of such a character. Out: the error: an unterminated string, a number gone wrong, a look-alike...
Always holds: there is an answer for every character; the look at the text around it is bounded or linear.
"""

from __future__ import annotations

import re
import unicodedata

from .errors import JitError, error
from .source import Source, Span

_LOOK_ALIKE = {
    "\u2212": "-", "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u00d7": "*", "\u2217": "*",
    "\u22c5": "*", "\u00b7": "*", "\u00f7": "/", "\u2215": "/", "\u2044": "/", "\u2264": "<=", "\u2265": ">=", "\u2260": "!=",
    "\u2026": "...", "\u2192": "->", "\u00b2": "**2", "\u00b3": "**3", "\u2227": "and", "\u2228": "or", "\u00ac": "not",
    "\u0430": "a", "\u0441": "c", "\u0435": "e", "\u0456": "i", "\u0458": "j", "\u043e": "o", "\u0440": "p", "\u0455": "s",
    "\u0445": "x", "\u0443": "y", "\u0391": "A", "\u0392": "B", "\u0415": "E", "\u0410": "A", "\u0412": "B", "\u0421": "C",
    "\u041d": "H", "\u041a": "K", "\u041c": "M", "\u041e": "O", "\u0420": "P", "\u0422": "T", "\u0425": "X", "\u03bf": "o",
}  # fmt: skip
_QUOTES = {"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u201f": '"', "\u00ab": '"', "\u00bb": '"', "\u2018": "'", "\u2019": "'",
           "\u201a": "'", "\u201b": "'", "\u2032": "'", "\u00b4": "'", "\u2033": '"'}  # fmt: skip
_LONGEST = 400  # characters of a number of which more is said than that it is none: the patterns below can take the square of that
_BASES = {"x": ("hexadecimal", "0-9a-fA-F"), "o": ("octal", "0-7"), "b": ("binary", "01")}


def strange(source: Source, at: int) -> JitError:
    """The error of the character at a place.

    >>> strange(Source("1j"), 0).msg
    'complex numbers are not part of the language'
    """
    text = source.text
    character = text[at]
    if character in "\"'":
        return _string(source, at, at)
    if character.isascii() and (character.isalpha() or character == "_"):
        word = re.compile(r"[A-Za-z0-9_]*").match(text, at)
        assert word is not None
        if text[word.end() : word.end() + 1] in ('"', "'"):
            return _prefix(source, at, word.end())
        return _unicode(source, word.end())
    if character in ".0123456789":
        return _number(source, at)
    if not character.isascii():
        return _unicode(source, at)
    span = Span(at, at + 1)
    if character == "\\" and text[at + 1 :] in ("", "\n", "\r\n"):
        return error("end-after-backslash", source, span)
    if character == "\\":
        return error("after-backslash", source, span)
    if character in "{}":
        return error("brace", source, span, character)
    if character == "?":
        return error("question-mark", source, span)
    if character == "!":
        return error("respell", source, span, "!", "not")
    shown = character if character.isprintable() else f"\\x{ord(character):02x}"
    return error("character", source, span, shown, f"U+{ord(character):04X}")


def _string(source: Source, start: int, quote: int) -> JitError:
    """A quote that has no end."""
    text = source.text
    if text[quote : quote + 3] == text[quote] * 3:
        return error("unterminated-triple-string", source, Span(start, quote + 3))
    end = re.compile(r"[^\r\n]*").match(text, start)
    assert end is not None
    return error("unterminated-string", source, Span(start, end.end()))


def _prefix(source: Source, start: int, quote: int) -> JitError:
    """Letters that run into a quote."""
    prefix = source.text[start:quote]
    span = Span(start, quote + 1)
    letters = "".join(sorted(prefix.lower()))
    if letters in ("r", "u"):
        return _string(source, start, quote)
    if letters in ("f", "fr"):
        return error("f-string", source, span)
    if letters in ("b", "br"):
        return error("b-string", source, span)
    return error("string-prefix", source, Span(start, quote), prefix if len(prefix) <= 40 else prefix[:40] + "...")


def _number(source: Source, at: int) -> JitError:
    """A number gone wrong."""
    text = source.text
    found = re.compile(r"0[xXoObB]\w*|\.?[0-9](?:[eE][-+][0-9]|[\w.])*").match(text, at)
    if found is None:
        return error("unexpected", source, Span(at, at + 1), ".")
    number, span = found[0], Span(*found.span())
    shown = number if len(number) <= 40 else number[:40] + "..."
    if len(number) > _LONGEST:
        return error("number", source, span, shown)
    if number[:1] == "0" and number[1:2].lower() in _BASES:
        base, digits = _BASES[number[1].lower()]
        if len(number) == 2:
            return error("number-empty", source, span, number)
        wrong = re.search(rf"[^{digits}_]", number[2:])
        if wrong:
            place = at + 2 + wrong.start()
            return error(
                "number-digit", source, Span(place, place + 1), wrong[0], f"{'an' if base == 'octal' else 'a'} {base}"
            )
        if "_" in number:
            return error("number-underscore", source, span)
        return error("number", source, span, shown)
    if re.fullmatch(r"[0-9_.]+(?:[eE][-+]?[0-9_]+)?[jJ]", number):
        return error("complex", source, span)
    if re.fullmatch(r"[0-9_.]+[eE]", number):
        return error("number-empty", source, span, shown)
    if re.fullmatch(r"[0-9_.]+(?:[eE][-+]?[0-9_]+)?", number) and "_" in number:
        return error("number-underscore", source, span)
    name = re.search(r"(?<=[0-9.])[^\W0-9_]\w*$", number)
    if name and name.start() and re.fullmatch(r"[0-9_]*\.?[0-9_]*", number[: name.start()]):
        head = number[: name.start()]
        return error("number-name", source, span, head[:40], name[0][:40])
    return error("number", source, span, shown)


def _unicode(source: Source, at: int) -> JitError:
    """A character outside ASCII."""
    character = source.text[at]
    span = Span(at, at + 1)
    code = f"U+{ord(character):04X}"
    category = unicodedata.category(character)
    if character in _QUOTES:
        return error("smart-quote", source, span, character, code, _QUOTES[character])
    if category in ("Zs", "Zl", "Zp"):
        return error("space-character", source, span, code)
    if category in ("Cf", "Cc", "Cn", "Co"):
        return error("invisible-character", source, span, code)
    plain = _LOOK_ALIKE.get(character) or unicodedata.normalize("NFKC", character)
    if plain.isascii() and plain.isprintable():
        return error("look-alike", source, span, character, code, plain)
    if category[0] in "LMN":
        return error("name-character", source, span, character, code)
    return error("character", source, span, character, code)
