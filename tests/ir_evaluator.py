"""A slow, obvious evaluator of the IR, with Python's own values: what the lowering means, without types and machines.

In: an ir.Module and arguments, of which arrays are those of NumPy, or lists. Out: what the entry returns, raises and prints.
Always holds: it knows docs/ir.md and nothing of how the IR was made; an operand that was not made on the way taken is a KeyError.
"""

from __future__ import annotations

import builtins
import math
import operator

from jib import ir


def _place(axis: int, part: object) -> object:
    """What stands in `[…]` for a part of an index; lists, which have one axis, take no tuples."""
    return (slice(None),) * axis + (part,) if axis else part


def _assign(view: object, value: object) -> None:
    view[:] = value  # type: ignore[index]


PRIMITIVES = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "power": operator.pow,
    "and_": operator.and_,
    "or_": operator.or_,
    "xor": operator.xor,
    "lshift": operator.lshift,
    "rshift": operator.rshift,
    "iadd": operator.iadd,
    "isub": operator.isub,
    "imul": operator.imul,
    "itruediv": operator.itruediv,
    "ifloordiv": operator.ifloordiv,
    "imod": operator.imod,
    "ipower": operator.ipow,
    "iand_": operator.iand,
    "ior_": operator.ior,
    "ixor": operator.ixor,
    "ilshift": operator.ilshift,
    "irshift": operator.irshift,
    "neg": operator.neg,
    "pos": operator.pos,
    "invert": operator.invert,
    "not": operator.not_,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
    "as_index": operator.index,
    "range_count": lambda start, stop, step: len(range(start, stop, step)),
    "next_index": lambda index, step: (index + step + 2**63) % 2**64 - 2**63,
    "subscript": lambda container, *index: container[index[0] if len(index) == 1 else index],
    "at": lambda container, axis, index: container[_place(axis, operator.index(index))],
    "cut": lambda container, axis, start, stop, step: container[_place(axis, slice(start, stop, step))],
    "store": lambda container, value, *index: operator.setitem(
        container, index[0] if len(index) == 1 else index, value
    ),
    "assign": _assign,
    "iter_len": len,
    "shape": operator.attrgetter("shape"),
    "size": operator.attrgetter("size"),
    "ndim": operator.attrgetter("ndim"),
    "transpose": operator.attrgetter("T"),
    "dot": lambda a, b: a.dot(b),
    **{name: operator.methodcaller(name) for name in ("mean", "argmin", "argmax")},
    "math.pow": math.pow,
    "isclose": lambda a, b, rel, abs_: math.isclose(a, b, rel_tol=rel, abs_tol=abs_),
    "where": lambda condition, x, y: x if condition else y,
    **{name: getattr(math, name) for name in ("sin", "sqrt", "exp", "log", "floor", "gcd", "hypot", "prod", "atan2")},
    **{
        function.__name__: function
        for function in (abs, min, max, round, int, float, bool, pow, divmod, len, sum, any, all)
    },
}
CASTS = {"int": int, "float": float, "bool": bool, "None": lambda value: value}
STEPS = 200_000


def evaluate(module: ir.Module, *args: object) -> tuple[object, str]:
    """What the entry returns for these arguments, and what it printed."""
    printed: list[str] = []
    return _call(module, 0, args, printed), "".join(printed)


def _call(module: ir.Module, number: int, args: tuple[object, ...], printed: list[str]) -> object:
    function = module.functions[number]
    assert len(args) == len(function.params), "a call passes all parameters"
    variables: dict[int, object] = dict(enumerate(args))
    starts = [0]
    for block in function.blocks:
        starts.append(starts[-1] + len(block))
    values: dict[int, object] = {}
    block = 0
    for _ in range(STEPS):
        result: object = None
        for position, instruction in enumerate(function.blocks[block], starts[block]):
            op, operands = instruction.op, instruction.args
            if op == "const":
                result = operands[0]
            elif op == "get":
                if operands[0] not in variables:
                    raise UnboundLocalError(function.locals[operands[0]])
                result = variables[operands[0]]
            elif op == "set":
                variables[operands[0]] = values[operands[1]]
            elif op == "prim":
                result = _primitive(operands[0], [values[each] for each in operands[1:]], printed)
            elif op == "call":
                result = _call(module, operands[0], tuple(values[each] for each in operands[1:]), printed)
            elif op == "tuple":
                result = tuple(values[each] for each in operands)
            elif op == "unpack":
                parts = values[operands[0]]
                assert hasattr(parts, "__len__")  # a tuple, or a row of an array
                if len(parts) != operands[2]:
                    raise ValueError("unpack")
                result = parts[operands[1]]  # type: ignore[index]
            elif op == "cast":
                result = CASTS[operands[0]](values[operands[1]])  # type: ignore[operator]
            elif op == "jump":
                block = operands[0]
            elif op == "branch":
                block = operands[1] if values[operands[0]] else operands[2]
            elif op == "return":
                value = values[operands[0]]
                return value if function.returns is None else CASTS[function.returns](value)  # type: ignore[operator]
            elif op == "raise":
                exception = getattr(builtins, operands[0])
                raise exception() if operands[1] is None else exception(operands[1])
            values[position] = result
    raise TimeoutError("the program does not end")


