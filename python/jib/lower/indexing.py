"""Elements and slices: `x[i, j]`, `x[a:b]`, read, assigned, and both at once.

In: Subscript nodes. Out: `subscript` and `store` where every part of an index is a number; else a view, made by one `at` or `cut` for
each part, which is the value or takes one by `assign`.
Always holds: the container, then all parts from the left, as CPython evaluates them, and each once. Axes are gone through from the
last to the first, so that one that is taken away does not change the numbers of those to come.
"""

from __future__ import annotations

from ..light import TYPE_CHECKING
from ..syntax import AugAssign, Slice, Subscript, Tuple
from .build import lowers
from .expressions import augmented

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Union

    from .build import Builder, Routine

    #: The number of an index, or those of start, stop and step; WHOLE is `:`.
    Part = Union[int, tuple[int, ...]]

MOST_INDICES = 4  # of an array: what the primitive takes
WHOLE = ()


@lowers(Subscript)
def subscript(f: Builder, node: Subscript) -> Routine:
    container = yield node.value
    parts = yield index_parts(f, node.index)
    return read(f, node, container, parts)


def store_element(f: Builder, target: Subscript, value: int) -> Routine:
    """Give an element, or the elements of a slice, a value that is there already."""
    container = yield target.value
    parts = yield index_parts(f, target.index)
    if all_numbers(parts):
        f.prim("store", (container, value, *parts), target.span)
    else:
        f.prim("assign", (view_to_assign(f, target, container, parts), value), target.span)


def augment_element(f: Builder, node: AugAssign) -> Routine:
    """`x[i] += value`: what is before the operator is evaluated once, and read before the value is evaluated."""
    target: Any = node.target
    container = yield target.value
    parts = yield index_parts(f, target.index)
    numbers = all_numbers(parts)
    old = read(f, target, container, parts)
    value = yield node.value
    new = f.prim(augmented(node.op), (old, value), node.span)
    if numbers:  # else the view has been changed in place
        f.prim("store", (container, new, *parts), target.span)


def index_parts(f: Builder, index: Any) -> Routine:
    """The values of an index, part by part: several where it is `i, j`."""
    nodes = index.elements if type(index) is Tuple else (index,)
    if not 1 <= len(nodes) <= MOST_INDICES:
        raise f.fail("index-parts", index.span, MOST_INDICES, len(nodes))
    f.unit.arrays = True
    parts: list[Part] = []
    for node in nodes:
        if type(node) is not Slice:
            parts.append((yield node))
            continue
        bounds = (node.lower, node.upper, node.step)
        if bounds == (None, None, None):
            parts.append(WHOLE)
            continue
        values = []
        for bound in bounds:
            values.append(f.const(None, node.span) if bound is None else (yield bound))
        parts.append(tuple(values))
    return parts


def all_numbers(parts: Sequence[Part]) -> bool:
    return all(type(part) is int for part in parts)


def read(f: Builder, node: Subscript, container: int, parts: Sequence[Part]) -> int:
    """The value of an element, or a view."""
    if all_numbers(parts):
        return f.prim("subscript", (container, *parts), node.span)  # type: ignore[arg-type]
    return view(f, node, container, parts)


def view_to_assign(f: Builder, node: Subscript, container: int, parts: Sequence[Part]) -> int:
    """The elements that `x[…]` stands for before `=`: for `x[:]` those of x itself."""
    return container if parts == [WHOLE] else view(f, node, container, parts)


def view(f: Builder, node: Subscript, container: int, parts: Sequence[Part]) -> int:
    """One `at` or `cut` for each part that is not `:`. The last is cut even so: who has fewer dimensions shall hear of it."""
    span = node.span
    last = len(parts) - 1
    for axis in range(last, -1, -1):
        part: Any = parts[axis]
        if part == WHOLE:
            if axis < last:
                continue
            part = [f.const(None, span) for _ in range(3)]
        number = f.const(axis, span)
        if type(part) is int:
            container = f.prim("at", (container, number, part), span)
        else:
            container = f.prim("cut", (container, number, *part), span)
    return container
