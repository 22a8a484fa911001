"""Functions that are made of IR: what frontends build, what they get wrong, and what is made of what nobody in his right mind builds."""

from __future__ import annotations

import copy
import inspect
import math
import pickle
import random
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import jib
from differential.campaign import inputs, numbers
from differential.compare import names_parameters
from differential.generate import program
from jib import frontend, ir
from jib.frontend import Builder
from jib.limits import DEFAULT
from jib.lower import lower
from jib.parse import parse
from jib.source import Source

HERE = (0, 1)


def larger() -> ir.Function:
    f = Builder("larger", ["a", "b"])
    a, b, first, second = f.get(0, HERE), f.get(1, HERE), f.label(), f.label()
    f.branch(f.prim("gt", (a, b), HERE), first, second, HERE)
    f.place(first)
    f.leave(a, HERE)
    f.place(second)
    f.leave(b, HERE)
    return f.finish()


def of_text(text: str, params: Any = None, externs: Any = ()) -> list[ir.Function]:
    """The functions that the language's own frontend builds."""
    source = Source(text)
    return lower(parse(source, DEFAULT), source, params, DEFAULT, externs).module.functions


# ------------------------------------------------------------------------------------------------------------- building


WRONG_TEXT = (
    "in 'f', instruction 0 (const): a constant is an int, a float, a bool or None, not str; a text can only be printed"
)


@pytest.mark.parametrize("engine", ["native", "interpreter", "auto"])
def test_branches_and_types(engine: str) -> None:
    f = jib.compile_ir(larger(), "?", engine=engine)
    assert [f(2, 3), f(2.5, 1), f(b=1, a=1)] == [3, 2.5, 1]
    assert f.params == ("a", "b") and f.__name__ == "larger" and f.source == "?"
    assert str(inspect.signature(f)) == "(a, b)"


def test_elements_and_ufuncs() -> None:
    np = pytest.importorskip("numpy")
    f = jib.compile_ir(larger(), "?")
    assert f(np.arange(4), 2).tolist() == [2, 2, 2, 3]
    assert f.ufunc.reduce([3.0, 4.0, 1.0]) == 4.0


def test_loops_variables_and_fuel() -> None:
    """What `n 0 |: +` may mean: the sum of what is below n."""
    f = Builder("sum", [ir.Parameter("n", "int", 0, 1)], "int", (4, 6))
    total, i, again, go, end = f.local("total"), f.local("i"), f.label(), f.label(), f.label()
    f.set(total, f.const(0, HERE), HERE)
    f.set(i, f.const(0, HERE), HERE)
    f.jump(again, HERE)
    f.place(again)
    f.branch(f.prim("lt", (f.get(i, HERE), f.get(0, HERE)), HERE), go, end, HERE)
    f.place(go)
    f.set(total, f.prim("add", (f.get(total, HERE), f.get(i, HERE)), HERE), HERE)
    f.set(i, f.prim("add", (f.get(i, HERE), f.const(1, HERE)), HERE), HERE)
    f.jump(again, (5, 6))
    f.place(end)
    f.leave(f.get(total, HERE), HERE)
    assert f.finish() == f.finish()
    made = jib.compile_ir(f.finish(), "n 0 |: +", fuel=11)
    assert made(10) == 45 and inspect.signature(made).return_annotation is int
    with pytest.raises(jib.BudgetError) as spent:
        made(11)
    assert spent.value.span == (5, 6)
    with pytest.raises(TypeError, match="'n'"):
        made(1.5)


def test_functions_call_each_other_and_the_host() -> None:
    half = jib.extern(lambda x: x / 2, "float(float)", "half")
    f = Builder("f", ["x"])
    value = f.call(1, (f.extern(0, (f.get(0, HERE),), HERE),), HERE)
    pair = f.tuple((value, f.cast("int", f.const(True, HERE), HERE)), HERE)
    f.leave(f.tuple((f.unpack(pair, 1, 2, HERE), f.unpack(pair, 0, 2, HERE)), HERE), HERE)
    g = Builder("g", ["x"])
    g.leave(g.prim("mul", (g.get(0, HERE), g.get(0, HERE)), HERE), HERE)
    made = jib.compile_ir([f.finish(), g.finish()], "?", externs=[half])
    assert made(3) == (1, 2.25)
    with pytest.raises(ValueError, match="in 'f': instruction 1: there is no host function 0"):
        jib.compile_ir([f.finish(), g.finish()], "?")


