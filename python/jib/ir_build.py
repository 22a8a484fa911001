"""What makes the instructions of one function, whoever asks for them: the lowering, or a frontend of somebody else's.

In: calls of `prim`, `get`, `branch` … in the order of evaluation. Out: blocks, as `ir.Function` has them.
Always holds: instructions are numbered in the order they are made; what is made after a terminator and before the next label
that something jumps to is unreachable and dropped.
"""

from __future__ import annotations

from .ir import Instruction
from .light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .ir import Block

    #: Where in the text, as offsets: a `source.Span`, or any pair.
    Where = tuple[int, int]

_new = tuple.__new__  # half the time of calling the class


class Code:
    """The instructions of one function in the making. Labels, locals and values are numbers; the first locals are the parameters."""

    __slots__ = ("locals", "count", "code", "blocks", "dead", "reached", "places", "wanted")

    def __init__(self, locals: list[str]) -> None:
        self.locals = locals
        self.count = 0
        self.code: Block = []
        self.blocks: list[Block] = [self.code]
        self.dead = False
        self.reached = 0  # while dead: the number of the next instruction that will be kept
        self.places: list[int] = []  # of labels: the number of its block, or -1
        self.wanted: list[bool] = []  # of labels: whether something jumps there

    # ------------------------------------------------------------------------------------------ instructions

    def emit(self, op: str, args: tuple[Any, ...], span: Where) -> int:
        """Any instruction; its number."""
        number = self.count
        self.count = number + 1
        self.code.append(_new(Instruction, (op, args, span[0], span[1])))
        return number

    def const(self, value: Any, span: Where) -> int:
        """A constant: an int of 64 bits, a float, a bool, None, or a str that `print` takes."""
        return self.emit("const", (value,), span)

    def prim(self, name: str, values: Sequence[int], span: Where) -> int:
        """A primitive, by its name in the table of builtins or in docs/ir.md."""
        return self.emit("prim", (name, *values), span)

    def get(self, local: int, span: Where) -> int:
        """Read a local."""
        return self.emit("get", (local,), span)

    def set(self, local: int, value: int, span: Where) -> None:
        """Write a local."""
        self.emit("set", (local, value), span)

    def local(self, like: str) -> int:
        """A further local, whose name no text can use and nothing else has: like `i.3`."""
        self.locals.append(f"{like}.{len(self.locals)}")
        return len(self.locals) - 1

    # -------------------------------------------------------------------------------------------- control flow

    def label(self) -> int:
        """A place to jump to, not yet known where."""
        self.places.append(-1)
        self.wanted.append(False)
        return len(self.places) - 1

    def place(self, label: int) -> None:
        """The label is here. The block before has ended; if nothing has jumped to the label yet, nothing will reach it."""
        if self.wanted[label]:
            self.dead = False
            self.count = self.reached
            self.places[label] = len(self.blocks)
            self.code = []
            self.blocks.append(self.code)

    def jump(self, label: int, span: Where) -> None:
        """End the block: go to the label."""
        if not self.dead:
            self.wanted[label] = True
        self.end("jump", (label,), span)

    def branch(self, value: int, yes: int, no: int, span: Where) -> None:
        """End the block: go to `yes` if the value is true, else to `no`."""
        if not self.dead:
            self.wanted[yes] = self.wanted[no] = True
        self.end("branch", (value, yes, no), span)

    def leave(self, value: int, span: Where) -> None:
        """End the block: return the value."""
        self.end("return", (value,), span)

    def throw(self, exception: str, message: str | None, span: Where) -> None:
        """End the block: raise a builtin exception."""
        self.end("raise", (exception, message), span)

    def end(self, op: str, args: tuple[Any, ...], span: Where) -> None:
        """End the block with this terminator."""
        self.emit(op, args, span)
        if not self.dead:
            self.dead = True
            self.reached = self.count
        self.code = []  # of no block: dropped, unless a label is placed

    def settle(self, blocks: list[Block]) -> list[Block]:
        """Make the labels in these blocks the numbers of blocks; the same list."""
        places = self.places
        if not places:
            return blocks
        for block in blocks:
            op, args, start, end = block[-1]
            if op == "jump":
                block[-1] = Instruction(op, (places[args[0]],), start, end)
            elif op == "branch":
                block[-1] = Instruction(op, (args[0], places[args[1]], places[args[2]]), start, end)
        return blocks
