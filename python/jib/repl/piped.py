"""A session whose lines come from a pipe.

In: bytes. Out: values on stdout, what went wrong on stderr, and an exit status: 0 if all went well, 1 if something did not. Always
holds: no banner, no prompt; each text is answered before more is read than it needs; a text that fails stops nothing but itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chunks import Chunks
from .console import Console, Quit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..session import Session


def piped(session: Session, lines: Iterable[bytes]) -> int:
    """Answer every line of a pipe; the exit status."""
    console = Console(session)
    chunks = Chunks()
    status = 0
    try:
        for number, line in enumerate(lines, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as problem:
                console.complain(
                    f"line {number} is not UTF-8: byte {line[problem.start]:#04x} at {problem.start}; it is left out"
                )
                status = 1
                text = ""
            status |= _answer(console, chunks.add(text.rstrip("\r\n")))
        status |= _answer(console, chunks.rest())
    except Quit:
        pass
    return status


def _answer(console: Console, texts: Iterable[tuple[int, str]]) -> int:
    """Answer some texts; 1 if one of them fails."""
    went_well = [console.answer(text, "<stdin>", line) for line, text in texts]
    return 0 if all(went_well) else 1
