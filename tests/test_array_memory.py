"""Memory of arrays that loops make: it is given back when nobody can read it any more, and not before.

What is given back is used for the next array of the same size, so an array that was given back too early has other numbers in it: the
texts here are compared with CPython running them on NumPy's arrays. `JIB_MEMORY_PROGRAMS=10000 pytest tests/test_array_memory.py` tries
more random ones, from `JIB_MEMORY_SEED` on.
"""

from __future__ import annotations

import gc
import os
import resource
from random import Random
from typing import Any

import pytest

import jib
from test_lowered_meaning import cpython

np = pytest.importorskip("numpy", minversion="2.0")

PROGRAMS, SEED = int(os.environ.get("JIB_MEMORY_PROGRAMS", "80")), int(os.environ.get("JIB_MEMORY_SEED", "0"))
ENGINES = [{"engine": e, "opt_level": level} for e in ("native", "interpreter", "auto") for level in ("none", "speed")]

STEP = "def step(x, n):\n    for i in range(n):\n        x = x[:] * 0.99 + 1.0\n    return x"


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("options", ENGINES)
def test_a_long_loop_takes_little_memory(options: dict[str, Any]) -> None:
    # 10 GB where that takes less than a second, and at least 12 times what is allowed.
    long = {"native": 10_000, "auto": 1_000, "interpreter": 120}
    rounds = long[options["engine"]] if options["opt_level"] == "speed" else 120
    f = jib.compile(STEP, limits=jib.Limits(array_bytes=10 << 20), **options)
    x = np.linspace(0, 1, 1 << 17)
    before = peak()
    result = f(x, rounds)
    assert peak() - before < 100 << 20
    for _ in range(rounds):
        x = x * 0.99 + 1.0
    assert result.tobytes() == x.tobytes()


TEXTS = {
    "step": STEP,
    "swap": """
def f(x, n):
    a, b = x[:] + 1, x[:] * 2
    for i in range(n):
        a, b = b, a[:] + 1
    return a, b
""",
    "view": """
def f(x, n):
    v = x
    for i in range(n):
        y = x[:] + i
        if i % 3 == 1:
            v = y[1:-1]
    return v
""",
    "views of views": """
def f(x, n):
    v, w = x, x
    for i in range(n):
        y = v[:] + w[::-1]
        w = y[::-1]
        v = w[:] * 0.5
    return v, w, v[2:], w[-1]
""",
    "empty": "def f(x, n):\n    v = x\n    for i in range(n):\n        y = x[:] + i\n        v = y[len(y):]\n    return v",
    "tuples": """
def f(x, n):
    pair = (x, (x, 1))
    for i in range(n):
        pair = (pair[1][0], (pair[0][:] + i, i))
    return pair
""",
    "helpers": """
def twice(x):
    y = x[:] * 2
    return y[:] + x

def tail(x):
    y = twice(x)
    return y[1:], y

def f(x, n):
    old = twice(x)
    for i in range(n):
        v, y = tail(x)
        x = y[:] * 0.25
        x[0] = v[0] + old[1]
        old = v if i % 2 else y
    return x, old
""",
    "helpers with loops": """
def smooth(x, n):
    y = x[:] + 0
    for i in range(n):
        z = y[:] * 0.5
        z[1:] += y[:-1]
        y = z
    return y

def f(x, n):
    first, last = smooth(x, 2), x
    for i in range(n):
        a, b = smooth(first, i % 3), smooth(x, 2)
        last = a[:] + b
        x = smooth(last, 1) / 2.0 if i % 2 else b
    return first, last, x
""",
    "recursion": """
def grow(x, depth):
    total = x[:] * 1
    for i in range(2):
        y = x[:] + i
        if depth > 0:
            total = total[:] + grow(y, depth - 1)
        total = total[:] + y
    return total

def f(x, n):
    return grow(x, n % 5)
""",
    "while": """
def f(x, n):
    best, i = x, 0
    while True:
        y = x[:] * 0.9 + 1
        i += 1
        if i > n:
            break
        if i % 2:
            x = y
            continue
        best = y
        if sum(y) > 1e6:
            return y, best
    return x, best
""",
    "nested": """
def f(x, n):
    outer = x[:] + 1
    for i in range(n):
        row = outer[:] * 0.5
        for j in range(3):
            inner = row[:] + j
            for k in range(2):
                inner = inner[:] + outer[1]
            row = inner[:] - x
        outer = row
    return outer, row if n else x
""",
    "written": """
def f(x, n):
    y = x[:] * 1
    z = y
    for i in range(n):
        t = y[:] + z
        z[1:] = t[:-1] * 0.5
        y = t[:] * 0.5
        t[0] = 7.0
        z = t
    return y, z
""",
    "else": """
def f(x, n):
    y = x
    for i in range(n):
        y = y[:] + 1
        if i == 9:
            break
    else:
        y = y[:] * 2
    return y
""",
    "one operand spent": """
def f(x, n):
    for i in range(n):
        y = x[:] + i
        z = (y[:] * 2 + y[0]) * (x[:] - 1)
        x = z[:] * 0.001
    return x
""",
    "read after": """
def f(x, n):
    s = 0.0
    y = x[:] + 3
    for i in range(n):
        z = x[:] + i
        s += z[1] + sum(z[:] * 2)
    return s, y
""",
    "rows": """
def f(x, n):
    m = x[:] * 1
    for i in range(n):
        m = m[:] + x[i % len(x)]
        v = m[0:2]
    return m, v if n else m
""",
}


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, tuple):
        return isinstance(ours, tuple) and len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, np.ndarray):
        return isinstance(ours, np.ndarray) and ours.shape == theirs.shape and ours.tolist() == theirs.tolist()
    return bool(ours == theirs)


