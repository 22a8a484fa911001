"""Text -> tree: the shape of the tree against CPython's own, places, and garbage."""

# ruff: noqa: E501 (tables of samples)

from __future__ import annotations

import ast
import os
import random
import re
import threading
import warnings

import pytest

from jib import syntax as s
from jib.errors import CompileError, JitError, LimitError, ParseError
from jib.limits import Limits
from jib.parse import parse
from jib.source import Source, Span

SEED = int(os.environ.get("JIB_SEED", "20261123"))
ROUNDS = int(os.environ.get("JIB_ROUNDS", "500"))


def tree(text: str, **limits: int) -> s.Program:
    return parse(Source(text), Limits(**limits))


# ------------------------------------------------------------------------------- the shape, against CPython

_OPS = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.FloorDiv: "floordiv", ast.Mod: "mod", ast.Pow: "pow",
    ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor", ast.LShift: "lshift", ast.RShift: "rshift", ast.USub: "neg", ast.UAdd: "pos",
    ast.Invert: "invert", ast.Not: "not", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
    ast.And: "and", ast.Or: "or",
}  # fmt: skip


def theirs(node):
    """CPython's tree in the form of ours: nested tuples without spans."""
    if isinstance(node, list):
        return tuple(theirs(item) for item in node)
    if not isinstance(node, ast.AST):
        return node
    kind, t = type(node), theirs
    if kind is ast.Module:
        return "Program", t(node.body)
    if kind is ast.Constant:
        return "Constant", repr(node.value)
    if kind is ast.Name:
        return "Name", node.id
    if kind is ast.Attribute:
        return "Attribute", t(node.value), node.attr
    if kind is ast.UnaryOp:
        return "Unary", _OPS[type(node.op)], t(node.operand)
    if kind is ast.BinOp:
        return "Binary", _OPS[type(node.op)], t(node.left), t(node.right)
    if kind is ast.Compare:
        return "Compare", tuple(_OPS[type(op)] for op in node.ops), (t(node.left), *t(node.comparators))
    if kind is ast.BoolOp:
        return "BoolOp", _OPS[type(node.op)], t(node.values)
    if kind is ast.Call:
        return "Call", t(node.func), t(node.args), tuple(("Keyword", k.arg, t(k.value)) for k in node.keywords)
    if kind is ast.GeneratorExp:
        return "Generator", t(node.elt), tuple(("Clause", t(c.target), t(c.iter), t(c.ifs)) for c in node.generators)
    if kind is ast.Subscript:
        return "Subscript", t(node.value), t(node.slice)
    if kind is ast.Lambda:
        return "Lambda", _arguments(node.args), t(node.body)
    if kind is ast.AugAssign:
        return "AugAssign", t(node.target), _OPS[type(node.op)], t(node.value)
    if kind is ast.AnnAssign:
        return "AnnAssign", t(node.target), t(node.annotation), t(node.value)
    if kind is ast.If:
        branches = [(t(node.test), t(node.body))]
        orelse = node.orelse
        # An `elif` is an If alone in the else part, standing where the outer one stands.
        while len(orelse) == 1 and type(orelse[0]) is ast.If and orelse[0].col_offset == node.col_offset:
            branches.append((t(orelse[0].test), t(orelse[0].body)))
            orelse = orelse[0].orelse
        return "If", tuple(branches), t(orelse)
    if kind is ast.For:
        return "For", t(node.target), t(node.iter), t(node.body), t(node.orelse)
    if kind is ast.Raise:
        if isinstance(node.exc, ast.Name):
            return "Raise", node.exc.id, None
        return "Raise", node.exc.func.id, node.exc.args[0].value if node.exc.args else None
    if kind is ast.FunctionDef:
        doc = ast.get_docstring(node, clean=False)
        body = node.body[1:] if doc is not None else node.body
        return "FunctionDef", node.name, _arguments(node.args), t(node.returns), doc, t(body)
    name = {ast.Expr: "ExprStmt"}.get(kind, kind.__name__)
    return (
        name,
        *(t(getattr(node, field)) for field in node._fields if field not in ("ctx", "type_comment", "simple")),
    )


