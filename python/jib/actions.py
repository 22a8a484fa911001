"""What each rule of the grammar builds.

In: for every rule of grammar/jib.lark the list of its parts: tokens, and what the actions of its sub-rules gave. Out: nodes of the tree.
Always holds: actions know nothing of each other but the values; a text that is shaped like the language and yet not in it (an
assignment to a call) ends in a `Mistake`, which the parser turns into an error with its place in the text.

`ACTIONS` has the actions of rules by their names in the grammar, `TERMINALS` those of terminals. A rule that is not there gives the list of
its parts. Nodes are made with `tuple.__new__`: half the time of calling their class.
"""

from __future__ import annotations

import re

from .layout import Token
from .light import TYPE_CHECKING
from .source import Span
from .syntax import (
    AnnAssign,
    Assert,
    Assign,
    Attribute,
    AugAssign,
    Binary,
    BoolOp,
    Break,
    Call,
    Clause,
    Compare,
    Constant,
    Continue,
    ExprStmt,
    For,
    FunctionDef,
    Generator,
    If,
    IfExp,
    Keyword,
    Lambda,
    Name,
    NamedExpr,
    Parameter,
    Pass,
    Program,
    Raise,
    Return,
    Slice,
    Subscript,
    Tuple,
    Unary,
    While,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .syntax import Expr, Target

_new = tuple.__new__
ACTIONS: dict[str, Callable[[list[Any]], Any]] = {}
TERMINALS: dict[str, Callable[[Token], Any]] = {}

# The primitives that operators name; those of an augmented assignment are these without `=`.
BINARY = {
    "+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "**": "pow",
    "&": "and", "|": "or", "^": "xor", "<<": "lshift", ">>": "rshift",
}  # fmt: skip
UNARY = {"-": "neg", "+": "pos", "~": "invert", "not": "not"}
COMPARE = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}


class Mistake(Exception):
    """A mistake of the user's at a place: the code of a message in errors.py, the span, what fills the message in."""

    def __init__(self, code: str, span: Span, *args: object) -> None:
        super().__init__(code, span, *args)
        self.code = code
        self.span = span
        self.fill = args


def _action(*names: str) -> Callable[[Any], Any]:
    def register(function: Any) -> Any:
        for name in names or (function.__name__,):
            ACTIONS[name] = function
        return function

    return register


def _from(start: Any, end: Any) -> Span:
    """From the beginning of one node or token to the end of another."""
    return _new(Span, (start.span[0], end.span[1]))


# ------------------------------------------------------------------------------------------------ terminals


def _name(token: Token) -> Name:
    name = token[2]
    # `__class__` and its like are steps out of the language in Python; here they would only be parameters of strange names.
    if name[:2] == "__" == name[-2:] and name.strip("_"):
        raise Mistake("dunder", token[1], name)
    return _new(Name, (token[1], name))


def _number(token: Token) -> Constant:
    span, text = token[1], token[2]
    if len(text) > 4300 and text.replace("_", "").isdigit():
        raise Mistake("int-literal-too-large", span)  # Python reads no more digits than that
    if text.isdigit():
        value: int | float = int(text)
        if text[0] == "0" and value:
            raise Mistake("old-octal", span, text.lstrip("0"))
    elif text[:2] in ("0x", "0X", "0o", "0O", "0b", "0B"):
        value = int(text, 0)
    elif "." in text or "e" in text or "E" in text:
        return _new(Constant, (span, float(text)))
    else:
        value = int(text.replace("_", ""))
        if text[0] == "0" and value:
            raise Mistake("old-octal", span, text.lstrip("0_"))
    # The largest of u64; a sign is a node of its own, so what fits i64 is not known here.
    if value >= 1 << 64:
        raise Mistake("int-literal-too-large", span)
    return _new(Constant, (span, value))


TERMINALS["NAME"] = _name
TERMINALS["NUMBER"] = _number
TERMINALS["NONE"] = lambda token: _new(Constant, (token[1], None))
TERMINALS["TRUE"] = lambda token: _new(Constant, (token[1], True))
TERMINALS["FALSE"] = lambda token: _new(Constant, (token[1], False))


@_action()
def string(s: list[Any]) -> Constant:
    tokens = s[0]
    return _new(Constant, (_from(tokens[0], tokens[-1]), "".join([_decode(token) for token in tokens])))


_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "\n": "",
}


