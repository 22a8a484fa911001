"""How large a text may be.

In: nothing. Out: `Limits`, whose defaults fit any text a person writes.
Always holds: a text within its limits is parsed in time linear in its length, and its tree can be walked with a stack of a known depth.
"""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """The limits of a text; `Limits()._replace(...)` or keywords change some of them.

    `characters` of text, `tokens` in it, `nesting` of parentheses, blocks, lambdas and everything else that nests, characters of a
    `name`, `digits` of a number, and instructions of the IR that the text becomes.

    >>> Limits(nesting=20).nesting
    20
    """

    characters: int = 1_000_000
    tokens: int = 250_000
    nesting: int = 200
    name: int = 256
    digits: int = 4300
    ir_instructions: int = 1_000_000


DEFAULT = Limits()
UNLIMITED = Limits(*[1 << 60] * len(Limits._fields))  # for a text that has been within its limits
