"""The peers: how each turns a text into an answer, how it is called, how a process of it starts.

In: texts. Out: work to be timed. Always holds: each does it in the way that is natural and quick for it; one that is not installed is
`absent`, and one that cannot do something gives None.
"""

from __future__ import annotations

import ctypes
import math
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from .measure import Work
from .texts import Text

#: An expression that adds the floats x and y, and what its names stand for.
Adder = tuple[str, dict[str, Any]]


class Peer:
    """What all have; `module` is imported when it is asked for, never before."""

    name = ""
    module = ""
    script = ""
    """A program that prints 42, the sum of 7 and 35."""
    lines = 0
    """How many lines a text may have; an expression has none."""

    def load(self) -> Any:
        return import_module(self.module)

    def answer(self, text: Text) -> Work | None:
        """From the text to its answer, all of it anew each time."""
        if text.source.count("\n") > self.lines:
            return None
        return self._answer(self.load(), text, text.spelled.get(self.name, text.source))

    def _answer(self, module: Any, text: Text, source: str) -> Work | None:
        return None

    def adder(self) -> Adder | None:
        return None


class Jib(Peer):
    name, module, lines = "jib", "jib", 10**6
    script = 'import jib; print(jib.compile("a + b")(7, 35))'

    def _answer(self, module: Any, text: Text, source: str) -> Work:
        args = [*text.args.values()]
        return lambda: module.compile(source)(*args)

    def adder(self) -> Adder:
        return "f(x, y)", {"f": self.load().compile("a + b")}


class Python(Peer):
    """CPython's own `compile`, and `eval` or a call."""

    name, module, lines = "CPython", "builtins", 10**6
    script = 'print(eval("a + b", {"a": 7, "b": 35}))'

    def _answer(self, module: Any, text: Text, source: str) -> Work:
        args = [*text.args.values()]
        if not text.is_expression:
            return lambda: text.python()(*args)
        values = {**vars(math), **text.args}
        return lambda: eval(compile(source, "<text>", "eval"), values)

    def adder(self) -> Adder:
        return "f(x, y)", {"f": lambda a, b: a + b}


class Numexpr(Peer):
    name = module = "numexpr"
    script = 'import numexpr; print(numexpr.evaluate("a + b", {"a": 7, "b": 35}))'

    def _answer(self, module: Any, text: Text, source: str) -> Work:
        return lambda: module.evaluate(source, text.args, disable_cache=True)

    def adder(self) -> Adder:
        return "f(x, y)", {"f": self.load().NumExpr("a + b", [("a", float), ("b", float)])}


class Numba(Peer):
    name, module, lines = "numba", "numba", 10**6
    script = 'import numba; print(numba.njit(eval("lambda a, b: a + b"))(7, 35))'

    def load(self) -> Any:
        numba = import_module("numba")
        numba.njit(lambda a: a)(1.5)  # the first of a process takes a second
        return numba

    def compiled(self, function: Any) -> Any:
        """Division raises as Python's does. Overflow and indices numba does not check unless it is asked to."""
        return import_module("numba").njit(function, error_model="python")

    def _answer(self, module: Any, text: Text, source: str) -> Work:
        args = [*text.args.values()]
        return lambda: self.compiled(text.python())(*args)

    def adder(self) -> Adder:
        self.load()
        return "f(x, y)", {"f": self.compiled(lambda a, b: a + b)}


class Asteval(Peer):
    name, module, lines = "asteval", "asteval", 10**6
    script = 'import asteval; print(asteval.Interpreter({"a": 7, "b": 35}, use_numpy=False)("a + b"))'

    def _answer(self, module: Any, text: Text, source: str) -> Work:
        interpreter = module.Interpreter(use_numpy=False)
        interpreter.symtable.update(text.args)
        if text.is_expression:
            return lambda: interpreter(source, raise_errors=True)

        args = [*text.args.values()]

        def work() -> object:
            interpreter(source, raise_errors=True)
            return interpreter.symtable["work"](*args)

        return work

    def adder(self) -> Adder:
        interpreter = self.load().Interpreter(use_numpy=False)
        interpreter("def f(a, b): return a + b", raise_errors=True)
        return "f(x, y)", {"f": interpreter.symtable["f"]}


