"""jib.Session: definitions and values that live on."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
import threading
from typing import Any

import pytest

import jib


@pytest.fixture
def session() -> jib.Session:
    return jib.Session()


def test_values_live_on(session: jib.Session) -> None:
    assert session.run("x = 3; y = 2.5") is None
    assert session.run("x + y") == 5.5
    assert session.run("x += 1\nx") == 4
    assert session.run("pair = (x, (y, True)); a, (b, c) = pair; b") == 2.5
    assert session.values == {"x": 4, "y": 2.5, "pair": (4, (2.5, True)), "a": 4, "b": 2.5, "c": True}
    assert session["c"] is True
    assert "pair" in session and "nothing" not in session and len(session) == 6
    assert set(session) == set(session.values)
    with pytest.raises(KeyError):
        session["nothing"]
    assert dict(session.functions) == {}


def test_values_change_their_types(session: jib.Session) -> None:
    for text, value in [
        ("x = 1", 1), ("x = x + 0.5", 1.5), ("x = x > 1", True), ("x = (x, 1)", (True, 1)), ("x = None", None), ("x = 7", 7),
    ]:  # fmt: skip
        session.run(text)
        assert session["x"] == value and type(session["x"]) is type(value)
    session.run("n = None; n = (n, 1); n = (n, n[0])")
    assert session["n"] == ((None, 1), None)
    session.run("z = -0.0; n = nan; i = inf")
    assert math.copysign(1, session["z"]) == -1 and session["n"] != session["n"] and session.run("i") == math.inf
    session.run("least = -9223372036854775808")
    assert session.run("least") == -(2**63)


def test_what_hides_a_builtin(session: jib.Session) -> None:
    assert session.run("e") == math.e
    session.run("e = 7\ndef sqrt(x): return -x")
    assert session.run("e + sqrt(4)") == 3
    assert session.run("math.sqrt(4) + math.e") == 2 + math.e


def test_definitions_live_on_and_are_redefined(session: jib.Session) -> None:
    session.run("def inner(x): return x + 1")
    session.run("def outer(x): return inner(x) * 10")
    assert session.run("outer(1)") == 20
    before = session["outer"]
    session.run("def inner(x): return x + 2.5")
    assert session.run("outer(1)") == 35.0
    assert before(1) == 20 and session["outer"](1) == 35.0
    assert before != session["outer"]
    session.run("inner = lambda x, y=4: x - y")
    assert session.run("outer(1)") == -30
    session.run("inner = 5")
    with pytest.raises(jib.CompileError, match="'inner' is not a function"):
        session.run("outer(1)")
    assert session.run("inner") == 5


def test_definitions_read_values_as_they_are_now(session: jib.Session) -> None:
    session.run("def f(x): return x * scale")  # which comes later
    with pytest.raises(jib.CompileError, match="name 'scale' is not defined") as caught:
        session.run("f(2)")
    assert (caught.value.filename, caught.value.lineno, caught.value.offset) == ("<jib-1>", 1, 22)
    session.run("scale = 3")
    assert session.run("f(2)") == 6
    session.run("scale = 0.5")
    assert session.run("f(2)") == 1.0
    session.run("def g(x):\n    scale = 100\n    return scale + f(x)")
    assert session.run("g(2)") == 101.0


def test_definitions_read_what_the_same_text_has_assigned(session: jib.Session) -> None:
    session.run("k = 1\ndef f(): return k\ndef g(): return f() * 10")
    assert session.run("k = 2; g()") == 20
    assert session.run("a = g()\nk = 3\nb = g()\n(a, b)") == (20, 30)
    assert session.run("k = g()\nk += g()\nk") == 330
    assert session.run("k: int = f() + 1; f()") == 331
    assert session.run("f = 5\nf") == 5
    session.run("def f(): return k")
    for text in (
        "for k in range(3): g()",
        "x = (k := 5) + f()",
        "k = f() + (k := 3)",
        "if k: k = f()",
        "g() + (k := 1)",
    ):
        with pytest.raises(jib.CompileError, match="'k' is assigned here, and read by a function that is called here"):
            session.run(text)
    assert session.run("i = 0\nwhile i < 3: i += f() - f() + 1\ni") == 3


def test_recursion_of_each_other(session: jib.Session) -> None:
    session.run("def even(n): return True if n == 0 else odd(n - 1)")
    session.run("def odd(n): return False if n == 0 else even(n - 1)")
    assert session.run("even(1000)") is True
    assert session["odd"](7) is True
    assert dict(session.functions) == {"even": session["even"], "odd": session["odd"]}
    assert len(session.functions) == 2
    with pytest.raises(KeyError):
        session.functions["nothing"]


def test_statements_and_definitions_in_one_text_come_one_after_the_other(session: jib.Session) -> None:
    text = "def f(): return 1\na = f()\ndef f(): return 2\nb = f()\n(a, b)"
    assert session.run(text) == (1, 2)
    assert session.run("a * 10\ndef g(): return 1") is None
    with pytest.raises(jib.CompileError, match="function 'h' is defined twice"):
        session.run("def h(): return 1\ndef h(): return 2")
    assert "h" not in session


def test_what_loops_and_ifs_assign(session: jib.Session, capsys: pytest.CaptureFixture[str]) -> None:
    session.run("total = 0\nfor i in range(5):\n    last = i * i\n    total += last")
    assert (session["total"], session["last"], session["i"]) == (30, 16, 4)
    session.run("for j in range(0):\n    never = j")
    assert "j" not in session and "never" not in session
    session.run("if total > 10: big = True\nelse: big = False")
    assert session["big"] is True
    session.run("if total > 100:\n    huge = True\n    total = 1")
    assert "huge" not in session and session["total"] == 30
    session.run("if False: dead = 1\nwhile (n := total // 7) > 100: pass")
    assert session["n"] == 4 and "dead" not in session
    session.run("for k in range(0): print(k)\nprint(total)")  # runs once
    assert capsys.readouterr().out == "30\n"
    session.run("nothing = None\ndef f(): return 1")
    with pytest.raises(jib.CompileError, match="'f' may be assigned here or not, and is a function now"):
        session.run("if total == 30: f = 1")
    with pytest.raises(jib.CompileError, match="they have no common type"):
        session.run("if total == 30: nothing = 1")
    session.run("if total == 30: nothing = 1\nelse: nothing = 2")
    assert session["nothing"] == 1


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x = 5; def", jib.ParseError),
        ("x = 5\nq = 1 // 0", ZeroDivisionError),
        ("x = 5\nf(1)", jib.CompileError),
        ("x = 5\ndef f(a): return a\nx = f(7)\nassert False", AssertionError),
        (
            "def g(x): return 1\ndef f(a):\n    y = 1\n    def h(): return y\n    y = 2\n    return h()",
            jib.CompileError,
        ),
        ("x = 'text'", jib.CompileError),
        ("x = unknown", jib.CompileError),
        ("x = 5\nwhile True: pass", jib.BudgetError),
        ("return 5", jib.CompileError),
        ("", jib.ParseError),
        ("x = 5\nif x > 1: y = 2\nraise UnboundLocalError", UnboundLocalError),
        ("x = 5\nif x > 9: y = 2\nz = y", UnboundLocalError),
        ("x = 5\ndef h(a): return g(a, 2)", jib.CompileError),
        ("x = " + "(" * 500, jib.LimitError),
    ],
)
def test_a_text_that_fails_leaves_the_session_as_it_was(text: str, kind: type[Exception]) -> None:
    session = jib.Session(fuel=1000)
    session.run("x = 1\ndef g(x): return x + 1")
    with pytest.raises(kind):
        session.run(text)
    assert list(session) == ["x", "g"]
    assert session.run("(x, g(x))") == (1, 2)


def test_errors_say_which_run(session: jib.Session) -> None:
    session.run("def f(x):\n    return 1 / x")
    with pytest.raises(ZeroDivisionError) as caught:
        session.run("1 +\\\n f(0)")
    assert caught.value.__notes__ == ['  File "<jib-1>", line 2\n    return 1 / x\n           ^^^^^']
    with pytest.raises(jib.ParseError) as refused:
        session.run("\n\n  x = = 1")
    assert (refused.value.filename, refused.value.lineno) == ("<jib-3>", 3)


def test_indented_texts(session: jib.Session, capsys: pytest.CaptureFixture[str]) -> None:
    session.run("""
        def f():
            print('''a
        b''')
            return 1
        g = lambda x: x; y = g(
          4)
        if y:
            y = f()
    """)
    assert session["y"] == 1
    assert capsys.readouterr().out == "a\n        b\n"


def test_options(session: jib.Session) -> None:
    assert jib.Session(arithmetic="numpy").run("1 / 0") == math.inf
    small = jib.Session(limits=jib.Limits(nesting=5), engine="interpreter", opt_level="none", timeout=5.0)
    with pytest.raises(jib.LimitError):
        small.run("((((((((1))))))))")
    with pytest.raises(ValueError, match="engine must be"):
        jib.Session(engine="fast").run("1")
    with pytest.raises(TypeError, match="fuel must be"):
        jib.Session(fuel="x")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        jib.Session(params=["a"])  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"run\(\) takes a text, not bytes"):
        session.run(b"1")  # type: ignore[arg-type]


def test_a_function_of_a_session_travels_with_its_definitions(session: jib.Session) -> None:
    session.run("""
