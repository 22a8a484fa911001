"""`f.ufunc`: a real numpy.ufunc, whatever NumPy does with one."""

from __future__ import annotations

import gc
import pickle
import resource
import sys
import threading
import time
import warnings
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import jib
from interruptible import ctrl_c_after

DTYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]

ADD = jib.compile("a + b", name="plus").ufunc


def test_it_is_a_ufunc() -> None:
    f = jib.compile("def hyp(x, y):\n    'The long side.'\n    return sqrt(x * x + y * y)")
    ufunc = f.ufunc
    assert type(ufunc) is np.ufunc and ufunc is f.ufunc
    assert (ufunc.__name__, ufunc.nin, ufunc.nout) == ("hyp", 2, 1)
    assert "The long side." in ufunc.__doc__
    assert repr(ufunc) == "<ufunc 'hyp'>"
    assert ufunc.types[-2:] == ["ff->f", "dd->d"] and len(ufunc.types) == 11
    assert ufunc(3, 4) == 5.0 and type(ufunc(3, 4)) is np.float64
    assert pickle.loads(pickle.dumps(f)) == f


def test_rows() -> None:
    assert jib.compile("a < b").ufunc.types[-1] == "dd->?"
    assert jib.compile("a & b").ufunc.types[-1][0] in "lL", "floats have no bits"
    assert jib.compile("def f(a: float, b): return a * b").ufunc.types[0][0] == "d"
    assert jib.compile("def f(a: float, b: int): return a * b").ufunc.types == ["dl->d"]
    assert jib.compile("a // b, a % b").ufunc.types[-1] == "dd->dd"
    assert jib.compile("a + b", "float(float, f32)").ufunc.types == ["df->d"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_each_loop_is_used(dtype: str) -> None:
    a, b = np.array([1, 0, 1], dtype), np.array([1, 1, 0], dtype)
    assert_array_equal(jib.compile("a if a > b else b").ufunc(a, b), np.maximum(a, b))
    got = jib.compile("a if a > b else b").ufunc(a, b)
    assert got.dtype == dtype


def test_what_has_no_ufunc() -> None:
    many = ", ".join(f"a{i}" for i in range(32))
    for text in ("42", "def f(x):\n    pass", f"def f({many}):\n    return a0", "def f(x):\n    print(x)",
                 "def f(x: tuple[int, int]):\n    return x[0]"):  # fmt: skip
        with pytest.raises((TypeError, jib.CompileError)):
            _ = jib.compile(text).ufunc
    many = many.rpartition(",")[0]
    assert jib.compile(f"def f({many}):\n    return a0").ufunc.nin == 31


def test_out() -> None:
    a = np.arange(5.0)
    out = np.zeros(5)
    assert ADD(a, 1, out=out) is out and out.tolist() == [1, 2, 3, 4, 5]
    ADD(out, out, out=out)
    assert out.tolist() == [2, 4, 6, 8, 10]
    ADD(a, 1, out[::-1])
    assert out.tolist() == [5, 4, 3, 2, 1]
    with pytest.raises(ValueError):
        ADD(a, 1, out=np.zeros(4))
    with pytest.raises(TypeError):
        ADD(a, 1, out=np.zeros(5, "i4"))
    single = np.zeros(5, "f4")
    ADD(a, 1, out=single, casting="same_kind")
    assert single.tolist() == [1, 2, 3, 4, 5]
    first, second = jib.compile("a // b, a % b").ufunc(np.arange(5), 2, out=(None, np.zeros(5, "i8")))
    assert first.tolist() == [0, 0, 1, 1, 2] and second.tolist() == [0, 1, 0, 1, 0]
    read_only = np.zeros(5)
    read_only.flags.writeable = False
    with pytest.raises(ValueError):
        ADD(a, 1, out=read_only)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.sampled_from([1, 2, 3, -1, -2]),
       st.sampled_from([1, 2, 3, -1, -2]), st.sampled_from([1, 2, 3, -1, -2]), st.sampled_from([1, 5, 40, 1100]),
       st.sampled_from(["a + b", "a * 2 - b", "a if a > b else b"]), st.sampled_from(["i2", "f8", "i8"]))  # fmt: skip