def _decode(token: Token) -> str:
    """The characters a literal stands for."""
    text = token.value
    quote = text.find(text[-1])
    raw = text[0] in "rR"
    width = 3 if text[quote : quote + 3] == text[-1] * 3 and len(text) - quote >= 6 else 1
    start = token.span[0] + quote + width
    body = text[quote + width : -width]
    if "\\" not in body or raw:
        return body.replace("\r\n", "\n")

    def escape(match: re.Match[str]) -> str:
        found: str = match[1]
        if found in _ESCAPES:
            return _ESCAPES[found]
        if found == "\r\n":
            return ""
        if found[0] in "01234567":
            return chr(int(found, 8))
        if len(found) > 1 and found[0] in "xuU" and len(found) == {"x": 3, "u": 5, "U": 9}[found[0]]:
            code = int(found[1:], 16)
            if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:
                return chr(code)
        if found[0] in "xuUN":
            at = start + match.start()
            raise Mistake("bad-escape", Span(at, at + len(match[0])), match[0])
        return "\\" + found

    pattern = r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|\r\n|(?s:.))"
    return re.sub(pattern, escape, body).replace("\r\n", "\n")


# ---------------------------------------------------------------------------------------------- lists, parts


ACTIONS["one"] = lambda s: [s[0]]
ACTIONS["two"] = lambda s: [s[0], s[2]]
ACTIONS["first"] = ACTIONS["lines"] = lambda s: s[0]
ACTIONS["second"] = lambda s: s[1]
ACTIONS["third"] = lambda s: s[2]
ACTIONS["none"] = lambda s: []


@_action()
def more(s: list[Any]) -> Any:
    s[0].append(s[2])
    return s[0]


@_action()
def push(s: list[Any]) -> Any:
    s[0].append(s[1])
    return s[0]


@_action("lines_more")
def _lines_more(s: list[Any]) -> Any:
    s[0] += s[1]
    return s[0]


@_action()
def compare_more(s: list[Any]) -> Any:
    s[0] += s[1:]
    return s[0]


@_action()
def enter(s: list[Any]) -> Token:
    """An operator after which everything is one level deeper, until the rule that begins with it ends."""
    token: Token = s[0]
    token.layout.enter(token.span)
    return token


# ---------------------------------------------------------------------------------------------- expressions


@_action()
def binary(s: list[Any]) -> Binary:
    left, operator, right = s
    return _new(Binary, (_new(Span, (left[0][0], right[0][1])), BINARY[operator[2]], operator[1], left, right))


@_action()
def unary(s: list[Any]) -> Unary:
    operator, operand = s
    operator.layout.depth -= 1
    return _new(Unary, (_new(Span, (operator[1][0], operand[0][1])), UNARY[operator[2]], operand))


@_action()
def raised(s: list[Any]) -> list[Any]:
    s[1].layout.enter(s[1].span)
    return s


@_action()
def power(s: list[Any]) -> Binary:
    (base, operator), exponent = s
    operator.layout.depth -= 1
    return _new(Binary, (_new(Span, (base[0][0], exponent[0][1])), "pow", operator[1], base, exponent))


@_action("and_")
def _and(s: list[Any]) -> BoolOp:
    operands = s[0]
    return _new(BoolOp, (_new(Span, (operands[0][0][0], operands[-1][0][1])), "and", tuple(operands)))


@_action("or_")
def _or(s: list[Any]) -> BoolOp:
    operands = s[0]
    return _new(BoolOp, (_new(Span, (operands[0][0][0], operands[-1][0][1])), "or", tuple(operands)))


@_action()
def compare(s: list[Any]) -> Compare:
    parts = s[0]
    span = _new(Span, (parts[0][0][0], parts[-1][0][1]))
    return _new(Compare, (span, tuple([COMPARE[token[2]] for token in parts[1::2]]), tuple(parts[::2])))


@_action()
def condition(s: list[Any]) -> list[Any]:
    s[3].layout.enter(s[3].span)
    return s


@_action()
def if_exp(s: list[Any]) -> IfExp:
    (body, _, test, last), orelse = s
    last.layout.depth -= 1
    return _new(IfExp, (_new(Span, (body[0][0], orelse[0][1])), test, body, orelse))


@_action()
def lambda_head(s: list[Any]) -> tuple[Token, tuple[Parameter, ...]]:
    s[0].layout.enter(s[0].span)
    return s[0], _parameters(s[1] if len(s) > 2 else [])


@_action()
def lambda_(s: list[Any]) -> Lambda:
    (head, params), body = s
    head.layout.depth -= 1
    return Lambda(_from(head, body), params, body)


@_action()
def named_expr(s: list[Any]) -> NamedExpr:
    return NamedExpr(_from(s[0], s[2]), s[0], s[2])


@_action()
def attribute(s: list[Any]) -> Attribute:
    return _new(Attribute, (_from(s[0], s[2]), s[0], s[2].id))


