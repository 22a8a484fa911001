"""SciPy integrates a formula of the user's, which it calls as C: without Python between one point and the next.

Run it: python examples/quad.py ["formula of x"]; it needs SciPy.
"""

from __future__ import annotations

import sys
from time import perf_counter

import jib


def main(formula: str = "exp(-x*x/2) if x > -1 else abs(sin(9*x))") -> None:
    try:
        from scipy import LowLevelCallable
        from scipy.integrate import quad
    except ImportError:
        print("SciPy is not installed")
        return
    function = jib.compile(formula, params=["x"])
    python = eval(f"lambda x: {formula}", vars(__import__("math")))
    native = LowLevelCallable(function.capsule("double(double)"))

    def integrate(integrand: object) -> tuple[float, float]:
        begin = perf_counter()
        for _ in range(20):
            answer = quad(integrand, -3.0, 5.0, limit=200)[0]
        return answer, (perf_counter() - begin) / 20

    ours, our_time = integrate(native)
    theirs, their_time = integrate(python)
    print(f"the integral of {formula}")
    print(f"from -3 to 5 is {ours:.15g} by jib, {theirs:.15g} by Python: {'equal' if ours == theirs else 'different'}")
    print(f"{their_time / our_time:.1f} times as fast", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:2])
