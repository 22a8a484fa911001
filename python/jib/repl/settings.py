"""What `:set` can change.

In: a name and a value, as texts. Out: what is set now. Always holds: one table, `SETTINGS`; a value that makes no sense changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .console import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .console import Console


class Setting(NamedTuple):
    """A row of the table. `values` are those it may have, if they are few; `read` makes one of a text."""

    help: str
    values: tuple[str, ...]
    read: Callable[[str], Any]
    of_session: bool = True

    def now(self, console: Console) -> str:
        """Its value, as a text."""
        name = next(each for each, row in SETTINGS.items() if row is self)
        value = getattr(console.session.options if self.of_session else console, name)
        if value is None:
            return "none"
        return ("on" if value else "off") if isinstance(value, bool) else str(value)  # 1 is no True here


def set_to(console: Console, name: str, value: str) -> str:
    """Set it, if there is a value; what it is now."""
    from ..errors import nearest
    from ..highlight import visible

    row = SETTINGS.get(name)
    if row is None:
        raise CommandError(
            f"there is nothing to set called {visible(name)[:40]}{nearest(name[:40], SETTINGS)}; :set lists all"
        )
    if value:
        if row.values and value not in row.values:
            raise CommandError(f"{name} is {' or '.join(row.values)}, not {visible(value)[:40]}")
        try:
            read = row.read(value)
            if row.of_session:
                console.session.configure(**{name: read})
            else:
                setattr(console, name, read)
        except (TypeError, ValueError, OverflowError):
            raise CommandError(f"{name}: {visible(value)[:40]} is not {row.help.split(';')[-1].strip()}") from None
    return f"{name} {row.now(console)}"


def _or_none(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: None if text.lower() in ("none", "off") else kind(text)


def _switch(text: str) -> bool:
    return text == "on"


SETTINGS: dict[str, Setting] = {
    "arithmetic": Setting("whose rules numbers follow", ("python", "numpy"), str),
    "engine": Setting("what runs a text", ("auto", "native", "interpreter"), str),
    "opt_level": Setting("how much is optimised", ("speed", "none"), str),
    "fuel": Setting("how much a text may do; a number of rounds and calls, or none", (), _or_none(int)),
    "timeout": Setting("how long a text may take; a number of seconds, or none", (), _or_none(float)),
    "threads": Setting("how many threads arrays may use; a number, or none", (), _or_none(int)),
    "types": Setting("whether types are shown beside values", ("on", "off"), _switch, False),
    "colour": Setting("whether listings and values are coloured", ("on", "off"), _switch, False),
}
