"""Puts the names of jib's functions into what callgrind wrote, which knows of them their addresses alone.

Run it: JIB_SYMBOLS=perf valgrind --tool=callgrind --callgrind-out-file=out python PROGRAM
        python examples/callgrind_names.py out /tmp/perf-PID.map > named
        callgrind_annotate named
docs/profiling.md shows such a session.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator

#: `fn=(12) 0x0000000006173000`; `'2` after it counts levels of recursion, a `c` before it marks what is called. Later lines have the
#: number alone.
FUNCTION = re.compile(r"(c?)(fn=\(\d+\) )0x([0-9a-f]{16})((?:'\d+)?)$")
OBJECT = re.compile(r"(c?)ob=(\(\d+\))(?: (.*))?$")


def read(lines: Iterable[str]) -> list[tuple[int, int, str]]:
    """Where code begins and ends, and its name: the lines of a perf map, by address."""
    rows = (line.rstrip("\n").split(" ", 2) for line in lines)
    return sorted((int(start, 16), int(start, 16) + int(size, 16), name) for start, size, name in rows)


def named(lines: Iterable[str], rows: list[tuple[int, int, str]]) -> Iterator[str]:
    """The lines of callgrind's file, with names for addresses that lie in no object."""
    starts = [start for start, _, _ in rows]
    objects: dict[str, str] = {}
    current = called = ""
    for line in lines:
        if found := OBJECT.match(line):
            callee, number, name = found.groups()
            if name is not None:
                objects[number] = name
            if callee:
                called = number
            else:
                current = number
        elif found := FUNCTION.match(line):
            callee, head, digits, level = found.groups()
            address = int(digits, 16)
            at = bisect_right(starts, address) - 1
            where = objects.get(called or current) if callee else objects.get(current)
            if where == "???" and at >= 0 and address < rows[at][1]:
                line = f"{callee}{head}{rows[at][2]}{level}\n"
        if line.startswith("calls="):
            called = ""
        yield line


def main(out: str, names: str) -> None:
    with open(names, encoding="utf-8") as file:
        rows = read(file)
    with open(out, encoding="utf-8", errors="surrogateescape") as file:
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
        sys.stdout.writelines(named(file, rows))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
