"""A small budget of generated programs against CPython; `make fuzz` has the large one. And the fuzzer itself: it finds what is planted."""

from __future__ import annotations

import ast
import signal
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

import jib
from differential import compare
from differential.campaign import Finding, calls_of, numbers, run
from differential.choices import Recorder, Replay
from differential.compare import examine
from differential.coverage import KINDS, OPERATORS, features, rows
from differential.findings import candidate
from differential.generate import Generated, program, write
from differential.workers import spread
from filetest_runner import check_file
from jib.function import Options

CHOICES = st.randoms(use_true_random=False)
QUIET = settings(suppress_health_check=list(HealthCheck), max_examples=100, database=None)


@pytest.mark.usefixtures("verified")
def test_generated_programs_mean_what_cpython_means() -> None:
    tally = run(numbers(0, 600), at_most=3)
    print(tally)
    assert not tally.findings, "\n".join(candidate(finding) for finding in tally.findings)
    # A generator whose programs nobody takes, or that all fail, would show nothing.
    assert sum(tally.refused.values()) < 30
    assert 0.6 < tally.values / (tally.values + tally.failures) < 0.9


@QUIET
@given(CHOICES.map(write), CHOICES)
def test_programs_that_hypothesis_draws_mean_the_same(made: Generated, random: Random) -> None:
    report = examine(made.text, made.params, calls_of(random, made))
    assert not report.mismatches, f"{made.text}\n{report.mismatches[0]}"


def test_every_construct_occurs() -> None:
    wanted = rows() | set(OPERATORS.values()) | set(KINDS.values())
    for number in numbers(0, 6000):
        wanted -= features(program(number).text)
        if not wanted:
            break
    assert not wanted


def test_a_program_is_what_its_choices_make() -> None:
    for number in numbers(1, 100):
        recorder = Recorder(number)
        assert write(recorder) == program(number) == write(Replay(recorder.choices))


@pytest.fixture
def wrapping(monkeypatch: pytest.MonkeyPatch) -> str:
    """A planted fault: one engine lets ints wrap, where the others raise."""
    name = "native, opt_level=speed"
    monkeypatch.setitem(compare.ENGINES, name, Options(arithmetic="numpy"))
    return name


def test_a_fault_is_found_shrunk_and_written(wrapping: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    findings = run(numbers(0, 200), at_most=2).findings
    texts = [candidate(finding) for finding in findings]
    monkeypatch.undo()
    assert len(texts) == 2
    for at, text in enumerate(texts):
        assert wrapping in text
        assert "# run: (" in text
        made = ast.unparse(ast.parse(text))
        assert len(made) <= len(ast.unparse(ast.parse(program(findings[at].number).text)))
        assert len(made) < 150
        (tmp_path / f"{at}.jib").write_text(text, encoding="utf-8")
        check_file(tmp_path / f"{at}.jib", jib.compile)  # without the fault, all is as the file says


def test_hypothesis_makes_programs_small() -> None:
    made = find(CHOICES.map(write), lambda made: " // " in made.text, settings=settings(QUIET, max_examples=300))
    assert len(made.text) < 100


def test_a_process_that_dies_is_a_finding() -> None:
    deadly = range(signal.SIGKILL, signal.SIGSEGV + 1)
    findings = [finding for tally in spread(deadly, 1, signal.raise_signal) for finding in tally.findings]
    assert sorted(findings) == [
        Finding(number, None, f"the process died of {signal.Signals(number).name}") for number in deadly
    ]


def test_the_number_of_processes_changes_nothing() -> None:
    which = numbers(5, 220)
    here = run(which)
    there = list(spread(which, 2))
    assert sum(tally.programs for tally in there) == here.programs == 220
    assert sum(tally.values for tally in there) == here.values
    assert sum(tally.diverged for tally in there) == here.diverged
