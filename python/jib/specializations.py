"""What a function has been compiled to, as a table to read.

In: `Specialization`s. Out: a tuple of them that prints as a table. Always holds: it is that tuple in all else.
"""

from __future__ import annotations

from typing import NamedTuple


class Specialization(NamedTuple):
    """What one combination of argument types was compiled to; `stages` maps each stage to its microseconds.

    `kind` is "call", or "elementwise": a kernel, which goes through the elements of arrays that a function of numbers was called with.
    Its arrays are all written `f64[:]`, of however many dimensions they are.

    >>> print(Specialization(("int",), "float", 96, {"types": 3.25, "clif": 20.5}))
    float(int): 96 bytes, 24 µs
    """

    params: tuple[str, ...]
    result: str
    code_bytes: int
    stages: dict[str, float]
    kind: str = "call"

    def __str__(self) -> str:
        return f"{self.result}({', '.join(self.params)}): {self.code_bytes} bytes, {sum(self.stages.values()):.0f} µs"


class Specializations(tuple[Specialization, ...]):
    """The specialisations of a function, oldest first: a tuple that prints as a table, with the microseconds of each stage.

    How often each was called is not in it: a call goes straight to machine code, and counting would cost every call.

    >>> print(Specializations([Specialization(("int", "float"), "float", 96, {"types": 3.25, "clif": 20.5})]))
    arguments   result  types  clif  total µs  bytes
    int, float  float     3.2  20.5      23.8     96
    """

    __slots__ = ()

    def __repr__(self) -> str:
        if not self:
            return "nothing has been compiled yet"
        rows = self._rows()
        widths = [max(map(len, column)) for column in zip(*rows)]
        return "\n".join([
            "  ".join([cell.ljust(width) if at < 2 else cell.rjust(width) for at, (cell, width) in enumerate(zip(row, widths))]).rstrip()
            for row in rows
        ])  # fmt: skip

    __str__ = __repr__

    def _repr_html_(self) -> str:
        from html import escape

        if not self:
            return f"<p>{self}</p>"
        head, *rows = [[escape(cell) for cell in row] for row in self._rows()]
        lines = ["<table>", f"<tr><th>{'</th><th>'.join(head)}</th></tr>"]
        lines += [f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in rows]
        return "\n".join([*lines, "</table>"])

    def _rows(self) -> list[list[str]]:
        """The table's cells, heads first: texts in the first two columns, numbers in the others."""
        stages = list(dict.fromkeys([stage for one in self for stage in one.stages]))
        rows = [["arguments", "result", *stages, "total µs", "bytes"]]
        for params, result, size, times, _ in self:
            cells = [f"{times[stage]:.1f}" if stage in times else "" for stage in stages]
            rows.append([", ".join(params) or "none", result, *cells, f"{sum(times.values()):.1f}", str(size)])
        return rows