def test_arrays_are_known_by_what_is_done_with_them() -> None:
    np = pytest.importorskip("numpy")
    f = Builder("second", ["x"])
    f.leave(f.prim("subscript", (f.get(0, HERE), f.const(1, HERE)), HERE), HERE)
    made = jib.compile_ir(f.finish(), "?")
    assert made(np.array([1.5, 2.5])) == 2.5
    with pytest.raises(IndexError):
        made(np.array([1.5]))


def test_locals_have_names_of_their_own() -> None:
    f = Builder("f", ["x"])
    one, two, three, end = f.local("y"), f.local("y"), f.local("x"), f.label()
    some = f.label()
    assert f.locals == ["x", "y", "y.2", "x.3"] and (one, two, three) == (1, 2, 3)
    f.branch(f.get(0, HERE), some, end, HERE)
    f.place(some)
    f.set(one, f.const(1, HERE), HERE)
    f.jump(end, HERE)
    f.place(end)
    f.leave(f.get(one, HERE), HERE)
    made = jib.compile_ir(f.finish(), "?")
    assert made(True) == 1
    with pytest.raises(UnboundLocalError, match="'y'"):
        made(False)


def test_what_nothing_reaches_is_left_out() -> None:
    f = Builder("f")
    f.leave(f.const(1, HERE), HERE)
    f.place(f.label())  # nothing goes there
    f.leave(f.const("dead", HERE), HERE)
    assert f.finish() == ir.Function("f", [], None, 0, 0, [], [[("const", (1,), 0, 1), ("return", (0,), 0, 1)]], 0, 0)


def test_mistakes_of_building() -> None:
    f = Builder("f")
    label = f.label()
    with pytest.raises(ValueError, match="'f': the last block does not end"):
        f.finish()
    with pytest.raises(ValueError, match="'f': the block before a label ends in"):
        f.place(label)
    f.jump(label, HERE)
    with pytest.raises(ValueError, match="'f': label 0 is never placed"):
        f.finish()
    f.place(label)
    f.leave(f.const(1, HERE), HERE)
    with pytest.raises(ValueError, match="'f': label 0 is placed twice"):
        f.place(label)
    assert jib.compile_ir(f.finish(), "?")() == 1


# ----------------------------------------------------------------------------------------------- places in another text

TEXT = "x y /\nz undefined"


def failing(build: Callable[[Builder], None], *args: Any) -> BaseException:
    f = Builder("f", ["x", "y"])
    build(f)
    with pytest.raises(Exception) as caught:
        jib.compile_ir(f.finish(), TEXT)(*args)
    return caught.value


def shown(problem: BaseException) -> str:
    return "".join(traceback.format_exception_only(type(problem), problem))


def test_a_failure_shows_its_place_in_the_frontends_text() -> None:
    problem = failing(lambda f: f.leave(f.prim("truediv", (f.get(0, HERE), f.get(1, HERE)), (4, 5)), HERE), 1, 0)
    assert isinstance(problem, ZeroDivisionError)
    assert problem.__notes__ == ["  line 1: x y /\n              ^"]
    assert problem.jib_span == (1, 5, 1, 6)


def test_a_mistake_of_types_shows_its_place() -> None:
    problem = failing(lambda f: f.leave(f.prim("invert", (f.get(0, HERE),), (8, 17)), HERE), 1.5, 0)
    assert isinstance(problem, jib.CompileError)
    assert (problem.lineno, problem.offset, problem.end_offset, problem.text) == (2, 3, 12, "z undefined")
    assert "    z undefined\n      ^^^^^^^^^\n" in shown(problem)


