"""TRUST for arrays inside texts: no text and no array reads or writes outside, ends the process, or gives a number nobody stands for.

Arrays lie between pages that nobody may touch; the oracle is NumPy on a copy of the page, all bytes of it. What random programs mean is in
tests/test_array_properties.py.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import pickle
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

import jib
from interruptible import ctrl_c_after
from stacks import on_stack

np = pytest.importorskip("numpy")
as_strided = np.lib.stride_tricks.as_strided

DTYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"]
ENGINES = [
    {"engine": engine, "opt_level": level}
    for engine in ("native", "interpreter", "auto")
    for level in ("speed", "none")
]
MOST, LEAST = (1 << 63) - 1, -(1 << 63)
PAGE = mmap.PAGESIZE


@pytest.fixture(params=ENGINES, ids=lambda options: f"{options['engine']}-{options['opt_level']}")
def engine(request: pytest.FixtureRequest) -> dict[str, str]:
    return dict(request.param)


def statm() -> int:
    """Resident memory in MiB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE >> 20


# ------------------------------------------------------------------------------------------------- guard pages


@contextmanager
def guarded(bytes_: int = PAGE) -> Iterator[Any]:
    """Memory, as an array of bytes, between two pages that may not be touched."""
    size = -(-bytes_ // PAGE) * PAGE
    whole = mmap.mmap(-1, size + 2 * PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(whole))
    libc = ctypes.CDLL(None, use_errno=True)
    for guard in (address, address + PAGE + size):
        assert libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(PAGE), 0) == 0
    yield np.frombuffer(whole, "u1", size, PAGE)
    gc.collect()
    for guard in (address, address + PAGE + size):
        libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(PAGE), mmap.PROT_READ | mmap.PROT_WRITE)


def placed(memory: Any, dtype: str, n: int, step: int, at_end: bool) -> Any:
    """An array of n elements, `step` elements apart, flush against one end of the memory. Odd places are not aligned."""
    size = np.dtype(dtype).itemsize
    reach = size if n == 0 else ((n - 1) * abs(step) + 1) * size
    reach = reach if n else 0
    first = len(memory) - reach if at_end else 0
    if step < 0 and n:
        first += (n - 1) * -step * size
    return np.ndarray((n,), dtype, memory, first, (step * size,))


def reverse_by_elements(x: Any) -> None:
    for i in range(len(x)):
        x[i] = x[-1 - i]


def shift(x: Any) -> None:
    x[1:] = x[:-1].copy()


