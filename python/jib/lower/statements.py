"""Statements, but loops.

In: the nodes of statements. Out: instructions; a routine of a statement gives nothing.
Always holds: the value is evaluated before the targets, and these from the left.
"""

from __future__ import annotations

from .. import builtins
from ..light import TYPE_CHECKING
from ..syntax import (
    AnnAssign,
    Assert,
    Assign,
    AugAssign,
    Break,
    Constant,
    Continue,
    ExprStmt,
    FunctionDef,
    If,
    Name,
    Pass,
    Raise,
    Return,
    Tuple,
)
from .annotations import type_text
from .build import leaf, lowers
from .expressions import augmented, condition
from .indexing import augment_element, store_element
from .scan import helper_name

if TYPE_CHECKING:
    from typing import Any

    from ..syntax import Body
    from .build import Builder, Routine


def statements(f: Builder, body: Body) -> Routine:
    """A block of statements."""
    for statement in body:
        yield statement
        f.check_size(statement.span)


@lowers(ExprStmt)
def expr_stmt(f: Builder, node: ExprStmt) -> Routine:
    if type(node.value) is not Constant or type(node.value.value) is not str:  # a text on its own is a comment
        yield node.value


@leaf(Pass)
def pass_(f: Builder, node: Pass) -> None:
    pass


# ----------------------------------------------------------------------------------------------- assignment


@lowers(Assign)
def assign(f: Builder, node: Assign) -> Routine:
    helper = helper_name(node)
    if helper is not None:
        f.defined.add(helper)
        return
    target = node.targets[0]
    if (
        len(node.targets) == 1
        and type(target) is Tuple
        and type(node.value) is Tuple
        and len(target.elements) == len(node.value.elements)
    ):  # a, b = b, a: no tuple is made
        values = []
        for element in node.value.elements:
            values.append((yield element))
        for each, value in zip(target.elements, values):
            yield store(f, each, value)
        return
    value = yield node.value
    for target in node.targets:
        yield store(f, target, value)


def store(f: Builder, target: Any, value: int) -> Routine:
    """Give a target a value."""
    if type(target) is Name:
        f.set(variable(f, target), value, target.span)
    elif type(target) is Tuple:
        count = len(target.elements)
        parts = [f.emit("unpack", (value, at, count), target.span) for at in range(count)]
        for each, part in zip(target.elements, parts):
            yield store(f, each, part)
    else:
        yield store_element(f, target, value)


def variable(f: Builder, target: Name) -> int:
    """The local that an assignment to a name writes."""
    return f.variables[target.id]


@lowers(AugAssign)
def aug_assign(f: Builder, node: AugAssign) -> Routine:
    target = node.target
    if type(target) is not Name:
        yield augment_element(f, node)
        return
    local = variable(f, target)
    old = f.get(local, target.span)
    value = yield node.value
    f.set(local, f.prim(augmented(node.op), (old, value), node.span), node.span)


@lowers(AnnAssign)
def ann_assign(f: Builder, node: AnnAssign) -> Routine:
    declared = type_text(f.unit, node.annotation)
    if node.value is not None:
        value = yield node.value
        f.set(variable(f, node.target), f.emit("cast", (declared, value), node.value.span), node.span)


@leaf(FunctionDef)
def function_def(f: Builder, node: FunctionDef) -> None:
    f.defined.add(node.name)  # its body is lowered on its own


# --------------------------------------------------------------------------------------------- control flow


@lowers(If)
def if_(f: Builder, node: If) -> Routine:
    end = f.label()
    for at, (test, body) in enumerate(node.branches):
        yes = f.label()
        no = f.label() if node.orelse or at + 1 < len(node.branches) else end
        yield condition(f, test, yes, no)
        f.place(yes)
        yield statements(f, body)
        f.jump(end, test.span)
        if no != end:
            f.place(no)
    if node.orelse:
        yield statements(f, node.orelse)
        f.jump(end, node.branches[-1][0].span)
    f.place(end)


@leaf(Break)
def break_(f: Builder, node: Break) -> None:
    if not f.loops:
        raise f.fail("outside-loop", node.span, "break")
    f.jump(f.loops[-1].after, node.span)


@leaf(Continue)
def continue_(f: Builder, node: Continue) -> None:
    if not f.loops:
        raise f.fail("outside-loop", node.span, "continue")
    f.jump(f.loops[-1].again, node.span)


@lowers(Return)
def return_(f: Builder, node: Return) -> Routine:
    if f.scope.kind != "def":
        raise f.fail("outside-function", node.span)
    value = f.const(None, node.span) if node.value is None else (yield node.value)
    f.leave(value, node.span)


@lowers(Assert)
def assert_(f: Builder, node: Assert) -> Routine:
    message = node.message
    text = None
    if message is not None:
        if type(message) is not Constant or type(message.value) is not str:
            raise f.fail("literal-text", message.span, "assert")
        text = f.text(message.value, message.span)
    fine, failed = f.label(), f.label()
    yield condition(f, node.test, fine, failed)
    f.place(failed)
    f.throw("AssertionError", text, node.span)
    f.place(fine)


@leaf(Raise)
def raise_(f: Builder, node: Raise) -> None:
    if node.exception not in builtins.exceptions():
        raise f.fail("unknown-exception", node.span, node.exception, builtins.exceptions())
    message = None if node.message is None else f.text(node.message, node.span)
    f.throw(node.exception, message, node.span)
