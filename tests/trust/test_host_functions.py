"""Host functions at work: what they are handed, when they are called, and what they may do to who calls them."""

from __future__ import annotations

import ctypes
import gc
import math
import platform
import shutil
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest

import jib
from hosts import ENGINES, EVERYWHERE, c_function, everywhere
from stacks import on_stack

MOST = (1 << 63) - 1

pytestmark = pytest.mark.usefixtures("verified")


# ------------------------------------------------------------------------------------------------ what it is handed


EXTREMES: dict[str, tuple[Any, list[Any]]] = {
    "bool": (ctypes.c_bool, [False, True]),
    **{
        f"{letter}{bits}": (
            getattr(ctypes, f"c_{'u' * (letter == 'u')}int{bits}"),
            [
                0,
                1,
                2 ** (bits - 1) - 1,
                *([2**bits - 1, 2 ** (bits - 1)] if letter == "u" else [-1, -(2 ** (bits - 1))]),
            ],
        )
        for letter in "iu"
        for bits in (8, 16, 32, 64)
    },
    "f32": (ctypes.c_float, [0.0, -0.0, 1.5, math.inf, -math.inf, 2.0**-149, 3.4028234663852886e38, math.nan]),
    "f64": (ctypes.c_double, [0.0, -0.0, 0.1, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, math.nan]),
}


def same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and repr(a) == repr(b)


@pytest.mark.parametrize("name", EXTREMES)
def test_extreme_values_of_every_type(name: str) -> None:
    kind, values = EXTREMES[name]
    seen: list[Any] = []

    def identity(x: Any) -> Any:
        seen.append(x)
        return x

    by_c = jib.extern(c_function(identity, kind, kind), name="f")
    by_python = jib.extern(identity, f"{name}({name})", "f")
    assert by_c.signature == by_python.signature
    for made in (by_c, by_python):
        for f in [made, *everywhere(f"def g(x: {name}) -> {name}: return f(x)", made)]:
            for value in values:
                seen.clear()
                assert same(f(value), value)
                assert same(seen, [value])


def test_many_arguments_of_mixed_kinds() -> None:
    names = [
        "i8",
        "f64",
        "u64",
        "f32",
        "bool",
        "i64",
        "f64",
        "u16",
        "i32",
        "f32",
        "u8",
        "f64",
        "i16",
        "u32",
        "f64",
        "i64",
    ]
    values = [
        -128,
        0.1,
        2**64 - 1,
        0.5,
        True,
        -(2**63),
        1e300,
        65535,
        -(2**31),
        -1.5,
        255,
        -0.0,
        -32768,
        2**32 - 1,
        math.inf,
        MOST,
    ]
    seen: list[Any] = []

    def note(*args: Any) -> int:
        seen.append(args)
        return len(args)

    params = [f"a{at}" for at in range(len(names))]
    head = ", ".join(f"{param}: {name}" for param, name in zip(params, names))
    text = f"def g({head}): return f({', '.join(params)})"
    for count in range(17):
        part = names[:count]
        by_c = jib.extern(c_function(note, ctypes.c_int, *[EXTREMES[name][0] for name in part]), name="f")
        by_python = jib.extern(note, f"i32({', '.join(part)})", "f")
        some = text.replace(f"f({', '.join(params)})", f"f({', '.join(params[:count])})")
        for made in (by_c, by_python):
            assert made(*values[:count]) == count
            for f in [jib.compile(some, externs=[made], engine=engine) for engine in ENGINES]:
                assert f(*values) == count
    assert len(seen) == 17 * 2 * 4
    assert all(same(args, tuple(values[: len(args)])) for args in seen)


