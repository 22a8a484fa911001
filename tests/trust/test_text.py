"""TRUST, "The text": no text ends the process, takes long, or raises what is not in jib's tree of errors."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import jib

REFUSALS = (jib.ParseError, jib.CompileError, jib.LimitError)
# Generous: the machine may be busy. What grows with the square takes minutes.
PATIENCE = 20.0

NESTINGS: dict[str, tuple[str, str, str]] = {
    "(": ("(", "x", ")"), "-": ("-", "x", ""), "not": ("not ", "x", ""), "~": ("~", "x", ""), "**": ("x**", "x", ""),
    "if else": ("x if x else ", "x", ""), "if (else)": ("(", "x", " if x else x)"), "lambda": ("lambda:", "x", ""),
    "call": ("abs(", "x", ")"), "[": ("(x,)[", "0", "]"), "tuple": ("(", "x", ",)"), ":=": ("(y:=", "x", ")"),
    "and": ("x and (", "x", ")"), "<": ("x<(", "x", ")"), "+": ("x+(", "x", ")"), "sum": ("sum(", "x", " for i in range(1))"),
    "for": ("sum(x", "", " for i in range(1)"),
}  # fmt: skip
BLOCKS = ("if x:", "while x:", "for i in range(x):", "def f(x):")
CHAINS = ("+", "-", "*", "&", "|", " and ", " or ", "<", "==", ";", "\n", ",", "==x!=")
TOKENS = (  # noqa: SIM905
    "x 1 1.5 'a' \" ' + - ( ) [ ] { } ; : , . \\ # @ ` ~ ! $ ? = == ** // << >= := -> é ａ \ufeff \ud800 \u202e \u00a0 \x00 \x0b \x0c "
    "if else elif lambda not and or for in while def return break pass None True raise assert sum( range( 0x 1e 0_ _ \"\"\" '''"
).split(" ") + [" ", "\t", "\n", "\r", "\r\n", "\\\n", " \n", "\n ", "x\n", "  \n x\n", "if x:\n ", "else:\n"]  # fmt: skip


def compile_and_call(text: str, *args: Any) -> str:
    """What came of it; anything but a value, a refusal or Python's own run-time errors fails."""
    start = time.perf_counter()
    try:
        function = jib.compile(text)
        function(*args[: len(function.params)])
        outcome = "value"
    except REFUSALS as error:
        outcome = type(error).__name__
    except (ArithmeticError, ValueError, RecursionError) as error:
        outcome = type(error).__name__
    except TypeError as error:
        assert "argument" in str(error), error
        outcome = "TypeError"
    assert time.perf_counter() - start < PATIENCE, text[:80]
    return outcome


def in_small_thread(work: Callable[[], None]) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    if failures:
        raise failures[0]


def nest(depths: tuple[int, ...]) -> None:
    for depth in depths:
        for before, middle, after in NESTINGS.values():
            text = before * depth + middle + after * depth
            outcome = compile_and_call(text, 1)
            if depth > 200:
                assert outcome in ("LimitError", "ParseError"), (before, depth, outcome)


def test_deep_nesting() -> None:
    nest((100, 190, 200, 201, 1_000, 10_000, 100_000))


def test_deep_nesting_in_a_small_thread() -> None:
    in_small_thread(lambda: nest((100, 190, 200, 201, 1_000, 100_000)))


@pytest.mark.parametrize("head", BLOCKS)
def test_deep_blocks(head: str) -> None:
    def work() -> None:
        for depth in (90, 190, 201, 1_000):
            text = "".join(" " * i + head + "\n" for i in range(depth)) + " " * depth + "x"
            assert compile_and_call(text, 0) in ("value", "LimitError", "CompileError")

    work()
    in_small_thread(work)


