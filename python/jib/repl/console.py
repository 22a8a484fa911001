"""What a person has said -> what is answered.

In: texts that are whole (chunks.py), or commands. Out: values on one stream, what went wrong on the other. Always holds: `answer` raises
nothing but `Quit` and `Lost`, and `KeyboardInterrupt` where nobody is there to see it said; a text that fails leaves the session as it was.
"""

from __future__ import annotations

import re
import sys
from typing import IO, TYPE_CHECKING, Any

from ..errors import BudgetError
from ..session import Session
from .report import report

if TYPE_CHECKING:
    from ..listing import Listing


_OPTION = re.compile(r"\b(fuel|timeout)=\.\.\.")  # as messages call an option of `compile`


class Quit(Exception):
    """The person wants to leave."""


class Lost(Exception):
    """What is shown cannot be written any more; `__cause__` says why."""


class CommandError(Exception):
    """A command makes no sense; the message says why."""


class Console:
    """A session and the two streams that a person sees.

    >>> console = Console(Session())
    >>> console.answer("area = 3 * 4"), console.answer("area / 5"), console.answer("_ + 1")
    2.4
    3.4
    (True, True, True)
    """

    def __init__(
        self,
        session: Session,
        out: IO[str] | None = None,
        err: IO[str] | None = None,
        *,
        interactive: bool = False,
        prompt: int = 0,
    ) -> None:
        from ..highlight import wants_colour

        self.session = session
        self.out = out if out is not None else sys.stdout
        self.err = err if err is not None else sys.stderr
        self.interactive = interactive
        self.prompt = prompt  # how many columns stand before a line that was typed
        self.colour = wants_colour(self.out)
        self.types = False  # whether a value's type is shown beside it
        self.last = ""  # the text that was run last
        self.listing: Listing | None = None  # the dump that was shown last
        self._broken: set[str] = set()

    def answer(self, text: str, file: str | None = None, line: int = 1) -> bool:
        """Run a text or a command, show what comes of it; whether it went well. Raises Quit and Lost, nothing else.

        `file` and `line` say where the text stands, if that is in a file.
        """
        try:
            asked = text.strip() if text.lstrip().startswith(":") else self.habit(text)
            if asked:
                from .commands import command

                shown = command(self, asked)
                if shown:
                    self.show(shown)
            elif not is_empty(text):
                self.run(text, file, line)
        except (Quit, Lost):
            raise
        except KeyboardInterrupt:
            if not self.interactive:
                raise
            self.complain("KeyboardInterrupt")
            return False
        except CommandError as problem:
            self.complain(str(problem))
            return False
        except BaseException as problem:
            above = self.interactive and self.fits(text) and (isinstance(problem, SyntaxError) or not self.prints(text))
            said = report(problem, text if above else "", self.prompt)
            self.complain(_OPTION.sub(r":set \1 N", said) if isinstance(problem, BudgetError) else said)
            return False
        return True

    def habit(self, text: str) -> str | None:
        """The command that was meant by what a person has typed, if any."""
        if not self.interactive or "\n" in text or len(text) > 200:
            return None
        from .habits import meant

        return meant(text, self.session)

    def prints(self, text: str) -> bool:
        """Whether something may stand between a text and what is said of it."""
        return "print" in text or "print" in self.session._read_by(self.session.functions)

    def fits(self, text: str) -> bool:
        """Whether what was typed is one line of the terminal, so that carets can stand under it."""
        from shutil import get_terminal_size

        return "\n" not in text and len(text) + self.prompt < get_terminal_size().columns

    def run(self, text: str, file: str | None = None, line: int = 1) -> None:
        """Run a text, show its value."""
        name = text.strip()
        if name in self.session.functions:  # no value, but what a person asks about
            self.show(f"{self.session.types(name)}  # a function; :help {name} shows it")
            return
        self.last = text
        value = self.session.run(text, file=file, line=line)
        self.warn()
        if value is None:
            return
        self.show(shown(value) + (f"  # {type_of(value)}" if self.types else ""), "jib")
        self.session["_"] = value

    def warn(self) -> None:
        """Say which definitions do not fit any more, each once."""
        from ..sessions.fit import TOLD

        broken = self.session.broken
        for name in sorted(broken.keys() - self._broken):
            self.complain(f"{report(broken[name])}\n{TOLD.format(name)}")
        self._broken = set(broken)

    def show(self, text: str, language: str = "") -> None:
        """Print what was asked for, in colours where they are wanted."""
        if self.colour and language:
            from ..highlight import coloured

            text = coloured(text, language).rstrip("\n")
        _print(text, self.out)

    def complain(self, text: str) -> None:
        """Print what went wrong."""
        _print("", self.out, end="")  # what it is about comes first
        _print(text, self.err)


def _print(text: str, stream: IO[str] | None, end: str = "\n") -> None:
    """Write to a stream at once; to nowhere if there is none: a program may be started without."""
    if stream is None:  # which print() takes for stdout
        return
    try:
        print(text, file=stream, end=end, flush=True)
    except OSError as problem:
        raise Lost from problem


def is_empty(text: str) -> bool:
    """Whether there is nothing in a text but space and comments."""
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.split("\n"))


def shown(value: Any) -> str:
    """A value as Python shows it."""
    from ..highlight import visible

    return visible(repr(value))


def type_of(value: Any) -> str:
    """The type of a value, as the language writes it.

    >>> type_of((1, 2.5, True)), type_of(None)
    ('tuple[int, float, bool]', 'None')
    """
    from .. import _native

    if type(value) is tuple:  # it may have None in it, which no argument is
        return f"tuple[{', '.join(map(type_of, value))}]"
    return "None" if value is None else _native.type_of(value, "", "")


def head(session: Session, name: str) -> str:
    """What a function of the session is, in a line: its definition's first, or what it takes.

    >>> session = Session()
    >>> session.run("def area(r):\\n    return 3 * r * r")
    >>> session["square"] = lambda x: x * x
    >>> head(session, "area"), head(session, "square")
    ('def area(r)', 'square(x)')
    """
    try:
        return session.source(name).lstrip().split("\n", 1)[0].rstrip(" :")
    except KeyError:
        return session.types(name)
