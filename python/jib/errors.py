"""The exceptions of jib, and every message that a person can get about a text.

In: the code of a message, a `Source`, a `Span`, what fills the message in. Out: an exception, ready to be raised.
Always holds: a message stands once, in `MESSAGES`; errors of the text carry line, column, end and text, so that Python prints the caret;
`code` and `span` say the same to programs; exceptions pickle.

To add a message, add its row. Rust reports (code, arguments, span) and finds its rows here too. `{0}` is the first argument; `{near}`
the hint "did you mean ...", made of the name in the first argument and the known names in the last; `{plural}` is an "s" unless the
last argument is 1.
"""

from __future__ import annotations

from collections.abc import Iterable

from .source import Place, Source, Span


class JitError(Exception):
    """Base of jib's own exceptions. `code` names the message, whatever its words; `span` is the place in the text.

    >>> from jib import compile
    >>> try:
    ...     compile("(a")
    ... except JitError as problem:
    ...     print(problem.code, problem.span.start)
    never-closed 0
    """

    code: str = ""
    span: Span | None = None
    jib_place: Place | None = None  # as `add_place_note` says it, where the exception is no SyntaxError
    jib_span: tuple[int, int, int, int] | None = None


class ParseError(JitError, SyntaxError):
    """The text is not in the language. `lineno`, `offset`, `end_lineno`, `end_offset` and `text` are those of any SyntaxError.

    >>> from jib import compile
    >>> try:
    ...     compile("total = 1 + * 2")
    ... except ParseError as problem:
    ...     print(problem.msg, problem.lineno, problem.offset, problem.code, sep=" | ")
    expected an expression after '+' | 1 | 13 | expected-expression-after
    """


class CompileError(JitError, SyntaxError, TypeError):
    """The text is in the language, but no type fits, a name is unknown, a call has the wrong arity. A SyntaxError with a place, as
    `ParseError` is, and a TypeError. Types are known when a function is called, so a call may raise it.

    >>> from jib import compile
    >>> compile("sqtr(x)")
    Traceback (most recent call last):
      ...
        sqtr(x)
        ^^^^
    jib.errors.CompileError: name 'sqtr' is not defined; did you mean 'sqrt'?
    >>> compile("gcd(a, b)")(3, 1.5)
    Traceback (most recent call last):
      ...
        gcd(a, b)
        ^^^^^^^^^
    jib.errors.CompileError: 'float' object cannot be interpreted as an integer
    """


class LimitError(JitError, ValueError):
    """A text or an array is beyond a stated limit: one of `Limits`, which its words name, or a fixed one.

    >>> from jib import Limits, compile
    >>> compile("((((x))))", limits=Limits(nesting=3))
    Traceback (most recent call last):
      ...
    jib.errors.LimitError: nested more than 3 deep; limits=Limits(nesting=...) allows more (line 1, column 4)
    """


class BudgetError(JitError, RuntimeError):
    """Fuel or deadline is spent: `fuel=` or `timeout=` of what was called. It has a note that shows where the text was.

    >>> from jib import compile
    >>> try:
    ...     compile("while True: pass", fuel=1000)()
    ... except BudgetError as problem:
    ...     print(problem)
    the call has used up its fuel of 1000 loop rounds and calls; fuel=... allows more (line 1, column 7)
    """


class InternalError(JitError, RuntimeError):
    """A bug of jib. The process goes on, and so does jib in it; please report it.

    >>> raise internal_error("a block without an end")
    Traceback (most recent call last):
      ...
    jib.errors.InternalError: a bug in jib: a block without an end; please report it with the text that was compiled
    """


