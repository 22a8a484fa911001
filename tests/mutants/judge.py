"""Which tests fail on a mutant.

In: a built copy of the tree. Out: `Verdict`: the first group of tests that failed, and which of it did. Always holds: quick groups
come first, and a group that fails runs to its end, to be counted; a crash and an endless test count as failures of the group.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from .plant import environment


class Group(NamedTuple):
    name: str
    command: list[str]
    seconds: float


PYTEST = [sys.executable, "-u", "-m", "pytest", "-v", "-p", "no:cacheprovider", "--tb=no", "-rfE"]
CARGO = ["cargo", "test", "--quiet", "--profile", "mutants", "-p", "jib-core"]
GROUPS = [
    Group("filetests", [*PYTEST, "tests/test_filetests.py"], 60),
    Group(
        "arrays",
        [*PYTEST, "-x", "tests/test_array_meaning.py", "tests/test_array_properties.py", "tests/test_bounds.py"],
        120,
    ),
    Group("memory of arrays", [*PYTEST, "-x", "tests/trust/test_arrays.py", "tests/test_elementwise.py"], 900),
    Group("names of code", [*PYTEST, "-x", "tests/test_profiling.py"], 120),
    Group("differential", [*PYTEST, "tests/test_differential.py"], 120),
    Group("generated code", [*PYTEST, "tests/trust/test_generated_code.py"], 180),
    Group("bytes and calls", [*PYTEST, "-x", "tests/test_ir.py", "tests/trust/test_call.py"], 180),
    Group("host functions", [*PYTEST, "-x", "tests/test_extern.py", "tests/trust/test_host_functions.py"], 120),
    Group("budgets", [*PYTEST, "-x", "tests/test_budget.py", "tests/test_engines.py"], 120),
    Group("interrupts", [*PYTEST, "-x", "tests/test_interrupt.py"], 300),
    Group("cargo test", CARGO, 900),
]


class Verdict(NamedTuple):
    group: str | None  # None: it survived
    failed: tuple[str, ...] = ()
    how: str = ""

    def __str__(self) -> str:
        if self.group is None:
            return "SURVIVED"
        shown = ", ".join(self.failed[:3]) + (", …" if len(self.failed) > 3 else "")
        counted = f"{len(self.failed)} of " if self.failed and not self.how else ""
        return f"{counted}{self.group}: {shown} {self.how}".rstrip(": ")


def judge(tree: Path, groups: list[Group] = GROUPS) -> Verdict:
    for group in groups:
        verdict = ask(group, tree)
        if verdict.group is not None:
            return verdict
    return Verdict(None)


def ask(group: Group, tree: Path) -> Verdict:
    process = subprocess.Popen(
        group.command,
        cwd=tree,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        preexec_fn=bound,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=group.seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        return Verdict(group.name, last(output), f"has no end in {group.seconds:.0f} s")
    if process.returncode == 0:
        return Verdict(None)
    if process.returncode < 0:
        return Verdict(group.name, last(output), f"ends the process with signal {-process.returncode}")
    names = re.findall(
        r"^(?:FAILED|ERROR) \S*?::(.+?)(?: - .*)?$|^test (\S+) \.\.\. FAILED|^    (\w+(?:::\w+)+)$",
        output,
        re.MULTILINE,
    )
    return Verdict(group.name, tuple(dict.fromkeys(plain(next(filter(None, row))) for row in names)))


def last(output: str) -> tuple[str, ...]:
    """The test that was begun last."""
    begun = re.findall(r"^(?:\S+\.py::|test )(.+?)(?: (?:PASSED|FAILED|\.\.\.).*)?$", output, re.MULTILINE)
    return tuple(plain(name) for name in begun[-1:])


def plain(name: str) -> str:
    return re.sub(r"^test_file\[(.*)\]$", r"\1", name)


def bound() -> None:
    """A mutant may take all memory, and leave cores behind."""
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
