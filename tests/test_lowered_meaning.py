"""What lowered programs mean: the IR, evaluated, against CPython running the same text."""

from __future__ import annotations

import ast
import builtins as python
import contextlib
import io
import itertools
import math
import sys
from collections.abc import Iterator

import pytest

from filetest_runner.cpython import OLDER_WORDS
from ir_evaluator import ROWS, evaluate, verify
from jib import builtins, ir
from jib.lower import Lowered, lower
from jib.parse import parse
from jib.source import Source


@pytest.fixture(autouse=True, scope="module")
def table() -> Iterator[None]:
    builtins.install(ROWS)
    yield
    builtins._table.clear()


def lowered(text: str, params: list[str] | None = None) -> Lowered:
    source = Source(text)
    return lower(parse(source), source, params)


NAMES = {
    **{name: value for name, value in vars(math).items() if name[0] != "_"},
    "pow": pow,
    "math": math,
    "where": lambda condition, x, y: x if condition else y,
    "f64": float,
}


def cpython(text: str, params: list[str]) -> object:
    """The function that CPython makes of the text: the last def, or the suite with its last expression returned."""
    tree = ast.parse(text)
    last = tree.body[-1]
    if ast.get_docstring(tree) is not None:
        del tree.body[0]
    if all(isinstance(statement, ast.FunctionDef) for statement in tree.body):
        space = dict(NAMES)
        exec(compile(tree, "<text>", "exec"), space)
        return space[last.name]  # type: ignore[attr-defined]
    if len(tree.body) == 1 and isinstance(last, ast.Expr) and isinstance(last.value, ast.Lambda):
        return eval(text, dict(NAMES))
    if isinstance(last, ast.Expr):
        tree.body[-1] = ast.copy_location(ast.Return(last.value), last)
    head = ast.parse(f"def suite({', '.join(params)}): pass")
    head.body[0].body = tree.body  # type: ignore[attr-defined]
    space = dict(NAMES)
    exec(compile(ast.fix_missing_locations(head), "<text>", "exec"), space)
    return space["suite"]


def outcome(run: object, *args: object) -> tuple[object, ...]:
    """Value and type, or exception and text; and what was printed."""
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            value = run(*args)  # type: ignore[operator]
    except TimeoutError:
        raise
    except Exception as problem:
        if isinstance(problem, UnboundLocalError):
            return UnboundLocalError, "", out.getvalue()
        return type(problem), str(problem), out.getvalue()
    return repr(value), type(value), out.getvalue()


def compare(text: str, *args: object) -> None:
    result = lowered(text)
    again = ir.from_text(ir.to_text(result.module))
    assert ir.to_text(again) == ir.to_text(result.module)
    ir.encode(result.module)

    def run(*values: object) -> object:
        value, printed = evaluate(again, *values)
        print(printed, end="")
        return value

    filled = list(args) + [param.default for param in result.params[len(args) :]]
    expected = outcome(cpython(text, [param.name for param in result.params]), *args)
    found = outcome(run, *filled)
    if isinstance(expected[0], type):
        expected = expected[0], OLDER_WORDS.get(str(expected[1]), expected[1])
        found = found[:2]  # what was printed before an exception stays in the evaluator
    assert found == expected, text


