"""TRUST, "The generated code" (scalars): every operation has an answer or an exception, on every engine; no instruction can trap.

What must come out is Python's answer where it fits the type, and OverflowError where it does not. Endless loops are in
tests/test_interrupt.py, mutated IR and recursion on small stacks in test_call.py.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import doctest
import io
import math
import operator
import platform
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

import jib
from clif_guards import could_trap
from filetest_runner import read_filetest
from filetest_runner.outcome import observe
from filetest_runner.values import same
from jib.bench import texts
from jib.bench.kernels import KERNELS
from stacks import on_stack

ROOT = Path(__file__).parents[2]
MAX, MIN = (1 << 63) - 1, -(1 << 63)
INTS = [
    MIN,
    MIN + 1,
    -(1 << 62),
    -(1 << 32),
    -3,
    -2,
    -1,
    0,
    1,
    2,
    3,
    63,
    64,
    1 << 31,
    3037000500,
    1 << 62,
    MAX - 1,
    MAX,
]
ENGINES = [
    {"engine": "interpreter", "opt_level": "none"},
    {"engine": "interpreter", "opt_level": "speed"},
    {"engine": "native", "opt_level": "none"},
    {"engine": "native", "opt_level": "speed"},
]


# ---------------------------------------------------------------------------------------------------- no traps


def filetests(part: str) -> Iterator[jib.Function]:
    """What the filetests of a folder compile, for the types they call it with."""
    for path in sorted((ROOT / "tests" / "filetests" / part).rglob("*.jib")):
        test = read_filetest(path.read_text(encoding="utf-8"), part)
        for level in ("none", "speed"):
            if test.error is None:
                options = {**test.options, "opt_level": level, "engine": "native"}
                function = jib.compile(test.program, test.signature, **options)
                for run in test.runs:
                    observe(function, run.args)
                yield function


def documents(monkeypatch: pytest.MonkeyPatch) -> Iterator[jib.Function]:
    """What the examples of README.md and docs/ compile."""
    made: list[jib.Function] = []
    original = jib.compile

    def compile(*args: Any, **options: Any) -> jib.Function:
        made.append(original(*args, **options))
        return made[-1]

    monkeypatch.setattr(jib, "compile", compile)
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]):
        text = re.sub(r"^[ \t]*(```|~~~).*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        test = doctest.DocTestParser().get_doctest(text, {"__name__": "__main__"}, path.name, path.name, 0)
        with redirect_stdout(io.StringIO()):
            doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=lambda _: None)
    yield from made


def benches(monkeypatch: pytest.MonkeyPatch) -> Iterator[jib.Function]:
    """The programs that are measured, but for the longest."""
    for kernel in KERNELS.values():
        if not kernel.needs_numpy:
            types = f"({', '.join(type(arg).__name__ for arg in kernel.args())})"
            jib.compile(kernel.text).dump("clif", types)
            yield jib.compile(kernel.text, types)
            continue
        function = jib.compile(kernel.text)
        function(*kernel.args())
        yield function
    yield jib.compile(texts.of_lines(100))
    for make in (
        texts.sum_of,
        texts.ands,
        texts.comparisons,
        texts.suite,
        texts.branches,
        texts.functions,
        texts.loops,
    ):
        yield jib.compile(make(60), "(float, float)")
        yield jib.compile(make(60), "(int, int)")


@pytest.mark.parametrize("source", ["run", "opt", "clif", "typed-ir", "documents", "benches"])
def test_nothing_compiled_can_trap(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if source in ("documents", "benches"):
        made = {"documents": documents, "benches": benches}[source](monkeypatch)
    else:
        made = filetests(source)
    complaints, count, divisions = [], 0, 0
    for function in made:
        if function._traps():
            complaints.append(f"{function.source}\n  machine code: {function._traps()} instructions may trap")
        signatures = {f"({', '.join(s.params)})" for s in function.specializations if s.code_bytes}
        for signature in sorted(signatures):
            clif = function.dump("clif", signature)
            count += 1
            divisions += len(re.findall(r" = [su](?:div|rem)\b", clif))
            complaints += [f"{function.source}\n  {signature}: {line}" for line in could_trap(clif)]
    assert not complaints, "\n".join(complaints)
    # A corpus that was not found, or of which nothing was compiled, would show nothing.
    assert count >= {"run": 800, "documents": 15, "benches": 15}.get(source, 4)
    assert divisions or source in ("clif", "typed-ir", "documents")


# --------------------------------------------------------------------------------------------- ints that overflow


def bounded(compute: Callable[..., int], low: int, high: int, *args: Any) -> Any:
    """What Python answers, or the name of what must be raised."""
    try:
        value = compute(*args)
    except (ZeroDivisionError, ValueError) as error:
        return type(error).__name__
    except (OverflowError, MemoryError):
        return "OverflowError"
    return value if type(value) is not int or low <= value <= high else "OverflowError"


def shift_left(a: int, b: int) -> int:
    if b > 200 and a:
        raise OverflowError
    return a << b if a else a << min(b, 200)


def power(a: int, b: int) -> int | float:
    if b < 0:
        raise ZeroDivisionError if a == 0 else ValueError  # stated: an int to a negative power of unknown sign
    if b > 200 and abs(a) > 1:
        raise OverflowError
    return int(a**b) if b <= 200 else a ** (200 + b % 2)


BINARY: dict[str, Callable[[int, int], Any]] = {
    "a + b": operator.add,
    "a - b": operator.sub,
    "a * b": operator.mul,
    "a // b": operator.floordiv,
    "a % b": operator.mod,
    "a << b": shift_left,
    "a >> b": operator.rshift,
    "a ** b": power,
    "q, r = divmod(a, b)\nq": lambda a, b: divmod(a, b)[0],
    "q, r = divmod(a, b)\nr": lambda a, b: divmod(a, b)[1] if divmod(a, b)[0] <= MAX else MAX + 1,
    "a / b": operator.truediv,
}
UNARY: dict[str, Callable[[int], Any]] = {
    "-a": operator.neg,
    "abs(a)": abs,
    "~a": operator.invert,
    "+a": operator.pos,
    "round(a, -1)": lambda a: round(a, -1),
    "round(a, -19)": lambda a: round(a, -19),
    "sum(a for i in range(2))": lambda a: 2 * a,
    "factorial(a)": lambda a: math.factorial(a) if a < 100 else 1 << 70,
}


def check(function: jib.Function, expected: Any, *args: Any) -> None:
    outcome = observe(function, repr(args))
    found = outcome.exception if outcome.exception is not None else outcome.value
    assert same(found, expected), (
        f"{function.source!r} {function._made.options.engine}, {args}: {found!r}, not {expected!r}"
    )


@pytest.mark.parametrize("text", BINARY)
def test_binary_operators_at_the_ends(text: str) -> None:
    want = {(a, b): bounded(BINARY[text], MIN, MAX, a, b) for a in INTS for b in INTS}
    assert len({value for value in want.values() if isinstance(value, str)}) >= 1
    for options in ENGINES:
        function = jib.compile(text, params=["a", "b"], **options)
        for (a, b), expected in want.items():
            check(function, expected, a, b)
    # With an operand that is known, other instructions are chosen.
    for known in (MIN, -2, -1, 0, 1, 2, 7, 63, 64, 1 << 62, MAX):
        for name in "ab":
            literal = f"({known})" if known != MIN else f"(-{MAX} - 1)"
            fixed = re.sub(rf"\b{name}\b", literal, text)
            if name == "b" and "**" in text and known < 0:
                continue  # then it is a float's power
            function = jib.compile(fixed, params=["b" if name == "a" else "a"])
            for other in INTS:
                pair = (known, other) if name == "a" else (other, known)
                check(function, bounded(BINARY[text], MIN, MAX, *pair), other)


@pytest.mark.parametrize("text", UNARY)
def test_unary_operators_at_the_ends(text: str) -> None:
    for options in ENGINES:
        function = jib.compile(text, **options)
        for a in INTS:
            check(function, bounded(UNARY[text], MIN, MAX, a), a)


WIDTHS = {f"{sign}{bits}": (bits, sign == "i") for sign in "iu" for bits in (8, 16, 32, 64)}


@pytest.mark.parametrize("ty", WIDTHS)
def test_sized_ints_at_the_ends(ty: str) -> None:
    bits, signed = WIDTHS[ty]
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    # An argument is at most an int of Python's 63 bits and a sign.
    edges = sorted(
        {
            v
            for v in (low, low + 1, -1, 0, 1, 2, 3, high // 2, high // 2 + 1, high - 1, high)
            if low <= v <= min(high, MAX)
        }
    )
    for text in ("a + b", "a - b", "a * b", "a // b", "a % b"):
        for options in ENGINES:
            function = jib.compile(f"def f(a: {ty}, b: {ty}): return {text}", **options)
            for a in edges:
                for b in edges:
                    expected = bounded(BINARY[text], low, high, a, b)
                    check(function, expected, a, b)
    for text in ("-a", "abs(a)"):
        for options in ENGINES:
            function = jib.compile(f"def f(a: {ty}): return {text}", **options)
            for a in edges:
                check(function, bounded(UNARY[text], low, high, a), a)


@pytest.mark.parametrize("ty", WIDTHS)
def test_conversions_between_ints(ty: str) -> None:
    bits, signed = WIDTHS[ty]
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    for options in ENGINES:
        function = jib.compile(f"def f(a: int): return int({ty}(a))", **options)
        for a in [*INTS, low - 1, low, high, high + 1]:
            if MIN <= a <= MAX:
                check(function, a if low <= a <= min(high, MAX) else "OverflowError", a)


# ------------------------------------------------------------------------------------------- floats that do not fit

FLOATS = [
    0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e15 + 0.5, 2.0**52 + 0.5, 2.0**53, 2.0**62, 2.0**63, -(2.0**63), 2.0**64,
    math.nextafter(2.0**63, 0.0), math.nextafter(-(2.0**63), 0.0), math.nextafter(-(2.0**63), -math.inf), 1e300, -1e300,
    math.inf, -math.inf, math.nan, 5e-324, -5e-324,
]  # fmt: skip


@pytest.mark.parametrize("name", ["int", "floor", "ceil", "trunc", "round", "math.floor"])
def test_floats_to_ints(name: str) -> None:
    python: Callable[[float], int] = {"int": int, "round": round}.get(name) or getattr(math, name.removeprefix("math."))
    for options in ENGINES:
        function = jib.compile(f"{name}(x)", **options)
        for x in FLOATS:
            check(function, bounded(python, MIN, MAX, x), x)


@pytest.mark.parametrize("ty", WIDTHS)
def test_floats_to_sized_ints(ty: str) -> None:
    bits, signed = WIDTHS[ty]
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    near = [float(low), low - 0.5, low - 1.0, float(high), high + 0.5, high + 1.0]
    for options in ENGINES:
        function = jib.compile(f"def f(x: float): return {ty}(x) == x // 1 or x != x // 1", **options)
        for x in [*FLOATS, *near]:
            expected = bounded(int, low, high, x)
            check(function, expected if isinstance(expected, str) else True, x)


# ------------------------------------------------------------------------------------------------ division by zero


@pytest.mark.parametrize("text", ["a / b", "a // b", "a % b", "divmod(a, b)", "t = a\nt /= b\nt", "t = a\nt //= b\nt"])
def test_division_by_zero(text: str) -> None:
    for options in ENGINES:
        function = jib.compile(text, params=["a", "b"], **options)
        for a in (0, 7, MIN, True, 0.0, -2.5, math.inf, math.nan):
            for b in (0, False, 0.0, -0.0):
                check(function, "ZeroDivisionError", a, b)
                if not isinstance(b, bool):
                    fixed = jib.compile(text.replace("b", f"({b!r})"), params=["a"], **options)
                    check(fixed, "ZeroDivisionError", a)
    for ty in (*WIDTHS, "f32", "f64"):
        function = jib.compile(f"def f(a: {ty}, b: {ty}):\n" + "".join(f"    {line}\n" for line in returned(text)))
        check(function, "ZeroDivisionError", 7, 0)


def returned(text: str) -> list[str]:
    *lines, last = text.split("\n")
    return [*lines, f"return {last}"]


NO_ANSWER = {
    "0 ** -1": "ZeroDivisionError",
    "0.0 ** -1.0": "ZeroDivisionError",
    "a ** -1.0": "ZeroDivisionError",
    "pow(a, -1)": "ZeroDivisionError",
    "pow(a + 2, 2, a)": "ValueError",
    "fmod(1.0, a)": "ValueError",
    "remainder(1.0, a)": "ValueError",
    "log(a)": "ValueError",
    "log(2.0, a + 1)": "ZeroDivisionError",
    "atanh(a + 1)": "ValueError",
    "t = 0\nfor i in range(0, 5, a):\n    t += i\nt": "ValueError",
}


@pytest.mark.parametrize(("text", "raised"), NO_ANSWER.items())
def test_what_has_no_answer(text: str, raised: str) -> None:
    for options in ENGINES:
        check(jib.compile(text, params=["a"], **options), raised, 0)


# ------------------------------------------------------------------------------------------------------- recursion


def recursive(live: int) -> str:
    """Two functions that call each other for ever, with so many variables alive across the call."""
    lines = [f"    v{at} = n + {at}" for at in range(live)]
    total = " + ".join(f"v{at}" for at in range(live)) or "0"
    pair = ("even", "odd")
    return "\n".join(
        line
        for this, other in (pair, pair[::-1])
        for line in (f"def {this}(n):", *lines, f"    return {other}(n + 1) + {total} if n >= 0 else 0")
    )


@pytest.mark.parametrize("engine", ["native", "interpreter"])
@pytest.mark.parametrize("live", [0, 40, 1000])
def test_recursion_error_has_its_place(live: int, engine: str) -> None:
    text = recursive(live)
    function = jib.compile(text, engine=engine, limits=jib.Limits(kept=10_000_000))
    function(-1)

    def call() -> None:
        with pytest.raises(RecursionError) as raised:
            function(0)
        line, column, *_ = raised.value.jib_span  # type: ignore[attr-defined]
        assert text.split("\n")[line - 1][column - 1 :].startswith(("even(n", "odd(n"))

    call()
    on_stack(256, call)


class Output(io.StringIO):
    """Runs something in the midst of a print."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self.work = work

    def write(self, text: str) -> int:
        self.work()
        return len(text)


