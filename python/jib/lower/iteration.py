"""What loops and generators go over: `range`, arrays, and `enumerate` and `zip` of these.

In: the expression after `in`. Out: an `Iteration`, all of it evaluated; then, for each loop, its head and its end.
Always holds: what is gone over is evaluated once, before, in the order of the text. Counters are hidden locals, so that the body may
do with the loop's variables what it likes. `next_index` is only used where it cannot overflow, but for the step after the last
turn of a range with a step other than 1 and -1, whose sum nobody reads, and for the number of turns left, of which only the bits
count: it may be up to 2**64 - 1.

However `enumerate` and `zip` are nested, all that they take moves on together. So an iteration is a flat list of sources, each of which
is asked in turn whether there is more, and a shape: how an item is made of what the sources give.
"""

from __future__ import annotations

from .. import builtins
from ..light import TYPE_CHECKING, NamedTuple
from ..names import Alias
from ..syntax import Call, Constant, Name, Tuple
from .expressions import negative
from .statements import store

if TYPE_CHECKING:
    from typing import Any

    from ..source import Span
    from .build import Builder, Routine

    #: An item: the number of its value, or those of a tuple that may never be made.
    Item = int | tuple[Any, ...]


class Range(NamedTuple):
    """It counts in the local `counter`; while `compare(counter, stop)`, or, if that is None, while the local `left` is not 0."""

    span: Span
    counter: int
    step: int | None  # the value to add, or None for a literal 1 or -1
    compare: str | None
    stop: int
    left: int


class Array(NamedTuple):
    """The element of this turn, or row; as many as the value `length`."""

    span: Span
    value: int
    length: int


class Count(NamedTuple):
    """The number of this turn, from the value `start` on, or 0 if that is -1: it has no end of its own."""

    span: Span
    start: int


Source = Range | Array | Count


class Iteration(NamedTuple):
    """What a loop goes over. `turns` is the local that counts its turns from 0, or -1 where no source asks for it.

    The shape says in postfix order how an item is made: -1 is what the next source gives, n a tuple of the last n.
    """

    span: Span
    turns: int
    sources: tuple[Source, ...]
    shape: tuple[int, ...]


PLAIN = (-1,)


class Turn(NamedTuple):
    """One turn of a loop: where its head is, where it goes on to the next, its item, and the values that its counters have."""

    head: int
    again: int
    item: Item
    number: int
    counts: list[tuple[Range, int, int]]


def iteration(f: Builder, node: Any) -> Routine:
    """Evaluate what a loop goes over."""
    name = looped(f, node)
    if name == "range":  # as most loops have it
        return Iteration(node.span, -1, ((yield range_(f, node)),), PLAIN)
    sources: list[Source] = []
    shape: list[int] = []
    yield evaluate(f, node, name, sources, shape)
    turns = -1
    for source in sources:
        if type(source) is not Range:
            turns = f.local(".i")
            f.set(turns, f.const(0, node.span), node.span)
            break
    return Iteration(node.span, turns, tuple(sources), tuple(shape))


def evaluate(f: Builder, node: Any, name: str | None, sources: list[Source], shape: list[int]) -> Routine:
    """Evaluate one expression that is gone over, a call of the builtin `name` or something else; add to sources and shape what it gives."""
    if name == "range":
        sources.append((yield range_(f, node)))
        shape.append(-1)
    elif name == "enumerate":
        yield enumerate_(f, node, sources, shape)
    elif name == "zip":
        if node.keywords:
            raise f.fail("arguments", node.keywords[0].span, "zip() takes no keyword arguments")
        for each in node.args:
            yield evaluate(f, each, looped(f, each), sources, shape)
        shape.append(len(node.args))
    elif type(node) is Tuple or type(node) is Constant:
        raise f.fail("not-iterable", node.span)
    else:
        f.unit.arrays = True
        value = yield node
        sources.append(Array(node.span, value, f.prim("iter_len", (value,), node.span)))
        shape.append(-1)


def looped(f: Builder, node: Any) -> str | None:
    """Which of the builtins that only a loop can take this is a call of, if it is one."""
    if type(node) is not Call or type(node.func) is not Name:
        return None
    name = node.func.id
    if name in f.variables or name in f.unit.externs or f.function(name) is not None:
        return None
    meaning = f.meaning(name, node.func.span)
    if type(meaning) is Alias:
        name = meaning.name
    elif meaning is not None:
        return None
    if name not in builtins.LOOPED:
        return None
    f.unit.use("builtin", name, node.func.span)
    return name


def range_(f: Builder, node: Call) -> Routine:
    """Evaluate the arguments of range."""
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
    return Range(node.span, counter, step, compare, stop, left)


def step_of(node: Any) -> int | None:
    """1 or -1 if the step is that literal."""
    if type(node) is Constant and type(node.value) is int and node.value == 1:
        return 1
    return -1 if negative(node) == -1 and type(negative(node)) is int else None


