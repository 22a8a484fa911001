"""Loops over elements in vectors (`opt/vectorise.rs`): which are, and that nobody can tell, by CPython running the same text."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jib

STENCIL = """
def f(x, out):
    for i in range(1, len(x) - 1):
        out[i] = 0.25 * x[i - 1] + 0.5 * x[i] + 0.25 * x[i + 1]
"""
ROW = """
def f(a, b, c):
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                c[i, j] += a[i, k] * b[k, j]
"""
PATHS = """
def f(w):
    n = len(w)
    for k in range(n):
        for i in range(n):
            for j in range(n):
                d = w[i, k] + w[k, j]
                if d < w[i, j]:
                    w[i, j] = d
"""
MAP = """
def g(v):
    return v * v - 2.0 * v if v > 0.5 else -v

def f(x, out):
    for i in range(len(x)):
        out[i] = g(x[i])
"""
SOME = """
def f(x, out):
    for i in range(len(x)):
        if x[i] > 0.25:
            out[i] = x[i] / 4.0
"""
FILL = """
def f(out, v):
    for i in range(len(out)):
        out[i] = v
"""
SHIFT = """
def f(x):
    for i in range(len(x) - 1):
        x[i] = 0.5 * x[i + 1]
"""
ELEMENT = """
def f(x, k):
    for i in range(len(x)):
        x[i] = x[i] - 0.5 * x[k]
