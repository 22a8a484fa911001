"""`%jib` and `%%jib`, in IPython itself: names, options, failures."""

from __future__ import annotations

import pytest

pytest.importorskip("IPython", minversion="8.12")

from ipython_shell import GCD, Answer, Shell, alone, values


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return alone(str(tmp_path_factory.mktemp("ipython")))


@pytest.fixture(scope="module")
def shell(environment: dict[str, str]) -> Shell:
    return Shell(environment)


# ------------------------------------------------------------------------------------------------------ one namespace


def test_definitions_become_names(shell: Shell) -> None:
    first, *others = shell(
        GCD,
        "gcd(12, 18)",
        "lcm",
        "type(lcm) is __import__('jib').Function",
        "%%jib\ntotal = 7; part = gcd(total, 21)\npart",
        "total, part",
    )
    assert first.value == "12" and first.changed == ["gcd", "lcm"]
    assert values(others) == ["6", "<jib function lcm(a, b)>", "True", "7", "(7, 7)"]
    assert others[3].changed == ["part", "total"]


def test_redefinitions_are_seen_by_earlier_callers(shell: Shell) -> None:
    answers = shell(GCD, "kept = lcm", "%%jib\ndef gcd(a, b): return 1", "lcm(4, 6)", "kept(4, 6)", "%jib lcm(4, 6)")
    assert values(answers)[3:] == ["24", "12", "24"]
    assert answers[2].changed == ["gcd", "lcm"]


def test_functions_that_are_the_same_stay(shell: Shell) -> None:
    answers = shell(GCD, "before = lcm", "%%jib\ndef other(x): return x", "before is lcm")
    assert values(answers)[3] == "True" and answers[2].changed == ["other"]


def test_free_names_are_the_namespaces(shell: Shell) -> None:
    answers = shell(
        "rate, flag, pair, nothing = 0.25, True, (1, (2.5, False)), None",
        "%jib rate * 2 if flag else 0",
        "%jib pair[1][0]",
        "%%jib\ndef tax(income): return income * rate\ntax(100)",
        "rate = 0.5",
        "%jib tax(100)",
        "tax(100)",
        "%jib nothing",
        "%%jib\nrate += 1\nrate",
        "rate, tax(100)",
        "import numpy as np; half, small, yes = np.float32(0.5), np.int8(5), np.bool_(True)",
        "%jib half * small if yes else 0",
    )
    found = values(answers)
    assert found[1:4] == ["0.5", "2.5", "25.0"]
    assert found[5:10] == ["50.0", "50.0", None, "1.5", "(1.5, 150.0)"]
    assert found[11] == "2.5"


def test_the_namespace_counts(shell: Shell) -> None:
    answers = shell(
        "k = 2", "%%jib\ndef f(x): return x * k", "del k", "%jib f(3)", "f(3)", "k = [2]", "%jib f(3)", "k = 5", "%jib f(3)",
        "def f(x): return 0", "%jib f(3)", "f = 9", "%jib f + 1", "del f", "%jib f",
    )  # fmt: skip
    assert [answer.error for answer in answers] == [
        None, None, None, "CompileError", None, None, "CompileError", None, None, None, "CompileError", None, None, None, "CompileError",
    ]  # fmt: skip
    assert (answers[4].value, answers[8].value, answers[12].value) == ("6", "15", "10")
    assert "name 'k' is not defined" in answers[3].out
    assert "'f' is a function of Python; decorate it with jib.jit too" in answers[10].out


def test_a_name_may_be_defined_and_assigned(shell: Shell) -> None:
    answers = shell(
        "%%jib\ndef f(x): return x\nf = 3",
        "f",
        "%%jib\nf = 4\ndef f(x): return x",
        "f(5)",
        "%%jib --dump ir\nf = 7\n1 + 1",
        "%jib f",
    )
    assert values(answers)[1] == "3" and values(answers)[3:] == ["5", "2", "7"]


