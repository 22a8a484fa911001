"""How large a text may be.

In: nothing. Out: `Limits`, whose defaults fit any text a person writes.
Always holds: each limit is an int from 0 to below 2**62. A text within its limits is parsed in time linear in its
length, and its tree can be walked with a stack of a known depth.
The worst text within the defaults compiles in about two seconds and with less than 500 MB: `benches/own/worst.py`.
"""

from __future__ import annotations

from .light import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    pass


class _Fields(NamedTuple):
    characters: int = 1_000_000
    tokens: int = 150_000
    nesting: int = 200
    name: int = 256
    digits: int = 4300
    ir_instructions: int = 300_000
    joins: int = 200_000
    values: int = 250_000
    blocks: int = 32_000
    kept: int = 2_000_000
    array_bytes: int = 1 << 33


class Limits(_Fields):
    """The limits of a text; `Limits()._replace(...)` or keywords change some of them.

    `characters` of text, `tokens` in it, `nesting` of parentheses, blocks, lambdas and everything else that nests, characters of a
    `name`, `digits` of a number, and instructions of the IR that the text becomes. Of what is compiled for one combination of types:
    `values`, which a helper has anew for each combination that it is called with; `joins`, which are the values that variables take along
    where paths join; `blocks` of machine code, a new one after each operation that can raise; and `kept`, the blocks through which
    values are kept until they are used, added up. And of one call `array_bytes`, of all the arrays that it has made and
    not given back: a loop gives back what nobody can read any more.

    Raises TypeError for what is no int, and ValueError for one that is negative or not below 2**62.

    >>> Limits(nesting=20).nesting
    20
    """

    __slots__ = ()

    if not TYPE_CHECKING:  # which has these from the base

        def __new__(cls, *args, **kwargs):
            return _checked(super().__new__(cls, *args, **kwargs))

        @classmethod
        def _make(cls, iterable):
            """What `_replace` goes by, too."""
            return _checked(super()._make(iterable))


def _checked(limits: Limits) -> Limits:
    for field, value in zip(limits._fields, limits):
        if type(value) is not int:
            raise TypeError(f"limits: {field} must be an int, not {type(value).__name__}")
        if not 0 <= value < 2**62:
            raise ValueError(f"limits: {field} must be between 0 and 2**62 - 1, not {value}")
    return limits


DEFAULT = Limits()
UNLIMITED = Limits(*[1 << 60] * len(Limits._fields))  # for a text that has been within its limits
