"""The programs in examples/ run, and print what they claim."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name: str) -> str:
    done = subprocess.run(
        [sys.executable, "-X", "utf8", str(EXAMPLES / name)], capture_output=True, encoding="utf-8", timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_example_has_a_test() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {"demo.py", "classics.py", "host_functions.py", "quad.py"}


@pytest.fixture(scope="module")
def demo() -> str:
    return run("demo.py")


@pytest.mark.parametrize(
    "shown",
    [
        "f(7, 35)   -> 42\n",
        "f(1.5, 2)  -> 3.5\n",
        " int(int, int): ",
        " float(float, int): ",
        "collatz(27) -> 111\n",
        "; collatz (entry)\nfunction ",
        "smul_overflow",
        "    total = 1 + * 2\n                ^\njib.errors.ParseError: expected an expression after '+'\n",
        "    sqtr(x*x + y*y)\n    ^^^^\njib.errors.CompileError: name 'sqtr' is not defined; did you mean 'sqrt'?\n",
        "ZeroDivisionError: division by zero\n  line 1: ratio = a / (b - 3)\n                  ^^^^^^^^^^^\n",
    ],
)
def test_the_demo_shows(demo: str, shown: str) -> None:
    assert shown in demo


def test_the_classics_are_answered_as_cpython_answers_them() -> None:
    head, *rows = run("classics.py").splitlines()
    assert head.split() == ["call", "jib", "CPython", "equal"]
    assert len(rows) == 8
    assert all(row.endswith(" yes") for row in rows)
    # Known answers, so that two equal mistakes are seen too.
    found = {row.split("(")[0]: row for row in rows}
    for name, answer in [("gcd", " 21 "), ("collatz", " 118 "), ("queens", " 92 "), ("fib", " 6765 ")]:
        assert found[name].count(answer) == 2


@pytest.mark.parametrize(
    "shown",
    [
        "<jib extern cbrt: float(float), pure>\n<jib extern clamp: float(float, i32)>\n<jib extern report: None(int)>\n",
        "grow(100.0, 2023, 2024) -> 4.72628997187",
        "grow(1000.0, 2023, 2024) -> 5.0\n",
        "progress -> [2023, 2024, 2023, 2024]\n",
        "KeyError: '2025'\n",
        "cbrt(x, 3)\ncbrt() takes 1 positional argument but 2 were given\n",
    ],
)
def test_host_functions_are_called(host_functions: str, shown: str) -> None:
    assert shown in host_functions


@pytest.fixture(scope="module")
def host_functions() -> str:
    return run("host_functions.py")


def test_scipy_integrates_as_it_does_with_python() -> None:
    pytest.importorskip("scipy")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "quad.py"), "sin(x) * x"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and done.stdout.rstrip().endswith(": equal") and "times as fast" in done.stderr
