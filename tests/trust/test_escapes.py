"""The known ways out of expression evaluators, and their bombs: each ends in a clear error, at its place, at once.

A text of jib never meets a Python object: there is nothing to walk from. So an escape is not caught but refused, as what it is.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

import jib

# Of each group: what all of its texts are refused with.
ESCAPES: dict[str, tuple[type[jib.JitError], str, list[str]]] = {
    "names between underscores": (jib.ParseError, "names between double underscores are Python's own", [
        "().__class__.__bases__[0].__subclasses__()", '"".__class__.__mro__[1].__subclasses__()', "x.__class__",
        "(1).__class__",
        "x.__init__.__globals__", "abs.__self__", "print.__self__", "sqrt.__module__", "math.__dict__",
        "math.__loader__.load_module('os')",
        "math.sin.__self__", "int.__subclasses__()", "x.__add__(1)", "(lambda: 0).__code__", "(lambda: 0).__globals__['x']",
        "__import__('os').system('id')", "__import__", "__builtins__", "__builtins__['eval']", "__builtins__.eval('1')",
        "__name__",
        "__file__", "__class__", "__debug__", "__build_class__(x, 'x')", "__loader__", "__debug__ = 1", "(__builtins__ := 1)",
        "def __getattr__(x): return x", "def f(__class__): return 1", "lambda __x__: 1", "f(__x__=1)", "x.__class__ = 1",
        "for __x__ in range(3): pass", "sum(1 for __x__ in range(3))", "def f(x: __import__('os')): return x",
    ]),
    "attributes": (jib.CompileError, "is not known", [
        "x.real", "x.denominator", "f.func_globals", "f.gi_frame.f_back", "(x for x in range(3)).gi_frame",
        "(x for x in range(3)).gi_frame.f_back.f_globals", "np.load('x')", "os.system('id')", "sys.exit()", "sys.modules",
        "open('/etc/passwd').read()", "float.fromhex('0x1')", "int.mro()", "x.tofile('x')", "numpy.f2py.os",
    ]),
    "attributes of texts": (jib.CompileError, "attribute", [
        "''.format", "'{0.x}'.format(x)", "'{0}'.format_map(x)", "''.join(('a', 'b'))", "'a'.encode", "'a'.zfill(10**10)",
    ]),
    "modules of math": (jib.CompileError, "is not defined", ["math.os", "math.sys", "math.eval('1')", "math.open"]),
    "assignments to attributes": (jib.ParseError, "cannot assign to an attribute", ["x.a = 1", "abs.x = 1", "math.pi = 3"]),
    "Python's functions": (jib.CompileError, "is Python's and not part of the language", [
        f"{name}(x)" for name in (  # noqa: SIM905
            "eval exec open compile globals locals vars dir type getattr setattr delattr hasattr object super input breakpoint exit "
            "quit help memoryview bytearray bytes str repr chr ord hash id iter next list dict set frozenset map filter callable "
            "isinstance issubclass staticmethod classmethod property slice format sorted reversed ascii bin hex oct complex tuple"
        ).split()
    ] + ["eval('1')", "exec('import os')", "type('X', (), x)", "getattr(x, 'real')", "open('/etc/passwd')",
    "tuple(range(10**9))"]),
    "formatted texts": (jib.ParseError, "f-strings are not part of the language", [
        'f"{x}"', 'f"{x.__class__}"', "F'{x!r:>{10**9}}'", 'rf"{x}"', 'fR"{x}"', 'f"""{x}"""', "print(f'{x}')",
    ]),
    "texts as values": (jib.CompileError, "a text is not a value", [
        "'%s' % x", "'%999999999d' % x", "'a'*10**9", "'a' * x", "x * 'a'", "'a' + 'b'", "x = 'abc'; x[0]", "int('1')",
        "float('nan')",
        "'a' == x", "('a', 'b')", "sum('a')", "x['a']",
    ]),
    "bytes": (jib.ParseError, "bytes are not part of the language", ["b'a'", "b'a' * 10**9", "rb''", "int.from_bytes(b'a')"]),
    "lists": (jib.ParseError, "lists are not part of the language", [
        "[]", "[1, 2, 3]", "[0]*10**9", "[[0]*10**5]*10**5", "[].__class__", "(x for x in [1]).gi_frame",
        "def f(x=[]): return x",
    ]),
    "comprehensions": (jib.ParseError, "comprehensions are not part of the language", [
        "[x for x in range(10**12)]", "[a for b in c for a in b]", "sum([x for x in range(10**12)])",
    ]),
    "sets and dicts": (jib.ParseError, "there are no sets and dicts", [
        "{}", "{1, 2}", "{'a': 1}", "{x for x in range(10**12)}", "{x: x for x in range(10**12)}", "type('X', (), {})",
    ]),
    "imports": (jib.ParseError, "imports are not part of the language", [
        "import os", "import os as x", "from os import system", "from os import *", "x;import os", "if 1: import os",
        "def f():\n  import os", "from __future__ import annotations",
    ]),
    "classes and decorators": (jib.ParseError, "are not part of the language", [
        "class A: pass", "class A(object):\n  x = 1", "class A(metaclass=x): pass", "@f\ndef g(x): return x",
        "@eval\ndef g(): pass",
    ]),
    "words": (jib.ParseError, "' is not part of the language", [
        "async def f(): pass", "async for i in x: pass", "await x", "def f(): yield 1", "yield x", "x = yield",
        "def f(): yield from x",
        "lambda: (yield)", "assert (yield)", "try:\n  x\nexcept:\n  y", "try:\n  x\nfinally:\n  y",
        "with open('x') as f: pass", "with x: pass",
        "del x", "del x.y", "global x", "nonlocal x", "def f():\n  global x\n  x = 1", "match x:\n  case 1: pass",
        "type X = int",
        "raise ValueError from x", "x is None", "x in (1, 2)", "x not in y", "...", "x @ y", "x as y",
    ]),
    "stars": (jib.ParseError, " are not part of the language", [
        "f(*x)", "max(*x)", "max(**x)", "print(*x)", "def f(*a): return a", "def f(**a): return a", "lambda *a: a",
        "lambda **a: a",
        "*a, b = x", "a, *b = x", "(*x,)", "x[*y]",
    ]),
    "functions as values": (jib.CompileError, "functions can be called, they are not values", [
        "abs", "x = abs", "(print,)", "x if y else abs", "max(abs, x)", "def f(x): return f",
        "def f(x):\n  def g(): return g\n  return g",
    ]),
    "calls of what is no function": (jib.CompileError, "is not a function", ["(y := sqrt)(x)", "x = 1; x()", "pi()",
        "x()()", "(x, y)()"]),
    "lambdas": (jib.CompileError, "a lambda must be the whole text", [
        "(lambda: 0)()", "(lambda f: f(f))(lambda f: f(f))", "lambda x: lambda y: x + y", "x if y else lambda: 0",
        "max(1, lambda: 0)",
        "(f := lambda: f())()", "for i in range(3):\n  f = lambda: i",
    ]),
    "closures": (jib.CompileError, "but changes; pass it as a parameter",
        ["def f(x):\n  y = x\n  def g(): return y\n  y = 2\n  return g()"]),
    "generators": (jib.CompileError, "a generator expression must be the argument of", ["(x for x in range(3))",
        "abs(x for x in range(3))"]),
    "exceptions": (jib.CompileError, "is not an exception that a text can raise", [
        "raise x", "raise SystemExit", "raise KeyboardInterrupt", "raise BaseException", "raise GeneratorExit",
        "raise MemoryError",
    ]),
    "messages of exceptions": (jib.ParseError, "an exception with at most a literal message", [
        "raise ValueError(x)", "raise ValueError('a', 'b')", "raise SystemExit(0)", "raise type(x)", "raise f.x",
    ]),
    "raising again": (jib.ParseError, "expected an exception after 'raise'", ["raise"]),
    "files of print": (jib.CompileError, "unexpected keyword argument", ["print(x, file=x)", "print(x, flush=True)",
        "sum(x, key=x)"]),
    "types": (jib.CompileError, "is not a type", [
        "x: eval('1') = 1", "def f(x: open('x')): return x", "def f(x) -> eval('1'): return x", "x: (y := 1) = 2",
        "x: 'eval(1)' = 1", "x: '__import__(\"os\")' = 1", "def f(x: 'y := 1'): return x", "x: '' = 1", "x: 'int; float' = 1",
        "x: 'int\\n' 'x' = 1", "x: '(' = 1",
    ]),
    "defaults": (jib.CompileError, "a default must be a literal", ["def f(x=eval('1')): return x", "lambda x=y: x",
        "def f(x=(1, 2)): return x"]),
    "walrus": (jib.ParseError, "only a name can stand before ':='", ["(x.a := 1)", "(x[0] := 1)", "(f() := 1)"]),
    "ranges as values": (jib.CompileError, "can only be what a loop goes over", [
        "range(10**12)", "range(x)[0]", "zip(x, x)", "enumerate(x)", "sum(range(x))", "x = range(3)", "max(range(10**12))",
    ]),
    "hidden code": (jib.ParseError, "", [
        "x\x00import os", "x # \r import os", "x # \u202e import os", "'\u2066'", "# \ud800\nx", "\ufeffx\ufeff",
        "x\u2028import os",
        "x\x0bimport os", "ｅval('1')", "x\\import os", "`id`", "!ls", "%timeit x", "?x", "$x", "x!r",
    ]),
}  # fmt: skip
REFUSED = [(text, kind, words) for kind, words, texts in ESCAPES.values() for text in texts]


@pytest.mark.parametrize(("text", "kind", "words"), REFUSED, ids=[ascii(text) for text, _, _ in REFUSED])
def test_escapes_are_refused(text: str, kind: type[jib.JitError], words: str) -> None:
    with pytest.raises(kind) as caught:
        jib.compile(text)
    error: Any = caught.value
    assert words in error.msg
    assert 1 <= error.lineno <= len(text.split("\n"))
    assert error.end_lineno == error.lineno
    assert 1 <= error.offset < error.end_offset <= len(error.text) + 1
    assert error.text == text.split("\n")[error.lineno - 1]
    assert "^" in "".join(traceback.format_exception_only(kind, error))


@pytest.mark.parametrize(
    "text", ["eval", "x + open", "(print := x)", "abs = exec", "type", "self", "os", "input * id", "cls"]
)
def test_names_of_python_are_only_names(text: str) -> None:
    """Without a call there is nothing to refuse: it is a parameter, and gets what the caller gives it: a number."""
    function = jib.compile(text)
    assert len(function.params) == len(set(function.params)) >= 1
    function(*[1] * len(function.params))
    for value in (eval, "1", os, set(), {}, object(), 1j, b""):
        with pytest.raises(TypeError, match="argument"):
            function(*[value] * len(function.params))


# ---------------------------------------------------------------------------------------------------- bombs

# Of numbers: the answer, or the exception. Nothing of these may be worked out in more than 64 bits, nor take long.
NUMBERS: dict[str, object] = {
    "9**9**9**9": OverflowError,
    "9**9**9": OverflowError,
    "x**x**x**x": OverflowError,
    "2**10**9": OverflowError,
    "2.0**10**9": OverflowError,
    "-9**9**9": OverflowError,
    "10**400": OverflowError,
    "(10**18)**(10**18)": OverflowError,
    "1<<10**9": OverflowError,
    "x<<10**18": OverflowError,
    "1<<63": OverflowError,
    "1>>10**18": 0,
    "0<<10**18": 0,
    "1<<-1": ValueError,
    "x=9\nx**=x\nx**=x\nx": OverflowError,
    "1**10**18": 1,
    "(-1)**10**18": 1,
    "0**10**18": 0,
    "pow(3, 10**18)": OverflowError,
    "pow(3, 10**18, 10**9+7)": pow(3, 10**18, 10**9 + 7),
    "pow(2, -1, 10**18)": ValueError,
    "pow(9, 9**19)": OverflowError,
    "factorial(10**9)": OverflowError,
    "factorial(10**18)": OverflowError,
    "factorial(21)": OverflowError,
    "comb(2**62, 2**61)": OverflowError,
    "comb(10**18, 9*10**17)": OverflowError,
    "comb(2**62, 1)": 2**62,
    "perm(2**62, 2**61)": OverflowError,
    "perm(10**18, 10**17)": OverflowError,
    "perm(2**62)": OverflowError,
    "perm(5, 10**18)": 0,
    "gcd(2**62, 3**39)": 1,
    "lcm(2**62, 3**39)": OverflowError,
    "isqrt(2**62)": 2**31,
    "round(5, -10**18)": 0,
    "round(5.5, 10**18)": 5.5,
    "round(1e308, -10**18)": 0.0,
    "ldexp(1.0, 10**18)": OverflowError,
    "ldexp(1.0, -10**18)": 0.0,
    "exp(10**18)": OverflowError,
    "gamma(10**18)": OverflowError,
    "divmod(10**18, -1)": (-(10**18), 0),
    "2**62*2": OverflowError,
    "-(-2**63)": OverflowError,
    "10**18*10**18": OverflowError,
    "1e308*10": float("inf"),
    "1e999": float("inf"),
    "int(1e300)": OverflowError,
    "len((0,)*10**9)": jib.CompileError,
    "(0,)*10**9": jib.CompileError,
    "1" * 4301: jib.LimitError,
    "1" * 4300: jib.CompileError,
    "0x" + "f" * 4300: jib.LimitError,
    "9" * 10**6: jib.LimitError,
    "nextafter(0.0, 1.0, steps=10**18)": jib.CompileError,
    "sum(1 for i in range(0))": 0,
    "max(i for i in range(0))": ValueError,
    "any(True for i in range(10**18))": True,
    "sum(1 for i in range(10**18, 0))": 0,
    "sum(1 for i in range(5, 10**18, 10**18))": 1,
    "sum(1 for i in range(0, 10, 0))": ValueError,
    "round(0.1, 10**9)": 0.1,
    "fmod(1e308, 5e-324)": 0.0,
    "remainder(1e308, 5e-324)": 0.0,
    "1e308 % 5e-324": 0.0,
    "2**63 % 7": OverflowError,
    "factorial(-1)": ValueError,
    "comb(-1, 2)": ValueError,
    "hypot(1e308, 1e308)": 1.4142135623730951e308,
}

SCRIPT = """
import ast, sys, time
import jib
jib.compile("a + 1")(1)
for text in ast.literal_eval(sys.stdin.read()):
    for options in ({}, {"engine": "interpreter"}, {"opt_level": "none"}):
        start = time.process_time()
        try:
            function = jib.compile(text, **options)
            answer = repr(function(*[9] * len(function.params)))
        except Exception as error:
            answer = type(error).__name__
        print(repr((text, answer, time.process_time() - start)), flush=True)
