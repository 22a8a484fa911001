"""One table in a process of its own: `python -m jib.bench.one MODULE PLAN`, started by run.py.

In: the module of a table, and a plan as JSON. Out: on stdout, lines that begin with a record separator: how far it is, then the table.
Always holds: whatever peers print has no such beginning.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from time import monotonic
from typing import Any

from .measure import Meter, Plan

MARK = "\x1e"


def put(record: dict[str, Any]) -> None:
    print(f"{MARK}{json.dumps(record)}", flush=True)


def main(module: str, plan: str) -> None:
    told = 0.0

    def tell(part: float, row: str) -> None:
        nonlocal told
        if monotonic() - told > 0.05:
            told = monotonic()
            put({"part": part, "row": row})

    wanted = Plan(**json.loads(plan))
    meter = Meter(wanted._replace(rows=tuple(wanted.rows), sizes=tuple(wanted.sizes)), tell)
    tables, absent = import_module(module).measure(meter)
    put({"tables": [table.as_json() for table in tables], "absent": absent})


if __name__ == "__main__":
    main(*sys.argv[1:])
