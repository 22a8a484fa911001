"""Several definitions from different places -> one IR: each with its own idea of what names mean.

In: a Program of definitions, and for each its `Setting`. Out: `Lowered`, as for any text; the last definition is the entry, or else
what comes after the definitions.
Always holds: a name means what the setting of the definition it stands in says, before it means a builtin; two definitions may have
the same name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..names import Shared
from ..source import Span
from ..syntax import Assign, Constant, ExprStmt, FunctionDef, Lambda, Name, Parameter, Tuple
from . import Lowered, finish
from .build import Unit
from .scan import helper_name, scan
from .scopes import Captured, Scope, find, link

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..externs import Extern
    from ..limits import Limits
    from ..names import Meaning
    from ..source import Source
    from ..syntax import Program, Stmt


class Setting(NamedTuple):
    """What stands around a definition: which definitions its names mean, by number, and what its other names mean.

    `defaults` are the values of its parameters' defaults, if they are not those of the text.
    """

    functions: Mapping[str, int]
    names: Mapping[str, Meaning]
    defaults: Mapping[str, Any] | None = None


class Suite(NamedTuple):
    """Statements that are run once, after the definitions: the variables that have a value before, and those wanted after. If the
    value before of `x` is an array, the setting has it as `x.`, and what is said of it here does not matter.

    Its value is the tuple of that of its last expression and of the wanted variables; that of the expression alone if these are None.
    `params` are the variables whose values come with each call.
    """

    before: tuple[tuple[str, Any], ...]
    wanted: tuple[str, ...] | None
    params: tuple[str, ...] = ()


class NoDefinition(ValueError):
    """A text that should define one function does something else."""


def lower_linked(
    program: Program,
    source: Source,
    settings: Sequence[Setting],
    limits: Limits,
    suite: Suite | None = None,
    externs: Sequence[Extern] = (),
) -> Lowered:
    """The IR of definitions, one for each setting; with `suite`, the last setting is that of the statements after them."""
    unit = Unit(source, limits, externs)
    count = len(settings) - (suite is not None)
    if len(program.body) < count or (suite is None and len(program.body) > count):
        raise NoDefinition("a text is not one definition")
    arrays: dict[int, Captured] = {}  # each once, by whatever names
    around = [_around(program.span, setting, arrays) for setting in settings]
    definitions = [
        _scope(statement, parent, setting) for statement, parent, setting in zip(program.body[:count], around, settings)
    ]
    paths: set[str] = set()
    for number, definition in enumerate(definitions):
        if definition.path in paths:
            definition.path = f"{definition.path}.{number}"
        paths.add(definition.path)
    for parent, setting in zip(around, settings):
        parent.functions = {name: definitions[number] for name, number in setting.functions.items()}
    last: Any = program.body[-1]
    doc = last.doc if type(last) is FunctionDef else None
    if suite is not None:
        definitions.append(_suite(program.body[count:], suite, around[-1]))
    entry = definitions[-1]
    scopes: list[Scope] = []
    for definition in [entry, *definitions[:-1]]:
        scopes += scan(definition, unit.fail)
    link(scopes, unit.fail)
    values = {captured: value for parent in around for captured, value in _values(parent)}
    given = tuple([(captured.name, values[captured]) for captured in entry.captures])
    return finish(unit, scopes, entry, doc)._replace(given=given)


def outside_names(body: Sequence[Stmt], unit: Unit) -> tuple[set[str], set[str]]:
    """The names that these statements read or call and do not define, and those that they assign.

    One definition, or statements of which none is one.
    """
    around = Scope("module", "", Span(0, 0))
    if len(body) == 1 and defined(body[0]) is not None:
        root = _scope(body[0], around, Setting({}, {}))
    else:
        root = Scope("suite", "<suite>", body[0].span, body=tuple(body), parent=around)
    scopes = scan(root, unit.fail)
    link(scopes, unit.fail)
    outside = {name for scope in scopes for name in {**scope.reads, **scope.calls} if find(scope, name) is None}
    return outside, set(root.variables)


def defined(statement: Stmt) -> Any:
    """The def or lambda that a statement is, if it is one."""
    if type(statement) is FunctionDef:
        return statement
    if type(statement) is ExprStmt and type(statement.value) is Lambda:
        return statement.value
    return statement.value if helper_name(statement) is not None else None  # type: ignore[union-attr]


def _around(span: Span, setting: Setting, arrays: dict[int, Captured]) -> Scope:
    """What stands around a definition. What is an array there belongs to a scope of its own, of which it is captured."""
    scope = Scope("module", "", span)
    scope.names = setting.names
    shared = {name: found.value for name, found in setting.names.items() if type(found) is Shared}
    scope.given = {
        name: arrays.setdefault(id(value), Captured(Scope("module", "", span), name)) for name, value in shared.items()
    }
    return scope


def _values(scope: Scope) -> Iterator[tuple[Captured, Any]]:
    """What is captured of arrays, and these."""
    for name, captured in scope.given.items():
        yield captured, scope.names[name].value  # type: ignore[union-attr]


def _scope(statement: Stmt, parent: Scope, setting: Setting) -> Scope:
    head = defined(statement)
    if head is None:
        raise NoDefinition("a text is not one definition")
    params: tuple[Parameter, ...] = head.params
    defaults = setting.defaults
    if defaults is not None:
        params = tuple([
            p._replace(default=Constant(p.span, defaults[p.name]) if p.name in defaults else None) for p in params
        ])  # fmt: skip
    if type(head) is FunctionDef:
        return Scope("def", head.name, head.name_span, params, head.returns, head.body, parent=parent)
    return Scope("lambda", helper_name(statement) or "<lambda>", head.span, params, value=head.body, parent=parent)


def _suite(body: Sequence[Stmt], suite: Suite, parent: Scope) -> Scope:
    """The statements, and as their value the tuple of everything that is wanted of them."""
    last = body[-1]
    end = Span(last.span[1], last.span[1])
    value: Any = Constant(end, None)
    if type(last) is ExprStmt:
        value = last.value
        body = body[:-1]
    begin = Span(last.span[0], last.span[0])
    given: list[Assign] = []
    for name, constant in suite.before:
        # The name is the statements' own, an array of that name has another that no text can spell.
        before: Any = Name(begin, f"{name}.") if f"{name}." in parent.given else Constant(begin, constant)
        given.append(Assign(begin, (Name(begin, name),), before))
    answer = value
    if suite.wanted is not None:
        answer = Tuple(value.span, (value, *[Name(end, name) for name in suite.wanted]))
    params = tuple([Parameter(Span(0, 0), name, None, None, "any") for name in suite.params])
    return Scope("suite", "<session>", Span(0, 0), params, body=(*given, *body), value=answer, parent=parent)
