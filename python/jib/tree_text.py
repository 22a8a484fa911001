"""The tree as text.

In: a tree. Out: lines, one a node, indented under its parent, each with its place. Always holds: no recursion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .source import Source, Span
from .syntax import Program

if TYPE_CHECKING:
    from collections.abc import Iterator


def tree_lines(program: Program, source: Source) -> Iterator[tuple[str, Span]]:
    """One line for each node: its field, its kind, its plain values, and `@line:column`; and its span.

    >>> from .parse import parse
    >>> text = Source("a + 1")
    >>> for line, span in tree_lines(parse(text), text):
    ...     print(line)
    Program @1:1
      body.0: ExprStmt @1:1
        value: Binary op='add' @1:1
          left: Name id='a' @1:1
          right: Constant value=1 @1:5
    """
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
        text = f"{'  ' * depth}{label and label + ': '}{type(node).__name__}{''.join(plain)} @{line}:{column}"
        yield text, node.span
        waiting.extend(reversed(below))


def _has_nodes(value: Any) -> bool:
    """Whether a field holds a node, or a tuple of nodes."""
    if isinstance(value, Span):
        return False
    return isinstance(value, tuple) and (hasattr(value, "_fields") or any(_has_nodes(item) for item in value))


def _numbered(label: str, depth: int, items: tuple[Any, ...]) -> list[tuple[str, int, Any]]:
    """The items of a tuple, last first, as they go on a stack."""
    return [(f"{label}.{number}", depth, item) for number, item in reversed(list(enumerate(items)))]
