"""TRUST, "The call" (scalars), "wrong hand-over" and threads: no argument and no bytes end the process."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

import jib
from jib import _native, ir
from jib.builtins import Param
from jib.limits import DEFAULT
from jib.lower import lower
from jib.parse import parse
from jib.source import Source
from stacks import FREES_BY_RECURSION

ROUNDS = int(os.environ.get("JIB_TRUST_ROUNDS", "1500"))
OURS = (jib.InternalError, jib.CompileError, jib.LimitError)
MOST = (1 << 63) - 1


def function_of(*args: Any, **options: Any) -> _native.Callable:
    return _native.Callable(_native.Program(*args, **options))


class Index:
    """Says what `__index__` does."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer

    def __index__(self) -> Any:
        return self.answer()


def fail() -> Any:
    raise KeyError("mine")


class SubInt(int):
    def __index__(self) -> int:
        raise AssertionError("an int is not asked for its index")


class SubFloat(float):
    def __float__(self) -> float:
        raise AssertionError("a float is not asked for its value")


class OnlyFloat:
    def __float__(self) -> float:
        return 1.5


@pytest.mark.parametrize(
    "text", ["a + 1", "def f(a: int): return a + 1", "def f(a: float): return a + 1", "def f(a: i8): return a"]
)
@pytest.mark.parametrize(
    "value",
    [None, "1", b"1", {1}, {}, 1j, object(), int, Decimal(1), Fraction(1), OnlyFloat(), range(3), lambda: 1, ...],
    ids=repr,
)
def test_wrong_types_name_the_parameter(text: str, value: Any) -> None:
    with pytest.raises(TypeError, match="'a'"):
        jib.compile(text)(value)


@pytest.mark.parametrize(
    "value",
    [MOST + 1, -MOST - 2, 1 << 64, 1 << 127, 1 << 128, -(1 << 200), 10**5000, SubInt(1 << 70)],
    ids=[str(at) for at in range(8)],
)
def test_ints_beyond_64_bits(value: int) -> None:
    for text in ("a", "a + 0.5", "def f(a: int): return a"):
        with pytest.raises(OverflowError):
            jib.compile(text)(value)
    if abs(value) > 1 << 1100:
        with pytest.raises(OverflowError):
            jib.compile("def f(a: float): return a")(value)


def test_subclasses_are_what_they_derive_from() -> None:
    f = jib.compile("a")
    assert type(f(SubInt(7))) is int and f(SubInt(7)) == 7
    assert type(f(SubFloat(0.5))) is float and f(SubFloat(0.5)) == 0.5
    assert f(True) is True and f((1, (0.5, False))) == (1, (0.5, False))


def test_numpy_scalars() -> None:
    np = pytest.importorskip("numpy")
    f = jib.compile("a")
    assert f(np.bool_(True)) is True
    assert (type(f(np.int8(-3))), f(np.int8(-3))) == (int, -3)
    assert (type(f(np.float32(0.5))), f(np.float32(0.5))) == (float, 0.5)
    assert (type(f(np.float64(-0.0))), str(f(np.float64(-0.0)))) == (float, "-0.0")
    with pytest.raises(OverflowError):
        f(np.uint64(1 << 63))
    for strange in (np.complex64(1), np.datetime64(1, "s"), np.str_("a"), np.void(b"a"), np.array("a"), np.array(None)):
        with pytest.raises(TypeError):
            f(strange)


def test_arity_and_names() -> None:
    f = jib.compile("def f(a, b=2): return a + b")
    for args, kwargs in [((), {}), ((1, 2, 3), {}), ((1,), {"a": 1}), ((1,), {"c": 1}), ((), {"b": 1})]:
        with pytest.raises(TypeError, match="f()"):
            f(*args, **kwargs)
    with pytest.raises((TypeError, UnicodeEncodeError)):
        f(1, **{"\ud800": 1})


def test_hostile_index() -> None:
    holder = [jib.compile("a + b")]
    with pytest.raises(KeyError, match="mine"):
        holder[0](Index(fail), 1)
    for answer in ("1", 1.5, None):
        with pytest.raises(TypeError):
            holder[0](Index(lambda answer=answer: answer), 1)
    with pytest.raises(OverflowError):
        holder[0](Index(lambda: 1 << 80), 1)

    def again() -> int:
        return int(holder[0](Index(again), 1))

    with pytest.raises(RecursionError):
        holder[0](Index(again), 1)
    assert holder[0](Index(lambda: holder[0](0.5, 0.5) and 3), 4) == 7  # it compiles anew while it is being called

    def delete() -> int:
        holder.clear()
        return 5

    assert holder[0](Index(delete), 1) == 6


