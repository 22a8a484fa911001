"""A terminal, and a program in it.

In: a command, and what a person types. Out: what is on the screen. Always holds: the program is gone afterwards, whatever the test did;
nothing waits longer than `PATIENCE`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pexpect
import pyte

PATIENCE = 20.0  # seconds, on a machine that does much else


def listen() -> None:
    """Answer Ctrl-C even where the tests run with SIGINT ignored, as shells start what they put in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A screen of so many columns and lines, on which `python -m jib` runs unless `command` says otherwise."""

    def __init__(
        self,
        *words: str,
        home: Path,
        command: str = sys.executable,
        columns: int = 100,
        lines: int = 50,
        **environment: str,
    ) -> None:
        plain = {
            name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "JIB_REPL")
        }
        environment = {**plain, "TERM": "xterm-256color", "JIB_HISTORY": str(home / "history"), **environment}
        environment.setdefault("PYTHONUTF8", "1")
        self.screen = pyte.HistoryScreen(columns, lines, history=10_000)
        self.screen.write_process_input = self._answer  # where is the cursor, asks prompt_toolkit
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.program = pexpect.spawn(
            command,
            list(words or ("-m", "jib")),
            env=environment,
            dimensions=(lines, columns),
            cwd=str(home),
            timeout=PATIENCE,
            preexec_fn=listen,
        )
        self.program.delaybeforesend = None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *problem: object) -> None:
        self.program.close(force=True)

    def _answer(self, data: str) -> None:
        self.program.send(data)

    def look(self, seconds: float = 0.05) -> str:
        """Take in what the program has written so far."""
        end = time.monotonic() + seconds
        while True:
            try:
                data = self.program.read_nonblocking(1 << 16, max(0.0, min(0.05, end - time.monotonic())))
                self.raw += data
                self._stream.feed(data)
            except pexpect.TIMEOUT:
                pass
            except pexpect.EOF:
                break
            if time.monotonic() > end:
                break
        return self.text

    @property
    def text(self) -> str:
        """All lines, those that have scrolled away too, without the spaces at their ends."""
        width = self.screen.columns
        gone = ["".join(line[at].data for at in range(width)).rstrip() for line in self.screen.history.top]
        return "\n".join([*gone, *[line.rstrip() for line in self.screen.display]]).rstrip()

    def wait(self, words: str, times: int = 1) -> str:
        """Wait until these words are there so many times; what is on the screen then."""
        end = time.monotonic() + PATIENCE
        while self.text.count(words) < times:
            assert time.monotonic() < end, f"no {words!r} on the screen:\n{self.text}"
            alive = self.program.isalive()
            self.look()
            assert alive or self.text.count(words) >= times, f"the program ended without {words!r}:\n{self.text}"
        return self.text

    def ready(self) -> str:
        """Wait for a prompt at which nothing is typed yet; what is on the screen then."""
        end = time.monotonic() + PATIENCE
        while not ("\n" + self.text).endswith("\njib>"):
            assert time.monotonic() < end, f"no prompt:\n{self.text}"
            self.look()
        return self.text

    def type(self, keys: str) -> None:
        self.program.send(keys)

    def say(self, text: str, prompt: str = "jib> ") -> str:
        """Type a line and wait for the next prompt; what came between."""
        before = self.text.count("\n" + prompt.rstrip()) + self.text.startswith(prompt.rstrip())
        shown = len(self.text)
        self.type(text + "\r")
        end = time.monotonic() + PATIENCE
        while self.text.count("\n" + prompt.rstrip()) + self.text.startswith(prompt.rstrip()) <= before:
            assert time.monotonic() < end, f"no prompt after {text[:80]!r}:\n{self.text}"
            self.look()
        answer = self.text[shown:]
        return answer.rpartition("\n")[0].partition("\n")[2]

    def end(self) -> int | None:
        """Wait until the program has ended; its exit status."""
        end = time.monotonic() + PATIENCE
        while self.program.isalive():
            assert time.monotonic() < end, f"it goes on:\n{self.text}"
            self.look()
        self.program.close()
        status: Any = self.program.exitstatus
        return status