def _arguments(a):
    found = []
    plain = [(p, "positional") for p in a.posonlyargs] + [(p, "any") for p in a.args]
    defaults = [None] * (len(plain) - len(a.defaults)) + a.defaults
    for (p, kind), default in zip(plain, defaults):
        found.append(("Parameter", p.arg, theirs(p.annotation), theirs(default), kind))
    for p, default in zip(a.kwonlyargs, a.kw_defaults):
        found.append(("Parameter", p.arg, theirs(p.annotation), theirs(default), "keyword"))
    return tuple(found)


def ours(node):
    """Our tree without spans, and literals by their repr (0.0 is not -0.0, 1 not True)."""
    if type(node) is tuple:
        return tuple(ours(item) for item in node)
    if isinstance(node, Span) or not isinstance(node, tuple):
        return node
    kind = type(node).__name__
    if kind == "Constant":
        return kind, repr(node.value)
    return (kind, *(ours(getattr(node, name)) for name in node._fields if name not in ("span", "op_span", "name_span")))


def same(text: str) -> bool:
    """Both take the text and agree, or neither does. True if both take it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = theirs(ast.parse(text))
            compile(text, "<text>", "exec") if "return" not in text else None
    except SyntaxError as problem:
        if any(
            words in str(problem) for words in ("outside", "not properly in loop", "comprehension iterable", "rebind")
        ):
            return False  # what lower judges
        with pytest.raises(JitError):
            tree(text)
        return False
    assert ours(tree(text)) == expected, text
    return True


class Writer:
    """Random texts of the language, and on demand a few outside it."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def pick(self, *options):
        return self.rng.choice(options)

    def some(self, make, least=0, most=3, joint=", "):
        return joint.join(make() for _ in range(self.rng.randint(least, most)))

    def name(self):
        return self.pick("a", "b", "c", "x", "y", "n_1", "_", "lambda_", "If", "match", "case", "type")

    def number(self):
        return self.pick(
            "0", "1", "42", "1_000", "0x1F", "0XfF", "0o17", "0b1_0", "00", "1.5", "1.", ".5", "1e3", "1E-3", "2.5e+1", "1_0.0_1e1_0", "9" * 19,
            "09.5", "1e400", "18446744073709551615",
        )  # fmt: skip

    def string(self):
        return self.pick(
            "'a'", '"b\\n"', "'''c\n d'''", '"""e"f"""', "r'\\d'", "u'g'", "'h' \"i\"", "'\\x41\\u00e9\\101\\''", "'\\q'", "''", '""', '""""""',
            "'é'", '"""\\""""', "R'''a''b'''",
        )  # fmt: skip

    def targets(self):
        one = lambda: self.pick(self.name(), f"{self.name()}[{self.expr(1)}]", f"({self.name()})")  # noqa: E731
        return self.pick(
            one(), f"{one()}, {one()}", f"({one()}, {one()})", f"{one()},", f"({one()}, ({one()}, {one()})), {one()}"
        )

    def params(self, annotate):
        names = self.rng.sample(["a", "b", "c", "d", "e", "f"], self.rng.randint(0, 4))
        out, default, marks = [], False, self.rng.randint(0, 5)
        for at, name in enumerate(names):
            default = default or self.rng.random() < 0.3
            note = (
                f": {self.pick('int', 'f64[:, :]', 'tuple[int, float]')}"
                if annotate and self.rng.random() < 0.5
                else ""
            )
            out.append(f"{name}{note}" + (f"={self.expr(1)}" if default else ""))
            if marks == 1 and at == 0:
                out.append("/")
            if marks == 2 and at == len(names) - 2:
                out.append("*")
        return ", ".join(out) + ("," if out and self.rng.random() < 0.1 else "")

    def expr(self, depth):
        r = self.rng
        if depth <= 0:
            return self.pick(self.name(), self.name(), self.number(), "True", "False", "None", self.string())
        e = lambda: self.expr(depth - r.randint(1, 2))  # noqa: E731
        space = self.pick("", " ", " ")
        kind = r.randint(0, 22)
        if kind < 8:
            op = self.pick("+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>")
            return f"{e()} {op} {e()}" if space else f"({e()}){op}({e()})"
        if kind < 10:
            return f"{e()} {self.pick('<', '<=', '>', '>=', '==', '!=')} {e()}"
        if kind == 10:
            return f"{e()} {self.pick('and', 'or')} {e()}"
        if kind == 11:
            return f"{self.pick('-', '+', '~', 'not ', '- -')}{e()}"
        if kind == 12:
            return f"{e()} if {e()} else {e()}"
        if kind == 13:
            return f"lambda {self.params(False)}: {e()}"
        if kind == 14:
            return f"({self.name()} := {e()})"
        if kind == 15:
            args = [self.pick(e(), e(), f"{self.name()} := {e()}") for _ in range(r.randint(0, 3))]
            args += [f"{name}={e()}" for name in r.sample(["k", "l", "m"], r.randint(0, 2))]
            if r.random() < 0.03:
                r.shuffle(args)
            return f"{self.pick('f', 'math.sin', '(g)', 'f(1)')}({', '.join(args)}{self.pick('', ',') if args else ''})"
        if kind == 16:
            clauses = self.some(
                lambda: (
                    f"for {self.pick('x', 'x, y', 'x[0]')} in {self.expr(0)}"
                    + self.some(lambda: f" if {e()}", 0, 2, "")
                ),
                1,
                2,
                " ",
            )
            return f"{self.pick('sum', '', 'x.f')}({e()} {clauses})"
        if kind == 17:

            def part():
                return self.pick(e(), ":", f"{e()}:", f":{e()}", f"{e()}:{e()}", "::", f"::{e()}", f"{e()}:{e()}:{e()}")

            return f"{self.pick('x', 'f(x)', 'x[0]', '(x)')}[{self.some(part, 1, 3)}{self.pick('', '', ',')}]"
        if kind == 18:
            return self.pick(
                "()", f"({e()},)", f"({self.some(e, 2, 3)})", f"({e()})", f"({e()}, {self.name()} := {e()},)"
            )
        if kind == 19:
            return f"x.{self.name()}"
        if kind == 20:
            return f"({e()}\n  # a comment\n {self.pick('+', 'and', 'if x else')} {e()})"
        return self.expr(0)

    def exprs(self, depth):
        return self.pick(self.expr(depth), self.expr(depth), f"{self.expr(depth)}, {self.expr(1)}", f"{self.expr(1)},")

    def small(self):
        r = self.rng
        kind = r.randint(0, 12)
        if kind < 3:
            return self.exprs(3)
        if kind < 6:
            return self.some(lambda: f"{self.targets()} = ", 1, 3, "") + self.exprs(2)
        if kind == 6:
            op = self.pick("+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>")
            return f"{self.pick('x', 'x[0]', '(x)')} {op}= {self.exprs(2)}"
        if kind == 7:
            return f"x: {self.pick('int', 'f64[:]')}" + self.pick("", f" = {self.exprs(1)}")
        if kind == 8:
            return self.pick("return", f"return {self.exprs(2)}", "pass", "pass")
        if kind == 9:
            return f"assert {self.expr(2)}" + self.pick("", ", 'text'")
        if kind == 10:
            return self.pick("raise ValueError", "raise ValueError('text')", "raise TypeError()")
        return self.pick("break", "continue", "pass", self.string())

    def simple(self):
        return self.some(self.small, 1, 3, self.pick("; ", ";")) + self.pick("", "", ";", "  # comment", " \\\n  ")

    def block(self, indent, depth):
        if depth <= 0 or self.rng.random() < 0.2:
            return " " + self.simple() + "\n"
        deeper = indent + self.pick(" ", "  ", "    ", "\t")
        return self.pick("", " ", " # comment") + "\n" + self.suite(deeper, depth - 1)

    def suite(self, indent, depth):
        out = ""
        for _ in range(self.rng.randint(1, 3)):
            out += self.pick("", "", "", "\n", "   \n", "# comment\n", f"{indent} # deeper\n", "\f\n")
            out += self.statement(indent, depth)
        return out

    def statement(self, indent, depth):
        kind = self.rng.randint(0, 9) if depth > 0 else 9
        b = lambda: self.block(indent, depth)  # noqa: E731
        orelse = lambda: self.pick("", f"{indent}else:{b()}")  # noqa: E731
        if kind < 3:
            elifs = self.some(lambda: f"{indent}elif {self.expr(1)}:{b()}", 0, 2, "")
            return f"{indent}if {self.pick(self.expr(2), 'n := f(x)')}:{b()}{elifs}{orelse()}"
        if kind == 3:
            return f"{indent}while {self.expr(2)}:{b()}{orelse()}"
        if kind == 4:
            return f"{indent}for {self.targets()} in {self.expr(2)}:{b()}{orelse()}"
        if kind == 5:
            returns = self.pick("", " -> int", " -> tuple[int, float]")
            return f"{indent}def {self.name()}({self.params(True)}){returns}:{b()}"
        return f"{indent}{self.simple()}\n"


