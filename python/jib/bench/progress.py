"""A bar while it runs: rich's where rich is installed, else a line that is written over; nothing where stderr is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from .run import Show


@contextmanager
def progress(tables: Iterable[str]) -> Iterator[Show]:
    if not sys.stderr.isatty():
        yield lambda table, part, row: None
        return
    try:
        console, bars = import_module("rich.console"), import_module("rich.progress")
    except ImportError:
        try:
            yield _line
        finally:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        return
    columns: list[Any] = [
        "{task.description:>8}",
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TimeElapsedColumn(),
    ]
    with bars.Progress(*columns, "{task.fields[row]}", console=console.Console(stderr=True), transient=True) as shown:
        tasks = {name: shown.add_task(name, total=1.0, start=False, row="") for name in tables}

        def show(table: str, part: float, row: str) -> None:
            if not shown.tasks[tasks[table]].started:
                shown.start_task(tasks[table])
            shown.update(tasks[table], completed=part, row=row)

        yield show


def _line(table: str, part: float, row: str) -> None:
    filled = int(part * 20)
    print(
        f"\r\033[K{table:>8} {'#' * filled}{'.' * (20 - filled)} {part:4.0%} {row[:40]}",
        end="",
        file=sys.stderr,
        flush=True,
    )
