"""The texts of earlier sessions.

In: texts. Out: those of last time, oldest first. Always holds: a history that cannot be read or written costs one warning, nothing else;
the file is its owner's alone, an entry a line, so that sessions side by side may add to it; only its end is read.
"""

from __future__ import annotations

import os
import stat
from io import FileIO

#: The environment variable that says which file it is; empty: there is none.
VARIABLE = "JIB_HISTORY"

MOST = 10_000  # entries that are read, and what they may have in all:
LONGEST = 1 << 20  # bytes
KEPT = 1 << 16  # characters of an entry; a longer one is not kept


class History:
    """A file of texts; `problem` says why it cannot be used, once something has failed."""

    def __init__(self, path: str | None = None) -> None:
        self.problem = ""
        self.path = place() if path is None else path
        if not self.path:
            return
        try:
            os.makedirs(os.path.dirname(os.path.abspath(self.path)), mode=0o700, exist_ok=True)
            with self._open() as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise OSError(0, "not a file")
        except (OSError, ValueError) as problem:
            self._give_up(problem)

    def _open(self) -> FileIO:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
        return FileIO(os.open(self.path, flags, 0o600), "r+")

    def _give_up(self, problem: Exception) -> None:
        words = getattr(problem, "strerror", None) or str(problem)
        self.problem = f"the history is not kept: {self.path!a}: {words}; {VARIABLE} names another place"
        self.path = ""

    def texts(self) -> list[str]:
        """The texts of earlier sessions, oldest first."""
        if not self.path:
            return []
        try:
            with self._open() as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - LONGEST))
                data = file.read(LONGEST) or b""
        except (OSError, ValueError) as problem:
            self._give_up(problem)
            return []
        lines = data.decode("utf-8", errors="replace").split("\n")
        if size > LONGEST:
            del lines[0]  # a part of one
        return [_decoded(line) for line in lines if line][-MOST:]

    def add(self, text: str) -> None:
        """Keep a text for later sessions."""
        if not self.path or not text.strip() or len(text) > KEPT:
            return
        try:
            with self._open() as file:
                file.write(_encoded(text).encode("utf-8", errors="replace") + b"\n")
        except (OSError, ValueError) as problem:
            self._give_up(problem)


def place() -> str:
    """Where the history is: what the environment says, else where the system keeps the state of programs.

    >>> import os
    >>> os.environ[VARIABLE] = "/tmp/history"
    >>> place()
    '/tmp/history'
    >>> del os.environ[VARIABLE]
    """
    path = os.environ.get(VARIABLE)
    if path is not None:
        return path
    try:
        from platformdirs import user_state_path

        return str(user_state_path("jib") / "history")
    except ImportError:
        folder = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
        return os.path.join(folder, "jib", "history")


def _encoded(text: str) -> str:
    """A text as one line.

    >>> _encoded("if a:\\n  b"), _decoded(_encoded("if a:\\n  b"))
    ('if a:\\\\n  b', 'if a:\\n  b')
    """
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def _decoded(line: str) -> str:
    parts = line.split("\\\\")
    return "\\".join([part.replace("\\n", "\n").replace("\\r", "\r") for part in parts])