@_action()
def call(s: list[Any]) -> Call:
    func = s[0]
    span = _new(Span, (func[0][0], s[-1][1][1]))
    if len(s) == 3:
        return _new(Call, (span, func, (), ()))
    args = s[2]
    for arg in args:
        if type(arg) is Keyword:
            break
    else:
        return _new(Call, (span, func, tuple(args), ()))
    positional: list[Expr] = []
    keywords: dict[str, Keyword] = {}
    for arg in args:
        if type(arg) is Keyword:
            if arg.name in keywords:
                raise Mistake("keyword-repeated", arg.span, arg.name)
            keywords[arg.name] = arg
        elif keywords:
            raise Mistake("positional-after-keyword", arg.span)
        else:
            positional.append(arg)
    return Call(span, func, tuple(positional), tuple(keywords.values()))


@_action()
def call_generator(s: list[Any]) -> Call:
    return Call(_from(s[0], s[3]), s[0], (s[2],), ())


@_action()
def keyword(s: list[Any]) -> Keyword:
    return Keyword(_from(s[0], s[2]), s[0].id, s[2])


@_action()
def group(s: list[Any]) -> Any:
    """A parenthesised expression is the expression; its span takes the parentheses in, so that those around it do."""
    node = s[1]
    return _new(type(node), (_from(s[0], s[2]), *node[1:]))


@_action()
def empty_tuple(s: list[Any]) -> Tuple:
    return Tuple(_from(s[0], s[1]), ())


@_action()
def group_tuple(s: list[Any]) -> Tuple:
    elements = s[1] if type(s[1]) is list else (s[1],)
    return _new(Tuple, (_from(s[0], s[-1]), tuple(elements)))


@_action()
def bare_tuple(s: list[Any]) -> Tuple:
    elements = s[0] if type(s[0]) is list else (s[0],)
    return _new(Tuple, (_from(elements[0], s[1] if len(s) > 1 else elements[-1]), tuple(elements)))


@_action()
def subscript(s: list[Any]) -> Subscript:
    return _new(Subscript, (_from(s[0], s[3]), s[0], s[2]))


@_action("slice")
def _slice(s: list[Any]) -> Slice:
    bounds: list[Expr | None] = [None]
    for part in s:
        if type(part) is Token:
            bounds.append(None)
        else:
            bounds[-1] = part
    bounds += [None] * (3 - len(bounds))
    return Slice(_from(s[0], s[-1]), *bounds)


@_action()
def clause(s: list[Any]) -> tuple[list[Any], list[Expr]]:
    """The parts of `for target in iter`, and the tests that follow."""
    return s, []


@_action()
def clauses_more(s: list[Any]) -> list[Any]:
    """A further `for` is a loop in those before it: one level deeper. The first one's level is that of the parentheses."""
    head = s[1][0][0]
    head.layout.enter(head.span)
    s[0].append(s[1])
    return s[0]  # type: ignore[no-any-return]


@_action()
def clause_if(s: list[Any]) -> tuple[list[Any], list[Expr]]:
    loop: tuple[list[Any], list[Expr]] = s[0]
    loop[1].append(s[2])
    return loop


@_action()
def generator(s: list[Any]) -> Generator:
    element, loops = s
    clauses = []
    loops[0][0][0].layout.depth -= len(loops) - 1
    for (head, target, _, iter), tests in loops:
        clauses.append(Clause(_from(head, tests[-1] if tests else iter), to_target(target), iter, tuple(tests)))
    return Generator(_from(element, clauses[-1]), element, tuple(clauses))


# ----------------------------------------------------------------------------------------------- statements


_KINDS = {
    Constant: "a literal", Attribute: "an attribute", Unary: "an expression", Binary: "an expression", Compare: "a comparison",
    BoolOp: "an expression", IfExp: "a conditional expression", NamedExpr: "a named expression", Call: "a function call",
    Generator: "a generator expression", Lambda: "a lambda", Slice: "a slice", Tuple: "a tuple", Subscript: "a subscript",
}  # fmt: skip


def to_target(node: Expr) -> Target:
    """The same node, if it can be assigned to."""
    if type(node) is Name:
        return node
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if type(found) is Tuple:
            waiting += reversed(found.elements)
        elif type(found) is Constant and type(found.value) in (bool, type(None)):
            raise Mistake("assign-to-constant", found.span, str(found.value))
        elif type(found) is not Name and type(found) is not Subscript:
            raise Mistake("assign-to", found.span, _KINDS[type(found)])
    return node  # type: ignore[return-value]


@_action()
def expression_statement(s: list[Any]) -> ExprStmt:
    return _new(ExprStmt, (s[0][0], s[0]))


@_action()
def assign(s: list[Any]) -> Assign:
    targets, value = s
    return _new(Assign, (_from(targets[0], value), tuple([to_target(target) for target in targets]), value))


@_action()
def augmented(s: list[Any]) -> AugAssign:
    target, operator, value = s
    if type(target) is not Name and type(target) is not Subscript:
        raise Mistake("augmented-target", target.span, _KINDS[type(target)])
    return _new(AugAssign, (_from(target, value), target, BINARY[operator[2][:-1]], operator[1], value))


