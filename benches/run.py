"""The full benchmark: `make bench`, or `python benches/run.py [--quick] [--tables NAMES] …`.

In: which tables and how long. Out: a folder of benches/results with results.json, results.md and plots. The tables are those of
`python -m jib bench`, and those of benches/tables, which need NumPy or take longer; each runs in a process of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from jib.bench.cli import failed, parser, plan_of, write
from jib.bench.progress import progress
from jib.bench.run import TABLES, run
from jib.bench.say import duration, report

HERE = Path(__file__).parent
ALL = {**TABLES, **{name: f"tables.{name}" for name in ("shapes", "arrays", "loops", "small", "growth")}}
QUICK = [name for name in ALL if name != "growth"]


def main(words: Sequence[str] | None = None) -> int:
    made = parser("benches/run.py", ALL, [])
    made.add_argument("--sizes", default="", metavar="N,…", help="arrays: other numbers of elements")
    made.add_argument("--out", action="store_true", help="arrays: write to arrays that are there before")
    made.add_argument(
        "--best", action="store_true", help="the best of many short rounds counts: for two threads on a busy machine"
    )
    made.add_argument("--name", default="", help="of the folder in benches/results; by default the date and time")
    made.add_argument("--no-files", action="store_true", help="write nothing to benches/results")
    wanted = made.parse_args(words)
    plan = plan_of(wanted, not wanted.quick)._replace(
        out=wanted.out, best=wanted.best, sizes=tuple(int(float(size)) for size in wanted.sizes.split(",") if size)
    )
    if wanted.best:
        plan = plan._replace(rounds=5 * plan.rounds, seconds=0.002)
    names = wanted.tables or (QUICK if wanted.quick else list(ALL))
    begin = datetime.now(timezone.utc)
    with progress(names) as show:
        results = run({name: ALL[name] for name in names}, plan, show, path=str(HERE))
    print(report(results))
    print(f"{duration((datetime.now(timezone.utc) - begin).total_seconds())}")
    if wanted.json:
        write(results, Path(wanted.json))
    if not wanted.no_files:
        folder = HERE / "results" / (wanted.name or begin.strftime("%Y-%m-%d-%H%M%S"))
        folder.mkdir(parents=True, exist_ok=True)
        write(results, folder / "results.json")
        (folder / "results.md").write_text(report(results), encoding="utf-8")
        try:
            from plots import draw
        except ImportError as error:
            print(f"no plots: {error}")
        else:
            draw(results, folder)
        print(f"written: {folder.relative_to(HERE.parent)}")
    return failed(results)


if __name__ == "__main__":
    sys.exit(main())
