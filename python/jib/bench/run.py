"""Runs tables, each in a process of its own, one after the other.

In: tables by name, a plan, who is told how far it is. Out: the results, ready for JSON: the machine, the plan, and of each table its rows,
who is absent and how it failed, if it did. Always holds: the failure of one table does not end the others; no process outlives the run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .machine import machine
from .measure import Plan
from .one import MARK

#: Tables that need nothing but the package, by name: the module of each.
TABLES = {name: f"jib.bench.tables.{name}" for name in ("compile", "start", "call", "kernels", "memory", "size")}
#: Those of the quick run of an installed package.
FIRST = ("compile", "start", "call", "kernels")
FORMAT = 1

Show = Callable[[str, float, str], None]
"""Is told the table, how far it is, and the row that it is at."""


def run(tables: Mapping[str, str], plan: Plan, show: Show, path: str = "") -> dict[str, Any]:
    """`path` is where modules of tables are besides those of the package."""
    results: dict[str, Any] = {"format": FORMAT, "machine": machine(), "plan": plan._asdict(), "tables": {}}
    for name, module in tables.items():
        show(name, 0.0, "")
        results["tables"][name] = _one(module, plan, lambda part, row: show(name, part, row), path)  # noqa: B023
        show(name, 1.0, "")
    return results


def _one(module: str, plan: Plan, tell: Callable[[float, str], None], path: str) -> dict[str, Any]:
    places = [str(Path(__file__).parents[2]), path, os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places)), "PYTHONIOENCODING": "utf-8"}
    words = [sys.executable, "-m", "jib.bench.one", module, json.dumps(plan._asdict())]
    found: dict[str, Any] = {"tables": [], "absent": [], "error": ""}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        words, env=environment, stdout=pipe, stderr=pipe, encoding="utf-8", errors="replace"
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        complaints: list[str] = []
        reader = threading.Thread(target=lambda stream: complaints.append(stream.read()), args=(child.stderr,))
        reader.start()
        try:
            for line in child.stdout:
                if line.startswith(MARK):
                    record = json.loads(line[len(MARK) :])
                    if "part" in record:
                        tell(record["part"], record["row"])
                    else:
                        found.update(record)
        except BaseException:
            child.kill()
            raise
        finally:
            reader.join()
    if child.returncode:
        last = ("".join(complaints).strip().splitlines() or [""])[-1]
        found["error"] = last or f"its process ended with {child.returncode}"
    return found
