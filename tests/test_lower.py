"""The lowering: exact IR for each construct, places of instructions, faces of entries, and mistakes.

The IR of each construct stands in lowered.txt; `pytest --bless` rewrites it.
"""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ir_evaluator import ROWS, verify
from jib import builtins, ir
from jib.errors import CompileError, JitError, LimitError
from jib.limits import DEFAULT
from jib.lower import EntryParameter, Lowered, lower
from jib.parse import parse
from jib.source import Source

CONSTRUCTS = Path(__file__).with_name("lowered.txt")


@pytest.fixture(autouse=True, scope="module")
def table() -> Iterator[None]:
    builtins.install(ROWS)
    yield
    builtins._table.clear()


def lowered(text: str, params: list[str] | None = None) -> Lowered:
    source = Source(text)
    return lower(parse(source), source, params)


def plain(text: str) -> str:
    """The text form without the starts of lines and the spans."""
    printed = ir.to_text(lowered(text).module)
    return re.sub(r" @\d+:\d+", "", printed).partition("\n")[2]


# Each construct is a paragraph: the text in lines that begin with "> ", then its IR.
def constructs() -> list[tuple[str, str]]:
    found = []
    for paragraph in CONSTRUCTS.read_text(encoding="utf-8").split("\n\n"):
        lines = paragraph.strip("\n").split("\n")
        text = [line[2:] for line in lines if line.startswith("> ")]
        found.append(("\n".join(text), "\n".join(lines[len(text) :]) + "\n"))
    return found


@pytest.mark.parametrize(("text", "expected"), constructs())
def test_the_ir_of_each_construct(text: str, expected: str, pytestconfig: pytest.Config) -> None:
    if not pytestconfig.getoption("--bless", default=False):
        assert plain(text) == expected


def test_the_ir_of_each_construct_verifies_and_reads_back(pytestconfig: pytest.Config) -> None:
    blessed = []
    for text, _ in constructs():
        module = lowered(text).module
        verify(module)
        assert ir.from_text(ir.to_text(module)) == module
        blessed.append("\n".join("> " + line for line in text.split("\n")) + "\n" + plain(text))
    if pytestconfig.getoption("--bless", default=False):
        CONSTRUCTS.write_text("\n".join(blessed), encoding="utf-8")


# ------------------------------------------------------------------------------------------------- places


@pytest.mark.parametrize(
    ("text", "op", "marked"),
    [
        ("1 + a / b", "truediv", "a / b"),
        ("1 + a / b", "add", "1 + a / b"),
        ("a + b * c - d", "sub", "a + b * c - d"),
        ("1 + sqrt(a)", "sqrt", "sqrt(a)"),
        ("x = a\nx //= b - 1", "ifloordiv", "x //= b - 1"),
        ("-(a + b)", "neg", "-(a + b)"),
        ("a < b + 1", "lt", "a < b + 1"),
        ("t = (a, b)\nt[1]", "subscript", "t[1]"),
        ("for i in range(a, b, c): pass", "range_count", "range(a, b, c)"),
        ("for i in range(a, b, c): pass", "as_index", "a"),
        ("1 + sum(i for i in range(3))", "add", "sum(i for i in range(3))"),
        ("1 + x[i, 2:]", "at", "x[i, 2:]"),
        ("x[i] = y = a / b", "store", "x[i]"),
        ("x[i] += a / b", "subscript", "x[i]"),
        ("x[i] += a / b", "iadd", "x[i] += a / b"),
        ("1 + x.T", "transpose", "x.T"),
        ("1 + x.dot(y)", "dot", "x.dot(y)"),
        ("for i, v in enumerate(x[0], a): pass", "iter_len", "x[0]"),
        ("for i, v in enumerate(x[0], a): pass", "add", "enumerate(x[0], a)"),
        ("sum(w for w in x)", "subscript", "x"),
    ],
)
def test_an_instruction_that_can_fail_marks_its_expression(text: str, op: str, marked: str) -> None:
    entry = lowered(text).module.functions[0]
    found = [each for block in entry.blocks for each in block if each.op == "prim" and each.args[0] == op]
    assert text[found[0].start : found[0].end] == marked


