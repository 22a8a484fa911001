"""A small test of calls, for valgrind's memcheck: `make valgrind-call`.

Always holds: every way into and out of a call is gone once at least: compiled on each engine, arguments by position and by keyword, of
fitting and of wrong types, answers of each type, each kind of failure, and functions dropped; through entries and through the C API;
from C, to C and to Python; decorated functions and sessions. Python's allocator must be malloc
(PYTHONMALLOC=malloc), or memcheck sees none of its blocks.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import gc
import inspect
import io
import operator
import pickle
import sys
import threading
import time
from typing import Any

import jib
from jib import _native

MOST = (1 << 63) - 1
LOOP = "t = 0\nfor i in range(n):\n    t += i * m\nt"


def raises(error: type[BaseException], function: Any, *args: Any, **kwargs: Any) -> None:
    try:
        function(*args, **kwargs)
    except error:
        return
    raise AssertionError(f"{error.__name__} was not raised")


class Index:
    def __index__(self) -> int:
        return 40


class Failing:
    def __index__(self) -> int:
        raise KeyError("mine")


def calls(engine: str) -> None:
    """What a function takes and gives."""

    def make(text: str, signature: str | None = None, **options: Any) -> jib.Function:
        return jib.compile(text, signature, engine=engine, **options)

    f = make("a + b")
    for a, b in [(40, 2), (MOST - 1, 1), (-MOST, -1), (0.5, 2), (2, 0.5), (True, 2), (1 << 40, 1e300), (Index(), 2)]:
        want = (40 if isinstance(a, Index) else a) + b
        assert repr(f(a, b)) == repr(want) == repr(f(b=b, a=a)) == repr(f(a, b=b)), (a, b)
    for wrong in [("1", 2), (None, 2), ({1}, 2), (1j, 2), (object(), 2)]:
        raises(TypeError, f, *wrong)
    raises(jib.CompileError, f, (1, 2), 3)
    for size in (64, 127, 200, 20_000):
        raises(OverflowError, f, 1 << size, 1)
    raises(OverflowError, f, MOST, 1)
    raises(KeyError, f, Failing(), 1)
    for args, kwargs in [
        ((), {}),
        ((1,), {}),
        ((1, 2, 3), {}),
        ((1,), {"a": 1}),
        ((1, 2), {"c": 3}),
        ((1,), {"\udc00": 1}),
    ]:
        raises((TypeError, UnicodeEncodeError), f, *args, **kwargs)  # type: ignore[arg-type]
    g = make("def g(a: int, /, b: float = 0.5, *, c: bool = True) -> float: return a + b if c else -b")
    assert (g(1), g(1, 2), g(1, b=2, c=False), g(True, c=False)) == (1.5, 3.0, -2.0, -0.5)
    for wrong in [(0.5,), (1, "2"), (1, 2, True)]:
        raises(TypeError, g, *wrong)
    raises(TypeError, g, a=1)
    pair = make("def f(t, k=3): return (t[1], (t[0] + k, k > 2)), None")
    assert pair((1, 0.5)) == ((0.5, (4, True)), None)
    assert pair((True, (1, 2)), 2) == (((1, 2), (3, False)), None)
    raises((TypeError, jib.CompileError), pair, (1,))
    small = make("def f(a: i8, b: u64, c: f32): return b, a, c")
    assert small(-128, (1 << 64) - 1, 0.1)[:2] == ((1 << 64) - 1, -128)
    raises(OverflowError, small, 128, 0, 0.0)
    assert make("a * 2", "float(float)")(21) == 42.0
    for fault, args in [
        ("a // b", (1, 0)),
        ("a / b", (1.0, 0.0)),
        ("a % b", (1, 0)),
        ("a << b", (1, -1)),
        ("a * b", (MOST, 2)),
    ]:
        raises((ZeroDivisionError, ValueError, OverflowError), make(fault), *args)
    raises(ValueError, make("sqrt(a)"), -1.0)
    raises(AssertionError, make("assert a > 0, 'small'\na"), 0)
    raises(RecursionError, make("def f(n: int) -> int: return f(n + 1) + 1"), 0)
    assert make(LOOP)(50, 3) == 3675
    assert make("sin(x) ** 2 + cos(x) ** 2 + gamma(x) * 0 + x % 3 + round(x, 1) * 0")(1.0) == 2.0
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert make("print(a, 0.5, True, sep=', ')\na")(7) == 7
    assert out.getvalue() == "7, 0.5, True\n"
    raises(jib.BudgetError, make("while True: a", fuel=100), 1)
    raises(jib.BudgetError, make("while True: a", timeout=0.01), 1)
    endless = make("while True: a")
    thread = threading.Thread(target=lambda: raises(KeyboardInterrupt, endless, 1))
    thread.start()
    while thread.is_alive():
        endless.interrupt()
        time.sleep(0.01)
    for function in (f, g, pair):
        assert inspect.signature(function) and repr(function) and function.specializations
        assert pickle.loads(pickle.dumps(function)).source == function.source and copy.deepcopy(function) is function


WIDE = [
    0,
    1,
    -1,
    255,
    -256,
    (1 << 30) - 1,
    1 << 30,
    -(1 << 30),
    1 << 31,
    1 << 45,
    1 << 60,
    -(1 << 60),
    MOST,
    -MOST,
    -MOST - 1,
]


def same(got: Any, want: Any) -> None:
    assert type(got) is type(want) and repr(got) == repr(want), (got, want)


def entries() -> None:
    """Objects taken where they lie; each several times, since the first call is another way."""
    echo, pick = jib.compile("a"), jib.compile("def f(a, b, c): return a if c else b")
    for value in [
        *WIDE,
        *WIDE,
        0.0,
        -0.0,
        1.5,
        1e300,
        float("inf"),
        True,
        False,
    ]:  # small and wide ints, then other classes
        for _ in range(3):
            same(echo(value), value)
            same(pick(value, value, True), value)
    for value in [1, 1.5, True, 1 << 40, 2, 0.5, False] * 3:  # types in turns
        same(echo(value), value)
        same(echo(a=value), value)
        same(pick(value, c=False, b=value), value)
    unsigned = jib.compile("def f(a: u64, b: u64): return a ^ b, a")
    for value in [0, 1, 1 << 30, MOST, 1 << 63, (1 << 64) - 1]:
        for _ in range(2):
            assert unsigned(value, 1) == (value ^ 1, value)
    for bits in (8, 16, 32):
        for low, high, name in [(-1 << bits - 1, (1 << bits - 1) - 1, "i"), (0, (1 << bits) - 1, "u")]:
            narrow = jib.compile(f"def f(a: {name}{bits}): return a")
            for _ in range(2):
                assert (narrow(low), narrow(high)) == (low, high)
                for beyond in (low - 1, high + 1, 1 << 40, 1 << 64):
                    raises(OverflowError, narrow, beyond)
    for text, args, want in [
        ("a + b", (2, 3), 5),
        ("a * b", (1 << 40, 3), 3 << 40),
        ("a + b", (0.5, 3), 3.5),
        ("a + b", (0.1, 0.2), 0.1 + 0.2),
        ("a < b", (1, 2), True),
        ("a and not b", (True, True), False),
        ("def f(a, b): pass", (1, 2.5), None),
        ("a, (b, a < b), None", (1, 2.5), (1, (2.5, True), None)),
        ("def f(a: f32, b: u8): return a, b", (0.5, 7), (0.5, 7)),
        ("def f(a, b):\n    for i in range(a): b += i\n    return b", (5, 1), 11),
        ("def f(a, b):\n    for i in range(a): b += i\n    return b > 3, b, None", (5, 1), (True, 11, None)),
        ("def f(a, b): return a if a < 2 else f(a - 1, b) + f(a - 2, b)", (10, 1), 55),
        ("sin(a) * 0 + a ** b + a % b", (7.0, 2), 50.0),
        ("+".join(f"x{k}" for k in range(33)), tuple(range(33)), 528),  # more than are taken where they lie
        ("+".join(f"x{k}" for k in range(32)), tuple(range(32)), 496),
        ("def f(): return 7", (), 7),
    ]:
        f = jib.compile(text)
        for _ in range(3):
            same(f(*args), want)
            assert list(map(f, *[[arg] * 2 for arg in args])) == [want] * 2 if args else True
        raises(TypeError, f, *args, 1)
        raises(TypeError, f, *args, wrong=1)
        if args:
            raises(TypeError, f, *args[1:])
            raises(TypeError, f, "x", *args[1:])
            raises(TypeError, f, *args[:-1], object())
            if "f32" not in text:
                raises(OverflowError, f, 1 << 64, *args[1:])
        same(f(*args), want)
    default = jib.compile("def f(x=None, y=2): return x, y")
    for _ in range(3):
        assert (default(), default(None, 0.5), default(1), default(y=3)) == ((None, 2), (None, 0.5), (1, 2), (None, 3))
    for text, args, error in [
        ("a // b", (1, 0), ZeroDivisionError),
        ("a + b", (MOST, 1), OverflowError),
        ("a / b", (1.0, 0.0), ZeroDivisionError),
        ("sqrt(a) + b", (-1.0, 1), ValueError),
        ("t = 0\nfor i in range(a): t += 1 // (b - i)\nt", (9, 3), ZeroDivisionError),
        ("assert a < b, 'no'\na", (2, 1), AssertionError),
    ]:
        f = jib.compile(text, params=["a", "b"])
        for _ in range(3):
            raises(error, f, *args)
            f(0, -5) if text.startswith("t =") else f(1.5, 4)
    # Who is called goes away meanwhile.
    holder = [jib.compile("a + b")]
    holder[0](1, 2)

    class Deleting:
        def __index__(self) -> int:
            holder.clear()
            jib.cache_clear()
            gc.collect()
            return 5

    assert holder[0](Deleting(), 1) == 6 and not holder
    for nogil in (True, False):
        assert jib.compile(LOOP, nogil=nogil)(50, 3) == jib.compile(LOOP, nogil=nogil)(50, m=3) == 3675


def pointers() -> None:
    """C calls us: without the GIL, with it, from a thread of its own, and by the address in a capsule."""
    for kind, values in [("float", [0.5, -0.0]), ("f32", [0.5]), ("bool", [True, False]), ("i8", [-128]), ("u16", [65535]),
                         ("i32", [-5]), ("i64", [-MOST - 1]), ("u64", [(1 << 64) - 1])]:  # fmt: skip
        f = jib.compile("a if c else b", params=["a", "b", "c"]).ctypes(f"{kind}({kind}, {kind}, bool)")
        for value in values:
            same(f(value, value, True), value)
    names = [f"x{k}" for k in range(20)]
    assert jib.compile(" + ".join(names)).ctypes(f"float({', '.join(['float', 'int'] * 10)})")(*range(20)) == 190.0
    assert jib.compile("def f(x): pass").ctypes("None(float)")(1.5) is None
    assert jib.compile(LOOP).ctypes("int(int, int)")(50, 3) == 3675
    told: list[Any] = []
    hook, sys.unraisablehook = sys.unraisablehook, lambda what: told.append(what.exc_value)
    for text, signature in [("1 // a", "int(int)"), ("t = 0\nfor i in range(3): t += 1 // (i + a)\nt", "int(int)")]:
        f = jib.compile(text).ctypes(signature)
        holding = ctypes.PYFUNCTYPE(f.restype, *f.argtypes)(int(f.jib_address))
        for _ in range(3):
            assert f(0) == holding(0) == 0 and isinstance(f.jib_address.error, ZeroDivisionError)
        assert len(told) == 3
        told.clear()
    stopped = jib.compile("while True: pass", fuel=100).ctypes("None()")
    assert stopped() is None and isinstance(stopped.jib_address.error, jib.BudgetError)
    sys.unraisablehook = hook
    del stopped, holding, f
    capsule = jib.compile("x * 2.0").capsule("float(float)")
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    gc.collect()
    assert ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(get(capsule, b"double (double)"))(21.0) == 42.0
    del capsule
    gc.collect()


def twice(x: float) -> float:
    return x * 2


def failing(x: float) -> float:
    raise KeyError("mine")


def circle() -> None:
    """A function that only itself keeps."""
    around: list[Any] = []
    cycle = jib.extern(lambda x: around[0](x - 1), "float(float)", "cycle")
    around.append(jib.compile("cycle(x) if x > 0 else 1.0", externs=[cycle]))
    assert around[0](2.5) == 1.0


def externs() -> None:
    """We call C and Python, and these call us."""
    inner = jib.compile("x + 1")

    def through(x: float) -> float:
        return float(inner(x))

    def sound(x: int, y: bool) -> None:
        pass

    scale = jib.extern(("libm.so.6", "ldexp"), "f64(f64, i32)", "scale")
    hypot = jib.extern(ctypes.CDLL("libm.so.6").hypot, "float(float, float)", pure=True)
    back = jib.extern(ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(twice), name="back")
    python = [jib.extern(function) for function in (twice, failing, through, sound)]
    assert scale(0.5, 4) == 8.0 and python[0](2) == 4.0 and back(2) == 4.0
    raises(KeyError, python[1], 1)
    for engine in ("native", "interpreter", "auto"):
        for text, want in [
            ("scale(x, 4)", 24.0),
            ("hypot(x, 2.0 * x) * 0", 0.0),
            ("back(x) + twice(x) + through(x)", 8.5),
            ("sound(int(x), x < 1)\nx", 1.5),
            ("t = 0.0\nfor i in range(5): t += twice(i) + scale(x, 1)\nt", 35.0),
        ]:
            f = jib.compile(text, engine=engine, externs=[scale, hypot, back, *python])
            for _ in range(3):
                assert f(1.5) == want, (text, engine)
        f = jib.compile("failing(x)", engine=engine, externs=python)
        for _ in range(2):
            raises(KeyError, f, 1.5)
        assert jib.compile("twice(x)", engine=engine, externs=python).ctypes("float(float)")(2.0) == 4.0
    circle()
    gc.collect()


@jib.jit
def square_of(x):  # type: ignore[no-untyped-def]
    return x * x


@jib.jit
def poly(x, k=3):  # type: ignore[no-untyped-def]
    y = x * x
    return square_of(y) + k


@jib.jit(engine="auto")
def worst(n: int) -> float:
    return 1 / n


def decorated() -> None:
    for _ in range(3):
        assert (poly(2), poly(0.5), poly(2, k=1), poly(x=True)) == (19, 3.0625, 17, 4)
        raises(ZeroDivisionError, worst, 0)
        raises(TypeError, poly)
        raises(TypeError, poly, "x")
        assert worst(4) == 0.25
    assert list(map(poly, [1, 2.0])) == [4, 19.0] and operator.methodcaller("__call__", 2)(poly) == 19
    session = jib.Session()
    session.run("a = 40")
    session.run("def add(x): return x + a")
    assert session.run("add(2)") == 42
    raises(jib.JitError, session.run, "nothing")


def refusals() -> None:
    """Texts and options that become no function."""
    for text in (
        "a +",
        "(a",
        "sqtr(x)",
        "a = ",
        "def f(): return g()",
        "'a",
        "x\n  y",
        "1 if",
        "\0",
        "a.b",
        "9" * 5000,
    ):
        raises(jib.JitError, jib.compile, text)
    raises(jib.CompileError, jib.compile, "a + b", "int(str)")
    raises(jib.CompileError, jib.compile("a[b]"), 1, 2)
    raises(ValueError, jib.compile, "a", engine="none")
    raises(TypeError, jib.compile, 7)
    raises(ValueError, jib.compile("a").dump, "clif")
    for stage in jib.STAGES:
        assert jib.compile(LOOP).dump(stage, "(int, float)")


def lives() -> None:
    """Made, called, dropped: in cycles, and on other threads than they were made on."""
    for k in range(20):
        function = jib.compile(f"a + {k}", engine=("native", "auto")[k % 2])
        assert function(1) == k + 1
        function.me = function  # type: ignore[attr-defined]
    del function
    gc.collect()
    holder = [jib.compile(LOOP)]
    thread = threading.Thread(target=lambda: holder.pop()(100_000, 1))
    thread.start()
    thread.join()
    assert not holder and jib.evaluate("a * b", a=6, b=7) == 42


def main() -> None:
    for engine in ("native", "interpreter", "auto"):
        calls(engine)
    for inline in (True, False):
        jib.cache_clear()  # of code that was made the other way
        before = _native._inline(inline)
        entries()
        pointers()
        externs()
        decorated()
        _native._inline(before)
    refusals()
    lives()
    gc.collect()
    print("valgrind_call: fine", file=sys.stderr)


if __name__ == "__main__":
    main()
