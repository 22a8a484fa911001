"""What the names of a session mean at one moment.

In: names, and definitions as they were written. Out: the `Definition` that link.py makes a function of.
Always holds: a `State` is never changed, only replaced as a whole: who holds one may read it without a lock. What was compiled of its
definitions is kept beside them, and is gone with them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Union

from ..function import Options
from ..link import Definition
from ..names import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..errors import CompileError
    from ..function import Function


class Known(NamedTuple):
    """A definition as it was written, the names it uses and does not define, whose meanings change, and the run that made it."""

    text: str
    file: str
    line: int
    columns: tuple[int, ...]
    outside: frozenset[str]
    run: int

    @property
    def head(self) -> str:
        """Its first line, or as much as people want to see of it."""
        line = self.text.split("\n", 1)[0].rstrip()
        return line if len(line) <= 80 else f"{line[:77]}..."


class Change(NamedTuple):
    """What happened last to the name of a function: what it was, in which run it became something else, and where that stands, if it is
    a definition."""

    before: str
    run: int
    where: tuple[str, int] | None


Names = dict[str, Union[Known, Value]]


class State(NamedTuple):
    """The names, what happened to those of functions, the options; and the functions that were made of these, which come later."""

    names: Names
    changes: dict[str, Change]
    options: Options
    made: dict[str, Function]

    def replaced(self, changed: Mapping[str, Known | Value | None], run: int) -> State:
        """The state after some names have got other meanings, None for none."""
        names, changes = dict(self.names), self.changes
        for name, meaning in changed.items():
            old = names.pop(name, None) if meaning is None else names.get(name)
            if meaning is not None:
                names[name] = meaning
            if isinstance(old, Known) and meaning is not old:
                if changes is self.changes:
                    changes = dict(changes)
                where = meaning[1:3] if isinstance(meaning, Known) else None
                changes[name] = Change(old.head, run, where)
        return State(names, changes, self.options, {})


def meanings(names: Mapping[str, Known | Value], wanted: Iterable[str]) -> dict[str, Definition | Value]:
    """What some names mean now: values, and definitions with all that they need, each once."""
    made: dict[str, Definition | Value] = {}
    waiting = sorted(wanted)
    while waiting:
        at = waiting.pop()
        known = names.get(at)
        if known is None or at in made:
            continue
        if isinstance(known, Value):
            made[at] = known
        else:
            made[at] = Definition(*known[:4])
            waiting += known.outside
    for at, found in made.items():
        if isinstance(found, Definition):
            known = names[at]
            assert isinstance(known, Known)
            found.names = {each: made[each] for each in known.outside if each in made}
    return {name: made[name] for name in wanted if name in made}


def definition(names: Mapping[str, Known | Value], name: str) -> Definition:
    """A definition, with all that it needs."""
    found = meanings(names, [name])[name]
    assert isinstance(found, Definition)
    return found


def explain(problem: CompileError, names: Mapping[str, Known | Value], changes: Mapping[str, Change]) -> None:
    """Note on a mistake in a definition which of the functions it uses have changed since it was written, if these are what it is about."""
    owner = owner_of(problem, names)
    if owner is None:
        return
    name, known = owner
    marked = (problem.text or "")[max((problem.offset or 1) - 1, 0) :]
    if problem.end_lineno == problem.lineno and problem.end_offset:
        marked = marked[: max(problem.end_offset - (problem.offset or 1), 0)]
    for other in sorted(known.outside):
        change = changes.get(other)
        if change is None or change.run <= known.run or not re.search(rf"\b{other}\b", f"{marked}\n{problem.msg}"):
            continue
        if other not in names:
            happened = "was deleted"
        elif change.where is None:
            happened = "was given a value"
        else:
            happened = f"was defined anew in {change.where[0]}, line {change.where[1]}"
        _note(problem, f"  '{other}' {happened}, after '{name}' was written; before, it was: {change.before}")


def owner_of(problem: CompileError, names: Mapping[str, Known | Value]) -> tuple[str, Known] | None:
    """The definition in whose text a mistake is."""
    for name, known in names.items():
        if not isinstance(known, Known) or known.file != problem.filename:
            continue
        if known.line <= (problem.lineno or 0) < known.line + len(known.columns):
            return name, known
    return None


def _note(problem: CompileError, words: str) -> None:
    notes = getattr(problem, "__notes__", [])
    if words not in notes:
        problem.__notes__ = [*notes, words]  # type: ignore[attr-defined]  # as `add_note` does, which Python 3.10 has not
