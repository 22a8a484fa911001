"""Arguments that hurt: the edges of each type, and what lies around them.

In: a random number generator, types "i", "f", "b" and the sized ones, and whether the program is tame. Out: values.
"""

from __future__ import annotations

import math
import struct
from random import Random

from .model_runtime import to_f32
from .model_types import LEAST, MOST

INTS = sorted({
    sign * (1 << power) + near
    for power in (0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 52, 53, 54, 61, 62)
    for sign in (-1, 1)
    for near in (-1, 0, 1)
} | {0, 10, -10, 25, 63, 64, 65, 100, -100, 3037000499, 3037000500, (1 << 63) - 1, -(1 << 63), -(1 << 63) + 1})  # fmt: skip
SMALL = (0, 1, -1, 2, -2, 3, 4, 5, 7, 10, -3)
FLOATS = [
    x * sign
    for sign in (1.0, -1.0)
    for x in (
        0.0, 1.0, 2.0, 3.0, 0.5, 1.5, 2.5, 3.5, 0.1, 1e-5, 7.25, 100.0, math.pi, math.e, 709.78, 710.0, 745.2, 170.0, 171.7,
        2.0**31, 2.0**32, 2.0**52, 2.0**52 + 0.5, 2.0**53, 2.0**53 - 1, 2.0**62, 2.0**63, 2.0**63 - 1024, 2.0**64, 1e16, 1e22, 1e23,
        1e100, 1e154, 1.4e154, 1e300, 1.7976931348623157e308, 5e-324, 1e-310, 2.2250738585072014e-308, 1e-300, 1e-154,
        0.9999999999999999, 1.0000000000000002, 0.49999999999999994, math.inf,
    )
] + [math.nan]  # fmt: skip


TAME = (
    0.0,
    1.0,
    -1.0,
    0.5,
    1.5,
    2.5,
    -0.5,
    -0.0,
    0.1,
    3.0,
    -7.25,
    100.0,
    0.49999999999999994,
    math.pi,
    5e-324,
    math.inf,
    math.nan,
)


def value(random: Random, ty: str, tame: bool) -> int | float | bool:
    """One argument of a type."""
    dice = random.random()
    if ty == "b":
        return dice < 0.5
    if ty in MOST and ty != "i":
        edges = (LEAST[ty], MOST[ty], MOST[ty] // 2, 0, 1, 2, 3, 5, 7, 10)
        return edges[random.randrange(3 if dice < 0.2 else len(edges))]
    if ty == "i":
        if tame and dice < 0.7:
            return random.choice(SMALL)
        if dice < 0.45:
            return random.choice(SMALL)
        return random.choice(INTS) if dice < 0.9 else random.getrandbits(64) - (1 << 63)
    if ty == "f32":
        return to_f32(value(random, "f", tame))
    if dice < 0.25:
        return float(random.choice(SMALL))
    if dice < 0.85:
        return random.choice(TAME if tame and dice < 0.6 else FLOATS)
    if dice < 0.95:
        return random.uniform(-10, 10)
    return float(struct.unpack("<d", struct.pack("<Q", random.getrandbits(64)))[0])


def arguments(random: Random, types: tuple[str, ...], tame: bool) -> tuple[int | float | bool, ...]:
    return tuple([value(random, ty, tame) for ty in types])