def test_expressions_have_cpythons_shape():
    taken = 0
    for round_ in range(ROUNDS):
        writer = Writer(random.Random(f"{SEED}-expression-{round_}"))
        text = writer.exprs(writer.rng.randint(1, 6))
        try:
            taken += same(text)
        except BaseException:
            print(f"JIB_SEED={SEED} round {round_}:\n{text}")
            raise
    assert taken > ROUNDS * 0.8


def test_programs_have_cpythons_shape():
    taken = 0
    for round_ in range(ROUNDS):
        writer = Writer(random.Random(f"{SEED}-program-{round_}"))
        text = writer.suite("", 3)
        try:
            taken += same(text)
        except BaseException:
            print(f"JIB_SEED={SEED} round {round_}:\n{text}")
            raise
    assert taken > ROUNDS * 0.4


def test_mutated_programs_are_judged_as_cpython_judges_them():
    """What CPython rejects is rejected; what is taken has CPython's shape. (What CPython takes may be outside the language.)"""
    for round_ in range(ROUNDS):
        writer = Writer(random.Random(f"{SEED}-mutation-{round_}"))
        text = list(writer.suite("", 2))
        for _ in range(writer.rng.randint(1, 2)):
            at = writer.rng.randrange(len(text))
            text[at] = writer.pick(
                "",
                "",
                "(",
                ")",
                ",",
                ":",
                "=",
                "\n",
                " ",
                "*",
                "if",
                "1",
                ".",
                "'",
                "[",
                "]",
                "x",
                "\t",
                "\\",
                "0",
                "_",
            )
        text = "".join(text)
        try:
            found = ours(tree(text))
        except JitError:
            continue
        # A base of indentation is what CPython does not allow, but for a block.
        indented = re.match(r"(?:[ \t\f]*(?:#[^\n]*)?\n)*\f*[ \t]+[^\s#]", text)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = theirs(ast.parse(text if not indented else "if 1:\n" + text))
        except SyntaxError as problem:
            raise AssertionError(f"JIB_SEED={SEED} round {round_}: CPython says {problem}:\n{text}") from None
        if indented:
            expected = "Program", expected[1][0][1][0][1]
        assert found == expected, f"JIB_SEED={SEED} round {round_}:\n{text}"


