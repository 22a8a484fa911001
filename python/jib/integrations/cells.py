"""Texts that share one namespace with Python: what cells of a notebook run on. No IPython here.

In: texts, one after the other, and the namespace. Out: the value of each, and the names that the namespace is to have now.
Always holds: the namespace is what counts: before a text runs, the session is told what has changed there; a text that fails
changes neither; places in messages are those that the caller gave.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import CompileError, JitError, error
from ..link import build
from ..lower.build import Unit
from ..lower.linked import outside_names
from ..lower.scan import helper_name
from ..parse import parse
from ..session import Session
from ..source import Origin, Source, Span
from ..syntax import ExprStmt, Name
from .meanings import is_array, refusal

if TYPE_CHECKING:
    from ..function import Function
    from ..limits import Limits
    from ..listing import Listing


class Place(NamedTuple):
    """Where a text stands: the file, what people call it, and how many lines are above the text."""

    file: str
    label: str
    above: int


class Done(NamedTuple):
    """What became of a text: its value, what the namespace is to have, the stage that was asked for, and the definitions that do not fit
    any more since."""

    value: Any
    names: dict[str, Any]
    dump: Listing | None
    broken: dict[str, CompileError]


class Untyped(ValueError):
    """No types are known that a function could be shown for."""


class Cells:
    """A session and its namespace. The options are those of `jib.Session`.

    >>> cells, space = Cells(), {"ratio": 3}
    >>> done = cells.run("def area(r): return ratio * r * r", space, Place("<cell>", "cell", 0))
    >>> space.update(done.names)
    >>> space["area"](2)
    12
    >>> space["ratio"] = 3.14
    >>> cells.run("area(2)", space, Place("<cell>", "cell", 0)).value
    12.56
    """

    def __init__(self, **options: Any) -> None:
        self.session = Session(**options)
        self._given: dict[str, Any] = {}  # what a name was in the namespace when the session was told of it
        self._signatures: dict[str, str] = {}
        self._broken: set[str] = set()
        self._files: dict[str, str] = {}  # by the labels of places

    def run(
        self,
        text: str,
        space: Mapping[str, Any],
        place: Place,
        signature: str | None = None,
        stage: str | None = None,
    ) -> Done:
        """Run a text as `jib.Session.run` does; its free names are those of `space`, which is not changed.

        `signature` fixes the types of the function that is defined last; a `stage` of it is shown, or, if none is defined, of what the text
        computes as a function of the values it reads. Raises what `jib.compile` and calls raise, and Untyped; then nothing has happened.
        """
        with self._undone(), self.shown(place):
            read = _Read(text, place, self.session.options.limits)
            told, refused = self._tell(read, space)
            before = copy(self.session)
            with _explained(refused):
                value = self._value(read, space, place)
                changed, last = self._changed(read, told, space, signature)
                dump = None
                if stage is not None:
                    dump = _dump_values(before, text, stage) if last is None else dumped(changed[last], stage)
            self._given.update(changed)
            broken = self.session.broken
            news = {name: broken[name] for name in broken if name not in self._broken}
            self._broken = set(broken)
        for problem in news.values():
            self._place(problem)
        return Done(value, changed, dump, news)

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """A failure in here leaves the session as it was."""
        before = dict(self.__dict__)
        self.session, self._given, self._signatures = copy(self.session), dict(self._given), dict(self._signatures)
        try:
            yield
        except BaseException:
            self.__dict__.update(before)
            raise

    def defines(self, text: str, place: Place) -> bool:
        """Whether a text defines a function."""
        with self.shown(place):
            return bool(_Read(text, place, self.session.options.limits).defined)

    # ------------------------------------------------------------------------------------------ before a text

    def _tell(self, read: _Read, space: Mapping[str, Any]) -> tuple[set[str], dict[str, str]]:
        """Tell the session what names mean in the namespace: those that mean something else now, and why the others mean nothing."""
        session = self.session
        given: dict[str, Any] = {}
        gone: set[str] = set()
        refused: dict[str, str] = {}
        for name in {*read.outside, *read.assigned, *read.defined, *session, *session._read_by(session)}:
            if name in space:
                found = space[name]
                if name in session and self._given.get(name, self) is found:
                    continue
                words = refusal(name, found, session.options)
                if words is None:
                    given[name] = found
                    continue
                if words:
                    refused[name] = words
            if name in session:
                gone.add(name)
        session.update(given)
        for name in gone:
            del session[name]
        for name in gone.union(given):
            self._given.pop(name, None)
            self._signatures.pop(name, None)
        self._given.update(given)
        elementwise = self._is_elementwise(read, space)
        for name in sorted(refused.keys() & read.outside - read.assigned - read.defined.keys()):
            if not (elementwise and is_array(space[name])):
                raise error("foreign-name", read.source, read.place_of(name), name, refused[name])
        return gone.union(given), refused

    # ------------------------------------------------------------------------------------------ the text itself

    def _is_elementwise(self, read: _Read, space: Mapping[str, Any]) -> bool:
        """Whether a text is an expression of arrays and of no functions of the session, for which NumPy's rules hold."""
        if not read.is_expression or not read.outside.isdisjoint(self.session.functions):
            return False
        return any(is_array(space[name]) for name in read.outside if name in space)

    def _value(self, read: _Read, space: Mapping[str, Any], place: Place) -> Any:
        if self._is_elementwise(read, space):
            from ..oneshot import evaluate

            return evaluate(read.source.text, {name: space[name] for name in read.outside if name in space})
        return self.session.run(read.source.text, file=place.label, line=place.above + 1)

    def _changed(
        self, read: _Read, told: set[str], space: Mapping[str, Any], signature: str | None
    ) -> tuple[dict[str, Any], str | None]:
        """What the namespace is to have, and the name of the function that was defined last."""
        functions = set(self.session.functions)  # their names; to ask for one would make it
        fresh = [name for name in (*read.defined, *sorted(read.assigned)) if name in self.session]
        last = next((name for name in reversed(read.defined) if name in functions), None)
        for name in fresh:
            self._signatures.pop(name, None)
        if last is not None and signature is not None:
            self._signatures[last] = signature
        changed = {name: self._made(name) if name in functions else self.session[name] for name in fresh}
        changed.update(self._moved(functions.difference(fresh), told.union(fresh), space))
        return changed, last

    def _made(self, name: str) -> Function:
        function: Function = self.session[name]
        signature = self._signatures.get(name)
        if signature is None:
            return function
        assert function._definition is not None  # as all that a text defines have
        return build(function._definition, function._made.options._replace(signature=signature))

    def _moved(self, functions: set[str], moved: set[str], space: Mapping[str, Any]) -> dict[str, Function]:
        """Functions that are others now, since something that they need is."""
        found = {}
        for name in sorted(functions):
            old = self._given.get(name)
            if space.get(name, self) is old and not moved.isdisjoint(self.session._read_by([name])):
                with suppress(JitError):  # something that it needs is gone: what there is stays as it is
                    new = self._made(name)
                    if new != old:
                        found[name] = new
        return found

    # ------------------------------------------------------------------------------------------------- places

    @contextmanager
    def shown(self, place: Place) -> Iterator[None]:
        """What fails in here tells its place as people know it, and at this place if it is in a text without a name."""
        self._files[place.label] = place.file
        try:
            yield
        except BaseException as problem:
            self._place(problem, place)
            raise

    def _place(self, problem: BaseException, place: Place | None = None) -> None:
        if isinstance(problem, SyntaxError):
            if problem.filename in ("<jib>", "<jib-prepare>") and place is not None:
                problem.filename = place.file
                problem.lineno = (problem.lineno or 1) + place.above
                if problem.end_lineno is not None:
                    problem.end_lineno += place.above
            problem.filename = self._files.get(problem.filename or "", problem.filename)
        notes = getattr(problem, "__notes__", None)
        if type(notes) is list:
            notes[:] = [self._note(each, place) if type(each) is str else each for each in notes]

    def _note(self, note: str, place: Place | None) -> str:
        """A note of a place, in the place that people know."""
        match = _NOTE.match(note)
        if match is None:
            return note
        if match[1] is not None:
            return f"  {match[1]}, line {match[2]}{note[match.end() :]}" if match[1] in self._files else note
        if place is None:
            return note
        # There a text stands right behind its line's number.
        lines = [line[match.end() :] for line in note.split("\n")]
        return "\n    ".join([f"  {place.label}, line {int(match[3]) + place.above}", *lines])


