"""Calls: of functions of the text, of the host, and of builtins.

In: Call nodes. Out: `call`, `extern` and `prim` instructions whose operands are in the order of the parameters.
Always holds: arguments are evaluated as they are written; what binds them is decided here, not at run time.
"""

from __future__ import annotations

from .. import builtins
from ..ir_build import _new
from ..light import TYPE_CHECKING
from ..names import Alias, Value
from ..syntax import Attribute, Call, Constant, Keyword, Name
from .annotations import default_value
from .arrays import TELLING
from .build import lowers
from .expressions import ATTRIBUTES, METHODS, dotted, is_numpy, no_attribute
from .reductions import REDUCTIONS

if TYPE_CHECKING:
    from typing import Any

    from .build import Builder, Routine, Unit
    from .scopes import Scope


@lowers(Call)
def call(f: Builder, node: Call) -> Routine:
    callee = node.func
    if type(callee) is Name:
        name = callee.id
        if name in f.variables:
            raise f.fail("not-callable", callee.span, name)
        function = f.function(name)
        if function is not None:
            return (yield call_function(f, node, function))
        if name in f.unit.externs:
            return (yield call_extern(f, node, name))
        meaning = f.meaning(name, callee.span)
        if type(meaning) is Value:
            raise f.fail("not-callable", callee.span, name)
        if type(meaning) is Alias:
            name = meaning.name
    else:
        path = dotted(f, callee)
        if path is None:
            if type(callee) is Attribute:
                return (yield call_method(f, node, callee))
            raise f.fail("not-callable", callee.span, f.unit.source.text[callee.span[0] : callee.span[1]])
        name = path
    builtin = builtins.resolve(name)
    if builtin is None:
        raise f.unknown(name, callee.span)
    if builtin.constant:
        raise f.fail("not-callable", callee.span, name)
    f.unit.use("builtin", builtin.name, callee.span)
    if builtin.name in REDUCTIONS:
        answer = yield REDUCTIONS[builtin.name](f, node, builtin.name)
        if answer is not None:
            return answer
    elif builtin.name == "print":
        return (yield call_print(f, node))
    elif builtin.name in builtins.LOOPED:
        raise f.fail("iterable-place", node.span, builtin.name)
    if builtin.name in TELLING:
        f.unit.arrays = True
    args, keywords = yield arguments(f, node)
    return f.prim(builtin.name, bind(f, node, builtin.name, builtin.params, args, keywords), node.span)


def arguments(f: Builder, node: Call) -> Routine:
    """The values of the arguments: positional ones, and (name, value) of the others."""
    args = []
    for arg in node.args:
        args.append((yield arg))
    keywords = []
    for keyword in node.keywords:
        keywords.append((keyword.name, (yield keyword.value)))
    return args, keywords


def bind(f: Builder, node: Call, name: str, params: Any, args: list[int], keywords: list[tuple[str, int]]) -> list[int]:
    """The operands, in the order of the parameters."""
    try:
        return builtins.bind(name, params, args, keywords, lambda value: f.constant(value, node.span))
    except builtins.BindingError as mistake:
        text = str(mistake)
    raise f.fail("arguments", node.span, text)


def call_function(f: Builder, node: Call, function: Scope) -> Routine:
    """Call a function of the text; what it reads of the functions around goes along."""
    if function.parent is f.scope and function.name not in f.defined:
        raise f.fail("call-before-def", node.func.span, function.name)
    args, keywords = yield arguments(f, node)
    params = parameters(f.unit, function)
    operands = bind(f, node, function.name, params, args, keywords)
    for at in range(len(operands), len(params)):
        operands.append(f.constant(params[at].default, node.span))
    for captured in function.captures:
        local = f.own[captured.name] if captured.owner is f.scope else f.outer[captured]
        operands.append(f.get(local, node.span))
    f.check_size(node.span)  # not only where a statement ends: a short call may have many operands
    return f.emit("call", (function.index, *operands), node.span)


def call_extern(f: Builder, node: Call, name: str) -> Routine:
    """Call a function of the host, whose parameters have no names."""
    index, arity = f.unit.externs[name]
    args, keywords = yield arguments(f, node)
    if keywords:
        raise f.fail("arguments", node.keywords[0].span, f"{name}() takes no keyword arguments")
    f.unit.use("extern", name, node.func.span)
    if arity is not None and len(args) != arity:
        raise f.fail("arguments", node.span, builtins.too_many_text(name, arity, arity, len(args)))
    f.check_size(node.span)
    return f.emit("extern", (index, *args), node.span)


def call_method(f: Builder, node: Call, callee: Attribute) -> Routine:
    """`x.sum()`: the builtin of that name, with the array as its first argument."""
    name, takes = callee.attr, METHODS.get(callee.attr)
    if name in ATTRIBUTES:
        raise f.fail("not-callable", callee.span, f.unit.source.text[callee.span[0] : callee.span[1]])
    builtin = builtins.resolve(name)
    if takes is None or builtin is None or (is_numpy(callee.value) and len(node.args) != takes):
        raise no_attribute(f, callee)  # `np.sum(x)` too: it is written `sum(x)`
    f.unit.arrays = True
    f.unit.use("builtin", builtin.name, callee.span)
    container = yield callee.value
    if node.keywords:
        raise f.fail("arguments", node.keywords[0].span, f"{name}() takes no keyword arguments")
    if len(node.args) != takes:
        words = f"exactly {takes} argument" if takes else "no arguments"
        raise f.fail("arguments", node.span, f"{name}() takes {words} ({len(node.args)} given)")
    args, _ = yield arguments(f, node)
    return f.prim(builtin.name, bind(f, node, builtin.name, builtin.params, [container, *args], []), node.span)


def parameters(unit: Unit, function: Scope) -> tuple[builtins.Param, ...]:
    """The parameters of a function of the text, with the values of their defaults."""
    found = unit.params.get(function)
    if found is None:
        found = unit.params[function] = tuple([
            _new(builtins.Param, (name, kind, default is None, None if default is None else default_value(unit, default)))
            for _, name, _, default, kind in function.params
        ])  # fmt: skip
    return found


def call_print(f: Builder, node: Call) -> Routine:
    """`print`: the operands are sep, end, and then the values."""
    ends = {"sep": " ", "end": "\n"}
    for keyword in node.keywords:
        if keyword.name not in ends:
            text = f"print() got an unexpected keyword argument '{keyword.name}'"
            raise f.fail("arguments", keyword.span, text)
        ends[keyword.name] = separator(f, keyword, ends[keyword.name])
    operands = []
    for arg in node.args:
        if type(arg) is Constant and type(arg.value) is str:
            operands.append(f.const(f.text(arg.value, arg.span), arg.span))
        else:
            operands.append((yield arg))
    edges = [f.const(text, node.span) for text in ends.values()]
    return f.prim("print", edges + operands, node.span)


def separator(f: Builder, keyword: Keyword, default: str) -> str:
    """The literal text of `sep=` or `end=`; None is the default, as in Python."""
    value = keyword.value
    if type(value) is not Constant or not (value.value is None or type(value.value) is str):
        raise f.fail("literal-text", value.span, keyword.name)
    return default if value.value is None else f.text(value.value, value.span)
