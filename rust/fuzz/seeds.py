"""Writes the IR of every filetest into a folder, a file each: what libFuzzer begins with.

python rust/fuzz/seeds.py FOLDER
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from jib import ir
from jib.errors import JitError
from jib.limits import DEFAULT
from jib.lower import lower
from jib.parse import parse
from jib.source import Source

FILETESTS = Path(__file__).parents[2] / "tests" / "filetests"


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(FILETESTS.rglob("*.jib")):
        source = Source(path.read_text(encoding="utf-8"))
        try:
            lowered = lower(parse(source, DEFAULT), source, None, DEFAULT)
        except JitError:
            continue
        data = ir.encode(lowered.module)
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    print(f"{len(list(folder.iterdir()))} files to begin with")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
