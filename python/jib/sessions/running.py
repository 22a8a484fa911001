"""One text of a session on its way.

In: a text, and the state of the session. Out: the text's value, and the names that it changes; or the function that it would call.
Always holds: the state it began with is not touched: a text that fails at any moment has changed nothing; what it assigns and
defines is seen by what stands after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import CompileError, error
from ..link import Definition, build, lowered, needed
from ..names import Shared, Value
from ..syntax import AnnAssign, Assign, AugAssign
from .cut import Cut, surely_assigned
from .given import meaning, same
from .state import Closed, Host, Known, Linked, Meaning, State, explain, is_value, linked, made, now, with_hosts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..externs import Extern
    from ..function import Function, Options
    from ..lower.linked import Suite
    from ..source import Source
    from ..syntax import Body

#: Names that one call assigns: it returns their values, and what a function returns is limited.
MOST = 32


class Names(dict):  # type: ignore[type-arg]
    """The names as a text has changed them so far, over those of the session: only what was changed is in it."""

    __slots__ = ("below",)

    def __init__(self, below: Mapping[str, Meaning]) -> None:
        self.below = below

    def __missing__(self, name: str) -> Meaning:
        return self.below[name]

    def get(self, name: str, default: Any = None) -> Any:
        """What a name means so far."""
        found = super().get(name)
        return self.below.get(name, default) if found is None else found

    def known(self, name: str) -> bool:
        """Whether it means anything."""
        return self.get(name) is not None


class Run:
    """One text: the names as they are so far, which of them it has changed, and the function that it is calling."""

    def __init__(self, state: State, source: Source) -> None:
        self.state = state
        self.options: Options = state.options
        self.names = Names(state.names)
        self.source = source
        self.moment = now()
        self.stopped = False
        self.calling: Function | None = None

    def run(self) -> Any:
        """The text's value."""
        value = None
        with _Explained(self):
            cut = self.parsed()
            for defines, body in cut.groups():
                value = None
                if defines:
                    self.define(body, cut)
                else:
                    value = self.execute(body, cut)
        return value

    def prepare(self, parameters: bool, signature: str | None) -> Function:
        """The function that would be called for the text's last statements, or that its last definition defines."""
        from ..link import options_of

        if signature is not None:
            kept = {
                name: value for name, value in self.options._asdict().items() if name not in ("signature", "params")
            }
            self.options = options_of(signature, **kept)
        with _Explained(self):
            cut = self.parsed()
            groups = list(cut.groups())
            for at, (defines, body) in enumerate(groups):
                if defines:
                    self.define(body, cut)
                elif at < len(groups) - 1:
                    raise error("prepared", self.source, body[0].span)
            defines, body = groups[-1]
            if not defines:
                return self.suite(body, cut, parameters)
            return made(self.names, list(self.names)[-1], self.options)

    def parsed(self) -> Cut:
        from ..parse import parse

        return Cut(self.source, parse(self.source, self.options.limits))

    def stop(self) -> None:
        """End the run, from another thread."""
        self.stopped = True
        calling = self.calling
        if calling is not None:
            calling.interrupt()

    # ---------------------------------------------------------------------------------------------- definitions

    def define(self, body: Body, cut: Cut) -> None:
        """Make definitions what their names mean."""
        from ..lower.build import Unit
        from ..lower.linked import defined, outside_names
        from ..lower.scan import helper_name

        moment = now()
        fresh: dict[str, None] = {}
        for statement in body:
            name = helper_name(statement)
            assert name is not None
            if name in fresh:
                raise error("function-twice", self.source, statement.span, name)
            outside, _ = outside_names((statement,), Unit(self.source, self.options.limits))
            self.names.pop(name, None)  # so that it is the last
            declared = all(param.annotation is not None for param in defined(statement).params)
            self.names[name] = Known(*cut.part((statement,)), frozenset(outside), moment, declared)
            fresh[name] = None
        for name in fresh:
            problem = misfit(name, self.names, self.options)
            if problem is not None and problem.code != "unknown-name":
                raise problem

    # ----------------------------------------------------------------------------------------------- statements

    def execute(self, body: Body, cut: Cut) -> Any:
        """The value of statements that define no functions; what they assign becomes names."""
        outside, assigned = self.about(body)
        # A definition reads names as they are when it is called: what these statements assign must be there by then.
        read = assigned & read_by(self.names, outside)
        if len(body) > 1 and (read or len(assigned) > MOST):
            half = len(body) // 2
            self.execute(body[:half], cut)
            return self.execute(body[half:], cut)
        self.check_read(read, body, cut)
        before, sure = self.before(body, assigned)
        link = linked(self.names, outside, self.options)
        entry = _statements(body, cut, link, before)
        arrays = [found.value for found in (*link.names.values(), *before.values()) if isinstance(found, Shared)]

        def function(wanted: set[str]) -> Function:
            return build(entry, link.options, _suite(before, wanted))

        def answer(function: Function, wanted: set[str]) -> Any:
            found = self.call(function)
            if not wanted:
                return same(found, arrays)
            for name, each in zip(sorted(wanted), found[1:]):
                self.names[name] = meaning(same(each, arrays))
            return same(found[0], arrays)

        if assigned == sure:
            return answer(function(sure), sure)
        # Whether the other names get a value is seen when it runs. What has no other effects may run again, without those that got none.
        wanted = set(assigned)
        while True:
            try:
                attempt = function(wanted)
                if attempt._prospect()[1]:
                    return answer(function(sure), sure)
                return answer(attempt, wanted)
            except (UnboundLocalError, CompileError) as problem:
                if isinstance(problem, CompileError) and problem.code != "unbound-local":
                    if problem.code == "missing-return":  # which says what we return, not what they say
                        function(sure)._prospect()
                    raise
                name = str(problem.args[0] if problem.args else "").partition("'")[2].partition("'")[0]
                if name not in wanted - sure:
                    raise
                wanted.remove(name)

    def suite(self, body: Body, cut: Cut, parameters: bool) -> Function:
        """The function of statements that define no functions, which are all done by one call; if the values that they read are to be
        parameters, those that can be."""
        outside, assigned = self.about(body)
        read = assigned & read_by(self.names, outside)
        if read:
            raise error("assigned-and-read", self.source, body[0].span, min(read))
        before, sure = self.before(body, assigned)
        params: tuple[str, ...] = ()
        if parameters:
            values = {name: found for name in outside if is_value(found := self.names.get(name))}
            params = tuple(sorted([name for name, found in {**values, **before}.items() if _is_argument(found)]))
            outside = outside.difference(params)
            before = {name: found for name, found in before.items() if name not in params}
        link = linked(self.names, outside, self.options)
        # What an expression is made of is all that matters of it.
        suite = _suite(before, set() if _is_expression(body) else sure, params)
        return build(_statements(body, cut, link, before), link.options, suite)

    def about(self, body: Body) -> tuple[set[str], set[str]]:
        """The names that statements use, and those that they assign."""
        from ..lower.build import Unit
        from ..lower.linked import outside_names

        return outside_names(body, Unit(self.source, self.options.limits))

    def check_read(self, read: set[str], body: Body, cut: Cut) -> None:
        """Refuse a statement that assigns what a definition reads that it calls, unless it does so when all is called."""
        if read and (type(body[0]) not in (Assign, AugAssign, AnnAssign) or ":=" in cut.part(body)[0]):
            raise error("assigned-and-read", self.source, body[0].span, min(read))

    def before(self, body: Body, assigned: set[str]) -> tuple[dict[str, Value | Shared], set[str]]:
        """The values that assigned names have before, and which of the names have a value afterwards, whatever happens."""
        known = [(name, self.names[name]) for name in sorted(assigned) if self.names.known(name)]
        before = {name: found for name, found in known if is_value(found)}
        sure = before.keys() | (assigned & surely_assigned(body))
        for name, _ in known:
            if name not in sure:  # a function, now
                raise error("assigned-perhaps", self.source, body[0].span, name)
        return before, sure

    def call(self, function: Function) -> Any:
        """Call what was made, unless the run has been stopped meanwhile."""
        function._once()  # an interruption from now on is for this call
        self.calling = function
        try:
            if self.stopped:
                raise KeyboardInterrupt("interrupted by interrupt()")
            return function()
        finally:
            self.calling = None


