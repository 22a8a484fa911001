"""What a text needs and may do, before it runs.

In: a text, and what it would be compiled with. Out: an `Inspection`. Always holds: nothing runs, and no machine code is made; a text that
`compile` refuses is refused here with the same error, but for functions that nobody has given it, which are listed; the time
is that of reading the text, linear in its length.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

from . import builtins
from .source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .externs import Extern
    from .ir import Function
    from .limits import Limits
    from .lower import EntryParameter
    from .lower.scopes import Scope

#: The most fuel that a function can have.
MOST = (1 << 63) - 1

AUGMENTED = frozenset(f"i{op}" for op in (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "power", "and_", "or_", "xor", "lshift", "rshift",
))  # fmt: skip


class Inspection(NamedTuple):
    """What a text needs and may do. Names come in the order in which they first appear.

    `kind` is "expression", "suite", "lambda" or "definitions"; `name` and `doc` are those of its function. `parameters` have a `name`,
    a `kind` ("any", "positional" or "keyword"), an `annotation`, a `default` unless they are `required`, and `array`, which says whether
    the text itself shows them to be arrays.

    What it uses: `builtins`, each by its name in the table, so that `math.sin(x)` and `sin(x)` are both sin; `constants`, such
    as pi; `externs`, of those it was offered; and `unknown`, functions that it calls and that nobody has given it. What it has of its
    own: `helpers`, which are its other functions, and `assigned`, the names that it assigns.

    What it may do: `raises` are the exceptions of its `raise` and `assert`; arithmetic, indices and functions raise theirs beside
    these. `loops` is how deep its loops nest, 0 if it has none; `recurses`, whether a function of it can come back to itself; `writes`,
    whether it may change elements of an array.

    What it takes: `instructions` of the IR in all. `fuel` and `cost` are the most that one call can use up: so much `fuel=`, and
    so many of those instructions. They are None where nothing says how much: where it loops, recurs or works on whole arrays.

    `places` says of each parameter and of each name that it uses where that first stands, as a `Span` of offsets.

    >>> found = inspect_source("total = 0.0\\nfor v in x: total += v * rate(v)\\ntotal")
    >>> found.kind, found.params, found.arrays, found.assigned
    ('suite', ('x',), ('x',), ('total', 'v'))
    >>> found.unknown, found.places["rate"], found.loops, found.fuel
    (('rate',), Span(start=37, end=41), 1, None)
    """

    kind: str
    name: str
    doc: str | None
    parameters: tuple[EntryParameter, ...]
    builtins: tuple[str, ...]
    constants: tuple[str, ...]
    externs: tuple[str, ...]
    unknown: tuple[str, ...]
    helpers: tuple[str, ...]
    assigned: tuple[str, ...]
    raises: tuple[str, ...]
    loops: int
    recurses: bool
    writes: bool
    instructions: int
    fuel: int | None
    cost: int | None
    places: dict[str, Span]

    @property
    def params(self) -> tuple[str, ...]:
        """The names of the parameters, which the compiled function has too."""
        return tuple([param.name for param in self.parameters])

    @property
    def arrays(self) -> tuple[str, ...]:
        """The parameters that the text shows to be arrays."""
        return tuple([param.name for param in self.parameters if param.array])

    @property
    def prints(self) -> bool:
        """Whether it may print."""
        return "print" in self.builtins

    @property
    def bounded(self) -> bool:
        """Whether the text alone bounds what a call takes."""
        return self.fuel is not None


def inspect_source(
    source: str, *, params: Sequence[str] | None = None, limits: Limits | None = None, externs: Iterable[Extern] = ()
) -> Inspection:
    """What a text needs and may do, without running it: its parameters, the functions it calls, what it may take.

    `params`, `limits` and `externs` are those of `compile`, which raises the same ParseError, CompileError and LimitError for the text, and
    TypeError and ValueError for the options. A function that is called and that nobody has given is no error here: it is one of
    `unknown`, so that the host can give it. What depends on the types of arguments is not known yet, so `compile`, or a call, may still
    refuse the text; nor is, while functions are unknown, whether every variable has been assigned where it is read.

    >>> found = inspect_source("price * (1 - discount) ** years + fee(price) * pi")
    >>> found.params, found.unknown, found.constants
    (('price', 'discount', 'years'), ('fee',), ('pi',))
    >>> found.bounded, found.fuel, found.loops
    (True, 1, 0)
    >>> found = inspect_source("sum(x[i] * w for i in range(len(x)))")
    >>> found.params, found.arrays, found.builtins, found.bounded
    (('x', 'w'), ('x',), ('sum', 'range', 'len'), False)
    """
    from .api import LONG, chosen, collector_paused
    from .function import Options, make
    from .ir import encode
    from .lower import finish, resolve
    from .lower.build import Unit
    from .parse import parse

    if not isinstance(source, str):
        raise TypeError(f"inspect_source() takes the text of a program, not {type(source).__name__}")
    source = str.__str__(source)
    options = Options(*chosen(None, params, None, "python", "native", "speed", None, None, limits, None, None, externs))
    text = Source(source)
    with collector_paused() if len(source) > LONG else nullcontext():
        program = parse(text, options.limits)
        unit = Unit(text, options.limits, options.externs)
        scopes, doc = resolve(program, unit, options.params)
        unknown = _unknown(scopes, unit.externs)
        for name in unknown:  # from here on they are functions of the host, which take what they are given
            unit.externs[name] = (len(unit.externs), None)
        entry = scopes[0]
        lowered = finish(unit, scopes, entry, doc)
        functions = lowered.module.functions
        used = sorted(unit.used, key=unit.used.__getitem__)
        called = tuple([name for kind, name in used if kind == "extern"])
        own = [name for kind, name in used if kind == "builtin"]
        constants = builtins.constants()
        arrays = unit.arrays or any(param.array for param in lowered.params)
        if not unknown:
            make(text, encode(lowered.module), lowered, options)  # what Rust refuses before it knows types
        takes = _Taken(functions)
        places = {param.name: Span(param.start, param.end) for param in functions[0].params}
        for kind, name in reversed(used):
            places[name] = Span(*unit.used[kind, name])
        bounded = not (takes.recurses or takes.loops or arrays) and takes.fuel <= MOST
        return Inspection(
            kind=_kind(entry),
            name=lowered.name,
            doc=doc,
            parameters=lowered.params,
            builtins=tuple([name for name in own if name not in constants]),
            constants=tuple([name for name in own if name in constants]),
            externs=tuple([name for name in called if name not in unknown]),
            unknown=tuple([name for name in called if name in unknown]),
            helpers=tuple([scope.path for scope in scopes[1:]]),
            assigned=_assigned(scopes),
            raises=_raises(functions),
            loops=takes.loops,
            recurses=takes.recurses,
            writes=_writes(functions, arrays),
            instructions=sum([len(block) for function in functions for block in function.blocks]),
            fuel=takes.fuel if bounded else None,
            cost=takes.cost if bounded else None,
            places=places,
        )


def _kind(entry: Scope) -> str:
    """What kind of text this is, from its entry."""
    if entry.kind != "suite":
        return "definitions" if entry.kind == "def" else "lambda"
    return "suite" if entry.body or entry.value is None else "expression"


def _unknown(scopes: list[Scope], externs: Iterable[str]) -> dict[str, None]:
    """The names that are called and that mean nothing: neither to the text nor to the host nor in the language."""
    from .lower.scopes import find

    return {
        name: None
        for scope in scopes
        for name in scope.calls
        if find(scope, name) is None and name not in externs and builtins.resolve(name) is None
    }


def _assigned(scopes: list[Scope]) -> tuple[str, ...]:
    """The names that the functions assign."""
    first: dict[str, int] = {}
    for scope in scopes:
        for name, variable in scope.variables.items():
            if variable.assigned:
                first[name] = min(variable.start, first.get(name, variable.start))
    return tuple(sorted(first, key=first.__getitem__))


def _raises(functions: list[Function]) -> tuple[str, ...]:
    """The exceptions that the text raises itself."""
    ends = [block[-1] for function in functions for block in function.blocks]
    found = {end.args[0]: end.start for end in reversed(ends) if end.op == "raise"}
    return tuple(sorted(found, key=found.__getitem__))


def _writes(functions: list[Function], arrays: bool) -> bool:
    """Whether elements may be changed: by an assignment to them, or by an augmented one to what may be an array."""
    primitives = {
        args[0] for function in functions for block in function.blocks for op, args, _, _ in block if op == "prim"
    }
    return not primitives.isdisjoint(("store", "assign")) or (arrays and not primitives.isdisjoint(AUGMENTED))


class _Taken:
    """What a call of the entry may take, read from the IR.

    Fuel is as `types/ticks.rs` counts it where nothing loops: a unit for each call of a function of the text. What a call takes is what the
    dearest way through its blocks takes, with what it calls, each of which is looked at once, callees first.
    """

    __slots__ = ("functions", "recurses", "loops", "fuel", "cost")

    def __init__(self, functions: list[Function]) -> None:
        self.functions = functions
        self.recurses = False
        taken: dict[int, tuple[int, int, int]] = {}
        for number in self._callees_first():
            taken[number] = _taken(functions[number], taken)
        self.loops, self.fuel, self.cost = taken[0]

    def _callees_first(self) -> list[int]:
        """The functions that the entry can reach, each behind all that it calls; in a recursion some order."""
        calls = [
            list(dict.fromkeys([args[0] for block in function.blocks for op, args, _, _ in block if op == "call"]))
            for function in self.functions
        ]
        order: list[int] = []
        open_, done = {0}, set()
        path = [(0, iter(calls[0]))]
        while path:
            number, left = path[-1]
            callee = next(left, None)
            if callee is None:
                path.pop()
                open_.discard(number)
                done.add(number)
                order.append(number)
            elif callee in open_:
                self.recurses = True
            elif callee not in done:
                open_.add(callee)
                path.append((callee, iter(calls[callee])))
        return order


def _taken(function: Function, taken: dict[int, tuple[int, int, int]]) -> tuple[int, int, int]:
    """How deep loops nest in one call of a function, and, if there are none, the most fuel and instructions that it takes."""
    blocks = function.blocks
    depths = _depths(function)
    deepest = max(depths)
    # From the last block to the first: without loops every way goes forward.
    fuel, cost = [0] * len(blocks), [0] * len(blocks)
    for at in range(len(blocks) - 1, -1, -1):
        units, steps = 0, len(blocks[at])
        for op, args, _, _ in blocks[at]:
            if op == "call" and args[0] in taken:  # else it is part of a recursion
                inner = taken[args[0]]
                deepest = max(deepest, depths[at] + inner[0])
                units, steps = units + inner[1], steps + inner[2]
        targets = _targets(function, at)
        units += max([fuel[target] for target in targets], default=0)
        steps += max([cost[target] for target in targets], default=0)
        fuel[at], cost[at] = min(units, MOST), min(steps, MOST)
    return deepest, min(1 + fuel[0], MOST + 1), cost[0]


def _targets(function: Function, at: int) -> tuple[int, ...]:
    """Where a block goes."""
    end = function.blocks[at][-1]
    return end.args if end.op == "jump" else end.args[1:] if end.op == "branch" else ()


def _depths(function: Function) -> list[int]:
    """Of each block, in how many loops it is. The blocks of a loop stand together, the first is where it goes back to."""
    count = len(function.blocks)
    last: dict[int, int] = {}  # by the first block of a loop: the last that goes back there
    for at in range(count):
        for target in _targets(function, at):
            if target <= at:
                last[target] = at
    change = [0] * (count + 1)
    for first, end in last.items():
        change[first] += 1
        change[end + 1] -= 1
    depths, depth = [], 0
    for step in change[:count]:
        depth += step
        depths.append(depth)
    return depths
