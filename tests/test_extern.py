"""Functions of the host: what may be one, what a text sees of it, what it is handed, and what it may do."""

from __future__ import annotations

import copy
import ctypes
import functools
import gc
import inspect
import math
import pickle
import platform
import shutil
import subprocess
import sys
import threading
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import jib
from jib import _native, ir
from stacks import on_stack

ENGINES = ("native", "interpreter", "auto")
EVERYWHERE = [
    {"engine": "native"},
    {"engine": "native", "opt_level": "none"},
    {"engine": "interpreter"},
    {"engine": "auto"},
]
LIBM = "libm.so.6" if sys.platform == "linux" else None
MOST = (1 << 63) - 1

pytestmark = pytest.mark.usefixtures("verified")


def c_function(python: Callable[..., Any], result: Any, *params: Any) -> Any:
    return ctypes.CFUNCTYPE(result, *params)(python)


def everywhere(text: str, *externs: jib.Extern, **options: Any) -> list[Callable[..., Any]]:
    return [jib.compile(text, externs=externs, **each, **options) for each in EVERYWHERE]


def twice(x: float) -> float:
    """A callable that a pickle can name."""
    return x * 2


# ------------------------------------------------------------------------------------------------------ what may be one


def test_a_function_of_ctypes() -> None:
    triple = jib.extern(c_function(lambda x: x * 3, ctypes.c_double, ctypes.c_double), name="triple")
    assert repr(triple) == "<jib extern triple: float(float)>"
    assert (triple.name, triple.signature, triple.pure) == ("triple", "float(float)", False)
    assert triple(2) == 6.0
    for f in everywhere("triple(x) + 1", triple):
        assert (f(2), f(2.5), f(True)) == (7.0, 8.5, 4.0)


def test_a_library_and_a_symbol() -> None:
    for library in (LIBM, ctypes.CDLL(LIBM)):
        hypot = jib.extern((library, "hypot"), "double(double, double)")
        assert hypot.name == "hypot"
        for f in everywhere("hypot(x, y)", hypot):
            assert f(3, 4) == 5.0
    renamed = jib.extern((LIBM, "ldexp"), "f64(f64, i32)", "scale")
    assert [f(0.5, 4) for f in everywhere("scale(x, n)", renamed)] == [8.0] * 4


def test_a_function_of_a_loaded_library() -> None:
    cbrt = ctypes.CDLL(LIBM).cbrt
    with pytest.raises(TypeError, match="cbrt.. does not declare its types: give its signature"):
        jib.extern(cbrt)
    assert jib.extern(cbrt, "double(double)")(8) == 2.0
    cbrt.argtypes, cbrt.restype = [ctypes.c_double], ctypes.c_double
    assert jib.extern(cbrt)(8) == 2.0


def test_a_function_of_cffi() -> None:
    cffi = pytest.importorskip("cffi")
    ffi = cffi.FFI()
    ffi.cdef("double ldexp(double, int); int printf(const char *, ...);")
    library = ffi.dlopen(LIBM)
    ldexp = jib.extern(library.ldexp, name="ldexp")
    assert ldexp.signature == "float(float, i32)"
    assert [f(0.5, 4) for f in everywhere("ldexp(x, n)", ldexp)] == [8.0] * 4
    weigh = ffi.callback(
        "int64_t(_Bool, unsigned char, short, float)", lambda a, b, c, d: int(a * 1000 + b * 100 + c * 10 + d)
    )
    made = jib.extern(weigh, name="weigh")
    assert made.signature == "int(bool, u8, i16, f32)"
    assert made(True, 2, 3, 4.5) == 1234
    nothing = jib.extern(ffi.callback("void(void)", lambda: None), name="nothing")
    assert nothing() is None
    for wrong in ("int(void *)", "int(char)", "long double(int)"):
        with pytest.raises(TypeError, match="a text can hand over numbers and bools, not "):
            jib.extern(ffi.cast(wrong.replace("(", "(*)(", 1), 1), name="f")
    for value in (ffi.cast("int(*)(int, ...)", 1), ffi.new("int *")):
        with pytest.raises(TypeError, match="takes a function pointer of fixed types, not "):
            jib.extern(value, name="f")
    with pytest.raises(ValueError, match="NULL"):
        jib.extern(ffi.cast("int(*)(int)", 0), name="f")


