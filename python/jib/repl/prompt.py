"""The prompt, by prompt_toolkit: highlighting, several lines at once, completion, history.

In: a session, and a terminal. Out: an exit status. Always holds: Ctrl-C clears what was typed, or stops what runs; Ctrl-D leaves; Enter
runs a text that is whole and begins a new line in one that is not; Alt-Enter always begins one. What is pasted stays to be looked at,
but for a text so long that prompt_toolkit would take seconds to lay it out: that is run at once.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.history import History as Known
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.keys import Keys
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.styles import style_from_pygments_cls

from .chunks import is_whole
from .complete import complete
from .console import Console, Quit
from .history import History
from .interrupts import CtrlC, say_interrupted
from .plain import MORE, PROMPT, banner, rehearsing

if TYPE_CHECKING:
    from ..session import Session

SHORT = 20_000  # characters; what is longer is not shown


def prompt(session: Session) -> int:
    """Ask for texts until the person leaves."""
    console = Console(session, interactive=True, prompt=len(PROMPT))
    history = History()
    asked = prompting(session, history)
    print(banner())
    rehearsed = rehearsing()
    try:
        # prompt_toolkit takes Ctrl-C for a key, but not before asyncio's loop is ready, nor after: it would be left half made.
        with CtrlC() as ctrl_c:
            while True:
                if history.problem:
                    console.complain(history.problem)
                    history.problem = ""
                try:
                    text = _ask(asked)
                    if text is None:
                        asked = prompting(session, history)
                        text = asked.prompt(PROMPT)
                except KeyboardInterrupt:  # the key
                    say_interrupted()
                    continue
                rehearsed()
                _answer(console, text.rstrip(), ctrl_c)
    except (EOFError, Quit):
        pass
    return 0


def _answer(console: Console, text: str, ctrl_c: CtrlC) -> None:
    if len(text) > SHORT:
        console.show(f"({len(text):,} characters)")
    if text and ctrl_c.heard_by(lambda: console.answer(text))[1]:
        say_interrupted()


def _ask(asked: PromptSession[str]) -> str | None:
    """A text; None if prompt_toolkit has tripped over what Ctrl-C left of the prompt before: a key that waited for another one, in an
    event loop that is closed."""
    parser = getattr(asked.input, "vt100_parser", None)
    if parser is not None:
        parser.reset()  # the end of a paste may never have come
    try:
        # A prompt that ended in a search would leave the keys with that.
        return asked.prompt(PROMPT, pre_run=lambda: asked.app.layout.focus(DEFAULT_BUFFER))
    except RuntimeError:
        return None


def prompting(session: Session, history: History, **others: Any) -> PromptSession[str]:
    """What asks for texts; `others` are input and output, for tests."""
    from ..highlight import wants_colour
    from ..lexers import JibLexer
    from ..palette import Terminal

    lexer = PygmentsLexer(JibLexer) if wants_colour(sys.stdout) else None
    asked: PromptSession[str] = PromptSession(
        multiline=True,
        lexer=lexer,
        completer=_Completer(session),
        complete_while_typing=False,
        history=_Known(history),
        key_bindings=_keys(),
        prompt_continuation=lambda width, line, wrapped: MORE if not wrapped else " " * width,
        style=style_from_pygments_cls(Terminal),
        include_default_pygments_style=False,
        **others,
    )
    _deaf_at_the_end(asked)
    return asked


def _deaf_at_the_end(asked: PromptSession[str]) -> None:
    """A SIGINT that comes when a prompt is over is handed to its keys all the same, and each of their conditions makes an application of
    its own to ask, since there is none: some minutes in which nothing is heard. So it is not handed on."""
    keys = asked.app.key_processor
    heard = keys.send_sigint

    def send_sigint() -> None:
        if asked.app.is_running:
            heard()

    keys.send_sigint = send_sigint  # type: ignore[method-assign]


def _keys() -> KeyBindings:
    keys = KeyBindings()
    here = has_focus(DEFAULT_BUFFER)  # not in a search, which has keys of its own

    @keys.add("enter", filter=here)
    def _(event: Any) -> None:
        buffer = event.current_buffer
        text, rest = buffer.text, buffer.document.text_after_cursor
        if buffer.complete_state is not None and buffer.complete_state.current_completion is not None:
            buffer.complete_state = None
        elif not rest.strip() and (text.lstrip().startswith(":") or is_whole(text)):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n" + _indent(buffer.document.text_before_cursor))

    @keys.add(Keys.BracketedPaste, filter=here)
    def _(event: Any) -> None:
        buffer = event.current_buffer
        pasted = event.data.replace("\r\n", "\n").replace("\r", "\n")
        if len(buffer.text) + len(pasted) <= SHORT:
            buffer.insert_text(pasted)
        else:
            document = buffer.document
            event.app.exit(result=document.text_before_cursor + pasted + document.text_after_cursor)

    @keys.add("backspace", filter=here)
    def _(event: Any) -> None:
        buffer = event.current_buffer
        before = buffer.document.current_line_before_cursor
        indent = before and not before.strip() and "\n" in buffer.text
        buffer.delete_before_cursor((len(before) - 1) % 4 + 1 if indent else 1)

    @keys.add("c-c", filter=here)
    @keys.add("<sigint>")
    def _(event: Any) -> None:
        # None before it begins to ask and when it has ended, where prompt_toolkit's own key fails.
        future = event.app.future
        if future is not None and not future.done():
            event.app.exit(exception=KeyboardInterrupt, style="class:aborting")

    @keys.add("escape", "enter", filter=here)
    def _(event: Any) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("tab", filter=here)
    def _(event: Any) -> None:
        buffer = event.current_buffer
        before = buffer.document.current_line_before_cursor
        if before.strip():
            if buffer.complete_state is not None:
                buffer.complete_next()
            else:
                buffer.start_completion(insert_common_part=True)
        elif "\n" in buffer.document.text_before_cursor:
            buffer.insert_text(" " * (4 - len(before) % 4))

    return keys


def _indent(before: str) -> str:
    """The spaces with which the next line begins.

    >>> [len(_indent(text)) for text in ["if a:", "if a:\\n    b", "def f():\\n    return 1", "f(1,"]]
    [4, 4, 0, 0]
    """
    line = before.rpartition("\n")[2]
    indent = line[: len(line) - len(line.lstrip())]
    if line.rstrip().endswith(":"):
        return indent + "    "
    if re.match(r"\s*(return|break|continue|pass|raise)\b", line):
        return indent[:-4]
    return indent


class _Completer(Completer):
    def __init__(self, session: Session) -> None:
        self._session = session

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterable[Completion]:
        width, candidates = complete(document.text_before_cursor, self._session)
        for each in candidates:
            yield Completion(each.text, -width, display=each.shown, display_meta=each.what)


class _Known(Known):
    """The history, for prompt_toolkit."""

    def __init__(self, history: History) -> None:
        super().__init__()
        self._history = history

    def load_history_strings(self) -> Iterable[str]:
        return reversed(self._history.texts())

    def store_string(self, string: str) -> None:
        self._history.add(string.rstrip())
