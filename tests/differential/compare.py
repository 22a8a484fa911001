"""Runs one program everywhere and says what does not agree.

In: a program and arguments. Out: `Report`, with at most one `Mismatch` a call. Always holds: values are compared by type and by bits,
failures by exception and line; the engines also by message and place. The oracle is `divergences.Program`; where a call of it met no
divergence, CPython with the text as it stands is asked too, and must agree with it.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from filetest_runner.outcome import place_of
from filetest_runner.values import same
from jib import ir
from jib.errors import CompileError, LimitError
from jib.function import Function, Options, make
from jib.limits import DEFAULT
from jib.lower import lower
from jib.parse import parse
from jib.source import Source

from .divergences import TRACE, Program, Unmodelled, type_of

ENGINES = {
    "interpreter": Options(engine="interpreter", opt_level="none"),
    "native, opt_level=none": Options(engine="native", opt_level="none"),
    "native, opt_level=speed": Options(engine="native", opt_level="speed"),
}


Lines = list[tuple[int, int]]


class Outcome(NamedTuple):
    """A value, or how it failed and in which line."""

    value: Any = None
    error: str = ""
    line: int = 0
    rest: Any = None  # message and place, which only engines share
    printed: str = ""
    last: int = 0  # of the lines it may have been, where the oracle knows the statement alone

    def __str__(self) -> str:
        printed = f", printing {self.printed!r}" if self.printed else ""
        if self.error:
            return f"{self.error} in line {self.line}: {self.rest}{printed}"
        return f"{type(self.value).__name__} {self.value!r}{printed}"


class Mismatch(NamedTuple):
    """Two answers that should be one."""

    arguments: tuple[Any, ...]
    one: str
    answer: Outcome
    other: str
    differs: Outcome

    @property
    def kind(self) -> tuple[bool, ...]:
        """What stays while a finding is made smaller: who differs, whether by an error, and whether from within the program."""
        engine = self.other != "the model", "fuel" in self.other
        return bool(self.answer.error), bool(self.differs.error), self.differs.line > 0, *engine

    def __str__(self) -> str:
        return f"{self.arguments!r}:\n  {self.one}: {self.answer}\n  {self.other}: {self.differs}"


@dataclass
class Report:
    """What came of a program; `refused` is why jib, or the oracle, does not take it."""

    mismatches: list[Mismatch] = field(default_factory=list)
    values: int = 0
    failures: int = 0
    diverged: int = 0
    refused: str = ""


def names_parameters(text: str) -> bool:
    """Whether a text is a lambda or definitions: others are told their parameters."""
    own = ("def ", "lambda")
    return text.startswith(own) and re.findall(r"^\S.*", text, re.MULTILINE)[-1].startswith(own)


Make = Callable[[Options], Function]


def translate(text: str, params: tuple[str, ...]) -> Make:
    """Reads a text once, for all engines."""
    named = None if names_parameters(text) else params
    source = Source(text)
    lowered = lower(parse(source, DEFAULT), source, named, DEFAULT)
    module = ir.encode(lowered.module)
    return lambda options: Function(make(source, module, lowered, options._replace(params=named)))


class Output(io.StringIO):
    """What stands in for sys.stdout while programs run."""

    def take(self) -> str:
        """What was printed since the last time."""
        text = self.getvalue()
        if text:
            self.seek(0)
            self.truncate()
        return text


def run(function: Callable[..., Any], arguments: tuple[Any, ...], output: Output) -> Outcome:
    """Calls an engine. An InternalError is an outcome too: it never agrees with CPython's."""
    try:
        return Outcome(function(*arguments), printed=output.take())
    except CompileError:
        raise
    except Exception as error:
        place = place_of(error)
        rest = str(error), place
        return Outcome(None, type(error).__name__, place[0] if place else 0, rest, output.take())


def ask(
    function: Callable[..., Any], arguments: tuple[Any, ...], file: str, output: Output, lines: Lines | None = None
) -> Outcome:
    """Calls CPython; the line is that of the innermost frame of the program, or those that `lines` has for it."""
    try:
        return Outcome(function(*arguments), printed=output.take())
    except Exception as error:
        line, trace = 0, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == file:
                line = trace.tb_lineno
            trace = trace.tb_next
        line, last = lines[line] if lines else (line, line)
        return Outcome(None, type(error).__name__, line, str(error), output.take(), last)