def _primitive(name: str, operands: list[object], printed: list[str]) -> object:
    if name == "print":
        sep, end, *values = operands
        printed.append(str(sep).join(map(str, values)) + str(end))
        return None
    return PRIMITIVES[name](*operands)


def verify(module: ir.Module) -> None:
    """What Rust will ask: each block ends in its only terminator, all are reached, operands have results and dominate their uses."""
    for function in module.functions:
        assert [param.name for param in function.params] == function.locals[: len(function.params)]
        assert len(set(function.locals)) == len(function.locals), "a local has a name of its own"
        owner: list[int] = []
        follows: list[set[int]] = [set() for _ in function.blocks]  # by block: who jumps to it
        for number, block in enumerate(function.blocks):
            owner += [number] * len(block)
            assert [each.op in ir.TERMINATORS for each in block] == [False] * (len(block) - 1) + [True]
            for target in _targets(block[-1]):
                follows[target].add(number)
        assert not follows[0], "nobody jumps to the start"
        everything = set(range(len(function.blocks)))
        dominators = [{0}] + [set(everything) for _ in function.blocks[1:]]
        changed = True
        while changed:
            changed = False
            for number in range(1, len(function.blocks)):
                assert follows[number], "every block is reached"
                found = set.intersection(*[dominators[each] for each in follows[number]]) | {number}
                changed = changed or found != dominators[number]
                dominators[number] = found
        instructions = [each for block in function.blocks for each in block]
        for position, instruction in enumerate(instructions):
            for value in _values(instruction):
                assert instructions[value].op not in ir.WITHOUT_RESULT
                assert (
                    value < position if owner[value] == owner[position] else owner[value] in dominators[owner[position]]
                )


def _targets(terminator: ir.Instruction) -> tuple[int, ...]:
    return {"jump": terminator.args, "branch": terminator.args[1:]}.get(terminator.op, ())


def _values(instruction: ir.Instruction) -> tuple[int, ...]:
    op, args = instruction.op, instruction.args
    if op in ("prim", "call", "set", "cast"):
        return args[1:]
    if op == "tuple":
        return args
    return args[:1] if op in ("unpack", "branch", "return") else ()


def _rows() -> list[tuple[object, ...]]:
    unary = "sin sqrt exp floor sign isnan"
    rows: list[tuple[object, ...]] = [(name, (), "x, /", "") for name in unary.split()]
    rows += [
        ("abs", ("absolute",), "x, /", ""),
        ("min", (), "*args", ""),
        ("max", (), "*args", ""),
        ("round", (), "number, ndigits=None", ""),
        ("int", (), "x=0, /", ""),
        ("float", ("f64", "double"), "x=0.0, /", ""),
        ("bool", (), "x=False, /", ""),
        ("pow", (), "base, exp, mod=None", ""),
        ("divmod", (), "a, b, /", ""),
        ("len", (), "x, /", ""),
        ("sum", (), "x, /, start=0", ""),
        ("prod", (), "x, /, *, start=1", ""),
        ("mean", (), "x, /", ""),
        ("dot", (), "a, b, /", ""),
        ("argmin", (), "x, /", ""),
        ("argmax", (), "x, /", ""),
        ("count_nonzero", (), "x, /", ""),
        ("any", (), "x, /", ""),
        ("all", (), "x, /", ""),
        ("print", (), "*args, sep=' ', end='\\n'", ""),
        ("asin", ("arcsin",), "x, /", ""),
        ("log", (), "x, base=None, /", ""),
        ("atan2", ("arctan2",), "y, x, /", ""),
        ("hypot", (), "*coordinates", ""),
        ("gcd", (), "*integers", ""),
        ("math.pow", (), "x, y, /", ""),
        ("isclose", (), "a, b, *, rel_tol=1e-09, abs_tol=0.0", ""),
        ("where", (), "condition, x, y", ""),
        ("pi", (), "=", "", math.pi),
        ("e", (), "=", "", math.e),
        ("inf", (), "=", "", math.inf),
        ("nan", (), "=", "", math.nan),
    ]
    return rows


ROWS = _rows()
"""Some rows of the table of builtins, so that the lowering can be tested without the extension."""