@contextmanager
def _explained(refused: Mapping[str, str]) -> Iterator[None]:
    """A name that means nothing to a text, and something to Python, has a note that says what."""
    try:
        yield
    except CompileError as problem:
        if problem.code in ("unknown-name", "unbound-local"):
            notes = [f"  '{name}' is {words}" for name, words in refused.items() if f"'{name}'" in problem.msg]
            problem.__notes__ = [*getattr(problem, "__notes__", ()), *notes]  # type: ignore[attr-defined]  # as in sessions/state.py
        raise


def _dump_values(session: Session, text: str, stage: str) -> Listing:
    """A stage of what a text computes, as a function of the values that it reads."""
    function = session.prepare(text, parameters=True)
    for name in function.params:
        if name not in session:
            raise Untyped(f"'{name}' has no value here")
    return dumped(function, stage, f"({', '.join([session.types(name) for name in function.params])})")


def dumped(function: Function, stage: str, signature: str | None = None) -> Listing:
    """A stage of a function. Raises Untyped if that is one for types, and none are known."""
    try:
        return function.dump(stage, signature)
    except ValueError as problem:
        if isinstance(problem, JitError):
            raise
        raise Untyped(f"{problem}; --signature says the types") from None


#: How errors.add_place_note begins: in a text that was cut out, and in one by itself.
_NOTE = re.compile(r'^  (?:File "([^"\n]+)", line ([0-9]+)|line ([0-9]+): )')


class _Read:
    """A text as it was read: what it defines and assigns, and what its parts use that is not their own."""

    def __init__(self, text: str, place: Place, limits: Limits) -> None:
        count = text.count("\n") + 1
        self.source = Source(text, place.file, [Origin(place.file, place.above + at, 0) for at in range(1, count + 1)])
        self.program = parse(self.source, limits)
        unit = Unit(self.source, limits)
        self.defined: dict[str, None] = {}
        self.outside: set[str] = set()
        self.assigned: set[str] = set()
        rest = []
        for statement in self.program.body:
            name = helper_name(statement)
            if name is None:
                rest.append(statement)
            else:
                self.defined.pop(name, None)  # so that it is the last
                self.defined[name] = None
                self.outside |= outside_names((statement,), unit)[0]
        if rest:
            used, self.assigned = outside_names(rest, unit)
            self.outside |= used
        self.is_expression = len(rest) == 1 and type(rest[0]) is ExprStmt and not self.assigned and not self.defined

    def place_of(self, name: str) -> Span:
        """The first use of a name."""
        waiting: list[Any] = [self.program]
        spans: list[Span] = []
        while waiting:
            node = waiting.pop()
            if type(node) is Name and node.id == name:
                spans.append(node.span)
            elif isinstance(node, tuple) and type(node) is not Span:
                waiting.extend(node)
        return min(spans, default=Span(0, 0))
