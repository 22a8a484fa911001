"""Definitions and values that live on from one text to the next.

In: texts, one after the other. Out: the value of each; what it defines and assigns is there for the next.
Always holds: a text either runs to its end, or leaves the session as it was; a definition means whatever its names mean when it is
called; one thread at a time.

Nothing here is run by itself: what is called is a text again, made of the definitions that are needed (link.py), with the values that
they read as constants. So a function of a session is a function like any other, and travels with its definitions.
"""

from __future__ import annotations

from _thread import RLock  # threading is slow to import
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Union

from .errors import CompileError, error
from .link import Definition, build, lowered, needed, options_of
from .names import Value, frozen
from .source import Source
from .syntax import AnnAssign, Assign, AugAssign, If, Name, Tuple

if TYPE_CHECKING:
    from .externs import Extern
    from .function import Function
    from .limits import Limits
    from .syntax import Body, Program, Stmt


class _Known(NamedTuple):
    """A definition as it was written, and the names it uses and does not define: what these mean changes."""

    text: str
    file: str
    line: int
    columns: tuple[int, ...]
    outside: frozenset[str]


#: Names that one call assigns: it returns their values, and what a function returns is limited.
MOST = 32

_Names = dict[str, Union[_Known, Value]]


class Session:
    """Definitions that live on and can be redefined, and values with names.

    The options are those of `compile`, but for those that say what one function takes. `run` runs a text; `session[name]` is the
    function or the value that a name has now.

    >>> session = Session()
    >>> session.run("def area(r): return ratio * r * r")
    >>> session.run("ratio = 3")
    >>> session.run("area(2)")
    12
    >>> session.run("ratio = 3.14159")
    >>> session.run("area(2)"), session["ratio"]
    (12.56636, 3.14159)
    """

    def __init__(
        self,
        *,
        arithmetic: str = "python",
        engine: str = "auto",
        opt_level: str = "speed",
        fuel: int | None = None,
        timeout: float | None = None,
        limits: Limits | None = None,
        nogil: bool | None = None,
        threads: int | None = None,
        externs: Iterable[Extern] = (),
    ) -> None:
        self._options = options_of(
            arithmetic=arithmetic, engine=engine, opt_level=opt_level, fuel=fuel, timeout=timeout, limits=limits,
            nogil=nogil, threads=threads, externs=externs,
        )  # fmt: skip
        self._names: _Names = {}
        self._made: dict[str, Function] = {}  # of the definitions as they are now
        self._runs = 0
        self._lock = RLock()

    def run(self, text: str) -> Any:
        """Run a text: its definitions and assignments live on, the value of its last expression is returned, else None.

        A text that fails leaves the session as it was. Each run and each call in it has the session's fuel and timeout.
        """
        if not isinstance(text, str):
            raise TypeError(f"run() takes a text, not {type(text).__name__}")
        with self._lock:
            self._runs += 1
            step = _Run(self, Source(text, f"<jib-{self._runs}>"))
            value = step.run()
            if step.changed:
                self._names.update({name: step.names[name] for name in step.changed})
                self._made.clear()
            return value

    def __getitem__(self, name: str) -> Any:
        """The function or the value of a name. The function is that of the definitions as they are now, and stays so."""
        with self._lock:
            found = self._names[name]
            if type(found) is Value:
                return found.value
            function = self._made.get(name)
            if function is None:
                function = self._made[name] = build(definition(self._names, name), self._options)
            return function

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._names))

    def __len__(self) -> int:
        return len(self._names)

    @property
    def functions(self) -> Mapping[str, Function]:
        """The functions by name, each made when it is asked for."""
        return _Functions(self)

    @property
    def values(self) -> dict[str, Any]:
        """The values by name."""
        with self._lock:
            return {name: found.value for name, found in self._names.items() if type(found) is Value}


