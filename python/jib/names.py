"""What names mean that a text uses and does not define.

In: whatever a name means where the text comes from. Out: a `Meaning`, which the lowering knows what to do with.
Always holds: what is frozen is a number that jib can hold, a bool, None or a tuple of these, of Python's own classes; what is shared is
an array of NumPy's that a call takes, or a tuple with such; whatever is not in the language says so at the place where the text
uses it, and not before.
"""

from __future__ import annotations

import sys

from .light import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any


class Value(NamedTuple):
    """A constant: what the name meant when the text was taken."""

    value: Any


class Shared(NamedTuple):
    """An array, or a tuple with arrays in it: not a constant, but handed to the function at each call, behind its parameters."""

    value: Any


class Alias(NamedTuple):
    """A builtin of the language, or the module math, under another name."""

    name: str


class Refused(NamedTuple):
    """Something that is not in the language; the words go after "'name' is"."""

    words: str


Meaning = Value | Shared | Alias | Refused

DEEPEST, LARGEST = 8, 1000  # tuples in tuples; elements of a tuple, those of its elements included


class Unfit(ValueError):
    """The value is none that a text can hold; the text says what it is: "a list"."""


def frozen(value: Any) -> Any:
    """The value, made of Python's own classes; Unfit, in words, if it is not a number, bool, None or a tuple of these.

    >>> frozen((1, (2.5, True)))
    (1, (2.5, True))
    """
    return _frozen(value, DEEPEST, [LARGEST])


def _frozen(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise Unfit(f"a tuple of more than {LARGEST} elements")
    if value is None or type(value) is bool:
        return value
    if isinstance(value, int):
        value = int.__int__(value)  # of a subclass: what the number is, not what the subclass makes of it
        if not -(1 << 63) <= value < 1 << 63:
            raise Unfit("an int outside 64 bits")
        return value
    if isinstance(value, float):
        return float.__float__(value)
    if type(value) is tuple:
        if depth == 0:
            raise Unfit(f"a tuple nested more than {DEEPEST} deep")
        return tuple([_frozen(each, depth - 1, left) for each in value])
    raise Unfit(kind(value))


def held(value: Any) -> Value | Shared:
    """The value as a text can have it, frozen or shared; Unfit, in words, if it is neither."""
    try:
        return Value(frozen(value))
    except Unfit:
        if not _has_array(value, DEEPEST):
            raise
    return Shared(shared(value))


def shared(value: Any) -> Any:
    """The value, if it is an array that a call takes, or a tuple in which there is one; Unfit, in words, if it is not."""
    from . import _native

    if not _has_array(value, DEEPEST):
        raise Unfit(kind(value))
    try:
        _native.type_of(value, "", "")
    except TypeError as problem:
        raise Unfit(
            str(problem).partition(" argument '' is ")[2] or "a tuple with more than numbers and arrays"
        ) from None
    return value


def _has_array(value: Any, depth: int) -> bool:
    """Whether this is an array as a call knows them, or a tuple with one. NumPy is not imported for the question."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "ndarray"):
        return False
    if type(value) is tuple and depth > 0:
        return any(_has_array(each, depth - 1) for each in value)
    return type(value) in (numpy.ndarray, numpy.memmap) and value.ndim > 0


def kind(value: Any) -> str:
    """What a value is, with its article.

    >>> kind([1]), kind(OSError())
    ('a list', 'an OSError')
    """
    name = type(value).__name__
    return f"{'an' if name[:1] in 'AEIOaeio' else 'a'} {name:.80}"
