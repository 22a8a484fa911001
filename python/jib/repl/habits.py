"""What people type who come from Python, IPython or a shell.

In: a text that was typed at the prompt, and the session. Out: the command that was meant, or None. Always holds: what the session gives
a meaning means that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..session import Session

_MEANT = {
    "exit": ":quit",
    "quit": ":quit",
    "help": ":help",
    "?": ":help",
    "who": ":vars",
    "%who": ":vars",
    "%whos": ":vars",
}
_ASKED = re.compile(r"\?\s*([A-Za-z_][\w.]*)|([A-Za-z_][\w.]*)\s*\?{1,2}|help\(\s*([A-Za-z_][\w.]*)\s*\)")
_MAGICS = {"time": ":time", "timeit": ":bench", "load": ":load", "save": ":save", "reset": ":reset"}


def meant(text: str, session: Session) -> str | None:
    """The command that a text stands for.

    >>> from jib import Session
    >>> [meant(text, Session()) for text in ["exit()", "sqrt?", "%timeit 1 + 1", "1 + 1"]]
    [':quit', ':help sqrt', ':bench 1 + 1', None]
    """
    text = text.strip()
    word = text.removesuffix("()")
    if word in _MEANT and word not in session:
        return _MEANT[word]
    asked = _ASKED.fullmatch(text)
    if asked is not None:
        return f":help {asked[1] or asked[2] or asked[3]}"
    name, _, rest = text[1:].partition(" ")
    if text.startswith("%") and name in _MAGICS:
        return f"{_MAGICS[name]} {rest}"
    return None
