"""What became of a text: its stages, and where a line of them came from.

In: the words after `:asm` and the like. Out: a listing, on the screen or in a file. Always holds: nothing is run; the session stays as it
is; `OPTIONS` has each option, the stages that take it, and what it does.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..function import Function
from ..highlight import visible
from ..lower.annotations import SCALARS
from ..whole import write
from .console import CommandError, type_of
from .files import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from .console import Console


# Each must be followed by a comma or the end, so that no character can be taken in two ways, or time would be exponential.
_NAMES = re.compile(r"\(\s*(?:\w+(?:\[[:,\s\d]*\])?\s*(?:,\s*|(?=\))))*\)")


class Option(NamedTuple):
    """A row of `OPTIONS`: the name of its value, if it takes one."""

    stages: tuple[str, ...]
    value: str
    help: str


CODE = ("ir", "clif", "asm")
OPTIONS = {
    "--source": Option(CODE, "", "the text beside the code"),
    "--typed": Option(("ir",), "", "the typed IR, after all passes"),
    "--opt": Option(("clif",), "", "what Cranelift's optimiser makes of it"),
    "--bytes": Option(("asm",), "", "the bytes of each instruction"),
    "--target": Option(("clif", "asm"), "MACHINE", "the code for another machine"),
    "-o": Option(("ast", *CODE, "cfg"), "FILE", "to a file; of a graph, to a picture if it ends in .svg"),
}
_PICTURES = (".png", ".pdf", ".jpg", ".jpeg", ".gif", ".ps", ".eps", ".webp")


def dumping(stage: str) -> Callable[[Console, str], str | None]:
    """The command that shows a stage."""

    def dump(console: Console, rest: str) -> str | None:
        given, text = _options(console, stage, rest)
        wanted = "typed-ir" if "--typed" in given else "clif-opt" if "--opt" in given else stage
        output = given.get("-o")
        if output is not None and output.lower().endswith(_PICTURES):
            raise CommandError("pictures are in SVG: name a file that ends in .svg")
        function, signature = subject(console, text, stage)
        how = {word[2:]: given[word] for word in ("--source", "--bytes", "--target") if word in given}
        try:
            listing = function.dump(wanted, signature, **how)
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        console.listing = listing
        if output is None:
            console.show(str(listing), wanted)
            return None
        made = listing.svg() if output.endswith(".svg") and stage == "cfg" else f"{listing}\n"
        try:
            write(os.path.expanduser(output), made)
        except (OSError, ValueError) as problem:
            raise refused("write", output, problem) from None
        return f"written to {visible(output)}"

    return dump


def _options(console: Console, stage: str, rest: str) -> tuple[dict[str, Any], str]:
    """The options at the beginning of some words, and the text after them."""
    given: dict[str, Any] = {}
    while found := re.match(r"(--[a-z]{2,}|-o)(?:[ =]\s*|$)", rest):
        word, after = found[1], rest[found.end() :].lstrip()
        row = OPTIONS.get(word)
        if row is None:
            if word[2:] in console.session:  # an expression: --x
                break
            raise CommandError(f"there is no option {word}; :{stage} has {_those(stage)}")
        if stage not in row.stages:
            raise CommandError(f":{stage} has no {word}; it has {_those(stage)}")
        rest = after
        given[word] = True
        if row.value:
            given[word], _, rest = rest.partition(" ")
            rest = rest.lstrip()
            if not given[word]:
                raise CommandError(f"{word} needs a value")
    return given, rest


def _those(stage: str) -> str:
    return ", ".join(options_of(stage))


def options_of(stage: str) -> dict[str, Option]:
    """The options of a stage's command."""
    return {word: row for word, row in OPTIONS.items() if stage in row.stages}


def subject(console: Console, rest: str, stage: str) -> tuple[Function, str | None]:
    """What a line to be looked at is compiled to: the function, and the types if they are said.

    `f` is a definition, with the types it declares; `f (int, float)` with these; `f(1, 2.5)` with those of the arguments; any other text
    is itself, with the values that it reads as parameters; no text is the last one that was run.
    """
    session = console.session
    text = text_of(console, rest)
    named = re.fullmatch(r"([A-Za-z_]\w*)\s*(\(.*\))?", text, re.DOTALL)
    function = session.functions.get(named[1]) if named else None
    if named is None or not isinstance(function, Function):
        function = session.prepare(text, parameters=True)
        if not set(function.params) <= session.values.keys():
            return _declared(function, stage)
        return function, f"({', '.join([type_of(session[name]) for name in function.params])})"
    types = named[2]
    if types is None:
        return _declared(function, stage)
    if _are_types(types):
        return function, types
    given = session.types(f"{types[:-1].rstrip().rstrip(',')},)") if types.strip("() \n\t") else "tuple[]"
    return function, f"({given.removeprefix('tuple[')[:-1]})"


def _are_types(types: str) -> bool:
    """Whether what stands in parentheses is meant to be types: names, with brackets of colons, and one of them is a type's."""
    return _NAMES.fullmatch(types) is not None and not set(SCALARS).isdisjoint(re.findall(r"\w+", types))


def _declared(function: Function, stage: str) -> tuple[Function, None]:
    """A function by itself, if its types are known."""
    untyped = [param.name for param in function._made.params if param.annotation is None]
    if stage not in ("ast", "ir", "cfg") and untyped and not function.specializations:
        name = function.__name__
        raise CommandError(
            f"{name}() does not say the types of its parameters: :{stage} {name}(1, 2.5) is for those of the arguments,"
            f" :{stage} {name} (int, float) for these"
        )
    return function, None


def explain(console: Console, rest: str) -> str:
    listing = console.listing
    if listing is None:
        raise CommandError("nothing to explain yet: :ir, :clif or :asm first")
    if not rest:
        lines = listing.split("\n")
        return "\n".join([f"{number:{len(str(len(lines)))}}  {line}" for number, line in enumerate(lines, 1)])
    try:
        return visible(listing.explain(int(rest) if rest.isdecimal() else rest))
    except (ValueError, LookupError) as problem:
        raise CommandError(str(problem.args[0]) if problem.args else str(problem)) from None


def text_of(console: Console, rest: str) -> str:
    """The text that a command is about: its own words, else the last one that was run."""
    text = rest or console.last
    if not text:
        raise CommandError("which text? none has been run yet")
    return text
