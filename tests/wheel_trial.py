"""Is a wheel whole? It is installed where nothing else is, and used there as people use it first.

    python tests/wheel_trial.py FOLDER     the wheel in it that is for this Python

In: a wheel. Out: a line that tells its size, or an exception that says what failed. Always holds: all that is written is in a temporary
folder; nothing of the checkout, of the user or of the environment can be imported in its place. Needs pip, but no package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

SESSION = "x = 20\ndef f(a):\n    return a + x\n\nf(22)\n:type f(0.5)\n"


def main(folder: Path) -> None:
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    wheels = sorted(folder.glob(f"jib-*-{tag}-{tag}-*.whl"))
    if len(wheels) != 1:
        raise SystemExit(f"one wheel for {tag} is wanted in {folder}, not {len(wheels)}")
    with tempfile.TemporaryDirectory() as temporary:
        try_wheel(wheels[0].resolve(), Path(temporary).resolve())
    print(f"{wheels[0].name}: {wheels[0].stat().st_size:,} bytes, works")


def try_wheel(wheel: Path, folder: Path) -> None:
    """Install a wheel into a new environment below a folder and try it."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    work, home = folder / "work", folder / "home"
    work.mkdir()
    home.mkdir()
    ours = ("PYTHON", "PIP_TARGET", "PIP_USER", "JIB_", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {"PYTHONUTF8": "1", "PYTHONNOUSERSITE": "1"}

    def run(*words: str | Path, said: str = "", **others: str) -> str:
        command = [str(python), *map(str, words)]
        done = subprocess.run(
            command, cwd=work, env={**environment, **others}, input=said, capture_output=True, encoding="utf-8"
        )
        if done.returncode != 0:
            raise AssertionError(f"{command} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def install(what: str) -> None:
        run("-m", "pip", "install", "--quiet", "--disable-pip-version-check", what)

    def equal(found: object, wanted: object) -> None:
        if found != wanted:
            raise AssertionError(f"{found!r}, not {wanted!r}")

    install(str(wheel))
    listed = run("-m", "pip", "list", "--format=freeze", "--disable-pip-version-check").splitlines()
    equal({line.partition("==")[0] for line in listed} - {"pip", "setuptools"}, {"jib", "lark"})

    # The parser's table is in the wheel: nobody makes it, and nothing is written anywhere.
    equal(run("-m", "jib", "-c", "a + b", "a=7", "b=35", HOME=str(home), USERPROFILE=str(home)), "42\n")
    equal([*home.iterdir(), *work.iterdir()], [])
    modules = "import sys, jib; jib.compile('a + b')(1, 2); print('lark' in sys.modules)"
    equal(run("-c", modules), "False\n")

    equal(run("-m", "jib", "--version"), f"jib {wheel.name.split('-')[1]}\n")
    equal(run("-m", "jib", said=SESSION), "42\nfloat\n")
    shown = run("-m", "jib", "dump", "clif", "-c", "a + b", "--signature", "float(float, float)")
    equal("fadd" in shown, True)
    smoke = Path(shutil.copy(Path(__file__).with_name("wheel_smoke.py"), work))
    checkout = Path(__file__).resolve().parents[1]
    equal(run(smoke, checkout), "no arrays\n")
    install(f"{wheel}[arrays]")
    equal(run(smoke, checkout), "arrays\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
