"""Reads the directives of a filetest.

In: the text of a file and the name of its folder. Out: `FileTest`. Always holds: every directive is known and complete, and at
least one of them says what must come out; otherwise `BadFileTest` says which line is wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from jib import Limits

STAGES = ("ast", "ir", "typed-ir", "clif", "clif-opt", "asm", "cfg")
FOLDER_STAGES = {stage: stage for stage in STAGES} | {
    "parse": "ast",
    "lower": "ir",
    "types": "typed-ir",
    "opt": "typed-ir",
}
KNOWN = ("run", "prints", "error", "signature", "options", "cpython", "expect")
OPTIONS = {
    "opt_level": str,
    "arithmetic": str,
    "name": str,
    "params": lambda text: tuple(text.split(",")),
    "fuel": int,
    "timeout": float,
    "limits": lambda text: Limits(**{name: int(value) for name, value in (one.split(":") for one in text.split(","))}),
}

DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z][\w-]*):(?:[ \t]+(.*))?$")
MISPLACED = re.compile(r"\S.*#[ \t]*(%s):|^[ \t]+#[ \t]*(%s):" % ("|".join(KNOWN), "|".join(KNOWN)))  # noqa: UP031
PLACE = re.compile(r"(\d+):(\d+)-(\d+):(\d+)$")

Place = tuple[int, int, int, int]  # line, column, end line, end column; from 1; the end is exclusive


class BadFileTest(Exception):
    """The file itself is wrong: nothing can be tested with it."""


class Run(NamedTuple):
    """One `run:`; `value` is a literal, or None when `exception` is raised."""

    line: int
    args: str
    value: str | None
    exception: str | None = None
    message: str | None = None
    place: Place | None = None
    prints: tuple[str, ...] = ()


class Expect(NamedTuple):
    """One `expect:` block: the text of a stage, and which lines of the file hold it (from 0, half-open)."""

    stage: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class FileTest:
    """What a file asks for; `program` is its text without the directives that follow it."""

    program: str
    runs: tuple[Run, ...] = ()
    expects: tuple[Expect, ...] = ()
    error: str | None = None
    signature: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    skip_cpython: str | None = None


def read_filetest(text: str, folder: str) -> FileTest:
    """The test that a file describes.

    >>> test = read_filetest("a + 1\\n# run: (2) -> 3\\n", "run")
    >>> test.program, test.runs[0].args, test.runs[0].value
    ('a + 1\\n', '(2)', '3')
    """
    lines = text.split("\n")
    runs: list[Run] = []
    expects: list[Expect] = []
    once: dict[str, str] = {}
    at = 0
    while at < len(lines):
        number, line = at + 1, lines[at]
        at += 1
        match = DIRECTIVE.match(line)
        if match is None:
            if line.startswith("#|"):
                raise BadFileTest(f"line {number}: `#|` outside an `expect:` block")
            if MISPLACED.search(line):
                raise BadFileTest(f"line {number}: a directive must stand alone, at the start of its line")
            continue
        word, rest = match[1], (match[2] or "").strip()
        if word == "run":
            runs.append(_read_run(number, rest))
        elif word == "prints":
            if not runs:
                raise BadFileTest(f"line {number}: `prints:` must follow its `run:`")
            runs[-1] = runs[-1]._replace(prints=(*runs[-1].prints, rest))
        elif word == "expect":
            start = at
            while at < len(lines) and lines[at].startswith("#|"):
                at += 1
            expects.append(Expect(_stage(number, rest, folder), _unmark(lines[start:at]), start, at))
        elif word in KNOWN:
            if word in once:
                raise BadFileTest(f"line {number}: a second `{word}:`")
            if not rest:
                raise BadFileTest(f"line {number}: `{word}:` says nothing")
            once[word] = rest
        else:
            raise BadFileTest(f"line {number}: unknown directive `{word}:`; known are {', '.join(KNOWN)}")
    if not (runs or expects or "error" in once):
        raise BadFileTest("the file expects nothing: it has no `run:`, `error:` or `expect:`")
    if "error" in once and (runs or expects):
        raise BadFileTest("a text with an `error:` can neither run nor have stage texts")
    program = _program(lines)
    if expects and expects[0].start <= program.count("\n"):
        raise BadFileTest("`expect:` blocks must follow the program")
    skip = once.get("cpython")
    if skip is not None:
        word, _, skip = skip.partition(" ")
        if word != "skip" or not skip.strip():
            raise BadFileTest("write `cpython: skip REASON`")
    return FileTest(
        program=program,
        runs=tuple(runs),
        expects=tuple(expects),
        error=once.get("error"),
        signature=once.get("signature", "").strip('"') or None,
        options=_read_options(once.get("options", "")),
        skip_cpython=skip,
    )


def bless(text: str, test: FileTest, texts: list[str]) -> str:
    """The file's text with its `expect:` blocks, and nothing else, replaced by `texts`."""
    lines = text.split("\n")
    for expect, new in reversed(list(zip(test.expects, texts, strict=True))):
        marked = [f"#| {line}".rstrip() for line in new.rstrip("\n").split("\n")]
        rest = lines[expect.end :]
        lines[expect.start :] = [*marked, *(rest or [""])]
    return "\n".join(lines)


def _program(lines: list[str]) -> str:
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].startswith("#|") or DIRECTIVE.match(lines[end - 1])):
        end -= 1
    return "".join(line + "\n" for line in lines[:end])


def _read_run(number: int, text: str) -> Run:
    match = re.match(r"(\(.*?\))\s+(->|raises)\s+(\S.*)$", text)
    if match is None:
        raise BadFileTest(f"line {number}: write `run: (ARGS) -> VALUE` or `run: (ARGS) raises Error: message`")
    args, arrow, rest = match.groups()
    if arrow == "->":
        return Run(number, args, rest)
    rest, _, tail = rest.rpartition(" @ ") if PLACE.search(rest) else (rest, "", "")
    exception, _, message = rest.partition(":")
    return Run(number, args, None, exception.strip(), message.strip() or None, _place(tail))


def _place(text: str) -> Place | None:
    match = PLACE.match(text)
    return (int(match[1]), int(match[2]), int(match[3]), int(match[4])) if match else None


def _read_options(text: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for word in text.split():
        key, equals, value = word.partition("=")
        if key not in OPTIONS or not equals:
            raise BadFileTest(f"unknown option {word!r}; known are {', '.join(OPTIONS)}")
        options[key] = OPTIONS[key](value)
    return options


def _stage(number: int, text: str, folder: str) -> str:
    stage = text or FOLDER_STAGES.get(folder, "")
    if stage not in STAGES:
        raise BadFileTest(f"line {number}: `expect:` must name a stage here: one of {', '.join(STAGES)}")
    return stage


def _unmark(lines: list[str]) -> str:
    return "\n".join(line[2:].removeprefix(" ").rstrip() for line in lines)