def check(text: str, options: dict[str, Any], count: int, length: int = 9) -> None:
    f = jib.compile(text, **options)
    x = np.arange(float(length)) + 0.5
    # Sums of few elements are the same in any order.
    theirs = cpython(text, ["x", "n"])(x.copy(), count)
    for _ in range(2):
        ours = f(x.copy(), count)
        gc.collect()
        noise = [np.full(length, np.nan) for _ in range(20)]
        assert same(ours, theirs), (ours, theirs)
        del noise


@pytest.mark.parametrize("options", ENGINES)
@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.usefixtures("verified")
def test_what_is_read_again_stays(name: str, options: dict[str, Any]) -> None:
    for count in (0, 1, 2, 9):
        check(TEXTS[name], options, count)


@pytest.mark.parametrize("options", ENGINES)
def test_tables(options: dict[str, Any]) -> None:
    text = """
def f(x, n):
    t = x
    for i in range(n):
        y = t[:] + x[i % len(x)]
        x = y.T[:] * 0.5
        t = y.T
    return t, x, y[1], y.T[:, 1]
"""
    x = np.arange(16.0).reshape(4, 4)
    ours, theirs = jib.compile(text, **options)(x.copy(), 25), cpython(text, ["x", "n"])(x.copy(), 25)
    assert same(ours, theirs)


def test_the_limit_is_of_arrays_at_one_time() -> None:
    text = (
        "def f(x, n):\n    a = b = c = x\n    for i in range(n):\n        a, b, c = b, c, a[:] + 1\n    return a, b, c"
    )
    x = np.zeros(1000)
    f = jib.compile(text, limits=jib.Limits(array_bytes=8000 * 4))
    assert [array[0] for array in f(x, 1000)] == [333.0, 333.0, 334.0]
    with pytest.raises(jib.LimitError, match="array_bytes"):
        jib.compile(text, limits=jib.Limits(array_bytes=8000 * 3))(x, 1000)
    # Of other sizes each time: what is spare makes room.
    text = "def f(x, n):\n    s = 0.0\n    for i in range(n):\n        y = x[i:] + 1\n        s += y[0]\n    return s"
    f = jib.compile(text, limits=jib.Limits(array_bytes=8000))
    assert f(x, 900) == 900.0


def test_a_text_that_begins_again_does_not_keep_what_it_made() -> None:
    # Interpreted first, for a while; then compiled.
    f = jib.compile(STEP, engine="auto", limits=jib.Limits(array_bytes=8 * 4096 * 3))
    x = np.zeros(4096)
    assert f(x, 1000)[0] == pytest.approx(100.0, abs=0.01)


