"""Writes the IR of the texts that stages.rs measures into a folder: `make bench-rust` does it each time, so that none is stale.

python rust/core/benches/texts.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from jib import ir
from jib.bench import texts
from jib.limits import DEFAULT
from jib.lower import lower
from jib.parse import parse
from jib.source import Source

# As in stages.rs, which knows the types of their arguments.
NAMES = {"a + b": "short", "an expression": "middle", "100 lines": "hundred-lines"}
TEXTS = {NAMES[text.name]: text.source for text in texts.of_all_sizes() if text.name in NAMES}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in TEXTS.items():
        source = Source(text)
        lowered = lower(parse(source, DEFAULT), source, None, DEFAULT, ())
        (folder / f"{name}.ir").write_bytes(ir.encode(lowered.module))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
