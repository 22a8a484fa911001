"""Texts that are evaluated: what each is for numbers and for arrays, and what it asks for.

In: a text. Out: a `Text`. Always holds: it is read once; whether it is one reduction as a whole, and of what, is read from its tree, and
the part that is reduced is compiled where it stands, so that mistakes in it have their places.
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from .builtins import constants
from .errors import CompileError, error
from .function import Function, Options, make
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .syntax import Call, Program

#: The reductions that can be the whole text: NumPy has functions of the same names.
REDUCTIONS = ("sum", "prod", "min", "max", "any", "all", "mean")

#: What such a text begins with.
_REDUCTION = re.compile(rf"\s*(?:{'|'.join(REDUCTIONS)})\s*\(")


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
        self.plain = all(param.required and param.kind != "keyword" for param in params)
        #: What it is for arrays, if it takes them as wholes.
        takes_arrays = self.function is not (self.reduction and self.reduction.inner) and any(p.array for p in params)
        self.whole = _function(source, shadowed, "numpy") if takes_arrays else None
        #: Whether a call is all there is to do.
        self.simple = self.whole is None and self.reduction is None
        #: What variables may take the place of.
        self.constants = tuple([name for name in constants() if name not in shadowed and name in source])


def _function(source: str, shadowed: tuple[str, ...], arithmetic: str = "python") -> Function:
    """The function of a text."""
    from .api import compile
    from .limits import DEFAULT
    from .lower import free
    from .parse import parse

    def build(params: Sequence[str] | None) -> Function:
        engine = "auto" if arithmetic == "python" else "native"  # what takes arrays is worth compiling
        return compile(source, params=params, arithmetic=arithmetic, engine=engine)

    def names() -> list[str]:
        text = Source(source)
        return free(parse(text, DEFAULT), text)

    return _with_variables(source, shadowed, build, names)


def _with_variables(
    source: str,
    shadowed: tuple[str, ...],
    build: Callable[[Sequence[str] | None], Function],
    free: Callable[[], list[str]],
) -> Function:
    """The function of a text in which these constants are variables, and so are names of builtins that it does not call, such as
    the gamma of `beta * gamma`; unless it says itself what its parameters are."""
    params: list[str] | None = None
    first: CompileError | None = None
    while True:
        try:
            function = build(params)
            break
        except CompileError as problem:
            if problem.code == "params-given" and first is not None:
                raise first from None
            name = "" if problem.span is None else source[problem.span[0] : problem.span[1]]
            if problem.code != "function-value" or not name.isidentifier():
                raise
            first = problem
            params = [*(free() if params is None else params), name]
    if shadowed:
        try:
            return build([*function.params, *shadowed])
        except CompileError as problem:
            if problem.code != "params-given":
                raise
    return function


def _reduction(source: str, shadowed: tuple[str, ...]) -> Reduction | None:
    """The reduction that the text is, if it is one of an expression: `sum(a*b)`, `sum(a, axis=0)`, `sum(a, 0)`."""
    from . import ir, syntax
    from .limits import DEFAULT
    from .lower import free, lower
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

    part = program._replace(body=(statement,))

    def inner(options: Options) -> Function:
        def build(params: Sequence[str] | None) -> Function:
            lowered = lower(part, text, params, DEFAULT, ())
            chosen = options._replace(params=None if params is None else tuple(params))
            return Function(make(text, ir.encode(lowered.module), lowered, chosen))

        return _with_variables(source, shadowed, build, lambda: free(part, text))

    function = inner(Options(engine="auto"))
    if any(param.array for param in function._made.params):
        # What is reduced takes arrays as wholes itself.
        if not keyword:
            return None
        function = inner(Options(engine="native", arithmetic="numpy"))
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
        return second.value, call.func.id not in ("sum", "min", "max"), second.span
    return None


def _literal_axis(node: Any, text: Source) -> int | tuple[int, ...] | None:
    from . import syntax

    if type(node) is syntax.Tuple:
        axes = [_literal_axis(element, text) for element in node.elements]
        if all(type(axis) is int for axis in axes):
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


def _picker(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes the values of these names from a mapping."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda found: tuple([found[name] for name in names])
