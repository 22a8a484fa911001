"""For each production of the grammar a text in which it is what grows.

In: a size. Out: a text with so many of it: all in a row, where it makes a chain, else in nests of a hundred, as many as it takes.
Always holds: together the texts use every production of grammar/jib.lark; `unused` says which they do not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

DEEP = 100  # of the default limit of 200


class Production(NamedTuple):
    """`make(n)` is a text with n of it, `native` how many of them are also compiled to machine code (0: never)."""

    make: Callable[[int], str]
    native: int = 4_000


def rows(line: str, head: str = "", tail: str = "x") -> Production:
    """One line many times, `{i}` its number."""
    if "{i}" not in line:
        return Production(lambda n: head + line * n + tail)
    return Production(lambda n: head + "".join([line.replace("{i}", str(i)) for i in range(n)]) + tail)


def chain(part: str, between: str, before: str = "", after: str = "", native: int = 4_000) -> Production:
    if "{i}" not in part:
        return Production(lambda n: before + between.join([part] * n) + after, native)
    return Production(lambda n: before + between.join([part.replace("{i}", str(i)) for i in range(n)]) + after, native)


def nest(before: str, middle: str = "x", after: str = "") -> Production:
    """Lines, each so deep."""
    line = before * DEEP + middle + after * DEEP + "\n"
    return Production(lambda n: line * (n // DEEP + 1))


def blocks(head: str, before: str = "") -> Production:
    """Statements in statements, so deep, again and again."""
    lines = before + "".join([" " * i + head.replace("{i}", str(i)) + "\n" for i in range(DEEP)]) + " " * DEEP + "x\n"
    return Production(lambda n: lines * (n // DEEP + 1), 1_000)


PRODUCTIONS: dict[str, Production] = {
    # Statements.
    "lines": rows("x\n"),
    "lines: semicolon at the end": rows("x;\n"),
    "small statements": rows("x;"),
    "assign": rows("y=x\n"),
    "assign: new names": rows("v{i}=x\n"),
    "targets": chain("y", "=", after="=x"),
    "targets: new names": chain("v{i}", "=", after="=x"),
    "augmented": rows("y+=x\n", "y=1.0\n"),
    "annotated": rows("y:float=x\n"),
    "annotated: no value": rows("y:float\n", "y=x\n"),
    "pass": rows("pass\n"),
    "break": rows(" break\n", "while x:\n"),
    "continue": rows(" continue\n", "while x:\n"),
    "return": rows(" return x\n", "def f(x):\n", ""),
    "return: nothing": rows(" return\n", "def f(x):\n", ""),
    "assert": rows("assert x\n"),
    "assert: text": rows("assert x,'a'\n"),
    "raise": rows("if x<0:raise ValueError\n"),
    "raise: text": rows("if x<0:raise ValueError('a')\n"),
    "raise: nothing": rows("if x:raise\n"),
    "if": rows("if x:y=x\n", "y=x\n", "y"),
    "if else": rows("if x:\n y=x\nelse:\n y=x\n", tail="y"),
    "elif": rows("elif x<{i}:y={i}\n", "y=0\nif x<-1:y=1\n", "else: y=2\ny"),
    "while": rows("while x<0:y=x\n", "y=x\n", "y"),
    "while else": rows("while x<0:\n y=x\nelse:\n y=x\n", tail="y"),
    "for": rows("for i in range(2):y=x\n", "y=x\n", "y"),
    "for else": rows("for i in range(2):\n y=x\nelse:\n y=x\n", tail="y"),
    "def": rows("def f{i}(x):return x\n", tail=""),
    "def: no parameters": rows("def f{i}():return 1.5\n", tail="def f(x):return x"),
    "def: returns": rows("def f{i}(x)->float:return x\n", tail=""),
    "def: each calls the one before": rows(
        "def f{i}(x):return f{i}0(x) if x<0 else x\ndef f{i}0(x):return f{i}(x)\n", tail=""
    ),
    "def: closures": rows(" def g{i}():return x\n", "def f(x):\n", " return x"),
    "def: nested": blocks("def f{i}():", "def f(x):\n x\n"),
    "if: nested": blocks("if x:"),
    "while: nested": blocks("while x<0:"),
    "for: nested": blocks("for i in range(1):"),
    "parameters": chain("a{i}", ",", "def g(", "):return 1\ndef f(x):return x"),
    "parameters: defaults": chain("a{i}=1", ",", "def g(", "):return 1\ndef f(x):return x"),
    "parameters: annotated": chain("a{i}:int", ",", "def g(", "):return 1\ndef f(x):return x"),
    "parameters: annotated defaults": chain("a{i}:int=1", ",", "def g(", "):return 1\ndef f(x):return x"),
    "parameters: comma at the end": rows("def f{i}(a,):return a\n", tail=""),
    "parameters: markers": rows("def f{i}(a,/,b,*,c):return a\n", tail="def f(x):return x"),
    "parameters: free names": chain("a{i}", "+", native=0),
    # Expressions.
    "tuple": chain("x", ",", native=400),
    "tuple: of one": rows("y=x,\n"),
    "tuple: comma at the end": rows("y=x,x,\n"),
    "named": rows("(y:=x)\n"),
    "named: conditions": rows("if y:=x:y\n", "y=x\n"),
    "conditional": rows("x if x else x\n"),
    "conditional: nested": nest("x if x else "),
    "lambda": rows("f{i}=lambda x:x\n"),
    "lambda: no parameters": rows("f{i}=lambda:1\n"),
    "lambda: parameters": chain("a{i}", ",", "f=lambda ", ":1\nx"),
    "lambda: defaults": chain("a{i}=1", ",", "f=lambda ", ":1\nx"),
    "lambda: comma at the end": rows("f{i}=lambda a,:a\n"),
    "lambda: markers": rows("f{i}=lambda a,/,b,*,c:a\n"),
    "lambda: nested": nest("lambda:"),
    "or": chain("x", " or "),
    "and": chain("x", " and "),
    "not": nest("not "),
    "compare": chain("x", "<"),
    "binary |": chain("y", "|", "y=3\n", ";x"),
    "binary ^": chain("y", "^", "y=3\n", ";x"),
    "binary &": chain("y", "&", "y=3\n", ";x"),
    "binary <<": chain("y", "<<", "y=0\n", ";x"),
    "binary +": chain("x", "+"),
    "binary + of ints": chain("y", "+", "y=1\n", ";x"),
    "binary *": chain("x", "*"),
    "binary /": chain("x", "/"),
    "binary %": chain("x", "%"),
    "unary": nest("-"),
    "power": nest("x**"),
    "attribute": chain("math.pi", "+", after="+x"),
    "attributes": Production(lambda n: ("x" + ".a" * 300 + "\n") * (n // 300 + 1), 0),
    "call": chain("abs(x)", "+"),
    "call: no arguments": chain("f()", "+", "def f():return 1.5\ndef g(x):return x+"),
    "call: comma at the end": chain("abs(x,)", "+"),
    "call: nested": nest("abs(", "x", ")"),
    "arguments": chain("x", ",", "max(", ")"),
    "keywords": chain("isclose(x,x,rel_tol=x)", "+"),
    "keywords: many": chain("a{i}=x", ",", "f(", ")", native=0),
    "call of a generator": chain("sum(x for i in range(2))", "+"),
    "clauses": rows("sum(x" + " for i in range(1)" * 20 + ")\n"),
    "clauses: tests": chain("x", " if ", "sum(x for i in range(2) if ", ")"),
    "clauses: targets": chain("i{i}", ",", "sum(x for ", ",in range(2))", native=0),
    "generator in parentheses": rows("(x for i in range(2))\n"),
    "loop targets": chain("i{i}", ",", "for ", " in range(2):x\nx", native=0),
    "loop targets: of one": rows("for i, in range(2):x\n"),
    "subscript": chain("(x,)[0]", "+"),
    "subscript: nested": nest("(x,)[", "0", "]"),
    "slices": chain("0", ",", "(x,)[", "]"),
    "slices: of one": rows("x[0,]\n"),
    "slice": rows("x[0:1]\n"),
    "slice: parts": chain(":,::,1:,:1,1::,:1:,::1,1:1:,1::1,:1:1,1:1:1", ",", "x[", "]"),
    "names": chain("abcdefgh", "+", "abcdefgh=x\n"),
    "names: long": rows("a" * 250 + "{i}=x\n"),
    "numbers": chain("12345.678", "+", after="+x"),
    "numbers: long": chain("1" * 400 + ".0", "+", after="+x"),
    "numbers: octal": chain("0o7_7", "+", after="+x"),
    "constants": rows("y=None\ny=True\ny=False\n"),
    "strings": rows("print('a')\n"),
    "strings: in a row": chain("'a'", " ", "print(", ")"),
    "strings: escapes": chain(r"\x41", "", "print('", "')"),
    "strings: long": chain("a", "", "print('''", "''')"),
    "tuple: empty": rows("y=()\n"),
    "group": nest("(", "x", ")"),
    "group: flat": chain("(x)", "+"),
    "group: tuple": chain("x", ",", "(", ")", native=400),
    "group: tuple of one": nest("(", "x", ",)"),
    # What is no production: layout, and mistakes at the end.
    "comments": rows("#a\n"),
    "empty lines": rows("\n"),
    "spaces": Production(lambda n: "x" + " " * n),
    "tabs": Production(lambda n: "if x:\n" + "\t" * n + "x"),
    "continued lines": Production(lambda n: "x+" + "\\\n" * n + "x"),
    "a mistake after lines": rows("x\n", tail="+"),
    "a mistake after terms": chain("x", "+", after=" x"),
    "a bracket that stays open": rows("x+\n", "(", "x x"),
    "a bracket that does not fit": chain("x", "+", "(", "]"),
    "a number gone wrong": Production(lambda n: "1a." * n),
    "a text without an end": Production(lambda n: "'" + "\\a" * n),
    "a name that is unknown": rows("v{i}=x\n", tail="sqtr(x)"),
    "a wrong target": chain("x", ",", after=",1=x"),
    "a wrong indentation": rows(" x\n", "if x:\n", "  x"),
}


def unused(module: Any) -> list[str]:
    """The productions that no text reduces by; `module` is jib.parse."""
    parser = module._Parser((module._parser or module._make_parser()).table)
    left: set[str] = set()

    def watched(number: int) -> Any:
        origin, size, action = parser.table.rules[number]
        name = f"{origin}, {size} parts -> {action}"
        left.add(name)
        real = module.ACTIONS.get(action, module._parts)

        def run(parts: Any) -> Any:
            left.discard(name)
            return real(parts)

        return size, run, origin

    parser.steps = [to if to >= 0 else watched(~to) for to in parser.table.steps]
    for production in PRODUCTIONS.values():
        with suppress(module.JitError):
            parser.parse(module.Source(production.make(3)), module.DEFAULT)
    return sorted(left)