# fmt: off
MESSAGES: dict[str, tuple[type[JitError], str]] = {
    # Limits of the text; {0} is the value.
    "characters-limit": (LimitError, "the text is longer than {0:,} characters; limits=Limits(characters=...) allows more"),
    "tokens-limit": (LimitError, "the text has more than {0:,} words and signs; limits=Limits(tokens=...) allows more"),
    "nesting-limit": (LimitError, "nested more than {0:,} deep; limits=Limits(nesting=...) allows more"),
    "name-limit": (LimitError, "a name is longer than {0:,} characters; limits=Limits(name=...) allows more"),
    "digits-limit": (LimitError, "a number is longer than {0:,} digits; limits=Limits(digits=...) allows more"),
    "too-many-instructions": (LimitError, "the text needs more than {0:,} instructions; limits=Limits(ir_instructions=...) allows more"),
    # Characters.
    "nul": (ParseError, "the text contains a NUL character"),
    "surrogate": (ParseError, "the text contains half a character ({0}, a lone surrogate)"),
    "bidi-mark": (ParseError, "invisible character {0} changes the direction in which the text is shown"),
    "invisible-character": (ParseError, "invisible character {0}"),
    "look-alike": (ParseError, "character '{0}' ({1}) is not '{2}'"),
    "smart-quote": (ParseError, "character '{0}' ({1}) is no quote; write {2}"),
    "space-character": (ParseError, "character {0} looks like a space and is not one"),
    "carriage-return": (ParseError, "a carriage return without a newline after it"),
    "name-character": (ParseError, "names are made of the letters a-z and A-Z, digits and _; '{0}' ({1}) is not one of them"),
    "character": (ParseError, "unexpected character '{0}' ({1})"),
    "end-after-backslash": (ParseError, "the text ends after the backslash that continues a line"),
    "after-backslash": (ParseError, "unexpected character after the backslash that continues a line"),
    # Layout.
    "nothing": (ParseError, "nothing to compile: the text is empty"),
    "unexpected-indent": (ParseError, "unexpected indent"),
    "expected-block": (ParseError, "expected an indented block after {0} on line {1}"),
    "dedent-mismatch": (ParseError, "unindent does not match any outer indentation level"),
    "tab-mismatch": (ParseError, "inconsistent use of tabs and spaces in indentation"),
    "never-closed": (ParseError, "'{0}' was never closed"),
    "unmatched-bracket": (ParseError, "unmatched '{0}'"),
    "wrong-bracket": (ParseError, "closing parenthesis '{0}' does not match opening parenthesis '{1}'"),
    # What a frontend of another language says of its text.
    "frontend-mistake": (ParseError, "{0}"),
    # Literals.
    "unterminated-string": (ParseError, "unterminated string literal"),
    "unterminated-triple-string": (ParseError, "unterminated triple-quoted string literal"),
    "bad-escape": (ParseError, "invalid escape '{0}' in a string"),
    "f-string": (ParseError, "f-strings are not part of the language; only plain strings are"),
    "b-string": (ParseError, "bytes are not part of the language"),
    "string-prefix": (ParseError, "'{0}' before a string has no meaning"),
    "complex": (ParseError, "complex numbers are not part of the language"),
    "old-octal": (ParseError, "a number does not begin with 0; write 0o{0} for octal, {0} for decimal"),
    "number-underscore": (ParseError, "'_' in a number stands between two digits"),
    "number-digit": (ParseError, "invalid digit '{0}' in {1} number"),
    "number-empty": (ParseError, "expected a digit after '{0}'"),
    "number-name": (ParseError, "expected an operator or a space between the number {0} and '{1}'"),
    "number": (ParseError, "invalid number '{0}'"),
    "int-literal-too-large": (CompileError, "the integer is larger than 64 bits; write it as a float, with a point"),
    # What was expected.
    "expected-expression": (ParseError, "expected an expression"),
    "expected-expression-after": (ParseError, "expected an expression after '{0}'"),
    "expected-name": (ParseError, "expected a name after '{0}'"),
    "expected": (ParseError, "expected {0}"),
    "expected-parameter": (ParseError, "expected the name of a parameter"),
    "expected-else": (ParseError, "expected 'else' after the condition"),
    "expected-in": (ParseError, "expected 'in' after the loop variable"),
    "missing-comma": (ParseError, "expected an operator or ',' between these expressions"),
    "missing-operator": (ParseError, "expected an operator or a new line between these expressions"),
    "unexpected": (ParseError, "unexpected '{0}'"),
    "expected-end": (ParseError, "expected a new line or ';' before '{0}'"),
    "call-parentheses": (ParseError, "the arguments of {0} need parentheses"),
    "unexpected-end": (ParseError, "unexpected end of line"),
    "else-alone": (ParseError, "'{0}' without an 'if'{1} before it"),
    "keyword-as-name": (ParseError, "'{0}' is a keyword and cannot be a name"),
    "compound-on-line": (ParseError, "'{0}' begins a statement that needs its own line"),
    # Python that is not in the language.
    "construct": (ParseError, "{0} not part of the language"),
    "construct-instead": (ParseError, "{0} not part of the language; {1}"),
    "operator-in": (ParseError, "'{0}' is not part of the language; compare with '==' and 'or'"),
    "operator-is": (ParseError, "'is' is not part of the language; use '=='"),
    "respell": (ParseError, "'{0}' is written '{1}'"),
    "increment": (ParseError, "'{0}' is written '{1}= 1'"),
    "question-mark": (ParseError, "'?' is not part of the language; write 'a if condition else b'"),
    "brace": (ParseError, "'{0}' is not part of the language; blocks are indented, and there are no sets and dicts"),
    "assign-in-expression": (ParseError, "'=' assigns and is not an expression; compare with '=='"),
    "keyword-expression": (ParseError, "expected a name before '=' in a call; compare with '=='"),
    "walrus-parentheses": (ParseError, "':=' is written in parentheses here"),
    "walrus-target": (ParseError, "only a name can stand before ':='"),
    "arrow": (ParseError, "'->' stands only between the parameters of a 'def' and its ':'"),
    "generator-parentheses": (ParseError, "a generator expression beside other arguments needs parentheses"),
    "not-parentheses": (ParseError, "'not' needs parentheses after '{0}'"),
    "lambda-alone": (ParseError, "a lambda needs parentheses after '{0}'"),
    "lambda-colon": (ParseError, "expected ':' after the parameters of the lambda"),
    "lambda-parentheses": (ParseError, "the parameters of a lambda have no parentheses"),
    "star-parameter": (ParseError, "'{0}' parameters are not part of the language"),
    "star-argument": (ParseError, "'{0}' arguments are not part of the language"),
    "starred": (ParseError, "starred expressions are not part of the language"),
    "dunder": (ParseError, "'{0}' is not part of the language: names between double underscores are Python's own"),
    # Shaped like the language, and yet not.
    "assign-to": (ParseError, "cannot assign to {0}"),
    "assign-to-constant": (ParseError, "cannot assign to {0}"),
    "augmented-target": (ParseError, "{0} cannot be the target of an augmented assignment"),
    "annotated-target": (ParseError, "only a name can be annotated, not {0}"),
    "keyword-repeated": (ParseError, "keyword argument '{0}' is repeated"),
    "positional-after-keyword": (ParseError, "positional argument follows keyword argument"),
    "parameter-repeated": (ParseError, "parameter '{0}' is repeated"),
    "default-order": (ParseError, "a parameter without a default follows one with a default"),
    "slash-place": (ParseError, "'/' stands once, after a parameter and before '*'"),
    "star-twice": (ParseError, "'*' stands once among the parameters"),
    "star-last": (ParseError, "expected a parameter after '*'"),
    "raise-nothing": (ParseError, "expected an exception after 'raise'"),
    "raise-what": (ParseError, "expected an exception with at most a literal message, such as ValueError(\"text\")"),
    # Names and forms (lower).
    "unknown-name": (CompileError, "name '{0}' is not defined{near}"),
    "foreign-name": (CompileError, "'{0}' is {1}"),
    "python-builtin": (CompileError, "'{0}' is Python's and not part of the language"),
    "unknown-type": (CompileError, "'{0}' is not a type such as int, f32, u8, f64[:]"),
    "unknown-exception": (CompileError, "'{0}' is not an exception that a text can raise{near}"),
    # Names, forms and calls (python/jib/lower).
    "duplicate-parameter": (CompileError, "parameter '{0}' is given twice"),
    "params-given": (CompileError, "the text names its parameters itself; params= is for expressions and suites"),
    "function-twice": (CompileError, "function '{0}' is defined twice"),
    "function-rebound": (CompileError, "'{0}' is the name of a function and of a variable"),
    "function-value": (CompileError, "'{0}' is a function; functions can be called, they are not values"),
    "lambda-value": (CompileError, "a lambda must be the whole text, or be given a name outside loops and ifs"),
    "nested-def": (CompileError, "function '{0}' must be defined outside loops and ifs"),
    "call-before-def": (CompileError, "function '{0}' is called before it is defined"),
    "captures-changing": (
        CompileError, "'{0}' is read by the nested function '{1}' but changes; pass it as a parameter",
    ),
    "not-callable": (CompileError, "'{0}' is not a function"),
    "arguments": (CompileError, "{0}"),
    "axis-literal": (CompileError, "axis is a literal: an int, a tuple of ints, or None"),
    "axis-or-number": (CompileError, "this may be an axis or a number to compare with; write axis=..., or minimum() or maximum()"),
    "attribute-bare": (CompileError, "'{0}.{1}' is not known; the function is written '{1}', without a prefix"),
    "attribute": (CompileError, "attribute '{0}' is not known{near}; there are those of math, and of arrays {1} and the methods {2}"),
    "method-value": (CompileError, "'{0}' is a method; methods can be called, they are not values"),
    "index-parts": (CompileError, "an index has 1 to {0} parts, not {1}"),
    "slice": (CompileError, "a slice can only be part of an index"),
    "text-value": (CompileError, "a text is not a value; it can only be printed, or be the message of an error"),
    "text-surrogate": (CompileError, "the text contains half a character (a lone surrogate)"),
    "literal-text": (CompileError, "'{0}' takes a literal text"),
    "generator-value": (CompileError, "a generator expression must be the argument of sum, min, max, any, all or prod"),
    "walrus-generator": (CompileError, "':=' cannot rebind the generator's variable '{0}'"),
    "walrus-iterable": (CompileError, "':=' cannot stand in what a generator expression goes over"),
    "not-iterable": (CompileError, "a loop can only go over range(...), an array, enumerate(...) and zip(...)"),
    "iterable-place": (CompileError, "'{0}' can only be what a loop goes over"),
    "nested-loops": (CompileError, "too many statically nested blocks: Python allows {0} loops in one another"),
    "outside-loop": (CompileError, "'{0}' outside a loop"),
    "outside-function": (CompileError, "'return' outside a function; the last expression is the value"),
    "default-literal": (CompileError, "a default must be a literal number, True, False or None"),
    "assigned-and-read": (
        CompileError, "'{0}' is assigned here, and read by a function that is called here; make it a parameter of the function",
    ),
    "prepared": (CompileError, "what stands before a definition has to be run first; run it by itself"),
    "assigned-perhaps": (
        CompileError, "'{0}' may be assigned here or not, and is a function now; assign it on every path",
    ),
    # Budgets (Rust).
    "fuel-spent": (BudgetError, "the call has used up its fuel of {0} loop rounds and calls; fuel=... allows more"),
    "timeout": (BudgetError, "the call has taken longer than {0} seconds; timeout=... allows more"),
    # Types (Rust).
    "unbound-local": (CompileError, "'{0}' is read before anything is assigned to it"),
    "no-operator": (CompileError, "unsupported operand types for {0}: '{1}' and '{2}'"),
    "no-unary-operator": (CompileError, "bad operand type for {0}: '{1}'"),
    "no-common-type": (CompileError, "'{0}' is '{1}' on one path and '{2}' on the other: they have no common type"),
    "no-common-type-expression": (CompileError, "the value is '{0}' or '{1}': they have no common type"),
    "not-an-integer": (CompileError, "'{0}' object cannot be interpreted as an integer"),
    "not-a-number": (CompileError, "{0}() takes a number, not '{1}'"),
    "not-iterable-value": (CompileError, "'{0}' object is not iterable"),
    "too-many-coordinates": (CompileError, "hypot() takes at most 3 coordinates, not {0}"),
    "empty-sequence": (CompileError, "{0}() of an empty tuple"),
    "no-len": (CompileError, "object of type '{0}' has no len()"),
    "no-truth": (CompileError, "'{0}' is neither true nor false"),
    "not-subscriptable": (CompileError, "'{0}' object is not subscriptable"),
    "tuple-index-not-literal": (CompileError, "the index of a tuple must be a literal: its elements may have different types"),
    "tuple-index-range": (CompileError, "tuple index {0} is out of range: it has {1} elements"),
    "unpack-too-many": (CompileError, "too many values to unpack (expected {0}, got {1})"),
    "unpack-not-enough": (CompileError, "not enough values to unpack (expected {0}, got {1})"),
    "unpack-not-tuple": (CompileError, "cannot unpack '{0}': it is not a tuple"),
    "no-conversion": (CompileError, "'{0}' does not become '{1}' by itself; convert it with {1}(...)"),
    "extern-argument": (CompileError, "{0}() argument {1} must be {2}, not {3}"),
    "extern-type": (CompileError, "a function of the host takes and gives numbers and bools, not '{0}'"),
    "extern-result": (CompileError, "'{0}' does not say what the function returns; write it like \"float(float, int)\""),
    "argument-type": (CompileError, "{0}() argument '{1}' must be {2}, not {3}"),
    "return-type": (CompileError, "{0}() returns '{1}', and here '{2}'"),
    "missing-return": (CompileError, "{0}() returns '{1}' on one path and nothing on another"),
    "bad-signature": (CompileError, "'{0}' is not a signature; write it like \"float(float, int)\""),
    "not-an-array": (CompileError, "'{0}' object is not an array"),
    "too-many-indices": (CompileError, "too many indices: the array has {0} dimensions, and there are {1}"),
    "element-type": (CompileError, "an element of {0} cannot be {1}"),
    "array-index": (CompileError, "{0} is no index: an index is an int or a slice; where() chooses elements, and so does a loop"),
    "array-truth": (CompileError, "an array is neither true nor false: ask any() or all() of it, or where() for each element"),
    "augmented-kind": (CompileError, "the result of '{0}', {1}, does not fit in place into {2}"),
    "no-element": (CompileError, "{0} gives {1}, of which there are no arrays"),
    "too-many-to-assign": (CompileError, "an array of {0} dimensions does not fit in one of {1}"),
    "dot-dimensions": (CompileError, "dot() takes arrays of one dimension, not {0}"),
    "too-many-dimensions": (CompileError, "'{0}': arrays have at most 4 dimensions"),
    "signature-count": (CompileError, "the signature has {1} type{plural}, the function takes {0}"),
    "elementwise-result": (
        CompileError,
        "{0}() gives {1}: applied to elements it must give a number, a bool, or a tuple of these; "
        "a parameter that is an array as a whole is annotated, like x: f64[:]",
    ),
    "elementwise-operands": (LimitError, "{0}() has more than {1} arguments and results together, too many to go through elements"),
    "limit-extern": (LimitError, "a function of the host takes at most {0} arguments"),
    "limit-joins": (LimitError, "variables take along more than {0:,} values where paths join; limits=Limits(joins=...) allows more"),
    "limit-values": (LimitError, "the text needs more than {0:,} values for these types; limits=Limits(values=...) allows more"),
    "limit-blocks": (LimitError, "the text needs more than {0:,} blocks of machine code; limits=Limits(blocks=...) allows more"),
    "limit-array-bytes": (LimitError, "the call makes arrays of more than {0:,} bytes; limits=Limits(array_bytes=...) allows more"),
    "limit-kept": (LimitError, "values are kept through more than {0:,} blocks of machine code; limits=Limits(kept=...) allows more"),
    "limit-types": (LimitError, "finding out the types of the text takes too many steps"),
    "limit-instances": (LimitError, "{0}() would be specialised for more than {1} combinations of types in one call"),
    "limit-specialisations": (LimitError, "{0}() has been called with more than {1} combinations of types"),
    "limit-tuple": (LimitError, "a tuple of more than {0} elements, those of its elements included"),
    "limit-tuple-depth": (LimitError, "tuples nest more than {0} deep"),
    "limit-result": (LimitError, "{0}() returns a tuple of more than {1} numbers"),
    "limit-returned": (LimitError, "more than {0} values in the returned tuple"),
    "limit-machine-values": (LimitError, "a function needs more than {0} values"),
}
# fmt: on


