"""The grammar -> the parser's table. The only file that knows Lark.

In: the text of grammar/jib.lark. Out: a `Table`, Lark's LALR(1) table with its single steps taken out: where the grammar climbs from `atom`
to `test` over fifteen rules of one part each, the table goes there at once.
Always holds: table.py is what `build` makes of the grammar beside it. `make table` writes it when the grammar has changed; until then a
changed grammar is read anew by each process that needs it, which takes a third of a second.
"""

from __future__ import annotations

import os
import re

from .light import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

FOLDER = os.path.dirname(__file__)


class Table(NamedTuple):
    """The parser's table as plain data.

    `states` are lines of numbers: the first says which line of `symbols` has the names of the symbols that the state has steps for, the
    others what these are: states to go to (0, 1, ...) or rules to reduce by (~0, ~1, ...). `rules` are (left side, number of parts,
    action), `patterns` the regular expressions of terminals by their names, `texts` (text, terminal) of all others.
    """

    rules: tuple[tuple[str, int, str], ...]
    patterns: tuple[tuple[str, str], ...]
    texts: tuple[tuple[str, str], ...]
    symbols: tuple[str, ...]
    states: tuple[str, ...]


def read() -> str:
    """The text of the grammar."""
    with open(os.path.join(FOLDER, "jib.lark"), encoding="utf-8") as file:
        return file.read()


def build(grammar: str) -> Table:
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
    symbols: dict[str, int] = {}
    lines: list[str] = []
    for row in _without_single_steps(states, made.start_states["start"], single):
        row = row or {"$END": 0}  # after `start` comes the end, and nothing else
        names = sorted(map(str, row))
        kind = symbols.setdefault(" ".join(names), len(symbols))
        lines.append(" ".join(map(str, [kind, *[row[name] for name in names]])))
    patterns, texts = _terminals(lark.terminals)
    rules = [
        (str(rule.origin.name), len(rule.expansion), str(rule.alias or rule.origin.name))  # they are tokens of Lark's
        for rule in lark.rules
    ]
    return Table(tuple(rules), patterns, texts, tuple(symbols), tuple(lines))


def _terminals(terminals: list[Any]) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Those that are regular expressions, and those that are texts."""
    patterns: list[tuple[str, str]] = []
    texts: list[tuple[str, str]] = []
    for terminal in terminals:
        name, value = str(terminal.name), str(terminal.pattern.value)
        if name in ("NAME", "NUMBER", "STRING"):
            patterns.append((name, value))
        elif terminal.pattern.type == "str":
            texts.append((value, name))
        else:  # `SIGN: "+" | "-"` comes as a regular expression, (?:\+|\-)
            found = re.split(r"(?<!\\)\|", value[3:-1])
            texts += [(re.sub(r"\\(.)", r"\1", text), name) for text in found]
    return tuple(patterns), tuple(texts)


def _without_single_steps(
    states: dict[int, dict[str, int]], start: int, single: dict[int, str]
) -> list[dict[str, int]]:
    """The same automaton from state 0, without reductions by rules of one part that have no action.

    In state p, having shifted or reduced to A, the machine goes to q = goto(p, A). If q reduces by B -> A when it sees t, the machine comes
    back to p and goes on to goto(p, B), with t still ahead. So a new state stands for all that can follow (p, A): for each t, what
    is done at the end of that chain. Symbols that are not terminals lead where a state of the chain leads; if two of them led to
    different states this would be wrong, so it is an error. States with equal rows are one state. They are numbered in the order of their
    symbols: Lark's own numbers change from run to run.
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
        {symbol: to if to < 0 else number(follow(row, symbol)) for symbol, to in sorted(row.items())}
        for row in waiting  # which grows meanwhile
    ]


def written(grammar: str, table: Table) -> str:
    """The text of table.py."""
    lines = ['"""The parser\'s table, and the grammar that it was made of: written by `make table`."""', ""]
    lines += [
        "# fmt: off",
        "# ruff: noqa: E501",
        "",
        "GRAMMAR = (",
        *[f"    {line!r}" for line in grammar.splitlines(True)],
        ")",
    ]
    for name, rows in zip(table._fields, table):
        lines += ["", f"{name.upper()} = (", *[f"    {row!r}," for row in rows], ")"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = read()
    with open(os.path.join(FOLDER, "table.py"), "w", encoding="utf-8", newline="\n") as file:
        file.write(written(text, build(text)))
