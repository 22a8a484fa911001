"""k-means: points choose the nearest centre, centres move to the middle of their points, until nothing changes.

One text does a step, with loops over arrays that it reads and writes in place. NumPy does the same in its own way; since both add the
points in their order, even the last bits of the centres agree.

Run it: python examples/kmeans.py [POINTS [CENTRES]]; it needs NumPy.
"""

from __future__ import annotations

import sys
from time import perf_counter
from typing import TYPE_CHECKING

import jib

if TYPE_CHECKING:
    import numpy as np

STEP = jib.compile("""
def step(points: f64[:, :], centres: f64[:, :], chosen: i64[:], sums: f64[:, :]) -> int:
    "How many points have changed their centre. `sums` has a row for each centre: of x, of y, how many."
    changed = 0
    sums[:] = 0.0
    for i in range(len(points)):
        x, y = points[i, 0], points[i, 1]
        best, least = 0, inf
        for k in range(len(centres)):
            distance = square(x - centres[k, 0]) + square(y - centres[k, 1])
            if distance < least:
                best, least = k, distance
        changed += chosen[i] != best
        chosen[i] = best
        sums[best, 0] += x
        sums[best, 1] += y
        sums[best, 2] += 1.0
    for k in range(len(centres)):
        if sums[k, 2]:
            centres[k, 0] = sums[k, 0] / sums[k, 2]
            centres[k, 1] = sums[k, 1] / sums[k, 2]
    return changed
""")


def reference(points: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same by NumPy: which centre each point chooses, and where the centres go. `bincount` adds from left to right."""
    import numpy as np

    chosen = ((points[:, np.newaxis] - centres) ** 2).sum(axis=2).argmin(axis=1)
    count = np.bincount(chosen, minlength=len(centres))
    moved = centres.copy()
    for axis in (0, 1):
        total = np.bincount(chosen, points[:, axis], len(centres))
        moved[count > 0, axis] = total[count > 0] / count[count > 0]
    return chosen, moved


def draw(points: np.ndarray, chosen: np.ndarray, centres: np.ndarray, columns: int = 64, rows: int = 20) -> None:
    import numpy as np

    low = points.min(axis=0)
    scale = (np.array([columns, rows]) - 1) / np.ptp(points, axis=0)
    field = [[" "] * columns for _ in range(rows)]
    for at, letter in [*zip(points, (chr(ord("a") + k) for k in chosen)), *zip(centres, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")]:
        x, y = ((at - low) * scale).astype(int)
        field[rows - 1 - y][x] = letter
    print("\n".join(["".join(row).rstrip() for row in field]))


def main(points: str = "500", centres: str = "4") -> int:
    try:
        import numpy as np
    except ImportError:
        print("NumPy is not installed")
        return 0
    seed = np.random.default_rng(8)
    middles = seed.uniform(-5, 5, (int(centres), 2))
    cloud = middles[seed.integers(0, len(middles), int(points))] + seed.standard_normal((int(points), 2))
    ours, theirs = cloud[: len(middles)].copy(), cloud[: len(middles)].copy()
    chosen, sums = np.full(len(cloud), -1), np.empty((len(middles), 3))
    equal, steps, our_time, their_time = True, 0, 0.0, 0.0
    while True:
        begin = perf_counter()
        changed = STEP(cloud, ours, chosen, sums)
        between = perf_counter()
        labels, theirs = reference(cloud, theirs)
        end = perf_counter()
        equal &= bool((chosen == labels).all()) and bool((ours == theirs).all())
        if steps:  # the first compiles
            our_time, their_time = our_time + between - begin, their_time + end - between
        if not changed:
            break
        steps += 1
    draw(cloud, chosen, ours)
    sizes = ", ".join(f"{chr(ord('A') + k)} {int(count)}" for k, count in enumerate(sums[:, 2]))
    print(f"{len(cloud)} points come to rest after {steps} steps: {sizes}")
    print(f"each step beside NumPy's: {'equal' if equal else 'DIFFERENT'}")
    print(f"{their_time / our_time:.1f} times as fast", file=sys.stderr)
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
