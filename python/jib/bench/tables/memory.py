"""Memory of a function: how far a process grows by many that live, and what is left when they are dropped.

Each kind has a process of its own. Needs /proc, which Linux has.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from ..measure import Cell, Meter
from ..peers import JIB, NUMBA, PYTHON, Peer, present
from ..say import Table

PROGRAM = """
import gc, json, os
{setup}
def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
def make(number):
    {make}
    assert f(1.5, 2.0) == 3.5 + number
    return f
kept = [make(number) for number in range({warm})]
del kept
before = resident()
kept = [make(number) for number in range({warm}, {warm} + {count})]
alive = resident()
del kept
{forget}
print(json.dumps([before, alive, resident()]))
"""


class Kind(NamedTuple):
    peer: Peer
    setup: str
    make: str
    many: int
    forget: str = ""


KINDS = {
    "jib": Kind(JIB, "import jib", 'f = jib.compile(f"a + b + {number}")', 10_000, "jib.cache_clear()"),
    "Python lambda": Kind(PYTHON, "", 'f = eval(f"lambda a, b: a + b + {number}")', 10_000),
    "numba": Kind(NUMBA, "import numba", 'f = numba.njit(eval(f"lambda a, b: a + b + {number}"))', 100),
}


def measure(meter: Meter) -> tuple[list[Table], list[str]]:
    peers, absent = present([kind.peer for kind in KINDS.values()])
    table = Table("Memory of a function that was called with two floats", "function")
    if not Path("/proc/self/statm").exists():
        table.notes.append("Not measured: this system has no /proc.")
        return [table], absent
    kinds = {name: kind for name, kind in KINDS.items() if kind.peer in peers}
    for name in meter.over(kinds):
        kind = kinds[name]
        count = max(10, kind.many // (20 if meter.plan.quick else 1))
        runs = [resident(kind, count) for _ in range(1 if meter.plan.quick else 3)]
        table.rows[name] = {
            "functions": Cell(count, count, count, 1, ""),
            "one, alive": Cell.of([(alive - before) / count for before, alive, _ in runs], "B"),
            "one, dropped": Cell.of([(after - before) / count for before, _, after in runs], "B"),
        }
    table.notes.append(
        "Resident memory that came with so many functions, each of a text of its own, and that stayed when none was left."
    )
    return [table], absent


def resident(kind: Kind, count: int) -> tuple[int, int, int]:
    """Bytes before, with all alive, and after; what comes once for all, such as the parser and caches, is there before."""
    program = PROGRAM.format(setup=kind.setup, make=kind.make, warm=max(2, count // 5), count=count, forget=kind.forget)
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    before, alive, after = json.loads(done.stdout)
    return before, alive, after