def agree(a: Outcome, b: Outcome) -> bool:
    """Whether b does what a says. The line of an UnboundLocalError is CPython's only nearly: instructions that it runs as one have the
    line of the first."""
    if a.error != b.error or a.printed != b.printed:
        return False
    if not a.error:
        return same(a.value, b.value)
    return a.line <= b.line <= max(a.line, a.last) or a.error == "UnboundLocalError"


def examine(text: str, params: tuple[str, ...], calls: Iterable[tuple[Any, ...]], fuel: int = 0) -> Report:
    """Everything about one program; with `fuel`, also what it does when it may use up no more than that."""
    report = Report()
    oracles: dict[Any, tuple[Program, Any]] = {}
    answers = []
    with contextlib.redirect_stdout(Output()) as output:
        try:
            make = translate(text, params)
            functions = {name: make(options) for name, options in ENGINES.items()}
            for arguments in calls:
                # The engines first: a text that they refuse needs no oracle.
                outcomes = {name: run(function, arguments, output) for name, function in functions.items()}
                answers.append((arguments, outcomes["interpreter"]))
                types = tuple([type_of(value) for value in arguments])
                if types not in oracles:
                    program = Program(text, params, types)
                    oracles[types] = program, program.plain()
                mismatch = judge(arguments, outcomes, *oracles[types], output, report)
                if mismatch is not None:
                    report.mismatches.append(mismatch)
        except (CompileError, LimitError, Unmodelled) as error:
            report.refused = f"{type(error).__name__}: {error}"
        if fuel and answers:
            report.mismatches += spend(make, answers, fuel, output)
    return report


def judge(
    arguments: tuple[Any, ...],
    outcomes: dict[str, Outcome],
    program: Program,
    plain: Any,
    output: Output,
    report: Report,
) -> Mismatch | None:
    """Asks the oracle, and finds the first that answers otherwise, or fails with other words or elsewhere than the interpreter."""
    TRACE.diverged = False
    answer = ask(program.function, arguments, "<model>", output, program.lines)
    report.diverged += TRACE.diverged
    report.values += not answer.error
    report.failures += bool(answer.error)
    first = "the model"
    if plain is not None and not TRACE.diverged:
        as_it_stands = ask(plain, arguments, "<cpython>", output)
        if not agree(answer, as_it_stands):
            return Mismatch(arguments, "CPython", as_it_stands, "the model", answer)
        first, answer = "CPython", as_it_stands
    for name, outcome in outcomes.items():
        if not agree(answer, outcome) or outcome.error == "InternalError":
            return Mismatch(arguments, first, answer, name, outcome)
        if outcome.error and outcome.rest != outcomes["interpreter"].rest:
            return Mismatch(arguments, "interpreter", outcomes["interpreter"], name, outcome)
    return None


def spend(make: Make, answers: list[tuple[tuple[Any, ...], Outcome]], fuel: int, output: Output) -> list[Mismatch]:
    """What the engines do not agree on with so much fuel, which CPython does not have: value, BudgetError, or how it ends otherwise.
    A call that has enough does what it does without a limit."""
    mismatches = []
    functions = {name: make(options._replace(fuel=fuel)) for name, options in ENGINES.items()}
    for arguments, unlimited in answers:
        outcomes = {f"{name}, fuel={fuel}": run(function, arguments, output) for name, function in functions.items()}
        reference, answer = next(iter(outcomes.items()))
        if answer.error != "BudgetError":
            reference, answer = "interpreter", unlimited
        for name, outcome in outcomes.items():
            if not agree(answer, outcome) or answer.rest != outcome.rest:
                mismatches.append(Mismatch(arguments, reference, answer, name, outcome))
                break
    return mismatches


def expected(text: str, params: tuple[str, ...], arguments: tuple[Any, ...]) -> tuple[Outcome, bool]:
    """What the oracle answers, and whether CPython as it stands is known to answer so too."""
    program = Program(text, params, tuple(map(type_of, arguments)))
    with contextlib.redirect_stdout(Output()) as output:
        TRACE.diverged = False
        answer = ask(program.function, arguments, "<model>", output, program.lines)
        return answer, not (program.ours or TRACE.diverged)
