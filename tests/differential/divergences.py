"""CPython with the stated divergences of DESIGN §2.5, and with nothing else: the oracle of generated programs.

In: a text of the language and the types of one call's arguments. Out: a Python function, the text's own code after rewriting, and
`Trace`, which says whether a call of it met a divergence; where it met none, the text as it stands must answer the same.
Always holds: all that jib may do otherwise than Python stands in this file and in the `model_` files beside it. It is
- ints: every result of an operator or a builtin outside 64 bits is OverflowError (`_chk` and its neighbours);
- `int ** negative int` is ValueError unless the exponent is a literal; a complex power is ValueError;
- types: where the ways of control flow join, bool gives way to int and int to float: variables, `if else`, `and`/`or`, `min`/`max`,
  `where`, `sum` and `prod`, results of functions. `Rewriter` infers types forward over the tree and adds the conversions;
- annotations convert;
- `sum` adds from left to right.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from . import model_builtins as mb
from .model_expressions import Expressions
from .model_types import Bottom, Env, Unmodelled, annotation, calling, join, join_env, known, literal, plain, type_of

__all__ = ["Program", "Unmodelled", "type_of"]


class Rewriter(Expressions):
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
        return [ast.Assign([node.target], calling(self.program.coercion(ty), value))], env

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
        return ast.copy_location(calling("range", *[part for part, _ in parts]), node), start

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
        return [ast.Return(calling(self.program.coercion(final), value))], None

    def do_Assert(self, node: ast.Assert, env: Env) -> Any:
        return [ast.Assert(self.expr(node.test, env)[0], node.msg)], env

    def do_Raise(self, node: ast.Raise, env: Env) -> Any:
        return [ast.Raise(node.exc, None)], None


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
        body, end = rewriter.body(source.body, env)
        if end is not None:  # it may run off its end
            rewriter.result = "n" if rewriter.result is None else join(rewriter.result, "n")
        result = annotation(source.returns) if source.returns is not None else rewriter.result
        if rewriter.result is not None:
            self.results[instance] = plain(result)
        args = ast.arguments([], [ast.arg(p.arg) for p in source.args.args], None, [], [], None, source.args.defaults)
        return ast.copy_location(ast.FunctionDef(instance, args, first + body, [], None), source)
