"""Checks one filetest.

In: a file, a compile function with the face of `jib.compile`. Out: nothing, or `Failure` with all that differs. Always holds: each run
happened on every engine and, unless the file says why not, in CPython; only `bless` writes, and only `expect:` blocks.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .cpython import as_function
from .directives import FileTest, Run, bless, read_filetest
from .outcome import Outcome, agree, agree_with_cpython, message_of, observe, place_of, show_place
from .values import read_value, same

Compile = Callable[..., Any]

ENGINES: dict[str, dict[str, str]] = {
    "interpreter": {"engine": "interpreter"},
    "native, opt_level=none": {"engine": "native", "opt_level": "none"},
    "native, opt_level=speed": {"engine": "native", "opt_level": "speed"},
}


class Failure(AssertionError):
    """What must come out did not."""


def check_file(path: Path, compile: Compile, *, rewrite: bool = False) -> None:
    """Checks a file, or with `rewrite` makes its `expect:` blocks say what the stages say now, and checks the rest."""
    text = path.read_text(encoding="utf-8")
    folder = stage_folder(path)
    test = read_filetest(text, folder)
    if rewrite and test.expects:
        blessed = bless(text, test, stage_texts(test, compile))
        if blessed != text:
            path.write_text(blessed, encoding="utf-8", newline="\n")
            test = read_filetest(blessed, folder)
    complaints = [*check_error(test, compile), *check_stages(test, compile), *check_runs(test, compile)]
    if complaints:
        raise Failure("\n".join(complaints))


def stage_folder(path: Path) -> str:
    """The folder right below tests/filetests; what it holds may be sorted into further folders.

    >>> stage_folder(Path("tests/filetests/opt/fold/ints.jib")), stage_folder(Path("ir/names.jib"))
    ('opt', 'ir')
    """
    parts = path.parts
    return parts[parts.index("filetests") + 1] if "filetests" in parts else path.parent.name


def check_error(test: FileTest, compile: Compile) -> Iterator[str]:
    if test.error is None:
        return
    try:
        function = compile(test.program, **test.options)
        if test.signature is not None:
            function.dump("typed-ir", test.signature)
    except Exception as error:
        place = place_of(error)
        where = f" @ {show_place(place)}" if place else ""
        message = message_of(error).replace("\n", "\\n")
        found = f"{type(error).__name__}{where}: {message}"
        if found != test.error:
            yield f"error:\n  expected {test.error}\n  found    {found}"
    else:
        yield f"error:\n  expected {test.error}\n  found    nothing wrong"


def check_stages(test: FileTest, compile: Compile) -> Iterator[str]:
    for expect, found in zip(test.expects, stage_texts(test, compile), strict=True):
        if expect.text != found:
            diff = difflib.unified_diff(expect.text.split("\n"), found.split("\n"), "expected", "found", lineterm="")
            yield f"{expect.stage} (line {expect.start}; `make bless` accepts it):\n" + "\n".join(diff)


def stage_texts(test: FileTest, compile: Compile) -> list[str]:
    """The texts of the stages that the file expects, without spaces at line ends."""
    if not test.expects:
        return []
    function = compile(test.program, **test.options)
    texts = [function.dump(expect.stage, test.signature) for expect in test.expects]
    return ["\n".join(line.rstrip() for line in text.rstrip("\n").split("\n")) for text in texts]


def check_runs(test: FileTest, compile: Compile) -> Iterator[str]:
    if not test.runs:
        return
    options = {key: value for key, value in test.options.items() if key != "opt_level"}
    functions = {name: compile(test.program, **options, **engine) for name, engine in ENGINES.items()}
    params = next(iter(functions.values())).params
    # NumPy's rules are not CPython's.
    ask = test.skip_cpython is None and test.options.get("arithmetic", "python") == "python"
    reference = as_function(test.program, params) if ask else None
    for run in test.runs:
        outcomes = {name: observe(function, run.args) for name, function in functions.items()}
        first = next(iter(outcomes.values()))
        for name, outcome in outcomes.items():
            wrong = judge(run, outcome)
            if wrong is None and not agree(first, outcome):
                wrong = f"the interpreter gave {first}"
            if wrong is not None:
                yield f"line {run.line}: {run.args} on {name}:\n  {wrong}\n  found    {outcome}"
        if reference is not None:
            outcome = observe(reference, run.args)
            if not agree_with_cpython(first, outcome):
                yield f"line {run.line}: {run.args} on the interpreter:\n  CPython  {outcome}\n  found    {first}"


def judge(run: Run, outcome: Outcome) -> str | None:
    """What the directive says that the outcome does not."""
    if run.exception is not None:
        wanted = run.exception + (f": {run.message}" if run.message is not None else "")
        wanted += f" @ {show_place(run.place)}" if run.place is not None else ""
        fits = (
            outcome.exception == run.exception
            and (run.message is None or outcome.message == run.message)
            and (run.place is None or outcome.place == run.place)
        )
    else:
        assert run.value is not None
        wanted = run.value
        fits = outcome.exception is None and same(read_value(run.value), outcome.value)
    if not fits:
        return f"expected {wanted}"
    if outcome.printed != run.prints:
        return f"expected it to print {list(run.prints)}"
    return None
