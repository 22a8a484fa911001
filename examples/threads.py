"""One thread or two: the same bits. Each line's digest is of all bytes of the results.

Elements do not depend on each other; a sum does, and jib adds in one promised order, however many threads share the work.

Run it: python examples/threads.py [ELEMENTS]; it needs NumPy.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from time import perf_counter

import jib

TEXTS = (
    "exp(-a*a/2) * sin(b)",
    "a if a > b else sqrt(abs(b))",
    "(a - b, a // 0.25, a > b)",
    "sum(a*b)",
    "sum(exp(a)) / len(a)",
)


def main(elements: str = "1000000") -> int:
    try:
        import numpy as np
    except ImportError:
        print("NumPy is not installed")
        return 0
    seed = np.random.default_rng(11)
    a, b = seed.standard_normal((2, int(elements)))
    equal = True
    for text in TEXTS:
        digests = []
        for threads in (1, 2):
            function = jib.compile(text, threads=threads)
            args = [{"a": a, "b": b}[name] for name in function.params]
            function(*args)  # compiles, and starts the thread
            begin = perf_counter()
            results = function(*args)
            taken = (perf_counter() - begin) * 1e3
            digest = sha256()
            for result in results if isinstance(results, tuple) else (results,):
                digest.update(np.asarray(result).tobytes())
            digests.append(digest.hexdigest())
            print(f"{text:<30} {threads} thread{'s' * (threads > 1):<1} {taken:7.2f} ms  {digests[-1][:32]}")
        equal &= digests[0] == digests[1]
    print("the same bits" if equal else "DIFFERENT bits")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
