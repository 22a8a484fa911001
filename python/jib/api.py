"""The pipeline, in one screen: text -> tree -> IR -> (the one crossing) -> a function.

In: what a person writes. Out: `Function`. Always holds: each stage is a pure function of the one before; Rust alone compiles for
new argument types, when the function is called with them.
"""

from __future__ import annotations

from functools import lru_cache
from operator import index

from .function import Function, Made, Options, make
from .light import TYPE_CHECKING, NamedTuple
from .limits import DEFAULT, Limits
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from .externs import Extern

#: Characters; what is shorter is over before the collector comes.
LONG = 20_000

#: Characters; what is longer is not kept, since what it becomes may be large.
SHORT = 4_000

STAGES = ("ast", "ir", "typed-ir", "clif", "clif-opt", "asm", "cfg")


def _check(
    params: object, name: object, fuel: object, timeout: object, limits: object, nogil: object, threads: object
) -> None:
    """Refuse options that are of the wrong kind, in words that name them."""
    if params is not None:
        if isinstance(params, str) or not all(isinstance(param, str) for param in params):  # type: ignore[attr-defined]
            raise TypeError(f"params must be a sequence of names, not {params!r:.80}")
        for param in params:  # type: ignore[attr-defined]
            if not (param.isascii() and param.isidentifier()):
                raise ValueError(f"params: {param!r:.80} is not a name")
    if name is not None:
        if not isinstance(name, str):
            raise TypeError(f"name must be a str, not {type(name).__name__}")
        if any("\ud800" <= character <= "\udfff" for character in name):
            raise ValueError(f"name: {name!a:.80} has half a character")
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
    if nogil is not None and not isinstance(nogil, bool):
        raise TypeError(f"nogil must be True, False or None, not {type(nogil).__name__}")
    if threads is not None:
        if not hasattr(threads, "__index__") or isinstance(threads, bool):
            raise TypeError(f"threads must be an int, not {type(threads).__name__}")
        if not 1 <= index(threads) <= 1024:
            raise ValueError("threads must be between 1 and 1024")
    if not isinstance(limits, Limits):
        raise TypeError(f"limits must be a jib.Limits, not {type(limits).__name__}")


def _word(option: str, word: object) -> str:
    """The text of an option, a str itself."""
    if not isinstance(word, str):
        raise TypeError(f"{option} must be a str, not {type(word).__name__}")
    return str.__str__(word)


def chosen(
    signature: Any,
    params: Any,
    name: Any,
    arithmetic: Any,
    engine: Any,
    opt_level: Any,
    fuel: Any,
    timeout: Any,
    limits: Any,
    nogil: Any,
    threads: Any,
    externs: Any,
) -> tuple[Any, ...]:
    """The fields of `Options` that a person has chosen, checked, each of its own class; the usual ones cost next to nothing."""
    if (
        params is not None
        or name is not None
        or fuel is not None
        or timeout is not None
        or limits is not None
        or nogil is not None
        or threads is not None
    ):
        if params is not None and not isinstance(params, str):
            params = tuple(params)  # once: it may be an iterator
        _check(params, name, fuel, timeout, DEFAULT if limits is None else limits, nogil, threads)
        params = None if params is None else tuple([str.__str__(param) for param in params])
        name = None if name is None else str.__str__(name)
        fuel = None if fuel is None else index(fuel)
        timeout = None if timeout is None else float(timeout)
        threads = None if threads is None else index(threads)
    if not (
        type(arithmetic) is type(engine) is type(opt_level) is str and (signature is None or type(signature) is str)
    ):
        signature = None if signature is None else _word("signature", signature)
        arithmetic, engine = _word("arithmetic", arithmetic), _word("engine", engine)
        opt_level = _word("opt_level", opt_level)
    callees: tuple[Extern, ...] = ()
    if externs != ():
        from .externs import check_externs

        callees = check_externs(externs)
    limits = limits or DEFAULT
    return signature, params, name, arithmetic, engine, opt_level, fuel, timeout, limits, nogil, threads, callees


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
    nogil: bool | None = None,
    threads: int | None = None,
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
    one unit, the same on every engine. `timeout` is how many seconds a call may run. Other threads of Python go on beside a
    call that has run for a millisecond; `nogil` True lets them from its beginning, False not at all. `threads` is how many
    threads may share the elements of large arrays: see `set_num_threads`.

    A function of numbers that is called with NumPy arrays is called for each element, as NumPy's functions are and by
    NumPy's rules.

    The same text and options are read once: see `cache_info`.

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
    if not isinstance(source, str):
        raise TypeError(f"compile() takes the text of a program, not {type(source).__name__}")
    source = str.__str__(source)
    options = chosen(
        signature, params, name, arithmetic, engine, opt_level, fuel, timeout, limits, nogil, threads, externs
    )
    callees = options[-1]
    # What host functions keep, they keep for those alone who have them.
    made = _known(source, *options) if len(source) <= SHORT and not callees else _make_apart(source, *options)
    return Function(made)


