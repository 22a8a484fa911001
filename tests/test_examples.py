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
    of_numbers = {"demo.py", "classics.py", "host_functions.py", "quad.py", "callgrind_names.py"}
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
