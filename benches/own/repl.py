"""What a person waits for: from `python -m jib` to the prompt, and from Enter to the value, in a pseudo-terminal.

A round is one process. Modules have their bytecode, and the parser its table; a terminal answers prompt_toolkit's questions at once.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

from script import meter, options, table

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

import jib  # noqa: E402
from jib.bench.measure import Case  # noqa: E402
from jib.bench.say import duration  # noqa: E402
from terminal import Terminal  # noqa: E402

PLACE = {"PYTHONPATH": str(Path(jib.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": ""}
FRONTS = {"prompt_toolkit": {}, "plain": {"JIB_REPL": "plain"}}
LINES = {"7 * 6 + 14": "56", "sqrt(2.25) * 3 if 2 > 1 else 0": "4.5", "sum(i * i for i in range(100))": "328350"}
COLOURS = re.compile(rb"\x1b\[[\d;?]*[A-Za-z]")


def until(terminal: Terminal, found: Callable[[], bool]) -> None:
    while not found():
        terminal.look(0.0005)


def to_prompt(home: Path, front: dict[str, str]) -> float:
    """Seconds from the start of the process to its prompt."""
    begin = perf_counter()
    with Terminal(home=home, **PLACE, **front) as terminal:
        until(terminal, lambda: "jib>" in terminal.text)
        return perf_counter() - begin


def to_value(home: Path, front: dict[str, str], line: str, value: str) -> float:
    """Seconds from Enter to the value, for a line that was not typed before, the third of a session."""
    with Terminal(home=home, **PLACE, **front) as terminal:
        until(terminal, lambda: "jib>" in terminal.text)
        for other in ("2 * 3", "x = 4.5"):
            terminal.say(other)
        terminal.type(line)
        until(terminal, lambda: line in terminal.text)
        # What comes is not drawn before it is known to be all: to draw it takes this process longer than the other one to answer.
        said, begin = b"", perf_counter()
        terminal.type("\r")
        while value.encode() not in COLOURS.sub(b"", said):
            said += os.read(terminal.program.child_fd, 1 << 16)
        return perf_counter() - begin


def bare(home: Path) -> float:
    """Seconds of a bare Python at a terminal, from start to its prompt."""
    begin = perf_counter()
    with Terminal("-q", home=home, **PLACE) as terminal:
        until(terminal, lambda: ">>>" in terminal.text)
        return perf_counter() - begin


def main() -> None:
    wanted = options(__doc__, rounds=15)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        starts: dict[str, Case] = {"python": partial(bare, home)}
        starts |= {name: partial(to_prompt, home, front) for name, front in FRONTS.items()}
        for case in starts.values():
            case()  # the bytecode is written
        results = {"start to prompt": meter(wanted.rounds).in_turns(starts).cells()}
        cases = {
            f"{line} ({name})": partial(to_value, home, front, line, value)
            for name, front in FRONTS.items()
            for line, value in LINES.items()
        }
        results["Enter to value"] = meter(wanted.rounds).in_turns(cases).cells()
    for title, found in results.items():
        table(
            title,
            ["", "median", "spread"],
            [[name, duration(each.median), f"{each.spread:.0%}"] for name, each in found.items()],
        )


if __name__ == "__main__":
    assert os.name == "posix", "pseudo-terminals are those of Unix"
    main()
