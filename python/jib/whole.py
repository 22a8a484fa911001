"""Files that are whole or not there.

In: a path and a text. Out: the file. Always holds: whoever reads it meets what was there before or all of the text; a link stays a link,
and no device or pipe becomes a file.
"""

from __future__ import annotations

import os
from _thread import get_ident  # threading is slow to import
from contextlib import suppress


def write(path: str, text: str) -> None:
    """Put a text in the place of a file. Half a character, which a program may have in a comment, is written as an escape.

    Raises OSError if the system does not allow it, or something stands there that is no file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/f.txt", "a")
    ...     write(f"{folder}/f.txt", "b")
    ...     open(f"{folder}/f.txt").read(), os.listdir(folder)
    ('b', ['f.txt'])
    """
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isdir(path) and not os.path.isfile(path):
        raise OSError(0, "it is no file")
    beside = f"{path}.{os.getpid()}-{get_ident()}"
    with open(beside, "x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        try:
            file.write(text)
            file.close()
            os.replace(beside, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside)
            raise
