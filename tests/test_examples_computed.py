"""The programs in examples/ that compute: networks, clusters, integrals, equations, prices, columns."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable
from math import cos, exp, log, sin, sqrt, tau

import pytest

from programs import definitions, done, run

np = pytest.importorskip("numpy")


# ------------------------------------------------------------------------------------------------------ networks, clusters


def test_a_network_is_numpys_but_for_last_bits() -> None:
    first, second = run("network.py", "200").splitlines()
    assert first == "2000 probabilities, close: yes, the same classes: yes"
    found = re.fullmatch(
        r"(\d+) differ in their last bits, by (\d+) doubles at most, half of all by (\d+) or less", second
    )
    assert found and 0 <= int(found[1]) <= 2000 and int(found[2]) < 200


def lloyd(points: list[list[float]], count: int) -> tuple[list[list[float]], list[int], int]:
    """k-means as the books have it: the centres, how many points each has, and after how many steps nothing changed."""
    centres, chosen, steps = [list(point) for point in points[:count]], [-1] * len(points), 0
    while True:
        before = chosen
        chosen = [
            min(range(count), key=lambda k: (x - centres[k][0]) ** 2 + (y - centres[k][1]) ** 2) for x, y in points
        ]
        if chosen == before:
            return centres, [chosen.count(k) for k in range(count)], steps
        steps += 1
        for k in range(count):
            own = [point for point, at in zip(points, chosen) if at == k]
            centres[k] = [statistics.fmean(column) for column in zip(*own)]


@pytest.mark.parametrize(("points", "count"), [(500, 4), (200, 7)])
def test_k_means_comes_to_rest(points: int, count: int) -> None:
    seed = np.random.default_rng(8)  # the program's own points
    middles = seed.uniform(-5, 5, (count, 2))
    cloud = middles[seed.integers(0, count, points)] + seed.standard_normal((points, 2))
    _, sizes, steps = lloyd(cloud.tolist(), count)
    *picture, rest, equal = run("kmeans.py", str(points), str(count), timed=True).splitlines()
    said = ", ".join(f"{'ABCDEFG'[k]} {size}" for k, size in enumerate(sizes))
    assert rest == f"{points} points come to rest after {steps} steps: {said}"
    assert equal == "each step beside NumPy's: equal"
    letters = "".join(picture)
    assert len(picture) == 20 and all(letters.count("ABCDEFG"[k]) == 1 for k in range(count))
    assert set(letters.lower()) == {" ", *"abcdefg"[:count]}


def test_a_centre_without_points_stays() -> None:
    step = definitions("kmeans.py")["STEP"]
    points = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 2.0]])
    centres, chosen, sums = np.array([[0.0, 0.0], [4.0, 2.0], [9.0, 9.0]]), np.full(3, -1), np.empty((3, 3))
    assert step(points, centres, chosen, sums) == 3
    assert chosen.tolist() == [0, 0, 1]
    assert centres.tolist() == [[0.5, 0.0], [5.0, 2.0], [9.0, 9.0]]
    assert sums.tolist() == [[1.0, 0.0, 2.0], [5.0, 2.0, 1.0], [0.0, 0.0, 0.0]]
    assert step(points, centres, chosen, sums) == 0


def test_two_threads_give_the_bits_of_one() -> None:
    *lines, last = run("threads.py", "100000").splitlines()
    assert last == "the same bits"
    digests = [line.split()[-1] for line in lines]
    assert len(digests) == 10 and digests[::2] == digests[1::2] and len(set(digests)) == 5


def test_there_is_something_to_profile() -> None:

    def steps(n: int) -> int:
        count = 0
        while n != 1:
            n, count = n // 2 if n % 2 == 0 else 3 * n + 1, count + 1
        return count

    assert run("profile_me.py", "0") == f"{max(map(steps, range(1, 5_000)))} 6765 1.0\n"


# ------------------------------------------------------------------------------------------------ integrals, equations


def test_scipy_integrates_a_formula() -> None:
    pytest.importorskip("scipy")
    for formula in ((), ("x if x < 1 else 2 - x",)):
        said = run("quad.py", *formula, timed=True)
        assert said.endswith("by Python: equal\n")
    assert said == "the integral of x if x < 1 else 2 - x\nfrom -3 to 5 is -8 by jib, -8 by Python: equal\n"


#: Four decimals are.
SHOWN = 0.5e-4 + 1e-6

Slopes = Callable[..., tuple[float, ...]]


def runge_kutta(slopes: Slopes, values: tuple[float, ...], end: float, steps: int) -> tuple[float, ...]:
    """The classic method of the fourth order, with steps of one length."""
    h = end / steps

    def ahead(values: tuple[float, ...], slope: tuple[float, ...], by: float) -> tuple[float, ...]:
        return tuple([value + by * each for value, each in zip(values, slope)])

    for _ in range(steps):
        k1 = slopes(*values)
        k2 = slopes(*ahead(values, k1, h / 2))
        k3 = slopes(*ahead(values, k2, h / 2))
        k4 = slopes(*ahead(values, k3, h))
        mean = tuple([(a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(k1, k2, k3, k4)])
        values = ahead(values, mean, h)
    return values


def final(said: str) -> dict[str, float]:
    (line,) = re.findall(r"^at t = .* calls: (.*)$", said, re.MULTILINE)
    return {name: float(value) for name, value in re.findall(r"(\w+) = (-?[\d.]+)", line)}


def test_differential_equations_are_solved() -> None:
    pytest.importorskip("scipy")
    said = run("ode.py")
    first, second = said.split("\n\n")[:2]
    assert first.startswith("Van der Pol: (v, mu*(1 - x*x)*v - x), x = 0.1, v = 0, mu = 2.5\n")
    assert second.startswith(
        "Lorenz: (s*(y - x), x*(r - z) - y, x*y - b*z), x = 1, y = 1, z = 1, s = 10, r = 28, b = 2.667\n"
    )
    assert said.count("with the text run by CPython: equal\n") == 2
    x, v = runge_kutta(lambda x, v: (v, 2.5 * (1 - x * x) * v - x), (0.1, 0.0), 40.0, 40_000)
    assert final(first) == pytest.approx({"x": x, "v": v}, rel=0, abs=SHOWN)
    assert [len(part.splitlines()) for part in (first, second)] == [23, 23]


@pytest.mark.parametrize(
    ("text", "values", "slopes", "end"),
    [
        ("(v, -x)", {"x": 1.0, "v": 0.0}, lambda x, v: (v, -x), 10.0),
        ("(v, -sin(x) - k*v)", {"x": 3.0, "v": 0.0, "k": 0.1}, lambda x, v: (v, -sin(x) - 0.1 * v), 20.0),
        (
            "(s*(y - x), x*(r - z) - y, x*y - b*z)",  # so short that its chaos does not show yet
            {"x": 1.0, "y": 1.0, "z": 1.0, "s": 10.0, "r": 28.0, "b": 2.5},
            lambda x, y, z: (10 * (y - x), x * (28 - z) - y, x * y - 2.5 * z),
            3.0,
        ),
    ],
)
def test_yours_too(text: str, values: dict[str, float], slopes: Slopes, end: float) -> None:
    pytest.importorskip("scipy")
    said = run("ode.py", text, *[f"{name}={value}" for name, value in values.items()], f"t={end}")
    assert said.startswith(f"yours: {text}, ")
    beginning = tuple([value for name, value in values.items() if name in ("x", "y", "z", "v")])
    exact = runge_kutta(slopes, beginning, end, 20_000)
    assert [*final(said).values()] == pytest.approx(exact, rel=0, abs=SHOWN)
    if text == "(v, -x)":
        assert exact == pytest.approx((cos(10), -sin(10)), rel=0, abs=1e-9)


def test_equations_with_mistakes_are_refused() -> None:
    pytest.importorskip("scipy")
    for words, said in (
        (("(v, -sin(x) - k*v", "x=1", "v=0", "k=1"), "ParseError: '(' was never closed"),
        (("(v, -sin(x) - g*v)", "x=1", "v=0"), "CompileError: name 'g' is not defined"),
        (("(v, -x, 1)", "x=1", "v=0"), "each variable has a beginning: NAME=NUMBER"),
        (("-x", "x=1"), "the slopes are a tuple of two or more"),
    ):
        ran = done("ode.py", *words)
        assert ran.returncode == 1 and said in ran.stderr, ran


# ----------------------------------------------------------------------------------------------------------------- prices


def monte_carlo(option: tuple[float, ...], paths: int, s: int, antithetic: bool) -> tuple[float, float]:
    """The same with CPython's ints and its own statistics."""
    spot, strike, rate, sigma, years = option

    def uniform() -> float:
        nonlocal s
        s ^= s >> 12
        s ^= s << 25 & 0xFFFF_FFFF_FFFF_FFFF
        s ^= s >> 27
        return (1 + (s * 2685821657736338717 % 2**64 >> 11)) / 2**53

    def payoff(z: float) -> float:
        return max(spot * exp((rate - sigma**2 / 2) * years + sigma * sqrt(years) * z) - strike, 0.0)

    values = []
    while len(values) < paths // (2 if antithetic else 1):
        radius = sqrt(-2 * log(uniform()))
        angle = tau * uniform()
        for z in (radius * cos(angle), radius * sin(angle)):
            values.append((payoff(z) + payoff(-z)) / 2 if antithetic else payoff(z))
    discount = exp(-rate * years)
    return discount * statistics.fmean(values), discount * statistics.stdev(values) / sqrt(len(values))


