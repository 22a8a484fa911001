"""Plots of results, as SVG with a transparent background: `python benches/plots.py FOLDER` draws those of its results.json anew.

In: results. Out: files beside results.json. Always holds: lines, letters and bars have a contrast of at least 3 to 1 on white and on the
dark page of a code host (#0d1117), so that one picture is for both; a table that was not measured has no plot.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot, ticker
from matplotlib.axes import Axes

from jib.bench.measure import Cells
from jib.bench.say import Table, digits, duration

INK = "#787d85"
COLOURS = {
    "jib": "#d9480f", "numba": "#2f7fd6", "numexpr": "#2f9e44", "NumPy": "#9c5fd4", "CPython": "#8a8f98", "C": "#0c8599",
}  # fmt: skip
OTHER = "#8a8f98"
MORE = ("#c2255c", "#a07800")
STYLE = {
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none", "svg.fonttype": "none",
    "svg.hashsalt": "jib", "font.family": "sans-serif", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "axes.titlecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "grid.color": INK, "grid.alpha": 0.25, "legend.frameon": False, "legend.labelcolor": INK,
}  # fmt: skip


def colour(name: str) -> str:
    library = "jib" if name.startswith("python -m jib") else name.partition(",")[0]
    return COLOURS.get("C" if library == "C builtin" else "CPython" if library == "Python function" else library, OTHER)


def first(results: dict[str, Any], name: str) -> Table | None:
    """The first table of that name, if it has rows."""
    tables = results["tables"].get(name, {}).get("tables", [])
    return Table.of_json(tables[0]) if tables and tables[0]["rows"] else None


def bars(panel: Axes, values: dict[str, float], title: str, label: Any) -> None:
    """Horizontal bars on a log scale, the shortest on top, each with its value."""
    names = sorted(values, key=lambda name: -values[name])
    panel.barh(names, [values[name] for name in names], color=[colour(name) for name in names], height=0.66, log=True)
    for at, name in enumerate(names):
        panel.text(values[name] * 1.15, at, label(values[name]), va="center", fontsize=9)
    panel.set_xlim(min(values.values()) / 3, max(values.values()) * 8)
    panel.set_title(title, loc="left", fontsize=10)
    panel.tick_params(axis="y", length=0)
    panel.xaxis.set_visible(False)
    panel.spines["bottom"].set_visible(False)


def times(cells: Cells) -> dict[str, float]:
    return {name: cell.median for name, cell in cells.items() if cell.unit == "s"}


def overview(results: dict[str, Any]) -> Any:
    """To compile, to call, to run: at one glance."""
    compiled, kernels = first(results, "compile"), first(results, "kernels")
    if compiled is None or kernels is None or "an expression" not in compiled.rows:
        return None
    figure, panels = pyplot.subplots(1, 3, figsize=(12.4, 2.6))
    bars(panels[0], times(compiled.rows["an expression"]), "Text to first answer, an expression", duration)
    bars(panels[1], called(results), "A call that adds two floats", duration)
    shown = kernels.rows.get("geometric mean", {})
    means = {"jib": 1.0}
    means |= {name: 1 / shown[f"jib / {name}"].median for name in ("numba", "C") if f"jib / {name}" in shown}
    means |= {"CPython": shown["CPython / jib"].median} if "CPython / jib" in shown else {}
    count = len(kernels.rows) - 1
    bars(panels[2], means, f"Run time of {count} kernels, in jib's", digits)
    return figure


def firsts(results: dict[str, Any]) -> Any:
    table = first(results, "compile")
    if table is None:
        return None
    figure, panels = pyplot.subplots(1, len(table.rows), figsize=(3.4 * len(table.rows), 2.8), squeeze=False)
    for panel, (row, cells) in zip(panels[0], table.rows.items()):
        bars(panel, times(cells), row, duration)
    figure.suptitle("Text to first answer", color=INK, x=0.01, ha="left")
    return figure


def starts(results: dict[str, Any]) -> Any:
    table = first(results, "start")
    if table is None:
        return None
    figure, panel = pyplot.subplots(figsize=(6.4, 3.2))
    values = {row: cells["time"].median for row, cells in table.rows.items() if not row.startswith("import")}
    bars(panel, values, "Process start to the answer of a + b", duration)
    return figure


def calls(results: dict[str, Any]) -> Any:
    values = called(results)
    if not values:
        return None
    figure, panel = pyplot.subplots(figsize=(6.4, 3.2))
    bars(panel, values, "A call that adds two floats", duration)
    return figure


def called(results: dict[str, Any]) -> dict[str, float]:
    table = first(results, "call")
    rows = {} if table is None else table.rows
    return {row: cells["time"].median for row, cells in rows.items() if cells["time"].median > 0}


def kernels(results: dict[str, Any]) -> Any:
    """A mark for each engine in each kernel, in the time that numba takes, or where it is absent, CPython."""
    table = first(results, "kernels")
    if table is None:
        return None
    rows = {row: times(cells) for row, cells in table.rows.items() if "jib" in cells}
    base = "numba" if all("numba" in row for row in rows.values()) else "CPython"
    figure, panel = pyplot.subplots(figsize=(7.4, 0.34 * len(rows) + 1.2))
    marks(panel, {row: {name: value / values[base] for name, value in values.items()} for row, values in rows.items()})
    panel.axvline(1.0, color=INK, linewidth=0.8)
    panel.set_xlabel(f"run time, in {base}'s (left is faster)")
    return figure


def marks(panel: Axes, rows: dict[str, dict[str, float]]) -> None:
    """A line of marks for each row, on a log scale; what has `, 2` in its name is hollow."""
    shapes = {"jib": "o", "numba": "D", "numexpr": "^", "NumPy": "s", "CPython": "X", "C": "P"}
    seen: set[str] = set()
    for at, values in enumerate(rows.values()):
        for name, number in values.items():
            library = name.partition(", ")[0]
            fill = colour(name) if library == name else "none"
            panel.plot(
                number, -at, shapes.get(library, "o"), color=colour(name), markerfacecolor=fill, zorder=3 if library == "jib" else 2,
                label=None if name in seen else name,
            )  # fmt: skip
            seen.add(name)
    panel.set_xscale("log")
    panel.xaxis.set_major_formatter(ticker.FuncFormatter(lambda number, _: f"{number:g}"))
    panel.xaxis.set_minor_formatter(ticker.NullFormatter())
    panel.set_yticks([-at for at in range(len(rows))], list(rows))
    panel.grid(True)
    panel.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))


def arrays(results: dict[str, Any]) -> Any:
    tables = [Table.of_json(table) for table in results["tables"].get("arrays", {}).get("tables", []) if table["rows"]]
    if not tables:
        return None
    figure, panels = pyplot.subplots(1, len(tables), figsize=(4.4 * len(tables) + 2, 4.6), sharey=True, squeeze=False)
    for panel, table in zip(panels[0], tables):
        marks(
            panel,
            {
                row.strip("`"): {name: time * 1e9 for name, time in times(cells).items()}
                for row, cells in table.rows.items()
            },
        )
        panel.set_title(table.title.partition(" elements")[0] + " elements", loc="left", fontsize=10)
        panel.set_xlabel("ns per element")
        if panel is not panels[0][-1]:
            panel.get_legend().remove()
    return figure


def growth(results: dict[str, Any]) -> Any:
    """Seconds from text to answer by size, a line for each shape of text."""
    tables = [Table.of_json(table) for table in results["tables"].get("growth", {}).get("tables", [])]
    lines = {table.title: times(table.rows["total"]) for table in tables if "total" in table.rows}
    if not lines:
        return None
    figure, panel = pyplot.subplots(figsize=(6.4, 3.6))
    palette = [*COLOURS.values(), *MORE]
    for at, (name, points) in enumerate(lines.items()):
        sizes = [int(size.replace(",", "")) for size in points]
        panel.plot(
            sizes, [seconds * 1e3 for seconds in points.values()], "o-", label=name, color=palette[at % len(palette)]
        )
    panel.set(xscale="log", yscale="log", xlabel="how many", ylabel="ms from text to answer")
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(ticker.FuncFormatter(lambda number, _: f"{number:,g}"))
    panel.grid(True)
    panel.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


PLOTS = {
    "overview": overview, "compile": firsts, "start": starts, "call": calls, "kernels": kernels, "arrays": arrays, "growth": growth,
}  # fmt: skip


def draw(results: dict[str, Any], folder: Path, names: Iterable[str] = PLOTS) -> list[Path]:
    """The files that were written."""
    written = []
    with matplotlib.rc_context(STYLE):
        for name in names:
            figure = PLOTS[name](results)
            if figure is None:
                continue
            figure.tight_layout()
            file = folder / f"{name}.svg"
            figure.savefig(file, transparent=True, bbox_inches="tight", metadata={"Date": None})
            pyplot.close(figure)
            written.append(file)
    return written


def main(words: Sequence[str]) -> int:
    if len(words) != 1:
        print("usage: benches/plots.py FOLDER", file=sys.stderr)
        return 2
    folder = Path(words[0])
    for file in draw(json.loads((folder / "results.json").read_text(encoding="utf-8")), folder):
        print(f"written: {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