def test_classes_that_lie() -> None:
    class Meta(type):
        @property
        def __module__(cls) -> Any:  # type: ignore[override]
            raise ValueError("mine")

    class Liar(metaclass=Meta):
        ndim = property(lambda self: fail())

    Named = type("float32", (), {"__module__": "numpy"})
    Strange = type("bool_", (), {"__module__": 7, "__bool__": lambda self: fail()})
    for value in (Liar(), Named(), Strange()):
        with pytest.raises((TypeError, ValueError, KeyError, UnicodeEncodeError)):
            jib.compile("a")(value)


def test_deep_and_wide_tuples() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = (value,)
    with pytest.raises((TypeError, ValueError, RecursionError, jib.LimitError)):
        jib.compile("a")(value)
    with pytest.raises((TypeError, jib.LimitError)):
        jib.compile("a")((1,) * 1_000_000)


# ------------------------------------------------------------------------------------------- bytes, signatures


#: Host functions: an index into them may be changed, and how many operands they get.
EXTERNS = (
    jib.extern(abs, "float(float)", "h"),
    jib.extern(max, "i8(i8, bool)", "k"),
    jib.extern((None, "labs"), "int(int)"),
)


def encoded(text: str) -> tuple[bytes, Source, tuple[Param, ...]]:
    source = Source(text)
    lowered = lower(parse(source, DEFAULT), source, None, DEFAULT, EXTERNS)
    return (
        ir.encode(lowered.module),
        source,
        tuple(Param(p.name, p.kind, p.required, p.default) for p in lowered.params),
    )


PROGRAMS = [
    "a + b * 2", "x = 0\nfor i in range(a, b, 2):\n    if i % 3: continue\n    x += i / 2\nx, (a, b)",
    "def g(n: int, t): return t if n <= 0 else g(n - 1, t)\ndef f(a: float, b: i8 = 3) -> float: return g(3, a) + sqrt(b)",
    "a, b = b, a\nwhile a and (b or x if a > 2 else -b): a -= 1\nassert a < 5, 'text'\nprint(a, 'b', sep='')\nmin(a, b, 1.5)",
    "h(a) + k(3, a > b) + labs(k(b > 1, True)) + h(h(b))",
]  # fmt: skip


def offer(data: bytes, source: Source, params: Any, draw: random.Random) -> None:
    try:
        opt_level = draw.choice(("none", "speed"))
        made = function_of(
            data, source, "f", params, None, "native", opt_level, "python", DEFAULT, 1000, 5.0, externs=EXTERNS
        )
    except jib.InternalError as error:
        assert "the IR that crossed is broken" in str(error), data  # said by who looks, not by a panic
        return
    except OURS:
        return
    for types in ("int", "float", "(tuple[int, bool])"):
        # What was accepted may not fit the types, but it is whole: no InternalError.
        with contextlib.suppress(jib.CompileError, ValueError):
            made._dump("asm", types if types[0] == "(" else f"({', '.join([types] * len(params))})")


@pytest.mark.usefixtures("verified")
def test_mutated_ir_is_refused_or_compiled() -> None:
    """Only compiled: bytes that were changed may be a program that prints for ever."""
    draw = random.Random(4)
    originals = [encoded(text) for text in PROGRAMS]
    for _ in range(ROUNDS * 2):
        data, source, params = draw.choice(originals)
        words = bytearray(data)
        for _ in range(draw.choice((1, 1, 2, 5))):
            kind, at = draw.randrange(5), draw.randrange(len(words))
            if kind == 0:
                words[at] = draw.randrange(256)
            elif kind == 1:
                words[at : at + 4] = draw.choice((0, 1, 2, 3, 12, 255, 1 << 16, (1 << 31) - 1, (1 << 32) - 1)).to_bytes(
                    4, "little"
                )
            elif kind == 2:
                at -= at % 4
                words[at : at + 4] = (
                    (int.from_bytes(words[at : at + 4], "little") + draw.choice((-1, 1))) % (1 << 32)
                ).to_bytes(4, "little")
            elif kind == 3:
                del words[at : at + draw.choice((1, 4, 40))]
            else:
                other = draw.randrange(len(words))
                words[at : at + 4] = words[other : other + 4]
            if not words:
                break
        offer(bytes(words), source, params, draw)


#: The primitives that no text can name.
OPERATORS = [
    *(
        "add",
        "sub",
        "mul",
        "truediv",
        "floordiv",
        "mod",
        "power",
        "neg",
        "pos",
        "and_",
        "or_",
        "xor",
        "lshift",
        "rshift",
        "invert",
    ),
    *("not", "lt", "le", "gt", "ge", "eq", "ne", "subscript", "as_index", "range_count", "next_index"),
]
TYPES = ("int", "float", "bool", "i8", "u32", "u64", "f32", "None", "tuple[int, float]")


