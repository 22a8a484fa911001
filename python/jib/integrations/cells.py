"""Texts that share one namespace with Python: what cells of a notebook run on. No IPython here.

In: texts, one after the other, and the namespace. Out: the value of each, and the names that the namespace is to have now.
Always holds: the namespace is what counts: before a text runs, the session is told what has changed there, of those names that the text
needs; a text that fails changes neither; places in messages are those that the caller gave.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import builtins
from ..decorator import _spelling, _words
from ..errors import JitError, error
from ..function import Function
from ..limits import DEFAULT
from ..link import build
from ..lower.build import Unit
from ..lower.linked import outside_names
from ..lower.scan import helper_name
from ..names import Refused, Unfit, Value, frozen
from ..parse import parse
from ..session import Session
from ..source import Origin, Source, Span
from ..syntax import ExprStmt, FunctionDef, Name

if TYPE_CHECKING:
    from ..syntax import Program


class Place(NamedTuple):
    """Where a text stands: the file, what people call it, and how many lines are above the text."""

    file: str
    label: str
    above: int


class Done(NamedTuple):
    """What became of a text: its value, what the namespace is to have, and the function that it defines last."""

    value: Any
    names: dict[str, Any]
    last: Function | None


class _Read(NamedTuple):
    """A text as it was read: what it defines, assigns, and uses without defining it."""

    text: str
    source: Source
    program: Program
    defined: dict[str, frozenset[str]]  # by name, what each uses
    assigned: set[str]
    outside: set[str]


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
        self._options = self.session._options
        self._given: dict[str, Any] = {}  # what a name was in the namespace when the session was told of it
        self._uses: dict[str, frozenset[str]] = {}  # of definitions
        self._signatures: dict[str, str] = {}
        self._places: dict[str, Place] = {}  # by the names that the session gives to texts

    def run(self, text: str, space: Mapping[str, Any], place: Place, signature: str | None = None) -> Done:
        """Run a text as `jib.Session.run` does; its free names are those of `space`, which is not changed.

        `signature` fixes the types of the function that is defined last. Raises what `jib.compile` and calls raise; then, as after any
        failure in `undone`, nothing has happened.
        """
        read = self._read(text, place)
        with self.undone():
            told = self._tell(read, space)
            if told is None:
                with self.shown(place):
                    return Done(_evaluated(read, space), {}, None)
            try:
                value = self.session.run(text)
            except BaseException as problem:
                self._places[f"<jib-{self.session._runs}>"] = place
                self.show(problem)
                raise
            last = list(read.defined)[-1] if read.defined else None
            for name in read.assigned:
                self._uses.pop(name, None)
            for name in (*read.defined, *read.assigned):
                self._signatures.pop(name, None)
            for name in read.defined:
                self._settle(name, place)
            if last is not None and signature is not None:
                self._signatures[last] = signature
            self._uses.update(read.defined)
            try:
                changed = self._changed(read, told, space)
            except BaseException as problem:
                self.show(problem)
                raise
            self._given.update(changed)
        return Done(value, changed, None if last is None else changed[last])

    @contextmanager
    def undone(self) -> Iterator[None]:
        """A failure in here leaves the session as it was."""
        names, made = dict(self.session._names), dict(self.session._made)
        own = [dict(table) for table in (self._given, self._uses, self._signatures)]
        try:
            yield
        except BaseException:
            self.session._names, self.session._made = names, made
            self._given, self._uses, self._signatures = own
            raise

    def defines(self, text: str, place: Place) -> bool:
        """Whether a text defines a function."""
        return bool(self._read(text, place).defined)

    @contextmanager
    def shown(self, place: Place) -> Iterator[None]:
        """What fails in here, in a text without a name, fails at this place."""
        self._places["<jib>"] = place
        try:
            yield
        except BaseException as problem:
            self.show(problem)
            raise
        finally:
            del self._places["<jib>"]

    # ------------------------------------------------------------------------------------------ before a text

    def _read(self, text: str, place: Place) -> _Read:
        count = text.count("\n") + 1
        source = Source(text, place.file, [Origin(place.file, place.above + at, 0) for at in range(1, count + 1)])
        program = parse(source, DEFAULT)
        unit = Unit(source, DEFAULT)
        defined: dict[str, frozenset[str]] = {}
        rest = []
        for statement in program.body:
            name = helper_name(statement)
            if name is None:
                rest.append(statement)
            else:
                defined[name] = frozenset(outside_names((statement,), unit)[0])
        outside, assigned = outside_names(rest, unit) if rest else (set(), set())
        outside = outside.union(*defined.values()) - defined.keys()
        return _Read(text, source, program, defined, assigned, outside)

    def _tell(self, read: _Read, space: Mapping[str, Any]) -> set[str] | None:
        """Tell the session what names mean in the namespace: the names that mean something else now.

        None for an expression of arrays without functions of the session, which is not the session's.
        """
        told: set[str] = set()
        arrays: dict[str, Any] = {}
        functions = False
        for name in self._needed({*read.outside, *read.assigned} - read.defined.keys()):
            known = name in self.session
            if name not in space:
                meaning = None
            elif known and self._given.get(name, self) is space[name]:
                functions = functions or (name in read.outside and name in self._uses)
                continue
            else:
                meaning = self._meaning(name, space[name])
            if isinstance(meaning, Value) and _is_array(meaning.value):
                arrays[name] = meaning.value
                continue
            if isinstance(meaning, Refused) and name in read.outside:
                raise error("foreign-name", read.source, _place_of(name, read.program), name, meaning.words)
            functions = functions or (name in read.outside and isinstance(meaning, Function))
            if known or isinstance(meaning, (Value, Function)):
                told.add(name)
                self._becomes(name, meaning, space)
        body = read.program.body
        if (
            read.outside & arrays.keys()
            and not functions
            and not read.assigned
            and len(body) == 1
            and type(body[0]) is ExprStmt
        ):
            return None
        for name, array in arrays.items():
            told.add(name)
            try:
                self._becomes(name, Value(array), space)
            except (TypeError, ValueError):
                self._becomes(name, None, space)
                if name in read.outside:
                    words = "an array, which a session does not keep; call the function with it from Python"
                    raise error("foreign-name", read.source, _place_of(name, read.program), name, words) from None
        return told

    def _needed(self, names: Iterable[str]) -> Iterator[str]:
        """Names, what these need, and what all other functions need."""
        seen: set[str] = set()
        for each in (names, *self._uses.values()):
            waiting = [*each]
            while waiting:
                name = waiting.pop()
                if name not in seen:
                    seen.add(name)
                    waiting += self._uses.get(name, ())
                    yield name

    def _becomes(self, name: str, meaning: Value | Refused | Function | None, space: Mapping[str, Any]) -> None:
        """A name of the session means what it means in the namespace, which may be nothing that the session has."""
        for table in (self._given, self._uses, self._signatures):
            table.pop(name, None)
        if isinstance(meaning, Function):
            self.session.run(meaning.source if meaning._definition is None else meaning._definition.text)
            self._uses[name] = frozenset()
        elif isinstance(meaning, Value):
            _set(self.session, name, meaning.value)
        elif name in self.session:
            _delete(self.session, name)
        if isinstance(meaning, (Function, Value)):
            self._given[name] = space[name]

    def _meaning(self, name: str, found: Any) -> Value | Refused | Function | None:
        """What an object of Python's means to a text; None for what the language knows by this name. No object can stop this."""
        try:
            if isinstance(found, Function):
                return self._adopted(name, found)
            if _is_array(found):
                return Value(found)
            if _is_scalar(found):
                found = found.item()
            spelling = _spelling(found, self._options)
            if spelling is not None:
                if spelling == name:
                    return None
                return Refused(f"the language's '{spelling}' by another name; call it '{spelling}'")
            try:
                return Value(frozen(found))
            except Unfit as problem:
                return Refused(_words(found, str(problem), self._options))
        except Exception:
            name = type.__dict__["__name__"].__get__(type(found))
            return Refused(f"an object of {name:.80} here, which is not part of the language")

    def _adopted(self, name: str, function: Function) -> Function | Refused:
        """A function that was made elsewhere, as a definition of the session, if its text is one that needs nothing else."""
        options, definition = function._made.options, function._definition
        text = function.source if definition is None else definition.text
        words = "a function of jib made elsewhere, which needs more than its text; define it in such a cell"
        if options.arithmetic != self._options.arithmetic:
            return Refused(f'a function with arithmetic="{options.arithmetic}", and not "{self._options.arithmetic}"')
        if options.externs or options.signature is not None:
            return Refused(words)
        source = Source(text)
        body = parse(source, DEFAULT).body
        if len(body) != 1 or type(body[0]) is not FunctionDef:
            return Refused(words)
        if body[0].name != name:
            return Refused(f"a function that is called '{body[0].name}'")
        outside, _ = outside_names(body, Unit(source, DEFAULT))
        if any(builtins.resolve(each) is None for each in outside) or (definition is not None and definition.names):
            return Refused(words)
        return function

    # ------------------------------------------------------------------------------------------- after a text

    def _made(self, name: str) -> Function:
        function: Function = self.session[name]
        signature = self._signatures.get(name)
        if signature is None:
            return function
        assert function._definition is not None  # as all of a session have
        return build(function._definition, self._options._replace(signature=signature))

    def _changed(self, read: _Read, told: set[str], space: Mapping[str, Any]) -> dict[str, Any]:
        """What a text has defined and assigned, and functions that are others now, since something that they need is."""
        fresh = dict.fromkeys([name for name in (*read.defined, *sorted(read.assigned)) if name in self.session])
        functions = self.session.functions
        changed = {name: self._made(name) if name in functions else self.session[name] for name in fresh}
        moved = told.union(fresh)
        for name, uses in self._uses.items():
            old = self._given.get(name)
            if name in fresh or not uses or space.get(name, self) is not old or moved.isdisjoint(self._closure(name)):
                continue
            with suppress(JitError):  # something that it needs is gone: what there is stays as it is
                new = self._made(name)
                if new != old:
                    changed[name] = new
        return changed

    def _closure(self, name: str) -> set[str]:
        """All that a definition needs."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            for each in self._uses.get(waiting.pop(), ()):
                if each not in found:
                    found.add(each)
                    waiting.append(each)
        return found

    # ------------------------------------------------------------------------------------------------- places

    def _settle(self, name: str, place: Place) -> None:
        """Let a definition know its place for good: what it raises later, however it is called, tells it."""
        known: Any = self.session._names[name]
        self.session._names[name] = known._replace(file=place.label, line=known.line + place.above)
        self.session._made.clear()
        self._places[place.label] = place._replace(above=0)

    def show(self, problem: BaseException) -> None:
        """Put the places that people know into an exception: its own, and those of its notes."""
        if isinstance(problem, SyntaxError) and problem.filename in self._places:
            place = self._places[problem.filename]
            problem.filename = place.file
            problem.lineno = (problem.lineno or 1) + place.above
            if problem.end_lineno is not None:
                problem.end_lineno += place.above
        notes = getattr(problem, "__notes__", None)
        if type(notes) is list:
            notes[:] = [self._moved(each) if type(each) is str else each for each in notes]

    def _moved(self, note: str) -> str:
        """A note of a place, in the place that people know."""
        match = _NOTE.match(note)
        place = self._places.get(match[1] or "<jib>") if match is not None else None
        if match is None or place is None:
            return note
        head = f"  {place.label}, line {int(match[2] or match[3]) + place.above}"
        if match[1]:
            return head + note[match.end() :]
        # There a text stands right behind its line's number.
        lines = [line[match.end() :] for line in note.split("\n")]
        return "\n    ".join([head, *lines])


def _evaluated(read: _Read, space: Mapping[str, Any]) -> Any:
    """The value of an expression of arrays, element by element."""
    from ..oneshot import evaluate

    return evaluate(read.text, {name: space[name] for name in read.outside if name in space})


#: How errors.add_place_note begins: in a text that was cut out, and in one by itself.
_NOTE = re.compile(r'^  (?:File "([^"\n]+)", line ([0-9]+)|line ([0-9]+): )')


def _place_of(name: str, program: Program) -> Span:
    """The first use of a name."""
    waiting: list[Any] = [program]
    spans: list[Span] = []
    while waiting:
        node = waiting.pop()
        if type(node) is Name and node.id == name:
            spans.append(node.span)
        elif isinstance(node, tuple) and type(node) is not Span:
            waiting.extend(node)
    return min(spans, default=Span(0, 0))


def _is_array(found: Any) -> bool:
    """Whether it is an array, or keeps one as pandas does: asked of its class, since objects may answer anything."""
    numpy = sys.modules.get("numpy")
    own = type(found)
    if numpy is None or issubclass(own, numpy.generic):
        return False
    return issubclass(own, numpy.ndarray) or any("__array__" in vars(each) for each in type.mro(own))


def _is_scalar(found: Any) -> bool:
    """Whether it is one of NumPy's numbers that the language has."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(type(found), numpy.generic) and found.dtype.char in "?bBhHiIlLqQefd"


