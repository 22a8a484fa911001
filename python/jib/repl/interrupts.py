"""Ctrl-C at moments when there is nothing to stop.

In: nothing. Out: a block that it does not disturb. Always holds: afterwards Ctrl-C does what it did before.
"""

from __future__ import annotations

import sys
from signal import SIG_IGN, SIGINT, signal
from typing import Any


class Undisturbed:
    """A block in which Ctrl-C raises nothing.

    >>> with Undisturbed():
    ...     print("whole")
    whole
    """

    def __enter__(self) -> None:
        self._before: Any = signal(SIGINT, SIG_IGN)

    def __exit__(self, *problem: object) -> None:
        signal(SIGINT, self._before)


def interrupted(end: str = "") -> None:
    """Tell the person that they have interrupted something, though they do so again meanwhile."""
    with Undisturbed():
        if sys.stderr is not None:
            print(end + "KeyboardInterrupt", file=sys.stderr, flush=True)
