"""jib.Function among Python's own tools."""

from __future__ import annotations

import copy
import functools
import gc
import inspect
import io
import pickle
import pydoc
import subprocess
import sys
import textwrap
import typing
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

import jib
from jib import function, link

SCALE = 2.5


@jib.jit
def square(x):
    return x * x


@jib.jit(fuel=1000)
def area(w: float, h: float = SCALE, *, twice: bool = False) -> float:
    """Of a rectangle."""
    return square(w) / w * h * (2 if twice else 1)


TEXT = "def area(w: float, h: float = 2.5, *, twice: bool = False) -> float:\n    'Of a rectangle.'\n    return w * h * (2 if twice else 1)"
compiled = jib.compile(TEXT)
EVERY = [area, square, compiled, jib.compile("a + b"), jib.jit(lambda a, b=1: a + b)]
every = pytest.mark.parametrize("f", EVERY, ids=lambda f: f.__name__)


# -------------------------------------------------------------------------------------------------- equality


@every
def test_equal_to_itself_and_what_is_made_alike(f: Any) -> None:
    again = pickle.loads(pickle.dumps(f))
    assert again is not f and again == f and hash(again) == hash(f)
    assert len({f, again}) == 1 and {f: 1}[again] == 1
    assert f != f.source and f != None and f != 3  # noqa: E711
    assert sum(f == other for other in EVERY) == 1


def test_equal_by_text_and_options() -> None:
    assert jib.compile("a + b") == jib.compile("a + b")
    assert jib.compile("a + b") != jib.compile("a +  b")
    for options in (
        {"signature": "(int, int)"}, {"params": ["b", "a"]}, {"name": "f"}, {"arithmetic": "numpy"}, {"engine": "auto"},
        {"opt_level": "none"}, {"fuel": 3}, {"timeout": 3}, {"limits": jib.Limits(nesting=20)},
    ):  # fmt: skip
        one, other = jib.compile("a + b", **options), jib.compile("a + b", **options)  # type: ignore[arg-type]
        assert one == other and hash(one) == hash(other)
        assert one != jib.compile("a + b")

    class Liar:
        def __eq__(self, other: object) -> bool:
            return True

    assert (jib.compile("a") == Liar()) is True  # it is asked


def made(value: Any, default: Any = 1) -> jib.Function:
    def f(x=0):
        return value if x else x

    f.__defaults__ = (default,)
    return jib.jit(f)


def test_equal_by_frozen_values_and_defaults() -> None:
    assert made(1) == made(1) and hash(made(1)) == hash(made(1))
    assert made(float("nan")) == made(float("nan"))
    values = [1, 1.0, True, -1, 0.0, -0.0, 0, False, (1, 2), (1, 2.0)]
    for at, value in enumerate(values):
        assert [made(each) == made(value) for each in values] == [each == at for each in range(len(values))]
        assert [made(1, each) == made(1, value) for each in values] == [each == at for each in range(len(values))]


def test_where_it_stood_makes_no_difference() -> None:
    one = jib.jit(lambda x: x + 1)
    other = jib.jit(lambda x: x + 1)
    assert one == other and one is not other
    assert one != jib.compile("lambda x: x + 1")


# --------------------------------------------------------------------------------------- weakref, copy, pickle


@every
def test_weak_references(f: Any) -> None:
    assert weakref.ref(f)() is f
    again = pickle.loads(pickle.dumps(f))
    gone: list[int] = []
    weakref.finalize(again, gone.append, 1)
    kept = weakref.WeakValueDictionary({"f": again})
    assert kept["f"] == f
    del again
    gc.collect()
    assert gone == [1] and "f" not in kept


@every
def test_copies_are_itself(f: Any) -> None:
    assert copy.copy(f) is f and copy.deepcopy(f) is f and copy.deepcopy([f])[0] is f


@every
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(f: Any, protocol: int) -> None:
    again = pickle.loads(pickle.dumps(f, protocol))
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "source", "params", "__annotations__"):
        assert getattr(again, name) == getattr(f, name), name
    assert inspect.signature(again) == inspect.signature(f)
    assert repr(again) == repr(f)
    assert again(3, 4) == f(3, 4) if len(f.params) > 1 else again(3) == f(3)
    assert not hasattr(again, "py_func")


