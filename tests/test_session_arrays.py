"""jib.Session: values from Python, arrays above all."""

from __future__ import annotations

import gc
import pickle
import sys
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import jib


@pytest.fixture(params=["auto", "native", "interpreter"])
def session(request: pytest.FixtureRequest) -> jib.Session:
    return jib.Session(engine=request.param)


# --------------------------------------------------------------------------------------------------- arrays


def test_definitions_read_arrays_by_name(session: jib.Session) -> None:
    x = np.arange(5.0)
    session["x"] = x
    session.run("def f(i): return x[i]")
    session.run("def g(i):\n    def inner(k): return x[k] * f(k)\n    return inner(i) + f(0)")
    assert session.run("g(3)") == 9.0 and session["g"](4) == 16.0
    x[3] = 10.0
    assert session.run("g(3)") == 100.0
    assert session["x"] is x
    assert (session["g"].params, str(session["g"].__signature__)) == (("i",), "(i)")
    session.run("def up(n): return x[n] if n >= len(x) - 1 else x[n] + down(n + 1)")
    session.run("def down(n): return x[n] if n >= len(x) - 1 else up(n + 1) - x[n]")
    assert session.run("up(0)") == 0.0 + ((2.0 + (4.0 - 10.0)) - 1.0)
    assert session.run("sum(v * w for v, w in zip(x, x))") == float((x * x).sum())


def test_what_texts_assign(session: jib.Session) -> None:
    x = np.arange(6.0)
    session["x"] = x
    session.run("y = x * 2; z = x[::2]; n = len(x)")
    assert isinstance(session["y"], np.ndarray) and session["y"].tolist() == (x * 2).tolist()
    assert session["z"].base is x and session["n"] == 6
    session.run("z[1] = 50; y[0] = 7")
    assert x[2] == 50.0 and session["y"][0] == 7.0
    session.run("total = 0.0\nfor v in z: total += v")
    assert session["total"] == 54.0 and session["v"] == 4.0
    assert np.shares_memory(session.run("y[1:3]"), session["y"])
    session.run("x = x[1:]")
    assert session["x"].tolist() == x[1:].tolist() and session["x"].base is x
    session.run("x = 5")
    assert session.run("x + z[0]") == 5.0
    session.run("m = x if x > 9 else 2\ndef last(v): return v[-1]\nk = last(z)")
    assert session["k"] == 4.0


def test_a_name_that_keeps_an_array_is_that_array(session: jib.Session) -> None:
    x = np.arange(4.0)
    session["x"] = x
    assert session.run("x") is x
    session.run("x += 1; w = x; x[0] = 9")
    assert session["x"] is x and session["w"] is x and x.tolist() == [9.0, 2.0, 3.0, 4.0]
    session.run("x = x * 2")
    assert session["x"] is not x and session["w"] is x and x[0] == 9.0
    session.run("x[:] = 0")
    assert session["x"].tolist() == [0.0] * 4


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"])
def test_elements_and_layouts(session: jib.Session, dtype: str) -> None:
    whole = np.arange(24).reshape(2, 3, 4).astype(dtype)
    for array in (whole, whole[:, ::2, ::-1], whole.T, np.asfortranarray(whole), whole[:0]):
        session["a"] = array
        session.run("def at(i, j, k): return a[i, j, k]")
        assert session.run("a.size") == array.size
        if array.size:
            assert session.run("at(-1, 0, 1)") == array[-1, 0, 1]
        view = session.run("a.T")
        assert np.array_equal(view, array.T) and view.strides == array.T.strides or array.size == 0


def test_read_only_arrays(session: jib.Session) -> None:
    frozen = np.arange(3.0)
    frozen.flags.writeable = False
    session["r"] = frozen
    with pytest.raises(ValueError, match="read-only") as caught:
        session.run("r[0] = 1.0")
    assert caught.value.__notes__ == ['  File "<jib-1>", line 1\n    r[0] = 1.0\n    ^^^^']
    session.run("v = r[1:]")
    assert not session["v"].flags.writeable
    frozen.flags.writeable = True
    session.run("r[0] = 1.0")  # it is looked at when it is called
    assert frozen[0] == 1.0


