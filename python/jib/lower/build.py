"""The builder of one function's IR, which knows what names mean, and the engine that walks its tree.

In: a `Scope`, and its nodes in the order of evaluation. Out: an ir.Function.
Always holds: what `ir_build` promises; what is spent of the limits is counted.

A *routine* is a handler of a node, written as a Python generator: `value = yield node` lowers a child and gives its value's
number. `Builder.run` keeps the waiting routines on a list of its own, so that no depth of text is a depth of Python's stack.
"""

from __future__ import annotations

import builtins as python
from types import GeneratorType

from .. import builtins
from ..errors import error
from ..ir import Function, Parameter
from ..ir_build import Code, _new
from ..light import TYPE_CHECKING, NamedTuple
from ..names import Alias, Refused, Value
from .scopes import Captured, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from typing import Any, TypeVar

    from ..externs import Extern
    from ..limits import Limits
    from ..names import Meaning
    from ..source import Source, Span

    Routine = Generator[Any, Any, Any]
    Handler = TypeVar("Handler", bound=Callable[..., Routine])
    Plain = TypeVar("Plain", bound=Callable[..., Any])

SMALLEST, LARGEST = -(1 << 63), (1 << 63) - 1

HANDLERS: dict[type, Callable[[Builder, Any], Routine]] = {}
LEAVES: dict[type, Callable[[Builder, Any], Any]] = {}


def lowers(*kinds: type) -> Callable[[Handler], Handler]:
    """Make a routine the handler of these kinds of nodes."""

    def register(handler: Handler) -> Handler:
        for kind in kinds:
            HANDLERS[kind] = handler
        return handler

    return register


def leaf(*kinds: type) -> Callable[[Plain], Plain]:
    """Make a function the handler of these kinds of nodes, which wait for no child: it gives the answer at once."""

    def register(handler: Plain) -> Plain:
        for kind in kinds:
            LEAVES[kind] = handler
        return handler

    return register


class Unit:
    """What the functions of one text share: the text, the limits, what is spent of them, parameters already read, the host's functions;
    whether anything in it tells of arrays; the builtins and functions of the host that it names, each with where first."""

    __slots__ = ("source", "limits", "size", "params", "externs", "arrays", "used")

    def __init__(self, source: Source, limits: Limits, externs: Sequence[Extern] = ()) -> None:
        self.source = source
        self.limits = limits
        self.size = 0
        self.arrays = False
        self.params: dict[Scope, tuple[builtins.Param, ...]] = {}
        # The arity is None for one that the host has yet to give.
        self.externs: dict[str, tuple[int, int | None]] = {}
        for index, each in enumerate(externs):
            self.externs[each.name] = (index, each.arity)
        self.used: dict[tuple[str, str], Span] = {}  # by kind, which is "builtin" or "extern", and name

    def fail(self, code: str, span: Span, *args: object) -> Exception:
        """The error of this row of the table of messages, to be raised."""
        return error(code, self.source, span, *args)

    def use(self, kind: str, name: str, span: Span) -> None:
        """Note that the text names this builtin, or function of the host, here."""
        known = self.used.get((kind, name))
        if known is None or span[0] < known[0]:
            self.used[kind, name] = span

    def spend(self, instructions: int, span: Span) -> None:
        """Count instructions against the limit."""
        self.size += instructions
        if self.size > self.limits.ir_instructions:
            raise self.fail("too-many-instructions", span, self.limits.ir_instructions)


class Loop(NamedTuple):
    """Where `break` and `continue` go."""

    after: int
    again: int


