"""Text -> tree.

In: a `Source` and `Limits`. Out: a `Program` of syntax.py.
Always holds: what comes out is the tree, or an exception of errors.py.

`_Parser` runs the table that grammar.py has made of grammar/jib.lark, over the words of layout.py, and calls the actions of actions.py as
it goes: no tree of Lark's is ever made, and Lark itself, whose import takes longer than all that jib does to start, is not loaded.
"""

from __future__ import annotations

from itertools import chain

from .actions import ACTIONS, TERMINALS, Mistake
from .errors import JitError, error
from .layout import Layout, Lexicon, Token
from .light import TYPE_CHECKING
from .limits import DEFAULT, Limits
from .source import Source, Span
from .syntax import Binary, Program

if TYPE_CHECKING:
    from typing import Any

    from .grammar import Table

#: What comes behind all tokens.
_END = (("$END",),)

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

    def __init__(self, table: Table) -> None:
        self.table = table
        rules = [(size, ACTIONS.get(action, _parts), origin) for origin, size, action in table.rules]
        #: By the numbers of the table: state n is n, and rule n, whose number ~n counts from the end, what it says.
        self.steps: list[Any] = [*range(len(table.states)), *reversed(rules)]
        # The row of a state is made when the state is first entered: a text enters few of them. Two threads may make the same one.
        self.rows: list[dict[str, Any] | None] = [None] * len(table.states)
        self.lexicon = Lexicon(dict(table.patterns), table.texts)

    def row(self, state: int) -> dict[str, Any]:
        """The steps of a state, by the next symbol."""
        row = self.rows[state]
        if row is None:
            kind, *steps = map(int, self.table.states[state].split(" "))
            names = self.table.symbols[kind].split(" ")
            row = self.rows[state] = dict(zip(names, map(self.steps.__getitem__, steps)))
        return row

    def run(self, layout: Layout) -> Program:
        """Shift every token, and then the end, after all reductions that it asks for."""
        rows, make_row, terminals = self.rows, self.row, TERMINALS
        state = 0  # where the table begins
        states = [state]
        values: list[Any] = []
        token: Any
        for token in chain(layout.tokens(), _END):
            kind = token[0]
            while type(step := (rows[state] or make_row(state)).get(kind)) is tuple:
                size, action, origin = step
                if size == 1:  # no rule is empty, and most have one part
                    values[-1] = action(values[-1:])
                    state = states[-1] = rows[states[-2]][origin]  # type: ignore[index]  # it was the last: its row is made
                else:
                    parts = values[-size:]
                    del values[-size:], states[-size:]
                    values.append(action(parts))
                    state = rows[states[-1]][origin]  # type: ignore[index]
                    states.append(state)
            if step is None:
                raise _Unexpected(None if token is _END[0] else token, states)
            state = step
            states.append(state)
            values.append(terminals[kind](token) if kind in terminals else token)
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


def _make_parser() -> _Parser:
    """The parser, made once; two threads may both make it."""
    global _parser
    from . import grammar, table

    text = grammar.read()
    if text == table.GRAMMAR:
        made = grammar.Table(table.RULES, table.PATTERNS, table.TEXTS, table.SYMBOLS, table.STATES)
    else:  # it is being worked on
        made = grammar.build(text)
    _parser = _Parser(made)
    return _parser
