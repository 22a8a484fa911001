"""Writes numpy_types.txt: the types that NumPy gives to each primitive, for types/rules/tests.rs.

A row is a primitive, the types of its operands, and the type of its result, `-` where NumPy refuses. `pybool pyint pyfloat` are
Python's numbers, which give way.
"""

import contextlib
import operator
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")
TYPES = ["bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64"]
WEAK = {"pybool": True, "pyint": 2, "pyfloat": 2.0}
NAMES = {"i": "int", "u": "uint", "f": "float"}


def array(name):
    if name in WEAK:
        return WEAK[name]
    return np.ones(1, name if name == "bool" else NAMES[name[0]] + str(int(name[1:])))


def short(dtype):
    return "bool" if dtype.kind == "b" else dtype.kind + str(dtype.itemsize * 8)


TWO = {
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
    "lt": operator.lt,
    "eq": operator.eq,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "atan2": np.arctan2,
    "hypot": np.hypot,
    "fmod": np.fmod,
    "copysign": np.copysign,
    "logical_and": np.logical_and,
    "gcd": np.gcd,
    "lcm": np.lcm,
    "nextafter": np.nextafter,
}
ONE = {
    "neg": operator.neg,
    "pos": operator.pos,
    "invert": operator.invert,
    "abs": np.abs,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "exp": np.exp,
    "fabs": np.fabs,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "rint": np.rint,
    "sign": np.sign,
    "square": np.square,
    "reciprocal": np.reciprocal,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "logical_not": np.logical_not,
    "round": lambda x: np.round(x),
    "degrees": np.degrees,
}
THREE = {"where": lambda a, b: np.where([True], a, b), "clip": lambda a, b: np.clip(a, b, b)}


def row(name, function, operands):
    try:
        result = short(np.asarray(function(*map(array, operands))).dtype)
    except (TypeError, OverflowError):
        result = "-"
    print(name, *operands, result)


with open(sys.argv[1], "w") as out, contextlib.redirect_stdout(out):
    for name, function in ONE.items():
        for a in TYPES:
            row(name, function, [a])
    for name, function in (TWO | THREE).items():
        for a in TYPES:
            for b in [*TYPES, *WEAK]:
                row(name, function, [a, b])
                if b in WEAK:
                    row(name, function, [b, a])
