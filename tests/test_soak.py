"""A little of `make soak`: its other part, the threads, is in tests/trust/test_life.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import jib
from soak import parts
from soak.memory import Memory, memory


def test_texts_one_after_the_other_leave_nothing() -> None:
    parts.texts(3_000, say=list)


def test_functions_at_once_are_all_callable() -> None:
    parts.alive(2_000, say=list)


def test_it_notices_what_is_not_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bytes] = []
    check = parts.check
    monkeypatch.setattr(parts, "check", lambda wanted: kept.append(bytes([1]) * 30_000) or check(wanted))
    if memory() is None:
        pytest.skip("the system does not tell how much memory a process has")
    with pytest.raises(AssertionError, match="memory has grown"):
        parts.texts(2_000, say=list)


def test_it_notices_a_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    compile = jib.compile
    monkeypatch.setattr(
        jib, "compile", lambda text, *args, **options: compile(text.replace("* 40", "* 41"), *args, **options)
    )
    with pytest.raises(AssertionError, match="40"):
        parts.texts(50, say=list)
    with pytest.raises(AssertionError, match="40"):
        parts.threads(20, number=4, say=list)


def test_mappings_and_megabytes_are_told() -> None:
    assert str(Memory(3 << 20, 7)) == "3.0 MiB resident, 7 mappings"


def test_the_command() -> None:
    words = ["--seconds", "0.2", "--threads", "4", "--texts", "50", "--alive", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "soak", *words], capture_output=True, text=True, timeout=120, cwd=Path(__file__).parent
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "== 4 threads for 0.2 s: fine" in done.stdout and "== 50 texts: fine" in done.stdout
