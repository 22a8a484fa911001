"""Functions of a text, wherever they stand in it.

In: nodes of the tree. Out: `Source`: a function's name, parameters and body.
"""

from __future__ import annotations

import ast
from typing import Any, NamedTuple


class Source(NamedTuple):
    name: str
    args: ast.arguments
    body: list[ast.stmt]
    returns: ast.expr | None
    line: int
    outer: dict[str, Source]  # the functions that are defined around it

    @property
    def params(self) -> list[tuple[ast.arg, ast.Constant | None]]:
        """Parameters with their defaults, in the order in which positional arguments fill them."""
        named = self.args.posonlyargs + self.args.args
        defaults: list[Any] = [None] * (len(named) - len(self.args.defaults)) + self.args.defaults
        return [*zip(named, defaults), *zip(self.args.kwonlyargs, self.args.kw_defaults)]  # type: ignore[list-item]

    @property
    def reads(self) -> set[str]:
        """Every name it has, and the functions around it have: among them is what it reads from outside."""
        found: set[str] = set()
        for source in (self, *self.outer.values()):
            for statement in source.body:
                found.update(node.id for node in ast.walk(statement) if isinstance(node, ast.Name))
        return found


def of_def(node: ast.FunctionDef, outer: dict[str, Source]) -> Source:
    return Source(node.name, node.args, node.body, node.returns, node.lineno, outer)


def of_lambda(name: str, node: ast.Lambda, outer: dict[str, Source]) -> Source:
    value = ast.copy_location(ast.Return(node.body), node)
    return Source(name, node.args, [value], None, node.lineno, outer)


def of_suite(params: tuple[str, ...], body: list[ast.stmt]) -> Source:
    """Of a suite, whose last expression is its value."""
    last = body[-1]
    if isinstance(last, ast.Expr):
        body = [*body[:-1], ast.copy_location(ast.Return(last.value), last)]
    args = ast.arguments([], [ast.arg(param, lineno=1, col_offset=0) for param in params], None, [], [], None, [])
    return Source("__entry__", args, body, None, 1, {})


def functions_of(tree: ast.Module, params: tuple[str, ...]) -> dict[str, Source]:
    """All functions of a text's outermost level; the last is its entry."""
    if isinstance(tree.body[0], ast.FunctionDef) and isinstance(tree.body[-1], ast.FunctionDef):
        return {each.name: of_def(each, {}) for each in tree.body if isinstance(each, ast.FunctionDef)}
    first = tree.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Lambda):
        return {"__entry__": of_lambda("__entry__", first.value, {})}
    return {"__entry__": of_suite(params, tree.body)}
