"""The texts that are compiled: some as people write them, some of any length.

In: a size. Out: a text of jib, which is Python too.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Text(NamedTuple):
    """A text, the arguments of its one call, and how those spell it who cannot read it as it is."""

    name: str
    source: str
    args: dict[str, int | float]
    spelled: dict[str, str] = {}

    @property
    def is_expression(self) -> bool:
        return not self.source.startswith("def ")

    def python(self) -> Any:
        """The same as a function of CPython's, with the functions of `math`."""
        import math

        names: dict[str, Any] = dict(vars(math))
        source = self.source
        if self.is_expression:
            source = f"def work({', '.join(self.args)}):\n    return {source}"
        exec(compile(source, "<text>", "exec"), names)
        return names["work"]


def of_all_sizes() -> list[Text]:
    return [
        Text("a + b", "a + b", {"a": 1.5, "b": 2.5}),
        Text(
            "an expression",
            "sin(x)**2 + 3*x*y - (x if x > y else y)/2",
            {"x": 1.5, "y": 2.5},
            {
                "numexpr": "sin(x)**2 + 3*x*y - where(x > y, x, y)/2",
                "sympy": "sin(x)**2 + 3*x*y - Max(x, y)/2",
            },
        ),
        Text("100 lines", of_lines(100), {"n": 40, "x": 1.5}),
        Text("1,000 lines", of_lines(1000), {"n": 40, "x": 1.5}),
    ]


def of_lines(count: int) -> str:
    """A function of so many lines: loops, branches, ints and floats."""
    lines = ["def work(n: int, x: float) -> float:", "    total = 0.0", "    count = 0"]
    at = 0
    while len(lines) < count - 2:
        lines += [
            f"    for i{at} in range(n):",
            f"        if (i{at} + count) % {at + 2} == 0:",
            f"            total += x * i{at} - {at}.5",
            "        elif total > 1000.0 and count < 50:",
            f"            total = sqrt(total) + {at}",
            "        else:",
            f"            count += {at + 1}",
            f"    step = abs(total) / (count + {at + 1})",
        ]
        at += 1
    return "\n".join([*lines[: count - 2], "    total = total + step + x", "    return total + count"]) + "\n"


def sum_of(terms: int) -> str:
    """`a*0.5 + b*1.5 + …`"""
    return " + ".join([f"{'ab'[at % 2]}*{at}.5" for at in range(terms)])


def ands(terms: int) -> str:
    """`a > 0.5 and b > -1.5 and …`, all of them true for positive numbers."""
    return " and ".join([f"{'ab'[at % 2]} > -{at}.5" for at in range(terms)])


def comparisons(terms: int) -> str:
    """`0.0 < a + 1 < b + 2 < …`"""
    return " < ".join(["0.0", *[f"{'ab'[at % 2]} + {at * 10}" for at in range(terms)]])


def suite(lines: int) -> str:
    """So many assignments, each of what was before it, and a value."""
    body = [f"v{at % 50} = v{(at - 1) % 50} * 0.5 + {'ab'[at % 2]} - {at}" for at in range(50, lines)]
    return "\n".join([*[f"v{at} = a + {at}" for at in range(50)], *body, "v0 + v1"]) + "\n"


def branches(lines: int) -> str:
    """So many lines of ifs, one after the other."""
    body = [f"if a > {at}:\n    t = t + b\nelse:\n    t = t - {at}" for at in range(lines // 4)]
    return "\n".join(["t = 0.0", *body, "t"]) + "\n"


def functions(count: int) -> str:
    """So many functions, each of which calls the one before."""
    heads = [f"def f{at}(a, b):\n    return f{at - 1}(b, a) * 0.5 + {at}" for at in range(1, count)]
    return "\n".join(["def f0(a, b):\n    return a - b", *heads]) + "\n"


def nested_ifs(depth: int) -> str:
    """Ifs in ifs, as deep as that."""
    lines = ["t = 0.0"]
    for at in range(depth):
        lines.append(f"{' ' * at}if a > {at}:")
    lines.append(f"{' ' * depth}t = b")
    return "\n".join([*lines, "t"]) + "\n"


def loops(count: int) -> str:
    """So many loops, one after the other, over common variables."""
    body = [f"for i in range(3):\n    t += i * b\n    if t > {at}:\n        s = s + t" for at in range(count)]
    return "\n".join(["t = s = 0.0", *body, "s + a"]) + "\n"
