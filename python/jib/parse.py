"""Text -> tree. The only file that knows Lark.

In: a `Source` and `Limits`. Out: a `Program` of syntax.py.
Always holds: what comes out is the tree, or an exception of errors.py; the parser's table is built from grammar/jib.lark once
per machine and read from a cache afterwards, and a cache that cannot be read or written costs time, nothing else.

The table is Lark's LALR(1) table with its single steps taken out: where the grammar climbs from `atom` to `test` over
fifteen rules of one part each, the table goes there at once (`_without_single_steps`). `_Parser` runs it, over the words
of layout.py, and calls the actions of actions.py as it goes: no tree of Lark's is ever made, and Lark itself, whose import takes as long as
all else that jib does to start, is only loaded to build the table.
"""

from __future__ import annotations

import contextlib
import os
import sys
from _thread import RLock  # threading is slow to import
from array import array
from itertools import accumulate

from .actions import ACTIONS, TERMINALS, Mistake
from .errors import JitError, error
from .layout import Layout, Lexicon, Token
from .light import TYPE_CHECKING
from .limits import DEFAULT, Limits
from .source import Source, Span
from .syntax import Binary, Program

if TYPE_CHECKING:
    from typing import Any

FORMAT = 3  # of the saved table; counts up when what is saved changes

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


def lexicon() -> Lexicon:
    """The words of the language, as the grammar has them.

    >>> lexicon().words["while"], lexicon().operators["+"]
    ('WHILE', 'SIGN')
    """
    return (_parser or _make_parser()).lexicon


class _Unexpected(Exception):
    """The parser has no step for a token; `states` are those it was in."""

    def __init__(self, token: Token | None, states: list[int]) -> None:
        self.token = token
        self.states = states


class _Parser:
    """The LALR(1) machine. A step is a state to shift to, or a rule to reduce by: (number of parts, action, left side)."""

    def __init__(self, table: _Table) -> None:
        self.table = table
        self.starts = [0, *accumulate([table.symbols[kind].count(" ") + 1 for kind in table.kinds])]
        rules = [(size, ACTIONS.get(action, _parts), origin) for origin, size, action in table.rules]
        self.steps: list[Any] = [to if to >= 0 else rules[~to] for to in table.steps]
        # The row of a state is made when the state is first entered: a text enters few of them. Two threads may make the same one.
        self.rows: list[dict[str, Any] | None] = [None] * len(table.kinds)
        self.lexicon = Lexicon(table.terminals)

    def row(self, state: int) -> dict[str, Any]:
        """The steps of a state, by the next symbol."""
        row = self.rows[state]
        if row is None:
            names = self.table.symbols[self.table.kinds[state]].split(" ")
            cells = self.table.cells[self.starts[state] : self.starts[state + 1]]
            row = self.rows[state] = dict(zip(names, map(self.steps.__getitem__, cells)))
        return row

    def run(self, layout: Layout) -> Program:
        """Shift every token, after all reductions that it asks for."""
        rows, make_row, terminals = self.rows, self.row, TERMINALS
        states = [0]  # `_without_single_steps` begins there
        values: list[Any] = []
        for token in layout.tokens():
            kind = token[0]
            while True:
                state = states[-1]
                step = (rows[state] or make_row(state)).get(kind)
                if type(step) is not tuple:
                    break
                size, action, origin = step
                parts = values[-size:]  # no rule is empty
                del values[-size:], states[-size:]
                values.append(action(parts))
                state = states[-1]
                states.append((rows[state] or make_row(state))[origin])
            if step is None:
                raise _Unexpected(token, states)
            states.append(step)
            values.append(terminals[kind](token) if kind in terminals else token)
        return self.finish(states, values)

    def finish(self, states: list[int], values: list[Any]) -> Program:
        """The reductions at the end of the text."""
        while type(step := self.row(states[-1]).get("$END")) is tuple:
            size, action, origin = step
            parts = values[-size:]
            del values[-size:], states[-size:]
            values.append(action(parts))
            states.append(self.row(states[-1])[origin])
        if step is None:
            raise _Unexpected(None, states)
        program: Program = values[0]
        return program

    def parse(self, source: Source, limits: Limits) -> Program:
        text = source.text
        if len(text) > limits.characters:
            raise error("characters-limit", source, Span(limits.characters, limits.characters + 1), limits.characters)
        layout = Layout(source, self.lexicon, limits)
        try:
            program = self.run(layout)
            # Below this the tree cannot be too high: an open bracket, operator or block adds at most 16 levels to it, and a `.` or a
            # closed bracket one.
            if 16 * layout.deepest + text.count("(") + text.count("[") + text.count(".") > 2 * limits.nesting:
                _check_height(program, limits)
            return program
        except Mistake as found:
            mistake: Any = found
        except _Unexpected as found:
            mistake = found
        # Raised from here, an error does not carry the other one along.
        if type(mistake) is Mistake:
            raise error(mistake.code, source, mistake.span, *mistake.fill)
        raise self._explain(source, layout, mistake)

    def _explain(self, source: Source, layout: Layout, unexpected: _Unexpected) -> JitError:
        from .mistakes import explain

        if not layout.begun:
            return error("nothing", source, Span(0, 0))

        def accepts(terminal: str) -> bool:
            """Whether the parser would take this terminal instead; runs its reductions on a copy of the states."""
            states = list(unexpected.states)
            while type(step := self.row(states[-1]).get(terminal)) is tuple:
                size, _, origin = step
                del states[-size:]
                states.append(self.row(states[-1])[origin])
            return step is not None

        return explain(source, self.lexicon, unexpected.token, accepts)


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
_lock = RLock()


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


