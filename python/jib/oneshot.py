"""`jib.evaluate`: the value of a text, with the habits of numexpr's users.

In: a text, and where its names are to be found. Out: its value. Always holds: a text is read once and known by itself afterwards; what is
looked up is what the text names, nothing else; the caller's variables are asked only if no mapping is given.

With numbers alone a text is called as any function is. With an array NumPy's rules hold: a text about numbers is called for each element; one that
takes arrays as wholes (`sum(a) / len(a)`, loops over `x[i]`) is compiled again with NumPy's arithmetic; and a text that is one reduction of
something elementwise, `sum(a*b, axis=0)`, is that reduction, by the language where it has it, else by NumPy over the elements' values.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter
from sys import _getframe, getrefcount
from typing import TYPE_CHECKING, Any, NamedTuple

from .builtins import constants
from .errors import CompileError, error
from .function import Function, Options, make
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from .syntax import Call, Program

CASTINGS = ("no", "equiv", "safe", "same_kind", "unsafe")
ORDERS = ("K", "C", "F", "A")

#: The reductions that can be the whole text: NumPy has functions of the same names.
REDUCTIONS = ("sum", "prod", "min", "max", "any", "all", "mean")

#: What such a text begins with.
_REDUCTION = re.compile(rf"\s*(?:{'|'.join(REDUCTIONS)})\s*\(")

#: Classes whose instances are no arrays, whatever a text does with them.
_NUMBERS = frozenset((float, int, bool, tuple, type(None)))

#: The flag of code whose frame keeps its variables elsewhere than in `f_locals`.
_OPTIMIZED = 1


class Reduction(NamedTuple):
    """A text that is one reduction of what `inner` is for each element."""

    name: str
    inner: Function
    #: None for all.
    axis: int | tuple[int, ...] | None
    #: Whether it is written as the language has it not: with `axis=`.
    keyword: bool
    #: The place of a second argument, which numexpr takes for an axis and Python for a number.
    second: Any


class Text:
    """A text that is evaluated."""

    __slots__ = ("constants", "function", "names", "pick", "plain", "reduction", "simple", "whole")

    def __init__(self, source: str, shadowed: tuple[str, ...] = ()) -> None:
        self.reduction = _reduction(source, shadowed) if _REDUCTION.match(source) else None
        if self.reduction is not None and self.reduction.keyword:
            self.function = self.reduction.inner
        else:
            self.function = _function(source, shadowed)
        params = self.function._made.params
        self.names = self.function.params
        self.pick = _picker(self.names)
        #: Whether arguments are given by position, all of them.
        self.plain = all([param.required and param.kind != "keyword" for param in params])
        #: What it is for arrays, if it takes them as wholes.
        self.whole = _function(source, shadowed, "numpy") if any([param.array for param in params]) else None
        #: Whether a call is all there is to do.
        self.simple = self.whole is None and self.reduction is None
        #: What variables may take the place of.
        self.constants = tuple([name for name in constants() if name not in shadowed and name in source])


def _function(source: str, shadowed: tuple[str, ...], arithmetic: str = "python") -> Function:
    """The function of a text in which these constants are variables, unless it says itself what its parameters are."""
    from .api import compile

    engine = "auto" if arithmetic == "python" else "native"  # what takes arrays is worth compiling
    function = compile(source, arithmetic=arithmetic, engine=engine)
    if shadowed:
        try:
            return compile(source, params=[*function.params, *shadowed], arithmetic=arithmetic, engine=engine)
        except CompileError as problem:
            if problem.code != "params-given":
                raise
    return function


def _reduction(source: str, shadowed: tuple[str, ...]) -> Reduction | None:
    """The reduction that the text is, if it is one of an expression: `sum(a*b)`, `sum(a, axis=0)`, `sum(a, 0)`."""
    from . import ir, syntax
    from .limits import DEFAULT
    from .lower import lower
    from .parse import parse

    text = Source(source)
    program: Program = parse(text, DEFAULT)
    if len(program.body) != 1 or type(program.body[0]) is not syntax.ExprStmt:
        return None
    call = program.body[0].value
    if type(call) is not syntax.Call or type(call.func) is not syntax.Name or not call.args:
        return None
    if type(call.args[0]) is syntax.Generator:
        return None
    found = _axis(call, text)
    if found is None:
        return None
    axis, keyword, second = found
    statement = program.body[0]._replace(value=call.args[0])

    def inner(params: tuple[str, ...] | None, options: Options) -> Function:
        options = options._replace(params=params)
        lowered = lower(program._replace(body=(statement,)), text, params, DEFAULT, ())
        return Function(make(text, ir.encode(lowered.module), lowered, options))

    options = Options(engine="auto")
    function = inner(None, options)
    if any([param.array for param in function._made.params]):
        # What is reduced takes arrays as wholes itself.
        if not keyword:
            return None
        options = Options(engine="native", arithmetic="numpy")
        function = inner(None, options)
    if shadowed:
        function = inner((*function.params, *shadowed), options)
    return Reduction(call.func.id, function, axis, keyword, second)


def _axis(call: Call, text: Source) -> tuple[Any, bool, Any] | None:
    """The last fields of a `Reduction`; None if the call is another than a reduction of one value."""
    from . import syntax

    if len(call.args) > 2 or len(call.keywords) > 1 or len(call.args) + len(call.keywords) > 2:
        return None
    if call.keywords:
        if call.keywords[0].name != "axis":
            return None
        return _literal_axis(call.keywords[0].value, text), True, None
    if len(call.args) == 1:
        return None, False, None
    second = call.args[1]
    if type(second) is syntax.Constant and type(second.value) is int and type(call.func) is syntax.Name:
        return second.value, call.func.id not in ("sum", "prod", "min", "max"), second.span
    return None


def _literal_axis(node: Any, text: Source) -> int | tuple[int, ...] | None:
    from . import syntax

    if type(node) is syntax.Tuple:
        axes = [_literal_axis(element, text) for element in node.elements]
        if all([type(axis) is int for axis in axes]):
            return tuple(axes)  # type: ignore[arg-type]
    sign = 1
    if type(node) is syntax.Unary and node.op == "neg":
        node, sign = node.operand, -1
    if type(node) is syntax.Constant:
        if type(node.value) is int:
            return sign * node.value
        if node.value is None and sign == 1:
            return None
    raise error("axis-literal", text, node.span)


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
    text, `axis=` says along what. `out` is an array that takes the result, which may be an operand too; `casting` says which conversions to its
    type are allowed, `order` how a new array lies in memory, both in NumPy's words.

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
        if text.constants and (names or variables):
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


def _picker(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes the values of these names from a mapping."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda found: tuple([found[name] for name in names])


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
                raise NameError(f"name '{name}' is not defined")
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
    halves = any([getattr(value, "dtype", None) == "float16" for value in values])
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
