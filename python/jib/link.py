"""Definitions that were taken from different places -> one function.

In: a `Definition`, and those that its names mean. Out: a `Function`, which knows the definition it was made of.
Always holds: the text of the function is that of all definitions it needs, its own the last; equal definitions, wherever they
stood, give equal functions; what comes out of a pickle is checked before it is used.
"""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any, Union

from .function import Function, Options, make
from .names import Alias, Meaning, Refused, Shared, Value, frozen, shared
from .source import Origin, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .externs import Extern
    from .limits import Limits
    from .lower import Lowered
    from .lower.linked import Setting, Suite
    from .syntax import Program


class Definition:
    """The text of one def or lambda, where it stood, and what its names mean.

    `columns` are the characters that were left out before each of its lines; `defaults` the values of its parameters' defaults,
    if they are not those of the text.
    """

    __slots__ = ("text", "file", "line", "columns", "names", "defaults")

    def __init__(
        self,
        text: str,
        file: str = "<jib>",
        line: int = 1,
        columns: Sequence[int] = (0,),
        names: Mapping[str, Union[Definition, Meaning]] | None = None,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        self.text = text
        self.file = file
        self.line = line
        self.columns = tuple(columns)
        self.names = dict(names or {})
        self.defaults = defaults

    def source(self) -> Source:
        """The text by itself."""
        return Source(self.text, self.file, self.origins())

    def origins(self) -> list[Origin]:
        """Where each line stood."""
        return [Origin(self.file, self.line + at, column) for at, column in enumerate(self.columns)]


def needed(entry: Definition) -> list[Definition]:
    """Everything that a definition needs, each once, itself the last."""
    found = {entry: 0}
    waiting = [entry]
    while waiting:
        for _, meaning in sorted(waiting.pop().names.items()):  # so that a pickle keeps the order
            if type(meaning) is Definition and meaning not in found:
                found[meaning] = len(found)
                waiting.append(meaning)
    return list(found)[::-1]


def joined(definitions: Iterable[Definition]) -> Source:
    """One text of all, with an empty line between two."""
    texts: list[str] = []
    origins: list[Origin] = []
    for definition in definitions:
        texts.append(definition.text)
        origins += definition.origins()
        origins.append(Origin(definition.file, definition.line + len(definition.columns), 0))
    return Source("\n\n".join(texts), definition.file, origins)


def settings(definitions: Sequence[Definition]) -> list[Setting]:
    """What stands around each."""
    from .lower.linked import Setting

    numbers = {definition: number for number, definition in enumerate(definitions)}
    return [
        Setting(
            {name: numbers[to] for name, to in definition.names.items() if isinstance(to, Definition)},
            {name: to for name, to in definition.names.items() if not isinstance(to, Definition)},
            definition.defaults,
        )
        for definition in definitions
    ]


def lowered(entry: Definition, options: Options, suite: Suite | None = None) -> tuple[Source, Program, Lowered]:
    """The first stages of a linked text."""
    from .lower.linked import lower_linked
    from .parse import parse

    definitions = needed(entry)
    source = joined(definitions)
    program = parse(source, options.limits)
    low = lower_linked(program, source, settings(definitions), options.limits, suite, options.externs)
    return source, program, low


def build(entry: Definition, options: Options, suite: Suite | None = None) -> Function:
    """The function of a definition."""
    from . import ir

    source, _, low = lowered(entry, options, suite)
    function = Function(make(source, ir.encode(low.module), low, options))
    function._definition, function._suite = entry, suite
    return function


def options_of(
    signature: str | None = None,
    *,
    name: str | None = None,
    arithmetic: str = "python",
    engine: str = "native",
    opt_level: str = "speed",
    fuel: int | None = None,
    timeout: float | None = None,
    limits: Limits | None = None,
    nogil: bool | None = None,
    threads: int | None = None,
    externs: Iterable[Extern] = (),
) -> Options:
    """The options of `compile` for a text that says itself what its parameters are, checked as there."""
    from .api import chosen

    return Options(*chosen(
        signature, None, name, arithmetic, engine, opt_level, fuel, timeout, limits, nogil, threads, externs
    ))  # fmt: skip


# ------------------------------------------------------------------------------------------------- as plain data


def plain(entry: Definition) -> tuple[Any, ...]:
    """Definitions as tuples of texts and numbers, for pickles."""
    definitions = needed(entry)
    numbers = {definition: number for number, definition in enumerate(definitions)}

    def meaning(to: Definition | Meaning) -> tuple[str, Any]:
        if type(to) is Definition:
            return "definition", numbers[to]
        return type(to).__name__.lower(), to[0]  # type: ignore[index]

    return tuple([
        (
            each.text, each.file, each.line, each.columns,
            tuple([(name, *meaning(to)) for name, to in sorted(each.names.items())]),
            None if each.defaults is None else tuple(each.defaults.items()),
        )
        for each in definitions
    ])  # fmt: skip


def identity(entry: Definition) -> tuple[Any, ...]:
    """What makes two definitions the same: texts and what names mean, not where they stood. 1, 1.0 and True differ, a nan equals a nan,
    an array is itself alone."""
    return tuple([
        (text, repr([(*row[:2], id(row[2]) if row[1] == "shared" else row[2]) for row in names]), repr(defaults))
        for text, _, _, _, names, defaults in plain(entry)
    ])  # fmt: skip


def restored(parts: Any) -> Definition:
    """The definitions of a pickle; TypeError or ValueError if it is none."""
    rows = [(*_checked(part),) for part in _tuple(parts)]
    if not rows:
        raise ValueError("no definition")
    definitions = [Definition(row[0], row[1], row[2], row[3], {}, row[5]) for row in rows]
    meanings: dict[str, Callable[[Any], Meaning]] = {
        "value": lambda it: Value(frozen(it)),
        "shared": lambda it: Shared(shared(it)),
        "alias": lambda it: Alias(_text(it)),
        "refused": lambda it: Refused(_text(it)),
    }
    for definition, row in zip(definitions, rows):
        for name, kind, to in row[4]:
            if kind == "definition":
                if not 0 <= index(to) < len(definitions):
                    raise ValueError("there is no such definition")
                definition.names[_text(name)] = definitions[to]
            else:
                definition.names[_text(name)] = meanings[kind](to)
    if needed(definitions[-1]) != definitions:
        raise ValueError("definitions in another order")
    return definitions[-1]


def _checked(part: Any) -> tuple[Any, ...]:
    text, file, line, columns, names, defaults = _tuple(part)
    columns = [index(column) for column in _tuple(columns)]
    if len(columns) != _text(text).count("\n") + 1:
        raise ValueError("not as many lines as there are")
    if not 0 <= index(line) < 1 << 31 or not all(-1 <= column < 1 << 16 for column in columns):
        raise ValueError("no place in a file")
    if defaults is not None:
        defaults = {_text(name): frozen(value) for name, value in _tuple(defaults)}
    return text, _text(file), line, columns, [_tuple(row) for row in _tuple(names)], defaults


def _tuple(value: Any) -> tuple[Any, ...]:
    if type(value) is not tuple:
        raise TypeError(f"expected a tuple, not {type(value).__name__}")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"expected a text, not {type(value).__name__}")
    return value