def test_operands_that_overlap(p: int, q: int, r: int, s: int, t: int, u: int, n: int, text: str, dtype: str) -> None:
    memory = np.arange(7000).astype(dtype) % 97
    ufunc = FUNCTIONS.setdefault(text, jib.compile(text, params=["a", "b"]).ufunc)

    def view(start: int, step: int) -> np.ndarray:
        start += 0 if step > 0 else 3000
        return memory[start::step][:n]

    a, b, out = view(p, s), view(q, t), view(r, u)
    expected = ufunc(a.copy(), b.copy())
    ufunc(a, b, out=out)
    assert_array_equal(out, expected)


FUNCTIONS: dict[str, np.ufunc] = {}


def test_where() -> None:
    a = np.arange(6.0)
    out = np.full(6, -1.0)
    ADD(a, 1, out=out, where=a % 2 == 0)
    assert out.tolist() == [1, -1, 3, -1, 5, -1]
    f = jib.compile("def f(x):\n    if x > 2: raise ValueError('large')\n    return x").ufunc
    f(a, out=out, where=a <= 2)
    with pytest.raises(ValueError, match="large"):
        f(a, out=out, where=a > 2)


def test_casting_and_dtype() -> None:
    a = np.arange(3, dtype="i4")
    assert ADD(a, a, dtype="f8").dtype == np.float64
    assert ADD(a, np.arange(3, dtype="f4")).dtype == np.float64
    assert ADD(a, a.astype("i2")).dtype == np.int32
    assert ADD(a, 1).dtype == np.int32 and ADD(np.arange(3, dtype="f4"), 1.5).dtype == np.float32
    assert ADD(a, a, signature="ff->f", casting="same_kind").dtype == np.float32
    with pytest.raises(TypeError):
        ADD(a.astype("f8"), a, dtype="i4")
    for wrong in (np.array(["x"]), np.array([1j]), np.array([None]), np.array(["2020"], "M8[D]")):
        with pytest.raises(TypeError):
            ADD(wrong, 1)
    with pytest.raises(OverflowError):
        ADD(np.array([1], "i1"), 300)


def test_reduce_accumulate_and_outer() -> None:
    a = np.arange(1, 13).reshape(3, 4)
    for array in (a, a.astype("f4"), a.astype("i1"), a[::-1, ::2], np.asfortranarray(a), a.astype(">f8")):
        for axis in (0, 1):
            same = array.dtype.type
            assert_array_equal(ADD.reduce(array, axis=axis), np.add.reduce(array, axis=axis, dtype=same))
            assert_array_equal(ADD.accumulate(array, axis=axis), np.add.accumulate(array, axis=axis))
        assert_array_equal(ADD.outer(array, array), np.add.outer(array, array))
    long = np.arange(50_000)
    assert ADD.reduce(long) == long.sum()
    assert_array_equal(ADD.accumulate(long), long.cumsum())
    assert_array_equal(ADD.reduceat(long, [0, 5, 100, 49_000]), np.add.reduceat(long, [0, 5, 100, 49_000]))
    back = jib.compile("a - b").ufunc
    assert_array_equal(back.accumulate(long), np.subtract.accumulate(long))
    assert back.reduce(long[:100]) == np.subtract.reduce(long[:100])
    out = np.zeros(5)
    ADD.at(out, [0, 0, 3], [1.0, 2.0, 5.0])
    assert out.tolist() == [3, 0, 0, 5, 0]
    with pytest.raises(ValueError):
        ADD.reduce([])
    assert ADD.reduce(np.arange(3.0), initial=10.0, where=np.array([True, False, True])) == 12.0


FAILING = jib.compile("def f(a, b):\n    if b == 7: raise KeyError('seven')\n    return a + b").ufunc


