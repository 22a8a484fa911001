"""What begins with a colon.

In: a command and the words after it. Out: the text to show, or `CommandError`. Always holds: one table, `COMMANDS`, has each command's
name, arguments, and what it does in a line; help and completion read it.
"""

from __future__ import annotations

import os
import re
from copy import copy
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from ..function import Function
from ..highlight import visible
from .console import CommandError, Quit, head, shown, type_of
from .settings import SETTINGS, set_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session import Session
    from .console import Console


# Types in parentheses; no space can be taken in two ways, or time would be exponential.
_TYPE = r"(?:int|float|bool|[iuf]\d+|None)(?:\[[:, 1]*\])?\s*"
_TYPES = re.compile(rf"\(\s*(?:{_TYPE}(?:,\s*{_TYPE})*(?:,\s*)?)?\)")


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
    return COMMANDS[known[0]].run(console, rest)


# ------------------------------------------------------------------------------------------------------- words


def help_(console: Console, rest: str) -> str:
    if not rest:
        width = max([len(f"{name} {row.takes}") for name, row in COMMANDS.items()]) + 2
        rows = [f"  :{f'{name} {row.takes}':<{width}}{row.help}" for name, row in COMMANDS.items()]
        return "\n".join([
            "Type a text of jib: its value is shown, `_` is the last one; definitions and assignments live on.",
            "An empty line ends a block. Ctrl-C stops what runs, or clears the line; Ctrl-D leaves.", "", *rows,
        ])  # fmt: skip
    name = rest.removeprefix(":")
    if name in COMMANDS and (rest.startswith(":") or name not in console.session):
        row = COMMANDS[name]
        said = f":{name} {row.takes}".rstrip() + f"\n    {row.help}"
        return said if name != "set" else said + "\n" + set_(console, "")
    if name in console.session:
        return _what(console, name)
    from .. import builtins
    from ..errors import nearest

    found = builtins.resolve(name)
    if found is None:
        known = [*console.session, *builtins.names(), *COMMANDS]
        raise CommandError(f"nothing is known of {visible(name)[:80]}{nearest(name[:80], known)}")
    if found.constant:
        return f"{name} = {found.value!r}\n    {found.doc}"
    return f"{name}({found.signature})\n    {found.doc}"


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
    return console.session.types(_text(console, rest))


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
    console.session.reset()
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


# ------------------------------------------------------------------------------------------------------- files


def load(console: Console, rest: str) -> str | None:
    from .report import report

    path = _file(rest, "load")
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read(console.session.options.limits.characters + 2)
    except UnicodeDecodeError as problem:
        raise CommandError(f"cannot read {visible(path)}: it is not UTF-8 at byte {problem.start}") from None
    except (OSError, ValueError) as problem:
        raise CommandError(f"cannot read {visible(path)}: {getattr(problem, 'strerror', None) or problem}") from None
    before = set(console.session)
    try:
        value = console.session.run(text, file=path)
    except Exception as problem:
        raise CommandError(report(problem)) from None
    console.warn()
    if value is not None:
        return shown(value)
    new = sorted(set(console.session) - before)
    return _names(len(console.session)) + (f", new: {', '.join(new[:20])}{', ...' * (len(new) > 20)}" if new else "")


def _names(count: int) -> str:
    return f"{count} name{'s' * (count != 1)}"


HEADER = "# Saved by jib; :load brings it back.\n"


def save(console: Console, rest: str) -> str:
    path = _file(rest, "save")
    session = copy(console.session)
    if "_" in session:
        del session["_"]
    text = HEADER + session.save()
    try:
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                if file.read(len(HEADER)) not in ("", HEADER):
                    raise CommandError(f"{visible(path)} was not saved by jib; it stays as it is: choose another name")
        write(path, text)
    except (OSError, ValueError) as problem:
        raise CommandError(f"cannot write {visible(path)}: {getattr(problem, 'strerror', None) or problem}") from None
    return f"{_names(len(session))} in {visible(path)} now"


