"""What lowered programs over arrays mean: the IR, evaluated, against CPython running the same text on NumPy's arrays.

A text is run with x = [1.5, -2.0, 4.0, 0.25], y = [3, 1, 2] (ints), m = a 3 by 4 matrix, n = 2 and k = -1; with each of these it has
among its parameters. What it returns, raises and prints must be the same, and what is in the arrays afterwards.
"""

from __future__ import annotations

import sys
from typing import Any

import pytest

from ir_evaluator import PRIMITIVES, evaluate, verify
from jib import ir
from jib.decorator import _definition
from jib.link import lowered as link_lowered
from jib.link import options_of
from jib.lower import lower
from jib.parse import parse
from jib.source import Source
from test_lowered_meaning import cpython, lowered, outcome, table  # noqa: F401  (a fixture of every test here)

np = pytest.importorskip("numpy")

TEXTS = [
    # Elements.
    "x[0] + x[n] + x[k] + m[n, k] + m[k][n]",
    "x[y[n]]",
    "x[4]",
    "m[0, 4]",
    "x[-5]",
    "(x[say(1, 0)], m[say(2, 1), say(3, 2)])",
    "x[0] = 7\nx[n], x[k] = x[k], x[n]\nx[1]",
    "x[0] = m[1, 2] = y[n] = 9\n",
    "x[say(1, 0)], m[say(2, 0), say(3, 1)] = say(4, 5), say(5, 6)",
    "x[9] = say(1, 2)",
    "for i in range(len(x)): x[i] = 2 * x[i]",
    "x[n] += 1\nx[k] -= n\ny[0] <<= n\ny[1] //= 2\nm[n, 1] **= 2",
    "x[say(1, 0)] += say(2, 3)",
    "def f(i):\n    print('f', i)\n    return i\nx[f(0)] *= x[f(1)] + f(2)",
    "def f():\n    x[0] = 100.0\n    return 1\nx[0] += f()",
    "x[7] += say(1, 2)",
    "i = 1\ny[i] += (i := 0) + 1\ni",
    "def f(i):\n    x[i] = i\n    return x[i] + x[0]\nf(1) + f(n)",
    # Slices.
    "x[1:3]",
    "x[:]",
    "x[n:]",
    "x[:k]",
    "x[::-1]",
    "x[k:0:-2]",
    "x[1:100], x[100:], x[-100:2]",
    "x[::0]",
    "m[1:, 2], m[1, 2:], m[:, k], m[n, :], m[:2, ::2], m[:, :], m[::-1, ::-1]",
    "m[1:][0], m[1:, 1:][1, n]",
    "m[3, 1:]",
    "m[1:, 4]",
    "x[0, :]",
    "x[:, :]",
    "x[:, 0]",
    "m[say(1, 0):say(2, 2):say(3, 1), say(4, 1)]",
    "x[1:3] = 5",
    "x[:] = 3",
    "x[:] = m[1]",
    "x[::-1] = m[n, :]",
    "m[:, 1] = y",
    "m[1:, 2:] = n",
    "m[n, :] = m[0, :]",
    "m[:, :] = 1.5",
    "m[0] = 2.5",
    "x[1:] = y[:2]",
    "x[say(1, 1):say(2, 3)] = say(3, 8)",
    "x[:, :] = 1",
    "x[1:] += 2",
    "x[:] *= m[1]",
    "x[1:] += x[:k]",
    "m[1:, n] -= y[1:]",
    "m[n] /= 2",
    "x[say(1, 1):] += say(2, 3)",
    "def f():\n    x[1] = 100.0\n    return 1\nx[1:] += f()",
    "v = x[1:]\nv[0] = 50\nx[1] + v[0]",
    # Attributes and methods.
    "x.shape, m.shape, x.size, m.size, x.ndim, m.ndim, m.T.shape, m.shape[0] * m.shape[1]",
    "m.T, m.T[1], m.T[1:, n]",
    "m.T[1, n] = 9",
    "(x + x).sum() + (x * 2)[1:].sum()",
    "x.mean() + x.argmin() + x.argmax() + y.dot(y)",
    "h, w = m.shape\nt = 0.0\nfor i in range(h):\n    for j in range(w):\n        t += m[i, j] * (i - j)\nt",
    # Loops.
    "t = 0\nfor v in x: t += v\nt, v",
    "t = 0\nfor v in x[::-2]:\n    if v == n: continue\n    if v > 4: break\n    t = t * 2 + v\nelse:\n    t = -t\nt",
    "for row in m:\n    for v in row: print(v)",
    "for row in m: row[0] = 100",
    "for v in x:\n    x[1] = 50\n    print(v)",
    "z = x\nfor v in z:\n    z = y\n    print(v)\nz[0]",
    "for v in x[4:]: pass\nv",
    "for a, b, c, d in m: print(a, d)",
    "for i, v in enumerate(x): x[i] = v + i",
    "for i, v in enumerate(x, 10): print(i, v)",
    "for i, v in enumerate(x, start=k): print(i, v)",
    "for i, v in enumerate(x, k + 10): i = i * 2\ni",
    "for i, v in enumerate(x, True): print(i)",
    "for i, v in enumerate(range(n, 9, 3)): print(i, v)",
    "for t in enumerate(y): print(t[0], t[1])",
    "for i, j in enumerate(x[0:0]): pass\nelse:\n    i = 7\ni",
    "for i, v in enumerate(say(1, y), say(2, 3)): print(i, v)",
    "for a, b in zip(x, y): print(a, b)",
    "for a, b in zip(y, x): print(a, b)",
    "for a, b in zip(x, x[1:]): a, b = b, a\na, b",
    "for a, i, b in zip(x, range(n, 100), range(9, 0, k)): print(a, i, b)",
    "for i, j in zip(range(0, 10, n), range(5)): print(i, j)",
    "for t in zip(x, y): print(t[1])",
    "for (t,) in zip(x): print(t)",
    "for t in zip(): print(t)\nelse:\n    n = 9\nn",
    "for a, b in zip(x, zip()): print(a)\n",
    "for i, (a, b) in enumerate(zip(x, y)): print(i, a, b)",
    "for i, t in enumerate(zip(x, y)): print(i, t[0])",
    "for (i, a), (j, b) in zip(enumerate(x), enumerate(y, 5)): print(i, a, j, b)",
    "for i, (j, (k, v)) in enumerate(enumerate(enumerate(x, 7), 3)): print(i, j, k, v)",
    "for (i, v), row in zip(enumerate(x, n), m):\n    row[:] = v\n    if i == 3: continue\n    if i == 4: break\n",
    "for a, b in zip(say(1, x), say(2, y)): print(a)",
    "for x[0], v in zip(y, m[0]): print(x[0], v)",
    "for n, y[n] in enumerate(y[1:]): pass",
    "for i, x[i] in enumerate(y): pass",
    "for i, v in enumerate(x):\n    for j, w in enumerate(y):\n        if i == j: break\n        print(i, j, v * w)\n    else: print(v)",
    "enumerate = n\nfor i in range(enumerate): print(i)",
    "def zip(a, b): return a\nfor v in zip(x, y): print(v)",
    "def range(a): return a[1:]\nfor v in range(x): print(v)",
    # Reductions.
    "sum(v for v in x), sum(v * w for v, w in zip(x, y)), max(v for v in y), min((v for v in x[4:]), default=n + 0.5)",
    "sum(i * v for i, v in enumerate(x, 1) if v > 0)",
    "sum(v for row in m for v in row), sum(v * w for v in x for w in y if v > w)",
    "any(v < 0 for v in x), all(v < w for v, w in zip(y, x))",
    "max(v for v in x[4:])",
    "sum(x[i] * y[j] for i, j in zip(range(3), range(2, k, k)))",
    "sum(1 for x[n], n in zip(y, range(3)))",
    "sum(sum(v * w for w in y) for v in x)",
    "i = 5\ns = sum(i for i, v in enumerate(x))\ni + s",
    "sum(y), max(x), min(y), any(y > n), all(y > n), sum(x * x) / len(x), max(x[1:]) - min(m[0])",
]


