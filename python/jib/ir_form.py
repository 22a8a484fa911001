"""The form of IR that somebody else has made.

In: functions of `ir`, as a frontend, a pickle or a hand made them. Out: the same, copied, of Python's own classes.
Always holds: what comes out can be written as bytes; whether it means something is for Rust to say, which verifies what crosses. Anything
else is a ValueError or a TypeError, with the function and the instruction.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .ir import Block, Function, Instruction, Literal, Parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: What the arguments of each operation are; a "value" is the number of an instruction, "values" are any number of these, and the last.
FORMS = {
    "const": ("literal",), "get": ("number",), "set": ("number", "value"), "prim": ("text", "values"),
    "call": ("number", "values"), "extern": ("number", "values"), "tuple": ("values",),
    "unpack": ("value", "number", "number"), "cast": ("text", "value"), "jump": ("number",),
    "branch": ("value", "number", "number"), "return": ("value",), "raise": ("text", "optional text"),
}  # fmt: skip


#: A name is one word of the text form.
_NAME = re.compile(r'[^\s"@%(),:=]+')


def checked(functions: Iterable[Function], characters: int) -> list[Function]:
    """The functions, if spans are within a text of so many characters.

    >>> checked([Function("f", [], None, 0, 0, [], [[Instruction("return", (-1,), 0, 0)]], 0, 0)], 9)
    Traceback (most recent call last):
      ...
    ValueError: in 'f', instruction 0 (return): -1 is no number of 32 bits
    """
    found = [_function(each, characters) for each in _list(functions, "functions")]
    if not found:
        raise ValueError("there is no function")
    _distinct([function.name for function in found], "two functions are called")
    return found


def _function(function: Any, characters: int) -> Function:
    if not isinstance(function, Function):
        raise TypeError(f"expected a jib.ir.Function, not {type(function).__name__}")
    _name(function.name, "the name of a function")
    place = f"in {function.name!r:.80}"
    spans = ((function.start, function.end), (function.returns_start, function.returns_end))
    for start, end in spans:
        _span(start, end, characters, place)
    params = [_parameter(param, characters, place) for param in _list(function.params, f"{place}: params")]
    count = 0
    blocks: list[Block] = []
    for block in _list(function.blocks, f"{place}: blocks"):
        blocks.append([])
        for each in _list(block, f"{place}: a block"):
            blocks[-1].append(_instruction(each, characters, f"{place}, instruction {count}"))
            count += 1
    _check_texts(blocks, place)
    names = [_name(name, f"{place}: the name of a local") for name in _list(function.locals, f"{place}: locals")]
    _distinct(names, f"{place}: two locals are called")
    return Function(
        function.name, params, _optional(function.returns, place), function.returns_start, function.returns_end,
        names, blocks, function.start, function.end,
    )  # fmt: skip


def _parameter(param: Any, characters: int, place: str) -> Parameter:
    if not isinstance(param, Parameter):
        raise TypeError(f"{place}: expected a jib.ir.Parameter, not {type(param).__name__}")
    _span(param.start, param.end, characters, f"{place}, parameter {param.name!r:.80}")
    return Parameter(_name(param.name, f"{place}: the name of a parameter"), _optional(param.type, place), *param[2:])


def _instruction(each: Any, characters: int, place: str) -> Instruction:
    if not isinstance(each, Instruction):
        raise TypeError(f"{place}: expected a jib.ir.Instruction, not {type(each).__name__}")
    form = FORMS.get(each.op) if isinstance(each.op, str) else None
    if form is None:
        raise ValueError(f"{place}: there is no operation {each.op!r:.80}")
    place = f"{place} ({each.op})"
    if not isinstance(each.args, tuple):
        raise TypeError(f"{place}: args must be a tuple, not {type(each.args).__name__}")
    args = each.args
    if form[-1] == "values":
        form = form[:-1] + ("value",) * (len(args) - len(form) + 1)
    if len(args) != len(form):
        raise ValueError(f"{place}: it has {len(args)} arguments, not {len(form)}")
    _span(each.start, each.end, characters, place)
    return Instruction(each.op, tuple([KINDS[kind](arg, place) for kind, arg in zip(form, args)]), each.start, each.end)


def _check_texts(blocks: list[Block], place: str) -> None:
    """A text is no value: it can only be printed."""
    code = [each for block in blocks for each in block]
    texts = {number for number, each in enumerate(code) if each.op == "const" and isinstance(each.args[0], str)}
    if not texts:
        return
    printed: set[int] = set()
    others: set[int] = set()
    for each in code:
        form = FORMS[each.op]
        used = [arg for at, arg in enumerate(each.args) if form[min(at, len(form) - 1)] in ("value", "values")]
        (printed if each.op == "prim" and each.args[0] == "print" else others).update(used)
    for number in sorted(texts - (printed - others)):
        raise ValueError(f"{place}, instruction {number} (const): {_CONSTANTS}, not str; a text can only be printed")


_CONSTANTS = "a constant is an int, a float, a bool or None"


def _number(value: Any, place: str) -> int:
    if type(value) is not int or not 0 <= value < 1 << 32:
        raise ValueError(f"{place}: {value!r:.80} is no number of 32 bits")
    return value


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{place}: expected a text, not {type(value).__name__}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"{place}: {value!a:.80} has half a character")
    return str.__str__(value)


def _name(value: Any, place: str) -> str:
    name = _text(value, place)
    if not _NAME.fullmatch(name) or not name.isprintable():
        raise ValueError(f"{place}: {name!r:.80} is no name")
    return name


def _distinct(names: list[str], words: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{words} {name!r:.80}")
        seen.add(name)


def _optional(value: Any, place: str) -> str | None:
    return None if value is None else _text(value, place)


def _literal(value: Any, place: str) -> Literal:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not -(1 << 63) <= value < 1 << 63:
            raise ValueError(f"{place}: the int is outside 64 bits")
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, str):
        return _text(value, place)
    raise TypeError(f"{place}: {_CONSTANTS}, not {type(value).__name__}")


KINDS: dict[str, Callable[[Any, str], Any]] = {
    "number": _number, "value": _number, "text": _text, "optional text": _optional, "literal": _literal,
}  # fmt: skip


def _span(start: Any, end: Any, characters: int, place: str) -> None:
    if type(start) is not int or type(end) is not int or not 0 <= start <= end <= characters:
        raise ValueError(f"{place}: @{start!r:.20}:{end!r:.20} is no place in a text of {characters} characters")


def _list(value: Any, what: str) -> list[Any]:
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise TypeError(f"{what} must be a list, not {type(value).__name__}")
    return list(value)
