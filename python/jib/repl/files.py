"""Sessions and arrays in files.

In: the name of a file. Out: what was read or written, in a line. Always holds: a file is replaced as a whole or not at all; one that was
not saved by jib is never replaced by `:save`; of what is read no more is kept than a text may have.
"""

from __future__ import annotations

import os
import re
from copy import copy
from typing import TYPE_CHECKING

from ..highlight import visible
from ..whole import write
from .console import CommandError, is_empty, shown, type_of

if TYPE_CHECKING:
    from .console import Console


def load(console: Console, rest: str) -> str | None:
    from .report import report

    path = _file(rest, "load")
    if path.endswith(".npy"):
        return _load_array(console, path)
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read(console.session.options.limits.characters + 2)
    except UnicodeDecodeError as problem:
        raise CommandError(f"cannot read {visible(path)}: it is not UTF-8 at byte {problem.start}") from None
    except (OSError, ValueError) as problem:
        raise refused("read", path, problem) from None
    if is_empty(text):
        return "there is nothing in it"
    before = set(console.session)
    try:
        value = console.session.run(text, file=path)
    except Exception as problem:
        raise CommandError(report(problem)) from None
    console.warn()
    if value is not None:
        return shown(value)
    new = sorted(set(console.session) - before)
    return _names(len(console.session)) + (f", new: {', '.join(new[:20])}{', ...' * (len(new) > 20)}" if new else "")


def _load_array(console: Console, path: str) -> str:
    """An array of NumPy's, which gets the name of its file."""
    name = os.path.basename(path)[: -len(".npy")]
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        raise CommandError(f"an array gets the name of its file, and {visible(name)} is no name")
    try:
        import numpy

        array = numpy.load(path, allow_pickle=False)
    except ImportError:
        raise CommandError("arrays need NumPy, which is not installed") from None
    except (OSError, ValueError, EOFError) as problem:
        raise refused("read", path, problem) from None
    try:
        console.session[name] = array
    except (TypeError, ValueError) as problem:
        raise CommandError(str(problem)) from None
    return f"{name} is {type_of(array)} of shape {array.shape}"


def refused(what: str, path: str, problem: Exception) -> CommandError:
    """That a file cannot be read or written, and why."""
    return CommandError(f"cannot {what} {visible(path)}: {visible(getattr(problem, 'strerror', None) or str(problem))}")


def _names(count: int) -> str:
    return f"{count} name{'s' * (count != 1)}"


HEADER = "# Saved by jib; :load brings it back.\n"


def save(console: Console, rest: str) -> str:
    path = _file(rest, "save")
    session = copy(console.session)
    if "_" in session:
        del session["_"]
    text = HEADER + session.save()
    try:
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                if file.read(len(HEADER)) not in ("", HEADER):
                    raise CommandError(f"{visible(path)} was not saved by jib; it stays as it is: choose another name")
        write(path, text)
    except (OSError, ValueError) as problem:
        raise refused("write", path, problem) from None
    return f"{_names(len(session))} in {visible(path)} now"


def _file(rest: str, name: str) -> str:
    if not rest:
        raise CommandError(f":{name} needs the name of a file")
    if len(rest) > 2 and rest[0] == rest[-1] and rest[0] in "'\"":
        rest = rest[1:-1]
    return os.path.expanduser(rest)
