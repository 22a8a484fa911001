"""Cellular automata: a row whose rule is a number from 0 to 255, and Conway's Game of Life with the gun that shoots gliders.

A rule's bit number 4*left + 2*middle + right says what a cell becomes. Both texts read one array of bytes and write another; what leaves at
an edge comes in at the other. Each generation of Life is compared with NumPy's.

Run it: python examples/automaton.py [RULE [ROWS]], or life [GENERATIONS]; it needs NumPy.
"""

from __future__ import annotations

import sys

import jib

ROW = jib.compile("""
def row(new: u8[:], old: u8[:], rule: int):
    last = len(old) - 1
    for i in range(len(old)):
        left, right = old[i - 1], old[i + 1 if i < last else 0]  # old[-1] is the last
        new[i] = rule >> (4 * left + 2 * old[i] + right) & 1
""")

LIFE = jib.compile("""
def life(new: u8[:, :], old: u8[:, :]) -> int:
    "How many live. A cell with three neighbours lives, one with two stays as it is."
    rows, columns = old.shape
    alive = 0
    for i in range(rows):
        below = i + 1 if i + 1 < rows else 0
        for j in range(columns):
            right = j + 1 if j + 1 < columns else 0
            around = (int(old[i - 1, j - 1]) + old[i - 1, j] + old[i - 1, right] + old[i, j - 1] + old[i, right]
                      + old[below, j - 1] + old[below, j] + old[below, right])
            new[i, j] = around == 3 or around == 2 and old[i, j]
            alive += new[i, j]
    return alive
""")

GUN = """
........................#
......................#.#
............##......##............##
...........#...#....##............##
##........#.....#...##
##........#...#.##....#.#
..........#.....#.......#
...........#...#
............##
"""


def draw(cells) -> None:
    for row in cells if cells.ndim == 2 else [cells]:
        print("".join([".#"[cell] for cell in row]).replace(".", " ").rstrip())


def main(what: str = "both", count: str = "") -> int:
    try:
        import numpy as np
    except ImportError:
        print("NumPy is not installed")
        return 0
    if what != "life":
        rule, rows = 30 if what == "both" else int(what), int(count or 16)
        cells = np.zeros(2 * rows + 1, np.uint8)
        cells[rows] = 1
        new = np.empty_like(cells)
        print(f"rule {rule}, from a single cell")
        for _ in range(rows):
            draw(cells)
            ROW(new, cells, rule)
            cells, new = new, cells
        if what != "both":
            return 0
    world = np.zeros((64, 72), np.uint8)
    for i, line in enumerate(GUN.split()):
        for j, cell in enumerate(line):
            world[i + 3, j + 3] = cell == "#"
    new = np.empty_like(world)
    generations = int(count or 105) if what == "life" else 105
    equal = True
    for _ in range(generations):
        around = sum(np.roll(world, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)) - world
        theirs = (around == 3) | (around == 2) & (world == 1)
        alive = LIFE(new, world)
        equal &= bool((new == theirs).all()) and alive == np.count_nonzero(theirs)
        world, new = new, world
    print(f"\nLife after {generations} generations: a glider each 30")
    draw(world[:36])
    print(f"{np.count_nonzero(world)} cells live; each generation beside NumPy's: {'equal' if equal else 'DIFFERENT'}")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
