"""Every mistake in a text: the exact message, its place, and how Python prints it.

Rows are (text, message, line:column-end), columns counted from 1 and the end not included, as SyntaxError has them.
"""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest

from jib import errors
from jib.errors import MESSAGES, CompileError, JitError, LimitError, ParseError, add_place_note, error, nearest
from jib.limits import Limits
from jib.parse import parse
from jib.source import Source, Span

MISTAKES = [
    ("", "nothing to compile: the text is empty", "1:1-1"),
    ("   \n# only a comment\n", "nothing to compile: the text is empty", "1:1-1"),
    ("1 +", "expected an expression after '+'", "1:4-4"),
    ("1 + * 2", "expected an expression after '+'", "1:5-6"),
    ("(1 + 2", "'(' was never closed", "1:1-2"),
    ("(1 + 2]", "closing parenthesis ']' does not match opening parenthesis '('", "1:7-8"),
    ("1 + 2)", "unmatched ')'", "1:6-7"),
    ("a b", "expected an operator or a new line between these expressions", "1:3-4"),
    ("f(a b)", "expected an operator or ',' between these expressions", "1:5-6"),
    ("f(a, b", "'(' was never closed", "1:2-3"),
    ("f(a,\n  b\nc = 1", "'(' was never closed", "1:2-3"),
    ("if x\n  y", "expected ':'", "1:5-5"),
    ("if x:\ny", "expected an indented block after 'if' on line 1", "2:1-2"),
    ("if x:", "expected an indented block after 'if' on line 1", "1:6-6"),
    ("if x:\n", "expected an indented block after 'if' on line 1", "2:1-1"),
    ("if :\n  y", "expected an expression after 'if'", "1:4-5"),
    ("  x\n y\n", "unindent does not match any outer indentation level", "2:1-2"),
    ("x\n  y", "unexpected indent", "2:1-3"),
    ("if x:\n    y\n  z", "unindent does not match any outer indentation level", "3:1-3"),
    ("if x:\n\ty\n        z", "inconsistent use of tabs and spaces in indentation", "3:1-9"),
    ("else: x", "'else' without an 'if', 'while' or 'for' before it", "1:1-5"),
    ("elif x: y", "'elif' without an 'if' before it", "1:1-5"),
    ("x = ", "expected an expression after '='", "1:5-5"),
    ("= 3", "expected an expression", "1:1-2"),
    ("f() = 1", "cannot assign to a function call", "1:1-4"),
    ("1 = x", "cannot assign to a literal", "1:1-2"),
    ("a + b = c", "cannot assign to an expression", "1:1-6"),
    ("True = 1", "cannot assign to True", "1:1-5"),
    ("(a, 1) = 2", "cannot assign to a literal", "1:5-6"),
    ("x.y = 1", "cannot assign to an attribute", "1:1-4"),
    ("x += ", "expected an expression after '+='", "1:6-6"),
    ("(a, b) += 1", "a tuple cannot be the target of an augmented assignment", "1:1-7"),
    ("1 += x", "a literal cannot be the target of an augmented assignment", "1:1-2"),
    ("f(): int = 3", "only a name can be annotated, not a function call", "1:1-4"),
    ("if x = 3: y", "'=' assigns and is not an expression; compare with '=='", "1:6-7"),
    ("(a = 1)", "'=' assigns and is not an expression; compare with '=='", "1:4-5"),
    ("f(1=2)", "expected a name before '=' in a call; compare with '=='", "1:4-5"),
    ("f(a.b=2)", "expected a name before '=' in a call; compare with '=='", "1:6-7"),
    ("x == y = 3", "cannot assign to a comparison", "1:1-7"),
    ("while x = 1: y", "'=' assigns and is not an expression; compare with '=='", "1:9-10"),
    ("lambda: (x = 1)", "'=' assigns and is not an expression; compare with '=='", "1:12-13"),
    ("x := 3", "':=' is written in parentheses here", "1:3-5"),
    ("(x.y := 3)", "only a name can stand before ':='", "1:6-8"),
    ("f(x)[y := 1] := 2", "only a name can stand before ':='", "1:14-16"),
    ("(1 := x)", "only a name can stand before ':='", "1:4-6"),
    ("f(a := 1 := 2)", "only a name can stand before ':='", "1:10-12"),
    ("assert x := 3", "':=' is written in parentheses here", "1:10-12"),
    (
        "import math",
        "imports are not part of the language; the functions of math and numpy are known by name",
        "1:1-7",
    ),
    (
        "from math import sin",
        "imports are not part of the language; the functions of math and numpy are known by name",
        "1:1-5",
    ),
    ("as = 1", "'as' is a keyword and cannot be a name", "1:1-3"),
    ("x as y", "'as' is not part of the language", "1:3-5"),
    ("class A: pass", "classes are not part of the language", "1:1-6"),
    ("try: x", "'try' is not part of the language", "1:1-4"),
    ("with a: b", "'with' is not part of the language", "1:1-5"),
    ("del x", "'del' is not part of the language", "1:1-4"),
    ("global x", "'global' is not part of the language", "1:1-7"),
    ("nonlocal x", "'nonlocal' is not part of the language", "1:1-9"),
    ("yield x", "'yield' is not part of the language", "1:1-6"),
    ("x = yield y", "'yield' is not part of the language", "1:5-10"),
    ("async def f(): 1", "'async' is not part of the language", "1:1-6"),
    ("await x", "'await' is not part of the language", "1:1-6"),
    ("x is None", "'is' is not part of the language; use '=='", "1:3-5"),
    ("x is not y", "'is' is not part of the language; use '=='", "1:3-5"),
    ("x in y", "'in' is not part of the language; compare with '==' and 'or'", "1:3-5"),
    ("x not in y", "'not in' is not part of the language; compare with '==' and 'or'", "1:3-6"),
    ("except: 1", "'except' is not part of the language", "1:1-7"),
    ("finally: 1", "'finally' is not part of the language", "1:1-8"),
    ("[1, 2]", "lists are not part of the language; a tuple is written in '(' and ')'", "1:1-2"),
    ("[x for x in y]", "comprehensions are not part of the language", "1:1-2"),
    ("{1: 2}", "'{' is not part of the language; blocks are indented, and there are no sets and dicts", "1:1-2"),
    ("{1, 2}", "'{' is not part of the language; blocks are indented, and there are no sets and dicts", "1:1-2"),
    ("{}", "'{' is not part of the language; blocks are indented, and there are no sets and dicts", "1:1-2"),
    ("x = [0]*3", "lists are not part of the language; a tuple is written in '(' and ')'", "1:5-6"),
    ("f'{x}'", "f-strings are not part of the language; only plain strings are", "1:1-3"),
    ("b'a'", "bytes are not part of the language", "1:1-3"),
    ("rb'a'", "bytes are not part of the language", "1:1-4"),
    ('F"a"', "f-strings are not part of the language; only plain strings are", "1:1-3"),
    ("fr'a'", "f-strings are not part of the language; only plain strings are", "1:1-4"),
    ("ab'c'", "'ab' before a string has no meaning", "1:1-3"),
    ("@f\ndef g(): 1", "decorators are not part of the language", "1:1-2"),
    ("a @ b", "matrix multiplication with '@' is not part of the language", "1:3-4"),
    ("match x:\n  case 1: y", "'match' is not part of the language", "1:1-6"),
    ("f(*a)", "'*' arguments are not part of the language", "1:3-4"),
    ("f(**a)", "'**' arguments are not part of the language", "1:3-5"),
    ("*a, b = c", "starred expressions are not part of the language", "1:1-2"),
    ("def f(*a): 1", "'*' parameters are not part of the language", "1:7-9"),
    ("def f(**a): 1", "'**' parameters are not part of the language", "1:7-9"),
    ("lambda *a: a", "'*' parameters are not part of the language", "1:8-10"),
    ("lambda **a: a", "'**' parameters are not part of the language", "1:8-10"),
    ("(*a, b)", "starred expressions are not part of the language", "1:2-3"),
    ("return *a, b", "starred expressions are not part of the language", "1:8-9"),
    ("def f() -> : 1", "expected an expression after '->'", "1:12-13"),
    ("def f(a) - > int: 1", "expected ':'", "1:10-11"),
    ("x -> y", "'->' stands only between the parameters of a 'def' and its ':'", "1:3-5"),
    ("a->b", "'->' stands only between the parameters of a 'def' and its ':'", "1:2-4"),
    ("1j", "complex numbers are not part of the language", "1:1-3"),
    ("1.5e3J", "complex numbers are not part of the language", "1:1-7"),
    ("0777", "a number does not begin with 0; write 0o777 for octal, 777 for decimal", "1:1-5"),
    ("0_7", "a number does not begin with 0; write 0o7 for octal, 7 for decimal", "1:1-4"),
    ("1__0", "'_' in a number stands between two digits", "1:1-5"),
    ("1_", "'_' in a number stands between two digits", "1:1-3"),
    ("0x", "expected a digit after '0x'", "1:1-3"),
    ("0xg", "invalid digit 'g' in a hexadecimal number", "1:3-4"),
    ("0b2", "invalid digit '2' in a binary number", "1:3-4"),
    ("0o8", "invalid digit '8' in an octal number", "1:3-4"),
    ("1e", "expected a digit after '1e'", "1:1-3"),
    ("1e+", "expected a digit after '1e'", "1:1-3"),
    ("1.2.3", "invalid number '1.2.3'", "1:1-6"),
    ("3x", "expected an operator or a space between the number 3 and 'x'", "1:1-3"),
    ("1.real", "expected an operator or a space between the number 1. and 'real'", "1:1-7"),
    ("0x_", "'_' in a number stands between two digits", "1:1-4"),
    ("1if x else 2", "expected an operator or a space between the number 1 and 'if'", "1:1-4"),
    ("'abc", "unterminated string literal", "1:1-5"),
    ('"abc\ny"', "unterminated string literal", "1:1-5"),
    ("'''abc", "unterminated triple-quoted string literal", "1:1-4"),
    ("x = '", "unterminated string literal", "1:5-6"),
    ("r'abc", "unterminated string literal", "1:1-6"),
    ("'\\x4'", "invalid escape '\\x' in a string", "1:2-4"),
    ("'\\N{DASH}'", "invalid escape '\\N' in a string", "1:2-4"),
    ("'\\ud800'", "invalid escape '\\ud800' in a string", "1:2-8"),
    ("x!", "'!' is written 'not'", "1:2-3"),
    ("!x", "'!' is written 'not'", "1:1-2"),
    ("a && b", "'&&' is written 'and'", "1:3-5"),
    ("a || b", "'||' is written 'or'", "1:3-5"),
    ("a <> b", "'<>' is written '!='", "1:3-5"),
    ("a === b", "'===' is written '=='", "1:3-6"),
    ("a =< b", "'=<' is written '<='", "1:3-5"),
    ("a => b", "'=>' is written '>='", "1:3-5"),
    (
        "x.__class__",
        "'__class__' is not part of the language: names between double underscores are Python's own",
        "1:3-12",
    ),
    ("def f[T](x): return x", "expected '('", "1:6-7"),
    ("x ? y : z", "'?' is not part of the language; write 'a if condition else b'", "1:3-4"),
    ("$x", "unexpected character '$' (U+0024)", "1:1-2"),
    ("`x`", "unexpected character '`' (U+0060)", "1:1-2"),
    ("x++", "'++' is written '+= 1'", "1:2-4"),
    ("x--", "'--' is written '-= 1'", "1:2-4"),
    ("++x--", "'--' is written '-= 1'", "1:4-6"),
    ("a \\ b", "unexpected character after the backslash that continues a line", "1:3-4"),
    ("a \\", "the text ends after the backslash that continues a line", "1:3-4"),
    ("a + \\\n", "the text ends after the backslash that continues a line", "1:5-6"),
    ("x\r y", "a carriage return without a newline after it", "1:2-3"),
    ("x # a comment\r y", "a carriage return without a newline after it", "1:14-15"),
    ("'''a\r'''", "a carriage return without a newline after it", "1:5-6"),
    ("\xe9", "names are made of the letters a-z and A-Z, digits and _; '\xe9' (U+00E9) is not one of them", "1:1-2"),
    ("a\xe9", "names are made of the letters a-z and A-Z, digits and _; '\xe9' (U+00E9) is not one of them", "1:2-3"),
    ("x \u2212 y", "character '\u2212' (U+2212) is not '-'", "1:3-4"),
    ("x \xd7 y", "character '\xd7' (U+00D7) is not '*'", "1:3-4"),
    ("\u0430 + b", "character '\u0430' (U+0430) is not 'a'", "1:1-2"),
    ("\u201ca\u201d", "character '\u201c' (U+201C) is no quote; write \"", "1:1-2"),
    ("x\xa0+ y", "character U+00A0 looks like a space and is not one", "1:2-3"),
    ("x\u200b", "invisible character U+200B", "1:2-3"),
    ("x\u2028y", "character U+2028 looks like a space and is not one", "1:2-3"),
    ("\ufeffx", "invisible character U+FEFF", "1:1-2"),
    ("\uff11 + x", "character '\uff11' (U+FF11) is not '1'", "1:1-2"),
    ("x\xb2 + 1", "character '\xb2' (U+00B2) is not '**2'", "1:2-3"),
    ("\U0001f600", "unexpected character '\U0001f600' (U+1F600)", "1:1-2"),
    ("x # \u202e", "invisible character U+202E changes the direction in which the text is shown", "1:5-6"),
    ("\x00", "the text contains a NUL character", "1:1-2"),
    ("x\x00", "the text contains a NUL character", "1:2-3"),
    ("'\ud800'", "the text contains half a character (U+D800, a lone surrogate)", "1:2-3"),
    ("\u2211(x)", "unexpected character '\u2211' (U+2211)", "1:1-2"),
    (
        "\u03c0",
        "names are made of the letters a-z and A-Z, digits and _; '\u03c0' (U+03C0) is not one of them",
        "1:1-2",
    ),
    ("f(a=1, 2)", "positional argument follows keyword argument", "1:8-9"),
    ("f(a=1, a=2)", "keyword argument 'a' is repeated", "1:8-11"),
    ("f(x for x in y, 1)", "a generator expression beside other arguments needs parentheses", "1:15-16"),
    ("f(1, x for x in y)", "a generator expression beside other arguments needs parentheses", "1:8-11"),
    ("def f(a, a): 1", "parameter 'a' is repeated", "1:10-11"),
    ("def f(a=1, b): 1", "a parameter without a default follows one with a default", "1:12-13"),
    ("lambda a, a: 1", "parameter 'a' is repeated", "1:11-12"),
    ("lambda a=1, b: 1", "a parameter without a default follows one with a default", "1:13-14"),
    ("def f(*, *, a): 1", "'*' stands once among the parameters", "1:10-11"),
    ("def f(*): 1", "expected a parameter after '*'", "1:7-8"),
    ("def f(/, a): 1", "'/' stands once, after a parameter and before '*'", "1:7-8"),
    ("def f(a, /, /): 1", "'/' stands once, after a parameter and before '*'", "1:13-14"),
    ("lambda (x): x", "the parameters of a lambda have no parentheses", "1:8-9"),
    ("lambda x", "expected ':' after the parameters of the lambda", "1:9-9"),
    ("lambda x y: 1", "expected ':' after the parameters of the lambda", "1:10-11"),
    ("lambda x: int: x", "only a name can be annotated, not a lambda", "1:1-14"),
    ("lambda", "expected the name of a parameter", "1:7-7"),
    ("lambda 1: x", "expected the name of a parameter", "1:8-9"),
    ("def f", "expected '('", "1:6-6"),
    ("def (x): 1", "expected a name after 'def'", "1:5-6"),
    ("def f(x) 1", "expected ':'", "1:10-11"),
    ("def f(1): 1", "expected the name of a parameter", "1:7-8"),
    ("def f(x y): 1", "expected ',' or ')'", "1:9-10"),
    ("def f(x): ", "expected an indented block after 'def' on line 1", "1:11-11"),
    ("def if(x): 1", "'if' is a keyword and cannot be a name", "1:5-7"),
    ("def f(if): 1", "'if' is a keyword and cannot be a name", "1:7-9"),
    ("x.if", "'if' is a keyword and cannot be a name", "1:3-5"),
    ("x.", "expected a name after '.'", "1:3-3"),
    ("x.1", "expected an operator or a new line between these expressions", "1:2-4"),
    ("x.(y)", "expected a name after '.'", "1:3-4"),
    ("for x y: z", "expected 'in' after the loop variable", "1:7-8"),
    ("for x: y", "expected 'in' after the loop variable", "1:6-7"),
    ("for in y: z", "expected a name after 'for'", "1:5-7"),
    ("for x in : z", "expected an expression after 'in'", "1:10-11"),
    ("for 1 in x: y", "cannot assign to a literal", "1:5-6"),
    ("for f() in x: y", "cannot assign to a function call", "1:5-8"),
    ("for x in y z: 1", "expected ':'", "1:12-13"),
    ("x if y", "expected 'else' after the condition", "1:7-7"),
    ("x if y else", "expected an expression after 'else'", "1:12-12"),
    ("if x: if y: z", "'if' begins a statement that needs its own line", "1:7-9"),
    ("x; if y: z", "'if' begins a statement that needs its own line", "1:4-6"),
    ("x; while y: z", "'while' begins a statement that needs its own line", "1:4-9"),
    ("x ;; y", "expected an expression", "1:4-5"),
    ("; x", "expected an expression", "1:1-2"),
    ("return = 3", "'return' is a keyword and cannot be a name", "1:1-7"),
    ("lambda = 3", "'lambda' is a keyword and cannot be a name", "1:1-7"),
    ("f(class=3)", "'class' is a keyword and cannot be a name", "1:3-8"),
    ("f(if=3)", "'if' is a keyword and cannot be a name", "1:3-5"),
    ("if = 3", "'if' is a keyword and cannot be a name", "1:1-3"),
    ("None = 3", "cannot assign to None", "1:1-5"),
    ("raise", "expected an exception after 'raise'", "1:1-6"),
    ("raise 1", 'expected an exception with at most a literal message, such as ValueError("text")', "1:7-8"),
    (
        "raise ValueError(x)",
        'expected an exception with at most a literal message, such as ValueError("text")',
        "1:7-20",
    ),
    ("raise A from B", "'raise ... from' is not part of the language", "1:9-13"),
    (
        "raise ValueError('a', 'b')",
        'expected an exception with at most a literal message, such as ValueError("text")',
        "1:7-27",
    ),
    ("assert", "expected an expression after 'assert'", "1:7-7"),
    ("assert x,", "expected an expression after ','", "1:10-10"),
    ("a < > b", "expected an expression after '<'", "1:5-6"),
    ("a + not b", "'not' needs parentheses after '+'", "1:5-8"),
    ("1 + lambda: 2", "a lambda needs parentheses after '+'", "1:5-11"),
    ("x[", "'[' was never closed", "1:2-3"),
    ("x[]", "expected an expression after '['", "1:3-4"),
    ("x[1", "'[' was never closed", "1:2-3"),
    ("x[1:2:3:4]", "expected ',' or ']'", "1:8-9"),
    ("x[1,,2]", "expected an expression after ','", "1:5-6"),
    ("f(,)", "expected an expression after '('", "1:3-4"),
    ("f(a,,b)", "expected an expression after ','", "1:5-6"),
    ("(,)", "expected an expression after '('", "1:2-3"),
    ("()()()(", "'(' was never closed", "1:7-8"),
    ("a,, b", "expected an expression after ','", "1:3-4"),
    ("...", "'...' is not part of the language", "1:1-4"),
    ("x = ...", "'...' is not part of the language", "1:5-8"),
    ("print x", "the arguments of print need parentheses", "1:7-8"),
    ("print 'a'", "the arguments of print need parentheses", "1:7-10"),
    ("while x\n  y", "expected ':'", "1:8-8"),
    ("pass x", "expected a new line or ';' before 'x'", "1:6-7"),
    ("break 1", "expected a new line or ';' before '1'", "1:7-8"),
    ("x: ", "expected an expression after ':'", "1:4-4"),
    ("x: int =", "expected an expression after '='", "1:9-9"),
    ("x: int: float", "expected a new line or ';' before ':'", "1:7-8"),
    ("not", "expected an expression after 'not'", "1:4-4"),
    ("a not b", "expected an operator or a new line between these expressions", "1:3-6"),
    ("not in x", "expected an expression after 'not'", "1:5-7"),
    ("global", "'global' is not part of the language", "1:1-7"),
    ("x y = 3", "expected an operator or a new line between these expressions", "1:3-4"),
    ("a b c", "expected an operator or a new line between these expressions", "1:3-4"),
    ("def f(x):\nreturn x", "expected an indented block after 'def' on line 1", "2:1-7"),
    ("while x:\n# c\ny", "expected an indented block after 'while' on line 1", "3:1-2"),
    ("f(\n", "'(' was never closed", "1:2-3"),
    ("x = (1,\n2\ny = 3", "'(' was never closed", "1:5-6"),
    ("if x:\n  y\n z", "unindent does not match any outer indentation level", "3:1-2"),
    ("if x:\n  y\nelse\n  z", "expected ':'", "3:5-5"),
    ("x\n\n  \n   y", "unexpected indent", "4:1-4"),
    ("return x y", "expected an operator or a new line between these expressions", "1:10-11"),
    ("a if b else c d", "expected an operator or a new line between these expressions", "1:15-16"),
    ("f(x)(", "'(' was never closed", "1:5-6"),
    ("'a' 'b", "unterminated string literal", "1:5-7"),
    ("'a' b", "expected an operator or a new line between these expressions", "1:5-6"),
    ("b 'a'", "expected an operator or a new line between these expressions", "1:3-6"),
    ("1 2", "expected an operator or a new line between these expressions", "1:3-4"),
    ("x 1", "expected an operator or a new line between these expressions", "1:3-4"),
    ("1 x", "expected an operator or a new line between these expressions", "1:3-4"),
    (") + 1", "unmatched ')'", "1:1-2"),
    ("x)", "unmatched ')'", "1:2-3"),
    ("(]", "closing parenthesis ']' does not match opening parenthesis '('", "1:2-3"),
    ("a = b c", "expected an operator or a new line between these expressions", "1:7-8"),
    ("f(a;b)", "expected ',' or ')'", "1:4-5"),
    ("f(a:b)", "expected ',' or ')'", "1:4-5"),
    ("(x:y)", "expected ',' or ')'", "1:3-4"),
    ("x(y", "'(' was never closed", "1:2-3"),
    ("def f(x: int = ): 1", "expected an expression after '='", "1:16-17"),
    ("def f(x=): 1", "expected an expression after '='", "1:9-10"),
    ("if not: x", "expected an expression after 'not'", "1:7-8"),
    ("type X = int", "'type' is not part of the language", "1:1-5"),
    ("case x", "'case' is not part of the language", "1:1-5"),
    ("exec 'a'", "expected an operator or a new line between these expressions", "1:6-9"),
    ("i = 99999999999999999999", "the integer is larger than 64 bits; write it as a float, with a point", "1:5-25"),
    ("-0x1ffffffffffffffff", "the integer is larger than 64 bits; write it as a float, with a point", "1:2-21"),
    ("def f(a:", "'(' was never closed", "1:6-7"),
    ("x = 1 2", "expected an operator or a new line between these expressions", "1:7-8"),
    ("f(\n  a,\n  b c)\n", "expected an operator or ',' between these expressions", "3:5-6"),
    ("if x:\n  y = (1 +\nz", "'(' was never closed", "2:7-8"),
    ("x.\ny", "expected a name after '.'", "1:3-3"),
    ("  x = 1\n  y = 2 +\n", "expected an expression after '+'", "2:10-10"),
    ("while x:\n    x += 1\n     y", "unexpected indent", "3:1-6"),
    ("a = 3 $ 4", "unexpected character '$' (U+0024)", "1:7-8"),
    ("x = \\y", "unexpected character after the backslash that continues a line", "1:5-6"),
    ("f(x=)", "expected an expression after '='", "1:5-6"),
    ("(x for x)", "expected 'in' after the loop variable", "1:9-10"),
    ("sum(x for in y)", "expected a name after 'for'", "1:11-13"),
    ("sum(for x in y)", "expected an expression after '('", "1:5-8"),
    ("(x for x y)", "expected 'in' after the loop variable", "1:10-11"),
    ("x[a:b:c:d]", "expected ',' or ']'", "1:8-9"),
    ("def f(a) -> int int: 1", "expected ':'", "1:17-20"),
    ("if x: pass; else: y", "'else' begins a statement that needs its own line", "1:13-17"),
    ("x = if", "expected an expression after '='", "1:5-7"),
    ("elif", "'elif' without an 'if' before it", "1:1-5"),
    ("x: int y", "expected an operator or a new line between these expressions", "1:8-9"),
    ("f(**)", "'**' arguments are not part of the language", "1:3-5"),
    ("1.e5.x", "invalid number '1.e5.x'", "1:1-7"),
    ("0b", "expected a digit after '0b'", "1:1-3"),
    ("0o", "expected a digit after '0o'", "1:1-3"),
    ("0b12_", "invalid digit '2' in a binary number", "1:4-5"),
    ("\x01", "unexpected character '\\x01' (U+0001)", "1:1-2"),
    ("~", "expected an expression after '~'", "1:2-2"),
    ("x =\n  y", "expected an expression after '='", "1:4-4"),
    ("def f(x:) : 1", "expected an expression after ':'", "1:9-10"),
    ("a +\nb", "expected an expression after '+'", "1:4-4"),
    ("y = x = 3 4", "expected an operator or a new line between these expressions", "1:11-12"),
    ("lambda x, : ", "expected an expression after ':'", "1:13-13"),
    ("lambda x,", "expected the name of a parameter", "1:10-10"),
    ("assert (x", "'(' was never closed", "1:8-9"),
    ("x = {", "'{' is not part of the language; blocks are indented, and there are no sets and dicts", "1:5-6"),
    ("if (x:\n  y", "expected ',' or ')'", "1:6-7"),
    ("9999999999999999999999999", "the integer is larger than 64 bits; write it as a float, with a point", "1:1-26"),
    ("0xFFFFFFFFFFFFFFFFF", "the integer is larger than 64 bits; write it as a float, with a point", "1:1-20"),
    ("pass;;", "expected an expression", "1:6-7"),
    ("x == ", "expected an expression after '=='", "1:6-6"),
    ("continue 3", "expected a new line or ';' before '3'", "1:10-11"),
    ("def f() -> int", "expected ':'", "1:15-15"),
    ("return return", "expected an expression after 'return'", "1:8-14"),
    ("x = def", "expected an expression after '='", "1:5-8"),
    ("in", "expected an expression", "1:1-3"),
    ("x = (y := )", "expected an expression after ':='", "1:11-12"),
    ("print(1", "'(' was never closed", "1:6-7"),
    ("for", "expected a name after 'for'", "1:4-4"),
    ("for x", "expected 'in' after the loop variable", "1:6-6"),
    ("for x in", "expected an expression after 'in'", "1:9-9"),
    ("while", "expected an expression after 'while'", "1:6-6"),
    ("if", "expected an expression after 'if'", "1:3-3"),
    ("def", "expected a name after 'def'", "1:4-4"),
    ("else", "'else' without an 'if', 'while' or 'for' before it", "1:1-5"),
    ("x = [", "lists are not part of the language; a tuple is written in '(' and ')'", "1:5-6"),
    ("x = ]", "unmatched ']'", "1:5-6"),
    ("f(x))", "unmatched ')'", "1:5-6"),
    ("and x", "expected an expression", "1:1-4"),
    ("x and", "expected an expression after 'and'", "1:6-6"),
    ("x or or y", "expected an expression after 'or'", "1:6-8"),
    ("** x", "starred expressions are not part of the language", "1:1-3"),
    ("x **", "expected an expression after '**'", "1:5-5"),
    ("// 2", "expected an expression", "1:1-3"),
    ("a.b c", "expected an operator or a new line between these expressions", "1:5-6"),
]


