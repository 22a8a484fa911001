"""Formulas over the columns of a table: pandas' and Polars' Series, whole frames, and lazy queries.

A function of numbers that is given columns is called for each row, and gives a column back. `jib.evaluate` finds a formula's names among
the columns of a frame. `f.ufunc` is a real ufunc, so Polars takes it into an expression that runs when the query does.

Run it: python examples/columns.py ["formula of price, quantity, weight"]; it needs pandas or Polars, and shows those that are there.
"""

from __future__ import annotations

import sys

import jib

TABLE = {
    "item": ["nail", "screw", "hinge", "plank", "anvil"],
    "price": [0.05, 0.12, 3.40, 8.00, 95.00],
    "quantity": [400, 250, 12, 10, 1],
    "weight": [0.004, 0.006, 0.21, 5.5, 40.0],
}

# A branch for each row, where pandas would need two masks: rebates by quantity, and postage by weight.
TOTAL = """\
def total(price: float, quantity: int, weight: float) -> float:
    goods = price * quantity
    if quantity >= 250:
        goods *= 0.8
    elif quantity >= 10:
        goods *= 0.9
    kilograms = weight * quantity
    return round(goods + (4.5 if kilograms <= 5 else 4.5 + 0.6 * ceil(kilograms - 5)), 2)
"""


def with_pandas(formula: str, total: jib.Function) -> list[float] | None:
    try:
        import pandas as pd
    except ImportError:
        print("pandas is not installed")
        return None
    frame = pd.DataFrame(TABLE).set_index("item")
    frame["total"] = total(frame.price, frame.quantity, frame.weight)  # a Series, with the index of its arguments
    frame["formula"] = jib.evaluate(formula, frame)  # its names are the frame's columns
    print("--- pandas", *[line.rstrip() for line in frame.to_string().splitlines()], sep="\n")
    return frame["total"].tolist() + frame["formula"].tolist()


def with_polars(formula: str, total: jib.Function) -> list[float] | None:
    try:
        import polars as pl
    except ImportError:
        print("Polars is not installed")
        return None
    frame = pl.DataFrame(TABLE)
    compiled = jib.compile(formula, name="formula")
    query = frame.lazy().with_columns(
        total=total.ufunc(*[pl.col(name) for name in total.params]),
        formula=compiled.ufunc(*[pl.col(name) for name in compiled.params]),
    )
    answer = query.collect()
    with pl.Config(tbl_formatting="ASCII_MARKDOWN", tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        print(f"--- Polars, lazily\n{answer}")
    return answer["total"].to_list() + answer["formula"].to_list()


def main(formula: str = "price / weight if weight > 0.1 else 0.0") -> int:
    total = jib.compile(TOTAL)
    answers = [answer for each in (with_pandas, with_polars) if (answer := each(formula, total)) is not None]
    one_by_one = [total(*row) for row in zip(TABLE["price"], TABLE["quantity"], TABLE["weight"])]
    equal = all(answer == answers[0] and answer[: len(one_by_one)] == one_by_one for answer in answers)
    if answers:
        print(f"the totals, row by row: {'equal' if equal else 'DIFFERENT'}")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
