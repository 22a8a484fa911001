"""jib.Session: what redefinition breaks, what fails half way, threads, and what a REPL asks for."""

from __future__ import annotations

import math
import pickle
import sys
import threading
import time
from typing import Any

import pytest

import jib
from interruptible import ctrl_c_after


@pytest.fixture
def session() -> jib.Session:
    return jib.Session()


# ----------------------------------------------------------------------------------------------- redefinition


@pytest.fixture
def changed(session: jib.Session) -> jib.Session:
    session.run("def inner(x): return x + 1")
    session.run("def outer(x):\n    return inner(x) * 10\ndef main(): return outer(1)")
    assert session.broken == {}
    return session


def notes(problem: BaseException) -> list[str]:
    return getattr(problem, "__notes__", [])


def test_a_redefinition_stands_and_callers_that_do_not_fit_are_told(changed: jib.Session) -> None:
    changed.run("def inner(x, y): return x + y")
    assert list(changed.broken) == ["outer"]  # where the call is; that of main is right
    for text in ("outer(1)", "main()"):
        with pytest.raises(jib.CompileError, match=r"inner\(\) missing 1 required positional argument: 'y'") as caught:
            changed.run(text)
        assert (caught.value.filename, caught.value.lineno, caught.value.offset) == ("<jib-2>", 2, 12)
        assert notes(caught.value) == [
            "  'inner' was defined anew in <jib-3>, line 1, after 'outer' was written; before, it was: def inner(x): return x + 1"
        ]
    with pytest.raises(jib.CompileError) as caught:
        changed["outer"]
    assert notes(caught.value)
    problem = changed.broken["outer"]
    assert notes(problem) == notes(caught.value) and problem.__traceback__ is None
    assert changed.run("inner(1, 2)") == 3
    changed.run("def outer(x):\n    return inner(x, 1) * 10")
    assert changed.broken == {} and changed.run("main()") == 20


@pytest.mark.parametrize(
    ("now", "told", "note"),
    [
        ("def inner(y, /): return y", None, None),
        ("inner = lambda: 1", "takes 0 positional arguments but 1 was given", "was defined anew in <jib-3>, line 1"),
        ("inner = 5", "'inner' is not a function", "was given a value"),
        (None, "name 'inner' is not defined", "was deleted"),
        ("def inner(x: f64[:]): return x[0]", r"inner\(\) argument 'x' must be f64\[:\], not int", "was defined anew"),
        ("def inner(x): return x[0]", "'int' object is not subscriptable", None),
        ("def inner(x: float) -> float: return x", None, None),
    ],
)
def test_what_breaks_a_caller(changed: jib.Session, now: str | None, told: str | None, note: str | None) -> None:
    if now is None:
        del changed["inner"]
    else:
        changed.run(now)
    if told is None:
        assert changed.broken == {} and isinstance(changed.run("main()"), (int, float))
        return
    with pytest.raises(jib.CompileError, match=told) as caught:
        changed.run("main()")
    (problem,) = changed.broken.values()
    assert problem.msg == caught.value.msg
    for each in (problem, caught.value):
        assert any(note in words for words in notes(each)) if note else not notes(each)
    changed.run("def inner(x): return x")
    assert changed.broken == {} and changed.run("main()") == 10


def test_notes_are_of_the_definition_that_stood_there() -> None:
    session = jib.Session()
    for text in ("inner = lambda x: x + 1", "outer = lambda x: inner(x) * 10", "inner = lambda x, y: x"):
        session.run(text, file="a.jib")  # a file that changes: all stand in its first line
    (note,) = getattr(session.broken["outer"], "__notes__", ())
    assert note.startswith("  'inner' was defined anew in a.jib, line 1, after 'outer' was written")


def test_a_name_that_comes_later_breaks_nothing(session: jib.Session) -> None:
    session.run("def f(x): return g(x) + k")
    assert session.broken == {}
    session.run("def g(x): return x")
    assert session.broken == {}
    session.run("k = 1")
    assert session.broken == {} and session.run("f(1)") == 2
    session.run("k = (1, 2)\ndef h(): return f(1)")
    assert "int" in session.broken["h"].msg  # types are known where nothing is open
    session.configure(arithmetic="numpy")
    session.run("k = 2.5")
    assert session.broken == {}


# ------------------------------------------------------------------------------------------------ half way


TEXT = """
x = 2
def g(a): return a * 100
def h(a): return g(a) + x
y = h(1)
x += y
x
"""


