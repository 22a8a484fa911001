"""A spreadsheet whose formulas nobody vouches for: names such as B2 and B2:B5, functions of the host, and limits on everything.

What a cell needs is read from its text before anything runs, and gives the order in which cells are computed; a circle is found before it
turns. A range goes in as a tuple, and in the text as a name of equal length, B2_B5, so that each caret stands under what was typed.
Whatever a formula tries ends in its own cell.

Run it: python examples/spreadsheet.py [CELL=FORMULA ...], which change cells: python examples/spreadsheet.py "C2=B2 * oops"
"""

from __future__ import annotations

import re
import sys
from graphlib import CycleError, TopologicalSorter

import jib
from jib.frontend import mistake

CELL = re.compile(r"[A-H][1-9]\Z")
RANGE = re.compile(r"\b([A-H][1-9]):([A-H][1-9])\b")
BUILTINS = {"sum", "min", "max", "len", "abs", "round", "sqrt", "exp", "log", "floor", "ceil", "range"}
SIZE = jib.Limits(characters=500, tokens=200, nesting=15, ir_instructions=1_000)
BUDGET = {"fuel": 100_000, "timeout": 0.1}  # loop rounds and calls, and seconds


def rebate(quantity: float) -> float:
    """The host's price list, which formulas may ask."""
    return 0.2 if quantity >= 100 else 0.1 if quantity >= 10 else 0.0


REBATE = jib.extern(rebate, pure=True)

Value = float | str  # a number; or text, which is a label


def spread(first: str, last: str) -> list[str]:
    """The cells of a range, row by row."""
    columns = [chr(code) for code in range(ord(first[0]), ord(last[0]) + 1)]
    return [f"{column}{row}" for row in range(int(first[1]), int(last[1]) + 1) for column in columns]


class Formula:
    """A formula that may be computed: what it reads, and the function."""

    def __init__(self, typed: str) -> None:
        if len(typed) > SIZE.characters:
            raise jib.LimitError(f"a formula has at most {SIZE.characters} characters")
        text = RANGE.sub(r"\1_\2", typed)
        found = jib.inspect_source(text, externs=[REBATE], limits=SIZE)
        for name in (*found.builtins, *found.constants, *found.unknown):
            if name not in BUILTINS:
                raise mistake(text, found.places[name], f"'{name}' is not for formulas")
        self.reads = {}  # the cells behind each parameter
        for name in found.params:
            first, _, last = name.partition("_")
            if not CELL.match(first) or (last and not CELL.match(last)):
                raise mistake(text, found.places[name], f"'{name}' is not a cell")
            self.reads[name] = spread(first, last) if last else first
            if not self.reads[name]:
                raise mistake(text, found.places[name], "the range is empty")
        self.function = jib.compile(text, externs=[REBATE], limits=SIZE, engine="auto", **BUDGET)

    def cells(self) -> set[str]:
        return {cell for read in self.reads.values() for cell in ([read] if isinstance(read, str) else read)}

    def compute(self, values: dict[str, Value]) -> Value:
        def number(cell: str) -> float:
            value = values.get(cell, 0.0)
            if isinstance(value, str):
                raise LookupError(f"{cell} has no number")
            return value

        read = [number(of) if isinstance(of, str) else tuple(map(number, of)) for of in self.reads.values()]
        answer = self.function(*read)
        if not isinstance(answer, (int, float)):
            raise TypeError(f"a cell holds a number, not {type(answer).__name__}")
        return answer


def harmless(text: str) -> str:
    """What is quoted must not drive the terminal."""
    return text if text.isprintable() else ascii(text)


def explained(typed: str, error: Exception) -> str:
    """What is wrong, under the formula as it was typed, if its place is known and fits a line."""
    place = (error.offset, error.end_offset) if isinstance(error, SyntaxError) else getattr(error, "jib_span", None)
    words = harmless(f"{type(error).__name__}: {getattr(error, 'msg', None) or error}".rstrip(": "))
    if place is None or len(typed) > 60 or not typed.isprintable():
        return f"{harmless(typed)[:60]}{'...' * (len(typed) > 60)}\n    {words}"
    start, end = place if len(place) == 2 else place[1::2]  # columns, from 1
    return f"{typed}\n    {' ' * (start - 1)}{'^' * max(1, end - start)} {words}"