def usable(found: Any) -> bool:
    """Whether a text may use an object, by its class alone."""
    return type(found) in (int, float, bool, tuple) or issubclass(type(found), Function) or _is_array(found)


def types_of(values: Iterable[Any]) -> str:
    """A signature for values; of an array, for its elements. TypeError if there is none.

    >>> types_of([1, 2.5, (True, 0)])
    '(int, float, tuple[bool, int])'
    """
    return f"({', '.join([_type_of(value) for value in values])})"


def _type_of(value: Any) -> str:
    if type(value) is tuple:
        return f"tuple[{', '.join([_type_of(each) for each in value])}]"
    dtype = value.dtype if _is_array(value) or _is_scalar(value) else None
    if dtype is not None and dtype.kind in "iuf":
        name = f"{dtype.kind}{8 * dtype.itemsize}"
        return {"i64": "int", "f64": "float"}.get(name, name)
    if dtype is not None and dtype.kind == "b":
        return "bool"
    return type(frozen(value)).__name__


def _set(session: Any, name: str, value: Any) -> None:
    """A name of a session becomes a value; TypeError or ValueError if it cannot be one."""
    if hasattr(type(session), "__setitem__"):
        session[name] = value
        return
    session._names[name] = Value(frozen(value))
    session._made.clear()


def _delete(session: Any, name: str) -> None:
    if hasattr(type(session), "__delitem__"):
        del session[name]
        return
    del session._names[name]
    session._made.clear()
