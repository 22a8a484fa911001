"""What this jib is: versions, machine, settings. For reports of mistakes, and for people who wonder.

In: nothing. Out: lines on stdout. Always holds: nothing is changed or imported that a report would then be about.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from shutil import which

#: Environment variables that jib reads, and what each is for.
VARIABLES = {
    "JIB_HISTORY": "the file of the REPL's history",
    "JIB_REPL": "plain: the REPL without prompt_toolkit",
    "JIB_SYMBOLS": "who is told the names of machine code: perf, jitdump, gdb",
    "JIB_NUM_THREADS": "how many threads arrays may use",
    "NO_COLOR": "no colours",
    "FORCE_COLOR": "colours, even where there is no terminal",
}

#: Packages that jib works with.
PACKAGES = ("lark", "numpy", "prompt_toolkit", "pygments", "platformdirs", "ipython")


def configuration() -> dict[str, dict[str, str]]:
    """What `show_config` prints, by heading and name."""
    from . import __version__, _native
    from .repl.history import place

    triple, features = _native._host()
    targets = [name for name, built in _native._targets() if built]
    return {
        "jib": {
            "version": __version__,
            "from": os.path.dirname(__file__),
            "Python": sys.version.replace("\n", " "),
            "machine code for": triple,
            "extensions used": ", ".join(each.removeprefix("has_") for each in features) or "none",
            "shown on demand": ", ".join(targets),
            "calls from Python": "through CPython's C interface"
            if _native._layout() is None
            else "machine code reads the objects",
            "threads for arrays": str(_native.get_num_threads()),
            "REPL's history in": place() or "nowhere",
            "Graphviz's dot": which("dot") or "not installed",
        },
        "packages": {name: _version(name) for name in PACKAGES},
        "environment": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def show_config() -> None:
    """Print versions, the machine that code is made for, packages, and the settings that come from the environment.

    >>> show_config()
    jib
      version             0...
      Python              3...
    ...
    packages
      lark                1...
    ...
    """
    for heading, rows in configuration().items():
        print(heading)
        for name, value in rows.items() or [("nothing of jib's is set", "")]:
            print(f"  {name:<19} {value!s}".rstrip())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
