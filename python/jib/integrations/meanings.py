"""What an object of Python's means to a text of a session.

In: an object of the namespace. Out: the value, function or builtin that it is, or why it is none. Always holds: no object can stop
this, or is asked for more than it takes to know its class and its number.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .. import builtins
from ..decorator import _spelling, _words
from ..function import Function
from ..limits import DEFAULT
from ..lower.build import Unit
from ..lower.linked import outside_names
from ..names import Refused, Unfit, Value, frozen
from ..parse import parse
from ..source import Source
from ..syntax import FunctionDef

if TYPE_CHECKING:
    from ..function import Options


def meaning_of(name: str, found: Any, options: Options) -> Value | Refused | Function | None:
    """What an object of Python's means to a text; None for what the language knows by this name. No object can stop this."""
    try:
        if isinstance(found, Function):
            return _adopted(name, found, options)
        if is_array(found):
            return Value(found)
        if is_scalar(found):
            found = found.item()
        spelling = _spelling(found, options)
        if spelling is not None:
            if spelling == name:
                return None
            return Refused(f"the language's '{spelling}' by another name; call it '{spelling}'")
        try:
            return Value(frozen(found))
        except Unfit as problem:
            return Refused(_words(found, str(problem), options))
    except Exception:
        name = type.__dict__["__name__"].__get__(type(found))
        return Refused(f"an object of {name:.80} here, which is not part of the language")


def _adopted(name: str, function: Function, wanted: Options) -> Function | Refused:
    """A function that was made elsewhere, as a definition of the session, if its text is one that needs nothing else."""
    options, definition = function._made.options, function._definition
    text = function.source if definition is None else definition.text
    words = "a function of jib made elsewhere, which needs more than its text; define it in such a cell"
    if options.arithmetic != wanted.arithmetic:
        return Refused(f'a function with arithmetic="{options.arithmetic}", and not "{wanted.arithmetic}"')
    if options.externs or options.signature is not None:
        return Refused(words)
    source = Source(text)
    body = parse(source, DEFAULT).body
    if len(body) != 1 or type(body[0]) is not FunctionDef:
        return Refused(words)
    if body[0].name != name:
        return Refused(f"a function that is called '{body[0].name}'")
    outside, _ = outside_names(body, Unit(source, DEFAULT))
    # What it calls by its own name is itself.
    frozen_names = () if definition is None else definition.names.values()
    if any(builtins.resolve(each) is None for each in outside - {name}) or any(
        to is not definition for to in frozen_names
    ):
        return Refused(words)
    return function


def is_array(found: Any) -> bool:
    """Whether it is an array, or keeps one as pandas does: asked of its class, since objects may answer anything."""
    numpy = sys.modules.get("numpy")
    own = type(found)
    if numpy is None or issubclass(own, numpy.generic):
        return False
    return issubclass(own, numpy.ndarray) or any("__array__" in vars(each) for each in type.mro(own))


def is_scalar(found: Any) -> bool:
    """Whether it is one of NumPy's numbers that the language has."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(type(found), numpy.generic) and found.dtype.char in "?bBhHiIlLqQefd"


def usable(found: Any) -> bool:
    """Whether a text may use an object, by its class alone."""
    return type(found) in (int, float, bool, tuple) or issubclass(type(found), Function) or is_array(found)


def types_of(values: Iterable[Any]) -> str:
    """A signature for values; of an array, for its elements. TypeError if there is none.

    >>> types_of([1, 2.5, (True, 0)])
    '(int, float, tuple[bool, int])'
    """
    return f"({', '.join([_type_of(value) for value in values])})"


def _type_of(value: Any) -> str:
    if type(value) is tuple:
        return f"tuple[{', '.join([_type_of(each) for each in value])}]"
    dtype = value.dtype if is_array(value) or is_scalar(value) else None
    if dtype is not None and dtype.kind in "iuf":
        name = f"{dtype.kind}{8 * dtype.itemsize}"
        return {"i64": "int", "f64": "float"}.get(name, name)
    if dtype is not None and dtype.kind == "b":
        return "bool"
    return type(frozen(value)).__name__
