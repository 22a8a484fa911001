"""A function of Python -> the text it was written as.

In: a function object. Out: `Written`: the text of its def or lambda, without decorators and indentation, and where each line stands.
Always holds: the text is what Python compiled: it is compiled again, and gives the same bytecode. So a file that has changed since, or two
lambdas on one line, cannot give another function than the one at hand.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import warnings
from copy import copy
from functools import lru_cache
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, Union

if TYPE_CHECKING:
    from collections.abc import Iterator

Node = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda]

#: Types whose names say in Python what they say here.
PLAIN = ("int", "float", "bool", "None")


class Written(NamedTuple):
    """A text; the file and the line where it begins; the characters left out before each of its lines."""

    text: str
    file: str
    line: int
    columns: tuple[int, ...]


def written(function: FunctionType) -> Written:
    """The text of a function; TypeError where there is none."""
    code = function.__code__
    lines = _lines(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python has said already what it thinks of the file
        try:
            file = _read("".join(lines))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            file = _File({}, ())
        for node in file.nodes.get(code.co_firstlineno, []):
            if _same(function, node, file.imported):
                return _cut(lines, node, code.co_filename)
    raise TypeError(
        f"jit(): {function.__qualname__}() is not in {code.co_filename}, line {code.co_firstlineno}: the file has changed, "
        "or something has rewritten the function, since Python read it"
    )


def _lines(function: FunctionType) -> list[str]:
    """The lines of its file, as `inspect.getsource` finds them."""
    try:
        lines, _ = inspect.findsource(function.__code__)
    except (OSError, TypeError, IndexError):
        lines = []
    if not lines:
        linecache.checkcache(function.__code__.co_filename)
        raise TypeError(
            f"jit(): the source of {function.__qualname__}() cannot be found; jib.compile() takes a text itself"
        )
    return lines


class _File(NamedTuple):
    """The functions of a file by the line where Python says they begin; the names that the module imports."""

    nodes: dict[int, list[Node]]
    imported: tuple[str, ...]


@lru_cache(maxsize=4)
def _read(text: str) -> _File:
    """A file is read once for all functions in it."""
    nodes: dict[int, list[Node]] = {}
    imported: list[str] = []
    waiting: list[tuple[Any, bool]] = [(ast.parse(text), True)]
    while waiting:
        node, outside = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            decorators = getattr(node, "decorator_list", [])
            nodes.setdefault(min([node.lineno, *[each.lineno for each in decorators]]), []).append(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and outside:
            imported += [(each.asname or each.name).partition(".")[0] for each in node.names if each.name != "*"]
        inner = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef))
        waiting += [(child, outside and not inner) for child in ast.iter_child_nodes(node)]
    return _File(nodes, tuple(imported))


# ------------------------------------------------------------------------------------------ is it the one at hand?


def _same(function: FunctionType, node: Node, imported: tuple[str, ...]) -> bool:
    """Whether a node is what the function was compiled from."""
    code = function.__code__
    if getattr(node, "name", "<lambda>") != code.co_name or not _annotated_alike(function, node):
        return False
    made = _compiled(function, node, imported)
    if made is None:
        return False
    if _alike(code, made):
        return True
    # pytest rewrites assert statements when it imports tests; what else there is, it leaves.
    asserts = "@pytest_ar" in function.__globals__ and any(isinstance(each, ast.Assert) for each in ast.walk(node))
    return asserts and code.co_varnames[: made.co_nlocals] == made.co_varnames


def _compiled(function: FunctionType, node: Node, imported: tuple[str, ...]) -> CodeType | None:
    """The code of a node where the function stands: among the variables of functions around it, in its class, in a module with these
    imports: `m.f()` has other bytecode if `m` is imported.
    """
    inner: ast.stmt
    if isinstance(node, ast.Lambda):
        inner = ast.Expr(node)
    else:
        inner = copy(node)
        inner.decorator_list = []
    owner = function.__qualname__.split(".")[-2:-1]
    if owner and owner[0].isidentifier():  # where `__name` means `_Class__name`
        outer: Any = ast.parse(f"class {owner[0]}: pass").body[0]
        outer.body = [inner]
        inner = outer
    module = ast.parse("".join([f"import {name}\n" for name in imported]) + "def around(): pass")
    around: Any = module.body[-1]
    around.args.args = [ast.arg(arg=name) for name in function.__code__.co_freevars]
    bound = getattr(inner, "name", "around")  # which would else be a variable of the function around
    around.body = [inner] if bound in function.__code__.co_freevars else [ast.Global([bound]), inner]
    try:
        whole = compile(ast.fix_missing_locations(module), "<jit>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, TypeError, RecursionError):
        return None
    for made in _codes(whole):
        if made.co_name == function.__code__.co_name and made.co_firstlineno == node.lineno:
            return made
    return None


def _codes(code: CodeType) -> Iterator[CodeType]:
    """All code objects in one, the outer before the inner."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from _codes(const)


