"""Writes programs of the language: typed, and bounded by construction.

In: a seed. Out: a text, its parameters and their types. Always holds: loops end (a `for` over few values, or a counter that nothing
else writes), recursion counts down, every variable is written before it is read, and expressions are of the types that their
operators take, so that nearly every text compiles. The same seed gives the same program.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from .generate_expressions import COMPARE, FLOAT_OPS, INT_OPS, Expressions, Helper

ANNOTATIONS = {"i": "int", "f": "float", "b": "bool"}


class Generated(NamedTuple):
    """A program and how to call it."""

    text: str
    params: tuple[str, ...]
    types: tuple[str, ...]
    sized: bool


class Writer(Expressions):
    """One program."""

    params: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

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
            self.line(indent, f"{name}: {ANNOTATIONS[ty]} = {self.expr(ty, 2)}")
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
        annotated = self.chance(0.3)
        params = ", ".join(
            f"{p}: {ANNOTATIONS[t]}" if annotated and self.chance(0.7) else p for p, t in zip(names, types)
        )
        self.kinds = dict(zip(names, types))
        self.fixed = {names[0]} if recursive else set()
        self.result = r.choice("iffb")
        returns = f" -> {ANNOTATIONS[self.result]}" if self.chance(0.2) else ""
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