def write(path: str, text: str) -> None:
    """The whole file or what was there before; where a link leads, but never in the place of a device or a pipe."""
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isdir(path) and not os.path.isfile(path):
        raise OSError(0, "it is no file")
    beside = f"{path}.{os.getpid()}.new"
    try:
        with open(beside, "x", encoding="utf-8") as file:
            file.write(text)
        os.replace(beside, path)
    except FileExistsError:  # it is somebody else's
        raise
    except BaseException:
        if os.path.exists(beside):
            os.unlink(beside)
        raise


def _file(rest: str, name: str) -> str:
    if not rest:
        raise CommandError(f":{name} needs the name of a file")
    if len(rest) > 2 and rest[0] == rest[-1] and rest[0] in "'\"":
        rest = rest[1:-1]
    return os.path.expanduser(rest)


# ----------------------------------------------------------------------------------------------------- looking


def dumping(stage: str) -> Callable[[Console, str], str | None]:
    """The command that shows a stage."""

    def dump(console: Console, rest: str) -> str | None:
        options: dict[str, Any] = {}
        output = None
        while found := re.match(r"(--source|--bytes|--typed|--opt|--target|--output|-o)(?:[ =]\s*|$)", rest):
            word, rest = found[1], rest[found.end() :].lstrip()
            if word in ("--target", "--output", "-o"):
                value, _, rest = rest.partition(" ")
                rest = rest.lstrip()
                if not value:
                    raise CommandError(f"{word} needs a value")
                if word == "--target":
                    options["target"] = value
                else:
                    output = value
            elif word in ("--typed", "--opt"):
                options["variant"] = word
            else:
                options[word[2:]] = True
        variant = options.pop("variant", None)
        wanted = {("ir", "--typed"): "typed-ir", ("clif", "--opt"): "clif-opt"}.get((stage, variant), stage)
        if variant and wanted == stage:
            raise CommandError(f":{stage} has no {variant}")
        function, signature = subject(console, rest)
        try:
            listing = function.dump(wanted, signature, **options)
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        console.listing = listing
        if output is not None:
            text = listing.svg() if output.endswith(".svg") else listing + "\n"
            try:
                write(output, text)
            except (OSError, ValueError) as problem:
                raise CommandError(
                    f"cannot write {visible(output)}: {getattr(problem, 'strerror', None) or problem}"
                ) from None
            return f"written to {visible(output)}"
        console.show(str(listing), wanted)
        return None

    return dump


def subject(console: Console, rest: str) -> tuple[Function, str | None]:
    """What a line to be looked at is compiled to: the function, and the types if they are said.

    `f` is a definition, with the types it declares; `f (int, float)` with these; `f(1, 2.5)` with those of the arguments; any other text
    is itself, with the values that it reads as parameters; no text is the last one that was run.
    """
    session = console.session
    text = _text(console, rest)
    named = re.fullmatch(r"([A-Za-z_]\w*)\s*(\(.*\))?", text, re.DOTALL)
    function = session.functions.get(named[1]) if named else None
    if named and isinstance(function, Function):
        if named[2] is None:
            return function, None
        types = named[2]
        if _TYPES.fullmatch(types):
            return function, types
        try:
            given = session.types(f"{types[:-1].rstrip().rstrip(',')},)") if types.strip("() \n\t") else "tuple[]"
        except SyntaxError:
            given = ""  # keyword arguments and the like: the text says what is wrong, if anything
        if given.startswith("tuple["):
            return function, f"({given[6:-1]})"
    function = session.prepare(text, parameters=True)
    if not function.params or not set(function.params) <= session.values.keys():
        return function, "()" if not function.params else None
    return function, f"({', '.join([type_of(session[name]) for name in function.params])})"


def explain(console: Console, rest: str) -> str:
    if console.listing is None:
        raise CommandError("nothing to explain yet: :ir, :clif or :asm first")
    if not rest:
        raise CommandError(
            ":explain needs the number of a line of what was shown last, or a name in it, such as %2 or v5"
        )
    try:
        return visible(console.listing.explain(int(rest) if rest.isdecimal() else rest))
    except (ValueError, LookupError) as problem:
        raise CommandError(str(problem.args[0]) if problem.args else str(problem)) from None


