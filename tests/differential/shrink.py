"""Makes a finding small: deletes statements, puts parts of expressions for the whole, as long as the answers differ.

In: a text and a test. Out: the smallest text found for which the test still holds. Always holds: every step makes the text's tree
smaller, so this ends.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator

Holds = Callable[[str], bool]


def shrink(text: str, holds: Holds, most: int = 400) -> str:
    """Tries every smaller tree, and after a success goes on at the same place."""
    tree = ast.parse(text)
    tried = at = 0
    again = False
    while tried < most:
        found = list(places(tree))
        if at >= len(found):
            if not again:
                break
            at, again = 0, False
            continue
        for smaller in smaller_at(tree, at):
            try:
                written = ast.unparse(ast.fix_missing_locations(smaller))
            except Exception:  # a tree that is no program
                continue
            if len(written) < len(ast.unparse(tree)):
                tried += 1
                if holds(written):
                    tree, again = ast.parse(written), True
                    break
        else:
            at += 1
    return ast.unparse(tree)


def smaller_at(tree: ast.Module, at: int) -> Iterator[ast.Module]:
    """Trees with one thing less at this place, the largest steps first."""
    for replacement in range(len(options(*list(places(tree))[at]))):
        smaller = copy.deepcopy(tree)
        parent, field, index = list(places(smaller))[at]
        apply(parent, field, index, options(parent, field, index)[replacement])
        yield smaller


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int]]:
    """Every statement and expression, by where it hangs; breadth first."""
    waiting = [tree]
    for node in waiting:
        for field, value in ast.iter_fields(node):
            if isinstance(value, list):
                for at, each in enumerate(value):
                    if isinstance(each, (ast.stmt, ast.expr)):
                        yield node, field, at
                    if isinstance(each, ast.AST):
                        waiting.append(each)
            elif isinstance(value, ast.AST):
                if isinstance(value, ast.expr) and field not in ("func", "annotation"):
                    yield node, field, -1
                waiting.append(value)


def options(parent: ast.AST, field: str, index: int) -> list[list[ast.AST]]:
    """What may stand instead of what hangs there; an empty list of nodes deletes it."""
    value = getattr(parent, field)
    node = value[index] if index >= 0 else value
    if isinstance(node, ast.stmt):
        found: list[list[ast.AST]] = (
            [[]] if len(value) > 1 else [[ast.Pass()]] if not isinstance(node, ast.Pass) else []
        )
        for inner in ("body", "orelse"):
            if not isinstance(node, ast.FunctionDef) and getattr(node, inner, None):
                found.append(list(getattr(node, inner)))
        return found
    if field in ("targets", "target", "args", "decorator_list") and not isinstance(parent, ast.Call):
        return []
    parts: list[list[ast.AST]] = [[each] for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)]
    if isinstance(parent, ast.Tuple) and len(value) > 1:
        parts.insert(0, [])
    if not isinstance(node, (ast.Constant, ast.Name)):
        parts += [[ast.Constant(1)], [ast.Constant(0.5)], [ast.Constant(True)]]
    return parts


def apply(parent: ast.AST, field: str, index: int, nodes: list[ast.AST]) -> None:
    if index >= 0:
        getattr(parent, field)[index : index + 1] = nodes
    else:
        setattr(parent, field, nodes[0])