def test_an_address() -> None:
    callback = c_function(lambda x: -x, ctypes.c_int64, ctypes.c_int64)
    address = ctypes.cast(callback, ctypes.c_void_p).value
    minus = jib.extern(unsafe_address=address, signature="int(int)", name="minus")
    assert [f(5) for f in everywhere("minus(x)", minus)] == [-5] * 4
    with pytest.raises(TypeError, match="an address is given as unsafe_address="):
        jib.extern(address, "int(int)", "minus")
    for wrong in ("1", 1.0, True):
        with pytest.raises(TypeError, match="unsafe_address must be an int"):
            jib.extern(unsafe_address=wrong, signature="int(int)", name="f")  # type: ignore[arg-type]
    for wrong in (0, -1, 1 << 64):
        with pytest.raises(ValueError, match="unsafe_address is not the address of a function"):
            jib.extern(unsafe_address=wrong, signature="int(int)", name="f")
    with pytest.raises(TypeError, match="a target or unsafe_address, not both"):
        jib.extern(twice, unsafe_address=address)


def test_a_python_callable() -> None:
    made = jib.extern(twice)
    assert made.signature == "float(float)"
    assert [f(3) for f in everywhere("twice(x) + x", made)] == [9.0] * 4
    shout = jib.extern(lambda n: "a" * n, "None(int)", "shout")
    with pytest.raises(TypeError, match="shout.. must return None, not str"):
        shout(3)
    partial = jib.extern(functools.partial(pow, 2), "int(int)", "power_of_two")
    assert partial(10) == 1024
    compiled = jib.extern(jib.compile("def area(w: float, h: float) -> float: return w * h"))
    assert compiled.signature == "float(float, float)"
    assert [f(2, 3) for f in everywhere("area(w, h)", compiled)] == [6.0] * 4


def test_callables_without_all_annotations_need_a_signature() -> None:
    def half(x: float): return x / 2  # type: ignore[no-untyped-def]  # fmt: skip  # noqa: E704

    def rest(*x: float) -> float: return 0.0  # fmt: skip  # noqa: E704

    for target in (half, rest, math.gcd, max):
        with pytest.raises(TypeError, match="does not declare its types"):
            jib.extern(target)
    assert jib.extern(half, "f32(f32)")(3) == 1.5