def test_a_variable_that_nothing_has_written() -> None:
    problem = failing(lambda f: f.leave(f.get(f.local("z"), (6, 7)), HERE), 1, 1)
    assert isinstance(problem, jib.CompileError) and "'z'" in str(problem) and problem.span == (6, 7)


def test_a_type_that_is_none() -> None:
    problem = failing(lambda f: f.leave(f.cast("text", f.get(0, HERE), (6, 7)), HERE), 1, 1)
    assert isinstance(problem, jib.CompileError) and problem.span == (6, 7)


def test_mistakes_that_a_frontend_reports() -> None:
    problem = frontend.mistake(TEXT, (8, 17), "there is no word 'undefined' {0}")
    assert isinstance(problem, jib.ParseError) and problem.code == "frontend-mistake"
    assert shown(problem).endswith(
        "    z undefined\n      ^^^^^^^^^\njib.errors.ParseError: there is no word 'undefined' {0}\n"
    )


# ------------------------------------------------------------------------------------------------------ as any function


def test_stages() -> None:
    f = jib.compile_ir(larger(), "?")
    for stage in jib.STAGES[1:]:
        assert "larger" in f.dump(stage, "(int, float)") or stage == "asm"
    with pytest.raises(ValueError, match="no 'ast' of this function: it was made of IR"):
        f.dump("ast")
    with pytest.raises(ValueError, match="nonsense"):
        f.dump("nonsense", "(int, float)")
    assert f.dump("typed-ir", "(int, int)").source.text == "?"
    again = ir.from_text(f.dump("ir"))
    assert jib.compile_ir(again.functions, "?") == f


def test_all_stages_in_a_folder(tmp_path: Path) -> None:
    names = {path.name for path in jib.compile_ir(larger(), "?").dump_all(tmp_path, "(int, int)")}
    assert "source.txt" in names and "ir.txt" in names and "ast.txt" not in names


def test_equality_and_hashes() -> None:
    f = jib.compile_ir(larger(), "?")
    assert f == jib.compile_ir(larger(), "?") and hash(f) == hash(jib.compile_ir([larger()], "?"))
    assert f != jib.compile_ir(larger(), "!")
    assert f != jib.compile_ir(larger(), "?", fuel=3)
    assert f != jib.compile_ir(larger(), "?", doc="Doc.")
    assert f != jib.compile("a if a > b else b") and jib.compile("a") != f

    def of(value: Any) -> jib.Function:
        g = Builder("g")
        g.leave(g.const(value, HERE), HERE)
        return jib.compile_ir(g.finish(), "?")

    assert len({of(1), of(1.0), of(True), of(0.0), of(-0.0), of(math.nan), of(math.nan)}) == 6


def test_it_does_not_change_with_what_it_was_made_of() -> None:
    made = larger()
    f = jib.compile_ir(made, "?")
    made.blocks[1][-1] = ir.Instruction("return", (1,), 0, 1)
    made.params.clear()
    assert f.dump("ir") == ir.to_text(ir.Module([larger()], [0])).rstrip() and f(7, 5) == 7


def test_pickles_carry_the_ir() -> None:
    f = jib.compile_ir(larger(), "a b |", "float(float, int)", name="most", doc="Doc.", fuel=7)
    for again in (pickle.loads(pickle.dumps(f)), copy.copy(f), copy.deepcopy(f)):
        assert again == f and again(1, 2) == 2.0 and (again.__name__, again.__doc__) == ("most", "Doc.")
        assert again.dump("ir") == f.dump("ir")


def test_what_a_pickle_says_is_verified() -> None:
    data = pickle.dumps(jib.compile_ir(larger(), "?"), protocol=0)
    assert data.count(b"Vgt\n") == 1
    with pytest.raises(ValueError, match="no primitive is called 'gx'"):
        pickle.loads(data.replace(b"Vgt\n", b"Vgx\n"))
    make, (functions, *others) = jib.compile_ir(larger(), "?").__reduce__()
    broken = functions[0]._replace(blocks=[[ir.Instruction("raise", ("eval", "1"), 0, 1)]])
    with pytest.raises(ValueError, match="raises 'eval', which no text can raise"):
        make((broken,), *others)
    for wrong in (None, (), 7, "text", [None], [[larger()]]):
        with pytest.raises((ValueError, TypeError)):
            make(wrong, *others)


