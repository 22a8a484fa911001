"""Reductions: `sum min max any all prod`, over a generator expression or a literal tuple.

In: calls of these. Out: a loop on the spot, or a chain of operators; nothing (None) where the call is an ordinary one, such as
`min(a, b)` or `sum(x)`, for the table to bind.
Always holds: Python's order: the first iterable, then `start` or `default`, then the turns; min and max keep the first of equals
and compare as Python does, so that NaN goes where it goes there. The accumulators of min and max start as False, the value of the
smallest type, and are not read before they are set.
"""

from __future__ import annotations

from ..light import TYPE_CHECKING
from ..syntax import Call, Generator, Tuple
from .expressions import condition
from .iteration import Iteration, Turn, begin_turn, end_turn, iteration, store_item
from .scan import target_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .build import Builder, Routine

    Reduction = Callable[[Builder, Call, str], Routine]

# The name of the option of each, and whether it may be the second positional argument.
OPTIONS = {
    "sum": ("start", True), "prod": ("start", False), "math.prod": ("start", False),
    "min": ("default", False), "max": ("default", False), "any": ("", False), "all": ("", False),
}  # fmt: skip
FOLDS = {"sum": ("add", 0), "prod": ("mul", 1), "math.prod": ("mul", 1)}


def reduction(f: Builder, node: Call, name: str) -> Routine:
    """The value of a reduction over a generator or a tuple; None if the argument is neither."""
    first = node.args[0] if node.args else None
    if type(first) is Generator:
        over: Any = yield iteration(f, first.clauses[0].iter)
    elif type(first) is Tuple and len(node.args) <= 1 + (name == "sum"):
        over = []
        for element in first.elements:
            over.append((yield element))
    else:
        if name in ("min", "max"):
            return (yield smallest_of(f, node, name))
        return None
    option = yield option_value(f, node, name)
    if type(first) is Tuple:
        return over_tuple(f, node, name, over, option)
    return (yield over_generator(f, node, name, over, option))


REDUCTIONS: dict[str, Reduction] = dict.fromkeys(OPTIONS, reduction)


def option_value(f: Builder, node: Call, name: str) -> Routine:
    """The value of `start` or `default`, if the call gives it."""
    option, positional = OPTIONS[name]
    extra = list(node.args[1:])
    if len(extra) > positional:
        takes = "at most 2 arguments" if positional else "exactly one argument"
        if name in ("min", "max"):
            raise f.fail("generator-value", node.args[0].span)
        raise f.fail("arguments", node.span, f"{name}() takes {takes} ({len(node.args)} given)")
    for keyword in node.keywords:
        if keyword.name != option:
            text = f"{name}() got an unexpected keyword argument '{keyword.name}'"
            raise f.fail("arguments", keyword.span, text)
        if extra:
            raise f.fail("arguments", keyword.span, f"{name}() got multiple values for argument '{option}'")
        extra.append(keyword.value)
    if not extra:
        return None
    return (yield extra[0])


def smallest_of(f: Builder, node: Call, name: str) -> Routine:
    """`min(a, b, c)`; None for one argument."""
    if not node.args:
        raise f.fail("arguments", node.span, f"{name} expected at least 1 argument, got 0")
    if len(node.args) == 1:
        return None
    for keyword in node.keywords:
        text = f"{name}() got an unexpected keyword argument '{keyword.name}'"
        if keyword.name == "default":
            text = f"Cannot specify a default for {name}() with multiple positional arguments"
        raise f.fail("arguments", keyword.span, text)
    values = []
    for arg in node.args:
        values.append((yield arg))
    return f.prim(name, values, node.span)


def empty(f: Builder, node: Call, name: str) -> None:
    """Raise what min and max raise over nothing."""
    f.throw("ValueError", f"{name}() arg is an empty sequence", node.span)


# ------------------------------------------------------------------------------------------------ tuples


def over_tuple(f: Builder, node: Call, name: str, values: list[int], option: int | None) -> int:
    """Fold the elements of a literal tuple, which are evaluated already."""
    span = node.span
    if name in FOLDS:
        op, start = FOLDS[name]
        total = f.const(start, span) if option is None else option
        for value in values:
            total = f.prim(op, (total, value), span)
        return total
    if name in ("min", "max"):
        if not values:
            if option is None:
                empty(f, node, name)
                return f.const(None, span)
            return option
        return values[0] if len(values) == 1 else f.prim(name, values, span)
    result, decided, end = f.local(".t"), f.label(), f.label()
    for value in values:
        more = f.label()
        yes, no = (decided, more) if name == "any" else (more, decided)
        f.branch(value, yes, no, span)
        f.place(more)
    f.set(result, f.const(name == "all", span), span)
    f.jump(end, span)
    f.place(decided)
    f.set(result, f.const(name == "any", span), span)
    f.jump(end, span)
    f.place(end)
    return f.get(result, span)


# -------------------------------------------------------------------------------------------- generators


def over_generator(f: Builder, node: Call, name: str, first: Iteration, option: int | None) -> Routine:
    """The loops of a generator expression, nested in each other, with the fold in the innermost."""
    generator: Any = node.args[0]
    span = node.span
    result, found = f.local(".t"), -1
    if name in FOLDS:
        f.set(result, f.const(FOLDS[name][1], span) if option is None else option, span)
    else:
        nothing = f.const(name == "all", span)  # of min and max: False, of any: False
        f.set(result, nothing, span)
        if name in ("min", "max"):
            found = f.local(".t")
            f.set(found, nothing, span)
    done = f.label()

    outside = f.variables
    f.variables = dict(outside)  # the generator's variables are its own
    for clause in generator.clauses:
        for target in target_names(clause.target):
            f.variables[target.id] = f.local(target.id)
    turns: list[tuple[Iteration, Turn]] = []
    after = done
    for clause in generator.clauses:
        over = (yield iteration(f, clause.iter)) if turns else first
        turn = begin_turn(f, over, after)
        turns.append((over, turn))
        after = turn.again
        yield store_item(f, clause.target, turn.item, clause.iter.span)
        for test in clause.tests:
            more = f.label()
            yield condition(f, test, more, after)
            f.place(more)

    if name in FOLDS:
        value = yield generator.element
        f.set(result, f.prim(FOLDS[name][0], (f.get(result, span), value), span), span)
    elif name in ("min", "max"):
        value = yield generator.element
        compared, better = f.label(), f.label()
        f.branch(f.get(found, span), compared, better, span)
        f.place(compared)
        test = f.prim("lt" if name == "min" else "gt", (value, f.get(result, span)), span)
        f.branch(test, better, after, span)
        f.place(better)
        f.set(result, value, span)
        f.set(found, f.const(True, span), span)
    else:
        decided = f.label()
        yes, no = (decided, after) if name == "any" else (after, decided)
        yield condition(f, generator.element, yes, no)
        f.place(decided)
        f.set(result, f.const(name == "any", span), span)
        f.jump(done, span)
    for over, turn in reversed(turns):
        end_turn(f, over, turn)
    f.variables = outside
    f.place(done)

    if found >= 0:
        some, none = f.label(), f.label()
        f.branch(f.get(found, span), some, none, span)
        f.place(none)
        if option is None:
            empty(f, node, name)
        else:
            f.set(result, option, span)
            f.jump(some, span)
        f.place(some)
    return f.get(result, span)
