"""Text -> tree: what is too large, too deep or too long is refused at once; what is not is parsed, on any thread."""

# ruff: noqa: E501 (tables of samples)

from __future__ import annotations

import copy
import inspect
import pickle
import threading

import pytest

import jib
from jib import syntax as s
from jib.errors import JitError, LimitError
from jib.limits import Limits
from jib.parse import parse
from jib.source import Source, Span


def tree(text: str, **limits: int) -> s.Program:
    return parse(Source(text), Limits(**limits))


def nested(kind: str, depth: int) -> str:
    """A text that nests this deep."""
    n = depth
    if kind in ("blocks", "defs"):
        head = "if x:" if kind == "blocks" else "def f():"
        return "".join(" " * i + head + "\n" for i in range(n)) + " " * n + "x"
    return {
        "parentheses": "(" * n + "x" + ")" * n,
        "calls": "f(" * n + "x" + ")" * n,
        "subscripts": "x[" * n + "0" + "]" * n,
        "tuples": "(" * n + "x" + ",)" * n,
        "minus": "-" * n + "x",
        "not": "not " * n + "x",
        "power": "x**" * n + "x",
        "ternary": "x if x else " * n + "x",
        "lambda": "lambda: " * n + "x",
        "targets": "(" * n + "x" + ",)" * n + " = y",
        "generators": "f(" * n + "x" + " for x in y)" * n,
        "clauses": "f(x" + " for x in y" * (n + 1) + ")",
    }[kind]


