"""What may come next in `%jib` and `%%jib`. No IPython here.

In: a cell as far as it is written, and where the cursor is. Out: the word before the cursor, and what it may become; None where the text is
none of jib's. Always holds: nothing is evaluated, no object is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..vocabulary import candidates

_WORD = re.compile(r"[A-Za-z_][\w.]*\Z|\Z")
_OPTION = re.compile(r"\S*\Z")
_CELL = re.compile(r"\s*%%jib(?![\w.])")
_LINE = re.compile(r"\s*(?:[\w,.\[\] \t]*=\s*)?%jib(?![\w.])[ \t]+")
_NAMES = re.compile(r"[A-Za-z_]\w*")

#: Of a cell that is longer, only the names of its beginning are known.
MOST = 100_000


class Completions(NamedTuple):
    """The end of the text that is completed, and its completions."""

    fragment: str
    texts: list[str]


def completions(
    text: str, line_number: int, line: str, names: Iterable[str], options: Mapping[str, Iterable[str] | None]
) -> Completions | None:
    """The completions at the end of `line`, which is the beginning of that line of a cell.

    `names` are those of the session and the namespace; `options` the words of `%%jib` and the values they take.

    >>> completions("%jib hyp", 0, "%jib hyp", ["hypo"], {})
    Completions(fragment='hyp', texts=['hypo', 'hypot'])
    >>> completions("%%jib --du", 0, "%%jib --du", [], {"--dump": None})
    Completions(fragment='--du', texts=['--dump'])
    >>> completions("hyp", 0, "hyp", [], {}) is None
    True
    """
    if _CELL.match(text) is not None:
        above = text.count("\n", 0, len(text) - len(text.lstrip()))
        if line_number == above:
            return _option(line, options) if _CELL.match(line) else None
        names = [*names, *_NAMES.findall(text, text.find("\n", len(text) - len(text.lstrip())), MOST)]
    elif _LINE.match(line) is None:
        return None
    return _name(line, names)


def _option(line: str, options: Mapping[str, Iterable[str] | None]) -> Completions:
    match = _OPTION.search(line)
    fragment = match.group() if match is not None else ""
    words = line[: len(line) - len(fragment)].split()
    values: Iterable[str] | None = options.get(words[-1]) if words else None
    return Completions(fragment, [each for each in values or options if each.startswith(fragment)])


def _name(line: str, names: Iterable[str]) -> Completions:
    match = _WORD.search(line)
    fragment = match.group() if match is not None else ""
    known = {*candidates(fragment), *[name for name in names if name.startswith(fragment)]}
    return Completions(fragment, sorted(known - {fragment}))
