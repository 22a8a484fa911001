"""Diffie and Hellman's key exchange, in ints of 64 bits. A toy: real keys have thousands of bits, and an eavesdropper breaks one of these.

Alice and Bob agree on p and g, and each keeps a secret number. They send g**a % p and g**b % p to each other in public, and both can make
g**(a*b) % p of what they get. A product of two numbers below 2**62 does not fit 64 bits, so it is made by doubling, one bit at a time;
the language's `pow(base, exponent, modulus)` knows a faster way. Both are compared with CPython's.

Run it: python examples/diffie_hellman.py [ALICE [BOB]]; the secrets are numbers below 2**62.
"""

from __future__ import annotations

import sys
from time import perf_counter

import jib

POWER = jib.compile("""
def times(a: int, b: int, p: int) -> int:
    "a * b % p, for p < 2**62: no number in it reaches 2**63."
    total = 0
    while b:
        if b & 1:
            total = (total + a) % p
        a = 2 * a % p
        b >>= 1
    return total

def power(base: int, exponent: int, p: int) -> int:
    result = 1
    while exponent:
        if exponent & 1:
            result = times(result, base, p)
        base = times(base, base, p)
        exponent >>= 1
    return result
""")

BUILTIN = jib.compile("pow(base, exponent, p)", "int(int, int, int)")

# Who knows that the secret is small tries all of them.
EAVESDROP = jib.compile("""
def secret(public: int, g: int, p: int, most: int) -> int:
    seen = 1
    for exponent in range(most):
        if seen == public:
            return exponent
        seen = seen * g % p
    raise ValueError("the secret is larger")
""")

P, G = 4611686018427377339, 2  # (P - 1) / 2 is prime too, and every number below P but 0 is a power of 2
SMALL_P, SMALL_G = 2147483579, 2  # likewise, and below 2**31: products fit


def main(alice: str = "1234567890123456789", bob: str = "987654321098765432") -> int:
    a, b = int(alice), int(bob)
    to_bob, to_alice = POWER(G, a, P), POWER(G, b, P)
    shared = POWER(to_alice, a, P), POWER(to_bob, b, P)
    print(f"p = {P}, g = {G}")
    print(f"Alice sends {to_bob}")
    print(f"Bob sends   {to_alice}")
    print(f"Alice has   {shared[0]}")
    print(f"Bob has     {shared[1]}")
    equal = shared[0] == shared[1]
    for base, exponent, mine in ((G, a, to_bob), (G, b, to_alice), (to_alice, a, shared[0]), (to_bob, b, shared[1])):
        equal &= mine == BUILTIN(base, exponent, P) == pow(base, exponent, P)
    print(f"by doubling, by pow, by CPython: {'equal' if equal else 'DIFFERENT'}")

    small = a % (1 << 24)
    public = BUILTIN(SMALL_G, small, SMALL_P)
    begin = perf_counter()
    found = EAVESDROP(public, SMALL_G, SMALL_P, 1 << 24)
    taken = perf_counter() - begin
    print(f"a secret of 24 bits with p = {SMALL_P}: Eve reads {public} and tries until {found} fits")
    print(f"which took {taken * 1e3:.0f} ms", file=sys.stderr)
    return 0 if equal and found == small else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