def test_arguments_stay_where_they_are() -> None:
    f = jib.compile(
        "def f(x, n):\n    y = x\n    for i in range(n):\n        z = y[:] + 1\n        y = x[1:]\n    return y, z"
    )
    x = np.arange(100.0)
    y, z = f(x, 50)
    assert np.shares_memory(x, y) and not np.shares_memory(x, z)
    assert x.tolist() == list(range(100)) and z.tolist() == list(range(2, 101))


@pytest.mark.parametrize("nogil", [True, False, None])
def test_threads(nogil: bool | None) -> None:
    from concurrent.futures import ThreadPoolExecutor

    f = jib.compile(TEXTS["helpers with loops"], nogil=nogil)
    x = np.arange(2000.0)
    want = f(x.copy(), 100)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: f(x.copy(), 100), range(12)):
            assert same(found, want)


# ---------------------------------------------------------------------------------------------------- random texts


class Writer:
    """Statements about the arrays a to d, which all have one length, and pairs p of them."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.lines: list[str] = []
        self.loops = 0

    def array(self) -> str:
        pick = self.random.choice
        return pick(
            ["a", "b", "c", "d", "a[::-1]", "b[:]", "p[0]", "p[1]", "c[::-1][:]", "mix(a, p[1])", "last(d)", "b[0:]"]
        )

    def new(self) -> str:
        pick = self.random.choice
        left, right = self.array(), self.random.choice([self.array(), "1.5", "x", "b[0]"])
        body = f"{left}[:] {pick('+-')} {right}"
        return f"({body}) * 0.5" if self.random.random() < 0.5 else body

    def statement(self, depth: int, indent: str, loop: bool) -> None:
        pick, name = self.random.choice, self.random.choice("abcd")
        kind = self.random.randrange(12)
        put = self.lines.append
        if kind < 4:
            put(f"{indent}{name} = {self.new()}")
        elif kind == 4:
            put(f"{indent}{name} = {self.array()}")
        elif kind == 5:
            put(f"{indent}p = {self.array()}, {pick([self.array(), self.new()])}")
        elif kind == 6:
            other = pick("abcd")
            put(f"{indent}{name}, {other} = {other}, {self.new()}")
        elif kind == 7:
            put(f"{indent}s += {self.array()}[{pick(['0', '1', '-1'])}]")
        elif kind == 8 and depth < 3:
            self.block(depth, f"{indent}if s % 3.0 < {pick(['1.0', '2.0'])}:", indent, loop)
        elif kind in (9, 10) and depth < 3 and self.loops < 4:
            self.loops += 1
            self.block(depth, f"{indent}for i{depth} in range({pick(['n', '3', '2'])}):", indent, True)
        elif kind == 11 and loop:
            put(f"{indent}if s > {self.random.randrange(20)}.0:\n{indent}    {pick(['break', 'continue'])}")

    def block(self, depth: int, head: str, indent: str, loop: bool) -> None:
        self.lines.append(head)
        self.lines.append(f"{indent}    s += 0.25")
        for _ in range(self.random.randrange(1, 5)):
            self.statement(depth + 1, indent + "    ", loop)


def program(random: Random) -> str:
    writer = Writer(random)
    writer.block(1, "    for i in range(n):", "    ", True)
    for _ in range(random.randrange(4)):
        writer.statement(1, "    ", False)
    helpers = random.choice(
        [
            "def mix(x, y):\n    z = x[:] - y\n    return z[:] * 0.25\n\ndef last(x):\n    y = x[:] * 0.5\n    return y[::-1]\n",
            "def mix(x, y):\n    for k in range(3):\n        x, y = y, x[:] - y\n    return x\n\ndef last(x):\n    return x[::-1]\n",
        ]
    )
    start = "    a, b, c, d = x[::-1], x[:] + 1, x[:] * 0.5, x[::-1]\n    p = a, b[:] - 1\n    s = 0.0\n"
    body = "\n".join(writer.lines)
    return f"{helpers}\ndef f(x, n):\n{start}{body}\n    return a, b, c, d, p, s"


@pytest.mark.parametrize("seed", range(SEED, SEED + PROGRAMS))
def test_random_texts(seed: int) -> None:
    random = Random(seed)
    text = program(random)
    options = random.choice(ENGINES)
    with np.errstate(all="ignore"):
        for count in (1, 6):
            check(text, options, count, 5)
