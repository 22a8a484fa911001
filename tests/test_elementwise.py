"""Calls with arrays: NumPy's answers for every type and layout, its warnings, and Python's exceptions; threads and forks."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from ctypes import CDLL, addressof, c_char, c_int, c_size_t, c_void_p
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import jib
from interruptible import ctrl_c_after

DTYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]

#: Texts that mean the same to NumPy, given its functions.
EXPRESSIONS = ["a + b", "a * b + a", "a - b * 2.5", "where(a > b, a, b)", "(a < b) & (b < 3)", "abs(a) * 0.5"]


def alike(got: Any, expected: Any) -> None:
    assert type(got) is type(expected)
    assert got.dtype == expected.dtype and got.shape == expected.shape
    assert_array_equal(got, expected)


def evaluated(text: str, **names: Any) -> Any:
    """What NumPy says."""
    with np.errstate(all="ignore"):
        return eval(text, {"where": np.where, "abs": np.abs}, names)


def laid_out(values: np.ndarray, how: str) -> np.ndarray:
    """The same values, otherwise in memory."""
    if how == "strided":
        out = np.zeros((*values.shape[:-1], 3 * values.shape[-1]), values.dtype)[..., ::3]
    elif how == "reversed":
        out = np.zeros(values.shape, values.dtype)[..., ::-1]
    elif how == "fortran":
        out = np.zeros(values.shape, values.dtype, order="F")
    elif how == "offset":
        out = np.zeros((*values.shape[:-1], values.shape[-1] + 1), values.dtype)[..., 1:]
    elif how == "misaligned":
        raw = np.zeros(values.nbytes + 1, "u1")[1:]
        out = raw.view(values.dtype).reshape(values.shape)
    elif how == "swapped":
        out = np.zeros(values.shape, values.dtype.newbyteorder())
    elif how == "dimension":
        out = np.zeros((*values.shape, 2), values.dtype)[..., 1]
    else:
        out = np.zeros(values.shape, values.dtype)
    out[...] = values
    if how == "read-only":
        out.flags.writeable = False
    return out


LAYOUTS = ["plain", "strided", "reversed", "fortran", "offset", "misaligned", "swapped", "dimension", "read-only"]


@st.composite
def operands(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(st.sampled_from([(7,), (1,), (3, 4), (2, 1, 5), (1500,), (0,), (2, 0)]))
    seed = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def array() -> np.ndarray:
        dtype = np.dtype(draw(st.sampled_from(DTYPES)))
        values = seed.integers(0, 2 if dtype.kind == "b" else 100, shape).astype(dtype)
        if dtype.kind in "if":
            values -= dtype.type(50)
        return laid_out(values, draw(st.sampled_from(LAYOUTS)))

    a, b = array(), array()
    cut = draw(st.sampled_from(["both", "first", "last", "zero"]))
    if cut == "first" and len(shape) > 1:
        b = b[0]
    elif cut == "last":
        b = b[..., :1]
    elif cut == "zero" and b.size:
        b = b.reshape(-1)[:1].reshape(())
    return a, b


FUNCTIONS = {text: jib.compile(text, params=["a", "b"]) for text in EXPRESSIONS}


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(EXPRESSIONS), operands())
def test_every_layout_of_every_type_is_as_numpy_has_it(text: str, arrays: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = arrays
    try:
        expected = evaluated(text, a=a.copy(), b=b.copy())
    except TypeError:  # bools have no minus
        return
    with np.errstate(all="ignore"):
        got = FUNCTIONS[text](a, b)
    if "-" in text and "?" in (a.dtype.char, b.dtype.char):
        return
    if a.dtype == b.dtype == bool and text in ("a + b", "a * b + a", "abs(a) * 0.5"):
        return  # bools add up as ints do in Python
    assert got.dtype == expected.dtype, (text, a.dtype, b.dtype)
    alike(got, expected)


LOOP = jib.compile(
    "def f(a, b):\n    total = 0.0\n    for i in range(3):\n        if a > i:\n            total += a * b\n"
    "        else:\n            total -= b\n    return total"
)


@settings(max_examples=100, deadline=None)
@given(operands())
def test_functions_with_loops_are_called_for_each_element(arrays: tuple[np.ndarray, np.ndarray]) -> None:
    def f(a: float, b: float) -> float:
        total = 0.0
        for i in range(3):
            if a > i:
                total += a * b
            else:
                total -= b
        return total

    a, b = (array.astype("f8") for array in arrays)
    expected = np.vectorize(f, otypes=["f8"])(a, b)
    alike(LOOP(a, b), expected if np.ndim(expected) else expected[()])


def test_pythons_numbers_give_way_and_numpys_do_not() -> None:
    f = jib.compile("a * b")
    single = np.array([1.5, 2.5], "f4")
    assert f(single, 2.0).dtype == f(2, single).dtype == f(single, np.float32(2)).dtype == np.float32
    assert f(single, np.float64(2)).dtype == f(single, np.array(2.0)).dtype == np.float64
    small = np.array([1, 2], "i1")
    assert f(small, 3).dtype == np.int8 and f(small, 2.0).dtype == np.float64
    assert f(small, np.int16(3)).dtype == np.int16
    assert f(small, True).dtype == np.int8
    with pytest.raises(OverflowError, match="argument 'b' is 300, outside i8"):
        f(small, 300)
    with pytest.raises(OverflowError):
        f(np.array([1], "u1"), -1)
    with pytest.raises(OverflowError, match="argument 'b'"):
        f(small, 2**70)
    assert f(np.array([1.0]), 300).tolist() == [300.0]


def test_no_dimensions_give_a_number() -> None:
    f = jib.compile("a + b")
    for got in (f(np.array(1.5), 2), f(np.array(1.5), np.array(2.0)), f(np.array(1, "i2"), np.array(2, ">i8"))):
        assert isinstance(got, np.generic) and got in (3.5, 3)
    assert type(f(np.float64(1.5), np.float32(2))) is float, "numbers of NumPy alone are numbers"


def test_lists_are_arrays_and_tuples_are_not() -> None:
    f = jib.compile("a + b")
    alike(f([1, 2], 3), np.array([4, 5]))
    alike(f([1, 2], [[0.5], [1.5]]), np.array([[1.5, 2.5], [2.5, 3.5]]))
    for wrong in ((1, 2), "12", None, {1: 2}, object()):
        with pytest.raises((TypeError, jib.CompileError)):
            f(wrong, 3)
    with pytest.raises(ValueError):
        f([[1], [1, 2]], 3)


def test_several_results() -> None:
    f = jib.compile("def f(a, b):\n    return a // b, (a % b, a > b)")
    a, b = np.arange(10), np.array(3)
    quotient, (rest, more) = f(a, b)
    alike(quotient, a // 3)
    alike(rest, a % 3)
    alike(more, a > 3)
    (only,) = jib.compile("(a,)")(a)
    alike(only, a)
    quotient, (rest, more) = f(a[::2], 3)
    alike(rest, a[::2] % 3)


@pytest.mark.parametrize("dtype", ["O", "M8[s]", "m8[s]", "U3", "S3", "c16", "c8", "f2", "g", [("x", "i4")], "V8"])
def test_other_types_are_refused_with_the_parameter(dtype: Any) -> None:
    f = jib.compile("a + b")
    array = np.zeros(3, dtype)
    for args in ((array, 1), (np.arange(3), array), (array[:1], array), (np.arange(3), array[0])):
        if dtype in ("O", "f2", "g", "c16", "c8") and args[1] is array[0]:
            continue
        with pytest.raises(TypeError, match="argument '[ab]'"):
            f(*args)


def test_declared_types_convert_what_they_hold() -> None:
    f = jib.compile("def f(a: float, b: int) -> float:\n    return a * b")
    alike(f(np.arange(3), np.arange(3, dtype="i2")), np.arange(3.0) ** 2)
    alike(f(np.array([True, False]), 3), np.array([3.0, 0.0]))
    alike(f(np.arange(3, dtype="f4"), np.array([1, 2, 3], ">i4")), np.array([0.0, 2.0, 6.0]))
    for wrong in (np.arange(3.0), np.arange(3, dtype="u8")):
        with pytest.raises(TypeError, match="argument 'b' is declared int"):
            f(1.0, wrong)
    narrow = jib.compile("def f(a: i8):\n    return a + a")
    assert narrow(np.array([100], "i1")).tolist() == [-56]
    with pytest.raises(TypeError, match="declared i8"):
        narrow(np.array([100], "i2"))
    with pytest.raises(OverflowError):
        jib.compile("def f(a: i8, b):\n    return a + b")(200, np.arange(3))
    assert jib.compile("def f(a: bool):\n    return not a")(np.array([True, False])).tolist() == [False, True]
    with pytest.raises(TypeError, match="declared bool"):
        jib.compile("def f(a: bool):\n    return not a")(np.arange(2))


def test_a_signature_fixes_types() -> None:
    f = jib.compile("a + b", "float(float, int)")
    alike(f(np.arange(3), 1), np.arange(3.0) + 1)
    alike(f(np.arange(3, dtype="f4"), np.arange(3, dtype="i1")), np.arange(3.0) * 2)
    alike(jib.compile("a + b", "f64(int, int)")(np.arange(3), 1), np.arange(3.0) + 1)


def test_functions_of_whole_arrays_are_not_called_for_each_element() -> None:
    f = jib.compile("x[0] + y")
    assert f(np.arange(3.0), 1) == 1.0
    with pytest.raises(TypeError, match="takes arrays itself"):
        _ = f.ufunc
    with pytest.raises(TypeError):
        f([1, 2], 1)


def test_the_first_array_of_a_process() -> None:
    code = (
        "import numpy as np, jib; f = jib.compile('a + b')\n"
        "{}\n"
        "assert type(f(np.array(2.0), 1)) is np.float64\n"
        "assert f(np.arange(3.0), 1).tolist() == [1.0, 2.0, 3.0]"
    )
    for first in ("", "f(1, 2)", "f([1, 2], 3)", "assert type(f(np.arange(3.0).view(np.matrix), 1)) is np.matrix"):
        subprocess.run([sys.executable, "-c", code.format(first)], check=True)


def test_files_are_arrays(tmp_path: Any) -> None:
    mapped = np.memmap(tmp_path / "x", "f8", "w+", shape=(5,))
    mapped[:] = np.arange(5)
    assert jib.compile("a * 2")(mapped).tolist() == [0, 2, 4, 6, 8]


def test_keywords_and_defaults() -> None:
    f = jib.compile("def f(a, b=2, *, c=1.0):\n    return a * b + c")
    alike(f(np.arange(3)), np.arange(3) * 2 + 1.0)
    alike(f(b=np.arange(3), a=2, c=np.zeros(3)), np.arange(3) * 2.0)
    with pytest.raises(TypeError):
        f(np.arange(3), d=1)


def test_failures_are_pythons_exceptions_with_their_place() -> None:
    f = jib.compile("def f(x):\n    if x < 0:\n        raise ValueError('negative')\n    return x")
    for array in (np.array([1.0, -1.0]), np.array([1.0, 2.0, -1.0])[::2], np.array([1, -1])):
        with pytest.raises(ValueError, match="negative") as raised:
            f(array)
        assert "^" in "".join(raised.value.__notes__) if sys.version_info >= (3, 11) else True
    deep = jib.compile("def f(n):\n    return 0 if n == 0 else 1 + f(n - 1)")
    assert deep(np.array([3, 5])).tolist() == [3, 5]
    with pytest.raises(RecursionError):
        deep(np.array([3, -1]))
    with pytest.raises(AssertionError):
        jib.compile("def f(x):\n    assert x > 0\n    return x")(np.arange(3))
    with pytest.raises((TypeError, jib.CompileError)):
        jib.compile("def f(x):\n    pass")(np.arange(3))


def test_shapes_that_do_not_fit() -> None:
    f = jib.compile("a + b")
    with pytest.raises(ValueError, match="broadcast"):
        f(np.arange(3), np.arange(4))


def test_arrays_beyond_the_limit_are_not_made() -> None:
    f = jib.compile("a + b", limits=jib.Limits(array_bytes=8000))
    small = np.zeros(1000)
    for args in ((small, small), (small[::-1], 1), (np.zeros((100, 1)), np.zeros(10)), (np.zeros((0, 10**6)), 1)):
        f(*args)
    for args in (
        (np.zeros(1001), 1.0),
        (np.zeros(2002)[::2], 1.0),
        (np.zeros((100, 1)), np.zeros(11)),
        ([[1.0]] * 101, [1.0] * 10),
    ):
        with pytest.raises(jib.LimitError, match="more than 8,000 bytes"):
            f(*args)
    huge = np.broadcast_to(np.float64(1), (2**40,))
    with pytest.raises(jib.LimitError, match="array_bytes"):
        jib.compile("a + b")(huge.reshape(2**40, 1), huge[: 2**30])


def test_fuel_and_time() -> None:
    loop = "def f(n):\n    while n > 0: n -= 1\n    return n"
    assert jib.compile(loop, fuel=1000)(np.arange(5)).tolist() == [0] * 5
    with pytest.raises(jib.BudgetError):
        jib.compile(loop, fuel=1000)(np.full(100, 100))
    for array in (np.full(100000, 10**7), np.full(200000, 10**7)[::2]):
        begin = time.monotonic()
        with pytest.raises(jib.BudgetError):
            jib.compile(loop, timeout=0.1)(array)
        assert time.monotonic() - begin < 5


def test_host_functions_and_print(capsys: pytest.CaptureFixture[str]) -> None:
    def h(x: float) -> float:
        if x == 3:
            raise KeyError("three")
        return x + 1

    f = jib.compile("h(x)", externs=[jib.extern(h, "float(float)")])
    alike(f(np.arange(3.0)), np.arange(1.0, 4.0))
    alike(f(np.array([0.0, 9.0, 2.0])[::2]), np.array([1.0, 3.0]))
    for array in (np.arange(5.0), np.arange(50000.0), np.arange(50000.0)[::-1]):
        with pytest.raises(KeyError, match="three"):
            f(array)
    jib.compile("def f(x):\n    print(x)\n    return x")(np.arange(3))
    assert capsys.readouterr().out == "0\n1\n2\n"


# ------------------------------------------------------------------------------------------------- floating-point errors


@pytest.mark.parametrize("layout", ["plain", "strided", "swapped"])
def test_errstate_is_honoured(layout: str) -> None:
    f = jib.compile("a / b", name="ratio")
    a, b = (laid_out(np.array(values), layout) for values in ([1.0, 0.0, 1.0], [0.0, 1.0, 2.0]))
    with pytest.warns(RuntimeWarning, match="divide by zero encountered in ratio"):
        assert f(a, b).tolist() == [np.inf, 0.0, 0.5]
    with pytest.warns(RuntimeWarning, match="invalid value encountered in ratio"):
        f(a[1:2], b[:1])
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError, match="divide by zero encountered in ratio"):
        f(a, b)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f(b, laid_out(np.array([1.0, 1.0, 1.0]), layout))
        with np.errstate(all="ignore"):
            f(a, b)
        f(np.full(3, 1e-300), np.full(3, 1e300))  # underflow is ignored
    with np.errstate(under="raise"), pytest.raises(FloatingPointError, match="underflow encountered in ratio"):
        f(np.full(3, 1e-300), np.full(3, 1e300))
    called: list[Any] = []
    with np.errstate(all="call", call=lambda *args: called.append(args)):
        f(a, b)
    assert called and called[0][0] == "divide by zero"


def test_what_is_not_taken_warns_of_nothing() -> None:
    f = jib.compile("1 / x if x != 0 else 0.0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in (3, 100, 5000):
            x = np.arange(float(n))
            assert f(x)[0] == 0.0
            assert f(x[::-1])[-1] == 0.0
            out = x.copy()
            f.ufunc(out, out=out)
            alike(out, f(x))


def test_flags_from_before_are_not_reported() -> None:
    f = jib.compile("a + b")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert float("inf") - float("inf") != 0
        f(np.arange(3.0), 1.0)


def test_flags_of_other_threads_are_reported() -> None:
    f = jib.compile("1 / x", threads=2)
    x = np.ones(1_000_000)
    for at in (0, 500_000, 999_999):
        x[at] = 0
        for array in (x, np.repeat(x, 2)[::2]):
            with pytest.warns(RuntimeWarning, match="divide by zero"):
                f(array)
        x[at] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f(x)


# ------------------------------------------------------------------------------------------------------------- threads


@pytest.mark.parametrize("text", ["a * b + 1.5", "where(a > b, a - b, b - a)", "sin(a) * exp(b)"])
@pytest.mark.parametrize("n", [1, 1000, 16384, 16385, 100_003, 1_000_000])
def test_results_are_the_same_bits_for_any_number_of_threads(text: str, n: int) -> None:
    a, b = np.random.default_rng(n).random((2, n))
    one, two, many = (jib.compile(text, threads=threads, params=["a", "b"]) for threads in (1, 2, 5))
    expected = one(a, b)
    for f in (two, many):
        assert f(a, b).tobytes() == expected.tobytes()
        assert f(np.repeat(a, 2)[::2], b[::-1][::-1]).tobytes() == expected.tobytes()


def test_the_first_failure_is_raised_whoever_meets_it() -> None:
    text = "def f(x):\n    if x == 70001: raise KeyError('first')\n    if x == 900000: raise IndexError('last')\n    return x"
    for threads in (1, 2, 4):
        f = jib.compile(text, threads=threads)
        for _ in range(5):
            with pytest.raises(KeyError, match="first"):
                f(np.arange(1_000_000))


def test_the_number_of_threads() -> None:
    before = jib.get_num_threads()
    try:
        assert jib.set_num_threads(3) == before
        assert jib.get_num_threads() == 3
        for wrong, error in (
            (0, ValueError),
            (-1, ValueError),
            (10**6, ValueError),
            (1.0, TypeError),
            (True, TypeError),
        ):
            with pytest.raises(error):
                jib.set_num_threads(wrong)  # type: ignore[arg-type]
            with pytest.raises(error):
                jib.compile("a", threads=wrong)  # type: ignore[arg-type]
    finally:
        jib.set_num_threads(before)
    code = "import jib; print(jib.get_num_threads())"
    for word, said in (("7", "7"), ("x", "ignored")):
        env = {**os.environ, "JIB_NUM_THREADS": word}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        assert said in done.stdout + done.stderr


def test_importing_starts_no_thread_and_no_numpy() -> None:
    code = (
        "import sys, os, jib; f = jib.compile('a + b'); f(1, 2)\n"
        "try: f('x', 2)\nexcept TypeError: pass\n"
        "try: f((1, 2), None)\nexcept TypeError: pass\n"
        "assert 'numpy' not in sys.modules, 'numpy'\n"
        "assert len(os.listdir('/proc/self/task')) == 1"
    )
    if not os.path.isdir("/proc/self/task"):
        code = code.rpartition("\n")[0]
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_numpy() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "import jib; f = jib.compile('a + b'); assert f(1, 2) == 3\n"
        "for use in (lambda: f([1], 2), lambda: f.ufunc):\n"
        "    try: use()\n"
        "    except ImportError: pass\n"
        "    else: raise SystemExit('no error')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_has_a_pool_of_its_own() -> None:
    f = jib.compile("a * 2 + 1", threads=2)
    a = np.arange(1_000_000.0)
    expected = f(a)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of CPython 3.12, for forks beside threads
        child = os.fork()
    if child == 0:
        same = f(a).tobytes() == expected.tobytes() and f(a[::-1])[0] == expected[-1]
        os._exit(0 if same else 1)
    for _ in range(600):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        time.sleep(0.05)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.fail("the child hangs")
    assert status == 0
    alike(f(a), expected)


ENDLESS = "def f(x):\n    while x > 0: x += 0\n    return x"


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("layout", ["plain", "strided"])
@pytest.mark.parametrize("n", [2, 1_000_000])
def test_ctrl_c_ends_a_long_map(threads: int, layout: str, n: int) -> None:
    if layout == "strided" and n == 1_000_000:
        n = 100_000
    f = jib.compile(ENDLESS, threads=threads)
    x = laid_out(np.ones(n, "i8"), layout)
    begin = time.monotonic()
    with ctrl_c_after(0.1), pytest.raises(KeyboardInterrupt):
        f(x)
    assert time.monotonic() - begin < 3


@pytest.mark.parametrize("layout", ["plain", "strided"])
def test_interrupt_ends_a_map_on_another_thread(layout: str) -> None:
    f = jib.compile(ENDLESS)
    x, raised = laid_out(np.ones(1000, "i8"), layout), []

    def run() -> None:
        try:
            f(x)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.1)
    f.interrupt()
    thread.join(5)
    assert [type(error) for error in raised] == [KeyboardInterrupt]


def test_many_threads_call_at_once() -> None:
    f = jib.compile("a * b + 1")
    a = np.arange(200_000.0)
    wrong: list[Any] = []

    def run(k: int) -> None:
        try:
            for dtype in ("f8", "f4", "i4"):
                b = a.astype(dtype)
                if not np.array_equal(f(b, k), b * k + 1) or not np.array_equal(f(b[::-1], k), b[::-1] * k + 1):
                    wrong.append((k, dtype))
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# -------------------------------------------------------------------------------------------------------------- memory


class Guarded:
    """Pages that may be used between two that may not."""

    def __init__(self, size: int) -> None:
        page = mmap.PAGESIZE
        self.inner = -(-max(size, 1) // page) * page
        self.map = mmap.mmap(-1, self.inner + 2 * page)
        start = addressof(c_char.from_buffer(self.map))
        protect = CDLL(None).mprotect
        protect.argtypes = [c_void_p, c_size_t, c_int]
        assert protect(start, page, 0) == 0 and protect(start + page + self.inner, page, 0) == 0

    def array(self, dtype: str, n: int, at_end: bool) -> np.ndarray:
        offset = mmap.PAGESIZE + (self.inner - n * np.dtype(dtype).itemsize if at_end else 0)
        return np.frombuffer(self.map, dtype, n, offset)


@pytest.mark.skipif(os.name != "posix", reason="no mprotect")
@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_is_read_or_written_outside(dtype: str) -> None:
    functions = [jib.compile(text, params=["a", "b"]) for text in ("a + b", "a if a > b else b", "a < b")]
    pages = [Guarded(4096) for _ in range(3)]
    for n in range(131):
        for at_end in (False, True):
            a, b, c = (page.array(dtype, n, at_end) for page in pages)
            a[:] = np.arange(n) % 2
            b[:] = np.arange(n) % 3 == 0
            for f in functions:
                expected = f(a.copy(), b.copy())
                alike(f(a, b), expected)
                alike(f(a[::-1], b), f(a[::-1].copy(), b))
                if expected.dtype == c.dtype:
                    f.ufunc(a, b, out=c)
                    alike(c, expected)
                    f.ufunc(a[::2], b[::2], out=c[::2])
                    alike(c[::2], expected[::2])


def test_no_user_code_comes_between() -> None:
    """An argument that is asked for its number may do anything to the array beside it."""
    array = np.arange(100_000.0)

    class Evil:
        def __index__(self) -> int:
            array.resize(0, refcheck=False)
            return 1

    f = jib.compile("a + b")
    assert f(array, Evil()).shape == (0,)
    array.resize(10, refcheck=False)
    assert f(Evil(), array).shape == (0,)


def test_references_are_given_back() -> None:
    f = jib.compile("a + b")
    a, b = np.arange(10.0), np.arange(20.0)[::2]
    f(a, a), f(a, b), f([1.0], a)
    before = [sys.getrefcount(x) for x in (a, b, f, a.dtype, np.dtype("i8"))]
    for _ in range(100):
        f(a, a), f(a, b), f([1.0], a), f(a, np.float32(1)), f(a, a[:1])
        with pytest.raises(TypeError):
            f(a, np.array("x"))
    after = [sys.getrefcount(x) for x in (a, b, f, a.dtype, np.dtype("i8"))]
    assert all(abs(x - y) <= 3 for x, y in zip(before, after)), (before, after)


# ------------------------------------------------------------------------------------------------ subclasses and others


def test_subclasses_stay_what_they_are() -> None:
    f = jib.compile("a + b")

    class Mine(np.ndarray):
        pass

    mine = np.arange(3.0).view(Mine)
    assert type(f(mine, 1)) is Mine and f(mine, 1).tolist() == [1.0, 2.0, 3.0]
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    assert f(masked, 1).mask.tolist() == [True, False]


def test_what_has_a_way_with_ufuncs_is_asked() -> None:
    class Unit:
        def __init__(self, values: np.ndarray) -> None:
            self.values = values

        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return self.values

        def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
            assert isinstance(ufunc, np.ufunc) and method == "__call__"
            return "asked", ufunc(*[x.values if isinstance(x, Unit) else x for x in inputs])

    f = jib.compile("a * b")
    word, result = f(Unit(np.arange(3, dtype="f4")), 2.0)
    assert word == "asked" and result.dtype == np.float32 and result.tolist() == [0.0, 2.0, 4.0]

    class Bare:
        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return np.arange(3)

    alike(f(Bare(), 2), np.arange(3) * 2)


def test_pandas() -> None:
    pd = pytest.importorskip("pandas")
    f = jib.compile("a * b + 1")
    series = pd.Series([1, 2, 3], index=list("xyz"), name="s")
    got = f(series, 2.0)
    assert isinstance(got, pd.Series) and got.tolist() == [3.0, 5.0, 7.0] and list(got.index) == list("xyz")
    other = pd.Series([1, 2, 3], index=list("yzw"))
    assert f(series, other).dropna().to_dict() == {"y": 3.0, "z": 7.0}
    frame = pd.DataFrame({"p": [1.0, 2.0], "q": [3.0, 4.0]})
    assert f(frame, 2).equals(frame * 2 + 1)


def test_polars() -> None:
    pl = pytest.importorskip("polars")
    f = jib.compile("a * b + 1")
    got = f(pl.Series("s", [1.0, 2.0]), 2.0)
    assert isinstance(got, pl.Series) and got.to_list() == [3.0, 5.0]


# ------------------------------------------------------------------------------------------------------------ evaluate


def test_evaluate_with_arrays() -> None:
    a, b = np.arange(3.0), np.arange(3)
    alike(jib.evaluate("2 * a + b"), 2 * a + b)
    out = np.zeros(3)
    assert jib.evaluate("2 * a + b", out=out) is out
    alike(out, 2 * a + b)
    with pytest.raises(TypeError):
        jib.evaluate("a + b", out=np.zeros(3, "i4"))
    got = jib.evaluate("a + b", out=np.zeros(3, "f4"), casting="same_kind")
    assert got.dtype == np.float32
    with pytest.raises(ValueError):
        jib.evaluate("a + b", out=np.zeros(4))
