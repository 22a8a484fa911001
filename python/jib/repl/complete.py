"""What may stand where somebody is typing.

In: the text before the cursor, and the session. Out: where the word begins, and what it could become. Always holds: nothing is run; no
names are invented: they come from the session, the language (vocabulary.py), and the tables of commands and settings.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from ..vocabulary import Candidate, candidates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..session import Session

# No word begins within another: so each character is looked at once.
_WORD = re.compile(r"(?<!\w)(?:(?:math\.)?[A-Za-z_]\w*|math\.)\Z|\Z")
_COMMAND = re.compile(r"\s*:(\w*)\Z")
_TARGET = re.compile(r"--target[ =]\s*(\w*)\Z")
_AFTER = re.compile(r"\s*:(\w+)\s+(.*)\Z", re.DOTALL)


def complete(before: str, session: Session) -> tuple[int, list[Candidate]]:
    """How many characters before the cursor belong to the word, and what it could become.

    >>> from jib import Session
    >>> complete("1 + sq", Session())
    (2, [Candidate(text='sqrt', shown='sqrt(x, /)', what='The square root.'), Candidate(text='square', ...)])
    >>> [candidate.text for candidate in complete(":re", Session())[1]]
    [':reset']
    """
    if (found := _COMMAND.match(before)) is not None:
        return len(found[1]) + 1, list(_commands(found[1]))
    after = _AFTER.match(before)
    if after is not None:
        special = _arguments(after[1], after[2])
        if special is not None:
            return special
    found = _WORD.search(before)
    word = found[0] if found is not None else ""
    if not word and before.strip() and (after is None or after[2]):
        return 0, []
    if _is_quoted(before):
        return 0, []
    return len(word), sorted(_names(word, session))


def _is_quoted(before: str) -> bool:
    """Whether the cursor is in a string or a comment of its line."""
    line = before.rpartition("\n")[2]
    rest = re.sub(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", "", line)
    return any(sign in rest for sign in "'\"#")


def _commands(word: str) -> Iterator[Candidate]:
    from .commands import COMMANDS

    for name, row in COMMANDS.items():
        if name.startswith(word):
            yield Candidate(f":{name}", f":{name} {row.takes}".rstrip(), row.help)


def _arguments(name: str, rest: str) -> tuple[int, list[Candidate]] | None:
    """What may follow a command that takes no text of the language."""
    from .commands import COMMANDS
    from .looking import options_of
    from .settings import SETTINGS

    if name == "set":
        word, space, value = rest.partition(" ")
        if not space:
            return len(word), [
                Candidate(each, each, row.help) for each, row in SETTINGS.items() if each.startswith(word)
            ]
        values = SETTINGS[word].values if word in SETTINGS else ()
        return len(value), [Candidate(each, each, "") for each in values if each.startswith(value.lstrip())]
    if name in ("load", "save"):
        return _files(rest)
    if name == "help" and rest.startswith(":"):
        return len(rest), list(_commands(rest[1:]))
    if (found := _TARGET.search(rest)) is not None:
        from ..dump import targets

        return len(found[1]), [
            Candidate(each, each, "") for each, built in targets().items() if built and each.startswith(found[1])
        ]
    last = rest.rpartition(" ")[2]
    if last.startswith("-") and name in COMMANDS:
        return len(last), [
            Candidate(word, f"{word} {row.value}".rstrip(), row.help)
            for word, row in options_of(name).items()
            if word.startswith(last)
        ]
    return None


def _files(start: str) -> tuple[int, list[Candidate]]:
    folder, name = os.path.split(start)
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            found = sorted([each.name + "/" * each.is_dir() for each in entries if each.name.startswith(name)])
    except (OSError, ValueError):
        found = []
    return len(name), [Candidate(each, each, "") for each in found[:200] if name or not each.startswith(".")]


def _names(word: str, session: Session) -> Iterable[Candidate]:
    from .console import head, type_of

    found = candidates(word)
    functions, values = session.functions, session.values
    for name in session:
        if name.startswith(word):
            if name in values:
                found[name] = Candidate(name, name, type_of(values[name]))
            elif name in functions:
                found[name] = Candidate(name, head(session, name).removeprefix("def ")[:60], "yours")
    return found.values()
