"""Which definitions no longer fit what they use.

In: the state of a session, and what was found for an earlier one. Out: the mistakes, by the name of the definition.
Always holds: a definition that has never fitted, because it uses a name that comes later, is none of them; only those that changed, or
use something that did, are looked at again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..errors import CompileError
from .running import misfit
from .state import Known, Names, State, explain, made, owner_of

if TYPE_CHECKING:
    from ..function import Options


class Fit(NamedTuple):
    """What was found, and for which names and options."""

    names: Names
    options: Options | None
    problems: dict[str, CompileError]


NOTHING = Fit({}, None, {})


def refit(before: Fit, state: State) -> Fit:
    """What is found now."""
    names = state.names
    if names is before.names and state.options is before.options:
        return before
    old = before.names if state.options is before.options else {}
    changed = {name for name in {**old, **names} if old.get(name) is not names.get(name)}
    users: dict[str, list[str]] = {}
    for name, known in names.items():
        if isinstance(known, Known):
            for each in known.outside:
                users.setdefault(each, []).append(name)
    near = changed.union(*[users.get(name, ()) for name in changed])
    far = set(near)
    waiting = list(near)
    while waiting:
        fresh = set(users.get(waiting.pop(), ())) - far
        far |= fresh
        waiting += fresh
    problems = {name: problem for name, problem in before.problems.items() if name in names and name not in far}
    for name in sorted(far & names.keys(), key=lambda name: name not in near):
        problem = _problem(name, state, name in near)
        if problem is None:
            continue
        owner = owner_of(problem, names)
        if owner is None or owner[0] == name or owner[0] not in problems:  # else it is told there
            explain(problem, names, state.changes)
            problems[name] = problem.with_traceback(None)  # which would keep all that was on the way
    problems = {name: problems[name] for name in names if name in problems}
    return Fit(names, state.options, problems)


def _problem(name: str, state: State, near: bool) -> CompileError | None:
    """Why a definition does not fit: by what it says of the functions it calls, if these have changed, and by types, where it declares
    those of its parameters."""
    known = state.names[name]
    if not isinstance(known, Known):
        return None
    found = misfit(name, state.names, state.options) if near else None
    if found is not None:
        late = found.code == "unknown-name" and known.outside.isdisjoint(state.changes.keys() - state.names.keys())
        return None if late else found
    try:
        function = made(state.names, name, state.options)
        if all(param.annotation is not None for param in function._made.params):
            function._prospect()
    except CompileError as problem:
        return None if problem.code == "unknown-name" else problem
    return None