def test_names_of_functions_and_parameters_have_places() -> None:
    text = "def f(): return 1\ndef gcd(a: int, b=2) -> float: return a"
    function = lowered(text).module.functions[0]
    assert text[function.start : function.end] == "gcd"
    assert text[function.returns_start : function.returns_end] == "float"
    assert [text[param.start : param.end] for param in function.params] == ["a: int", "b=2"]
    assert lowered("a\nb").module.line_starts == [0, 2]


# -------------------------------------------------------------------------------------------------- faces


@pytest.mark.parametrize(
    ("text", "params", "names"),
    [
        ("b + a", None, ["b", "a"]),
        ("x if c else y", None, ["x", "c", "y"]),
        ("b + a", ["a", "b", "c"], ["a", "b", "c"]),
        ("sin(x) + pi + math.pi + math.sin(y)", None, ["x", "y"]),
        ("e * x", ["e", "x"], ["e", "x"]),
        ("t = a\nt + b", None, ["a", "b"]),
        ("sum(i * k for i in range(n))", None, ["k", "n"]),
        ("sum(i for i in range(i))", None, ["i"]),
        ("sum(j for i in range(3) for j in range(i + k))", None, ["k"]),
        ("k = 1\nf = lambda x: x + a\nb + f(c)", None, ["a", "b", "c"]),
        ("def f(x):\n    def g(y): return y + x + z\n    return g(w)\nf(v)", None, ["z", "w", "v"]),
        ("print('a', a)", None, ["a"]),
        ("a: int = b\na", None, ["b"]),
        ("pi = 3\npi * r", None, ["r"]),
        ("(y := x) + y", None, ["x"]),
        ("1", None, []),
        ("for i in range(len(x)): x[i] = 2*x[i]", None, ["x"]),
        ("x[i], y[j:k] = a, b", None, ["x", "i", "y", "j", "k", "a", "b"]),
        ("x[i] += a", None, ["x", "i", "a"]),
        ("for x[i], v in enumerate(y): pass", None, ["x", "i", "y"]),
        ("sum(1 for x[i], i in zip(y, z) if i)", None, ["x", "y", "z"]),
        ("x.sum() + math.pi + y.T.shape[n]", None, ["x", "y", "n"]),
    ],
)
def test_the_parameters_of_an_expression_are_its_free_names(
    text: str, params: list[str] | None, names: list[str]
) -> None:
    result = lowered(text, params)
    assert [param.name for param in result.params] == names
    assert [param.name for param in result.module.functions[0].params] == names


def test_the_face_of_a_definition() -> None:
    text = (
        "'module'\n"
        "def f(a: int, /, b: f64[:, :], c: tuple[int, tuple[float, bool]] = None, *, d=-1.5, e: None = True) -> f32[:]:\n"
        "    'doc'\n"
        "    return a\n"
    )
    result = lowered(text)
    assert (result.name, result.returns, result.doc) == ("f", "f32[:]", "doc")
    assert result.params == (
        EntryParameter("a", "positional", "int", True, None, False),
        EntryParameter("b", "any", "f64[:, :]", True, None, True),
        EntryParameter("c", "any", "tuple[int, tuple[float, bool]]", False, None, False),
        EntryParameter("d", "keyword", None, False, -1.5, False),
        EntryParameter("e", "keyword", "None", False, True, False),
    )


