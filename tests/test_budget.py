"""Fuel, deadlines, and calls that another thread ends."""

from __future__ import annotations

import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import jib

ENGINES = [
    {"engine": "native"},
    {"engine": "native", "opt_level": "none"},
    {"engine": "interpreter"},
    {"engine": "auto"},
]
NAMES = ["native", "native, not optimised", "interpreter", "auto"]

#: Text, arguments, and the units that the rule gives: rounds of loops that go round again, and calls, the outermost included.
COSTS: list[tuple[str, tuple[Any, ...], int]] = [
    ("a + b", (1, 2), 1),
    ("t = 0\nfor i in range(n):\n    t += i\nt", (10,), 1 + 10),
    ("t = 0\nfor i in range(n):\n    for j in range(i):\n        t += 1\nt", (5,), 1 + 5 + 10),
    ("t = 0\nfor i in range(n):\n    if i % 2:\n        continue\n    t += i\nt", (9,), 1 + 9),
    # The round that breaks does not go round again.
    ("t = 0\nwhile True:\n    t += 1\n    if t == n:\n        break\nt", (6,), 1 + 5),
    ("k = n\nwhile k > 0:\n    k -= 1\nelse:\n    k = 7\nk", (4,), 1 + 4),
    ("sum(i * i for i in range(n) if i % 3)", (12,), 1 + 12),
    ("def h(x): return x + 1\ndef f(n): return h(n) + h(n) * h(2)", (3,), 1 + 3),
    # Small enough to be put in the place of its call: counted all the same.
    ("def h(x): return x + 1\ndef f(n):\n    for i in range(n):\n        n = h(n)\n    return n", (5,), 1 + 5 + 5),
    ("def f(n: int) -> int: return n if n < 2 else f(n - 1) + f(n - 2)", (9,), 109),
    (
        "def even(n: int) -> bool: return True if n == 0 else odd(n - 1)\n"
        "def odd(n: int) -> bool: return False if n == 0 else even(n - 1)\n"
        "def f(n: int): return even(n)",
        (20,),
        1 + 21,
    ),
    ("any(i > n for i in range(100))", (7,), 1 + 8),
    # Written out, and put into itself: counted all the same.
    ("t = 0\nfor i in range(3):\n    for j in range(2):\n        t += i * j\nt + n", (0,), 1 + 3 + 6),
    (
        "def f(n: int) -> int:\n    t = 1\n    while n:\n        n -= 1\n        t += f(n)\n    return t",
        (6,),
        2**6 + (2**6 - 1),
    ),
]


@pytest.mark.parametrize("options", ENGINES, ids=NAMES)
@pytest.mark.parametrize(("text", "args", "units"), COSTS, ids=[text for text, _, _ in COSTS])
def test_fuel_is_counted_alike(text: str, args: tuple[Any, ...], units: int, options: dict[str, str]) -> None:
    answer = jib.compile(text)(*args)
    enough = jib.compile(text, fuel=units, **options)
    assert [enough(*args) for _ in range(3)] == [answer] * 3  # each call has its own
    if units > 1:
        with pytest.raises(jib.BudgetError, match=f"fuel of {units - 1} "):
            jib.compile(text, fuel=units - 1, **options)(*args)


@pytest.mark.parametrize("options", ENGINES, ids=NAMES)
def test_fuel_is_exact_however_large(options: dict[str, str]) -> None:
    """More than what is handed out at a time."""
    text = "t = 0\nwhile t < n:\n    t += 1\nt"
    for rounds in (16383, 16384, 16385, 50_000):
        assert jib.compile(text, fuel=rounds + 1, **options)(rounds) == rounds
        with pytest.raises(jib.BudgetError):
            jib.compile(text, fuel=rounds, **options)(rounds)


