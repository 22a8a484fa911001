"""Writes statements, for `generate`.

In: what is in scope. Out: lines. Always holds: a loop ends, and what is written on one way only is hardly ever read behind it.
"""

from __future__ import annotations

from random import Random
from typing import Any

from .generate_expressions import Expressions, Helper, Parameter

INT_OPS = ("+", "-", "*", "//", "%", "&", "|", "^", "<<", ">>", "**")
FLOAT_OPS = ("+", "-", "*", "/", "//", "%", "**")
COMPARE = ("<", "<=", ">", ">=", "==", "!=")
ERRORS = ("ValueError", "KeyError", "RuntimeError", "ArithmeticError", "IndexError")

# Where a recurrence begins, what it does in a round, and with what numbers.
EDGES = ("0", "1", "7", "-3", "1000", "65535", "2147483647", "2147483648", "4294967295", "-2147483648", "4611686018427387903",
         "4611686018427387904", "-4611686018427387905", "9223372036854775800", "-9223372036854775807", "3037000499")  # fmt: skip
STEPS = (
    "{x} = ({x} * {c} + {d}) & {m}", "{x} = {x} * {c} + {d} & {m}", "{x} = ({x} * {c} - {d}) & {m}", "{x} ^= ({x} << {k}) & {m}",
    "{x} ^= {x} >> {k}", "{x} = {x} // 2 if {x} % 2 == 0 else 3 * {x} + 1", "{x} = {x} % {c}", "{x} = {y} // {c}", "{x} += {y} & 255",
    "{x} += {z} * {z}", "{x} -= {y} & {m}", "{x}, {y} = {y}, {x} % {y}", "{x}, {y} = {y}, {x} // {y}", "{x} = -{x}", "{x} = abs({y} - {z})",
    "{x} += {y}", "{x} += {c}", "{x} = {y} << {k}", "if {x} * {x} > {y}: break", "if {x} < {d}: {y} += 1", "{x} = {y} >> {k}",
    "{x} = ({x} + {c}) % {c}", "{x} = {y} & {m} if {z} > {d} else {y} + {c}", "{x} = {x} * {y} % {c}", "{x} = ~{y}",
)  # fmt: skip
NUMBERS = {
    "c": ("2", "3", "5", "9", "7", "-1", "31", "10007", "1103515245", "6364136223846793005"),
    "d": ("0", "1", "12345", "-2", "2147483647"),
    "k": ("0", "1", "5", "13", "17", "31", "62"),
    "m": ("1", "255", "254", "2147483647", "4294967295", "281474976710655", "9223372036854775807", "-2"),
}