@pytest.mark.parametrize("engine", ["native", "interpreter"])
def test_recursion_from_callbacks(engine: str) -> None:
    """By way of print and of `__index__`, which call what calls them; each has RecursionError, and what ran before goes on."""
    endless = jib.compile(recursive(200), engine=engine)
    prints = jib.compile("print(1)\nt = 0\nfor i in range(n):\n    t += i\nt", engine=engine)
    endless(-1), prints(1)
    seen = []

    def inside() -> None:
        with pytest.raises(RecursionError):
            endless(0)
        seen.append("print")

    class Index:
        def __index__(self) -> int:
            with pytest.raises(RecursionError):
                endless(0)
            seen.append("index")
            return 4

    def work() -> None:
        with redirect_stdout(Output(inside)):
            assert prints(4) == 6
            assert prints(Index()) == 6

    for call in (work, lambda: on_stack(256, work), lambda: on_stack(1024, work)):
        seen.clear()
        call()
        assert seen == ["print", "index", "print"]


@pytest.mark.parametrize("engine", ["native", "interpreter"])
def test_python_and_jib_calling_each_other_for_ever(engine: str) -> None:
    prints = jib.compile("print(n)\nn + 1", engine=engine)
    prints_again = Output(lambda: None)
    prints_again.work = lambda: prints(1)

    def work() -> None:
        with redirect_stdout(prints_again), pytest.raises(RecursionError):
            prints(0)

    work()
    for kib in (256, 512, 1024):
        on_stack(kib, work)