def test_a_run_that_is_ended_at_any_line_changes_nothing() -> None:
    """Ctrl-C at each line that Python runs for it, one after the other; but for those of `run` itself, where a tracer can raise between
    taking the lock and giving it back, and a signal cannot."""
    moments = 0
    while True:
        session = jib.Session()
        session.run("x = 1\ndef g(x): return x + 1")
        before = dict(session._state.names)
        left = moments

        def trace(frame: Any, event: str, _: Any) -> Any:
            nonlocal left
            if "/jib/" not in frame.f_code.co_filename or frame.f_code.co_filename.endswith("session.py"):
                return None
            if event == "line":
                left -= 1
                if left < 0:
                    sys.settrace(None)
                    raise KeyboardInterrupt
            return trace

        sys.settrace(trace)
        try:
            value = session.run(TEXT)
        except KeyboardInterrupt:
            assert session._state.names == before, moments
            assert session.run("(x, g(x))") == (1, 2)
        else:
            sys.settrace(None)
            assert value == 104 and session["g"](1) == 100
            break
        finally:
            sys.settrace(None)
        assert not session._runs
        moments += 1 + moments // 25  # each of the first lines, and then fewer
    assert moments > 200


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("def a(): return 1\ndef b(): return a(1)\ndef c(): return 2", jib.CompileError),
        ("x = 5\ndef a(n): return a(n + 1) + 1\na(0)", (RecursionError, jib.BudgetError)),
        ("x = 5\nx = x // 0", ZeroDivisionError),
        ("x = 5\nraise KeyboardInterrupt", jib.CompileError),
    ],
)
def test_failing_half_way(text: str, kind: Any) -> None:
    session = jib.Session(fuel=10_000_000)
    session.run("x = 1\ndef a(x): return x + 1")
    with pytest.raises(kind):
        session.run(text)
    assert list(session) == ["x", "a"] and session.run("(x, a(x))") == (1, 2)


def test_ctrl_c(session: jib.Session) -> None:
    session.run("x = 1")
    with ctrl_c_after(0.2), pytest.raises(KeyboardInterrupt):
        session.run("x = 2\ndef f(): return 1\nwhile True: pass")
    assert session.values == {"x": 1} and list(session) == ["x"]


# ------------------------------------------------------------------------------------------------- threads


def test_reading_waits_for_nobody_and_a_run_can_be_stopped(session: jib.Session) -> None:
    session.run("x = 1\ndef f(a): return a + x")
    caught: list[BaseException] = []

    def work() -> None:
        try:
            session.run("x = 2\nwhile True: pass")
        except BaseException as problem:
            caught.append(problem)

    thread = threading.Thread(target=work)
    thread.start()
    while not session._runs or session._runs[0].calling is None:
        time.sleep(0.001)
    assert session["x"] == 1 and session["f"](1) == 2 and session.values == {"x": 1}
    assert session.types("f(1.5)") == "float" and session.prepare("f(3)")() == 4 and session.broken == {}
    waiting = threading.Thread(target=session.run, args=("y = x",))
    waiting.start()
    while thread.is_alive():
        session.interrupt()
        thread.join(0.05)
    waiting.join()
    assert isinstance(caught[0], KeyboardInterrupt)
    assert session.values == {"x": 1, "y": 1}
    session.interrupt()  # nothing runs
    assert session.run("x") == 1


def test_one_interruption_is_enough(session: jib.Session) -> None:
    """At whatever moment of a run it comes."""
    for at in range(40):
        thread = threading.Thread(target=_quietly, args=(session, "x = 1\nwhile x: pass"))
        thread.start()
        while not session._runs:
            pass
        time.sleep(at * 0.0001)
        session.interrupt()
        thread.join(10)
        assert not thread.is_alive() and not session.keys()
        session.run("1")


