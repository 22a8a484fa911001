"""The worst texts inside the limits compile or are refused, in a process that has little memory; what they cost is measured by
`benches/own/worst.py`, whose texts these are."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import jib
from jib.bench import texts

BENCHES = Path(__file__).parents[2] / "benches" / "own"
sys.path.insert(0, str(BENCHES))

from worst_texts import WORST  # noqa: E402

MEMORY = 2 << 30  # bytes of addresses, most of them the interpreter's and the libraries'
SECONDS = 20  # of CPU time, where two are aimed at: a busy machine must not fail it

NATIVE = (
    "divisions", "live across calls", "terms of an or of ands", "maybe unbound, read at the end", "variables times branches",
    "all variables swap in branches", "variables in a loop of breaks", "copies in a loop", "generators", "functions that call twice",
    "callers of a function of 39", "combinations of types, a large body", "captures",
)  # fmt: skip
INTERPRETED = ("assertions", "a circle whose type rises", "tuples that rise", "combinations of types, half and half")


def compile_apart(name: str, size: int, engine: str) -> str:
    """What came of it, in a process of its own."""

    def confine() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    path = os.pathsep.join([str(Path(jib.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(BENCHES / "worst.py"), "--apart", name, str(size), "--engine", engine]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, preexec_fn=confine, env=os.environ | {"PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stderr[-500:]
    return str(json.loads(done.stdout)["outcome"])


@pytest.mark.parametrize(
    ("name", "engine"), [(name, "native") for name in NATIVE] + [(name, "interpreter") for name in INTERPRETED]
)
def test_the_worst_texts(name: str, engine: str) -> None:
    outcome = compile_apart(name, WORST[name].largest(), engine)
    assert outcome == "compiled" or outcome.startswith("LimitError: "), outcome


LARGE = {
    "hundred lines": texts.of_lines(100),
    "suite": texts.suite(1000),
    "branches": texts.branches(1000),
    "functions": texts.functions(500),
    "loops": texts.loops(250),
    "ands": texts.ands(1000),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_thousand_lines_are_far_from_the_limits(name: str) -> None:
    every = jib.Limits()
    tenth = every._replace(**{field: getattr(every, field) // 8 for field in ("joins", "values", "blocks", "kept")})
    text = LARGE[name]
    types = "(int, float)" if name == "hundred lines" else "(float, float)"
    assert jib.compile(text, types, limits=tenth).specializations


@pytest.mark.parametrize(("name", "text"), [("suite", texts.suite(10_000)), ("branches", texts.branches(10_000))])
def test_ten_thousand_lines_compile(name: str, text: str) -> None:
    assert jib.compile(text, "(float, float)").specializations


LIMITED = {
    "joins": "y = x\nwhile y:\n    y = y - 1\n    if y > 5: break\ny",
    "values": "x + 1 + 2 + 3 + 4 + 5 + 6",
    "blocks": "x + 1 + 2 + 3 + 4 + 5 + 6",
    "kept": "(x + 1) + (x + 2) + (x + 3) + (x + 4)",
}


@pytest.mark.parametrize("field", LIMITED)
def test_each_limit_is_named_and_can_be_raised(field: str) -> None:
    text = LIMITED[field]
    with pytest.raises(jib.LimitError, match=rf"more than 3 .*limits=Limits\({field}=\.\.\.\) allows more"):
        jib.compile(text, "(int)", limits=jib.Limits(**{field: 3}))
    assert jib.compile(text, "(int)", limits=jib.Limits(**{field: 1000}))(7) == jib.compile(text)(7)
