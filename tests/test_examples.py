"""The programs in examples/ run, and print what they claim: all of them, and those of numbers and texts.

Pictures, sounds and cells are in test_examples_shown.py, what computes in test_examples_computed.py. Known answers come from CPython,
from NumPy or from books, so that two equal mistakes are seen too.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from programs import EXAMPLES, NAMES, definitions, done, run

#: What each says without a library that it needs; the others do without.
NEEDS = {
    "automaton.py": ["NumPy"],
    "columns.py": ["pandas", "Polars"],
    "formulas.py": ["NumPy"],
    "kmeans.py": ["NumPy"],
    "mandelbrot.py": ["NumPy"],
    "network.py": ["NumPy"],
    "ode.py": ["SciPy"],
    "plasma.py": ["NumPy"],
    "profile_me.py": ["NumPy"],
    "quad.py": ["SciPy"],
    "sharpen.py": ["NumPy"],
    "synth.py": ["NumPy"],
    "threads.py": ["NumPy"],
}

#: It is given files, and is no example of the language.
TOOLS = {"callgrind_names.py"}


def test_every_example_has_a_test() -> None:
    calls = re.compile(r"""(?:\brun|\bdone|\bdefinitions)\(\s*"(\w+\.py)"|EXAMPLES / "(\w+\.py)\"""")
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_examples*.py")]
    assert {first or second for text in texts for first, second in calls.findall(text)} == set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in TOOLS])
def test_an_example_needs_no_arguments_and_leaves_no_file(name: str, tmp_path: Path) -> None:
    ran = done(name, cwd=tmp_path)
    assert ran.returncode == 0 and len(ran.stderr.splitlines()) <= 1, ran
    assert ran.stdout.count("\n") >= 1 and not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in TOOLS])
def test_an_example_says_which_library_is_missing(name: str) -> None:
    ran = done(name, without=["numpy", "scipy", "pandas", "polars"])
    assert (ran.returncode, ran.stderr.count("Traceback")) == (0, 0), ran
    said = re.findall(r"^(\w+) is not installed$", ran.stdout, re.MULTILINE)
    assert said == NEEDS.get(name, [])


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
    assert len(rows) == 7
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


@pytest.mark.parametrize(
    "shown",
    [
        "temp, -1, 4) > 0.5 and not door\n  reads temp, door; calls excess; at most 14 instructions\n  now: True\n",
        "  reads minutes, temp; calls max; at most 10 instructions\n  now: 0.25\n",
        "  reads humidity, temp; calls exp, cbrt; at most 10 instructions\n  now: 1.530537247964317",
        "  reads temp, minutes; calls range; no bound, so with fuel\n  now: True\n",
        "    wind > 3\n    ^^^^\njib.errors.ParseError: there is no sensor 'wind'; there are temp, humidity, door, minutes\n",
        "    ^^^^^^^^\njib.errors.ParseError: there is no function 'dewpoint'; there are abs, cbrt, excess, exp,",
        "    ^^^^^^^^^\njib.errors.ParseError: 'factorial' is not for formulas\n",
        "    temp > 4 andd door\n             ^^^^\njib.errors.ParseError: expected an operator",
        "jib.errors.BudgetError: the call has used up its fuel of 10000 loop rounds",
        "jib.errors.ParseError: a formula is an expression, or some lines with at most one loop\n",
    ],
)
def test_formulas_are_admitted_or_refused(formulas: str, shown: str) -> None:
    assert shown in formulas


@pytest.fixture(scope="module")
def formulas() -> str:
    return run("formulas.py")


def test_formulas_go_over_rows(formulas: str) -> None:
    pytest.importorskip("numpy")
    assert formulas.endswith("  warm at: [4 5 6 7 8]\n")


@pytest.mark.parametrize(
    "shown",
    [
        "x dup * y dup * + sqrt\n    (3, 4) -> 5.0\n",
        "x 0 > if x else x neg then\n    (-2.5,) -> 2.5\n",
        "a b begin dup while swap over mod repeat drop\n    (1071, 462) -> 21\n",
        " -> 2432902008176640000\n",
        "a b // a b mod\n    (47, 6) -> (7, 5)\n",
        "  %7 = mul %5, %6 @6:7\n",
        "  %1 = mul.float %0, %0                 ; 1:7\n",
        "    x dup * +\n            ^\njib.errors.ParseError: + takes 2 from the stack, which has 1\n",
        "    x if 1 then\n           ^^^^\njib.errors.ParseError: the stack has 1 here, and 0 on the other way\n",
        "ZeroDivisionError: division by zero\n  line 1: a b - c swap /\n                       ^\n",
    ],
)
def test_another_language_runs(rpn: str, shown: str) -> None:
    assert shown in rpn