def test_names() -> None:
    with pytest.raises(ValueError, match="'<lambda>' is not a name that a text can call; give name="):
        jib.extern(lambda: 0, "int()")
    with pytest.raises(TypeError, match="no name of its own: give name="):
        jib.extern(functools.partial(twice, 1.0), "float()")
    for wrong in ("", "1x", "a.b", "for", "__x__", "é", "None"):
        with pytest.raises(ValueError, match="is not a name that a text can call"):
            jib.extern(twice, name=wrong)
    with pytest.raises(TypeError, match="name must be a str, not int"):
        jib.extern(twice, name=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("signature", "error", "words"),
    [
        ("float(float", jib.CompileError, "'float\\(float' is not a signature"),
        ("float(str)", jib.CompileError, "'str' is not a type"),
        ("(float)", jib.CompileError, "does not say what the function returns"),
        ("float(tuple[int, int])", jib.CompileError, "takes and gives numbers and bools, not 'tuple\\[int, int\\]'"),
        ("tuple[int, int](int)", jib.CompileError, "takes and gives numbers and bools, not 'tuple\\[int, int\\]'"),
        ("int(None)", jib.CompileError, "takes and gives numbers and bools, not 'None'"),
        ("f64(f64[:])", jib.CompileError, "arrays are not part of the language yet"),
        (f"int({', '.join(['int'] * 17)})", jib.LimitError, "a function of the host takes at most 16 arguments"),
        (b"int(int)", TypeError, "signature must be a str, not bytes"),
    ],
)
def test_signatures_that_are_none(signature: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        jib.extern(twice, signature)


def test_the_mistake_in_a_signature_has_a_place() -> None:
    with pytest.raises(jib.CompileError) as caught:
        jib.extern(twice, "float(floot)")
    assert (caught.value.offset, caught.value.end_offset, caught.value.text) == (7, 12, "float(floot)")


def test_spellings_of_types() -> None:
    read = jib.extern(lambda *args: 0, "double(double, float, f64, float32, int, int32, uint8, bool)", "f")
    assert read.signature == "float(float, float, float, f32, int, i32, u8, bool)"


def test_a_given_signature_must_be_the_declared_one() -> None:
    callback = c_function(int, ctypes.c_int, ctypes.c_double)
    assert jib.extern(callback, "int32( f64 )", "f").signature == "i32(float)"
    for wrong in ("int(double)", "i32(f32)", "i32()", "None(double)"):
        with pytest.raises(TypeError, match="f.. has the signature 'i32\\(float\\)', not '"):
            jib.extern(callback, wrong, "f")


@pytest.mark.parametrize("kind", ["c_char", "c_wchar", "c_char_p", "c_void_p", "py_object", "c_longdouble"])
def test_types_of_ctypes_that_no_text_has(kind: str) -> None:
    each = getattr(ctypes, kind)
    if kind == "c_longdouble" and each is ctypes.c_double:
        pytest.skip("a long double is a double here")
    with pytest.raises(TypeError, match="argtypes: a text can hand over numbers and bools, not "):
        jib.extern(c_function(lambda x: 0, ctypes.c_int, each), name="f")


def test_functions_of_ctypes_that_are_more_than_c() -> None:
    with pytest.raises(TypeError, match="may raise"):
        jib.extern(ctypes.pythonapi.PyLong_AsLong, "int(int)", "f")
    with pytest.raises(TypeError, match="may raise"):
        jib.extern((ctypes.pythonapi, "PyLong_AsLong"), "int(int)")
    checked = ctypes.CDLL(LIBM).sin
    checked.errcheck = lambda *args: 0  # type: ignore[assignment]
    with pytest.raises(TypeError, match="errcheck"):
        jib.extern(checked, "double(double)")
    converted = ctypes.CDLL(LIBM).sin
    converted.argtypes, converted.restype = [ctypes.c_double], lambda code: code
    with pytest.raises(TypeError, match="restype: a text can hand over"):
        jib.extern(converted, "double(double)")
    with pytest.raises(ValueError, match="NULL"):
        jib.extern(ctypes.CFUNCTYPE(ctypes.c_int)(), name="f")


def test_libraries_and_symbols_that_are_not_there() -> None:
    with pytest.raises(OSError):
        jib.extern(("libnowhere.so", "f"), "int(int)")
    with pytest.raises(AttributeError, match="nowhere"):
        jib.extern((LIBM, "nowhere"), "int(int)")
    with pytest.raises(TypeError, match="does not declare its types"):
        jib.extern((LIBM, "sin"))
    for wrong in ((LIBM,), (LIBM, 3), (LIBM, "sin", "cos")):
        with pytest.raises(TypeError, match="a pair of library and symbol"):
            jib.extern(wrong, "double(double)", "f")
    with pytest.raises(TypeError, match="a library is a path or a ctypes.CDLL, not int"):
        jib.extern((3, "sin"), "double(double)")


def test_other_objects_are_refused() -> None:
    for wrong in (None, 1.5, "libm.so.6", object(), [1]):
        with pytest.raises(TypeError, match="takes a C function or a Python callable, not "):
            jib.extern(wrong, "int(int)", "f")
    with pytest.raises(TypeError, match="pure must be a bool"):
        jib.extern(twice, pure=1)  # type: ignore[arg-type]
    for wrong in ((twice,), (jib.extern(twice), "twice"), 3):
        with pytest.raises(TypeError):
            _native.Callable(
                b"", None, "f", (), None, "native", "speed", "python", jib.Limits(), None, None, externs=wrong
            )  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------- in a text


def test_the_option() -> None:
    made = jib.extern(twice)
    for wrong in (made, "twice", 3, [twice], [made, None]):
        with pytest.raises(TypeError, match="externs must be a sequence of jib.Extern, not "):
            jib.compile("x", externs=wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="externs: two of them are called 'twice'"):
        jib.compile("x", externs=[made, jib.extern(abs, "float(float)", "twice")])
    assert jib.compile("twice(x)", externs=iter([made]))(2) == 4.0
    assert jib.compile("x", externs=[])(2) == 2


def test_names_of_the_text_go_before_those_of_the_host_and_these_before_builtins() -> None:
    made = [jib.extern(lambda x: -x, "float(float)", name) for name in ("f", "sin", "sum", "range", "print", "pi")]
    assert jib.compile("f(x)", externs=made)(1) == -1
    assert jib.compile("sin(x) + math.sin(x)", externs=made)(0.5) == -0.5 + math.sin(0.5)
    assert jib.compile("sum(x) + print(x) + range(x) + pi(x)", externs=made)(1) == -4
    assert jib.compile("def f(x): return x\ndef g(x): return f(x)", externs=made)(1) == 1
    assert jib.compile("f = lambda x: x + 1\nf(x)", externs=made)(1) == 2
    assert jib.compile("f = x\nf", externs=made)(7) == 7
    assert jib.compile("pi + f", params=["f", "pi"], externs=made)(7, 1) == 8
    assert jib.compile("pi = 3\npi", externs=made)() == 3
    for text in ("for i in range(x):\n    pass", "math.sin(i for i in range(3))", "sin"):
        with pytest.raises(jib.CompileError):
            jib.compile(text, externs=made)
    with pytest.raises(jib.CompileError, match="'f' is not a function"):
        jib.compile("lambda f: f(1)", externs=made)
    with pytest.raises(jib.CompileError, match="'f' is a function; functions can be called, they are not values"):
        jib.compile("f + x", externs=made)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("f(1)", "f\\(\\) takes 2 positional arguments but 1 was given"),
        ("f(1, 2, 3)", "f\\(\\) takes 2 positional arguments but 3 were given"),
        ("f(1, y=2)", "f\\(\\) takes no keyword arguments"),
        ("f(1.5, 2)", "f\\(\\) argument 1 must be i8, not float"),
        ("f(1, (2, 3))", "f\\(\\) argument 2 must be float, not tuple\\[int, int\\]"),
        ("f(1, None)", "f\\(\\) argument 2 must be float, not None"),
        ("f(1, print(1))", "f\\(\\) argument 2 must be float, not None"),
        ('f(1, "a")', "a text is not a value"),
        ("g(1, 2)", "name 'g' is not defined; did you mean 'gg'"),
    ],
)
def test_calls_that_do_not_fit(text: str, words: str) -> None:
    externs = [jib.extern(lambda x, y: 0, "int(i8, float)", "f"), jib.extern(lambda: 0, "int()", "gg")]
    with pytest.raises(jib.CompileError, match=words) as caught:
        jib.compile(text, "()", externs=externs)
    assert caught.value.lineno == 1


