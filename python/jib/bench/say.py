"""How numbers are written: Markdown tables of cells.

In: tables of cells. Out: text. Always holds: three digits and a unit; a number that misses its goal has a mark, a cell that nobody
measured is a dash, and whoever is absent is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .measure import Cell, Cells


@dataclass
class Table:
    """Rows of cells by column; what is said below it."""

    title: str
    head: str
    """What the rows are."""
    rows: dict[str, Cells] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        rows = {row: {column: cell._asdict() for column, cell in cells.items()} for row, cells in self.rows.items()}
        return {**asdict(self), "rows": rows}

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Table:
        rows = {row: {name: Cell(**cell) for name, cell in cells.items()} for row, cells in data["rows"].items()}
        return cls(data["title"], data["head"], rows, list(data["notes"]))

    def columns(self, unit: str | None = None) -> list[str]:
        """All, or those of a unit, in the order in which they first appear; ratios last."""
        units = {name: cell.unit for cells in self.rows.values() for name, cell in cells.items()}
        return sorted([name for name in units if unit in (None, units[name])], key=lambda name: units[name] == "x")


def digits(value: float) -> str:
    """A number with three digits.

    >>> [digits(value) for value in (1.234, 12.34, 123.4, 12345)]
    ['1.23', '12.3', '123', '12,345']
    """
    return f"{value:,.{0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2}f}"


def duration(seconds: float) -> str:
    """
    >>> duration(0.00002512), duration(3.2), duration(4.5e-10)
    ('25.1 µs', '3.20 s', '0.45 ns')
    """
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if abs(seconds) * factor >= 1:
            return f"{digits(seconds * factor)} {unit}"
    return f"{digits(seconds * 1e9)} ns"


def size(count: float) -> str:
    """
    >>> size(312), size(7_340_032)
    ('312 B', '7.34 MB')
    """
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(count) >= factor:
            return f"{digits(count / factor)} {unit}"
    return f"{count:.0f} B"


def value(cell: Cell) -> str:
    if cell.unit == "s":
        return duration(cell.median)
    if cell.unit == "B":
        return size(cell.median)
    return digits(cell.median) if cell.unit == "x" else f"{cell.median:,.0f}"


def said(cell: Cell | None) -> str:
    """A cell with its spread and its mark: `!` where a goal is missed, `~` where by less than three hundredths.

    >>> said(Cell(2.0, 1.9, 2.1, 7)), said(Cell(16.0, 16.0, 16.0, 7, "x", most=15.0)), said(None)
    ('2.00 s ±5%', '16.0 !', '–')
    """
    if cell is None:
        return "–"
    spread = f" ±{cell.spread:.0%}" if cell.unit == "s" and cell.rounds > 1 else ""
    return value(cell) + spread + (" !" if cell.missed >= 0.03 else " ~" if cell.missed > 0 else "")


def grid(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown, its columns aligned: the first to the left, the others to the right."""
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in (head, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    lines = [
        "| " + " | ".join([c.rjust(w) if at else c.ljust(w) for at, (c, w) in enumerate(zip(row, widths))]) + " |"
        for row in cells
    ]
    rule = "|" + "|".join(["-" * (w + 1) + (":" if at else "-") for at, w in enumerate(widths)]) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def markdown(table: Table) -> str:
    columns = table.columns()
    rows = [[row, *[said(cells.get(name)) for name in columns]] for row, cells in table.rows.items()]
    notes = [f"{note}\n" for note in table.notes]
    return "\n".join([f"### {table.title}\n", grid([table.head, *columns], rows) + "\n", *notes])


def goals(results: Mapping[str, Any]) -> list[str]:
    """How many goals are met, and a line for each that is not."""
    met, missed = 0, []
    for found in results["tables"].values():
        for table in map(Table.of_json, found["tables"]):
            for row, cells in table.rows.items():
                for name, cell in cells.items():
                    if cell.missed > 0:
                        aim = (
                            f"at least {digits(cell.least)}"
                            if cell.least is not None
                            else f"at most {digits(cell.most or 0)}"
                        )
                        missed.append(f"- {table.title}: {row}: {name} is {digits(cell.median)}, not {aim}")
                    elif cell.least is not None or cell.most is not None:
                        met += 1
    return [f"Goals met: {met}. Missed: {len(missed)}.", *missed] if met or missed else []


def report(results: Mapping[str, Any]) -> str:
    """All results as a Markdown document: the machine, the tables, whoever is absent."""
    machine = results["machine"]
    plan = results["plan"]
    how = "quick" if plan["quick"] else "full"
    clock = "processor time" if plan["cpu"] else "by the clock"
    lines = [
        "# jib beside its peers\n",
        f"{machine['date']}, {how}: {plan['rounds']} rounds of {duration(plan['seconds'])}, {clock}. "
        f"{'Best rounds' if plan['best'] else 'Medians'}; ± is half of what lies between the quartiles.\n",
    ]
    for name, each in machine.items():
        shown = ", ".join([f"{key} {of}" for key, of in each.items()]) if isinstance(each, dict) else each
        lines += [f"- {name}: {shown}"] * (name != "date")
    lines.append("")
    if float(machine.get("load", 0)) > machine.get("cores", 1) and not plan["cpu"]:
        lines.append("Others used the processors too: `--cpu` measures by processor time.\n")
    for name, found in results["tables"].items():
        lines.append(f"## {name}\n")
        lines += [markdown(Table.of_json(table)) for table in found["tables"]]
        if found["absent"]:
            lines.append(f"Not installed, so not measured: {', '.join(found['absent'])}.\n")
        if found["error"]:
            lines.append(f"Failed: {found['error']}\n")
    reached = goals(results)
    return "\n".join([*lines, *(["## Goals\n", *reached, ""] if reached else [])])