@pytest.mark.parametrize(
    ("text", "arrays"),
    [
        ("a + b * c", ""),
        ("x[i]", "x"),
        ("x[i] + i[0]", "x i"),
        ("x[y[i]]", "x y"),
        ("x[1:] + m[a, :]", "x m"),
        ("x[0] = a", "x"),
        ("x[a:b] = c", "x"),
        ("x[i] += v", "x"),
        ("len(x) + a", "x"),
        ("x.shape[a] + y.size + z.ndim + w.T[0]", "x y z w"),
        ("x.sum() + y.dot(z) + a", "x y z"),
        ("for v in x: print(v + a)", "x"),
        ("for i in range(n): print(i)", ""),
        ("for i, (v, w) in enumerate(zip(x, y), a): print(i)", "x y"),
        ("sum(v * a for v in x for w in y if w < b)", "x y"),
        ("sum(i for i in range(n))", ""),
        ("sum(a * b) / c", "a b"),
        ("sum(a, b)", "a"),
        ("sum(x if c else y)", "x y"),
        ("sum(sqrt(x) * w[i] * max(a, b) + (y, z)[1])", "x w a b y z"),
        ("sum((a, b)) + max((a, b))", ""),
        ("max(a, b) + min(c)", "c"),
        ("dot(a + d, b) + c + mean(p) + argmax(g) + count_nonzero(h > k)", "a d b p g h k"),
        ("any(a > b) and all(c) or d", "a b c"),
        ("y = x\nx = 1\ny[0]", ""),
        ("x = a\nx[0]", "a"),
        ("y = a\ny[0] + sum(x[0] for x in b)", "a b"),
        ("sum(x[0] for x in b) + x", "b"),
        ("def f(x, i): return x[i]\nf(a, b)", "a"),
        ("def f(x, i): return x[i]\nf(i=a, x=b)", "b"),
        ("def len(x): return x\nlen(a)", ""),
        ("def f(i): return a[i]\nf(b)", "a"),
        ("def f(n, x, y): return y[0] if n else f(n - 1, y, x)\nf(n, a, b)", "a b"),
        ("def f(x, y): return g(y)\ndef g(z): return h(z)\ndef h(z): return len(z)\ndef e(a, b): return f(a, b)", "b"),
        ("def f(a: f64[:], b: i32[:, ::1], c: tuple[int, int], d: float): return d", "a b"),
        ("def f(a: 'f64[:]', b, c=1): return b[c]", "a b"),
        ("lambda x, n: x[n]", "x"),
        ("if 0: x[0]\nx", ""),
    ],
)
def test_what_the_text_shows_to_be_an_array(text: str, arrays: str) -> None:
    assert [param.name for param in lowered(text).params if param.array] == arrays.split()


@pytest.mark.parametrize(
    ("text", "name", "doc"),
    [
        ("a", "<expression>", None),
        ("'doc'\na", "<expression>", "doc"),
        ("'doc'\nb = a\nb", "<suite>", "doc"),
        ("lambda a: a", "<lambda>", None),
        ("def f(): pass\ndef g(): return f()", "g", None),
    ],
)
def test_names_and_docstrings(text: str, name: str, doc: str | None) -> None:
    assert (lowered(text).name, lowered(text).doc) == (name, doc)


# ----------------------------------------------------------------------------------------------- mistakes

