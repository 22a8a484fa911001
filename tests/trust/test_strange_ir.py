"""IR that no text becomes means the same on every engine, and reads nothing outside of its arrays.

The passes know the shapes of loops that our own lowering makes, and what follows from them; a frontend's IR may look alike and mean
something else. So functions over arrays are changed: where they jump, their constants, operators, operands, variables. They are run by
the interpreter, which tests every index and knows no passes, and by native code.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

import jib
from jib import ir
from jib.frontend import Builder
from jib.lower import lower
from jib.parse import parse
from jib.source import Source

np = pytest.importorskip("numpy")

pytestmark = pytest.mark.usefixtures("verified")

ROUNDS = int(os.environ.get("JIB_TRUST_ROUNDS", "1500"))

PROGRAMS = [
    "t = 0.0\nfor i in range(len(x)):\n    t += x[i]\nt",
    "t = 0.0\nfor i in range(1, len(x) - 1, 2):\n    t += x[i - 1] + x[i + 1]\nt",
    "if len(x) < 3: raise ValueError('s')\nt = 0.0\nfor i in range(3):\n    t += x[i]\nt",
    "for i in range(len(x)):\n    x[i] = x[i] * 2 + y[i]\nx[0]",
    "t = 0.0\ni = 0\nwhile i < len(x):\n    t += x[i]\n    i += 1\nt",
    "t = 0.0\nfor v, w in zip(x, y):\n    t += v * w\nt",
    "for i in range(len(x) - 1, -1, -1):\n    if x[i] > 2: y[i] = 1.0\n    else: y[len(x) - 1 - i] += 1\ny[2]",
    "lo = 0\nhi = len(x)\nwhile lo < hi:\n    m = (lo + hi) // 2\n    if x[m] < 3.5: lo = m + 1\n    else: hi = m\nlo",
    "n = min(len(x), len(y))\nt = 0.0\nfor i in range(n):\n    for j in range(i):\n        t += x[j] * y[i]\nt",
    "s = 0.0\nfor i in range(0, len(x), 3):\n    s += x[i]\nfor k, v in enumerate(y):\n    s -= x[k % 3] + v\ns",
    "for i in range(len(x)):\n    if x[i] > y[i]: x[i] = y[i] + 1\nx[0]",
    "for i in range(1, len(x)):\n    y[i] = x[i - 1] * 2 + x[i]\ny[1]",
    "for k in range(3):\n    for i in range(len(x)):\n        x[i] = min(x[i], y[k] + x[k])\nx[1]",
    "t = x[0]\nfor i in range(7, 1, -2):\n    t += x[i]\nt + sum(x[1:] * y[:-1])",
]
CONSTANTS = (0, 1, 2, 3, 4, 7, 100, 10**6, -1, -2, 2**62, 2**63 - 1, -(2**63))
PRIMITIVES = (
    "add", "sub", "mul", "floordiv", "mod", "min", "max", "neg", "not", "lt", "le", "gt", "ge", "ne", "eq",
    "next_index", "as_index", "range_count", "subscript", "iter_len", "len",
)  # fmt: skip


def change(draw: random.Random, function: ir.Function) -> None:
    """One change of the blocks, in place."""
    blocks = function.blocks
    at, what = draw.randrange(len(blocks)), draw.randrange(8)
    number = draw.randrange(len(blocks[at]))
    each = blocks[at][number]
    if what <= 2:  # where it goes
        end = blocks[at][-1]
        targets = [draw.randrange(1, len(blocks)) for _ in end.args]
        if end.op == "jump":
            blocks[at][-1] = end._replace(args=(targets[0],))
        elif end.op == "branch":
            value, yes, no = end.args
            blocks[at][-1] = end._replace(
                args=draw.choice([(value, targets[0], no), (value, yes, targets[0]), (value, no, yes)])
            )
    elif what == 3:
        other = draw.randrange(len(blocks))
        blocks[at][-1], blocks[other][-1] = blocks[other][-1], blocks[at][-1]
    elif what == 4 and each.op == "const" and type(each.args[0]) is int:
        blocks[at][number] = each._replace(args=(draw.choice(CONSTANTS),))
    elif what == 5 and each.op == "prim" and each.args[0] in PRIMITIVES:
        blocks[at][number] = each._replace(args=(draw.choice(PRIMITIVES), *each.args[1:]))
    elif what == 6 and each.op in ("get", "set"):
        blocks[at][number] = each._replace(args=(draw.randrange(len(function.locals)), *each.args[1:]))
    elif what == 7 and each.op == "prim" and len(each.args) > 1:
        args = list(each.args)
        operand = draw.randrange(1, len(args))
        args[operand] = max(0, args[operand] + draw.choice((-3, -2, -1, 1)))
        blocks[at][number] = each._replace(args=tuple(args))


AROUND = 777.0


def arrays(kind: int) -> tuple[Any, Any]:
    """Two arrays, around the first of which stands what nobody may read or write: short, shorter, and long enough for vectors."""
    first, count = 100, (8, 5, 200)[kind]
    around = np.full(first + count + 100, AROUND)
    around[first : first + count] = np.arange(float(count)) % 7
    return around[first : first + count], np.arange(float(count))[::-1].copy()


def outcome(function: jib.Function, kind: int) -> Any:
    x, y = arrays(kind)
    try:
        answer = repr(function(x, y))
    except jib.InternalError:
        raise
    except jib.BudgetError:
        answer = "budget"
    except Exception as problem:
        answer = repr((type(problem), str(problem), getattr(problem, "__notes__", None)))
    assert (x.base[:100] == AROUND).all() and (x.base[-100:] == AROUND).all()
    # How far it came when its fuel was spent, whole arrays count differently with passes and without.
    return answer if answer == "budget" else (answer, x.tobytes(), y.tobytes())


def compiled(functions: ir.Function | list[ir.Function], text: str) -> list[jib.Function]:
    """The function on the interpreter, and as native code without and with the passes."""
    ways = (("interpreter", "none"), ("native", "none"), ("native", "speed"))
    return [jib.compile_ir(functions, text, engine=engine, opt_level=level, fuel=600) for engine, level in ways]


def test_changed_functions_mean_the_same_everywhere() -> None:
    draw = random.Random(int(os.environ.get("JIB_TRUST_SEED", "1")))
    originals = [
        (text, lower(parse(source), source, ["x", "y"]).module.functions)
        for text in PROGRAMS
        for source in [Source(text)]
    ]
    ran = 0
    for _ in range(ROUNDS):
        text, functions = draw.choice(originals)
        made = functions[0]._replace(blocks=[list(block) for block in functions[0].blocks])
        for _ in range(draw.choice((1, 1, 2, 2, 3, 4))):
            change(draw, made)
        try:
            engines = compiled([made, *functions[1:]], text)
        except (ValueError, TypeError):  # not whole, or a CompileError
            continue
        for kind in (0, 1, 2):
            first, *others = [outcome(engine, kind) for engine in engines]
            assert others == [first, first], engines[0].dump("ir")
            ran += 1
    assert ran > ROUNDS // 2


@pytest.mark.parametrize("counted", ["constant", "range"])
def test_a_range_that_goes_on_behind_its_end(counted: str) -> None:
    """A loop as `range` is lowered, but that its end leads back to its head: it counts on, beyond what range would give."""
    here = (0, 1)
    f = Builder("f", ["x", "y"])
    total, i, left = f.local("total"), f.local("i"), f.local("left")
    short, long, head, body, after, on, end = [f.label() for _ in range(7)]

    def const(value: float) -> int:
        return f.const(value, here)

    def get(local: int) -> int:
        return f.get(local, here)

    def prim(name: str, *values: int) -> int:
        return f.prim(name, values, here)

    def step() -> None:
        f.set(i, prim("next_index", get(i), one), here)
        f.set(left, prim("next_index", get(left), const(-1)), here)
        f.jump(head, here)

    one, three = const(1), const(3)
    f.set(total, const(0.0), here)
    f.branch(prim("lt", prim("len", get(0)), three), short, long, here)
    f.place(short)
    f.leave(const(0.0), here)
    f.place(long)
    f.set(i, const(0), here)
    f.set(left, three if counted == "constant" else prim("range_count", const(0), three, one), here)
    f.jump(head, here)
    f.place(head)
    f.branch(prim("ne", get(left), const(0)), body, after, here)
    f.place(body)
    f.set(total, prim("add", get(total), prim("subscript", get(0), get(i))), here)
    step()
    f.place(after)
    f.branch(prim("gt", get(i), const(100)), end, on, here)
    f.place(on)
    step()
    f.place(end)
    f.leave(get(total), here)
    for function in compiled(f.finish(), "?"):
        with pytest.raises(IndexError):
            function(*arrays(0))
