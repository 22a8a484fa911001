"""The texts over arrays of test_lowered_arrays, on every engine, against CPython running them on NumPy's arrays.

An element is a number of Python's here, and one of NumPy's there; a text whose types do not fit is a CompileError here.
"""

from __future__ import annotations

import re

import pytest

import jib
from test_lowered_arrays import TEXTS, arguments
from test_lowered_meaning import cpython, outcome

# Why a text that means something to NumPy is a CompileError.
REFUSED = {
    "x[0, :]": "too many indices",
    "x[:, :]": "too many indices",
    "x[:, 0]": "too many indices",
    "x[:, :] = 1": "too many indices",
    "z = x\nfor v in z:\n    z = y\n    print(v)\nz[0]": "no common type",
}


def plain(found: tuple[object, ...]) -> tuple[object, ...]:
    """An outcome without the classes of numbers; of an exception its class alone."""
    value, _, printed = found
    if isinstance(value, str):
        value = re.sub(r"np\.(?:float64|int64|bool)\((.*?)\)", r"\1", value).replace("np.", "")
    return value, printed


@pytest.mark.parametrize("engine", ["native", "interpreter"])
@pytest.mark.parametrize("text", TEXTS)
def test_texts_over_arrays_mean_what_they_mean_to_numpy(text: str, engine: str) -> None:
    function = jib.compile(text, engine=engine)
    names = function.params
    theirs, ours = arguments(), arguments()
    found = outcome(function, *[ours[name] for name in names])
    if text in REFUSED:
        assert found[0] is jib.CompileError and REFUSED[text] in str(found[1])
        return
    assert plain(found) == plain(outcome(cpython(text, list(names)), *[theirs[name] for name in names]))
    for name, array in ours.items():
        assert repr(array) == repr(theirs[name]), name
