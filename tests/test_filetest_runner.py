"""The filetest runner itself, with a compile function made of CPython."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from filetest_runner import BadFileTest, Failure, check_file, read_filetest
from filetest_runner.cpython import as_function


class FakeFunction:
    """Stands in for jib.Function; `lie` changes its answers on one engine."""

    def __init__(self, text: str, params: tuple[str, ...], lie: Callable[[Any], Any] = lambda value: value) -> None:
        function = as_function(text, params)
        assert function is not None
        self.function, self.params, self.text, self.lie = function, params, text, lie

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self.lie(self.function(*args, **kwargs))
        except ZeroDivisionError as error:
            error.jib_span = (1, 1, 1, 6)  # type: ignore[attr-defined]
            raise

    def dump(self, stage: str, signature: str | None = None) -> str:
        return f"{stage} of {self.text.strip()}\n\nfor {signature} \n"


def fake_compile(text: str, *, params: tuple[str, ...] = ("a", "b"), **options: Any) -> FakeFunction:
    if "$" in text:
        raise SyntaxError("no such sign", ("<jib>", 1, 3, text, 1, 4))
    return FakeFunction(text, params)


def check(tmp_path: Path, text: str, *, folder: str = "run", compile: Any = fake_compile, rewrite: bool = False) -> str:
    path = tmp_path / "filetests" / folder / "case.jib"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    check_file(path, compile, rewrite=rewrite)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "a + b\n# run: (7, 35) -> 42\n# run: (1.5, b=2) -> 3.5\n# run: (b=1, a=2) -> 3\n",
        "a / b\n# run: (1, 0) raises ZeroDivisionError: division by zero @ 1:1-1:6\n",
        "a / b\n# run: (1, 0) raises ZeroDivisionError\n",
        "a * b\n# run: (inf, 0) -> nan\n# run: (-0.0, 1) -> -0.0\n",
        "lambda x: (x, -x)\n# run: (0.0) -> (0.0, -0.0)\n",
        "print(a)\nprint(b)\n# run: (1, 2.5) -> None\n# prints: 1\n# prints: 2.5\n# run: (3, 4) -> None\n# prints: 3\n# prints: 4\n",
        "def f(x: i64) -> f64:\n    return sqrt(x)\ndef g(y: f64[:]): return f(y)\n# run: (4) -> 2.0\n",
        "sum(0.1 for i in range(a))\n# options: params=a\n# run: (10) -> 0.9999999999999999\n",
        "# run: (1, 2) -> 3\n# a comment, and: no directive\na + b\n",
        "a $\n# error: SyntaxError @ 1:3-1:4: no such sign\n",
        "a\n# cpython: skip it would answer otherwise\n# run: (1, 2) -> 1\n",
    ],
)
def test_passes(tmp_path: Path, text: str) -> None:
    assert check(tmp_path, text) == text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a + b\n# run: (1, 2) -> 4\n", "line 2: .*expected 4"),
        ("a + b\n# run: (1, 2) -> 3.0\n", "expected 3.0"),
        ("a == b\n# run: (1, 1) -> 1\n", "expected 1"),
        ("a * b\n# run: (-0.0, 1) -> 0.0\n", "expected 0.0"),
        ("a / b\n# run: (1, 0) -> 1\n", "found    ZeroDivisionError"),
        ("a / b\n# run: (1, 0) raises ZeroDivisionError: by zero\n", "expected ZeroDivisionError: by zero\n"),
        ("a / b\n# run: (1, 0) raises ZeroDivisionError @ 1:2-1:3\n", "expected .* @ 1:2-1:3\n.* @ 1:1-1:6"),
        ("a / b\n# run: (1, 0) raises ValueError\n", "expected ValueError"),
        ("a + b\n# run: (1, 0) raises ValueError\n", "expected ValueError\n  found    1"),
        ("print(a)\n# run: (1, 2) -> None\n", "expected it to print \\[\\]"),
        ("a $\n# error: SyntaxError @ 1:3-1:5: no such sign\n", "found    SyntaxError @ 1:3-1:4"),
        ("a $\n# error: SyntaxError: no such sign\n", "found    SyntaxError @ 1:3-1:4"),
        ("a + b\n# error: SyntaxError @ 1:3-1:4: no such sign\n", "nothing wrong"),
        ("a + b\n# expect: ir\n#| something else\n", "-something else\n"),
    ],
)
def test_fails(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(Failure, match="(?s)" + complaint):
        check(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a\n", "expects nothing"),
        ("a\n# signature: (int)\n", "expects nothing"),
        ("a\n# ruin: (1) -> 1\n", "line 2: unknown directive `ruin:`"),
        ("a # run: (1) -> 1\n", "line 1: a directive must stand alone"),
        ("if a:\n    b\n    # run: (1) -> 1\n", "line 3: a directive must stand alone"),
        ("a\n# run: 1 -> 1\n", "line 2: write `run:"),
        ("a\n# run: (1)\n", "line 2: write `run:"),
        ("a\n# prints: 1\n", "`prints:` must follow"),
        ("a\n# expect:\n#| a\n", "must name a stage"),
        ("a\n# expect: if\n#| a\n", "must name a stage"),
        ("# expect: ir\n#| a\na\n", "must follow the program"),
        ("a\n#| a\n# run: (1) -> 1\n", "line 2: `#|` outside"),
        ("a\n# options: colour=red\n# run: (1) -> 1\n", "unknown option 'colour=red'"),
        ("a\n# cpython: skip\n# run: (1) -> 1\n", "cpython: skip REASON"),
        ("a\n# error: X: y\n# error: X: y\n", "line 3: a second `error:`"),
        ("a\n# error: X: y\n# run: (1) -> 1\n", "can neither run"),
    ],
)
def test_is_no_filetest(text: str, complaint: str) -> None:
    with pytest.raises(BadFileTest) as caught:
        read_filetest(text, "run")
    assert complaint in str(caught.value)


@pytest.mark.parametrize("liar", ["interpreter", "none", "speed"])
def test_every_engine_is_asked(tmp_path: Path, liar: str) -> None:
    def compile(text: str, *, engine: str = "native", opt_level: str = "speed") -> FakeFunction:
        lies = liar == (engine if engine == "interpreter" else opt_level)
        return FakeFunction(text, ("a",), (lambda value: -value) if lies else (lambda value: value))

    with pytest.raises(Failure, match=liar):
        check(tmp_path, "a\n# run: (0.0) -> 0.0\n", compile=compile)


def test_cpython_is_asked(tmp_path: Path) -> None:
    def compile(text: str, **options: Any) -> FakeFunction:
        return FakeFunction(text, ("a",), lambda value: 7)

    with pytest.raises(Failure, match="CPython  1"):
        check(tmp_path, "a\n# run: (1) -> 7\n", compile=compile)


def test_stage_texts(tmp_path: Path) -> None:
    text = "a + b\n# signature: (int, int)\n# expect:\n#| ir of a + b\n#|\n#| for (int, int)\n"
    assert check(tmp_path, text, folder="ir") == text
    assert read_filetest(text, "ir").program == "a + b\n"


def test_bless_rewrites_only_expect_blocks(tmp_path: Path) -> None:
    before = "a + b # sum\n# run: (1,  2) -> 3\n# expect: clif\n#| old\n#| text\n\n# expect: ir\n# signature: (int)\n"
    after = (
        "a + b # sum\n# run: (1,  2) -> 3\n# expect: clif\n#| clif of a + b # sum\n#|\n#| for (int)\n\n"
        "# expect: ir\n#| ir of a + b # sum\n#|\n#| for (int)\n# signature: (int)\n"
    )
    assert check(tmp_path, before, rewrite=True) == after


def test_bless_makes_a_first_block_at_the_end_of_a_file(tmp_path: Path) -> None:
    after = check(tmp_path, "a\n# expect: ir", rewrite=True)
    assert after == "a\n# expect: ir\n#| ir of a\n#|\n#| for None\n"


def test_bless_does_not_touch_runs_or_errors(tmp_path: Path) -> None:
    text = "a + b\n# run: (1, 2) -> 4\n"
    with pytest.raises(Failure):
        check(tmp_path, text, rewrite=True)
    assert (tmp_path / "filetests/run/case.jib").read_text() == text
