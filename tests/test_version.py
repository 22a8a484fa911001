"""The version is written in one place, `workspace.package.version` of Cargo.toml; everything that says it has it from there."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.version import Version

import jib

ROOT = Path(__file__).parent.parent
WORKSPACE = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
(VERSION,) = re.findall(r'^\[workspace\.package\]\nversion = "(.+)"$', WORKSPACE, re.MULTILINE)


def test_the_module_has_it_from_cargo() -> None:
    assert jib.__version__ == VERSION


def test_the_command_line_has_it_from_the_module() -> None:
    done = subprocess.run([sys.executable, "-m", "jib", "--version"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"jib {VERSION}\n")


def test_the_package_has_it_from_cargo() -> None:
    try:
        installed = version("jib")
    except PackageNotFoundError:
        pytest.skip("jib is not installed, but used where it lies")
    assert Version(installed) == Version(VERSION)  # Cargo's 1.0.0-rc.1 is 1.0.0rc1 to Python


def test_nothing_else_says_it() -> None:
    for name in ("core", "python"):
        manifest = (ROOT / "rust" / name / "Cargo.toml").read_text(encoding="utf-8")
        assert re.findall(r"^version.*$", manifest, re.MULTILINE) == ["version.workspace = true"]
    lock = (ROOT / "Cargo.lock").read_text(encoding="utf-8")
    assert re.findall(r'^name = "jib-.+"\nversion = "(.+)"$', lock, re.MULTILINE) == [VERSION, VERSION]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'dynamic = ["version"]' in project and not re.search(r"^version\b", project, re.MULTILINE)
    sources = [
        *(ROOT / "python").rglob("*.py"),
        *(ROOT / "rust" / "core").rglob("*.rs"),
        *(ROOT / "rust" / "python").rglob("*.rs"),
    ]
    assert [path for path in sources if f'"{VERSION}"' in path.read_text(encoding="utf-8")] == []


def test_the_changelog_tells_of_it() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    dates = [heading for heading in headings if heading != "Unreleased"]
    assert all(re.fullmatch(r"\S+ (\(unreleased\)|- \d{4}-\d\d-\d\d)", heading) for heading in dates), headings
    assert dates[0].split()[0] == VERSION