class Builder(Code):
    """One function of a text in the making."""

    __slots__ = ("unit", "scope", "fail", "params", "own", "outer", "variables", "loops", "defined", "spent")

    def __init__(self, unit: Unit, scope: Scope, types: Sequence[str | None]) -> None:
        self.params = [
            _new(Parameter, (param[1], type, param[0][0], param[0][1])) for param, type in zip(scope.params, types)
        ]
        self.own = own = {param[0]: index for index, param in enumerate(self.params)}  # this function's variables
        Code.__init__(self, [*own])
        self.unit = unit
        self.scope = scope
        self.fail = unit.fail
        self.loops: list[Loop] = []
        self.defined: set[str] = set()  # nested functions whose definition is behind us
        self.outer: dict[Captured, int] = {}
        for captured in scope.captures:
            self.outer[captured] = self.local(captured.name)
            self.params.append(Parameter(self.locals[-1], None, scope.span[0], scope.span[1]))
        if len(scope.variables) > len(own):  # parameters are variables too
            for name in sorted(scope.variables, key=lambda name: scope.variables[name].start):
                if name not in own:
                    own[name] = len(self.locals)
                    self.locals.append(name)
        self.variables = own.copy()  # the variable that each name means at this point
        for name, captured in scope.outer.items():
            self.variables[name] = self.outer[captured]
        self.spent = 0

    # ------------------------------------------------------------------------------------------- the walk

    def run(self, routine: Routine) -> Any:
        """Run a routine to its end, and what it yields before it goes on: a node gives the number of its value."""
        waiting: list[Routine] = []
        answer: Any = None
        while True:
            try:
                wanted = routine.send(answer)
            except StopIteration as done:
                answer = done.value
                if not waiting:
                    return answer
                routine = waiting.pop()
                continue
            kind = type(wanted)
            at_once = LEAVES.get(kind)
            if at_once is not None:
                answer = at_once(self, wanted)
            else:
                waiting.append(routine)
                routine = wanted if kind is GeneratorType else HANDLERS[kind](self, wanted)
                answer = None

    def foreign(self, name: str, span: Span) -> int:
        """Read a name that is no variable."""
        if self.function(name) is not None or name in self.unit.externs:
            raise self.fail("function-value", span, name)
        meaning = self.meaning(name, span)
        if type(meaning) is Value:
            return self.constant(meaning.value, span)
        builtin = builtins.resolve(meaning.name if type(meaning) is Alias else name)
        if builtin is None:
            raise self.unknown(name, span)
        if not builtin.constant:
            raise self.fail("function-value", span, name)
        self.unit.use("builtin", builtin.name, span)
        return self.const(builtin.value, span)

    def meaning(self, name: str, span: Span) -> Meaning | None:
        """What a name means that the text does not define, if somebody has said so for this definition."""
        scope = self.scope
        while scope.parent is not None:
            scope = scope.parent
        found = scope.names.get(name)
        if type(found) is Refused:
            raise self.fail("foreign-name", span, name, found.words)
        return found

    def unknown(self, name: str, span: Span) -> Exception:
        """The mistake of a name that means nothing here."""
        if hasattr(python, name):
            return self.fail("python-builtin", span, name)
        return self.fail("unknown-name", span, name, self.known(name))

    def text(self, value: str, span: Span) -> str:
        """A literal text, which must be writable as UTF-8."""
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise self.fail("text-surrogate", span)
        return value

    def function(self, name: str) -> Scope | None:
        """The function of the text that a name means here."""
        scope: Scope | None = self.scope
        while scope is not None:
            found = scope.functions.get(name)
            if found is not None or name in scope.variables:
                return found
            scope = scope.parent
        return None

    def known(self, name: str) -> list[str]:
        """The names that can have been meant by this one, for hints."""
        module, dot, _ = name.partition(".")
        if dot:
            dotted = [f"{module}.{each}" for each in builtins.names() if "." not in each]
            return [each for each in dotted if builtins.resolve(each) is not None]
        found = list(self.variables)
        scope: Scope | None = self.scope
        while scope is not None:
            found += scope.functions
            scope = scope.parent
        return [*found, *self.unit.externs, *builtins.names()]

    # --------------------------------------------------------------------------------------- more than instructions

    def constant(self, value: Any, span: Span) -> int:
        """A constant that is known to be in range, or a tuple of such."""
        if type(value) is not tuple:
            return self.const(value, span)
        return self.emit("tuple", tuple([self.constant(each, span) for each in value]), span)

    def check_size(self, span: Span) -> None:
        """Count what was made since the last time against the limit."""
        self.unit.spend(self.count - self.spent, span)
        self.spent = self.count

    def finish(self, returns: str | None, returns_span: tuple[int, int]) -> Function:
        """The function."""
        scope = self.scope
        return _new(Function, (
            scope.path, self.params, returns, returns_span[0], returns_span[1], self.locals, self.settle(self.blocks),
            scope.span[0], scope.span[1],
        ))  # fmt: skip
