"""How long a running function takes to answer Ctrl-C: from the signal, sent by another process at a random time, to KeyboardInterrupt.

Trials go round over programs of different shape and both engines. The clock is the system's monotonic one, which all processes share.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from statistics import median
from time import monotonic

from script import options, table

import jib
from jib.bench.say import duration

BODY = "\n".join(f"    x = sin(x + {k}) * cos(x) + lgamma(2.5 + x * x / {k + 1})" for k in range(400))
PROGRAMS: dict[str, str] = {
    "while True": "while True:\n    pass\n",
    "range of floats": "t = 0.0\nfor i in range(10**18):\n    t += 0.5\nt",
    "nested, short inside": "t = 0\nfor i in range(10**18):\n    for j in range(3):\n        t ^= i + j\nt",
    "slow functions": "t = 0.0\nfor i in range(10**18):\n    t = lgamma(1.5 + t + i % 9) % 7.0\nt",
    "a body of 400 lines": f"x = 0.5\nfor i in range(10**18):\n{BODY}\nx",
    "recursion": "def f(n: int) -> int:\n    return n if n < 2 else f(n - 1) + f(n - 2)\ndef g() -> int: return f(80)",
    "tower of calls": "\n".join(
        ["def f0(x: int) -> int: return x ^ 5"]
        + [f"def f{k}(x: int) -> int: return f{k - 1}(x) ^ f{k - 1}(x + 1)" for k in range(1, 60)]
        + ["def g() -> int: return f59(0)"]
    ),
    "generator": "sum(i % 7 for i in range(10**17))",
}

SENDER = """
import os, random, signal, time
draw = random.Random(1)
while os.read(0, 1):
    time.sleep(draw.uniform(0.002, 0.02))
    now = time.monotonic()
    os.kill(os.getppid(), signal.SIGINT)
    os.write(1, repr(now).encode() + b"\\n")
"""


def main() -> None:
    wanted = options(__doc__, rounds=1000)
    functions = {
        f"{name}, {engine}": jib.compile(text, "()", engine=engine)  # compiled before the clock runs
        for name, text in PROGRAMS.items()
        for engine in ("native", "interpreter")
    }
    taken: dict[str, list[float]] = {name: [] for name in functions}
    order = [name for _ in range(-(-wanted.rounds // len(functions))) for name in functions][: wanted.rounds]
    random.Random(0).shuffle(order)
    with subprocess.Popen([sys.executable, "-c", SENDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sender:
        assert sender.stdin is not None and sender.stdout is not None
        for name in order:
            function, begin = functions[name], 0.0
            try:
                os.write(sender.stdin.fileno(), b"x")
                function()
            except KeyboardInterrupt:
                begin = monotonic()
            taken[name].append(begin - float(sender.stdout.readline()))
        sender.stdin.close()
    everything = sorted(t for times in taken.values() for t in times)

    def row(name: str, times: list[float]) -> list[object]:
        ordered = sorted(times)
        late = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
        return [name, len(ordered), *[duration(max(t, 0.0)) for t in (median(ordered), late, ordered[-1])]]

    rows = [row(name, times) for name, times in taken.items() if times] + [row("all", everything)]
    table("From the signal to KeyboardInterrupt", ["program", "trials", "median", "p99", "most"], rows)


if __name__ == "__main__":
    main()
