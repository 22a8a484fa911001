"""The archives people install: what is in them, and that what is in them works far from this checkout.

Builds with cargo and pip, so it takes minutes and has a marker of its own: `make wheel-test`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version

import wheel_trial
from test_version import VERSION

pytestmark = pytest.mark.wheel

ROOT = Path(__file__).parent.parent
GRAMMAR = (ROOT / "grammar" / "jib.lark").read_bytes() if (ROOT / "grammar" / "jib.lark").exists() else b""


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    subprocess.run([sys.executable, "-m", "maturin", "sdist", "--out", str(folder)], cwd=ROOT, check=True)
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build_wheel(ROOT, folder)
    return next(folder.glob("*.whl"))


def build_wheel(source: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(folder), str(source)]
    subprocess.run(command, env={**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target")}, check=True)


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert archive.read("jib/jib.lark") == GRAMMAR != b""
        (info,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        metadata = archive.read(info).decode()
    assert {"jib/__init__.py", "jib/py.typed", "jib/_native.pyi", "jib/bench/kernels.c"} <= set(names)
    (native,) = [name for name in names if name.endswith((".so", ".pyd", ".dylib"))]
    assert native.startswith("jib/_native")
    package = {path.relative_to(ROOT / "python").as_posix() for path in (ROOT / "python" / "jib").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == package
    strange = [name for name in names if not name.startswith("jib") or "__pycache__" in name]
    assert not strange
    assert sum(name.endswith(("LICENSE-MIT", "LICENSE-APACHE")) for name in names) == 2
    (version,) = re.findall(r"^Version: (.+)$", metadata, re.MULTILINE)
    assert Version(version) == Version(VERSION) and info == f"jib-{version}.dist-info/METADATA"
    assert "Requires-Python: >=3.10\n" in metadata
    assert [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra" not in line] == [
        "Requires-Dist: lark>=1.2,<2"
    ]


def test_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < 6_000_000


def test_wheel_works(wheel: Path, tmp_path: Path) -> None:
    wheel_trial.try_wheel(wheel, tmp_path)


def test_sdist_builds_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
        inside = {name.partition("/")[2]: member for name, member in zip(archive.getnames(), members, strict=True)}
        grammar = archive.extractfile(inside["python/jib/jib.lark"])
        assert grammar is not None and grammar.read() == GRAMMAR
        if (ROOT / ".git").exists():  # all that is known here, so that nothing is missing that a build or a test reads
            listed = subprocess.run(
                ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
            ).stdout.decode()
            left_out = {name for name in listed.split("\0") if name and name not in inside}
            assert {name.partition("/")[0] for name in left_out} == {".ci", ".github", ".gitignore"}
        products = (".so", ".pyd", ".pyc", ".whl")
        assert not [name for name in inside if name.endswith(products) or name.startswith(("target/", ".venv/"))]
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (source,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    build_wheel(source, tmp_path / "built")
    (built,) = (tmp_path / "built").glob("*.whl")
    with zipfile.ZipFile(built) as ours, zipfile.ZipFile(wheel) as theirs:
        assert set(ours.namelist()) == set(theirs.namelist())