class Statements(Expressions):
    """What has been written so far."""

    def __init__(self, random: Random, tame: bool, sized: tuple[str, ...]) -> None:
        super().__init__(random, tame, sized)
        self.lines: list[str] = []
        # What nothing may write: counters of loops that must end, and what nested functions read.
        self.fixed: set[str] = set()
        self.written: dict[str, int] = {}  # how often each variable is, twice in a loop
        self.maybe: dict[str, str] = {}  # variables that may not have been written
        self.base = 0  # the indentation of the function's own statements
        self.given: set[str] = set()  # parameters
        self.may_return = False
        self.result: Any = "i"

    def annotation(self, ty: Any) -> str:
        raise NotImplementedError

    def value(self, ty: Any, depth: int) -> str:
        raise NotImplementedError

    def line(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def write(self, name: str, ty: Any) -> None:
        self.kinds[name] = ty
        self.written[name] = self.written.get(name, 0) + (2 if self.loops else 1)

    def block(self, indent: int, size: int, depth: int) -> None:
        known = dict(self.kinds)
        before = len(self.lines)
        for _ in range(size):
            self.statement(indent, depth)
        for name, kind in self.kinds.items():
            if name not in known and isinstance(kind, str):
                self.maybe[name] = kind
        self.kinds = known
        if len(self.lines) == before:
            self.line(indent, "pass")

    def statement(self, indent: int, depth: int) -> None:
        kind = self.random.random()
        if self.room < 0 and self.chance(0.7):
            return
        if depth <= 0 or kind < 0.45:
            self.assignment(indent)
        elif kind < 0.62:
            self.if_(indent, depth)
        elif kind < 0.65 and self.loops < 2 and not self.tame:
            self.recurrence(indent)
        elif kind < 0.75 and self.loops < 2:
            self.for_(indent, depth)
        elif kind < 0.83 and self.loops < 2:
            self.while_(indent, depth)
        elif kind < 0.87 and self.may_return:
            self.line(indent, f"if {self.test(1)}: return {self.value(self.result, 2)}")
        elif kind < 0.9:
            self.print(indent)
        elif kind < 0.92 and indent == self.base:
            self.nested(indent)
        elif kind < 0.95:
            self.fail(indent)
        elif kind < 0.96:
            self.line(indent, self.expr(self.pick("ifb"), 2))
        elif kind < 0.965 and self.maybe and not self.tame:
            name = self.pick(list(self.maybe))
            new = self.fresh("v")
            self.line(indent, f"{new} = {name}")
            self.write(new, self.maybe[name])
        else:
            self.assignment(indent)

    def fail(self, indent: int) -> None:
        rare = f"{self.pick(('==', '>'))} {self.pick(('7', '1000', '-2'))}"
        test = f"{self.expr('i', 1)} {rare}" if self.tame else self.test(1)
        if self.chance(0.5):
            text = self.pick(("('stop')", "", "()"))
            self.line(indent, f"if {test}: raise {self.pick(ERRORS)}{text}")
        else:
            message = self.pick(("", ", 'no'"))
            self.line(indent, f"assert not ({test}){message}")

    def print(self, indent: int) -> None:
        parts = [self.expr(self.pick("ifb"), 1) for _ in range(self.random.randrange(0, 4))]
        if self.chance(0.3):
            parts.insert(0, "'it is'")
        options = self.pick(("", "", "sep='; '", "end=''", "sep='', end='|\\n'"))
        self.line(indent, f"print({', '.join([*parts, options] if options else parts)})")

    def writable(self, ty: str) -> list[str]:
        return [name for name, kind in self.kinds.items() if kind == ty and name not in self.fixed]

    def assignment(self, indent: int) -> None:
        ty = self.pick(self.sized) if self.sized and self.chance(0.4) else str(self.pick("iifffb"))
        old = self.writable(ty)
        kind = self.random.random()
        number = ty in ("i", "f")
        if kind < 0.2 and old and number:
            self.augmented(indent, ty, self.pick(old))
        elif kind < 0.28 and len(old) > 1:
            a = self.pick(old)
            b = self.pick([name for name in old if name != a])
            swap = a if self.chance(0.5) else self.expr(ty, 1)
            self.line(indent, f"{a}, {b} = {self.expr(ty, 2)}, {swap}")
            self.write(a, ty)
            self.write(b, ty)
        elif kind < 0.34 and old and number:
            # A lower type: the join with another way makes it rise again.
            name = self.pick(old)
            self.line(indent, f"{name} = {self.expr(self.lower(ty), 2)}")
            if self.chance(0.5) or self.loops:
                self.line(indent, f"{name} = {name} + {'0.5' if ty == 'f' else '1'}")
            else:
                self.line(indent, f"{name} = {name} if {self.test(1)} else {'2.5' if ty == 'f' else '3'}")
            self.write(name, ty)
        elif kind < 0.42:
            self.unpacking(indent)
        elif kind < 0.48:
            name = self.fresh("a")
            value = self.expr(ty, 2)
            if ty in self.sized and self.chance(0.6):  # the annotation converts
                value = self.expr("f", 2) if ty == "f32" else f"{self.expr('i', 2)} % 100"
            self.line(indent, f"{name}: {self.annotation(ty)} = {value}")
            self.write(name, ty)
        elif kind < 0.52:
            a, b = self.fresh("v"), self.fresh("v")
            self.line(indent, f"{a} = {b} = {self.expr(ty, 2)}")
            self.write(a, ty)
            self.write(b, ty)
        elif kind < 0.75 and old:
            name = self.pick(old)
            self.line(indent, f"{name} = {self.expr(ty, 3)}")
            self.write(name, ty)
        else:
            name = self.fresh("v")
            self.line(indent, f"{name} = {self.expr(ty, 3)}")
            self.write(name, ty)

    def augmented(self, indent: int, ty: str, name: str) -> None:
        op = self.pick(INT_OPS if ty == "i" else FLOAT_OPS)
        operand = {"//": "{d}", "%": "{d}", "<<": "{k}", ">>": "{k}", "**": "{k}", "*": "{s}"}.get(op, "{i}")
        if ty == "f":
            operand = {"//": "{D}", "%": "{D}", "/": "{D}", "**": "{N}"}.get(op, "{f}")
        if op in ("**", "<<") and self.tame:
            self.line(indent, f"{name} = clip({name}, -9, 9)" if ty == "f" else f"{name} %= 50")
        self.line(indent, f"{name} {op}= {self.fill(operand, 2)}")
        self.write(name, ty)

    def unpacking(self, indent: int) -> None:
        """Tuples: of divmod, modf, frexp, of helpers and written out; taken apart, or kept."""
        pairs: list[tuple[str, tuple[Any, ...]]] = [
            ("divmod({i}, {d})", ("i", "i")), ("divmod({f}, {D})", ("f", "f")), ("modf({f})", ("f", "f")), ("frexp({f})", ("f", "i")),
            ("({i}, {f})", ("i", "f")), ("({f}, {b}, {i})", ("f", "b", "i")), ("({f}, {f})", ("f", "f")),
        ]  # fmt: skip
        text, kinds = self.pick(pairs)
        value = self.fill(text, 2)
        tuples = [helper for helper in self.helpers if isinstance(helper.result, tuple)]
        if tuples and self.chance(0.6):
            helper = self.pick(tuples)
            value, kinds = self.call(helper, 2), helper.result
        if self.chance(0.35):
            name = self.fresh("t")
            self.line(indent, f"{name} = {value}")
            self.write(name, kinds)
            return
        names = [self.fresh("t") for _ in kinds]
        if self.chance(0.2):
            last = self.fresh("t")
            self.line(indent, f"({', '.join(names)}), {last} = {value}, {self.expr('i', 1)}")
            self.write(last, "i")
        else:
            self.line(indent, f"{', '.join(names)} = {value}")
        for name, kind in zip(names, kinds):
            self.write(name, kind)

    def nested(self, indent: int) -> None:
        """A function of the block, which reads what does not change any more."""
        seen = {
            name: kind for name, kind in self.kinds.items() if self.written.get(name, 0) <= (name not in self.given)
        }
        self.fixed.update(seen)
        outside, self.kinds = self.kinds, dict(seen)
        fixed, written, maybe, may_return, result = self.fixed, self.written, self.maybe, self.may_return, self.result
        self.fixed, self.maybe, self.may_return = set(fixed) | set(seen), {}, True
        self.base += 100  # none in here
        name, param = self.fresh("n"), self.fresh("y")
        ty, self.result = self.pick("if"), self.pick("ifb")
        self.kinds[param] = ty
        if self.chance(0.5):
            self.steady += 1
            self.line(indent, f"{name} = lambda {param}: {self.expr(self.result, 3)}")
            self.steady -= 1
        else:
            self.line(indent, f"def {name}({param}):")
            for _ in range(self.random.randrange(0, 2)):
                self.statement(indent + 1, 1)
            self.line(indent + 1, f"return {self.expr(self.result, 2)}")
        self.helpers.append(Helper(name, (Parameter(param, ty, "any", ""),), self.result, False))
        self.kinds, self.fixed, self.written, self.maybe = outside, fixed, written, maybe
        self.may_return, self.result = may_return, result
        self.base -= 100

    # ----------------------------------------------------------------------------------------------- control

    def if_(self, indent: int, depth: int) -> None:
        test = self.test(2)
        if self.chance(0.1):
            name = self.fresh("w")
            ty = self.pick("if")
            test = f"({name} := {self.expr(ty, 2)}) {self.pick(COMPARE)} {self.expr(ty, 1)}"
            self.write(name, ty)
        self.line(indent, f"if {test}:")
        self.block(indent + 1, self.random.randrange(1, 3), depth - 1)
        for _ in range(self.pick((0, 0, 0, 0, 1, 1, 2))):
            self.line(indent, f"elif {self.test(2)}:")
            self.block(indent + 1, self.random.randrange(1, 3), depth - 1)
        if self.chance(0.5):
            self.line(indent, "else:")
            self.block(indent + 1, self.random.randrange(1, 3), depth - 1)

    def leave(self, indent: int) -> None:
        if self.chance(0.35):
            self.line(indent, f"if {self.test(2)}: {self.pick(('break', 'break', 'continue'))}")

    def for_(self, indent: int, depth: int) -> None:
        name = self.fresh("j")
        count = ""
        after = self.random.random()
        if after < 0.25:  # it has a value also when the loop does not turn
            self.line(indent, f"{name} = {self.expr('i', 1)}")
            self.write(name, "i")
        if self.chance(0.2):  # a range of any size, left after a few turns
            count = self.fresh("k")
            self.line(indent, f"{count} = 0")
            self.write(count, "i")
            self.fixed.add(count)
            step = [self.fill("{d}", 0)] if self.chance(0.4) else []
            over = (
                f"range({', '.join([self.expr('i', 1) for _ in range(self.pick((1, 2)) if not step else 2)] + step)})"
            )
        elif after < 0.5:
            over = f"range({self.random.randrange(1, 5)})"
        else:
            over = self.range(1)
        known = dict(self.kinds)
        self.line(indent, f"for {name} in {over}:")
        self.loops += 1
        self.write(name, "i")
        if count:
            self.line(indent + 1, f"{count} += 1")
            self.line(indent + 1, f"if {count} > 4: break")
        self.leave(indent + 1)
        self.block(indent + 1, self.random.randrange(1, 3), depth - 1)
        self.leave(indent + 1)
        self.loops -= 1
        self.kinds = known
        self.else_(indent, depth)
        if after < 0.25 or (after < 0.5 and not count):
            self.kinds[name] = "i"
        else:
            self.maybe[name] = "i"

    def recurrence(self, indent: int) -> None:
        """A loop of ints, each round from what the one before left, begun near where masks, products and sums leave 64 bits."""
        names = [self.fresh("r") for _ in range(3)]
        for name in names:
            start = self.expr("i", 1) if self.chance(0.4) else self.pick(EDGES)
            self.line(indent, f"{name} = {start}")
            self.write(name, "i")
        counter = self.fresh("k")
        rounds = self.pick((2, 5, 9, 18, 40))
        if self.chance(0.6):
            self.line(indent, f"for {counter} in range({rounds}):")
        else:
            self.line(indent, f"{counter} = 0")
            self.line(indent, f"while {counter} < {rounds}:")
            self.line(indent + 1, f"{counter} += 1")
        for _ in range(self.pick((1, 1, 2, 3))):
            step = self.pick(STEPS)
            words = {"x": self.pick(names), "y": self.pick(names), "z": self.pick((*names, counter))}
            for name, choices in NUMBERS.items():
                words[name] = self.pick(choices)
            self.line(indent + 1, step.format(**words))
        self.maybe[counter] = "i"
        for name in names:
            self.write(name, "i")

    def while_(self, indent: int, depth: int) -> None:
        name = self.fresh("k")
        self.line(indent, f"{name} = {self.pick((0, 0, 1))}")
        self.write(name, "i")
        self.write(name, "i")
        self.fixed.add(name)
        most = self.random.randrange(1, 6)
        form = self.random.randrange(4)
        if form == 0:
            self.line(indent, f"while {name} < {most}:")
        elif form == 1:
            self.line(indent, f"while {name} < {most} and {self.test(2)}:")
        elif form == 2:
            self.line(indent, "while True:")
            self.line(indent + 1, f"if {name} > {most}: break")
        else:
            self.line(indent, f"while not ({name} >= {most} or {self.test(1)}):")
        self.line(indent + 1, f"{name} += 1")
        self.loops += 1
        self.leave(indent + 1)
        self.block(indent + 1, self.random.randrange(1, 3), depth - 1)
        self.loops -= 1
        if form != 2:
            self.else_(indent, depth)

    def else_(self, indent: int, depth: int) -> None:
        if self.chance(0.25):
            self.line(indent, "else:")
            self.block(indent + 1, 1, depth - 1)