def test_python_and_jib_asking_each_other_for_ever() -> None:
    function = jib.compile("a + b")

    class Index:
        def __index__(self) -> int:
            return int(function(Index(), 1))

    def work() -> None:
        with pytest.raises(RecursionError):
            function(Index(), 1)

    work()
    for kib in (256, 512, 1024):
        on_stack(kib, work)


# ---------------------------------------------------------------------------------------- floating-point environment


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or sys.platform != "linux", reason="reads MXCSR by glibc"
)
def test_the_control_register_stays() -> None:
    libm = ctypes.CDLL(ctypes.util.find_library("m"))
    programs = [
        ("x * y + x / y - sqrt(abs(x))", (0.1, 3.0)),
        ("floor(x) + ceil(y) + round(x) + trunc(y)", (2.5, -3.5)),
        ("sin(x) + exp(y) + x ** y + fma(x, y, 1.0)", (0.1, 3.0)),
        ("x // y + x % y", (7.5, -0.3)),
        ("int(x) / int(y)", (1e17, 3.0)),
        ("1 / x", (0.0, 1.0)),
        ("exp(x) + y", (1e6, 1.0)),
        ("int(x) + y", (math.nan, 1.0)),
        ("f32(x) * f32(y)", (0.1, 0.3)),
        ("x * y", (5e-324, 0.5)),
    ]
    made = [(jib.compile(text, params=["x", "y"], **options), args) for text, args in programs for options in ENGINES]

    def registers() -> tuple[int, int]:
        environment = (ctypes.c_uint32 * 8)()
        assert libm.fegetenv(environment) == 0
        # The x87 control word, and MXCSR without its sticky flags.
        return environment[0] & 0xFFFF, environment[7] & ~0x3F

    def calls() -> list[Any]:
        before = registers()
        outcomes = []
        for function, args in made:
            outcomes.append(
                observe(function, repr(args)).value if not math.isnan(args[0]) else nan_outcome(function, args)
            )
            assert registers() == before, function.source
        return outcomes

    def nan_outcome(function: jib.Function, args: tuple[float, ...]) -> None:
        with pytest.raises(ValueError, match="NaN"):
            function(*args)

    calls()
    upward = 0x800
    try:
        for mode in (upward, 0x400, 0xC00, 0):
            assert libm.fesetround(mode) == 0
            calls()
            assert libm.fegetround() == mode
    finally:
        libm.fesetround(0)
    # Subnormals are neither flushed nor taken for zero.
    assert jib.compile("x / 2")(1e-308) == 5e-309 and jib.compile("x * 1.0")(5e-324) == 5e-324
