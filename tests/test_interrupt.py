"""Ctrl-C ends what runs: every kind of program that can go on for long, on both engines."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from interruptible import interruptible

PYTHON = Path(__file__).parents[1] / "python"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PYTHON), "PYTHONUNBUFFERED": "1"}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

#: Each prints once it runs, and would go on for years.
PROGRAMS = {
    "while True": """
        print(1)
        while True:
            pass
    """,
    "one huge range": """
        print(1)
        total = 0.0
        for i in range(10**18):
            total += 0.5
        total
    """,
    "many short loops": """
        print(1)
        total = 0
        for i in range(10**18):
            for j in range(3):
                total ^= i + j
        total
    """,
    "many calls of a short loop": """
        def short(n: int) -> int:
            total = 0
            for i in range(n):
                for j in range(n):
                    total ^= i * j
            for i in range(n):
                total = total * 3 % 1000003 + i // 7
            return total
        def main() -> int:
            print(1)
            total = 0
            for i in range(10**18):
                total ^= short(2)
            return total
    """,
    "recursion": """
        def fib(n: int) -> int:
            return n if n < 2 else fib(n - 1) + fib(n - 2)
        def main() -> int:
            print(1)
            return fib(80)
    """,
    "mutual recursion": """
        def even(n: int) -> int:
            return 1 if n < 1 else odd(n - 1) ^ odd(n - 2)
        def odd(n: int) -> int:
            return 2 if n < 1 else even(n - 1) ^ even(n - 2)
        def main() -> int:
            print(1)
            return even(90)
    """,
    "a generator": """
        print(1)
        sum(i % 7 for i in range(10**17))
    """,
}

#: Functions that each call the next one twice: neither loop nor recursion.
PROGRAMS["a tower of calls"] = "\n".join(
    ["def f0(x: int) -> int:", "    return x ^ 5"]
    + [f"def f{k}(x: int) -> int:\n    return f{k - 1}(x) ^ f{k - 1}(x + 1)" for k in range(1, 60)]
    + ["def main() -> int:", "    print(1)", "    return f59(0)"]
)

RUN = """
import sys, textwrap, jib
function = jib.compile(textwrap.dedent(sys.argv[1]), engine=sys.argv[2], opt_level=sys.argv[3])
try:
    function()
except KeyboardInterrupt:
    print("interrupted", jib.compile("a + b", engine=sys.argv[2])(40, 2))
"""


@pytest.mark.parametrize(("engine", "opt_level"), [("native", "speed"), ("native", "none"), ("interpreter", "speed")])
@pytest.mark.parametrize("name", PROGRAMS)
def test_interrupted(name: str, engine: str, opt_level: str) -> None:
    command = [sys.executable, "-c", RUN, PROGRAMS[name], engine, opt_level]
    with interruptible(command, ENVIRONMENT) as process:
        assert process.stdout is not None
        if process.stdout.readline() != b"1\n":  # now it runs
            assert process.stderr is not None
            pytest.fail(process.stderr.read().decode())
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        printed, complaint = process.communicate(timeout=20)
    assert (printed, complaint, process.returncode) == (b"interrupted 42\n", b"", 0)


def test_a_handler_that_returns_lets_the_run_go_on() -> None:
    import jib

    seen: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        function = jib.compile("total = 0\nfor i in range(n):\n    total ^= i\ntotal", params=["n"])
        while not seen:
            assert function(4_000_000) == 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert seen == [signal.SIGALRM]


def test_an_exception_of_a_handler_is_raised_as_it_is() -> None:
    import jib

    class Alarm(Exception):
        pass

    alarm = Alarm("now")

    def handler(number: int, frame: object) -> None:
        raise alarm

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(Alarm) as caught:
            jib.compile("while True:\n    pass\n")()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert caught.value is alarm
    assert not getattr(alarm, "__notes__", None)