def test_arrays(shell: Shell) -> None:
    answers = shell(
        "import numpy as np; a = np.arange(4.0); k = 2",
        "%jib a * k + 1",
        "%jib sum(a * a)",
        "%jib sqrt(a[3] + 1)",
        "y = %jib a + a\nlist(y)",
        "%%jib\nwhere(a > 1, a, -1)",
        "%%jib\ndef total(v):\n    t = 0.0\n    for x in v: t += x\n    return t",
        "total(a)",
        "o = np.array([None])",
        "%jib o + 1",
    )
    found = values(answers[:9])
    assert found[1:4] == ["array([1., 3., 5., 7.])", "14.0", "2.0"] and "6.0" in str(found[4])
    assert found[5:8] == ["array([-1., -1.,  2.,  3.])", None, "6.0"]
    assert answers[9].error == "TypeError" and "cells.py" not in answers[9].out


TOTAL = "%%jib\ndef total(v):\n    t = 0.0\n    for x in v: t += x\n    return t\ndef square(x): return x * x * k"


def test_arrays_and_functions_of_cells(shell: Shell) -> None:
    answers = shell(
        "import numpy as np; a = np.arange(4.0); k = 2; pair = (a, 3); same = a",
        TOTAL,
        "%jib total(a) + pair[1]",
        "%jib sum(square(a))",
        "%%jib\ns = sum(a)\nb = a * k\nc = a\ntotal(b) + total(pair[0])",
        "s, b, c is same",
        "%%jib\na[0] = 5\ntotal(a)",
        "a",
        "a = np.ones(2)",
        "%jib total(a)",
        "%%jib --dump typed-ir\ntotal(a) * k",
        "%%jib\ndef mean(): return sum(a) / len(a)\nmean()",
        "a = np.array([1.0, 2.0])",
        "%jib mean()",
        "mean()",
    )
    found = values(answers)
    assert found[2:6] == ["9.0", "28.0", "18.0", "(6.0, array([0., 2., 4., 6.]), True)"]
    assert found[6:8] == ["11.0", "array([5., 1., 2., 3.])"] and found[9] == "2.0"
    assert "(%0: f64[::1], %1: int) -> float" in answers[10].out
    assert (found[11], found[13], found[14]) == ("1.0", "1.5", "1.5")


def test_arrays_that_no_session_takes(shell: Shell) -> None:
    answers = shell(
        "import numpy as np; half = np.arange(3).astype('f2'); big = np.arange(3.0).astype('>f8'); k = 2",
        TOTAL,
        "%jib half + big * k",
        "%jib total(half)",
        "%%jib\nx = big * 1",
        "%%jib --dump ir\nbig + 1",
    )
    assert answers[2].value == "array([0., 3., 6.])"
    half, big = "'half' is an array of float16, which", "'big' is an array of >f8, which"
    for answer, said in zip(answers[3:], (half, big, big)):
        assert answer.error == "CompileError" and said in answer.out and answer.changed == []


def test_what_does_not_fit_any_more_is_told_once(shell: Shell) -> None:
    answers = shell(
        "%%jib\ndef inner(x): return x + 1\ndef outer(x): return inner(x) * 10",
        "%%jib\ndef inner(x, y): return x + y\n1 // 0",
        "%%jib\ndef inner(x, y): return x + y",
        "%jib 1",
        "outer(1)",
        "%jib outer(1)",
        "%%jib\ndef inner(x, y=2): return x + y",
        "outer(1)",
    )
    assert answers[2].error is None and answers[2].changed == ["inner"]
    assert "Cell In[2], line 3\n    def outer(x): return inner(x) * 10" in answers[2].err
    assert "'inner' was defined anew in Cell In[4], line 2" in answers[2].err
    assert answers[2].err.endswith("(outer() does not fit any more; it can be defined anew)\n")
    assert [answer.err for answer in answers if answer is not answers[2]] == [""] * 7
    assert (answers[4].value, answers[5].error, answers[7].value) == ("20", "CompileError", "30")
    assert answers[6].changed == ["inner", "outer"]


def test_names_that_a_text_cannot_have_are_explained(shell: Shell) -> None:
    answers = shell(
        "k = [1]",
        "%%jib\nk += 1",
        "%%jib\nk = 3\ndef g(x): return x * k\ng(2)",
        "k = [1]",
        "%jib g(2)",
    )
    assert answers[1].error == "CompileError" and "\n  'k' is a list here" in answers[1].out
    assert answers[2].value == "6" and answers[2].changed == ["g", "k"]
    assert answers[4].error == "CompileError" and "name 'k' is not defined\n  'k' is a list here" in answers[4].out