def test_operands_become_what_is_declared() -> None:
    seen: list[Any] = []
    note = jib.extern(lambda *args: seen.append(args), "None(int, float, f32, u8)", "note")
    for f in everywhere("note(a, b, c, d)", note):
        assert f(True, 2**53 + 1, 0.1, 255) is None
        with pytest.raises(OverflowError):
            f(1, 1, 1, 256)
    assert seen == [(1, 9007199254740992.0, 0.10000000149011612, 255)] * 4
    assert [type(each) for each in seen[0]] == [int, float, float, int]


def test_calls_of_the_object_itself() -> None:
    f = jib.extern(lambda x, y: x, "i8(i8, float)", "f")
    for args, kind, words in [
        ((), TypeError, "takes 2 positional arguments but 0 were given"),
        ((1, 2, 3), TypeError, "takes 2 positional arguments but 3 were given"),
        (("1", 2), TypeError, "f\\(\\) argument '1' must be i8, not str"),
        ((1.0, 2), TypeError, "f\\(\\) argument '1' must be i8, not float"),
        ((200, 2), OverflowError, "f\\(\\) argument '1' is outside i8"),
        ((1, "2"), TypeError, "f\\(\\) argument '2' must be float, not str"),
    ]:
        with pytest.raises(kind, match=words):
            f(*args)
    with pytest.raises(TypeError):
        f(1, y=2)
    assert f(-128, 0) == -128


def test_the_ir_names_it_and_so_do_the_other_stages() -> None:
    f = jib.compile("twice(x) + 1", "(float)", externs=[jib.extern(twice, pure=True)])
    module = ir.from_text(f.dump("ir"))
    assert module.externs == ("twice",) and ir.to_text(module).rstrip() == f.dump("ir")
    assert "extern.pure twice(%0)" in f.dump("typed-ir")
    c = jib.compile("cbrt(x)", "(float)", externs=[jib.extern((LIBM, "cbrt"), "double(double)")])
    assert "; cbrt" in c.dump("clif") and "extern cbrt(%0)" in c.dump("typed-ir")
    assert "cbrt" in c.dump("asm") and "extern cbrt" in c.dump("cfg")
    assert c._traps() == 0


def test_bytes_that_are_wrong_about_it_are_refused() -> None:
    text = "lines 0\nexterns f\nfunc g(x @0:1) @0:1\n  locals x\nblock0:\n  %0 = get x @0:1\n  %1 = extern f %0 @0:1\n  return %1 @0:1\n"
    module = ir.from_text(text)
    assert ir.to_text(module) == text
    one = jib.extern(lambda x: x, "int(int)", "f")
    two = jib.extern(lambda x, y: x, "int(int, int)", "f")
    other = jib.extern(lambda x: x, "int(int)", "h")

    def load(module: ir.Module, *externs: jib.Extern) -> Any:
        from jib.builtins import Param
        from jib.source import Source

        params = (Param("x", "any", True, None),)
        return _native.Callable(
            ir.encode(module), Source("x"), "g", params, None, "native", "speed", "python", jib.Limits(), None, None, externs=externs
        )  # fmt: skip

    assert load(module, one)(5) == 5
    for externs in ((), (two,), (other,), (one, one)):
        with pytest.raises(jib.InternalError, match="the IR that crossed is broken"):
            load(module, *externs)
    block = module.functions[0].blocks[0]
    block[1] = ir.Instruction("extern", (1, 0), 0, 1)
    with pytest.raises(jib.InternalError, match="index of a host function"):
        load(module, one)
    block[1] = ir.Instruction("extern", (0, 1), 0, 1)
    with pytest.raises(jib.InternalError, match="instruction 1 uses 1"):
        load(module, one)


# ------------------------------------------------------------------------------------------------ what it is handed