@pytest.mark.parametrize("op", CHAINS)
def test_flat_chains(op: str) -> None:
    assert compile_and_call(op.join(["x"] * 10_000), 1) in (
        "value",
        "OverflowError",
        "LimitError" if op == "," else "value",
    )
    start = time.perf_counter()
    assert compile_and_call(op.join(["x"] * 1_000_000), 1) == "LimitError"
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("text", [
    "1" * 10**6, "1e999999", "0x" + "F" * 900_000, "1" * 4301, "0b" + "1" * 65, '"' + "a" * 900_000 + '"', "x" * 257, "x" * 900_000,
    "9**9**9**9", "1 << 10**9", "2**62*2", "factorial(20)**9", "comb(10**18, 9*10**17)", "perm(10**18, 10**17)", "round(5, -10**18)",
    "pow(3, 10**18, 10**9+7)", "2**63", "-2**63", "10**400", "1e308*10", "comb(66, 33)", "comb(10**6, 5*10**5)",
], ids=lambda text: text[:20])  # fmt: skip
def test_large_literals_and_folding_bombs(text: str) -> None:
    start = time.perf_counter()
    compile_and_call(text, 1)
    assert time.perf_counter() - start < 1


def test_many_names() -> None:
    assert compile_and_call("\n".join(f"v{i}=x" for i in range(35_000)) + "\nv1", 1) == "value"
    text = "+".join(f"v{i}" for i in range(2_000))
    assert jib.compile(text)(*range(2_000)) == sum(range(2_000))


@pytest.mark.parametrize("token", TOKENS, ids=ascii)
def test_a_megabyte_of_each_token(token: str) -> None:
    for size in (1_000_000, 150_000):
        compile_and_call(token * (size // len(token)), 1)
    compile_and_call(token, 1)
    compile_and_call("x +" + token, 1)


WORST = {
    "a sum of sines": lambda n: ("sin(x)+" * n + "x", 20_000),
    "overflow checks": lambda n: ("+".join(["x"] * n), 60_000),
    "conditions": lambda n: (" and ".join(["x"] * n), 60_000),
    "branches": lambda n: ("if x==-1:\n y=1\n" + "".join(f"elif x=={i}:\n y={i}\n" for i in range(n)) + "else:\n y=0\ny", 10_000),
    "live variables": lambda n: ("".join(f"v{i}=x+{i}\n" for i in range(n)) + "+".join(f"v{i}" for i in range(n)), 6_000),
    "variables that may be unbound": lambda n: (
        "y=x\n" + "".join(f"if y: v{i}=y\n" for i in range(n)) + "+".join(f"v{i}" for i in range(n)), 3_000
    ),
    "variables across many joins": lambda n: (
        "".join(f"v{i}=x+{i}\n" for i in range(n)) + "".join(f"if x>{i}: v{i}=v{i * 7 % n}\n" for i in range(n)) + "v1", 5_000
    ),
    "deep loops": lambda n: ("y=x\n" + "".join(" " * i + f"for i{i} in range(1):\n" for i in range(n)) + " " * n + "y=y+1\ny", 190),
    "assertions": lambda n: ("".join(f"assert x>{-i},'no {i}'\n" for i in range(n)) + "x", 20_000),
    "generators": lambda n: ("+".join("sum(x for i in range(2))" for _ in range(n)), 3_000),
    "tuples of tuples": lambda n: ("t=(x,x)\n" + "t=(t,t)\n" * n + "t[0]", 40),
    "functions": lambda n: ("".join(f"def f{i}(x): return {f'f{i - 1}(x)+f{i - 1}(x)' if i else 'x'}\n" for i in range(n)), 20),
}  # fmt: skip


@pytest.mark.parametrize("name", WORST)
def test_worst_programs(name: str) -> None:
    """In a process of its own, whose memory ends at 2 GiB of addresses: none of them needs 500 MB."""
    _, size = WORST[name](1)
    text, _ = WORST[name](size)
    script = (
        "import resource, sys, jib\n"
        "try: jib.compile(sys.stdin.read())(1)\n"
        "except (jib.LimitError, OverflowError): pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    path = os.pathsep.join([str(Path(jib.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", script], input=text, capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"PYTHONPATH": path},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    assert int(done.stdout) < 500, f"{done.stdout.strip()} MB"
