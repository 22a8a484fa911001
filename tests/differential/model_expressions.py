"""Expressions of the oracle: each becomes CPython's own, with the stated divergences made explicit, and has a type.

In: a node and the types of variables; out: the node to run instead, and its type. Always holds: parts are evaluated in
Python's order, once.
"""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING, Any

from . import model_builtins as mb
from .model_types import Bottom, Env, IntLiteral, Unmodelled, calling, join, known, literal, plain, type_of

if TYPE_CHECKING:
    from .divergences import Program


class Expressions:
    """The half of `Rewriter` that knows expressions."""

    program: Program
    never: bool

    def unknown(self, node: ast.AST, env: Env) -> Any:
        raise Unmodelled(ast.unparse(node))

    def range(self, node: ast.expr, env: Env) -> tuple[ast.expr, Any]:
        raise NotImplementedError

    def expr(self, node: ast.expr, env: Env) -> tuple[ast.expr, Any]:
        made, ty = getattr(self, "do_" + type(node).__name__, self.unknown)(node, env)
        for part in (made, getattr(made, "func", None)):
            if part is not None:
                ast.copy_location(part, node)
        return made, ty

    def do_Name(self, node: ast.Name, env: Env) -> Any:
        if node.id in env:
            return ast.Name(node.id, ast.Load()), env[node.id]
        if node.id in ("pi", "e", "tau", "inf", "nan"):
            return ast.Constant(getattr(math, node.id)), "f"
        raise Unmodelled(node.id)

    def do_Attribute(self, node: ast.Attribute, env: Env) -> Any:
        if isinstance(node.value, ast.Name) and node.value.id == "math":
            return self.do_Name(ast.Name(node.attr, ast.Load()), {})
        raise Unmodelled(ast.unparse(node))

    def do_Constant(self, node: ast.Constant, env: Env) -> Any:
        value = node.value
        return ast.Constant(value), literal(value) if type(value) is int else type_of(value)

    def do_UnaryOp(self, node: ast.UnaryOp, env: Env) -> Any:
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            value = node.operand.value
            if type(value) in (int, float):
                return ast.Constant(-value), literal(-value) if type(value) is int else "f"
        value, ty = self.expr(node.operand, env)
        made = ast.UnaryOp(node.op, value)
        if isinstance(node.op, ast.Not):
            return made, "b"
        if ty == "f":
            return made, "f"
        return calling("_chk", ast.copy_location(made, node)), literal(ty.value) if isinstance(
            node.op, ast.UAdd
        ) and isinstance(ty, IntLiteral) else "i"

    def do_BinOp(self, node: ast.BinOp, env: Env) -> Any:
        left, a = self.expr(node.left, env)
        right, b = self.expr(node.right, env)
        return self.binary(node, left, a, right, b)

    def binary(self, node: ast.BinOp, left: ast.expr, a: Any, right: ast.expr, b: Any) -> Any:
        op = node.op
        made = ast.copy_location(ast.BinOp(left, op, right), node)
        if isinstance(op, ast.Pow):
            return self.power(left, a, right, b)
        if "f" in (a, b) or isinstance(op, ast.Div):
            return made, "f"
        if isinstance(op, (ast.BitAnd, ast.BitOr, ast.BitXor)) and a == b == "b":
            return made, "b"
        if isinstance(op, ast.LShift):
            return calling("_shl", left, right), "i"
        return calling("_chk", made), "i"

    def power(self, left: ast.expr, a: Any, right: ast.expr, b: Any) -> Any:
        if "f" in (a, b):
            return calling("_pow_f", left, right), "f"
        if isinstance(b, IntLiteral) and b.value < 0:
            return ast.BinOp(left, ast.Pow(), right), "f"
        return calling("_pow_i", left, right), "i"

    def do_Compare(self, node: ast.Compare, env: Env) -> Any:
        parts = [self.expr(each, env)[0] for each in (node.left, *node.comparators)]
        return ast.Compare(parts[0], node.ops, parts[1:]), "b"

    def do_BoolOp(self, node: ast.BoolOp, env: Env) -> Any:
        parts = self.ways(node.values, env)
        ty = parts[0][1]
        for _, other in parts[1:]:
            ty = join(plain(ty), plain(other))
        return calling(
            self.program.coercion(ty), ast.copy_location(ast.BoolOp(node.op, [p for p, _ in parts]), node)
        ), ty

    def ways(self, nodes: list[ast.expr], env: Env) -> list[tuple[ast.expr, Any]]:
        """What the value may come from; a call that has not been seen to return gives none."""
        found: list[tuple[ast.expr, Any]] = []
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

    def do_IfExp(self, node: ast.IfExp, env: Env) -> Any:
        way = known(node.test)
        test, _ = self.expr(node.test, env)
        if way is not None:
            value, ty = self.expr(node.body if way else node.orelse, env)
            never = ast.Constant(None)
            return (ast.IfExp(test, value, never) if way else ast.IfExp(test, never, value)), ty
        ways = self.ways([node.body, node.orelse], env)
        if len(ways) == 1:
            return ways[0]
        (body, a), (orelse, b) = ways
        ty = join(plain(a), plain(b))
        return calling(self.program.coercion(ty), ast.copy_location(ast.IfExp(test, body, orelse), node)), ty

    def do_NamedExpr(self, node: ast.NamedExpr, env: Env) -> Any:
        value, ty = self.expr(node.value, env)
        if node.target.id in env and plain(env[node.target.id]) != plain(ty):
            raise Unmodelled("a named expression that changes a type")
        env[node.target.id] = plain(ty)  # it may stand where it is not always evaluated: no literal then
        return ast.NamedExpr(node.target, value), ty

    def do_Tuple(self, node: ast.Tuple, env: Env) -> Any:
        parts = [self.expr(each, env) for each in node.elts]
        return ast.Tuple([p for p, _ in parts], ast.Load()), tuple(ty for _, ty in parts)

    def do_Subscript(self, node: ast.Subscript, env: Env) -> Any:
        value, ty = self.expr(node.value, env)
        index, at = self.expr(node.slice, env)
        return ast.Subscript(value, index, ast.Load()), plain(ty[at.value])

    def do_Call(self, node: ast.Call, env: Env) -> Any:
        name = ast.unparse(node.func)
        if name in self.program.functions:
            return self.call(node, name, env)
        if len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp):
            element, ty = self.generator(node.args[0], env)
            option = [self.expr(keyword.value, env) for keyword in node.keywords]
            result, ty = mb.reduction_type(name, ty, [t for _, t in option], join, plain)
            call = calling(result, element)
            call.keywords = [ast.keyword(k.arg, value) for k, (value, _) in zip(node.keywords, option)]
            return calling(self.program.coercion(ty), ast.copy_location(call, node)), ty
        if name == "pow" and len(node.args) == 2:
            (left, a), (right, b) = [self.expr(arg, env) for arg in node.args]
            return self.power(left, a, right, b)
        parts = [self.expr(arg, env) for arg in node.args]
        options = [(k.arg, self.expr(k.value, env)[0]) for k in node.keywords]
        function, ty = mb.call_type(name, [plain(ty) for _, ty in parts], join)
        if len(parts) == 1 and isinstance(parts[0][1], IntLiteral) and name in mb.KEEP:
            ty = parts[0][1]
        call = calling(function, *[p for p, _ in parts])
        call.keywords = [ast.keyword(key, value) for key, value in options]
        return calling(self.program.coercion(ty), ast.copy_location(call, node)), ty

    def generator(self, node: ast.GeneratorExp, env: Env) -> tuple[ast.expr, Any]:
        inner = dict(env)
        clauses = []
        reached = True
        for clause in node.generators:
            over, _ = self.range(clause.iter, inner)
            assert isinstance(clause.target, ast.Name)
            inner[clause.target.id] = "i"
            reached = reached and all(known(test) is not False for test in clause.ifs)
            clauses.append(ast.comprehension(clause.target, over, [self.expr(t, inner)[0] for t in clause.ifs], 0))
        element, ty = self.expr(node.elt, inner)
        return ast.copy_location(ast.GeneratorExp(element, clauses), node), plain(ty) if reached else "b"

    def call(self, node: ast.Call, name: str, env: Env) -> Any:
        function = self.program.functions[name]
        args = {param.arg: self.expr(arg, env) for param, arg in zip(function.args.args, node.args)}
        for keyword in node.keywords:
            args[keyword.arg or ""] = self.expr(keyword.value, env)
        ordered = []
        defaults = dict(zip([p.arg for p in function.args.args][::-1], function.args.defaults[::-1]))
        for param in function.args.args:
            ordered.append(args.get(param.arg) or self.expr(defaults[param.arg], {}))
        instance = self.program.instance(name, tuple(plain(ty) for _, ty in ordered))
        if instance not in self.program.results and not self.program.settled:
            raise Bottom
        call = calling(instance, *[args[p.arg][0] for p, _ in zip(function.args.args, node.args)])
        call.keywords = [ast.keyword(k.arg, args[k.arg or ""][0]) for k in node.keywords]
        if instance not in self.program.results:
            self.never = True
            return call, "b"  # a type that gives way to every other: the value never comes
        return call, self.program.results[instance]