def test_functions_made_elsewhere(shell: Shell) -> None:
    answers = shell(
        "import jib\nsquare = jib.compile('def square(x): return x * x')\nk = 2\n@jib.jit\ndef cube(x): return x ** 3\n"
        "loose = jib.compile('a + b')\nfact = jib.compile('def fact(n): return 1 if n < 2 else n * fact(n - 1)')\n"
        "@jib.jit\ndef fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\n"
        "np_one = jib.compile('def np_one(x): return x / 0', arithmetic='numpy')",
        "%jib square(3)",
        "%%jib\ndef both(x): return square(x) + cube(x)\nboth(2)",
        "%jib loose(1, 2)",
        "%jib fact(5) + fib(10)",
        "%jib np_one(1)",
    )
    assert values(answers[:3])[1:] == ["9", "12"]
    assert "'loose' is a function made of an expression" in answers[3].out
    assert answers[4].value == "175"
    assert 'a function with arithmetic="numpy", and this one has "python"' in answers[5].out


def test_functions_keep_what_their_names_meant_in_python(shell: Shell) -> None:
    answers = shell(
        "import jib\nk = 2\n@jib.jit\ndef scaled(x): return x * k\n@jib.extern\ndef host(x: float) -> float: return x + k",
        "k = 5",
        "%jib scaled(3) + host(0.0) + k",
        "%%jib\ndef both(x): return scaled(x) * k",
        "both(1), both(1.5)",
        "kept = both",
        "k = 7",
        "%jib both(1) - kept(1)",
    )
    found = values(answers)
    assert (found[2], found[4], found[7]) == ("16.0", "(10, 15.0)", "4")


def test_names_that_shadow_builtins(shell: Shell) -> None:
    answers = shell(
        "e, cos = 5.0, 1\nfrom math import sin\nimport math as m\ndef clip(x): return 0",
        "%jib e * 2", "%jib cos + 1", "%jib math.cos(0)", "%jib sin(0.0)", "%jib abs(-3)", "%jib clip(1, 2, 3)", "%jib cos(1.0)",
        "%jib m.sin(0.0)", "del e", "%jib e < 3",
    )  # fmt: skip
    assert [answer.value for answer in answers[1:6]] == ["10.0", "2", "1.0", "0.0", "3"]
    assert "'clip' is a function of Python" in answers[6].out
    assert answers[7].error == "CompileError" and "'cos' is not a function" in answers[7].out
    assert "call it 'math'" in answers[8].out
    assert answers[10].value == "True"


def test_local_names_of_a_function(shell: Shell) -> None:
    answers = shell("x = 1", "def f(x): return get_ipython().run_line_magic('jib', 'x * 10')", "f(7)", "%jib x")
    assert values(answers)[2:] == ["70", "1"]


# ----------------------------------------------------------------------------------------------------------- options


def test_dump(shell: Shell) -> None:
    answers = shell(
        "%%jib --dump typed-ir\ndef f(a: int, b: float): return a + b",
        '%%jib --dump typed-ir --signature "(int)"\ndef g(x): return x',
        "g(1)",
        "g(1.5)",
        "x, y = 2, 0.5",
        "%%jib --dump typed-ir\nx * y",
        "%%jib --dump ast\n1 + x",
        "%%jib --dump clif\ndef h(x): return x",
        "%%jib --dump ir\nunknown + 1",
    )
    assert "func f(%0: int, %1: float) -> float" in answers[0].out and answers[0].value is None
    assert "func g(%0: int) -> int" in answers[1].out
    assert answers[2].value == "1" and answers[3].error == "TypeError"
    assert "%0: int, %1: float" in answers[5].out and answers[5].value == "1.0"
    assert "Binary op='add'" in answers[6].out and answers[6].value == "3"
    assert (
        answers[7].error == "UsageError"
        and "--signature" in answers[7].err + answers[7].out
        and answers[7].changed == []
    )
    assert answers[8].error == "CompileError"


