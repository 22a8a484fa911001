"""Texts that are as bad as one can make them, for `worst.py`: each is a function of a size, with a signature to compile for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from jib.limits import DEFAULT


class Worst(NamedTuple):
    """A family of texts, and the largest size that makes sense where the limits of the text are not what ends it."""

    make: Callable[[int], str]
    signature: str = "(int)"
    most: int = 1_000_000

    def largest(self) -> int:
        """The size at which the text is just inside the limits on characters and words."""
        low, high = 1, 2
        while high < self.most and self._fits(high):
            low, high = high, high * 2
        high = min(high, self.most + 1)
        while high - low > max(1, low // 50):
            middle = (low + high) // 2
            low, high = (middle, high) if self._fits(middle) else (low, middle)
        return low

    def _fits(self, size: int) -> bool:
        text = self.make(size)
        # Layout adds words of its own: an indent and a dedent a block.
        words = sum(1 for _ in re.finditer(r"[\w.]+|[<>=!*/:]=|\*\*|//|\S|\n", text)) + text.count(":\n") * 2
        return len(text) <= DEFAULT.characters and words <= DEFAULT.tokens * 0.99


#: Just below the size from which on a function is compiled without the optimiser.
MAXIMA = "max(1,sin(x)" + ",x" * 185 + ")"


def lines(n: int, line: Callable[[int], str], last: str = "x") -> str:
    return "".join([line(i) + "\n" for i in range(n)]) + last


def defs(n: int, body: Callable[[int], str], last: str) -> str:
    return "".join([f"def f{i}(x): return {body(i)}\n" for i in range(n)]) + last


def nested(n: int, head: Callable[[int], str], inner: str, depth: int, last: str) -> str:
    """Blocks in blocks, as deep as allowed and as often as asked for."""
    one = "".join([" " * i + head(i) + "\n" for i in range(depth)]) + " " * depth + inner + "\n"
    return one * n + last


def combinations(n: int, lines_of_body: int) -> str:
    """A helper of ten parameters, called for as many combinations of types."""
    body = "".join([f"    y = y*a0 + {i % 7}\n" for i in range(lines_of_body)])
    head = "def h(" + ", ".join([f"a{i}" for i in range(10)]) + "):\n    y = a0\n" + body + "    return y\n"
    calls = [
        "h(" + ", ".join(["x" if i >> bit & 1 else "1.5" for bit in range(10)]) + ")" for i in range(min(n, 1 << 10))
    ]
    return head + "def main(x):\n" + "".join([f"    {call}\n" for call in calls]) + "    return x\n"


def captures(n: int) -> str:
    """Nested functions that all capture what is outside."""
    text, names = "", []
    for i in range(n):
        text += f"v{i} = x + {i}\n"
        names.append(f"v{i}")
    text += "".join([f"def f{i}(y):\n    return y + {'+'.join(names[: i + 1])}\n" for i in range(n)])
    return text + f"f{n - 1}(x)"


WORST = {
    # Straight code.
    "terms of an int sum": Worst(lambda n: "+".join(["x"] * n)),
    "terms of a float sum": Worst(lambda n: "+".join(["x"] * n), "(float)"),
    "terms of a product": Worst(lambda n: "*".join(["x"] * n)),
    "divisions": Worst(lambda n: "//".join(["x"] * n)),
    "float modulos": Worst(lambda n: "%".join(["x"] * n), "(float)"),
    "powers": Worst(lambda n: "+".join(["x**x"] * n)),
    "shifts": Worst(lambda n: "<<".join(["x"] * n)),
    "sines": Worst(lambda n: "+".join(["sin(x)"] * n), "(float)"),
    "rounds": Worst(lambda n: "+".join(["round(x)"] * n), "(float)"),
    "minima of many": Worst(lambda n: "min(" + ",".join(["x"] * n) + ")", "(float)"),
    "narrow conversions": Worst(lambda n: "+".join(["i8(x)"] * n)),
    "divmods": Worst(lambda n: "y=x\n" + lines(n, lambda i: "y,z=divmod(y,3)")),
    "lines of assignments": Worst(lambda n: lines(n, lambda i: f"v{i % 50}=x+{i}", "v1")),
    "many names": Worst(lambda n: lines(n, lambda i: f"v{i}=x")),
    "prints": Worst(lambda n: lines(n, lambda i: "print(x,x)")),
    "texts": Worst(lambda n: lines(n, lambda i: f"print('{i}')")),
    "raises": Worst(lambda n: lines(n, lambda i: f"if x=={i}: raise ValueError('{i}')")),
    "assertions": Worst(lambda n: lines(n, lambda i: f"assert x>-{i},'{i}'")),
    "equal raises": Worst(lambda n: lines(n, lambda i: "assert x,'no'")),
    # Values that live long.
    "live ints": Worst(lambda n: lines(n, lambda i: f"v{i}=x+{i}", "+".join([f"v{i}" for i in range(n)]))),
    "live floats": Worst(lambda n: lines(n, lambda i: f"v{i}=x+{i}", "+".join([f"v{i}" for i in range(n)])), "(float)"),
    "live across a loop": Worst(
        lambda n: (
            lines(n, lambda i: f"v{i}=x*{i}.5", "") + "for k in range(x): v0=v0+1\n" + "+".join([f"v{i}" for i in range(n)])
        )
    ),
    "live across calls": Worst(
        lambda n: lines(n, lambda i: f"v{i}=sin(x)", "+".join([f"v{i}" for i in range(n)])), "(float)"
    ),
    "a tuple of all": Worst(lambda n: "t=(" + "x," * 900 + ")\n" + lines(n, lambda i: f"y=t[{i % 900}]"), "(float)"),
    "a tuple through branches": Worst(
        lambda n: "t=(" + "x," * 900 + ")\n" + lines(n, lambda i: f"if x>{i}: t=(t[1],)+t if 0 else t", "t[5]")
    ),
    "tuples that change in branches": Worst(
        lambda n: "t=u=(" + "x," * 900 + ")\n" + lines(n, lambda i: f"if x>{i}: t,u=u,t", "t[5]"), "(float)"
    ),
    "tuples that rise": Worst(
        lambda n: (
            "t=(" + "x," * 900 + ")\nfor i in range(x):\n " + lines(n, lambda i: "u=t;t=u\n", "").replace("\n\n", "\n ")
            + "t=(" + ",".join([f"t[{i + 1}]" for i in range(899)]) + ",1.5)\nt[0]"
        ),
        most=1000,
    ),
    # Control flow.
    "terms of an and": Worst(lambda n: " and ".join(["x"] * n)),
    "terms of an or of ands": Worst(lambda n: " and ".join([f"(x>{i} or x<-{i})" for i in range(n)])),
    "terms of a comparison": Worst(lambda n: "<".join(["x"] * n)),
    "ternaries in a chain": Worst(lambda n: "+".join([f"(x if x>{i} else {i})" for i in range(n)])),
    "elifs": Worst(lambda n: "if x==-1:\n y=1\n" + lines(n, lambda i: f"elif x=={i}:\n y={i}", "else:\n y=0\ny")),
    "ifs in a row": Worst(lambda n: "y=x\n" + lines(n, lambda i: f"if y>{i}: y=y-1")),
    "maybe unbound, read at the end": Worst(
        lambda n: "y=x\n" + lines(n, lambda i: f"if y: v{i}=y", "+".join([f"v{i}" for i in range(n)]))
    ),
    "maybe unbound, read at once": Worst(lambda n: "y=x\n" + lines(n, lambda i: f"if y: v{i}=y\nv{i}", "y")),
    "variables times branches": Worst(
        lambda n: lines(n, lambda i: f"v{i}=x+{i}", "") + lines(n, lambda i: f"if x>{i}: v{i}=v{i * 7 % n}", "v1")
    ),
    "all variables swap in branches": Worst(
        lambda n: (
            lines(n, lambda i: f"v{i}=x+{i}", "")
            + lines(n, lambda i: f"if x>{i}: v{i}=x", "+".join([f"v{i}" for i in range(n)]))
        )
    ),
    "variables in a loop of breaks": Worst(
        lambda n: (
            lines(n, lambda i: f"v{i}=x", "")
            + "while x:\n"
            + lines(n, lambda i: f" v{i}+=1\n if x>{i}: break", "+".join([f"v{i}" for i in range(n)]))
        )
    ),
    "copies in a loop": Worst(
        lambda n: (
            lines(n, lambda i: f"a{i}=x", "")
            + "for k in range(x):\n"
            + lines(n - 1, lambda i: f" a{i}=a{i + 1}", f" a{n - 1}=1.5\na0")
        )
    ),
    "loops in a row": Worst(lambda n: "y=x\n" + "for i in range(x): y=y+i\n" * n + "y"),
    "maxima of ints and floats": Worst(lambda n: "max(1,sin(x)" + ",x" * n + ")"),
    "maxima just below large": Worst(lambda n: "max(1,sin(x)" + ",x" * n + ")", most=190),
    "functions of maxima just below large": Worst(
        lambda n: defs(n, lambda i: MAXIMA + f"+{i}", f"def m(x): return {'+'.join([f'f{i}(x)' for i in range(n)])}\n"), most=300
    ),
    "floats through branches": Worst(
        lambda n: "y=sin(x)\nz=y\n" + "".join([f"y=y*0.5+1.0\nif x>{k}: z=z+y\nelse: z=z-y\n" for k in range(n)]) + "z"
    ),
    "floats through branches just below large": Worst(
        lambda n: "y=sin(x)\nz=y\n" + "".join([f"y=y*0.5+1.0\nif x>{k}: z=z+y\nelse: z=z-y\n" for k in range(n)]) + "z",
        most=260,
    ),
    "loops in loops": Worst(lambda n: "y=x\n" + nested(n, lambda i: f"for i{i} in range(1):", "y=y+1", 20, "y")),
    "ifs in ifs": Worst(lambda n: "y=x\n" + nested(n, lambda i: f"if x>{i}:", "y=y+1", 190, "y")),
    "whiles in whiles": Worst(lambda n: "y=x\n" + nested(n, lambda i: f"while x>{i}:", "y=y+1", 20, "y")),
    "generators": Worst(lambda n: "+".join(["sum(x for i in range(2))"] * n)),
    "generators of maxima": Worst(lambda n: "+".join(["max(x+i for i in range(2) if i)"] * n)),
    # Functions.
    "functions": Worst(lambda n: defs(n, lambda i: f"x+{i}", f"def m(x): return f{n - 1}(x)\n")),
    "functions in a chain": Worst(
        lambda n: defs(n, lambda i: f"f{i - 1}(x)+1" if i else "x", f"def m(x): return f{n - 1}(x)\n")
    ),
    "functions that call twice": Worst(
        lambda n: defs(n, lambda i: f"f{i - 1}(x)+f{i - 1}(x)" if i else "x", f"def m(x): return f{n - 1}(x)\n")
    ),
    "a circle of functions": Worst(
        lambda n: defs(n, lambda i: f"f{(i + 1) % n}(x-1) if x else 0", "def m(x): return f0(x)\n")
    ),
    "a circle whose type rises": Worst(
        lambda n: defs(n, lambda i: f"f{(i + 1) % n}(x-1) if x else {i if i else 1.5}", "def m(x): return f0(x)\n")
    ),
    "calls of a small function": Worst(
        lambda n: "def f(x): return x*x+1\ndef m(x):\n" + lines(n, lambda i: " x=f(x)", " return x\n")
    ),
    "calls of a function of 39": Worst(
        lambda n: f"def f(x): return {'+'.join(['x'] * 38)}\ndef m(x):\n" + lines(n, lambda i: " x=f(x)", " return x\n")
    ),
    "callers of a function of 39": Worst(
        lambda n: (
            f"def g(x): return {'+'.join(['x'] * 38)}\n"
            + defs(n, lambda i: "g(g(g(x)))", "def m(x): return " + "+".join([f"f{i}(x)" for i in range(n)]) + "\n")
        )
    ),
    "functions just below large": Worst(
        lambda n: (
            "".join([f"def f{i}(x): return {'+'.join(['sin(x)'] * 480)}\n" for i in range(n)])
            + "def m(x): return " + "+".join([f"f{i}(x)" for i in range(n)]) + "\n"
        ),
        "(float)",
    ),
    "combinations of types, a small body": Worst(lambda n: combinations(n, 10), most=1024),
    "combinations of types, a large body": Worst(lambda n: combinations(n, 20_000), most=1024),
    "combinations of types, half and half": Worst(lambda n: combinations(n, 2_000), most=1024),
    "captures": Worst(captures),
}  # fmt: skip