def index(f: Builder, node: Any) -> Routine:
    """An argument of range, or the start of enumerate."""
    value = yield node
    literal = node.value if type(node) is Constant else negative(node)
    return value if type(literal) is int else f.prim("as_index", (value,), node.span)


def enumerate_(f: Builder, node: Call, sources: list[Source], shape: list[int]) -> Routine:
    """Evaluate the arguments of enumerate: the number of the turn, and what it is put before."""
    args = list(node.args)
    for keyword in node.keywords:
        if keyword.name != "start":
            text = f"'{keyword.name}' is an invalid keyword argument for enumerate()"
            raise f.fail("arguments", keyword.span, text)
        args.append(keyword.value)
    if not node.args:
        raise f.fail("arguments", node.span, "enumerate() missing required argument 'iterable'")
    if len(args) > 2:
        raise f.fail("arguments", node.span, f"enumerate() takes at most 2 arguments ({len(args)} given)")
    at = len(sources)
    shape.append(-1)
    yield evaluate(f, args[0], looped(f, args[0]), sources, shape)
    shape.append(2)
    start = -1
    if len(args) == 2 and not (type(args[1]) is Constant and type(args[1].value) is int and args[1].value == 0):
        start = yield index(f, args[1])
    sources.insert(at, Count(node.span, start))


# --------------------------------------------------------------------------------------------------- turns


def begin_turn(f: Builder, over: Iteration, after: int) -> Turn:
    """The head of a loop, which goes to `after` when there are no more turns."""
    head, again = f.label(), f.label()
    f.jump(head, over.span)
    f.place(head)
    number = -1 if over.turns < 0 else f.get(over.turns, over.span)
    counts: list[tuple[Range, int, int]] = []
    if 0 in over.shape:
        f.jump(after, over.span)  # `zip()` has nothing: what follows is not reached
    for source in over.sources:
        if type(source) is Count:
            continue
        if type(source) is Array:
            test = f.prim("lt", (number, source.length), source.span)
        else:
            test = ask_range(f, source, counts)  # type: ignore[arg-type]
        more = f.label()
        f.branch(test, more, after, source.span)
        f.place(more)
    item = counts[0][1] if number < 0 and over.shape == PLAIN else item_of(f, over, number, counts)
    return Turn(head, again, item, number, counts)


def ask_range(f: Builder, source: Range, counts: list[tuple[Range, int, int]]) -> int:
    """Whether a range has more; its values go to `counts`."""
    span = source.span
    left = -1
    if source.compare is not None:
        item = f.get(source.counter, span)
        test = f.prim(source.compare, (item, source.stop), span)
    else:
        left = f.get(source.left, span)
        test = f.prim("ne", (left, f.const(0, span)), span)
        item = f.get(source.counter, span)
    counts.append((source, item, left))
    return test


def item_of(f: Builder, over: Iteration, number: int, counts: list[tuple[Range, int, int]]) -> Item:
    """The item of a turn, when all sources have said that there is more."""
    ranges, sources = iter(counts), iter(over.sources)
    made: list[Item] = []
    for width in over.shape:
        if width >= 0:
            parts = tuple(made[len(made) - width :])
            del made[len(made) - width :]
            made.append(parts)
            continue
        source = next(sources)
        if type(source) is Array:
            made.append(f.prim("subscript", (source.value, number), source.span))
        elif type(source) is Range:
            made.append(next(ranges)[1])
        else:
            # Added anew in each turn: a sum that is carried along would overflow after the last one.
            start = source.start  # type: ignore[union-attr]
            made.append(number if start < 0 else f.prim("add", (start, number), source.span))
    return made[0]


def end_turn(f: Builder, over: Iteration, turn: Turn) -> None:
    """The end of a loop's body: `continue` comes here, and it goes to the next turn."""
    f.jump(turn.again, over.span)
    f.place(turn.again)
    for source, item, left in turn.counts:
        span = source.span
        step = source.step
        if step is None:
            step = f.const(1 if source.compare == "lt" else -1, span)
        f.set(source.counter, f.prim("next_index", (item, step), span), span)
        if source.compare is None:
            f.set(source.left, f.prim("next_index", (left, f.const(-1, span)), span), span)
    if turn.number >= 0:
        step = f.const(1, over.span)
        f.set(over.turns, f.prim("next_index", (turn.number, step), over.span), over.span)
    f.jump(turn.head, over.span)


def store_item(f: Builder, target: Any, item: Item, span: Span) -> Routine:
    """Give the target of a loop its item; what a tuple of targets takes apart is not made."""
    if type(item) is tuple and type(target) is Tuple and len(target.elements) == len(item):
        for each, part in zip(target.elements, item):
            yield store_item(f, each, part, span)
    else:
        value = item if type(item) is int else (yield whole(f, item, span))
        yield store(f, target, value)


def whole(f: Builder, item: Any, span: Span) -> Routine:
    """The value of an item."""
    values = []
    for part in item:
        values.append(part if type(part) is int else (yield whole(f, part, span)))
    return f.emit("tuple", tuple(values), span)
