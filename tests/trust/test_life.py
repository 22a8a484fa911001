"""TRUST, life and threads: jib is imported anew, forked, dropped while it runs, and there when the process ends.

What can end a process happens in one of its own, whose exit status and standard error are compared.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from pathlib import Path

import pytest

import jib
from soak import parts

PYTHON = Path(__file__).parents[2] / "python"
SOAK_SECONDS = float(os.environ.get("JIB_SOAK_SECONDS", "2"))

#: Counts for so long that others get their turn.
LONG = "t = 0\nfor i in range(n):\n    t = (t + i * i) % 1000003\nt"


def process(program: str, *options: str, timeout: float = 60) -> str:
    """What the program printed; it must end well, and in silence."""
    command = [sys.executable, *options, "-c", textwrap.dedent(program)]
    environment = {**os.environ, "PYTHONPATH": str(PYTHON), "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment)
    assert (done.stderr, done.returncode) == ("", 0), done.stdout
    return done.stdout


# ------------------------------------------------------------------------------------------------- imported anew


def test_reloaded() -> None:
    printed = process("""
        import importlib, pickle, jib
        old = jib.compile("a + b")
        print(old(40, 2))
        importlib.reload(jib)
        importlib.reload(jib._native)
        importlib.reload(jib)
        print(old(40, 2), old(40, 2.5), jib.compile("a * b")(6, 7), type(old) is jib.Function)
        print(pickle.loads(pickle.dumps(old))(1, 2), old)
    """)
    assert printed == "42\n42 42.5 42 True\n3 <jib function <expression>(a, b)>\n"


def test_imported_a_second_time() -> None:
    printed = process("""
        import importlib, sys, jib as first
        old = first.compile("a // b if a else sum(i for i in range(b))", fuel=5)
        for name in [name for name in sys.modules if name.partition(".")[0] == "jib"]:
            del sys.modules[name]
        print(old(84, 2), old(85.0, 2))
        import jib
        print(jib is first, jib.Function is first.Function)
        print(jib.compile("a // b")(84, 2), old(84, 2), old(True, 2))
        for arguments in (1, 0), ("1", 2), (0, 9):
            try:
                old(*arguments)
            except Exception as error:
                print(type(error).__name__, end=" ")
        print(old.dump("asm", "(int, int)") != "", old)
        del first, old
        import gc
        gc.collect()
        print(jib.compile("a // b")(84, 2))
    """)
    failures = "ZeroDivisionError TypeError BudgetError "
    assert printed == f"42 42.0\nFalse False\n42 42 0\n{failures}True <jib function <expression>(a, b)>\n42\n"


# --------------------------------------------------------------------------------------------- the process ends

BEGIN = """
import atexit, builtins, gc, sys, threading, time, weakref
import jib
f = jib.compile("a + b")
assert f(40, 2) == 42
"""

ENDS = {
    "in a global": "",
    "not called yet": "g = jib.compile('a * b')",
    "in a cycle": "f.me = [f]; f.modules = sys.modules; del f",
    "in a cycle that is not collected": "gc.disable(); f.me = f; f.dropped = weakref.ref(f, print)",
    "in another module": "builtins.function = sys.function = f; del f",
    "in a class, a default and a closure": """
        class Holder:
            function = f
            def __del__(self, f=f): f(1, 2)
        holder = Holder()
        call = (lambda f: lambda: f(1, 2))(f)
    """,
    "called at exit": "atexit.register(lambda: print(f(40, 2), f(40, 2.5)))",
    "compiled at exit": "atexit.register(lambda: print(jib.compile('a * b')(6, 7), jib.evaluate('6 * x', x=7.0)))",
    "failing at exit": """
        @atexit.register
        def fail():
            try:
                jib.compile("a // b")(1, 0)
            except ZeroDivisionError as error:
                print(error.jib_span)
    """,
    "called as the module goes": """
        class Last:
            def __del__(self, f=f, g=jib.compile("a * b"), say=sys.stdout.write):
                say(f"{f(40, 2)} {f(40, 2.5)} {g(6, 7)} ")
        last = Last()
    """,
    "compiled as the module goes": """
        class Last:
            def __del__(self, compile=jib.compile, say=sys.stdout.write):
                try:
                    say(f"{compile('a * b + 1')(6, 7)}")
                except Exception as error:  # whatever is gone by now
                    say(type(error).__name__)
        sys.last = Last()
    """,
    "daemons that call": """
        def work():
            while True: f(1, 2), f(1, 2.5)
        for _ in range(4): threading.Thread(target=work, daemon=True).start()
        time.sleep(0.1)
    """,
    "daemons that compile": """
        def work():
            k = 0
            while True:
                k += 1
                assert jib.compile(f"sum(i * {k} for i in range(n))")(3) == 3 * k
        for _ in range(4): threading.Thread(target=work, daemon=True).start()
        time.sleep(0.1)
    """,
    "daemons that fail": """
        def work():
            while True:
                try: jib.compile("a // b +")
                except jib.ParseError: pass
                try: jib.compile("a // b")(1, 0)
                except ZeroDivisionError: pass
        for _ in range(4): threading.Thread(target=work, daemon=True).start()
        time.sleep(0.1)
    """,
    "daemons whose arguments are asked": """
        class Index:
            def __index__(self): return 40
        def work():
            while True: assert f(Index(), 2) == 42
        for _ in range(4): threading.Thread(target=work, daemon=True).start()
        time.sleep(0.1)
    """,
    "daemons that print": """
        class Out:
            def write(self, text): self.last = text
            def flush(self): pass
        sys.stdout = Out()
        def work():
            g = jib.compile("print(a)")
            while True: g(1)
        for _ in range(4): threading.Thread(target=work, daemon=True).start()
        time.sleep(0.1)
    """,
    "daemons in endless loops": """
        for engine in "native", "interpreter", "auto":
            text = "while True: x = 1"
            threading.Thread(target=jib.compile(text, engine=engine), daemon=True).start()
        time.sleep(0.1)
    """,
    "daemons in endless recursion": """
        text = "def fib(n: int) -> int: return n if n < 2 else fib(n - 1) + fib(n - 2)"
        for engine in "native", "interpreter", "auto":
            threading.Thread(target=jib.compile(text, engine=engine), args=(80,), daemon=True).start()
        time.sleep(0.1)
    """,
    "daemons that compile on threads of their own": """
        threading.stack_size(64 << 10)
        def work():
            while True: jib.compile("a + b")(1, 2)
        for _ in range(4): threading.Thread(target=work, daemon=True).start()
        time.sleep(0.1)
    """,
    "sys.exit in the middle of a print": """
        class Out:
            def write(self, text): sys.exit(0)
            def flush(self): pass
        sys.stdout = Out()
        jib.compile("print(a)")(1)
    """,
    "threads that are waited for": """
        def work():
            for k in range(50): assert jib.compile(f"a + {k}")(2) == k + 2
        for _ in range(4): threading.Thread(target=work).start()
    """,
}  # fmt: skip

PRINTED = {
    "called at exit": "42 42.5\n",
    "compiled at exit": "42 42.0\n",
    "failing at exit": "(1, 1, 1, 7)\n",
    "called as the module goes": "42 42.5 42 ",
}


@pytest.mark.parametrize("name", ENDS)
def test_the_process_ends(name: str) -> None:
    rounds = 5 if "daemons" in name else 1
    for _ in range(rounds):
        printed = process(BEGIN + textwrap.dedent(ENDS[name]))
        if name == "compiled as the module goes":
            assert printed == "43" or printed.endswith(("Error", "Exception")), printed
        else:
            assert printed == PRINTED.get(name, "")


# --------------------------------------------------------------------------------------------------------- forks

FORKS = """
import os, signal, sys, threading, time
import jib

