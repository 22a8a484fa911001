"""Text number k.

In: a number. Out: `Text`: a text, and how to compile it.
Always holds: one number always gives the same text in the same checkout.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple

import jib

from .corpus import NAMES, NUMBERS, PROGRAMS, derive, pieces, words

PER_SEED = 10**9
LONGEST = 20_000  # characters; texts at the limits have tests of their own
TYPES = ("int", "float", "bool", "int", "float", "i8", "u8", "i32", "u64", "f32", "tuple[int, float]")
STRANGE = "\x00\x0b\x0c\x1c\x85\xa0é²ａа\u200b\u2028\u202e\ud800\udfff\ufeff\U0001d44e\U0010ffff\t\r\\"


class Text(NamedTuple):
    number: int
    kind: str
    text: str
    options: dict[str, Any]  # of jib.compile
    types: tuple[str, ...]  # of the first parameters, then the last of them again
    arguments: Random


def text(number: int) -> Text:
    draw = Random(number)
    kind = draw.choices(list(KINDS), cum_weights=_SHARES)[0]
    made = KINDS[kind](draw)[:LONGEST]
    options: dict[str, Any] = {}
    if draw.random() < 0.06:
        options["limits"] = jib.Limits(*[1 << draw.randrange(size) for size in (10, 8, 5, 4, 4, 8)])
    if draw.random() < 0.12:
        options["arithmetic"] = "numpy"
    if draw.random() < 0.5:
        options["opt_level"] = "none"
    types = tuple([draw.choice(TYPES) for _ in range(4)])
    return Text(number, kind, made, options, types, draw)


def _bytes(draw: Random) -> str:
    data = draw.randbytes(draw.randrange(1, 60))
    if draw.random() < 0.5:
        data = bytes([byte & 0x7F for byte in data])
    if draw.random() < 0.5:
        return data.decode("latin-1")
    return data.decode("utf-8", "surrogateescape")


def _characters(draw: Random) -> str:
    limit = draw.choice((128, 256, 0x3000, 0x110000))
    return "".join([chr(draw.randrange(limit)) for _ in range(draw.randrange(1, 30))])


def _soup(draw: Random) -> str:
    between = draw.choice((" ", " ", ""))
    return between.join(draw.choices(words(), k=draw.randrange(1, 25)))


def _sentence(draw: Random) -> str:
    """A sentence of the grammar, sometimes with a mistake in it."""
    found = derive(draw, draw.choice((20, 40, 80, 150)))
    if draw.random() < 0.4:
        found = _edit_pieces(draw, found)
    return "".join(found)


def _mutation(draw: Random) -> str:
    program = draw.choice(PROGRAMS)
    text, parts = program.text, program.pieces
    for _ in range(draw.choice((1, 1, 1, 1, 2, 5))):
        at = draw.random()
        if at < 0.65:
            parts = _edit_pieces(draw, parts)
            text = "".join(parts)
        else:
            text = _edit_lines(draw, text) if at < 0.8 else _edit_characters(draw, text)
            parts = pieces(text)
    return text


def _splice(draw: Random) -> str:
    """The beginning of one program and the end of another, or one inside the other."""
    one, other = draw.choice(PROGRAMS), draw.choice(PROGRAMS)
    at, there = draw.randrange(len(one.pieces) + 1), draw.randrange(len(other.pieces) + 1)
    if draw.random() < 0.3:
        return one.text + other.text
    if draw.random() < 0.3:
        return "".join([*one.pieces[:at], *other.pieces[:there], *one.pieces[at:]])
    return "".join([*one.pieces[:at], *other.pieces[there:]])


def _repetition(draw: Random) -> str:
    """A few pieces of a program many times over: chains, nests, long suites."""
    parts = draw.choice(PROGRAMS).pieces if draw.random() < 0.7 else draw.choices(words(), k=12)
    at = draw.randrange(len(parts) + 1)
    end = at + draw.randrange(1, 8)
    times = draw.choice((3, 10, 50, 201, 400))
    return "".join([*parts[:at], *parts[at:end] * times, *parts[end:]])


def _edit_pieces(draw: Random, parts: list[str]) -> list[str]:
    """One deletion, insertion, exchange, repetition or replacement of pieces."""
    parts = list(parts)
    if not parts:
        return [draw.choice(words())]
    at, other = draw.randrange(len(parts)), draw.randrange(len(parts))
    match draw.randrange(10):
        case 0:
            del parts[at : at + draw.randrange(1, 4)]
        case 1:
            parts.insert(at, draw.choice(words()))
        case 2:
            parts[at], parts[other] = parts[other], parts[at]
        case 3:
            parts[at:at] = parts[at : at + draw.randrange(1, 5)]
        case 4:
            parts[at] = draw.choice(words())
        case 5:
            parts[at] = parts[other]
        case 6:
            parts[at] = draw.choice(draw.choice(PROGRAMS).pieces)
        case _:  # a word for one of its kind: most of these stay programs
            alike = [place for place, part in enumerate(parts) if part[:1].isalnum()]
            if alike:
                at = draw.choice(alike)
                parts[at] = draw.choice(NUMBERS if parts[at][0].isdigit() else NAMES)
    return parts


def _edit_lines(draw: Random, text: str) -> str:
    """One line is dropped, doubled, moved, indented more or less, joined to the next, or ended otherwise."""
    lines = text.split("\n")
    at, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    match draw.randrange(8):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[other])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = draw.choice((" ", "    ", "\t", "  \t", "\f")) + lines[at]
        case 4:
            lines[at] = lines[at][draw.randrange(1, 5) :]
        case 5:
            lines[at] += draw.choice(("\\", ";", "#", " ", ":", "\r", "\f"))
        case 6:
            lines[at:] = [" " + line for line in lines[at:]]
        case _:
            lines[at : at + 2] = ["".join(lines[at : at + 2])]
    return "\n".join(lines)


def _edit_characters(draw: Random, text: str) -> str:
    at = draw.randrange(len(text) + 1)
    new = draw.choice(
        ("", chr(draw.randrange(1, 128)), draw.choice(STRANGE), chr(draw.randrange(0x110000)), text[at : at + 1] * 2)
    )
    return text[:at] + new + text[at + draw.randrange(3) :]


KINDS: dict[str, Callable[[Random], str]] = {
    "bytes": _bytes, "characters": _characters, "soup": _soup, "sentence": _sentence, "repetition": _repetition, "splice": _splice,
    "mutation": _mutation,
}  # fmt: skip
_SHARES = list(accumulate((8, 7, 20, 12, 3, 8, 42)))