def fill_middle(x: Any) -> None:
    x[len(x) // 3 : -1 : 2] = 1


def turn(x: Any) -> None:
    x[:] = x[::-1].copy()


def exact(x: Any) -> Any:
    """Of few small numbers, so that sums have no rounding, whatever their order."""
    return x.astype("f8" if x.dtype.kind == "f" else "i8")


GUARDED: dict[str, Callable[[Any], Any]] = {
    "t = 0.0\nfor v in x: t += v\nt": lambda x: float(exact(x).sum()),
    "t = 0.0\nfor i in range(len(x)): t += float(x[i]) * (i + 1)\nt": lambda x: (
        exact(x) * np.arange(1, len(x) + 1)
    ).sum(),
    "t = 0.0\ni = -1\nwhile i >= -len(x):\n    t += x[i]\n    i -= 1\nt": lambda x: exact(x).sum(),
    "t = 0.0\nfor i, (a, b) in enumerate(zip(x, x[1:])): t += a * b\nt": lambda x: (exact(x)[:-1] * exact(x)[1:]).sum(),
    "for i in range(len(x)): x[i] = x[-1 - i]": reverse_by_elements,
    "x[:] = x[::-1]": turn,
    "x[1:] = x[:-1]": shift,
    "x[len(x) // 3:-1:2] = 1": fill_middle,
    "x[:] < x[::-1], x[:] * 2 + x[::-1] * 3": lambda x: (x < x[::-1], x * 2 + x[::-1] * 3),
    "x[1:], x[::-2], x[:], x[n:]": lambda x: (x[1:], x[::-2], x[:], x[2:]),
    "sum(x), prod(x), any(x), all(x), count_nonzero(x)": lambda x: (
        exact(x).sum(),
        x.prod(dtype="f8").astype("f4") if x.dtype == "f4" else x.prod(),
        x.any(),
        x.all(),
        np.count_nonzero(x),
    ),
    "min(x[:]), max(x[:]), argmin(x), argmax(x)": lambda x: (x.min(), x.max(), x.argmin(), x.argmax()),
    "sum(x[:] * 2), dot(x, x), max(x[::-1] * 2)": lambda x: (exact(x).sum() * 2, (exact(x) ** 2).sum(), (x * 2).max()),
}
NOT_EMPTY = ("argmin", "max(")


def alike(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, tuple):
        return isinstance(ours, tuple) and len(ours) == len(theirs) and all(map(alike, ours, theirs))
    if isinstance(theirs, np.ndarray):
        return ours.dtype == theirs.dtype and ours.shape == theirs.shape and bool((ours == theirs).all())
    return bool(ours == theirs)


@pytest.mark.skipif(not hasattr(mmap, "PROT_READ"), reason="needs mprotect")
@pytest.mark.parametrize("text", GUARDED)
def test_nothing_outside_is_touched(text: str, engine: dict[str, str]) -> None:
    function, oracle = jib.compile(text, **engine), GUARDED[text]
    main = engine == ENGINES[0]
    most = range(131) if main else [*range(10), 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 130]
    arguments = {"n": 2}
    with guarded() as memory:
        for dtype in DTYPES:
            # Bools of any byte but 0 and 1 are in test_bools_of_other_bytes.
            values = np.resize(np.array([1, 2, 1, 1, 0, 2, 1], dtype), PAGE // np.dtype(dtype).itemsize)
            for n in most:
                if n == 0 and any(word in text for word in NOT_EMPTY):
                    continue
                for step in (1, 3, -1):
                    for at_end in (True, False):
                        memory[:] = values.view("u1")
                        copy = memory.copy()
                        array = placed(memory, dtype, n, step, at_end)
                        expected = oracle(placed(copy, dtype, n, step, at_end))
                        found = function(*[arguments.get(name, array) for name in function.params])
                        where = (dtype, n, step, at_end)
                        assert alike(found, expected), (where, found, expected)
                        assert (memory == copy).all(), where
                        del array, found


@pytest.mark.parametrize("shape", [(3, 5), (1, 7), (7, 1), (2, 3, 4), (2, 1, 3, 2)], ids=repr)
def test_nor_of_several_dimensions(shape: tuple[int, ...], engine: dict[str, str]) -> None:
    index = ", ".join("ijkl"[: len(shape)])
    loops = "".join(f"{'    ' * at}for {'ijkl'[at]} in range(x.shape[{at}]):\n" for at in range(len(shape)))
    deep = "    " * len(shape)
    total = jib.compile(f"t = 0.0\n{loops}{deep}t += x[{index}]\nt", **engine)
    double = jib.compile(f"{loops}{deep}x[{index}] *= 2\n", **engine)
    whole = jib.compile("x[:] = x[:] * 2 + 1\nsum(x), sum(x.T), max(x[:]), argmax(x)", **engine)
    last = jib.compile("x[-1], x.T[-1], x[-1:], x[::-1].T", **engine)
    with guarded() as memory:
        for dtype in ("i1", "i8", "f4", "f8"):
            size = int(np.prod(shape))
            for order in ("C", "F"):
                for at_end in (False, True):
                    memory[:] = 1
                    flat = placed(memory, dtype, size, 1, at_end)
                    flat[:] = np.arange(size) % 7
                    array = flat.reshape(shape, order=order)
                    copy = array.copy()
                    assert total(array) == copy.sum()
                    double(array)
                    copy *= 2
                    assert (array == copy).all()
                    assert alike(last(array), (copy[-1], copy.T[-1], copy[-1:], copy[::-1].T))
                    copy = copy * 2 + 1
                    assert whole(array) == (copy.sum(), copy.sum(), copy.max(), copy.argmax())
                    assert (array == copy).all()
                    del flat, array


# ------------------------------------------------------------------------------------------------------ indices

INDEXING = ["x[i]", "x[i] = 1", "x[i] += 1", "m[i]", "m[0, i]", "m[i, 0]", "m[0][i]", "m[:, i]", "m[i, ::2]", "m.T[i]"]
INDEXING += ["m[i, 0] = 1", "m[:, i] = 1", "m[i] = 0", "x[x.ndim * i]", "x[::-1][i]", "x[i:][0]"]


@pytest.mark.parametrize("text", INDEXING)
def test_every_wrong_index_is_an_index_error(text: str, engine: dict[str, str]) -> None:
    function = jib.compile(text, **engine)
    theirs = compile(text, "<theirs>", "exec")
    for n in (0, 1, 2, 5):
        for step in (1, -2):
            base = np.arange(2.0 * n * n + 2 * n + 2)
            for i in [
                *range(-n - 3, n + 4),
                MOST,
                LEAST,
                MOST - 1,
                LEAST + 1,
                1 << 32,
                -(1 << 32),
                1 << 62,
                -(1 << 62),
            ]:
                arrays: dict[str, Any] = {"x": base[: 2 * n : 2][:: step // abs(step)].copy()}
                arrays["m"] = base[: n * n].reshape(n, n).copy()[:: step // abs(step)]
                copies = {name: array.copy() for name, array in arrays.items()}
                failed = False
                try:
                    exec(theirs, {**copies, "i": i})
                except IndexError:
                    failed = True
                try:
                    function(*[{**arrays, "i": i}[name] for name in function.params])
                    assert not failed, (n, i)
                except IndexError:
                    assert failed, (n, i)
                for name, array in arrays.items():
                    assert (array == copies[name]).all(), (n, i)


def test_every_slice(engine: dict[str, str]) -> None:
    function = jib.compile("x[a:b:c]", **engine)
    bounds = [0, 1, 2, 4, 5, 6, -1, -2, -5, -6, -7, MOST, LEAST, MOST - 1, LEAST + 1]
    steps = [1, -1, 2, -2, 3, -5, 7, MOST, LEAST, LEAST + 1]
    for n in (0, 1, 5):
        x = np.arange(10.0)[: 2 * n : 2]
        for a in bounds:
            for b in bounds:
                for c in steps:
                    assert function(x, a, b, c).tolist() == x[a:b:c].tolist(), (n, a, b, c)
    with pytest.raises(ValueError, match="step"):
        function(x, 0, 1, 0)


# ------------------------------------------------------------------------------------------------ strange arrays

STRANGE = [">f8", ">i2", "O", "M8[s]", "m8[s]", "c8", "c16", "U3", "S3", "f2", "V4", [("a", "f8")]]
STRANGE += ["g"] if np.dtype("g").itemsize != 8 else []


@pytest.mark.parametrize("dtype", STRANGE, ids=str)
@pytest.mark.parametrize(
    "text", ["x[0]", "x[0] = 1", "sum(x)", "for v in x: pass", "len(x)", "def f(x: f64[:]): return x"]
)
def test_other_dtypes_name_the_parameter(dtype: Any, text: str) -> None:
    with pytest.raises(TypeError, match=r"'x'"):
        jib.compile(text)(np.zeros(3, dtype))


def subclasses() -> dict[str, Any]:
    class Own(np.ndarray):  # type: ignore[misc]
        def __getitem__(self, at: Any) -> Any:
            raise AssertionError("nobody asks")

    made = {"masked": np.ma.array([1.0]), "masked ints": np.ma.array([1]), "own": np.zeros(3).view(Own)}
    made |= {"records": np.zeros(3).view(np.recarray), "texts": np.char.array(["a"])}
    for dtype in ("f8", "i8", "?"):
        made[f"matrix of {dtype}"] = np.asmatrix(np.zeros((1, 1), dtype))
    return made


@pytest.mark.parametrize("name", subclasses())
@pytest.mark.parametrize("text", ["x[0]", "sum(x)", "def f(x: f64[:]): return x[0]", "def f(x: i64[:]): return x[0]"])
def test_subclasses_name_the_parameter(name: str, text: str) -> None:
    with pytest.raises(TypeError, match=r"'x'"):
        jib.compile(text)(subclasses()[name])


def test_memory_of_files_is_memory(engine: dict[str, str]) -> None:
    with tempfile.TemporaryFile() as file:
        x = np.memmap(file, dtype="f8", mode="w+", shape=(5,))
        view = jib.compile("x[1:] = 3\nx[::2]", **engine)(x)
        assert x.tolist() == [0, 3, 3, 3, 3] and view.tolist() == [0, 3, 3]
        view[0] = 9
        assert x[0] == 9


@pytest.mark.parametrize(
    ("text", "array"),
    [
        ("def f(x: f64[:]): return x[0]", np.zeros((2, 2))),
        ("def f(x: f64[:, :]): return x[0]", np.zeros(2)),
        ("def f(x: f64[:]): return x[0]", np.zeros(2, "f4")),
        ("def f(x: f64[::1]): return x[0]", np.zeros(4)[::2]),
        ("def f(x: f64[:, ::1]): return x[0]", np.zeros((2, 3), order="F")),
        ("def f(x: f64[:]): return x[0]", 1.5),
        ("def f(x: f64[:]): return x[0]", [1.5]),
        ("def f(x: f64[:]): return x[0]", None),
        ("x[0]", np.zeros((1,) * 5)),
        ("x[0]", np.zeros((1,) * 32)),
        ("x[0, 0]", np.zeros(3)),
        ("x[0]", np.array(1.5)),
        ("x[0]", 1.5),
        ("dot(x, x)", np.zeros((2, 2))),
    ],
)
def test_wrong_dimensions_are_type_errors(text: str, array: Any) -> None:
    with pytest.raises(TypeError):
        jib.compile(text)(array)


@pytest.mark.parametrize("text", ["x[0] = 1", "x[:] = 1", "x[0] += 1", "x[1:] = x[:-1]", "x[:] += 1", "x[::2][0] = 1"])
def test_what_is_read_only_is_not_written(text: str, engine: dict[str, str]) -> None:
    function = jib.compile(text, **engine)
    locked = np.arange(3.0)
    locked.flags.writeable = False
    for x in (locked, np.broadcast_to(1.0, (3,)), np.frombuffer(bytes(24))):
        before = x.tolist()
        with pytest.raises(ValueError, match="read-only"):
            function(x)
        assert x.tolist() == before
        view = jib.compile("x[1:]", **engine)(x)
        assert not view.flags.writeable
        assert jib.compile("x[:] * 2", **engine)(x).flags.writeable


def test_arrays_of_no_elements(engine: dict[str, str]) -> None:
    texts = ["x[:]", "x.T", "x[:] + x[:]", "x[::-1]", "sum(x)", "prod(x)", "any(x)", "all(x)", "count_nonzero(x)"]
    for shape in [(0,), (0, 3), (3, 0), (0, 0), (2, 0, 3), (1, 2, 3, 0), (0,) * 4]:
        x = np.zeros(shape)
        for text, want in zip(texts, [x, x.T, x + x, x[::-1], x.sum(), x.prod(), x.any(), x.all(), 0]):
            found = jib.compile(text, **engine)(x)
            assert np.shape(found) == np.shape(want) and alike(found, want), (shape, text)
        jib.compile("x[:] = 1.0\nx[:] = x[::-1]", **engine)(x)
        for text in ("min(x[:])", "max(x[:])", "argmin(x)", "argmax(x)"):
            with pytest.raises(ValueError):
                jib.compile(text, **engine)(x)
        if shape[0] == 0:
            with pytest.raises(IndexError):
                jib.compile("x[0]", **engine)(x)


def test_bools_of_other_bytes(engine: dict[str, str]) -> None:
    """Whatever byte but 0 is true, once."""
    x = np.array([2, 0, 255, 1, 128] * 3, "u1").view("?")
    f = jib.compile("sum(x), count_nonzero(x), all(x), max(x[:]), min(x[:]), argmax(x), argmin(x), prod(x)", **engine)
    assert f(x) == (12, 12, False, True, False, 0, 1, 0)
    assert jib.compile("x[0] + x[2], x[0] == True", **engine)(x) == (2, True)
    assert (jib.compile("x[:] == x[::-1]", **engine)(x) == ((x.view("u1") > 0) == (x.view("u1") > 0)[::-1])).all()
    assert jib.compile("sum(x[:] * 3)", **engine)(x) == 36


OVERLAPPING = {
    "one element": lambda: as_strided(np.zeros(8), (6_000,), (0,)),
    "a window": lambda: as_strided(np.arange(10_010.0) % 64, (10_000, 5), (8, 8)),
    "shifted by a byte": lambda: as_strided(np.zeros(6_100, "i2").view("i2"), (6_000,), (1,)),
    "backwards": lambda: as_strided(np.arange(10_010.0)[9:], (9_000, 3), (8, -8)),
}


@pytest.mark.parametrize("name", OVERLAPPING)
@pytest.mark.parametrize(
    "text", ["x[:] = x[:] + 1", "x[:] += 1", "x[::-1] = x[:] * 2 + 1", "x[1:] = x[:-1]", "x[:] = y[:]"]
)
def test_elements_that_share_memory(name: str, text: str, engine: dict[str, str]) -> None:
    """What is written is made of what was there before anything was written; of several at one place, the last one stays."""
    ours, theirs = OVERLAPPING[name](), OVERLAPPING[name]()
    y = np.arange(theirs.size).reshape(theirs.shape) % 100
    value = {
        "x[:] = x[:] + 1": lambda x: x + 1,
        "x[:] += 1": lambda x: x + 1,
        "x[::-1] = x[:] * 2 + 1": lambda x: (x * 2 + 1)[::-1],
        "x[1:] = x[:-1]": lambda x: np.concatenate([x[:1], x[:-1]]),
        "x[:] = y[:]": lambda x: y,
    }[text](theirs.copy())
    start = 1 if text == "x[1:] = x[:-1]" else 0
    places = [*np.ndindex(*theirs.shape)]
    for at in places[:: -1 if text.startswith("x[::-1]") else 1]:
        if at[0] >= start:
            theirs[at] = value[at]
    function = jib.compile(text, **engine)
    function(*[{"x": ours, "y": y.astype(ours.dtype)}[p] for p in function.params])
    if text.startswith("x[::-1]") and name != "one element":
        # The first dimension is written from its end, the others are not: an order of its own.
        return
    assert (ours == theirs).all()


# ----------------------------------------------------------------------------------------------------- enormous


def one(*shape: int, dtype: str = "f8") -> Any:
    """An array of one element that says it has many."""
    return as_strided(np.ones(1, dtype), shape, (0,) * len(shape))


@pytest.mark.parametrize("text", ["sum(x)", "all(x)", "argmin(x)", "count_nonzero(x[:] * 2)", "mean(x)", "dot(y, y)"])
def test_reductions_of_enormous_views_need_no_memory(text: str, engine: dict[str, str]) -> None:
    before = statm()
    arrays = {"x": one(1 << 40, 1 << 15), "y": one(1 << 50)}
    for limit in ({"fuel": 1_000}, {"timeout": 0.05}):
        function = jib.compile(text, **engine, **limit)  # type: ignore[arg-type]
        # Without passes, an array of the products is wanted.
        refusals = (
            (jib.BudgetError, jib.LimitError, MemoryError)
            if engine["opt_level"] == "none" and ":" in text
            else jib.BudgetError
        )
        with pytest.raises(refusals):
            function(*[arrays[name] for name in function.params])
    assert statm() - before < 100


def test_what_is_decided_is_decided_at_once(engine: dict[str, str]) -> None:
    assert jib.compile("any(x)", **engine)(one(1 << 40, 1 << 15)) is True
    if engine["opt_level"] == "speed":  # else there is an array of the comparisons
        assert jib.compile("all(x[:] == 2)", **engine)(one(1 << 40, 1 << 15)) is False


def test_results_without_memory_are_errors(engine: dict[str, str]) -> None:
    tall, wide = one(1 << 40, 1), one(1, 1 << 40)
    for text in ("x[:] + y[:]", "sum(x[:] + y[:])", "x[:] * 2.0", "m[:] * 2.0", "b[:] | b[::-1]", "m[:] = m[::-1] + 1"):
        function = jib.compile(text, **engine, timeout=1)  # type: ignore[arg-type]
        arrays = {"x": tall, "y": wide, "m": one(1 << 40), "b": one(1 << 30, 1 << 30, dtype="i1")}
        with pytest.raises((ValueError, MemoryError)):
            function(*[arrays[name] for name in function.params])
    assert jib.compile("x.size, len(x), x.shape", **engine)(one(1 << 40, 1 << 15)) == (
        1 << 55,
        1 << 40,
        (1 << 40, 1 << 15),
    )


def test_copies_for_overlaps_are_gone_at_once(engine: dict[str, str]) -> None:
    before = statm()
    jib.compile("for i in range(rounds): x[1:] = x[:-1]", params=["x", "rounds"], **engine)(
        np.zeros(1 << 19), 40 if engine["engine"] == "native" else 10
    )
    assert statm() - before < 24


# ------------------------------------------------------------------------------------------------ to be stopped

LONG = {
    "a reduction": "sum(x)",
    "a reduction of a kernel": "dot(x, x)",
    "a write": "x[:] = 1.0",
    "a loop": "t = 0.0\nfor v in x: t += v\nt",
    "many operations": "for i in range(1 << 60): y[1:] = y[:-1] * 0.5",
    "views": "v = x[:]\nfor i in range(1 << 60): v = v[:]\nv[0]",
}


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("name", LONG)
def test_ctrl_c_and_deadlines_end_them(name: str, engine: dict[str, str]) -> None:
    arrays = {"x": one(1 << 50), "y": np.zeros(100_000)}
    function = jib.compile(LONG[name], **engine)
    args = [arrays[param] for param in function.params]
    started = time.monotonic()
    with ctrl_c_after(0.05), pytest.raises(KeyboardInterrupt):
        function(*args)
    with pytest.raises(jib.BudgetError):
        jib.compile(LONG[name], timeout=0.05, **engine)(*args)  # type: ignore[arg-type]
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("text", ["x[:] * 2.0", "sum(x)", "x[:] = 1.0", "x[1:] = x[:-1]", "y = x[:] + 1\nsum(y * x)"])
def test_fuel_is_one_for_each_block_on_every_engine(text: str) -> None:
    x = np.zeros(4096 * 7 + 1)
    used = set()
    for options in ENGINES:
        low, high = 1, 200
        while low < high:
            middle = (low + high) // 2
            try:
                jib.compile(text, fuel=middle, **options)(x.copy())  # type: ignore[arg-type]
                high = middle
            except jib.BudgetError:
                low = middle + 1
        # Operations that have become one count as one.
        used.add((low, options["opt_level"] if "y =" in text else None))
    ticks = {many for many, _ in used}
    assert len(used) == (2 if "y =" in text else 1) and min(ticks) >= 8 and max(ticks) <= 32


# --------------------------------------------------------------------------------------------------- life and threads


def test_results_keep_what_they_lie_in(engine: dict[str, str]) -> None:
    for text, want in [
        ("x[1:]", lambda x: x[1:]),
        ("x[::-2]", lambda x: x[::-2]),
        ("(x[:] * 2)[1:]", lambda x: (x * 2)[1:]),
        ("x[:] + 1, x[3:], (x[::-1], x[:] * 0)", lambda x: (x + 1, x[3:], (x[::-1], x * 0))),
        ("def f(x):\n    y = x[1:]\n    y = y[1:]\n    return y", lambda x: x[2:]),
    ]:
        function = jib.compile(text, **engine)
        x = np.arange(5000.0)
        expected = want(x.copy())
        found = function(x)
        del x, function
        jib.cache_clear()
        gc.collect()
        rubbish = [np.full(5000, 7.0) for _ in range(100)]
        assert alike(found, expected)
        del rubbish


def test_calls_leave_nothing_behind(engine: dict[str, str]) -> None:
    x = np.arange(1000.0)
    rounds = 100_000 if engine == ENGINES[0] else 2_000
    for text in ("x[1:]", "x[:] * 2", "(x[:] * 2)[1:], x[1:], x.T", "y = x[:] * 2\ny[0] + x[1000]", "sum(x[:] * 2)"):
        function = jib.compile(text, **engine)

        def call(times: int, function: Any = function) -> None:
            for _ in range(times):
                with suppress(IndexError):
                    function(x)

        call(100)
        gc.collect()
        references, memory = sys.getrefcount(x), statm()
        call(rounds // 5)
        assert sys.getrefcount(x) == references
        assert statm() - memory < 8


def test_functions_of_arrays_are_pickled(engine: dict[str, str]) -> None:
    function = pickle.loads(pickle.dumps(jib.compile("def f(x: f64[:], n=2): return x[n:] * 2", **engine)))
    assert function(np.arange(4.0)).tolist() == [4, 6]


def test_a_result_outlives_its_function_and_the_base_of_its_argument() -> None:
    base = np.arange(100.0)
    view = base[10:50][::-1]
    found = jib.compile("x[5:][::2]")(view)
    expected = view[5:][::2].tolist()
    del base, view
    gc.collect()
    assert found.tolist() == expected


@pytest.mark.parametrize(
    "text",
    [
        "for r in range(n): x[:] = x[:] * 1.5",
        "t = 0.0\nfor r in range(n): t += sum(x) + max(x[:])\nt",
        "for r in range(n): x[1:] = x[:-1]",
        "for r in range(n):\n    for i in range(len(x)): x[i] = x[i - 1]",
        "k = 0\nfor r in range(n): k = argmin(x)\nx[k]",
        "k = 0\nfor r in range(n):\n    for v in y: x[v] = k\n",
    ],
)
def test_others_may_write_meanwhile(text: str) -> None:
    """What comes out is anything; that it comes out is the point. Indices are asked about as they were read."""
    x, y = np.random.default_rng(1).random(100_000), np.arange(50_000)
    stop = threading.Event()

    def meddle() -> None:
        draw = np.random.default_rng(2)
        while not stop.is_set():
            x[:] = draw.random()
            x.sort()
            y[draw.integers(50_000)] = draw.integers(-(1 << 63), 1 << 62)
            time.sleep(0.0005)

    thread = threading.Thread(target=meddle)
    thread.start()
    try:
        function = jib.compile(text)
        try:
            function(*[{"x": x, "y": y, "n": 50}[name] for name in function.params])
        except IndexError:
            assert "y" in function.params
    finally:
        stop.set()
        thread.join()


def test_one_function_in_many_threads(engine: dict[str, str]) -> None:
    function = jib.compile("y = x[:] * 2 + 1\ny[1:] = y[:-1]\nsum(y), y[::2]", **engine)
    complaints: list[Any] = []

    def work(number: int) -> None:
        for turn in range(20):
            dtype = ["f8", "f4", "i8", "i4"][(number + turn) % 4]
            x = np.arange(1000 * (number % 3), dtype=dtype) % 10
            y = x * 2 + 1
            y[1:] = y[:-1].copy()
            if len(x) == 0:
                continue
            total, half = function(x)
            if total != y.sum() or not alike(half, y[::2]):
                complaints.append((number, turn, dtype))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not complaints


SHARED = {
    "sum(x), prod(x[:100]), dot(x, y), mean(x)": ("f8", "f8"),
    "min(x[:]), max(x[:]), argmin(x), argmax(x), count_nonzero(x[:] > 0.5)": ("f8", "f8"),
    "sum(x), any(x[:] > 2), all(x[:] < 2), any(x[:] == y[-1])": ("f4", "f4"),
    "x[1:] = x[:-1] * 2 + y[1:]": ("f8", "f8"),
    "x[::-1] = x[:] + 1": ("f8", "f8"),
    "x[:] = x[:] * y[::-1]": ("f4", "f8"),
    "x[:] += 1\nsqrt(x[:] * x[:]) + y[:]": ("i4", "f8"),
    "o[:] = y[:]\no[0]": ("f8", "f8"),
    "o[:] = o[:] + y[:]\no[0]": ("f8", "f8"),
}


@pytest.mark.parametrize("text", SHARED)
def test_threads_change_nothing(text: str) -> None:
    draw = np.random.default_rng(3)
    kinds = SHARED[text]
    for n in (100_000, 1_500_001):
        original = {name: draw.random(2 * n).astype(kind) for name, kind in zip("xy", kinds)}
        for step in (1, 2, -2):
            outcomes = []
            for threads in (1, 2, 5):
                arrays = {name: array.copy()[::step] for name, array in original.items()}
                arrays["o"] = as_strided(np.zeros(1), (len(arrays["x"]),), (0,))
                function = jib.compile(text, threads=threads)
                found = function(*[arrays[name] for name in function.params])
                outcomes.append((found, *[arrays[name] for name in function.params]))
            for other in outcomes[1:]:
                assert alike(other, outcomes[0]), (n, step)
            if "o" in function.params:
                assert outcomes[0][0] == arrays["y"][-1]


@pytest.mark.parametrize("kib", [256, 1024])
def test_recursion_with_arrays_ends(kib: int, engine: dict[str, str]) -> None:
    texts = [
        "def f(x, n):\n    s = sum(x * 2.0 + n)\n    return s if n == 0 else f(x, n - 1) + s",
        "def f(x, n):\n    x[1:] = x[:-1]\n    y = x[:] * 0.5 + n\n    return y if n == 0 else f(y, n - 1)",
        "def f(x, n):\n    return x[0] if n == 0 else f(x[::-1], n - 1) + x[-1]",
    ]
    for text in texts:
        function = jib.compile(text, **engine)
        x = np.ones(40)[::2]
        on_stack(kib, lambda function=function, x=x: function(x, 20))  # type: ignore[misc]
        with pytest.raises(RecursionError):
            on_stack(kib, lambda function=function, x=x: function(x, 10**6))  # type: ignore[misc]


# -------------------------------------------------------------------------------------------------------- the text

ABUSE = {
    "subscripts in subscripts": ("x[" * 90 + "0" + "]" * 90, 2.0),
    "subscripts after subscripts": ("x" + "[:]" * 150 + "[0]", 2.0),
    "transposes": ("x" + ".T" * 150 + "[0]", 2.0),
    "elements": ("+".join(["x[0]"] * 5_000), 2.0),
    "operations": ("+".join(["x[:]"] * 1_500), 2.0),
    "a reduction of operations": ("sum(" + "+".join(["x[:]"] * 1_500) + ")", 4.0),
    "reductions": ("+".join(["sum(x)"] * 1_500), 2.0),
    "reductions of reductions": ("sum(x[:] * " * 60 + "x[:]" + ")" * 60, 4.0),
    "writes": ("x[0] = 1\n" * 4_000, 2.0),
    "whole writes": ("x[:] = x[:] + 1\n" * 700, 4.0),
    "numbers": (
        "def f(x, "
        + ", ".join(f"n{i}" for i in range(100))
        + "):\n    return x[:]"
        + "".join(f"*n{i}" for i in range(100)),
        2.0,
    ),
    "arrays": ("+".join(f"x{i}[:]" for i in range(150)), 2.0),
    "operands of one": ("max(x[:], " + ", ".join(f"n{i}" for i in range(100)) + ")", 2.0),
    "views": ("a0 = x[:]\n" + "\n".join(f"a{i + 1} = a{i}[:]" for i in range(1_000)) + "\na1000[0]", 4.0),
    "loops": ("".join("    " * i + f"for v{i} in x:\n" for i in range(19)) + "    " * 19 + "return\n", 2.0),
    "arrays where paths join": ("y = x\n" + "if y[0] > 1: y = x[:] * 2\n" * 200 + "y[0]", 4.0),
}


@pytest.mark.parametrize("name", ABUSE)
def test_abusive_texts_are_done_or_refused_soon(name: str) -> None:
    text, seconds = ABUSE[name]
    memory = statm()
    for options in ({}, {"opt_level": "none"}, {"engine": "interpreter"}):
        started = time.monotonic()
        try:
            function = jib.compile(
                "def f(x):\n    " + text.replace("\n", "\n    ") if name == "loops" else text, timeout=2, **options
            )  # type: ignore[arg-type]
            function(
                *[
                    1.0 if param.startswith("n") else np.zeros(3, "i8" if "[x[" in text else "f8")
                    for param in function.params
                ]
            )
        except (jib.LimitError, jib.CompileError, jib.BudgetError, RecursionError):
            pass
        assert time.monotonic() - started < 4 * seconds, options
    assert statm() - memory < 500