@pytest.mark.usefixtures("verified")
@pytest.mark.parametrize("arithmetic", ["python", "numpy"])
def test_every_primitive_on_every_type(arithmetic: str) -> None:
    """Bytes may apply any primitive to anything: it fits, or it is refused in words; also those that no text can name."""
    source, compiled = Source("a"), 0
    for name in [*OPERATORS, *(row[0] for row in _native.builtins() if row[2] != "=")]:
        for count in (1, 2, 3):
            parameters = [ir.Parameter(f"p{at}", None, 0, 0) for at in range(count)]
            gets = [ir.Instruction("get", (at,), 0, 0) for at in range(count)]
            body = [
                *gets,
                ir.Instruction("prim", (name, *range(count)), 0, 0),
                ir.Instruction("return", (count,), 0, 0),
            ]
            function = ir.Function("f", parameters, None, 0, 0, [p.name for p in parameters], [body], 0, 0)
            params = tuple(Param(p.name, "any", True, None) for p in parameters)
            data = ir.encode(ir.Module([function], [0]))
            try:
                made = function_of(data, source, "f", params, None, "native", "speed", arithmetic, DEFAULT, None, None)
            except jib.InternalError as error:
                assert f"calls '{name}', which takes" in str(error)  # it does not take so many
                continue
            for types in itertools.product(TYPES, repeat=min(count, 2)):
                try:
                    made._dump("clif", f"({', '.join((*types, *types[: count - 2]))})")
                    compiled += 1
                except jib.CompileError:
                    pass
    assert compiled > 2000


def module(*blocks: list[tuple[Any, ...]], locals: int = 2) -> bytes:
    """A function of two parameters with these instructions."""
    names = [f"v{at}" for at in range(locals)]
    body = [[ir.Instruction(op, args, 0, 0) for op, *args_ in block for args in [tuple(args_)]] for block in blocks]
    parameters = [ir.Parameter(name, None, 0, 0) for name in names[:2]]
    return ir.encode(ir.Module([ir.Function("f", parameters, None, 0, 0, names, body, 0, 0)], [0]))