KNOWN = (
    "there are those of math, and of arrays shape, size, ndim, T and the methods sum, prod, min, max, mean, any, all, argmin, "
    "argmax, dot"
)
MISTAKES = [
    ("sinn(x)", "sinn", "name 'sinn' is not defined; did you mean 'sin'?"),
    ("math.sqt(x)", "math.sqt", "name 'math.sqt' is not defined; did you mean 'math.sqrt'?"),
    ("rnage(3)", "rnage", "name 'rnage' is not defined; did you mean 'range'?"),
    ("def f(value): return valeu", "valeu", "name 'valeu' is not defined; did you mean 'value'?"),
    ("lambda x: y", "y", "name 'y' is not defined"),
    ("def f(x): return open(x)", "open", "'open' is Python's and not part of the language"),
    ("sin + 1", "sin", "'sin' is a function; functions can be called, they are not values"),
    ("def f(): return f", "f", "'f' is a function; functions can be called, they are not values"),
    ("x = range", "range", "'range' is a function; functions can be called, they are not values"),
    ("pi(3)", "pi", "'pi' is not a function"),
    ("x = 1\nx(3)", "x", "'x' is not a function"),
    ("f(1)(2)", "f(1)", "'f(1)' is not a function"),
    ("sum(sin(1) for sin in range(3))", "sin", "'sin' is not a function"),
    ("a.real", "a.real", f"attribute 'real' is not known; {KNOWN}"),
    ("a.shap[0]", "a.shap", f"attribute 'shap' is not known; did you mean 'shape'?; {KNOWN}"),
    ("a.fill(b)", "a.fill", f"attribute 'fill' is not known; {KNOWN}"),
    ("a.sqrt()", "a.sqrt", "'a.sqrt' is not known; the function is written 'sqrt', without a prefix"),
    ("np.sum(x)", "np.sum", "'np.sum' is not known; the function is written 'sum', without a prefix"),
    ("def f(x): return np.sum(x)", "np.sum", "'np.sum' is not known; the function is written 'sum', without a prefix"),
    ("def f(x): return xs.sum()", "xs", "name 'xs' is not defined; did you mean 'x'?"),
    ("math.T", "math.T", None),
    ("x = a.sum", "a.sum", "'sum' is a method; methods can be called, they are not values"),
    ("a.sum(0)", "a.sum(0)", "sum() takes no arguments (1 given)"),
    ("a.dot()", "a.dot()", "dot() takes exactly 1 argument (0 given)"),
    ("a.sum(axis=0)", "axis=0", "sum() takes no keyword arguments"),
    ("a.shape()", "a.shape", "'a.shape' is not a function"),
    ("sqrt.size", "sqrt", "'sqrt' is a function; functions can be called, they are not values"),
    ("sin()", "sin()", "sin() missing 1 required positional argument: 'x'"),
    ("sin(1, 2)", "sin(1, 2)", "sin() takes 1 positional argument but 2 were given"),
    ("sin(x=1)", "sin(x=1)", "sin() got some positional-only arguments passed as keyword arguments: 'x'"),
    ("round(1, digits=2)", "round(1, digits=2)", "round() got an unexpected keyword argument 'digits'"),
    ("round(1, number=2)", "round(1, number=2)", "round() got multiple values for argument 'number'"),
    ("log(1, 2, 3)", "log(1, 2, 3)", "log() takes from 1 to 2 positional arguments but 3 were given"),
    ("min()", "min()", "min expected at least 1 argument, got 0"),
    ("min(1, 2, default=3)", "default=3", "Cannot specify a default for min() with multiple positional arguments"),
    ("max(1, 2, key=3)", "key=3", "max() got an unexpected keyword argument 'key'"),
    ("any((1, 2), 3)", "any((1, 2), 3)", "any() takes 1 positional argument but 2 were given"),
    ("print(1, file=2)", "file=2", "print() got an unexpected keyword argument 'file'"),
    ("print(1, sep=2)", "2", "'sep' takes a literal text"),
    ("def f(a, b): return 1\ndef g(): return f(1)", "f(1)", "f() missing 1 required positional argument: 'b'"),
    ("def f(a, b, c): return 1\ndef g(): return f()", "f()", "f() missing 3 required positional arguments: 'a', 'b', and 'c'"),
    ("def f(*, k): return 1\ndef g(): return f()", "f()", "f() missing 1 required keyword-only argument: 'k'"),
    ("def f(a, b): return 1\ndef g(): return f(1, 2, 3)", "f(1, 2, 3)", "f() takes 2 positional arguments but 3 were given"),
    ("def f(a): return 1\ndef g(): return f(1, z=3)", "f(1, z=3)", "f() got an unexpected keyword argument 'z'"),
    ("def f(a): return 1\ndef g(): return f(1, a=3)", "f(1, a=3)", "f() got multiple values for argument 'a'"),
    ("9223372036854775808", "9223372036854775808", "the integer is larger than 64 bits; write it as a float, with a point"),
    ("'text'", "'text'", "a text is not a value; it can only be printed, or be the message of an error"),
    ("x = 'text'", "'text'", "a text is not a value; it can only be printed, or be the message of an error"),
    ("assert x, y", "y", "'assert' takes a literal text"),
    ("raise Valuerror('x')", "raise Valuerror('x')", "'Valuerror' is not an exception that a text can raise; did you mean 'ValueError'?"),
    ("return 1", "return 1", "'return' outside a function; the last expression is the value"),
    ("break", "break", "'break' outside a loop"),
    ("while x: pass\nelse: continue", "continue", "'continue' outside a loop"),
    ("for i in (1, 2): pass", "(1, 2)", "a loop can only go over range(...), an array, enumerate(...) and zip(...)"),
    ("for i in 'ab': pass", "'ab'", "a loop can only go over range(...), an array, enumerate(...) and zip(...)"),
    ("for i in zip(x, 3): pass", "3", "a loop can only go over range(...), an array, enumerate(...) and zip(...)"),
    ("for i in rnage(3): pass", "rnage", "name 'rnage' is not defined; did you mean 'range'?"),
    ("for i in enumerate(): pass", "enumerate()", "enumerate() missing required argument 'iterable'"),
    ("for i in enumerate(start=1): pass", "enumerate(start=1)", "enumerate() missing required argument 'iterable'"),
    ("for i in enumerate(x, 1, 2): pass", "enumerate(x, 1, 2)", "enumerate() takes at most 2 arguments (3 given)"),
    ("for i in enumerate(x, 1, start=2): pass", "enumerate(x, 1, start=2)", "enumerate() takes at most 2 arguments (3 given)"),
    ("for i in enumerate(x, by=2): pass", "by=2", "'by' is an invalid keyword argument for enumerate()"),
    ("for i in zip(x, strict=1): pass", "strict=1", "zip() takes no keyword arguments"),
    ("zip(x, y)", "zip(x, y)", "'zip' can only be what a loop goes over"),
    ("for i in zip(x for x in y): pass", "x for x in y", None),
    ("range(3)", "range(3)", "'range' can only be what a loop goes over"),
    ("for i in range(): pass", "range()", "range expected at least 1 argument, got 0"),
    ("for i in range(1, 2, 3, 4): pass", "range(1, 2, 3, 4)", "range expected at most 3 arguments, got 4"),
    ("for i in range(stop=4): pass", "range(stop=4)", "range() takes no keyword arguments"),
    ("x = (i for i in range(3))", "(i for i in range(3))", None),
    ("len(i for i in range(3))", "i for i in range(3)", None),
    ("min((i for i in range(3)), 4)", "(i for i in range(3))", None),
    ("sum((i := 2) for i in range(3))", "i", "':=' cannot rebind the generator's variable 'i'"),
    ("sum(i for i in range((n := 2)))", "(n := 2)", "':=' cannot stand in what a generator expression goes over"),
    ("abs(lambda: 1)", "lambda: 1", "a lambda must be the whole text, or be given a name outside loops and ifs"),
    ("if x:\n    def f(): pass", "f", "function 'f' must be defined outside loops and ifs"),
    ("def f(): pass\ndef f(): pass", "def f(): pass", "function 'f' is defined twice"),
    ("def f(): pass\nf = 1", "f", "'f' is the name of a function and of a variable"),
    ("y = f(1)\ndef f(x): return x\ny", "f", "function 'f' is called before it is defined"),
    ("k = 1\nk = 2\nf = lambda x: x + k\nf(1)", "k", "'k' is read by the nested function 'f' but changes; pass it as a parameter"),
    ("for k in range(3): pass\ndef f(): return k\nf()", "k", None),
    ("def f(k):\n    k += 1\n    g = lambda: k\n    return g()", "k", None),
    ("f = lambda: k\nk = 1\nf()", "k", None),
    ("def f(x: complex): return x", "complex", "'complex' is not a type such as int, f32, u8, f64[:]"),
    ("def f(x) -> tuple[int, str]: return x", "str", "'str' is not a type such as int, f32, u8, f64[:]"),
    ("x: list[int] = 1", "list[int]", "'list[int]' is not a type such as int, f32, u8, f64[:]"),
    ("def f(x: f64[1:]): return x", "f64[1:]", "'f64[1:]' is not a type such as int, f32, u8, f64[:]"),
    ("def f(x=y): return x", "y", "a default must be a literal number, True, False or None"),
    ("def f(x='a'): return x", "'a'", "a default must be a literal number, True, False or None"),
    ("def f(x: f64[::2]): return x", "f64[::2]", "'f64[::2]' is not a type such as int, f32, u8, f64[:]"),
    ("def f(x: f64[::1, :]): return x", "f64[::1, :]", "'f64[::1, :]' is not a type such as int, f32, u8, f64[:]"),
    ("def f(x: f64[:, :, :, :, ::1]): return x", "f64[:, :, :, :, ::1]", "'f64[:, :, :, :, ::1]': arrays have at most 4 dimensions"),
    ("def f(x: 'f64[:, :, :, :, :]'): return x", "'f64[:, :, :, :, :]'", "'f64[:, :, :, :, :]': arrays have at most 4 dimensions"),
    ("x[1, 2, 3, 4, 5]", "1, 2, 3, 4, 5", "an index has 1 to 4 parts, not 5"),
    ("x[:, :, :, :, :]", ":, :, :, :, :", "an index has 1 to 4 parts, not 5"),
    ("x[()] = 1", "()", "an index has 1 to 4 parts, not 0"),
    ("x['a':]", "'a'", "a text is not a value; it can only be printed, or be the message of an error"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "marked", "message"), MISTAKES)
