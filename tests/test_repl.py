"""`python -m jib` at a terminal and from a pipe, as people use it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("termios", reason="terminals are those of Unix")

from interruptible import interruptible
from terminal import Terminal

FRONTS = ["prompt_toolkit", "plain", "dumb"]


def environment(front: str) -> dict[str, str]:
    return {"prompt_toolkit": {}, "plain": {"JIB_REPL": "plain"}, "dumb": {"TERM": "dumb"}}[front]


@pytest.fixture(params=FRONTS)
def front(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def terminal(front: str, tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(home=tmp_path, **environment(front)) as made:
        made.wait("jib>")
        yield made


def test_a_session(terminal: Terminal, front: str) -> None:
    """Typing, a function of several lines, redefinition, an endless loop that Ctrl-C stops, a caret, dumps, times, Ctrl-D."""
    assert terminal.say("1 + 1") == "2"
    assert terminal.say("_ * 21") == "42"
    indent = "" if front == "prompt_toolkit" else "    "  # which it types itself
    terminal.type("def area(r):\r")
    terminal.wait("...", 1)
    terminal.type(f"{indent}square = r * r\r")
    terminal.wait("...", 2)
    terminal.type(f"{indent}return 3 * square\r")
    terminal.wait("...", 3)
    terminal.say("")
    assert terminal.say("area(2)") == "12"
    terminal.say("def double(r): return 2 * area(r)")
    assert terminal.say("double(1)") == "6"
    terminal.say("def area(r): return 3.5 * r * r")
    assert terminal.say("double(1)") == "7.0"

    before = time.monotonic()
    terminal.type("for i in range(2**62): print(1234) if i == 0 else None\r")
    terminal.wait("\n1234")  # it runs: a prompt that has just been answered may not hear Ctrl-C any more
    terminal.program.sendintr()
    terminal.wait("KeyboardInterrupt")
    terminal.ready()
    assert time.monotonic() - before < 20

    said = terminal.say("area(2) + sqroot(2)")
    assert said == "               ^^^^^^\nCompileError: name 'sqroot' is not defined; did you mean 'sqrt'?"
    assert "function u0:" in terminal.say(":clif area(2)") and "fmul" in terminal.text
    assert re.search(r"ret", terminal.say(":asm area(2.5)"))
    assert re.search(r"\n +run +[\d.]+ [nµm]?s$", terminal.say(":time double(4)"))
    assert "area" in terminal.say(":vars")
    terminal.program.sendeof()
    assert terminal.end() == 0


def test_ctrl_c_clears_a_line(terminal: Terminal) -> None:
    terminal.type("1 + (2")
    terminal.look(0.2)
    terminal.program.sendintr()
    terminal.wait("KeyboardInterrupt")
    terminal.ready()
    assert terminal.say("3 + 4") == "7"
    terminal.type("x = (1,\r")
    terminal.wait("...")
    terminal.program.sendintr()
    terminal.wait("KeyboardInterrupt", 2)
    terminal.ready()
    assert terminal.say("3 + 5") == "8"
    assert "name 'x' is not defined" in terminal.say("x")


def test_garbage(terminal: Terminal) -> None:
    for text in ["$", ")", "'", "def", "1 +", "class A: pass", "é", "\N{RIGHT-TO-LEFT OVERRIDE}1"]:
        said = terminal.say(text)
        assert re.search(r"^ *\^+\n\w+Error: ", said, re.MULTILINE), (text, said)
        assert "Traceback" not in said
    assert terminal.say("2 + 2") == "4"
    assert "there is no command :nothing" in terminal.say(":nothing")
    assert "cannot read /no/such/file: No such file" in terminal.say(":load /no/such/file")


def test_a_half_block(terminal: Terminal) -> None:
    terminal.type("if 1:\r")
    terminal.wait("...")
    assert "expected an indented block after 'if' on line 1" in terminal.say("")
    assert terminal.say("2 + 2") == "4"


def test_quit(terminal: Terminal) -> None:
    terminal.type(":quit\r")
    assert terminal.end() == 0


def test_history_of_the_session_before(tmp_path: Path, front: str) -> None:
    if front == "dumb":
        pytest.skip("no keys but letters")
    for _ in range(2):
        with Terminal(home=tmp_path, **environment(front)) as terminal:
            terminal.wait("jib>")
            terminal.say("40 + 2")
            terminal.program.sendeof()
            assert terminal.end() == 0
    with Terminal(home=tmp_path, **environment(front)) as terminal:
        terminal.wait("jib>")
        terminal.type("\x1b[A")
        terminal.wait("jib> 40 + 2")
        terminal.type(" + 100\r")
        terminal.wait("142")


def test_a_history_that_cannot_be_written(tmp_path: Path, front: str) -> None:
    with Terminal(home=tmp_path, **{**environment(front), "JIB_HISTORY": "/proc/nothing/history"}) as terminal:
        terminal.wait("the history is not kept: '/proc/nothing/history'")
        terminal.wait("jib>")
        assert terminal.say("1 + 1") == "2"


def test_completion(tmp_path: Path, front: str) -> None:
    if front == "dumb":
        pytest.skip("no keys but letters")
    with Terminal(home=tmp_path, **environment(front)) as terminal:
        terminal.wait("jib>")
        terminal.say("radius = 2")
        terminal.type("radiu\t")
        terminal.wait("jib> radius", 2)
        terminal.type(" + 1\r")
        terminal.wait("\n3")
        terminal.type("arct\t\t" if front == "prompt_toolkit" else "arct\t\t\t")
        terminal.wait("arctan2")


@pytest.mark.parametrize("lines", [1, 40_000])
def test_a_megabyte_is_pasted(tmp_path: Path, lines: int) -> None:
    """With prompt_toolkit, which takes a paste as one; a terminal without it would hand over 4,096 bytes of a line."""
    text = "\n".join(["1 + " * (250_000 // lines) + "1"] * lines)
    with Terminal(home=tmp_path) as terminal:
        terminal.wait("jib>")
        before = time.monotonic()
        terminal.program.send("\x1b[200~")
        for at in range(0, len(text), 1000):
            terminal.program.send(text[at : at + 1000])
            if at % 50_000 == 0:
                terminal.look(0)
        terminal.program.send("\x1b[201~")
        terminal.wait(f"({len(text):,} characters)")
        terminal.wait("LimitError: the text is longer than 1,000,000 characters")
        terminal.wait("allows more\njib>")
        assert terminal.say("2 + 3") == "5"
        assert time.monotonic() - before < 60


def test_colours(tmp_path: Path) -> None:
    with Terminal(home=tmp_path) as terminal:
        terminal.wait("jib>")
        terminal.say("1 + 2.5")
        assert b"\x1b[32m3.5\x1b[39m" in terminal.raw  # the value
        assert re.search(rb"\x1b\[0;32m[12]", terminal.raw)  # what was typed
    with Terminal(home=tmp_path, NO_COLOR="1") as terminal:
        terminal.wait("jib>")
        terminal.say("1 + 2.5")
        assert not re.search(rb"\x1b\[[\d;]*3\d[;m]", terminal.raw)


def test_the_terminal_is_not_driven(tmp_path: Path, front: str) -> None:
    (tmp_path / "evil.jib").write_text("1 + \x1b]0;evil\x07\x1b[2J")
    with Terminal(home=tmp_path, **environment(front)) as terminal:
        terminal.wait("jib>")
        said = terminal.say(":load evil.jib")
        assert "\\x1b" in said and "evil.jib, line 1" in said
        assert b"\x1b]0;evil" not in terminal.raw and b"\x1b[2J" not in terminal.raw.partition(b"evil.jib")[2]


# ------------------------------------------------------------------------------------------------------- a pipe


def piped(script: str | bytes, *words: str, cwd: Path | None = None) -> tuple[int, str, str]:
    data = script.encode() if isinstance(script, str) else script
    command = [sys.executable, "-m", "jib", *words]
    done = subprocess.run(
        command, input=data, capture_output=True, timeout=120, cwd=cwd, env={**os.environ, "PYTHONUTF8": "1"}
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


SCRIPT = """\
# A session from a pipe.
x = 3
def f(a):

    # with an empty line
    return a * x