class _Functions(Mapping[str, "Function"]):
    def __init__(self, session: Session) -> None:
        self._session = session

    def __getitem__(self, name: str) -> Function:
        if type(self._session._names.get(name)) is not _Known:
            raise KeyError(name)
        function: Function = self._session[name]
        return function

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, found in tuple(self._session._names.items()) if type(found) is _Known])

    def __len__(self) -> int:
        return len(list(iter(self)))


def meanings(names: _Names, wanted: Iterable[str]) -> dict[str, Definition | Value]:
    """What some names mean now: values, and definitions with all that they need, each once."""
    made: dict[str, Definition | Value] = {}
    waiting = sorted(wanted)
    while waiting:
        at = waiting.pop()
        known = names.get(at)
        if known is None or at in made:
            continue
        if isinstance(known, Value):
            made[at] = known
        else:
            made[at] = Definition(*known[:4])
            waiting += known.outside
    for at, found in made.items():
        if isinstance(found, Definition):
            known = names[at]
            assert isinstance(known, _Known)
            found.names = {each: made[each] for each in known.outside if each in made}
    return {name: made[name] for name in wanted if name in made}


def definition(names: _Names, name: str) -> Definition:
    """A definition, with all that it needs."""
    found = meanings(names, [name])[name]
    assert isinstance(found, Definition)
    return found


class _Run:
    """One text on its way: the names as they are so far, and which of them it has changed."""

    def __init__(self, session: Session, source: Source) -> None:
        self.options = session._options
        self.limits = session._options.limits
        self.names = dict(session._names)
        self.changed: dict[str, None] = {}
        self.source = source

    def run(self) -> Any:
        from .lower.scan import helper_name
        from .parse import parse

        program = parse(self.source, self.limits)
        cut = _Cut(self.source, program)
        body = program.body
        value = None
        at = 0
        while at < len(body):
            # Definitions that follow each other see each other; what stands between is run at once.
            end = at + 1
            defines = helper_name(body[at]) is not None
            while end < len(body) and (helper_name(body[end]) is not None) == defines:
                end += 1
            value = None
            if defines:
                self.define(body[at:end], cut)
            else:
                value = self.execute(body[at:end], cut)
            at = end
        return value

    def define(self, body: Body, cut: _Cut) -> None:
        from .lower.build import Unit
        from .lower.linked import outside_names
        from .lower.scan import helper_name

        fresh: list[str] = []
        for statement in body:
            name = helper_name(statement)
            assert name is not None
            if name in fresh:
                raise error("function-twice", self.source, statement.span, name)
            outside, _ = outside_names((statement,), Unit(self.source, self.limits))
            self.names[name] = _Known(*cut.part((statement,)), frozenset(outside))
            fresh.append(name)
        self.changed.update(dict.fromkeys(fresh))
        for name in fresh:
            self.check(name)

    def check(self, name: str) -> None:
        """Tell of a mistake in a definition now, though what its names mean may come later."""
        known = self.names[name]
        assert isinstance(known, _Known)
        entry = Definition(*known[:4])
        for each in known.outside:
            meaning = self.names.get(each)
            if isinstance(meaning, _Known):
                entry.names[each] = entry if each == name else Definition(*meaning[:4])  # which is not looked into
            elif meaning is not None:
                entry.names[each] = meaning
        try:
            lowered(entry, self.options)
        except CompileError as problem:
            own = sum(len(each.text) + 2 for each in needed(entry)[:-1])
            if problem.code != "unknown-name" and problem.span is not None and problem.span.start >= own:
                raise

    def execute(self, body: Body, cut: _Cut) -> Any:
        """The value of statements that define no functions; what they assign becomes names."""
        from .lower.build import Unit
        from .lower.linked import Suite, outside_names

        outside, assigned = outside_names(body, Unit(self.source, self.limits))
        # A definition reads names as they are when it is called: what these statements assign must be there by then.
        read = assigned & self.read_by(outside)
        if len(body) > 1 and (read or len(assigned) > MOST):
            half = len(body) // 2
            self.execute(body[:half], cut)
            return self.execute(body[half:], cut)
        if read and (type(body[0]) not in (Assign, AugAssign, AnnAssign) or ":=" in cut.part(body)[0]):
            raise error("assigned-and-read", self.source, body[0].span, min(read))
        entry = Definition(*cut.part(body), meanings(self.names, outside))
        known = [(name, self.names[name]) for name in sorted(assigned) if name in self.names]
        before = {name: found.value for name, found in known if isinstance(found, Value)}
        sure = before.keys() | (assigned & _assigned(body))
        for name, _ in known:
            if name not in sure:  # a function, now
                raise error("assigned-perhaps", self.source, body[0].span, name)

        def answer(wanted: set[str]) -> tuple[Any, ...]:
            suite = Suite(tuple(before.items()), tuple(sorted(wanted)))
            found: tuple[Any, ...] = build(entry, self.options, suite)()
            self.names.update({name: Value(frozen(each)) for name, each in zip(suite.wanted, found[1:])})
            self.changed.update(dict.fromkeys(suite.wanted))
            return found

        if assigned == sure or self.prints(outside):
            return answer(sure)[0]
        # Whether the other names get a value is seen when it runs. What prints nothing may run again, without those that got none.
        wanted = set(assigned)
        while True:
            try:
                return answer(wanted)[0]
            except (UnboundLocalError, CompileError) as problem:
                if isinstance(problem, CompileError) and problem.code != "unbound-local":
                    raise
                name = str(problem.args[0] if problem.args else "").partition("'")[2].partition("'")[0]
                if name not in wanted - sure:
                    raise
                wanted.remove(name)

    def prints(self, outside: set[str]) -> bool:
        """Whether something may be printed."""
        return "print" in outside or "print" in self.read_by(outside)

    def read_by(self, names: set[str]) -> set[str]:
        """The names that definitions use, those of these names and all that they call."""
        seen: set[str] = set()
        waiting = list(names)
        while waiting:
            found = self.names.get(waiting.pop())
            if isinstance(found, _Known):
                waiting += found.outside - seen
                seen |= found.outside
        return seen


