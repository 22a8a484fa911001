"""CPython with the stated divergences of DESIGN §2.5, and with nothing else: the oracle of generated programs.

In: a text of the language and the types of one call's arguments. Out: a Python function, the text's own code after rewriting, and
`Trace`, which says whether a call of it met a divergence; where it met none, the text as it stands must answer the same.
Always holds: all that jib may do otherwise than Python stands in this file. It is
- ints: every result of an operator or a builtin outside 64 bits is OverflowError (`_chk` and its neighbours);
- `int ** negative int` is ValueError unless the exponent is a literal; a complex power is ValueError;
- types: where the ways of control flow join, bool gives way to int and int to float: variables, `if else`, `and`/`or`, `min`/`max`,
  `where`, `sum` and `prod`, results of functions. `Rewriter` infers types forward over the tree and adds the conversions;
- annotations convert;
- `sum` adds from left to right.

Types are "b", "i", "f", "n" (None) and tuples of them. An `IntLiteral` is an "i" that is known to be a literal.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any

from . import model_builtins as mb

NUMERIC = "bif"


class Unmodelled(Exception):
    """The program has something that this oracle does not know."""


class Bottom(Exception):
    """A call of a function that has not been seen to return: nothing behind it is known to happen."""


class IntLiteral(str):
    """The type of an int whose value the text says."""

    __slots__ = ("value",)
    value: int


def literal(value: int) -> IntLiteral:
    made = IntLiteral("i")
    made.value = value
    return made


def join(a: Any, b: Any) -> Any:
    """The type of a variable that has one type on one way and the other on another."""
    if a is b:
        return a
    if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        return tuple(join(x, y) for x, y in zip(a, b))
    if a == b:
        return str(a)
    if isinstance(a, str) and isinstance(b, str) and a in NUMERIC and b in NUMERIC:
        return max(str(a), str(b), key=NUMERIC.index)
    raise Unmodelled(f"{a} joins {b}")


def plain(ty: Any) -> Any:
    """A type without what is known of values."""
    return tuple(plain(item) for item in ty) if isinstance(ty, tuple) else str(ty)


def type_of(value: Any) -> Any:
    """The type of an argument."""
    if isinstance(value, tuple):
        return tuple(type_of(item) for item in value)
    return {bool: "b", int: "i", float: "f", type(None): "n"}[type(value)]


Env = dict[str, Any]


def join_env(a: Env | None, b: Env | None) -> Env | None:
    if a is None or b is None:
        return b if a is None else a
    joined = dict(a)
    for name, ty in b.items():
        joined[name] = join(joined[name], ty) if name in joined else ty
    return joined


ANNOTATIONS = {"int": "i", "float": "f", "bool": "b", "None": "n"}


def annotation(node: ast.expr) -> Any:
    if isinstance(node, ast.Name) and node.id in ANNOTATIONS:
        return ANNOTATIONS[node.id]
    if isinstance(node, ast.Constant) and node.value is None:
        return "n"
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "tuple":
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return tuple(annotation(part) for part in parts)
    raise Unmodelled(ast.unparse(node))


def known(test: ast.expr) -> bool | None:
    """Which way a condition goes, if the text says it: jib never goes the other, nor types it."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = known(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        ways = [known(each) for each in test.values]
        stop = isinstance(test.op, ast.Or)
        return stop if stop in ways else None if None in ways else not stop
    return None


def _call(function: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(function, ast.Load()), list(args), [])


