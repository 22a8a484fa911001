"""Runs one program everywhere and says what does not agree.

In: a program and arguments. Out: `Report`, with at most one `Mismatch` a call. Always holds: values are compared by type and by bits,
failures by exception and line; the engines also by message and place. The oracle is `divergences.Program`; where a call of it met no
divergence, CPython with the text as it stands is asked too, and must agree with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from filetest_runner.outcome import place_of
from filetest_runner.values import same
from jib import ir
from jib.errors import CompileError, LimitError
from jib.function import Function, Options
from jib.limits import DEFAULT
from jib.lower import lower
from jib.parse import parse
from jib.source import Source

from .divergences import TRACE, Program, Unmodelled, type_of

NAMED = ("def ", "lambda")  # texts that name their parameters themselves
ENGINES = {
    "interpreter": ("interpreter", "none"),
    "interpreter after the passes": ("interpreter", "speed"),
    "native, opt_level=none": ("native", "none"),
    "native, opt_level=speed": ("native", "speed"),
}


class Outcome(NamedTuple):
    """A value, or how it failed and in which line."""

    value: Any = None
    error: str = ""
    line: int = 0
    rest: Any = None  # message and place, which only engines share

    def __str__(self) -> str:
        return (
            f"{self.error} in line {self.line}: {self.rest}"
            if self.error
            else f"{type(self.value).__name__} {self.value!r}"
        )


class Mismatch(NamedTuple):
    """Two answers that should be one."""

    arguments: tuple[Any, ...]
    one: str
    answer: Outcome
    other: str
    differs: Outcome

    @property
    def kind(self) -> tuple[bool, bool, bool]:
        """What stays while a finding is made smaller."""
        return bool(self.answer.error), bool(self.differs.error), self.one == "CPython"

    def __str__(self) -> str:
        return f"{self.arguments!r}:\n  {self.one}: {self.answer}\n  {self.other}: {self.differs}"


class Report(NamedTuple):
    """What came of a program; `refused` is why jib, or the oracle, does not take it."""

    mismatches: list[Mismatch]
    values: int
    failures: int
    diverged: int
    refused: str = ""


def engines(text: str, params: tuple[str, ...] | None) -> dict[str, Callable[..., Any]]:
    """The program on each engine; the text is read once."""
    source = Source(text)
    lowered = lower(parse(source, DEFAULT), source, params, DEFAULT)
    module = ir.encode(lowered.module)
    return {
        name: Function(source, module, lowered, Options(params=params, engine=engine, opt_level=level))
        for name, (engine, level) in ENGINES.items()
    }


def run(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome:
    """Calls an engine. An InternalError is an outcome too: it never agrees with CPython's."""
    try:
        return Outcome(function(*arguments))
    except CompileError:
        raise
    except Exception as error:
        place = place_of(error)
        return Outcome(None, type(error).__name__, place[0] if place else 0, (str(error), place))


def ask(function: Callable[..., Any], arguments: tuple[Any, ...], file: str, lines: list[int] | None = None) -> Outcome:
    """Calls CPython; the line is that of the innermost frame of the program, or what `lines` has for it."""
    try:
        return Outcome(function(*arguments))
    except Exception as error:
        line, trace = 0, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == file:
                line = trace.tb_lineno
            trace = trace.tb_next
        return Outcome(None, type(error).__name__, lines[line] if lines else line, str(error))


def agree(a: Outcome, b: Outcome) -> bool:
    return a.error == b.error and (same(a.value, b.value) if not a.error else a.line == b.line)


def examine(text: str, params: tuple[str, ...], calls: Iterable[tuple[Any, ...]]) -> Report:
    """Everything about one program."""
    mismatches: list[Mismatch] = []
    values = failures = diverged = 0
    try:
        functions = engines(text, None if text.startswith(NAMED) else params)
    except (CompileError, LimitError) as error:
        return Report([], 0, 0, 0, f"{type(error).__name__}: {error}")
    oracles: dict[Any, tuple[Program, Any]] = {}
    for arguments in calls:
        types = tuple([type_of(value) for value in arguments])
        try:
            outcomes = {name: run(function, arguments) for name, function in functions.items()}
            if types not in oracles:
                program = Program(text, params, types)
                oracles[types] = program, program.plain()
            program, plain = oracles[types]
        except (CompileError, LimitError, Unmodelled) as error:
            return Report(mismatches, values, failures, diverged, f"{type(error).__name__}: {error}")
        TRACE.diverged = False
        answer = ask(program.function, arguments, "<model>", program.lines)
        diverged += TRACE.diverged
        values += not answer.error
        failures += bool(answer.error)
        mismatch = None
        if plain is not None and not TRACE.diverged:
            as_it_stands = ask(plain, arguments, "<cpython>")
            if not agree(answer, as_it_stands):
                mismatch = Mismatch(arguments, "CPython", as_it_stands, "the model", answer)
        mismatch = mismatch or judge(arguments, answer, outcomes)
        if mismatch is not None:
            mismatches.append(mismatch)
    return Report(mismatches, values, failures, diverged)


def judge(arguments: tuple[Any, ...], answer: Outcome, outcomes: dict[str, Outcome]) -> Mismatch | None:
    """The first engine that answers otherwise than the oracle, or fails with other words or elsewhere than the interpreter."""
    for name, outcome in outcomes.items():
        if not agree(answer, outcome) or outcome.error == "InternalError":
            return Mismatch(arguments, "the model", answer, name, outcome)
        if outcome.error and outcome.rest != outcomes["interpreter"].rest:
            return Mismatch(arguments, "interpreter", outcomes["interpreter"], name, outcome)
    return None


def expected(text: str, params: tuple[str, ...], arguments: tuple[Any, ...]) -> Outcome:
    """What the oracle answers."""
    program = Program(text, params, tuple(map(type_of, arguments)))
    return ask(program.function, arguments, "<model>", program.lines)