def _quietly(session: jib.Session, text: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        session.run(text)


def test_a_run_in_a_run(session: jib.Session) -> None:
    def inside(n: int) -> int:
        session.run(f"inner = {n}")
        assert len(session._runs) == 1
        return int(session.run("inner + 1"))

    session["inside"] = jib.extern(inside)
    assert session.run("outer = inside(3); outer") == 4
    assert session.values == {"inner": 3, "outer": 4} and not session._runs
    with pytest.raises(ZeroDivisionError):
        session.run("outer = inside(7); 1 // 0")
    assert session.values == {"inner": 3, "outer": 4}  # all of it is undone


def test_many_threads(session: jib.Session) -> None:
    session.run("n = 0\ndef step(x): return x + 1")
    failures: list[BaseException] = []
    rounds = 25

    def work(number: int) -> None:
        try:
            for at in range(rounds):
                session.run("n = step(n)")
                session.run(f"def own{number}(x): return step(x) + {at}")
                assert session[f"own{number}"](1) == 2 + at
                assert {"n", f"own{number}"} <= set(session)
                del session[f"own{number}"]
                session.run(f"def step(x):\n    return x + {1 + (at % 2)} - {at % 2}")
                assert session.broken == {}
        except BaseException as problem:
            failures.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and session.values == {"n": 16 * rounds} and list(session.functions) == ["step"]


# ----------------------------------------------------------------------------------------- what a REPL asks


def test_prepare(session: jib.Session) -> None:
    session.run("k = 3\ndef f(x): return x * k")
    line = session.prepare("def g(x): return f(x) + 1\ny = g(2)\ny * 0.5")
    assert line() == 3.5 and list(session) == ["k", "f"]
    for stage in jib.STAGES:
        assert line.dump(stage, "()")
    assert "float" in line.dump("typed-ir") and line == session.prepare(line.source) == line
    assert session.prepare("y = f(2)")() == (None, 6)
    assert session.prepare("k += 1; k") != session.prepare("k += 1")
    assert session.prepare("k += 1; k")() == 4 and session["k"] == 3
    assert session.prepare("def f(x): return -x")(2) == -2 and session.run("f(2)") == 6
    with pytest.raises(jib.CompileError, match="what stands before a definition has to be run first"):
        session.prepare("k = 4\ndef g(): return k")
    with pytest.raises(jib.CompileError, match="'k' is assigned here, and read by a function"):
        session.prepare("k = 4; f(1)")
    with pytest.raises(TypeError, match=r"prepare\(\) takes a text, not int"):
        session.prepare(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="is not pickled"):
        pickle.dumps(line)
    with pytest.raises(jib.CompileError) as caught:
        session.prepare("unknown")
    assert caught.value.filename == "<jib-prepare>"


def test_types(session: jib.Session, capsys: pytest.CaptureFixture[str]) -> None:
    session.run("k = 3\ndef f(x: int, y=2.5) -> float: return x * k")
    for text, expected in [
        ("1", "int"), ("k / 2", "float"), ("k > 1", "bool"), ("(k, (1.5, None))", "tuple[int, tuple[float, None]]"),
        ("f", "f(x: int, y=2.5) -> float"), (" f ", "f(x: int, y=2.5) -> float"), ("f(k)", "float"),
        ("print(k)", "None"), ("j = 2; j * 0.5", "float"), ("def g(a, b): return a", "g(a, b)"), ("lambda q: q", None),
    ]:  # fmt: skip
        if expected is None:
            with pytest.raises(jib.CompileError):
                session.types(text)
        else:
            assert session.types(text) == expected, text
    assert capsys.readouterr().out == ""
    with pytest.raises(jib.CompileError):
        session.types("nothing")


def test_source_and_save(session: jib.Session) -> None:
    session.run("""
        def f(x):
            '''Text
        with lines.'''
            return x * k + g(x)
        g = lambda x: x; k = 2.5
        all_kinds = (1, -0.0, nan, -inf, True, None, (-9223372036854775808,), 1e300)
        e = 3
    """)
    assert session.source("g") == "g = lambda x: x"
    assert session.source("f").startswith("def f(x):\n    '''Text\n        with lines.'''")
    for name in ("k", "nothing"):
        with pytest.raises(KeyError):
            session.source(name)
    fresh = jib.Session()
    fresh.run(session.save())
    assert {name: repr(value) for name, value in fresh.values.items()} == {
        name: repr(value) for name, value in session.values.items()
    }
    assert math.copysign(1, fresh["all_kinds"][1]) == -1
    assert fresh.run("f(2) + e") == session.run("f(2) + e") == 10.0
    assert fresh["f"].__doc__ == session["f"].__doc__ and fresh.save() == session.save()
    assert jib.Session().save() == ""


def test_delete_and_reset(session: jib.Session) -> None:
    session.run("a = 1; b = 2\ndef f(): return a")
    del session["a"]
    assert list(session) == session.keys() == ["b", "f"] and session.get("a", 5) == 5 and session.get("b") == 2
    with pytest.raises(KeyError):
        del session["a"]
    with pytest.raises(jib.CompileError, match="'a' is not defined"):
        session.run("f()")
    session.reset()
    assert not session.keys() and session.run("b = 3; b") == 3 and session.broken == {}


def test_configure(session: jib.Session) -> None:
    session.run("def f(x): return 1 / x")
    with pytest.raises(ZeroDivisionError):
        session["f"](0)
    session.configure(arithmetic="numpy", opt_level="none", engine="interpreter", fuel=50, timeout=2)
    assert session["f"](0) == math.inf == session.run("f(0)")
    assert (session.options.engine, session.options.fuel, session.options.timeout) == ("interpreter", 50, 2.0)
    with pytest.raises(jib.BudgetError):
        session.run("while True: pass")
    session.configure(fuel=None)
    assert session.options.fuel is None and session.options.arithmetic == "numpy"
    for options, kind in (
        ({"engine": "fast"}, ValueError), ({"fuel": "x"}, TypeError), ({"params": ["a"]}, TypeError),
        ({"arithmetic": 1}, TypeError),
    ):  # fmt: skip
        before = session.options
        with pytest.raises(kind):
            session.configure(**options)
            session.run("1")
        session.configure(
            **{name: getattr(before, name) for name in options if hasattr(before, name) and name != "params"}
        )
