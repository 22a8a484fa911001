"""From nothing to a printed answer: the start of a process, as a ratio to bare Python's.

The parser's saved table is warm: the first of all runs on a machine takes a third of a second more.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from harness import Case, measure, options, save, table

import jib

SCRIPT = 'import jib; print(jib.compile("a + b")(7, 35))'
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

COMMANDS: dict[str, tuple[list[str], str]] = {
    "python -c pass": (["-c", "pass"], ""),
    "python -c 'import jib'": (["-c", "import jib"], ""),
    "a script: import, compile, call, print": (["-c", SCRIPT], "42\n"),
    'python -m jib -c "a + b" a=7 b=35': (["-m", "jib", "-c", "a + b", "a=7", "b=35"], "42\n"),
    "python -c 'import numpy'": (["-c", "import numpy"], ""),
    "python -c 'import lark'": (["-c", "import lark"], ""),
}


def case(words: list[str], answer: str) -> Case:
    def run() -> float:
        begin = perf_counter()
        done = subprocess.run([sys.executable, *words], env=ENVIRONMENT, capture_output=True, text=True)
        taken = perf_counter() - begin
        assert done.returncode == 0 and done.stdout == answer, done
        return taken

    return run


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
    wanted = options(__doc__, rounds=20)
    cases = {name: case(*command) for name, command in COMMANDS.items()}
    for name in list(cases):
        try:
            cases[name]()  # warms caches, and may find a package missing
        except AssertionError:
            if name.startswith(("python -c 'import n", "python -c 'import l")):
                del cases[name]
            else:
                raise
    results = measure(cases, wanted.rounds)
    bare = results["python -c pass"].median
    table(
        "Process start to answer",
        ["command", "time", "bare Pythons"],
        [[name, result, f"{result.median / bare:.2f}"] for name, result in results.items()],
    )

    fresh = measure({name: inside(expression) for name, expression in INSIDE.items()}, wanted.rounds)
    table("In a fresh process, after the import: text to first answer", ["text", "time"], fresh.items())

    loaded = imports(COMMANDS['python -m jib -c "a + b" a=7 b=35'][0])
    known = {name for name, _, _ in imports(["-c", "pass"])}
    ours = [row for row in loaded if row[0] not in known]
    assert not any(name.partition(".")[0] == "numpy" for name, _, _ in ours), "NumPy is imported"
    table("The slowest imports of `python -m jib -c …`, µs", ["module", "its own", "with its imports"], ours[:15])
    print(f"\n{len(ours)} modules, {sum(own for _, own, _ in ours)} µs under -X importtime, NumPy not among them.")
    if wanted.json:
        save(__file__, {"start": results, "fresh process": fresh, "imports": ours})


if __name__ == "__main__":
    main()