shared = jib.compile("a * b + 1")
assert shared(3, 5) == 16
assert shared(0.5, 3) == 2.5
long = jib.compile("t = 0\\nfor i in range(n):\\n    t ^= i\\nt")
dropped = [jib.compile(f"a + {k}") for k in range(8)]
for function in dropped:
    function(1)
stop = False

def work(number):
    k = 0
    while not stop:
        k += 1
        assert jib.compile(f"a * {k} + {number}", engine=("native", "auto")[k % 2])(3) == 3 * k + number
        assert long(1000 + k % 7) >= 0

def child(number):
    dropped.clear()
    for k in range(5):
        assert jib.compile(f"a * {k} + b * {number}")(3, 2) == 3 * k + 2 * number
        assert shared(k, number) == k * number + 1 and shared(k, 0.5) == k / 2 + 1
    try:
        jib.compile("a // b")(1, 0)
    except ZeroDivisionError:
        pass
    failed = []
    def again():
        try:
            assert jib.compile("a ** 2")(number) == number ** 2 and long(4) == 0
        except BaseException as error:
            failed.append(error)
    thread = threading.Thread(target=again)
    thread.start()
    thread.join(30)
    assert not failed and not thread.is_alive()

threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(4)]
for thread in threads:
    thread.start()
for number in range(40):
    pid = os.fork()
    if not pid:
        status = 1
        try:
            child(number)
            status = 0
        finally:
            os._exit(status)
    end = time.monotonic() + 40
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            sys.exit(f"child {number} hangs")
        time.sleep(0.002)
    if status:
        sys.exit(f"child {number} ended with {status}")
