"""Arrays: jib beside NumPy, numexpr and numba, by one thread and by two.

Each library does a row in the way that is natural and quick for it: jib is called with the arrays, NumPy evaluates the expression,
numexpr calls its compiled expression, numba its compiled loop (error_model="numpy", no fastmath; `parallel=True` for two threads).
Outputs are allocated as each does by itself, or written to one array that is there before with `--out`. Two threads have `, 2` in
their names, and are left out by `--cpu`. What misses a promise (`PROMISES`) has a mark.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from time import sleep
from typing import Any, NamedTuple

import numpy as np

import jib
from jib.bench.measure import Disagreement, Meter, Work
from jib.bench.say import Table

SIZES = (10, 10_000, 1_000_000)
Names = dict[str, Any]


def installed(names: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Modules by name, and the names of those that are not there."""
    found, absent = {}, []
    for name in names:
        try:
            found[name] = import_module(name)
        except ImportError:
            absent.append(name)
    return found, absent


class Row(NamedTuple):
    text: str
    kind: str = "arithmetic"
    """arithmetic, libm or sum"""
    dtype: str = "f8"
    low: float = -2.0
    bound_by: str = "memory"
    """What two threads share: memory or compute."""
    numpy: str = ""
    numba: str = ""
    numexpr: str = ""
    """Where it is not the text."""
    name: str = ""

    def label(self) -> str:
        return self.name or self.text


CALL = (  # of an option: the normal distribution is tanh's, which all have
    "0.5*a*(1 + tanh(0.8*(log(a/b) + 0.095*c)/(0.3*sqrt(c))))"
    " - 0.5*b*exp(-0.05*c)*(1 + tanh(0.8*(log(a/b) + 0.005*c)/(0.3*sqrt(c))))"
)
CHOICE = "a if a > b and b > 0 else b*b"

ROWS = [
    Row("a*b+c"),
    Row("2*a+3*b"),
    Row("((.25*a + .75)*a - 1.5)*a - 2"),
    Row("where(a>b, a-b, b-a)", numba="a-b if a>b else b-a"),
    Row("sqrt(a*a+b*b)", bound_by="compute"),
    Row("sin(a)**2+cos(b)**2", kind="libm", bound_by="compute"),
    Row("exp(-a*a/2)", kind="libm", bound_by="compute"),
    Row("log1p(a)*b", kind="libm", low=0.0, bound_by="compute"),
    Row(CALL, kind="libm", low=0.1, bound_by="compute", name="Black–Scholes, tanh"),
    Row("sum(a*b)", kind="sum", numpy="(a*b).sum()"),
    Row(
        CHOICE,
        numpy="where((a > b) & (b > 0), a, b*b)",
        numexpr="where((a > b) & (b > 0), a, b*b)",
    ),
    Row("a*b+c", dtype="f4", name="a*b+c, f32"),
    Row("(a*3 + b) & 255", dtype="i8", low=0, name="(a*3 + b) & 255, i64"),
]


class Promise(NamedTuple):
    """A speed that is promised: the time of another in that of one of ours, and where."""

    theirs: str
    ours: str
    least: Callable[[Row, int], float | None]


def to_numba(row: Row, size: int) -> float | None:
    if row.kind == "libm":
        return 1.0 if size >= 10_000 else None
    return {10_000: 0.5, 1_000_000: 0.8}.get(size)


PROMISES = [
    Promise("NumPy", "jib", lambda row, size: 1.0),
    Promise("numexpr", "jib", lambda row, size: 1.0),
    Promise("numexpr, 2", "jib, 2", lambda row, size: 1.0),
    Promise("numba", "jib", to_numba),
    Promise("numba, 2", "jib, 2", lambda row, size: None),
    Promise("jib", "jib, 2", lambda row, size: 1.6 if row.bound_by == "compute" and size == 1_000_000 else None),
]


def measure(meter: Meter) -> tuple[list[Table], list[str]]:
    peers, absent = installed(["numexpr", "numba"])
    into = ", into an array that is there" if meter.plan.out else ""
    sizes = meter.plan.sizes or SIZES[:: 2 if meter.plan.quick else 1]
    tables = [Table(f"{size:,} elements, time per element{into}", "row") for size in sizes]
    for row in meter.over(ROWS, Row.label):
        field = Field(row, meter.plan.out, peers)
        for size, table in zip(sizes, tables):
            works = field.works(size)
            if meter.plan.cpu:
                works = {name: work for name, work in works.items() if not name.endswith(", 2")}
            turns = meter.compete(
                works, before={name: partial(field.before, name, work) for name, work in works.items()}
            )
            label = row.name or f"`{row.text}`"
            table.rows[label] = turns.cells(per=size)
            for promise in PROMISES:
                table.rows[label] |= turns.ratio(promise.theirs, promise.ours, least=promise.least(row, size))
    return tables, absent


