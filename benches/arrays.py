"""Arrays: jib beside NumPy, numexpr and numba, by one thread and by two, on 10, 10⁴ and 10⁶ elements; loops over arrays; small calls.

Each library does a row in the way that is natural and quick for it: jib is called with the arrays, NumPy evaluates the
expression, numexpr calls its compiled expression, numba its compiled loop (error_model="numpy", no fastmath; `parallel=True`
for two threads). Outputs are allocated as each does by itself, or written to one array that is there before with `--out`. All
must give the same values before anything is measured.

Every contender has its turn in every round; times are medians of the rounds, and a speed "to" a peer is the median of the
rounds' ratios: 2.00 is twice as fast as the peer. What misses a promise (`PROMISES`) has a mark: `!`, or `~` if by less than
three hundredths. A peer that is not installed is left out. Needs NumPy; `--plot FILE.png` needs matplotlib.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib import import_module
from statistics import median
from time import perf_counter, sleep, thread_time
from typing import Any, NamedTuple

import numpy as np
from harness import Case, digits, in_turns, parser, repeats, save, table

import jib

SIZES = (10, 10_000, 1_000_000)
Names = dict[str, Any]
Work = Callable[[], Any]
Speeds = dict[str, float]


def peer(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        print(f"{name} is not installed: left out")
        return None


# ------------------------------------------------------------------------------------------------- what is measured


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

#: Loops as people write them: text, and what makes its arguments; those that are written to come first.
Make = Callable[[int], tuple[Any, ...]]
KERNELS: dict[str, tuple[str, Make]] = {}


def kernel(name: str, text: str) -> Callable[[Make], Make]:
    """A row of the table of loops; the function makes the arguments, smaller by a divisor."""

    def add(make: Make) -> Make:
        KERNELS[name] = (text, make)
        return make

    return add


@kernel(
    "mandelbrot 512²",
    """
def mandelbrot(counts, limit):
    height, width = counts.shape
    for i in range(height):
        for j in range(width):
            x = -2.0 + 3.0 * j / width
            y = -1.5 + 3.0 * i / height
            a = 0.0
            b = 0.0
            n = 0
            while n < limit and a * a + b * b <= 4.0:
                a, b = a * a - b * b + x, 2.0 * a * b + y
                n += 1
            counts[i, j] = n
""",
)
def _(divisor: int) -> tuple[Any, ...]:
    return np.zeros((512 // divisor, 512 // divisor), "i4"), 50


PRODUCT = """
def product(c, a, b):
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            total = 0.0
            for k in range(a.shape[1]):
                total += a[i, k] * b[k, j]
            c[i, j] = total
"""
PRODUCT_IKJ = """
def product(c, a, b):
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            c[i, j] = 0.0
        for k in range(a.shape[1]):
            for j in range(c.shape[1]):
                c[i, j] += a[i, k] * b[k, j]
"""


@kernel("matrix product 256³, ikj", PRODUCT_IKJ)
@kernel("matrix product 256³, ijk", PRODUCT)
def matrices(divisor: int) -> tuple[Any, ...]:
    n = 256 // divisor
    seed = np.random.default_rng(3)
    return np.zeros((n, n)), seed.random((n, n)), seed.random((n, n))


@kernel("matrix product 250³, ijk", PRODUCT)  # rows of 256 doubles meet in few sets of the caches
def _(divisor: int) -> tuple[Any, ...]:
    return tuple([array[: 250 // divisor, : 250 // divisor].copy() for array in matrices(divisor)])


@kernel(
    "3-point stencil 10⁶",
    """
def smooth(out, x):
    for i in range(1, len(x) - 1):
        out[i] = 0.25 * x[i - 1] + 0.5 * x[i] + 0.25 * x[i + 1]
""",
)
def _(divisor: int) -> tuple[Any, ...]:
    x = np.random.default_rng(4).random(1_000_000 // divisor)
    return np.zeros_like(x), x


@kernel(
    "Floyd–Warshall n=200",
    """
def paths(work, graph):
    n = len(graph)
    for i in range(n):
        for j in range(n):
            work[i, j] = graph[i, j]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if work[i, k] + work[k, j] < work[i, j]:
                    work[i, j] = work[i, k] + work[k, j]
""",
)
def _(divisor: int) -> tuple[Any, ...]:
    n = 200 // divisor
    graph = np.random.default_rng(5).random((n, n))
    return np.zeros_like(graph), graph


@kernel(
    "histogram 10⁶",
    """
def histogram(counts, x):
    bins = len(counts)
    for i in range(bins):
        counts[i] = 0
    for i in range(len(x)):
        counts[int(x[i] * bins)] += 1