def black_scholes(spot: float, strike: float, rate: float, sigma: float, years: float) -> float:
    normal = statistics.NormalDist().cdf
    d = (log(spot / strike) + (rate + sigma**2 / 2) * years) / (sigma * sqrt(years))
    return spot * normal(d) - strike * exp(-rate * years) * normal(d - sigma * sqrt(years))


OPTION = 100.0, 105.0, 0.03, 0.2, 1.0


def test_options_are_priced() -> None:
    lines = run("pricing.py", "20000", timed=True).splitlines()
    exact = black_scholes(*OPTION)
    assert lines[0] == f"a call of 105 in a year on what is worth 100 today: {exact:.6f} by Black and Scholes"
    for line, paths in zip(lines[3:7], (20, 200, 2_000, 20_000)):
        row = f"{paths:9}"
        for antithetic in (False, True):
            price, error = monte_carlo(OPTION, paths, 88172645463325252, antithetic)
            width = 9 if antithetic else 8
            row += f"  {price:{width}.4f} {error:7.4f} {(price - exact) / error:+6.2f}s "
        assert line == row.rstrip()


def test_prices_are_those_of_the_books() -> None:
    made = definitions("pricing.py")
    # Hull, Options, Futures and Other Derivatives: the example of the Black-Scholes formula.
    assert round(made["CLOSED"](42.0, 40.0, 0.1, 0.2, 0.5), 2) == 4.76
    # Antithetic paths are worth more than as many others, and both say rightly how wrong they are.
    plain, plain_error = made["MONTE_CARLO"](*OPTION, 400_000, 2026, False)
    paired, paired_error = made["MONTE_CARLO"](*OPTION, 400_000, 2026, True)
    assert paired_error < 0.9 * plain_error
    away = [
        (made["MONTE_CARLO"](*OPTION, 2_000, seed, antithetic)[0] - black_scholes(*OPTION))
        / made["MONTE_CARLO"](*OPTION, 2_000, seed, antithetic)[1]
        for seed in range(1, 201)
        for antithetic in (False, True)
    ]
    assert abs(plain - black_scholes(*OPTION)) < 4 * plain_error
    assert abs(paired - black_scholes(*OPTION)) < 4 * paired_error
    assert 0.85 < statistics.stdev(away) < 1.15