def recalculate(sheet: dict[str, Value]) -> tuple[dict[str, Value], dict[str, str]]:
    """The value of every cell, and what is wrong with those that have none."""
    values = {cell: content for cell, content in sheet.items() if not str(content).startswith("=")}
    wrong: dict[str, str] = {}
    formulas: dict[str, Formula] = {}

    def fails(cell: str, sign: str, error: Exception) -> None:
        values[cell] = sign
        wrong[cell] = explained(str(sheet[cell])[1:], error)

    for cell in sheet.keys() - values.keys():
        try:
            formulas[cell] = Formula(str(sheet[cell])[1:])
        except jib.JitError as error:
            fails(cell, "#TEXT", error)
    while True:
        try:
            order = [*TopologicalSorter({cell: made.cells() for cell, made in formulas.items()}).static_order()]
            break
        except CycleError as error:
            circle = sorted({*error.args[1]})
            for cell in circle:
                del formulas[cell]
                words = f"{' and '.join(circle)} need each other" if len(circle) > 1 else f"{cell} needs itself"
                fails(cell, "#CIRCLE", LookupError(words))
    for cell in order:
        if cell in formulas:
            try:
                values[cell] = formulas[cell].compute(values)
            except jib.BudgetError as error:
                fails(cell, "#TIME", error)
            except LookupError as error:
                fails(cell, "#NEEDS", error)
            except (jib.JitError, ArithmeticError, ValueError, TypeError, RuntimeError, AssertionError) as error:
                fails(cell, "#VALUE", error)
    return values, wrong


SHEET: dict[str, Value] = {
    "A1": "item", "B1": "price", "C1": "number", "D1": "sum", "E1": "share",
    "A2": "nails", "B2": 0.05, "C2": 400, "D2": "=B2 * C2 * (1 - rebate(C2))", "E2": "=D2 / D5",
    "A3": "hinges", "B3": 3.40, "C3": 12, "D3": "=B3 * C3 * (1 - rebate(C3))", "E3": "=D3 / D5",
    "A4": "anvil", "B4": 95, "C4": 1, "D4": "=B4 * C4 * (1 - rebate(C4))", "E4": "=D4 / D5",
    "A5": "all", "C5": "=sum(C2:C4)", "D5": "=sum(D2:D4)", "E5": "=round(sum(E2:E4), 9)",
    "A6": "mean", "B6": "=D5 / C5", "D6": "=sum(D2:D4) / len(D2:D4)", "E6": "=max(E2:E4)",
    "A7": "wrong", "B7": "=B2 / (C4 - 1)", "C7": "=sum(C2:C4) +", "D7": "=E7 + 1", "E7": "=D7 * 2",
    "A8": "hostile", "B8": "=while True: pass", "C8": "=9**9**9", "D8": "=__import__('os')", "E8": "=" + "(" * 9000,
    "A9": "and so", "B9": "=B8 + 1", "C9": "=print(C2)", "D9": "=A1 * 2", "E9": "=sum(x for x in range(10**9))",
}  # fmt: skip


def main(*changes: str) -> None:
    sheet = dict(SHEET)
    for change in changes:
        cell, _, formula = change.partition("=")
        sheet[cell] = "=" + formula
    values, wrong = recalculate(sheet)
    columns = sorted({cell[0] for cell in sheet})
    print("  " + "".join([f"{column:>10}" for column in columns]))
    for row in sorted({cell[1] for cell in sheet}):
        shown = [values.get(column + row, "") for column in columns]
        print(row, "".join([f"{value:>10}" if isinstance(value, str) else f"{value:>10.6g}" for value in shown]))
    print()
    for cell in sorted(wrong):
        print(f"{cell}: {wrong[cell]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
