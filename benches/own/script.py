"""What the programs of this folder share, which measure jib alone, for who works on it: words, a meter, tables on stdout.

Each is run by its name: `python benches/own/polls.py [--rounds N]`.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Sequence

from jib.bench.measure import Meter, Plan
from jib.bench.say import grid


def options(text: str, rounds: int) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=text.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=rounds, help="how often each case is measured (%(default)s)")
    return parser.parse_args()


def meter(rounds: int, seconds: float = 0.02) -> Meter:
    """As many rounds for slow ones as for others."""
    return Meter(Plan(rounds=rounds, seconds=seconds, most=math.inf, quick=False))


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    print(f"\n### {title}\n", grid(head, rows), sep="\n", flush=True)