def _alike(one: CodeType, other: CodeType) -> bool:
    """Whether two codes do the same, wherever they stand."""
    fields = (
        "co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_argcount", "co_posonlyargcount", "co_kwonlyargcount",
    )  # fmt: skip
    if any(getattr(one, field) != getattr(other, field) for field in fields):
        return False
    ours, theirs = list(_codes_of(one)), list(_codes_of(other))
    return (
        _constants(one) == _constants(other)
        and len(ours) == len(theirs)
        and all(_alike(each, its) for each, its in zip(ours, theirs))
    )


def _codes_of(code: CodeType) -> Iterator[CodeType]:
    return (const for const in code.co_consts if isinstance(const, CodeType))


def _constants(code: CodeType) -> list[str]:
    """Its constants; 1, 1.0 and True are three. The names of inner functions are among them, and where these stand is not compared."""
    return [repr(const) for const in code.co_consts if not isinstance(const, (CodeType, str))] + [
        const for const in code.co_consts if isinstance(const, str) and "<locals>" not in const
    ]


def _annotated_alike(function: FunctionType, node: Node) -> bool:
    """Whether the plain types that are written are those the function has: bytecode does not say."""
    if isinstance(node, ast.Lambda):
        return True
    parts = node.args
    notes = [(each.arg, each.annotation) for each in (*parts.posonlyargs, *parts.args, *parts.kwonlyargs)]
    has = function.__annotations__
    for name, note in [*notes, ("return", node.returns)]:
        if (note is None) != (name not in has):
            return False
        text = "" if note is None else note.value if isinstance(note, ast.Constant) else ast.unparse(note)
        told: Any = has.get(name, "")
        told = told if isinstance(told, str) or told is None else getattr(told, "__name__", "")
        if str(text) != str(told).strip("'\"") and str(text) in PLAIN and str(told) in PLAIN:
            return False
    return True


# -------------------------------------------------------------------------------------------------- the text


def _cut(lines: list[str], node: Node, file: str) -> Written:
    """The text of a node. Of each line the indentation of the first is left out, but not inside of texts that go over several lines."""
    assert node.end_lineno is not None and node.end_col_offset is not None
    first, last = node.lineno, node.end_lineno
    cut = [line.rstrip("\n") for line in lines[first - 1 : last]]
    cut[-1] = _characters(cut[-1], node.end_col_offset)
    start = len(_characters(lines[first - 1], node.col_offset))
    columns = [start] + [0] * (last - first)
    if isinstance(node, ast.Lambda):
        cut[0] = cut[0][start:]
        if last > first:  # it stands in parentheses of somebody else's
            cut[0], cut[-1] = "(" + cut[0], cut[-1] + ")"
            columns[0] -= 1
        return Written("\n".join(cut), file, first, tuple(columns))
    indent = cut[0][:start]
    kept = _inside(node)
    for at, line in enumerate(cut):
        if first + at not in kept and line.startswith(indent):
            cut[at] = line[start:]
            columns[at] = start
    return Written("\n".join(cut), file, first, tuple(columns))


def inside_texts(text: str) -> set[int]:
    """The lines of an indented text that begin inside of a literal text."""
    try:
        return {line - 1 for line in _inside(ast.parse("if 1:\n" + text))}
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # no matter: it is only about how a text would look
        return set()


def _inside(node: ast.AST) -> set[int]:
    return {
        line
        for each in ast.walk(node)
        if isinstance(each, (ast.Constant, ast.JoinedStr)) and each.end_lineno is not None
        for line in range(each.lineno + 1, each.end_lineno + 1)
    }


def _characters(line: str, offset: int) -> str:
    """The line up to an offset of `ast`, which counts bytes."""
    return line.encode()[:offset].decode(errors="replace")
