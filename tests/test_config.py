"""jib.show_config."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import jib
from jib.config import VARIABLES


def test_it_says_what_this_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIB_REPL", "plain")
    jib.show_config()
    said = capsys.readouterr().out
    assert jib.__version__ in said and "JIB_REPL            plain" in said and "lark                1." in said


def test_every_variable_is_told_of() -> None:
    root = Path(__file__).parent.parent
    texts = [path.read_text() for folder in ("python", "rust") for path in (root / folder).rglob("*.[pr][ys]")]
    used = {name for text in texts for name in re.findall(r'"(JIB_[A-Z_]+)"', text)}
    assert used - {"JIB_OPT_ROUNDS"} <= set(VARIABLES)  # which only tests read
    pages = "".join(path.read_text() for path in (root / "docs").glob("*.md"))
    for name in VARIABLES:
        assert name in pages, name
