"""A small test of calls, for valgrind's memcheck: `make valgrind-call`.

Always holds: every way into and out of a call is gone once at least: compiled on each engine, arguments by position and by keyword, of
fitting and of wrong types, answers of each type, each kind of failure, and functions dropped. Python's allocator must be malloc
(PYTHONMALLOC=malloc), or memcheck sees none of its blocks.
"""

from __future__ import annotations

import contextlib
import copy
import gc
import inspect
import io
import pickle
import sys
import threading
import time
from typing import Any

import jib

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
    for wrong in [("1", 2), (None, 2), ([1], 2), (1j, 2), (object(), 2), ((1, 2), 3)]:
        raises(TypeError, f, *wrong)
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
    refusals()
    lives()
    gc.collect()
    print("valgrind_call: fine", file=sys.stderr)


if __name__ == "__main__":
    main()
