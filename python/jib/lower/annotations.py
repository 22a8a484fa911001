"""What is read from a function's head without running it: annotations and defaults.

In: the expressions of annotations and of defaults. Out: the text of a type in its one spelling; the value of a default.
"""

from __future__ import annotations

from ..light import TYPE_CHECKING
from ..source import Source
from ..syntax import Constant, ExprStmt, Name, Slice, Subscript, Tuple
from .build import LARGEST
from .expressions import negative

if TYPE_CHECKING:
    from typing import Any

    from .build import Unit

SCALARS = ("int", "float", "bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64")
DEEPEST = 8  # tuples in tuples
MOST_DIMENSIONS = 4


def type_text(unit: Unit, node: Any, depth: int = 0) -> str:
    """The type that an annotation names, in its one spelling: `tuple[int, float]`, `f64[:, :]`, `f64[:, ::1]`."""
    if type(node) is Name and node.id in SCALARS:
        return node.id
    if type(node) is Constant and node.value is None:
        return "None"
    if type(node) is Subscript and type(node.value) is Name and depth < DEEPEST:
        parts = node.index.elements if type(node.index) is Tuple else (node.index,)
        if node.value.id == "tuple" and parts:
            return f"tuple[{', '.join([type_text(unit, part, depth + 1) for part in parts])}]"
        if node.value.id in SCALARS and parts and all(_whole(part) for part in parts[:-1]):
            last = ":" if _whole(parts[-1]) else "::1" if _contiguous(parts[-1]) else None
            if last is not None and len(parts) > MOST_DIMENSIONS:
                raise unit.fail("too-many-dimensions", node.span, unit.source.text[node.span[0] : node.span[1]])
            if last is not None:
                unit.arrays = True
                return f"{node.value.id}[{', '.join([':'] * (len(parts) - 1) + [last])}]"
    if type(node) is Constant and type(node.value) is str and depth < DEEPEST:
        found = _quoted(node, unit, depth)
        if found is not None:
            unit.arrays = unit.arrays or found[-1] == "]"
            return found
    raise unit.fail("unknown-type", node.span, unit.source.text[node.span[0] : node.span[1]])


def _quoted(node: Any, unit: Unit, depth: int) -> str | None:
    """The type that a text in quotes names, if it does: Python lets annotations be quoted."""
    from ..errors import JitError
    from ..parse import parse
    from .build import Unit

    source = Source(node.value)
    try:
        program = parse(source, unit.limits)
        if len(program.body) == 1 and type(program.body[0]) is ExprStmt:
            return type_text(Unit(source, unit.limits), program.body[0].value, depth + 1)
    except JitError as problem:
        mistake = problem.code
    else:
        return None
    if mistake == "too-many-dimensions":
        raise unit.fail(mistake, node.span, node.value)
    return None


def _whole(part: Any) -> bool:
    return type(part) is Slice and part.lower is None and part.upper is None and part.step is None


def _contiguous(part: Any) -> bool:
    """Whether it is `::1`, which of the last dimension says that the elements lie side by side."""
    return (
        type(part) is Slice
        and part.lower is None
        and part.upper is None
        and type(part.step) is Constant
        and type(part.step.value) is int
        and part.step.value == 1
    )


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
