"""The words of the language, for whoever completes what somebody is typing.

In: the beginning of a word. Out: what it could become. Always holds: no names are invented: they come from the table of builtins, those of
types and exceptions, and the grammar's words.
"""

from __future__ import annotations

from typing import NamedTuple


class Candidate(NamedTuple):
    """A word that may stand there, how it is shown, and what it is."""

    text: str
    shown: str
    what: str


def words() -> list[str]:
    """The words that are no names.

    >>> "while" in words(), "class" in words()
    (True, False)
    """
    from .parse import lexicon

    return [word for word, terminal in lexicon().words.items() if terminal != "FOREIGN"]


def candidates(word: str) -> dict[str, Candidate]:
    """What the language has that begins like this, by its text; after `math.`, of that module.

    >>> candidates("sq")
    {'sqrt': Candidate(text='sqrt', shown='sqrt(x, /)', what='The square root.'), 'square': Candidate(text='square', ...)}
    >>> [*candidates("math.hy"), *candidates("els"), *candidates("f6"), *candidates("Zero")]
    ['math.hypot', 'else', 'f64', 'ZeroDivisionError']
    """
    from . import builtins
    from .lower.annotations import SCALARS

    module, dot, start = word.rpartition(".")
    plain = [] if dot else [*words(), *builtins.MODULES, *SCALARS, *builtins.exceptions()]
    found = {name: Candidate(name, name, "") for name in plain if name.startswith(start)}
    for name in builtins.names():
        row = builtins.resolve(name)
        if row is None or not name.startswith(start) or "." in name:
            continue
        spelled = f"{module}{dot}{name}"
        if builtins.resolve(spelled) is not None:
            found[spelled] = Candidate(spelled, name if row.constant else f"{name}({row.signature})", row.doc)
    return found
