"""Writes programs of the language: typed, and bounded by construction.

In: a seed, or a source of choices. Out: a text, its parameters and their types. Always holds: loops end (a `for` over few values, or a
counter that nothing else writes), recursion counts down, and expressions are of the types that their operators take, so that nearly
every text compiles. The same seed gives the same program. A program is tame, when most of its operations are kept to operands that
have an answer, or it is not.
"""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

from .generate_expressions import Helper, Parameter
from .generate_statements import Statements

LITERALS = {"i": ("0", "3", "-2"), "f": ("0.5", "-1.0", "2.0"), "b": ("True", "False")}
ANNOTATIONS = {"i": "int", "f": "float", "b": "bool"}
SCALARS = "iifffb"


class Generated(NamedTuple):
    """A program and how to call it; so many parameters at the end may be left out."""

    text: str
    params: tuple[str, ...]
    types: tuple[str, ...]
    optional: int
    tame: bool


class Writer(Statements):
    """One program."""

    params: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    optional = 0

    def annotation(self, ty: Any) -> str:
        if isinstance(ty, tuple):
            return f"tuple[{', '.join([ANNOTATIONS[item] for item in ty])}]"
        return ANNOTATIONS.get(ty, ty)

    def parameters(self, types: list[str], entry: bool, recursive: bool) -> tuple[Parameter, ...]:
        """Named, some with defaults, some by position or by name only."""
        params = []
        at_least = len(types) - (self.random.randrange(1, len(types) + 1) if self.chance(0.25) else 0)
        at_least = max(at_least, int(recursive))
        kind = "any"
        for at, ty in enumerate(types):
            default = self.pick(LITERALS.get(ty, ("3",))) if at >= at_least else ""
            if not entry and at and kind == "any" and self.chance(0.12):
                kind = "keyword"
            params.append(Parameter(self.fresh("p"), ty, kind, default))
        if not entry and self.chance(0.1):
            params[0] = params[0]._replace(kind="positional")
        return tuple(params)

    def head(self, params: tuple[Parameter, ...]) -> str:
        annotated = self.chance(0.3)
        parts = []
        for at, param in enumerate(params):
            if param.kind == "keyword" and (not at or params[at - 1].kind != "keyword"):
                parts.append("*")
            typed = param.type in self.sized or (annotated and self.chance(0.7))
            text = f"{param.name}: {self.annotation(param.type)}" if typed else param.name
            parts.append(
                f"{text} = {param.default}"
                if param.default and typed
                else f"{text}={param.default}"
                if param.default
                else text
            )
            if param.kind == "positional":
                parts.append("/")
        return ", ".join(parts)

    def signature_types(self, entry: bool) -> list[str]:
        types = [self.pick(SCALARS) for _ in range(self.pick((1, 2, 2, 3)))]
        if self.sized and self.chance(0.7):
            types[-1] = self.pick(self.sized)
        return types

    def begin(self, params: tuple[Parameter, ...], fixed: set[str]) -> None:
        self.kinds = {param.name: param.type for param in params}
        self.fixed = fixed
        self.written = dict.fromkeys(self.kinds, 0)
        self.given = set(self.kinds)
        self.maybe = {}

    def result_type(self) -> Any:
        ty = self.pick("iffb")
        return (ty, *[self.pick("ifb") for _ in range(self.random.randrange(1, 3))]) if self.chance(0.15) else ty

    def value(self, ty: Any, depth: int) -> str:
        """What is returned."""
        if isinstance(ty, tuple):
            return f"({', '.join([self.expr(item, depth - 1) for item in ty])})"
        return self.expr(ty, depth)

    def function(self, name: str, entry: bool) -> None:
        recursive = not entry and self.chance(0.25)
        types = self.signature_types(entry)
        if recursive:
            types[0] = "i"
        params = self.parameters(types, entry, recursive)
        self.begin(params, {params[0].name} if recursive else set())
        self.result = self.result_type() if not recursive else self.pick("iffb")
        returns = f" -> {self.annotation(self.result)}" if self.chance(0.2) else ""
        self.line(0, f"def {name}({self.head(params)}){returns}:")
        self.base = 1
        self.may_return = True
        if recursive:
            self.line(1, f"if {params[0].name} <= 0: return {self.expr(self.result, 1)}")
        outer = list(self.helpers)
        for _ in range(self.random.randrange(0, 3) if not entry else self.random.randrange(0, 5)):
            self.statement(1, 2)
        value = self.value(self.result, 3)
        if recursive:
            again = self.again(name, params)
            op = {"i": "+", "f": "*", "b": "or"}[self.result]
            value = f"{again} {op} {value}" if self.chance(0.5) else again
        self.line(1, f"return {value}")
        self.helpers = outer
        if entry:
            self.params, self.types = tuple([p.name for p in params]), tuple(types)
            self.optional = sum(bool(param.default) for param in params)
        else:
            self.helpers.append(Helper(name, params, self.result, recursive))

    def again(self, name: str, params: tuple[Parameter, ...]) -> str:
        args = [
            f"{param.name}={value}" if param.kind == "keyword" else value
            for param, value in zip(params, [f"{params[0].name} - 1", *[self.expr(p.type, 1) for p in params[1:]]])
        ]
        return f"{name}({', '.join(args)})"

    def circle(self, one: str, other: str) -> None:
        """Two functions that call each other, and count down."""
        result = self.pick("ifb")
        params = self.parameters(["i", self.pick(SCALARS)], False, True)
        for name, calls in ((one, other), (other, one)):
            self.begin(params, {params[0].name})
            self.may_return = False
            self.line(0, f"def {name}({self.head(params)}):")
            value = self.expr(result, 2)
            op = {"i": "-", "f": "+", "b": "and"}[result]
            again = self.again(calls, params)
            again = f"{again} {op} {self.expr(result, 1)}" if self.chance(0.5) else again
            self.line(1, f"return {value} if {params[0].name} <= 0 else {again}")
        self.helpers.append(Helper(one, params, result, True))

    def definitions(self) -> None:
        for at in range(self.pick((0, 1, 1, 2))):
            if self.chance(0.12):
                self.circle(f"h{at}", f"o{at}")
            else:
                self.function(f"h{at}", False)
        self.function("main", True)

    def program(self) -> Generated:
        self.room = self.pick((8, 14, 20, 30, 50))
        kind = self.random.random()
        if kind > 0.65:
            self.room += 10
            self.definitions()
        elif kind > 0.6:
            self.types = tuple([self.pick(SCALARS) for _ in range(self.pick((1, 2, 2, 3)))])
            params = self.parameters(list(self.types), True, False)
            self.begin(params, set())
            self.steady = 1
            self.optional = sum(bool(param.default) for param in params)
            self.params = tuple([param.name for param in params])
            head = ", ".join([f"{p.name}={p.default}" if p.default else p.name for p in params])
            self.line(0, f"lambda {head}: {self.value(self.result_type(), 4)}")
        else:
            self.types = tuple([self.pick(SCALARS) for _ in range(self.pick((1, 2, 2, 3)))])
            self.params = tuple("abc"[: len(self.types)])
            self.begin(tuple([Parameter(name, ty, "any", "") for name, ty in zip(self.params, self.types)]), set())
            if kind > 0.2:
                for _ in range(self.random.randrange(1, 6)):
                    self.statement(0, 3)
            self.line(0, self.every() if self.chance(0.4) else self.expr(self.pick("iffb"), 4))
        return Generated("\n".join(self.lines), self.params, self.types, self.optional, self.tame)

    def every(self) -> str:
        """A tuple of what there is: no difference hides."""
        return f"({', '.join(self.kinds)},)"


def write(random: Random) -> Generated:
    """A program of these choices."""
    tame = random.random() < 0.35
    sized: tuple[str, ...] = ()
    if random.random() > 0.88:
        some = ("i8", "i16", "i32", "u8", "u16", "u32", "u64", "f32", "f32", "i8")
        sized = tuple(sorted({some[random.randrange(len(some))] for _ in range(2)}))
    return Writer(random, tame, sized).program()


def program(seed: int) -> Generated:
    """The program of a seed.

    >>> program(1) == program(1)
    True
    """
    return write(Random(seed))
