"""Profilers and debuggers see jib's functions: perf's map and dump, gdb's list, callgrind's file.

In: programs, each in a process of its own, since JIB_SYMBOLS is read when jib is loaded. What is compared: the files that they leave, and
what perf and gdb say, where these are installed and may be used.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
PYTHON = str(Path(__file__).parent.parent / "python")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="perf is Linux's")

#: Before each program; a map is removed where it was made, so that none is left.
HEAD = """
import atexit, os, pathlib, sys
MAP = pathlib.Path(f"/tmp/perf-{os.getpid()}.map")
MINE = os.getpid()
@atexit.register
def remove():
    if os.getpid() == MINE and (MAP.is_file() or MAP.is_symlink()):
        MAP.unlink()
"""


def start(symbols: str | None, **more: str) -> dict[str, str]:
    ours = ("JIB_", "PERF_", "PYTHONPERF")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**environment, "PYTHONPATH": PYTHON, **({} if symbols is None else {"JIB_SYMBOLS": symbols}), **more}


def run(
    program: str, symbols: str | None = "perf", folder: Path | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "utf8", "-c", HEAD + program]
    done = subprocess.run(
        command, env=start(symbols, **more), capture_output=True, encoding="utf-8", timeout=60, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done


def names(text: str) -> list[tuple[range, str]]:
    """The lines of a map, but for the stub that all functions share."""
    rows = [re.fullmatch(r"([0-9a-f]+) ([0-9a-f]+) (\S.*)", line) for line in text.split("\n")[:-1]]
    assert all(rows), text
    assert text == "" or text.endswith("\n")
    told = [(range(int(row[1], 16), int(row[1], 16) + int(row[2], 16)), row[3]) for row in rows if row]
    assert sum(name == "jib:poll" for _, name in told) <= 1
    return [(where, name) for where, name in told if name != "jib:poll"]


@pytest.mark.parametrize("symbols", [None, "", "0"])
def test_nobody_is_told_unless_asked(symbols: str | None, tmp_path: Path) -> None:
    done = run("import jib; print(jib.compile('a + b')(1, 2), MAP.exists())", symbols, tmp_path)
    assert (done.stdout, done.stderr, list(tmp_path.iterdir())) == ("3 False\n", "", [])


def test_an_address_lies_in_a_line_with_the_functions_name() -> None:
    done = run("""
import jib, stat
f = jib.compile("a*a + b", name="squares")
print(int(f.address("float(float, float)")), oct(stat.S_IMODE(MAP.stat().st_mode)))
print(MAP.read_text(), end="")
""")
    first, text = done.stdout.split("\n", 1)
    address, mode = first.split()
    assert mode == "0o600"
    found = [name for where, name in names(text) if int(address) in where]
    assert found == ["jib:squares(float, float) <jib>:1 [outer]"]
    # Not a byte is named twice.
    places = sorted((where.start, where.stop) for where, _ in names(text))
    assert all(end <= start for (_, end), (start, _) in zip(places, places[1:]))


def test_every_kind_of_function_has_a_name() -> None:
    pytest.importorskip("numpy")
    done = run("""
import ctypes, jib, numpy as np
root = jib.extern(ctypes.CDLL(None).labs, "int(int)", name="labs")
root(-1)
f = jib.compile('''
def even(n): return 1 if n == 0 else odd(n - 1)
def odd(n): return 0 if n == 0 else even(n - 1)

def main(n):
    total = 0
    for i in range(n):
        total += odd(i)
    return total
''')
f(3), f(3)
jib.compile("exp(x)", name="wave")(np.arange(3.0))
jib.compile("x - y", name="less").ufunc(np.arange(3.0), 1.0)
jib.compile("sum(x*x)", name="norm")(np.arange(3.0))
print(MAP.read_text(), end="")
""")
    assert " jib:poll\n" in done.stdout
    told = [name for _, name in names(done.stdout)]
    for expected in [
        "jib:labs [trampoline]",
        "jib:even(int) <jib>:2",
        "jib:odd(int) <jib>:3",
        "jib:main(int) <jib>:5 [entry]",
        "jib:main(int) <jib>:5 [outer]",
        "jib:wave(float) <jib>:1 [elements]",
        "jib:less(float, float) <jib>:1 [elements]",
        "jib:norm(f64[::1]) <jib>:1 [entry]",
    ]:
        assert expected in told, told


def test_places_are_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("import jib\n\n\n@jib.jit\ndef third(x):\n    return x / 3\n\n\nthird(1.0)\n")
    done = run(f"sys.path.insert(0, {str(tmp_path)!r}); import module; print(MAP.read_text(), end='')", folder=tmp_path)
    (told,) = [name for _, name in names(done.stdout) if "third" in name]
    assert told == f"jib:third(float) {file}:5 [entry]"


def test_a_name_cannot_break_its_line() -> None:
    done = run("""
