"""A text of a session, taken apart.

In: a text and its tree. Out: runs of statements that go together, the text of each as a definition has it, and the names that it surely
assigns. Always holds: what comes first in the text comes first here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..syntax import AnnAssign, Assign, AugAssign, If, Name, Tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..source import Source
    from ..syntax import Body, Program, Stmt


class Cut:
    """Parts of a text, as definitions have them."""

    def __init__(self, source: Source, program: Program) -> None:
        self.source = source
        self.body = program.body
        line, column = source.position(program.span[0])
        self.indent = source.line(line)[: column - 1]
        self.kept: set[int] = set()
        if self.indent:
            from ..origin import inside_texts

            self.kept = inside_texts(source.text)

    def groups(self) -> Iterator[tuple[bool, Body]]:
        """Whether they are definitions, and the statements: definitions that follow each other, which see each other, and what stands
        between."""
        from ..lower.scan import helper_name

        body, at = self.body, 0
        while at < len(body):
            end = at + 1
            defines = helper_name(body[at]) is not None
            while end < len(body) and (helper_name(body[end]) is not None) == defines:
                end += 1
            yield defines, body[at:end]
            at = end

    def part(self, body: tuple[Stmt, ...]) -> tuple[str, str, int, tuple[int, ...]]:
        """The text of some statements; the file, line and columns where it stands."""
        source = self.source
        start, end = body[0].span[0], body[-1].span[1]
        line, column = source.position(start)
        lines = source.text[start:end].split("\n")
        columns = [column - 1]
        width = len(self.indent)
        for at in range(1, len(lines)):
            strip = line + at not in self.kept and lines[at].startswith(self.indent)
            columns.append(width if strip else 0)
            lines[at] = lines[at][columns[-1] :]
        place = source.place(start)
        return "\n".join(lines), place.name, place.line, tuple(columns)


def surely_assigned(body: Body, depth: int = 50) -> set[str]:
    """Names that statements assign for sure, if they end; not all of them."""
    from ..lower.scan import target_names

    found: set[str] = set()
    for statement in body:
        targets: tuple[Name | Tuple | Any, ...] = ()
        if type(statement) is Assign:
            targets = statement.targets
        elif type(statement) is AugAssign or (type(statement) is AnnAssign and statement.value is not None):
            targets = (statement.target,)
        elif type(statement) is If and statement.orelse and depth:
            ways = [*[each for _, each in statement.branches], statement.orelse]
            found |= set.intersection(*[surely_assigned(way, depth - 1) for way in ways])
        found.update([name.id for target in targets for name in target_names(target)])
    return found
