"""`python -m jib bench`: the words, the tables on stdout, the results as a file.

In: the words after `bench`. Out: Markdown, JSON where it is asked for, an exit status: 0 fine, 1 a table failed, 2 bad usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .measure import FULL, QUICK, Plan
from .progress import progress
from .run import FIRST, TABLES, run
from .say import report

DESCRIPTION = (
    "jib beside CPython and the peers that are installed: numexpr, numba, asteval, simpleeval, sympy, cffi, C."
)


def parser(prog: str, known: Mapping[str, str], usual: Sequence[str]) -> argparse.ArgumentParser:
    """Of the words that all ways to start it have."""

    def tables(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",") if name.strip()]
        strange = [name for name in names if name not in known]
        if strange or not names:
            raise argparse.ArgumentTypeError(
                f"there is no table {strange[0] if strange else text!r}: {', '.join(known)}"
            )
        return names

    made = argparse.ArgumentParser(prog=prog, description=DESCRIPTION, allow_abbrev=False)
    how = made.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true", help="few rounds, short ones")
    how.add_argument("--full", action="store_true", help="more rounds, and what takes long")
    made.add_argument(
        "--tables",
        type=tables,
        default=list(usual),
        metavar="NAMES",
        help=f"which, parted by commas: {', '.join(known)}",
    )
    made.add_argument("--rows", default="", metavar="WORDS", help="only rows that have one of these words, parted by ;")
    made.add_argument("--rounds", type=positive, metavar="N", help="how many rounds")
    made.add_argument("--cpu", action="store_true", help="by the processor's time of one thread: for a busy machine")
    made.add_argument("--json", metavar="FILE", help="write the results to a file too")
    return made


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def plan_of(wanted: argparse.Namespace, is_full: bool) -> Plan:
    plan = FULL if is_full else QUICK
    if wanted.rounds:
        plan = plan._replace(rounds=wanted.rounds)
    words = tuple(word.strip() for word in wanted.rows.split(";") if word.strip())
    return plan._replace(rows=words, cpu=wanted.cpu)


def main(words: Sequence[str]) -> int:
    made = parser("python -m jib bench", TABLES, FIRST)
    try:
        wanted = made.parse_args(words)
    except SystemExit as left:
        return int(left.code or 0)
    if wanted.json:
        try:
            Path(wanted.json).touch()  # better now than when all is measured
        except OSError as error:
            made.print_usage(sys.stderr)
            print(f"{made.prog}: cannot write {wanted.json!r}: {error.strerror}", file=sys.stderr)
            return 2
    with progress(wanted.tables) as show:
        results = run({name: TABLES[name] for name in wanted.tables}, plan_of(wanted, wanted.full), show)
    print(report(results))
    if wanted.json:
        write(results, Path(wanted.json))
    return failed(results)


def write(results: dict[str, Any], file: Path) -> None:
    file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def failed(results: dict[str, Any]) -> int:
    return int(any(found["error"] for found in results["tables"].values()))
