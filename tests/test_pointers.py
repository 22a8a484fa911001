"""Functions as C calls them: addresses, ctypes functions, capsules."""

from __future__ import annotations

import copy
import ctypes
import gc
import math
import pickle
import subprocess
import sys
import threading
import weakref
from typing import Any

import pytest

import jib
from stacks import on_stack

LEAST = -(1 << 63)


@pytest.mark.parametrize("engine", ["native", "interpreter", "auto"])
@pytest.mark.parametrize(
    "name, values",
    [
        ("float", [0.0, -0.0, 1.5, math.inf, 5e-324]),
        ("f32", [0.0, 1.5, -0.10000000149011612]),
        ("bool", [True, False]),
        *[(f"i{bits}", [0, 1, -1, (1 << bits - 1) - 1, -(1 << bits - 1)]) for bits in (8, 16, 32, 64)],
        *[(f"u{bits}", [0, 1, (1 << bits) - 1]) for bits in (8, 16, 32, 64)],
    ],
)
def test_every_type_goes_in_and_out(name: str, values: list[Any], engine: str) -> None:
    f = jib.compile("a if c else b", params=["a", "b", "c"], engine=engine)
    c = f.ctypes(f"{name}({name}, {name}, bool)")
    for value in values:
        for other in values:
            assert repr(c(value, other, True)) == repr(value) and repr(c(value, other, False)) == repr(other)


def test_mixed_arguments_beyond_the_registers() -> None:
    names = [f"{kind}{at}" for at in range(9) for kind in "xi"]
    kinds = ["float" if name[0] == "x" else ("i8", "u16", "i32", "i64")[int(name[1]) % 4] for name in names]
    f = jib.compile(" + ".join(f"{n} * {at + 1}.0" for at, n in enumerate(names)), params=names)
    values = [at + 0.5 if kind == "float" else -at if kind[0] == "i" else at for at, kind in enumerate(kinds)]
    assert f.ctypes(f"float({', '.join(kinds)})")(*values) == f(*values)


def test_functions_that_need_a_run_and_those_that_do_not() -> None:
    total = "t = 0\nfor i in range(n): t += i\nt"
    assert jib.compile(total).ctypes("int(int)")(1000) == 499500
    fib = "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)"
    assert jib.compile(fib).ctypes("i64(i32)")(20) == 6765
    assert jib.compile("x ** 2 + x % 3").ctypes("float(float)")(2.5) == 2.5**2 + 2.5 % 3
    assert jib.compile("3").ctypes("int()")() == 3
    assert jib.compile("def f(x): pass").ctypes("None(float)")(1.5) is None


def test_a_failure_is_nan_or_0_and_python_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: told.append(what.exc_value))
    for text, signature, args, nothing, error in [
        ("1 / x", "float(float)", (0.0,), math.nan, ZeroDivisionError),
        ("1 // x", "int(int)", (0,), 0, ZeroDivisionError),
        ("x == 1 // x", "bool(int)", (0,), False, ZeroDivisionError),
        ("x + 1", "i64(i64)", ((1 << 63) - 1,), 0, OverflowError),
        ("t = 0\nfor i in range(9): t += 1 // (x - i)\nt", "int(int)", (3,), 0, ZeroDivisionError),
        ("def f(x): return f(x + 1)", "int(int)", (0,), 0, RecursionError),
    ]:
        f = jib.compile(text, name="mine").ctypes(signature)
        assert f.jib_address.error is None
        assert repr(f(*args)) == repr(nothing) and not told  # ctypes gave the GIL away
        assert type(f.jib_address.error) is error and "line" in f.jib_address.error.__notes__[0]
        holding = ctypes.PYFUNCTYPE(f.restype, *f.argtypes)(int(f.jib_address))
        assert repr(holding(*args)) == repr(nothing) and type(told.pop()) is error
    with pytest.raises(AttributeError):
        f.jib_address.error = None
    stopped = jib.compile("while True: pass", timeout=0.01).ctypes("None()")
    assert stopped() is None and isinstance(stopped.jib_address.error, jib.BudgetError)
    assert jib.compile("1 / x", arithmetic="numpy").ctypes("float(float)")(0.0) == math.inf