class Rewriter:
    """One function for one combination of argument types: its rewritten body and the type of its result."""

    def __init__(self, program: Program, function: ast.FunctionDef) -> None:
        self.program = program
        self.function = function
        self.result: Any = None
        self.never = False  # whether this statement calls what never returns
        self.loops: list[tuple[list[Env], list[Env]]] = []  # where each loop is left by break, and by continue

    # -------------------------------------------------------------------------------------------- statements

    def coercions(self, before: list[Env], after: Env, node: ast.AST, skip: str = "") -> list[ast.stmt]:
        """What makes variables of the types before be of the types after."""
        made: list[ast.stmt] = []
        for name, ty in after.items():
            if name != skip and any(name in env and plain(env[name]) != plain(ty) for env in before):
                text = f"try:\n {name} = {self.program.coercion(ty)}({name})\nexcept UnboundLocalError: pass"
                made += ast.parse(text).body
        for each in made:
            for part in ast.walk(each):
                ast.copy_location(part, node)
        return made

    def body(self, statements: list[ast.stmt], env: Env | None) -> tuple[list[ast.stmt], Env | None]:
        out: list[ast.stmt] = []
        for statement in statements:
            if env is None:
                break  # never reached: jib types none of it
            self.never = False
            try:
                made, env = getattr(self, "do_" + type(statement).__name__, self.unknown)(statement, dict(env))
            except Bottom:
                made, env = [statement], None
            env = None if self.never else env
            self.never = False
            out += [ast.copy_location(each, statement) for each in made]
        return out, env

    def unknown(self, node: ast.AST, env: Env) -> Any:
        raise Unmodelled(ast.unparse(node))

    def do_Expr(self, node: ast.Expr, env: Env) -> Any:
        value, _ = self.expr(node.value, env)
        return [ast.Expr(value)], env

    def do_Pass(self, node: ast.Pass, env: Env) -> Any:
        return [ast.Pass()], env

    def do_Assign(self, node: ast.Assign, env: Env) -> Any:
        value, ty = self.expr(node.value, env)
        for target in node.targets:
            self.assign(target, ty, env)
        return [ast.Assign(node.targets, value)], env

    def assign(self, target: ast.expr, ty: Any, env: Env) -> None:
        if isinstance(target, ast.Name):
            env[target.id] = ty
        elif isinstance(target, ast.Tuple) and isinstance(ty, tuple) and len(ty) == len(target.elts):
            for each, item in zip(target.elts, ty):
                self.assign(each, item, env)
        else:
            raise Unmodelled(ast.unparse(target))

    def do_AnnAssign(self, node: ast.AnnAssign, env: Env) -> Any:
        assert isinstance(node.target, ast.Name)
        if node.value is None:
            return [ast.Pass()], env
        value, _ = self.expr(node.value, env)
        env[node.target.id] = ty = annotation(node.annotation)
        return [ast.Assign([node.target], _call(self.program.coercion(ty), value))], env

    def do_AugAssign(self, node: ast.AugAssign, env: Env) -> Any:
        assert isinstance(node.target, ast.Name)
        load = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)
        value, ty = self.expr(ast.copy_location(ast.BinOp(load, node.op, node.value), node), env)
        env[node.target.id] = ty
        return [ast.Assign([node.target], value)], env

    def do_If(self, node: ast.If, env: Env) -> Any:
        test, _ = self.expr(node.test, env)
        after_test = dict(env)
        way = known(node.test)
        then, env1 = self.body(node.body, None if way is False else after_test)
        other, env2 = self.body(node.orelse, None if way else after_test)
        after = join_env(env1, env2)
        out: list[ast.stmt] = [ast.If(test, then or [ast.Pass()], other)]
        if after is not None:
            out += self.coercions([e for e in (env1, env2) if e is not None], after, node)
        return out, after

    def do_While(self, node: ast.While, env: Env) -> Any:
        way = known(node.test)
        incoming = [env]
        head = env
        while True:
            at_test = dict(head)
            test, _ = self.expr(node.test, at_test)
            self.loops.append(([], []))
            body, end = self.body(node.body, None if way is False else at_test)
            breaks, continues = self.loops.pop()
            incoming = [env, *([end] if end is not None else []), *continues]
            new = head
            for each in incoming:
                new = join_env(new, each) or {}
            if self.same(new, head):
                break
            head = new
        wanted = self.coercions(incoming, head, node)
        if wanted:
            test = ast.Subscript(
                ast.Tuple([*[self.inline(each) for each in wanted], test], ast.Load()), ast.Constant(-1), ast.Load()
            )
        orelse, after = self.body(node.orelse, None if way else at_test)
        return self.leave(ast.While(test, body or [ast.Pass()], orelse), node, after, breaks)

    def inline(self, statement: ast.stmt) -> ast.expr:
        assert isinstance(statement, ast.Try)
        assign = statement.body[0]
        assert isinstance(assign, ast.Assign) and isinstance(assign.targets[0], ast.Name)
        return ast.NamedExpr(ast.Name(assign.targets[0].id, ast.Store()), assign.value)

    def leave(self, loop: Any, node: ast.stmt, after: Env | None, breaks: list[Env]) -> Any:
        ways = breaks + ([after] if after is not None else [])
        joined: Env | None = None
        for way in ways:
            joined = join_env(joined, way)
        return [loop, *(self.coercions(ways, joined, node) if joined is not None else [])], joined

    @staticmethod
    def same(a: Env, b: Env) -> bool:
        return a.keys() == b.keys() and all(
            a[k] is b[k] or (plain(a[k]) == b[k] and type(a[k]) is type(b[k])) for k in a
        )

    def do_For(self, node: ast.For, env: Env) -> Any:
        over, start = self.range(node.iter, env)
        assert isinstance(node.target, ast.Name)
        target = node.target.id
        head = env
        item: Any = "i"
        while True:
            inside = dict(head)
            inside[target] = item
            self.loops.append(([], []))
            body, end = self.body(node.body, inside)
            breaks, continues = self.loops.pop()
            incoming = [env, *([end] if end is not None else []), *continues]
            new = head
            for each in incoming:
                new = join_env(new, each) or {}
            if end is None and not continues and item is not start:
                item = start  # there is no second turn: the counter is the literal it starts with, if it is one
            elif self.same(new, head):
                break
            head = new
        first = self.coercions(incoming, head, node, skip=target)
        orelse, after = self.body(node.orelse, dict(head))
        orelse = self.coercions(incoming, head, node) + orelse
        return self.leave(ast.For(node.target, over, first + body, orelse), node, after, breaks)

    def range(self, node: ast.expr, env: Env) -> tuple[ast.expr, Any]:
        """A call of range, and the type of its first item."""
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"):
            raise Unmodelled(ast.unparse(node))
        parts = [self.expr(arg, env) for arg in node.args]
        start = parts[0][1] if len(parts) > 1 else literal(0)
        start = "i" if start == "b" else start
        return ast.copy_location(_call("range", *[part for part, _ in parts]), node), start

    def do_Break(self, node: ast.Break, env: Env) -> Any:
        self.loops[-1][0].append(env)
        return [ast.Break()], None

    def do_Continue(self, node: ast.Continue, env: Env) -> Any:
        self.loops[-1][1].append(env)
        return [ast.Continue()], None

    def do_Return(self, node: ast.Return, env: Env) -> Any:
        value, ty = self.expr(node.value or ast.copy_location(ast.Constant(None), node), env)
        self.result = ty if self.result is None else join(self.result, ty)
        declared = self.function.returns
        final = annotation(declared) if declared is not None else self.program.results.get(self.function.name, ty)
        return [ast.Return(_call(self.program.coercion(final), value))], None

    def do_Assert(self, node: ast.Assert, env: Env) -> Any:
        return [ast.Assert(self.expr(node.test, env)[0], node.msg)], env

    def do_Raise(self, node: ast.Raise, env: Env) -> Any:
        return [ast.Raise(node.exc, None)], None

    # ------------------------------------------------------------------------------------------- expressions

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
        return _call("_chk", ast.copy_location(made, node)), literal(ty.value) if isinstance(
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
            return _call("_shl", left, right), "i"
        return _call("_chk", made), "i"

    def power(self, left: ast.expr, a: Any, right: ast.expr, b: Any) -> Any:
        if "f" in (a, b):
            return _call("_pow_f", left, right), "f"
        if isinstance(b, IntLiteral) and b.value < 0:
            return ast.BinOp(left, ast.Pow(), right), "f"
        return _call("_pow_i", left, right), "i"

    def do_Compare(self, node: ast.Compare, env: Env) -> Any:
        parts = [self.expr(each, env)[0] for each in (node.left, *node.comparators)]
        return ast.Compare(parts[0], node.ops, parts[1:]), "b"

    def do_BoolOp(self, node: ast.BoolOp, env: Env) -> Any:
        parts = self.ways(node.values, env)
        ty = parts[0][1]
        for _, other in parts[1:]:
            ty = join(plain(ty), plain(other))
        return _call(self.program.coercion(ty), ast.copy_location(ast.BoolOp(node.op, [p for p, _ in parts]), node)), ty

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
            return self.expr(node.body if way else node.orelse, env)
        ways = self.ways([node.body, node.orelse], env)
        if len(ways) == 1:
            return ways[0]
        (body, a), (orelse, b) = ways
        ty = join(plain(a), plain(b))
        return _call(self.program.coercion(ty), ast.copy_location(ast.IfExp(test, body, orelse), node)), ty

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
            call = _call(result, element)
            call.keywords = [ast.keyword(k.arg, value) for k, (value, _) in zip(node.keywords, option)]
            return _call(self.program.coercion(ty), ast.copy_location(call, node)), ty
        if name == "pow" and len(node.args) == 2:
            (left, a), (right, b) = [self.expr(arg, env) for arg in node.args]
            return self.power(left, a, right, b)
        parts = [self.expr(arg, env) for arg in node.args]
        options = [(k.arg, self.expr(k.value, env)[0]) for k in node.keywords]
        function, ty = mb.call_type(name, [plain(ty) for _, ty in parts], join)
        if len(parts) == 1 and isinstance(parts[0][1], IntLiteral) and name in mb.KEEP:
            ty = parts[0][1]
        call = _call(function, *[p for p, _ in parts])
        call.keywords = [ast.keyword(key, value) for key, value in options]
        return _call(self.program.coercion(ty), ast.copy_location(call, node)), ty

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
        call = _call(instance, *[args[p.arg][0] for p, _ in zip(function.args.args, node.args)])
        call.keywords = [ast.keyword(k.arg, args[k.arg or ""][0]) for k in node.keywords]
        if instance not in self.program.results:
            self.never = True
            return call, "b"  # a type that gives way to every other: the value never comes
        return call, self.program.results[instance]


class Program:
    """A text for one combination of argument types."""

    def __init__(self, text: str, params: tuple[str, ...], types: tuple[Any, ...]) -> None:
        tree = ast.parse(text)
        self.functions = {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef)}
        if not self.functions:
            head = f"def __entry__({', '.join(params)}): pass"
            entry = ast.parse(head).body[0]
            assert isinstance(entry, ast.FunctionDef)
            last = tree.body[-1]
            if isinstance(last, ast.Expr):
                tree.body[-1] = ast.copy_location(ast.Return(last.value), last)
            entry.body = tree.body
            self.functions = {"__entry__": entry}
        self.trace = mb.Trace()
        self.names = mb.names(self.trace)
        self.results: dict[str, Any] = {}
        self.instances: dict[tuple[str, tuple[Any, ...]], str] = {}
        self.entry = self.instance(list(self.functions)[-1], types)
        self.made: dict[str, ast.FunctionDef] = {}
        self.settled = False
        while True:  # results of recursive functions rise until they stay
            before = dict(self.results), len(self.instances)
            for (name, given), instance in list(self.instances.items()):
                self.made[instance] = self.rewrite(name, given, instance)
            if (self.results, len(self.instances)) == before and self.made.keys() == set(self.instances.values()):
                if self.settled:
                    break
                self.settled = True
        module = ast.fix_missing_locations(ast.Module(list(self.made.values()), []))
        exec(compile(module, "<model>", "exec"), self.names)
        self.function: Callable[..., Any] = self.names[self.entry]

    def instance(self, name: str, types: tuple[Any, ...]) -> str:
        key = (name, types)
        if key not in self.instances:
            self.instances[key] = f"{name}__{len(self.instances)}"
        return self.instances[key]

    def coercion(self, ty: Any) -> str:
        name = "_co_" + repr(plain(ty)).translate({ord(c): "_" for c in "(), '"})
        if name not in self.names:
            self.names[name] = mb.coercion(plain(ty), self.trace)
        return name

    def rewrite(self, name: str, types: tuple[Any, ...], instance: str) -> ast.FunctionDef:
        source = self.functions[name]
        function = ast.FunctionDef(instance, source.args, source.body, [], source.returns)
        rewriter = Rewriter(self, function)
        env: Env = {}
        first: list[ast.stmt] = []
        for param, ty in zip(source.args.args, types):
            if param.annotation is not None:
                ty = annotation(param.annotation)
                first += ast.parse(f"{param.arg} = {self.coercion(ty)}({param.arg})").body
            env[param.arg] = ty
        body, _ = rewriter.body(source.body, env)
        result = annotation(source.returns) if source.returns is not None else rewriter.result
        if rewriter.result is not None:
            self.results[instance] = plain(result)
        args = ast.arguments([], [ast.arg(p.arg) for p in source.args.args], None, [], [], None, source.args.defaults)
        return ast.copy_location(ast.FunctionDef(instance, args, first + body, [], None), source)
