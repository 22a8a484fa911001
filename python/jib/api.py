"""The pipeline, in one screen: text -> tree -> IR -> (the one crossing) -> a function.

In: what a person writes. Out: `Function`. Always holds: each stage is a pure function of the one before; Rust alone compiles for
new argument types, when the function is called with them.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from operator import index
from typing import TYPE_CHECKING, Any

from .builtins import constants
from .errors import CompileError
from .externs import check_externs
from .function import Function, Options
from .limits import DEFAULT, Limits
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .externs import Extern

#: Characters; what is shorter is over before the collector comes.
LONG = 20_000

STAGES = ("ast", "ir", "typed-ir", "clif", "clif-opt", "asm", "cfg")


def _check(params: object, name: object, fuel: object, timeout: object, limits: object) -> None:
    """Refuse options that are of the wrong kind, in words that name them."""
    if params is not None:
        if isinstance(params, str) or not all(isinstance(param, str) for param in params):  # type: ignore[attr-defined]
            raise TypeError(f"params must be a sequence of names, not {params!r:.80}")
        for param in params:  # type: ignore[attr-defined]
            if not (param.isascii() and param.isidentifier()):
                raise ValueError(f"params: {param!r:.80} is not a name")
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name must be a str, not {type(name).__name__}")
    if fuel is not None:
        if not hasattr(fuel, "__index__") or isinstance(fuel, bool):
            raise TypeError(f"fuel must be an int, not {type(fuel).__name__}")
        if not 1 <= index(fuel) < 2**63:
            raise ValueError("fuel must be between 1 and 2**63 - 1")
    if timeout is not None:
        if not hasattr(timeout, "__float__") or isinstance(timeout, bool):
            raise TypeError(f"timeout must be a number of seconds, not {type(timeout).__name__}")
        if not 0 < timeout <= 1e18:  # type: ignore[operator]
            raise ValueError("timeout must be a positive number of seconds, and not more than 1e18")
    if not isinstance(limits, Limits):
        raise TypeError(f"limits must be a jib.Limits, not {type(limits).__name__}")
    if limits is not DEFAULT:
        for field, value in zip(Limits._fields, limits):
            if type(value) is not int:
                raise TypeError(f"limits: {field} must be an int, not {type(value).__name__}")
            if not 0 <= value < 2**63:
                raise ValueError(f"limits: {field} must be between 0 and 2**63 - 1, not {value}")


def compile(
    source: str,
    signature: str | None = None,
    *,
    params: Sequence[str] | None = None,
    name: str | None = None,
    arithmetic: str = "python",
    engine: str = "native",
    opt_level: str = "speed",
    fuel: int | None = None,
    timeout: float | None = None,
    limits: Limits | None = None,
    externs: Iterable[Extern] = (),
) -> Function:
    """A native function from a text: an expression, a suite, a lambda, or definitions of which the last is called.

    `signature`, such as "float(float, int)", fixes the types of the arguments and is compiled at once; without it the types of
    each call decide. `params` names the parameters of an expression or a suite, which else are its free names in order of
    appearance. `name` is what the function is called in messages, `limits` how large the text may be. `arithmetic`
    is "python" or "numpy", `opt_level` "speed" or "none". `engine` is "native", "interpreter", or "auto": interpret until compiling
    would have been cheaper.

    `externs` are functions of the host, made by `jib.extern`, that the text may call by their names.

    `fuel` is what one call may use up: each round of a loop and each call of a function of the text, the outermost included, takes
    one unit, the same on every engine. `timeout` is how many seconds a call may run.

    Raises ParseError, CompileError and LimitError for the text, TypeError and ValueError for options, OSError where the system
    refuses memory for machine code to engine="native". A call that spends its fuel or time raises BudgetError.

    >>> compile("sqrt(x*x + y*y)")(3, 4)
    5.0
    >>> compile('''
    ... total = 0
    ... for i in range(n):
    ...     total += i
    ... total
    ... ''')(10)
    45
    >>> compile("x // y", "int(int, int)", params=["y", "x"])(2, 7)
    3
    """
    from . import ir  # none of these before the first text: importing jib stays light
    from .lower import lower
    from .parse import parse

    if not isinstance(source, str):
        raise TypeError(f"compile() takes the text of a program, not {type(source).__name__}")
    limits = DEFAULT if limits is None else limits
    _check(params, name, fuel, timeout, limits)
    callees = check_externs(externs) if externs != () else ()
    text = Source(source)
    with _collector_paused() if len(source) > LONG else nullcontext():
        program = parse(text, limits)
        lowered = lower(program, text, params, limits, callees)
    options = Options(
        signature,
        tuple(params) if params is not None else None,
        name,
        arithmetic,
        engine,
        opt_level,
        None if fuel is None else index(fuel),
        None if timeout is None else float(timeout),
        limits,
        callees,
    )
    return Function(text, ir.encode(lowered.module), lowered, options)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """While a long text becomes nodes, Python's collector would look through all of them again and again, and find nothing to free:
    half the time, and more than twice as much for a text of twice the length."""
    import gc

    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


@lru_cache(maxsize=256)
def _one_shot(source: str, constants: tuple[str, ...]) -> Function:
    """The function of a text in which these constants are variables, unless it says itself what its parameters are."""
    function = compile(source, engine="auto")
    if constants:
        try:
            return compile(source, params=[*function.params, *constants], engine="auto")
        except CompileError as error:
            if error.code != "params-given":
                raise
    return function


def evaluate(
    source: str, variables: Mapping[str, Any] | None = None, /, *, out: None = None, casting: str = "safe", **names: Any
) -> Any:
    """The value of a text, once: compiled when it is evaluated so often that this is worth it.

    A name of the text is looked for in `names`, then in `variables`; without `variables` it is also looked for where the call
    stands, in the caller's local and then global variables, as `numexpr.evaluate` does: give `{}` with text that is not
    trusted. A constant such as `e` is a variable if `names` or `variables` has it. `out` and `casting` are for arrays, which are
    not part of the language yet. Texts are kept, the last 256.

    Raises what `compile` and a call raise; NameError, a subclass of Exception, for a name that is found nowhere.

    >>> evaluate("a * b + 1", a=3, b=5)
    16
    >>> x = 2.0
    >>> evaluate("x ** 3"), evaluate("x ** 3", {"x": 3})
    (8.0, 27)
    """
    if out is not None or casting != "safe":
        raise TypeError("evaluate(): 'out' and 'casting' are for arrays, which are not part of the language yet")
    if not isinstance(source, str):
        raise TypeError(f"evaluate() takes the text of a program, not {type(source).__name__}")
    if variables is not None and not hasattr(variables, "keys"):
        raise TypeError(f"evaluate(): variables must be a mapping, not {type(variables).__name__}")
    places: list[Mapping[str, Any]] = [names] if variables is None else [names, variables]
    function = _one_shot(source, tuple([name for name in constants() if any(name in place for place in places)]))
    params = function._entry[0]
    unknown = names.keys() - {param.name for param in params}
    if unknown:
        raise TypeError(f"evaluate(): '{min(unknown)}' is not a name in the text")
    if variables is None and len(names) < len(params):
        caller = sys._getframe(1)
        places += [caller.f_locals, caller.f_globals]
    args, keywords = [], {}
    for param in params:
        place = next((place for place in places if param.name in place), None)
        if place is None:
            if param.required:
                raise NameError(f"name '{param.name}' is not defined")
        elif param.kind == "positional":
            args.append(place[param.name])
        else:
            keywords[param.name] = place[param.name]
    return function(*args, **keywords)
