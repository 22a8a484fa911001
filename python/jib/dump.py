"""Looking inside a function: the text of one stage, or of all in a folder.

In: a function, a stage, and what is to be shown beside it. Out: a `Listing`, or files. Always holds: what is asked for is shown or refused;
a file is whole or not there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from . import _native
from .listing import Listing, beside_source, listing
from .source import Span
from .whole import write

if TYPE_CHECKING:
    from pathlib import Path

    from .function import Function


class Row(NamedTuple):
    """What there is to know about a stage: its file, whether its lines are instructions, whether it is for one kind of machine."""

    file: str
    instructions: bool
    machine: bool


ROWS = {
    "ast": Row("ast.txt", False, False),
    "ir": Row("ir.txt", True, False),
    "typed-ir": Row("typed-ir.txt", True, False),
    "clif": Row("clif.clif", True, True),
    "clif-opt": Row("clif-opt.clif", True, True),
    "asm": Row("asm.s", True, True),
    "cfg": Row("cfg.dot", False, False),
}


def check(stage: str, *, source: bool = False, target: str | None = None, bytes: bool = False) -> None:
    """Refuse with a ValueError what goes with no such stage."""
    row = ROWS.get(stage)
    if row is None:
        raise ValueError(f"there is no stage called {stage!r:.80}; there are {', '.join(ROWS)}")
    if source and not row.instructions:
        reason = "its lines are the text's own shape" if stage == "ast" else "a graph in DOT has no room for it"
        raise ValueError(f"the source does not stand beside {stage!r}: {reason}")
    if target is not None and not row.machine:
        raise ValueError(f"{stage!r} is the same for every target; {_those('machine')} are not")
    if bytes and stage != "asm":
        raise ValueError(f"bytes are those of 'asm', not of {stage!r}")


def dump(
    function: Function, stage: str, signature: str | None, source: bool, target: str | None, bytes: bool
) -> Listing:
    """As `Function.dump` says."""
    check(stage, source=source, target=target, bytes=bytes)
    if stage in ("ast", "ir"):
        made = _front(function, stage)
    else:
        text, places = function._dump(stage, signature, target, bytes)
        text = text.rstrip("\n")
        spans = [None if place is None else Span(*place) for place in places[: text.count("\n") + 1]]
        made = Listing(text, stage, function._made.text, spans)
    return beside_source(made) if source else made


def dump_all(
    function: Function,
    folder: str | os.PathLike[str],
    signature: str | None,
    source: bool,
    target: str | None,
    bytes: bool,
) -> tuple[Path, ...]:
    """As `Function.dump_all` says."""
    from pathlib import Path

    texts = {"source.jib" if function._module is None else "source.txt": function.source}
    for stage, row in ROWS.items():
        if stage == "ast" and function._module is not None:
            continue
        made = dump(
            function,
            stage,
            signature,
            source and row.instructions,
            target if row.machine else None,
            bytes and stage == "asm",
        )
        texts[row.file] = f"{made}\n"
    with suppress(FileNotFoundError):  # as promised: only where there is Graphviz
        texts["cfg.svg"] = made.svg()
    where = Path(folder)
    where.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write(str(where / name), text)
    return tuple([where / name for name in texts])


def _front(function: Function, stage: str) -> Listing:
    """The stages that Python has, made again from the text."""
    from . import ir_text, link
    from .lower import lower
    from .parse import parse
    from .tree_text import tree_lines

    text, options = function._made.text, function._made.options
    if function._module is not None:
        if stage == "ast":
            raise ValueError("there is no 'ast' of this function: it was made of IR")
        return listing(ir_text.written(function._module), stage, text)
    if stage == "ast":
        return listing(tree_lines(parse(text, options.limits), text), stage, text)
    if function._definition is not None:
        _, _, lowered = link.lowered(function._definition, options, function._suite)
    else:
        lowered = lower(parse(text, options.limits), text, options.params, options.limits, options.externs)
    return listing(ir_text.written(lowered.module), stage, text)


def targets() -> dict[str, bool]:
    """The machines whose code can be shown, and whether this build of jib has each."""
    return dict(_native._targets())


def _those(field: str) -> str:
    return ", ".join([stage for stage, row in ROWS.items() if getattr(row, field)])
