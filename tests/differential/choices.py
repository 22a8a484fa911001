"""A program as the choices that its generator made; and the search for fewer of them.

In: the choices of a finding and a test. Out: the smallest found for which the test still holds. Always holds: whatever choices are left
out or made smaller, the generator makes a program of its kind of them: one that compiles, and that ends.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

Holds = Callable[[list[float]], bool]


class Recorder(Random):
    """Chooses as `Random(seed)` does, and notes what; each choice is where in its range it lies, from 0 to 1."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.choices: list[float] = []

    def random(self) -> float:
        chosen = super().random()
        self.choices.append(chosen)
        return chosen

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        low, high = (0, start) if stop is None else (start, stop)
        chosen = super().randrange(low, high)
        self.choices.append((chosen - low + 0.5) / (high - low))
        return chosen


class Replay(Random):
    """Makes these choices, then the first of each range."""

    def __init__(self, choices: list[float]) -> None:
        super().__init__(0)
        self.rest = iter(choices)

    def random(self) -> float:
        return next(self.rest, 0.0)

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        low, high = (0, start) if stop is None else (start, stop)
        return min(low + int(next(self.rest, 0.0) * (high - low)), high - 1)


def fewer(choices: list[float], holds: Holds, most: int = 1500) -> list[float]:
    """Leaves out runs of choices, the longest first, then takes the first of a range for the others."""
    tried = 0

    def better(new: list[float]) -> bool:
        nonlocal tried
        tried += 1
        return tried <= most and holds(new)

    again = True
    while again and tried < most:
        again = False
        length = max(len(choices) // 2, 1)
        while length:
            at = 0
            while at < len(choices):
                new = choices[:at] + choices[at + length :]
                if better(new):
                    choices, again = new, True
                else:
                    at += length
            length //= 2
        for at, chosen in enumerate(choices):
            for lower in (0.0, chosen / 2):
                if lower < chosen and better([*choices[:at], lower, *choices[at + 1 :]]):
                    choices[at], again = lower, chosen > 0.01
                    break
    return choices


def simpler(arguments: tuple[Any, ...], holds: Callable[[tuple[Any, ...]], bool]) -> tuple[Any, ...]:
    """The same for the arguments of a call."""
    for at, value in enumerate(arguments):
        for plain in {bool: (False,), int: (0, 1, -1, 2), float: (0.0, 1.0, -1.0, 0.5)}[type(value)]:
            new = (*arguments[:at], plain, *arguments[at + 1 :])
            if value != plain and holds(new):
                arguments = new
                break
    return arguments
