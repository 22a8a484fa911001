"""A small budget of garbage; `make fuzz-text` has the large one."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

import jib
from garbage import fuzz
from garbage.judge import examine
from garbage.texts import PER_SEED, Text, text


def test_garbage_is_refused_or_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    total, seconds, memory = fuzz.fuzz(4_000, 0, 1, report=0)
    print(fuzz.lines(total, seconds, memory, 1))
    assert not total.findings
    # Texts that are all refused, or all for the same reason, would show little.
    outcomes = {
        outcome: sum(n for (_, o), n in total.outcomes.items() if o == outcome) for _, outcome in total.outcomes
    }
    assert total.texts == sum(outcomes.values()) == 4_000
    assert min(outcomes[name] for name in ("compiled", "ParseError", "CompileError", "LimitError")) > 60


def test_a_number_is_a_text() -> None:
    assert [text(7 * PER_SEED + k)[:5] for k in range(50)] == [text(7 * PER_SEED + k)[:5] for k in range(50)]


def wrong(source: str) -> str:
    found = examine(Text(0, "", source, {}, ("int",), text(0).arguments)).wrong
    return found or ""


def test_what_is_wrong_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wrong("a + b") == wrong("a +") == wrong("  a") == ""
    compile = jib.compile

    def raises(problem: BaseException) -> Any:
        def fail(*_: Any, **__: Any) -> Any:
            raise problem

        return fail

    monkeypatch.setattr(jib, "compile", lambda source, *a, **o: compile("a", *a, **o))
    assert "CPython refuses it" in wrong("a +")
    for problem in (
        MemoryError(),
        RecursionError(),
        jib.InternalError("no"),
        SystemError(),
        KeyboardInterrupt(),
        KeyError("no"),
    ):
        monkeypatch.setattr(jib, "compile", raises(problem))
        assert type(problem).__name__ in wrong("a")
    monkeypatch.setattr(jib, "compile", raises(jib.ParseError("no place")))
    assert "a place is missing" in wrong("a")
    monkeypatch.setattr(jib, "compile", raises(jib.LimitError("too much")))
    assert "no place" in wrong("a")


def test_a_killed_process_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others of its batch are still counted, each once."""

    def deadly(made: Text) -> Any:
        if made.number % 40 == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        return examine(made)

    monkeypatch.setattr(fuzz, "examine", deadly)
    total, _, _ = fuzz.fuzz(100, 3, 2, report=0)
    assert total.texts == 100
    assert [(f.number - 3 * PER_SEED, f.words) for f in sorted(total.findings)] == [
        (at, "killed by SIGKILL") for at in (7, 47, 87)
    ]
