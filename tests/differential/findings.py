"""Makes a filetest of a finding.

In: a finding. Out: the smallest text found that still shows it, with `# run:` lines that say what CPython answers.
Always holds: the text is one that the runner of filetests runs.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from typing import Any

from .campaign import Finding, inputs
from .compare import Mismatch, examine, expected, names_parameters
from .generate import Generated, program
from .shrink import shrink

Holds = Callable[[str], bool]
DIED = 128


def asked_apart(question: Callable[[], bool], seconds: float = 2.0) -> int:
    """Asks in a process of its own, since a program that was made smaller may never end: 0 yes, 1 no, else the signal + 128."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        answer = 1
        with contextlib.suppress(BaseException):
            answer = 0 if question() else 1
        os._exit(answer)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else DIED - code


def still(text: str, made: Generated, calls: list[Any]) -> Mismatch | None:
    """The mismatch of a smaller text, if it has one."""
    with contextlib.suppress(Exception):
        found = examine(text, made.params, calls).mismatches
        return found[0] if found else None
    return None


def small(finding: Finding) -> tuple[str, list[Any], str]:
    """The text after shrinking, the calls that show it, and how it shows."""
    made = program(finding.number)
    calls = inputs(finding.number, made)
    mismatch = finding.mismatch
    if mismatch is not None:
        calls = [mismatch.arguments]

        def holds(text: str) -> bool:
            now = still(text, made, calls)
            return now is not None and now.kind == mismatch.kind

        text = shrink(made.text, lambda text: asked_apart(lambda: holds(text)) == 0)
        return text, calls, str(still(text, made, calls) or mismatch)

    def dies(text: str) -> bool:
        code = asked_apart(lambda: bool(still(text, made, calls)))
        return code > DIED and code != DIED + signal.SIGALRM

    return shrink(made.text, dies) if dies(made.text) else made.text, calls, finding.trouble


def candidate(finding: Finding) -> str:
    """The filetest."""
    text, calls, words = small(finding)
    made = program(finding.number)
    lines = [text, ""]
    if not names_parameters(text):
        lines.append(f"# options: params={','.join(made.params)}")
    for arguments in calls:
        answer = expected(text, made.params, arguments)
        want = f"raises {answer.error}" if answer.error else f"-> {answer.value!r}"
        lines.append(f"# run: ({', '.join(map(repr, arguments))}) {want}")
    lines.append(f"# program {finding.number}")
    lines += [f"# {line}" for line in words.splitlines()]
    return "\n".join(lines) + "\n"
