"""What begins with a colon.

In: a command and the words after it. Out: the text to show, or `CommandError`. Always holds: one table, `COMMANDS`, has each command's
name, arguments, and what it does in a line; help and completion read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..highlight import visible
from .console import CommandError, Quit, head, shown, type_of
from .files import load, save
from .looking import dumping, explain, options_of, text_of
from .settings import SETTINGS, set_to
from .timing import bench, time_

if TYPE_CHECKING:
    from collections.abc import Callable

    from .console import Console


class Command(NamedTuple):
    """A row of the table."""

    run: Callable[[Console, str], str | None]
    takes: str
    help: str


def command(console: Console, line: str) -> str | None:
    """Do what a line says that begins with a colon."""
    word, _, rest = line[1:].partition(" ")
    name, _, more = word.partition("\n")
    rest = (more + " " + rest).strip() if more else rest.strip()
    known = [each for each in COMMANDS if each == name] or [each for each in COMMANDS if name and each.startswith(name)]
    if len(known) != 1:
        from ..errors import nearest

        if known:
            raise CommandError(f":{name} may be {' or '.join(':' + each for each in known)}")
        raise CommandError(f"there is no command :{visible(name)[:40]}{nearest(name[:40], COMMANDS)}; :help lists them")
    row = COMMANDS[known[0]]
    if rest and not row.takes:
        raise CommandError(f":{known[0]} takes nothing")
    return row.run(console, rest)


# ------------------------------------------------------------------------------------------------------- words


def help_(console: Console, rest: str) -> str:
    if not rest:
        width = max([len(f"{name} {row.takes}") for name, row in COMMANDS.items()]) + 2
        rows = [f"  :{f'{name} {row.takes}':<{width}}{row.help}" for name, row in COMMANDS.items()]
        return "\n".join([
            "Type a text: its value is shown, `_` is the last one. Definitions and assignments live on.",
            "An empty line ends a block. Ctrl-C stops what runs, or clears the line.", "", *rows, "",
            "Commands may be shortened. TEXT may be left out: then it is the one that was run last.",
        ])  # fmt: skip
    name = rest.removeprefix(":")
    if name in COMMANDS and (rest.startswith(":") or name not in console.session):
        return _command(console, name)
    if name in console.session:
        return _what(console, name)
    from .. import builtins
    from ..errors import nearest
    from ..vocabulary import words

    found = builtins.resolve(name)
    if found is None and name in words():
        return f"{name} is a word of the language, and means what it means in Python"
    if found is None:
        known = [*console.session, *builtins.names(), *COMMANDS]
        raise CommandError(f"nothing is known of {visible(name)[:80]}{nearest(name[:80], known)}")
    if found.constant:
        return f"{name} = {found.value!r}\n    {found.doc}"
    return f"{name}({found.signature})\n    {found.doc}"


def _command(console: Console, name: str) -> str:
    """A command, in words."""
    row = COMMANDS[name]
    lines = [f":{name} {row.takes}".rstrip(), f"    {row.help}"]
    options = options_of(name)
    if options:
        lines += [f"  {f'{word} {option.value}':<17} {option.help}" for word, option in options.items()]
        lines += [
            f"TEXT is a definition, as in `:{name} f` or `:{name} f (int, float)`, a call of one, or anything else."
        ]
    return "\n".join(lines) if name != "set" else "\n".join([*lines, set_(console, "")])


def _what(console: Console, name: str) -> str:
    """A name of the session, in words."""
    session = console.session
    if name in session.functions:
        try:
            return visible(session.source(name))
        except KeyError:  # it came from Python
            return session.types(name)
    value = session[name]
    return f"{name}: {type_of(value)} = {shown(value)}"


def type_(console: Console, rest: str) -> str:
    return console.session.types(text_of(console, rest))


def vars_(console: Console, rest: str) -> str:
    session = console.session
    functions, values = session.functions, session.values
    rows = []
    for name in sorted(set(session) - {"_"}):
        if name in values:
            value = values[name]
            shape = f" of shape {value.shape}" if getattr(value, "shape", ()) else ""
            rows.append((name, type_of(value), f"an array{shape}" if shape else shown(value)))
        elif name in functions:
            rows.append((name, "function", head(session, name)))
    if not rows:
        return "no names yet"
    wide = [max([len(row[at]) for row in rows]) for at in (0, 1)]
    return "\n".join([f"{name:<{wide[0]}}  {kind:<{wide[1]}}  {_cut(said)}" for name, kind, said in rows])


def _cut(text: str) -> str:
    text = visible(text.replace("\n", " "))
    return text if len(text) <= 80 else text[:77] + "..."


def reset(console: Console, rest: str) -> str:
    session = console.session
    unknown = [name for name in rest.split() if name not in session]
    if unknown:
        raise CommandError(f"there is no name {visible(unknown[0])[:80]}")
    if rest:
        for name in dict.fromkeys(rest.split()):
            del session[name]
        console.warn()
        return ""
    session.reset()
    console.listing = None
    console.last = ""
    return "all names are forgotten"


def quit_(console: Console, rest: str) -> str:
    raise Quit


def set_(console: Console, rest: str) -> str:
    if not rest:
        wide = max(map(len, SETTINGS))
        return "\n".join([f"  {name:<{wide}}  {row.now(console):<8}  {row.help}" for name, row in SETTINGS.items()])
    name, _, value = rest.replace("=", " ", 1).partition(" ")
    return set_to(console, name, value.strip())


_LOOK = "[OPTIONS] [TEXT]"

COMMANDS: dict[str, Command] = {
    "help": Command(help_, "[NAME]", "this; or what a command, a builtin, a name of yours is"),
    "type": Command(type_, "[TEXT]", "the type of its value; it is not run"),
    "ast": Command(dumping("ast"), _LOOK, "the tree"),
    "ir": Command(dumping("ir"), _LOOK, "the IR, without types or with them"),
    "clif": Command(dumping("clif"), _LOOK, "what Cranelift is given, or makes of it"),
    "asm": Command(dumping("asm"), _LOOK, "the machine code"),
    "cfg": Command(dumping("cfg"), _LOOK, "the blocks as a graph"),
    "explain": Command(explain, "[N]", "where line N of the last listing came from, or a value, %2 or v5"),
    "time": Command(time_, "[TEXT]", "run it once: each stage, and the run"),
    "bench": Command(bench, "[TEXT]", "run it many times: what a call takes"),
    "vars": Command(vars_, "", "your names"),
    "reset": Command(reset, "[NAMES]", "forget all names, or these"),
    "load": Command(load, "FILE", "run a file; an array, if it ends in .npy"),
    "save": Command(save, "FILE", "write your names to a file"),
    "set": Command(set_, "[NAME VALUE]", "how texts are compiled, values shown"),
    "quit": Command(quit_, "", "leave; so does Ctrl-D"),
}
