"""Loops: `while`, and `for` over `range`.

In: While and For nodes. Out: blocks. A loop over range counts in a hidden local of its own, so that its body may do with the
loop variable what it likes; the variable keeps its last value.
Always holds: the arguments of range are evaluated once, before; `next_index` is only used where it cannot overflow, but for the
step after the last turn of a loop with a step other than 1 and -1, whose sum nobody reads, and for the number of turns left, of
which only the bits count: it may be up to 2**64 - 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..names import Alias
from ..syntax import Call, Constant, For, Name, While
from .build import Loop, lowers
from .expressions import condition, negative
from .statements import statements, store

if TYPE_CHECKING:
    from ..source import Span
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
    yield store(f, node.target, turn.item)
    enter(f, Loop(after, turn.again), node)
    yield statements(f, node.body)
    f.loops.pop()
    end_turn(f, over, turn)
    f.place(otherwise)
    yield statements(f, node.orelse)
    f.jump(after, span)
    f.place(after)


class Iteration(NamedTuple):
    """A loop over range, its arguments evaluated.

    It counts in the local `counter`; while `compare(counter, stop)`, or, if that is None, while the local `left` is not 0.
    """

    span: Span
    counter: int
    step: int | None  # the value to add, or None for a literal 1 or -1
    compare: str | None
    stop: int
    left: int


class Turn(NamedTuple):
    """One turn of a loop: where its head is, where it goes on to the next, and the values of this one."""

    head: int
    again: int
    item: int
    left: int


def iteration(f: Builder, node: Any) -> Routine:
    """Evaluate what a loop goes over."""
    if not is_range(f, node):
        raise f.fail("not-iterable", node.span)
    if node.keywords:
        raise f.fail("arguments", node.span, "range() takes no keyword arguments")
    count = len(node.args)
    if not 1 <= count <= 3:
        bound = "least 1 argument" if count == 0 else "most 3 arguments"
        raise f.fail("arguments", node.span, f"range expected at {bound}, got {count}")
    unit_step = step_of(node.args[2]) if count == 3 else 1
    start = (yield index(f, node.args[0])) if count > 1 else None
    stop = yield index(f, node.args[0 if count == 1 else 1])
    if start is None:
        start = f.const(0, node.span)
    counter = f.local(".i")
    step, left = None, -1
    if unit_step is None:
        step = yield index(f, node.args[2])
        left = f.local(".n")
        f.set(left, f.prim("range_count", (start, stop, step), node.span), node.span)
    f.set(counter, start, node.span)
    compare = {1: "lt", -1: "gt", None: None}[unit_step]
    return Iteration(node.span, counter, step, compare, stop, left)


def is_range(f: Builder, node: Any) -> bool:
    """Whether this is a call of the builtin range."""
    if type(node) is not Call:
        return False
    if type(node.func) is Name:
        name = node.func.id
        if name in f.variables or name in f.unit.externs or f.function(name) is not None:
            return False
        meaning = f.meaning(name, node.func.span)
        return (name if meaning is None else meaning) in ("range", Alias("range"))
    return False


def step_of(node: Any) -> int | None:
    """1 or -1 if the step is that literal."""
    if type(node) is Constant and type(node.value) is int and node.value == 1:
        return 1
    return -1 if negative(node) == -1 and type(negative(node)) is int else None


def index(f: Builder, node: Any) -> Routine:
    """An argument of range."""
    value = yield node
    literal = node.value if type(node) is Constant else negative(node)
    return value if type(literal) is int else f.prim("as_index", (value,), node.span)


def begin_turn(f: Builder, over: Iteration, after: int) -> Turn:
    """The head of a loop, which goes to `after` when there are no more turns."""
    head, body, again = f.label(), f.label(), f.label()
    f.jump(head, over.span)
    f.place(head)
    left = -1
    if over.compare is not None:
        item = f.get(over.counter, over.span)
        test = f.prim(over.compare, (item, over.stop), over.span)
    else:
        left = f.get(over.left, over.span)
        test = f.prim("ne", (left, f.const(0, over.span)), over.span)
        item = f.get(over.counter, over.span)
    f.branch(test, body, after, over.span)
    f.place(body)
    return Turn(head, again, item, left)


def end_turn(f: Builder, over: Iteration, turn: Turn) -> None:
    """The end of a loop's body: `continue` comes here, and it goes to the next turn."""
    f.jump(turn.again, over.span)
    f.place(turn.again)
    step = over.step
    if step is None:
        step = f.const(1 if over.compare == "lt" else -1, over.span)
    f.set(over.counter, f.prim("next_index", (turn.item, step), over.span), over.span)
    if over.compare is None:
        fewer = f.prim("next_index", (turn.left, f.const(-1, over.span)), over.span)
        f.set(over.left, fewer, over.span)
    f.jump(turn.head, over.span)
