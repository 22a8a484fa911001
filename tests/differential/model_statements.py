"""Statements of the oracle: the half of a function's rewriting that follows control flow.

In: the statements of a function and the types of its variables. Out: lines, each with the line of the text it comes from, and the type
of what the function returns. Always holds: where ways join, variables are converted on each of them to the type they have behind.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from . import model_builtins as mb
from .model_expressions import OPERATORS, Expressions, Typed, written
from .model_functions import Source, of_def, of_lambda
from .model_runtime import coercion
from .model_types import Bottom, Env, Unmodelled, annotation, join, join_env, known, literal, plain

if TYPE_CHECKING:
    from .divergences import Program


class Rewriter(Expressions):
    """One function for one combination of argument types: its rewritten lines and the type of its result."""

    def __init__(self, program: Program, source: Source) -> None:
        self.program = program
        self.source = source
        self.nested = dict(source.outer)
        self.result: Any = None
        self.never = False  # whether this statement calls what never returns
        self.loops: list[tuple[list[Env], list[Env]]] = []  # where each loop is left by break, and by continue
        # Depth, text, line of the source. What is returned is a text with its type, until that of the result is known.
        self.out: list[tuple[int, str | Typed, int]] = []
        self.depth = 1
        self.line = 0
        self.ends: dict[int, int] = {}  # the last line of the statement, or of its head, that begins in a line

    def emit(self, text: str) -> None:
        self.out.append((self.depth, text, self.line))

    # -------------------------------------------------------------------------------------------- statements

    def coerce(self, before: list[Env], after: Env, skip: str = "") -> None:
        """Makes variables of the types before be of the types after."""
        for name, text in self.coercions(before, after).items():
            if name != skip:
                self.emit(f"try: {name} = {text}")
                self.emit("except UnboundLocalError: pass")

    def coercions(self, before: list[Env], after: Env) -> dict[str, str]:
        return {
            name: f"{coercion(plain(ty))}({name})"
            for name, ty in after.items()
            if any(name in env and env[name] is not ty and plain(env[name]) != plain(ty) for env in before)
        }

    def body(self, statements: list[ast.stmt], env: Env | None, deeper: int = 1) -> Env | None:
        self.depth += deeper
        before = len(self.out)
        for statement in statements:
            if env is None:
                break  # never reached: jib types none of it
            self.never = False
            self.line = statement.lineno
            head = getattr(statement, "test", None) or getattr(statement, "iter", None) or statement
            self.ends[self.line] = max(self.ends.get(self.line, 0), head.end_lineno or 0)
            rule = RULES.get(type(statement))
            if rule is None:
                raise Unmodelled(ast.unparse(statement))
            mark = len(self.out)
            try:
                env = rule(self, statement, dict(env))
            except Bottom:  # another round will know more
                del self.out[mark:]
                self.emit("_unknown()")
                env = None
            env = None if self.never else env
            self.never = False
        if len(self.out) == before:
            self.emit("pass")
        self.depth -= deeper
        return env

    def expression(self, node: ast.Expr, env: Env) -> Env | None:
        self.emit(self.expr(node.value, env)[0])
        return env

    def nothing(self, node: ast.Pass, env: Env) -> Env | None:
        self.emit("pass")
        return env

    def assign(self, node: ast.Assign, env: Env) -> Env | None:
        first = node.targets[0]
        if isinstance(node.value, ast.Lambda) and isinstance(first, ast.Name):
            self.nested[first.id] = of_lambda(first.id, node.value, self.nested)
            return env
        if isinstance(node.value, ast.Tuple) and isinstance(first, ast.Tuple) and len(node.targets) == 1:
            # Element by element: no tuple is made, in which what is known of values would be forgotten.
            parts = [self.expr(each, env) for each in node.value.elts]
            value, ty = f"({', '.join([text for text, _ in parts])},)", tuple([of for _, of in parts])
        else:
            value, ty = self.expr(node.value, env)
        targets = [self.target(target, ty, env) for target in node.targets]
        self.emit(f"{' = '.join(targets)} = {value}")
        return env

    def target(self, target: ast.expr, ty: Any, env: Env) -> str:
        if isinstance(target, ast.Name):
            env[target.id] = ty
            return target.id
        if isinstance(target, ast.Tuple) and isinstance(ty, tuple) and len(ty) == len(target.elts):
            return f"({', '.join([self.target(each, item, env) for each, item in zip(target.elts, ty)])},)"
        raise Unmodelled(ast.unparse(target))

    def annotated(self, node: ast.AnnAssign, env: Env) -> Env | None:
        assert isinstance(node.target, ast.Name)
        if node.value is not None:
            value, of = self.expr(node.value, env)
            ty = annotation(node.annotation)
            self.emit(f"{node.target.id} = {mb.converted(value, of, ty)}")
            env[node.target.id] = of if plain(of) == ty else ty
        return env

    def augmented(self, node: ast.AugAssign, env: Env) -> Env | None:
        assert isinstance(node.target, ast.Name)
        name = node.target.id
        before = self.name(node.target, env)
        right = self.expr(node.value, env)
        value, env[name] = self.operator(OPERATORS[type(node.op)], *before, *right)
        self.emit(f"{name} = {value}")
        return env

    def if_(self, node: ast.If, env: Env) -> Env | None:
        test, _ = self.expr(node.test, env)
        way = known(node.test)
        self.emit(f"if {test}:")
        then = self.body(node.body, None if way is False else env)
        other = env if way is not True else None
        if node.orelse:
            self.emit("else:")
            other = self.body(node.orelse, other)
        after = join_env(then, other)
        if after is not None:
            self.coerce([each for each in (then, other) if each is not None], after)
        return after

    def while_(self, node: ast.While, env: Env) -> Env | None:
        way = known(node.test)
        head, mark, line = env, len(self.out), self.line
        while True:
            del self.out[mark:]
            self.line = line
            at_test = dict(head)
            test, _ = self.expr(node.test, at_test)
            self.emit("")
            self.loops.append(([], []))
            end = self.body(node.body, None if way is False else at_test)
            breaks, continues = self.loops.pop()
            incoming = [env, *([end] if end is not None else []), *continues]
            new: Env = head
            for each in incoming:
                new = join_env(new, each) or {}
            if same(new, head):
                break
            head = new
        wanted = [f"({name} := {text})" for name, text in self.coercions(incoming, head).items()]
        test = f"({', '.join([*wanted, test])})[-1]" if wanted else test
        self.out[mark] = (self.depth, f"while {test}:", line)
        return self.leave(node.orelse, at_test if way is not True else None, breaks, [], {})

    def for_(self, node: ast.For, env: Env) -> Env | None:
        over, start = self.range(node.iter, env)
        assert isinstance(node.target, ast.Name)
        target = node.target.id
        head, mark, line = env, len(self.out), self.line
        item: Any = "i"
        while True:
            del self.out[mark:]
            self.line = line
            self.emit(f"for {target} in {over}:")
            inside = dict(head)
            inside[target] = item
            self.loops.append(([], []))
            end = self.body(node.body, inside)
            breaks, continues = self.loops.pop()
            incoming = [env, *([end] if end is not None else []), *continues]
            new: Env = head
            for each in incoming:
                new = join_env(new, each) or {}
            if end is None and not continues and item is not start:
                item = start  # there is no second turn: the counter is the literal it starts with, if it is one
            elif same(new, head):
                break
            head = new
        after, last = self.out[mark + 1 :], self.line
        del self.out[mark + 1 :]
        self.line = line
        self.depth += 1
        self.coerce(incoming, head, skip=target)
        self.depth -= 1
        self.out += after
        self.line = last
        return self.leave(node.orelse, dict(head), breaks, incoming, head)

    def leave(
        self, orelse: list[ast.stmt], env: Env | None, breaks: list[Env], before: list[Env], head: Env
    ) -> Env | None:
        """The way out of a loop: `else` by its end, the others by `break`."""
        mark = len(self.out)
        self.emit("else:")
        self.depth += 1
        self.coerce(before, head)
        after = self.body(orelse, env, 0)
        self.depth -= 1
        if len(self.out) == mark + 2 and self.out[-1][1] == "pass":
            del self.out[mark:]
        ways = breaks + ([after] if after is not None else [])
        joined: Env | None = None
        for way in ways:
            joined = join_env(joined, way)
        if joined is not None:
            self.coerce(ways, joined)
        return joined

    def range(self, node: ast.expr, env: Env) -> Typed:
        """A call of range, and the type of its first item."""
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"):
            raise Unmodelled(ast.unparse(node))
        parts = [self.expr(arg, env) for arg in node.args]
        start = parts[0][1] if len(parts) > 1 else literal(0)
        start = "i" if start != "i" else start
        return f"range({', '.join([f'_chk_i({text})' if ty == 'u64' else text for text, ty in parts])})", start

    def break_(self, node: ast.Break, env: Env) -> None:
        self.loops[-1][0].append(env)
        self.emit("break")

    def continue_(self, node: ast.Continue, env: Env) -> None:
        self.loops[-1][1].append(env)
        self.emit("continue")

    def return_(self, node: ast.Return, env: Env) -> None:
        value, ty = self.expr(node.value, env) if node.value is not None else ("None", "n")
        self.result = ty if self.result is None else join(self.result, ty)
        self.out.append((self.depth, (value, ty), self.line))

    def assert_(self, node: ast.Assert, env: Env) -> Env | None:
        message = f", {written(node.msg.value)}" if isinstance(node.msg, ast.Constant) else ""
        self.emit(f"assert {self.expr(node.test, env)[0]}{message}")
        return None if known(node.test) is False else env

    def raise_(self, node: ast.Raise, env: Env) -> None:
        self.emit(f"raise {ast.unparse(node.exc)}" if node.exc is not None else "raise")

    def define(self, node: ast.FunctionDef, env: Env) -> Env | None:
        self.nested[node.name] = of_def(node, self.nested)
        return env


RULES: dict[type[ast.stmt], Any] = {
    ast.Expr: Rewriter.expression,
    ast.Pass: Rewriter.nothing,
    ast.Assign: Rewriter.assign,
    ast.AnnAssign: Rewriter.annotated,
    ast.AugAssign: Rewriter.augmented,
    ast.If: Rewriter.if_,
    ast.While: Rewriter.while_,
    ast.For: Rewriter.for_,
    ast.Break: Rewriter.break_,
    ast.Continue: Rewriter.continue_,
    ast.Return: Rewriter.return_,
    ast.Assert: Rewriter.assert_,
    ast.Raise: Rewriter.raise_,
    ast.FunctionDef: Rewriter.define,
}


def same(a: Env, b: Env) -> bool:
    """Whether nothing has risen, nor ceased to be a literal."""
    return a.keys() == b.keys() and all(
        a[name] is b[name] or (plain(a[name]) == b[name] and type(a[name]) is type(b[name])) for name in a
    )