@_action()
def annotated(s: list[Any]) -> AnnAssign:
    target = s[0]
    if type(target) is not Name:
        raise Mistake("annotated-target", target.span, _KINDS[type(target)])
    return AnnAssign(_from(target, s[-1]), target, s[2], s[4] if len(s) > 3 else None)


ACTIONS["pass_"] = lambda s: Pass(s[0].span)
ACTIONS["break_"] = lambda s: Break(s[0].span)
ACTIONS["continue_"] = lambda s: Continue(s[0].span)
ACTIONS["return_"] = lambda s: Return(_from(s[0], s[-1]), s[1] if len(s) > 1 else None)
ACTIONS["assert_"] = lambda s: Assert(_from(s[0], s[-1]), s[1], s[3] if len(s) > 2 else None)


@_action()
def raise_(s: list[Any]) -> Raise:
    span = _from(s[0], s[-1])
    if len(s) == 1:
        raise Mistake("raise-nothing", span)
    value = s[1]
    if type(value) is Name:
        return Raise(span, value.id, None)
    if type(value) is Call and type(value.func) is Name and not value.keywords and len(value.args) < 2:
        if not value.args:
            return Raise(span, value.func.id, None)
        message = value.args[0]
        if type(message) is Constant and type(message.value) is str:
            return Raise(span, value.func.id, message.value)
    raise Mistake("raise-what", value.span)


@_action()
def branch(s: list[Any]) -> list[Any]:
    head, body = s
    return [head[0], (head[1], body)]


@_action()
def branch_more(s: list[Any]) -> Any:
    s[0].append((s[1], s[2]))
    return s[0]


@_action()
def if_(s: list[Any]) -> If:
    head, *branches = s[0]
    orelse = s[1] if len(s) > 1 else ()
    last = orelse or branches[-1][1]
    return If(_from(head, last[-1]), tuple(branches), orelse)


@_action()
def while_(s: list[Any]) -> While:
    head, body = s[0], s[1]
    orelse = s[2] if len(s) > 2 else ()
    return While(_from(head[0], (orelse or body)[-1]), head[1], body, orelse)


@_action()
def for_(s: list[Any]) -> For:
    head, body = s[0], s[1]
    orelse = s[2] if len(s) > 2 else ()
    return For(_from(head[0], (orelse or body)[-1]), to_target(head[1]), head[3], body, orelse)


@_action()
def body(s: list[Any]) -> tuple[Any, ...]:
    return tuple(s[0] if len(s) == 1 else s[2])


@_action()
def parameter(s: list[Any]) -> Parameter:
    return Parameter(s[0].span, s[0].id, None, None, "any")


@_action()
def parameter_default(s: list[Any]) -> Parameter:
    return Parameter(_from(s[0], s[2]), s[0].id, None, s[2], "any")


@_action()
def parameter_annotated(s: list[Any]) -> Parameter:
    return Parameter(_from(s[0], s[-1]), s[0].id, s[2], s[4] if len(s) > 3 else None, "any")


ACTIONS["marker"] = lambda s: s[0]


def _parameters(items: list[Any]) -> tuple[Parameter, ...]:
    """Parameters with their kinds, after the rules for `/`, `*` and defaults."""
    found: list[Parameter] = []
    names: set[str] = set()
    star = slash = None
    defaults = False
    for item in items:
        if type(item) is Token:
            if item.value == "/":
                if slash or star or not found:
                    raise Mistake("slash-place", item.span)
                slash = item
                found = [parameter._replace(kind="positional") for parameter in found]
            else:
                if star:
                    raise Mistake("star-twice", item.span)
                star = item
            continue
        if item.name in names:
            raise Mistake("parameter-repeated", item.span, item.name)
        names.add(item.name)
        if star:
            item = item._replace(kind="keyword")
        elif item.default is not None:
            defaults = True
        elif defaults:
            raise Mistake("default-order", item.span)
        found.append(item)
    if star and items[-1] is star:
        raise Mistake("star-last", star.span)
    return tuple(found)


@_action()
def function_def(s: list[Any]) -> FunctionDef:
    head, body = s
    span = _from(head[0], body[-1])
    returns = head[4] if len(head) > 4 else None
    doc = None
    first = body[0]
    if type(first) is ExprStmt and type(first.value) is Constant and type(first.value.value) is str:
        doc = first.value.value
        body = body[1:]
    return FunctionDef(span, head[1].id, head[1].span, _parameters(head[2]), returns, doc, body)


@_action()
def program(s: list[Any]) -> Program:
    statements = s[0]
    return _new(Program, (_from(statements[0], statements[-1]), tuple(statements)))