EXPRESSIONS = """
a + b * 2 - -a
-a ** 2
2 ** -2 + a
-9223372036854775808 + a
- - -a + +b
not not a
~a & b | 6 ^ a << 2 >> 1
a < b < 3 <= 4 != a
a if b else a + 1
(a if a > b else b) if a * b else -1
a and b and 7
a or b or 7
a and (b or 3) or not a
not (a and b) or (a or not b and 3)
1 if not (a < b < 3) else 0
1 if a and b or not a and not b else 0
1 if not (a or b) and not a < b < 9 else 0
1 if (a < 1) < (b < 2) else 2
1 if (a if b else not a) else 2
(c := a + 1) * c + c
(a, b)[1] + (a, b)[0]
(a, (b, 3))
a, b
()
divmod(a * 10 + 7, b + 1)
pow(a + 2, b + 1, mod=7) + pow(exp=2, base=a)
round(a / 3, ndigits=2) + round(a / 3)
isclose(a, b, abs_tol=0.5) + isclose(a, b)
math.pow(a, b) + hypot(a, b) + gcd(a, b, 12)
math.pi + e + math.sqrt(a * a)
float(a) + int(2.5) + bool(b) + f64(1) + int()
where(a > b, a, b)
min(a, b, 3) + max(a, b)
min((a, b, -3)) + max((a,)) + sum((a, b, 3)) + sum((a, b), 4) + math.prod((a, b, 3))
sum((a, b), start=0.5) + math.prod((a, b), start=2)
sum(()) + math.prod(()) + min((), default=3)
min(())
any((a, b)), all((a, b)), any(()), all(())
any((a / (b + 1), 1)) + all((0, 1))
sum(i * a for i in range(5))
sum(i * j for i in range(a + 3) for j in range(i) if j % 2 if i > b)
sum((i for i in range(4)), b) + sum((i / 2 for i in range(a)), start=1)
math.prod(i + a for i in range(1, 5)) + math.prod((i for i in range(1, 3)), start=3)
min(abs(i - 3) for i in range(a, 9))
max((i * b for i in range(a)), default=-5)
min((i for i in range(a)), default=b)
max(i for i in range(a))
min((-1) ** i * i for i in range(10))
any(i == a for i in range(3)), all(i < a for i in range(3))
any(i > 1 and i < b for i in range(a)), all(not i for i in range(b))
sum(sum(i * j for j in range(i)) for i in range(5))
sum(i for i in range(sum(i for i in range(a + 2)))) + sum(a for a in range(a))
sum(1 for i in range(3) if any(i == j for j in range(b)))
sum((z := i) for i in range(1, 4)) + z + sum(i for i in range(2))
max((k := a), b) + k
sum(i for i in range(10, 0, -3)) + sum(i for i in range(0, 10, a))
sum(i for i in range(True, 5, 1)) + sum(i for i in range(5, 0, -1))
a / b + (b and a // b) + (b and a % b)
print(a, b, "text", 1.5, sep="-", end="!\\n")
print()
print("a\\tb", sep=None)
""".strip().split("\n")

