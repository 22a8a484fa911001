"""The types of the oracle: what is known of each variable and value of a program before it runs.

Types are "b", "i", "f", "n" (None) and tuples of them. An `IntLiteral` is an "i" that is known to be a literal.
"""

from __future__ import annotations

import ast
from typing import Any

NUMERIC = "bif"


class Unmodelled(Exception):
    """The program has something that this oracle does not know."""


class Bottom(Exception):
    """A call of a function that has not been seen to return: nothing behind it is known to happen."""


class IntLiteral(str):
    """The type of an int whose value the text says."""

    __slots__ = ("value",)
    value: int


def literal(value: int) -> IntLiteral:
    made = IntLiteral("i")
    made.value = value
    return made


def join(a: Any, b: Any) -> Any:
    """The type of a variable that has one type on one way and the other on another."""
    if a is b:
        return a
    if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        return tuple(join(x, y) for x, y in zip(a, b))
    if a == b:
        return str(a)
    if isinstance(a, str) and isinstance(b, str) and a in NUMERIC and b in NUMERIC:
        return max(str(a), str(b), key=NUMERIC.index)
    raise Unmodelled(f"{a} joins {b}")


def plain(ty: Any) -> Any:
    """A type without what is known of values."""
    return tuple(plain(item) for item in ty) if isinstance(ty, tuple) else str(ty)


def type_of(value: Any) -> Any:
    """The type of an argument."""
    if isinstance(value, tuple):
        return tuple(type_of(item) for item in value)
    return {bool: "b", int: "i", float: "f", type(None): "n"}[type(value)]


Env = dict[str, Any]


def join_env(a: Env | None, b: Env | None) -> Env | None:
    if a is None or b is None:
        return b if a is None else a
    joined = dict(a)
    for name, ty in b.items():
        joined[name] = join(joined[name], ty) if name in joined else ty
    return joined


ANNOTATIONS = {"int": "i", "float": "f", "bool": "b", "None": "n"}


def annotation(node: ast.expr) -> Any:
    if isinstance(node, ast.Name) and node.id in ANNOTATIONS:
        return ANNOTATIONS[node.id]
    if isinstance(node, ast.Constant) and node.value is None:
        return "n"
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "tuple":
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return tuple(annotation(part) for part in parts)
    raise Unmodelled(ast.unparse(node))


def known(test: ast.expr) -> bool | None:
    """Which way a condition goes, if the text says it: jib never goes the other, nor types it."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = known(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        ways = [known(each) for each in test.values]
        stop = isinstance(test.op, ast.Or)
        return stop if stop in ways else None if None in ways else not stop
    return None


def calling(function: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(function, ast.Load()), list(args), [])