@pytest.fixture(scope="module")
def routines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of routines in assembler."""
    if sys.platform != "linux" or platform.machine() != "x86_64" or not shutil.which("cc"):
        pytest.skip("needs an assembler for x86-64 and the System V convention")
    library = tmp_path_factory.mktemp("routines") / "routines.so"
    source = Path(__file__).parents[1] / "data" / "routines_x86_64.s"
    done = subprocess.run(["cc", "-shared", "-o", library, source], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot assemble: {done.stderr}")
    return library


def test_registers_are_extended(routines: Path) -> None:
    for name in ("i8", "u8", "i16", "u16", "i32", "u32", "bool"):
        whole = jib.extern((routines, f"whole_{name}"), f"i64({name})", "whole")
        for f in [whole, *everywhere(f"def g(x: {name}): return whole(x)", whole)]:
            for value in EXTREMES[name][1]:
                assert f(value) == int(value)


def test_what_stands_above_a_result_is_ignored(routines: Path) -> None:
    for name, want in [
        ("i8", -128), ("u8", 128), ("i16", 0x8080 - 2**16), ("u16", 0x8080), ("i32", 0x80808080 - 2**32), ("u32", 0x80808080),
        ("bool", True), ("u64", 0xDEADBEEF80808080), ("None", None),
    ]:  # fmt: skip
        dirty = jib.extern((routines, "dirty"), f"{name}()")
        for f in [dirty, *everywhere("dirty()", dirty)]:
            assert same(f(), want)
    single = jib.extern((routines, "dirty_f32"), "f32(f32)")
    assert [f(1.25) for f in [single, *everywhere("dirty_f32(x)", single)]] == [2.5] * 5
    dirty = jib.extern((routines, "dirty"), "bool()")
    assert [f(3) for f in everywhere("x + 1 if dirty() else x", dirty)] == [4] * 4
    assert [f() for f in everywhere("dirty() + dirty()", dirty)] == [2] * 4


def test_registers_that_a_callee_may_change(routines: Path) -> None:
    clobber = jib.extern((routines, "clobber"), "i64(i64, f64)")
    text = """
a, b, c, d, e, g = n + 1, n + 2, n + 3, n + 4, n + 5, n + 6
p, q, r, s = x + 1, x + 2, x + 3, x + 4
total = 0
for i in range(n):
    total += clobber(i, p) + a - b + c - d + e - g
    q += r * s