def _text(console: Console, rest: str) -> str:
    text = rest or console.last
    if not text:
        raise CommandError("which text? none has been run yet")
    return text


# ----------------------------------------------------------------------------------------------------- timing


def time_(console: Console, rest: str) -> str:
    text = _text(console, rest)
    session, signature, values = _for_timing(console, text)
    start = perf_counter()
    function = session.prepare(text, parameters=True, signature=signature)
    made = perf_counter()
    value = function(**values)
    end = perf_counter()
    stages = function.specializations[-1].stages
    rows = [("text to IR", made - start - sum(stages.values()) * 1e-6)]
    rows += [(stage, each * 1e-6) for stage, each in stages.items()]
    said = [f"{name:>12}  {duration(seconds):>9}" for name, seconds in rows]
    said += [
        " " * 14 + "-" * 9,
        f"{'compile':>12}  {duration(made - start):>9}",
        f"{'run':>12}  {duration(end - made):>9}",
    ]
    return "\n".join(([shown(value)] if value is not None else []) + said)


def bench(console: Console, rest: str) -> str:
    from statistics import median
    from timeit import Timer

    text = _text(console, rest)
    session, signature, values = _for_timing(console, text)
    function = session.prepare(text, parameters=True, signature=signature)
    named = {f"value_{at}": value for at, value in enumerate(values.values())}  # names that timeit has no use for
    timer = Timer(f"call({', '.join(named)})", globals={**named, "call": function})
    number, taken = timer.autorange()
    number = max(1, int(number * 0.2 / max(taken, 1e-9)))
    times = sorted([each / number for each in timer.repeat(5, number)])
    return f"{duration(median(times))} a call, between {duration(times[0])} and {duration(times[-1])} (5 times {number:,} calls)"


def _for_timing(console: Console, text: str) -> tuple[Session, str, dict[str, Any]]:
    """A session like this one that does not interpret first, the types of the values that a text reads, and these."""
    session = copy(console.session)
    if session.options.engine == "auto":
        session.configure(engine="native")
    function = session.prepare(text, parameters=True)
    values = session.values
    if not values.keys() >= set(function.params):
        raise CommandError("what is timed is a text that can be run, such as f(1); this one is a definition")
    given = {name: values[name] for name in function.params}
    return session, f"({', '.join([type_of(value) for value in given.values()])})", given


def duration(seconds: float) -> str:
    """A time as people read it.

    >>> [duration(each) for each in (3.2e-8, 0.00041, 0.25, 12.5)]
    ['32.0 ns', '410.0 µs', '250.0 ms', '12.5 s']
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds * 1e9:.1f} ns"


COMMANDS: dict[str, Command] = {
    "help": Command(help_, "[NAME]", "this, or what a command, a builtin or a name of yours is"),
    "type": Command(type_, "[TEXT]", "the type of its value, without running it"),
    "ir": Command(dumping("ir"), "[--typed] [--source] [TEXT]", "the IR that the parser makes, or the typed IR after all passes"),
    "clif": Command(dumping("clif"), "[--opt] [--source] [TEXT]", "what Cranelift is given, or makes of it first"),
    "asm": Command(dumping("asm"), "[--source] [--bytes] [--target T] [TEXT]", "the machine code"),
    "cfg": Command(dumping("cfg"), "[-o FILE.svg] [TEXT]", "the blocks as a graph, in DOT"),
    "ast": Command(dumping("ast"), "[TEXT]", "the tree"),
    "explain": Command(explain, "N", "which text the line N of the last listing came from, or a value of it, such as %2 or v5"),
    "time": Command(time_, "[TEXT]", "run it once: how long each stage took, and the run"),
    "bench": Command(bench, "[TEXT]", "run it many times: how long a call takes"),
    "vars": Command(vars_, "", "your names"),
    "reset": Command(reset, "", "forget them"),
    "load": Command(load, "FILE", "run a file"),
    "save": Command(save, "FILE", "write your names to a file"),
    "set": Command(set_, "[NAME VALUE]", "how texts are compiled, and values shown"),
    "quit": Command(quit_, "", "leave"),
}  # fmt: skip
