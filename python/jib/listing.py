"""A text to read that was made of a program, and the way back from each of its lines.

In: lines, each with the span of the source that it came from. Out: a `Listing`, which is a str. Always holds: there is one place, or
None, for each line; what is quoted of the source is escaped where it could drive a terminal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .highlight import visible
from .source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterable


class Listing(str):
    """What `Function.dump` gives: a str that knows its `stage`, its `source`, and in `places` for each line the span it came from.

    >>> from jib import compile
    >>> listing = compile("a + b*c").dump("typed-ir", "(int, int, int)")
    >>> listing.stage, listing.places[2], listing.source.text[slice(*listing.places[2])]
    ('typed-ir', Span(start=4, end=7), 'b*c')
    """

    __slots__ = ("stage", "source", "places")

    stage: str
    source: Source
    places: tuple[Span | None, ...]

    def __new__(cls, text: str, stage: str, source: Source, places: Iterable[Span | None]) -> Listing:
        self = super().__new__(cls, text)
        self.stage, self.source, self.places = stage, source, tuple(places)
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return str(self), self.stage, self.source, self.places

    def explain(self, at: int | str) -> str:
        """The text that a line came from: its place, the line of the source, and carets under what it was.

        `at` is the number of a line of this listing, counted from 1; or the name of what an instruction defines, such as "%5" or "v12";
        or in "asm" the address of an instruction, such as "0x1f". Raises ValueError for what is none of these, IndexError for a
        line that there is not, and LookupError for a line that came from nothing in the text, for a name that nothing defines,
        and for one that several functions define.

        >>> from jib import compile
        >>> print(compile("a + b*c").dump("typed-ir", "(int, int, int)").explain("%3"))
        <jib>:1:5
        a + b*c
            ^^^
        """
        number = at if isinstance(at, int) else self._line_of(at)
        lines = self.split("\n")
        if not 1 <= number <= len(lines):
            raise IndexError(f"there is no line {number}: the listing has {len(lines)}")
        span = self.places[number - 1]
        if span is None:
            raise LookupError(f"line {number} came from nothing in the text: {lines[number - 1].strip()}")
        place = self.source.place(span.start)
        line, column = self.source.position(span.start)
        text = self.source.line(line).rstrip("\r")
        # A span over several lines is marked on its first, an empty one by one caret.
        end = min(column - 1 + span.end - span.start, len(text))
        before, marked = visible(text[: column - 1]), visible(text[column - 1 : end])
        under = "".join(["\t" if character == "\t" else " " for character in before])
        return f"{visible(place.name)}:{place.line}:{place.column}\n{visible(text)}\n{under}{'^' * max(1, len(marked))}"

    def svg(self, timeout: float = 30.0) -> str:
        """The graph of "cfg" as an SVG, drawn by Graphviz's program `dot`.

        Raises ValueError for another stage, FileNotFoundError where there is no `dot` on PATH, TimeoutError when it needs more than so
        many seconds, and RuntimeError, with its words, when it fails.
        """
        if self.stage != "cfg":
            raise ValueError(f"only 'cfg' is a graph, not {self.stage!r}")
        from . import graphviz

        return graphviz.svg(self, timeout)

    def _repr_html_(self) -> str:
        from . import highlight

        return highlight.html(self, self.stage)

    def _line_of(self, name: str) -> int:
        """The line that defines a name, or has an address."""
        if re.fullmatch(r"%\d+|v\d+", name):
            # At its begin, before others that a call defines too; or among the parameters of a function or a block.
            first = rf"\s*(?:@\S+ +)?(?:v\d+, )*{name}(?:, v\d+)* = "
            pattern = rf'{first}|\s*(?:func |block\d+\()[^;"]*(?<![\w%]){name}: '
        elif self.stage == "asm" and re.fullmatch(r"(?:0x)?[0-9a-fA-F]{1,16}", name):
            pattern = rf" *{int(name, 16):x}  "
        else:
            raise ValueError(
                f"{name!r:.80} is not the number of a line, nor a name such as %5 or v12, nor an address such as 0x1f in 'asm'"
            )
        compiled = re.compile(pattern)
        found = [number for number, line in enumerate(self.split("\n"), 1) if compiled.match(line)]
        placed = [number for number in found if self.places[number - 1] is not None] or found
        if not placed:
            raise LookupError(f"nothing in this listing is {name}")
        if len(placed) > 1:
            raise LookupError(f"{name} stands on several lines, one in each function: {', '.join(map(str, placed))}")
        return placed[0]


def listing(lines: Iterable[tuple[str, Span | None]], stage: str, source: Source) -> Listing:
    """A listing of lines, each with its place."""
    texts, places = zip(*lines)
    return Listing("\n".join(texts), stage, source, places)


def beside_source(code: Listing) -> Listing:
    """The same with the lines of the source, each above the code that came from it, wherever that changes.

    >>> from jib import compile
    >>> print(beside_source(compile("b = a * 2\\nb + 1").dump("typed-ir", "(float)")))
    ; 1 | b = a * 2
    func <suite>(%0: float) -> float        ; 1:1
    block0(%0: float):
      %1 = const float 2.0                  ; 1:5
      %2 = mul.float %0, %1                 ; 1:5
    ; 2 | b + 1
      %3 = const float 1.0                  ; 2:1
      %4 = add.float %2, %3                 ; 2:1
      return %4                             ; 2:1
    """
    source = code.source
    width = len(str(len(source.line_starts)))
    lines: list[tuple[str, Span | None]] = []
    shown = 0
    for text, span in zip(code.split("\n"), code.places):
        line = shown if span is None else source.position(span.start)[0]
        if line != shown:
            shown = line
            start, written = source.line_starts[line - 1], source.line(line).rstrip("\r")
            above = f"; {line:{width}} | {visible(written)}"
            if source.origins is not None:
                place = source.place(start)
                above = f"{above:<39} ; {visible(place.name)}:{place.line}"
            lines.append((above.rstrip(), Span(start, start + len(written))))
        lines.append((text, span))
    return listing(lines, code.stage, source)