# ---------------------------------------------------------------------------------------------------------------- columns

TOTALS = [
    round(0.05 * 400 * 0.8 + 4.5, 2),
    round(0.12 * 250 * 0.8 + 4.5, 2),
    round(3.40 * 12 * 0.9 + 4.5, 2),
    round(8.00 * 10 * 0.9 + 4.5 + 0.6 * 50, 2),
    round(95.00 + 4.5 + 0.6 * 35, 2),
]
RATIOS = [0.0, 0.0, 3.4 / 0.21, 8.0 / 5.5, 95.0 / 40.0]


def numbers(text: str) -> list[list[float]]:
    """The last two columns of a table."""
    rows = [line.replace("|", " ").split() for line in text.splitlines()]
    return [
        [float(cell) for cell in row[-2:]]
        for row in rows
        if row and row[0] in ("nail", "screw", "hinge", "plank", "anvil")
    ]


@pytest.mark.parametrize(("library", "other"), [("pandas", "Polars"), ("polars", "pandas")])
def test_columns_are_computed(library: str, other: str) -> None:
    pytest.importorskip(library)
    ran = done("columns.py", without=[other.lower()])
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.endswith("the totals, row by row: equal\n")
    assert f"{other} is not installed\n" in ran.stdout
    assert numbers(ran.stdout) == [[total, round(ratio, 6)] for total, ratio in zip(TOTALS, RATIOS)]


def test_a_formula_of_columns_is_the_users() -> None:
    pytest.importorskip("pandas")
    said = run("columns.py", "quantity // 7 * 1.5")
    assert [row[1] for row in numbers(said)][:5] == [400 // 7 * 1.5, 250 // 7 * 1.5, 1.5, 1.5, 0.0]
    ran = done("columns.py", "price * colour")
    assert ran.returncode == 1 and "NameError: name 'colour' is not defined" in ran.stderr
