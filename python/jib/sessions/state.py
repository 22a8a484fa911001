"""What the names of a session mean at one moment.

In: names, definitions as they were written, and what Python has given. Out: the `Definition` that link.py makes a function of, and the
options it is made with.
Always holds: a `State` is never changed, only replaced as a whole: who holds one may read it without a lock. What was compiled of its
definitions is kept beside them, and is gone with them.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, NamedTuple, Union

from ..externs import check_externs
from ..function import Options
from ..link import Definition, build
from ..names import Shared, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..errors import CompileError
    from ..externs import Extern
    from ..function import Function


class Known(NamedTuple):
    """A definition as it was written, the names it uses and does not define, whose meanings change, when it was made, and whether all
    its parameters have annotations."""

    text: str
    file: str
    line: int
    columns: tuple[int, ...]
    outside: frozenset[str]
    moment: int
    declared: bool

    @property
    def head(self) -> str:
        """Its first line, or as much as people want to see of it."""
        line = self.text.split("\n", 1)[0].rstrip()
        return line if len(line) <= 80 else f"{line[:77]}..."


class Closed(NamedTuple):
    """A function that came from Python: its names mean what they meant there. `hosts` are the host's functions that it calls."""

    function: Function
    definition: Definition
    hosts: tuple[Extern, ...]


class Host(NamedTuple):
    """A function of the host."""

    function: Extern


class Change(NamedTuple):
    """What happened last to the name of a function: what it was, when it became something else, and where that stands, if it is a
    definition."""

    before: str
    moment: int
    where: tuple[str, int] | None


_moments = count(1)


def now() -> int:
    """A moment that is later than all before."""
    return next(_moments)


#: What a name of a session means.
Meaning = Union[Known, Closed, Host, Value, Shared]

Names = dict[str, Meaning]


def is_value(found: Meaning | None) -> bool:
    """Whether it is a value, not a function."""
    return isinstance(found, (Value, Shared))


def head(found: Meaning) -> str:
    """What a function was, in a line."""
    if isinstance(found, Known):
        return found.head
    if isinstance(found, Closed):
        return f"{found.function.__name__}{found.function.__signature__}"
    return repr(found.function)  # type: ignore[union-attr]


class State(NamedTuple):
    """The names, what happened to those of functions, the options; and the functions that were made of these, which come later."""

    names: Names
    changes: dict[str, Change]
    options: Options
    made: dict[str, Function]

    def replaced(self, changed: Mapping[str, Meaning | None], moment: int) -> State:
        """The state after some names have got other meanings, None for none; those that are no definitions at this moment."""
        names, changes = dict(self.names), self.changes
        for name, meaning in changed.items():
            old = names.pop(name, None) if meaning is None else names.get(name)
            if meaning is not None:
                names[name] = meaning
            if old is not None and not is_value(old) and meaning is not old:
                if changes is self.changes:
                    changes = dict(changes)
                if isinstance(meaning, Known):
                    changes[name] = Change(head(old), meaning.moment, (meaning.file, meaning.line))
                else:
                    changes[name] = Change(head(old), moment, None)
        return State(names, changes, self.options, {})


class Linked(NamedTuple):
    """What some names mean now, definitions with all that they need, each once; and the options for who uses them."""

    names: dict[str, Definition | Value | Shared]
    options: Options


def linked(names: Mapping[str, Meaning], wanted: Iterable[str], options: Options) -> Linked:
    """What these names mean now. Host functions are no meanings, but options: what is called by one of their names is one."""
    made: dict[str, Definition | Value | Shared] = {}
    hosts: dict[Extern, None] = {}
    waiting = sorted(wanted)
    while waiting:
        at = waiting.pop()
        found = names.get(at)
        if found is None or at in made:
            continue
        if isinstance(found, Known):
            made[at] = Definition(*found[:4])
            waiting += found.outside
        elif isinstance(found, Closed):
            made[at] = found.definition
            hosts.update(dict.fromkeys(found.hosts))
        elif isinstance(found, Host):
            hosts[found.function] = None
        else:
            made[at] = found
    for at, meaning in made.items():
        found = names[at]
        if isinstance(found, Known) and isinstance(meaning, Definition):
            meaning.names = {each: made[each] for each in found.outside if each in made}
    return Linked({name: made[name] for name in wanted if name in made}, with_hosts(options, hosts, names))


def with_hosts(options: Options, hosts: Iterable[Extern], names: Mapping[str, Meaning]) -> Options:
    """The options, with these functions of the host, and without those whose names mean something else in the session."""
    own = [each for each in options.externs if names.get(each.name) is None]
    found = tuple(dict.fromkeys([*own, *hosts]))
    return options if found == options.externs else options._replace(externs=check_externs(found))


def made(names: Mapping[str, Meaning], name: str, options: Options) -> Function:
    """The function of a name that is one of the session's own."""
    found = linked(names, [name], options)
    entry = found.names[name]
    assert isinstance(entry, Definition)
    return build(entry, found.options)


def explain(problem: CompileError, names: Mapping[str, Meaning], changes: Mapping[str, Change]) -> None:
    """Note on a mistake in a definition which of the functions it uses have changed since it was written, if these are what it is about."""
    import re  # which takes a millisecond to import

    owner = owner_of(problem, names)
    if owner is None:
        return
    name, known = owner
    marked = (problem.text or "")[max((problem.offset or 1) - 1, 0) :]
    if problem.end_lineno == problem.lineno and problem.end_offset:
        marked = marked[: max(problem.end_offset - (problem.offset or 1), 0)]
    for other in sorted(known.outside):
        change = changes.get(other)
        if (
            change is None
            or change.moment <= known.moment
            or not re.search(rf"\b{other}\b", f"{marked}\n{problem.msg}")
        ):
            continue
        if other not in names:
            happened = "was deleted"
        elif change.where is None:
            happened = "was given a value" if is_value(names[other]) else "was given another function"
        else:
            happened = f"was defined anew in {change.where[0]}, line {change.where[1]}"
        _note(problem, f"  '{other}' {happened}, after '{name}' was written; before, it was: {change.before}")


def owner_of(problem: CompileError, names: Mapping[str, Meaning]) -> tuple[str, Known] | None:
    """The definition in whose text a mistake is; of those that stood at its place, since a file changed meanwhile, one with this line."""
    for name, known in names.items():
        if not isinstance(known, Known) or known.file != problem.filename:
            continue
        at = (problem.lineno or 0) - known.line
        if 0 <= at < len(known.columns) and known.text.split("\n")[at].strip() in (problem.text or ""):
            return name, known
    return None


def _note(problem: CompileError, words: str) -> None:
    notes = getattr(problem, "__notes__", [])
    if words not in notes:
        problem.__notes__ = [*notes, words]  # type: ignore[attr-defined]  # as `add_note` does, which Python 3.10 has not
