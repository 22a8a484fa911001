"""A call: the floats x and y added by whatever each peer has that can be called, net of the loop that calls it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..measure import Case, Meter, agree
from ..peers import CALLED, PYTHON, present
from ..say import Table

CALLS = 20
EMPTY = "the loop alone"


def measure(meter: Meter) -> tuple[list[Table], list[str]]:
    peers, absent = present(CALLED)
    x, y = 1.5, 2.5
    cases, answers = {EMPTY: loop("", {}, meter)}, {}
    for peer in meter.wanted(peers, lambda peer: peer.name):
        adder = peer.adder()
        if adder is None:
            absent.append(f"a C compiler that {peer.name} can use")
            continue
        expression, scope = adder
        names = {"x": x, "y": y, **scope}
        name = "Python function" if peer is PYTHON else peer.name
        if peer.name != "C builtin":  # math.copysign does not add
            answers[name] = eval(expression, dict(names))
        cases[name] = loop(expression, names, meter)
    if "jib" in answers:
        agree("a + b", {"CPython": x + y, **answers})
    turns = meter.in_turns(cases).less(EMPTY)
    table = Table("A call that adds two floats", "what is called")
    for name in turns.taken:
        table.rows[name] = {"time": turns.cell(name), **turns.ratio(name, "C builtin", "to a C builtin")}
    table.notes.append(
        "C builtin: `math.copysign`. jib, numba: a compiled function; asteval: a function that it defined; simpleeval: a parsed tree; "
        "numexpr: its compiled expression, called itself; sympy: `lambdify`; cffi: a module that it generated; ctypes: `CDLL`; C by -O2."
    )
    return [table], absent


def loop(expression: str, names: dict[str, Any], meter: Meter, calls: int = CALLS) -> Case:
    """A case: what the expression takes, written so many times in a row in a loop; of nothing, what the loop takes."""
    body = "; ".join([expression] * calls) if expression else "pass"
    scope = dict(names)
    exec(f"def run(loops, {', '.join(f'{name}={name}' for name in names)}):\n    for _ in loops: {body}", scope)
    run: Callable[[list[None]], None] = scope["run"]
    clock = meter.plan.clock()
    run([None])
    begin = clock()
    run([None])
    # Turns are alike in length: on a busy machine a longer one is interrupted more often. The empty loop is short enough.
    count = max(1, min(20_000, int(meter.plan.seconds / max(clock() - begin, 2e-7))))

    def case() -> float:
        loops = [None] * count
        begin = clock()
        run(loops)
        return (clock() - begin) / count / calls

    return case
