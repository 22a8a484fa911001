"""A session as a text.

In: the names of a session. Out: a text that gives a fresh one the same definitions and values.
Always holds: values come first, so that no definition reads a name before it is assigned; what no text can say is a comment.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..names import Value, kind
from .state import Known, Meaning, is_value

if TYPE_CHECKING:
    from collections.abc import Mapping


def saved(names: Mapping[str, Meaning]) -> str:
    """The text; empty if there are no names."""
    lines = [_line(name, found) for name, found in names.items() if not isinstance(found, Known)]
    texts = ["\n".join(lines)] if lines else []
    texts += [found.text for found in names.values() if isinstance(found, Known)]
    return "\n\n".join(texts) + "\n" if texts else ""


def _line(name: str, found: Meaning) -> str:
    if isinstance(found, Value):
        return f"{name} = {literal(found.value)}"
    if not is_value(found):
        return f"# {name}: a function that came from Python, left out"
    value = found.value  # type: ignore[union-attr]
    if type(value) is tuple:
        return f"# {name}: a tuple with arrays, left out"
    return f"# {name}: an array of {value.dtype}, shape {value.shape}, left out"


def literal(value: Any) -> str:
    """The value as the language writes it, whatever its names mean; TypeError if it does not.

    >>> literal((1, -0.5, True, None, float("-inf")))
    '(1, -0.5, True, None, -1e999)'
    """
    if value is None or type(value) in (bool, int):
        return repr(value)
    if type(value) is float:
        if math.isnan(value):
            return "-(1e999 - 1e999)" if math.copysign(1, value) > 0 else "(1e999 - 1e999)"
        return repr(value).replace("inf", "1e999")
    if type(value) is tuple:
        return f"({', '.join([literal(each) for each in value])}{',' if len(value) == 1 else ''})"
    raise TypeError(f"no literal of {kind(value)}")
