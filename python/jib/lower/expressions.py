"""Expressions: each routine gives the number of its value; `condition` gives control flow.

In: the nodes of expressions, but calls. Out: instructions in Python's order of evaluation, each operand evaluated once.
Always holds: a value that comes by one of several ways (`and`, `or`, `if … else`, chains) goes through a hidden local.
"""

from __future__ import annotations

from .. import builtins
from ..light import TYPE_CHECKING
from ..names import Alias, Value
from ..syntax import (
    Attribute,
    Binary,
    BoolOp,
    Compare,
    Constant,
    Generator,
    IfExp,
    Lambda,
    Name,
    NamedExpr,
    Slice,
    Tuple,
    Unary,
)
from .build import LARGEST, SMALLEST, leaf, lowers

if TYPE_CHECKING:
    from typing import Any, NoReturn

    from .build import Builder, Routine

# The tree's names for operators that the IR calls otherwise: `pow` is also a builtin, with other rules.
PRIMITIVES = {"pow": "power", "and": "and_", "or": "or_"}


def augmented(op: str) -> str:
    """The primitive of an augmented operator, which changes an array in place: `iadd` for "add"."""
    return f"i{PRIMITIVES.get(op, op)}"


# The attributes of arrays: their primitives. Their methods, which are builtins with the array before the arguments: how many these are.
ATTRIBUTES = {"shape": "shape", "size": "size", "ndim": "ndim", "T": "transpose"}
METHODS = {
    "sum": 0, "prod": 0, "min": 0, "max": 0, "mean": 0, "any": 0, "all": 0, "argmin": 0, "argmax": 0, "dot": 1,
}  # fmt: skip


def negative(node: Any) -> int | float | None:
    """The value of a numeric literal with a minus, which is one constant: `x ** -2`, -9223372036854775808."""
    if type(node) is Unary and node.op == "neg" and type(node.operand) is Constant:
        value = node.operand.value
        if type(value) is int or type(value) is float:
            return -value
    return None


@leaf(Name)
def name(f: Builder, node: Name) -> int:
    """A variable, or a constant such as pi."""
    span, id = node[0], node[1]
    index = f.variables.get(id)
    if index is None:
        return f.foreign(id, span)
    return f.emit("get", (index,), span)


@leaf(Constant)
def constant(f: Builder, node: Constant) -> int:
    value = node.value
    if type(value) is str:
        raise f.fail("text-value", node.span)
    if type(value) is int and value > LARGEST:
        raise f.fail("int-literal-too-large", node.span)
    if type(value) is tuple:
        return f.constant(value, node.span)
    return f.const(value, node.span)


@lowers(Unary)
def unary(f: Builder, node: Unary) -> Routine:
    inner: Any = node
    operators = []
    while type(inner) is Unary and negative(inner) is None:
        operators.append(inner)
        inner = inner.operand
    literal = negative(inner)
    if literal is None:
        value = yield inner
    elif literal < SMALLEST and type(literal) is int:
        raise f.fail("int-literal-too-large", inner.span)
    else:
        value = f.const(literal, inner.span)
    for operator in reversed(operators):
        value = f.prim(operator.op, (value,), operator.span)
    return value


@lowers(Binary)
def binary(f: Builder, node: Binary) -> Routine:
    chain = [node]
    left = node.left
    while type(left) is Binary:
        chain.append(left)
        left = left.left
    # The leaves that most operands are need no turn of the walk.
    value = name(f, left) if type(left) is Name else (yield left)
    for each in reversed(chain):
        operand: Any = each.right
        kind = type(operand)
        right = name(f, operand) if kind is Name else constant(f, operand) if kind is Constant else (yield operand)
        value = f.emit("prim", (PRIMITIVES.get(each.op, each.op), value, right), each.span)
    return value


@lowers(Compare)
def compare(f: Builder, node: Compare) -> Routine:
    left = yield node.operands[0]
    if len(node.ops) == 1:
        right = yield node.operands[1]
        return f.prim(node.ops[0], (left, right), node.span)
    result, end = f.local(".t"), f.label()
    last = len(node.ops) - 1
    for at, op in enumerate(node.ops):
        right = yield node.operands[at + 1]
        truth = f.prim(op, (left, right), node.span)
        f.set(result, truth, node.span)
        if at < last:
            more = f.label()
            f.branch(truth, more, end, node.span)
            f.place(more)
        else:
            f.jump(end, node.span)
        left = right
    f.place(end)
    return f.get(result, node.span)