def test_mistakes_say_what_and_where(text: str, marked: str, message: str | None) -> None:
    with pytest.raises(CompileError) as caught:
        lowered(text)
    problem = caught.value
    assert problem.span is not None
    assert text[problem.span.start : problem.span.end] == marked
    if message is not None:
        assert problem.msg == message


def test_names_that_are_not_parameters_are_mistakes() -> None:
    with pytest.raises(CompileError, match="name 'b' is not defined"):
        lowered("a + b", ["a"])
    with pytest.raises(CompileError, match="parameter 'a' is given twice"):
        lowered("a", ["a", "a"])
    with pytest.raises(CompileError, match="the text names its parameters itself"):
        lowered("lambda a: a", ["a"])
    with pytest.raises(CompileError, match="the text names its parameters itself"):
        lowered("def f(a): return a", ["a"])


# -------------------------------------------------------------------------------------------------- limits


def test_a_text_may_not_need_more_instructions_than_the_limit() -> None:
    source = Source("\n".join(f"x{i} = a * {i} + b" for i in range(100)))
    lower(parse(source), source, None, DEFAULT._replace(ir_instructions=1000))
    with pytest.raises(LimitError, match="more than 500 instructions"):
        lower(parse(source), source, None, DEFAULT._replace(ir_instructions=500))