"""

LINE, TWO, TABLE = "None(f64[::1])", "None(f64[::1], f64[::1])", "None(f64[:, ::1])"

#: Text, signature, and whether it is done in vectors.
CASES = {
    "stencil": (STENCIL, TWO, True),
    "row": (ROW, "None(f64[:, ::1], f64[:, ::1], f64[:, ::1])", True),
    "paths": (PATHS, TABLE, True),
    "map": (MAP, TWO, True),
    "in some rounds": (SOME, TWO, True),
    "fill": (FILL, "None(f64[::1], float)", True),
    "reads ahead": (SHIFT, LINE, True),
    "an element of its own": (ELEMENT, "None(f64[::1], int)", True),
    "strided": (STENCIL, "None(f64[:], f64[::1])", False),
    "recurrence": ("def f(x):\n    for i in range(1, len(x)):\n        x[i] = x[i] + x[i - 1]", LINE, False),
    "column": ("def f(m):\n    for i in range(len(m)):\n        m[i, 0] = 1.5", TABLE, False),
    "the counter as a number": ("def f(x):\n    for i in range(len(x)):\n        x[i] = i * 0.5", LINE, False),
    "step": ("def f(x):\n    for i in range(0, len(x), 2):\n        x[i] = 0.5", LINE, False),
    "break": (
        "def f(x):\n    for i in range(len(x)):\n        if x[i] > 1.0:\n            break\n        x[i] = 2.0", LINE, False,
    ),
    "counter that changes": (
        "def f(x):\n    i = 0\n    while i < len(x):\n        x[i] = 2.0\n        if x[i] > 3.0:\n            i += 1\n        i += 1",
        LINE,
        False,
    ),
    "sum": ("def f(x, o):\n    t = 0.0\n    for i in range(len(x)):\n        t += x[i]\n        o[i] = t", TWO, False),
    "division": ("def f(x, o):\n    for i in range(len(x)):\n        o[i] = 1.0 / x[i]", TWO, False),
    "ints that overflow": ("def f(x):\n    for i in range(len(x)):\n        x[i] = x[i] + 1", "None(i64[::1])", False),
    "ints that do not": ("def f(x):\n    for i in range(len(x)):\n        x[i] = x[i] & 12", "None(i64[::1])", True),
    "reads what it stored": (
        "def f(x, o):\n    for i in range(len(x)):\n        x[i] = 0.5\n        o[i] = x[i] * 2.0", TWO, False,
    ),
    "elements as indices": (
        "def f(x, k):\n    for i in range(len(k)):\n        x[k[i]] = 0.5", "None(f64[::1], i64[::1])", False,
    ),
    "last counter": ("def f(x):\n    i = 0\n    for i in range(len(x)):\n        x[i] = 0.5\n    x[i] = 1.5", LINE, False),
    "call": ("def f(x):\n    for i in range(len(x)):\n        x[i] = exp(x[i])", LINE, False),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_which_loops_are_done_in_vectors(name: str) -> None:
    text, signature, vectors = CASES[name]
    dump = jib.compile(text, signature).dump("typed-ir")
    assert ("  rows f.rows" in dump) == vectors, dump


def python(text: str) -> Callable[..., Any]:
    scope: dict[str, Any] = {}
    exec(text, scope)
    function: Callable[..., Any] = scope["f"]
    return function


def outcome(function: Callable[..., Any], memory: np.ndarray, views: Callable[[np.ndarray], tuple[Any, ...]]) -> Any:
    """What memory holds afterwards, and how it ended."""
    memory = memory.copy()
    try:
        function(*views(memory))
    except (IndexError, ZeroDivisionError, OverflowError) as error:
        return memory.tobytes(), type(error)
    return memory.tobytes(), None


def same(text: str, memory: np.ndarray, views: Callable[[np.ndarray], tuple[Any, ...]], **options: Any) -> None:
    wanted = outcome(python(text), memory, views)
    for engine in ("native", "interpreter"):
        function = jib.compile(text, engine=engine, **options)
        have = outcome(function, memory, views)
        assert have == wanted, (engine, [getattr(view, "shape", view) for view in views(memory)])


def numbers(count: int, seed: int = 1) -> np.ndarray:
    values = np.random.default_rng(seed).random(count) * 2.0 - 0.5
    values[::7] = -0.0
    values[5::11] = np.inf
    return values


@pytest.mark.parametrize("text", [STENCIL, MAP, SOME], ids=["stencil", "map", "some"])
@pytest.mark.parametrize("length", [*range(35), 63, 64, 65, 127, 128, 129, 130])
def test_lengths(text: str, length: int) -> None:
    same(text, numbers(300), lambda m: (m[:length], m[150 : 150 + length]))


@pytest.mark.parametrize("text", [STENCIL, MAP, SOME], ids=["stencil", "map", "some"])
@pytest.mark.parametrize("apart", [*range(-20, 21), -60, 60, 64, 65])
def test_views_of_one_array(text: str, apart: int) -> None:
    same(text, numbers(300), lambda m: (m[100:164], m[100 + apart : 164 + apart]))


@pytest.mark.parametrize("shift", [-9, -8, -7, -4, -1, 1, 4, 7, 8, 9])
def test_views_beside_the_elements(shift: int) -> None:
    def views(m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        raw = m.view(np.uint8)
        return m[100:164], raw[800 + shift : 800 + shift + 64 * 8].view(np.float64)

    memory = np.arange(300) * 0.25
    python_result = outcome(python(MAP), memory, views)
    assert outcome(jib.compile(MAP), memory, views) == python_result


@pytest.mark.parametrize("step", [-1, 2, -2])
def test_strides(step: int) -> None:
    same(STENCIL, numbers(300), lambda m: (m[:80:step], m[150:230:step]))
    same(STENCIL, numbers(300), lambda m: (m[:80], m[150:230][::step]))


@pytest.mark.parametrize("missing", [1, 2, 3, 20, 63])
def test_an_index_outside_fails_where_it_would(missing: int) -> None:
    same(STENCIL, numbers(300), lambda m: (m[:64], m[150 : 214 - missing]))
    same(SOME, np.abs(numbers(300)) + 1.0, lambda m: (m[:64], m[150 : 214 - missing]))


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 4, 5), (2, 3, 16), (5, 2, 17), (4, 4, 40), (3, 3, 64)])
def test_rows_of_tables(shape: tuple[int, int, int]) -> None:
    n, m, p = shape

    def views(memory: np.ndarray) -> tuple[np.ndarray, ...]:
        a, b, c = memory[: n * m], memory[200 : 200 + m * p], memory[500 : 500 + n * p]
        return a.reshape(n, m), b.reshape(m, p), c.reshape(n, p)

    same(ROW, np.arange(900) * 0.125, views)


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 24, 33])
def test_shortest_paths(n: int) -> None:
    # Some on the diagonal are negative: then the row that is written changes what is read of it.
    memory = np.random.default_rng(n).random(n * n) * 10.0 - 0.3
    same(PATHS, memory, lambda m: (m.reshape(n, n),))


@pytest.mark.parametrize("n", [16, 17, 30, 64, 100])
def test_an_element_that_the_loop_stores(n: int) -> None:
    for k in {0, 1, 7, 8, n // 2, n - 1, n, -1}:
        same(ELEMENT, numbers(100, n), lambda m, k=k: (m[:n], k))  # type: ignore[misc]
    same(SHIFT, numbers(100, n), lambda m: (m[:n],))


@pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
def test_types_in_numpys_arithmetic(dtype: str) -> None:
    text = "def f(x, y, out):\n    for i in range(len(x)):\n        out[i] = x[i] * y[i] - y[i]"
    some = "def f(x, y, out):\n    for i in range(len(x)):\n        if x[i] < y[i]:\n            out[i] = x[i] + y[i]"
    seed = np.random.default_rng(3)
    for length in (15, 16, 50, 130):
        x, y, out = (seed.integers(0, 100, length).astype(dtype) for _ in range(3))
        wanted = x * y - y
        jib.compile(text, arithmetic="numpy")(x, y, out)
        np.testing.assert_array_equal(out, wanted)
        wanted = np.where(x < y, x + y, out)
        jib.compile(some, arithmetic="numpy")(x, y, out)
        np.testing.assert_array_equal(out, wanted)


def test_single_precision_has_the_bits_of_scalars() -> None:
    text = "def f(x, y, out):\n    for i in range(len(x)):\n        out[i] = sqrt(abs(x[i] * y[i] + x[i])) / 3.0"
    x, y = np.random.default_rng(4).random((2, 99)).astype("f4")
    outs = [np.zeros(99, "f4") for _ in range(2)]
    jib.compile(text, opt_level="none")(x, y, outs[0])
    jib.compile(text)(x, y, outs[1])
    assert outs[0].tobytes() == outs[1].tobytes()


def test_bools_are_not_touched_where_they_are_not_stored() -> None:
    text = "def f(x, out):\n    for i in range(len(x)):\n        if x[i]:\n            out[i] = x[i]"
    odd = np.full(40, 2, "u1").view("?")
    x = np.zeros(40, "?")
    x[::3] = True
    jib.compile(text)(x, odd)
    assert odd.view("u1").tolist() == [1 if i % 3 == 0 else 2 for i in range(40)]


@pytest.mark.parametrize("fuel", [1, 15, 16, 17, 40, 99, 100, 101, 1000])
def test_fuel_ends_after_the_same_round(fuel: int) -> None:
    results = []
    for engine, level in (("native", "speed"), ("native", "none"), ("interpreter", "speed")):
        x, out = np.arange(100.0), np.zeros(100)
        function = jib.compile(STENCIL, engine=engine, opt_level=level, fuel=fuel)
        try:
            function(x, out)
            ended = "done"
        except jib.BudgetError:
            ended = "spent"
        results.append((ended, out.tobytes()))
    assert results[0] == results[1] == results[2]


def test_others_may_store_the_elements_between() -> None:
    """Two threads, each storing every other element of one array, without the interpreter between them."""
    text = """
def f(mine, out, v, n):
    for r in range(n):
        for i in range(len(out)):
            if mine[i]:
                out[i] = v[i]
"""
    function = jib.compile(text, "None(bool[::1], f64[::1], f64[::1], int)")
    out = np.zeros(4096)
    even = np.arange(4096) % 2 == 0
    jobs = [(even, np.full(4096, 1.0)), (~even, np.full(4096, 2.0))]
    for _ in range(3):
        out[:] = 0.0
        threads = [threading.Thread(target=function, args=(mine, out, v, 5000)) for mine, v in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert out.tolist() == [1.0, 2.0] * 2048