KINDS = [
    "parentheses", "calls", "subscripts", "tuples", "minus", "not", "power", "ternary", "lambda", "blocks", "defs", "targets",
    "generators", "clauses",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_nesting(kind):
    tree(nested(kind, 200))
    for depth in (201, 1000, 50_000 if kind not in ("blocks", "defs") else 1200):
        with pytest.raises(
            LimitError, match=r"nested more than 200 deep; limits=Limits\(nesting=\.\.\.\) allows more \(line"
        ):
            tree(nested(kind, depth))
    tree(nested(kind, 20), nesting=20)
    with pytest.raises(LimitError):
        tree(nested(kind, 21), nesting=20)
    tree(nested(kind, 400), nesting=400)


@pytest.mark.parametrize(
    "text",
    [
        "x" + "[0]" * 411,
        "x" + "()" * 411,
        "x" + ".a" * 411,
        "(" * 190 + "x" + " and y or z) < z" * 190,
        "x" + "()[0].a" * 30_000,
    ],
)
def test_height(text):
    """What grows to the left is limited too, if it is not a chain."""
    with pytest.raises(LimitError):
        tree(text)


def test_height_promise():
    def height(program):
        highest, waiting = 0, [(program, 0)]
        for node, depth in waiting:
            highest = max(highest, depth)
            for at, part in enumerate(node):
                if isinstance(part, tuple) and type(part) is not Span:
                    same_level = type(part) is tuple or type(node) is s.Binary and at == node._fields.index("left")
                    waiting.append((part, depth + (not same_level)))
        return highest

    for kind in KINDS:
        assert height(tree(nested(kind, 200))) <= 410
    assert height(tree("x" + "+x" * 10_000)) < 10
    assert height(tree("x" + "[0]" * 390)) <= 400


@pytest.mark.parametrize(
    "word", ["+", "-", "*", "/", "//", "%", "&", "|", "^", "<<", ">>", "<", "==", " and ", " or ", ", ", "; ", "\n"]
)
def test_chains(word):
    tree(word.join(["x"] * 10_000))


def test_long_texts():
    tree("if x: y\n" + "elif x: y\n" * 5000)
    tree("x = " * 5000 + "1")
    tree("def f(" + ", ".join(f"a{i}" for i in range(5000)) + "): 1")
    tree("f(" + "x, " * 5000 + ")")
    tree("f(" + ", ".join(f"a{i}=1" for i in range(5000)) + ")")
    tree("sum(x" + " for x in y if x" * 200 + ")")
    tree("sum(x for x in y" + " if x" * 5000 + ")")
    tree("'a' " * 5000)
    tree("x = 1\n" * 5000)
    tree("\n" * 900_000 + "x" + "\n" * 90_000)
    tree("# " + "x" * 900_000 + "\nx")
    tree("x" + " \\\n" * 100_000 + "+ 1")
    assert len(tree("'" + "\\n" * 400_000 + "'").body[0].value.value) == 400_000


@pytest.mark.parametrize(
    "piece",
    [
        "x+", "x;", "x\n", "(", ")", "[", "{", "-", "not ", "**", "x**", "lambda:", "x if x else ", "if x:\n", "1", "0x1", "0xF", ".1", ".", "1.", "1_1",
        "1e1", "_", "a", "x.", "x[0]", "x()", "'", '"', "''", "'a'", '"""', "'''", '"""a', '"""\\', "'\\", "'a\\", "#", "#\n", "\\\n", "\\", "\t", " ",
        "\f", "\r\n", "\n", "\r", "\n ", "\n\t", "=", "x=", "==", "x==", ":=", "->", ",", "x,", ":", "x:", ";", "@", "$", "!", "?", "`", "~", "<", "<<", "+=",
        "x+=", "and ", "x and ", "if ", "else ", "for ", "def ", "in ", "is ", "import ", "None ", "True,", "r'", "f'", "b'", "rb'", "é", "aé", "1é",
        "\u200b", "\xa0", "\u202e", "\ud800", "\0", "１", "\U0001f600", "a'", "ab\"", "9", "0", "0_", "0b", "0o7", "1j", "return ", "raise ", "assert ",
        "x if ", "f(x ", "f(x for x in ", "x[::", "f(k=", "lambda x", "lambda x,", "def f(", "def f(a,", "elif x:", "x = (", "\\\r\n", "x \\\n",
    ],
)  # fmt: skip
def test_a_megabyte_of_anything(piece):
    """Every piece repeated to just under and over the limit of characters ends soon, in a tree or in an error of ours."""
    for size in (1_000_000, 1_000_001, 20_000):
        text = (piece * (size // len(piece) + 1))[:size]
        try:
            tree(text)
        except JitError as problem:
            assert problem.span is not None and 0 <= problem.span[0] <= problem.span[1] <= len(text)
        else:
            assert size != 1_000_001


def test_limits():
    for text, limits, code in [
        ("x" * 11, {"characters": 10}, "characters-limit"),
        ("x + y + z", {"tokens": 4}, "tokens-limit"),
        ("x" * 257, {}, "name-limit"),
        ("1" * 4301, {}, "digits-limit"),
        ("0." + "1" * 4301, {}, "digits-limit"),
        ("0x" + "F" * 1_000_000, {"characters": 2_000_000}, "digits-limit"),
        ("0" * 5000, {}, "digits-limit"),
        ("x+" * 200_000 + "x", {}, "tokens-limit"),
        ("x\n" * 400_000, {}, "tokens-limit"),
    ]:
        with pytest.raises(LimitError) as caught:
            tree(text, **limits)
        assert caught.value.code == code
        assert "allows more" in str(caught.value)
    tree("x" * 256 + " + " + "1" * 19)
    tree("x + y", tokens=5)


def test_small_thread_stack():
    """No recursion over the text, so a small stack is enough."""
    found: list[object] = []

    def run():
        for kind in KINDS:
            tree(nested(kind, 200))
            for depth in (1000, 100_000 if kind not in ("blocks", "defs") else 1000):
                try:
                    tree(nested(kind, depth))
                except LimitError:
                    found.append(kind)

    old = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(old)
    assert len(found) == 2 * len(KINDS)


@pytest.mark.parametrize(
    ("value", "error"), [(-1, ValueError), (2**63, ValueError), (1.5, TypeError), (None, TypeError)]
)
@pytest.mark.parametrize("field", Limits._fields)
def test_limits_are_numbers(field, value, error):
    with pytest.raises(error, match=f"limits: {field} must be"):
        jib.compile("1", limits=Limits()._replace(**{field: value}))


def test_limits_are_numbers_from_the_beginning():
    for made in (lambda: Limits(characters=-1), lambda: Limits(-1), lambda: Limits._make([-1] * len(Limits._fields))):
        with pytest.raises(ValueError, match=r"limits: characters must be between 0 and 2\*\*62 - 1, not -1"):
            made()
    with pytest.raises(TypeError, match="limits: characters must be an int, not str"):
        Limits(characters="3")
    with pytest.raises(TypeError, match="limits: tokens must be an int, not bool"):
        Limits()._replace(tokens=True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'letters'"):
        Limits(letters=3)


def test_limits_are_a_tuple_as_ever():
    limits = Limits(10, nesting=5)
    assert (limits.characters, limits.nesting, limits.tokens) == (10, 5, Limits().tokens)
    assert repr(limits).startswith("Limits(characters=10, tokens=150000, nesting=5, ")
    for again in (pickle.loads(pickle.dumps(limits)), copy.copy(limits), copy.deepcopy(limits), limits._replace()):
        assert again == limits == tuple(limits) and type(again) is Limits
    assert hash(limits) == hash(tuple(limits)) and not hasattr(limits, "__dict__")
    assert list(inspect.signature(Limits).parameters) == list(Limits._fields)
