"""`engine="auto"`: interprets what is short, compiles what is hot, and does without machine code where there is none."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import jib

PYTHON = str(Path(__file__).parents[1] / "python")


def code_bytes(function: jib.Function) -> int:
    (specialization,) = function.specializations
    return specialization.code_bytes


def test_short_calls_are_interpreted_until_there_were_many() -> None:
    function = jib.compile("x * x + 1", engine="auto")
    assert function(3) == 10
    assert code_bytes(function) == 0
    for i in range(20_000):
        assert function(i) == i * i + 1
    assert code_bytes(function) > 0
    assert {"clif", "machine", "link"} <= set(function.specializations[0].stages)


def test_a_long_call_is_compiled_while_it_runs() -> None:
    function = jib.compile("t = 0\nfor i in range(n):\n    t += i\nt", engine="auto")
    assert function(3) == 3
    assert code_bytes(function) == 0
    assert function(5_000_000) == 12499997500000
    assert code_bytes(function) > 0


def test_the_place_of_an_error_is_the_same_before_and_after() -> None:
    function = jib.compile("t = 0\nfor i in range(n):\n    t += 7 // (i - n + 1)\nt", engine="auto")
    notes = []
    for n in (2, 1_000_000):
        with pytest.raises(ZeroDivisionError) as failed:
            function(n)
        notes.append(failed.value.__notes__)
    assert code_bytes(function) > 0
    assert notes[0] == notes[1]


def test_what_is_printed_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    function = jib.compile("print('begin')\nt = 0\nfor i in range(n):\n    t += i\nprint(t)\n", engine="auto")
    function(1_000_000)
    assert capsys.readouterr().out == "begin\n499999500000\n"


def test_deep_recursion_is_the_same_error() -> None:
    function = jib.compile("def f(n: int) -> int: return f(n + 1)", engine="auto")
    for _ in range(3):
        with pytest.raises(RecursionError):
            function(0)


REFUSED = """
import ctypes, sys, warnings
libc = ctypes.CDLL(None, use_errno=True)
class Filter(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32)]
class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_uint16), ("filter", ctypes.POINTER(Filter))]
import jib
root = jib.extern((None, "cbrt"), "double(double)")
assert jib.compile("a + b", engine="interpreter")(1, 2) == 3  # all that is read from disk has been read
# mprotect (10 on x86-64) that asks for PROT_EXEC (4) is refused with EACCES (13), everything else allowed.
rules = [(0x20, 0, 0, 0), (0x15, 0, 3, 10), (0x20, 0, 0, 32), (0x45, 0, 1, 4), (0x06, 0, 0, 0x0005000D), (0x06, 0, 0, 0x7FFF0000)]
filters = (Filter * len(rules))(*rules)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(Program(len(rules), filters)), 0, 0):
    print("no seccomp")
    sys.exit()
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    loop = "t = 0\\nfor i in range(n):\\n    t += i\\nt"
    for text in (loop, loop + " + 1"):
        function = jib.compile(text, engine="auto")
        print(function(100000), function(100000))
    print([(w.category.__name__, str(w.message)) for w in seen])
try:
    jib.compile(loop)(3)
except OSError as error:
    print(error)
for call in (root, jib.compile("cbrt(x)", externs=[root], engine="interpreter"), jib.compile("cbrt(x)", externs=[root], engine="auto")):
    try:
        call(8.0)
    except OSError as error:
        print(error)
twice = jib.extern(lambda x: 2 * x, "int(int)", "twice")
print(jib.compile("twice(x)", externs=[twice], engine="auto")(21))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="refuses memory by a filter of Linux")
def test_without_executable_memory() -> None:
    command = [sys.executable, "-c", REFUSED]
    done = subprocess.run(command, env={"PYTHONPATH": PYTHON}, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    if done.stdout == "no seccomp\n":
        pytest.skip("the system takes no filters")
    first, second, warned, refused, *externs, answer = done.stdout.splitlines()
    assert (first, second) == ("4999950000 4999950000", "4999950001 4999950001")
    assert warned.count("RuntimeWarning") == 1
    assert "jib interprets from here on" in warned
    assert refused.startswith("the system refuses memory for machine code (")
    assert refused.endswith("engine='auto' and engine='interpreter' need none")
    assert len(externs) == 3 and answer == "42"
    assert all(words.endswith("), which calling a C function needs") for words in externs)


def test_no_warning_where_there_is_memory() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert jib.compile("sum(i for i in range(n))", engine="auto")(1_000_000) == 499999500000


def test_what_is_too_large_to_compile_goes_on_being_interpreted() -> None:
    text = "t = 0\nfor i in range(n):\n    t += i\nt"
    limits = jib.Limits(blocks=3)
    with pytest.raises(jib.LimitError):
        jib.compile(text, limits=limits)(3)
    function = jib.compile(text, engine="auto", limits=limits)
    assert [function(3), function(200_000), function(3)] == [3, 19999900000, 3]
    assert code_bytes(function) == 0
