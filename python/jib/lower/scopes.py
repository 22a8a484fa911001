"""Names: which function each belongs to.

In: the `Scope` of each function, as `scan` found it. Out: the free names of the text, in order; in each Scope, which variables
of the functions around it must be handed to it.
Always holds: a nested function gets the variables it reads from outside as further parameters (`captures`), and so does
every function that calls it on the way in from their owner.
"""

from __future__ import annotations

from operator import itemgetter

from .. import builtins
from ..light import TYPE_CHECKING, NamedTuple
from ..source import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from ..names import Meaning
    from ..syntax import Expr, Parameter, Stmt

    Fail = Callable[..., Exception]

FAR = 1 << 62  # after every place in a text


class Variable:
    """What the text does with a variable: how often it assigns it, where first, and whether in a loop."""

    __slots__ = ("parameter", "assigned", "start", "looped")

    def __init__(self, parameter: bool, start: int) -> None:
        self.parameter = parameter
        self.assigned = 0
        self.start = start
        self.looped = False

    def steady(self, before: int) -> bool:
        """Whether it has one value for a nested function that is defined at this place."""
        if self.parameter:
            return self.assigned == 0
        return self.assigned == 1 and not self.looped and self.start < before


class Scope:
    """A function and its names. The scope around a text of definitions is one too, without variables or code."""

    __slots__ = (
        "kind", "name", "path", "span", "params", "returns", "body", "value", "parent", "index",
        "variables", "functions", "names", "given", "reads", "calls", "outer", "captures", "callers",
    )  # fmt: skip

    def __init__(
        self,
        kind: str,
        name: str,
        span: Span,
        params: tuple[Parameter, ...] = (),
        returns: Expr | None = None,
        body: tuple[Stmt, ...] = (),
        value: Expr | None = None,
        parent: Scope | None = None,
    ) -> None:
        self.kind = kind  # "def", "lambda", "suite" or "module"
        self.name = name
        self.path = name  # a name that no other function of the module has
        if parent is not None and parent.kind in ("def", "lambda"):
            self.path = f"{parent.path}.{name}"
        self.span = span
        self.params = params
        self.returns = returns
        self.body = body
        self.value = value  # what the function gives at its end, if not None
        self.parent = parent
        self.index = -1  # its number in the module
        self.variables: dict[str, Variable] = {}
        self.functions: dict[str, Scope] = {}
        self.names: Mapping[str, Meaning] = {}  # of a scope around a text: what names mean that it does not define
        self.given: Mapping[
            str, Captured
        ] = {}  # likewise: the arrays that they mean, which the entry is handed at each call
        self.reads: dict[str, int] = {}  # the names it reads that are not a generator's, and where first
        self.calls: dict[str, int] = {}  # likewise those it calls
        self.outer: dict[str, Captured] = {}  # the names it reads itself from functions around it
        self.captures: dict[Captured, None] = {}  # these, and what the functions it calls need of them
        self.callers: list[Scope] = []


class Captured(NamedTuple):
    """A variable of a function around."""

    owner: Scope
    name: str


def find(scope: Scope, name: str) -> Scope | None:
    """The function around, or this one, whose variable or nested function a name is; what stands around the text, if it has an array of
    this name."""
    at: Scope | None = scope
    while at is not None:
        if name in at.variables or name in at.functions or name in at.given:
            return at
        at = at.parent
    return None


def free_names(scopes: list[Scope], externs: Container[str] = ()) -> list[tuple[str, int]]:
    """The names that are read and that nothing binds, neither text nor host, in order of first appearance, each with where that is."""
    free: dict[str, int] = {}
    for scope in scopes:
        for name, start in scope.reads.items():
            if start >= free.get(name, FAR) or find(scope, name) is not None:
                continue
            if name not in externs and builtins.resolve(name) is None:
                free[name] = start
    return sorted(free.items(), key=itemgetter(1))


def link(scopes: list[Scope], fail: Fail) -> None:
    """Fill in `outer` and `captures` of every function."""
    work: list[tuple[Scope, Captured]] = []
    for scope in scopes:
        for name in {**scope.reads, **scope.calls}:
            owner = find(scope, name)
            if owner is None:
                continue
            if name in owner.functions:
                owner.functions[name].callers.append(scope)
            elif name in owner.given:
                scope.outer[name] = captured = owner.given[name]
                work.append((scope, captured))
            elif owner is not scope:
                if not owner.variables[name].steady(scope.span[0]):
                    start = scope.reads.get(name, scope.calls.get(name, 0))
                    raise fail("captures-changing", Span(start, start + len(name)), name, scope.name)
                scope.outer[name] = captured = Captured(owner, name)
                work.append((scope, captured))
    while work:
        scope, captured = work.pop()
        if captured not in scope.captures:
            scope.captures[captured] = None
            work += [(caller, captured) for caller in scope.callers if caller is not captured.owner]
