"""The programs in examples/ that make pictures, sounds and cells. What is in a file is read by the tests' own means."""

from __future__ import annotations

import os
import re
import struct
import sys
import wave
import zlib
from collections.abc import Iterator
from math import cos, hypot, log, log2, pi, sin, tan, tau
from pathlib import Path

import pytest

from programs import EXAMPLES, definitions, run

np = pytest.importorskip("numpy")


# ---------------------------------------------------------------------------------------------------------------- pictures


def steps(point: complex) -> float:
    """How soon a point leaves the circle of radius 16, in 500 steps; 0 for one that stays."""
    z = 0j
    for n in range(500):
        z = z * z + point
        if abs(z) > 16:
            return n + 2 - log2(log(abs(z)))
    return 0.0


def is_cut_of(index: int, value: float) -> bool:
    """Nobody promises the last bits of a sine or a logarithm."""
    return index <= value + 1e-9 and value < index + 1 + 1e-9


def png(file: Path) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a picture, each with its kind."""
    data = file.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at = 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunk = data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length) == (zlib.crc32(kind + chunk),)
        yield kind, chunk
        at += length + 12


def test_mandelbrots_set_is_characters() -> None:
    *rows, last = run("mandelbrot.py").splitlines()
    values = [[steps(complex(x, y)) for x in np.linspace(-2.25, 0.75, 72)] for y in np.linspace(1.0, -1.0, 24)]
    inside = [[value == 0.0 for value in row] for row in values]
    assert [[character == "@" for character in row.ljust(72)] for row in rows] == inside
    for row, exact in zip(rows, values):
        for character, value in zip(row.ljust(72), exact):
            if value:
                assert is_cut_of(" .:-=+*%".index(character), min(max(2.6 * log(value) - 2, 0), 7))
    assert last == f"above: 72 by 24 points, {np.mean(inside):.1%} of them in the set"


def test_mandelbrots_set_is_a_picture(tmp_path: Path) -> None:
    file = tmp_path / "set.png"
    inside = sum(steps(complex(x, y)) == 0.0 for x in np.linspace(-2.25, 0.75, 60) for y in np.linspace(1.0, -1.0, 40))
    said = f"set.png: 60 by 40 points, {inside / 2400:.1%} of them in the set\n"
    assert run("mandelbrot.py", str(file), "60").endswith(said)
    chunks = dict(png(file))
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (60, 40, 8, 2, 0, 0, 0)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(40, 1 + 3 * 60)
    assert not rows[:, 0].any()
    points = rows[:, 1:].reshape(40, 60, 3)
    black = (points == 0).all(axis=2)
    assert black.sum() == inside and black[20, 40] and not black[0].any()
    assert len(np.unique(points.reshape(-1, 3), axis=0)) > 300


def plasma(x: float, y: float, t: float) -> float:
    """The index of a colour, before it is cut off."""
    waves = sin(5.0 * x + t) + sin(4.0 * y - t) + sin(3.0 * (x * sin(t) + y * cos(t)) + 1.0)
    return 31.5 + 7.75 * (waves + sin(7.0 * hypot(x - 0.5 * cos(t), y - 0.5 * sin(t)) - 2.0 * t))


def test_a_plasma_moves_in_a_circle(tmp_path: Path) -> None:
    file = tmp_path / "plasma.png"
    assert run("plasma.py", str(file), "5", "40").endswith("plasma.png: 5 frames of 40 by 30 points\n")
    chunks = [*png(file)]
    kinds = [b"IHDR", b"PLTE", b"acTL", b"fcTL", b"IDAT", *4 * [b"fcTL", b"fdAT"], b"IEND"]
    assert [kind for kind, _ in chunks] == kinds
    assert struct.unpack(">IIBBBBB", chunks[0][1]) == (40, 30, 8, 3, 0, 0, 0)
    assert struct.unpack(">II", chunks[2][1]) == (5, 0)  # so many frames, for ever
    moving = [chunk for kind, chunk in chunks if kind in (b"fcTL", b"fdAT")]
    assert [struct.unpack_from(">I", chunk)[0] for chunk in moving] == list(range(9))
    for chunk in [chunk for kind, chunk in chunks if kind == b"fcTL"]:
        assert struct.unpack(">IIIIHHBB", chunk[4:]) == (40, 30, 0, 0, 80, 1000, 0, 0)
    for k in range(64):
        waves = [128 + 127 * sin(k / 64 * tau + shift) for shift in (0, 2.1, 4.2)]
        assert all(map(is_cut_of, chunks[1][1][3 * k : 3 * k + 3], waves))
    data = [chunk[4:] if kind == b"fdAT" else chunk for kind, chunk in chunks if kind in (b"IDAT", b"fdAT")]
    for number, frame in enumerate(data):
        rows = np.frombuffer(zlib.decompress(frame), np.uint8).reshape(30, 41)
        assert not rows[:, 0].any()
        for i in range(30):
            for j in range(40):
                value = plasma(j / 19.5 - 1, (i / 14.5 - 1) * 0.75, number / 5 * tau)
                assert is_cut_of(rows[i, j + 1], value), (number, i, j)


def test_others_read_the_plasma_too(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    run("plasma.py", str(tmp_path / "plasma.png"), "6", "32")
    with image.open(tmp_path / "plasma.png") as picture:
        assert (picture.n_frames, picture.size, picture.info["duration"]) == (6, (32, 24), 80.0)
        frames = []
        for number in range(6):
            picture.seek(number)
            frames.append(picture.convert("RGB").tobytes())
    assert len(set(frames)) == 6


def test_a_plasma_is_characters_or_colours(tmp_path: Path) -> None:
    rows = run("plasma.py").splitlines()
    assert len(rows) == 24
    for i, row in enumerate(rows):
        for j, character in enumerate(row.ljust(72)):
            value = plasma(j / 35.5 - 1, (2 * i / 23.5 - 1) * 48 / 72, 0.0)
            assert any(is_cut_of(k, value) for k in range(64) if " .:-=+*#%@"[k * 10 // 64] == character), (i, j)
    if os.name != "posix":
        pytest.skip("a pseudo-terminal")
    pexpect = pytest.importorskip("pexpect")
    said, status = pexpect.run(
        f"{sys.executable} -X utf8 {EXAMPLES / 'plasma.py'}", timeout=60, encoding="utf-8", withexitstatus=True
    )
    assert status == 0
    lines = said.splitlines()
    pairs = [re.findall("\x1b\\[38;2;(\\d+);(\\d+);(\\d+);48;2;(\\d+);(\\d+);(\\d+)m\u2580", line) for line in lines]
    assert [len(row) for row in pairs] == 24 * [72] and all(line.endswith("\x1b[0m") for line in lines)
    upper_left = int(plasma(-1.0, -48 / 72, 0.0))
    colour = [int(128 + 127 * sin(upper_left / 64 * tau + shift)) for shift in (0, 2.1, 4.2)]
    assert [int(number) for number in pairs[0][0][:3]] == colour


def test_a_filter_is_equal_to_numpys() -> None:
    first, second = run("sharpen.py", "64").splitlines()
    pattern = r"(blurred|sharpened): 64 by 48 bytes, equal; contrast ([\d.]+)"
    blurred, sharpened = re.fullmatch(pattern, first), re.fullmatch(pattern, second)
    assert blurred and sharpened and float(blurred[2]) < float(sharpened[2])


@pytest.mark.parametrize(("program", "words"), [("mandelbrot.py", ["320"]), ("plasma.py", ["16", "144"])])
def test_the_gallerys_pictures_are_the_examples(program: str, words: list[str], tmp_path: Path) -> None:
    name = Path(program).with_suffix(".png").name
    shown = EXAMPLES.parent / "docs" / "captures" / name
    assert shown.stat().st_size < 60_000
    run(program, str(tmp_path / name), *words)
    pictures = []
    for file in (shown, tmp_path / name):
        chunks = [*png(file)]
        data = [chunk[4:] if kind == b"fdAT" else chunk for kind, chunk in chunks if kind in (b"IDAT", b"fdAT")]
        pictures.append((chunks[0], [np.frombuffer(zlib.decompress(each), np.uint8) for each in data]))
    (head, before), (other_head, now) = pictures
    assert head == other_head and len(before) == len(now)
    # The last bits of sines and logarithms may be another machine's.
    assert all(len(one) == len(two) and np.mean(one == two) > 0.999 for one, two in zip(before, now))


# ---------------------------------------------------------------------------------------------------------------- sounds


def test_a_synthesiser_adds_and_filters() -> None:
    head, *rows, last = run("synth.py", timed=True).splitlines()
    assert head == "a saw of 110 Hz through a low-pass of 880 Hz with a resonance of 4, in dB"
    assert last == "44100 samples by jib and by CPython: equal"
    harmonics = []
    for row in rows:
        hertz, before, after = re.match(r" *(\d+) Hz +(-?[\d.]+) +(-?[\d.]+)(?:  #+)?$", row).groups()
        k = int(hertz) / 110
        harmonics.append(k)
        saw = 20 * np.log10(2 / (pi * k))
        assert abs(float(before) - saw) < 0.06
        # The trapezoidal rule keeps the low-pass of the second order, and bends its frequencies by a tangent.
        s = 1j * tan(pi * int(hertz) / 44_100) / tan(pi * 880 / 44_100)
        assert abs(float(after) - saw - 20 * np.log10(abs(1 / (s * s + s / 4 + 1)))) < 0.06
    assert harmonics == [1, 2, 3, 5, 8, 11, 16, 32, 64]


def test_a_chord_is_a_sound(tmp_path: Path) -> None:
    file = tmp_path / "chord.wav"
    found = re.fullmatch(r".*chord.wav: 88200 samples, the loudest (\d+)\n", run("synth.py", str(file), "2"))
    with wave.open(str(file)) as sound:
        assert sound.getparams()[:4] == (1, 2, 44_100, 88_200)
        samples = np.frombuffer(sound.readframes(88_200), "<i2").astype(float)
    assert found and int(found[1]) == np.abs(samples).max() and 10_000 < np.abs(samples).max() < 32_767
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(88_200)))  # a line each half hertz
    for hertz in (110.00, 164.81, 220.00, 277.18, 329.63):
        around = spectrum[round(hertz * 2) - 6 : round(hertz * 2) + 7]
        assert around.max() > 30 * np.median(spectrum[200:1000]) and abs(around.argmax() - 6) <= 1
    # The filter opens: what is above 2 kHz is loud in the middle and hardly there at the ends.
    parts = [np.abs(np.fft.rfft(part * np.hanning(4410))) for part in (samples[2205:6615], samples[41895:46305])]
    dark, bright = [np.sqrt((part[200:] ** 2).sum() / (part**2).sum()) for part in parts]
    assert bright > 20 * dark


# ----------------------------------------------------------------------------------------------------------------- cells


def test_rule_30_is_that_of_the_books() -> None:
    lines = run("automaton.py", "30", "24").splitlines()
    assert lines[0] == "rule 30, from a single cell" and len(lines) == 25
    middle = [int(line.ljust(49)[24] == "#") for line in lines[1:]]
    assert middle == [1, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1]  # OEIS A051023


def test_other_rules() -> None:
    rows = [[line.ljust(33)[j] == "#" for j in range(33)] for line in run("automaton.py", "90", "16").splitlines()[1:]]
    for n, row in enumerate(
        rows
    ):  # Pascal's triangle, by its last bits: the binomial of n and k is odd where k is in n
        assert [j for j in range(33) if row[j]] == [16 - n + 2 * k for k in range(n + 1) if k & ~n == 0]
    assert run("automaton.py", "254", "3") == "rule 254, from a single cell\n   #\n  ###\n #####\n"
    step, new = definitions("automaton.py")["ROW"], np.zeros(8, np.uint8)
    for rule in range(256):
        old = np.array([0, 0, 0, 1, 0, 1, 1, 1], np.uint8)  # in a circle each neighbourhood is there once
        step(new, old, rule)
        assert new.tolist() == [rule >> (4 * old[i - 1] + 2 * old[i] + old[(i + 1) % 8]) & 1 for i in range(8)]


def test_a_gun_shoots_a_glider_each_30_generations() -> None:
    pictures = {}
    for generations in (30, 60, 90):
        first, second, *rows, last = run("automaton.py", "life", str(generations)).splitlines()
        assert (first, second) == ("", f"Life after {generations} generations: a glider each 30")
        assert last == f"{36 + 5 * generations // 30} cells live; each generation beside NumPy's: equal"
        pictures[generations] = {(i, j) for i, row in enumerate(rows) for j, cell in enumerate(row) if cell == "#"}
    gun = {(i, j) for i, j in pictures[30] if i < 12}
    assert len(gun) == 36 and gun <= pictures[60] and gun <= pictures[90]
    gliders = [{*pictures[n]} - gun for n in (30, 60, 90)]
    assert [len(cells) for cells in gliders] == [5, 10, 15]
    # 30 generations are seven and a half turns of a glider: two shots later it is 15 cells further, both ways.
    assert {(i + 15, j + 15) for i, j in gliders[0]} <= gliders[2]


def test_rules_and_gun_are_shown_without_arguments() -> None:
    said = run("automaton.py")
    assert said == run("automaton.py", "30", "16") + run("automaton.py", "life", "105")
