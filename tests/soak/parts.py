"""The three parts of a soak.

In: how long, how many, and who hears of the progress. Out: nothing, or AssertionError. Always holds: each part leaves no function behind.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from itertools import count

import jib

from .memory import MIB, Memory, memory
from .shapes import Text, check, compare, text

Say = Callable[[str], object]

GROWTH = 20 * MIB  # after warming up; less than what the allocators keep back would tell nothing
MAPPINGS = 64  # stacks and arenas of the C library come and go; code that is not freed is thousands
EVERY = 5.0  # seconds between two words of progress


def threads(seconds: float, number: int = 64, say: Say = print) -> int:
    """So many threads compile, call and drop; some functions live on for a while, some are called by all. How many texts it were."""
    common = [Text("a * b + 1", (3, 0.5), 2.5), Text("a * b + 1", (3, 5), 16), Text("a * b + 1", (True, 1), 2)]
    shared = [jib.compile("a * b + 1")]
    numbers = count()  # whose next number is one thread's only
    end = time.monotonic() + seconds
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        draw = random.Random(seed)
        alive: list[tuple[jib.Function, Text]] = []
        try:
            while time.monotonic() < end and not failures:
                wanted = text(next(numbers))
                function = check(wanted)
                if function is not None and wanted.answer is not ZeroDivisionError:
                    alive.append((function, wanted))
                if len(alive) > 8:
                    function, wanted = alive.pop(draw.randrange(len(alive)))
                    compare(function(*wanted.arguments), wanted)
                wanted = draw.choice(common)
                compare(shared[0](*wanted.arguments), wanted)
                if draw.random() < 0.02:
                    shared[0] = jib.compile("a * b + 1")
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(seed,), daemon=True) for seed in range(number)]
    for worker in workers:
        worker.start()
    for worker in workers:
        while worker.is_alive() and time.monotonic() < end + 60:
            worker.join(EVERY)
            if worker.is_alive():
                say(f"  {max(0, end - time.monotonic()):.0f} s left; {memory()}")
        assert not worker.is_alive(), "a deadlock"
    if failures:
        raise failures[0]
    return next(numbers)


def texts(number: int, say: Say = print) -> None:
    """So many texts, each compiled, called and dropped: the first tenth warms up, after which nothing may pile up."""
    warming = min(max(number // 10, 1_000), 20_000, number)
    say(f"  at the start: {memory()}")
    for k in range(warming):
        check(text(k))
    before = memory()
    say(f"  after {warming:,} texts: {before}")
    heard = time.monotonic()
    for k in range(warming, number):
        check(text(k))
        if time.monotonic() > heard + EVERY:
            heard = time.monotonic()
            say(f"  after {k:,} texts: {memory()}")
    after = memory()
    say(f"  after {number:,} texts: {after}")
    if before is not None and after is not None:
        grown = after.resident - before.resident
        assert grown < GROWTH, f"memory has grown by {grown / MIB:.1f} MiB"
        assert after.mappings <= before.mappings + MAPPINGS, f"{after.mappings - before.mappings} mappings more"


def alive(number: int, say: Say = print) -> None:
    """So many functions at once, all of which can be called. Twice: what the allocators keep of the first time must serve the second."""
    before = memory()
    say(f"  at the start: {before}")
    first = fill(number, say)
    if before is not None and first is not None:
        say(f"  {(first.resident - before.resident) / number:,.0f} bytes each")
    say(f"  none alive: {memory()}")
    again = fill(number, say)
    after = memory()
    say(f"  none alive: {after}")
    if before is not None and first is not None and again is not None and after is not None:
        grown = again.resident - first.resident
        assert grown < GROWTH, f"the same number needs {grown / MIB:.1f} MiB more the second time"
        assert after.mappings <= before.mappings + MAPPINGS, f"{after.mappings - before.mappings} mappings more"


def fill(number: int, say: Say) -> Memory | None:
    """Makes them, calls each, drops every other one, and calls the others; the memory when all were there."""
    heard = time.monotonic()
    functions = []
    for k in range(number):
        functions.append(jib.compile(f"a * {k} + b", "(int, int)"))
        if time.monotonic() > heard + EVERY:
            heard = time.monotonic()
            say(f"  {k:,} alive: {memory()}")
    full = memory()
    say(f"  {number:,} alive: {full}")
    for k, function in enumerate(functions):
        assert function(3, 4) == 3 * k + 4, k
    del functions[::2]
    for at, function in enumerate(functions):
        assert function(3, 4) == 3 * (2 * at + 1) + 4, at
    return full
