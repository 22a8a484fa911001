"""Definitions and values that live on from one text to the next.

In: texts, one after the other. Out: the value of each; what it defines and assigns is there for the next.
Always holds: a text either runs to its end, or leaves the session's names as they were; a definition means whatever its names mean when
it is called; one text runs at a time, and whoever only looks waits for nobody.

Nothing here is run by itself: what is called is a text again, made of the definitions that are needed (link.py), with the values that
they read as constants. So a function of a session is a function like any other, and travels with its definitions. The parts of
this are in sessions/.
"""

from __future__ import annotations

from _thread import RLock  # threading is slow to import
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .link import options_of
from .sessions.state import Closed, Host, Known, State, explain, is_value, made, now
from .source import Origin, Source

if TYPE_CHECKING:
    from .errors import CompileError
    from .externs import Extern
    from .function import Function, Options
    from .limits import Limits
    from .sessions.fit import Fit
    from .sessions.running import Run


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
        options = options_of(
            arithmetic=arithmetic, engine=engine, opt_level=opt_level, fuel=fuel, timeout=timeout, limits=limits,
            nogil=nogil, threads=threads, externs=externs,
        )  # fmt: skip
        self._state = State({}, {}, options, {})  # replaced at one stroke, with the lock held; read by anybody
        self._fit: Fit | None = None
        self._count = 0
        self._runs: tuple[Run, ...] = ()  # those under way: one, and those in host functions that it calls
        self._lock = RLock()

    # ------------------------------------------------------------------------------------------------------ texts

    def run(self, text: str, *, file: str | None = None, line: int = 1) -> Any:
        """Run a text: its definitions and assignments live on, the value of its last expression is returned, else None.

        `file` is where people find the text, and `line` where it begins there; without a file it is `<jib-1>`, `<jib-2>` and so on.

        A text that fails leaves the names of the session as they were, whatever ends it. Each run and each call in it has the
        session's fuel and timeout. While a text runs, other threads that run or change something wait; what only reads does not.

        Raises what `compile` raises, and what the text raises. A mistake in a definition that has come to be one because a function it
        uses was redefined has a note that says so.
        """
        _check_text(text, "run")
        nested = self._lock._is_owned()  # type: ignore[attr-defined]  # in a host function that another run calls
        with self._lock:
            before, outer = self._state, self._runs if nested else ()
            self._count += 1
            origins = None if file is None else [Origin(file, line + at, 0) for at in range(text.count("\n") + 1)]
            run = self._begin(Source(text, file or f"<jib-{self._count}>", origins))
            self._runs = (*outer, run)
            try:
                value = run.run()
                if run.names:
                    self._state = self._state.replaced(run.names, run.moment)
                return value
            except BaseException:
                self._state = before
                raise
            finally:
                self._runs = outer

    def prepare(self, text: str, *, parameters: bool = False, signature: str | None = None) -> Function:
        """The function that `run` would call for the last statements of a text, which is not run; without parameters.

        Definitions in the text are there for the rest of it, and are not kept. If a definition is the last of it, it is the function
        of that. With `parameters` the values that the statements read are no constants but parameters, as far as a function can be
        given them: there is more to see in its code. With a `signature` it is compiled for these types at once.

        >>> session = Session()
        >>> session.run("k = 3")
        >>> line = session.prepare("k * 2.5")
        >>> line(), line.specializations[0].result
        (7.5, 'float')
        >>> session.prepare("k * 2.5", parameters=True).params
        ('k',)
        """
        _check_text(text, "prepare")
        return self._begin(Source(text, "<jib-prepare>")).prepare(parameters, signature)

    def types(self, text: str) -> str:
        """The type of what a text's last expression gives, found without running it; of a function, its parameters and what it declares.

        >>> session = Session()
        >>> session.run("k = 3")
        >>> session.run("def f(x, y: int = 2): return x * k")
        >>> session.types("f(0.5)"), session.types("f"), session.types("(k, k > 1)")
        ('float', 'f(x, y: int = 2)', 'tuple[int, bool]')
        """
        name = text.strip() if isinstance(text, str) else ""
        found = self._state.names.get(name)
        if isinstance(found, Host):
            return found.function.signature
        if isinstance(found, (Known, Closed)):
            return f"{name}{self[name].__signature__}"
        function = self.prepare(text)
        if function._made.params:
            return f"{function.__name__}{function.__signature__}"
        return function._prospect()[0]

    def interrupt(self) -> None:
        """End the run that is under way, from another thread or a signal handler: it raises KeyboardInterrupt and changes no name.
        Nothing happens when none is.

        >>> import threading
        >>> session = Session()
        >>> timer = threading.Timer(0.05, session.interrupt)
        >>> timer.start()
        >>> try:
        ...     session.run("k = 1\\nwhile True: pass")
        ... except KeyboardInterrupt:
        ...     print(session.values)
        {}
        """
        for run in self._runs:
            run.stop()

    def _begin(self, source: Source) -> Run:
        from .sessions.running import Run  # with all that reads a text

        return Run(self._state, source)

    def __copy__(self) -> Session:
        """Another session with the same names and options; what happens in one is not seen in the other."""
        other = type(self).__new__(type(self))
        Session.__init__(other)
        other._state, other._fit, other._count = self._state, self._fit, self._count
        return other

    # ------------------------------------------------------------------------------------------------------ names

    def __getitem__(self, name: str) -> Any:
        """The function or the value of a name. The function is that of the definitions as they are now, and stays so.

        Raises KeyError for a name that there is not, CompileError for a function that no longer fits what it calls.

        >>> session = Session()
        >>> session.run("def f(x): return x + 1")
        >>> f = session["f"]
        >>> session.run("def f(x): return x + 2")
        >>> f(1), session["f"](1)
        (2, 3)
        """
        state = self._state
        found = state.names[name]
        if is_value(found):
            return found.value  # type: ignore[union-attr]
        if not isinstance(found, Known):
            return found.function  # type: ignore[union-attr]
        function = state.made.get(name)
        if function is None:
            try:
                function = made(state.names, name, state.options)
            except SyntaxError as problem:
                explain(problem, state.names, state.changes)  # type: ignore[arg-type]
                raise
            function = state.made.setdefault(name, function)
        return function

    def __setitem__(self, name: str, value: Any) -> None:
        """Give a name a meaning: a number, bool or None; a NumPy array, which stays the caller's own; a tuple of these; a function made by
        `jib.jit`, `jib.compile` or `jib.extern`, or one of Python that `jib.jit` takes.

        Raises TypeError for anything else, ValueError for what is no name, CompileError for a function of Python that is not in the
        language.

        >>> session = Session()
        >>> session["k"] = 3
        >>> session["f"] = lambda x: x * x
        >>> session.run("f(k)")
        9
        """
        self.update({name: value})

    def update(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]] = (), /, **more: Any) -> None:
        """Give several names their meanings, as `session[name] = value` does: all, or none if one is refused.

        >>> session = Session()
        >>> session.update(a=1, b=2.5)
        >>> session.values
        {'a': 1, 'b': 2.5}
        """
        from .sessions.given import given

        pairs = dict(values, **more)
        with self._lock:
            meanings = {name: given(name, value, self._state.options) for name, value in pairs.items()}
            self._state = self._state.replaced(meanings, now())

    def __delitem__(self, name: str) -> None:
        """Forget a name. Definitions that use it do not fit any more, until it means something again. Raises KeyError for a name that
        there is not.

        >>> session = Session()
        >>> session.run("def half(x): return x / 2")
        >>> session.run("def quarter(x): return half(half(x))")
        >>> del session["half"]
        >>> list(session), session.broken["quarter"].msg
        (['quarter'], "name 'half' is not defined")
        """
        with self._lock:
            if name not in self._state.names:
                raise KeyError(name)
            self._state = self._state.replaced({name: None}, now())

    def __contains__(self, name: object) -> bool:
        return name in self._state.names

    def __iter__(self) -> Iterator[str]:
        return iter(self._state.names)

    def __len__(self) -> int:
        return len(self._state.names)

    def keys(self) -> list[str]:
        """The names, in the order in which they came.

        >>> session = Session()
        >>> session.run("b = 1")
        >>> session.run("a = 2")
        >>> session.keys()
        ['b', 'a']
        """
        return list(self._state.names)

    def get(self, name: str, default: Any = None) -> Any:
        """`session[name]`, or something else if there is no such name.

        >>> Session().get("k", 0)
        0
        """
        try:
            return self[name]
        except KeyError:
            return default

    @property
    def functions(self) -> Mapping[str, Function]:
        """The functions by name, each made when it is asked for; those of the host too, as `jib.extern` gives them.

        >>> session = Session()
        >>> session.run("k = 2; f = lambda x: x * k")
        >>> list(session.functions), session.functions["f"](4)
        (['f'], 8)
        """
        return _Functions(self)

    @property
    def values(self) -> dict[str, Any]:
        """The values by name.

        >>> session = Session()
        >>> session.run("k = 2; pair = (k, k / 4); f = lambda x: x * k")
        >>> session.values
        {'k': 2, 'pair': (2, 0.5)}
        """
        return {name: found.value for name, found in self._state.names.items() if is_value(found)}  # type: ignore[union-attr]

    def source(self, name: str) -> str:
        """The text of a definition, as it was written. Raises KeyError if the name is not that of a function.

        >>> session = Session()
        >>> session.run("x = 1; f = lambda a: a + x")
        >>> session.source("f")
        'f = lambda a: a + x'
        """
        found = self._state.names.get(name)
        if not isinstance(found, Known):
            raise KeyError(name)
        return found.text

    @property
    def broken(self) -> dict[str, CompileError]:
        """The definitions that no longer fit what they use, since that was redefined or deleted, each with the error that a call raises.

        Redefining a function is never refused because of its callers: who changes two goes through a state where they do not fit. What
        shows without arguments is found: names, numbers and names of arguments, and types where all parameters have annotations.

        >>> session = Session()
        >>> session.run("def inner(x): return x + 1")
        >>> session.run("def outer(x): return inner(x) * 10")
        >>> session.run("def inner(x, y): return x + y")
        >>> print(session.broken["outer"].msg)
        inner() missing 1 required positional argument: 'y'
        >>> session.run("def inner(x, y=1): return x + y")
        >>> session.broken
        {}
        """
        from .sessions.fit import refit

        fit = self._fit = refit(self._fit, self._state)
        return dict(fit.problems)

    def _read_by(self, names: Iterable[str]) -> set[str]:
        """The names that definitions use, those of these names and all that they call."""
        from .sessions.running import read_by

        return read_by(self._state.names, set(names))

    def save(self) -> str:
        """A text that gives a fresh session the same definitions and values; what no text can say is a comment in it.

        >>> session = Session()
        >>> session.run("def f(x): return x * k")
        >>> session.run("k = 2.5")
        >>> print(session.save())
        k = 2.5
        <BLANKLINE>
        def f(x): return x * k
        <BLANKLINE>
        """
        from .sessions.saved import saved

        return saved(self._state.names)

    def reset(self) -> None:
        """Forget all names. The options stay.

        >>> session = Session(fuel=1000)
        >>> session.run("k = 2")
        >>> session.reset()
        >>> len(session), session.options.fuel
        (0, 1000)
        """
        with self._lock:
            self._state = State({}, {}, self._state.options, {})

    def interact(self) -> None:
        """Talk about it with whoever is at the terminal, as `python -m jib` does, until they leave.

        So arrays get into the REPL: `session["x"] = x; session.interact()`.
        """
        from .repl import repl

        repl(self)

    def __repr__(self) -> str:
        count = len(self)
        return f"<jib session of {count} name{'s' * (count != 1)}>"

    # ---------------------------------------------------------------------------------------------------- options

    @property
    def options(self) -> Options:
        """The options that texts are compiled with now.

        >>> Session(arithmetic="numpy").options.engine
        'auto'
        """
        return self._state.options

    def configure(self, **options: Any) -> None:
        """Change options of the session, for all that is compiled from now on. Raises TypeError and ValueError as `Session` does.

        >>> session = Session()
        >>> session.configure(arithmetic="numpy", fuel=1000)
        >>> session.run("1.0 / 0"), session.options.fuel
        (inf, 1000)
        """
        with self._lock:
            now = self._state.options._asdict()
            for name in ("signature", "params", "name"):
                del now[name]
            unknown = options.keys() - now.keys()
            if unknown:
                raise TypeError(f"configure() takes no option '{min(unknown)}'; there are {', '.join(now)}")
            chosen = options_of(**{**now, **options})
            for name, found in self._state.names.items():
                if isinstance(found, Closed) and found.function._made.options.arithmetic != chosen.arithmetic:
                    raise ValueError(
                        f"'{name}' was made with other rules of arithmetic; set it again afterwards, or delete it"
                    )
            self._state = self._state._replace(options=chosen, made={})


def _check_text(text: object, method: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{method}() takes a text, not {type(text).__name__}")


class _Functions(Mapping[str, "Function"]):
    """The functions of a session by name."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getitem__(self, name: str) -> Function:
        if is_value(self._session._state.names.get(name)):
            raise KeyError(name)
        function: Function = self._session[name]
        return function

    def __contains__(self, name: object) -> bool:
        found = self._session._state.names.get(name)  # type: ignore[call-overload]
        return found is not None and not is_value(found)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, found in self._session._state.names.items() if not is_value(found)])

    def __len__(self) -> int:
        return len(list(iter(self)))