EXTREMES: dict[str, tuple[Any, list[Any]]] = {
    "bool": (ctypes.c_bool, [False, True]),
    **{
        f"{letter}{bits}": (
            getattr(ctypes, f"c_{'u' * (letter == 'u')}int{bits}"),
            [
                0,
                1,
                2 ** (bits - 1) - 1,
                *([2**bits - 1, 2 ** (bits - 1)] if letter == "u" else [-1, -(2 ** (bits - 1))]),
            ],
        )
        for letter in "iu"
        for bits in (8, 16, 32, 64)
    },
    "f32": (ctypes.c_float, [0.0, -0.0, 1.5, math.inf, -math.inf, 2.0**-149, 3.4028234663852886e38, math.nan]),
    "f64": (ctypes.c_double, [0.0, -0.0, 0.1, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, math.nan]),
}


def same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and repr(a) == repr(b)


@pytest.mark.parametrize("name", EXTREMES)
def test_extreme_values_of_every_type(name: str) -> None:
    kind, values = EXTREMES[name]
    seen: list[Any] = []

    def identity(x: Any) -> Any:
        seen.append(x)
        return x

    by_c = jib.extern(c_function(identity, kind, kind), name="f")
    by_python = jib.extern(identity, f"{name}({name})", "f")
    assert by_c.signature == by_python.signature
    for made in (by_c, by_python):
        for f in [made, *everywhere(f"def g(x: {name}) -> {name}: return f(x)", made)]:
            for value in values:
                seen.clear()
                assert same(f(value), value)
                assert same(seen, [value])


def test_many_arguments_of_mixed_kinds() -> None:
    names = [
        "i8",
        "f64",
        "u64",
        "f32",
        "bool",
        "i64",
        "f64",
        "u16",
        "i32",
        "f32",
        "u8",
        "f64",
        "i16",
        "u32",
        "f64",
        "i64",
    ]
    values = [
        -128,
        0.1,
        2**64 - 1,
        0.5,
        True,
        -(2**63),
        1e300,
        65535,
        -(2**31),
        -1.5,
        255,
        -0.0,
        -32768,
        2**32 - 1,
        math.inf,
        MOST,
    ]
    seen: list[Any] = []

    def note(*args: Any) -> int:
        seen.append(args)
        return len(args)

    params = [f"a{at}" for at in range(len(names))]
    head = ", ".join(f"{param}: {name}" for param, name in zip(params, names))
    text = f"def g({head}): return f({', '.join(params)})"
    for count in range(17):
        part = names[:count]
        by_c = jib.extern(c_function(note, ctypes.c_int, *[EXTREMES[name][0] for name in part]), name="f")
        by_python = jib.extern(note, f"i32({', '.join(part)})", "f")
        some = text.replace(f"f({', '.join(params)})", f"f({', '.join(params[:count])})")
        for made in (by_c, by_python):
            assert made(*values[:count]) == count
            for f in [jib.compile(some, externs=[made], engine=engine) for engine in ENGINES]:
                assert f(*values) == count
    assert len(seen) == 17 * 2 * 4
    assert all(same(args, tuple(values[: len(args)])) for args in seen)


@pytest.fixture(scope="module")
def routines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of routines in assembler."""
    if sys.platform != "linux" or platform.machine() != "x86_64" or not shutil.which("cc"):
        pytest.skip("needs an assembler for x86-64 and the System V convention")
    library = tmp_path_factory.mktemp("routines") / "routines.so"
    source = Path(__file__).parent / "data" / "routines_x86_64.s"
    done = subprocess.run(["cc", "-shared", "-o", library, source], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot assemble: {done.stderr}")
    return library


def test_registers_are_extended(routines: Path) -> None:
    for name in ("i8", "u8", "i16", "u16", "i32", "u32", "bool"):
        whole = jib.extern((routines, f"whole_{name}"), f"i64({name})", "whole")
        for f in [whole, *everywhere(f"def g(x: {name}): return whole(x)", whole)]:
            for value in EXTREMES[name][1]:
                assert f(value) == int(value)


def test_what_stands_above_a_result_is_ignored(routines: Path) -> None:
    for name, want in [
        ("i8", -128), ("u8", 128), ("i16", 0x8080 - 2**16), ("u16", 0x8080), ("i32", 0x80808080 - 2**32), ("u32", 0x80808080),
        ("bool", True), ("u64", 0xDEADBEEF80808080), ("None", None),
    ]:  # fmt: skip
        dirty = jib.extern((routines, "dirty"), f"{name}()")
        for f in [dirty, *everywhere("dirty()", dirty)]:
            assert same(f(), want)
    single = jib.extern((routines, "dirty_f32"), "f32(f32)")
    assert [f(1.25) for f in [single, *everywhere("dirty_f32(x)", single)]] == [2.5] * 5
    dirty = jib.extern((routines, "dirty"), "bool()")
    assert [f(3) for f in everywhere("x + 1 if dirty() else x", dirty)] == [4] * 4
    assert [f() for f in everywhere("dirty() + dirty()", dirty)] == [2] * 4


def test_registers_that_a_callee_may_change(routines: Path) -> None:
    clobber = jib.extern((routines, "clobber"), "i64(i64, f64)")
    text = """