def error(code: str, source: Source, span: Span, *args: object) -> JitError:
    """The exception of a message at a place.

    >>> print(error("unknown-name", Source("sinn + 1"), Span(0, 4), "sinn", ("sin", "cos")).msg)
    name 'sinn' is not defined; did you mean 'sin'?
    """
    kind, template = MESSAGES[code]
    near = ""
    if code.startswith("limit-"):  # from Rust, whose arguments are texts
        args = tuple([int(str(arg)) if str(arg).isdecimal() else arg for arg in args])
    if "{near}" in template and len(args) > 1:
        near = nearest(str(args[0]), args[-1])  # type: ignore[arg-type]
    plural = "" if args and str(args[-1]) == "1" else "s"
    message = template.format(*args, near=near, plural=plural)
    place = source.place(span[0])
    name, line, column, text = place
    end = source.place(max(span[0], span[1]))
    if issubclass(kind, SyntaxError):
        problem: JitError = kind(message, (name, line, column, text, end.line, end.column))
    else:
        problem = kind(f"{message} (line {line}, column {column})")
        problem.jib_place, problem.jib_span = place, (line, column, end.line, end.column)
    problem.code = code
    problem.span = Span(*span)
    return problem


def internal_error(words: str) -> InternalError:
    """The exception of a bug of ours.

    >>> print(internal_error("a block without an end"))
    a bug in jib: a block without an end; please report it with the text that was compiled
    """
    return InternalError(f"a bug in jib: {words}; please report it with the text that was compiled")