""",
)
def _(divisor: int) -> tuple[Any, ...]:
    return np.zeros(100, "i8"), np.random.default_rng(6).random(1_000_000 // divisor)


# ------------------------------------------------------------------------------------------------- what is promised


class Promise(NamedTuple):
    """A speed that is promised: to which contender of one of ours, and where."""

    ours: str
    theirs: str
    least: Callable[[Row, int], float | None]


def to_numba(row: Row, size: int) -> float | None:
    if row.kind == "libm":
        return 1.0 if size >= 10_000 else None
    return {10_000: 0.5, 1_000_000: 0.8}.get(size)


PROMISES = [
    Promise("jib", "NumPy", lambda row, size: 1.0),
    Promise("jib", "numexpr", lambda row, size: 1.0),
    Promise("jib, 2", "numexpr, 2", lambda row, size: 1.0),
    Promise("jib", "numba", to_numba),
    Promise("jib, 2", "numba, 2", lambda row, size: None),
    Promise("jib, 2", "jib", lambda row, size: 1.6 if row.bound_by == "compute" and size == 1_000_000 else None),
]
LOOPS_TO_NUMBA = 1 / 1.3
CALL_TO_ADD = 1 / 1.5


def marked(speed: float | None, least: float | None) -> str:
    """A speed, with its mark.

    >>> marked(1.5, 1.0), marked(0.98, 1.0), marked(0.5, 1.0), marked(0.5, None), marked(None, 1.0)
    ('1.50', '0.98 ~', '0.50 !', '0.50', '–')
    """
    if speed is None:
        return "–"
    short = 0.0 if least is None else round(least - speed, 2)
    return f"{speed:.2f}" + (" !" if short >= 0.03 else " ~" if short > 0 else "")


# ------------------------------------------------------------------------------------------------- contenders


class Contender(NamedTuple):
    work: Work
    before: Callable[[], None] = lambda: None


def case(contender: Contender, repeat: int, clock: Callable[[], float]) -> Case:
    """Threads that an earlier contender left spinning come to rest, and ours are awake, before the clock starts."""

    def run() -> float:
        contender.before()
        sleep(0.002)
        contender.work()
        begin = clock()
        for _ in range(repeat):
            contender.work()
        return (clock() - begin) / repeat

    return run


class Way(NamedTuple):
    """How to measure: so many rounds, each case for so long; by the time of day or, one thread alone, by the processor's; and whether
    it is the best round that counts, or the one in the middle."""

    rounds: int
    seconds: float
    by_processor: bool = False
    best: bool = False

    def compete(self, contenders: dict[str, Contender]) -> dict[str, list[float]]:
        clock, cases = thread_time if self.by_processor else perf_counter, {}
        for name, contender in contenders.items():
            if self.by_processor and name.endswith(", 2"):
                continue
            contender.before()
            cases[name] = case(contender, repeats(contender.work, self.seconds), clock)
        return in_turns(cases, self.rounds)

    def time(self, values: Sequence[float]) -> float:
        return min(values) if self.best else median(values)

    def speed(self, taken: dict[str, list[float]], ours: str, theirs: str) -> float | None:
        if ours not in taken or theirs not in taken:
            return None
        if self.best:
            return min(taken[theirs]) / min(taken[ours])
        return median([b / a for a, b in zip(taken[ours], taken[theirs])])


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


class Field:
    """All contenders of a row."""

    def __init__(self, row: Row, with_out: bool, numexpr: Any, numba: Any) -> None:
        self.row, self.with_out, self.numexpr = row, with_out and row.kind != "sum", numexpr
        self.jibs = {threads: jib.compile(row.text, threads=threads) for threads in (1, 2)}
        self.names = sorted(self.jibs[1].params)
        if numexpr is not None:
            # Python's float is its name of single precision.
            kind = float if row.dtype == "f4" else np.dtype(row.dtype).type
            types = [(name, kind) for name in self.names]
            self.expression = numexpr.NumExpr(row.numexpr or row.text, types)
        self.numbas = [] if numba is None else numba_functions(numba, row, self.names, self.with_out)

    def contenders(self, size: int) -> dict[str, Contender]:
        row = self.row
        seed = np.random.default_rng(1)
        values = (seed.uniform(row.low, 2.0 if row.dtype != "i8" else 1e6, size) for _ in self.names)
        given = dict(zip(self.names, [value.astype(row.dtype) for value in values]))
        args = list(given.values())
        out = np.empty(size, row.dtype) if self.with_out else None
        found: dict[str, Contender] = {}
        for threads, function in self.jibs.items():
            own = [given[name] for name in function.params]
            work = partial(function, *own) if out is None else partial(function.ufunc, *own, out=out)
            found["jib" if threads == 1 else "jib, 2"] = Contender(work)
        found["NumPy"] = Contender(partial(numpy_function(row.numpy or row.text, self.names, out), *args))
        if self.numexpr is not None:
            work = partial(self.expression, *args, **({} if out is None else {"out": out, "ex_uses_vml": False}))
            for threads in (1, 2):
                name = "numexpr" if threads == 1 else "numexpr, 2"
                found[name] = Contender(work, partial(self.numexpr.set_num_threads, threads))
        for threads, loop in enumerate(self.numbas, 1):
            work = partial(loop, *args) if out is None else partial(loop, *args, out)
            found["numba" if threads == 1 else "numba, 2"] = Contender(work)
        self.compare(found, out)
        return found

    def compare(self, found: dict[str, Contender], out: np.ndarray | None) -> None:
        expected = None
        for name in sorted(found, key=lambda name: name != "NumPy"):
            found[name].before()
            got = found[name].work()
            got = np.array(got if out is None else out)
            if out is not None:
                out[...] = 0
            expected = got if expected is None else expected
            rtol, atol = (1e-5, 1e-6) if self.row.dtype == "f4" else (1e-10, 1e-12)
            close = np.allclose(got, expected, rtol=rtol, atol=atol)
            same = name.startswith("numexpr") or got.dtype == expected.dtype
            assert close and same and got.shape == expected.shape, (self.row.text, name, got, expected)


# ------------------------------------------------------------------------------------------------- the tables


def elementwise(rows: Iterable[Row], sizes: Sequence[int], way: Way, with_out: bool) -> dict[str, Any]:
    numexpr, numba = peer("numexpr"), peer("numba")
    fields = [Field(row, with_out, numexpr, numba) for row in rows]
    everything = {}
    for size in sizes:
        found: dict[str, dict[str, float]] = {}
        lines, heads = [], []
        for field in fields:
            row = field.row
            taken = way.compete(field.contenders(size))
            promises = [promise for promise in PROMISES if {promise.ours, promise.theirs} <= taken.keys()]
            heads = [*taken, *[f"{promise.ours} to {promise.theirs}" for promise in promises]]
            times = {name: way.time(values) / size * 1e9 for name, values in taken.items()}
            speeds = [way.speed(taken, promise.ours, promise.theirs) for promise in promises]
            marks = [marked(value, promise.least(row, size)) for value, promise in zip(speeds, promises)]
            name = row.name or row.text
            lines.append([f"`{name}`" if not row.name else name, *[digits(time) for time in times.values()], *marks])
            found[name] = times | {head: value for head, value in zip(heads[len(times) :], speeds) if value is not None}
        title = f"{size:,} elements, ns per element" + (", into an array that is there" if with_out else "")
        table(title, ["row", *heads], lines)
        everything[str(size)] = found
    return everything


def loops(wanted: Callable[[str], bool], way: Way, divisor: int) -> dict[str, Any]:
    numba = peer("numba")
    lines, found = [], dict[str, dict[str, float | None]]()
    for name, (text, make) in KERNELS.items():
        if not wanted(name):
            continue
        scope: Names = {}
        exec(text, scope)
        python = scope[text.partition("def ")[2].partition("(")[0]]
        engines: Names = {"jib": jib.compile(text)} | ({} if numba is None else {"numba": numba.njit(python)})
        small = make(16 if "10⁶" not in name else 1000)
        python(*small)
        for function in engines.values():
            result = np.zeros_like(small[0])
            function(result, *small[1:])
            assert np.array_equal(result, small[0]), name
        args = make(divisor)
        contenders = {engine: Contender(partial(function, *args)) for engine, function in engines.items()}
        taken = way.compete(contenders)
        found[name] = {engine: way.time(values) for engine, values in taken.items()}
        of_numba = way.speed(taken, "jib", "numba")
        lines.append(
            [name, *[f"{digits(way.time(v) * 1e3)} ms" for v in taken.values()], marked(of_numba, LOOPS_TO_NUMBA)]
        )
        found[name]["jib to numba"] = of_numba
    if lines:
        table("Loops over arrays", ["loop", "jib", *["numba"] * (numba is not None), "jib to numba"], lines)
    return found


def calls(way: Way) -> dict[str, Any]:
    """What stands around the elements: a + b of ten."""
    numexpr, numba = peer("numexpr"), peer("numba")
    a, b = np.arange(10.0), np.ones(10)
    out = np.empty(10)
    f = jib.compile("a + b")
    contenders = {"np.add": Contender(partial(np.add, a, b)), "jib": Contender(partial(f, a, b))}
    contenders["np.add, out="] = Contender(partial(np.add, a, b, out=out))
    contenders["jib: f.ufunc, out="] = Contender(partial(f.ufunc, a, b, out=out))
    contenders["jib.evaluate"] = Contender(partial(jib.evaluate, "a + b", {"a": a, "b": b}))
    if numexpr is not None:
        expression = numexpr.NumExpr("a + b", [("a", np.double), ("b", np.double)])
        contenders["numexpr, compiled"] = Contender(partial(expression, a, b))
        contenders["numexpr.evaluate"] = Contender(partial(numexpr.evaluate, "a + b", {"a": a, "b": b}))
    if numba is not None:
        contenders["numba.njit"] = Contender(partial(numba.njit(lambda a, b: a + b), a, b))
        contenders["numba.vectorize"] = Contender(partial(numba.vectorize(lambda a, b: a + b), a, b))
    taken = way.compete(contenders)
    to_add = {name: way.speed(taken, name, "np.add") for name in taken}
    lines = [
        [name, f"{digits(way.time(values) * 1e9)} ns", marked(to_add[name], CALL_TO_ADD if name == "jib" else None)]
        for name, values in taken.items()
    ]
    table("A call with ten elements", ["call", "time", "speed to np.add"], lines)
    return {name: way.time(values) for name, values in taken.items()} | {"jib to np.add": to_add["jib"]}


# ------------------------------------------------------------------------------------------------- the picture


def plot(file: str, found: dict[str, Any]) -> None:
    """A panel for each size: a line for each row, a mark for each contender."""
    try:
        from matplotlib import pyplot, ticker
    except ImportError:
        print("matplotlib is not installed: no plot")
        return
    styles = {"jib": ("C3", "o"), "NumPy": ("C0", "s"), "numexpr": ("C2", "^"), "numba": ("C1", "D")}
    figure, panels = pyplot.subplots(1, len(found), figsize=(5 * len(found) + 2, 6), sharey=True, squeeze=False)
    for panel, (size, rows) in zip(panels[0], found.items()):
        for at, times in enumerate(rows.values()):
            for name, time in times.items():
                library, _, threads = name.partition(", ")
                if library in styles and " to " not in name:
                    color, marker = styles[library]
                    fill = color if not threads else "none"
                    panel.plot(time, -at, marker, color=color, markerfacecolor=fill, label=name if at == 0 else None)
        panel.set(title=f"{int(size):,} elements", xlabel="ns per element", xscale="log")
        panel.xaxis.set_minor_formatter(ticker.NullFormatter())
        panel.set_yticks([-at for at in range(len(rows))], list(rows))
        panel.grid(alpha=0.3)
    panels[0][-1].legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(file, dpi=120)
    print(f"\nwritten: {file}")


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "?"


def main() -> None:
    options = parser(__doc__ or "", rounds=11)
    options.add_argument("--quick", action="store_true", help="fewer rounds, shorter, and no 10⁴ elements")
    options.add_argument("--rows", default="", metavar="WORDS", help="only rows that have one of these, parted by ';'")
    options.add_argument("--sizes", default="", metavar="N,…", help="other numbers of elements")
    options.add_argument("--out", action="store_true", help="write to arrays that are there before")
    options.add_argument("--cpu", action="store_true", help="one thread alone, by processor time: for a busy machine")
    options.add_argument(
        "--best", action="store_true", help="the best of many short rounds: for two threads on a busy machine"
    )
    options.add_argument("--plot", metavar="FILE.png", help="also draw a picture")
    wanted = options.parse_args()
    words = [word.strip() for word in wanted.rows.split(";") if word.strip()]

    def is_wanted(name: str) -> bool:
        return not words or any(word in name for word in words)

    way = Way(wanted.rounds, 0.02, wanted.cpu)
    if wanted.best:
        way = Way(5 * wanted.rounds, 0.002, wanted.cpu, best=True)
    if wanted.quick:
        way = way._replace(rounds=3, seconds=0.003)
    sizes = (
        [int(float(size)) for size in wanted.sizes.split(",")] if wanted.sizes else SIZES[:: 2 if wanted.quick else 1]
    )
    before = load()
    rows = [row for row in ROWS if is_wanted(row.name or row.text)]
    found: dict[str, Any] = {"elementwise": elementwise(rows, sizes, way, wanted.out) if rows else {}}
    found["loops"] = loops(is_wanted, way, 2 if wanted.quick else 1)
    if is_wanted("call"):
        found["calls"] = calls(way)
    print(
        f"\nmarks: ! misses what is promised, ~ by less than 0.03; processors: {os.cpu_count()}, load {before} to {load()}"
    )
    if wanted.plot and rows:
        plot(wanted.plot, found["elementwise"])
    if wanted.json:
        save(__file__, found)


if __name__ == "__main__":
    main()
