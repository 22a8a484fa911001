"""Writes the IR of every filetest, and of texts that call host functions, into a folder, a file each: what libFuzzer begins with.

python rust/fuzz/seeds.py FOLDER
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import jib
from jib import ir
from jib.errors import JitError
from jib.limits import DEFAULT
from jib.lower import lower
from jib.parse import parse
from jib.source import Source

FILETESTS = Path(__file__).parents[2] / "tests" / "filetests"

# As in fuzz_targets/ir.rs.
EXTERNS = (jib.extern(abs, "float(float)", "f"), jib.extern(print, "None(int, bool)", "g"))
CALLING = [
    "f(x) + f(f(y))",
    "for i in range(n):\n    g(i, i > 2)\nn",
    "def h(x): return f(x)\ndef k(x): return h(h(x)) if x else f(1)",
]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    texts = [(path.read_text(encoding="utf-8"), ()) for path in sorted(FILETESTS.rglob("*.jib"))]
    texts += [(text, EXTERNS) for text in CALLING]
    for text, externs in texts:
        source = Source(text)
        try:
            lowered = lower(parse(source, DEFAULT), source, None, DEFAULT, externs)
        except JitError:
            continue
        data = ir.encode(lowered.module)
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    print(f"{len(list(folder.iterdir()))} files to begin with")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