def test_what_nested_functions_capture_counts_against_the_limit() -> None:
    names = [f"v{i}" for i in range(1000)]
    text = "def f(): return " + "+".join(names) + "\n" + "+".join(["f()"] * 1000)
    source = Source(text)
    with pytest.raises(LimitError):
        lower(parse(source), source, None, DEFAULT._replace(ir_instructions=500_000))


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "+".join(f"v{i}" for i in range(n)),
        lambda n: "\n".join(f"v{i} = a + {i}" for i in range(n)),
        lambda n: (
            "".join(f"def f{i}(x): return f{i + 1}(x) + v\n" for i in range(n)) + f"def f{n}(x): return x\nf{n}(v)"
        ),
        lambda n: "".join(f"def f{i}(x): return x + v{i}\n" for i in range(n)) + "1",
        lambda n: "".join(f"if x == {i}: y = {i}\n" for i in range(n)),
        lambda n: "any((" + "x," * n + "))",
        lambda n: "+".join(["sum(i for i in range(x))"] * (n // 10)),
        lambda n: "\n".join(f"x[{i}, {i}:] += sum(x * a)" for i in range(n // 4)),
        lambda n: "for i in zip(" + "x," * n + "): pass",
        lambda n: "sum(" + "+".join(f"v{i}" for i in range(n)) + ")",
        lambda n: (
            "".join(f"def f{i}(x): return f{i + 1}(x)\n" for i in range(n)) + f"def f{n}(x): return x[0]\nf{0}(v)"
        ),
    ],
)
def test_the_time_is_linear(make: object) -> None:
    def seconds(size: int) -> float:
        source = Source(make(size))  # type: ignore[operator]
        program = parse(source)
        times = []
        gc.disable()  # as timeit does: what else lives in this process is not ours
        for _ in range(3):
            start = time.perf_counter()
            lower(program, source)
            times.append(time.perf_counter() - start)
        gc.enable()
        return min(times)

    assert seconds(2000) < 4 * 2.3 * seconds(500) + 0.05


def test_any_mistake_is_one_of_ours() -> None:
    """Cut and joined at any place, a text lowers or fails with an exception of jib."""
    text = "def f(a: int, b=2) -> float:\n    g = lambda x: x + a\n    return sum(g(i) for i in range(b)) if a else max((a, b))\n"
    for at in range(len(text)):
        for piece in (text[:at], text[at:], text[:at] + text[at + 1 :]):
            try:
                lowered(piece)
            except JitError:
                continue
