"""What people do first with a jib that they have installed. `wheel_trial.py` runs it in an environment that has nothing else.

In: the folder of the checkout, which must not be in the way. Out: a line that says whether there were arrays to try, or an AssertionError.
Always holds: it needs nothing but jib; arrays are tried where NumPy is.
"""

from __future__ import annotations

import sys
import sysconfig
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

import jib
from jib import _native


def files() -> None:
    """All that was installed is in the package or beside it, is there, and nothing else is."""
    site = Path(sysconfig.get_path("platlib"))
    home = Path(jib.__file__).parent
    assert home == site / "jib" == Path(_native.__file__).parent, home
    installed = distribution("jib")
    told = {Path(str(path)) for path in installed.files or ()}
    # pip notes the bytecode that it compiles, too
    assert {path.parts[0] for path in told} == {"jib", f"jib-{installed.version}.dist-info"}, told
    assert all((site / path).is_file() for path in told)
    found = {path.relative_to(site) for path in home.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert found == {path for path in told if path.parts[0] == "jib" and path.suffix != ".pyc"}
    assert {Path("jib/py.typed"), Path("jib/jib.lark"), Path("jib/_native.pyi"), Path("jib/table.py")} <= found
    assert sum(path.name in ("LICENSE-MIT", "LICENSE-APACHE") for path in told) == 2


def answers() -> None:
    """Specialisations, engines, mistakes, host functions, every stage."""
    f = jib.compile("a + b")
    assert (f(7, 35), f(1.5, 2)) == (42, 3.5) and type(f(7, 35)) is int
    assert jib.compile("sum(i * i for i in range(n))", engine="interpreter")(100) == 328350
    assert jib.evaluate("x ** 0.5", x=2.0) == 2.0**0.5
    try:
        jib.compile("1 + sqroot(x)")
    except jib.CompileError as mistake:
        assert "did you mean 'sqrt'" in str(mistake) and mistake.offset == 5
    else:
        raise AssertionError("sqroot")
    double = jib.extern(lambda x: 2 * x, "float(float)", name="double")
    assert jib.compile("double(x) + 1", externs=[double])(4.0) == 9.0
    for stage in jib.STAGES:
        assert f.dump(stage, "(float, float)").strip(), stage


def arrays() -> None:
    """Element by element, and in a text."""
    import numpy as np

    x = np.arange(100_000.0)
    assert (jib.compile("x * 2 + y")(x, 1.0) == x * 2 + 1).all()
    assert jib.compile("sum(x * x)", "float(f64[:])")(np.arange(4.0)) == 14.0
    assert jib.compile("a + b").ufunc(np.arange(3), 2).tolist() == [2, 3, 4]


def main() -> None:
    assert not any(Path(folder).is_relative_to(sys.argv[1]) for folder in sys.path), sys.path
    files()
    answers()
    if find_spec("numpy"):
        arrays()
    print("arrays" if find_spec("numpy") else "no arrays")


if __name__ == "__main__":
    main()
