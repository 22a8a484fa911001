"""`python -m jib`, run as people run it: what goes in, what comes out on both channels, the exit status."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from interruptible import interruptible

GCD = "def gcd(a: int, b: int) -> int:\n    while b:\n        a, b = b, a % b\n    return a\n"
ENVIRONMENT = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}


def run(*words: str | bytes, stdin: str | bytes = "", cwd: Path | None = None) -> tuple[int, str, str]:
    data = stdin.encode() if isinstance(stdin, str) else stdin
    command = [sys.executable, "-m", "jib", *words]
    done = subprocess.run(command, input=data, capture_output=True, timeout=60, cwd=cwd, env=ENVIRONMENT)
    return done.returncode, done.stdout.decode().replace("\r\n", "\n"), done.stderr.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("words", "stdin", "printed"),
    [
        (["-c", "a + b", "a=7", "b=35"], "", "42\n"),
        (["-c", "a + b", "b=35", "a=7.0"], "", "42.0\n"),
        (["-c", "a + b", "a=1.5", "b=2"], "", "3.5\n"),
        (["-c", "a", "a=True"], "", "True\n"),
        (["-c", "a", "a=-0x10"], "", "-16\n"),
        (["-c", "a * 2", "a=-inf"], "", "-inf\n"),
        (["-c", "-a", "a=1"], "", "-1\n"),
        (["-c", "a; b", "a=1", "b=2"], "", "2\n"),
        (["-c", "x = 1"], "", ""),
        (["-c", "print(a)", "a=3"], "", "3\n"),
        (["-c", "(a, a / 2)", "a=1"], "", "(1, 0.5)\n"),
        (["-c", GCD, "a=48", "b=18"], "", "6\n"),
        (["-c", "lambda a, b: a - b", "b=1", "a=3"], "", "2\n"),
        (["-c", "def f(a, b=10):\n    return a + b", "a=1"], "", "11\n"),
        (["-c", "def f(a, /, b):\n    return a - b", "b=1", "a=3"], "", "2\n"),
        (["-", "a=1"], "a + 1\n", "2\n"),
        (["-"], "\ufeff1 + 1\r\n", "2\n"),
        ([], "1 + 1\n", "2\n"),
        (["--arithmetic", "numpy", "-c", "a / b", "a=1.0", "b=0.0"], "", "inf\n"),
        (["--opt-level=none", "--engine", "interpreter", "-c", "a + b", "a=7", "b=35"], "", "42\n"),
        (["--signature", "(float, float)", "-c", "a + b", "a=7", "b=35"], "", "42.0\n"),
    ],
)
def test_prints_the_value(words: list[str], stdin: str, printed: str) -> None:
    assert run(*words, stdin=stdin) == (0, printed, "")


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "gcd.jib").write_text(GCD)
    assert run("gcd.jib", "a=48", "b=18", cwd=tmp_path) == (0, "6\n", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-c"], "-c needs a text"),
        (["-x"], "there is no option '-x'"),
        (["--colour"], "there is no option '--colour'"),
        (["--engine"], "--engine needs a value"),
        (["--engine", "steam", "-c", "1"], "--engine is native or interpreter or auto, not 'steam'"),
        (["--signature", "(int)"], "--signature is for a text"),
        (["--params", "a"], "--params is for a text"),
        (["no-such-file.jib"], "cannot read 'no-such-file.jib': No such file"),
        (["."], "cannot read '.'"),
        (["-c", "a", "7"], "'7' is one word too many; values are written name=value"),
        (["-c", "a", "a=seven"], "a=seven: a value is an int, a float, True or False"),
        (["-c", "a", "a="], "a=: a value is an int, a float, True or False"),
        (["-c", "a", "a=(1, 2)"], "a value is an int, a float, True or False"),
        (["-c", "a", "a=" + "9" * 5000], "a=9999.* a value is"),
        (["-c", "a", "a=1", "a=2"], "'a' is given twice"),
        (["-c", "a + b", "a=1"], "the text needs b: write b=..."),
        (["-c", "a + b"], "the text needs a, b: write a=... b=..."),
        (["-c", "a", "a=1", "z=2"], "the text has no parameter 'z'; it takes a"),
        (["-c", "1", "z=2"], "the text has no parameter 'z'; it takes none"),
        (["dump"], "dump needs a stage: ast, ir, .*cfg"),
        (["dump", "wood", "-c", "a"], "dump needs a stage: ast, .*; not 'wood'"),
        (["dump", "ir"], "a text is missing"),
        (["dump", "ir", "-c", "a", "a=1"], "'a=1' is one word too many"),
        (["dump", "cfg", "--source", "-c", "a"], "the source does not stand beside 'cfg'"),
        (["dump", "clif", "--bytes", "-c", "a"], "bytes are those of 'asm', not of 'clif'"),
        (["dump", "asm", "--target", "vax", "-c", "a"], "--target is aarch64 or .*x86_64, not 'vax'"),
        (["dump", "ir", "--target=aarch64", "-c", "a"], "'ir' is the same for every target"),
        (["dump", "asm", "--target"], "--target needs a value"),
        (["dump", "asm", "--source=yes", "-c", "a"], "there is no option '--source=yes'"),
        (["dump", "all", "-c", "a"], "dump all needs --output FOLDER"),
        (["dump", "ir", "--output", "x", "-c", "a"], "--output goes with dump all"),
        (["--source", "-c", "a"], "--source goes with dump"),
        (["--target=aarch64", "-c", "a"], "--target goes with dump"),
        ([b"-c", b"a", b"\xff=1"], "the text has no parameter"),
    ],
)
def test_bad_usage(words: list[str | bytes], message: str) -> None:
    status, printed, complaint = run(*words)
    assert (status, printed) == (2, "")
    assert complaint.startswith("usage: python -m jib")
    assert re.search(message if ".*" in message else re.escape(message), complaint)
    assert "Traceback" not in complaint


@pytest.mark.parametrize(
    ("words", "stdin", "patterns"),
    [
        (["-c", "a + * b"], "", [r'File "<string>", line 1', r"^ +a \+ \* b$", r"^ +\^", r"ParseError: "]),
        (["-"], "a +\n", [r'File "-", line 1', r"ParseError: "]),
        (["-c", "sqroot(a)", "a=2.0"], "", [r"CompileError: .*", r"sqrt"]),
        (["-c", "a / b", "a=1", "b=0"], "", [r"^ZeroDivisionError: division by zero$", r"^ +line 1: a / b$", r"^ +\^"]),
        (["-c", "print(a); a / b", "a=1", "b=0"], "", [r"^ZeroDivisionError: "]),
        ([b"-c", b"a \xff b"], "", [r"not UTF-8: '\\udcff' at 2"]),
        (["dump", "asm", "-c", "a*b"], "", [r"no types yet; say for which, as in --signature \"\(float, float\)\"$"]),
        (
            ["dump", "asm", "--signature", "(float, int", "-c", "a*b"],
            "",
            [r'File "<signature>", line 1', r"^    \(float, int$", r"^    \^{11}$", r"is not a signature"],
        ),
        (["-"], b"a \xff b", [r"not UTF-8: '\\udcff' at 2"]),
    ],
)
def test_the_program_fails(words: list[str | bytes], stdin: str | bytes, patterns: list[str]) -> None:
    status, _, complaint = run(*words, stdin=stdin)
    assert status == 1
    assert "Traceback" not in complaint
    for pattern in patterns:
        assert re.search(pattern, complaint, re.MULTILINE), complaint


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help(word: str) -> None:
    status, printed, complaint = run(word)
    assert (status, complaint) == (0, "")
    assert printed.startswith("usage: python -m jib") and "typed-ir" in printed


def test_version() -> None:
    status, printed, complaint = run("--version")
    assert (status, complaint) == (0, "")
    assert re.fullmatch(r"jib \d+\.\d+\.\d+\S*\n", printed)


@pytest.mark.parametrize("stage", ["ast", "ir", "typed-ir", "clif", "clif-opt", "asm", "cfg"])
def test_dump(stage: str) -> None:
    status, printed, complaint = run("dump", stage, "-c", "a + b", "--signature", "float(float, float)")
    assert (status, complaint) == (0, "")
    assert printed.strip() and printed.endswith("\n") and not printed.endswith("\n\n")


def test_dump_for_a_machine() -> None:
    words = ["-c", "x = a + b\nx * 2", "--signature", "float(float, float)"]
    status, printed, complaint = run("dump", "asm", "--source", "--bytes", "--target", "aarch64", *words)
    assert (status, complaint) == (0, "")
    assert re.search(r"^; 2 \| x \* 2$", printed, re.MULTILINE) and re.search(r"c0 03 5f d6  ret ", printed)


def test_dump_all(tmp_path: Path) -> None:
    words = ["-c", "a + b", "--signature", "float(float, float)"]
    status, printed, complaint = run("dump", "all", "--output", "new/folder", "--source", *words, cwd=tmp_path)
    assert (status, complaint) == (0, "")
    names = printed.split()
    assert names[0] == str(Path("new/folder/source.jib")) and str(Path("new/folder/cfg.dot")) in names
    assert all((tmp_path / name).stat().st_size for name in names)
    assert (tmp_path / "new/folder/asm.s").read_text().startswith("; 1 | a + b\n; <expression> (entry)\n")
    (tmp_path / "file").write_text("")
    status, printed, complaint = run("dump", "all", "--output", "file", *words, cwd=tmp_path)
    assert (status, printed) == (1, "")
    assert complaint.startswith("FileExistsError: ") and "Traceback" not in complaint


def test_dump_of_a_mistake() -> None:
    status, printed, complaint = run("dump", "ast", "-c", "a +")
    assert (status, printed) == (1, "")
    assert "ParseError: " in complaint


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_interrupted() -> None:
    command = [sys.executable, "-m", "jib", "-c", "print(1)\nwhile True:\n    pass\n"]
    environment = {**ENVIRONMENT, "PYTHONUNBUFFERED": "1"}
    with interruptible(command, environment) as process:
        assert process.stdout is not None and process.stdout.readline() == b"1\n"  # now it is in the loop
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=30)
    assert process.returncode == 130
    assert complaint.decode().strip() == "KeyboardInterrupt"


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("words", [["-c", "1 + 1"], ["-c", "print(1)"], ["dump", "ast", "-c", "a + b"]])
def test_nobody_reads(words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-m", "jib", *words]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=60, env=ENVIRONMENT)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a full device")
def test_a_full_disk() -> None:
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "jib", "-c", "1 + 1"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60, env=ENVIRONMENT)
    assert done.returncode == 1
    assert b"cannot write" in done.stderr and b"Traceback" not in done.stderr
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "jib"]
        done = subprocess.run(
            command, input=b"1 + 1\n2\n", stdout=full, stderr=subprocess.PIPE, timeout=60, env=ENVIRONMENT
        )
    assert done.returncode == 1
    assert done.stderr == b"python -m jib: cannot write: No space left on device\n"


@pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")
def test_a_terminal_without_words() -> None:
    import pty

    controller, terminal = pty.openpty()
    try:
        os.write(controller, b"1 + 1\n\x04")  # Ctrl-D
        command = [sys.executable, "-m", "jib"]
        done = subprocess.run(
            command, stdin=terminal, capture_output=True, timeout=60, env={**ENVIRONMENT, "JIB_HISTORY": ""}
        )
    finally:
        os.close(controller)
        os.close(terminal)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"jib ") and b"jib> 2\n" in done.stdout
