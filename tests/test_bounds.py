"""Which indices and sums are still tested after the passes (`opt/bounds.rs`): what is proven, and what must not be."""

from __future__ import annotations

import re

import pytest

import jib

LOOP = "t = 0.0\nfor i in {}:\n    t += {}\nt"
WHILE = "t = 0.0\ni = {}\nwhile {}:\n    t += x[i]\n    i += 1\nt"
GUARD = "if {}:\n    raise ValueError('lengths')\n"

X, XY, XK, XN, M = (
    "float(f64[:])",
    "float(f64[:], f64[:])",
    "float(f64[:], i64[:])",
    "float(f64[:], int)",
    "float(f64[:, :])",
)

#: Text, signature, parameters, and how many places are still tested.
CASES = {
    "length": (LOOP.format("range(len(x))", "x[i]"), X, "x", 0),
    "elements": ("t = 0.0\nfor v in x:\n    t += v\nt", X, "x", 0),
    "neighbours": (LOOP.format("range(1, len(x) - 1)", "x[i - 1] + x[i] + x[i + 1]"), X, "x", 0),
    "one too far": (LOOP.format("range(1, len(x) - 1)", "x[i - 1] + x[i + 2]"), X, "x", 1),
    "one too early": (LOOP.format("range(0, len(x) - 1)", "x[i - 1] + x[i + 1]"), X, "x", 1),
    "reversed": (LOOP.format("range(len(x))", "x[len(x) - 1 - i]"), X, "x", 0),
    "reversed, one too far": (LOOP.format("range(len(x))", "x[len(x) - i]"), X, "x", 1),
    "downwards": (LOOP.format("range(len(x) - 1, -1, -1)", "x[i]"), X, "x", 0),
    "downwards from the length": (LOOP.format("range(len(x), -1, -1)", "x[i]"), X, "x", 1),
    "pairs": (LOOP.format("range(0, len(x) - 1, 2)", "x[i] * x[i + 1]"), X, "x", 0),
    "pairs, one too far": (LOOP.format("range(0, len(x), 2)", "x[i] * x[i + 1]"), X, "x", 1),
    "step that is known to be positive": (
        "t = 0.0\nfor k in range(1, len(x)):\n    for i in range(k, len(x), k):\n        t += x[i]\nt", X, "x", 0,
    ),
    "step of unknown sign": (LOOP.format("range(0, len(x), n)", "x[i]"), XN, "x n", 1),
    "unknown start": (LOOP.format("range(n, len(x))", "x[i]"), XN, "x n", 1),
    "unknown stop": (LOOP.format("range(n)", "x[i]"), XN, "x n", 1),
    "stop by a guard": (GUARD.format("n > len(x)") + LOOP.format("range(n)", "x[i]"), XN, "x n", 0),
    "stop by a guard, one too far": (GUARD.format("n > len(x) + 1") + LOOP.format("range(n)", "x[i]"), XN, "x n", 1),
    "while": (WHILE.format("0", "i < len(x)"), X, "x", 0),
    "while, up to the length": (WHILE.format("0", "i <= len(x)"), X, "x", 1),
    "while, from the end": (WHILE.format("-1", "i < len(x)"), X, "x", 1),
    "other length": (LOOP.format("range(len(x))", "x[i] * y[i]"), XY, "x y", 1),
    "other length, guarded": (
        GUARD.format("len(y) < len(x)") + LOOP.format("range(len(x))", "x[i] * y[i]"), XY, "x y", 0,
    ),
    "other length, guarded the wrong way": (
        GUARD.format("len(y) > len(x)") + LOOP.format("range(len(x))", "x[i] * y[i]"), XY, "x y", 1,
    ),
    "equal lengths": (GUARD.format("len(y) != len(x)") + LOOP.format("range(len(y))", "x[i] * y[i]"), XY, "x y", 0),
    "least length": (LOOP.format("range(min(len(x), len(y)))", "x[i] * y[i]"), XY, "x y", 0),
    "greatest length": (LOOP.format("range(max(len(x), len(y)))", "x[i] * y[i]"), XY, "x y", 2),
    "literals": ("x[3] + x[2] + x[0] + x[-1] + x[-4]", X, "x", 1),
    "literals, one too far": ("x[3] + x[4] + x[-5]", X, "x", 2),
    "twice": ("x[n] * x[n]", XN, "x n", 1),
    "twice, of two": ("x[n] * y[n]", "float(f64[:], int, f64[:])", "x n y", 2),
    "on one path": ("if c:\n    t = x[n]\nelse:\n    t = 0.0\nt + x[n]", "float(f64[:], int, bool)", "x n c", 2),
    "remainder": ("x[n % len(x)]", XN, "x n", 0),
    "mask": (GUARD.format("len(x) < 8") + "x[n & 7]", XN, "x n", 0),
    "bytes": (GUARD.format("len(x) < 256") + LOOP.format("range(len(k))", "x[k[i]]"), "float(f64[:], u8[:])", "x k", 0),
    "signed bytes": (
        GUARD.format("len(x) < 256") + LOOP.format("range(len(k))", "x[k[i]]"), "float(f64[:], i8[:])", "x k", 1,
    ),
    "table": (
        "t = 0.0\nfor i in range(m.shape[0]):\n    for j in range(m.shape[1]):\n        t += m[i, j]\nt", M, "m", 0,
    ),
    "table, turned": (
        "t = 0.0\nfor i in range(m.shape[0]):\n    for j in range(m.shape[1]):\n        t += m[j, i]\nt", M, "m", 1,
    ),
    "transposed": (
        "t = 0.0\nw = m.T\nfor i in range(m.shape[0]):\n    for j in range(m.shape[1]):\n        t += w[j, i]\nt", M, "m", 0,
    ),
    "transposed, turned": (
        "t = 0.0\nw = m.T\nfor i in range(m.shape[0]):\n    for j in range(m.shape[1]):\n        t += w[i, j]\nt", M, "m", 1,
    ),
    "row": (
        "t = 0.0\nfor i in range(len(m)):\n    row = m[i]\n    for j in range(m.shape[1]):\n        t += row[j]\nt", M, "m", 0,
    ),
    "slice": ("y = x[1:-1]\n" + LOOP.format("range(len(y))", "y[i]"), X, "x", 0),
    "search": (
        "lo = 0\nhi = len(x)\nwhile lo < hi:\n    mid = (lo + hi) // 2\n    if x[mid] < v:\n        lo = mid + 1\n"
        "    else:\n        hi = mid\nlo", "int(f64[:], float)", "x v", 0,
    ),
    "counter that the body lowers": (
        "t = 0.0\ni = 0\nwhile i < len(x):\n    t += x[i]\n    if t > 3.0:\n        i -= 2\n    i += 1\nt", X, "x", 1,
    ),
    "what is known of one arm is not known of the round before": (
        GUARD.format("len(x) < 1")
        + "t = 0.0\ni = 0\nj = 0\nfor v in k:\n    t += x[where(j < len(x), i, 0)]\n    i = j\n    j = v\nt",
        "float(f64[:], u8[:])",
        "x k",
        1,
    ),
    "elements as indices": (LOOP.format("range(len(k))", "x[k[i]]"), XK, "x k", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_which_indices_are_tested(name: str) -> None:
    text, signature, params, tested = CASES[name]
    dump = jib.compile(text, signature, params=params.split()).dump("typed-ir")
    lines = [line for line in dump.splitlines() if re.search(r"= index\b", line)]
    assert len({(line.split("=")[1].split()[0], line.split(";")[1]) for line in lines}) == tested, dump


@pytest.mark.parametrize(
    ("text", "signature", "tested"),
    [
        (LOOP.format("range(len(x))", "x[i] * (i + 1)"), X, 0),
        (LOOP.format("range(len(x))", "x[i] * (2 * i - 1)"), X, 0),
        (LOOP.format("range(len(x))", "x[i] * (i * i)"), X, 1),
        (LOOP.format("range(1000)", "x[i] * (i * i)"), X, 0),
        (LOOP.format("range(n)", "x[i] * (i + 2)"), XN, 0),
        (LOOP.format("range(n)", "(i + 1)"), "float(int)", 0),
        (LOOP.format("range(n)", "(i + 2)"), "float(int)", 1),
        ("n + 1", "int(int)", 1),
    ],
)
def test_which_sums_are_tested(text: str, signature: str, tested: int) -> None:
    params = ["x", "n"][: signature.count(",") + 1] if "x[" in text else ["n"]
    dump = jib.compile(text, signature, params=params).dump("typed-ir")
    lines = [line for line in dump.splitlines() if re.search(r"= (add|sub|mul)\.int ", line)]
    assert len({line.split(";")[1] for line in lines}) == tested, dump