class Simpleeval(Peer):
    name = module = "simpleeval"
    script = 'import simpleeval; print(simpleeval.simple_eval("a + b", names={"a": 7, "b": 35}))'

    def _answer(self, module: Any, text: Text, source: str) -> Work:
        functions = {"sin": math.sin}
        return lambda: module.SimpleEval(names=text.args, functions=functions).eval(source)

    def adder(self) -> Adder:
        evaluator = self.load().SimpleEval()
        tree = evaluator.parse("a + b")

        def f(a: float, b: float) -> object:
            evaluator.names = {"a": a, "b": b}
            return evaluator.eval("a + b", previously_parsed=tree)

        return "f(x, y)", {"f": f}


class Sympy(Peer):
    """`lambdify` of what `sympify` reads."""

    name = module = "sympy"
    script = 'import sympy; print(sympy.lambdify(sympy.symbols("a b"), sympy.sympify("a + b"))(7, 35))'

    def _answer(self, module: Any, text: Text, source: str) -> Work:
        args = [*text.args.values()]
        return lambda: module.lambdify(module.symbols(list(text.args)), module.sympify(source), "math")(*args)

    def adder(self) -> Adder:
        sympy = self.load()
        return "f(x, y)", {"f": sympy.lambdify(sympy.symbols("a b"), sympy.sympify("a + b"), "math")}


class Builtin(Peer):
    """A function of C that takes two floats: what a call costs at least."""

    name, module = "C builtin", "math"

    def adder(self) -> Adder:
        return "f(x, y)", {"f": math.copysign}


ADD = "double add(double a, double b) { return a + b; }\n"


class Ctypes(Peer):
    name, module = "ctypes", "ctypes"

    def adder(self) -> Adder | None:
        library = compiled_c(ADD)
        if library is None:
            return None
        add = ctypes.CDLL(str(library)).add
        add.restype, add.argtypes = ctypes.c_double, [ctypes.c_double] * 2
        return "f(x, y)", {"f": add}


class Cffi(Peer):
    name, module = "cffi", "cffi"

    def adder(self) -> Adder | None:
        """Through a module that cffi generates and the compiler compiles: its quicker way."""
        cffi = self.load()
        if c_compiler() is None:
            return None
        ffi = cffi.FFI()
        ffi.cdef("double add(double a, double b);")
        ffi.set_source("_jib_bench_add", ADD, extra_compile_args=["-O2"])
        with tempfile.TemporaryDirectory() as folder:
            from importlib.util import module_from_spec, spec_from_file_location

            try:
                file = ffi.compile(tmpdir=folder)
            except (ImportError, cffi.VerificationError):  # without setuptools, or without Python's headers
                return None
            spec = spec_from_file_location("_jib_bench_add", file)
            assert spec is not None and spec.loader is not None
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
        return "f(x, y)", {"f": module.lib.add}


JIB, PYTHON, NUMBA = Jib(), Python(), Numba()
EVALUATORS: tuple[Peer, ...] = (JIB, PYTHON, Numexpr(), NUMBA, Asteval(), Simpleeval(), Sympy())
CALLED: tuple[Peer, ...] = (Builtin(), *EVALUATORS, Cffi(), Ctypes())


def present(peers: Iterable[Peer]) -> tuple[list[Peer], list[str]]:
    """Those that can be imported, and the names of the others."""
    here, absent = [], []
    for peer in peers:
        try:
            peer.load()
        except ImportError:
            absent.append(peer.name)
        else:
            here.append(peer)
    return here, absent


def c_compiler() -> str | None:
    return shutil.which("gcc") or shutil.which("cc")


def compiled_c(source: str) -> Path | None:
    """A shared library of C, by -O2; None without a compiler. It is left to the system's cleaning of temporary files."""
    compiler = c_compiler()
    if compiler is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="jib-bench-"))
    (folder / "it.c").write_text(source)
    library = folder / "it.so"
    words = [compiler, "-O2", "-shared", "-fPIC", str(folder / "it.c"), "-o", str(library), "-lm"]
    return None if subprocess.run(words, capture_output=True).returncode else library