import jib
jib.compile("a", name="x\\n0 ffff liar\\x1b[31m\\u202e")(1)
jib.compile("a", name="long" * 1000)(1)
print(MAP.read_text(), end="")
""")
    (_, one), (_, two) = names(done.stdout)
    assert one == r"jib:x\n0 ffff liar\u{1b}[31m\u{202e}(int) <jib>:1 [entry]"
    assert two.startswith("jib:longlong") and two.endswith("… [entry]") and len(two) < 500


def test_no_address_is_named_twice() -> None:
    done = run("""
import jib
for n in range(300):
    jib.compile(f"a + {n}")(1)
    jib.cache_clear()
print(MAP.read_text(), end="")
""")
    told = names(done.stdout)
    assert len({where.start for where, _ in told}) == len(told) >= 300


def test_threads_write_whole_lines() -> None:
    done = run("""
import jib, threading
def work(k):
    for n in range(50):
        jib.compile(f"a + {n}", name=f"thread{k}_{n}")(1)
threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(MAP.read_text(), end="")
""")
    told = {name.split("(")[0] for _, name in names(done.stdout)}
    assert {f"jib:thread{k}_{n}" for k in range(8) for n in range(50)} <= told


def test_a_child_has_a_map_of_its_own() -> None:
    done = run("""
import jib
before = jib.compile("a + 1", name="before")
before(1)
child = os.fork()
if child == 0:
    jib.compile("a + 2", name="child")(1)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
jib.compile("a + 3", name="parent")(1)
theirs = pathlib.Path(f"/tmp/perf-{child}.map")
print(MAP.read_text(), theirs.read_text(), sep="--\\n", end="")
theirs.unlink()
""")
    parent, child = [[name for _, name in names(text)] for text in done.stdout.split("--\n")]
    called = [[name.split("(")[0] for name in told] for told in (parent, child)]
    assert called == [["jib:before", "jib:parent"], ["jib:before", "jib:child"]]


@pytest.mark.parametrize(
    ("obstacle", "why"),
    [
        ("MAP.mkdir(); atexit.register(MAP.rmdir)", "directory"),
        ("MAP.symlink_to(os.environ['VICTIM'])", "symbolic links"),
        ("os.mkfifo(MAP); atexit.register(MAP.unlink)", "not this process's own file"),
        ("os.link(os.environ['VICTIM'], MAP)", "not this process's own file"),
    ],
)
@pytest.mark.parametrize("recorded", [False, True])
def test_what_cannot_be_written_fails_nothing(obstacle: str, why: str, recorded: bool) -> None:
    victim = Path(f"/tmp/jib-test-{os.getpid()}")  # on the same file system, for a hard link
    victim.write_text("theirs")
    more = {"PERF_BUILDID_DIR": "/nowhere"} if recorded else {}
    try:
        done = run(f"{obstacle}\nimport jib; print(jib.compile('a + b')(1, 2))", VICTIM=str(victim), **more)
        assert victim.read_text() == "theirs"
    finally:
        victim.unlink()
    assert done.stdout == "3\n"
    assert "RuntimeWarning: JIB_SYMBOLS: no names for 'perf'" in done.stderr and why in done.stderr


def test_a_full_disk_fails_nothing() -> None:
    done = run("""
import jib, resource
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
print([jib.compile(f"a + {n}")(1) for n in range(20)] == list(range(1, 21)), MAP.stat().st_size)
""")
    assert done.stdout == "True 300\n" and done.stderr == ""


@pytest.mark.parametrize("symbols", ["perf", "jitdump", "perf,jitdump"])
def test_a_number_that_is_another_files_by_now_is_not_written_to(symbols: str, tmp_path: Path) -> None:
    done = run(
        """
import jib
jib.compile("a + 1")(1)
os.closerange(3, 100)  # as daemons do
files = [os.open(str(n), os.O_CREAT | os.O_RDWR) for n in range(6)]
print(jib.compile("a + 2")(1))
child = os.fork()
if child == 0:
    jib.compile("a + 3")(1)
    os._exit(sum(os.write(file, b"mine") for file in files))
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
pathlib.Path(f"/tmp/perf-{child}.map").unlink(missing_ok=True)
print(code, {pathlib.Path(str(n)).read_bytes() for n in range(6)})
""",
        symbols,
        tmp_path,
    )
    assert done.stdout == "3\n24 {b'mine'}\n" and done.stderr == ""


def test_what_an_older_process_left_is_gone() -> None:
    done = run("""
