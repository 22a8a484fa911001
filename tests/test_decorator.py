"""jib.jit: functions of Python, compiled from their source, with what their names mean."""

from __future__ import annotations

import importlib.util
import linecache
import math
import math as m
import os
import pickle
import subprocess
import sys
import textwrap
import warnings
from math import sin as sine
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import jib

THREE = 3
HALF = 0.5
YES = True
PAIR = (1, (2.5, False))
NOTHING = None
BIG = 2**64
WORDS = "words"
e = 1.5  # also a constant of the language


@pytest.fixture
def module(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """Makes a module of a text: module("…") or module("…", name)."""

    def make(text: str, name: str = "written") -> ModuleType:
        path = tmp_path / f"{name}.py"
        path.write_bytes(textwrap.dedent(text).encode())
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        return made

    return make


# ------------------------------------------------------------------------------------------------- what it takes


@jib.jit
def plain(x, n=THREE * 2, *, k=-0.5):
    """A doc."""
    total = 0.0
    for i in range(n):
        total += x * i + k
    return total


@jib.jit(fuel=100, arithmetic="numpy", name="called")
def with_options(a: int, b: int) -> float:
    return a / b


def test_bare_and_with_options() -> None:
    assert isinstance(plain, jib.Function)
    assert plain(2) == plain.py_func(2) == 27.0
    assert plain(2, 3, k=1.0) == plain.py_func(2, 3, k=1.0)
    assert with_options(1, 0) == math.inf
    assert with_options.__name__ == "called"
    with pytest.raises(TypeError, match=r"called\(\) missing 1 required positional argument: 'b'"):
        with_options(1)
    with pytest.raises(ValueError, match="engine must be"):
        jib.jit(engine="fast")(plain.py_func)
    with pytest.raises(TypeError, match="fuel must be an int"):
        jib.jit(fuel="much")
    with pytest.raises(TypeError):
        jib.jit(params=["a"])  # type: ignore[call-overload]


def test_a_signature_is_compiled_at_once() -> None:
    @jib.jit(signature="float(float, int)")
    def f(a, b):
        return a + b

    (made,) = f.specializations
    assert (made.params, made.result) == (("float", "int"), "float")


def test_what_it_knows_of_the_python_function() -> None:
    assert plain.__wrapped__ is plain.py_func
    assert plain.__module__ == __name__
    assert (plain.__name__, plain.__qualname__, plain.__doc__) == ("plain", "plain", "A doc.")
    assert plain.source.startswith("def plain(x, n=THREE * 2, *, k=-0.5):\n")
    assert repr(plain) == "<jib function plain(x, n=6, *, k=-0.5)>"


def test_lambdas() -> None:
    assert jib.jit(lambda a, b=THREE: a * b)(5) == 15
    up, down = jib.jit(lambda x: x + 1), jib.jit(lambda x: x - 1)
    assert (up(5), down(5)) == (6, 4)
    long = jib.jit(
        lambda x, y=2:
            x *
            y
    )  # fmt: skip
    assert long(21) == 42
    assert up.__name__ == "<lambda>"
    square = jib.jit(lambda x: x * x)

    @jib.jit
    def twice(x):
        return square(x) + square(x + 1)

    assert twice(3) == 25


def test_the_same_lambda_twice_on_a_line() -> None:
    first, second = jib.jit(lambda x: x * HALF), jib.jit(lambda x: x * HALF)
    assert first(3) == second(3) == 1.5


def test_indented_with_tabs_and_texts_over_lines(module: Any, capsys: pytest.CaptureFixture[str]) -> None:
    made = module(
        "import jib\n"
        "class C:\n"
        "\tclass D:\n"
        "\t\t@staticmethod\n"
        "\t\t@jib.jit(\n"
        "\t\t\tfuel=50,\n"
        "\t\t)\n"
        "\t\tdef f(x,\n"
        "  y):\n"
        "\t\t\t'''Doc\n"
        "\t\t\tof two lines.'''\n"
        "\t\t\tprint('''one\n"
        "\t\t\ttwo''')\n"
        "# a comment out of line\n"
        "\t\t\tif x:\n"
        "\t\t\t\treturn x + \\\n"
        "\ty\n"
        "\t\t\treturn 1 // x\n"
    )
    assert made.C.D.f(1, 2) == 3
    assert capsys.readouterr().out == "one\n\t\t\ttwo\n"
    with pytest.raises(ZeroDivisionError) as caught:
        made.C.D.f(0, 1)
    assert caught.value.jib_span == (18, 11, 18, 17)  # type: ignore[attr-defined]
    assert made.C.D.f.__qualname__ == "C.D.f"


@pytest.mark.filterwarnings("error")
def test_other_characters_and_warnings_in_the_file(module: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = "@jit\ndef f(x):\n    'Straße \\d'\n    return x + 1\n"
        made = module(
            "import jib\nfrom jib import jit\n\ndef old(f): return f, '\\d', f is 1\nä = ('größe', jit(lambda x: 1 // x))\n"
            + text
        )
    inverse = vars(made)["ä"][1]
    with pytest.raises(ZeroDivisionError) as caught:
        inverse(0)
    assert caught.value.jib_span == (5, 29, 5, 35)  # type: ignore[attr-defined]
    made.jit(made.f.py_func)
    assert made.f(1) == 2


def test_as_an_attribute_of_a_class_it_is_not_bound() -> None:
    class Point:
        @jib.jit
        def free(a):
            return a + 1

        @staticmethod
        @jib.jit
        def static(a):
            return a + 2

        @jib.jit
        def method(self, a):
            return self * a

    assert Point.free(1) == Point().free(1) == 2
    assert Point.static(1) == Point().static(1) == 3
    with pytest.raises(TypeError, match=r"method\(\) missing 1 required positional argument: 'a'"):
        Point().method(3)
    with pytest.raises(TypeError, match=r"method\(\) argument 'self' must be a number, not Point"):
        Point.method(Point(), 3)
    assert Point.method(2, 3) == 6


# -------------------------------------------------------------------------------------------- what names mean


def test_numbers_from_outside_are_frozen(module: Any) -> None:
    local = 7

    @jib.jit
    def f(x):
        return x + THREE * HALF + local + e + PAIR[1][0] + (1 if YES else 0)

    assert f(1) == f.py_func(1) == 1 + 1.5 + 7 + 1.5 + 2.5 + 1
    made = module("import jib\nN = 1\n@jib.jit\ndef f(x):\n    return x + N\nN = 100\n")
    assert made.f(1) == 2
    assert made.f.py_func(1) == 101


def test_what_is_frozen_keeps_its_type_and_sign() -> None:
    minus_zero, truth, nan, infinite = -0.0, True, math.nan, -math.inf

    @jib.jit
    def f():
        return (minus_zero, truth, nan, infinite, NOTHING)

    zero, yes, nothing_like_it, least, nothing = f()
    assert math.copysign(1, zero) == -1 and yes is True and nothing_like_it != nothing_like_it
    assert least == -math.inf and nothing is None
    number = np.float64(2.5)
    assert jib.jit(lambda: number)() == 2.5


def test_functions_of_math_by_any_name() -> None:
    root = math.sqrt

    @jib.jit
    def f(x):
        return sine(x) + m.cos(x) + math.tan(x) + root(x) + m.pi + abs(x) + math.pow(x, 2)

    assert f(0.5) == f.py_func(0.5)
    ceiling, limit = math.pow, max

    @jib.jit
    def g(x, y):
        return ceiling(x, y) + limit(x, y)

    assert g(2, 3) == g.py_func(2, 3) == 11.0
    assert isinstance(g(2, 3), float)
    count = range

    @jib.jit
    def h(n):
        total = 0
        for i in count(n):
            total += i
        return total

    assert h(5) == 10


def test_numpys_functions_where_numpys_rules_hold() -> None:
    from numpy import exp, remainder

    @jib.jit(arithmetic="numpy")
    def f(x):
        return exp(x)

    assert f(1000.0) == math.inf
    with pytest.raises(jib.CompileError, match="'exp' is NumPy's function, whose rules hold with arithmetic=\"numpy\""):

        @jib.jit
        def g(x):
            return exp(x)

    with pytest.raises(jib.CompileError, match="'remainder' is a ufunc here"):

        @jib.jit(arithmetic="numpy")
        def h(x):
            return remainder(x, 2)


@jib.jit
def gcd_of(a: int, b: int) -> int:
    return a if b == 0 else gcd_of(b, a % b)


@jib.jit
def lcm_of(a: int, b: int, scale: int = THREE) -> int:
    return a * b // gcd_of(a, b) * scale


def test_other_functions_come_along() -> None:
    assert gcd_of(12, 18) == 6
    assert lcm_of(4, 6) == lcm_of.py_func(4, 6) == 36

    @jib.jit
    def both(a, b):
        return lcm_of(a, b) + gcd_of(a, b) + lcm_of(a, b, scale=1)

    assert both(4, 6) == 36 + 2 + 12
    assert both.source.count("def gcd_of") == 1


def test_helpers_of_one_name_and_other_constants(module: Any) -> None:
    one = module("import jib\nN = 1\n@jib.jit\ndef scale(x):\n    return x * N\n", "one")
    two = module("import jib\nN = 20\n@jib.jit\ndef scale(x):\n    return x * N\n", "two")
    first, second = one.scale, two.scale

    @jib.jit
    def scale(x):
        return first(x) + second(x) if x > 0 else scale(-x)

    assert scale(3) == scale(-3) == 63


def test_helpers_do_not_grow_with_the_ways_to_them(module: Any) -> None:
    lines = ["import jib", "@jib.jit", "def f0(x):", "    return x"]
    for at in range(1, 25):
        lines += ["@jib.jit", f"def f{at}(x):", f"    return f{at - 1}(x) + f{at - 1}(x) if x < 0 else f{at - 1}(x)"]
    made = module("\n".join(lines))
    assert made.f24(7) == 7
    assert made.f24.source.count("def ") == 25


def test_recursion_of_a_function_in_a_function() -> None:
    @jib.jit
    def fib(n: int) -> int:
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    assert fib(20) == 6765

    def python(n: int) -> int:
        return 1 if n < 2 else n * python(n - 1)

    assert jib.jit(python)(5) == 120


def test_a_function_that_replaces_one_of_its_name(module: Any) -> None:
    made = module("""
        import jib
        @jib.jit
        def f(n): return -1
        @jib.jit
        def f(n): return 0 if n == 0 else 1 + f(n - 1)
        """)
    assert made.f(5) == 5


def test_in_a_class_the_name_of_a_method_is_not_its_own(module: Any) -> None:
    made = module("""
        import jib
        class C:
            @staticmethod
            @jib.jit
            def abs(x): return abs(x) + 1
        """)
    assert made.C.abs(-3) == 4


# ---------------------------------------------------------------------------------------- defaults, annotations


def test_defaults_are_the_evaluated_values() -> None:
    made = [1, 2, 3]

    def f(a, b=THREE * 2, c=(1, 2.5), *, d=-1, g=None, h=True):
        return b

    f.__defaults__ = (len(made) * 7, (3, 4.5))
    g = jib.jit(f)
    assert g(1) == 21
    parameters = g.__signature__.parameters
    assert {name: each.default for name, each in parameters.items() if name != "a"} == {
        "b": 21, "c": (3, 4.5), "d": -1, "g": None, "h": True,
    }  # fmt: skip
    with pytest.raises(TypeError):
        g()
    with pytest.raises(TypeError):
        g(1, 2, (3, 4.5), 4)


def test_a_default_that_is_a_tuple() -> None:
    @jib.jit
    def f(x, by=(2, 0.5)):
        return x * by[0] + by[1]

    @jib.jit
    def g(x):
        return f(x)

    assert f(3) == g(3) == 6.5
    assert f(3, (1, 1.0)) == 4.0


def test_a_default_that_is_no_number() -> None:
    for value, words in (([1], "a list"), ("x", "a str"), (2**70, "an int outside 64 bits"), ((1, "x"), "a str")):

        def f(a, b=value):
            return a

        with pytest.raises(TypeError, match=f"f\\(\\) has {words} as the default of 'b'"):
            jib.jit(f)
    deep: Any = 1
    for _ in range(50):
        deep = (deep,)
    with pytest.raises(TypeError, match="a tuple nested more than 8 deep"):
        jib.jit(lambda a=deep: a)
    wide = (1,) * 5000
    with pytest.raises(TypeError, match="a tuple of more than 1000 elements"):
        jib.jit(lambda a=wide: a)


def test_annotations(module: Any) -> None:
    made = module("""
        import jib
        @jib.jit
        def f(a: int, b: "i8", c: "tuple[int, float]" = (1, 2.0), *, d: "float" = 1, e: tuple[bool, int] = (True, 1)) -> "f32":
            x: "u8" = a
            return x + b + c[1] + d
        @jib.jit
        def g(a: None) -> None:
            pass
        """)
    assert str(made.f.__signature__) == (
        "(a: int, b: 'i8', c: 'tuple[int, float]' = (1, 2.0), *, d: float = 1, e: 'tuple[bool, int]' = (True, 1)) -> 'f32'"
    )
    assert made.f(1, 2) == 6.0
    with pytest.raises(OverflowError):
        made.f(1, 200)
    with pytest.raises(OverflowError):
        made.f(300, 2)
    assert made.g(None) is None
    with pytest.raises(jib.CompileError, match="'Real' is not a type") as caught:
        module("import jib\nReal = float\n@jib.jit\ndef f(a, b: Real):\n    return a\n")
    assert (caught.value.lineno, caught.value.offset) == (4, 13)
    with pytest.raises(jib.CompileError, match="'np.float64' is not a type"):
        module("import jib\nimport numpy as np\n@jib.jit\ndef f(a: np.float64):\n    return a\n")
    with pytest.raises(jib.CompileError, match="'\"'int'\"' is not a type|'\"rubbish \\(\"' is not a type"):
        module('import jib\n@jib.jit\ndef f(a: "rubbish ("):\n    return a\n')


def test_annotations_from_the_future(module: Any) -> None:
    made = module(
        "from __future__ import annotations\nimport jib\n@jib.jit\ndef f(a: i8, b: int) -> f32:\n    return a\n"
    )
    assert str(made.f.__signature__) == "(a: 'i8', b: int) -> 'f32'"


# ------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("return x + BIG", "'BIG' is an int outside 64 bits here, which is not part of the language"),
        ("return x + WORDS", "'WORDS' is a str here"),
        ("return pythons(x)", "'pythons' is a function of Python; decorate it with jib.jit too"),
        (
            "return np.sin(x)",
            r"of modules only math is part of the language; its ufuncs are known by name \(from numpy import sqrt\)",
        ),
        ("return Class(x)", "'Class' is the class Class"),
        ("return compiled(x)", "'compiled' is made by jib.compile"),
        ("return wrapping(x)", '\'wrapping\' is a function with arithmetic="numpy", and this one has "python"'),
        ("return signed(x)", "'signed' is a function with a signature of its own"),
        ("return nowhere(x)", "name 'nowhere' is not defined"),
        ("return helper", "'helper' is a function; functions can be called, they are not values"),
        ("return THREE(x)", "'THREE' is not a function"),
        ("return THREE.real", "attribute 'real' is not known"),
        ("return helper(x, 1)", r"<lambda>\(\) takes 1 positional argument but 2 were given"),
        ("return open(x)", "'open' is Python's and not part of the language"),
        ("return __hidden", "'__hidden' is a name that begins with two underscores"),
        ("return [x]", "lists are not part of the language"),
        ("yield x", "'yield'"),
        ("global THREE", "'global'"),
        ("return größe", "names are made of the letters"),
        ("return (lambda y: y)(x)", "lambda"),
    ],
)
def test_what_is_not_in_the_language_is_told_at_its_place(module: Any, line: str, words: str) -> None:
    text = f"""\
import jib
import numpy as np
THREE, BIG, WORDS, größe, __hidden = 3, 2**64, "words", 1, 1
def pythons(x): return x
class Class: pass
compiled = jib.compile("def compiled(x): return x")
wrapping = jib.jit(arithmetic="numpy")(lambda x: x)
signed = jib.jit(signature="(int)")(lambda x: x)
helper = jib.jit(lambda x: x)
if True:
    @jib.jit
    def f(x):
        x = x + 1
        {line}
"""
    with pytest.raises((jib.CompileError, jib.ParseError), match=words) as caught:
        module(text)
    problem = caught.value
    assert isinstance(problem, SyntaxError)
    assert problem.filename is not None and problem.filename.endswith("written.py")
    assert problem.lineno == 14
    assert problem.text is not None and problem.text == f"        {line}"
    assert problem.offset is not None and problem.offset > 8


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("def f(*args):", r"'\*' parameters are not part of the language"),
        ("def f(x, **more):", r"'\*\*' parameters are not part of the language"),
        ("async def f(x):", "'async'|async"),
    ],
)
def test_heads_that_are_not_in_the_language(module: Any, head: str, words: str) -> None:
    with pytest.raises(jib.ParseError, match=words) as caught:
        module(f"import jib\n@jib.jit\n{head}\n    return 1\n")
    assert caught.value.lineno == 3


