"""Every file of tests/filetests; filetest_runner says what they may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

import jib
from filetest_runner import BadFileTest, Failure, check_file

ROOT = Path(__file__).parent / "filetests"
FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.jib"))


def test_there_are_files() -> None:
    assert FILES


@pytest.mark.usefixtures("verified")
@pytest.mark.parametrize("name", FILES)
def test_file(name: str, request: pytest.FixtureRequest) -> None:
    complaint = ""
    try:
        check_file(ROOT / name, jib.compile, rewrite=request.config.getoption("--bless"))
    except (BadFileTest, Failure) as failure:
        complaint = f"tests/filetests/{name}\n{failure}"
    if complaint:
        pytest.fail(complaint, pytrace=False)
