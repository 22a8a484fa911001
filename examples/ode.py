"""SciPy solves differential equations that the user writes; jib compiles the right-hand side, which is called a few thousand times.

The text is a tuple: the slope of each variable, in the order in which their beginnings are given. What comes after these are constants.
`t`, the time, may be used too. Van der Pol's oscillator and Lorenz's butterfly are there without arguments.

Run it: python examples/ode.py ["slopes" NAME=NUMBER ... [t=END]]; it needs SciPy. For a pendulum with friction:
        python examples/ode.py "(v, -sin(x) - k*v)" x=3 v=0 k=0.1 t=60
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

import jib

SYSTEMS: dict[str, tuple[str, dict[str, float]]] = {
    "Van der Pol": ("(v, mu*(1 - x*x)*v - x)", {"x": 0.1, "v": 0.0, "mu": 2.5, "t": 40.0}),
    "Lorenz": (
        "(s*(y - x), x*(r - z) - y, x*y - b*z)",
        {"x": 1.0, "y": 1.0, "z": 1.0, "s": 10.0, "r": 28.0, "b": 8 / 3, "t": 20.0},
    ),
}


def solve(function: Callable[..., tuple[float, ...]], beginning: list[float], constants: list[float], end: float):
    """What `solve_ivp` says; the function takes the variables, the constants and the time."""
    from scipy.integrate import solve_ivp

    def slopes(t: float, y) -> tuple[float, ...]:
        return function(*y.tolist(), *constants, t)

    return solve_ivp(slopes, (0.0, end), beginning, method="DOP853", rtol=1e-9, atol=1e-9, dense_output=True)


def draw(horizontal, vertical, columns: int = 64, rows: int = 20) -> None:
    """Two variables against each other, the darker the longer they stay."""
    import numpy as np

    field, _, _ = np.histogram2d(vertical, horizontal, (rows, columns))
    shades = np.searchsorted([1, 3, 6, 12], field[::-1], side="right")
    print("\n".join(["".join([" .:*@"[shade] for shade in row]).rstrip() for row in shades]))


def run(title: str, text: str, values: Mapping[str, float], python: Callable[..., tuple[float, ...]] | None) -> bool:
    import numpy as np

    names = [name for name in values if name != "t"]
    numbers, end = [float(values[name]) for name in names], values.get("t", 40.0)
    function = jib.compile(text, params=[*names, "t"], name="slopes")
    first = function(*numbers, 0.0)
    count = len(first) if isinstance(first, tuple) else 0
    if not 2 <= count <= len(names):
        raise ValueError("the slopes are a tuple of two or more, and each variable has a beginning: NAME=NUMBER")
    ours = solve(function, numbers[:count], numbers[count:], end)
    if not ours.success:
        raise ArithmeticError(ours.message)
    path = ours.sol(np.linspace(0.0, end, 4000))
    print(f"{title}: {text}, {', '.join([f'{name} = {values[name]:.4g}' for name in names])}")
    draw(path[0], path[-1])
    final = ", ".join([f"{name} = {value:.4f}" for name, value in zip(names, ours.y[:, -1])])
    print(f"at t = {end:g} after {ours.nfev} calls: {final}")
    if python is None:
        return True
    theirs = solve(python, numbers[:count], numbers[count:], end)
    equal = theirs.nfev == ours.nfev and bool((theirs.y == ours.y).all())
    print(f"with the text run by CPython: {'equal' if equal else 'DIFFERENT'}\n")
    return equal


def main(text: str = "", *values: str) -> int:
    try:
        import scipy  # noqa: F401
    except ImportError:
        print("SciPy is not installed")
        return 0
    if text:
        pairs = [value.partition("=") for value in values]
        run("yours", text, {name: float(number) for name, _, number in pairs}, None)
        return 0
    equal = True
    for title, (text, given) in SYSTEMS.items():
        params = ", ".join([*[name for name in given if name != "t"], "t"])
        equal &= run(title, text, given, eval(f"lambda {params}: {text}"))
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
