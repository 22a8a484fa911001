"""What is read from a function's head without running it: annotations and defaults.

In: the expressions of annotations and of defaults. Out: the text of a type in its one spelling; the value of a default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..source import Source
from ..syntax import Constant, ExprStmt, Name, Slice, Subscript, Tuple
from .build import LARGEST
from .expressions import negative

if TYPE_CHECKING:
    from .build import Unit

SCALARS = ("int", "float", "bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64")
DEEPEST = 8  # tuples in tuples


def type_text(unit: Unit, node: Any, depth: int = 0) -> str:
    """The type that an annotation names, in its one spelling: `tuple[int, float]`, `f64[:, :]`."""
    if type(node) is Name and node.id in SCALARS:
        return node.id
    if type(node) is Constant and node.value is None:
        return "None"
    if type(node) is Subscript and type(node.value) is Name and depth < DEEPEST:
        parts = node.index.elements if type(node.index) is Tuple else (node.index,)
        if node.value.id == "tuple" and parts:
            return f"tuple[{', '.join([type_text(unit, part, depth + 1) for part in parts])}]"
        if node.value.id in SCALARS and parts and all(_whole(part) for part in parts):
            return f"{node.value.id}[{', '.join(':' * len(parts))}]"
    if type(node) is Constant and type(node.value) is str and depth < DEEPEST:
        found = _quoted(node.value, unit, depth)
        if found is not None:
            return found
    raise unit.fail("unknown-type", node.span, unit.source.text[node.span[0] : node.span[1]])


def _quoted(text: str, unit: Unit, depth: int) -> str | None:
    """The type that a text in quotes names, if it does: Python lets annotations be quoted."""
    from ..errors import JitError
    from ..parse import parse
    from .build import Unit

    source = Source(text)
    try:
        program = parse(source, unit.limits)
        if len(program.body) == 1 and type(program.body[0]) is ExprStmt:
            return type_text(Unit(source, unit.limits), program.body[0].value, depth + 1)
    except JitError:
        pass
    return None


def _whole(part: Any) -> bool:
    return type(part) is Slice and part.lower is None and part.upper is None and part.step is None


def default_value(unit: Unit, node: Any) -> int | float | bool | None:
    """The value of a parameter's default: a literal number, bool or None."""
    value: Any
    if type(node) is Constant and type(node.value) is not str:
        value = node.value
    else:
        value = negative(node)
        if value is None:
            raise unit.fail("default-literal", node.span)
    if type(value) is int and not -LARGEST - 1 <= value <= LARGEST:
        raise unit.fail("int-literal-too-large", node.span)
    found: int | float | bool | None = value
    return found