SAY = "def say(number, value):\n    print(number)\n    return value\n"
TEXTS = [SAY + text if "say(" in text else text for text in TEXTS]


def arguments() -> dict[str, Any]:
    return {
        "x": np.array([1.5, -2.0, 4.0, 0.25]),
        "y": np.array([3, 1, 2]),
        "m": np.arange(12.0).reshape(3, 4) - 4.5,
        "n": 2,
        "k": -1,
    }


@pytest.mark.parametrize("text", TEXTS)
def test_arrays_mean_what_they_mean_to_cpython_and_numpy(text: str) -> None:
    result = lowered(text)
    verify(result.module)
    again = ir.from_text(ir.to_text(result.module))
    assert ir.to_text(again) == ir.to_text(result.module)
    ir.encode(result.module)
    names = [param.name for param in result.params]

    def run(*values: object) -> object:
        value, printed = evaluate(again, *values)
        print(printed, end="")
        return value

    theirs, ours = arguments(), arguments()
    expected = outcome(cpython(text, names), *[theirs[name] for name in names])
    found = outcome(run, *[ours[name] for name in names])
    if isinstance(expected[0], type):  # what was printed before an exception stays in the evaluator
        expected, found = expected[:2], found[:2]
    assert found == expected
    for name, array in ours.items():
        assert repr(array) == repr(theirs[name]), name


