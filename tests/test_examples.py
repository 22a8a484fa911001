"""The programs in examples/ run, and print what they claim."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import wave
import zlib
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name: str, *args: str) -> str:
    words = [sys.executable, "-X", "utf8", str(EXAMPLES / name), *args]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_example_has_a_test() -> None:
    of_numbers = {
        "demo.py",
        "classics.py",
        "host_functions.py",
        "quad.py",
        "callgrind_names.py",
        "formulas.py",
        "rpn.py",
    }
    of_arrays = {"mandelbrot.py", "chord.py", "network.py", "sharpen.py", "threads.py", "profile_me.py"}
    assert {path.name for path in EXAMPLES.glob("*.py")} == of_numbers | of_arrays


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


def test_scipy_integrates_a_formula() -> None:
    pytest.importorskip("scipy")
    for formula in ((), ("x if x < 1 else 2 - x",)):
        words = [sys.executable, str(EXAMPLES / "quad.py"), *formula]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0 and done.stdout.endswith("by Python: equal\n"), done


def test_mandelbrots_set_is_a_picture(tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    file = tmp_path / "set.png"

    def stays(point: complex) -> bool:
        z = 0j
        for _ in range(500):
            z = z * z + point
            if abs(z) > 16:
                return False
        return True

    inside = sum(stays(complex(x, y)) for x in np.linspace(-2.25, 0.75, 60) for y in np.linspace(1.0, -1.0, 40))
    said = f"set.png: 60 by 40 points, {inside / 2400:.1%} of them in the set\n"
    assert run("mandelbrot.py", str(file), "60").endswith(said)
    data = file.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunks[kind] = data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length) == (zlib.crc32(kind + chunks[kind]),)
        at += length + 12
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (60, 40, 8, 2, 0, 0, 0)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(40, 1 + 3 * 60)
    assert not rows[:, 0].any()
    points = rows[:, 1:].reshape(40, 60, 3)
    black = (points == 0).all(axis=2)
    assert black.sum() == inside and black[20, 40] and not black[0].any()
    assert len(np.unique(points.reshape(-1, 3), axis=0)) > 300


def test_a_chord_is_a_sound(tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    file = tmp_path / "chord.wav"
    assert re.search(r"chord.wav: 22050 samples, the loudest \d+$", run("chord.py", str(file), "0.5").strip())
    with wave.open(str(file)) as sound:
        assert sound.getparams()[:4] == (1, 2, 44_100, 22_050)
        samples = np.frombuffer(sound.readframes(22_050), "<i2")
    spectrum = np.abs(np.fft.rfft(samples.astype(float)))  # a line each two hertz
    around = {hertz: spectrum[round(hertz / 2) - 3 : round(hertz / 2) + 4].max() for hertz in (262, 330, 392, 523)}
    assert min(around.values()) > 20 * np.median(spectrum[:1000])
    assert 10_000 < np.abs(samples.astype(int)).max() < 32_767


def test_a_network_is_numpys_but_for_last_bits() -> None:
    pytest.importorskip("numpy")
    first, second = run("network.py", "200").splitlines()
    assert first == "2000 probabilities, close: yes, the same classes: yes"
    found = re.fullmatch(
        r"(\d+) differ in their last bits, by (\d+) doubles at most, half of all by (\d+) or less", second
    )
    assert found and 0 <= int(found[1]) <= 2000 and int(found[2]) < 200


def test_a_filter_is_equal_to_numpys() -> None:
    pytest.importorskip("numpy")
    first, second = run("sharpen.py", "64").splitlines()
    pattern = r"(blurred|sharpened): 64 by 48 bytes, equal; contrast ([\d.]+)"
    blurred, sharpened = re.fullmatch(pattern, first), re.fullmatch(pattern, second)
    assert blurred and sharpened and float(blurred[2]) < float(sharpened[2])


def test_two_threads_give_the_bits_of_one() -> None:
    pytest.importorskip("numpy")
    *lines, last = run("threads.py", "100000").splitlines()
    assert last == "the same bits"
    digests = [line.split()[-1] for line in lines]
    assert len(digests) == 10 and digests[::2] == digests[1::2] and len(set(digests)) == 5


def test_there_is_something_to_profile() -> None:
    pytest.importorskip("numpy")

    def steps(n: int) -> int:
        count = 0
        while n != 1:
            n, count = n // 2 if n % 2 == 0 else 3 * n + 1, count + 1
        return count

    assert run("profile_me.py", "0") == f"{max(map(steps, range(1, 5_000)))} 6765 1.0\n"


def test_callgrinds_names_need_two_files() -> None:
    done = subprocess.run([sys.executable, str(EXAMPLES / "callgrind_names.py")], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("Puts the names of jib's functions into what callgrind")