@lowers(BoolOp)
def bool_op(f: Builder, node: BoolOp) -> Routine:
    result, end = f.local(".t"), f.label()
    for operand in node.operands[:-1]:
        value = yield operand
        f.set(result, value, operand.span)
        more = f.label()
        if node.op == "and":
            f.branch(value, more, end, operand.span)
        else:
            f.branch(value, end, more, operand.span)
        f.place(more)
    value = yield node.operands[-1]
    f.set(result, value, node.operands[-1].span)
    f.jump(end, node.span)
    f.place(end)
    return f.get(result, node.span)


@lowers(IfExp)
def if_exp(f: Builder, node: IfExp) -> Routine:
    result, yes, no, end = f.local(".t"), f.label(), f.label(), f.label()
    yield condition(f, node.test, yes, no)
    for label, branch in ((yes, node.body), (no, node.orelse)):
        f.place(label)
        value = yield branch
        f.set(result, value, branch.span)
        f.jump(end, branch.span)
    f.place(end)
    return f.get(result, node.span)


def condition(f: Builder, node: Any, yes: int, no: int) -> Routine:
    """Go to `yes` if the node is true, else to `no`, without making a bool where control flow says it.

    Where the node is a literal, only one of them can be reached: what is placed at the other is dropped.
    """
    while True:
        if type(node) is Unary and node.op == "not":
            node, yes, no = node.operand, no, yes
        elif type(node) is BoolOp:
            for operand in node.operands[:-1]:
                more = f.label()
                yield condition(f, operand, more, no) if node.op == "and" else condition(f, operand, yes, more)
                f.place(more)
            node = node.operands[-1]
        elif type(node) is Compare and len(node.ops) > 1:
            left = yield node.operands[0]
            for at, op in enumerate(node.ops):
                right = yield node.operands[at + 1]
                more = f.label() if at + 1 < len(node.ops) else yes
                f.branch(f.prim(op, (left, right), node.span), more, no, node.span)
                if more != yes:
                    f.place(more)
                left = right
            return
        elif type(node) is Constant and type(node.value) is not str:  # as CPython: `while True` has no other way out
            f.jump(yes if node.value else no, node.span)
            return
        else:
            value = yield node
            f.branch(value, yes, no, node.span)
            return


@lowers(NamedExpr)
def named_expr(f: Builder, node: NamedExpr) -> Routine:
    value = yield node.value
    f.set(f.own[node.target.id], value, node.span)
    return value


@lowers(Tuple)
def make_tuple(f: Builder, node: Tuple) -> Routine:
    values = []
    for element in node.elements:
        values.append((yield element))
    return f.emit("tuple", tuple(values), node.span)


@lowers(Attribute)
def attribute(f: Builder, node: Attribute) -> Routine:
    name = dotted(f, node)
    if name is not None:
        return f.foreign(name, node.span)
    primitive = ATTRIBUTES.get(node.attr)
    if primitive is None:
        raise no_attribute(f, node)
    f.unit.arrays = True
    value = yield node.value
    return f.prim(primitive, (value,), node.span)


def no_attribute(f: Builder, node: Attribute) -> Exception:
    """The mistake of an attribute that neither `math` nor an array has, or of a method that is not called."""
    if node.attr in METHODS and not is_numpy(node.value):
        return f.fail("method-value", node.span, node.attr)
    if type(node.value) is Name and builtins.resolve(node.attr) is not None:
        return f.fail("attribute-bare", node.span, node.value.id, node.attr)
    return f.fail("attribute", node.span, node.attr, ", ".join(ATTRIBUTES), ", ".join(METHODS), [*ATTRIBUTES, *METHODS])


def is_numpy(node: Any) -> bool:
    """Whether this looks like the module, as people import it."""
    return type(node) is Name and node.id in ("np", "numpy")


def dotted(f: Builder, node: Any) -> str | None:
    """`math.pi` as a name; None if it is an attribute of something else."""
    if type(node) is Attribute and type(node.value) is Name:
        module = node.value.id
        if module not in f.variables:
            meaning = f.meaning(module, node.value.span)
            if type(meaning) is Alias:
                module = meaning.name
            if module in builtins.MODULES and type(meaning) is not Value:
                return f"{module}.{node.attr}"
    return None


@leaf(Slice)
def slice_(f: Builder, node: Slice) -> NoReturn:
    raise f.fail("slice", node.span)


@leaf(Lambda)
def lambda_(f: Builder, node: Lambda) -> NoReturn:
    raise f.fail("lambda-value", node.span)


@leaf(Generator)
def generator(f: Builder, node: Generator) -> NoReturn:
    raise f.fail("generator-value", node.span)