_CANDIDATES = 2_000  # that a name is compared with; each takes some microseconds


def nearest(name: str, candidates: Iterable[str]) -> str:
    """The hint that a known name may have been meant, or nothing.

    >>> nearest("sqtr", ["sqrt", "sin"])
    "; did you mean 'sqrt'?"
    """
    import difflib

    found = difflib.get_close_matches(name, list(candidates)[-_CANDIDATES:], 1, 0.6)
    return f"; did you mean '{found[0]}'?" if found else ""


def add_place_note(exc: BaseException, source: Source, span: Span) -> None:
    """Note on an exception of the running program where in the text it happened.

    For programs, its attribute `jib_span` is the same place: line, column, end line, end column, as a SyntaxError counts them; and
    `jib_place` is its beginning, with the name of the text and the whole line.

    >>> problem = ZeroDivisionError("division by zero")
    >>> add_place_note(problem, Source("a / b"), Span(2, 3))
    >>> print(problem.__notes__[0])
      line 1: a / b
                ^
    >>> problem.jib_span
    (1, 3, 1, 4)
    """
    _set_place(exc, source, span)
    _add_note(exc, _place_note(source, span))


def add_call_note(exc: BaseException, source: Source, span: Span) -> None:
    """The same on an exception that a function of the host has raised, for the place where the text calls it.

    An exception that comes through several texts has a note of each, the innermost first, and the attributes of the outermost. The same
    note comes once, however often the exception comes by; one that takes no notes goes on without.

    >>> problem = KeyError("door")
    >>> for _ in range(2):
    ...     add_call_note(problem, Source("1 + sensor(4)"), Span(4, 13))
    >>> print(*problem.__notes__)
      line 1: 1 + sensor(4)
                  ^^^^^^^^^
    """
    from contextlib import suppress

    with suppress(Exception):  # its class may forbid attributes, or have its own idea of notes
        _set_place(exc, source, span)
    with suppress(Exception):
        note = _place_note(source, span)
        if note not in getattr(exc, "__notes__", ()):
            _add_note(exc, note)


def _set_place(exc: BaseException, source: Source, span: Span) -> None:
    place = source.place(span[0])
    end = source.place(max(span[0], span[1]))
    exc.jib_place = place  # type: ignore[attr-defined]
    exc.jib_span = (place.line, place.column, end.line, end.column)  # type: ignore[attr-defined]


def _place_note(source: Source, span: Span) -> str:
    name, line, *_ = source.place(span[0])
    # What was cut out of a file is shown as a traceback shows it, so that editors find it.
    head = f"  line {line}: " if source.origins is None else "    "
    text, carets = source.caret(Span(*span)).split("\n")
    # Without its indentation, which a tab would make wider than the spaces under it.
    indent = len(text) - len(text.lstrip())
    note = f"{head}{text.strip()}\n{' ' * len(head)}{carets[indent:]}"
    if source.origins is not None:
        note = f'  File "{name}", line {line}\n{note}'
    return note


def _add_note(exc: BaseException, note: str) -> None:
    if hasattr(exc, "add_note"):
        exc.add_note(note)
    else:  # Python 3.10
        exc.__notes__ = [*getattr(exc, "__notes__", ()), note]  # type: ignore[attr-defined]
