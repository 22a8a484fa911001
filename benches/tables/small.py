"""What stands around the elements: calls with arrays of ten, and a known text evaluated over ten and more."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import jib
from jib.bench.measure import Disagreement, Meter, Turns, Work
from jib.bench.say import Table

from .arrays import installed

#: What is promised: the time of np.add in that of ours, at least.
TO_ADD = 1 / 1.5
SIZES = (10, 1_000, 100_000)


def measure(meter: Meter) -> tuple[list[Table], list[str]]:
    peers, absent = installed(["numexpr", "numba"])
    names = ("calls", *[f"evaluate {size:,}" for size in SIZES])
    tables = []
    for name in meter.over(names):
        at = names.index(name)
        tables.append(calls(meter, peers) if at == 0 else evaluate(meter, peers, SIZES[at - 1]))
    return tables, absent


def calls(meter: Meter, peers: dict[str, Any]) -> Table:
    a, b = np.arange(10.0), np.ones(10)
    out = np.empty(10)
    f = jib.compile("a + b")
    works: dict[str, Work] = {
        "np.add": partial(np.add, a, b),
        "jib": partial(f, a, b),
        "jib, an array and a number": partial(f, a, 1.0),
        "jib, strided": partial(f, np.repeat(a, 2)[::2], np.repeat(b, 2)[::2]),
        "np.add, out=": partial(np.add, a, b, out=out),
        "jib: f.ufunc": partial(f.ufunc, a, b),
        "jib: f.ufunc, out=": partial(f.ufunc, a, b, out=out),
        "jib.evaluate": partial(jib.evaluate, "a + b", {"a": a, "b": b}),
    }
    if "numexpr" in peers:
        expression = peers["numexpr"].NumExpr("a + b", [("a", np.double), ("b", np.double)])
        works["numexpr, compiled"] = partial(expression, a, b)
        works["numexpr.evaluate"] = partial(peers["numexpr"].evaluate, "a + b", {"a": a, "b": b})
    if "numba" in peers:
        works["numba.njit"] = partial(peers["numba"].njit(lambda a, b: a + b), a, b)
        works["numba.vectorize"] = partial(peers["numba"].vectorize(lambda a, b: a + b), a, b)
    checked(works, a + b)
    return rows(meter.compete(works), "A call with ten elements: a + b", "np.add", {"jib": TO_ADD})


def evaluate(meter: Meter, peers: dict[str, Any], size: int) -> Table:
    """The text is known; names come from a mapping, or from where it is called."""
    text = "2*a + 3*b"
    a, b = np.arange(float(size)), np.ones(size)
    function, mapping = jib.compile(text), {"a": a, "b": b}

    def ours(a: Any = a, b: Any = b) -> Any:
        return jib.evaluate(text)

    works: dict[str, Work] = {
        "f(a, b)": lambda: function(a, b),
        "jib.evaluate": ours,
        "jib.evaluate, mapping": lambda: jib.evaluate(text, mapping),
    }
    if "numexpr" in peers:
        numexpr = peers["numexpr"]

        def theirs(a: Any = a, b: Any = b) -> Any:
            return numexpr.evaluate(text)

        def again(a: Any = a, b: Any = b) -> Any:
            return numexpr.re_evaluate()

        theirs()
        works |= {"numexpr.evaluate": theirs, "numexpr.re_evaluate": again}
    checked(works, 2 * a + 3 * b)
    return rows(meter.compete(works), f"`{text}` of {size:,} elements, evaluated", "jib.evaluate", {})


def checked(works: dict[str, Work], expected: Any) -> None:
    for name, work in works.items():
        if not np.allclose(got := work(), expected):
            raise Disagreement(f"{name} answers {got}, NumPy {expected}")


def rows(turns: Turns, title: str, reference: str, goals: dict[str, float]) -> Table:
    """A row for each, with its speed to a reference."""
    table = Table(title, "call")
    for name in turns.taken:
        speed = turns.ratio(reference, name, f"speed to {reference}", least=goals.get(name))
        table.rows[name] = {"time": turns.cell(name), **speed}
    return table
