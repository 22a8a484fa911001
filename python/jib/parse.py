"""Text -> tree. The only file that knows Lark.

In: a `Source` and `Limits`. Out: a `Program` of syntax.py.
Always holds: what comes out is the tree, or an exception of errors.py; the parser's table is built from grammar/jib.lark once
per machine and read from a cache afterwards, and a cache that cannot be read or written costs time, nothing else.

The table is Lark's LALR(1) table with its single steps taken out: where the grammar climbs from `atom` to `test` over
fifteen rules of one part each, the table goes there at once (`_without_single_steps`). Lark's own driver runs it, over the words
of layout.py, and calls the actions of actions.py as it goes: no tree of Lark's is ever made.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

from .actions import ACTIONS, TERMINALS, Mistake
from .errors import JitError, error
from .layout import Layout, Lexicon, Token
from .limits import DEFAULT, Limits
from .source import Source, Span
from .syntax import Binary, Program

FORMAT = 1  # of the saved table; counts up when what is saved changes

# ----------------------------------------------------------------------------------------------- the stage


def parse(source: Source, limits: Limits = DEFAULT) -> Program:
    """The tree of a text.

    No path from the program down to a leaf is longer than twice `limits.nesting` and ten more, if the steps to the left operands of
    `Binary` are not counted: what walks the tree needs no more stack than that, if it walks down those in a loop.

    >>> parse(Source("a + 1")).body[0].value.op
    'add'
    """
    if not isinstance(source, Source) or not isinstance(source.text, str):
        raise TypeError(f"parse() takes a Source of a str, not {type(source).__name__}")
    parser = _parser or _make_parser()
    return parser.parse(source, limits)


class _Rule:
    """What Lark's driver asks of a rule. Lark's own class hashes in Python, and the driver looks rules up at every step."""

    __slots__ = ("origin", "expansion")

    def __init__(self, origin: str, size: int) -> None:
        self.origin = _Symbol(origin)
        self.expansion = (None,) * size


class _Symbol:
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _Words:
    """What Lark's driver asks of a lexer thread."""

    __slots__ = ("layout",)

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def lex(self, state: Any) -> Iterator[Token]:
        return self.layout.tokens()


class _Parser:
    """Lark's driver with our table."""

    def __init__(self, table: _Table) -> None:
        lalr_parser, lalr_analysis, exceptions = _import_lark()
        self.unexpected = exceptions.UnexpectedToken
        self.shift = lalr_analysis.Shift
        callbacks: dict[Any, Callable[[Any], Any]] = dict(TERMINALS)
        rules = []
        for origin, size, action in table.rules:
            rule = _Rule(origin, size)
            callbacks[rule] = ACTIONS.get(action, _parts)
            rules.append(rule)
        steps = [(lalr_analysis.Shift, to) if to >= 0 else (lalr_analysis.Reduce, rules[~to]) for to in table.steps]
        self.states: dict[int, dict[str, Any]] = {
            number: dict(zip(table.symbols[kind], map(steps.__getitem__, row)))
            for number, (kind, row) in enumerate(table.states)
        }
        # The first state is number 0: `_without_single_steps` began there.
        end = self.states[0]["start"][1]
        self.driver = lalr_parser._Parser(
            lalr_analysis.IntParseTable(self.states, {"start": 0}, {"start": end}), callbacks
        )
        self.lexicon = Lexicon(table.terminals)

    def parse(self, source: Source, limits: Limits) -> Program:
        text = source.text
        if len(text) > limits.characters:
            raise error("characters-limit", source, Span(limits.characters, limits.characters + 1), limits.characters)
        layout = Layout(source, self.lexicon, limits)
        try:
            program: Program = self.driver.parse(_Words(layout), "start")
            # Below this the tree cannot be too high: an open bracket, operator or block adds at most 16 levels to it, and a `.` or a
            # closed bracket one.
            if 16 * layout.deepest + text.count("(") + text.count("[") + text.count(".") > 2 * limits.nesting:
                _check_height(program, limits)
            return program
        except Mistake as found:
            mistake: Any = found
        except self.unexpected as found:
            mistake = found
        # Raised from here, an error does not carry the other one along.
        if type(mistake) is Mistake:
            raise error(mistake.code, source, mistake.span, *mistake.fill)
        raise self._explain(source, layout, mistake)

    def _explain(self, source: Source, layout: Layout, unexpected: Any) -> JitError:
        from .mistakes import explain

        if not layout.begun:
            return error("nothing", source, Span(0, 0))
        token = unexpected.token if type(unexpected.token) is Token else None
        stack = unexpected.state.state_stack

        def accepts(terminal: str) -> bool:
            """Whether the parser would take this terminal instead; runs its reductions on a copy of the states."""
            states = list(stack)
            while step := self.states[states[-1]].get(terminal):
                action, to = step
                if action is self.shift:
                    return True
                if to.expansion:
                    del states[-len(to.expansion) :]
                states.append(self.states[states[-1]][to.origin.name][1])
            return False

        return explain(source, self.lexicon, token, accepts)