@pytest.mark.parametrize("options", ENGINES, ids=NAMES)
def test_what_happens_before_the_fuel_is_spent(options: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    text = "for i in range(n):\n    print(i, 6 // (3 - i))\n"
    with pytest.raises(jib.BudgetError) as spent:
        jib.compile(text, fuel=3, **options)(9)
    assert capsys.readouterr().out == "0 2\n1 3\n2 6\n"
    assert spent.value.__notes__ == ["  line 1: for i in range(n):\n                   ^^^^^^^^"]
    with pytest.raises(ZeroDivisionError):
        jib.compile(text, fuel=4, **options)(9)


def test_the_message_names_the_limit_its_value_and_the_way_out() -> None:
    with pytest.raises(jib.BudgetError) as spent:
        jib.compile("while True:\n    pass\n", fuel=1000)()
    assert str(spent.value) == (
        "the call has used up its fuel of 1000 loop rounds and calls; fuel=... allows more (line 1, column 7)"
    )
    assert isinstance(spent.value, RuntimeError)
    assert (spent.value.code, spent.value.span) == ("fuel-spent", (6, 10))
    with pytest.raises(jib.BudgetError) as late:
        jib.compile("while True:\n    pass\n", timeout=0.01)()
    assert "longer than 0.01 seconds; timeout=... allows more" in str(late.value)
    assert late.value.code == "timeout"


@pytest.mark.parametrize("options", ENGINES, ids=NAMES)
def test_a_deadline_ends_a_call(options: dict[str, str]) -> None:
    function = jib.compile("k = n\nwhile k:\n    k = k % 5 + 1\nk", timeout=0.05, **options)
    begin = time.monotonic()
    with pytest.raises(jib.BudgetError):
        function(3)
    assert time.monotonic() - begin < 10  # not for ever; how late it is, benches/own/interrupt.py says
    assert function(0) == 0


def test_a_timeout_beyond_all_clocks_is_none() -> None:
    assert jib.compile("sum(i for i in range(10))", timeout=1e18)() == 45
    with pytest.raises(ValueError, match="timeout"):
        jib.compile("1", timeout=float("inf"))


@pytest.mark.parametrize("fuel", [0, -1, 2**63, 10**40])
def test_fuel_has_bounds(fuel: int) -> None:
    with pytest.raises(ValueError, match="fuel must be between 1 and"):
        jib.compile("1", fuel=fuel)


@pytest.mark.parametrize("timeout", [0, -1.0, 0.0, float("nan"), float("inf"), 1e300, 10**40])
def test_a_timeout_is_positive(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout must be a positive number"):
        jib.compile("1", timeout=timeout)


@pytest.mark.parametrize(("option", "value"), [("fuel", 1.5), ("fuel", True), ("timeout", "1"), ("timeout", True)])
def test_budgets_are_numbers(option: str, value: object) -> None:
    with pytest.raises(TypeError, match=option):
        jib.compile("1", **{option: value})  # type: ignore[arg-type]


def test_a_pickle_carries_the_budget() -> None:
    function = pickle.loads(pickle.dumps(jib.compile("sum(i for i in range(n))", fuel=5)))
    assert function(4) == 6
    with pytest.raises(jib.BudgetError):
        function(5)


@pytest.mark.parametrize("options", ENGINES, ids=NAMES)
def test_interrupt_ends_a_call_on_another_thread(options: dict[str, str]) -> None:
    function = jib.compile("k = n\nwhile k:\n    k ^= 2\nk", **options)
    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(function, 1) for _ in range(3)]
        time.sleep(0.1)
        function.interrupt()
        for future in running:
            with pytest.raises(KeyboardInterrupt, match="interrupted by interrupt"):
                future.result(timeout=20)
    assert function(0) == 0  # nothing is left over for later calls


def test_interrupt_ends_a_call_on_the_main_thread_and_no_other_function() -> None:
    stopped, other = (
        jib.compile("while True:\n    pass\n"),
        jib.compile("t = 0\nfor i in range(n):\n    t ^= i\nt", params=["n"]),
    )
    other_result: list[int] = []
    worker = threading.Thread(target=lambda: other_result.append(other(20_000_000)))
    timer = threading.Timer(0.05, stopped.interrupt)
    worker.start()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        stopped()
    worker.join(60)
    assert other_result == [0]


def test_interrupting_what_does_not_run_does_nothing() -> None:
    function = jib.compile("sum(i for i in range(n))")
    function.interrupt()
    assert function(100_000) == 4999950000


@pytest.mark.parametrize("options", ENGINES, ids=NAMES)
def test_slow_functions_do_not_delay_a_deadline(options: dict[str, str]) -> None:
    """Rounding to hundreds of digits takes a thousand times as long as adding: what lies between two polls is weighed."""
    text = "x = 0.0\nwhile True:\n" + "    x = round(1.5e300 + x, -299) * 0.0\n" * 10
    function = jib.compile(text, "()", timeout=0.02, **options)
    begin = time.monotonic()
    with pytest.raises(jib.BudgetError):
        function()
    assert time.monotonic() - begin < 1  # 2.5 s when every function counted alike


def test_compiling_in_the_middle_of_a_call_takes_none_of_its_time() -> None:
    """A function that becomes hot while the clock runs: compiling takes longer than the call may."""
    lines = "".join(f"    for i in range(n):\n        s += i * {k} % 7\n" for k in range(300))
    text = f"def f(n: int):\n    s = 0\n{lines}    return s"
    function = jib.compile(text, engine="auto", timeout=0.05)
    answers = [function(40) for _ in range(8)]
    (made,) = function.specializations
    assert made.code_bytes > 0
    assert made.stages["machine"] > 0
    assert len(set(answers)) == 1
