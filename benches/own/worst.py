"""What the worst texts inside the limits cost: time and memory to compile each, as large as the limits allow.

A text that is refused is tried smaller, and what took longest counts; a refusal costs time too. CPU time of a process of its own, since the
machine may be busy. Exit status 1 when one takes more than 2 seconds or 500 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from time import process_time
from typing import Any

from script import table
from worst_texts import WORST

from jib.bench.say import digits

SECONDS, MEGABYTES = 2.0, 500
PATIENCE = 30  # seconds; what takes longer is given up
ROOM = 6 << 30  # bytes of addresses
STAGES = ("parse", "lower", "encode", "crossing", "types", "passes", "clif", "machine")


def compile_here(name: str, size: int, engine: str) -> dict[str, Any]:
    """Compile one text in this process; what its stages took, in seconds."""
    from jib import JitError, ir
    from jib.function import Function, Options, make
    from jib.limits import DEFAULT
    from jib.lower import lower
    from jib.parse import parse
    from jib.source import Source

    family = WORST[name]
    source = Source(family.make(size))
    begin = process_time()
    laps = [begin]
    took: dict[str, Any] = {"size": size, "outcome": "compiled"}
    try:
        program = parse(source, DEFAULT)
        laps.append(process_time())
        lowered = lower(program, source, None, DEFAULT)
        laps.append(process_time())
        module = ir.encode(lowered.module)
        laps.append(process_time())
        function = Function(make(source, module, lowered, Options(family.signature, engine=engine)))
        stages = function.specializations[0].stages
        took.update({stage: micros / 1e6 for stage, micros in stages.items()})
    except JitError as error:
        took["outcome"] = f"{type(error).__name__}: {error.args[0]}"
    took["total"] = process_time() - begin
    took.update(zip(STAGES, [b - a for a, b in zip(laps, laps[1:])]))
    took["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return took


def compile_apart(name: str, size: int, engine: str) -> dict[str, Any]:
    """The same in a process of its own, with an end to its memory and its time."""
    command = [sys.executable, __file__, "--apart", name, str(size), "--engine", engine]

    def confine() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))

    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=confine, env=os.environ)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        return {"size": size, "outcome": f"status {done.returncode} {last:.60}", "total": PATIENCE, "megabytes": 0.0}
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def is_refused(run: dict[str, Any]) -> bool:
    return str(run["outcome"]).startswith("LimitError")


def worst_of(name: str, engine: str, probes: int) -> list[dict[str, Any]]:
    """Runs of the largest size and, if that is refused, of sizes towards the largest that is not."""
    low, high = 0, WORST[name].largest()
    runs = [compile_apart(name, high, engine)]
    if is_refused(runs[0]):
        for _ in range(probes):
            # Half as many while all are refused, then between.
            size = (low + high) // 2 if low else high // 2
            if size in (low, high):
                break
            run = compile_apart(name, size, engine)
            runs.append(run)
            low, high = (low, size) if is_refused(run) else (size, high)
    return runs


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="part of a name: only these families")
    parser.add_argument("--engine", default="native", choices=("native", "interpreter"))
    parser.add_argument("--probes", type=int, default=6, help="how often a refused text is tried smaller (%(default)s)")
    parser.add_argument("--apart", nargs=2, metavar=("NAME", "SIZE"), help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.apart:
        print(json.dumps(compile_here(wanted.apart[0], int(wanted.apart[1]), wanted.engine)))
        return 0
    rows, beyond = [], []
    for name in WORST:
        if wanted.names and not any(part in name for part in wanted.names):
            continue
        runs = worst_of(name, wanted.engine, wanted.probes)
        slowest = max(runs, key=lambda run: run["total"])
        most = max(run["megabytes"] for run in runs)
        compiled = max([run["size"] for run in runs if run["outcome"] == "compiled"], default=0)
        refused = [str(run["outcome"]) for run in runs if run["outcome"] != "compiled"]
        bad = slowest["total"] > SECONDS or most > MEGABYTES or not all(r.startswith("LimitError") for r in refused)
        beyond += [name] * bad
        stages = [digits(slowest[stage]) if slowest.get(stage) else "" for stage in STAGES]
        rows.append([
            name, compiled, slowest["size"], *stages, digits(slowest["total"]) + " (!)" * (slowest["total"] > SECONDS),
            f"{most:.0f}" + " (!)" * (most > MEGABYTES), refused[-1].partition(": ")[2][:60] if refused else "",
        ])  # fmt: skip
        print(f"{name}: {rows[-1][-3]} s, {rows[-1][-2]} MB {refused[:1]}", file=sys.stderr, flush=True)
    head = ["text", "compiles to", "slowest at", *STAGES, "total s", "MB", "refused as"]
    table(f"The worst texts, {wanted.engine}: seconds", head, rows)
    print(f"Beyond {SECONDS} s or {MEGABYTES} MB: {', '.join(beyond) or 'none'}.")
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
