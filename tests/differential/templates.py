"""Which operators and builtins the generator writes: one line each, by the type of the answer.

Letters in braces stand for operands: {i} {f} {b} expressions of a type, {n} a small literal, {N} one that is not
negative. The others keep an operand where the operation has an answer, in programs that are tame; in the others they are any expression:
{d} an int but 0, {k} a small int that is not negative, {s} an int small enough to multiply, {D} a float but 0, {p} a positive float,
{u} a float from -1 to 1, {x} a float of moderate size.
"""

from __future__ import annotations

# More often than the builtins: how often is the first field.
OPERATORS: dict[str, list[tuple[int, str]]] = {
    "i": [
        (8, "({i} + {i})"), (8, "({i} - {i})"), (8, "({s} * {s})"), (5, "({i} // {d})"), (5, "({i} % {d})"), (3, "({i} & {i})"),
        (3, "({i} | {i})"), (3, "({i} ^ {i})"), (2, "({s} << {k})"), (2, "({i} >> {k})"), (2, "({s} ** {N})"), (1, "({k} ** {k})"),
        (2, "(-{i})"), (2, "(~{i})"), (1, "(+{i})"), (1, "({b} + {i})"), (1, "({b} * {b})"), (1, "(-{b})"), (1, "(~{b})"),
        (1, "({b} << {k})"), (1, "(+{b})"), (1, "({i} & {b})"), (1, "({b} - {b})"),
    ],
    "f": [
        (8, "({f} + {f})"), (8, "({f} - {f})"), (8, "({f} * {f})"), (8, "({f} / {D})"), (3, "({f} // {D})"), (3, "({f} % {D})"),
        (4, "({i} / {d})"), (2, "({f} ** {n})"), (1, "({p} ** {x})"), (1, "({f} ** {f})"), (2, "({f} + {i})"), (2, "({i} * {f})"),
        (1, "({f} - {b})"), (1, "({i} / {D})"), (1, "({i} % {D})"), (1, "({f} // {d})"), (1, "({b} / {D})"), (2, "(-{f})"), (1, "(+{f})"),
        (1, "({d} ** -1)"), (1, "({d} ** -2)"), (1, "({i} - {f})"),
    ],
    "b": [
        (3, "({i} < {i})"), (3, "({f} <= {f})"), (3, "({i} > {f})"), (3, "({f} >= {i})"), (3, "({i} == {i})"), (3, "({f} != {f})"),
        (2, "({i} == {f})"), (2, "({b} == {b})"), (1, "({b} < {i})"), (2, "({i} <= {i} < {i})"), (2, "({f} > {i} >= {f})"),
        (1, "({i} != {f} == {b} <= {i})"), (3, "(not {b})"), (1, "(not {f})"), (1, "(not {i})"), (2, "({b} & {b})"), (2, "({b} | {b})"),
        (2, "({b} ^ {b})"), (1, "(({i}, {f}) == ({i}, {f}))"), (1, "(({f}, {b}) != ({f}, {b}))"), (1, "({f} < {f})"), (1, "({i} >= {b})"),
    ],
}  # fmt: skip
BUILTINS: dict[str, list[str]] = {
    "i": [
        "abs({i})", "abs({b})", "absolute({i})", "min({i}, {i})", "max({i}, {i}, {b})", "min({b}, {i})", "round({x})", "round({i})",
        "round({i}, {n})", "round({i}, ndigits={n})", "round({b})", "int({x})", "int({i})", "int({b})", "pow({s}, {k})",
        "pow({i}, {k}, {d})", "pow({i}, {i}, {i})", "pow(base={s}, exp={k})", "divmod({i}, {d})[0]", "divmod({i}, {d})[1]",
        "len(({i}, {f}))", "sum(({i}, {b}, {i}))", "sum(({i},), {i})", "sum(({b}, {b}))", "sum(({i}, {i}), start={i})",
        "prod(({s}, {s}))", "prod(({s},), start={s})", "min(({i}, {i}, {i}))", "max(({i}, {b}))", "floor({x})", "ceil({x})", "trunc({x})",
        "math.floor({x})", "math.ceil({i})", "fix({x})", "floor({b})", "gcd({i}, {i})", "gcd({i}, {i}, {i})", "gcd({i})", "lcm({s}, {s})",
        "lcm({s}, {s}, {s})", "isqrt({k})", "isqrt({i})", "factorial({k})", "math.comb({k}, {k})", "comb({i}, {n})", "perm({k}, {k})",
        "perm({k})", "where({b}, {i}, {i})", "where(condition={b}, x={i}, y={b})", "minimum({i}, {i})", "maximum({i}, {i})",
        "clip({i}, {i}, {i})", "clip({i}, low={i}, high={i})", "sign({i})", "square({s})", "frexp({f})[1]", "i64({i})", "int64({x})",
        "gcd()", "lcm()",
    ],
    "f": [
        "abs({f})", "absolute({f})", "min({f}, {f})", "max({f}, {i})", "min({i}, {f}, {f})", "max({f}, {f}, {f})", "round({f}, {n})",
        "round({x}, {i})", "float({i})", "float({f})", "f64({b})", "double({i})", "float64({f})", "pow({p}, {x})", "pow({f}, {n})",
        "divmod({f}, {D})[0]", "divmod({f}, {D})[1]", "divmod({i}, {D})[0]", "sum(({f}, {i}, {f}))", "sum(({f}, {f}), {f})",
        "prod(({f}, {f}, {i}))", "min(({f}, {i}))", "max(({f}, {f}, {f}))", "sin({x})", "cos({x})", "tan({x})", "asin({u})", "acos({u})",
        "atan({f})", "sinh({x})", "cosh({x})", "tanh({f})", "asinh({f})", "acosh({p} + 1.0)", "acosh({f})", "atanh({u} * 0.5)",
        "atanh({f})", "exp({x})", "exp2({x})", "expm1({x})", "log2({p})", "log10({p})", "log1p({p})", "cbrt({f})", "erf({f})", "erfc({f})",
        "gamma({p})", "gamma({f})", "lgamma({p})", "lgamma({f})", "degrees({f})", "radians({f})", "ulp({f})", "sqrt({p})", "sqrt({f})",
        "fabs({f})", "log({p})", "log({p}, {p} + 1.0)", "log({k} + 1, 2)", "atan2({f}, {f})", "hypot({f}, {f})", "hypot({f}, {i}, {f})",
        "hypot({f})", "hypot()", "fmod({x}, {D})", "remainder({x}, {D})", "copysign({f}, {f})", "nextafter({f}, {f})", "ldexp({f}, {n})",
        "ldexp({f}, {i})", "fma({x}, {x}, {f})", "fma({f}, {f}, {f})", "math.pow({p}, {x})", "math.pow({f}, {n})", "frexp({f})[0]",
        "modf({f})[0]", "modf({f})[1]", "where({b}, {f}, {i})", "where({b}, {f}, {f})", "minimum({f}, {f})", "maximum({f}, {f})",
        "minimum({i}, {f})", "clip({f}, {f}, {f})", "clip({f}, -1.0, {i})", "sign({f})", "rint({f})", "square({f})", "reciprocal({D})",
        "reciprocal({d})", "arcsin({u})", "arccos({u})", "arctan({f})", "arctan2({f}, {f})", "arcsinh({f})", "arccosh({p} + 1.0)",
        "arctanh({u} * 0.5)", "rad2deg({f})", "deg2rad({f})", "math.sin({x})", "math.sqrt({p})", "math.hypot({f}, {f})", "sin({i})",
        "sqrt({k})", "exp({k})", "atan2({i}, {b})", "math.pi", "math.log({p})",
    ],
    "b": [
        "bool({i})", "bool({f})", "bool({b})", "isclose({f}, {f})", "isclose({f}, {i}, rel_tol=0.25)", "isclose({f}, {f}, abs_tol=1e-3)",
        "isfinite({f})", "signbit({f})", "isinf({f})", "isnan({f})", "isnan({i})", "any(({b}, {i}))", "all(({b}, {f}, {b}))", "any(({i},))",
        "min({b}, {b})", "max({b}, {b})", "where({b}, {b}, {b})", "logical_and({b}, {i})", "logical_or({f}, {b})", "logical_xor({b}, {b})",
        "logical_not({i})", "math.isnan({f})", "minimum({b}, {b})",
    ],
}  # fmt: skip
# {t} an expression of the sized type, {T} its name; the answer is of that type too.
SIZED = [
    "({t} + {t})", "({t} - {t})", "({t} * {t})", "({t} + 1)", "({t} - 2)", "(3 * {t})", "({t} // ({t} or 1))", "({t} % ({t} or 3))",
    "min({t}, {t})", "max({t}, 2)", "where({b}, {t}, {t})", "abs({t})", "({t} if {b} else {t})", "({t} and {t})", "({t} or 1)",
    "clip({t}, 1, 5)", "square({t})", "(+{t})", "({t} ** 2)", "divmod({t}, ({t} or 2))[1]", "minimum({t}, {t})",
]  # fmt: skip
SIZED_INT = [
    "({t} & {t})",
    "({t} | {t})",
    "({t} ^ 5)",
    "(~{t})",
    "({t} << {n})",
    "({t} >> {n})",
    "({b} + {t})",
    "floor({t})",
    "round({t})",
]
SIZED_FLOAT = [
    "({t} / ({t} or 1.0))", "({t} * 0.1)", "({t} + pi)", "sin({t})", "sqrt(abs({t}))", "hypot({t}, {t})", "atan2({t}, 0.1)", "(-{t})",
    "exp(min({t}, 5.0))", "round({t}, 2)", "({t} * {b})", "copysign({t}, -1.0)", "rint({t})", "log1p(abs({t}))",
]  # fmt: skip
# What comes out of sized types again.
FROM_SIZED = {
    "i": ["int({t})", "int({t} + {t})", "sign({t})", "int({t} - 1)", "len(({t}, {i}))"],
    "f": ["float({t})", "({t} + {f})", "({f} * {t})", "({t} / ({t} or 7))", "max({t}, {f})", "float({t} * 2)"],
    "b": ["({t} < {t})", "({t} == {i})", "({t} >= {f})", "bool({t})", "(not {t})", "({t} != 3)"],
}
