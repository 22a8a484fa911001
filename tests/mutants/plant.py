"""A copy of the tree with one fault in it, built.

In: the checkout, a mutant. Out: a folder in which tests can run. Always holds: the checkout itself is never written; the copy and what
cargo has built of it stay in target/mutants, so that a build compiles what changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .mutant import Mutant

ROOT = Path(__file__).parents[2]
TREE = ROOT / "target" / "mutants" / "tree"
BUILD = ROOT / "target" / "mutants" / "build"
CORE = Path("rust", "core", "src")


class Misfit(Exception):
    """The table is wrong: a mutant's text is not there once, or what it becomes does not compile."""


def mutated(mutant: Mutant, root: Path = ROOT) -> str:
    """The text of the mutant's file with the fault in it."""
    text = (root / CORE / mutant.file).read_text(encoding="utf-8")
    count = text.count(mutant.old)
    if count != 1:
        raise Misfit(f"{mutant.name}: its text stands {count} times in {mutant.file}")
    return text.replace(mutant.old, mutant.new)


def copy_tree() -> None:
    """Makes the copy what the checkout is now; what has not changed keeps its time, so that cargo knows."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    wanted = {Path(name) for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()}
    for name in wanted:
        source, target = ROOT / name, TREE / name
        if not target.is_file() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for path in TREE.rglob("*.*"):
        if path.is_file() and path.relative_to(TREE) not in wanted:
            path.unlink()


@contextmanager
def planted(mutant: Mutant) -> Iterator[Path]:
    """The copy with this fault in it, built; it is whole again afterwards."""
    path = TREE / CORE / mutant.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(mutated(mutant, TREE), encoding="utf-8")
    try:
        build(mutant.name)
        yield TREE
    finally:
        path.write_text(whole, encoding="utf-8")


def build(name: str) -> None:
    """Compiles the copy's extension into the copy's package."""
    done = subprocess.run(
        ["cargo", "build", "--quiet", "--profile", "mutants", "-p", "jib-python"],
        cwd=TREE,
        env=environment(),
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    if done.returncode:
        raise Misfit(f"{name}: does not compile\n{done.stderr}")
    files = ("lib_native.so", "lib_native.dylib", "_native.dll")
    built = next(path for file in files if (path := BUILD / "mutants" / file).exists())
    extension = TREE / "python" / "jib" / ("_native" + sysconfig.get_config_var("EXT_SUFFIX"))
    extension.unlink(missing_ok=True)  # who has the old one open keeps it
    shutil.copyfile(built, extension)


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "CARGO_TARGET_DIR": str(BUILD),
        "PYO3_PYTHON": sys.executable,
        "PYTHONPATH": str(TREE / "python"),
    }
