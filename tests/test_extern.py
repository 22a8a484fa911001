"""`jib.extern`: what may be a host function, what a text sees of it, how long it lives."""

from __future__ import annotations

import copy
import ctypes
import functools
import gc
import inspect
import math
import pickle
import weakref
from typing import Any

import pytest

import jib
from hosts import ENGINES, LIBM, c_function, everywhere
from jib import _native, ir
from jib.builtins import Param
from jib.source import Source

pytestmark = pytest.mark.usefixtures("verified")


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
        ("f64(f64[:])", jib.CompileError, "takes and gives numbers and bools, not 'f64\\[:\\]'"),
        (f"int({', '.join(['int'] * 17)})", jib.LimitError, "a function of the host takes at most 16 arguments"),
        (b"int(int)", TypeError, "signature must be a str, not bytes"),
    ],
)
def test_signatures_that_are_none(signature: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        jib.extern(twice, signature)


def test_the_mistake_in_a_signature_has_a_place() -> None:
    with pytest.raises(jib.CompileError) as caught:
        jib.extern(twice, "float(flo)")
    assert (caught.value.offset, caught.value.end_offset, caught.value.text) == (7, 10, "float(flo)")


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
            _native.Program(
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
            jib.compile(text, externs=made)(1)  # of a loop over a number only types tell
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
    for old, new, words in [
        ("extern f %0", "extern g %0", "line 7 of the IR: expected a function of the host, found 'g'"),
        ("externs f\n", "externs @\n", "line 2 of the IR: expected a name, found '@'"),
        ("externs f\n", "", "line 6 of the IR: expected a function of the host, found 'f'"),
    ]:
        with pytest.raises(ValueError, match=words):
            ir.from_text(text.replace(old, new))
    one = jib.extern(lambda x: x, "int(int)", "f")
    two = jib.extern(lambda x, y: x, "int(int, int)", "f")
    other = jib.extern(lambda x: x, "int(int)", "h")

    def load(module: ir.Module, *externs: jib.Extern) -> Any:
        params = (Param("x", "any", True, None),)
        program = _native.Program(
            ir.encode(module), Source("x"), "g", params, None, "native", "speed", "python", jib.Limits(), externs=externs
        )  # fmt: skip
        return _native.Callable(program)

    assert load(module, one)(5) == 5
    for externs in ((), (two,), (other,), (one, one)):
        with pytest.raises(jib.InternalError, match="the IR that crossed is broken"):
            load(module, *externs)
    block = module.functions[0].blocks[0]
    block[1] = ir.Instruction("extern", (1, 0), 0, 1)
    with pytest.raises(jib.InternalError, match="there is no host function 1"):
        load(module, one)
    block[1] = ir.Instruction("extern", (0, 1), 0, 1)
    with pytest.raises(jib.InternalError, match="instruction 1 uses the result of 1"):
        load(module, one)


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
    assert function._made.program in gc.get_referrers(made)
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


#: Read by the function below, as any global name is.
tripled = jib.extern(lambda x: 3 * x, "int(int)", "tripled")
renamed = jib.extern(lambda x: x, "int(int)", "identity")


def test_decorated_functions_call_the_host_functions_around_them() -> None:
    @jib.jit
    def once(x):  # type: ignore[no-untyped-def]
        return tripled(x) + 1

    @jib.jit
    def twice_over(x):  # type: ignore[no-untyped-def]
        return once(once(x)) + tripled(1)

    assert once(4) == once.py_func(4) == 13 and twice_over(4) == 43
    with pytest.raises(jib.CompileError, match="'renamed' is a host function that is called 'identity'"):

        @jib.jit
        def other(x):  # type: ignore[no-untyped-def]
            return renamed(x)

    session = jib.Session(externs=[tripled])
    session.run("def f(x): return tripled(x) * 2")
    assert session.run("f(2)") == 12


# ------------------------------------------------------------------------------------------------------- places of calls


def notes(problem: BaseException) -> list[str]:
    return getattr(problem, "__notes__", [])


def test_an_exception_of_a_callable_says_where_the_text_calls_it() -> None:
    def fail(x: float) -> float:
        raise KeyError("door")

    bad = jib.extern(lambda x: "text", "float(float)", "bad")
    for text, made, kind in (
        ("1 +\\\n fail(x)", jib.extern(fail), KeyError),
        ("1 +\\\n bad(x)", bad, TypeError),
    ):
        for f in everywhere(text, made):
            with pytest.raises(kind) as caught:
                f(2.0)
            name = made.name
            assert notes(caught.value) == [f"  line 2: {name}(x)\n          {'^' * (len(name) + 3)}"]
            assert caught.value.jib_span == (2, 2, 2, 5 + len(name))  # type: ignore[attr-defined]
    assert caught.value.args == ("bad() must return float, not str",)


def test_elements_say_where_too() -> None:
    np = pytest.importorskip("numpy")
    f = jib.compile("fail(x)", externs=[jib.extern(lambda x: 1 / x, "float(float)", "fail")])
    for x in (np.zeros(3), np.zeros((4, 4))[:, 1]):
        with pytest.raises(ZeroDivisionError) as caught:
            f(x)
        assert notes(caught.value) == ["  line 1: fail(x)\n          ^^^^^^^"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, GeneratorExit, SystemExit])
def test_what_ends_programs_has_no_place(kind: type[BaseException]) -> None:
    def stop() -> float:
        raise kind

    for f in everywhere("stop()", jib.extern(stop)):
        with pytest.raises(kind) as caught:
            f()
        assert not notes(caught.value) and not hasattr(caught.value, "jib_span")


def test_each_text_that_an_exception_leaves_adds_its_place_once() -> None:
    inner = jib.compile("def inner(x: float) -> float: return 1 / x")
    outer = jib.compile("2 * inner(x)", externs=[jib.extern(inner)])
    with pytest.raises(ZeroDivisionError) as caught:
        outer(0.0)
    assert [note.split("\n")[0] for note in notes(caught.value)] == [
        "  line 1: def inner(x: float) -> float: return 1 / x",
        "  line 1: 2 * inner(x)",
    ]
    assert caught.value.jib_span == (1, 5, 1, 13)  # type: ignore[attr-defined]
    kept = ValueError("always the same")

    def fail(depth: int) -> float:
        if depth:
            return f(depth - 1)
        raise kept

    f = jib.compile("fail(n)", "float(int)", externs=[jib.extern(fail)])
    for depth in (0, 3):
        with pytest.raises(ValueError, match="always the same"):
            f(depth)
    assert len(notes(kept)) == 1


class Closed(Exception):
    """Takes no attributes."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)


class Deaf(Exception):
    """Takes no notes."""

    def add_note(self, note: str) -> None:
        raise RuntimeError(note)


class Strange(Exception):
    """Has notes that are none."""

    __notes__ = 3


@pytest.mark.parametrize("kind", [Closed, Deaf, Strange])
def test_exceptions_that_take_no_notes_go_on_without(kind: type[Exception]) -> None:
    def fail() -> float:
        raise kind("mine")

    for f in everywhere("fail()", jib.extern(fail)):
        with pytest.raises(kind):
            f()


def test_tuples_are_refused_as_such() -> None:
    def pair(x: float): return x, x  # fmt: skip  # noqa: E704

    pair.__annotations__["return"] = tuple[float, float]
    with pytest.raises(TypeError, match=r"pair\(\) declares a tuple: .* no tuples"):
        jib.extern(pair)
    pair.__annotations__["return"] = "tuple[float, float]"
    pair.__annotations__["x"] = float
    with pytest.raises(jib.CompileError, match="takes and gives numbers and bools, not 'tuple"):
        jib.extern(pair)
