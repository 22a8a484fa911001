"""`python -m soak [--seconds S] [--texts N] [--alive N] [--threads N]`, with tests/ on the path: all parts; 0 leaves one out.

Exit status: 0 when all is well, 1 when something is not.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial

from . import parts


def say(words: str) -> None:
    print(words, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description="compile, call, drop; for long, and often")
    parser.add_argument("--seconds", type=float, default=60, help="how long the threads work (%(default)s)")
    parser.add_argument("--threads", type=int, default=64, help="how many they are (%(default)s)")
    parser.add_argument("--texts", type=int, default=200_000, help="how many, one after the other (%(default)s)")
    parser.add_argument("--alive", type=int, default=100_000, help="how many functions at once (%(default)s)")
    wanted = parser.parse_args()
    plan: list[tuple[str, float, Callable[[], object]]] = [
        (
            f"{wanted.threads} threads for {wanted.seconds:g} s",
            wanted.seconds,
            partial(parts.threads, wanted.seconds, wanted.threads, say),
        ),
        (f"{wanted.texts:,} texts", wanted.texts, partial(parts.texts, wanted.texts, say)),
        (f"{wanted.alive:,} functions at once", wanted.alive, partial(parts.alive, wanted.alive, say)),
    ]
    failed = 0
    for name, much, part in plan:
        if not much:
            continue
        say(f"== {name}")
        begin = time.monotonic()
        try:
            done = part()
        except Exception:
            traceback.print_exc()
            failed += 1
            say(f"== {name}: FAILED after {time.monotonic() - begin:.0f} s")
        else:
            count = f", {done:,} texts" if isinstance(done, int) else ""
            say(f"== {name}: fine, {time.monotonic() - begin:.0f} s{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