def cache_folder() -> str:
    """Where the saved table is: what the environment says, else where the system keeps caches."""
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
    return directory


def _cache_path(grammar: str) -> str:
    """The file of the saved table, named for everything that it depends on."""
    key = f"{FORMAT}\n{sys.implementation.cache_tag}\n{grammar}"
    return os.path.join(cache_folder(), f"parser-{_digest(key)}.txt")


def _digest(text: str) -> str:
    # 128 bits of two checksums: enough against accidents, and hashlib would cost as much as all the rest of loading.
    from zlib import adler32, crc32

    data = text.encode("utf-8", "surrogatepass")
    return f"{crc32(data):08x}{adler32(data):08x}{len(data):x}"


# ---------------------------------------------------------------------------------------------- the table


class _Table:
    """The parser's table as plain data.

    `steps` are states to go to (0, 1, ...) or rules to reduce by (~0, ~1, ...). State n has the symbols `symbols[kinds[n]]`, names with
    spaces between them, and for each an index into `steps`: these stand in `cells`, state after state. `rules` are (left side,
    number of parts, action), `terminals` as in `Lexicon`.
    """

    def __init__(self) -> None:
        self.rules: list[tuple[str, int, str]] = []
        self.terminals: list[tuple[str, bool, str]] = []
        self.symbols: list[str] = []
        self.steps: list[int] = []
        self.kinds: list[int] = []
        self.cells = array("H")

    def text(self) -> str:
        """The table as lines; a text can be read without trusting it, unlike a pickle or marshal's bytes."""
        lines = [f"{len(self.rules)} {len(self.terminals)} {len(self.symbols)}"]
        lines += [f"{origin} {size} {action}" for origin, size, action in self.rules]
        # A newline in a pattern is written as a character that no pattern has.
        lines += [f"{name} {int(fixed)} {pattern}".replace("\n", "\x1f") for name, fixed, pattern in self.terminals]
        lines += self.symbols
        lines.append(" ".join(map(str, self.steps)))
        lines.append(" ".join(map(str, self.kinds)))
        lines.append(_little_endian(self.cells).tobytes().hex())
        return "\n".join(lines)

    @classmethod
    def read(cls, path: str) -> _Table:
        """A saved table; ValueError or LookupError if it is not one."""
        with open(path, "rb") as file:  # a text file would be read eight kilobytes at a time
            checksum, _, text = file.read(10_000_000).decode().partition("\n")
        if checksum != _digest(text):
            raise ValueError("not what was written")
        table = cls()
        lines = iter(text.split("\n"))
        rules, terminals, symbols = map(int, next(lines, "").split(" "))
        for _ in range(rules):
            origin, size, action = next(lines, "").split(" ")
            table.rules.append((origin, int(size), action))
        for _ in range(terminals):
            name, fixed, pattern = next(lines, "").split(" ", 2)
            table.terminals.append((name, fixed == "1", pattern.replace("\x1f", "\n")))
        table.symbols = [next(lines, "") for _ in range(symbols)]
        table.steps = list(map(int, next(lines, "").split(" ")))
        table.kinds = list(map(int, next(lines, "").split(" ")))
        table.cells.frombytes(bytes.fromhex(next(lines, "")))
        table.cells = _little_endian(table.cells)
        table.check()
        return table

    def check(self) -> None:
        """ValueError if a number leads out of the table."""
        symbols = [names.count(" ") + 1 for names in self.symbols]
        if (
            min(self.kinds) < 0
            or sum([symbols[kind] for kind in self.kinds]) != len(self.cells)
            or max(self.cells) >= len(self.steps)
            or not -len(self.rules) <= min(self.steps) <= max(self.steps) < len(self.kinds)
            or min([size for _, size, _ in self.rules]) < 1
        ):
            raise ValueError("not a table")

    def write(self, path: str) -> None:
        """Save the table, whole or not at all; a directory that cannot be written is no one's problem."""
        from .whole import write

        text = self.text()
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            write(path, f"{_digest(text)}\n{text}")


def _little_endian(cells: array[int]) -> array[int]:
    """The numbers as they are saved, or were."""
    if sys.byteorder == "big":
        cells = cells[:]
        cells.byteswap()
    return cells


def _build(grammar: str) -> _Table:
    """The table of a grammar. Takes a third of a second: Lark is loaded for it."""
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
    symbols: dict[str, int] = {}
    steps: dict[int, int] = {}
    for row in _without_single_steps(states, made.start_states["start"], single):
        row = row or {"$END": 0}  # after `start` comes the end, and nothing else
        names = sorted(row)
        table.kinds.append(symbols.setdefault(" ".join(names), len(symbols)))
        table.cells.extend([steps.setdefault(row[name], len(steps)) for name in names])
    table.symbols = list(symbols)
    table.steps = list(steps)
    table.check()
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
