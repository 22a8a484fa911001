"""Writes expressions of a type, for `generate`.

In: a random number generator and what is in scope. Out: texts. Always holds: operators get the types they take, reductions few turns.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

FLOAT1 = (
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "exp", "exp2",
    "expm1", "log", "log2", "log10", "log1p", "cbrt", "erf", "erfc", "gamma", "lgamma", "degrees", "radians", "ulp",
    "sqrt", "fabs",
)  # fmt: skip

INT_OPS = ("+", "-", "*", "//", "%", "&", "|", "^")
FLOAT_OPS = ("+", "-", "*", "/", "//", "%")
COMPARE = ("<", "<=", ">", ">=", "==", "!=")
SPELLED = (*FLOAT1, "float", "math.sin", "math.exp", "arcsin", "arctan")
FLOAT2 = ("atan2", "hypot", "fmod", "remainder", "copysign", "nextafter", "math.pow", "log")
SIZED = ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32")


class Helper(NamedTuple):
    name: str
    params: tuple[str, ...]  # types
    result: str
    recursive: bool


class Expressions:
    """What is in scope, and expressions over it."""

    def __init__(self, random: Random, sized: bool) -> None:
        self.random = random
        self.sized = sized
        self.helpers: list[Helper] = []
        self.names = 0
        self.loops = 0
        self.lines: list[str] = []
        self.kinds: dict[str, str] = {}
        self.fixed: set[str] = set()  # what nothing may write: counters of loops that must end
        self.may_return = False
        self.result = "i"
        self.in_generator = 0

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def fresh(self, stem: str) -> str:
        self.names += 1
        return f"{stem}{self.names}"

    # ------------------------------------------------------------------------------------------- expressions

    def expr(self, ty: str, depth: int) -> str:
        """An expression of a type, or of one that gives way to it."""
        if depth <= 0 or self.chance(0.15):
            return self.leaf(ty)
        if self.chance(0.2):
            return self.choice(ty, depth)
        return {"i": self.int, "f": self.float, "b": self.bool}[ty](depth)

    def leaf(self, ty: str) -> str:
        names = [name for name, kind in self.kinds.items() if kind == ty]
        if names and self.chance(0.75):
            return self.random.choice(names)
        r = self.random
        if ty == "b":
            return r.choice(("True", "False"))
        if ty == "i":
            if self.chance(0.85):
                return str(r.choice((0, 1, 2, 3, 5, 7, 10, 63, 64, -1, -2, -7)))
            return r.choice(
                (
                    "9223372036854775807",
                    "(-9223372036854775808)",
                    "4294967296",
                    "2147483648",
                    "-2147483649",
                    "9007199254740993",
                )
            )
        if self.chance(0.05):
            return r.choice(("pi", "inf", "nan", "math.e", "tau"))
        return r.choice(
            ("0.0", "1.0", "-0.0", "0.5", "2.5", "-1.5", "1e300", "5e-324", "3.0", "1e-3", "2.0", "9007199254740992.0")
        )

    def choice(self, ty: str, depth: int) -> str:
        """What takes one of several values."""
        d = depth - 1
        other = ty if self.chance(0.8) else self.lower(ty)
        kind = self.random.randrange(7)
        a, b = self.expr(ty, d), self.expr(other, d)
        if self.chance(0.5):
            a, b = b, a
        if kind == 0:
            return f"({a} if {self.test(d)} else {b})"
        if kind == 1:
            return f"({a} {self.random.choice(('and', 'or'))} {b})"
        if kind == 2 and ty != "b":
            return f"{self.random.choice(('min', 'max'))}({a}, {b})"
        if kind == 3:
            return f"({a}, {b})[{self.random.choice((0, 1, -1)) if other == ty else (0 if self.chance(0.5) else 1)}]"
        if kind == 4:
            return self.call_helper(ty, d)
        if kind == 5 and not self.in_generator:
            # New names only: a name that is written where it may not be is another matter.
            name = self.fresh("w")
            text = f"({name} := {a})"
            return f"({text} if True else {b})" if self.chance(0.1) else text
        return f"where({self.test(d)}, {a}, {b})"

    def lower(self, ty: str) -> str:
        return {"f": self.random.choice("ib"), "i": "b", "b": "b"}[ty]

    def test(self, depth: int) -> str:
        return self.expr("b", depth) if self.chance(0.8) else self.expr(self.random.choice("if"), depth)

    def call_helper(self, ty: str, depth: int) -> str:
        fitting = [helper for helper in self.helpers if helper.result == ty]
        if not fitting or self.loops > 2:
            return self.leaf(ty)
        helper = self.random.choice(fitting)
        args = [self.expr(param, depth) for param in helper.params]
        if helper.recursive:
            args[0] = str(self.random.randrange(7)) if self.chance(0.5) else f"min({args[0]}, 6)"
        return f"{helper.name}({', '.join(args)})"

    def int(self, depth: int) -> str:
        r, d = self.random, depth - 1
        kind = r.randrange(20)
        a = self.expr("i" if self.chance(0.9) else "b", d)
        if kind < 9:
            b = self.expr("i" if self.chance(0.9) else "b", d)
            if a in ("True", "False") or self.chance(0.1):  # two bools under & are a bool
                return f"({a} {r.choice(('+', '-', '*', '//', '%'))} {b})"
            return f"({self.expr('i', d)} {r.choice(INT_OPS)} {b})"
        if kind == 9:
            return f"({a} {r.choice(('<<', '>>'))} {self.expr('i', 0) if self.chance(0.7) else self.expr('i', d)})"
        if kind == 10:
            return f"({a} ** {r.choice((0, 1, 2, 3, 5, 62, 63)) if self.chance(0.6) else self.expr('i', d)})"
        if kind == 11:
            return f"{r.choice(('-', '~', '+', '-', 'abs'))}({a})"
        if kind == 12:
            return f"{r.choice(('int', 'round', 'floor', 'ceil', 'trunc', 'math.floor'))}({self.expr('f' if self.chance(0.8) else 'i', d)})"
        if kind == 13:
            return (
                f"{r.choice(('gcd', 'lcm'))}({', '.join([self.expr('i', d) for _ in range(r.choice((1, 2, 2, 3)))])})"
            )
        if kind == 14:
            return r.choice((f"isqrt({a})", f"factorial({a})", f"comb({a}, {self.expr('i', d)})", f"perm({a}, {self.expr('i', d)})",
                             f"perm({a})", f"pow({a}, {self.expr('i', d)}, {self.expr('i', d)})",
                             f"round({self.expr('i', d)}, {self.leaf('i')})"))  # fmt: skip
        if kind == 15:
            return f"divmod({a}, {self.expr('i', d)})[{r.randrange(2)}]"
        if kind == 16:
            return self.generator("i", d)
        if kind == 17:
            return f"sum(({', '.join([self.expr('i', d) for _ in range(r.randrange(1, 4))])},))"
        if kind == 18:
            return f"({a} {r.choice('&|^')} {self.expr('i', d)})" if not self.is_bool(a) else f"int({a})"
        return self.sized_int(d) if self.sized else f"(len(({a}, 1)) + {self.expr('i', d)})"

    def is_bool(self, text: str) -> bool:
        return text in ("True", "False") or self.kinds.get(text) == "b" or not text.lstrip("-").isalnum()

    def sized_int(self, depth: int) -> str:
        ty = self.random.choice(SIZED)
        a = f"{ty}({self.expr('i', depth)})"
        op = self.random.choice(INT_OPS)
        b = (
            f"{self.random.choice((ty, ty, 'i64', 'u8'))}({self.expr('i', depth)})"
            if self.chance(0.7)
            else self.leaf("i")
        )
        if ty == "f32" and op in "&|^":
            op = "*"
        return f"int({a} {op} {b})" if self.chance(0.9) else f"int(-{a})"

    def float(self, depth: int) -> str:
        r, d = self.random, depth - 1
        kind = r.randrange(16)
        if kind < 7:
            a, b = self.expr("f", d), self.expr("f" if self.chance(0.75) else r.choice("ib"), d)
            if self.chance(0.5):
                a, b = b, a
            return f"({a} {r.choice(FLOAT_OPS)} {b})"
        if kind == 7:
            return f"({self.expr('i', d)} / {self.expr('i', d)})"
        if kind == 8:
            exponent = (
                r.choice(("2", "0.5", "-1", "3", "-0.5", "2.0", "0", "1")) if self.chance(0.7) else self.expr("f", d)
            )
            return f"({self.expr('f', d)} ** {exponent})"
        if kind < 11:
            return f"{r.choice(SPELLED)}({self.expr('f' if self.chance(0.85) else 'i', d)})"
        if kind == 11:
            return f"{r.choice(FLOAT2)}({self.expr('f', d)}, {self.expr('f' if self.chance(0.8) else 'i', d)})"
        if kind == 12:
            return r.choice((f"-({self.expr('f', d)})", f"abs({self.expr('f', d)})", f"+({self.expr('f', d)})",
                             f"round({self.expr('f', d)}, {self.leaf('i')})", f"ldexp({self.expr('f', d)}, {self.expr('i', d)})",
                             f"frexp({self.expr('f', d)})[0]", f"modf({self.expr('f', d)})[{r.randrange(2)}]",
                             f"hypot({self.expr('f', d)}, {self.expr('f', d)}, {self.expr('f', d)})"))  # fmt: skip
        if kind == 13:
            return f"divmod({self.expr('f', d)}, {self.expr(r.choice('fi'), d)})[{r.randrange(2)}]"
        if kind == 14:
            return self.generator("f", d)
        if self.sized:
            return f"float(f32({self.expr('f', d)}) {r.choice(FLOAT_OPS)} {r.choice(('f32', 'float'))}({self.expr('f', d)}))"
        return f"sum(({self.expr('f', d)}, {self.expr('f', d)}), {self.expr('f', d)})"

    def bool(self, depth: int) -> str:
        r, d = self.random, depth - 1
        kind = r.randrange(10)
        if kind < 4:
            a, b = r.choice(("if", "ii", "ff", "fi", "bi", "bb"))
            return f"({self.expr(a, d)} {r.choice(COMPARE)} {self.expr(b, d)})"
        if kind == 4:
            parts = [self.expr(r.choice("if"), d) for _ in range(3)]
            return f"({parts[0]} {r.choice(COMPARE)} {parts[1]} {r.choice(COMPARE)} {parts[2]})"
        if kind == 5:
            return f"(not {self.test(d)})"
        if kind == 6:
            return f"({self.expr('b', d)} {r.choice('&|^')} {self.expr('b', d)})"
        if kind == 7:
            return f"{r.choice(('isnan', 'isinf', 'isfinite', 'bool'))}({self.expr('f', d)})"
        if kind == 8:
            return self.generator("b", d)
        options = r.choice(("", ", rel_tol=0.25", ", abs_tol=1e-3"))
        return f"isclose({self.expr('f', d)}, {self.expr('f', d)}{options})"

    def generator(self, ty: str, depth: int) -> str:
        """A reduction over a generator expression."""
        if self.loops > 1 or depth < 0:
            return self.leaf(ty)
        name = self.fresh("g")
        self.in_generator += 1
        over = self.range(depth - 1)
        self.in_generator -= 1
        outside = dict(self.kinds)
        self.kinds[name] = "i"
        self.loops += 1
        self.in_generator += 1
        element = self.expr(ty, depth - 1)
        test = f" if {self.test(depth - 1)}" if self.chance(0.3) else ""
        self.in_generator -= 1
        self.loops -= 1
        self.kinds = outside
        if ty == "b":
            return f"{self.random.choice(('any', 'all'))}({element} for {name} in {over}{test})"
        reduction = self.random.choice(("sum", "prod", "min", "max"))
        default = f", default={self.leaf(ty)}" if reduction in ("min", "max") and self.chance(0.5) else ""
        if default:
            return f"{reduction}(({element} for {name} in {over}{test}){default})"
        return f"{reduction}({element} for {name} in {over}{test})"

    def range(self, depth: int) -> str:
        """A range of a few turns."""
        r = self.random
        some = f"({self.expr('i', depth)} % {r.choice((2, 3, 4, 5))})"
        kind = r.randrange(5)
        if kind == 0:
            return f"range({r.randrange(5)})"
        if kind == 1:
            return f"range({some})"
        if kind == 2:
            return f"range({r.choice((-2, 0, 1))}, {some})"
        if kind == 3:
            return f"range({some}, {r.choice((-3, 0))}, {r.choice((-1, -2))})"
        return f"range({r.choice((-4, 0))}, {some}, {r.choice((1, 2, 3))})"