@pytest.mark.parametrize(
    "text",
    [
        "a + b * c - d / e // f % g",
        "-x ** -y ** z",
        "not a == b",
        "a < b <= c != d",
        "a and b or c and not d",
        "a | b ^ c & d << e + f",
        "a if b else c if d else e",
        "(a if b else c) if d else e",
        "lambda: 0",
        "lambda a, /, b=1, *, c, d=2: a",
        "lambda a: lambda b: a, b",
        "lambda x: x if x else -x",
        "f(x for x in y)",
        "f((x for x in y), 1)",
        "sum(x*y for x, y in zip(a, b) if x if y for z in c)",
        "x[1:2, ::3, n := 4]",
        "a, b = b, a",
        "(a, b), c = x[0], = y = 1,",
        "x = y = z",
        "x: int",
        "(x): int = 3",
        "if (n := f(x)) > 1: n",
        "if n := f(x): n",
        "f(n := 1, k=2)",
        "if a: b\nelif c: d\nelif e: f\nelse: g",
        "while a:\n  b\nelse:\n  c",
        "for a, (b, c) in d: e",
        "for x in a, b: x",
        "def f(a: int, /, b: float = 1., *, c) -> float:\n  'doc'\n  def g(): return 1\n  return g()",
        "def f(a,): 'only a docstring'",
        "def f():\n  ('doc')\n  1",
        "x = 1; y = 2;\n",
        "x = \\\n  1",
        "\n\n  # comment\nx\n\n# comment",
        "if x:\n\ty\n\tz",
        "if x:\n  if y:\n    z\nw",
        "x\f+ 1\n\fy",
        "if x:\r\n  y\r\nz\r\n",
        "raise ValueError('a' 'b')",
        "print('''a\r\nb''')",
        "x = (1,\n2,\n\n3)",
        "a.b.c(d)[e].f",
        "1 .real",
        "1e999999",
        "-9223372036854775808",
        "True, False, None",
        "match = case = type = _ = 1",
        "0 if x else 0.0",
        "'\\\n'",
        "'''\\''''",
        "x=-1;y=+-~1",
        "return_ + ifx + inn + nota",
    ],
)
def test_shape(text):
    assert same(text)


