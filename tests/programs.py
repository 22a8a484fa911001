"""The programs in examples/, for their tests.

In: the name of a program and its arguments. Out: what it printed, or what it defines. Always holds: it ran to its end, and all is well.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*.py"))

#: What is run instead, where libraries are to be missing: `import` of them raises ImportError.
WITHOUT = """\
import runpy, sys
for name in sys.argv.pop(1).split(","):
    sys.modules[name] = None
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def done(
    name: str, *args: str, without: Sequence[str] = (), cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The program, when it has run; these libraries are hidden from it."""
    program = [str(EXAMPLES / name), *args]
    words = [sys.executable, "-X", "utf8", *(["-c", WITHOUT, ",".join(without), *program] if without else program)]
    return subprocess.run(
        words, capture_output=True, encoding="utf-8", timeout=120, cwd=cwd, env={**os.environ, **environment}
    )


def run(name: str, *args: str, timed: bool = False) -> str:
    """What it prints. Programs that are `timed` write to stderr how long something took, in one line."""
    ran = done(name, *args)
    assert (ran.returncode, len(ran.stderr.splitlines())) == (0, int(timed)), ran
    return ran.stdout


def definitions(name: str) -> dict[str, Any]:
    """What it defines."""
    return runpy.run_path(str(EXAMPLES / name), run_name="example")
