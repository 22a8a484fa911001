"""From nothing to a printed answer: the start of a process, beside a bare Python's.

What Python and jib keep on disk is warm, as it is for every start but the first on a machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import jib

from ..measure import Case, Disagreement, Meter
from ..peers import EVALUATORS, present
from ..say import Table

TO_BARE = 3.0
BARE = "python -c pass"


def measure(meter: Meter) -> tuple[list[Table], list[str]]:
    peers, absent = present(EVALUATORS)
    commands = {BARE: (["-c", "pass"], "")}
    commands |= {peer.name: (["-c", peer.script], "42\n") for peer in peers if peer.name != "CPython"}
    commands['python -m jib -c "a + b"'] = (["-m", "jib", "-c", "a + b", "a=7", "b=35"], "42\n")
    commands["import jib"] = (["-c", "import jib"], "")
    if any(peer.name in ("numexpr", "numba") for peer in peers):
        commands["import numpy"] = (["-c", "import numpy"], "")
    wanted = dict(meter.wanted(commands.items(), lambda item: item[0]))
    turns = meter.in_turns({name: case(*command, meter.plan.cpu) for name, command in wanted.items()})
    table = Table("Process start to the answer of `a + b`", "process")
    for name in wanted:
        goal = TO_BARE if name == "jib" else None
        table.rows[name] = {"time": turns.cell(name), **turns.ratio(name, BARE, "to a bare python", most=goal)}
    return [table], absent


def case(words: list[str], answer: str, by_processor: bool) -> Case:
    # The package that this process has, without site-packages being searched for it in another place.
    environment = {**os.environ, "PYTHONPATH": str(Path(jib.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": ""}

    def clock() -> float:
        if by_processor:
            times = os.times()
            return times.children_user + times.children_system
        return perf_counter()

    def run() -> float:
        begin = clock()
        done = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True)
        taken = clock() - begin
        if done.returncode or done.stdout != answer:
            raise Disagreement(f"{words}: {done.stdout!r} {done.stderr.strip().rpartition(chr(10))[2]}")
        return taken

    return run