def _parts(s: list[Any]) -> list[Any]:
    """The action of a rule that needs none."""
    return s


def _check_height(program: Program, limits: Limits) -> None:
    """Reject a tree that is higher than `parse` promises: long x[0][0][0]..., or much to the left in each of many parentheses."""
    highest = 2 * limits.nesting + 10
    waiting: list[tuple[Any, int]] = [(program, 0)]
    while waiting:
        node, height = waiting.pop()
        if height > highest:
            raise Mistake("nesting-limit", node.span, limits.nesting)
        if type(node) is Binary:
            waiting.append((node.left, height))
            waiting.append((node.right, height + 1))
            continue
        for part in node:
            if type(part) is tuple:
                waiting.append((part, height))
            elif isinstance(part, tuple) and type(part) is not Span:
                waiting.append((part, height + 1))


# ------------------------------------------------------------------------------------------------ loading

_parser: _Parser | None = None
_lock = threading.RLock()


def _make_parser() -> _Parser:
    """The parser, made once: from the saved table if there is one, else from the grammar."""
    global _parser
    with _lock:
        if _parser is None:
            grammar = _grammar()
            path = _cache_path(grammar)
            try:
                made = _Parser(_Table.read(path))
            except (OSError, ValueError, LookupError):
                table = _build(grammar)
                made = _Parser(table)
                table.write(path)
            _parser = made
        return _parser


def _grammar() -> str:
    with open(os.path.join(os.path.dirname(__file__), "jib.lark"), encoding="utf-8") as file:
        return file.read()


def _cache_path(grammar: str) -> str:
    """The file of the saved table, named for everything that it depends on."""
    directory = os.environ.get("JIB_CACHE_DIR")
    if not directory:
        home = os.path.expanduser("~")
        if sys.platform == "win32":
            base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
        elif sys.platform == "darwin":
            base = os.path.join(home, "Library", "Caches")
        else:
            base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
        directory = os.path.join(base, "jib")
    key = f"{FORMAT}\n{sys.implementation.cache_tag}\n{_lark_version()}\n{grammar}"
    return os.path.join(directory, f"parser-{_digest(key)}.txt")


def _digest(text: str) -> str:
    # 128 bits of two checksums: enough against accidents, and hashlib would cost as much as all the rest of loading.
    from zlib import adler32, crc32

    data = text.encode("utf-8", "surrogatepass")
    return f"{crc32(data):08x}{adler32(data):08x}{len(data):x}"


def _lark_package() -> str:
    """The directory of the package lark, found without importing it."""
    from importlib.machinery import PathFinder

    spec = PathFinder.find_spec("lark")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("jib needs the package 'lark' to parse; pip install lark", name="lark")
    return list(spec.submodule_search_locations)[0]


