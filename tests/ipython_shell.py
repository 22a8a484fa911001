"""IPython in a process of its own.

In: cells. Out: what becomes of each: value, error, what is printed, which names changed. Always holds: nothing of the person's own
IPython is read or written.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

# Runs cells in a shell of its own; each answers with a line of JSON.
DRIVER = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

config = Config()
config.HistoryManager.enabled = False  # its thread may print
shell = InteractiveShell.instance(colors="NoColor", config=config)
for cell in json.load(sys.stdin):
    before = dict(shell.user_ns)
    with capture_output(display=False) as captured:
        done = shell.run_cell(cell, store_history=True)
    error = done.error_in_exec or done.error_before_exec
    hidden = {"In", "Out", "_dh", "exit", "quit"}
    changed = sorted(
        name for name in {**before, **shell.user_ns}
        if not name.startswith("_") and name not in hidden and before.get(name, before) is not shell.user_ns.get(name, before)
    )
    sys.__stdout__.write(json.dumps({
        "value": None if done.result is None else repr(done.result), "error": error and type(error).__name__,
        "out": captured.stdout, "err": captured.stderr, "changed": changed,
    }) + "\\n")
"""


class Answer(NamedTuple):
    value: str | None
    error: str | None
    out: str
    err: str
    changed: list[str]


def alone(folder: str) -> dict[str, str]:
    """An environment in which nothing of the person's own IPython is found."""
    root = str(Path(__file__).parent.parent / "python")
    own = dict.fromkeys(("IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"), folder)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    return {**kept, **own, "PYTHONPATH": path, "TERM": "xterm", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


class Shell:
    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def __call__(self, *cells: str) -> list[Answer]:
        """What becomes of the cells, after `%load_ext jib`."""
        done = subprocess.run(
            [sys.executable, "-c", DRIVER], input=json.dumps(["%load_ext jib", *cells]), env=self.environment,
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        answers = [Answer(**json.loads(line)) for line in done.stdout.splitlines() if line.startswith('{"value"')]
        assert len(answers) == len(cells) + 1, done.stdout + done.stderr
        assert answers[0].error is None, answers[0].out
        return answers[1:]


def values(answers: list[Answer]) -> list[str | None]:
    for answer in answers:
        assert answer.error is None, answer.out
    return [answer.value for answer in answers]


GCD = """%%jib
def gcd(a, b):
    while b:
        a, b = b, a % b
    return a
def lcm(a, b):
    return a // gcd(a, b) * b
lcm(4, 6)
"""
