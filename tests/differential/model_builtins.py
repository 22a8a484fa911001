"""Calls of builtins: what the oracle calls instead, and of which type the answer is.

In: the name, and the texts and types of the arguments. Out: a text and a type.
"""

from __future__ import annotations

from typing import Any

from .model_runtime import NAMES, coercion
from .model_types import LEAST, SIZED, Unmodelled, as_number, float_type, join, literal, meet, plain

SPELLINGS = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "arctan2": "atan2", "rad2deg": "degrees", "deg2rad": "radians", "absolute": "abs", "fix": "trunc",
    "f64": "float", "double": "float", "float64": "float", "float32": "f32", "int64": "i64",
    **{("u" if ty[0] == "u" else "") + "int" + ty[1:]: ty for ty in SIZED if ty != "f32"},
}  # fmt: skip
# Functions of floats: of f32s they give an f32.
FLOATS = frozenset((
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "exp", "exp2",
    "expm1", "log", "log2", "log10", "log1p", "cbrt", "erf", "erfc", "gamma", "lgamma", "degrees", "radians", "sqrt",
    "fabs", "atan2", "hypot", "fmod", "remainder", "copysign", "rint", "fma",
))  # fmt: skip
DOUBLES = frozenset((
    "ulp", "nextafter", "ldexp", "math_pow", "float",
))  # fmt: skip
BOOLS = frozenset((
    "isclose", "isfinite", "isinf", "isnan", "signbit", "bool", "logical_and", "logical_or", "logical_xor", "logical_not",
    "any", "all",
))  # fmt: skip
INTS = frozenset((
    "gcd", "lcm", "isqrt", "factorial", "comb", "perm",
))  # fmt: skip
CHOICES = frozenset((
    "min", "max", "minimum", "maximum", "clip", "where",
))  # fmt: skip
WHOLE = frozenset((
    "round", "floor", "ceil", "trunc",
))  # fmt: skip


def canonical(name: str) -> str:
    """The name of a builtin's row, without the dot."""
    if name == "math.pow":
        return "math_pow"
    name = name.removeprefix("math.")
    return SPELLINGS.get(name, name)


def call(function: str, args: list[str]) -> str:
    return f"_{function}({', '.join(args)})"


def checked(text: str, ty: str) -> str:
    return f"_chk_{ty}({text})" if ty in LEAST else f"_f32({text})" if ty == "f32" else text


def coerced(text: str, types: list[Any], to: Any) -> str:
    """A value that has one of these types already, in the type to which they give way."""
    to = plain(to)
    return text if all(plain(ty) == to for ty in types) else f"{coercion(to)}({text})"


def converted(text: str, ty: Any, to: Any) -> str:
    """As an annotation converts: also to a narrower type, with a look whether it holds the value."""
    if plain(ty) == to:
        return text
    if isinstance(to, tuple):
        if any(each in LEAST and of not in (each, "b") for each, of in zip(to, ty)):
            raise Unmodelled(f"{ty} to {to}")
        return coerced(text, [ty], to)
    if ty in LEAST and to in LEAST:
        return f"_chk_{to}({text})"
    if ty == "f32" and to == "f":
        return text
    if to == "b" or (to in LEAST and ty in ("f", "f32")):
        raise Unmodelled(f"{ty} to {to}")
    return f"{coercion(to)}({text})"


def builtin(name: str, args: list[str], types: list[Any], options: list[str]) -> tuple[str, Any]:
    """A call; `options` are its keyword arguments, written as such."""
    name = canonical(name)
    text = call(name, args + options)
    if name in ("cbrt", "exp2") and "_" + name not in NAMES:  # in `math` since 3.11
        raise Unmodelled(name)
    if name in FLOATS:
        ty = float_type(types)
        return checked(text, ty) if ty == "f32" else text, ty
    if name in DOUBLES:
        return text, "f"
    if name in BOOLS:
        return text, "b"
    if name in INTS:
        return call(name, [f"_chk_i({arg})" if ty == "u64" else arg for arg, ty in zip(args, types)]), "i"
    if name in CHOICES:
        return choice(name, text, types)
    if name == "int" or name == "i64":
        return call("int", args), "i"
    if name in SIZED:
        return sized(name, args[0])
    if name in WHOLE:
        if len(types) > 1 and types[0] in ("f", "f32"):
            return checked(text, types[0]), plain(types[0])
        return (args[0], types[0]) if len(types) == 1 and types[0] in LEAST else (text, "i")
    return others(name, text, args, types)


def others(name: str, text: str, args: list[str], types: list[Any]) -> tuple[str, Any]:
    ty = as_number(types[0]) if isinstance(types[0], str) else types[0]
    if name == "abs" or name == "square":
        return checked(text, ty), ty
    if name == "sign":
        return text, ty if ty in ("f", "f32") else "i"
    if name == "reciprocal":
        return checked(text, "f32") if ty == "f32" else text, "f32" if ty == "f32" else "f"
    if name == "pow":
        return call("powmod", args), "i"
    if name == "divmod":
        ty = as_number(meet(types[0], types[1]))
        if ty == "f32":
            text = call("divmod", [coerced(arg, [of], ty) for arg, of in zip(args, types)])
        return f"_pair_{ty}({text})", (ty, ty)
    if name in ("sum", "prod"):
        ty = literal(int(name == "prod")) if len(types) == 1 else types[1]
        for item in types[0]:
            if item in SIZED or ty in SIZED:
                raise Unmodelled(f"{name} of sized types")
            ty = as_number(meet(ty, item))
        return f"{coercion(ty)}({text})", plain(ty)
    if name == "len":
        return text, "i"
    if name == "frexp":
        return text, ("f", "i")
    if name == "modf":
        return text, ("f", "f")
    raise Unmodelled(name)


def sized(name: str, arg: str) -> tuple[str, Any]:
    """A conversion has the type that it says, also of a literal."""
    if name == "f32":
        return f"_f32({arg})", "f32"
    return f"_chk_{name}(int({arg}))", name


def choice(name: str, text: str, types: list[Any]) -> tuple[str, Any]:
    """What answers one of its operands."""
    items = types[1:] if name == "where" else types
    if len(items) == 1 and isinstance(items[0], tuple):
        items = list(items[0])
    ty = items[0]
    for item in items[1:]:
        ty = meet(ty, item) if isinstance(ty, str) and isinstance(item, str) else join(ty, item)
    if len(items) > 1:
        ty = plain(ty)
    return coerced(text, items, ty), ty


def reduction(name: str, text: str, element: Any, option: Any) -> tuple[str, Any]:
    """A reduction over a generator of such elements, with the type of `start` or `default`. An element without a type never comes."""
    name = canonical(name)
    if name in ("any", "all"):
        return text, "b"
    if name in ("min", "max"):
        element = plain(element or "b")
        ty = element if option is None else join(element, plain(option))
        return coerced(text, [element, ty if option is None else option], ty), ty
    if element is None:
        return text, option or "i"  # with what is known of it
    start = "i" if option is None else plain(option)
    if element in SIZED or start in SIZED:
        raise Unmodelled(f"{name} of sized types")
    ty = as_number(join(start, plain(element)))
    return f"{coercion(ty)}({text})", ty