def _lark_version() -> str:
    if "lark" in sys.modules and hasattr(sys.modules["lark"], "__version__"):
        return str(sys.modules["lark"].__version__)
    try:
        with open(os.path.join(_lark_package(), "__init__.py"), encoding="utf-8") as file:
            return file.read().partition("__version__")[2].partition('"')[2].partition('"')[0]
    except OSError:
        return "?"


def _import_lark() -> tuple[Any, Any, Any]:
    """Lark's modules lalr_parser, lalr_analysis and exceptions, without the rest of Lark.

    `import lark` runs lark/__init__.py, which loads the compiler of grammars, Earley's parser and more: twice the time of the few modules
    that run a finished table. So unless lark is loaded already, an empty module with lark's path stands in for the package while they
    are imported. Then all of them are taken out of sys.modules again: we keep ours, and a later `import lark` gets a package that
    is whole (its attribute lark.lexer, for one, would be missing if that module had been there before its package).
    Another thread that says `import lark` meanwhile and gets the stand-in is served too: asked for anything, it waits and
    asks the real one.
    """
    from importlib import import_module

    names = "lark.parsers.lalr_parser", "lark.parsers.lalr_analysis", "lark.exceptions"
    if "lark" in sys.modules:
        return import_module(names[0]), import_module(names[1]), import_module(names[2])

    stand_in = types.ModuleType("lark")
    stand_in.__path__ = [_lark_package()]
    owner = threading.get_ident()

    def ask_the_real_one(name: str) -> Any:
        if name.startswith("__") or threading.get_ident() == owner:
            raise AttributeError(f"module 'lark' has no attribute {name!r}")
        with _lock:
            return getattr(import_module("lark"), name)

    stand_in.__getattr__ = ask_the_real_one  # type: ignore[method-assign]
    sys.modules["lark"] = stand_in
    try:
        return import_module(names[0]), import_module(names[1]), import_module(names[2])
    finally:
        for name in [name for name in sys.modules if name == "lark" or name.startswith("lark.")]:
            del sys.modules[name]


# ---------------------------------------------------------------------------------------------- the table


