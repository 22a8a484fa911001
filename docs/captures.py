"""Pictures of a terminal in which jib runs, and what examples draw: docs/captures/*, as docs/repl.md and docs/examples.md show them.

In: what is typed, in `SCENES`, and the arguments of examples, in `DRAWN`. Out: a picture of each. Always holds: a real session in a real
pseudo-terminal (tests/terminal.py); nothing is drawn that was not there. `make captures` runs it.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.style import Style
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from terminal import Terminal  # noqa: E402

#: What is typed, line by line; `^C` is that key, after a while.
SCENES: dict[str, list[str]] = {
    "session": [
        "radius = 2.5",
        "def area(r):\nreturn 3 * r * r\n",
        "area(radius)",
        "_ / 2",
        "def area(r): return pi * r * r",
        "area(radius) + sqroot(2)",
        "def volume(r, h): return area(r) * h",
        "def area(a, b): return a * b",
        ":vars",
        "while radius > 0: radius += 1",
        "^C",
    ],
    "looking": [
        "def fma(a: float, b: float, c: float): return a * b + c",
        ":clif fma",
        ":asm --source fma",
        ":explain 5",
        ":time sum(i * i for i in range(1000))",
    ],
}


#: Examples that write a picture, each with what comes after the file's name.
DRAWN = {"mandelbrot": ["320"], "plasma": ["16", "144"]}


def take(name: str, lines: list[str], home: Path) -> str:
    """The picture of a scene, as SVG."""
    height = 60
    with Terminal(home=home, columns=100, lines=height, FORCE_COLOR="1") as terminal:
        terminal.wait("jib>")
        for line in lines:
            if line == "^C":
                terminal.look(0.5)
                terminal.program.sendintr()
                terminal.wait("KeyboardInterrupt")
                terminal.look(0.5)
            elif lines[(lines.index(line) + 1) % len(lines)] == "^C":
                terminal.type(line + "\r")
            else:
                *first, last = line.split("\n")
                for each in first:
                    terminal.type(each + "\r")
                    terminal.look(0.2)
                terminal.say(last)
        return picture(terminal, name)


def picture(terminal: Terminal, title: str) -> str:
    """The screen as it is."""
    screen = terminal.screen
    rows = [screen.buffer[row] for row in range(screen.lines)]
    while rows and not any(rows[-1][column].data.strip() for column in range(screen.columns)):
        rows.pop()
    console = Console(record=True, width=screen.columns, height=len(rows), file=io.StringIO(), color_system="truecolor")
    for row in rows:
        line = Text()
        for column in range(screen.columns):
            line.append(row[column].data, style(row[column]))
        line.rstrip()
        console.print(line, soft_wrap=True)
    return console.export_svg(title=f"python -m jib: {title}", theme=DIMMED_MONOKAI, unique_id=f"jib-{title}")


def style(cell: Any) -> Style:
    """The colours of a cell, in rich's words."""

    def colour(name: str) -> str | None:
        if name == "default":
            return None
        if len(name) == 6 and all(digit in "0123456789abcdef" for digit in name):
            return "#" + name
        return name.replace("bright", "bright_").replace("brown", "yellow").replace("bright_yellow", "bright_yellow")

    return Style(
        color=colour(cell.fg), bgcolor=colour(cell.bg), bold=cell.bold, italic=cell.italics, underline=cell.underscore,
        reverse=cell.reverse,
    )  # fmt: skip


if __name__ == "__main__":
    (HERE / "captures").mkdir(exist_ok=True)
    for name, lines in SCENES.items():
        with tempfile.TemporaryDirectory() as home:
            (HERE / "captures" / f"{name}.svg").write_text(take(name, lines, Path(home)), encoding="utf-8")
        print(f"docs/captures/{name}.svg")
    for name, words in DRAWN.items():
        program = [sys.executable, f"examples/{name}.py", f"docs/captures/{name}.png", *words]
        subprocess.run(program, cwd=HERE.parent, check=True)
