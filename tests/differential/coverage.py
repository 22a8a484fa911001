"""Counts how many programs hold each operator, builtin and kind of statement.

In: texts. Out: counts by name. Always holds: a builtin is counted under the name of its row, whatever its spelling in the text.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

from jib import builtins

OPERATORS = {
    ast.Add: "a + b", ast.Sub: "a - b", ast.Mult: "a * b", ast.Div: "a / b", ast.FloorDiv: "a // b", ast.Mod: "a % b", ast.Pow: "a ** b",
    ast.BitAnd: "a & b", ast.BitOr: "a | b", ast.BitXor: "a ^ b", ast.LShift: "a << b", ast.RShift: "a >> b", ast.USub: "-a",
    ast.UAdd: "+a", ast.Invert: "~a", ast.Not: "not a", ast.And: "a and b", ast.Or: "a or b", ast.Lt: "a < b", ast.LtE: "a <= b",
    ast.Gt: "a > b", ast.GtE: "a >= b", ast.Eq: "a == b", ast.NotEq: "a != b",
}  # fmt: skip
KINDS = {
    ast.IfExp: "a if c else b", ast.NamedExpr: ":=", ast.Tuple: "(a, b)", ast.Subscript: "t[0]", ast.Lambda: "lambda", ast.If: "if",
    ast.While: "while", ast.For: "for", ast.Break: "break", ast.Continue: "continue", ast.Return: "return", ast.Pass: "pass",
    ast.Assert: "assert", ast.Raise: "raise", ast.FunctionDef: "def", ast.Assign: "x = a", ast.AnnAssign: "x: T = a",
    ast.GeneratorExp: "generator", ast.Expr: "expression statement",
}  # fmt: skip


#: What takes whole arrays, of which these programs have none: tests/test_array_properties.py.
OF_ARRAYS = ("mean", "dot", "argmin", "argmax", "count_nonzero")


def rows() -> set[str]:
    """The names of the table of builtins that are about numbers, one for each row."""
    return {
        row.name
        for row in map(builtins.resolve, builtins.names())
        if row is not None and row.name not in ("enumerate", "zip", *OF_ARRAYS)
    }


def features(text: str) -> set[str]:
    """What a program holds."""
    tree = ast.parse(text)
    assigned = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    assigned |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if type(node) in KINDS:
            found.add(KINDS[type(node)])
        if isinstance(node, (ast.Name, ast.Attribute)):
            name = ast.unparse(node)
            row = builtins.resolve(name) if name not in assigned else None
            if row is not None:
                found.add(row.name)
        found.update(details(node, defined))
    return found


def details(node: ast.AST, defined: set[str]) -> Iterator[str]:
    """What the kind of a node does not say."""
    if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.BoolOp)):
        yield OPERATORS[type(node.op)]
    elif isinstance(node, ast.Compare):
        yield from [OPERATORS[type(op)] for op in node.ops]
        if len(node.ops) > 1:
            yield "a < b < c"
    elif isinstance(node, ast.AugAssign):
        yield OPERATORS[type(node.op)].replace("a ", "x ").replace(" b", "= b").replace(" = ", "= ")
    elif isinstance(node, (ast.For, ast.While)) and node.orelse:
        yield f"{KINDS[type(node)]} … else"
    elif isinstance(node, ast.Assign):
        if isinstance(node.targets[0], ast.Tuple):
            yield "a, b = t"
        if len(node.targets) > 1:
            yield "x = y = a"
    elif isinstance(node, ast.comprehension):
        if node.ifs:
            yield "generator with if"
        if any(isinstance(part, ast.NamedExpr) for test in node.ifs for part in ast.walk(test)):
            yield "generator with if and :="
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        yield "return a, b"
    elif isinstance(node, ast.arguments):
        for name, part in (("f(a=1)", node.defaults), ("f(*, a)", node.kwonlyargs), ("f(a, /)", node.posonlyargs)):
            if part:
                yield name
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in defined:
        yield "call of a def"
        if node.keywords:
            yield "call by keyword"
    elif isinstance(node, ast.FunctionDef):
        called = {
            part.func.id for part in ast.walk(node) if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)
        }
        if node.name in called:
            yield "recursion"
        if any(isinstance(part, ast.FunctionDef) for part in node.body):
            yield "def in def"


def count(texts: Iterable[str]) -> Counter[str]:
    """How many of the programs hold each."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(features(text))
    return found


def table(found: Counter[str], programs: int) -> str:
    """Rarest last; then what does not occur."""
    lines = [f"{times:8} {100 * times / programs:6.2f} %  {name}" for name, times in found.most_common()]
    missing = sorted((rows() | set(OPERATORS.values()) | set(KINDS.values())) - found.keys())
    return "\n".join([*lines, f"never: {', '.join(missing) or 'nothing'}"])
