"""What an object of Python's means to a text of a session.

In: an object of the namespace. Out: whether a session can have it under this name, or why not. Always holds: no object can stop this,
or is asked for more than it takes to know its class and its number.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..decorator import _spelling, _words
from ..externs import Extern
from ..function import Function
from ..names import Refused, Unfit
from ..sessions.given import closed, meaning

if TYPE_CHECKING:
    from ..function import Options


def refusal(name: str, found: Any, options: Options) -> str | None:
    """Why a session with these options cannot have an object, in words that go after "'name' is"; None if it can. Empty words are for what
    the language itself knows by this name.

    >>> import math
    >>> from jib import Session
    >>> options = Session().options
    >>> refusal("x", 2.5, options), refusal("sin", math.sin, options), refusal("x", [1], options)
    (None, '', 'a list here, which is not part of the language')
    """
    if name.startswith("__") and name.endswith("__"):
        return "a name of Python's own"
    try:
        if isinstance(found, Extern):
            return None if found.name == name else f"a host function that is called '{found.name}'"
        if isinstance(found, Function):
            own = closed(found, options)
            return own.words if isinstance(own, Refused) else None
        try:
            meaning(found)
            return None
        except Unfit as problem:
            spelling = None if is_array(found) else _spelling(found, options)
            if spelling is None:
                return _words(found, str(problem), options)
            return "" if spelling == name else f"the language's '{spelling}' by another name; call it '{spelling}'"
    except Exception:
        return (
            f"an object of {type.__dict__['__name__'].__get__(type(found)):.80} here, which is not part of the language"
        )


def is_array(found: Any) -> bool:
    """Whether it is an array, or keeps one as pandas does: asked of its class, since objects may answer anything."""
    numpy = sys.modules.get("numpy")
    own = type(found)
    if numpy is None or issubclass(own, numpy.generic):
        return False
    return issubclass(own, numpy.ndarray) or any("__array__" in vars(each) for each in type.mro(own))


def usable(found: Any) -> bool:
    """Whether a text may use an object, by its class alone."""
    return type(found) in (int, float, bool, tuple, Extern) or issubclass(type(found), Function) or is_array(found)
