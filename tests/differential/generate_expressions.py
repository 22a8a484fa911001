"""Writes expressions of a type, for `generate`.

In: a random number generator and what is in scope. Out: texts. Always holds: operators get the types they take, and reductions turn a few
times; a walrus writes a new name. All choices are taken from `random`, which may be whatever has its methods.
"""

from __future__ import annotations

import re
from random import Random
from typing import Any, NamedTuple

from .templates import BUILTINS, FROM_SIZED, OPERATORS, SIZED, SIZED_FLOAT, SIZED_INT

HOLE = re.compile(r"\{(\w)\}")
CHOICES = {ty: [text for often, text in rows for _ in range(often)] for ty, rows in OPERATORS.items()}
INTS = ("0", "1", "2", "3", "5", "7", "10", "63", "64", "-1", "-2", "-7")
EDGES = (
    "9223372036854775807", "(-9223372036854775808)", "4294967296", "2147483648", "-2147483649", "9007199254740993", "-9007199254740991",
)  # fmt: skip
FLOATS = ("0.0", "1.0", "-0.0", "0.5", "2.5", "-1.5", "3.0", "1e-3", "2.0", "-7.25", "0.1", "1.5")
FLOAT_EDGES = (
    "1e300", "5e-324", "9007199254740992.0", "pi", "inf", "nan", "math.e", "tau", "-inf", "1e16", "9.3e18", "0.49999999999999994", "e",
)  # fmt: skip


class Parameter(NamedTuple):
    name: str
    type: str
    kind: str  # "positional", "any" or "keyword"
    default: str


class Helper(NamedTuple):
    """A function that can be called. A result that is a tuple is one of types."""

    name: str
    params: tuple[Parameter, ...]
    result: Any
    recursive: bool