stop = True
for thread in threads:
    thread.join(30)
    assert not thread.is_alive()
assert jib.compile("a + b")(40, 2) == 42
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks of POSIX")
def test_forks_while_others_compile() -> None:
    # Python 3.12 and later warn of forks beside threads.
    assert process(FORKS, "-W", "ignore::DeprecationWarning", timeout=240) == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks of POSIX")
def test_forks_during_the_first_compilation() -> None:
    """What is made once in a process is never half made in a child: of 100 children one hung."""
    program = """
    import os, signal, sys, threading, time
    import jib

    f = jib.compile("def f(a, b): return a * b + 1")
    thread = threading.Thread(target=f, args=(1, 2))
    sys.setswitchinterval(1e-6)
    end = time.perf_counter() + {delay}
    thread.start()
    while time.perf_counter() < end:
        pass
    pid = os.fork()
    if not pid:
        signal.alarm(20)
        os._exit(jib.compile("a + b")(1, 2) != 3)
    status = os.waitpid(pid, 0)[1]
    assert status == 0, status
    thread.join()
    """
    for k in range(20):
        assert process(program.format(delay=k * 4e-5), "-W", "ignore::DeprecationWarning") == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks of POSIX")
def test_a_fork_of_a_fork_of_a_fork() -> None:
    printed = process("""
        import os, sys, jib
        f = jib.compile("a + b")
        f(1, 2)
        for k in range(5):
            pid = os.fork()
            if pid:
                _, status = os.waitpid(pid, 0)
                sys.exit(status != 0)
            assert f(k, 2) == k + 2 and f(k + 0.5, 2) == k + 2.5
            f = jib.compile(f"a + b + {k} * 0")
        print(f(40, 2))
    """)
    assert printed == "42\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks of POSIX")
def test_a_pool_of_forked_workers() -> None:
    printed = process("""
        import multiprocessing, jib
        f = jib.compile("a * a + 1")
        f(3)
        with multiprocessing.get_context("fork").Pool(3) as pool:
            print(sum(pool.map(f, range(100))), pool.apply(jib.evaluate, ("6 * x", {"x": 7})))
    """)
    assert printed == "328450 42\n"


# ----------------------------------------------------------------------------------------------- subinterpreters

#: Everything of a call that needs objects of the interpreter's.
USED = """
import io, sys
def use():
    f = jib.compile("a // b")
    for args in (1, 0), ("1", 2), (1, 2, 3), (1 << 80, 1), (1,):
        try:
            f(*args)
        except (ZeroDivisionError, TypeError, OverflowError) as error:
            assert args[1:] != (0,) or error.jib_span == (1, 1, 1, 7)
        else:
            raise AssertionError(args)
    for text, error in ("a +", jib.ParseError), ("while True: a", jib.BudgetError):
        try:
            jib.compile(text, fuel=5)(1)
        except error:
            pass
    class Index:
        def __index__(self): return 84
    assert f(Index(), b=2) == 42 and f(85.5, 2) == 42.0 and jib.evaluate("a * b", a=6, b=7) == 42
    before, sys.stdout = sys.stdout, io.StringIO()
    jib.compile("print(a, 0.5)")(True)
    printed, sys.stdout = sys.stdout.getvalue(), before
    assert printed == "True 0.5\\n", printed
    use.kept = f, f.dump("asm")
    return "42"
"""

INSIDE = f"""
try:
    import jib
{textwrap.indent(USED, "    ")}
    word = use()
except ImportError as error:
    word = type(error).__name__
import os
os.write(1, (word + "\\n").encode())
"""

SUBINTERPRETERS = f"""
{USED}
import os, sys, threading
try:
    import _interpreters as interpreters
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        os.write(1, b"none\\n")
        sys.exit()
INSIDE = {INSIDE!r}

def run():
    made = interpreters.create()
    interpreters.run_string(made, INSIDE)
    interpreters.run_string(made, INSIDE)
    interpreters.destroy(made)

if sys.argv[1:] == ["first"]:  # before the main interpreter has it
    run()
import jib
use()
run()
use()
thread = threading.Thread(target=run)
thread.start()
thread.join()
use()
"""