def test_arrays_that_change_their_form(session: jib.Session) -> None:
    x = np.arange(6.0)
    session["x"] = x
    session.run("def at(): return x[1, 2]")
    with pytest.raises(jib.CompileError):
        session["at"]()
    at = session["at"]
    x.shape = (2, 3)
    assert at() == 5.0 and session.types("x") == "f64[:, ::1]"
    x.dtype = "i8"
    assert at() == np.float64(5.0).view("i8") and session.types("x") == "i64[:, ::1]"
    x.dtype = "c16" if x.size % 2 == 0 and x.shape[1] % 2 == 0 else "V8"
    with pytest.raises(TypeError, match=r"at\(\) argument 'x' is an array of .*, which is no type of elements here"):
        at()
    with pytest.raises(ValueError, match="resize"):
        x.resize(100)


def test_tuples_with_arrays(session: jib.Session) -> None:
    x, y = np.arange(3.0), np.arange(4)
    session["t"] = (x, 3, (y, True))
    assert session.run("t[0][2] + t[1] + t[2][0][3]") == 8.0
    session.run("a, b, (c, d) = t\na[0] = 77.0; u = (c, a)")
    assert x[0] == 77.0 and session["b"] == 3 and session["d"] is True
    assert session["u"][1].base is x and session["t"][0] is x


def test_no_effect_is_had_twice(session: jib.Session) -> None:
    """Whether a loop's variable gets a value is seen when it runs, and then the text may run again; not what writes."""
    x = np.zeros(3)
    calls: list[int] = []

    def note(n: int) -> int:
        calls.append(n)
        return n

    session["x"], session["note"] = x, jib.extern(note)
    session.run("def add(i):\n    x[i] += 1\n    return i")
    session.run("x[0] += 1\nfor j in range(0): k = j")
    session.run("x += 1\nfor j in range(0): k = j")
    session.run("add(1)\nfor j in range(0): k = j")
    session.run("n = note(5)\nfor j in range(0): k = j")
    assert x.tolist() == [2.0, 2.0, 1.0] and calls == [5] and session["n"] == 5
    session.run("s = 0.0\nfor j in range(len(x)): s += x[j]")
    assert session["s"] == 5.0 and session["j"] == 2
    session.run("total = 0.0\nfor q in range(0): total += x[q]")
    assert "q" not in session and session["total"] == 0.0


def test_a_failure_undoes_names_and_not_elements(session: jib.Session) -> None:
    x = np.zeros(3)
    session["x"] = x
    with pytest.raises(IndexError):
        session.run("y = 5\nx[0] = 1.0\nx = x[3]")
    assert session.keys() == ["x"] and session["x"] is x and x[0] == 1.0


def test_a_function_keeps_its_arrays(session: jib.Session) -> None:
    base = np.arange(4.0)
    gone = weakref.ref(base)
    session["x"] = base
    del base
    session.run("def f(i): return x[i]\ndef part(): return x[1:]")
    f, part = session["f"], session["part"]
    session["x"] = np.zeros(4)
    gc.collect()
    assert f(3) == 3.0 and session.run("f(3)") == 0.0 and gone() is not None
    view = part()
    del f, part
    session.reset()
    gc.collect()
    assert view.tolist() == [1.0, 2.0, 3.0] and gone() is not None
    del view
    gc.collect()
    assert gone() is None


def test_pickles_take_the_array_along(session: jib.Session) -> None:
    x = np.arange(4.0)
    session.update(x=x, t=(x, 2))
    session.run("def f(i): return x[i] + t[0][i] * t[1]")
    f = session["f"]
    arrived = pickle.loads(pickle.dumps(f))
    x[1] = 100.0
    assert f(1) == 300.0 and arrived(1) == 3.0
    assert arrived != f and f == session["f"] and hash(f) == hash(session["f"])
    with pytest.raises((TypeError, ValueError)):
        from jib import link

        link.restored((("lambda: x", "f", 1, (0,), (("x", "shared", [1]),), None),))