MAP.write_text("0 ffffffffffff stale\\n")
import jib
jib.compile("a", name="mine")(1)
print(MAP.read_text(), end="")
""")
    assert [name for _, name in names(done.stdout)] == ["jib:mine(int) <jib>:1 [entry]"]


@pytest.mark.parametrize(("symbols", "told"), [(None, True), ("perf", True), ("0", False)])
def test_perf_record_is_noticed(symbols: str | None, told: bool) -> None:
    # Without us the linker would write names of its own.
    done = run(
        "import jib; jib.compile('a', name='mine')(1); print(MAP.read_text() if MAP.exists() else '', end='')",
        symbols,
        PERF_BUILDID_DIR="/nowhere",
    )
    assert [name for _, name in names(done.stdout)] == ["jib:mine(int) <jib>:1 [entry]"] * told


def test_an_unknown_reader_is_named() -> None:
    done = run("import jib; print(jib.compile('a')(1), MAP.exists())", "prof,perf")
    assert done.stdout == "1 True\n"
    assert "JIB_SYMBOLS: no names for 'prof': no reader 'prof'; there are perf, jitdump, gdb\n" in done.stderr


@pytest.mark.skipif(not hasattr(sys, "activate_stack_trampoline"), reason="CPython tells perf since 3.12")
def test_cpython_writes_to_the_same_map() -> None:
    done = run(
        """
def python(): return jib.compile("a", name="mine")(1)
import jib
python()
print(MAP.read_text(), end="")
""",
        None,
        PYTHONPERFSUPPORT="1",
    )
    told = [name for _, name in names(done.stdout)]
    assert "jib:mine(int) <jib>:1 [entry]" in told
    assert any(name.startswith("py::python:") for name in told)


def test_a_dump_has_code_and_lines(tmp_path: Path) -> None:
    done = run(
        """
import jib
f = jib.compile("total = a\\ntotal / b", name="ratio")
f(1.0, 2.0)
print(os.getpid())
if os.fork() == 0:
    jib.compile("a", name="child")(1)
    os._exit(0)
os.wait()
""",
        "jitdump",
        tmp_path,
    )
    (file,) = tmp_path.iterdir()
    assert file.name == f"jit-{int(done.stdout)}.dump"
    data = file.read_bytes()
    magic, version, size, _, _, pid = struct.unpack_from("=6I", data)
    assert (magic, version, size, pid) == (0x4A695444, 1, 40, int(done.stdout))
    at, code, lines = 40, {}, {}
    while at < len(data):
        kind, size, _ = struct.unpack_from("=IIQ", data, at)
        body, at = data[at + 16 : at + size], at + size
        if kind == 2:
            start, count = struct.unpack_from("=QQ", body)
            rest, lines[start] = body[16:], []
            for _ in range(count):
                place, line, _ = struct.unpack_from("=QII", rest)
                name, rest = rest[16:].split(b"\0", 1)
                lines[start].append((place - start, line, name))
        else:
            assert kind == 0
            _, _, start, same, length, index = struct.unpack_from("=IIQQQQ", body)
            name, bytes_ = body[40:].split(b"\0", 1)
            assert start == same and len(bytes_) == length
            code[name.decode()] = start, bytes_
    start, bytes_ = code["jib:ratio(float, float) <jib>:1 [entry]"]
    assert {(line, name) for _, line, name in lines[start]} == {(1, b"<jib>"), (2, b"<jib>")}
    assert all(0 <= offset < len(bytes_) for offset, _, _ in lines[start])
    assert "jib:child(int) <jib>:1 [entry]" in code


LOOP = """
import jib
jib.compile('''
def spin(n: int) -> int:
    total = 0
    for i in range(n):
        total = (total * 31 + i) % 1000003
    return total
''')(30_000_000)
"""


def recorded(folder: Path, *options: str, **more: str) -> Path:
    """What perf has recorded of the loop."""
    perf = shutil.which("perf")
    if perf is None:
        pytest.skip("perf is not installed")
    data = folder / "perf.data"
    command = [perf, "record", "-q", "-e", "cpu-clock", "-F", "999", *options, "-o", str(data)]
    program = [sys.executable, "-c", LOOP + "import os; print(os.getpid())"]
    environment = {**start(None), **more}
    done = subprocess.run([*command, *program], env=environment, cwd=folder, capture_output=True, text=True, timeout=60)
    if not done.stdout:
        pytest.skip(f"perf cannot record here: {done.stderr.strip()[:200]}")
    (folder / "pid").write_text(done.stdout)
    return data


def report(data: Path) -> str:
    command = ["perf", "report", "-i", str(data), "--stdio", "--sort", "sym"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


def test_perf_reports_names(tmp_path: Path) -> None:
    data = recorded(tmp_path)
    text = report(data)
    Path(f"/tmp/perf-{int((tmp_path / 'pid').read_text())}.map").unlink()
    found = re.search(r"([\d.]+)%.* jib:spin\(int\) <jib>:2 \[entry\]", text)
    assert found and float(found[1]) > 20, text


def test_perf_injects_the_dump(tmp_path: Path) -> None:
    data = recorded(tmp_path, "-k", "mono", JIB_SYMBOLS="jitdump")
    command = ["perf", "inject", "--jit", "-i", str(data), "-o", str(tmp_path / "injected")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    if not list(tmp_path.glob("jitted-*.so")):
        pytest.skip(f"this perf cannot inject: {done.stderr.strip()[:200]}")
    assert "jib:spin(int) <jib>:2 [entry]" in report(tmp_path / "injected")


def test_gdb_walks_through_generated_code(tmp_path: Path) -> None:
    gdb = shutil.which("gdb")
    if gdb is None:
        pytest.skip("gdb is not installed")
    file = tmp_path / "program.py"
    file.write_text("""
