"""A session whose lines come from a pipe.

In: bytes. Out: values on stdout, what went wrong on stderr, and an exit status: 0 if all went well, 1 if something did not. Always
holds: no banner, no prompt; each text is answered before more is read than it needs; a text that fails stops nothing but itself; of a
line that has no end no more is kept than a text may have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chunks import Chunks
from .console import Console, Quit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    from ..session import Session


def piped(session: Session, stream: IO[bytes] | None) -> int:
    """Answer every line of a pipe; the exit status."""
    console = Console(session)
    longest = session.options.limits.characters
    chunks = Chunks(longest)
    status = 0
    try:
        for number, (line, whole) in enumerate(_lines(stream, 4 * longest), 1):
            text = ""
            if not whole:
                console.complain(f"line {number} is longer than {4 * longest:,} bytes; it is left out")
                status = 1
            else:
                try:
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as problem:
                    console.complain(
                        f"line {number} is not UTF-8: byte {line[problem.start]:#04x} at {problem.start}; it is left out"
                    )
                    status = 1
            status |= _answer(console, chunks.add(text.rstrip("\r\n")))
        status |= _answer(console, chunks.rest())
    except Quit:
        pass
    return status


def _lines(stream: IO[bytes] | None, longest: int) -> Iterator[tuple[bytes, bool]]:
    """The lines of a stream, and whether they are no longer than so many bytes; of those that are, nothing."""
    while stream is not None and (line := stream.readline(longest)):
        whole = len(line) < longest or line.endswith(b"\n")
        yield (line if whole else b""), whole
        while not whole and (line := stream.readline(longest)):
            whole = line.endswith(b"\n")


def _answer(console: Console, texts: Iterable[tuple[int, str]]) -> int:
    """Answer some texts; 1 if one of them fails."""
    went_well = [console.answer(text, "<stdin>", line) for line, text in texts]
    return 0 if all(went_well) else 1