def test_uniform_indentation_is_the_base():
    text = "\n    x = 1\n    if x:\n        y\n    # comment\n  # comment\n    z\n  "
    assert ours(tree(text)) == ours(tree("x = 1\nif x:\n    y\nz"))
    assert ours(tree("\tx\n\ty")) == ours(tree("x\ny"))


# ------------------------------------------------------------------------------------------------- places


def spans(text: str) -> dict[str, str]:
    """The text of each node of a tree, by the node's kind; of two of a kind the outer."""
    found: dict[str, str] = {}
    waiting = [tree(text)]
    for node in waiting:
        if hasattr(node, "span"):
            found.setdefault(type(node).__name__, text[node.span.start : node.span.end])
        for part in node:
            if isinstance(part, tuple) and not isinstance(part, Span):
                waiting.append(part)
    return found


def test_spans():
    assert spans("  (a + b) * c  # comment")["Binary"] == "(a + b) * c"
    assert spans("f(x, k=1)[2]")["Call"] == "f(x, k=1)"
    assert spans("f(x, k=1)[2]")["Keyword"] == "k=1"
    assert spans("f(x, k=1)[2]")["Subscript"] == "f(x, k=1)[2]"
    assert spans("x = a, b")["Tuple"] == "a, b"
    assert spans("x = a, b,")["Tuple"] == "a, b,"
    assert spans("x = (a, b)")["Tuple"] == "(a, b)"
    assert spans("x[1:2]")["Slice"] == "1:2"
    assert spans("sum(x for x in y if x)")["Clause"] == "for x in y if x"
    assert spans("if x:\n  y\nelse:\n  z\n")["If"] == "if x:\n  y\nelse:\n  z"
    assert spans("def f(a: int = 1): return a\n")["Parameter"] == "a: int = 1"
    assert spans("- x")["Unary"] == "- x"
    assert spans("a if b else c")["IfExp"] == "a if b else c"
    assert spans("'a'  'b'")["Constant"] == "'a'  'b'"
    program = tree("a  //  b")
    assert program.body[0].value.op_span == Span(3, 5)
    assert tree("x **= 2").body[0].op_span == Span(2, 5)
    assert tree("def  name(): 1").body[0].name_span == Span(5, 9)


