"""TRUST, "The text": no text ends the process, takes long, or raises what is not in jib's tree of errors."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import jib
from jib import parse
from stacks import FREES_BY_RECURSION, on_stack

REFUSALS = (jib.ParseError, jib.CompileError, jib.LimitError)
# Generous: the machine may be busy. What grows with the square takes minutes.
PATIENCE = 20.0

NESTINGS: dict[str, tuple[str, str, str]] = {
    "(": ("(", "x", ")"), "-": ("-", "x", ""), "not": ("not ", "x", ""), "~": ("~", "x", ""), "**": ("x**", "x", ""),
    "if else": ("x if x else ", "x", ""), "if (else)": ("(", "x", " if x else x)"), "lambda": ("lambda:", "x", ""),
    "call": ("abs(", "x", ")"), "[": ("(x,)[", "0", "]"), "tuple": ("(", "x", ",)"), ":=": ("(y:=", "x", ")"),
    "and": ("x and (", "x", ")"), "<": ("x<(", "x", ")"), "+": ("x+(", "x", ")"), "sum": ("sum(", "x", " for i in range(1))"),
    "for": ("sum(x", "", " for i in range(1)"), "~ -": ("~-", "x", ""), "not in a group": ("(not ", "x", ")"),
    "keyword": ("isclose(a=", "x", ")"),
    "or": ("x or (", "x", ")"), "slice": ("x[", "0", ":]"), "target": ("(", "y", ",)"), "**-": ("x**-", "x", ""),
    "comma": ("max(x,", "x", ")"),
}  # fmt: skip
BLOCKS = ("if x:", "while x:", "for i in range(x):", "def f(x):")
CHAINS = ("+", "-", "*", "&", "|", " and ", " or ", "<", "==", ";", "\n", ",", "==x!=")
# What begins like a word of the language and goes wrong only at its end: each must be given up in linear time.
SLOW = {
    "binary digits": ("0b", "1", "2"), "hexadecimal digits": ("0x", "f", "g"), "octal digits": ("0o", "7", "8"),
    "underscores": ("1", "_1", "x"),
    "binary underscores": ("0b1", "_1", "_"), "digits": ("", "1", "x"), "fraction": ("1.", "1", "_"), "points": ("1", ".1", ""),
    "letters": ("1", "a1", "."),
    "exponent": ("1e", "1", "x"), "exponents": ("1", "e+1", ""), "complex": ("", "1", "j"), "digits and points": ("", "1", "..a"),
    "name": ("", "a", "'"),
    "letters outside": ("a", "a", "\u00e9"), "quote": ("'", "a", ""), "quotes": ("'", "a\\'", ""), "backslashes": ("'", "\\\\", ""),
    "continued": ("'", "\\\n", ""),
    "continued with returns": ("'", "\\\r\n", ""), "three quotes": ("\"\"\"", "\"\" ", ""), "escapes": ("'", "\\x41", "\\x4'"),
    "octal escapes": ("'", "\\7", "'"),
    "empty lines": ("x\n", " \n", "+"), "spaces": ("x", " ", "+"), "tabs": ("if x:\n", "\t", "+"), "form feeds": ("", "\f", "+"),
    "brackets": ("", "(", "]"),
    "comments": ("", "#x\n", "+"), "a comment": ("#", "x", "\n+"), "backslashes outside": ("x", "\\\n", "+"), "open": ("(\n", "x\n",
    "x x"),
    "names": ("", "sqtr ", "x"), "else": ("x", " if x", ""), "lambda": ("lambda ", "x, ", "1"), "indentation": ("if x:\n", " ",
    "\n y\n  z"),
}  # fmt: skip
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


def nest(depths: tuple[int, ...]) -> None:
    for depth in depths:
        for before, middle, after in NESTINGS.values():
            text = before * depth + middle + after * depth
            outcome = compile_and_call(text, 1)
            if depth > 200:
                assert outcome in ("LimitError", "ParseError"), (before, depth, outcome)


def test_deep_nesting() -> None:
    nest((100, 190, 200, 201, 1_000, 10_000, 100_000, 1_000_000))


def test_deep_nesting_in_a_small_thread() -> None:
    on_stack(256, lambda: nest((100, 190, 200, 201, 1_000, 10_000, 100_000, 1_000_000)))


@pytest.mark.parametrize("small", [False, True])
def test_deep_nesting_where_the_limit_allows_it(small: bool) -> None:
    """Nothing recurses over the text: a limit that is raised is no invitation to overrun the stack."""

    def work() -> None:
        for before, middle, after in NESTINGS.values():
            try:
                jib.compile(before * 1_000 + middle + after * 1_000, limits=jib.Limits(nesting=10_000))
            except REFUSALS:
                continue

    if small and FREES_BY_RECURSION:
        pytest.skip("this CPython overruns small stacks by itself when it frees what is nested deep")
    if small:
        on_stack(256, work)
    else:
        work()


@pytest.mark.parametrize("head", BLOCKS)
def test_deep_blocks(head: str) -> None:
    def work() -> None:
        for depth in (90, 190, 201, 1_000):
            text = "".join(" " * i + head + "\n" for i in range(depth)) + " " * depth + "x"
            assert compile_and_call(text, 0) in ("value", "LimitError", "CompileError")

    work()
    on_stack(256, work)


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


LONG = {
    "elif": ("if x==-1: y=1\n", "elif x==0: y=0\n", "else: y=2\ny"), "targets": ("", "y=", "x\ny"), "strings": ("print(", "'a' ", ")"),
    "tests": ("sum(1 for i in range(2)", " if x", ")"), "parameters": ("def f(", "a,", "): return 1"), "arguments": ("max(", "x,", ")"),
    "keywords": ("f(", "a=x,", ")"), "statements": ("", "x;", "x"), "blocks": ("", "if x: y=x\n", "y"), "defs": ("",
    "def f(x): return x\n", ""),
    "augmented": ("y=1\n", "y+=0\n", "y"), "attributes": ("x", ".a", ""), "calls": ("x", "()", ""), "subscripts": ("x", "[0]", ""),
    "slices": ("x[", "0,", "0]"), "lambdas": ("", "g=lambda: x\n", "x"), "comments": ("x", "#\n", "x"), "empty lines": ("x", "\n", "x"),
    "continued lines": ("x+", "\\\n", "x"), "lambda parameters": ("f = lambda ", "a,", "b: 1\nx"), "walrus": ("", "(y:=x)\n", "y"),
    "loop targets": ("for ", "i,", "j in x: pass"), "unpacking": ("", "a,", "b=x"), "loops": ("", "for i in range(1): pass\n", "x"),
}  # fmt: skip


@pytest.mark.parametrize("name", LONG)
def test_long_texts(name: str) -> None:
    """A million are beyond a limit, and that is said at once; ten thousand (a thousand loops) are compiled, or refused."""
    before, part, after = LONG[name]
    compile_and_call(before + part * (1_000 if name == "loops" else 10_000) + after, 1)
    text = before + part * 1_000_000 + after
    start = time.process_time()
    with pytest.raises((jib.LimitError, jib.ParseError)):
        jib.compile(text)
    assert time.process_time() - start < 2


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


@pytest.mark.parametrize("name", SLOW)
def test_what_goes_wrong_at_its_end_takes_linear_time(name: str) -> None:
    before, part, after = SLOW[name]
    for size in (30, 1_000, 100_000, 900_000):
        text = before + part * (size // len(part)) + after
        start = time.process_time()
        with pytest.raises(REFUSALS):
            jib.compile(text)
        assert time.process_time() - start < 2, f"{size}: {time.process_time() - start:.1f} s"


def test_a_megabyte_of_each_terminal() -> None:
    """Of all the grammar has, side by side and with spaces."""
    parser = parse._parser or parse._make_parser()
    terminals = [*parser.lexicon.words, *parser.lexicon.operators]
    assert len(terminals) > 60
    for terminal in terminals:
        for text, size in ((terminal, 1_000_000), (f"x {terminal} ", 50_000)):
            start = time.process_time()
            with pytest.raises(REFUSALS):
                jib.compile(text * (size // len(text)) + "$")
            assert time.process_time() - start < 2, terminal


def test_names() -> None:
    for size, kind in ((256, None), (257, jib.LimitError), (10**6, jib.LimitError)):
        for text in ("{}", "{} = x", "def {}(x): return x", "abs({}=1)", "x + {}", "lambda {}: 1"):
            if kind is None:
                with suppress(jib.CompileError):
                    jib.compile(text.format("a" * size))
            else:
                with pytest.raises(kind):
                    jib.compile(text.format("a" * size))
    # What is said of a mistake does not depend on the limits.
    with pytest.raises(jib.ParseError, match="expected an expression"):
        jib.compile("a" * 300 + " + 1." + "1" * 5_000 + " +", limits=jib.Limits(name=1_000, digits=10_000))
    for digits in ("1" * 5_000, "1_1" * 2_000, "0x" + "f" * 5_000, "0" * 4_999 + "1"):
        with pytest.raises((jib.CompileError, jib.ParseError)):
            jib.compile(digits, limits=jib.Limits(digits=10_000))


# A character, and whether it may stand in a text or a comment.
CHARACTERS = {
    "\0": False, "\ud800": False, "\u202e": False, "\u2066": False, "\u200f": False, "\u061c": False, "\r": False,
    "\u200b": True, "\u00ad": True, "\ufeff": True, "\u00a0": True, "\u2028": True, "\u0085": True, "\u2212": True, "\u0430": True,
    "\uff41": True,
    "\u00e9": True, "\u2160": True, "\u0660": True, "\u00b2": True, "\U0001d44e": True, "\U000e0041": True, "\U0010ffff": True,
    "\x01": True,
    "\x0b": True, "\x1b": True, "\x7f": True, "\x1c": True, "\u2018": True, "\u0301": True,
}  # fmt: skip


@pytest.mark.parametrize("character", CHARACTERS, ids=ascii)
def test_strange_characters(character: str) -> None:
    """Outside of texts and comments nothing but ASCII stands, and the place is said."""
    for before, after in (
        ("", " + x"),
        ("x ", "y"),
        ("x +", " y"),
        ("(", ")"),
        ("x[", "]"),
        ("x\n", " \n"),
        ("1", ""),
        ("if x:\n ", " \n"),
    ):
        with pytest.raises(jib.ParseError) as caught:
            jib.compile(before + character + after)
        line = before.count("\n") + 1
        column = len(before) - before.rfind("\n")
        if before != "1":
            assert (caught.value.lineno, caught.value.offset) == (line, column)
    for before, after in (("x # ", " x\n"), ("assert x, 'a", "'"), ('assert x, """\na', '"""')):
        text = before + character + after
        if CHARACTERS[character]:
            jib.compile(text)
        else:
            with pytest.raises(jib.ParseError) as caught:
                jib.compile(text)
            assert caught.value.offset == len(before) - before.rfind("\n")


def test_tabs_and_form_feeds() -> None:
    """They are spaces; where their width would matter, it must not."""
    assert (
        compile_and_call("x\t+\f x", 1)
        == compile_and_call("\fx", 1)
        == compile_and_call("if x:\n\ty = x\ny", 1)
        == "value"
    )
    for text in ("if x:\n\ty=1\n        y=2\ny", "if x:\n        y=1\n\ty=2\ny"):
        with pytest.raises(jib.ParseError, match="tabs"):
            jib.compile(text)


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
    "deep loops": lambda n: ("y=x\n" + "".join(" " * i + f"for i{i} in range(1):\n" for i in range(n)) + " " * n + "y=y+1\ny", 20),
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
        "import re, sys, jib\n"
        "try: jib.compile(sys.stdin.read())(1)\n"
        "except (jib.LimitError, OverflowError): pass\n"
        # Not getrusage's: that begins with what the process had before it became this program.
        "print(int(re.search('VmHWM:[^0-9]*([0-9]+)', open('/proc/self/status').read())[1]) // 1024)"
    )
    path = os.pathsep.join([str(Path(jib.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", script], input=text, capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"PYTHONPATH": path},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    assert int(done.stdout) < 500, f"{done.stdout.strip()} MB"