# Lists have one axis, and their slices are copies; the rest is the same.
LISTS = [
    "x[n] + x[k]",
    "x[0] = x[1] = 5",
    "x[1] += 5",
    "x[1:], x[:k], x[::-1], x[:]",
    "t = 0\nfor i, (a, b) in enumerate(zip(x, x[::-1]), n): t += i * a * b\nt",
    "sum(a * b for a, b in zip(x, x[1:]))",
]


@pytest.mark.parametrize("text", LISTS)
def test_lists_do_as_well(text: str) -> None:
    result = lowered(text)
    names = [param.name for param in result.params]
    theirs: dict[str, Any] = {"x": [3, 1, 4, 1, 5], "n": 2, "k": -1}
    ours = {**theirs, "x": list(theirs["x"])}
    expected = cpython(text, names)(*[theirs[name] for name in names])  # type: ignore[operator]
    assert evaluate(result.module, *[ours[name] for name in names])[0] == expected
    assert ours == theirs


def test_the_number_of_a_turn_overflows_when_it_is_made_and_not_before() -> None:
    """With as many turns as numbers are left, the loop ends."""
    last = 2**63 - 1
    text = "t = 0\nfor i, v in enumerate(x, start): t = i\nt"
    module = lowered(text).module
    sums = [each.args for block in module.functions[0].blocks for each in block if each.args[:1] == ("add",)]
    assert len(sums) == 1
    assert evaluate(module, [1, 2], last - 1)[0] == last


def test_what_is_gone_over_is_asked_in_order() -> None:
    """zip stops at the first that has no more, and does not ask those after it."""

    class Watched(list):  # type: ignore[type-arg]
        def __getitem__(self, at: Any) -> Any:
            seen.append((len(self), at))
            return list.__getitem__(self, at)

    seen: list[Any] = []
    module = lowered("t = 0\nfor a, b, c in zip(x, y, z): t += a + b + c\nt").module
    assert evaluate(module, Watched([1, 2, 3, 4]), Watched([10, 20]), Watched([100, 200, 300]))[0] == 333
    assert seen == [(4, 0), (2, 0), (3, 0), (4, 1), (2, 1), (3, 1)]


# ------------------------------------------------------------------------------------- functions of Python


def smooth(x, w, out):  # type: ignore[no-untyped-def]
    rows = x.shape[0]
    for i, v in enumerate(x[1:-1], start=1):
        out[i] = (x[i - 1] + x[i + 1]) * w + v
    for v in out:
        rows += v
    for a, b in zip(x, out):
        out[0] -= a * b
    out[-1:] += 1
    return rows + out.sum() + sum(v * i for i, v in enumerate(x))


def test_functions_of_python_lower_alike() -> None:
    function: Any = smooth
    definition = _definition(function, options_of(), {})
    result = link_lowered(definition, options_of())[2]
    verify(result.module)
    assert [(param.name, param.array) for param in result.params] == [("x", True), ("w", False), ("out", True)]
    x, out, again = np.array([1.0, 2.5, -3.0, 4.0]), np.zeros(4), np.zeros(4)
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(
            PRIMITIVES, "sum", lambda values, start: values.sum()
        )  # as a method, which adds in another order
        assert evaluate(result.module, x, 0.5, out)[0] == smooth(x, 0.5, again)  # type: ignore[no-untyped-call]
    assert (out == again).all()


# ------------------------------------------------------------------------------------------ size and depth

LONG = {
    "enumerate": "for t in " + "enumerate(" * 90 + "x" + ")" * 90 + ": y = t\ny",
    "zip": "for t in " + "zip(" * 90 + "x, x" + ", x)" * 90 + ": y = t\ny",
    "targets": "for " + "(i, " * 90 + "j" + ")" * 90 + " in " + "enumerate(" * 90 + "x" + ")" * 90 + ": pass\nj",
    "zipped": "for t in zip(" + "x, " * 5_000 + "x): y = t\ny",
    "subscripts": "x" + "[:]" * 90 + "[0]",
    "indices": "x[" * 90 + "0" + "]" * 90,
    "elements": "x[" * 90 + "0" + "]" * 90 + " += 1\nx[0]",
    "attributes": "x" + ".T" * 90,
    "reduced": "sum(" + "+".join(["x"] * 5_000) + ")",
    "reductions": "sum(x * " * 90 + "x" + ")" * 90,
}


@pytest.mark.parametrize("name", LONG)
def test_long_and_deep_texts_need_no_stack(name: str) -> None:
    source = Source(LONG[name])
    program = parse(source)
    depth = 0
    frame = sys._getframe()
    while frame is not None:
        depth += 1
        frame = frame.f_back  # type: ignore[assignment]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 60)
    try:
        result = lower(program, source)
        ir.encode(result.module)
    finally:
        sys.setrecursionlimit(limit)
    assert [param.array for param in result.params] == [True]
