"""From text to the first answer, in a warm process, nothing cached; and where jib's time goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

import jib
from jib import ir
from jib.function import Function, Options, make
from jib.limits import DEFAULT
from jib.lower import lower
from jib.parse import parse
from jib.source import Source

from ..measure import Cell, Meter, Turns, Work, agree
from ..peers import EVALUATORS, present
from ..say import Table
from ..texts import Text, of_all_sizes

#: What is aimed at, of `a + b`.
TO_PYTHON, NUMBA_TO_US = 15.0, 150.0


def measure(meter: Meter) -> tuple[list[Table], list[str]]:
    peers, absent = present(EVALUATORS)
    answers = Table("Text to first answer", "text")
    answers.notes.append(
        "Each has its turn of some milliseconds, again and again, or once: `a + b, each once in turns`. "
        "Compiled anew each time and called once, since numba, and jib without a signature, compile when they are called. "
        "CPython: `compile` and `eval`, of a function `exec` and a call. numexpr without its cache. "
        "– : the peer has no such texts; sympy has no conditional expression, and is given `Max`."
    )
    stages = Table("Where jib's time goes", "stage")
    for text in meter.over(of_all_sizes(), lambda text: text.name):
        is_small = text.name == "a + b"
        works = {}
        for peer in peers:
            if meter.plan.quick and peer.name == "numba" and text.source.count("\n") > 500:
                answers.notes.append("numba with 1,000 lines takes half a minute: only in the full run.")
                continue
            work = peer.answer(text)
            if work is not None:
                works[peer.name] = work
        jib.cache_clear()
        agree(text.name, {name: work() for name, work in works.items()})
        turns = meter.compete(works, forget=jib.cache_clear)
        answers.rows[text.name] = {
            **turns.cells(),
            **turns.ratio("jib", "CPython", most=TO_PYTHON if is_small else None),
            **turns.ratio("numba", "jib", least=NUMBA_TO_US if is_small else None),
        }
        if is_small:
            single = one_by_one({name: work for name, work in works.items() if name != "numba"}, 10 * meter.plan.rounds)
            answers.rows["a + b, each once in turns"] = {
                **single.cells(),
                **single.ratio("jib", "CPython", most=TO_PYTHON),
            }
        runs = [stages_of(text) for _ in range(meter.plan.rounds)]
        for stage in runs[0]:
            stages.rows.setdefault(stage, {})[text.name] = Cell.of([run[stage] for run in runs])
    stages.notes.append(
        "parse: lexing and parsing; crossing: decoding, verifying, SSA; machine: Cranelift; callable: all that is between these."
    )
    return [answers, stages, *known(meter)], absent


def one_by_one(works: Mapping[str, Work], rounds: int) -> Turns:
    """Each once, then the others, as in a program that does other things between two texts: whoever has its turn finds the
    processor's caches as another has left them."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            jib.cache_clear()
            begin = perf_counter()
            work()
            taken[name].append(perf_counter() - begin)
    return Turns(taken)


def known(meter: Meter) -> list[Table]:
    """`jib.compile` of `a + b` when the text is known, and with its types."""
    table = Table("jib.compile of `a + b`", "text")
    if meter.plan.rows:
        return []
    jib.compile("a + b")(1.5, 2.5)
    turns = meter.compete(
        {"known": lambda: jib.compile("a + b"), "known, and called": lambda: jib.compile("a + b")(1.5, 2.5)}
    )
    fresh = meter.compete(
        {
            "unknown": lambda: jib.compile("a + b"),
            "unknown, and called": lambda: jib.compile("a + b")(1.5, 2.5),
            "unknown, with a signature": lambda: jib.compile("a + b", "float(float, float)"),
        },
        forget=jib.cache_clear,
    )
    for name, cell in [*turns.cells().items(), *fresh.cells().items()]:
        table.rows[name] = {"jib": cell}
    return [table]


def stages_of(text: Text) -> dict[str, float]:
    return stages_once(text.source, list(text.args.values()))


def stages_once(text: str, args: Sequence[Any]) -> dict[str, float]:
    """Seconds of each stage, from the text to its first answer."""
    laps = [perf_counter()]
    source = Source(text)
    program = parse(source, DEFAULT)
    laps.append(perf_counter())
    lowered = lower(program, source, None, DEFAULT)
    laps.append(perf_counter())
    module = ir.encode(lowered.module)
    laps.append(perf_counter())
    function = Function(make(source, module, lowered, Options()))
    function(*args)
    laps.append(perf_counter())
    took = dict(zip(("parse", "lower", "encode"), [b - a for a, b in zip(laps, laps[1:])]))
    took.update({stage: micros / 1e6 for stage, micros in function.specializations[0].stages.items()})
    total = laps[-1] - laps[0]
    return {**took, "callable": total - sum(took.values()), "total": total}
