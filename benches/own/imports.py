"""Where the start of a process goes: the slowest imports, and text to first answer in a process that has just imported jib.

The start itself, beside others, is the table `start` of `python -m jib bench`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from script import meter, options, table

import jib
from jib.bench.measure import Case
from jib.bench.say import said

# The package that this process has, without site-packages being searched for it in another place.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(jib.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": ""}

FRESH = """
import time, jib
def once(text):
    begin = time.perf_counter()
    jib.compile(text)(7, 35)
    return time.perf_counter() - begin
print({})
"""
# Seconds that a fresh process prints of itself.
INSIDE = {"the first text, a + b": "once('a + b')", "the second, a * b": "(once('a + b'), once('a * b'))[1]"}


def inside(expression: str) -> Case:
    def run() -> float:
        words = [sys.executable, "-c", FRESH.format(expression)]
        return float(subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout)

    return run


def imports(words: list[str]) -> list[tuple[str, int, int]]:
    """What is imported: (module, microseconds of its own, with what it imports), slowest first."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *words], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    rows = re.findall(r"import time:\s+(\d+) \|\s+(\d+) \| +(\S+)", done.stderr)
    return sorted([(name, int(own), int(whole)) for own, whole, name in rows], key=lambda row: -row[1])


def main() -> None:
    wanted = options(__doc__ or "", rounds=20)
    cells = meter(wanted.rounds).in_turns({name: inside(expression) for name, expression in INSIDE.items()}).cells()
    rows = [(name, said(cell)) for name, cell in cells.items()]
    table("In a fresh process, after the import: text to first answer", ["text", "time"], rows)
    loaded = imports(["-m", "jib", "-c", "a + b", "a=7", "b=35"])
    known = {name for name, _, _ in imports(["-c", "pass"])}
    ours = [row for row in loaded if row[0] not in known]
    assert not any(name.partition(".")[0] == "numpy" for name, _, _ in ours), "NumPy is imported"
    table("The slowest imports of `python -m jib -c …`, µs", ["module", "its own", "with its imports"], ours[:15])
    print(f"\n{len(ours)} modules, {sum(own for _, own, _ in ours)} µs under -X importtime, NumPy not among them.")


if __name__ == "__main__":
    main()
