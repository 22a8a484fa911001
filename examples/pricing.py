"""The price of an option by Monte Carlo, beside the closed form of Black and Scholes.

Everything is in the text: a generator of random bits (xorshift64*), Box and Muller's two normal numbers of two uniform ones, the payoffs,
and the standard error. `arithmetic="numpy"` lets the u64s wrap, as the generator wants. With antithetic paths each number is used twice,
with both signs: the errors of the two partly cancel. The seed is that of Marsaglia's paper on such generators.

Run it: python examples/pricing.py [PATHS [SEED]]
"""

from __future__ import annotations

import sys
from time import perf_counter

import jib

MONTE_CARLO = jib.compile(
    """
def bits(s: u64) -> u64:
    s ^= s >> 12
    s ^= s << 25
    return s ^ s >> 27

def uniform(s: u64) -> float:
    "In (0, 1]: the highest 53 bits."
    return (1.0 + (s * 0x2545F4914F6CDD1D >> 11)) * 2.0**-53

def payoff(z: float, spot, strike, rate, sigma, years) -> float:
    return max(spot * exp((rate - sigma*sigma/2) * years + sigma * sqrt(years) * z) - strike, 0.0)

def price(spot: float, strike: float, rate: float, sigma: float, years: float,
          paths: int, seed: u64, antithetic: bool) -> tuple[float, float]:
    s = seed
    count, mean, squares = 0, 0.0, 0.0
    for _ in range(paths // (4 if antithetic else 2)):
        s = bits(s)
        radius = sqrt(-2.0 * log(uniform(s)))
        s = bits(s)
        angle = tau * uniform(s)
        for k in range(2):
            z = radius * (sin(angle) if k else cos(angle))
            value = payoff(z, spot, strike, rate, sigma, years)
            if antithetic:
                value = (value + payoff(-z, spot, strike, rate, sigma, years)) / 2
            count += 1                     # Welford's mean and sum of squares, which lose no digits
            step = value - mean
            mean += step / count
            squares += step * (value - mean)
    discount = exp(-rate * years)
    return discount * mean, discount * sqrt(squares / (count - 1) / count)
""",
    arithmetic="numpy",
)

CLOSED = jib.compile("""
def normal(x: float) -> float:
    return erfc(-x / sqrt(2.0)) / 2

def price(spot: float, strike: float, rate: float, sigma: float, years: float) -> float:
    d = (log(spot / strike) + (rate + sigma*sigma/2) * years) / (sigma * sqrt(years))
    return spot * normal(d) - strike * exp(-rate * years) * normal(d - sigma * sqrt(years))
""")


def main(paths: str = "1000000", seed: str = "88172645463325252") -> int:
    # Worth 100 today, bought for 105 in a year, at 3% interest and 20% volatility.
    option = 100.0, 105.0, 0.03, 0.2, 1.0
    exact = CLOSED(*option)
    print(f"a call of 105 in a year on what is worth 100 today: {exact:.6f} by Black and Scholes\n")
    print(f"{'paths':>9}  {'plain':>8} {'+-':>7} {'off by':>7}   {'antithetic':>10} {'+-':>7} {'off by':>7}")
    worst = 0.0
    count = int(paths)
    for each in (count // 1000, count // 100, count // 10, count):
        row = f"{each:9}"
        for antithetic in (False, True):
            begin = perf_counter()
            price, error = MONTE_CARLO(*option, each, int(seed), antithetic)
            taken = perf_counter() - begin
            away = (price - exact) / error
            worst = max(worst, abs(away))
            row += f"  {price:{9 if antithetic else 8}.4f} {error:7.4f} {away:+6.2f}s "
        print(row.rstrip())
    print("\n+- is the standard error s, estimated from the paths; two of three prices should be off by less than one")
    print(f"the last row's {each} paths took {taken * 1e3:.0f} ms", file=sys.stderr)
    return 0 if worst < 5 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
