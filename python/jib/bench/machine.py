"""What the numbers come from: processor, system, load, versions of jib and of its peers.

Out: a dictionary for JSON. Always holds: what cannot be found out is left out; nothing is imported to ask for its version.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .. import __version__

#: What is asked for its version: peers, and what they stand on.
DISTRIBUTIONS = ("numpy", "numexpr", "numba", "llvmlite", "asteval", "simpleeval", "sympy", "cffi", "lark")


def machine() -> dict[str, Any]:
    found: dict[str, Any] = {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": processor(),
        "cores": os.cpu_count(),
        "load": f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "jib": __version__,
        "commit": commit(),
        "compiler": compiler(),
        "versions": versions(),
    }
    return {name: value for name, value in found.items() if value}


def processor() -> str:
    """Its name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()


def versions() -> dict[str, str]:
    found = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """The commit of the sources that this package is, with a + if they were changed since; nothing for an installed one."""
    here = str(Path(__file__).parent)
    # A package that was installed into another project's folder has nothing to do with its commits.
    if not _said("git", "-C", here, "ls-files", "--error-unmatch", Path(__file__).name):
        return ""
    changed = _said("git", "-C", here, "status", "--porcelain", "--untracked-files=no")
    return _said("git", "-C", here, "rev-parse", "--short", "HEAD") + ("+" if changed else "")


def compiler() -> str:
    """The C compiler that is used."""
    name = shutil.which("gcc") or shutil.which("cc")
    return _said(name, "--version").partition("\n")[0] if name else ""


def _said(*words: str) -> str:
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
