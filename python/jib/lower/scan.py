"""What each function does with names: one walk over its tree.

In: a function, as a `Scope` without names. Out: the same with its variables, its nested functions, and the names it reads and calls
that no generator expression binds; and likewise every function nested in it.
Always holds: nothing is resolved here, and the order of the walk does not matter: first appearances are the least offsets.
"""

from __future__ import annotations

from .. import builtins
from ..light import TYPE_CHECKING, NamedTuple
from ..syntax import (
    AnnAssign,
    Assert,
    Assign,
    Attribute,
    AugAssign,
    Binary,
    BoolOp,
    Break,
    Call,
    Compare,
    Constant,
    Continue,
    ExprStmt,
    For,
    FunctionDef,
    Generator,
    If,
    IfExp,
    Lambda,
    Name,
    NamedExpr,
    Pass,
    Raise,
    Return,
    Slice,
    Subscript,
    Tuple,
    Unary,
    While,
)
from .scopes import FAR, Scope, Variable

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..syntax import Stmt
    from .scopes import Fail


def scan(root: Scope, fail: Fail) -> list[Scope]:
    """Find the names of a function and of all nested in it; the functions, as they come in the text."""
    scopes: list[Scope] = []
    pending = [root]
    while pending:
        scope = pending.pop()
        scopes.append(scope)
        _Scan(scope, fail).run()
        pending.extend(reversed(scope.functions.values()))
    return scopes


class _Mark(NamedTuple):
    """On the stack of a scan: here begin (1) or end (-1) loops, iterables of generators, and a generator that binds names."""

    sign: int
    loops: int
    iterables: int
    names: tuple[str, ...]


class _Scan:
    """One walk over one function, without its nested functions. The order of the walk does not matter."""

    __slots__ = ("scope", "fail", "stack", "bound", "loops", "iterables")

    def __init__(self, scope: Scope, fail: Fail) -> None:
        self.scope = scope
        self.fail = fail
        self.stack: list[Any] = []
        self.bound: dict[str, int] = {}  # the names of the generators around, and how many of these bind each
        self.loops = 0
        self.iterables = 0

    def run(self) -> None:
        scope, stack, bound, reads = self.scope, self.stack, self.bound, self.scope.reads
        for param in scope.params:
            if param.name in scope.variables:
                raise self.fail("duplicate-parameter", param.span, param.name)
            scope.variables[param.name] = Variable(True, param.span[0])
        if scope.value is not None:
            stack.append(scope.value)
        for statement in scope.body:
            name = helper_name(statement)
            if name is None:
                stack.append(statement)
            else:
                self.define(name, statement)
        while stack:
            node = stack.pop()
            kind = type(node)
            if kind is Name:
                name, start = node[1], node[0][0]
                if name not in bound and start < reads.get(name, FAR):
                    reads[name] = start
            elif kind is Binary:
                stack += node[3:]  # left, right
            elif kind is not Constant:
                PARTS[kind](self, node)
        for name, function in scope.functions.items():
            if name in scope.variables:
                raise self.fail("function-rebound", function.span, name)

    def define(self, name: str, statement: Any) -> None:
        scope = self.scope
        if name in scope.functions:
            raise self.fail("function-twice", statement.span, name)
        if type(statement) is FunctionDef:
            place, head = statement.name_span, statement
            inner = Scope("def", name, place, head.params, head.returns, head.body, parent=scope)
        else:
            place, head = statement.targets[0].span, statement.value
            inner = Scope("lambda", name, place, head.params, value=head.body, parent=scope)
        scope.functions[name] = inner

    def assign(self, target: Any) -> None:
        """A target: the names in it are variables of this function, or the generator's own."""
        targets = [target]
        while targets:
            target = targets.pop()
            if type(target) is Tuple:
                targets.extend(target.elements)
            elif type(target) is not Name:
                self.stack.append(target)
            else:
                self.assign_name(target)

    def assign_name(self, target: Name) -> None:
        variables = self.scope.variables
        variable = variables.get(target.id)
        if variable is None:
            variable = variables[target.id] = Variable(False, target.span[0])
        variable.assigned += 1
        variable.start = min(variable.start, target.span[0])
        variable.looped = variable.looped or self.loops > 0

    def enclose(self, parts: tuple[Any, ...], loops: int = 0, iterables: int = 0, names: tuple[str, ...] = ()) -> None:
        """Walk these parts, and know meanwhile that they are in a loop, in an iterable, in a generator."""
        self.stack.append(_Mark(-1, loops, iterables, names))
        self.stack.extend(parts)
        self.stack.append(_Mark(1, loops, iterables, names))


def helper_name(statement: Stmt) -> str | None:
    """The name, if this statement defines a function: a def, or a lambda given a name."""
    if type(statement) is FunctionDef:
        return statement.name
    if type(statement) is Assign and type(statement.value) is Lambda:
        target = statement.targets[0]
        if len(statement.targets) == 1 and type(target) is Name:
            return target.id
    return None


