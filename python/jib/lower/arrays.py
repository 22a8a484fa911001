"""Which parameters of the entry the text itself shows to be arrays.

In: the functions of a module in which something tells of arrays (`Unit.arrays`). Out: for each parameter of the first, whether it is
declared as an array, indexed, gone over, asked for its length or shape, part of what is reduced as a whole, or handed to a parameter
of which this is known; if none is, though the text is about arrays, all that are not declared as something else.
Always holds: it is read from the IR, where names are resolved: a `len` of the text's own shows nothing. Names are followed, and variables
that are assigned from them, whatever else is assigned to these. Linear in the instructions.
"""

from __future__ import annotations

from ..light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..ir import Function, Instruction

# Primitives whose first operand is an array; of the views among them the other operands are indices.
VIEWS = frozenset(("subscript", "at", "cut"))
FIRST = VIEWS | {"store", "assign", "len", "iter_len", "shape", "size", "ndim", "transpose"}
# Reductions, of which `min(a, b)` is none, and how many of their operands they reduce: every name in these is meant as a whole.
REDUCED = {
    "sum": 1, "prod": 1, "math.prod": 1, "min": 1, "max": 1, "any": 1, "all": 1, "mean": 1, "argmin": 1, "argmax": 1,
    "count_nonzero": 1, "dot": 2,
}  # fmt: skip

TELLING = FIRST.union(REDUCED)

#: What nothing but an array takes: where the text has one of these, it is about arrays, also if it does not say by which name they come.
ARRAYS_ALONE = FIRST - {"subscript", "len"}

#: A variable, of which parameters are the first: the number of its function, and its own.
Place = tuple[int, int]


def array_parameters(functions: list[Function]) -> list[bool]:
    """For each parameter of the entry, whether it is shown to be an array."""
    shown: dict[Place, None] = {}  # in which order does not matter
    about = False
    # By a variable: those that are assigned to it; by a parameter of who is called, those of callers that are handed to it.
    passed: dict[Place, list[Place]] = {}
    for number, function in enumerate(functions):
        for at, param in enumerate(function.params):
            if param.type is not None and param.type.endswith("]") and not param.type.startswith("tuple"):
                shown[number, at] = None
        telling = [
            (op, args)
            for block in function.blocks
            for op, args, _, _ in block
            if (op == "prim" and args[0] in TELLING) or op in ("call", "set")
        ]
        about = about or any(op == "prim" and args[0] in ARRAYS_ALONE for op, args in telling)
        if telling and function.params:
            _read(number, function, telling, shown, passed)
    waiting = list(shown)
    while waiting:
        for place in passed.pop(waiting.pop(), ()):
            if place not in shown:
                shown[place] = None
                waiting.append(place)
    found = [(0, at) in shown for at in range(len(functions[0].params))]
    if about and not any(found):
        return [param.type is None for param in functions[0].params]
    return found


def _read(
    number: int,
    function: Function,
    telling: list[tuple[str, tuple[Any, ...]]],
    shown: dict[Place, None],
    passed: dict[Place, list[Place]],
) -> None:
    """What these instructions of a function show, and which variables they hand on."""
    instructions = [instruction for block in function.blocks for instruction in block]
    reduced: list[int] = []

    def read(value: int) -> Place | None:
        """The variable that a value is."""
        instruction = instructions[value]
        return (number, instruction.args[0]) if instruction.op == "get" else None

    for op, args in telling:
        if op == "call":
            for at, value in enumerate(args[1:]):
                if place := read(value):
                    passed.setdefault((args[0], at), []).append(place)
        elif op == "set":
            if place := read(args[1]):
                passed.setdefault((number, args[0]), []).append(place)
        elif args[0] in FIRST:
            if place := read(args[1]):
                shown[place] = None
        elif not (args[0] in ("min", "max") and len(args) > 2):  # `min(a, b)` is about numbers
            reduced += args[1 : 1 + REDUCED[args[0]]]
    if reduced:
        shown.update(((number, local), None) for local in _gets(function, instructions, reduced))


def _gets(function: Function, instructions: list[Instruction], values: list[int]) -> Iterator[int]:
    """The locals that are read where these values are made, indices left out."""
    writes: dict[int, list[int]] = {}  # of hidden locals, by which `a if c else b` comes
    for instruction in instructions:
        if instruction.op == "set" and function.locals[instruction.args[0]].startswith(".t."):
            writes.setdefault(instruction.args[0], []).append(instruction.args[1])
    seen: set[int] = set()
    waiting = values
    while waiting:
        value = waiting.pop()
        if value in seen:
            continue
        seen.add(value)
        op, args = instructions[value].op, instructions[value].args
        if op == "get":
            yield args[0]
            waiting += writes.pop(args[0], ())
        elif op == "prim":
            waiting += args[1:2] if args[0] in VIEWS else args[1:]
        elif op in ("call", "extern", "cast"):
            waiting += args[1:]
        elif op == "tuple":
            waiting += args
        elif op == "unpack":
            waiting.append(args[0])