def test_stages_and_types(session: jib.Session) -> None:
    session["x"] = np.arange(4.0)
    session.run("def f(i: int): return x[i]")
    f, line = session["f"], session.prepare("x[1] + f(0)")
    for stage in jib.STAGES:
        assert f.dump(stage) and f.dump(stage, "(int)") and line.dump(stage)
    assert "func f(%0: int, %1: f64[::1]) -> float" in f.dump("typed-ir")
    for text, expected in [
        ("x", "f64[::1]"),
        ("x[::2]", "f64[:]"),
        ("x * 2 > 1", "bool[::1]"),
        ("x[0]", "float"),
        ("f(1)", "float"),
    ]:
        assert session.types(text) == expected
    with pytest.raises(jib.CompileError, match="the signature has 2 types, the function takes 1"):
        f.dump("asm", "(int, int)")
    for call in (lambda: f(1, session["x"]), lambda: f(1, x=session["x"]), lambda: f()):
        with pytest.raises(TypeError, match="argument"):
            call()
    with pytest.raises(TypeError, match="numbers alone"):
        f.address("float(int)")
    with pytest.raises(TypeError, match="no ufunc"):
        f.ufunc  # noqa: B018
    f(1)
    assert f.specializations[-1].params == ("int", "f64[::1]")
    session.run("def broken_later(): return f(0)")
    session["x"] = 3
    assert session.broken["f"].msg == "'int' object is not subscriptable" if "f" in session.broken else session.broken


def test_long_runs_write_where_the_caller_reads(session: jib.Session) -> None:
    if session.options.engine == "interpreter":
        session.configure(engine="native")
    x = np.zeros(2)
    session["x"] = x
    thread = threading.Thread(target=session.run, args=("while x[0] == 0.0: x[1] += 1.0",))
    thread.start()
    while x[1] < 1000.0:
        pass
    assert session["x"] is x
    x[0] = 1.0
    thread.join()


def test_whole_arrays_and_loops_are_as_fast_as_with_parameters() -> None:
    session = jib.Session(engine="native")
    session["x"] = np.arange(100.0)
    session.run("def total():\n    s = 0.0\n    for i in range(len(x)): s += x[i]\n    return s")
    given = jib.compile("def total(x: f64[::1]):\n    s = 0.0\n    for i in range(len(x)): s += x[i]\n    return s")
    strip = [line.split(";")[0].rstrip() for line in session["total"].dump("typed-ir").splitlines()]
    assert strip == [line.split(";")[0].rstrip() for line in given.dump("typed-ir").splitlines()]


# -------------------------------------------------------------------------------------------- other values


def test_numbers(session: jib.Session) -> None:
    session.update(
        i=3,
        f=0.5,
        b=True,
        n=None,
        t=(1, (2.5, None)),
        i8=np.int8(-3),
        f4=np.float32(0.1),
        b1=np.True_,
        u8=np.uint64(7),
        z=np.array(2.5),
    )
    for name, value in session.values.items():
        assert type(value) in (int, float, bool, type(None), tuple), name
    assert session["f4"] == float(np.float32(0.1)) and session["z"] == 2.5 and session["b1"] is True
    assert session.run("i + f + i8 + u8") == 7.5
    session["t"] = (np.int64(4), np.float64(1.5))
    assert session["t"] == (4, 1.5) and type(session["t"][0]) is int
    assert session.update([("i", 4)], f=1.5) is None and session.run("i * f") == 6.0