def test_math_that_is_not_math(module: Any) -> None:
    with pytest.raises(jib.CompileError, match="'math' is the module cmath"):
        module("import jib\nimport cmath as math\n@jib.jit\ndef f(x):\n    return math.sqrt(x)\n")
    made = module("import jib\nimport cmath as math\n@jib.jit\ndef f(x):\n    return x\n")
    assert made.f(1) == 1
    with pytest.raises(jib.CompileError, match="'sqrt' is a function of Python"):
        module("import jib\ndef sqrt(x): return x\n@jib.jit\ndef f(x):\n    return sqrt(x)\n")
    with pytest.raises(jib.CompileError, match="'range' is a list here"):
        module("import jib\nrange = [1]\n@jib.jit\ndef f(x):\n    for i in range(3): pass\n")


def test_a_variable_of_a_function_around_without_a_value() -> None:
    with pytest.raises(jib.CompileError, match="name 'later' is not defined"):

        @jib.jit
        def f(x):
            return x + later

    later = 1
    assert later == 1


class Callable_:
    def __call__(self, x: int) -> int:
        return x


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (print, "not a builtin_function_or_method"),
        (int, "not a class"),
        (Callable_(), "not a Callable_"),
        (3, "not an int"),
        ("a + b", "jib.compile\\(\\) takes a text"),
        (staticmethod(lambda x: x), "write @staticmethod above @jib.jit"),
        (classmethod(lambda x: x), "write @classmethod above @jib.jit"),
        (plain, "compiled already"),
        ("".join, "not a builtin_function_or_method"),
        (Callable_().__call__, "not a method"),
    ],
)
def test_what_is_no_function(what: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        jib.jit(what)


def test_other_decorators() -> None:
    import functools

    def twice(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any) -> Any:
            return 2 * function(*args)

        return wrapper

    def rude(function: Any) -> Any:
        return lambda *args: 2 * function(*args)

    @twice
    @jib.jit
    @(lambda function: function)
    def above(x):
        return x + 1

    assert above(1) == 4
    with pytest.raises(TypeError, match="write @jib.jit below it"):

        @jib.jit
        @twice
        def below(x):
            return x + 1

    with pytest.raises(jib.ParseError, match=r"'\*' parameters"):

        @jib.jit
        @rude
        def silently(x):
            return x + 1


# ---------------------------------------------------------------------------------------------- where the text is


def test_functions_without_source() -> None:
    space: dict[str, Any] = {"jib": jib}
    with pytest.raises(TypeError, match=r"the source of f\(\) cannot be found; jib.compile\(\) takes a text itself"):
        exec("@jib.jit\ndef f(x): return x", space)
    with pytest.raises(TypeError, match="cannot be found"):
        jib.jit(eval("lambda x: x"))


@pytest.mark.parametrize(
    "after",
    [
        "def f(x):\n    return x - 1\n",
        "def f(y):\n    return y + 1\n",
        "def f(x):\n    return x + 1.0\n",
        "def f(x: int):\n    return x + 1\n",
        "\n\ndef f(x):\n    return x + 1\n",
        "def f(x):\n    return x +\n",
        "",
        "f = 3\n",
    ],
)
def test_a_file_that_has_changed_since(module: Any, tmp_path: Path, after: str) -> None:
    made = module("def f(x):\n    return x + 1\n")
    linecache.clearcache()
    path = tmp_path / "written.py"
    path.write_text(after)
    os.utime(path, (1, 1))
    with pytest.raises(TypeError, match="the file has changed|cannot be found"):
        jib.jit(made.f)
    path.unlink()
    linecache.clearcache()
    with pytest.raises(TypeError, match="cannot be found"):
        jib.jit(made.f)


def test_a_file_that_has_changed_elsewhere(module: Any, tmp_path: Path) -> None:
    made = module("def f(x):\n    return x + 1\n")
    (tmp_path / "written.py").write_text("def f(x):\n    return x + 1  # the same\nN = 3\n")
    linecache.clearcache()
    assert jib.jit(made.f)(1) == 2


def test_functions_with_asserts_that_pytest_has_rewritten() -> None:
    @jib.jit
    def f(x):
        assert x > 0, "positive"
        return x

    assert f(1) == 1
    with pytest.raises(AssertionError, match="positive"):
        f(-1)


def test_notes_and_errors_show_the_file() -> None:
    @jib.jit
    def inverse(x):
        return 1 / x

    @jib.jit
    def f(x):
        return inverse(x) + 1

    line = inverse.py_func.__code__.co_firstlineno + 2
    with pytest.raises(ZeroDivisionError) as caught:
        f(0)
    (note,) = caught.value.__notes__
    assert note == f'  File "{__file__}", line {line}\n    return 1 / x\n           ^^^^^'
    with pytest.raises(jib.CompileError) as refused:
        f((1, 2))
    assert (refused.value.filename, refused.value.lineno, refused.value.offset) == (__file__, line, 16)


def test_interpreter_and_dumps() -> None:
    @jib.jit(engine="interpreter")
    def f(x: int) -> int:
        return gcd_of(x, 6) + THREE

    assert f(4) == 5
    assert "FunctionDef name='gcd_of'" in f.dump("ast")
    assert "func gcd_of" in f.dump("ir")
    for stage in jib.STAGES:
        assert f.dump(stage)


def test_importing_jib_stays_light() -> None:
    code = (
        "import sys; before = set(sys.modules); import jib; "
        "late = {'inspect', 'ast', 'linecache', 'jib.origin', 'jib.lower', 'jib.parse'}; "
        "print(sorted(late & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_arrays_around_a_function() -> None:
    np = pytest.importorskip("numpy")
    table = np.arange(4.0)
    pair = (table, 2)

    @jib.jit
    def at(i):
        return table[i] + pair[0][i] * pair[1]

    @jib.jit(signature="float(int)")
    def twice(i):
        table[0] = table[0] + 1.0
        return at(i) * 2

    assert at(1) == at.py_func(1) == 3.0 and at.params == ("i",)
    table[1] = 10.0
    assert at(1) == 30.0 and twice(1) == 60.0 and table[0] == 1.0
    arrived = pickle.loads(pickle.dumps(at))
    table[1] = 0.0
    assert arrived(1) == 30.0 and at(1) == 0.0
    with pytest.raises(TypeError, match="takes arrays itself"):
        at.ufunc  # noqa: B018
    wrong = np.array(["text"])
    with pytest.raises(jib.CompileError, match=r"'wrong' is an array of <U4, which is no type of elements here \("):
        jib.jit(lambda i: wrong[i])
