"""The texts that are compiled: some as people write them, some of any length.

In: a size. Out: a text of jib, which is Python too.
"""

from __future__ import annotations

SHORT = "a + b"
MIDDLE = "sin(x)**2 + 3*x*y - (x if x > y else y)/2"


def hundred_lines() -> str:
    """A function of a hundred lines: loops, branches, ints and floats."""
    lines = ["def work(n: int, x: float) -> float:", "    total = 0.0", "    count = 0"]
    at = 0
    while len(lines) < 98:
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
    return "\n".join([*lines[:98], "    total = total + step + x", "    return total + count"]) + "\n"


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