def test_options_are_those_of_compile() -> None:
    with pytest.raises(ValueError, match="engine must be"):
        jib.compile_ir(larger(), "?", engine="fast")
    with pytest.raises(jib.LimitError):
        jib.compile_ir(larger(), "?", limits=jib.Limits(ir_instructions=5))
    with pytest.raises(jib.CompileError):
        jib.compile_ir(larger(), "?", "float(float)")
    for wrong in ({"source": b"?"}, {"doc": 3}, {"functions": 3}, {"functions": "f"}, {"fuel": 1.5}):
        with pytest.raises(TypeError):
            jib.compile_ir(**{"functions": larger(), "source": "?", **wrong})  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------------------- what is not whole


def function(*instructions: tuple[Any, ...], **fields: Any) -> ir.Function:
    made = [ir.Instruction(op, args, 0, 1) for op, *rest in instructions for args in [tuple(rest)]]
    plain = ir.Function("f", [ir.Parameter("x", None, 0, 1)], None, 0, 0, ["x"], [made], 0, 1)
    return plain._replace(**fields)


RETURN = ("return", 0)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (function(("get", 1), RETURN), "in 'f': instruction 0 names local 1 of 1"),
        (function(("get", 0), ("prim", "plus", 0, 0), RETURN), "in 'f': instruction 1: no primitive is called 'plus'"),
        (function(("get", 0), ("prim", "add", 0), RETURN), "in 'f': instruction 1 calls 'add', which takes 2, with 1"),
        (function(("prim", "print"), RETURN), "in 'f': instruction 0 calls 'print', which takes 2 or more, with 0"),
        (function(("prim", "log"), RETURN), "in 'f': instruction 0 calls 'log', which takes 1 to 2, with 0"),
        (function(("call", 1), RETURN), "in 'f': instruction 0 calls function 1 of 1"),
        (function(("call", 0), RETURN), "in 'f': instruction 0 calls function 0, which takes 1, with 0"),
        (function(("get", 0), ("unpack", 0, 2, 2), RETURN), "in 'f': instruction 1 takes element 2 of 2"),
        (function(("get", 0), ("jump", 0)), "in 'f': instruction 1 goes to block 0, where nothing goes"),
        (function(("get", 0), ("jump", 3)), "in 'f': instruction 1 goes to block 3 of 1"),
        (function(("get", 0)), "in 'f': block 0 does not end in its only terminator"),
        (function(RETURN, RETURN), "in 'f': block 0 does not end in its only terminator"),
        (function(RETURN), "in 'f': instruction 0 uses the result of 0, which has none before it"),
        (function(("get", 0), ("set", 0, 0), ("return", 1)), "in 'f': instruction 2 uses the result of 1, which has none before it"),
        (function(("raise", "KeyboardInterrupt", None)), "in 'f': instruction 0 raises 'KeyboardInterrupt', which no text can raise"),
        (function(blocks=[]), "in 'f': there are no blocks"),
        (function(("get", 0), RETURN, locals=[]), "in 'f': there are fewer locals than parameters"),
        (function(("const", 2**63), RETURN), "in 'f', instruction 0 (const): the int is outside 64 bits"),
        (function(("const", "\ud800"), RETURN), "in 'f', instruction 0 (const): '\\ud800' has half a character"),
        (function(("const", "s"), RETURN), WRONG_TEXT),
        (function(("const", "s"), ("const", 1), ("return", 1)), WRONG_TEXT),
        (function(("const", "s"), ("prim", "print", 0, 0, 0), ("set", 0, 0), RETURN), WRONG_TEXT),
        (function(("const",), RETURN), "in 'f', instruction 0 (const): it has 0 arguments, not 1"),
        (function(("get", -1), RETURN), "in 'f', instruction 0 (get): -1 is no number of 32 bits"),
        (function(("get", True), RETURN), "in 'f', instruction 0 (get): True is no number of 32 bits"),
        (function(("nop",), RETURN), "in 'f', instruction 0: there is no operation 'nop'"),
        (function(("get", 0), RETURN, start=-1), "in 'f': @-1:1 is no place in a text of 5 characters"),
        (function(params=[ir.Parameter("x", None, 3, 6)]), "in 'f', parameter 'x': @3:6 is no place in a text of 5 characters"),
        (function(("get", 0), RETURN, params=[ir.Parameter("1", None, 0, 0)]), "in 'f': a parameter cannot be called '1'"),
        (function(("get", 0), RETURN, params=[ir.Parameter("if", None, 0, 0)]), "in 'f': a parameter cannot be called 'if'"),
        (function(params=[ir.Parameter("x", None, 0, 0)] * 2, locals=["x", "y"]), "in 'f': a parameter cannot be called 'x'"),
        (function(name="f\n"), "the name of a function: 'f\\n' is no name"),
        (function(name=""), "the name of a function: '' is no name"),
        (function(locals=["x", "a,b"]), "in 'f': the name of a local: 'a,b' is no name"),
        (function(locals=["x", "y", "x"]), "in 'f': two locals are called 'x'"),
        ([function(("get", 0), RETURN)] * 2, "two functions are called 'f'"),
        ([], "there is no function"),
    ],
)  # fmt: skip
def test_what_is_not_whole_is_a_value_error_that_says_what(made: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        jib.compile_ir(made, "12345")
    assert str(caught.value) == message and type(caught.value) is ValueError


def test_a_value_that_is_not_there_on_every_path() -> None:
    f = Builder("f", ["x"])
    some, end = f.label(), f.label()
    f.branch(f.get(0, HERE), some, end, HERE)
    f.place(some)
    value = f.const(1, HERE)
    f.jump(end, HERE)
    f.place(end)
    f.leave(value, HERE)
    with pytest.raises(ValueError, match="instruction 4 uses the result of 2, which is not there on every path"):
        jib.compile_ir(f.finish(), "?")


@pytest.mark.parametrize(
    "made",
    [
        [None], [larger], function(("const", 1j), RETURN), function(params=["x"]), function(params=None), function(locals=[3]),
        function(blocks=[None]), function(blocks=[["x"]]), function(blocks=[[("get", (0,), 0, 1)]]), function(name=3), function(returns=3),
        function(blocks=[[ir.Instruction("get", [0], 0, 1)]]),  # type: ignore[arg-type]
        function(("prim", 3), RETURN), function(("cast", None, 0), RETURN), function(params="x", locals="x"),
    ],
)  # fmt: skip
def test_what_is_of_another_class_is_a_type_error(made: Any) -> None:
    with pytest.raises(TypeError):
        jib.compile_ir(made, "?")


def test_numbers_of_other_classes_are_taken_for_what_they_hold() -> None:
    np = pytest.importorskip("numpy")

    class Odd(int):
        pass

    for value, want in ((Odd(3), 3), (np.float64(2.5), 2.5)):
        got = jib.compile_ir(function(("const", value), RETURN), "?")(0)
        assert got == want and type(got) in (int, float)


# ------------------------------------------------------------------------------------------------ everything, and garbage


def test_what_the_language_becomes_means_the_same() -> None:
    """The language's own frontend, as if it were another's."""
    for number in numbers(4, 150):
        made = program(number)
        params = None if names_parameters(made.text) else made.params
        try:
            functions = of_text(made.text, params)
        except jib.JitError:
            continue
        one = jib.compile(made.text, params=params, engine="interpreter")
        other = jib.compile_ir(functions, made.text, engine="interpreter")
        for arguments in inputs(number, made):
            if len(arguments) < len(one.params) or any(p.kind == "keyword" for p in one._made.params):
                continue  # IR has no defaults
            assert answer(one, arguments) == answer(other, arguments), made.text


def answer(f: jib.Function, arguments: tuple[Any, ...]) -> Any:
    try:
        return repr(f(*arguments))
    except Exception as problem:
        return type(problem), str(problem), getattr(problem, "__notes__", None)


PROGRAMS = [
    "a + b * 2",
    "x = 0\nfor i in range(a, b, 2):\n    if i % 3: continue\n    x += i / 2\nx, (a, b)",
    "def g(n: int, t): return t if n <= 0 else g(n - 1, t)\ndef f(a: float, b: i8 = 3) -> float: return g(3, a) + sqrt(b)",
    "a, b = b, a\nwhile a and (b or x if a > 2 else -b): a -= 1\nassert a < 5, 'text'\nprint(a, 'b', sep='')\nmin(a, b, 1.5)",
    "a[1:] += 2 * b\nsum(a * 2) + a[0] + mean(a[1:]) + len(a)",
    "h(a) + k(3, a > b) + h(h(b))",
]
EXTERNS = (jib.extern(abs, "float(float)", "h"), jib.extern(max, "i8(i8, bool)", "k"))
WORDS: tuple[Any, ...] = (
    0, 1, 2, 3, 7, 30, -1, 2**31, 2**32 - 1, 2**32, True, None, 0.5, "add", "int", "f64[:]", "ValueError", "eval", "a", "",
)  # fmt: skip


def mutated(draw: random.Random, functions: list[ir.Function]) -> list[ir.Function]:
    """The functions with some pieces changed, moved or left out."""
    made = [
        f._replace(params=list(f.params), locals=list(f.locals), blocks=[list(b) for b in f.blocks]) for f in functions
    ]
    for _ in range(draw.choice((1, 1, 2, 4))):
        at = draw.randrange(len(made))
        block = draw.choice(made[at].blocks)
        what, number = draw.randrange(7), draw.randrange(len(block)) if block else -1
        if what == 0:
            field = draw.randrange(len(ir.Function._fields))
            made[at] = made[at]._replace(**{ir.Function._fields[field]: draw.choice((*WORDS, *made[at]))})
            return made  # it may be no list any more
        if number < 0:
            continue
        op, args, start, end = block[number]
        if what == 1:
            block[number] = ir.Instruction(draw.choice([*ir.OPCODES, "nop"]), args, start, end)
        elif what == 2 and args:
            changed = list(args)
            changed[draw.randrange(len(args))] = draw.choice(WORDS)
            block[number] = ir.Instruction(op, tuple(changed), start, end)
        elif what == 3:
            block.insert(draw.randrange(len(block)), block[number])
        elif what == 4:
            del block[number]
        elif what == 5:
            block[number] = ir.Instruction(op, (*args, *args[-1:]), draw.choice(WORDS), end)
        elif made[at].params:
            of = draw.randrange(len(made[at].params))
            made[at].params[of] = ir.Parameter("p", draw.choice(("int", "f64[:]", "", "text", None)), 0, 0)
    return made


@pytest.mark.usefixtures("verified")
def test_mutated_functions_are_refused_or_run(capsys: pytest.CaptureFixture[str]) -> None:
    np = pytest.importorskip("numpy")
    draw = random.Random(11)
    originals = [(text, of_text(text, externs=EXTERNS)) for text in PROGRAMS]
    ran = 0
    for _ in range(1500):
        text, functions = draw.choice(originals)
        try:
            f = jib.compile_ir(
                mutated(draw, functions),
                text,
                fuel=200,
                timeout=5,
                externs=EXTERNS,
                engine=draw.choice(("native", "interpreter")),
            )
        except jib.InternalError:
            raise
        except (ValueError, TypeError):
            continue
        for value in (3, 0.5, np.arange(5.0)):
            try:
                f(*[value] * len(f.params))
                ran += 1
            except jib.InternalError:
                raise
            except Exception:
                pass  # the program's own, and CompileErrors
    assert ran > 200
