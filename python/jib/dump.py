"""The tree as text.

In: a tree. Out: lines, one a node, indented under its parent, each with its place. Always holds: no recursion.
"""

from __future__ import annotations

from typing import Any

from .source import Source, Span
from .syntax import Program


def tree_text(program: Program, source: Source) -> str:
    """One line for each node: its field, its kind, its plain values, and `@line:column`.

    >>> from .parse import parse
    >>> text = Source("a + 1")
    >>> print(tree_text(parse(text), text))
    Program @1:1
      body.0: ExprStmt @1:1
        value: Binary op='add' @1:1
          left: Name id='a' @1:1
          right: Constant value=1 @1:5
    """
    lines = []
    waiting: list[tuple[str, int, Any]] = [("", 0, program)]
    while waiting:
        label, depth, node = waiting.pop()
        if not hasattr(node, "_fields"):
            waiting.extend(_numbered(label, depth, node))
            continue
        line, column = source.position(node.span.start)
        plain = []
        below = []
        for field, value in zip(node._fields, node):
            if _has_nodes(value):
                below.append((field, depth + 1, value))
            elif (
                not isinstance(value, Span) and value != () and (value is not None or type(node).__name__ == "Constant")
            ):
                plain.append(f" {field}={value!r}")
        lines.append(f"{'  ' * depth}{label and label + ': '}{type(node).__name__}{''.join(plain)} @{line}:{column}")
        waiting.extend(reversed(below))
    return "\n".join(lines)


def _has_nodes(value: Any) -> bool:
    """Whether a field holds a node, or a tuple of nodes."""
    if isinstance(value, Span):
        return False
    return isinstance(value, tuple) and (hasattr(value, "_fields") or any(_has_nodes(item) for item in value))


def _numbered(label: str, depth: int, items: tuple[Any, ...]) -> list[tuple[str, int, Any]]:
    """The items of a tuple, last first, as they go on a stack."""
    return [(f"{label}.{number}", depth, item) for number, item in reversed(list(enumerate(items)))]