import ctypes, jib
stop = jib.extern(ctypes.CDLL(None)["raise"], "i32(i32)", name="stop")
jib.compile('''
def inner(n: int) -> int:
    return inner(n - 1) if n > 0 else stop(5)

def outer(n: int) -> int:
    return inner(n)
''', externs=[stop], opt_level="none")(2)  # else inner is put into itself, and has two frames
""")
    command = [gdb, "-nx", "-batch", "-ex", "set breakpoint pending on", "-ex", "run", "-ex", "bt"]
    command += ["--args", sys.executable, str(file)]
    done = subprocess.run(command, env=start("gdb"), capture_output=True, text=True, timeout=120)
    frames = [line for line in done.stdout.splitlines() if re.match(r"#\d", line)]
    if not frames:
        pytest.skip(f"gdb cannot run programs here: {done.stderr.strip()[:200]}")
    text = "\n".join(frames)
    assert len([frame for frame in frames if " in jib:inner(int) <jib>:2" in frame]) == 3, text
    # And out of it again, to where Python began.
    assert "jib:outer(int)" in text and re.search(r"_start|main", frames[-1]), text


def test_callgrinds_file_gets_names(tmp_path: Path) -> None:
    out, told = tmp_path / "out", tmp_path / "map"
    told.write_text("6173000 295 jib:longest(int) <jib>:8 [entry]\n6172000 194 jib:poll\n")
    out.write_text(
        "ob=(1) ???\nfn=(1) 0x0000000006173000\n0 5\ncob=(2) /lib/x.so\ncfn=(2) 0x0000000006172004\ncalls=1 0\n0 7\n"
        "cfn=(3) 0x0000000006172004'2\ncalls=1 0\n0 7\nfn=(4) 0x0000000006173295\nob=(2)\nfn=(5) 0x0000000006173000\n"
    )
    command = [sys.executable, str(EXAMPLES / "callgrind_names.py"), str(out), str(told)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^c?fn=\(\d\) (.*)$", done.stdout, re.MULTILINE) == [
        "jib:longest(int) <jib>:8 [entry]",
        "0x0000000006172004",
        "jib:poll'2",
        "0x0000000006173295",
        "0x0000000006173000",
    ]


def test_callgrind_counts_instructions_of_a_named_function(tmp_path: Path) -> None:
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    out, told = tmp_path / "out", tmp_path / "map"
    program = "import os, shutil, sys; sys.path.insert(0, sys.argv[2])\n" + LOOP.replace("30_000_000", "300_000")
    program += "name = f'/tmp/perf-{os.getpid()}.map'; shutil.copy(name, sys.argv[1]); os.unlink(name)"
    command = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}"]
    command += [sys.executable, "-c", program, str(told), PYTHON]
    subprocess.run(command, env=start("perf"), capture_output=True, timeout=300)
    if not out.exists() or not told.exists():
        pytest.skip("valgrind cannot run Python here")
    command = [sys.executable, str(EXAMPLES / "callgrind_names.py"), str(out), str(told)]
    text = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    assert re.search(r"^c?fn=\(\d+\) jib:spin\(int\) <jib>:2 \[entry\]$", text, re.MULTILINE)