def target_names(target: Any) -> list[Name]:
    """The names that a target binds, from the left."""
    names: list[Name] = []
    left = [target]
    while left:
        target = left.pop()
        if type(target) is Tuple:
            left.extend(reversed(target.elements))
        elif type(target) is Name:
            names.append(target)
    return names


def target_elements(target: Any) -> list[Subscript]:
    """The elements that a target assigns."""
    elements: list[Subscript] = []
    left = [target]
    while left:
        target = left.pop()
        if type(target) is Tuple:
            left.extend(target.elements)
        elif type(target) is Subscript:
            elements.append(target)
    return elements


# How the walk goes on, by kind of node.


def _mark(scan: _Scan, mark: _Mark) -> None:
    scan.loops += mark.sign * mark.loops
    scan.iterables += mark.sign * mark.iterables
    for name in mark.names:
        scan.bound[name] = scan.bound.get(name, 0) + mark.sign
        if not scan.bound[name]:
            del scan.bound[name]


def _call(scan: _Scan, node: Call) -> None:
    if type(node.func) is Name:
        name = node.func.id
        if name not in scan.bound:
            calls = scan.scope.calls
            calls[name] = min(node.func.span[0], calls.get(name, FAR))
    else:
        scan.stack.append(node.func)
    scan.stack.extend(node.args)
    scan.stack.extend([keyword.value for keyword in node.keywords])


def _attribute(scan: _Scan, node: Attribute) -> None:
    if type(node.value) is not Name or node.value.id not in builtins.MODULES:
        scan.stack.append(node.value)


def _named(scan: _Scan, node: NamedExpr) -> None:
    if node.target.id in scan.bound:
        raise scan.fail("walrus-generator", node.target.span, node.target.id)
    if scan.iterables:
        raise scan.fail("walrus-iterable", node.span)
    scan.assign_name(node.target)
    scan.stack.append(node.value)


def _generator(scan: _Scan, node: Generator) -> None:
    names: list[Name] = []
    parts: list[Any] = [node.element]
    iterables: list[Any] = []
    for clause in node.clauses:
        names += target_names(clause.target)
        parts += target_elements(clause.target)
        parts += clause.tests
        iterables.append(clause.iter)
    bound = tuple({name.id for name in names})
    scan.enclose((iterables[0],), iterables=1)  # it is evaluated outside
    scan.enclose(tuple(iterables[1:]), loops=1, iterables=1, names=bound)
    scan.enclose(tuple(parts), loops=1, names=bound)


def _assign(scan: _Scan, node: Assign) -> None:
    for target in node.targets:
        scan.assign(target)
    scan.stack.append(node.value)


def _aug_assign(scan: _Scan, node: AugAssign) -> None:
    scan.assign(node.target)
    scan.stack.append(node.value)


def _ann_assign(scan: _Scan, node: AnnAssign) -> None:
    scan.assign(node.target)
    if node.value is not None:
        scan.stack.append(node.value)


def _if(scan: _Scan, node: If) -> None:
    for test, body in node.branches:
        scan.stack.append(test)
        scan.stack.extend(body)
    scan.stack.extend(node.orelse)


def _while(scan: _Scan, node: While) -> None:
    scan.stack.extend(node.orelse)
    scan.enclose((node.test, *node.body), loops=1)


def _for(scan: _Scan, node: For) -> None:
    scan.stack.append(node.iter)
    scan.stack.extend(node.orelse)
    scan.loops += 1
    scan.assign(node.target)
    scan.loops -= 1
    scan.enclose(node.body, loops=1)


def _nothing(scan: _Scan, node: Any) -> None:
    pass


def _nested_def(scan: _Scan, node: FunctionDef) -> None:
    raise scan.fail("nested-def", node.name_span, node.name)


def _nested_lambda(scan: _Scan, node: Lambda) -> None:
    raise scan.fail("lambda-value", node.span)


def _each(*fields: str) -> Callable[[_Scan, Any], None]:
    """The walk goes on with these fields; each holds a node, nodes or None."""

    def visit(scan: _Scan, node: Any) -> None:
        for field in fields:
            part = getattr(node, field)
            if type(part) is tuple:
                scan.stack.extend(part)
            elif part is not None:
                scan.stack.append(part)

    return visit


PARTS: dict[type, Callable[[_Scan, Any], None]] = {
    Unary: _each("operand"), Compare: _each("operands"), BoolOp: _each("operands"), IfExp: _each("test", "body", "orelse"),
    Tuple: _each("elements"), Slice: _each("lower", "upper", "step"), Subscript: _each("value", "index"),
    ExprStmt: _each("value"), Return: _each("value"), Assert: _each("test"), Raise: _nothing, Pass: _nothing,
    Break: _nothing, Continue: _nothing, Call: _call, Attribute: _attribute, NamedExpr: _named, Generator: _generator,
    Assign: _assign, AugAssign: _aug_assign, AnnAssign: _ann_assign, If: _if, While: _while, For: _for,
    FunctionDef: _nested_def, Lambda: _nested_lambda, _Mark: _mark,
}  # fmt: skip
