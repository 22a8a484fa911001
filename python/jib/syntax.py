"""The tree: what `parse` gives and `lower` takes.

Nodes are named tuples: immutable, ordered as written, each with the span of its text first. (Frozen dataclasses would say
the same; they cost sixty times as much at import and twice as much per node.) Names follow Python's own `ast` where the
thing is the same. Nothing here is resolved or typed: a name is a name, whatever it will turn out to be.
"""

from __future__ import annotations

from .light import TYPE_CHECKING, NamedTuple
from .source import Span

if TYPE_CHECKING:
    from typing import Any

# ---------------------------------------------------------------------------------------------- expressions


class Constant(NamedTuple):
    """A literal: int, float, bool, None, or a str (which only docstrings, print, assert and raise take).

    A value that comes from elsewhere than the text can be a tuple of literals too.
    """

    span: Span
    value: int | float | bool | str | tuple[Any, ...] | None


class Name(NamedTuple):
    span: Span
    id: str


class Attribute(NamedTuple):
    """`math.sin`, `x.size`."""

    span: Span
    value: Expr
    attr: str


class Unary(NamedTuple):
    """`op` is the name of a primitive: neg pos invert not."""

    span: Span
    op: str
    operand: Expr


class Binary(NamedTuple):
    """`op` is the name of a primitive: add sub mul truediv floordiv mod pow and or xor lshift rshift.

    The span is that of the whole; `op_span` that of the operator, where run-time errors point.
    """

    span: Span
    op: str
    op_span: Span
    left: Expr
    right: Expr


class Compare(NamedTuple):
    """`a < b <= c`: `ops` (lt le gt ge eq ne) stand between `operands`, one fewer."""

    span: Span
    ops: tuple[str, ...]
    operands: tuple[Expr, ...]


class BoolOp(NamedTuple):
    """`a and b and c`; `op` is "and" or "or"; two operands or more."""

    span: Span
    op: str
    operands: tuple[Expr, ...]


class IfExp(NamedTuple):
    span: Span
    test: Expr
    body: Expr
    orelse: Expr


class NamedExpr(NamedTuple):
    """`(name := value)`."""

    span: Span
    target: Name
    value: Expr


class Keyword(NamedTuple):
    span: Span
    name: str
    value: Expr


class Call(NamedTuple):
    span: Span
    func: Expr
    args: tuple[Expr, ...]
    keywords: tuple[Keyword, ...]


class Clause(NamedTuple):
    """One `for target in iter if test if test` of a generator expression."""

    span: Span
    target: Target
    iter: Expr
    tests: tuple[Expr, ...]


class Generator(NamedTuple):
    span: Span
    element: Expr
    clauses: tuple[Clause, ...]


class Tuple(NamedTuple):
    span: Span
    elements: tuple[Expr, ...]


class Slice(NamedTuple):
    span: Span
    lower: Expr | None
    upper: Expr | None
    step: Expr | None


class Subscript(NamedTuple):
    """`x[i]`, `m[i, j]`, `x[a:b]`; several indices are a Tuple."""

    span: Span
    value: Expr
    index: Expr  # type: ignore[assignment]  # tuple has a method of that name


class Parameter(NamedTuple):
    """`kind` is "positional" (before `/`), "any", or "keyword" (after `*`)."""

    span: Span
    name: str
    annotation: Expr | None
    default: Expr | None
    kind: str


class Lambda(NamedTuple):
    span: Span
    params: tuple[Parameter, ...]
    body: Expr


# ----------------------------------------------------------------------------------------------- statements


class ExprStmt(NamedTuple):
    span: Span
    value: Expr


class Assign(NamedTuple):
    """`a = b, c = value`: one target or more, each a Name, Subscript or Tuple of targets."""

    span: Span
    targets: tuple[Target, ...]
    value: Expr


class AugAssign(NamedTuple):
    """`target op= value`; `op` as in Binary."""

    span: Span
    target: Target
    op: str
    op_span: Span
    value: Expr


class AnnAssign(NamedTuple):
    span: Span
    target: Name
    annotation: Expr
    value: Expr | None


class If(NamedTuple):
    """`branches` are (test, body) of the `if` and each `elif`; `orelse` is empty without `else`."""

    span: Span
    branches: tuple[tuple[Expr, Body], ...]
    orelse: Body


class While(NamedTuple):
    span: Span
    test: Expr
    body: Body
    orelse: Body


class For(NamedTuple):
    span: Span
    target: Target
    iter: Expr
    body: Body
    orelse: Body


class Break(NamedTuple):
    span: Span


class Continue(NamedTuple):
    span: Span


class Pass(NamedTuple):
    span: Span


class Return(NamedTuple):
    span: Span
    value: Expr | None


class Assert(NamedTuple):
    span: Span
    test: Expr
    message: Expr | None


class Raise(NamedTuple):
    """`raise Name`, `raise Name("literal")`."""

    span: Span
    exception: str
    message: str | None


class FunctionDef(NamedTuple):
    """`doc` is the docstring, which is not part of `body`; `name_span` is where `name` stands."""

    span: Span
    name: str
    name_span: Span
    params: tuple[Parameter, ...]
    returns: Expr | None
    doc: str | None
    body: Body


class Program(NamedTuple):
    """A whole text."""

    span: Span
    body: Body


Target = Name | Subscript | Tuple
Expr = (
    Constant | Name | Attribute | Unary | Binary | Compare | BoolOp | IfExp | NamedExpr | Call | Generator | Tuple | Slice
    | Subscript | Lambda
)  # fmt: skip
Stmt = (
    ExprStmt | Assign | AugAssign | AnnAssign | If | While | For | Break | Continue | Pass | Return | Assert | Raise
    | FunctionDef
)  # fmt: skip
Body = tuple[Stmt, ...]