class _Cut:
    """Parts of a text, as definitions have them."""

    def __init__(self, source: Source, program: Program) -> None:
        self.source = source
        line, column = source.position(program.span[0])
        self.indent = source.line(line)[: column - 1]
        self.kept: set[int] = set()
        if self.indent:
            from .origin import inside_texts

            self.kept = inside_texts(source.text)

    def part(self, body: tuple[Stmt, ...]) -> tuple[str, str, int, tuple[int, ...]]:
        """The text of some statements; the file, line and columns where it stands."""
        source = self.source
        start, end = body[0].span[0], body[-1].span[1]
        line, column = source.position(start)
        lines = source.text[start:end].split("\n")
        columns = [column - 1]
        width = len(self.indent)
        for at in range(1, len(lines)):
            strip = line + at not in self.kept and lines[at].startswith(self.indent)
            columns.append(width if strip else 0)
            lines[at] = lines[at][columns[-1] :]
        return "\n".join(lines), source.name, line, tuple(columns)


def _assigned(body: Body, depth: int = 50) -> set[str]:
    """Names that statements assign for sure, if they end; not all of them."""
    from .lower.scan import target_names

    found: set[str] = set()
    for statement in body:
        targets: tuple[Name | Tuple | Any, ...] = ()
        if type(statement) is Assign:
            targets = statement.targets
        elif type(statement) is AugAssign or (type(statement) is AnnAssign and statement.value is not None):
            targets = (statement.target,)
        elif type(statement) is If and statement.orelse and depth:
            ways = [*[each for _, each in statement.branches], statement.orelse]
            found |= set.intersection(*[_assigned(way, depth - 1) for way in ways])
        found.update([name.id for target in targets for name in target_names(target)])
    return found
