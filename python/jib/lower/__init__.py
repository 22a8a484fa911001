"""Tree -> IR: names resolved, sugar gone.

In: a Program. Out: `Lowered`: the ir.Module, and what Python shows of its entry: its name, parameters and docstring.
Always holds: the IR does what CPython does with the same text, in the same order. What cannot be known before types are is left to
Rust: types, definite assignment, constant conditions.

The work is split by family: `scopes` finds out what names mean, `build` makes instructions and walks the tree, and one file each
lowers `expressions`, `indexing`, `calls`, `reductions`, `statements`, `iteration`, `loops`. What is said of arrays in the end is read
from the IR by `arrays`.
"""

from __future__ import annotations

from .. import builtins, ir
from ..light import TYPE_CHECKING, NamedTuple
from ..limits import DEFAULT, Limits
from ..source import NOWHERE, Source, Span
from ..syntax import Constant, ExprStmt, FunctionDef, Lambda, Parameter, Program
from . import loops  # noqa: F401  (registers its handlers, as the others do)
from .annotations import type_text
from .arrays import array_parameters
from .build import Builder, Unit
from .calls import parameters
from .scan import scan
from .scopes import Scope, Variable, free_names, link
from .statements import statements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..externs import Extern
    from .build import Routine


_new = tuple.__new__  # half the time of calling a class


class EntryParameter(NamedTuple):
    """A parameter of the function that Python sees; `kind` as in the tree, `annotation` the text of a type.

    `array` says whether the text itself shows that it is an array.
    """

    name: str
    kind: str
    annotation: str | None
    required: bool
    default: builtins.Default
    array: bool


class Lowered(NamedTuple):
    """The module, and the face of its entry; `given` are the names and values of the parameters behind these, which are arrays that the
    text reads by name."""

    module: ir.Module
    name: str
    params: tuple[EntryParameter, ...]
    returns: str | None
    doc: str | None
    given: tuple[tuple[str, Any], ...] = ()


def lower(
    program: Program,
    source: Source,
    params: Sequence[str] | None = None,
    limits: Limits = DEFAULT,
    externs: Sequence[Extern] = (),
) -> Lowered:
    """The IR of a text, which may call these functions of the host. `params` names the parameters of an expression or a suite, which
    else are its free names."""
    unit = Unit(source, limits, externs)
    scopes, doc = resolve(program, unit, params)
    return finish(unit, scopes, scopes[0], doc)


def resolve(program: Program, unit: Unit, params: Sequence[str] | None) -> tuple[list[Scope], str | None]:
    """The functions of a text, the entry first, each of which knows what its names are; and the entry's docstring."""
    root, doc = _shape(program, unit, params)
    scopes = scan(root, unit.fail)
    if root.kind == "suite" and params is None:
        _add_parameters(root, free_names(scopes, unit.externs))
    if len(scopes) > 1:
        link(scopes, unit.fail)
    if root.kind == "module":
        scopes = scopes[1:]
        entry = root.functions[program.body[-1].name]  # type: ignore[union-attr]
        scopes.sort(key=lambda scope: scope is not entry)
    return scopes, doc


def free(program: Program, source: Source) -> list[str]:
    """The free names of an expression or a suite, as they are its parameters."""
    unit = Unit(source, DEFAULT, ())
    root, _ = _shape(program, unit, None)
    scopes = scan(root, unit.fail)
    return [name for name, _ in free_names(scopes, unit.externs)]


def finish(unit: Unit, scopes: list[Scope], entry: Scope, doc: str | None) -> Lowered:
    """The functions of these scopes, whose first is the entry."""
    for index, scope in enumerate(scopes):
        scope.index = index
    functions = [_function(unit, scope) for scope in scopes]
    crossing, returns = functions[0].params, functions[0].returns
    shown = array_parameters(functions) if unit.arrays else [False] * len(crossing)
    faces = tuple([
        # Its name and kind; its annotation; whether it is required, and its default.
        _new(EntryParameter, (param[0], param[1], crossed[1], param[2], param[3], array))
        for param, crossed, array in zip(parameters(unit, entry), crossing, shown)
    ])  # fmt: skip
    module = _new(ir.Module, (functions, unit.source.line_starts, tuple(unit.externs)))
    return _new(Lowered, (module, entry.name, faces, returns, doc, ()))


def _shape(program: Program, unit: Unit, params: Sequence[str] | None) -> tuple[Scope, str | None]:
    """What kind of text this is, as the scope of its function; and its docstring."""
    body = program.body
    doc = _text(body[0]) if len(body) > 1 else None
    if doc is not None:
        body = body[1:]
    last: Any = body[-1] if body else None
    definitions = type(last) is FunctionDef and all(type(statement) is FunctionDef for statement in body)
    function = last.value if type(last) is ExprStmt and len(body) == 1 else None
    if params is not None and (definitions or type(function) is Lambda):
        raise unit.fail("params-given", last.span)
    if definitions:
        return Scope("module", "", program.span, body=body), last.doc
    if type(function) is Lambda:
        return Scope("lambda", "<lambda>", function.span, function.params, value=function.body), doc
    name = "<expression>" if function is not None else "<suite>"
    given = tuple([Parameter(NOWHERE, param, None, None, "any") for param in params]) if params else ()
    if type(last) is ExprStmt:
        return Scope("suite", name, program.span, given, body=body[:-1], value=last.value), doc
    return Scope("suite", name, program.span, given, body=body), doc


def _text(statement: Any) -> str | None:
    """The text of a statement that is a docstring."""
    if type(statement) is ExprStmt and type(statement.value) is Constant and type(statement.value.value) is str:
        return statement.value.value
    return None


def _add_parameters(root: Scope, names: list[tuple[str, int]]) -> None:
    """Make the free names the parameters."""
    params = []
    for name, at in names:
        params.append(_new(Parameter, (_new(Span, (at, at + len(name))), name, None, None, "any")))
        root.variables[name] = Variable(True, at)
    root.params = tuple(params)


def _function(unit: Unit, scope: Scope) -> ir.Function:
    parameters(unit, scope)  # a default is checked even if nobody needs it
    types = [None if param.annotation is None else type_text(unit, param.annotation) for param in scope.params]
    builder = Builder(unit, scope, types)
    builder.run(_body(builder, scope))
    builder.check_size(scope.span)
    if scope.returns is None:
        return builder.finish(None, NOWHERE)
    return builder.finish(type_text(unit, scope.returns), scope.returns.span)


def _body(f: Builder, scope: Scope) -> Routine:
    """The statements, and then the value."""
    if scope.body:
        yield statements(f, scope.body)
    if scope.value is None:
        f.leave(f.const(None, scope.span), scope.span)
    else:
        value = yield scope.value
        f.leave(value, scope.value.span)
