"""Panics of the core, planted: each becomes `jib.InternalError`, prints nothing, and leaves everything usable.

The extension is built with the cargo feature `faults`, in the dev profile, as `cargo test` builds; see rust/core/src/trip.rs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Where to panic -> an expression that comes there, in which `make(text, **options)` compiles, and what it gives otherwise.
STAGES = {
    "decode": ('make("a + b")(7, 35)', 42),
    "ssa": ('make("a + b")(7, 35)', 42),
    "infer": ('make("a + b")(7, 35)', 42),
    "ticks": ('make("a + b")(7, 35)', 42),
    "passes": ('make("a + b")(7, 35)', 42),
    "codegen": ('make("a + b")(7, 35)', 42),
    "machine": ('make("a + b")(7, 35)', 42),
    "link": ('make("a + b")(7, 35)', 42),
    "convert": ('make("a + b")(b=35, a=7)', 42),
    "result": ('make("a, b")(7, 35)', (7, 35)),
    "interp": ('make("a + b", engine="interpreter")(7, 35)', 42),
    "helper": ('make("x ** y")(2.0, 3.0)', 8.0),
    "helper, interpreted": ('make("x ** y", engine="interpreter")(2.0, 3.0)', 8.0),
    "helper, folded": ('make("x + 2.0 ** 3.0")(1.0)', 9.0),
    "infallible helper": ('make("n < x")(2**60 + 1, 1.5)', False),
    "poll": ('make("t = 0\\nfor i in range(n):\\n    t += i\\nt")(100_000)', 4999950000),
    "print": ('make("print(a)\\na")(5)', 5),
    "extern": ('make("twice(a)", externs=(TWICE,))(21)', 42),
    "signature": ('make("a + b", "int(int, int)")(7, 35)', 42),
    "dump": ('len(make("a + b").dump("asm", "(int, int)")) > 9', True),
}
PANICS_IN = {"signature": "codegen", "dump": "passes"}
#: Where a function comes once; elsewhere each call of it does.
ONCE = {
    "decode",
    "ssa",
    "infer",
    "ticks",
    "passes",
    "codegen",
    "machine",
    "link",
    "helper, folded",
    "signature",
    "dump",
}

SCRIPT = """
import contextlib, gc, io, sys, threading
import jib
from jib import _native

stage, expression, want, once = {stage!r}, {expression!r}, {want!r}, {once!r}
assert stage in _native._trip(None), _native._trip(None)
made = {{}}
TWICE = jib.extern(lambda a: 2 * a, "int(int)", "twice")

def make(text, *args, **options):
    "One function for each text, so that the one that panicked is the one that is called again."
    key = text, args, *options.items()
    if key not in made:
        made[key] = jib.compile(text, *args, **options)
    return made[key]

def value():
    with contextlib.redirect_stdout(io.StringIO()):
        return eval(expression)

def panics():
    _native._trip(stage)
    try:
        value()
    except jib.InternalError as error:
        words = str(error)
        assert "planted in " + stage in words or stage in ("print", "poll", "helper", "infallible helper", "extern"), words
        assert ".rs:" in words and "please report it" in words and words.startswith("a bug in jib"), words
        assert isinstance(error, RuntimeError) and isinstance(error, jib.JitError)
    else:
        raise AssertionError("no panic in " + stage)

def round():
    made.clear()
    jib.cache_clear()
    panics()
    assert value() == want
    once or panics()
    assert value() == want

failures = []

def on_thread(kib, count):
    def run():
        try:
            round() if count == 1 else value()
        except BaseException as error:
            failures.append(error)
    threading.stack_size(kib * 1024)
    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads: thread.start()
    for thread in threads: thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a lock is held"

for _ in range(3):
    round()
on_thread(192, 1)
on_thread(8192, 1)
round()
on_thread(8192, 8)
gc.collect()
if failures: raise failures[0]
assert jib.compile("a * b")(6, 7) == 42
print("done", file=sys.__stdout__)  # threads put each other's sys.stdout back
"""


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with jib as it is, but for an extension with wires in it."""
    if shutil.which("cargo") is None:
        pytest.skip("needs cargo")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    command = ["cargo", "build", "--quiet", "-p", "jib-python", "--features", "faults", "--target-dir", str(target)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PYO3_PYTHON": sys.executable}, check=True)
    names = ("lib_native.so", "lib_native.dylib", "_native.dll")
    built = next(path for name in names if (path := target / "debug" / name).exists())
    folder = tmp_path_factory.mktemp("planted")
    ignore = shutil.ignore_patterns("_native.*", "__pycache__")
    shutil.copytree(ROOT / "python" / "jib", folder / "jib", ignore=ignore)
    shutil.copy(built, folder / "jib" / ("_native" + sysconfig.get_config_var("EXT_SUFFIX")))
    return folder


@pytest.mark.parametrize("name", STAGES)
def test_a_panic_is_an_internal_error(name: str, planted: Path) -> None:
    expression, want = STAGES[name]
    stage = PANICS_IN.get(name, name.partition(",")[0])
    script = textwrap.dedent(SCRIPT).format(stage=stage, expression=expression, want=want, once=name in ONCE)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RUST_")}
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", script],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        env={**environment, "PYTHONPATH": str(planted)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_every_stage_has_a_test(planted: Path) -> None:
    script = "from jib import _native; print(*_native._trip(None), sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(planted)},
    )
    tested = {PANICS_IN.get(name, name.partition(",")[0]) for name in STAGES}
    assert set(done.stdout.splitlines()) == tested


def test_nobody_can_trip_a_release() -> None:
    from jib import _native

    assert not hasattr(_native, "_trip")