class _Table:
    """The parser's table as plain data.

    `steps` are states to go to (0, 1, ...) or rules to reduce by (~0, ~1, ...); a row of `states` is an index into `symbols` and, for
    each symbol there, an index into `steps`. `rules` are (left side, number of parts, action), `terminals` as in `Lexicon`.
    """

    def __init__(self) -> None:
        self.rules: list[tuple[str, int, str]] = []
        self.terminals: list[tuple[str, bool, str]] = []
        self.symbols: list[list[str]] = []
        self.steps: list[int] = []
        self.states: list[tuple[int, list[int]]] = []

    def text(self) -> str:
        """The table as lines; a text can be read without trusting it, unlike a pickle or marshal's bytes."""
        lines = [f"{len(self.rules)} {len(self.terminals)} {len(self.symbols)} {len(self.states)}"]
        lines += [f"{origin} {size} {action}" for origin, size, action in self.rules]
        lines += [
            f"{name} {int(fixed)} {pattern.encode('unicode_escape').decode()}"
            for name, fixed, pattern in self.terminals
        ]
        lines += [" ".join(symbols) for symbols in self.symbols]
        lines += [" ".join(map(str, (kind, *row))) for kind, row in self.states]
        lines.append(" ".join(map(str, self.steps)))
        return "\n".join(lines)

    @classmethod
    def read(cls, path: str) -> _Table:
        """A saved table; ValueError or LookupError if it is not one."""
        with open(path, encoding="utf-8", newline="\n") as file:
            checksum, _, text = file.read(10_000_000).partition("\n")
        if checksum != _digest(text):
            raise ValueError("not what was written")
        table = cls()
        lines = iter(text.split("\n"))
        rules, terminals, symbols, states = map(int, next(lines, "").split(" "))
        for _ in range(rules):
            origin, size, action = next(lines, "").split(" ")
            table.rules.append((origin, int(size), action))
        for _ in range(terminals):
            name, fixed, pattern = next(lines, "").split(" ", 2)
            table.terminals.append((name, fixed == "1", pattern.encode().decode("unicode_escape")))
        for _ in range(symbols):
            table.symbols.append(next(lines, "").split())
        for _ in range(states):
            kind, *row = map(int, next(lines, "").split(" "))
            table.states.append((kind, row))
        table.steps = list(map(int, next(lines, "").split(" ")))
        return table

    def write(self, path: str) -> None:
        """Save the table, whole or not at all; a directory that cannot be written is no one's problem."""
        text = self.text()
        partial = f"{path}.{os.getpid()}-{threading.get_ident()}"
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with open(partial, "x", encoding="utf-8", newline="\n") as file:
                file.write(f"{_digest(text)}\n{text}")
            os.replace(partial, path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(partial)


def _build(grammar: str) -> _Table:
    """The table of a grammar. Takes a third of a second: the whole of Lark is loaded for it."""
    with _lock:
        from lark import Lark
        from lark.parsers.lalr_analysis import Shift

    lark: Any = Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=False, keep_all_tokens=True)
    made = lark.parser.parser._parse_table
    numbers: dict[Any, int] = {rule: number for number, rule in enumerate(lark.rules)}
    single = {
        ~number: rule.origin.name
        for rule, number in numbers.items()
        if rule.options.expand1 and not rule.alias and len(rule.expansion) == 1
    }
    states = {
        state: {symbol: to if action is Shift else ~numbers[to] for symbol, (action, to) in row.items()}
        for state, row in made.states.items()
    }
    table = _Table()
    table.rules = [(rule.origin.name, len(rule.expansion), rule.alias or rule.origin.name) for rule in lark.rules]
    table.terminals = [(t.name, t.pattern.type == "str", t.pattern.value) for t in lark.terminals]
    symbols: dict[tuple[str, ...], int] = {}
    steps: dict[int, int] = {}
    for row in _without_single_steps(states, made.start_states["start"], single):
        names = sorted(row)
        kind = symbols.setdefault(tuple(names), len(symbols))
        table.states.append((kind, [steps.setdefault(row[name], len(steps)) for name in names]))
    table.symbols = [list(names) for names in symbols]
    table.steps = list(steps)
    return table


def _without_single_steps(
    states: dict[int, dict[str, int]], start: int, single: dict[int, str]
) -> list[dict[str, int]]:
    """The same automaton from state 0, without reductions by rules of one part that have no action.

    In state p, having shifted or reduced to A, the machine goes to q = goto(p, A). If q reduces by B -> A when it sees t, the machine comes
    back to p and goes on to goto(p, B), with t still ahead. So a new state stands for all that can follow (p, A): for each t, what
    is done at the end of that chain. Symbols that are not terminals lead where a state of the chain leads; if two of them led to
    different states this would be wrong, so it is an error. States with equal rows are one state.
    """
    numbers: dict[frozenset[tuple[str, int]], int] = {}
    waiting: list[dict[str, int]] = []

    def number(row: dict[str, int]) -> int:
        key = frozenset(row.items())
        if key not in numbers:
            numbers[key] = len(numbers)
            waiting.append(row)
        return numbers[key]

    def is_terminal(symbol: str) -> bool:
        return symbol.isupper()  # as Lark has it; $END too

    def follow(row: dict[str, int], symbol: str) -> dict[str, int]:
        merged: dict[str, int] = {}
        chain = {row[symbol]: None}
        for terminal, step in states[row[symbol]].items():
            if not is_terminal(terminal):
                continue
            to: int | None = step
            while to in single:
                state = row[single[to]]
                chain[state] = None
                to = states[state].get(terminal)
            if to is not None:
                merged[terminal] = to
        for state in chain:
            for name, step in states[state].items():
                if not is_terminal(name) and merged.setdefault(name, step) != step:
                    raise AssertionError(f"two ways from {symbol} by {name}")
        return merged

    number(states[start])
    return [
        {symbol: to if to < 0 else number(follow(row, symbol)) for symbol, to in row.items()}
        for row in waiting  # which grows meanwhile
    ]