def test_pickles_in_another_process() -> None:
    code = textwrap.dedent("""
        import pickle, sys
        f = pickle.load(sys.stdin.buffer)
        print(f(2), f(2, 3, twice=True), f, f.__module__, f.__doc__)
        sys.stdout.flush()
        assert pickle.loads(pickle.dumps(f)) == f
        try:
            f(0)
        except ZeroDivisionError as problem:
            print(problem.__notes__[0])
    """)
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(area), capture_output=True, cwd="/")
    shown = done.stdout.decode()
    assert not done.stderr, done.stderr
    assert shown.startswith(
        "5.0 12.0 <jib function area(w: float, h: float = 2.5, *, twice: bool = False) -> float> "
        f"{__name__} Of a rectangle.\n"
    )
    assert "return square(w) / w * h" in shown and Path(__file__).name in shown


def test_errors_of_what_arrived_keep_their_place() -> None:
    again = pickle.loads(pickle.dumps(area))
    with pytest.raises(ZeroDivisionError) as here:
        area(0)
    with pytest.raises(ZeroDivisionError) as there:
        again(0)
    assert here.value.jib_span == there.value.jib_span  # type: ignore[attr-defined]
    assert here.value.__notes__ == there.value.__notes__


ROW = ("def f(x): return x", "f.py", 1, (0,), (), None)
FACE = ("f", "f", "m", None)


def crafted(rows: Any, face: Any = FACE, *options: Any) -> jib.Function:
    return function._linked_again(rows, face, *(options or (None, None)))


def changed(at: int, value: Any) -> tuple[Any, ...]:
    return ((*ROW[:at], value, *ROW[at + 1 :]),)


def test_a_crafted_pickle_that_is_fine() -> None:
    assert crafted((ROW,))(3) == 3


@pytest.mark.parametrize(
    "rows",
    [
        (), [], None, 3, "text", (3,), ((),), (ROW[:3],), ((*ROW, 1),), [ROW],
        changed(0, 3), changed(0, ""), changed(0, "1"), changed(0, "def f(x): return ("), changed(0, "def f(x): return x; \ud800"),
        changed(0, "def f(x): return x\ndef g(x): return x"), changed(0, "x = 1"), changed(0, "def f(x): return x\0"),
        changed(1, None), changed(2, "1"), changed(2, -1), changed(2, 10**30), changed(2, 1.5), changed(3, (0, 0)), changed(3, ()),
        changed(3, (10**30,)), changed(3, (-5,)), changed(3, ("a",)), changed(3, 0),
        changed(4, (("x",),)), changed(4, (("x", "value", [1]),)), changed(4, (("x", "value", 2**64),)),
        changed(4, (("x", "definition", 1),)), changed(4, (("x", "definition", -1),)), changed(4, (("x", "definition", "a"),)),
        changed(4, (("x", "unknown", 1),)), changed(4, ((1, "value", 1),)), changed(4, (("x", "alias", 1),)), changed(4, 1),
        changed(4, (("x", ["value"], 1),)), changed(4, {"x": 1}),
        changed(5, (("x", [1]),)), changed(5, (("x",),)), changed(5, 3), changed(5, ((1, 1),)),
        (ROW, ROW), (ROW, (*ROW[:4], (("g", "definition", 5),), None)),
    ],
)  # fmt: skip
def test_crafted_pickles_raise(rows: Any) -> None:
    with pytest.raises((TypeError, ValueError, KeyError, SyntaxError)):
        crafted(rows)


@pytest.mark.parametrize(
    ("face", "options"),
    [
        (None, ()), ((), ()), ((1, "f", "m", None), ()), (("f", "f", "m", 3), ()), (FACE[:3], ()),
        (FACE, (3, None)), (FACE, ("(", None)), (FACE, (None, None, 3)), (FACE, (None, None, None, "no")),
        (FACE, (None, None, None, [], "native")), (FACE, (None, None, None, "python", "native", "speed", -1)),
        (FACE, (None, None, None, "python", "native", "speed", 1, "x")),
        (FACE, (None, None, None, "python", "native", "speed", 1, 1.0, (1, 2))),
    ],
)  # fmt: skip
def test_crafted_faces_and_options_raise(face: Any, options: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError)):
        crafted((ROW,), face, *options)


def test_crafted_names_only_mean_what_there_is() -> None:
    for names in (
        (("x", "alias", "print"),), (("y", "alias", "__import__"),), (("y", "alias", "os.system"),), (("y", "refused", "{0}{1}"),),
    ):  # fmt: skip
        row = ("def f(x): return y(x)", "f.py", 1, (0,), names, None)
        with pytest.raises(jib.CompileError):
            crafted((row,))
    own = ("def f(x): return 1 if x < 1 else x * y(x - 1)", "f.py", 1, (0,), (("y", "definition", 0),), None)
    assert crafted((own,))(5) == 120


def test_plain_data_comes_back() -> None:
    definition = area._definition
    assert definition is not None
    parts = link.plain(definition)
    assert link.plain(link.restored(parts)) == parts
    assert [part[0].split("(")[0] for part in parts] == ["def square", "def area"]


