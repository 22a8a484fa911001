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


#: What people are told beside the mistake.
TOLD = "({}() does not fit any more; it can be defined anew)"


class Fit(NamedTuple):
    """What was found, and for which names and options."""

    names: Names
    options: Options | None
    problems: dict[str, CompileError]


def refit(before: Fit | None, state: State) -> Fit:
    """What is found now."""
    before = before or Fit({}, None, {})
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
        problem = _problem(name, state, name in near and not _settled(name, state))
        if problem is None:
            continue
        owner = owner_of(problem, names)
        if owner is None or owner[0] == name or owner[0] not in problems:  # else it is told there
            explain(problem, names, state.changes)
            problems[name] = problem.with_traceback(None)  # which would keep all that was on the way
    problems = {name: problems[name] for name in names if name in problems}
    return Fit(names, state.options, problems)


def _settled(name: str, state: State) -> bool:
    """Whether what a definition uses is older than it: then it was found to fit when it was written."""
    known = state.names[name]
    if not isinstance(known, Known):
        return True
    for each in known.outside:
        found, change = state.names.get(each), state.changes.get(each)
        new = found is not None and not (isinstance(found, Known) and found.moment <= known.moment)
        if new or (change is not None and change.moment > known.moment):
            return False
    return True


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
        if known.declared:
            made(state.names, name, state.options)._prospect()
    except CompileError as problem:
        return None if problem.code == "unknown-name" else problem
    return None