def test_threads_without_python() -> None:
    """A C function that ctypes calls has no GIL: failures are kept, and nobody waits."""
    f = jib.compile("t = 0\nfor i in range(n): t += i\n1 // (t - 499500)")
    address = f.address("int(int)")
    c = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(int(address))
    threads = [threading.Thread(target=lambda: [c(1000) for _ in range(100)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert type(address.error) is ZeroDivisionError and c(1001) == 0 and c(3) == -1


def test_addresses_know_their_type_and_keep_the_code() -> None:
    f = jib.compile("x * y")
    address = f.address("double(double, i32)")
    assert (address.c_type, address.params, address.result) == ("double (double, int32_t)", ("float", "i32"), "float")
    assert repr(address) == f"<jib address {int(address):#x} of double (double, int32_t)>" and address == int(address)
    c = f.ctypes("double(double, i32)")
    gone = weakref.ref(f)
    del f
    jib.cache_clear()
    gc.collect()
    assert gone() is None and c(1.5, 4) == 6.0
    assert ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_int32)(address)(2.5, 2) == 5.0
    for act in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="another process"):
            act(address)


def test_what_has_no_c_type_is_refused() -> None:
    f = jib.compile("a, b")
    with pytest.raises(TypeError, match="not a tuple"):
        f.address("(int, int)")
    with pytest.raises(TypeError, match="numbers alone"):
        jib.compile("a").address("(tuple[int, int])")
    for wrong, error in [
        ("float(float)", jib.CompileError),
        ("nonsense", jib.CompileError),
        ("f64[:](f64)", jib.CompileError),
    ]:
        with pytest.raises(error):
            jib.compile("a + b").address(wrong)
    with pytest.raises(jib.CompileError):
        jib.compile("a / b").address("int(int, int)")  # it is a float
    with pytest.raises(TypeError):
        jib.compile("a").address(None)  # type: ignore[arg-type]


def test_c_gives_what_was_asked_for() -> None:
    g = jib.compile("def g(x: float, n): return x * n")
    with pytest.raises(TypeError, match="'x' is declared float, so C cannot give int"):
        g.address("float(int, int)")
    assert g.ctypes("float(float, int)")(1.5, 2) == 3.0


def test_calls_that_go_through_c_and_python_and_back() -> None:
    """The GIL is given away by others than PyO3: by ctypes, and by long runs."""

    def g(x: float) -> float:
        return x + 1

    c = jib.compile("g(x)", externs=[jib.extern(g)]).ctypes("float(float)")

    def h(x: float) -> float:
        return float(c(x))

    for nogil in (None, True, False):
        f = jib.compile("h(x)", externs=[jib.extern(h)], nogil=nogil)
        assert [f(1.0) for _ in range(3)] == [2.0] * 3 and f.__call__(1.0) == 2.0
        shown = jib.compile("print(x)\nx", params=["x"]).ctypes("float(float)")
        text = "s = 0.0\nfor i in range(3000000): s += x\nb(s)"
        assert jib.compile(text, params=["x"], externs=[jib.extern(shown, name="b")], nogil=nogil)(1.0) == 3000000.0


def test_the_hook_may_call_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    f = jib.compile("1 / x")
    holding = ctypes.PYFUNCTYPE(ctypes.c_double, ctypes.c_double)(f.address("float(float)"))
    keep = f.address("float(float)")
    again = ctypes.PYFUNCTYPE(ctypes.c_double, ctypes.c_double)(int(keep))
    monkeypatch.setattr(sys, "unraisablehook", lambda what: again(0.0))
    monkeypatch.setattr(sys, "setrecursionlimit", sys.setrecursionlimit)
    on_stack(512, lambda: again(0.0))
    assert math.isnan(again(0.0)) and type(keep.error) is ZeroDivisionError and holding is not None


def test_cycles_through_pointers_are_collected() -> None:
    f = jib.compile("x + 1.0")
    f.mine = f.ctypes("float(float)")
    f.also = f.address("float(float)")
    gone = weakref.ref(f)
    del f
    gc.collect()
    assert gone() is None


def test_an_extern_of_an_address_keeps_its_code() -> None:
    made = jib.extern(unsafe_address=jib.compile("x * 3.0").address("float(float)"), signature="float(float)", name="h")
    jib.cache_clear()
    gc.collect()
    others = [jib.compile(f"x + {n}")(1.0) for n in range(20)]
    assert jib.compile("h(x)", externs=[made])(2.0) == 6.0 and len(others) == 20


def test_capsules() -> None:
    api = ctypes.pythonapi
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    capsule = jib.compile("x * x + 1").capsule("double(double)")
    jib.cache_clear()
    gc.collect()
    assert api.PyCapsule_GetName(capsule) == b"double (double)"
    pointer = api.PyCapsule_GetPointer(capsule, b"double (double)")
    assert ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(pointer)(3.0) == 10.0
    with pytest.raises(ValueError):
        api.PyCapsule_GetPointer(capsule, b"int (int)")


def test_scipy_takes_capsules() -> None:
    scipy = pytest.importorskip("scipy")
    from scipy.integrate import quad

    for text, python, low, high in [
        ("exp(-x*x/2)", lambda x: math.exp(-x * x / 2), -3.0, 5.0),
        ("x if x < 1 else x*x*x", lambda x: x if x < 1 else x * x * x, 0.0, 2.0),
        ("t = 0.0\nfor k in range(1, 20): t += sin(k * x) / k\nt",
         lambda x: functools_sum(math.sin(k * x) / k for k in range(1, 20)), 0.0, 3.0),
    ]:  # fmt: skip
        ours = quad(scipy.LowLevelCallable(jib.compile(text).capsule("double(double)")), low, high)
        assert ours == quad(python, low, high)


def functools_sum(values: Any) -> float:
    """From left to right, as jib adds; CPython's sum compensates since 3.12."""
    total = 0.0
    for value in values:
        total += value
    return total


def test_a_process_may_end_with_pointers_alive() -> None:
    script = "import jib; f = jib.compile('x').ctypes('float(float)'); c = jib.compile('x').capsule('int(int)'); print(f(1.5))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1.5\n", "")