@pytest.mark.parametrize(("text", "message", "place"), MISTAKES, ids=[ascii(text)[1:-1] for text, _, _ in MISTAKES])
def test_mistake(text, message, place):
    with pytest.raises(JitError) as caught:
        parse(Source(text, "<test>"))
    problem = caught.value
    assert isinstance(problem, (ParseError, CompileError)) and isinstance(problem, SyntaxError)
    assert problem.msg == message
    end = problem.end_offset if problem.end_lineno == problem.lineno else f"{problem.end_lineno}:{problem.end_offset}"
    assert f"{problem.lineno}:{problem.offset}-{end}" == place
    source = Source(text)
    assert problem.filename == "<test>"
    assert problem.text == source.line(problem.lineno).rstrip("\r")
    assert source.position(problem.span[0]) == (problem.lineno, problem.offset)
    assert problem.__cause__ is None and problem.__context__ is None


def test_every_message_of_the_parser_is_tried():
    """A row of the table that the parser uses and no mistake above reaches is untested or dead."""
    tried = set()
    for text, _, _ in MISTAKES:
        try:
            parse(Source(text))
        except JitError as problem:
            tried.add(problem.code)
    rows = {code for code, (kind, _) in MESSAGES.items() if kind is ParseError}
    # What is left over when no other message fits; and what other frontends say.
    assert rows - tried <= {"unexpected", "unexpected-end", "slice", "frontend-mistake"}


