"""Texts that call functions of the host: of a C library, of ctypes, and of Python."""

from __future__ import annotations

import ctypes

import jib

# A C function by its library and symbol; None is what the process has loaded already. Nobody can check such a signature.
cbrt = jib.extern((None, "cbrt"), "double(double)", pure=True)

# Any function pointer of ctypes says its own types. Here C calls back into Python; it could be your own library's.
LIMIT = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_int32)
clamp = jib.extern(LIMIT(lambda x, most: min(x, float(most))), name="clamp")

# A Python callable: its annotations are the signature.
RATES = {"2023": 0.03, "2024": 0.025}


def rate(year: int) -> float:
    return RATES[str(year)]


progress: list[int] = []
report = jib.extern(progress.append, "None(int)", "report")

SOURCE = """\
def grow(amount: float, first: int, last: int) -> float:
    for year in range(first, last + 1):
        amount *= 1 + rate(year)
        report(year)
    return clamp(cbrt(amount), 5)
"""


def main() -> None:
    grow = jib.compile(SOURCE, externs=[cbrt, clamp, report, jib.extern(rate)])
    print(SOURCE)
    for function in (cbrt, clamp, report):
        print(function)
    print()
    print("grow(100.0, 2023, 2024) ->", grow(100.0, 2023, 2024))
    print("grow(1000.0, 2023, 2024) ->", grow(1000.0, 2023, 2024))
    print("progress ->", progress)

    print("\n--- what a Python callable raises is what the call raises")
    try:
        grow(100.0, 2024, 2025)
    except KeyError as error:
        print("KeyError:", error)

    print("\n--- a call that does not fit is a mistake in the text")
    try:
        jib.compile("cbrt(x, 3)", externs=[cbrt])
    except jib.CompileError as error:
        print(error.text, error.msg, sep="\n")


if __name__ == "__main__":
    main()