def test_options(shell: Shell) -> None:
    answers = shell(
        "%%jib --name hyp\nsqrt(x*x + y*y)",
        "hyp(3, 4)",
        "hyp",
        "%%jib --name twice --signature float(float)\nlambda x: x + x",
        "twice(1)",
        "%%jib --arithmetic numpy\ndef inverse(x): return 1 / x\ninverse(0.0)",
        "inverse(0.0)",
        "%%jib\ninverse(2)",
        "%%jib --engine interpreter --opt-level none\ndef slow(n): return n + 1\nslow(1)",
        "%%jib --engine native\n1 + 1",
    )
    assert [answer.value for answer in answers] == [
        None, "5.0", "<jib function hyp(x, y)>", None, "2.0", "inf", "inf", None, "2", "2",
    ]  # fmt: skip
    assert answers[7].error == "CompileError" and 'arithmetic="numpy"' in answers[7].out


@pytest.mark.parametrize("line", [
    "--bogus", "--engine fast", "--dump", "--dump nonsense", "--signature", "--signature (int)", "--name 1x", "--name class", "stray",
    "--arithmetic", "--opt-level 3", "--dump=",
])  # fmt: skip
def test_bad_options(shell: Shell, line: str, known: dict[str, Answer] = {}) -> None:  # noqa: B006
    if not known:
        lines = [mark for mark in test_bad_options.pytestmark if mark.name == "parametrize"][0].args[1]  # type: ignore[attr-defined]
        known.update(zip(lines, shell(*[f"%%jib {each}\nx = 1" for each in lines])))
    assert known[line].error == "UsageError" and known[line].changed == []
    assert "Traceback" not in known[line].out + known[line].err


def test_help(shell: Shell) -> None:
    answers = shell("%jib --help", "%%jib --help\n1", "%jib", "%jib?")
    for answer in answers:
        assert answer.error is None and answer.value is None
        for word in ("--dump", "--signature", "--arithmetic", "--engine", "--opt-level", "--name", "typed-ir"):
            assert word in answer.out, answer.out


# ---------------------------------------------------------------------------------------------------------- failures


def test_mistakes_are_shown_in_the_cell(shell: Shell) -> None:
    answers = shell(
        "%%jib\ndef f(a, b):\n    return a / b +\n",
        "%%jib\n\n\nx = zzz + 1",
        "%%jib\nif True:\n",
        "%jib 1 +",
        "import jib; jib.compile('1 +')",
    )
    shown = [answer.out + answer.err for answer in answers]
    assert (
        "Cell In[2], line 3\n    return a / b +\n                  ^\nParseError: expected an expression after '+'"
        in shown[0]
    )
    assert "Cell In[3], line 4\n    x = zzz + 1\n        ^\nCompileError: name 'zzz' is not defined" in shown[1]
    assert "expected an indented block after 'if' on line 2" in shown[2]
    assert "    1 +\n       ^\nParseError" in shown[3]
    for answer, text in zip(answers[:4], shown):
        assert answer.error in ("ParseError", "CompileError") and answer.changed == []
        assert "Traceback" not in text and "site-packages" not in text and "integrations" not in text
    # What fails in Python's cells is shown as ever.
    assert "api.py" in shown[4] and "ParseError" in shown[4] and answers[4].error == "ParseError"


def test_failures_at_run_time_are_shown_in_the_cell(shell: Shell) -> None:
    answers = shell(
        "%%jib\ndef f(a, b):\n    return a // b",
        "%%jib\n\nf(1, 0)",
        "%jib f(1, 0)",
        "f(1, 0)",
        "%%jib\ny = 1\n[1][0]",
        "%%jib\ny = 1\nassert y > 1, 'small'",
        "import numpy as np; v = np.arange(3)",
        "%jib v[7]",
    )
    for answer in answers[1:4]:
        assert answer.error == "ZeroDivisionError" and answer.changed == []
    for answer in answers[1:3]:
        assert answer.out.split("\n")[:4] == [
            "ZeroDivisionError: integer division or modulo by zero",
            "  Cell In[2], line 3",
            "    return a // b",
            "           ^^^^^^",
        ]
    assert answers[5].error == "AssertionError" and answers[5].changed == [] and "Cell In[7], line 3" in answers[5].out
    assert "%jib, line 1\n    v[7]\n    ^" in answers[7].out