def printed(text: str) -> str:
    with pytest.raises(SyntaxError) as caught:
        parse(Source(text, "<jib>"))
    return "".join(traceback.format_exception_only(caught.type, caught.value))


def test_python_prints_the_caret():
    assert printed("total = 1\ntotal = total + * 3") == (
        '  File "<jib>", line 2\n'
        "    total = total + * 3\n"
        "                    ^\n"
        "jib.errors.ParseError: expected an expression after '+'\n"
    )
    assert printed("x = sum(1, 2").endswith(
        "    x = sum(1, 2\n           ^\njib.errors.ParseError: '(' was never closed\n"
    )
    assert printed("  x = 'abc\n  y").endswith(
        "    x = 'abc\n        ^^^^\njib.errors.ParseError: unterminated string literal\n"
    )
    assert printed("if x = 3: y").endswith(
        "    if x = 3: y\n         ^\n" + "jib.errors.ParseError: " + MESSAGES["assign-in-expression"][1] + "\n"
    )


def test_the_tree_of_exceptions():
    assert issubclass(errors.ParseError, (JitError,)) and issubclass(errors.ParseError, SyntaxError)
    assert errors.CompileError.__mro__[1:4] == (JitError, SyntaxError, TypeError)
    assert errors.LimitError.__bases__ == (JitError, ValueError)
    assert errors.BudgetError.__bases__ == (JitError, RuntimeError)
    assert errors.InternalError.__bases__ == (JitError, RuntimeError)


