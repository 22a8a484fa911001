"""CPython with the stated divergences of docs/language.md, and with nothing else: the oracle of generated programs.

In: a text of the language and the types of one call's arguments. Out: a Python function, the text's own after rewriting, and
`TRACE`, which says whether a call of it met a divergence; where it met none, the text as it stands must answer the same.
Always holds: all that jib may do otherwise than Python stands in this file and in the `model_` files beside it. It is
- ints: every result of an operator or a builtin outside 64 bits is OverflowError (`_chk` and its neighbours);
- `int ** negative int` is ValueError unless the exponent is a literal; a complex power is ValueError;
- types: where the ways of control flow join, bool gives way to int and int to float: variables, `if else`, `and`/`or`, `min`/`max`,
  `where`, `sum` and `prod`, results of functions. `Rewriter` infers types forward over the tree and adds the conversions;
- annotations convert; the sized types keep their width, and a literal takes the type of what it meets;
- `sum` adds from left to right; tuples with the same nan in them are not equal.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import math
import re
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any, NamedTuple

from filetest_runner.cpython import MATH, NUMPY_SPELLINGS

from . import model_builtins as mb
from .model_expressions import Expressions, Typed
from .model_functions import Source, functions_of
from .model_runtime import NAMES, TRACE
from .model_statements import Rewriter
from .model_types import SIZED, Bottom, Env, Unmodelled, annotation, join, plain, type_of

__all__ = ["TRACE", "Program", "Unmodelled", "type_of"]

# What the names of a text mean where CPython runs it as it stands: NumPy's, and what this version lacks, are the oracle's own.
OURS = (
    "fma",
    "where",
    "sum",
    "prod",
    "sign",
    "minimum",
    "maximum",
    "clip",
    "rint",
    "signbit",
    "reciprocal",
    "logical_and",
    "logical_or",
    "logical_xor",
    "logical_not",
)
PLAIN: dict[str, Any] = {
    **NUMPY_SPELLINGS,
    **{name: value for name, value in vars(MATH).items() if name[0] != "_" and not hasattr(builtins, name)},
    **{name: NAMES["_" + name] for name in OURS},
    **dict.fromkeys(("f64", "double", "float64"), float),
    "i64": int, "int64": int, "fix": math.trunc, "math": MATH, "__name__": "text",
}  # fmt: skip


SIZED_WORDS = {*SIZED, *[name for name, ty in mb.SPELLINGS.items() if ty in SIZED]}


#: The line of what happens where a function is called, wherever that is: its arguments become of the types of its parameters.
CALLS = -1


class Instance(NamedTuple):
    """A function for one combination of types."""

    source: Source
    types: tuple[Any, ...]
    captured: dict[str, Any]


class Program:
    """A text for one combination of argument types."""

    def __init__(self, text: str, params: tuple[str, ...], types: tuple[Any, ...]) -> None:
        self.text = text
        self.functions = functions_of(ast.parse(text), params)
        words = set(re.findall(r"\w+", text))
        self.sized = not words.isdisjoint(SIZED_WORDS)
        self.ours = self.sized or not words.isdisjoint(OURS)  # whether it has what CPython has no word for
        self.results: dict[str, Any] = {}
        self.instances: dict[str, Instance] = {}
        self.names: dict[Any, str] = {}
        self.made: dict[str, tuple[str, Rewriter]] = {}
        self.settled = False
        self.circular = False  # whether a function was called before its result was known
        entry = self.functions[list(self.functions)[-1]]
        for _, default in entry.params[len(types) :]:
            types += (type_of(ast.literal_eval(default)),) if default is not None else ()
        self.entry = self.instance(entry, types, {})
        self.rewrite(self.entry)
        while self.circular:  # results of recursive functions rise until they stay
            before = dict(self.results), len(self.instances)
            for name in list(self.instances):
                self.rewrite(name)
            if (self.results, len(self.instances)) == before:
                if self.settled:
                    break
                self.settled = True
        ends = {0: 0, 1: 1, **{line: end for _, rewriter in self.made.values() for line, end in rewriter.ends.items()}}
        self.lines = [(0, 0)]  # of the text, first and last of a statement, by those of the rewritten text
        rewritten = []
        for head, rewriter in self.made.values():
            rewritten.append(head)
            self.lines.append((rewriter.source.line, ends.get(rewriter.source.line, 0)))
            for depth, line, number in rewriter.out:
                rewritten.append(" " * depth + line)
                self.lines.append((1, sys.maxsize) if number == CALLS else (number, ends.get(number, 0)))
        self.rewritten = "\n".join(rewritten)
        names = dict(NAMES)
        exec(compile(self.rewritten, "<model>", "exec", dont_inherit=True), names)
        self.function: Callable[..., Any] = names[self.entry]

    def plain(self) -> Callable[..., Any] | None:
        """The function of the text as it stands; None where it has what CPython has no meaning for."""
        if self.sized:
            return None
        names = dict(PLAIN)
        exec(self.code(), names)
        function: Callable[..., Any] = names[list(self.functions)[-1]]
        return function

    def code(self) -> CodeType:
        flags = __future__.annotations.compiler_flag
        source = self.functions.get("__entry__")
        if source is None:
            return compile(self.text, "<cpython>", "exec", flags, dont_inherit=True)
        place = {"lineno": 1, "col_offset": 0}
        function = ast.FunctionDef("__entry__", source.args, source.body, [], None, **place)
        return compile(ast.Module([function], []), "<cpython>", "exec", flags, dont_inherit=True)

    def instance(self, source: Source, types: tuple[Any, ...], captured: dict[str, Any]) -> str:
        key = (source.name, types, tuple(captured.values()))
        name = self.names.get(key)
        if name is None:
            name = self.names[key] = f"{source.name}__{len(self.names)}"
            self.instances[name] = Instance(source, types, captured)
        return name

    def call(self, within: Expressions, node: ast.Call, source: Source, env: Env) -> Typed:
        """A call of a function of the text."""
        params = source.params
        given: dict[str, Typed] = {}
        texts = []
        for (param, _), arg in zip(params, node.args):
            given[param.arg] = typed = within.expr(arg, env)
            texts.append(typed[0])
        for keyword in node.keywords:
            given[keyword.arg or ""] = typed = within.expr(keyword.value, env)
            texts.append(f"{keyword.arg}={typed[0]}")
        types = tuple([
            plain(given[param.arg][1]) if param.arg in given else type_of(ast.literal_eval(default))  # type: ignore[arg-type]
            for param, default in params
        ])  # fmt: skip
        captured = {}
        if source.name not in self.functions:
            own = {param.arg for param, _ in params}
            captured = {name: plain(env[name]) for name in sorted(source.reads & env.keys() - own)}
            texts += [f"{name}={name}" for name in captured]
        instance = self.instance(source, types, captured)
        if instance not in self.made:
            self.rewrite(instance)
        text = f"{instance}({', '.join(texts)})"
        if instance in self.results:
            return text, self.results[instance]
        self.circular = True
        if not self.settled:
            raise Bottom
        within.never = True
        return text, "b"  # a type that gives way to every other: the value never comes

    def rewrite(self, name: str) -> None:
        source, types, captured = self.instances[name]
        rewriter = Rewriter(self, source)
        self.made[name] = "", rewriter
        rewriter.line = source.line
        env: Env = dict(captured)
        head = []
        for (param, default), ty in zip(source.params, types):
            head.append(param.arg if default is None else f"{param.arg}={ast.unparse(default)}")
            if param.annotation is not None:
                of, ty = ty, annotation(param.annotation)
                if of != ty:
                    rewriter.line = CALLS if name != self.entry else source.line
                    rewriter.emit(f"{param.arg} = {mb.converted(param.arg, of, ty)}")
                    rewriter.line = source.line
            env[param.arg] = ty
        head += ["*", *captured] if captured else []
        end = rewriter.body(source.body, env, 0)
        if end is not None:  # it may run off its end
            rewriter.result = "n" if rewriter.result is None else join(rewriter.result, "n")
        final = rewriter.result if source.returns is None else annotation(source.returns)
        if rewriter.result is not None:
            self.results[name] = final = plain(final)
        for at, (depth, what, line) in enumerate(rewriter.out):
            if isinstance(what, tuple):
                text, ty = what
                text = mb.coerced(text, [ty], final) if source.returns is None else mb.converted(text, ty, final)
                rewriter.out[at] = depth, f"return {text}", line
        self.made[name] = f"def {name}({', '.join(head)}):", rewriter