# --------------------------------------------------------------------------------- inspect, functools, help


@every
def test_it_is_a_routine(f: Any) -> None:
    assert inspect.isroutine(f) and callable(f)
    assert not inspect.isclass(f) and not inspect.isfunction(f) and not inspect.isdatadescriptor(f)
    assert not inspect.iscoroutinefunction(f) and not inspect.isgeneratorfunction(f)
    assert str(inspect.signature(f)) == repr(f).split(f.__name__, 1)[1].rstrip(">")


def test_signatures_bind() -> None:
    bound = inspect.signature(area).bind(2, twice=True)
    bound.apply_defaults()
    assert bound.arguments == {"w": 2, "h": 2.5, "twice": True}
    assert inspect.signature(area) == inspect.signature(compiled)
    assert typing.get_type_hints(area) == {"w": float, "h": float, "twice": bool, "return": float}
    assert square.__annotations__ == {}


@pytest.mark.parametrize("f", [area, compiled])
def test_help(f: Any) -> None:
    text = pydoc.render_doc(f, renderer=pydoc.plaintext)
    assert "area(w: float, h: float = 2.5, *, twice: bool = False) -> float" in text
    assert "Of a rectangle." in text
    shown = io.StringIO()
    with redirect_stdout(shown):
        help(f)
    assert shown.getvalue().rstrip().splitlines()[1:] == text.rstrip().splitlines()[1:]
    assert inspect.getdoc(f) == "Of a rectangle."


@every
def test_help_of_everything(f: Any) -> None:
    assert pydoc.render_doc(f) and pydoc.html.document(f)
    assert jib.Function.__name__ in pydoc.render_doc(jib.Function)


def test_help_of_a_class_and_a_module_with_functions() -> None:
    class Shapes:
        area = area
        other = staticmethod(compiled)

    text = pydoc.render_doc(Shapes, renderer=pydoc.plaintext)
    assert text.count("Of a rectangle.") >= 1
    assert "Of a rectangle." in pydoc.render_doc(sys.modules[__name__], renderer=pydoc.plaintext)


def test_wraps() -> None:
    @functools.wraps(area)
    def wrapper(*args: Any, **more: Any) -> Any:
        return area(*args, **more) + 1

    assert wrapper(2) == 6.0
    assert (wrapper.__name__, wrapper.__doc__, wrapper.__module__) == ("area", "Of a rectangle.", __name__)
    assert inspect.signature(wrapper) == inspect.signature(area)
    assert wrapper.__wrapped__ is area  # type: ignore[attr-defined]
    assert inspect.unwrap(wrapper) is area.py_func


def test_functools() -> None:
    assert functools.partial(area, 2, twice=True)() == 10.0
    assert str(inspect.signature(functools.partial(area, 2))) == "(h: float = 2.5, *, twice: bool = False) -> float"
    assert functools.reduce(jib.compile("a + b"), range(10)) == 45
    assert functools.lru_cache(area)(2) == 5.0
    assert list(map(square, [1, 2.5])) == [1, 6.25] and sorted([3, -4, 1], key=square) == [1, 3, -4]

    class Shape:
        twice = functools.partialmethod(jib.jit(lambda self, by: by * 2), 4)

    dispatch = functools.singledispatch(area)
    dispatch.register(str)(lambda text: "text")
    assert dispatch(2) == 5.0 and dispatch("x") == "text"
    with pytest.raises(TypeError):
        Shape().twice()  # `self` is no number


def test_source() -> None:
    assert inspect.getsource(square).endswith("def square(x):\n    return x * x\n")
    assert inspect.getsourcefile(inspect.unwrap(square)) == __file__
    with pytest.raises(TypeError):
        inspect.getsource(compiled)


def test_attributes_of_classes() -> None:
    class Shape:
        of = compiled
        squared = square

    assert Shape.of is Shape().of is compiled
    assert Shape().squared(3) == 9
    assert inspect.getattr_static(Shape, "of") is compiled
    shape = Shape()
    shape.of = 3  # type: ignore[assignment]
    assert shape.of == 3


def test_own_attributes() -> None:
    f = jib.compile("a + b")
    f.note = "mine"  # type: ignore[attr-defined]
    assert f.note == "mine"  # type: ignore[attr-defined]
    assert f == jib.compile("a + b")
    with pytest.raises(AttributeError):
        f.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_from_threads() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(area, range(1, 50))) == [each * 2.5 for each in range(1, 50)]
        assert len(set(pool.map(lambda _: pickle.loads(pickle.dumps(area)), range(20)))) == 1