class Expressions:
    """What is in scope, and expressions over it."""

    def __init__(self, random: Random, tame: bool, sized: tuple[str, ...]) -> None:
        self.random = random
        self.tame = tame
        self.sized = sized
        self.helpers: list[Helper] = []
        self.names = 0
        self.loops = 0
        self.room = 60  # operands that may still be written; then leaves only
        self.kinds: dict[str, Any] = {}
        self.steady = 0  # in here nothing may be written: iterables of generators, bodies of lambdas

    def chance(self, probability: float) -> bool:
        return self.random.random() >= 1 - probability  # the first choice is no, for whoever makes programs smaller

    def pick(self, among: Any) -> Any:
        return among[self.random.randrange(len(among))]

    def fresh(self, stem: str) -> str:
        self.names += 1
        return f"{stem}{self.names}"

    # ------------------------------------------------------------------------------------------- expressions

    def expr(self, ty: str, depth: int) -> str:
        """An expression of a type, or of one that gives way to it."""
        self.room -= 1
        if depth <= 0 or self.room < 0 or not self.chance(0.88):
            return self.leaf(ty)
        if ty in self.sized:
            return self.sized_expr(ty, depth)
        way = self.random.random()
        if way < 0.5:
            return self.fill(self.pick(CHOICES[ty]), depth - 1)
        if way < 0.72:
            return self.fill(self.pick(BUILTINS[ty]), depth - 1)
        if way < 0.88:
            return self.choice(ty, depth - 1)
        if way < 0.94:
            return self.generator(ty, depth - 1)
        if self.sized:
            return self.fill(self.pick(FROM_SIZED[ty]), depth - 1)
        return self.of_tuple(ty) or self.call_helper(ty, depth - 1)

    def fill(self, template: str, depth: int, sized: str = "") -> str:
        sized = sized or (self.pick(self.sized) if "{t}" in template else "")
        return HOLE.sub(lambda hole: self.operand(hole[1], depth, sized), template)

    def operand(self, hole: str, depth: int, sized: str) -> str:
        if hole in "ifb":
            return self.expr(hole, depth)
        if hole == "n":
            return str(self.random.randrange(-2, 7) if not self.tame else self.random.randrange(0, 4))
        if hole == "N":
            return str(self.random.randrange(6))
        if hole == "t":
            return self.expr(sized, depth)
        ty = "i" if hole in "dks" else "f"
        text = self.expr(ty, depth)
        if self.chance(0.15 if self.tame else 0.9):
            return text
        if hole == "d":
            return f"({text} | 1)"
        if hole == "k":
            return f"({text} % {self.pick('34567')})" if self.chance(0.7) else str(self.random.randrange(6))
        if hole == "s":
            return f"({text} % {self.pick(('10', '100', '1000'))})" if self.chance(0.5) else self.leaf("i")
        if hole == "D":
            return f"({text} or {self.pick(('1.0', '0.5', '-3.0'))})"
        if hole == "p":
            return f"(abs({text}) + {self.pick(('0.5', '1.0', '1e-9'))})"
        low, high = ("-1.0", "1.0") if hole == "u" else ("-9.0", "9.5")
        return f"max({low}, min({text}, {high}))" if self.chance(0.5) else f"clip({text}, {low}, {high})"

    def leaf(self, ty: str) -> str:
        names = [name for name, kind in self.kinds.items() if kind == ty]
        if names and self.chance(0.75):
            return str(self.pick(names))
        if ty == "b":
            return str(self.pick(("True", "False")))
        edges = 0.05 if self.tame else 0.3
        if ty == "i":
            return str(self.pick(EDGES if self.chance(edges) else INTS))
        if ty == "f":
            return str(self.pick(FLOAT_EDGES if self.chance(edges) else FLOATS))
        if ty == "f32":
            return f"f32({self.pick(FLOATS)})"
        return f"{ty}({self.pick(('1', '2', '7', '100', '0', '127'))})"

    def sized_expr(self, ty: str, depth: int) -> str:
        if self.chance(0.2):
            of = self.pick("iif") if ty != "f32" else self.pick("iff")
            text = self.expr(of, depth - 1)
            if ty == "f32" or self.chance(0.1):
                return f"{ty}({text})"
            return f"{ty}({text if of == 'i' else f'int(clip({text}, -9.0, 9.0))'} % 100)"
        return self.fill(self.pick(SIZED + (SIZED_FLOAT if ty == "f32" else SIZED_INT)), depth - 1, ty)

    def lower(self, ty: str) -> str:
        return str({"f": self.pick("ib"), "i": "b", "b": "b"}[ty])

    def test(self, depth: int) -> str:
        return self.expr("b", depth) if self.chance(0.85) else self.expr(self.pick("if"), depth)

    def choice(self, ty: str, depth: int) -> str:
        """What takes one of several values."""
        other = self.lower(ty) if self.chance(0.2) else ty
        a, b = self.expr(ty, depth), self.expr(other, depth)
        if self.chance(0.5):
            a, b = b, a
        kind = self.random.randrange(5)
        if kind == 0:
            return f"({a} {self.pick(('and', 'or'))} {b})"
        if kind == 1:
            return f"({a}, {b})[{self.pick((0, 1, -1)) if other == ty else 0 if self.chance(0.5) else 1}]"
        if kind == 2 and not self.steady:
            return f"({self.fresh('w')} := {a})"
        if kind == 3:
            return self.call_helper(ty, depth)
        return f"({a} if {self.test(depth)} else {b})"

    def of_tuple(self, ty: str) -> str:
        """What a variable that is a tuple can give."""
        tuples = [(name, kind) for name, kind in self.kinds.items() if isinstance(kind, tuple)]
        if not tuples:
            return ""
        name, kind = self.pick(tuples)
        at = [index for index, item in enumerate(kind) if item == ty]
        if at and self.chance(0.7):
            return f"{name}[{self.pick(at)}]"
        if ty == "b":
            return f"({name} {self.pick(('==', '!='))} ({', '.join([self.expr(item, 1) for item in kind])},))"
        highest = "f" if "f" in kind else "i" if "i" in kind else "b"
        if highest == ty:
            return f"{self.pick(('min', 'max', 'sum'))}({name})"
        return f"len({name})" if ty == "i" else ""

    # ------------------------------------------------------------------------------------------------- calls

    def call_helper(self, ty: str, depth: int) -> str:
        fitting = [
            each for each in self.helpers if each.result == ty or (isinstance(each.result, tuple) and ty in each.result)
        ]
        if not fitting or self.loops > 2:
            return self.leaf(ty)
        helper = self.pick(fitting)
        text = self.call(helper, depth)
        return f"{text}[{helper.result.index(ty)}]" if isinstance(helper.result, tuple) else text

    def call(self, helper: Helper, depth: int) -> str:
        positional = []
        named = []
        for at, param in enumerate(helper.params):
            if param.default and self.chance(0.4):
                continue
            value = self.expr(param.type, depth)
            if helper.recursive and at == 0:
                value = str(self.random.randrange(7)) if self.chance(0.5) else f"min({value}, 6)"
            by_name = param.kind == "keyword" or len(positional) < at or (param.kind == "any" and self.chance(0.2))
            if by_name and param.kind == "positional":
                continue  # an optional one before it was left out
            (named if by_name else positional).append(f"{param.name}={value}" if by_name else value)
        if len(named) > 1 and self.chance(0.5):
            named.reverse()
        return f"{helper.name}({', '.join(positional + named)})"

    def generator(self, ty: str, depth: int) -> str:
        """A reduction over a generator expression."""
        if self.loops > 1 or depth < 0:
            return self.leaf(ty)
        outside = dict(self.kinds)
        self.loops += 1
        clauses = ""
        for _ in range(2 if self.chance(0.15) else 1):
            name = self.fresh("g")
            self.steady += 1
            over = self.range(depth - 1)
            self.steady -= 1
            self.kinds[name] = "i"
            clauses += f" for {name} in {over}"
            if self.chance(0.3):
                clauses += f" if {self.test(depth - 1)}"
                if self.chance(0.3) and not self.steady:
                    new = self.fresh("w")
                    clauses += f" if ({new} := {self.expr('i', 1)}) {self.pick(('<', '!=', '>='))} {self.leaf('i')}"
                    self.kinds[new] = "i"
        element = self.expr(ty, depth - 1)
        self.loops -= 1
        self.kinds = outside
        body = f"{element}{clauses}"
        if ty == "b":
            return f"{self.pick(('any', 'all'))}({body})"
        reduction = self.pick(("sum", "sum", "prod", "min", "max"))
        if reduction in ("min", "max"):
            if self.tame or self.chance(0.6):
                return f"{reduction}(({body}), default={self.leaf(ty)})"
            return f"{reduction}({body})"
        if self.chance(0.2):
            return f"{reduction}(({body}), start={self.leaf(ty)})"
        return f"sum(({body}), {self.leaf(ty)})" if reduction == "sum" and self.chance(0.1) else f"{reduction}({body})"

    def range(self, depth: int) -> str:
        """A range of a few turns."""
        some = f"({self.expr('i', depth)} % {self.pick((2, 3, 4, 5))})"
        kind = self.random.randrange(5)
        if kind == 0:
            return f"range({self.random.randrange(5)})"
        if kind == 1:
            return f"range({some})"
        if kind == 2:
            return f"range({self.pick((-2, 0, 1))}, {some})"
        if kind == 3:
            return f"range({some}, {self.pick((-3, 0))}, {self.pick((-1, -2))})"
        return f"range({self.pick((-4, 0))}, {some}, {self.pick((1, 2, 3))})"