@pytest.fixture(scope="module")
def rpn() -> str:
    return run("rpn.py")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the end takes 1 from the stack, which has 0"),
        ("1 2 frob( +", "there is no word 'frob('"),
        ("x if 1", "'if' does not end"),
        ("begin x while 1", "'while' does not end"),
        ("1 else 2", "'else' without 'if'"),
        ("begin 1 repeat", "'repeat' without 'while'"),
        ("x if 1 else 1 2 then", "the stack has 2 here, and 1 on the other way"),
        ("begin 1 x while repeat", "the stack has 1 here, and 0 on the other way"),
        ("99999999999999999999", "an int has 64 bits"),
    ],
)
def test_mistakes_in_the_other_language(text: str, message: str) -> None:
    words = [sys.executable, str(EXAMPLES / "rpn.py"), text or " ", "1"]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 1 and message in done.stderr


def test_callgrinds_names_need_two_files() -> None:
    done = subprocess.run([sys.executable, str(EXAMPLES / "callgrind_names.py")], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("Puts the names of jib's functions into what callgrind")


# ------------------------------------------------------------------------------------------------- cells, keys, 128 bits


@pytest.fixture(scope="module")
def spreadsheet() -> str:
    return run("spreadsheet.py")


def test_a_spreadsheet_is_computed_in_the_order_of_its_needs(spreadsheet: str) -> None:
    head, *rows = [line.split() for line in spreadsheet.split("\n\n")[0].splitlines()]
    assert head == ["A", "B", "C", "D", "E"]
    nails, hinges, anvil = 0.05 * 400 * 0.8, 3.40 * 12 * 0.9, 95.0
    total = nails + hinges + anvil

    def shown(*values: float) -> list[str]:
        return [f"{value:.6g}" for value in values]

    assert rows == [
        ["1", "item", "price", "number", "sum", "share"],
        ["2", "nails", "0.05", "400", *shown(nails, nails / total)],
        ["3", "hinges", "3.4", "12", *shown(hinges, hinges / total)],
        ["4", "anvil", "95", "1", *shown(anvil, anvil / total)],
        ["5", "all", "413", *shown(total), "1"],
        ["6", "mean", *shown(total / 413, total / 3, anvil / total)],
        ["7", "wrong", "#VALUE", "#TEXT", "#CIRCLE", "#CIRCLE"],
        ["8", "hostile", "#TIME", "#VALUE", "#TEXT", "#TEXT"],
        ["9", "and", "so", "#NEEDS", "#TEXT", "#NEEDS", "#TIME"],
    ]


SPENT = "BudgetError: the call has used up its fuel of 100000 loop rounds and calls; fuel=... allows more"


@pytest.mark.parametrize(
    "shown",
    [
        "B7: B2 / (C4 - 1)\n    ^^^^^^^^^^^^^ ZeroDivisionError: float division by zero\n",
        f"B8: while True: pass\n          ^^^^ {SPENT} (line 1, column 7)\n",
        "B9: B8 + 1\n    LookupError: B8 has no number\n",
        "C7: sum(C2:C4) +\n                ^ ParseError: expected an expression after '+'\n",
        "C8: 9**9**9\n    ^^^^^^^ OverflowError: int result outside 64 bits\n",
        "C9: print(C2)\n    ^^^^^ ParseError: 'print' is not for formulas\n",
        "D7: E7 + 1\n    LookupError: D7 and E7 need each other\n",
        "D8: __import__('os')\n    ^^^^^^^^^^ ParseError: '__import__' is not part of the language",
        "E8: " + 60 * "(" + "...\n    LimitError: a formula has at most 500 characters\n",
        f"E9: sum(x for x in range(10**9))\n                   ^^^^^^^^^^^^ {SPENT} (line 1, column 16)\n",
    ],
)
def test_what_a_formula_tries_ends_in_its_cell(spreadsheet: str, shown: str) -> None:
    assert shown in spreadsheet


TRIED = [
    ("B2 * oops", "         ^^^^ ParseError: 'oops' is not a cell\n"),
    ("1 + A12", "        ^^^ ParseError: 'A12' is not a cell\n"),
    ("sum(D2:B5)", "        ^^^^^ ParseError: the range is empty\n"),
    ("open(3)", "    ^^^^ ParseError: 'open' is not for formulas\n"),
    ("B2.real", "    ^^^^^^^ CompileError: attribute 'real' is not known"),
    ("(1, 2)", "    TypeError: a cell holds a number, not tuple\n"),
    ("B2 = 3", "    TypeError: a cell holds a number, not NoneType\n"),
    ("{cell} + 1", "    LookupError: {cell} needs itself\n"),
    ("assert B2 > 1", "    ^^^^^^^^^^^^^ AssertionError\n"),
    ("raise ValueError('\x1b[31m')", "'ValueError: \\x1b[31m'\n"),
    ("x\x1b[31m", "'x\\x1b[31m'\n    ParseError: unexpected character"),
    ("def f(x): return f(x)\nf(1)", f"    {SPENT} (line 1, column 18)\n"),
]


def test_what_else_formulas_may_try() -> None:
    cells = [f"{column}{row}" for column in "GH" for row in range(1, 10)]
    said = run("spreadsheet.py", *[f"{cell}={tried.format(cell=cell)}" for cell, (tried, _) in zip(cells, TRIED)])
    assert "\x1b" not in said
    parts = dict(re.findall(r"^([GH]\d): (.*\n(?:    .*\n)*)", said, re.MULTILINE))
    assert parts.keys() == set(cells[: len(TRIED)])
    for cell, (_, shown) in zip(cells, TRIED):
        assert shown.format(cell=cell) in parts[cell]


def test_cells_are_computed_after_a_change() -> None:
    cells = ("F1=sum(B2:C3)", "F2=F3 + rebate(99)", "F3=F4 * 2", "F4=20.95", "F5=rebate(100) if rebate(9) == 0 else 1")
    said = run("spreadsheet.py", *cells).splitlines()
    assert [line.split()[-1] for line in said[1:6]] == ["415.45", "42", "41.9", "20.95", "0.2"]


def test_keys_are_exchanged_and_broken() -> None:
    prime = 4611686018427377339
    for a, b in ((1234567890123456789, 987654321098765432), (3, 5), (2**62 - 1, 1)):
        said = run("diffie_hellman.py", str(a), str(b), timed=True)
        assert said.startswith(f"p = {prime}, g = 2\n")
        numbers = [int(number) for number in re.findall(r"(?:sends|has) +(\d+)$", said, re.MULTILINE)]
        assert numbers == [pow(2, a, prime), pow(2, b, prime), *2 * [pow(2, a * b, prime)]]
        assert "by doubling, by pow, by CPython: equal\n" in said
        small = a % 2**24
        assert f"Eve reads {pow(2, small, 2147483579)} and tries until {small} fits\n" in said


def test_the_primes_are_safe() -> None:
    sympy = pytest.importorskip("sympy")
    made = definitions("diffie_hellman.py")
    for p, bits in ((made["P"], 62), (made["SMALL_P"], 31)):
        assert p.bit_length() == bits and sympy.isprime(p) and sympy.isprime((p - 1) // 2)
        assert pow(2, (p - 1) // 2, p) == p - 1  # so 2 makes all numbers but 0


@pytest.fixture
def assembler() -> None:
    if not shutil.which("cc") or sys.platform not in ("linux", "darwin"):
        pytest.skip("cc is not installed")
    if platform.machine().lower() not in ("x86_64", "amd64", "aarch64", "arm64"):
        pytest.skip("there is no routine for this machine")


@pytest.mark.usefixtures("assembler")
def test_a_routine_in_assembly_is_called() -> None:
    for base, exponent in ((3, 80), (2**64 - 1, 2), (7, 0), (6981463658331, 3)):
        power = base**exponent
        assert run("assembly.py", str(base), str(exponent)).splitlines() == [
            "<jib extern product_upper: u64(u64, u64), pure>",
            f"0xfedcba9876543210 * 0x123456789abcdef0 >> 64 = 0x{0xFEDCBA9876543210 * 0x123456789ABCDEF0 >> 64:x}",
            f"{base}**{exponent} = {power} = 0x{power >> 64:016x}_{power % 2**64:016x}",
            "CPython's ints: equal",
        ]
    # The third is beyond by the carry alone.
    for base, exponent in ((3, 81), (2**64 - 1, 3), (6981463658332, 3)):
        ran = done("assembly.py", str(base), str(exponent))
        assert ran.returncode == 1 and "OverflowError: more than 128 bits" in ran.stderr


@pytest.mark.usefixtures("assembler")
def test_assembly_says_that_there_is_no_assembler() -> None:
    ran = done("assembly.py", PATH="")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "cc is not installed\n", "")
