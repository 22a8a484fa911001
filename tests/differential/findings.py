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

from .campaign import Finding, fuel, inputs
from .choices import Recorder, Replay, fewer, simpler
from .compare import Mismatch, examine, expected, names_parameters, spend
from .generate import Generated, program, write
from .shrink import shrink

DIED = 128


def asked_apart(question: Callable[[], bool], seconds: float = 0.5) -> int:
    """Asks in a process of its own, since a program that was made smaller may never end: 0 yes, 1 no, else the signal + 128."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)  # of the processor's time: others may want it too
        answer = 1
        with contextlib.suppress(BaseException):
            answer = 0 if question() else 1
        os._exit(answer)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else DIED - code


def still(text: str, params: tuple[str, ...], calls: list[Any], fuel: int = 0) -> Mismatch | None:
    """The mismatch of a smaller text, if it has one."""
    with contextlib.suppress(Exception):
        found = spend(text, params, calls, fuel) if fuel else examine(text, params, calls).mismatches
        return found[0] if found else None
    return None


def small(finding: Finding) -> tuple[str, tuple[str, ...], list[Any], str]:
    """The text after shrinking, its parameters, the calls that show it, and how it shows."""
    recorder = Recorder(finding.number)
    made = write(recorder)
    if finding.mismatch is None:
        return small_trouble(finding, recorder)
    kind = finding.mismatch.kind
    limit = fuel(finding.number) if "fuel=" in finding.mismatch.one else 0

    def like(made: Generated) -> Mismatch | None:
        now = still(made.text, made.params, inputs(finding.number, made), limit)
        return now if now is not None and now.kind == kind else None

    choices = fewer(recorder.choices, lambda choices: like(write(Replay(choices))) is not None)
    made = write(Replay(choices))
    mismatch = like(made)
    if mismatch is None:  # it comes and goes
        return program(finding.number).text, made.params, [finding.mismatch.arguments], str(finding.mismatch)

    def holds(text: str, arguments: tuple[Any, ...]) -> bool:
        now = still(text, made.params, [arguments], limit)
        return now is not None and now.kind == kind

    arguments = simpler(mismatch.arguments, lambda new: holds(made.text, new))
    text = shrink(made.text, lambda text: asked_apart(lambda: holds(text, arguments)) == 0)
    return text, made.params, [arguments], str(still(text, made.params, [arguments], limit) or mismatch)


def small_trouble(finding: Finding, recorder: Recorder) -> tuple[str, tuple[str, ...], list[Any], str]:
    """The same where the process died."""

    def dies(made: Generated, calls: list[Any]) -> bool:
        code = asked_apart(lambda: bool(still(made.text, made.params, calls)))
        return code > DIED and code != DIED + signal.SIGPROF

    def holds(choices: list[float]) -> bool:
        made = write(Replay(choices))
        return dies(made, inputs(finding.number, made))

    made = program(finding.number)
    if dies(made, inputs(finding.number, made)):
        made = write(Replay(fewer(recorder.choices, holds, 300)))
    calls = inputs(finding.number, made)
    return made.text, made.params, [call for call in calls if dies(made, [call])][:1] or calls, finding.trouble


def candidate(finding: Finding) -> str:
    """The filetest."""
    text, params, calls, words = small(finding)
    lines = [text, ""]
    if not names_parameters(text):
        lines.append(f"# options: params={','.join(params)}")
    plain = True
    with contextlib.suppress(Exception):  # what the oracle does not know, a person must fill in
        for arguments in calls:
            answer, cpython = expected(text, params, arguments)
            plain = plain and cpython
            want = f"raises {answer.error}" if answer.error else f"-> {answer.value!r}"
            lines.append(f"# run: ({', '.join(map(repr, arguments))}) {want}")
            lines += [f"# prints: {line.strip()}".rstrip() for line in answer.printed.splitlines()]
    if not plain:
        lines.append("# cpython: skip a stated difference, or a name that is not Python's")
    lines.append(f"# Found by program {finding.number} of tests/differential.")
    lines += [f"# - {line}" for line in words.splitlines()]
    return "\n".join(lines) + "\n"
