"""How long a text takes: its compilation in stages, and its run.

In: a text that can be run. Out: a table, or a line. Always holds: what is timed is native code of the session's options, with the values
that the text reads as parameters, since constants would fold away; the session stays as it is.
"""

from __future__ import annotations

from copy import copy
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .console import CommandError, shown, type_of
from .looking import text_of

if TYPE_CHECKING:
    from ..session import Session
    from .console import Console


def time_(console: Console, rest: str) -> str:
    text = text_of(console, rest)
    session, signature, values = _for_timing(console, text)
    start = perf_counter()
    function = session.prepare(text, parameters=True, signature=signature)
    made = perf_counter()
    value = function(**values)
    end = perf_counter()
    stages = function.specializations[-1].stages
    rows = [("text to IR", made - start - sum(stages.values()) * 1e-6)]
    rows += [(stage, each * 1e-6) for stage, each in stages.items()]
    said = [f"{name:>12}  {duration(seconds):>9}" for name, seconds in rows]
    said += [
        " " * 14 + "-" * 9,
        f"{'compile':>12}  {duration(made - start):>9}",
        f"{'run':>12}  {duration(end - made):>9}",
    ]
    return "\n".join(([shown(value)] if value is not None else []) + said)


def bench(console: Console, rest: str) -> str:
    from statistics import median
    from timeit import Timer

    text = text_of(console, rest)
    session, signature, values = _for_timing(console, text)
    function = session.prepare(text, parameters=True, signature=signature)
    named = {f"value_{at}": value for at, value in enumerate(values.values())}  # names that timeit has no use for
    timer = Timer(f"call({', '.join(named)})", globals={**named, "call": function})
    number, taken = timer.autorange()
    number = max(1, int(number * 0.2 / max(taken, 1e-9)))
    times = sorted([each / number for each in timer.repeat(5, number)])
    return f"{duration(median(times))} a call, between {duration(times[0])} and {duration(times[-1])} (5 times {number:,} calls)"


def _for_timing(console: Console, text: str) -> tuple[Session, str, dict[str, Any]]:
    """A session like this one that does not interpret first, the types of the values that a text reads, and these."""
    session = copy(console.session)
    if session.options.engine == "auto":
        session.configure(engine="native")
    function = session.prepare(text, parameters=True)
    values = session.values
    if not values.keys() >= set(function.params):
        raise CommandError("what is timed is a text that can be run, such as f(1); this one is a definition")
    given = {name: values[name] for name in function.params}
    return session, f"({', '.join([type_of(value) for value in given.values()])})", given


def duration(seconds: float) -> str:
    """A time as people read it.

    >>> [duration(each) for each in (3.2e-8, 0.00041, 0.25, 12.5)]
    ['32.0 ns', '410.0 µs', '250.0 ms', '12.5 s']
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds * 1e9:.1f} ns"
