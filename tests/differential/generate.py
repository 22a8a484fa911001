"""Writes programs of the language: typed, and bounded by construction.

In: a seed. Out: a text, its parameters and their types. Always holds: loops end (a `for` over few values, or a counter that nothing
else writes), recursion counts down, every variable is written before it is read, and expressions are of the types that their
operators take, so that nearly every text compiles. The same seed gives the same program.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

INT_OPS = ("+", "-", "*", "//", "%", "&", "|", "^")
FLOAT_OPS = ("+", "-", "*", "/", "//", "%")
COMPARE = ("<", "<=", ">", ">=", "==", "!=")
FLOAT1 = ["sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "erf", "erfc", "gamma", "lgamma", "degrees", "radians", "ulp", "sqrt", "fabs", "float", "math.sin", "math.exp", "arcsin", "arctan"]
FLOAT2 = ("atan2", "hypot", "fmod", "remainder", "copysign", "nextafter", "math.pow", "log")
SIZED = ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32")


class Generated(NamedTuple):
    """A program and how to call it."""

    text: str
    params: tuple[str, ...]
    types: tuple[str, ...]
    sized: bool


class Helper(NamedTuple):
    name: str
    params: tuple[str, ...]  # types
    result: str
    recursive: bool


class Writer:
    """One program."""

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
                             f"perm({a})", f"pow({a}, {self.expr('i', d)}, {self.expr('i', d)})", f"round({self.expr('i', d)}, {self.leaf('i')})"))  # fmt: skip
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
            return f"{r.choice(FLOAT1)}({self.expr('f' if self.chance(0.85) else 'i', d)})"
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

    # -------------------------------------------------------------------------------------------- statements

    def line(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def block(self, indent: int, size: int, depth: int) -> None:
        known = dict(self.kinds)
        before = len(self.lines)
        for _ in range(size):
            self.statement(indent, depth)
        self.kinds = known  # what is written on one way only is not read after it
        if len(self.lines) == before:
            self.line(indent, "pass")

    def statement(self, indent: int, depth: int) -> None:
        kind = self.random.random()
        if depth <= 0 or kind < 0.5:
            self.assignment(indent)
        elif kind < 0.7:
            self.if_(indent, depth)
        elif kind < 0.82 and self.loops < 2:
            self.for_(indent, depth)
        elif kind < 0.92 and self.loops < 2:
            self.while_(indent, depth)
        elif kind < 0.94 and self.may_return:
            self.line(indent, f"if {self.test(1)}: return {self.expr(self.result, 2)}")
        elif kind < 0.96:
            self.line(
                indent,
                f"if {self.expr('b', 1)}: raise {self.random.choice(('ValueError', 'KeyError', 'RuntimeError'))}('stop')",
            )
        elif kind < 0.97:
            self.line(indent, f"assert {self.test(2)}, 'no'")
        else:
            self.assignment(indent)

    def writable(self, ty: str) -> list[str]:
        return [name for name, kind in self.kinds.items() if kind == ty and name not in self.fixed]

    def assignment(self, indent: int) -> None:
        r = self.random
        ty = r.choice("iifffb")
        old = self.writable(ty)
        kind = r.random()
        if kind < 0.25 and old and ty != "b":
            op = r.choice(INT_OPS if ty == "i" else FLOAT_OPS)
            self.line(indent, f"{r.choice(old)} {op}= {self.expr(ty, 2)}")
        elif kind < 0.35 and len(old) > 1:
            a, b = r.sample(old, 2)
            self.line(indent, f"{a}, {b} = {self.expr(ty, 2)}, {r.choice((a, self.expr(ty, 1)))}")
        elif kind < 0.42 and old and ty != "b":
            # A lower type: the join with another way makes it rise again.
            name = r.choice(old)
            self.line(indent, f"{name} = {self.expr(self.lower(ty), 2)}")
            if self.chance(0.5) or self.loops:
                self.line(indent, f"{name} = {name} + {'0.5' if ty == 'f' else '1'}")
            else:
                self.line(indent, f"{name} = {name} if {self.test(1)} else {self.leaf_literal(ty)}")
        elif kind < 0.47:
            a, b = self.fresh("t"), self.fresh("t")
            self.line(
                indent, f"{a}, {b} = divmod({self.expr(ty.replace('b', 'i'), 2)}, {self.expr(ty.replace('b', 'i'), 1)})"
            )
            self.kinds[a] = self.kinds[b] = ty.replace("b", "i")
        elif kind < 0.5:
            name = self.fresh("a")
            self.line(indent, f"{name}: {dict(i='int', f='float', b='bool')[ty]} = {self.expr(ty, 2)}")
            self.kinds[name] = ty
        elif kind < 0.75 and old:
            self.line(indent, f"{r.choice(old)} = {self.expr(ty, 3)}")
        else:
            name = self.fresh("v")
            self.line(indent, f"{name} = {self.expr(ty, 3)}")
            self.kinds[name] = ty

    def leaf_literal(self, ty: str) -> str:
        return {"i": "3", "f": "2.5", "b": "True"}[ty]

    def if_(self, indent: int, depth: int) -> None:
        test = self.test(3)
        if self.chance(0.1):
            name = self.fresh("w")
            ty = self.random.choice("if")
            test = f"({name} := {self.expr(ty, 2)}) {self.random.choice(COMPARE)} {self.expr(ty, 1)}"
            self.kinds[name] = ty
        self.line(indent, f"if {test}:")
        self.block(indent + 1, self.random.randrange(1, 3), depth - 1)
        while self.chance(0.25):
            self.line(indent, f"elif {self.test(2)}:")
            self.block(indent + 1, self.random.randrange(1, 3), depth - 1)
        if self.chance(0.5):
            self.line(indent, "else:")
            self.block(indent + 1, self.random.randrange(1, 3), depth - 1)

    def leave(self, indent: int) -> None:
        if self.chance(0.35):
            self.line(indent, f"if {self.test(2)}: {self.random.choice(('break', 'break', 'continue'))}")

    def for_(self, indent: int, depth: int) -> None:
        name = self.fresh("j")
        count = ""
        if self.chance(0.2):  # a range of any size, left after a few turns
            count = self.fresh("k")
            self.line(indent, f"{count} = 0")
            self.kinds[count] = "i"
            self.fixed.add(count)
            over = f"range({', '.join([self.expr('i', 1) for _ in range(self.random.choice((1, 2, 3, 3)))])})"
        else:
            over = self.range(2)
        known = dict(self.kinds)
        self.line(indent, f"for {name} in {over}:")
        self.kinds[name] = "i"
        if count:
            self.line(indent + 1, f"{count} += 1")
            self.line(indent + 1, f"if {count} > 4: break")
        self.loops += 1
        self.leave(indent + 1)
        self.block(indent + 1, self.random.randrange(1, 4), depth - 1)
        self.leave(indent + 1)
        self.loops -= 1
        self.kinds = known
        self.else_(indent, depth)

    def while_(self, indent: int, depth: int) -> None:
        name = self.fresh("k")
        self.line(indent, f"{name} = {self.random.choice((0, 0, 1))}")
        self.kinds[name] = "i"
        self.fixed.add(name)
        most = self.random.randrange(1, 7)
        form = self.random.randrange(3)
        if form == 0:
            self.line(indent, f"while {name} < {most}:")
        elif form == 1:
            self.line(indent, f"while {name} < {most} and {self.test(2)}:")
        else:
            self.line(indent, "while True:")
            self.line(indent + 1, f"if {name} > {most}: break")
        self.line(indent + 1, f"{name} += 1")
        self.loops += 1
        self.leave(indent + 1)
        self.block(indent + 1, self.random.randrange(1, 4), depth - 1)
        self.loops -= 1
        if form != 2:
            self.else_(indent, depth)

    def else_(self, indent: int, depth: int) -> None:
        if self.chance(0.25):
            self.line(indent, "else:")
            self.block(indent + 1, 1, depth - 1)

    # ---------------------------------------------------------------------------------------------- programs

    def function(self, name: str, entry: bool) -> None:
        r = self.random
        types = [r.choice("iifffb") for _ in range(r.randrange(1, 4))]
        recursive = not entry and self.chance(0.25)
        if recursive:
            types[0] = "i"
        names = [self.fresh("p") for _ in types]
        annotations = dict(i="int", f="float", b="bool")
        annotated = self.chance(0.3)
        params = ", ".join(
            f"{p}: {annotations[t]}" if annotated and self.chance(0.7) else p for p, t in zip(names, types)
        )
        self.kinds = dict(zip(names, types))
        self.fixed = {names[0]} if recursive else set()
        self.result = r.choice("iffb")
        returns = f" -> {annotations[self.result]}" if self.chance(0.2) else ""
        self.may_return = True
        self.line(0, f"def {name}({params}){returns}:")
        if recursive:
            self.line(1, f"if {names[0]} <= 0: return {self.expr(self.result, 1)}")
        for _ in range(r.randrange(0, 3)):
            self.statement(1, 2)
        value = self.expr(self.result, 3)
        if recursive:
            args = [f"{names[0]} - 1", *[self.expr(t, 1) for t in types[1:]]]
            call = f"{name}({', '.join(args)})"
            op = {"i": "+", "f": "*", "b": "or"}[self.result]
            value = f"{call} {op} {value}" if self.chance(0.5) else call
        self.line(1, f"return {value}")
        if entry:
            self.params, self.types = tuple(names), tuple(types)
        self.helpers.append(Helper(name, tuple(types), self.result, recursive))

    def program(self) -> Generated:
        r = self.random
        kind = r.random()
        if kind < 0.35:
            for at in range(r.randrange(0, 3)):
                self.function(f"h{at}", False)
            self.function("main", True)
            return Generated("\n".join(self.lines), self.params, self.types, self.sized)
        types = tuple(r.choice("iifffb") for _ in range(r.randrange(1, 4)))
        params = tuple("abc"[: len(types)])
        self.kinds = dict(zip(params, types))
        if kind >= 0.55:
            for _ in range(r.randrange(1, 7)):
                self.statement(0, 3)
        self.line(0, self.expr(r.choice("iffb"), 4) if self.chance(0.7) else self.every())
        return Generated("\n".join(self.lines), params, types, self.sized)

    def every(self) -> str:
        """A tuple of what there is: no difference hides."""
        names = list(self.kinds)
        return f"({', '.join(names)},)"


def program(seed: int) -> Generated:
    """The program of a seed.

    >>> program(1) == program(1)
    True
    """
    random = Random(seed)
    return Writer(random, sized=seed % 8 == 7).program()
