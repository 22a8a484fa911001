"""What `inspect_source` says of a text is what the compiled function is, needs and takes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jib
from differential.campaign import inputs, numbers
from differential.compare import names_parameters
from differential.generate import program
from ir_evaluator import evaluate
from jib import Inspection, inspect_source, ir
from jib.lower import lower
from jib.parse import parse
from jib.source import Source

FILES = sorted((Path(__file__).parent / "filetests").rglob("*.jib"))

half = jib.extern(lambda x: x / 2, "float(float)", "half")


def facts(text: str, *names: str, **options: Any) -> tuple[Any, ...]:
    found = inspect_source(text, **options)
    return tuple([getattr(found, name) for name in names])


def test_names_in_order_of_appearance() -> None:
    found = inspect_source("z = half(y) + pi\nprint(z, fee(x), math.sin(x), sin(tau))\nz", externs=[half])
    assert found.kind == "suite" and found.name == "<suite>"
    assert found.params == ("y", "x")
    assert found.builtins == ("print", "sin")
    assert found.constants == ("pi", "tau")
    assert found.externs == ("half",)
    assert found.unknown == ("fee",)
    assert found.assigned == ("z",)
    assert found.prints


def test_places() -> None:
    text = "sqrt(b) + math.sin(a) + fee(half(b)) * e"
    found = inspect_source(text, externs=[half])
    shown = {name: text[start:end] for name, (start, end) in found.places.items()}
    assert shown == {"b": "b", "a": "a", "sqrt": "sqrt", "sin": "math.sin", "fee": "fee", "half": "half", "e": "e"}
    assert found.places["b"].start == 5


NESTED = "def g(x): return x\ndef f(x):\n    'Of f.'\n    def h(y): return y\n    return g(h(x))"


@pytest.mark.parametrize(
    ("text", "kind", "name", "doc", "helpers"),
    [
        ("a + 1", "expression", "<expression>", None, ()),
        ("lambda a: a", "lambda", "<lambda>", None, ()),
        ("a = 1", "suite", "<suite>", None, ()),
        ("'Doc.'\nf = lambda x: x\nf(a)", "suite", "<suite>", "Doc.", ("f",)),
        (NESTED, "definitions", "f", "Of f.", ("f.h", "g")),
    ],
)  # fmt: skip
def test_what_kind_of_text(text: str, kind: str, name: str, doc: str | None, helpers: tuple[str, ...]) -> None:
    found = inspect_source(text)
    assert (found.kind, found.name, found.doc) == (kind, name, doc)
    assert sorted(found.helpers) == sorted(helpers)


def test_parameters_are_those_of_the_function() -> None:
    text = "def f(n: int, /, x: f64[:], k: float = 0.5, *, w=None) -> float: return x[n] * k"
    found = inspect_source(text)
    assert [(p.name, p.kind, p.annotation, p.required, p.default, p.array) for p in found.parameters] == [
        ("n", "positional", "int", True, None, False), ("x", "any", "f64[:]", True, None, True),
        ("k", "any", "float", False, 0.5, False), ("w", "keyword", None, False, None, False),
    ]  # fmt: skip
    assert found.arrays == ("x",)
    assert facts("b - a", "params", params=["a", "b"]) == (("a", "b"),)


@pytest.mark.parametrize(
    ("text", "arrays", "writes"),
    [
        ("x[i] = v", ("x",), True),
        ("x[:] += 1", ("x",), True),
        ("y = x * 1\ny += 1\nsum(y)", (), True),  # an array, whatever x is
        ("t = 0\nfor v in x: t += v\nt", ("x",), True),  # t might be an array, for all that is known without types
        ("t = 0.0\nfor v in x: t = t + v\nt", ("x",), False),
        ("t = len(x)\nt += x.size\nt", ("x",), True),
        ("sum(x) / len(x)", ("x",), False),
    ],
)
def test_arrays_and_what_is_written(text: str, arrays: tuple[str, ...], writes: bool) -> None:
    found = inspect_source(text)
    assert (found.arrays, found.writes) == (arrays, writes)
    assert not found.bounded


def test_numbers_alone_are_not_written() -> None:
    assert facts("t = a\nt += 1\nt", "arrays", "writes", "bounded") == ((), False, True)


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("a if b else c", 0),
        ("while a: a -= 1", 1),
        ("while True:\n    break", 0),  # it never goes round
        ("sum(i for i in range(n))", 1),
        ("sum(i * j for i in range(n) for j in range(i))", 2),
        ("for i in range(n):\n    pass\nfor j in range(n):\n    pass", 1),
        ("for i in range(n):\n    while j: j -= 1\n    for k in range(i): j += k\n", 2),
        ("def g(n): return sum(i for i in range(n))\ndef f(n):\n    for i in range(n):\n        g(i)\n", 2),
        ("def g(n): return sum(i for i in range(n))\ndef f(n): return n", 0),  # nobody calls g
    ],
)
def test_how_deep_loops_nest(text: str, loops: int) -> None:
    text = f"j = 3\na = 3\n{text}" if text.startswith(("for", "while")) else text
    found = inspect_source(text)
    assert found.loops == loops
    assert (found.fuel is None) == (found.cost is None) == (loops > 0) == (not found.bounded)


def test_recursion() -> None:
    assert facts("def f(n): return n if n < 2 else f(n - 1)", "recurses", "fuel", "loops") == (True, None, 0)
    both = "def g(n): return f(n)\ndef f(n): return g(n - 1) if n else 0"
    assert facts(both, "recurses", "cost") == (True, None)
    assert facts("def g(n): return g(n)\ndef f(n): return n", "recurses", "fuel") == (False, 1)


def test_exceptions_that_it_raises_itself() -> None:
    text = "assert a\nif b: raise ValueError('no')\nassert c, 'yes'\n1 // a"
    assert facts(text, "raises") == (("AssertionError", "ValueError"),)


#: Text, fuel, cost.
COSTS = [
    ("a + b", 1, 4),
    ("1", 1, 2),
    ("def h(x): return x + 1\ndef f(n): return h(n) + h(n) * h(2)", 4, 3 * 4 + 9),
    # The dearer of two ways.
    ("def h(x): return x\ndef f(n): return h(h(n)) if n else h(n)", 3, None),
    ("def g(x): return x\ndef h(x): return g(x) + g(x)\ndef f(x): return h(x) if x else g(x)", 1 + 1 + 2, None),
]


@pytest.mark.parametrize(("text", "fuel", "cost"), COSTS)
def test_what_a_call_takes(text: str, fuel: int, cost: int | None) -> None:
    found = inspect_source(text)
    assert found.fuel == fuel
    assert found.cost == cost or cost is None
    for engine in ("native", "interpreter"):
        function = jib.compile(text, fuel=fuel, engine=engine)
        for value in (0, 1):
            function(*[value] * len(function.params))
    if fuel > 1:
        with pytest.raises(jib.BudgetError):
            jib.compile(text, fuel=fuel - 1)(*[1] * len(found.params))


def doubling(count: int) -> str:
    steps = "\n".join(f"def f{i + 1}(x): return f{i}(x) + f{i}(x)" for i in range(count))
    return f"def f0(x): return x\n{steps}\n"


def test_what_grows_beyond_all_bounds_has_none() -> None:
    assert inspect_source(doubling(61)).fuel == 2**62 - 1
    assert inspect_source(doubling(62)).fuel == 2**63 - 1
    assert inspect_source(doubling(63)).bounded is False
    begin = time.monotonic()
    assert inspect_source(doubling(4_000)).bounded is False
    assert time.monotonic() - begin < 10


def outcome(what: Any, *args: Any, **options: Any) -> Any:
    try:
        return what(*args, **options).params
    except jib.JitError as problem:
        return type(problem), str(problem), problem.span


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_it_refuses_what_compile_refuses(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    found, made = outcome(inspect_source, text), outcome(jib.compile, text)
    if found != made:
        unknown = inspect_source(text).unknown
        assert made[0] is jib.CompileError and any(f"'{name}'" in made[1] or f"{name}()" in made[1] for name in unknown)


class Counted(list[ir.Instruction]):
    """A block that counts the instructions which are taken from it."""

    taken = 0

    def __iter__(self) -> Iterator[ir.Instruction]:
        for each in super().__iter__():
            Counted.taken += 1
            yield each


def test_no_call_costs_more_than_was_said() -> None:
    """Every instruction is counted while a slow evaluator goes through them."""
    compared = exact = 0
    for number in numbers(5, 600):
        made = program(number)
        params = None if names_parameters(made.text) else made.params
        try:
            found = inspect_source(made.text, params=params)
        except jib.JitError:
            continue
        if found.cost is None or any(param.kind != "any" for param in found.parameters):
            continue
        source = Source(made.text)
        module = lower(parse(source), source, params).module
        blocks = [function.blocks for function in module.functions]
        counted = [f._replace(blocks=[Counted(block) for block in each]) for f, each in zip(module.functions, blocks)]
        for arguments in inputs(number, made):
            if len(arguments) == len(found.params):
                Counted.taken = 0
                with contextlib.suppress(Exception):  # of the program's own, and of what the evaluator does not know
                    evaluate(module._replace(functions=counted), *arguments)
                    compared += 1
                assert Counted.taken <= found.cost
                exact += Counted.taken == found.cost
    assert compared > 100 and exact > 50


def test_programs_keep_within_what_was_said_of_them() -> None:
    bounded = calls = 0
    for number in numbers(3, 500):
        made = program(number)
        params = None if names_parameters(made.text) else made.params
        try:
            found = inspect_source(made.text, params=params)
        except jib.JitError as problem:
            assert outcome(jib.compile, made.text, params=params) == (type(problem), str(problem), problem.span)
            continue
        assert found.params == jib.compile(made.text, params=params).params
        assert found.unknown == () and not found.arrays
        if not found.bounded:
            continue
        bounded += 1
        function = jib.compile(made.text, params=params, fuel=found.fuel, engine="interpreter")
        for arguments in inputs(number, made):
            try:
                function(*arguments)
            except jib.BudgetError:
                raise
            except Exception:
                pass  # of the program's own
            calls += 1
    assert bounded > 40 and calls > 400


@pytest.mark.parametrize(
    ("text", "options", "error"),
    [
        ("a +", {}, jib.ParseError),
        ("a" * 300, {}, jib.LimitError),
        ("a + b", {"params": ["a"]}, jib.CompileError),
        ("a + b + c", {"limits": jib.Limits(tokens=3)}, jib.LimitError),
        ("half(1, 2)", {"externs": [half]}, jib.CompileError),
        ("sin()", {}, jib.CompileError),
        ("fee(x=1)", {}, jib.CompileError),
        ("x *= 2\nx", {}, jib.CompileError),
        ("a", {"params": "a"}, TypeError),
        ("a", {"externs": half}, TypeError),
        ("a", {"limits": 3}, TypeError),
        (b"a", {}, TypeError),
    ],
)
def test_mistakes(text: Any, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        inspect_source(text, **options)


def test_unknown_functions_can_be_given() -> None:
    text = "half(x) + open(y)"
    assert facts(text, "unknown", "params") == (("half", "open"), ("x", "y"))
    given = [half, jib.extern(lambda y: y, "float(float)", "open")]
    assert facts(text, "unknown", "externs", externs=given) == ((), ("half", "open"))
    assert jib.compile(text, externs=given)(1.0, 2.0) == 2.5
    # Called, and a value too: a variable, which cannot be called.
    with pytest.raises(jib.CompileError, match="is not a function"):
        inspect_source("f(1) + f")


def test_it_is_a_record() -> None:
    found = inspect_source("a")
    assert isinstance(found, Inspection) and found == inspect_source("a") != inspect_source("b")
    with pytest.raises(AttributeError):
        found.kind = "suite"  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    [
        "+".join(["f(x)"] * 30_000),
        "(" * 190 + "x" + ")" * 190,
        "x;" * 50_000,
        "\n".join(f"v{i} = g{i}(v{i - 1})" for i in range(1, 8_000)),
    ],
)
def test_large_texts_take_little_time(text: str) -> None:
    begin = time.monotonic()
    with contextlib.suppress(jib.LimitError):
        inspect_source(text)
    assert time.monotonic() - begin < 10


def test_importing_jib_stays_light() -> None:
    code = "import sys, jib; print([name for name in ('inspection', 'frontend', 'ir') if f'jib.{name}' in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; jib.compile_ir, jib.Inspection"], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert {"compile_ir", "inspect_source", "Inspection"} <= set(dir(jib)) & set(jib.__all__)
    with pytest.raises(AttributeError, match="module 'jib' has no attribute 'nothing'"):
        jib.nothing  # noqa: B018
