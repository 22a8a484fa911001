"""The driver: N programs from a seed.

`python -m differential N SEED` (with tests/ on the path) prints programs a second and what differs; each finding is shrunk and
written into fuzz-findings/ as a candidate for tests/filetests/run. Program k of seed S is program S * 10**9 + k, whatever the
number of processes.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from .campaign import Tally, numbers
from .coverage import count, table
from .findings import candidate
from .generate import program
from .workers import spread


def options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="differential", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=100_000, help="programs (%(default)s)")
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (%(default)s)")
    parser.add_argument("--folder", type=Path, default=Path("fuzz-findings"), help="where findings go (%(default)s)")
    parser.add_argument("--at-most", type=int, default=20, help="end after so many findings (%(default)s)")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between lines of progress (%(default)s)")
    parser.add_argument(
        "--coverage", action="store_true", help="run nothing; print how many programs hold each construct"
    )
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    chosen = options(argv)
    if chosen.coverage:
        print(table(count(program(number).text for number in numbers(chosen.seed, chosen.count)), chosen.count))
        return 0
    print(f"seed {chosen.seed}: {chosen.count} programs in {chosen.jobs} processes", flush=True)
    total = Tally()
    start = spoke = time.monotonic()
    for tally in spread(numbers(chosen.seed, chosen.count), chosen.jobs):
        total += tally
        for finding in tally.findings:
            print(finding, flush=True)
        if len(total.findings) >= chosen.at_most:
            break
        if time.monotonic() - spoke > chosen.every:
            spoke = time.monotonic()
            print(
                f"{total.programs} programs, {len(total.findings)} mismatches, {total.programs / (spoke - start):.0f}/s",
                file=sys.stderr,
            )
    seconds = time.monotonic() - start
    print(f"seed {chosen.seed}: {total}; {seconds:.0f} s, {total.programs / seconds:.0f} programs/s", flush=True)
    for words, times in total.refused.most_common(12):
        print(f"  refused {times} times: {words}")
    for finding in total.findings:
        chosen.folder.mkdir(exist_ok=True)
        text = candidate(finding)
        (chosen.folder / f"{finding.number}.jib").write_text(text, encoding="utf-8")
        print(f"--- {chosen.folder}/{finding.number}.jib\n{text}", flush=True)
    return 1 if total.findings else 0