@pytest.mark.parametrize("order", ["first", "second"])
def test_subinterpreters_work_or_are_refused(order: str) -> None:
    words = process(SUBINTERPRETERS.replace("sys.argv[1:]", repr([order]))).split()
    assert words == ["none"] or (len(words) >= 4 and set(words) <= {"42", "ImportError"}), words


# ------------------------------------------------------------------------------------------------------- threads


def test_many_threads_compile_call_and_drop() -> None:
    assert parts.threads(SOAK_SECONDS, number=64, say=list) > 64


def test_dropped_while_it_runs_in_another_thread() -> None:
    function = jib.compile(LONG)
    want = function(2_000_000)
    results: list[int] = []
    gone = weakref.ref(function)
    thread = threading.Thread(target=lambda holder: results.append(holder.pop()(2_000_000)), args=([function],))
    thread.start()
    del function
    gc.collect()
    thread.join(60)
    assert results == [want]
    del thread
    assert gone() is None


@pytest.mark.parametrize("engine", ["native", "interpreter"])
def test_dropped_by_what_it_prints(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = [jib.compile("print(a)\nprint(b)\na // b", engine=engine)]
    gone = weakref.ref(holder[0])
    alive: list[bool] = []

    class Out:
        def write(self, text: str) -> None:
            holder.clear()
            gc.collect()
            alive.append(gone() is not None)

    monkeypatch.setattr(sys, "stdout", Out())
    with pytest.raises(ZeroDivisionError) as caught:
        holder[0](1, 0)
    monkeypatch.undo()
    assert alive and all(alive)
    assert caught.value.jib_span[0] == 3  # type: ignore[attr-defined]
    del caught
    gc.collect()
    assert gone() is None


def test_called_again_by_what_it_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    function = jib.compile("print(a)\na * 2")
    answers: list[object] = []

    class Out:
        def write(self, text: str) -> None:
            if len(answers) < 20:
                answers.append(None)
                answers.append(function((3, 2.5, True)[len(answers) % 3]))

    monkeypatch.setattr(sys, "stdout", Out())
    answer = function(21)
    monkeypatch.undo()
    assert answer == 42 and {repr(a) for a in answers} <= {"None", "6", "5.0", "2"}


def test_compiled_for_the_same_types_by_many_at_once() -> None:
    for _ in range(20):
        function = jib.compile(LONG.replace("(n)", "(n + m)"))
        start = threading.Barrier(16)
        answers: list[int] = []

        def work(
            start: threading.Barrier = start, function: jib.Function = function, answers: list[int] = answers
        ) -> None:
            start.wait(30)
            answers.append(function(50, 50))

        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(answers) == 16 and len(set(answers)) == 1
        assert len(function.specializations) == 1


# --------------------------------------------------------------------------------------------------- the collector


def test_cycles_are_collected() -> None:
    gone = []
    for k in range(50):
        function = jib.compile("a + b")
        assert function(k, 2) == k + 2
        function.me, function.list = function, [function]  # type: ignore[attr-defined]
        function.other = jib.compile("a - b")  # type: ignore[attr-defined]
        function.other.back = function  # type: ignore[attr-defined]
        gone += [weakref.ref(function), weakref.ref(function.other)]  # type: ignore[attr-defined]
    del function
    gc.collect()
    assert [ref for ref in gone if ref() is not None] == []


def test_weak_references() -> None:
    function = jib.compile("a + b")
    told: list[object] = []
    ref = weakref.ref(function, told.append)
    values = weakref.WeakValueDictionary({"f": function})
    keys = weakref.WeakKeyDictionary({function: 1})
    weakref.finalize(function, told.append, "finalized")
    assert ref() is function and values["f"](40, 2) == 42 and weakref.proxy(function)(40, 2) == 42
    del function
    gc.collect()
    assert ref() is None and not values and not keys
    assert sorted(map(str, told)) == sorted([str(ref), "finalized"])


def test_collected_while_others_call() -> None:
    end = time.monotonic() + 0.5
    shared = jib.compile("a * b")
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            while time.monotonic() < end:
                function = jib.compile(f"a + {number}")
                function.me = function  # type: ignore[attr-defined]
                assert function(1) == number + 1 and shared(number, 2) == 2 * number
                if number == 0:
                    gc.collect()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not failures, failures
