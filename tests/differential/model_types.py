"""The types of the oracle: what is known of each variable and value of a program before it runs.

Types are "b", "i", "f", "n" (None), the sized "i8" … "u64" and "f32", and tuples of them. A `Literal` is a type whose value the text
says: it takes the type of a sized operand that can hold it.
"""

from __future__ import annotations

import ast
from typing import Any

SIZED = ("i8", "i16", "i32", "u8", "u16", "u32", "u64", "f32")
LEAST = {"i8": -(1 << 7), "i16": -(1 << 15), "i32": -(1 << 31), "i": -(1 << 63), "u8": 0, "u16": 0, "u32": 0, "u64": 0}
MOST = {ty: -least - 1 if least else (1 << int(ty[1:])) - 1 for ty, least in LEAST.items()}


class Unmodelled(Exception):
    """The program has something that this oracle does not know."""


class Bottom(Exception):
    """A call of a function that has not been seen to return: nothing behind it is known to happen."""


class Literal(str):
    """The type of a value that the text says."""

    __slots__ = ("value",)
    value: Any


def literal(value: Any, ty: str = "") -> Literal:
    made = Literal(ty or {bool: "b", int: "i", float: "f"}[type(value)])
    made.value = value
    return made


def bits(ty: str) -> int:
    return 64 if ty == "i" else int(ty[1:])


def _promote(a: str, b: str) -> str | None:
    if a == b or b == "b":
        return a
    if a == "b":
        return b
    if a in LEAST and b in LEAST:
        both = [ty for ty in LEAST if LEAST[ty] <= min(LEAST[a], LEAST[b]) and MOST[ty] >= max(MOST[a], MOST[b])]
        return min(both, key=bits, default=None)
    if a in LEAST:
        a, b = b, a
    return a if b in LEAST and bits(b) <= 16 else "f"


NUMBERS = ("b", "f", "f32", *LEAST)
PROMOTE = {(a, b): _promote(a, b) for a in NUMBERS for b in NUMBERS}


def join(a: Any, b: Any) -> Any:
    """The type of a variable that has one type on one way and the other on another."""
    if a is b:
        return a
    if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        return tuple(join(x, y) for x, y in zip(a, b))
    if a == b:
        return str(a)
    found = PROMOTE.get((a, b)) if isinstance(a, str) and isinstance(b, str) else None
    if found is None:
        raise Unmodelled(f"{a} joins {b}")
    return found


def meet(a: Any, b: Any) -> Any:
    """The type in which two operands meet."""
    if isinstance(a, Literal) != isinstance(b, Literal):
        known, other = (a, b) if isinstance(a, Literal) else (b, a)
        if other == "f32" and known != "b":
            return "f32"
        if known == "i" and other in LEAST and LEAST[other] <= known.value <= MOST[other]:
            return other
    return join(plain(a), plain(b))


def as_number(ty: str) -> str:
    """A bool counts as an int."""
    return "i" if ty == "b" else str(ty)


def float_type(types: list[Any]) -> str:
    """Of a function of floats."""
    narrow = all(ty == "f32" or isinstance(ty, Literal) for ty in types)
    return "f32" if narrow and "f32" in types else "f"


def plain(ty: Any) -> Any:
    """A type without what is known of values."""
    return tuple(plain(item) for item in ty) if type(ty) is tuple else str(ty) if type(ty) is Literal else ty


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


ANNOTATIONS = {"int": "i", "float": "f", "bool": "b", "None": "n", "i64": "i", "f64": "f", **{ty: ty for ty in SIZED}}


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