GET, ADD, RETURN = ("get", 0), ("prim", "add", 0, 1), ("return", 2)
BROKEN = {
    "its own result": [[GET, ("prim", "add", 0, 1), ("return", 1)]],
    "a later result": [[GET, ("prim", "add", 0, 2), ("get", 1), ("return", 1)]],
    "the result of a set": [[GET, ("set", 1, 0), ("return", 1)]],
    "a local that is not there": [[("get", 2), ("return", 0)]],
    "a jump to the entry": [[GET, ("jump", 1)], [("jump", 0)]],
    "a jump to nowhere": [[GET, ("jump", 2)], [("return", 0)]],
    "a branch to the entry": [[GET, ("branch", 0, 1, 0)], [("return", 0)]],
    "a block without an end": [[GET], [("return", 0)]],
    "an empty block": [[GET, ("return", 0)], []],
    "an end in the midst": [[GET, ("return", 0), ("return", 0)]],
    "no blocks": [],
    "a function that is not there": [[GET, ("call", 1, 0, 0), ("return", 1)]],
    "a call with one argument too few": [[GET, ("call", 0, 0), ("return", 1)]],
    "a primitive with three operands": [[GET, ("prim", "add", 0, 0, 0), ("return", 1)]],
    "an item beyond the last": [[GET, ("unpack", 0, 2, 2), ("return", 1)]],
    "what is no exception": [[("raise", "eval", "__import__('os').abort()")]],
    "an exception that no text can raise": [[("raise", "SystemExit", None)]],
    "what is there on one path only": [
        [GET, ("branch", 0, 1, 2)],
        [("get", 1), ("jump", 3)],
        [("jump", 3)],
        [("return", 2)],
    ],
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_structures_are_refused(name: str) -> None:
    params = tuple(Param(name, "any", True, None) for name in ("v0", "v1"))
    sound = module([GET, ("get", 1), ADD, RETURN])
    made = function_of(sound, Source("a"), "f", params, None, "native", "speed", "python", DEFAULT, None, None)
    assert made(7, 35) == 42
    with pytest.raises(jib.InternalError, match="the IR that crossed is broken"):
        function_of(
            module(*BROKEN[name]), Source("a"), "f", params, None, "native", "speed", "python", DEFAULT, None, None
        )


def test_random_signatures() -> None:
    draw = random.Random(5)
    pieces = [
        "int",
        "float",
        "bool",
        "None",
        "i8",
        "u64",
        "f32",
        "tuple",
        "[",
        "]",
        "(",
        ")",
        ",",
        ":",
        "f64[:]",
        "é",
        "\x00",
        "\ud800",
        "1",
    ]
    pieces += ["-", "tuple[int", "tuple[", "(((", ")))", " ", ""]
    for _ in range(ROUNDS):
        text = "".join(draw.choice(pieces) for _ in range(draw.randrange(10)))
        try:
            jib.compile("a + b", text)
        except (*OURS, UnicodeEncodeError):
            pass
    for text in ("tuple[" * 100_000, "(" * 100_000, "int(" + "int, " * 100_000 + ")", "x" * 1_000_000):
        with pytest.raises(OURS):
            jib.compile("a + b", text)


# ----------------------------------------------------------------------------------------------------- threads


def in_threads(count: int, work: Callable[[int], None]) -> None:
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a deadlock"
    if failures:
        raise failures[0]


def test_compile_call_and_drop_in_threads() -> None:
    shared = [jib.compile("a * b + 1")]
    end = time.monotonic() + float(os.environ.get("JIB_TRUST_SECONDS", "2"))
    kinds: tuple[Any, ...] = (3, 2.5, True)

    def work(number: int) -> None:
        draw = random.Random(number)
        while time.monotonic() < end:
            k = draw.randrange(1000)
            assert jib.compile(f"x * {k} + {number}")(2) == 2 * k + number
            a, b = draw.choice(kinds), draw.choice(kinds)
            function = shared[0]
            assert function(a, b) == a * b + 1
            if draw.random() < 0.05:
                shared[0] = jib.compile("a * b + 1")

    in_threads(8, work)


def test_dropped_while_it_runs() -> None:
    text = "t = 0\nfor i in range(n):\n    t = (t + i * i) % 1000003\nt"
    holder = [jib.compile(text)]
    want = holder[0](3_000_000)

    def work(number: int) -> None:
        if number == 0:
            time.sleep(0.002)
            holder.clear()
        else:
            try:
                function = holder[0]
            except IndexError:
                return
            assert function(3_000_000) == want
            del function

    in_threads(4, work)


def framed(count: int) -> str:
    """A recursive function with so many variables alive across its call."""
    before = "".join(f"    v{i} = n + {i}\n" for i in range(count))
    return f"def f(n):\n{before}    r = f(n + 1) if n >= 0 else 0\n    return r + " + " + ".join(
        f"v{i}" for i in range(count)
    )


RECURSIONS = {
    "itself": "def f(n): return f(n + 1) + 1 if n >= 0 else 0",
    "each other": "def g(n): return f(n + 1) + 1 if n >= 0 else 0\ndef f(n): return g(n + 1) * 1.5 if n >= 0 else 0.0",
    "large frames": framed(500),
    "huge frames": framed(5000),
    "with tuples": "def f(n, t): return f(n + 1, (t[1], t[0])) if n >= 0 else t\ndef m(n): return f(n, (n, 0.5))",
}  # fmt: skip


@pytest.mark.parametrize("engine", ["native", "interpreter"])
@pytest.mark.parametrize("stack", [32, 64, 256, 8192])
@pytest.mark.parametrize("name", RECURSIONS)
def test_endless_recursion(name: str, stack: int, engine: str) -> None:
    # Frames as large as anybody may ask for: beyond what the limits allow without being asked.
    function = jib.compile(RECURSIONS[name], engine=engine, limits=jib.Limits(kept=1 << 30))
    function(-1)  # compiled here, where there is room

    def work(_: int) -> None:
        with pytest.raises(RecursionError):
            function(0)

    before = threading.stack_size(stack * 1024)
    try:
        in_threads(2, work)
    finally:
        threading.stack_size(before)


@pytest.mark.parametrize("stack", [64, 128, 256])
def test_compiling_on_small_stacks(stack: int) -> None:
    """A thread with little room compiles, or says that it cannot."""
    if FREES_BY_RECURSION:
        pytest.skip("this CPython overruns small stacks by itself when it frees what is nested deep")

    def work(number: int) -> None:
        for text in ("a + b", "sin(a) if a > b else -b", "sum(i * a for i in range(b))", RECURSIONS["large frames"]):
            try:
                jib.compile(text + "\n", opt_level="speed").dump("asm", "(int, int)" if "def" not in text else "(int)")
            except (RecursionError, *OURS):
                pass

    before = threading.stack_size(stack * 1024)
    try:
        in_threads(1, work)
    finally:
        threading.stack_size(before)