total + q + a + b + c + d + e + g + p + r + s
"""
    want = jib.compile(text, externs=[jib.extern(lambda i, p: i + int(p), "int(int, float)", "clobber")])
    for f in everywhere(text, clobber):
        assert f(20, 0.5) == want(20, 0.5)


def test_arguments_on_the_stack_and_much_stack(routines: Path) -> None:
    signature = f"f64({', '.join(['i64'] * 7 + ['f64'] * 9)})"
    made = jib.extern((routines, "on_stack"), signature)
    for f in [made, *everywhere(f"on_stack({', '.join('abcdfghijklmnopq')})", made)]:
        assert f(*range(1, 8), *[at / 2 for at in range(9)]) == 74.0
    deep = jib.extern((routines, "deep"), "i64(i64)")
    functions = [
        deep,
        *everywhere("deep(x)", deep),
        *everywhere("def f(n): return deep(0) if n == 0 else f(n - 1) + 1", deep),
    ]
    answers: list[Any] = []
    for kib in (64, 128, 256, 1024):

        def call() -> None:
            for f in functions:
                try:
                    answers.append(f(3))
                except RecursionError:
                    assert kib < 1024  # noqa: B023

        on_stack(kib, call)
    assert set(answers) == {4} and len(answers) >= len(functions)


# ------------------------------------------------------------------------------------------------- when it is called


def counting(pure: bool = False) -> tuple[jib.Extern, list[Any]]:
    seen: list[Any] = []

    def touch(x: int) -> int:
        seen.append(x)
        return x

    return jib.extern(touch, "int(int)", pure=pure), seen


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("touch(1)\ntouch(2)\nx", [1, 2]),
        ("touch(1) * 0 + touch(1) + x * 0", [1, 1]),
        ("touch(touch(2) + touch(3)) + x", [2, 3, 5]),
        ("touch(1) if x else touch(2)", [1]),
        ("x == 0 and touch(1)\nx == 7 and touch(2)\nx", [2]),
        ("for i in range(5):\n    touch(3)\nx", [3] * 5),
        ("for i in range(5):\n    touch(x)\nx", [7] * 5),
        ("def g(): return touch(1)\ndef f(x):\n    g()\n    g()\n    return x", [1, 1]),
        (
            "t = 0\nfor i in range(3):\n    for j in range(2):\n        t += touch(i * 10 + j)\nt + x",
            [0, 1, 10, 11, 20, 21],
        ),
        ("def f(x):\n    if x > 4:\n        touch(x)\n        return f(x - 1)\n    return touch(0)", [7, 6, 5, 0]),
    ],
)
def test_an_impure_one_is_called_as_often_and_in_the_order_that_the_text_says(text: str, calls: list[int]) -> None:
    for as_c in (False, True):
        touch, seen = counting()
        if as_c:
            touch = jib.extern(c_function(touch, ctypes.c_int64, ctypes.c_int64), name="touch")
        for f in everywhere(text, touch):
            for _ in range(3):
                seen.clear()
                f(7)
                assert seen == calls


def test_a_pure_one_that_nobody_needs_is_left_out() -> None:
    touch, seen = counting(pure=True)
    assert repr(touch) == "<jib extern touch: int(int), pure>"
    jib.compile("touch(1)\ntouch(x)\nx", externs=[touch])(7)
    assert seen == []
    for f in everywhere("t = 0\nfor i in range(4):\n    t += touch(i) + touch(x)\nt", touch):
        assert f(7) == 34
    # What is interpreted may begin again.
    long = jib.compile("t = 0\nfor i in range(n):\n    t += touch(1)\nt", externs=[touch], engine="auto")
    assert long(100_000) == 100_000


def test_an_impure_one_is_compiled_at_once() -> None:
    touch, _ = counting()
    f = jib.compile("touch(x)", externs=[touch], engine="auto")
    f(1)
    assert f.specializations[0].code_bytes > 0
    touch, _ = counting(pure=True)
    f = jib.compile("touch(x)", externs=[touch], engine="auto")
    f(1)
    assert f.specializations[0].code_bytes == 0


def test_fuel_and_time_are_counted_around_it() -> None:
    touch, seen = counting()
    for f in everywhere("for i in range(1000):\n    touch(i)\nx", touch, fuel=50):
        seen.clear()
        with pytest.raises(jib.BudgetError):
            f(1)
        assert len(seen) == 50
    for f in everywhere("while True:\n    touch(1)", touch, timeout=0.05):
        with pytest.raises(jib.BudgetError):
            f()


def test_numpy_arithmetic() -> None:
    touch, _ = counting()
    assert jib.compile("touch(x) * 2.0 / 0", externs=[touch], arithmetic="numpy")(3) == math.inf


# --------------------------------------------------------------------------------------------------- what it may do


class Strange(Exception):
    pass


def test_exceptions_pass_through() -> None:
    error = Strange("mine")

    def fail(x: int) -> int:
        raise error

    for f in everywhere("fail(x) + 1", jib.extern(fail)):
        with pytest.raises(Strange) as caught:
            f(1)
        assert caught.value is error
        assert getattr(error, "__notes__", None) == ["  line 1: fail(x) + 1\n          ^^^^^^^"]
        assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "fail"
        error.__traceback__ = None
    for kind in (KeyboardInterrupt, SystemExit, StopIteration, ZeroDivisionError, MemoryError):

        def stop(kind: Any = kind) -> int:
            raise kind

        for f in everywhere("stop()", jib.extern(stop, "int()")):
            with pytest.raises(kind):
                f()


class Index:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __index__(self) -> Any:
        return self.answer


class Evil:
    def __index__(self) -> int:
        raise Strange("in __index__")


@pytest.mark.parametrize(
    ("result", "answer", "kind", "words"),
    [
        ("float", "1", TypeError, "f\\(\\) must return float, not str"),
        ("float", None, TypeError, "f\\(\\) must return float, not NoneType"),
        ("float", 1j, TypeError, "f\\(\\) must return float, not complex"),
        ("float", (1.0,), TypeError, "f\\(\\) must return float, not tuple"),
        ("float", 10**400, OverflowError, "too large"),
        ("int", 1.0, TypeError, "f\\(\\) must return int, not float"),
        ("int", MOST + 1, OverflowError, "f\\(\\) returned an int outside int \\(64 bits\\)"),
        ("int", 10**4000, OverflowError, "f\\(\\) returned an int outside int"),
        ("u8", -1, OverflowError, "f\\(\\) returned an int outside u8 \\(8 bits\\)"),
        ("bool", 1, TypeError, "f\\(\\) must return bool, not int"),
        ("None", 0, TypeError, "f\\(\\) must return None, not int"),
        ("int", Index("1"), TypeError, "__index__ returned non-int"),
        ("int", Evil(), Strange, "in __index__"),
    ],
)
def test_results_that_do_not_fit(result: str, answer: Any, kind: type[Exception], words: str) -> None:
    for f in everywhere("f()", jib.extern(lambda: answer, f"{result}()", "f")):
        with pytest.raises(kind, match=words):
            f()


def test_results_become_what_is_declared() -> None:
    np = pytest.importorskip("numpy")
    for result, answer, want in [
        ("float", 3, 3.0), ("float", True, 1.0), ("float", np.float64(0.5), 0.5), ("f32", 0.1, 0.10000000149011612),
        ("int", True, 1), ("int", np.int8(-3), -3), ("int", Index(7), 7), ("u64", 2**64 - 1, 2**64 - 1), ("bool", np.bool_(True), True),
    ]:  # fmt: skip
        for f in everywhere("f()", jib.extern(lambda answer=answer: answer, f"{result}()", "f")):
            assert same(f(), want)


def test_the_function_may_be_deleted_while_it_runs() -> None:
    for options in EVERYWHERE:
        holder: list[Any] = []

        def drop(x: int) -> int:
            holder.clear()  # noqa: B023
            gc.collect()
            return x + 1

        holder.append(jib.compile("drop(x) + drop(x) * 10", externs=[jib.extern(drop)], **options))
        del drop
        assert holder[0](1) == 22


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kib", [128, 512, None])
def test_recursion_through_python_ends(engine: str, kib: int | None) -> None:
    holder: list[Any] = []
    depth = 0

    def again(n: int) -> int:
        nonlocal depth
        depth = max(depth, n)
        return int(holder[0](n + 1))

    holder.append(jib.compile("again(n) + 1", externs=[jib.extern(again)], engine=engine))

    def call() -> None:
        with pytest.raises(RecursionError):
            holder[0](0)

    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(100_000 if kib else limit)
        if kib:
            on_stack(kib, call)
        else:
            call()
    finally:
        sys.setrecursionlimit(limit)
    assert depth > 0
    itself: list[Any] = []
    itself.append(jib.extern(lambda n: itself[0](n), "int(int)", "itself"))
    with pytest.raises(RecursionError):
        itself[0](1)


def test_recursion_through_c_ends() -> None:
    holder: list[Any] = []
    deepest: list[int] = []

    def again(n: int) -> int:
        try:
            return int(holder[0](n + 1))
        except RecursionError:  # C cannot hand it on
            deepest.append(n)
            return 0

    holder.append(
        jib.compile("again(n)", externs=[jib.extern(c_function(again, ctypes.c_int64, ctypes.c_int64), name="again")])
    )
    on_stack(512, lambda: holder[0](0) and None)
    assert len(deepest) == 1 and deepest[0] > 3


def test_many_threads_call_and_change() -> None:
    def hop(x: int) -> int:
        out: list[int] = []
        thread = threading.Thread(target=lambda: out.append(jib.compile("x + 1")(x)))
        thread.start()
        thread.join()
        return out[0]

    for f in everywhere("hop(x) + hop(x + 1)", jib.extern(hop)):
        answers: list[Any] = []

        def call(at: int, f: Any = f, answers: Any = answers) -> None:
            answers.append((at, f(at)))

        threads = [threading.Thread(target=call, args=(at,)) for at in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(answers) == [(at, 2 * at + 3) for at in range(8)]
