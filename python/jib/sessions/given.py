"""What Python gives a session.

In: a name, and anything of Python's. Out: what the name means then; or TypeError, in words that name it.
Always holds: what a text can hold is copied out of Python's objects; arrays stay the caller's own, and a text that writes to their
elements writes there; functions keep the meaning that their names have where they come from.
"""

from __future__ import annotations

import keyword
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ..externs import Extern
from ..function import Function
from ..names import DEEPEST, Refused, Shared, Unfit, Value, held
from .state import Closed, Host, Meaning

if TYPE_CHECKING:
    from ..function import Options
    from ..link import Definition


def given(name: str, value: Any, options: Options) -> Meaning:
    """What a name means that Python sets to this value."""
    _check_name(name)
    if isinstance(value, Extern):
        if value.name != name:
            raise TypeError(
                f"session['{name}']: this host function is called '{value.name}'; jib.extern(..., name='{name}')"
            )
        return Host(value)
    if type(value) is FunctionType:
        from ..decorator import jit

        value = jit(arithmetic=options.arithmetic, engine="auto")(value)
    if isinstance(value, Function):
        found = closed(value, options)
        if isinstance(found, Refused):
            raise TypeError(f"session['{name}'] cannot be {found.words}")
        return found
    try:
        return meaning(value)
    except Unfit as problem:
        wanted = "numbers, bools, None, NumPy's arrays, tuples of these, and functions"
        raise TypeError(f"session['{name}'] cannot be {problem}; a session takes {wanted}") from None


def meaning(value: Any) -> Value | Shared:
    """A value as a session holds it; Unfit if it holds no such thing."""
    return held(_plain(value))


def same(value: Any, others: list[Any]) -> Any:
    """One of the others, if this is an array of the very same elements: a name that an array keeps is still that array."""
    if type(value) in _arrays():
        for other in others:
            if type(other) in _arrays() and other.__array_interface__ == value.__array_interface__:
                return other
    return value


def _plain(value: Any, depth: int = DEEPEST) -> Any:
    """NumPy's numbers as Python's, as calls take them; everything else as it is."""
    arrays = _arrays()
    if not arrays:
        return value
    if type(value) is tuple and depth > 0:
        return tuple([_plain(each, depth - 1) for each in value])
    if type(value) not in arrays and not isinstance(value, sys.modules["numpy"].generic):
        return value
    number = value.ndim == 0 and value.dtype.kind in "biuf" and value.dtype.itemsize <= 8
    return value.item() if number else value


def _arrays() -> tuple[type, ...]:
    """The classes of arrays that texts take, if there are any yet."""
    numpy = sys.modules.get("numpy")
    return (numpy.ndarray, numpy.memmap) if numpy is not None and hasattr(numpy, "ndarray") else ()


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"a name is a str, not {type(name).__name__}")
    fine = name.isascii() and name.isidentifier() and not keyword.iskeyword(name)
    if not fine or (name.startswith("__") and name.endswith("__")):
        raise ValueError(f"{name!r:.80} is not a name that a text can have")


def closed(function: Function, options: Options) -> Closed | Refused:
    """A function of jib's, with all that it needs; or why it is none for a session with these options."""
    from ..decorator import unlike

    its = function._made.options
    found: Definition | Refused | None = function._definition
    if function._suite is not None:
        found = Refused("what Session.prepare gives")
    elif found is None:
        found = _definition(function)
    found = unlike(its, options) or found
    return found if isinstance(found, Refused) else Closed(function, found, its.externs)


def _definition(function: Function) -> Definition | Refused:
    """What `jib.compile` was given, as definitions."""
    from ..link import Definition
    from ..lower.scan import helper_name
    from ..parse import parse
    from ..source import Source
    from ..syntax import ExprStmt, Lambda
    from .cut import Cut

    source = Source(function.source, "<jib>")
    cut = Cut(source, parse(source, function._made.options.limits))
    body = cut.body[1:] if helper_name(cut.body[0]) is None and len(cut.body) > 1 else cut.body  # without a docstring
    made: dict[str, Definition] = {}
    for statement in body:
        named = helper_name(statement)
        if named is None and not (len(body) == 1 and type(statement) is ExprStmt and type(statement.value) is Lambda):
            return Refused("a function made of an expression or of statements; write it as a def or a lambda")
        made[named or ""] = Definition(*cut.part((statement,)))
    for definition in made.values():
        definition.names.update(made)
    return made[named or ""]
