"""Expressions of the oracle: each becomes a text of CPython's own, with the stated divergences made explicit, and has a type.

In: a node and the types of variables; out: the text to run instead, and its type. Always holds: parts are evaluated in
Python's order, once; a text is an operand as it stands, and has one line.
"""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING, Any

from . import model_builtins as mb
from .model_types import (
    LEAST,
    MOST,
    Bottom,
    Env,
    Literal,
    Unmodelled,
    as_number,
    join,
    known,
    literal,
    meet,
    plain,
)

if TYPE_CHECKING:
    from .divergences import Program
    from .model_functions import Source

Typed = tuple[str, Any]
OPERATORS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.BitAnd: "&", ast.BitOr: "|",
    ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>", ast.Pow: "**", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
BITWISE = ("&", "|", "^")
CONSTANTS = ("pi", "e", "tau", "inf", "nan")


def written(value: Any) -> str:
    """A constant as an operand."""
    if type(value) is float and not math.isfinite(value):
        return "_c_inf" if value > 0 else "(-_c_inf)" if value < 0 else "_c_nan"
    return f"({value!r})" if type(value) in (int, float) else repr(value)


def dotted(node: ast.expr) -> str:
    """The name of a function."""
    if type(node) is ast.Name:
        return node.id
    if type(node) is ast.Attribute:
        return f"{dotted(node.value)}.{node.attr}"
    raise Unmodelled(ast.unparse(node))