f(14)
if x == 3:
    y = 1
else:
    y = 2
y
:type f(1.5)
_ / 4
"""


def test_a_piped_session() -> None:
    assert piped(SCRIPT) == (0, "42\n1\nfloat\n0.25\n", "")
    assert piped("") == (0, "", "")
    assert piped("\ufeff1 + 1\r\n2 + 2") == (0, "2\n4\n", "")
    assert piped("1\n:quit\n2\n") == (0, "1\n", "")
    assert piped("1.0 / 0.0\n", "--arithmetic", "numpy") == (0, "inf\n", "")


def test_a_pipe_goes_on_after_a_mistake() -> None:
    status, said, complaint = piped("1\nx = (2 +\n)\nsqroot(4)\n1 / 0\n:nothing\n3\n(")
    assert (status, said) == (1, "1\n3\n")
    assert re.findall(r"^(\w+): ", complaint, re.MULTILINE) == [
        "ParseError",
        "CompileError",
        "ZeroDivisionError",
        "ParseError",
    ]
    assert "<stdin>, line 4:\n    sqroot(4)\n    ^^^^^^\n" in complaint
    assert "<stdin>, line 5:\n" in complaint and "there is no command :nothing" in complaint


def test_binary_from_a_pipe() -> None:
    status, said, complaint = piped(b"\x7fELF\x02\x01\x00\xff\xfe\n1 + 1\n\x80\n\x00\n2 + 2\n")
    assert (status, said) == (1, "2\n4\n")
    assert (
        "line 1 is not UTF-8: byte 0xff at 7" in complaint and "line 3 is not UTF-8" in complaint and "NUL" in complaint
    )
    status, said, complaint = piped(os.urandom(200_000))
    assert status == 1 and "Traceback" not in complaint and "\x1b" not in complaint


def test_a_megabyte_from_a_pipe() -> None:
    status, said, complaint = piped("(" + "1 + " * 300_000 + "1)\n7\n")
    assert (status, said) == (1, "7\n") and complaint.count("\n") < 6 and "LimitError" in complaint
    status, said, _ = piped("x = 1\nx + 1\n" * 500)
    assert (status, said) == (0, "2\n" * 500)


def test_a_pipe_is_answered_as_it_comes() -> None:
    command = [sys.executable, "-m", "jib"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        for number in range(3):
            process.stdin.write(b"%d + 1\n" % number)
            process.stdin.flush()
            assert process.stdout.readline() == b"%d\n" % (number + 1)
        process.stdin.close()
        assert process.wait(60) == 0


def test_ctrl_c_ends_a_pipe() -> None:
    with interruptible([sys.executable, "-c", _CTRL_C], dict(os.environ)) as process:
        assert process.wait(60) == 0, process.communicate()


_CTRL_C = """
import signal, subprocess, sys, time
with subprocess.Popen([sys.executable, "-m", "jib"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
    process.stdin.write(b"1\\nwhile True: pass\\n2\\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"1\\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    said, complaint = process.communicate(timeout=60)
    assert (process.returncode, said, complaint) == (130, b"", b"KeyboardInterrupt\\n"), (process.returncode, said, complaint)
"""


def test_nobody_reads() -> None:
    command = f"yes '1 + 1' | head -n 100000 | {sys.executable} -m jib | head -n 1"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, timeout=120)
    assert done.stdout == b"2\n" and done.stderr == b""


@pytest.mark.skipif(os.name != "posix", reason="a shell closes the streams")
def test_streams_that_are_not_there() -> None:
    script = "1 + 1\n1 / 0\n:nothing\n3 + 4\n"
    for closed, said in ((">&-", ""), ("2>&-", "2\n7\n"), (">&- 2>&-", ""), ("2>/dev/full", "2\n")):
        command = f'"{sys.executable}" -m jib {closed}'
        done = subprocess.run(command, shell=True, input=script, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and done.stdout == said and "Traceback" not in done.stderr, closed


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no endless device")
def test_what_never_ends() -> None:
    done = subprocess.run([sys.executable, "-m", "jib", "/dev/zero"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "LimitError" in done.stderr
    status, out, err = piped(b"0" * 9_000_000 + b"\n1 + 1\n" + b"(" + b"\n" * 1_000_001 + b"\n2 + 2\n")
    assert (status, out) == (1, "2\n4\n")
    assert "line 1 is longer than 4,000,000 bytes; it is left out" in err and "'(' was never closed" in err


def test_ctrl_c_again_and_again(terminal: Terminal) -> None:
    """Whatever it meets: the prompt being made or taken down, a text that runs, the word that says so."""
    for pause in [0.0, 0.0, 0.001, 0.003, 0.01, 0.03] * 8:
        terminal.type("while True: pass\r")
        terminal.look(pause)
        for again in (0.0, pause / 3, 0.002, 0.02):  # as a hasty hand does, and hastier
            terminal.program.kill(signal.SIGINT)
            terminal.look(again)
        terminal.program.kill(signal.SIGINT)
    for _ in range(50):  # what was typed ahead may still come
        terminal.program.sendintr()
        terminal.look(0.3)
        terminal.type("40400 + 4\r")
        if "40404" in terminal.look(0.7):
            break
    assert "Traceback" not in terminal.wait("40404")


def test_what_a_prompt_leaves_is_not_in_the_way_of_the_next(tmp_path: Path) -> None:
    with Terminal(home=tmp_path) as terminal:
        terminal.wait("jib>")
        terminal.say("100 + 11")
        for times, left in enumerate(["\x12", "\x1b[200~a paste without an end", "\x1b", "\x18", "\x16"], 1):
            terminal.type(left)
            terminal.look(0.2)
            terminal.program.kill(signal.SIGINT)
            terminal.wait("KeyboardInterrupt", times)
            terminal.ready()
        terminal.type("\x12100")
        terminal.wait("I-search backward: 100")
        terminal.type("\r")
        terminal.wait("jib> 100 + 11", 2)
        terminal.type("\x05 + 40000\r")
        assert "Traceback" not in terminal.wait("40111")