rate = 0.5
def inner(x: float, by: int = 2) -> float:
    'Of no use.'
    return x * rate * by
def outer(x):
    return inner(x) + inner(x, 4) if x > 0 else outer(-x)
def unused(): return 1
""")
    outer = session["outer"]
    session.run("rate = 100")
    assert outer(3) == outer(-3) == 9.0
    assert "unused" not in outer.source
    arrived = pickle.loads(pickle.dumps(outer))
    assert arrived == outer and hash(arrived) == hash(outer) and arrived(3) == 9.0
    code = "import pickle, sys; f = pickle.load(sys.stdin.buffer); print(f(3), f.__name__, f.params)"
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(outer), capture_output=True)
    assert done.stdout.decode().strip() == "9.0 outer ('x',)", done.stderr
    inner = session["inner"]
    assert (inner.__doc__, str(inner.__signature__)) == ("Of no use.", "(x: float, by: int = 2) -> float")


def test_one_thread_at_a_time(session: jib.Session) -> None:
    session.run("n = 0")
    failures: list[Any] = []

    def work() -> None:
        try:
            for _ in range(50):
                session.run("n += 1")
        except Exception as problem:
            failures.append(problem)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and session["n"] == 200


def test_long_sessions(session: jib.Session) -> None:
    session.run("def f0(x): return x")
    for at in range(1, 200):
        session.run(f"def f{at}(x): return f{at - 1}(x) if x else f{at - 1}(0) + f{at - 1}(1)")
    assert session.run("f199(7)") == 7
    names = "\n".join(f"v{at} = {at}" for at in range(200))
    session.run(names)
    assert session.run(" + ".join(f"v{at}" for at in range(200))) == sum(range(200))
    assert session.run("a = " + " = ".join(f"w{at}" for at in range(40)) + " = 3\na + w39") == 6


def test_keeps_nothing_of_runs_but_names(session: jib.Session) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(session)
    assert session.run("(1, 2.5, None)") == (1, 2.5, None)
    assert session.run("x = 1;") is None
    assert session.run("# nothing but a comment\n3") == 3


def test_mistakes_speak_of_the_text_and_not_of_what_is_made_of_it(session: jib.Session) -> None:
    session.run("x = 2")
    for text in ("for i in range(0): w *= x", "for i in range(0):\n    c = 15\n    w *= x"):
        with pytest.raises(jib.CompileError) as caught:
            session.run(text)
        assert "session" not in caught.value.msg and "w *= x" in (caught.value.text or "")