def test_a_cell_that_fails_changes_nothing(shell: Shell) -> None:
    answers = shell(
        GCD,
        "x = 1",
        "%%jib\nx = 2\ndef gcd(a, b): return 5\n1 // 0",
        "%%jib\ndef gcd(a, b): return 5\ndef bad(a): return nothing(a)",
        '%%jib --signature "(int)"\ndef gcd(a, b): return 5',
        "x, gcd(4, 6), lcm(4, 6)",
        "%jib x + lcm(4, 6)",
    )
    assert [answer.error for answer in answers[2:5]] == ["ZeroDivisionError", "CompileError", "CompileError"]
    assert [answer.changed for answer in answers[2:5]] == [[], [], []]
    assert values(answers[5:]) == ["(1, 2, 12)", "13"]


HOSTILE = """
class Bad:
    def __getattr__(self, name): raise RuntimeError(name)
    def __array__(self, *args, **kwargs): raise RuntimeError("array")
    def __index__(self): raise RuntimeError("index")
    def __float__(self): raise RuntimeError("float")
    def __eq__(self, other): raise RuntimeError("eq")
    def __bool__(self): raise RuntimeError("bool")
    def __repr__(self): raise RuntimeError("repr")
    @property
    def __class__(self): raise RuntimeError("class")
class Meta(type):
    __name__ = property(lambda cls: 1 / 0)
    def __getattr__(cls, name): raise RuntimeError(name)
    def mro(cls): return type.mro(cls)
class Worse(metaclass=Meta): pass
class Strange(int):
    def __int__(self): raise RuntimeError("int")
    def __mul__(self, other): return 99
class Plain:
    def __getattr__(self, name): raise RuntimeError(name)
bad, worse, strange, plain = Bad(), Worse(), Strange(3), Plain()
"""


def test_hostile_objects(shell: Shell) -> None:
    for numpy in ("", "import numpy\n"):
        cells = ["%jib strange * 2", "%jib bad + 1", "%jib worse + 1", "%%jib\nplain(1)", "%jib Worse", "%jib 1 + 1"]
        answers = shell(numpy + HOSTILE, *cells, "get_ipython().complete('sq', '%jib sq', 8)[1]")
        assert answers[1].value == "6"
        for answer in answers[2:6]:
            assert answer.error in ("CompileError", "RuntimeError") and "integrations" not in answer.out, answer.out
            assert "not part of the language" in answer.out or answer.error == "RuntimeError"
        assert answers[6].value == "2" and "sqrt" in str(answers[7].value)


GARBAGE = [
    "\x00", "x\x00y", "'\x1b[2J'", "\x1b[31m x", "(", "if 1:", "def f(:", "\tx\n y", "class A: pass", "(" * 500, "x" * 100_000, "\u202ex",
    'f"a"', "import os", "%time 1", "!ls", "return 3", "lambda a: a", "def a(): return 1\ndef a(): return 2", "raise ValueError('\x1b[2J')",
    "[" * 50, "a b c", "é = 1", "1 +" * 10_000, "def r(n): return r(n + 1)\nr(0)", "'\ud800'", "{x}", "$x", "x = = 1", '"""', "#", " ",
]  # fmt: skip


def test_garbage(shell: Shell) -> None:
    answers = shell(*[f"%%jib\n{text}\n" for text in GARBAGE])
    for text, answer in zip(GARBAGE, answers):
        assert answer.error is not None and answer.changed == [], text[:20]
        shown = answer.out + answer.err
        assert "\x1b" not in shown and "\x00" not in shown and "\u202e" not in shown, ascii(shown)
        assert "Traceback" not in shown and "integrations" not in shown, shown[:2000]


def test_huge_cells(shell: Shell) -> None:
    lines = "\n".join(f"    x = x + {n}" for n in range(3_000))
    answers = shell(
        "%%jib\n" + "1 + " * 5_000 + "1",
        f"%%jib\ndef f(x):\n{lines}\n    return x\nf(0)",
        "%%jib\n" + "x = 1\n" * 200_000,
    )
    assert (answers[0].value, answers[1].value) == ("5001", str(sum(range(3_000))))
    assert answers[2].error == "LimitError"
