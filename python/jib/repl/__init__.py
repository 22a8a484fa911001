"""The interactive loop of `python -m jib`, and what it does with a pipe.

In: lines, from a person or a pipe. Out: values on stdout, what went wrong on stderr. Always holds: whatever a line is, the session goes
on with the next; nothing that is shown can drive the terminal.

chunks.py says which lines belong together, console.py answers them, commands.py has what begins with a colon, report.py says what went
wrong. At a terminal prompt.py asks for lines, with prompt_toolkit, or plain.py, with readline; piped.py reads them from a pipe.
interrupts.py is for Ctrl-C where nothing is there to stop.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..session import Session


def repl(session: Session) -> int:
    """Talk to whoever is at the other end of stdin until they leave; the exit status.

    JIB_REPL=plain in the environment asks for the prompt without prompt_toolkit.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        from .piped import piped

        return piped(session, None if sys.stdin is None else sys.stdin.buffer)
    if (
        sys.stdout.isatty()
        and os.environ.get("TERM") not in ("dumb", "", None)
        and os.environ.get("JIB_REPL") != "plain"
    ):
        try:
            from .prompt import prompt
        except ImportError:  # the extra `repl` is not installed
            pass
        else:
            return prompt(session)
    from .plain import plain

    return plain(session)