class _Explained:
    """Mistakes that leave this block tell what changed."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, problem: Any, trace: Any) -> None:
        if isinstance(problem, CompileError):
            state, run = self.run.state, self.run
            after = state.replaced(run.names, run.moment)
            explain(problem, after.names, after.changes)


def _statements(body: Body, cut: Cut, link: Linked, before: Mapping[str, Value | Shared]) -> Definition:
    """Statements as a definition, whose names mean what they mean now; an array that a name of theirs is before has a name of its own."""
    arrays = {f"{name}.": found for name, found in before.items() if isinstance(found, Shared)}
    return Definition(*cut.part(body), {**link.names, **arrays})


def _suite(before: Mapping[str, Value | Shared], wanted: set[str], params: tuple[str, ...] = ()) -> Suite:
    from ..lower.linked import Suite

    given = [(name, found.value) for name, found in before.items()]
    return Suite(tuple(given), tuple(sorted(wanted)) or None, params)


def _is_argument(found: Value | Shared) -> bool:
    """Whether a function can be given it."""
    return found.value is not None and not isinstance(found.value, tuple)


def _is_expression(body: Body) -> bool:
    from ..syntax import ExprStmt

    return type(body[-1]) is ExprStmt


def read_by(names: Mapping[str, Meaning], of: set[str]) -> set[str]:
    """The names that definitions use, those of these names and all that they call."""
    seen: set[str] = set()
    waiting = list(of)
    while waiting:
        found = names.get(waiting.pop())
        if isinstance(found, Known):
            waiting += found.outside - seen
            seen |= found.outside
    return seen


def misfit(name: str, names: Mapping[str, Meaning], options: Options) -> CompileError | None:
    """The mistake in a definition, if there is one, as far as it shows without knowing the types of arguments."""
    known = names[name]
    assert isinstance(known, Known)
    entry = Definition(*known[:4])
    hosts: list[Extern] = []
    for each in known.outside:
        found = names.get(each)
        if isinstance(found, Known):
            entry.names[each] = entry if each == name else Definition(*found[:4])  # which is not looked into
        elif isinstance(found, Closed):
            entry.names[each] = found.definition
            hosts += found.hosts
        elif isinstance(found, Host):
            hosts.append(found.function)
        elif found is not None:
            entry.names[each] = found
    try:
        lowered(entry, with_hosts(options, hosts, names))
    except CompileError as problem:
        own = sum(len(each.text) + 2 for each in needed(entry)[:-1])
        if problem.span is not None and problem.span.start >= own:
            return problem
    return None
