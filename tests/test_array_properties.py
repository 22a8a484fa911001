"""Random programs over random arrays, on every engine, against CPython running the same text on NumPy's arrays; and sums' order.

In: numbers, each of which makes one program with its arrays; `JIB_ARRAY_PROGRAMS=100000 pytest tests/test_array_properties.py` tries
more of them, from `JIB_ARRAY_SEED` on. What is compared: results bit for bit, with their types; what has been written; which exception.
Reductions are compared with `promised`, which is what rust/core/src/typed/reduction.rs says, in Python.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jib

np = pytest.importorskip("numpy", minversion="2.0")

PROGRAMS, SEED = int(os.environ.get("JIB_ARRAY_PROGRAMS", "150")), int(os.environ.get("JIB_ARRAY_SEED", "0"))
ENGINES = [{"engine": e, "opt_level": level} for e in ("native", "interpreter", "auto") for level in ("none", "speed")]
BLOCK, LANES = 4096, 8
INTS, FLOATS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"], ["f4", "f8"]


# ---------------------------------------------------------------------------------------------------- reductions


def fold(elements: Any, start: Any, add: Callable[[Any, Any], Any]) -> Any:
    """What blocks, lanes and pairs make of elements."""
    parts = []
    for first in range(0, len(elements), BLOCK):
        block = elements[first : first + BLOCK]
        lanes = [block[0] if start is None else start] * LANES
        for i, element in enumerate(block):
            lanes[i % LANES] = add(lanes[i % LANES], element)
        a, b, c, d, e, f, g, h = lanes
        parts.append(add(add(add(a, b), add(c, d)), add(add(e, f), add(g, h))))
    while len(parts) > 1:
        pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
        parts = [add(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return parts[0] if parts else start


def wrap(value: int, signed: bool) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if signed and value >> 63 else value


def promised(name: str, array: Any) -> Any:
    """What a reduction gives."""
    array = np.asarray(array)
    flat, kind = array.reshape(-1), array.dtype.kind
    elements = flat.tolist()
    if name in ("sum", "prod", "mean"):
        add: Callable[[Any, Any], Any] = (lambda a, b: a * b) if name == "prod" else (lambda a, b: a + b)
        start = 1 if name == "prod" else 0
        if name == "mean" and kind != "f":  # ints are added as floats
            total = fold([float(element) for element in elements], 0.0, add)
        elif kind != "f":
            total = wrap(fold(elements, start, add), kind != "u")
        else:
            total = fold(elements, float(start), add)
            total = float(np.float32(total)) if array.dtype == "f4" else total
        if name != "mean":
            return total
        if kind == "f" and elements:
            return float(array.dtype.type(total) / array.dtype.type(len(elements)))
        return total / len(elements)
    if name in ("min", "max"):
        if not elements:
            raise ValueError

        def better(a: Any, b: Any) -> Any:
            less = b < a if name == "min" else b > a
            return b if less or (b != b and a == a) else a

        return fold(elements, None, better)
    if name in ("argmin", "argmax"):
        return int(getattr(flat, name)())
    if name == "count_nonzero":
        return int(np.count_nonzero(flat))
    return bool(getattr(flat, name)())


REDUCTIONS = ["sum", "prod", "min", "max", "mean", "any", "all", "argmin", "argmax", "count_nonzero"]


def bits(value: Any) -> Any:
    """What must be equal: type and bits, of nans only that they are."""
    if isinstance(value, tuple):
        return tuple(map(bits, value))
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return "nan" if value != value else ("float", value.hex())
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            value = np.where(value != value, np.array(np.nan, value.dtype), value)
        return str(value.dtype), value.shape, value.tobytes()
    return type(value).__name__, value


def numbers(random: Random, dtype: str, shape: tuple[int, ...], wild: bool = False) -> Any:
    """Elements, and among them those that rules are made for."""
    draw = np.random.default_rng(random.getrandbits(32))
    if dtype == "?":
        return draw.integers(0, 2, shape).astype("?")
    kind = np.dtype(dtype)
    if kind.kind != "f":
        low, high = (np.iinfo(kind).min, np.iinfo(kind).max) if wild else (0 if kind.kind == "u" else -9, 9)
        return draw.integers(low, high, shape, dtype=kind, endpoint=True)
    made = (draw.standard_normal(shape) * 10.0 ** draw.integers(-3, 4, shape)).astype(kind)
    special = [0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, float(np.finfo(kind).tiny) / 2]
    at = draw.random(shape) < (0.02 if wild else 0)
    return np.where(at, draw.choice(special, shape), made).astype(kind)


def laid_out(random: Random, array: Any) -> Any:
    """The same elements, some other way."""
    way = random.randrange(7)
    if way == 1:
        return np.asfortranarray(array)
    if way == 2:
        room = np.zeros(tuple(2 * n + 1 for n in array.shape), array.dtype)
        view = room[tuple(slice(1, 2 * n, 2) for n in array.shape)]
    elif way == 3:
        view = array.copy()[(slice(None, None, -1),) * array.ndim]
    elif way == 4:
        room = np.zeros(array.nbytes + 1, "u1")
        view = room[1:].view(array.dtype).reshape(array.shape)
    elif way == 5:
        view = np.moveaxis(np.zeros(tuple(np.roll(array.shape, 1)), array.dtype), 0, -1)
    elif way == 6:
        view = np.zeros((3, *array.shape), array.dtype)[1]
    else:
        return array.copy()
    view[...] = array
    return view


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_are_what_is_promised(name: str) -> None:
    sizes = [*range(18), 100, 1023, 4095, 4096, 4097, 8192, 12_289, 20_000]
    functions = [
        jib.compile(f"{name}({'x' if name not in ('min', 'max') else 'x[:]'})", **options) for options in ENGINES
    ]
    random = Random(f"{SEED} {name}")
    for dtype in [*INTS, *FLOATS, "?"]:
        for n in sizes:
            elements = numbers(random, dtype, (n,), wild=True)
            elements = elements.reshape(-1, n // 2) if n % 2 == 0 and n > 0 and random.random() < 0.5 else elements
            try:
                expected: Any = bits(promised(name, elements))
            except (ValueError, ZeroDivisionError) as error:
                expected = type(error)
            few = functions if n < 100 else functions[:2]
            for function in few:
                for array in (elements, laid_out(random, elements), laid_out(random, elements)):
                    try:
                        found: Any = bits(function(array))
                    except (ValueError, ZeroDivisionError) as error:
                        found = type(error)
                    assert found == expected, (dtype, elements.shape, array.strides, SEED)


# ------------------------------------------------------------------------------------------------------- programs


class Writer:
    """Writes one program: over x and y of one length, m of several rows of that length, numbers n and f, and a few variables."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.length = random.choice([0, 1, 2, 3, 5, 8, 17])
        self.rows = random.choice([1, 2, 3])
        # What a float becomes that an int has no room for is the processor's choice in NumPy: no floats are written to ints. And a u64
        # meets an int in a float.
        self.kind = random.choice(["floats", "floats", "ints", "unsigned"])
        kinds = {"floats": [*FLOATS] * 4 + [*INTS, "?"], "ints": [*INTS[:7], "?"], "unsigned": [*INTS[4:], "?"]}[
            self.kind
        ]
        self.dtypes = {name: random.choice(kinds) for name in "xym"}
        self.targets = [name for name, dtype in self.dtypes.items() if self.kind != "floats" or dtype in FLOATS]
        self.arrays = {
            "x": numbers(random, self.dtypes["x"], (self.length,)),
            "y": numbers(random, self.dtypes["y"], (self.length,)),
            "m": numbers(random, self.dtypes["m"], (self.rows, self.length)),
        }
        self.names: list[str] = []
        self.lines: list[str] = []

    def pick(self, *options: str) -> str:
        return self.random.choice(options)

    def index(self) -> str:
        n = self.length + 1
        return str(self.random.randint(-n, n - 1)) if self.random.random() < 0.8 else self.pick("n", "-n", "n - 1")

    def row(self) -> str:
        return str(self.random.randint(-self.rows, self.rows - 1))

    def bounds(self) -> str:
        one = lambda: self.pick("", "", "1", "-1", "2", "n", "-2", "len(x)", "9")  # noqa: E731
        return f"{one()}:{one()}" + self.pick("", "", ":2", ":-1", ":-2", ":n")

    def leaf(self) -> str:
        """All elements of something as long as x."""
        return self.pick(
            "x[:]", "y[:]", "x[::-1]", f"m[{self.row()}]", f"m[{self.row()}, ::-1]", "m.T[:, 0]", *self.names
        )

    def whole(self, depth: int) -> str:
        if depth <= 0:
            return self.leaf()
        a, b = self.whole(depth - 1), self.whole(depth - 2)
        divided = f"({a} / {b})" if self.kind == "floats" else f"({a} * {b})"
        return self.pick(
            f"({a} + {b})", f"({a} - {b})", f"({a} * {b})", f"({a} * {self.number()})", f"({self.number()} - {a})", divided,
            f"({a} // {b})", f"({a} % {b})", f"where({self.truth(depth - 1)}, {a}, {b})", f"abs({a})", f"-{a}", a,
        )  # fmt: skip

    def truth(self, depth: int) -> str:
        a, b = self.whole(depth - 1), self.whole(depth - 2)
        return f"({a} {self.pick('<', '<=', '>', '>=', '==', '!=')} {self.pick(b, self.number())})"

    def number(self) -> str:
        return self.pick("2", "3", "1", *{"floats": ("0.5", "2.0", "f"), "ints": ("7",), "unsigned": ("4",)}[self.kind])

    def target(self, among: str) -> str | None:
        found = [name for name in among if name in self.targets]
        return self.random.choice(found) if found else None

    def some(self, target: str) -> str:
        """What is as long as a part of something."""
        same = [f"{self.pick('x', 'y')}[{target}]", f"m[{self.row()}, {target}]"]
        return self.pick(
            *same, f"{self.pick(*same)} * {self.number()} + {self.pick(*same)}", self.number(), self.whole(1)
        )

    def statement(self) -> None:
        kind = self.random.randrange(10)
        if kind < 2:
            name = f"v{len(self.names)}"
            self.lines.append(f"{name} = {self.whole(2)}")
            self.names.append(name)
        elif kind < 7:
            name, part, row = self.target("xy" if kind != 4 else "m"), self.bounds(), self.row()
            if kind == 5 and self.target("m"):
                self.lines.append(f"m[{self.pick(':', '1:', '::-1')}, {part}] = {self.some(part)}")
            elif name and kind == 2:
                self.lines.append(f"{name}[{part}] = {self.some(part)}")
            elif name and kind == 3:
                self.lines.append(f"{name}[{part}] {self.pick('+=', '-=', '*=')} {self.some(part)}")
            elif name and kind == 4:
                self.lines.append(f"m[{row}] {self.pick('=', '+=', '*=')} {self.whole(1)}")
            elif name and kind == 6:
                self.lines.append(f"{name}[{self.index()}] = {self.pick('1', '2')}")
        elif kind == 7:
            self.lines.append(f"for i in range(len(x)): t += float({self.pick('x[i]', 'y[-1 - i]', 'm[0, i]')}) * i")
        elif kind == 8:
            over = self.pick("x", "y[::-1]", "m[0]", *self.names)
            self.lines.append(f"for i, v in enumerate({over}): t += float(v) - i")
        else:
            self.lines.append(f"for i in range({self.random.randint(1, 6)}):\n    x[1:] = x[:-1]\n    if i == n: break")

    def result(self) -> str:
        name = self.pick(*REDUCTIONS, "sum", "sum")
        operand = self.pick(self.whole(2), self.truth(1), "m[:, :]", "m.T", "x[1:]")
        return self.pick(
            f"{name}({operand})", self.whole(2), self.truth(2), f"x[{self.bounds()}]", f"x[{self.index()}]", "m.T"
        )

    def text(self) -> str:
        self.lines.append("t = 0.0")
        for _ in range(self.random.randint(0, 5)):
            self.statement()
        results = [self.result() for _ in range(self.random.randint(1, 3))]
        body = "\n".join([*self.lines, f"return t, {', '.join(results)}"])
        return "def p(x: A, y: B, m: C, n: int, f: float):\n    " + body.replace("\n", "\n    ")


