"""Loops: `while`, and `for` over what `iteration` knows.

In: While and For nodes. Out: blocks. The variable of a `for` keeps its last value.
Always holds: `break` and `continue` in `else` belong to the loop around.
"""

from __future__ import annotations

from ..light import TYPE_CHECKING
from ..syntax import For, While
from .build import Loop, lowers
from .expressions import condition
from .iteration import begin_turn, end_turn, iteration, store_item
from .statements import statements, store

if TYPE_CHECKING:
    from .build import Builder, Routine


#: CPython's CO_MAXBLOCKS.
DEEPEST = 20


@lowers(While)
def while_(f: Builder, node: While) -> Routine:
    span = node.test.span
    head, body, otherwise, after = f.label(), f.label(), f.label(), f.label()
    f.jump(head, span)
    f.place(head)
    yield condition(f, node.test, body, otherwise)
    f.place(body)
    enter(f, Loop(after, head), node)
    yield statements(f, node.body)
    f.loops.pop()
    f.jump(head, span)
    f.place(otherwise)
    yield statements(f, node.orelse)
    f.jump(after, span)
    f.place(after)


def enter(f: Builder, loop: Loop, node: For | While) -> None:
    """Go into a loop's body, if CPython would; register allocation too takes time for each level."""
    if len(f.loops) == DEEPEST:
        raise f.fail("nested-loops", node.span, DEEPEST)
    f.loops.append(loop)


@lowers(For)
def for_(f: Builder, node: For) -> Routine:
    span = node.iter.span
    over = yield iteration(f, node.iter)
    otherwise, after = f.label(), f.label()
    turn = begin_turn(f, over, otherwise)
    yield store(f, node.target, turn.item) if type(turn.item) is int else store_item(f, node.target, turn.item, span)
    enter(f, Loop(after, turn.again), node)
    yield statements(f, node.body)
    f.loops.pop()
    end_turn(f, over, turn)
    f.place(otherwise)
    yield statements(f, node.orelse)
    f.jump(after, span)
    f.place(after)
