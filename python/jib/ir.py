"""The IR that crosses into Rust: its form in memory and as bytes. docs/ir.md says what it means.

In: what `lower` builds, or the text form (ir_text). Out: the bytes of docs/ir.md, or the text form.
Always holds: an instruction's number is its position in its function, counted through the blocks in order;
`from_text(to_text(module)) == module` where the names of functions, and of the locals of a function, are distinct.
Nothing is verified here: Rust verifies what arrives.
"""

from __future__ import annotations

import struct

from .light import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

MAGIC = b"jib-ir\x00\x02"

Literal = int | float | bool | str | None


class Instruction(NamedTuple):
    """One instruction; `args` by `op`, where values, locals, functions and blocks are numbers:

    const (literal,) · get (local,) · set (local, value) · prim (name, value…) · call (function, value…) · tuple (value…)
    unpack (value, k, n) · cast (type, value) · jump (block,) · branch (value, block, block) · return (value,)
    raise (exception, message or None) · extern (function of the host, value…)
    """

    op: str
    args: tuple[Any, ...]
    start: int
    end: int


Block = list[Instruction]

TERMINATORS = frozenset(("jump", "branch", "return", "raise"))
WITHOUT_RESULT = TERMINATORS | {"set"}


class Parameter(NamedTuple):
    """A parameter; `type` is the text of its annotation."""

    name: str
    type: str | None
    start: int
    end: int


class Function(NamedTuple):
    """A function; the first of its `locals` are its parameters; start and end are where its name stands.

    `returns` is the text of its return annotation, and returns_start and returns_end where that stands (0, 0 without one).
    """

    name: str
    params: list[Parameter]
    returns: str | None
    returns_start: int
    returns_end: int
    locals: list[str]
    blocks: list[Block]
    start: int
    end: int


class Module(NamedTuple):
    """What crosses. Function 0 is the entry; `line_starts` are those of the text, `externs` the names of the host's functions."""

    functions: list[Function]
    line_starts: list[int]
    externs: tuple[str, ...] = ()


OPCODES = {
    "const": 1, "get": 2, "set": 3, "prim": 4, "call": 5, "tuple": 6, "unpack": 7, "cast": 8,
    "jump": 9, "branch": 10, "return": 11, "raise": 12, "extern": 13,
}  # fmt: skip

#: Those that have numbers alone, always as many.
NUMBERS = {op: OPCODES[op] for op in ("get", "set", "unpack", "jump", "branch", "return")}

_double = struct.Struct("<d")
_quad = struct.Struct("<Q")


class _Pools:
    """The constants and strings met so far, each with its index."""

    __slots__ = ("constants", "strings")

    def __init__(self) -> None:
        self.constants: dict[int, int] = {}
        self.strings: dict[str, int] = {}

    def string(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings))

    def optional(self, text: str | None) -> int:
        return 0 if text is None else self.strings.setdefault(text, len(self.strings)) + 1

    def constant(self, bits: int) -> int:
        return self.constants.setdefault(bits, len(self.constants))

    def literal(self, value: Literal) -> tuple[int, int]:
        """Kind and payload."""
        kind = type(value)
        if kind is int:
            return 2, self.constant(value & 0xFFFFFFFFFFFFFFFF)  # type: ignore[operator]
        if kind is float:
            return 3, self.constant(_quad.unpack(_double.pack(value))[0])
        if kind is bool:
            return 1, int(value)  # type: ignore[arg-type]
        if value is None:
            return 0, 0
        return 4, self.string(value)  # type: ignore[arg-type]


def encode(module: Module) -> bytes:
    """The bytes of docs/ir.md."""
    pools = _Pools()
    functions, line_starts, externs = module
    words = [len(line_starts), *line_starts, len(externs), *map(pools.string, externs), len(functions)]
    for function in functions:
        _encode_function(function, pools, words)
    strings = [*map(str.encode, pools.strings)]
    texts = b"".join(strings)
    constants, lengths = pools.constants, map(len, strings)
    counts = len(words), len(constants), len(strings), len(texts)
    form = f"<{4 + len(words)}I{len(constants)}Q{len(strings)}I"
    return MAGIC + struct.pack(form, *counts, *words, *constants, *lengths) + texts


def _encode_function(function: Function, pools: _Pools, words: list[int]) -> None:
    strings, optional = pools.strings, pools.optional
    string = strings.setdefault  # as `pools.string`, which takes longer to call
    name, params, returns, returns_start, returns_end, locals, blocks, start, end = function
    words += (string(name, len(strings)), start, end, len(params))
    for name, type, start, end in params:
        words += (string(name, len(strings)), optional(type), start, end)
    words += (optional(returns), returns_start, returns_end, len(locals))
    words += [string(name, len(strings)) for name in locals]
    words.append(len(blocks))
    for block in blocks:
        words.append(len(block))
        for op, args, start, end in block:
            if op in NUMBERS:
                words += (NUMBERS[op], start, end, *args)
            elif op == "prim":
                words += (4, start, end, string(args[0], len(strings)), len(args) - 1, *args[1:])
            elif op == "const":
                words += (1, start, end, *pools.literal(args[0]))
            elif op == "call":
                words += (5, start, end, args[0], len(args) - 1, *args[1:])
            elif op == "extern":
                words += (13, start, end, args[0], len(args) - 1, *args[1:])
            elif op == "tuple":
                words += (6, start, end, len(args), *args)
            elif op == "cast":
                words += (8, start, end, string(args[0], len(strings)), args[1])
            else:  # raise
                words += (12, start, end, string(args[0], len(strings)), optional(args[1]))


def to_text(module: Module) -> str:
    """The text form of docs/ir.md."""
    from . import ir_text  # who only compiles never needs it

    return ir_text.write(module)


def from_text(text: str) -> Module:
    """Read the text form back; ValueError, with the line, on anything else."""
    from . import ir_text

    return ir_text.read(text)
