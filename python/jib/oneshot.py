"""`jib.evaluate`: the value of a text, with the habits of numexpr's users.

In: a text, and where its names are to be found. Out: its value. Always holds: a text is known by itself once it was read (`evaluated.py`);
what is looked up is what the text names, nothing else; the caller's variables are asked only if no mapping is given.

With numbers alone a text is called as any function is. With an array NumPy's rules hold: a text about numbers is called for each
element; one that takes arrays as wholes (`sum(a) / len(a)`, loops over `x[i]`) is compiled again with NumPy's arithmetic; and a text that
is one reduction of something elementwise, `sum(a*b, axis=0)`, is that reduction, by the language where it has it, else by NumPy over
the elements' values.
"""

from __future__ import annotations

from functools import lru_cache
from sys import _getframe, getrefcount
from typing import TYPE_CHECKING, Any

from .builtins import resolve
from .errors import CompileError, error
from .evaluated import Reduction, Text
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

CASTINGS = ("no", "equiv", "safe", "same_kind", "unsafe")
ORDERS = ("K", "C", "F", "A")

#: Classes whose instances are no arrays, whatever a text does with them.
_NUMBERS = frozenset((float, int, bool, tuple, type(None)))

#: The flag of code whose frame keeps its variables elsewhere than in `f_locals`.
_OPTIMIZED = 1


_text = lru_cache(maxsize=256)(Text)

#: Those in which constants are variables.
_shadowing = lru_cache(maxsize=64)(Text)


def evaluate(
    source: str,
    variables: Mapping[str, Any] | None = None,
    /,
    *,
    out: Any = None,
    casting: str = "safe",
    order: str = "K",
    **names: Any,
) -> Any:
    """The value of a text: what `numexpr.evaluate` is for, with the whole language.

    A name of the text is looked for in `names`, then in `variables`; without `variables` it is also looked for where the call
    stands, in the caller's local and then global variables: give `{}` with text that is not trusted. A constant such as `e` is
    a variable if `names` or `variables` has it. `local_dict=` and `global_dict=` are numexpr's spellings of such mappings.

    With numbers alone the value is Python's. With an array it is NumPy's: the text is evaluated for each element, by NumPy's
    promotion and broadcasting, also if it is a program with loops. Texts may reduce arrays; if a reduction is the whole
    text, `axis=` says along what. `out` is an array that takes the result, which may be an operand too; `casting` says
    which conversions to its type are allowed, `order` how a new array lies in memory, both in NumPy's words.

    A text is read once, and compiled for numbers when it is evaluated so often that this is worth it. The last 256 are kept.

    Raises what `compile` and a call raise; NameError, a subclass of Exception, for a name that is found nowhere.

    >>> evaluate("a * b + 1", a=3, b=5)
    16
    >>> x = 2.0
    >>> evaluate("x ** 3"), evaluate("x ** 3", {"x": 3})
    (8.0, 27)
    >>> import numpy as np
    >>> a, b = np.arange(4.0), np.ones(4)
    >>> evaluate("2*a + 3*b")
    array([3., 5., 7., 9.])
    >>> evaluate("where((a > 0) & ~(a > 2), a, -b)")
    array([-1.,  1.,  2., -1.])
    >>> evaluate("sum(a * b)"), evaluate("sum(m, axis=0)", m=np.ones((2, 3)))
    (6.0, array([2., 2., 2.]))
    >>> evaluate("a + 1", out=a) is a
    True
    >>> evaluate('''
    ... m, steps = n, 0
    ... while m != 1:
    ...     m = m // 2 if m % 2 == 0 else 3*m + 1
    ...     steps += 1
    ... steps
    ... ''', n=np.array([1, 6, 27]))
    array([  0,   8, 111])
    """
    if type(source) is not str:
        if not isinstance(source, str):
            raise TypeError(f"evaluate() takes the text of a program, not {type(source).__name__}")
        source = str.__str__(source)
    text = _text(source)
    args: Sequence[Any]
    keywords: dict[str, Any] | None = None
    if variables is None and not names and text.plain:
        frame = _getframe(1)
        found = frame.f_locals
        try:
            args = text.pick(found)
        except KeyError:
            args, keywords = _found(text, None, names, frame)
        # Before Python 3.13, a frame that was asked for its variables keeps a dict of them, and what is in it, to its end. Nobody else
        # has it, if there are no more references than the frame's, ours, and that of the call that counts them.
        if frame.f_code.co_flags & _OPTIMIZED and type(found) is dict and getrefcount(found) <= 3:
            found.clear()
    elif names or not text.plain or text.constants or not hasattr(variables, "keys"):
        if names and ("local_dict" in names or "global_dict" in names):
            variables = _mappings(text, variables, names, _getframe(1))
        if variables is not None and not hasattr(variables, "keys"):
            raise TypeError(f"evaluate(): variables must be a mapping, not {type(variables).__name__}")
        if text.constants:  # a mapping is not asked whether it is true: a DataFrame would raise
            given = [name for name in text.constants if name in names or (variables is not None and name in variables)]
            if given:
                text = _shadowing(source, tuple(given))
        if variables is None:
            args, keywords = _found(text, None, names, _getframe(1))
            _forget(_getframe(1))
        else:
            args, keywords = _found(text, variables, names, None)
    else:
        try:
            args = text.pick(variables)
        except KeyError:
            args, keywords = _found(text, variables, names, None)
    if out is None and order == "K" and casting == "safe":
        try:
            if text.simple:
                return text.function(*args, **keywords) if keywords else text.function(*args)
            return _value(text, args, keywords)
        except TypeError as problem:
            return _again(text, args, keywords, problem)
    if casting not in CASTINGS:
        raise ValueError(f"casting must be one of {', '.join(map(repr, CASTINGS))}, not {casting!r:.80}")
    if order not in ORDERS:
        raise ValueError(f"order must be one of {', '.join(map(repr, ORDERS))}, not {order!r:.80}")
    return _laid_out(text, args, keywords, out, casting, order)