def _make(source: str, *options: Any) -> Made:
    """The way from a text to what crosses."""
    parse, lower, encode = _stages or _load_stages()
    given = _options(*options) if not options[-1] else Options(*options)
    text, limits = Source(source), given.limits
    lowered = lower(parse(text, limits), text, given.params, limits, given.externs)
    return make(text, encode(lowered.module), lowered, given)


def _make_apart(source: str, *options: Any) -> Made:
    """The same for a text that is not kept, which may be long."""
    with collector_paused(len(source) > LONG):
        return _make(source, *options)


_stages: tuple[Any, ...] = ()


def _load_stages() -> tuple[Any, ...]:
    """The stages, which come with the first text: importing jib stays light. Kept, since three such statements take 3.6 µs each time."""
    global _stages
    from .ir import encode
    from .lower import lower
    from .parse import parse

    _stages = parse, lower, encode
    return _stages


_known = lru_cache(maxsize=512)(_make)

#: The same options are one object: most functions have the usual ones.
_options = lru_cache(maxsize=64)(Options)


class CacheInfo(NamedTuple):
    """What a cache has done: found, not found, the most that it keeps, what it keeps now."""

    hits: int
    misses: int
    maxsize: int
    currsize: int


class CacheInfos(NamedTuple):
    """The caches: of texts, of code compiled for one combination of types, and of what `evaluate` was given. Each has `hits`, `misses`,
    `maxsize` and `currsize`, as those of `functools.lru_cache`."""

    texts: CacheInfo
    codes: CacheInfo
    evaluated: CacheInfo


def cache_info() -> CacheInfos:
    """What the caches have done and hold.

    A text of at most 4,000 characters that is compiled again, with the same options, is not read again: the last 512 are
    kept. Code is kept for the last 1,024 combinations of text, options and argument types, or for 16 MiB of them.

    >>> cache_clear()
    >>> compile("a + b")(1, 2), compile("a + b")(3, 4)
    (3, 7)
    >>> cache_info().texts
    CacheInfo(hits=1, misses=1, maxsize=512, currsize=1)
    >>> cache_info().codes
    CacheInfo(hits=1, misses=1, maxsize=1024, currsize=1)
    """
    from . import _native
    from .oneshot import _text

    texts, evaluated = _known.cache_info(), _text.cache_info()
    return CacheInfos(CacheInfo(*texts), CacheInfo(*_native._codes()), CacheInfo(*evaluated))  # type: ignore[arg-type]


def cache_clear() -> None:
    """Forget what the caches hold. Functions that live keep their code.

    >>> f = compile("a * b")
    >>> cache_clear()
    >>> cache_info().texts.currsize, f(2, 3)
    (0, 6)
    """
    from . import _native
    from .oneshot import _shadowing, _text

    _known.cache_clear()
    _text.cache_clear()
    _shadowing.cache_clear()
    _native._forget()


class collector_paused:
    """While a long text becomes nodes, Python's collector would look through all of them again and again, and find nothing to free:
    half the time, and more than twice as much for a text of twice the length."""

    def __init__(self, long: bool) -> None:
        self.long = long

    def __enter__(self) -> None:
        if self.long:
            import gc

            self.long = gc.isenabled()
            gc.disable()

    def __exit__(self, *problem: object) -> None:
        if self.long:
            import gc

            gc.enable()