def test_spans_are_cpythons():
    """The place of every statement, call, operation and name, except that parentheses belong to what is in them."""
    for round_ in range(300):
        writer = Writer(random.Random(f"{SEED}-span-{round_}"))
        text = writer.suite("", 2)
        if "(" in text or not text.isascii() or "\f" in text:
            continue
        try:
            expected = ast.parse(text)
            program = tree(text)
        except SyntaxError:
            continue
        source = Source(text)
        places = set()
        waiting = [program]
        for node in waiting:
            if hasattr(node, "span"):
                places.add((*source.position(node.span[0]), *source.position(node.span[1])))
            waiting += [part for part in node if isinstance(part, tuple) and not isinstance(part, Span)]
        for node in ast.walk(expected):
            # (CPython's generators take the parentheses of the call; elif is no node of ours; ours of a docstring is in the function.)
            # (And CPython lets a compound statement end with the semicolon of its last.)
            if hasattr(node, "body") and ";" in text:
                continue
            if isinstance(node, (ast.expr, ast.stmt)) and not isinstance(node, ast.If) and "def" not in text:
                place = node.lineno, node.col_offset + 1, node.end_lineno, node.end_col_offset + 1
                if "raise" not in text:
                    assert place in places, f"JIB_SEED={SEED} round {round_}: {ast.dump(node)} {place}\n{text}"


# ------------------------------------------------------------------------------------------------ literals


def value(text):
    return tree(text).body[0].value.value


def test_literals():
    assert value("9223372036854775808") == 2**63
    assert value("18446744073709551615") == 2**64 - 1
    assert value("1e999999") == float("inf")
    assert value("0x_ff") == 255
    assert value("'a' \"b\" '''c'''") == "abc"
    assert value(r"'\x41\u0042\U00000043\104\n\q\'\"\\'") == "ABCD\n\\q'\"\\"
    assert value(r"r'\n\''") == "\\n\\'"
    for text in ("18446744073709551616", "0x10000000000000000", "1" * 4300):
        with pytest.raises(CompileError) as caught:
            tree(text)
        assert caught.value.code == "int-literal-too-large"


# ------------------------------------------------------------------------------------------------- garbage


def test_garbage():
    """Characters and words at random: a tree, or an error of ours that has a place."""
    words = [
        "x", "1", "'a'", "(", ")", "[", "]", "{", "}", ",", ":", ";", "=", "==", "+", "-", "*", "**", "/", "->", ":=", ".", "@", "!", "\n", "\n  ", "\n    ",
        " ", "if", "else", "elif", "for", "in", "while", "def", "return", "lambda", "not", "and", "or", "is", "import", "class", "None", "+=", "f'", '"', "'",
        '"""', "\\", "\\\n", "#", "\t", "\f", "\r", "\0", "é", "“", "\u202e", "\ud800", "0x", "1_", "1e", "raise", "assert", "pass", "try", "yield", "$", "~",
    ]  # fmt: skip
    for round_ in range(ROUNDS * 3):
        rng = random.Random(f"{SEED}-garbage-{round_}")
        if round_ % 3:
            text = rng.choice(["", " "]).join(rng.choice(words) for _ in range(rng.randint(1, 25)))
        else:
            text = "".join(
                chr(rng.choice([rng.randint(0, 127), rng.randint(0, 255), rng.randint(0, 0x10FFFF)]))
                for _ in range(rng.randint(1, 40))
            )
        try:
            tree(text)
        except JitError as problem:
            assert type(problem) in (ParseError, LimitError, CompileError), (round_, text)
            assert 0 <= problem.span[0] <= problem.span[1] <= len(text), (round_, text)
        except BaseException:
            print(f"JIB_SEED={SEED} round {round_}: {text!r}")
            raise


def test_only_text():
    for wrong in (None, 1, b"x", "x", ["x"]):
        with pytest.raises(TypeError):
            parse(wrong)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------- threads


def test_threads():
    failures: list[BaseException] = []
    texts = [Writer(random.Random(f"{SEED}-thread-{i}")).exprs(4) for i in range(50)]
    expected = [repr(_or_error(text)) for text in texts]

    def run():
        try:
            for text, answer in zip(texts * 5, expected * 5):
                assert repr(_or_error(text)) == answer
        except BaseException as problem:
            failures.append(problem)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def _or_error(text):
    try:
        return tree(text)
    except JitError as problem:
        return str(problem)