@pytest.mark.parametrize(
    "value",
    [
        "text", b"bytes", [1], {}, {1}, 1 << 63, 1j, object(), len, int, np.array(["a"]), np.zeros(3, complex), np.zeros((1,) * 5),
        np.zeros(3, ">f8"), np.longdouble(1), np.ma.array([1.0]), (np.zeros(3), None), (np.zeros(3), "a"),
        np.uint64(2**63), np.datetime64("2024"), range(3), jib.compile("a + b"), jib.compile("lambda a: a", "float(float)"),
        jib.compile("lambda a: a", arithmetic="numpy"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_a_session_does_not_take(value: Any) -> None:
    session = jib.Session()
    session["x"] = 1
    with pytest.raises(TypeError, match=r"session\['x'\] cannot be "):
        session["x"] = value
    with pytest.raises(TypeError):
        session.update(y=2, x=value)
    assert session.values == {"x": 1}


@pytest.mark.parametrize("name", ["", "a b", "for", "é", "__x__", "1x", "x.", 5, None])
def test_what_is_no_name(name: Any) -> None:
    session = jib.Session()
    with pytest.raises((TypeError, ValueError), match="name"):
        session[name] = 1


def test_functions_from_python(session: jib.Session) -> None:
    scale = 3

    def thrice(v: float) -> float:
        "Of Python."
        return v * scale

    session["thrice"] = thrice
    session["square"] = lambda v: v * v
    session["cube"] = jib.compile("def square(v): return v * v\ndef cube(v): return square(v) * v")
    session["quad"] = jib.jit(lambda v: v**4)
    session["host"] = jib.extern(lambda a: a + 0.25, "float(float)", name="host")
    scale = 100
    assert session.run("thrice(1) + square(3) + cube(2) + quad(2) + host(1)") == 3 + 9 + 8 + 16 + 1.25
    session.run("def mine(v): return thrice(v) + square(v) + cube(v) + host(v)\ndef square(v): return 0")
    assert session.run("mine(2)") == 6 + 0 + 8 + 2.25  # cube's square is its own
    assert session["mine"](2) == 16.25 and session["cube"](2) == 8 and session["thrice"].__doc__ == "Of Python."
    assert pickle.loads(pickle.dumps(session["cube"]))(2) == 8
    assert session.types("host") == "float(float)" and session.types("cube") == "cube(v)"
    assert list(session.functions) == ["thrice", "square", "cube", "quad", "host", "mine"]
    with pytest.raises(TypeError, match="this host function is called 'host'"):
        session["other"] = session["host"]
    session["thrice"] = jib.compile("def thrice(v, w): return v * w")
    assert "thrice() missing 1 required positional argument" in session.broken["mine"].msg
    with pytest.raises(jib.CompileError) as caught:
        session.run("mine(1)")
    assert "'thrice' was given another function" in caught.value.__notes__[0]
    with pytest.raises(ValueError, match="was made with other rules of arithmetic"):
        session.configure(arithmetic="numpy")
    session["host"] = 5
    assert session.run("host") == 5 and "a function that came from Python, left out" in session.save()
    with pytest.raises(jib.CompileError):
        session["wrong"] = lambda v: v.nothing


def test_options_externs_give_way_to_names() -> None:
    session = jib.Session(externs=[jib.extern(lambda a: a + 1.0, "float(float)", name="rate")])
    assert session.run("rate(1.0)") == 2.0
    session["rate"] = 3
    assert session.run("rate + 1") == 4
    del session["rate"]
    assert session.run("rate(1.0)") == 2.0


def test_numpy_is_not_imported_for_it() -> None:
    import subprocess

    code = "import jib, sys; s = jib.Session(); s['x'] = (3, 2.5); assert s.run('x[1]') == 2.5; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# ------------------------------------------------------------------------------------------ time and memory


def test_ten_thousand_redefinitions_take_no_memory() -> None:
    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    if not sys.platform.startswith("linux"):
        pytest.skip("memory is asked of /proc")
    session = jib.Session()
    session["x"] = np.arange(1000.0)
    sizes = []
    for at in range(3000):  # benches/own/session.py does more
        session.run(f"def f(v): return v * {at} + x[{at % 1000}]")
        session.run("y = x * 2.0; f(1)")
        if at % 1000 == 999:
            gc.collect()
            sizes.append(resident())
    assert sizes[-1] - sizes[0] < 4 << 20, sizes