class Field:
    """All contenders of a row."""

    def __init__(self, row: Row, with_out: bool, peers: Names) -> None:
        self.row, self.with_out, self.numexpr = row, with_out and row.kind != "sum", peers.get("numexpr")
        self.jibs = {threads: jib.compile(row.text, threads=threads) for threads in (1, 2)}
        self.names = sorted(self.jibs[1].params)
        if self.numexpr is not None:
            # Python's float is its name of single precision.
            kind = float if row.dtype == "f4" else np.dtype(row.dtype).type
            types = [(name, kind) for name in self.names]
            self.expression = self.numexpr.NumExpr(row.numexpr or row.text, types)
        numba = peers.get("numba")
        self.numbas = [] if numba is None else numba_functions(numba, row, self.names, self.with_out)

    def before(self, name: str, work: Work) -> None:
        """Threads that an earlier contender left spinning come to rest, and ours are awake, before the clock starts."""
        if name.startswith("numexpr"):
            self.numexpr.set_num_threads(2 if name.endswith(", 2") else 1)
        sleep(0.002)
        work()

    def works(self, size: int) -> dict[str, Work]:
        row = self.row
        seed = np.random.default_rng(1)
        values = (seed.uniform(row.low, 2.0 if row.dtype != "i8" else 1e6, size) for _ in self.names)
        given = dict(zip(self.names, [value.astype(row.dtype) for value in values]))
        args = list(given.values())
        out = np.empty(size, row.dtype) if self.with_out else None
        found: dict[str, Work] = {}
        for threads, function in self.jibs.items():
            own = [given[name] for name in function.params]
            work = partial(function, *own) if out is None else partial(function.ufunc, *own, out=out)
            found["jib" if threads == 1 else "jib, 2"] = work
        found["NumPy"] = partial(numpy_function(row.numpy or row.text, self.names, out), *args)
        if self.numexpr is not None:
            options = {} if out is None else {"out": out, "ex_uses_vml": False}
            found["numexpr"] = found["numexpr, 2"] = partial(self.expression, *args, **options)
        for threads, loop in enumerate(self.numbas, 1):
            work = partial(loop, *args) if out is None else partial(loop, *args, out)
            found["numba" if threads == 1 else "numba, 2"] = work
        self.check(found, out)
        return found

    def check(self, found: dict[str, Work], out: np.ndarray | None) -> None:
        """All answer alike: NumPy's functions and the C library's differ in last bits."""
        expected = None
        for name in sorted(found, key=lambda name: name != "NumPy"):
            got = found[name]()
            got = np.array(got if out is None else out)
            if out is not None:
                out[...] = 0
            expected = got if expected is None else expected
            rtol, atol = (1e-5, 1e-6) if self.row.dtype == "f4" else (1e-10, 1e-12)
            close = np.allclose(got, expected, rtol=rtol, atol=atol)
            same = name.startswith("numexpr") or got.dtype == expected.dtype
            if not close or not same or got.shape != expected.shape:
                raise Disagreement(f"{self.row.text}: {name} answers {got}, NumPy {expected}")


def numpy_function(text: str, names: Sequence[str], out: np.ndarray | None) -> Callable[..., Any]:
    """The expression as Python evaluates it with NumPy's functions; its last operation writes to `out`, if it can."""
    scope: Names = {name: getattr(np, name) for name in ("where", "sqrt", "sin", "cos", "exp", "log", "log1p", "tanh")}
    tree = ast.parse(text, mode="eval").body
    ufuncs = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.BitAnd: "bitwise_and"}
    if out is not None:
        scope |= {"out": out, "np": np}
        if isinstance(tree, ast.BinOp):
            text = f"np.{ufuncs[type(tree.op)]}({ast.unparse(tree.left)}, {ast.unparse(tree.right)}, out=out)"
        elif isinstance(tree, ast.Call) and ast.unparse(tree.func) == "where":
            text = f"np.copyto(out, {text})"
        elif isinstance(tree, ast.Call) and ast.unparse(tree.func) in scope:
            text = text[:-1] + ", out=out)"
    function: Callable[..., Any] = eval(f"lambda {', '.join(names)}: {text}", scope)
    return function


def numba_functions(numba: Any, row: Row, names: Sequence[str], with_out: bool) -> list[Callable[..., Any]]:
    """The row as a loop, for one thread and for two."""
    if row.kind == "sum":
        body = "    total = 0.0\n    for i in prange(len(a)):\n        total += a[i] * b[i]\n    return total\n"
    else:

        class Indexed(ast.NodeTransformer):
            def visit_Name(self, node: ast.Name) -> ast.expr:
                return ast.parse(f"{node.id}[i]", mode="eval").body if node.id in names else node

        value = ast.unparse(Indexed().visit(ast.parse(row.numba or row.text, mode="eval")))
        body = f"    for i in prange(len(a)):\n        out[i] = {value}\n    return out\n"
        if not with_out:
            body = "    out = empty_like(a)\n" + body
    parameters = [*names, *["out"] * (with_out and row.kind != "sum")]
    scope: Names = {"prange": numba.prange, "empty_like": np.empty_like, **vars(import_module("math"))}
    exec(f"def f({', '.join(parameters)}):\n{body}", scope)
    return [numba.njit(error_model="numpy", parallel=parallel)(scope["f"]) for parallel in (False, True)]