def test_the_table_of_messages():
    for code, (kind, template) in MESSAGES.items():
        assert code == code.lower() and " " not in code
        assert issubclass(kind, JitError) and kind is not JitError
        assert template[-1] not in ".\n" and template == template.strip()
        problem = error(
            code, Source("a b"), Span(2, 3), *(["1"] * 6 if "," not in template or "{0:,}" not in template else [1] * 6)
        )
        assert type(problem) is kind and problem.code == code and problem.span == (2, 3)
        if not isinstance(problem, SyntaxError):
            assert "(line 1, column 3)" in str(problem)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda problem: pickle.loads(pickle.dumps(problem))])
def test_exceptions_keep_what_they_say(again):
    for text in ("a b", "(" * 300, "9" * 25):
        try:
            parse(Source(text, "<test>"))
        except JitError as problem:
            other = again(problem)
            assert type(other) is type(problem) and str(other) == str(problem)
            assert (other.code, other.span, other.args) == (problem.code, problem.span, problem.args)
            if isinstance(problem, SyntaxError):
                for name in ("msg", "filename", "lineno", "offset", "text", "end_lineno", "end_offset"):
                    assert getattr(other, name) == getattr(problem, name)


def test_limit_says_where_and_how_to_raise_it():
    with pytest.raises(LimitError) as caught:
        parse(Source("x\n" + "(" * 21 + ")" * 21), Limits(nesting=20))
    assert str(caught.value) == "nested more than 20 deep; limits=Limits(nesting=...) allows more (line 2, column 21)"


def test_nearest():
    assert nearest("sqtr", ["sin", "sqrt"]) == "; did you mean 'sqrt'?"
    assert nearest("zzz", ["sin", "sqrt"]) == ""
    assert error("unknown-name", Source("x"), Span(0, 1), "sqtr", {"sqrt": 1}).msg.endswith("; did you mean 'sqrt'?")


def test_place_note():
    problem = ZeroDivisionError("division by zero")
    add_place_note(problem, Source("x = 1\n\ty / (x - 1)\r\n"), Span(9, 10))
    assert problem.__notes__ == ["  line 2: y / (x - 1)\n            ^"]
    add_place_note(problem, Source("a / b"), Span(2, 3))
    assert len(problem.__notes__) == 2