def theirs(text: str) -> Callable[..., Any]:
    """The same text as CPython's, with reductions as they are promised."""
    names: dict[str, Any] = {name: lambda array, name=name: promised(name, array) for name in REDUCTIONS}
    names |= {"where": np.where, "A": 0, "B": 0, "C": 0}
    exec(text, names)
    function: Callable[..., Any] = names["p"]
    return function


SCALARS = {"f4": "f32", "f8": "f64", "?": "bool"} | {name: f"{name[0]}{8 * int(name[1])}" for name in INTS}


def outcome(function: Callable[..., Any], arrays: dict[str, Any], n: int, f: float) -> tuple[Any, Any]:
    """What comes out, and what is in the arrays then."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = bits(function(arrays["x"], arrays["y"], arrays["m"], n, f))
    except (ValueError, IndexError, ZeroDivisionError, OverflowError, TypeError) as error:
        if isinstance(error, jib.CompileError):
            raise
        # What is no error of ours is one of its class.
        found = next(
            c for c in (IndexError, OverflowError, ZeroDivisionError, TypeError, ValueError) if isinstance(error, c)
        )
    return found, {name: bits(np.ascontiguousarray(array)) for name, array in arrays.items()}


def check(random: Random) -> str:
    """Tries one program; says how it ended."""
    writer = Writer(random)
    text = writer.text()
    n, f = random.choice([0, 1, 2, -1]), random.choice([0.5, -2.0, 3.0])
    kinds = [laid_out(random, array) for array in writer.arrays.values()]
    locked = random.choice([None] * 9 + ["x"])

    def arrays(layouts: bool) -> dict[str, Any]:
        made = {}
        for (name, array), layout in zip(writer.arrays.items(), kinds):
            mine = array.copy()
            if layouts:  # of the same layout, with memory of its own
                low, high = np.lib.array_utils.byte_bounds(layout)
                room = np.zeros(high - low + 8, "u1")
                shift = layout.__array_interface__["data"][0] - low
                at = -room.__array_interface__["data"][0] % 8 + low % 8
                at = min(at % 8, 7)
                mine = np.ndarray(array.shape, array.dtype, room, at + shift, layout.strides) if high > low else mine
                mine[...] = array
            mine.flags.writeable = name != locked
            made[name] = mine
        return made

    signature = {"A": "x", "B": "y", "C": "m"}
    declared = text
    for letter, name in signature.items():
        declared = declared.replace(
            f": {letter}", f": {SCALARS[writer.dtypes[name]]}[{':, :' if name == 'm' else ':'}]", 1
        )
    told = f"\nx = {writer.arrays['x']!r}, y = {writer.arrays['y']!r}, m = {writer.arrays['m']!r}, n = {n}, f = {f}, locked = {locked}"
    expected = outcome(theirs(text), arrays(False), n, f)
    for options in ENGINES:
        try:
            function = jib.compile(declared, **options)
            found = outcome(function, arrays(True), n, f)
        except jib.CompileError as error:
            return f"refused: {error}"
        assert found == expected, f"{options}\n{declared}{told}\nfound    {found}\nexpected {expected}"
    return "failed" if isinstance(expected[0], type) else "answered"


def test_programs_over_arrays_mean_what_they_mean_to_numpy() -> None:
    ended: dict[str, int] = {}
    for number in range(SEED, SEED + PROGRAMS):
        try:
            end = check(Random(number)).split(":")[0]
        except AssertionError as error:
            raise AssertionError(f"JIB_ARRAY_SEED={number}\n{error}") from None
        ended[end] = ended.get(end, 0) + 1
    print(ended)
    # Programs that nobody takes, or that all fail, would show nothing.
    assert ended["answered"] > 0.4 * PROGRAMS


@settings(suppress_health_check=list(HealthCheck), max_examples=30, database=None)
@given(st.randoms(use_true_random=False))
def test_programs_that_hypothesis_draws_as_well(random: Random) -> None:
    check(random)
