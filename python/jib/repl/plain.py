"""The prompt without prompt_toolkit: Python's own `input`, with readline where it is.

In: a session, and a terminal, however dumb. Out: an exit status. Always holds: Ctrl-C clears what was typed, Ctrl-D leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..highlight import visible
from .chunks import Scan
from .complete import complete
from .console import Console, Quit
from .history import History
from .interrupts import CtrlC, say_interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session import Session

PROMPT = "jib> "
MORE = "...  "


def plain(session: Session) -> int:
    """Ask for lines until the person leaves."""
    console = Console(session, interactive=True, prompt=len(PROMPT))
    history = History()
    _readline(session, history)
    if history.problem:
        console.complain(history.problem)
    print(banner())
    rehearsed = rehearsing()
    try:
        with CtrlC() as ctrl_c:
            while _round(console, history, ctrl_c, rehearsed):
                pass
    except Quit:
        pass
    return 0


def rehearsing() -> Callable[[], None]:
    """Import what the first texts need, while they are typed, by answering some to nobody; what waits until that is done.

    So it is not done while Ctrl-C is heard, which would have to end an import, and which the callbacks in there cannot raise.
    """
    from io import StringIO
    from threading import Event, Thread

    from ..session import Session

    answered = Event()

    def rehearse() -> None:
        answered.wait(0.1)  # seconds in which the prompt is drawn
        console = Console(Session(), StringIO(), StringIO(), interactive=True)
        for text in ("1", "sqroot(1)", "1 +"):
            console.answer(text)

    def wait() -> None:
        answered.set()
        thread.join()

    thread = Thread(target=rehearse, daemon=True)
    thread.start()
    return wait


def _round(console: Console, history: History, ctrl_c: CtrlC, rehearsed: Callable[[], None]) -> bool:
    """Ask for a text and answer it; whether there was one."""
    try:
        text, interrupted = ctrl_c.heard_by(_ask)
    except UnicodeDecodeError as problem:
        console.complain(f"the line is not UTF-8: {problem.reason}")
        return True
    if not interrupted and text is None:
        print()
        return False
    if text is not None and text.strip():
        history.add(text)
        rehearsed()
        _, interrupted = ctrl_c.heard_by(lambda: console.answer(text))
    if interrupted:
        say_interrupted("\n")
    return True


def _ask() -> str | None:
    """A whole text; None at the end of input."""
    scan = Scan()
    lines: list[str] = []
    while True:
        try:
            line = input(MORE if lines else PROMPT)
        except EOFError:
            return "\n".join(lines) if lines and lines != [""] else None
        lines.append(line)
        if not lines[0].lstrip().startswith(":"):
            scan.line(line)
        if not scan.open and (not scan.compound or len(lines) == 1 or not line.strip()):
            return "\n".join(lines)


def _readline(session: Session, history: History) -> None:
    """Editing, completion and history, if there is a readline."""
    try:
        import readline
    except ImportError:
        return
    found: list[str] = []

    def completer(word: str, number: int) -> str | None:
        if number == 0:
            width, candidates = complete(readline.get_line_buffer()[: readline.get_endidx()], session)
            left = word[: len(word) - width] if width <= len(word) else ""
            found[:] = [left + each.text for each in candidates]
        return found[number] if number < len(found) else None

    readline.set_completer(completer)
    readline.set_completer_delims(" \t\n()[]{},;+-*/%<>=!&|^~'\"`@")
    readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")
    for text in history.texts():
        if text == visible(text):  # readline shows what it is given, and takes no NUL
            readline.add_history(text)


def banner() -> str:
    """What stands above the first prompt."""
    from .. import __version__

    return f"jib {__version__}  :help for help, Ctrl-D to leave"