class Expressions:
    """The half of `Rewriter` that knows expressions."""

    program: Program
    source: Source
    never: bool
    nested: dict[str, Source]

    def range(self, node: ast.expr, env: Env) -> Typed:
        raise NotImplementedError

    def expr(self, node: ast.expr, env: Env) -> Typed:
        rule = RULES.get(type(node))
        if rule is None:
            raise Unmodelled(ast.unparse(node))
        found: Typed = rule(self, node, env)
        return found

    def name(self, node: ast.Name, env: Env) -> Typed:
        if node.id in env:
            return node.id, env[node.id]
        if node.id in CONSTANTS:
            return "_c_" + node.id, literal(getattr(math, node.id))
        if node.id in self.source.writes:
            raise Bottom  # the round before this has not been seen to write it
        raise Unmodelled(node.id)

    def attribute(self, node: ast.Attribute, env: Env) -> Typed:
        name = dotted(node).removeprefix("math.")
        if name not in CONSTANTS:
            raise Unmodelled(name)
        return "_c_" + name, literal(getattr(math, name))

    def constant(self, node: ast.Constant, env: Env) -> Typed:
        value = node.value
        return written(value), "n" if value is None else "s" if type(value) is str else literal(value)

    def unary(self, node: ast.UnaryOp, env: Env) -> Typed:
        op = node.op
        if (
            isinstance(op, ast.USub)
            and isinstance(node.operand, ast.Constant)
            and type(node.operand.value) in (int, float)
        ):
            return written(-node.operand.value), literal(-node.operand.value)
        value, ty = self.expr(node.operand, env)
        if isinstance(op, ast.Not):
            return f"(not {value})", "b"
        if isinstance(op, ast.UAdd):
            return f"(+{value})", ty if isinstance(ty, Literal) and ty != "b" else as_number(ty)
        if isinstance(op, ast.USub):
            if isinstance(ty, Literal) and ty == "f":
                return f"(-{value})", literal(-ty.value)
            return mb.checked(f"(-{value})", as_number(ty)), as_number(ty)
        ty = as_number(ty)
        return (f"({value} ^ {MOST[ty]})" if not LEAST[ty] else f"(~{value})"), ty

    def binary(self, node: ast.BinOp, env: Env) -> Typed:
        left, a = self.expr(node.left, env)
        right, b = self.expr(node.right, env)
        return self.operator(OPERATORS[type(node.op)], left, a, right, b)

    def operator(self, op: str, left: str, a: Any, right: str, b: Any) -> Typed:
        if op in ("<<", ">>"):
            count = f"_chk_i({right})" if b == "u64" else right
            ty = as_number(a)
            return (f"_shl_{ty}({left}, {count})" if op == "<<" else f"({left} >> {count})"), ty
        if op == "**" and isinstance(b, Literal) and b == "i" and b.value < 0 and (a == "b" or a in LEAST):
            return f"({left} ** {right})", "f"
        ty = meet(a, b)
        if op in BITWISE:
            return f"({left} {op} {right})", ty
        ty = as_number(ty)
        if ty == "f32":
            left, right = mb.coerced(left, [a], ty), mb.coerced(right, [b], ty)
        if op == "**":
            float_power = f"_pow_f({left}, {right})"
            return (float_power, ty) if ty == "f" else (mb.checked(float_power, ty), ty) if ty == "f32" else (
                f"_pow_{ty}({left}, {right})", ty)  # fmt: skip
        text = f"({left} {op} {right})"
        if op == "/" and ty in LEAST:
            return text, "f"
        return mb.checked(text, ty), ty

    def compare(self, node: ast.Compare, env: Env) -> Typed:
        left, a = self.expr(node.left, env)
        if isinstance(a, tuple) and len(node.ops) == 1:
            right, _ = self.expr(node.comparators[0], env)
            return f"({'' if isinstance(node.ops[0], ast.Eq) else 'not '}_equal({left}, {right}))", "b"
        parts = [left]
        for op, each in zip(node.ops, node.comparators):
            parts += (OPERATORS[type(op)], self.expr(each, env)[0])
        return f"({' '.join(parts)})", "b"

    def logic(self, node: ast.BoolOp, env: Env) -> Typed:
        parts = self.ways(node.values, env)
        types = [ty for _, ty in parts]
        ty = plain(types[0])
        for other in types[1:]:
            ty = join(ty, plain(other))
        word = " and " if isinstance(node.op, ast.And) else " or "
        return mb.coerced(f"({word.join([text for text, _ in parts])})", types, ty), ty

    def ways(self, nodes: list[ast.expr], env: Env) -> list[Typed]:
        """What the value may come from; a call that has not been seen to return gives none."""
        found: list[Typed] = []
        never = []
        for node in nodes:
            before, self.never = self.never, False
            try:
                found.append(self.expr(node, env))
                never.append(self.never)
            except Bottom:
                pass
            self.never = before
        if not found:
            raise Bottom
        self.never |= all(never)
        return found

    def conditional(self, node: ast.IfExp, env: Env) -> Typed:
        way = known(node.test)
        test, _ = self.expr(node.test, env)
        if way is not None:
            value, ty = self.expr(node.body if way else node.orelse, env)
            return (f"({value} if {test} else None)" if way else f"(None if {test} else {value})"), ty
        ways = self.ways([node.body, node.orelse], env)
        if len(ways) == 1:
            return ways[0]
        (body, a), (orelse, b) = ways
        ty = join(plain(a), plain(b))
        return f"({mb.coerced(body, [a], ty)} if {test} else {mb.coerced(orelse, [b], ty)})", ty

    def named(self, node: ast.NamedExpr, env: Env) -> Typed:
        value, ty = self.expr(node.value, env)
        env[node.target.id] = ty
        return f"({node.target.id} := {value})", ty

    def tuple(self, node: ast.Tuple, env: Env) -> Typed:
        parts = [self.expr(each, env) for each in node.elts]
        return f"({', '.join([text for text, _ in parts])},)" if parts else "()", tuple([plain(ty) for _, ty in parts])

    def subscript(self, node: ast.Subscript, env: Env) -> Typed:
        value, ty = self.expr(node.value, env)
        index, at = self.expr(node.slice, env)
        # What never comes has no elements.
        return f"{value}[{index}]", plain(ty[at.value]) if isinstance(ty, tuple) else plain(ty)

    def call(self, node: ast.Call, env: Env) -> Typed:
        name = dotted(node.func)
        if name in self.nested:
            return self.program.call(self, node, self.nested[name], env)
        if name in self.program.functions:
            return self.program.call(self, node, self.program.functions[name], env)
        if node.args and type(node.args[0]) is ast.GeneratorExp:
            element, ty = self.generator(node.args[0], env)
            option = [self.expr(each, env) for each in node.args[1:]]
            named = [(keyword.arg, *self.expr(keyword.value, env)) for keyword in node.keywords]
            texts = [f"({element})", *[text for text, _ in option], *[f"{key}={text}" for key, text, _ in named]]
            types = [ty for _, ty in option] + [ty for _, _, ty in named]
            return mb.reduction(name, mb.call(mb.canonical(name), texts), ty, types[0] if types else None)
        parts = [self.expr(arg, env) for arg in node.args]
        named = [(keyword.arg, *self.expr(keyword.value, env)) for keyword in node.keywords]
        args, types = [text for text, _ in parts], [ty for _, ty in parts]
        options = [f"{key}={text}" for key, text, _ in named]
        if name == "print":
            return f"print({', '.join(args + options)})", "n"
        if name == "pow" and len(args) + len(named) == 2:
            args += [text for _, text, _ in named]  # `exp=` comes after `base`
            types += [ty for _, _, ty in named]
            return self.operator("**", args[0], types[0], args[1], types[1])
        if name in ("where", "clip", "round", "pow", "sum", "prod"):
            types += [ty for _, _, ty in named]
        return mb.builtin(name, args, types, options)

    def generator(self, node: ast.GeneratorExp, env: Env) -> Typed:
        inner = dict(env)
        text = ""
        reached = True
        own = set()
        for clause in node.generators:
            over, _ = self.range(clause.iter, inner)
            assert isinstance(clause.target, ast.Name)
            own.add(clause.target.id)
            inner[clause.target.id] = "i"
            reached = reached and all(known(test) is not False for test in clause.ifs)
            text += f" for {clause.target.id} in {over}"
            for test in clause.ifs:
                text += f" if {self.expr(test, inner)[0]}"
        element, ty = self.expr(node.elt, inner)
        for name, each in inner.items():  # what `:=` has written
            if name not in env and name not in own:
                env[name] = plain(each)
        return element + text, plain(ty) if reached else None


RULES: dict[type[ast.expr], Any] = {
    ast.Name: Expressions.name,
    ast.Attribute: Expressions.attribute,
    ast.Constant: Expressions.constant,
    ast.UnaryOp: Expressions.unary,
    ast.BinOp: Expressions.binary,
    ast.Compare: Expressions.compare,
    ast.BoolOp: Expressions.logic,
    ast.IfExp: Expressions.conditional,
    ast.NamedExpr: Expressions.named,
    ast.Tuple: Expressions.tuple,
    ast.Subscript: Expressions.subscript,
    ast.Call: Expressions.call,
}