"""


def test_bombs_of_numbers_end_at_once() -> None:
    """In a process of its own, with a deadline and a bound on its memory: what ends badly ends there."""
    path = os.pathsep.join([str(Path(jib.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], input=repr(list(NUMBERS)), capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"PYTHONPATH": path}, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)),
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout[-200:], done.stderr[-500:])
    rows = [eval(line, {"__builtins__": {}}) for line in done.stdout.splitlines()]
    assert len(rows) == 3 * len(NUMBERS)
    for text, answer, seconds in rows:
        want = NUMBERS[text]
        assert answer == (want.__name__ if isinstance(want, type) else repr(want)), text[:60]
        assert seconds < 0.5, f"{text[:60]} took {seconds:.2f} s"


class Stop(Exception):
    pass


ENDLESS = [
    "sum(i for i in range(10**18))", "sum(1 for i in range(10**9) for j in range(10**9))", "while True: pass",
    "x = 1\nwhile x: x = 1",
    "for i in range(10**18): pass", "min(i for i in range(10**18))", "all(i >= 0 for i in range(10**18))",
    "any(i < 0 for i in range(10**18))",
    "prod(1 for i in range(10**18))", "sum(1 for i in range(10**18) if i < 0)", "i = 0\nwhile i >= 0:\n  i = -i\ni",
    "def f(n):\n  while True:\n    n = f2(n)\ndef f2(n): return n\ndef g(): return f(1)",
    "def f(n): return 0 if n == 0 else f(n - 1) + f(n - 1)\ndef g(): return f(60)",
]  # fmt: skip


@pytest.mark.parametrize("engine", ["native", "interpreter"])
@pytest.mark.parametrize("text", ENDLESS)
def test_what_does_not_end_can_be_stopped(text: str, engine: str) -> None:
    """A signal's handler that raises ends it, as Ctrl-C does."""
    function = jib.compile(text, "()", engine=engine)

    def handle(*_: object) -> None:
        raise Stop

    before = signal.signal(signal.SIGALRM, handle)
    start = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(Stop):
            function()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("engine", ["native", "interpreter"])
@pytest.mark.parametrize("text", [
    "def f(n): return f(n + 1)", "def f(n): return 1 + f(n)", "def f(n): return g(n)\ndef g(n): return f(n)",
    "def f(n): return f(f(n))", "f = lambda n: f(n)\nf(x)",
])  # fmt: skip
def test_endless_recursion_is_an_error(text: str, engine: str) -> None:
    with pytest.raises(RecursionError):
        jib.compile(text, "int(int)", engine=engine)(1)