SUITES = [
    "x = a\nx += b\nx *= 2\nx -= 1\nx **= 2\nx //= 3\nx",
    "x = y = a + 1\nx, y, (z, w) = b, x, (y, a)\nx * 1000 + y * 100 + z * 10 + w",
    "t = (a, (b, 3))\nx, (y, z) = t\nx + y * z",
    "x, y = a, b\nx, y = y, x % (y + 5)\nx, y = y, x\nx - y",
    "x, y = (a, b), 3\n(p, q), r = x, y\np + q * r",
    "x: float = a / 1\ny: int\ny = 2\nz: bool = not b\nx, y, z",
    "if a: r = 1\nelif b: r = 2\nelif a + b > 3: r = 3\nelse: r = 4\nr",
    "r = 0\nif a:\n    if b: r = 1\n    else: r = 2\n    r += 10\nr",
    "if a: x = 1\nx",
    "i = 0\nwhile i < 10:\n    i += 1\n    if i == a: continue\n    if i == 7: break\nelse:\n    i = 100\ni",
    "i = 0\nwhile i < a:\n    i += 1\n    if i > 3 and b: break\nelse:\n    i = 100\ni",
    "while True:\n    a1 = a\n    break\nelse:\n    a1 = 7\na1",
    "t = 0\nfor i in range(a, 10, 2):\n    if i == 4: continue\n    if i == b + 6: break\n    t += i\nelse:\n    t = -t\nt, i",
    "t = 0\nfor i in range(3):\n    for j in range(i, -1, -1):\n        if j == a: continue\n        if i == b: break\n"
    "        t = t * 10 + j\n    else:\n        t += 1\nt",
    "for i in range(3):\n    i = i * 10\ni",
    "for i in range(a): pass\nelse:\n    k = 9\nk",
    "n = 3\nt = 0\nfor i in range(n):\n    n = 10\n    t += i\nt",
    "t = 0\nfor i in range(0, 10, b): t += i\nt",
    "t = 0\nfor i in range(10, a, -3): t += i\nt",
    "t = 0\nfor t in range(5): pass\nt",
    "for i in range(9223372036854775806, 9223372036854775807, 2): pass\ni",
    "for i in range(9223372036854775800, 9223372036854775807, 5): pass\ni",
    "for i in range(-9223372036854775807, -9223372036854775808, -1): pass\ni",
    "for i in range((print(1) or 0), (print(2) or 3), (print(3) or 1)): print(i)",
    "sum((print(i) or i for i in range(print(0) or 2)), print('start') or 5)",
    "max((print(i) or i for i in range(print(0) or a)), default=print('default') or 5)",
    "sum(print(i, j) or 1 for i in range(print(0) or 2) for j in range(print(i) or i + 1))",
    "def f(x, y): return x * 10 + y\nf(y=(print(1) or a), x=(print(2) or b))",
    "pow(exp=(print(1) or 2), base=(print(2) or a))",
    "x = (print(1) or a) + (print(2) or b) * (print(3) or 2)\nx",
    "(print(1) or a) < (print(2) or b) < (print(3) or 2)",
    "(print(1) or a) and (print(2) or b) or (print(3) or 2)",
    "any((print(1) or a, print(2) or b))",
    "any(print(i) or i > a for i in range(4))",
    "x = a\nx += (x := 5) + 1\nx",
    "x = a\ny = x + (x := 5) + x\ny",
    "assert a, 'no a'\nassert not b\na",
    "assert a or b, 'neither'\nif a > 1: raise ValueError('large')\nif b > 1: raise KeyError\na",
    "def sq(x): return x * x\ncube = lambda x, k=3: sq(x) * x + k\ncube(a) + cube(k=1, x=b)",
    "k = a * 2\ndef f(x): return x + k\ndef g(x): return f(x) * f(1) + k\ng(b)",
    "def f(n): return 1 if n < 2 else n * f(n - 1)\nf(a + 4)",
    "def even(n): return True if n < 1 else odd(n - 1)\n"
    "def odd(n): return False if n < 1 else even(n - 1)\neven(a), odd(b)",
    "def outer(x):\n    def inner(y):\n        def deep(z): return x * 100 + y * 10 + z + a\n        return deep(y + 1)\n"
    "    return inner(x + 1) + inner(b)\nouter(2)",
    "def f(x):\n    a = 5\n    def g(): return a + x\n    return g()\nf(1) + a + b",
    "def f(x, /, y=2, *, z=-3, t=True): return x + y * 10 + z * 100 + t\nf(1), f(a, b), f(a, z=b), f(a, t=0, y=1)",
    "def f():\n    'doc'\n    pass\nf()",
    "'doc'\n'more'\na",
    "x = 1",
    "pass",
    "sum = a\nsum + b",
    "def min(x): return x + 100\nmin(a)",
    "x = a; y = b; x * y",
    "i = 5\nx = sum(i for i in range(a))\nx + i",
    "def f(n):\n    if n > a: return n\n    return f(n + 1)\nf(0)",
    "t = 0\nfor i in range(5):\n    t += sum(j for j in range(i) if j != a)\n    if t > 3: break\nt",
    "x = 3 if a else 4.5\nx += min(x, 4)\nx",
    "while a:\n    if b: break\n    break\n    c = 1\n1",
    "k = 3\nf = lambda: k\nf() + a",
    "x = -0.0\nx * 1 + -0.0, 1e300, -1e-5",
    "raise ZeroDivisionError('mine')",
    "for i in range(1.5): pass",
    "1 if a else 1 // 0",
    "x = 1\nif a:\n    raise RuntimeError('always')\nelse:\n    raise LookupError",
]