@pytest.mark.parametrize("n", [10, 100_000])
@pytest.mark.parametrize("dtype", ["f8", ">i8", "i2"])
@pytest.mark.parametrize("step", [1, 3])
def test_failures(n: int, dtype: str, step: int) -> None:
    a = (np.arange(n * step) // step % 10).astype(dtype)[::step]
    uses: list[Any] = [
        lambda: FAILING(a, a),
        lambda: FAILING(1, a),
        lambda: FAILING(a.reshape(2, -1), a.reshape(2, -1).copy("F")),
        lambda: FAILING.reduce(a),
        lambda: FAILING.accumulate(a),
        lambda: FAILING.outer(a[:100], a[:100]),
        lambda: FAILING.at(a.copy(), [0, 1], [1, 7]),
        lambda: FAILING.reduceat(a, [0, 5]),
        lambda: FAILING(a, a, where=np.arange(n) % 2 == 1, out=np.zeros(n)),
    ]
    for use in uses:
        with pytest.raises(KeyError, match="seven") as raised:
            use()
        if sys.version_info >= (3, 11):
            assert "^" in "".join(raised.value.__notes__)
        assert FAILING(1.0, 2.0) == 3.0, "and nothing is left of it"


def test_recursion_fuel_and_interrupts() -> None:
    deep = jib.compile("def f(n):\n    return 0 if n == 0 else 1 + f(n - 1)").ufunc
    with pytest.raises(RecursionError):
        deep(np.array([1, -1]))
    loop = "def f(n):\n    while n > 0: n += 0\n    return n"
    with pytest.raises(jib.BudgetError):
        jib.compile(loop, fuel=1000).ufunc(np.ones(3))
    with pytest.raises(jib.BudgetError):
        jib.compile(loop, timeout=0.1).ufunc(np.ones(3))
    for n in (3, 100_000):
        endless = jib.compile(loop)
        timer = threading.Timer(0.1, endless.interrupt)
        timer.start()
        with pytest.raises(KeyboardInterrupt, match="interrupt()"):
            endless.ufunc(np.ones(n))
        timer.join()
        begin = time.monotonic()
        with ctrl_c_after(0.1), pytest.raises(KeyboardInterrupt):
            endless.ufunc(np.ones(n))
        assert time.monotonic() - begin < 3


@pytest.mark.parametrize("n", [3, 5000])
@pytest.mark.parametrize("dtype", ["f8", ">f8", "f4"])
def test_errstate(n: int, dtype: str) -> None:
    ufunc = jib.compile("a / b", name="ratio").ufunc
    a, b = np.ones(n, dtype), np.ones(n, dtype)
    b[n - 1] = 0
    with pytest.warns(RuntimeWarning, match="divide by zero encountered in ratio"):
        ufunc(a, b)
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        ufunc(a, b)
    guarded = jib.compile("a / b if b != 0 else a").ufunc
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with np.errstate(all="ignore"):
            ufunc(a, b)
        ufunc(a[:-1], b[:-1])
        assert guarded(a, b)[-1] == 1
        guarded(a, b, out=a)
        guarded(a[::2], b[::2], out=b[::2])


def test_a_ufunc_keeps_its_code() -> None:
    f = jib.compile("a * 3 + b")
    ufunc, gone = f.ufunc, weakref.ref(f)
    del f
    gc.collect()
    assert gone() is None
    jib.cache_clear()
    assert ufunc(np.arange(3), 1).tolist() == [1, 4, 7]


def test_nothing_leaks() -> None:
    def once(k: int) -> None:
        f = jib.compile(f"a * {k} + b")
        assert f.ufunc(np.arange(3.0), 1.0)[1] == k + 1
        f(np.arange(6.0)[::2], 1.0)

    def used() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    if not sys.platform.startswith("linux"):
        pytest.skip("no /proc")
    for k in range(1500):
        once(k)
    gc.collect()
    before = used()
    for k in range(2000, 5000):
        once(k)
    gc.collect()
    assert used() - before < 12 << 20


def test_cycles_through_a_ufunc_are_collected() -> None:
    class Holder:
        function: Any = None

        def __call__(self, x: float) -> float:
            return x

    holder = Holder()
    holder.function = jib.compile("h(x)", externs=[jib.extern(holder, "float(float)", name="h")])
    holder.function.ufunc(np.arange(3.0))
    holder.function(np.arange(6.0)[::2])
    gone = weakref.ref(holder)
    del holder
    gc.collect()
    assert gone() is None