def _forget(frame: FrameType) -> None:
    """As in `evaluate`."""
    found = frame.f_locals
    if frame.f_code.co_flags & _OPTIMIZED and type(found) is dict and getrefcount(found) <= 3:
        found.clear()


def _found(
    text: Text, variables: Mapping[str, Any] | None, names: dict[str, Any], frame: FrameType | None
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments, by position and by name, from the places in which they are looked for."""
    unknown = names.keys() - set(text.names)
    if unknown:
        raise TypeError(f"evaluate(): '{min(unknown)}' is not a name in the text")
    args: list[Any] = []
    keywords: dict[str, Any] = {}
    for param in text.function._made.params:
        name = param.name
        if name in names:
            value = names[name]
        elif variables is not None and name in variables:
            value = variables[name]
        else:
            if frame is not None and name in frame.f_locals:
                value = frame.f_locals[name]
            elif frame is not None and name in frame.f_globals:
                value = frame.f_globals[name]
            elif param.required:
                hint = "" if resolve(name) is None else f"; '{name}()' is a function"
                raise NameError(f"name '{name}' is not defined{hint}")
            else:
                continue
        if param.kind == "positional":
            args.append(value)
        else:
            keywords[name] = value
    if text.plain:
        args += keywords.values()
        keywords = {}
    return args, keywords


def _mappings(text: Text, variables: Any, names: dict[str, Any], frame: FrameType) -> Any:
    """The variables that numexpr's keywords say, which are taken out of `names`."""
    given = [names.pop(word, None) if word not in text.names else None for word in ("local_dict", "global_dict")]
    places = [place for place in [variables, *given] if place is not None]
    if not places:
        return None
    for place in places:
        if not hasattr(place, "keys"):
            raise TypeError(f"evaluate(): variables must be a mapping, not {type(place).__name__}")
    if variables is None and given[0] is None:
        # numexpr looks among the caller's local variables, if these are not said.
        places.insert(0, dict(frame.f_locals))
    if len(places) == 1:
        return places[0]
    from collections import ChainMap

    return ChainMap(*places)


# -------------------------------------------------------------------------------------------------- texts about arrays


def _is_array(value: Any) -> bool:
    return type(value) not in _NUMBERS and (type(value) is list or hasattr(value, "__array__"))


def _value(text: Text, args: Sequence[Any], keywords: dict[str, Any] | None) -> Any:
    """The value of a text that takes arrays as wholes, or is a reduction."""
    values = [*args, *keywords.values()] if keywords else args
    if not any(map(_is_array, values)):
        if text.reduction is not None and text.reduction.keyword:
            return _reduced(text.reduction, text.function(*args))
        return text.function(*args, **(keywords or {}))
    reduction = text.reduction
    if reduction is not None:
        if reduction.second and reduction.name in ("min", "max"):
            raise error("axis-or-number", Source(text.function.source), reduction.second)
        if reduction.axis is not None or reduction.keyword or text.whole is None or not _are_plain(values):
            return _reduced(reduction, reduction.inner(*map(_native, args)))
    return (text.whole or text.function)(*map(_native, args), **{k: _native(v) for k, v in (keywords or {}).items()})


def _are_plain(values: Sequence[Any]) -> bool:
    """Whether the language reduces them as NumPy would: arrays of its own types, and no number of Python's that would give way to a
    smaller type."""
    import numpy as np

    kinds = set()
    for value in values:
        if type(value) is np.ndarray:
            if not (1 <= value.ndim <= 4 and value.dtype.isnative and value.dtype.char in "?bBhHiIlLqQfd"):
                return False
            kinds.add(value.dtype.char)
        elif type(value) in _NUMBERS:
            kinds.add("number")
        else:
            return False
    return "number" not in kinds or kinds <= {"number", "?", "l", "q", "d"}


def _reduced(reduction: Reduction, value: Any) -> Any:
    """What NumPy makes of the elements' values; one number is Python's, as those of the language are."""
    import numpy as np

    result = getattr(np, reduction.name)(value, axis=reduction.axis)
    return result.item() if reduction.axis is None and isinstance(result, np.generic) else result


def _native(value: Any) -> Any:
    """A list, or an array of other bytes, as an array that the language takes."""
    if type(value) in _NUMBERS:
        return value
    import numpy as np

    if type(value) is list:
        value = np.asarray(value)
    if isinstance(value, np.ndarray) and not (value.dtype.isnative and value.flags.aligned):
        return value.astype(value.dtype.newbyteorder("="))
    return value


def _again(text: Text, args: Sequence[Any], keywords: dict[str, Any] | None, problem: TypeError) -> Any:
    """The value with single precision in place of half, which the language has not; or the exception that was."""
    halves = [getattr(value, "dtype", None) == "float16" for value in [*args, *(keywords or {}).values()]]
    if isinstance(problem, CompileError) or not any(halves):
        raise problem
    from numpy import float32

    def single(value: Any) -> Any:
        return value.astype(float32) if getattr(value, "dtype", None) == "float16" else value

    args, keywords = [single(value) for value in args], {k: single(v) for k, v in (keywords or {}).items()}
    return text.function(*args, **keywords) if text.simple else _value(text, args, keywords)


def _laid_out(
    text: Text, args: Sequence[Any], keywords: dict[str, Any] | None, out: Any, casting: str, order: str
) -> Any:
    """The value in `out`, or in a new array that lies as `order` says."""
    values = [*args, *(keywords or {}).values()]
    if out is None and (order == "K" or not any(map(_is_array, values))):
        return _value(text, args, keywords)
    import numpy as np

    if out is not None and not isinstance(out, np.ndarray):
        raise TypeError(f"evaluate(): out must be a NumPy array, not {type(out).__name__}")
    halves = any(getattr(value, "dtype", None) == "float16" for value in values)
    if text.simple and values and not keywords and not halves:
        if out is None:
            return text.function._map(tuple(args), {"order": order})
        return text.function._map(tuple(args), {"out": out, "casting": casting})
    try:
        value = _value(text, args, keywords)
    except TypeError as problem:
        value = _again(text, args, keywords, problem)
    if out is None:
        return np.asarray(value, order=order) if isinstance(value, np.ndarray) else value  # type: ignore[call-overload]
    value = np.asarray(value)
    if value.shape != out.shape:
        raise ValueError(f"evaluate(): out has shape {out.shape}, and the value {value.shape}")
    np.copyto(out, value, casting=casting)  # type: ignore[arg-type]
    return out
