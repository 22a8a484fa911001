"""What the process has of the machine's memory.

Out: resident bytes, and the number of mappings; None where the system does not tell, which is everywhere but on Linux.
"""

from __future__ import annotations

import gc
import mmap
from pathlib import Path
from typing import NamedTuple

MIB = 1 << 20


class Memory(NamedTuple):
    resident: int
    mappings: int

    def __str__(self) -> str:
        return f"{self.resident / MIB:.1f} MiB resident, {self.mappings} mappings"


def memory() -> Memory | None:
    """Now, after what is garbage has gone.

    >>> memory() is None or memory().resident > 1 << 20
    True
    """
    gc.collect()
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
        return Memory(int(pages) * mmap.PAGESIZE, Path("/proc/self/maps").read_bytes().count(b"\n"))
    except OSError:
        return None
