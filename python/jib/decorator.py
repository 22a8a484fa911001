"""A function of Python -> a function of jib: the same language, written as Python functions are.

In: a function with its source in reach. Out: a `Function` of its text, in which names mean what they meant to Python when the function
was decorated.
Always holds: numbers that the text reads from around it are frozen, arrays are those that their names were; functions it calls are
builtins, itself, or made by `jit` too, and then their text comes along. Anything else is a CompileError where the text uses it.
"""

from __future__ import annotations

import builtins as python
import math
import sys
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, overload

from . import builtins
from .externs import Extern, check_externs
from .function import Function, Options
from .link import Definition, build, options_of
from .names import Alias, Meaning, Refused, Unfit, frozen, held, kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .limits import Limits

_MISSING = object()


@overload
def jit(function: Callable[..., Any], /) -> Function: ...
@overload
def jit(
    function: None = None,
    /,
    *,
    signature: str | None = None,
    name: str | None = None,
    arithmetic: str = "python",
    engine: str = "native",
    opt_level: str = "speed",
    fuel: int | None = None,
    timeout: float | None = None,
    limits: Limits | None = None,
    nogil: bool | None = None,
    threads: int | None = None,
    externs: Iterable[Extern] = (),
) -> Callable[[Callable[..., Any]], Function]: ...
def jit(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """A native function from a function of Python, as a decorator: `@jib.jit`, or with options of `compile`, `@jib.jit(fuel=1000)`.

    The text of the function is found as `inspect.getsource` finds it, and compiled as any text is. Names that it reads from around
    it mean what they mean now: ints, floats, bools, None and tuples of these become constants, NumPy's arrays are read and written
    where they are, other functions made by `jit` are called, and so are functions of `math`, by whatever name. Defaults are the
    values that Python has evaluated.

    `py_func` of the result is the Python function. As an attribute of a class the result is not bound, like a builtin
    function: it gets no `self`.

    Raises TypeError for what is not a function with source, and what `compile` raises, at the line of the file.

    >>> HALF = 0.5
    >>> @jit
    ... def area(base: float, height: float = 2.0) -> float:
    ...     return HALF * base * height
    >>> area(3), area.py_func(3)
    (3.0, 3.0)
    >>> area
    <jib function area(base: float, height: float = 2.0) -> float>
    """
    chosen = options_of(**options)
    if function is None:
        return lambda function: _compiled(function, chosen)
    return _compiled(function, chosen)


def _compiled(function: Any, options: Options) -> Function:
    _check(function)
    hosts = dict.fromkeys(options.externs)
    definition = _definition(function, options, hosts)
    made = build(definition, options._replace(externs=check_externs(hosts)))
    made._show_as(options.name or function.__name__, function.__qualname__, function.__module__, function.__doc__)
    made.__dict__.update(py_func=function, __wrapped__=function)
    return made


def _check(function: Any) -> None:
    """Refuse what is not a plain function, in words that say what to do."""
    if isinstance(function, str):
        raise TypeError("jit() takes a function; jib.compile() takes a text")
    if isinstance(function, Function):
        raise TypeError("jit() takes a function written in Python, and this one is compiled already")
    if isinstance(function, (staticmethod, classmethod)):
        name = type(function).__name__
        raise TypeError(f"jit() takes the function itself: write @{name} above @jib.jit, not below")
    if type(function) is not FunctionType:
        what = "a class" if isinstance(function, type) else kind(function)
        raise TypeError(f"jit() takes a function written in Python, not {what}")
    if hasattr(function, "__wrapped__"):
        raise TypeError(
            "jit() takes the function itself, not what another decorator made of it: write @jib.jit below it"
        )


def _definition(function: FunctionType, options: Options, hosts: dict[Extern, None]) -> Definition:
    """The text of a function, its defaults, and what its names mean; the host functions among these go to `hosts`."""
    from .lower.build import Unit
    from .lower.linked import outside_names
    from .origin import written
    from .parse import parse

    definition = Definition(*written(function), defaults=_defaults(function))
    source = definition.source()
    program = parse(source, options.limits)
    names, _ = outside_names(program.body, Unit(source, options.limits))
    for name in sorted(names.union(builtins.MODULES)):
        meaning = _meaning(function, name, definition, options, hosts)
        if meaning is not None:
            definition.names[name] = meaning
    return definition


def _defaults(function: FunctionType) -> dict[str, Any]:
    """The values of the defaults, as Python has evaluated them."""
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    values = function.__defaults__ or ()
    found = dict(zip(positional[len(positional) - len(values) :], values))
    found.update(function.__kwdefaults__ or {})
    for name, value in found.items():
        try:
            found[name] = frozen(value)
        except Unfit as problem:
            raise TypeError(
                f"jit(): {function.__qualname__}() has {problem} as the default of '{name}'; "
                "a default is a number, a bool, None or a tuple of these"
            ) from None
    return found


def _meaning(
    function: FunctionType, name: str, own: Definition, options: Options, hosts: dict[Extern, None]
) -> Definition | Meaning | None:
    """What a name means to the function now; None where Python knows no more than jib does."""
    if name.startswith("__"):
        return Refused("a name that begins with two underscores, which means another one in a class")
    found = _found(function, name)
    if found is _MISSING:
        return own if _is_own(function, name) else None
    if found is function or _is_own(function, name):
        return own
    if isinstance(found, Function):
        return _helper(found, options, hosts)
    if isinstance(found, Extern):
        if found.name != name:
            return Refused(f"a host function that is called '{found.name}'")
        hosts[found] = None
        return None
    spelling = _spelling(found, options)
    if spelling is not None:
        return None if spelling == name else Alias(spelling)
    try:
        return held(found)
    except Unfit as problem:
        return Refused(_words(found, str(problem), options))


def _found(function: FunctionType, name: str) -> Any:
    """The value of a name: of a function around, of the module; Python's own builtins are left to jib's table."""
    code = function.__code__
    if name in code.co_freevars:
        cell = (function.__closure__ or ())[code.co_freevars.index(name)]
        try:
            return cell.cell_contents
        except ValueError:  # not assigned yet
            return _MISSING
    return function.__globals__.get(name, _MISSING)


def _is_own(function: FunctionType, name: str) -> bool:
    """Whether the name is, or will be when it is decorated, that of the function itself."""
    code = function.__code__
    if name != code.co_name:
        return False
    return name in code.co_freevars or function.__qualname__ == name


def _helper(found: Function, options: Options, hosts: dict[Extern, None]) -> Definition | Refused:
    """The definition of another function that was made by `jit`."""
    definition, its = found._definition, found._made.options
    if definition is None:
        return Refused("made by jib.compile; only functions made by jib.jit can be called from another")
    refused = unlike(its, options)
    if refused is None:
        hosts.update(dict.fromkeys(its.externs))
    return refused or definition


def unlike(its: Options, options: Options) -> Refused | None:
    """Why a function with these options cannot be called from one with the others, as if it were written beside it."""
    if its.signature is not None:
        return Refused("a function with a signature of its own, which a call from another would not know; annotate it")
    if its.arithmetic != options.arithmetic:
        return Refused(f'a function with arithmetic="{its.arithmetic}", and this one has "{options.arithmetic}"')
    return None


#: Ufuncs whose names mean something else here: docs/language.md, NumPy's.
_OTHERWISE = ("remainder", "reciprocal")


def _spelling(found: Any, options: Options) -> str | None:
    """The builtin of the language that an object is, whatever name it goes by: a function of `math` or of Python, or, where NumPy's
    rules hold, of NumPy."""
    if found is math:
        return "math"
    true_name = getattr(found, "__name__", None)
    if type(true_name) is not str or callable(found) is False:
        return None
    if getattr(math, true_name, _MISSING) is found:
        dotted = f"math.{true_name}"
        return dotted if builtins.resolve(dotted) is not builtins.resolve(true_name) else true_name
    if getattr(python, true_name, _MISSING) is found and builtins.resolve(true_name) is not None:
        return true_name
    if (
        _is_ufunc(found)
        and options.arithmetic == "numpy"
        and true_name not in _OTHERWISE
        and builtins.resolve(true_name)
    ):
        return true_name
    return None


def _is_ufunc(found: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(found, numpy.ufunc)


def _words(found: Any, problem: str, options: Options) -> str:
    """What to say of something that is not in the language."""
    if _is_ufunc(found) and options.arithmetic != "numpy":
        return "NumPy's function, whose rules hold with arithmetic=\"numpy\"; by Python's rules there are those of math"
    if isinstance(found, FunctionType):
        return "a function of Python; decorate it with jib.jit too"
    if isinstance(found, ModuleType):
        words = f"the module {found.__name__}; of modules only math is part of the language"
        if found.__name__ == "numpy":
            words += '; its ufuncs are known by name (from numpy import sqrt) with arithmetic="numpy"'
        return words
    if isinstance(found, type):
        return f"the class {found.__name__}, which is not part of the language"
    return problem if ", which" in problem else f"{problem} here, which is not part of the language"
