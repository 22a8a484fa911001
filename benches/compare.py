"""What changed between two runs, beyond noise: `make bench-compare A=… B=…`, or `python benches/compare.py A.json B.json`.

In: two results.json. Out: a table of the cells that changed, and what cannot be compared; exit status 0, whatever changed.

The rule: a cell changed if the middle halves of its rounds, from the first quartile to the third, have nothing in common in the two runs,
and the medians differ by at least `--least` (5 %). A cell with a single round has no spread: there only the medians speak, and must differ
by `--single` (20 %). Sizes and counts are exact, and need `--least`. Times of two runs also differ because the machine does: the median
change of the peers' times is said first, and jib's own are to be read beside it. Ratios are free of that, and come before times.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from jib.bench.measure import Cell
from jib.bench.peers import CALLED
from jib.bench.say import Table, grid, value

LEAST, SINGLE = 0.05, 0.20
#: Whose times say what the machine did.
PEERS = {peer.name for peer in CALLED if peer.name != "jib"} | {
    "NumPy",
    "C",
    "Python function",
    "python -c pass",
    "np.add",
}
KINDS = {"Ratios": "x", "Times": "s", "Sizes": "B", "Counts": ""}


class Pair(NamedTuple):
    """One cell in both runs."""

    place: str
    column: str
    old: Cell
    new: Cell

    @property
    def factor(self) -> float:
        return self.new.median / self.old.median if self.old.median else 1.0

    @property
    def is_of_a_peer(self) -> bool:
        return bool(PEERS & {self.column.partition(",")[0], self.place.rpartition(": ")[2].partition(",")[0]})

    @property
    def word(self) -> str:
        return (("less", "more") if self.old.unit != "s" else ("faster", "slower"))[self.factor >= 1]

    def changed(self, least: float = LEAST, single: float = SINGLE) -> bool:
        """
        >>> Pair("", "", Cell(1.0, 0.9, 1.1, 9), Cell(1.15, 1.05, 1.2, 9)).changed()
        False
        >>> Pair("", "", Cell(1.0, 0.9, 1.1, 9), Cell(1.25, 1.2, 1.3, 9)).changed()
        True
        """
        apart = max(self.factor, 1 / self.factor) - 1 if self.factor > 0 else float(self.old.median != self.new.median)
        if self.old.unit not in ("s", "x"):
            return apart >= least
        if min(self.old.rounds, self.new.rounds) < 2:
            return apart >= single
        return apart >= least and (self.new.low > self.old.high or self.new.high < self.old.low)


def cells(results: dict[str, Any]) -> dict[tuple[str, str], Cell]:
    """Of all tables, by place and column."""
    found = {}
    for name, of in results["tables"].items():
        for table in map(Table.of_json, of["tables"]):
            for row, columns in table.rows.items():
                found.update({(f"{name}: {table.title}: {row}", column): cell for column, cell in columns.items()})
    return found


def pairs(old: dict[str, Any], new: dict[str, Any]) -> tuple[list[Pair], list[str]]:
    """The cells that both have, and the places that only one has."""
    before, after = cells(old), cells(new)
    only = [f"only in A: {place}, {column}" for place, column in before if (place, column) not in after]
    only += [f"only in B: {place}, {column}" for place, column in after if (place, column) not in before]
    return [Pair(*key, before[key], after[key]) for key in before if key in after], only


def drift(both: Sequence[Pair]) -> float:
    """By what factor the times of peers changed: the machine's doing."""
    factors = [pair.factor for pair in both if pair.old.unit == "s" and pair.is_of_a_peer and pair.factor > 0]
    return median(factors) if factors else 1.0


def compared(old: dict[str, Any], new: dict[str, Any], least: float = LEAST, single: float = SINGLE) -> str:
    """Markdown."""
    both, only = pairs(old, new)
    lines = [f"A: {said(old)}", f"B: {said(new)}", ""]
    lines += [f"not the same {name}: {a} and {b}" for name, a, b in differences(old, new)]
    lines += [f"times of peers changed by a factor of {drift(both):.2f} (median)", ""]
    changed = sorted([pair for pair in both if pair.changed(least, single)], key=lambda pair: pair.factor)
    for kind, unit in KINDS.items():
        rows = [
            [pair.place, pair.column, value(pair.old), value(pair.new), f"{pair.factor:.2f} {pair.word}"]
            for pair in changed
            if pair.old.unit == unit
        ]
        lines += [f"### {kind}\n", grid(["where", "what", "A", "B", "B / A"], rows), ""] if rows else []
    lines += [f"{len(changed) or 'None'} of {len(both)} cells changed beyond noise.", *only]
    return "\n".join(lines)


def said(results: dict[str, Any]) -> str:
    machine = results["machine"]
    return ", ".join([str(machine[name]) for name in ("date", "jib", "commit", "load") if name in machine])


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, object, object]]:
    """What makes times hard to compare: another machine, another Python, other peers, another plan."""
    wanted = {
        "machine": ("processor", "cores", "system", "python", "compiler", "versions"),
        "plan": ("quick", "cpu", "best", "out"),
    }
    both = [(name, old[part].get(name), new[part].get(name)) for part, names in wanted.items() for name in names]
    return [(name, a, b) for name, a, b in both if a != b]


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benches/compare.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("a", type=Path, help="results.json of one run")
    parser.add_argument("b", type=Path, help="of another")
    parser.add_argument("--least", type=float, default=LEAST, help="the least change that counts (%(default)s)")
    parser.add_argument("--single", type=float, default=SINGLE, help="where there was a single round (%(default)s)")
    wanted = parser.parse_args(words)
    loaded = []
    for file in (wanted.a, wanted.b):
        try:
            loaded.append(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            parser.error(f"cannot read {file}: {error}")
    print(compared(*loaded, wanted.least, wanted.single))
    return 0


if __name__ == "__main__":
    sys.exit(main())
