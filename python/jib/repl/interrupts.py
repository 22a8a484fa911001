"""Ctrl-C, which is heard while something can be stopped, and at no other moment.

In: pieces of work. Out: what they give, and whether they were interrupted. Always holds: however often and whenever Ctrl-C is pressed, it
ends a piece of work and nothing around it; afterwards it does what it did before. It is not lost where Python
cannot raise anything.
"""

from __future__ import annotations

import sys
from _thread import interrupt_main, start_new_thread
from signal import SIG_IGN, SIGINT, signal
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class CtrlC:
    """A block that Ctrl-C does not disturb, but for the work that is to hear it.

    >>> def work():
    ...     raise KeyboardInterrupt
    >>> with CtrlC() as ctrl_c:
    ...     ctrl_c.heard_by(lambda: 42), ctrl_c.heard_by(work)
    ((42, False), (None, True))
    """

    def __enter__(self) -> CtrlC:
        self._before: Any = None
        try:
            self._before = signal(SIGINT, SIG_IGN)
        except ValueError:  # not the main thread, which alone hears it
            self._before = None
        self._unraisable, sys.unraisablehook = sys.unraisablehook, self._again
        return self

    def __exit__(self, *problem: object) -> None:
        sys.unraisablehook = self._unraisable
        self._listen()

    def heard_by(self, work: Callable[[], T]) -> tuple[T | None, bool]:
        """What some work gives, and whether it was interrupted."""
        try:
            self._listen()
            try:
                return work(), False
            finally:
                self._ignore()
        except KeyboardInterrupt:
            self._ignore()
            return None, True

    def _listen(self) -> None:
        if self._before is not None:
            signal(SIGINT, self._before)

    def _again(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Ctrl-C may come in a destructor or in the callback of a weak reference. What is raised there Python shows to the person, and
        forgets. So it is raised again behind that: by another thread, since here it would be raised in this function; and again if that
        thread is so quick that it is. Where nothing is there to hear it, it does nothing."""
        lost = issubclass(unraisable.exc_type, KeyboardInterrupt)
        if not lost:
            self._unraisable(unraisable)
        while lost:
            try:
                start_new_thread(interrupt_main, ())
                return
            except KeyboardInterrupt:
                pass

    def _ignore(self) -> None:
        """From now on nothing is heard; what comes before that is known already."""
        while self._before is not None:
            try:
                signal(SIGINT, SIG_IGN)
                return
            except KeyboardInterrupt:
                pass


def say_interrupted(end: str = "") -> None:
    """Tell the person that they have interrupted something."""
    if sys.stderr is not None:
        print(end + "KeyboardInterrupt", file=sys.stderr, flush=True)