a, b, c, d, e, g = n + 1, n + 2, n + 3, n + 4, n + 5, n + 6
p, q, r, s = x + 1, x + 2, x + 3, x + 4
total = 0
for i in range(n):
    total += clobber(i, p) + a - b + c - d + e - g
    q += r * s
total + q + a + b + c + d + e + g + p + r + s
"""
    want = jib.compile(text, externs=[jib.extern(lambda i, p: i + int(p), "int(int, float)", "clobber")])
    for f in everywhere(text, clobber):
        assert f(20, 0.5) == want(20, 0.5)


def test_arguments_on_the_stack_and_much_stack(routines: Path) -> None:
    signature = f"f64({', '.join(['i64'] * 7 + ['f64'] * 9)})"
    made = jib.extern((routines, "on_stack"), signature)
    for f in [made, *everywhere(f"on_stack({', '.join('abcdfghijklmnopq')})", made)]:
        assert f(*range(1, 8), *[at / 2 for at in range(9)]) == 74.0
    deep = jib.extern((routines, "deep"), "i64(i64)")
    functions = [
        deep,
        *everywhere("deep(x)", deep),
        *everywhere("def f(n): return deep(0) if n == 0 else f(n - 1) + 1", deep),
    ]
    answers: list[Any] = []
    for kib in (64, 128, 256, 1024):

        def call() -> None:
            for f in functions:
                try:
                    answers.append(f(3))
                except RecursionError:
                    assert kib < 1024  # noqa: B023

        on_stack(kib, call)
    assert set(answers) == {4} and len(answers) >= len(functions)


# ------------------------------------------------------------------------------------------------- when it is called


def counting(pure: bool = False) -> tuple[jib.Extern, list[Any]]:
    seen: list[Any] = []

    def touch(x: int) -> int:
        seen.append(x)
        return x

    return jib.extern(touch, "int(int)", pure=pure), seen


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("touch(1)\ntouch(2)\nx", [1, 2]),
        ("touch(1) * 0 + touch(1) + x * 0", [1, 1]),
        ("touch(touch(2) + touch(3)) + x", [2, 3, 5]),
        ("touch(1) if x else touch(2)", [1]),
        ("x == 0 and touch(1)\nx == 7 and touch(2)\nx", [2]),
        ("for i in range(5):\n    touch(3)\nx", [3] * 5),
        ("for i in range(5):\n    touch(x)\nx", [7] * 5),
        ("def g(): return touch(1)\ndef f(x):\n    g()\n    g()\n    return x", [1, 1]),
        (
            "t = 0\nfor i in range(3):\n    for j in range(2):\n        t += touch(i * 10 + j)\nt + x",
            [0, 1, 10, 11, 20, 21],
        ),
        ("def f(x):\n    if x > 4:\n        touch(x)\n        return f(x - 1)\n    return touch(0)", [7, 6, 5, 0]),
    ],
)
def test_an_impure_one_is_called_as_often_and_in_the_order_that_the_text_says(text: str, calls: list[int]) -> None:
    for as_c in (False, True):
        touch, seen = counting()
        if as_c:
            touch = jib.extern(c_function(touch, ctypes.c_int64, ctypes.c_int64), name="touch")
        for f in everywhere(text, touch):
            for _ in range(3):
                seen.clear()
                f(7)
                assert seen == calls


def test_a_pure_one_that_nobody_needs_is_left_out() -> None:
    touch, seen = counting(pure=True)
    assert repr(touch) == "<jib extern touch: int(int), pure>"
    jib.compile("touch(1)\ntouch(x)\nx", externs=[touch])(7)
    assert seen == []
    for f in everywhere("t = 0\nfor i in range(4):\n    t += touch(i) + touch(x)\nt", touch):
        assert f(7) == 34
    # What is interpreted may begin again.
    long = jib.compile("t = 0\nfor i in range(n):\n    t += touch(1)\nt", externs=[touch], engine="auto")
    assert long(100_000) == 100_000


def test_an_impure_one_is_compiled_at_once() -> None:
    touch, _ = counting()
    f = jib.compile("touch(x)", externs=[touch], engine="auto")
    f(1)
    assert f.specializations[0].code_bytes > 0
    touch, _ = counting(pure=True)
    f = jib.compile("touch(x)", externs=[touch], engine="auto")
    f(1)
    assert f.specializations[0].code_bytes == 0


def test_fuel_and_time_are_counted_around_it() -> None:
    touch, seen = counting()
    for f in everywhere("for i in range(1000):\n    touch(i)\nx", touch, fuel=50):
        seen.clear()
        with pytest.raises(jib.BudgetError):
            f(1)
        assert len(seen) == 50
    for f in everywhere("while True:\n    touch(1)", touch, timeout=0.05):
        with pytest.raises(jib.BudgetError):
            f()


def test_numpy_arithmetic() -> None:
    touch, _ = counting()
    assert jib.compile("touch(x) * 2.0 / 0", externs=[touch], arithmetic="numpy")(3) == math.inf


# --------------------------------------------------------------------------------------------------- what it may do


class Strange(Exception):
    pass


def test_exceptions_pass_through() -> None:
    error = Strange("mine")

    def fail(x: int) -> int:
        raise error

    for f in everywhere("fail(x) + 1", jib.extern(fail)):
        with pytest.raises(Strange) as caught:
            f(1)
        assert caught.value is error
        assert not getattr(error, "__notes__", None)
        assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "fail"
        error.__traceback__ = None
    for kind in (KeyboardInterrupt, SystemExit, StopIteration, ZeroDivisionError, MemoryError):

        def stop(kind: Any = kind) -> int:
            raise kind

        for f in everywhere("stop()", jib.extern(stop, "int()")):
            with pytest.raises(kind):
                f()


class Index:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __index__(self) -> Any:
        return self.answer


class Evil:
    def __index__(self) -> int:
        raise Strange("in __index__")


@pytest.mark.parametrize(
    ("result", "answer", "kind", "words"),
    [
        ("float", "1", TypeError, "f\\(\\) must return float, not str"),
        ("float", None, TypeError, "f\\(\\) must return float, not NoneType"),
        ("float", 1j, TypeError, "f\\(\\) must return float, not complex"),
        ("float", (1.0,), TypeError, "f\\(\\) must return float, not tuple"),
        ("float", 10**400, OverflowError, "too large"),
        ("int", 1.0, TypeError, "f\\(\\) must return int, not float"),
        ("int", MOST + 1, OverflowError, "f\\(\\) returned an int outside int \\(64 bits\\)"),
        ("int", 10**4000, OverflowError, "f\\(\\) returned an int outside int"),
        ("u8", -1, OverflowError, "f\\(\\) returned an int outside u8 \\(8 bits\\)"),
        ("bool", 1, TypeError, "f\\(\\) must return bool, not int"),
        ("None", 0, TypeError, "f\\(\\) must return None, not int"),
        ("int", Index("1"), TypeError, "__index__ returned non-int"),
        ("int", Evil(), Strange, "in __index__"),
    ],
)
def test_results_that_do_not_fit(result: str, answer: Any, kind: type[Exception], words: str) -> None:
    for f in everywhere("f()", jib.extern(lambda: answer, f"{result}()", "f")):
        with pytest.raises(kind, match=words):
            f()


def test_results_become_what_is_declared() -> None:
    np = pytest.importorskip("numpy")
    for result, answer, want in [
        ("float", 3, 3.0), ("float", True, 1.0), ("float", np.float64(0.5), 0.5), ("f32", 0.1, 0.10000000149011612),
        ("int", True, 1), ("int", np.int8(-3), -3), ("int", Index(7), 7), ("u64", 2**64 - 1, 2**64 - 1), ("bool", np.bool_(True), True),
    ]:  # fmt: skip
        for f in everywhere("f()", jib.extern(lambda answer=answer: answer, f"{result}()", "f")):
            assert same(f(), want)


def test_the_function_may_be_deleted_while_it_runs() -> None:
    for options in EVERYWHERE:
        holder: list[Any] = []

        def drop(x: int) -> int:
            holder.clear()  # noqa: B023
            gc.collect()
            return x + 1

        holder.append(jib.compile("drop(x) + drop(x) * 10", externs=[jib.extern(drop)], **options))
        del drop
        assert holder[0](1) == 22


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kib", [128, 512, None])
def test_recursion_through_python_ends(engine: str, kib: int | None) -> None:
    holder: list[Any] = []
    depth = 0

    def again(n: int) -> int:
        nonlocal depth
        depth = max(depth, n)
        return int(holder[0](n + 1))

    holder.append(jib.compile("again(n) + 1", externs=[jib.extern(again)], engine=engine))

    def call() -> None:
        with pytest.raises(RecursionError):
            holder[0](0)

    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(100_000 if kib else limit)
        if kib:
            on_stack(kib, call)
        else:
            call()
    finally:
        sys.setrecursionlimit(limit)
    assert depth > 0
    itself: list[Any] = []
    itself.append(jib.extern(lambda n: itself[0](n), "int(int)", "itself"))
    with pytest.raises(RecursionError):
        itself[0](1)


def test_recursion_through_c_ends() -> None:
    holder: list[Any] = []
    deepest: list[int] = []

    def again(n: int) -> int:
        try:
            return int(holder[0](n + 1))
        except RecursionError:  # C cannot hand it on
            deepest.append(n)
            return 0

    holder.append(
        jib.compile("again(n)", externs=[jib.extern(c_function(again, ctypes.c_int64, ctypes.c_int64), name="again")])
    )
    on_stack(512, lambda: holder[0](0) and None)
    assert len(deepest) == 1 and deepest[0] > 3


def test_many_threads_call_and_change() -> None:
    def hop(x: int) -> int:
        out: list[int] = []
        thread = threading.Thread(target=lambda: out.append(jib.compile("x + 1")(x)))
        thread.start()
        thread.join()
        return out[0]

    for f in everywhere("hop(x) + hop(x + 1)", jib.extern(hop)):
        answers: list[Any] = []

        def call(at: int, f: Any = f, answers: Any = answers) -> None:
            answers.append((at, f(at)))

        threads = [threading.Thread(target=call, args=(at,)) for at in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(answers) == [(at, 2 * at + 3) for at in range(8)]


# ----------------------------------------------------------------------------------------------- how long it is there


def test_the_target_lives_as_long_as_who_may_call_it() -> None:
    class Target:
        def __call__(self, x: int) -> int:
            return x + 1

    target = Target()
    alive = weakref.ref(target)
    f = jib.compile("f(x)", externs=[jib.extern(target, "int(int)", "f")])
    del target
    gc.collect()
    assert alive() is not None and f(1) == 2
    del f
    gc.collect()
    assert alive() is None

    callback = c_function(lambda x: x + 1, ctypes.c_int64, ctypes.c_int64)
    gone = weakref.ref(callback)
    f = jib.compile("f(x)", externs=[jib.extern(callback, name="f")])
    del callback
    gc.collect()
    assert gone() is not None and f(1) == 2
    del f
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("engine", ENGINES)
def test_a_cycle_through_it_is_collected(engine: str) -> None:
    def make() -> weakref.ref[Any]:
        def again(n: int) -> int:
            return 0 if n <= 0 else int(f(n - 1))

        f = jib.compile("again(n) + 1", externs=[jib.extern(again)], engine=engine)
        assert f(3) == 4
        return weakref.ref(f)

    gc.collect()
    gc.disable()
    try:
        there = make()
        assert there() is not None
        gc.collect()
        assert there() is None
    finally:
        gc.enable()


def test_a_cycle_through_a_function_and_itself_is_collected() -> None:
    class Holder:
        def __call__(self, n: int) -> int:
            return n

    holder = Holder()
    made = jib.extern(holder, "int(int)", "f")
    holder.made = made  # type: ignore[attr-defined]
    there, function = weakref.ref(made), jib.compile("f(x)", externs=[made])
    function.myself = function  # type: ignore[attr-defined]
    gone = weakref.ref(function)
    assert function in gc.get_referrers(made)
    del holder, made, function
    gc.collect()
    assert there() is None and gone() is None


def test_pickles_and_copies() -> None:
    for made, args, want in [
        (jib.extern(twice), (3,), 6.0),
        (jib.extern((LIBM, "cbrt"), "double(double)", "root", pure=True), (8,), 2.0),
        (jib.extern((ctypes.CDLL(LIBM), "cbrt"), "double(double)"), (8,), 2.0),
    ]:
        again = pickle.loads(pickle.dumps(made))
        assert repr(again) == repr(made) and again(*args) == want
        assert copy.copy(made) is made and copy.deepcopy(made) is made
        f = pickle.loads(pickle.dumps(jib.compile(f"{made.name}(x)", externs=[made])))
        assert f(*args) == want
    callback = c_function(lambda: 0, ctypes.c_int)
    address = ctypes.cast(callback, ctypes.c_void_p).value
    for made in (jib.extern(callback, name="f"), jib.extern(unsafe_address=address, signature="i32()", name="f")):
        with pytest.raises(TypeError, match="cannot pickle <jib extern f: i32..>: an address means nothing"):
            pickle.dumps(made)
        with pytest.raises(TypeError, match="cannot pickle"):
            pickle.dumps(jib.compile("f()", externs=[made]))
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(jib.extern(lambda: 0, "int()", "f"))


def test_nothing_about_it_changes() -> None:
    made = jib.extern(twice)
    for name in ("name", "signature", "pure", "other"):
        with pytest.raises(AttributeError):
            setattr(made, name, "x")
    assert inspect.signature(jib.extern).parameters["unsafe_address"].kind is inspect.Parameter.KEYWORD_ONLY