DEFINITIONS = [
    "def gcd(a, b):\n    while b:\n        a, b = b, a % b\n    return a\n",
    "def even(n): return True if n < 1 else odd(n - 1)\ndef odd(n): return False if n < 1 else even(n - 1)\n"
    "def main(a, b=4): return even(a), odd(b)\n",
    "'module'\ndef f(a: int, b: float = -1.5) -> float:\n    'the doc'\n    return a + b + 0.0\n",
    "def f(a, b):\n    for i in range(a):\n        for j in range(b):\n            if i * j == 2: return i, j\n    else:\n"
    "        return -1\n",
    "def f(a, b):\n    while True:\n        if a > 5: return a\n        a += 1\n",
    "def f(a, b) -> bool:\n    return not a - b\n",
    "def f(a, b) -> None: a + b\n",
    "def f(a, b):\n    return\n    a + b\n    while a: b\n",
    "def fib(n, b=0): return n if n < 2 else fib(n - 1) + fib(n - 2)\n",
    "def collatz(a, b):\n    a = a + 7\n    n = 0\n    while a != 1:\n"
    "        a = a // 2 if a % 2 == 0 else 3 * a + 1\n        n += 1\n    return n\n",
    "lambda a, b=2: a - b",
    "lambda a, b: (t := a) + t + b",
]


@pytest.mark.parametrize("text", EXPRESSIONS + SUITES)
def test_suites_mean_what_cpython_means(text: str) -> None:
    verify(lowered(text).module)
    count = len(lowered(text).params)
    values = [0, 1, 2, -3] if count > 1 else [0, 1, 2, 3, -3]
    for args in itertools.product(values, repeat=count):
        compare(text, *args)


@pytest.mark.parametrize("text", DEFINITIONS)
def test_definitions_mean_what_cpython_means(text: str) -> None:
    verify(lowered(text).module)
    for args in itertools.product([0, 1, 2, 6], repeat=2):
        compare(text, *args)


def test_min_and_max_keep_the_choice_on_nan_and_ties() -> None:
    for name in ("min", "max"):
        for values in itertools.permutations([math.nan, 0.0, -0.0]):
            text = f"{name}(x if i == 0 else y if i == 1 else z for i in range(3))"
            chosen = evaluate(lowered(text, ["x", "y", "z"]).module, *values)[0]
            assert repr(chosen) == repr(getattr(python, name)(iter(values)))


# ------------------------------------------------------------------------------------------ size and depth


LONG = {
    "terms": "x" + "-x+x" * 5_000,
    "powers": "**".join(["x"] * 150),
    "and": " and ".join(["x"] * 10_000),
    "or": " or ".join(["x - 1"] * 10_000) + " or 1",
    "comparisons": "<=".join(["x"] * 10_000),
    "condition": "1 if " + " and ".join(["x"] * 5_000) + " else 2",
    "lines": "\n".join(f"x{i} = x + {i}" for i in range(2_000)) + "\nx1999 - 1999",
    "branches": "if x == 0: y = 0\n" + "".join(f"elif x == {i}: y = {i}\n" for i in range(2, 3_000)) + "else: y = 1\ny",
    "tuple": "(" + "x," * 10_000 + ")[7]",
    "arguments": "max(" + "x," * 10_000 + ")",
    "parentheses": "(" * 90 + "x" + ")" * 90,
    "minus": "-" * 100 + "x",
    "ternaries": "1 if x > 1 else " * 90 + "x",
    "calls": "abs(" * 90 + "x" + ")" * 90,
    "generators": "sum(" * 60 + "x" + " for i in range(1))" * 60,
    "functions": "".join("    " * i + f"def f{i}(y):\n" for i in range(60))
    + "    " * 60
    + "return y + x\n"
    + "".join("    " * i + f"return f{i}(y)\n" for i in range(59, 0, -1))
    + "f0(0)",
}


@pytest.mark.parametrize("name", LONG)
def test_long_and_deep_texts_need_no_stack(name: str) -> None:
    source = Source(LONG[name])
    program = parse(source)
    depth = 0
    frame = sys._getframe()
    while frame is not None:
        depth += 1
        frame = frame.f_back  # type: ignore[assignment]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 60)
    try:
        module = lower(program, source).module
        ir.encode(module)
    finally:
        sys.setrecursionlimit(limit)
    assert evaluate(module, 1)[0] == 1
