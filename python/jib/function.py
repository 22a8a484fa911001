"""The function object.

In: the IR and what Python shows of its entry. Out: something to call, with everything that people ask of a function.
Always holds: the native half (`_native.Callable`) is what is called; this class only answers questions. The tree and the IR are
made again from the text when somebody wants to see them. A function is equal to another as a compiled re.Pattern is: if it was made from
the same text with the same options.
"""

from __future__ import annotations

from . import _native
from .light import TYPE_CHECKING, NamedTuple
from .limits import DEFAULT, Limits
from .source import Source

if TYPE_CHECKING:
    import inspect
    import os
    from pathlib import Path
    from typing import Any

    from .externs import Extern
    from .ir import Module
    from .link import Definition
    from .listing import Listing
    from .lower import EntryParameter, Lowered
    from .lower.linked import Suite
    from .pointers import Address
    from .specializations import Specializations


_new = tuple.__new__  # half the time of calling the class


class Options(NamedTuple):
    """The arguments of `compile` other than the text."""

    signature: str | None = None
    params: tuple[str, ...] | None = None
    name: str | None = None
    arithmetic: str = "python"
    engine: str = "native"
    opt_level: str = "speed"
    fuel: int | None = None
    timeout: float | None = None
    limits: Limits = DEFAULT
    nogil: bool | None = None
    threads: int | None = None
    externs: tuple[Extern, ...] = ()


class Made(NamedTuple):
    """What functions of the same text and options share."""

    text: Source
    params: tuple[EntryParameter, ...]
    returns: str | None
    doc: str | None
    options: Options
    name: str
    program: _native.Program


def make(text: Source, module: bytes, lowered: Lowered, options: Options) -> Made:
    """A program of the IR's bytes, which are not kept."""
    name = options.name or lowered.name
    program = _native.Program(
        module, text, name, _all_params(lowered), options.signature, options.engine, options.opt_level, options.arithmetic,
        options.limits, options.fuel, options.timeout, options.nogil, externs=options.externs,
        threads=options.threads,
    )  # fmt: skip
    return _new(Made, (text, lowered.params, lowered.returns, lowered.doc, options, name, program))


def _all_params(lowered: Lowered) -> tuple[Any, ...]:
    """The parameters, and behind them those that no caller can give: arrays that the text reads by name, each its default."""
    if not lowered.given:
        return lowered.params
    from .lower import EntryParameter

    given = [EntryParameter(name.rstrip("."), "given", None, False, value, True) for name, value in lowered.given]
    return (*lowered.params, *given)


class Function(_native.Callable):
    """A compiled text. Made by `jib.compile`; called like any function.

    >>> from jib import compile
    >>> f = compile("def area(w: float, h: float = 1.0) -> float:\\n    'Of a rectangle.'\\n    return w * h")
    >>> f(2, h=3), f(2)
    (6.0, 2.0)
    >>> f, f.__doc__
    (<jib function area(w: float, h: float = 1.0) -> float>, 'Of a rectangle.')
    """

    __slots__ = ("__dict__", "__weakref__", "_made")

    __name__: str
    __qualname__: str
    _made: Made
    _definition: Definition | None = None  # what it was made of, if that is more than a text
    _suite: Suite | None = None  # that it is statements of a session, not a definition
    _module: Module | None = None  # what it was made of, if that was IR and no text of ours

    def __new__(cls, made: Made) -> Function:
        self = super().__new__(cls, made.program)
        self._made = made
        self.__name__ = self.__qualname__ = made.name
        self.__doc__ = made.doc
        return self

    def _show_as(self, name: str, qualname: str, module: str | None, doc: str | None) -> None:
        """Be known as this function of Python's."""
        for text in (name, qualname, module, doc):
            if text is not None and not isinstance(text, str):
                raise TypeError(f"expected a text, not {type(text).__name__}")
        self.__name__, self.__qualname__, self.__module__, self.__doc__ = name, qualname, module, doc  # type: ignore[assignment]

    @property
    def source(self) -> str:
        """The text it was compiled from; of what `jib.jit` and sessions make, with the definitions that it calls.

        >>> from jib import compile
        >>> compile("a + b").source
        'a + b'
        """
        return self._made.text.text

    @property
    def params(self) -> tuple[str, ...]:
        """The names of the parameters, in order.

        >>> from jib import compile
        >>> compile("x*x + y*x").params
        ('x', 'y')
        """
        return tuple([param.name for param in self._made.params])

    @property
    def __signature__(self) -> inspect.Signature:
        """What `inspect.signature` and `help` show.

        >>> from jib import compile
        >>> import inspect
        >>> inspect.signature(compile("a * b + c"))
        <Signature (a, b, c)>
        """
        import inspect

        kinds = {
            "positional": inspect.Parameter.POSITIONAL_ONLY,
            "any": inspect.Parameter.POSITIONAL_OR_KEYWORD,
            "keyword": inspect.Parameter.KEYWORD_ONLY,
        }
        params, returns = self._made.params, self._made.returns

        def parameter(param: EntryParameter) -> inspect.Parameter:
            empty = inspect.Parameter.empty
            default = empty if param.required else param.default
            return inspect.Parameter(
                param.name, kinds[param.kind], default=default, annotation=_annotation(param.annotation, empty)
            )

        return inspect.Signature(
            [parameter(p) for p in params], return_annotation=_annotation(returns, inspect.Signature.empty)
        )

    @property
    def __annotations__(self) -> dict[str, Any]:  # type: ignore[override]
        """The types that the text declares; `functools.wraps` copies them."""
        params, returns = self._made.params, self._made.returns
        found = {param.name: _annotation(param.annotation, None) for param in params if param.annotation is not None}
        return found if returns is None else {**found, "return": _annotation(returns, None)}

    @property
    def specializations(self) -> Specializations:
        """What has been compiled so far, oldest first: a tuple, each with its types, its bytes of machine code and the microseconds of
        each stage. It prints as a table. Behind them come the kernels of calls that went element by element, oldest first;
        `kind` is "elementwise" there, and what they take and give are arrays.

        >>> from jib import compile
        >>> f = compile("a + b")
        >>> f(1, 2), f(0.5, 2)
        (3, 2.5)
        >>> [(s.params, s.result) for s in f.specializations]
        [(('int', 'int'), 'int'), (('float', 'int'), 'float')]
        >>> import numpy as np
        >>> f(np.arange(3.0), 1)
        array([1., 2., 3.])
        >>> f.specializations[-1][:2], f.specializations[-1].kind
        ((('f64[:]', 'int'), 'f64[:]'), 'elementwise')
        """
        from .specializations import Specialization, Specializations

        return Specializations([
            Specialization(tuple(params), result, size, dict(stages), kind)
            for params, result, size, stages, kind in self._specializations()
        ])  # fmt: skip

    @property
    def ufunc(self) -> Any:
        """The function as a `numpy.ufunc`, with one loop for each of NumPy's types: for `out=`, `where=`, `dtype=`, `reduce`, `outer`.

        A parameter that the text declares has its own type in all of them. Raises TypeError for a function without parameters, without
        a result, or that takes arrays itself, and ImportError without NumPy.

        >>> from jib import compile
        >>> compile("x if x > y else y").ufunc.reduce([3, 1, 4, 1, 5])
        np.int64(5)
        """
        known = self.__dict__.get("_known_ufunc")
        if known is None:
            known = self.__dict__["_known_ufunc"] = self._ufunc(self.__doc__ or self.source)
        return known

    def address(self, signature: str) -> Address:
        """The address of native code that C can call, as an int that keeps the code alive.

        `signature` is written as for `compile`, with numbers alone: "float(float)" is `double (double)` in C, "i32(i32, f32)" is
        `int32_t (int32_t, float)`. A call that fails, where Python would raise, gives nan, 0 or false; `Address.error` is the
        exception of the last one, and if the calling thread has the GIL, `sys.unraisablehook` is told. Raises CompileError when
        the text does not fit the signature, TypeError for tuples.

        >>> from jib import compile
        >>> address = compile("x * x").address("float(float)")
        >>> address.c_type
        'double (double)'
        >>> import ctypes
        >>> ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(address)(1.5)
        2.25
        """
        from .pointers import Address

        return Address(self._pointer(signature))

    def ctypes(self, signature: str) -> Any:
        """The function as a ctypes function pointer, which keeps the code alive; as `address` otherwise.

        >>> from jib import compile
        >>> compile("x * y").ctypes("i32(i32, i32)")(6, 7)
        42
        """
        from .pointers import ctypes_function

        return ctypes_function(self.address(signature))

    def capsule(self, signature: str) -> Any:
        """The function as a PyCapsule named by its C type, which `scipy.LowLevelCallable` takes; it keeps the code alive.

        >>> from jib import compile
        >>> compile("x * x").capsule("double(double)")
        <capsule object "double (double)" at 0x...>
        """
        return self._pointer(signature).capsule()

    def dump(
        self,
        stage: str = "clif",
        signature: str | None = None,
        *,
        source: bool = False,
        target: str | None = None,
        bytes: bool = False,
    ) -> Listing:
        """The text of one of `jib.STAGES`: a str that knows for each of its lines the place in the source that it came from.

        The stages after "ir" depend on the argument types: those of `signature`, such as "(int, float)", else the declared
        ones, else those of the specialisation compiled last, else those of the last call with arrays. Of a function of numbers a
        signature with arrays, such as "(f64[:], float)", shows what goes through their elements when it is called so.

        "clif" is what Cranelift is given, "clif-opt" what its middle end makes of that; "cfg" is a graph in DOT, which `.svg()` draws.

        With `source`, the lines of the source stand above the code that came from them, as comments, wherever that changes: code
        keeps its columns, and what the optimiser moved can be seen. Lines are counted in `f.source`, as in the code's own `line:column`;
        behind them stands the place in a file for what was cut out of files. Not for "ast" and "cfg".

        `target` shows "clif", "clif-opt" and "asm" for another kind of machine, "aarch64", "riscv64", "s390x" or "x86_64", if this
        build has it; none of it is run. None is this machine with all that it can do; a name is a usual machine of that kind,
        the same wherever jib runs. With `bytes`, "asm" shows them beside the offset of each instruction.

        Raises ValueError for an unknown stage or target, for what goes with no such stage, for what a target cannot do, and when no types
        are known.

        >>> from jib import compile
        >>> print(compile("a + b").dump("typed-ir", "(int, float)"))
        func <expression>(%0: int, %1: float) -> float ; 1:1
        block0(%0: int, %1: float):
          %2 = convert float %0                 ; 1:1
          %3 = add.float %2, %1                 ; 1:1
          return %3                             ; 1:1
        """
        from . import dump

        return dump.dump(self, stage, signature, source, target, bytes)

    def dump_all(
        self,
        folder: str | os.PathLike[str],
        signature: str | None = None,
        *,
        source: bool = False,
        target: str | None = None,
        bytes: bool = False,
    ) -> tuple[Path, ...]:
        """Every stage as a file of a folder, which is made if it is not there; the paths of the files.

        They are source.jib, ast.txt, ir.txt, typed-ir.txt, clif.clif, clif-opt.clif, asm.s and cfg.dot, and cfg.svg where Graphviz's
        `dot` is on PATH. `source`, `target` and `bytes` are for those stages that `dump` takes them for. Files of these names are
        replaced, each at once. Raises what `dump` and `Listing.svg` raise, before anything is written, and OSError for a folder that
        cannot be written to.

        >>> from jib import compile
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     [path.name for path in compile("a + b").dump_all(folder, "(int, int)")][:4]
        ['source.jib', 'ast.txt', 'ir.txt', 'typed-ir.txt']
        """
        from . import dump

        return dump.dump_all(self, folder, signature, source, target, bytes)

    def __get__(self, instance: object, owner: type | None = None) -> Function:
        """As an attribute of a class it is not bound, like a builtin function. That it has this method makes it a routine to
        `inspect` and `help`.
        """
        return self

    def __eq__(self, other: object) -> bool:
        """Whether it was made from the same text with the same options; constants that were frozen, and defaults, count too.

        >>> from jib import compile
        >>> compile("a + b") == compile("a + b"), compile("a + b") == compile("a + b", fuel=9)
        (True, False)
        """
        if not isinstance(other, Function):
            return NotImplemented
        return self is other or self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[Any, ...]:
        if self._definition is None:
            return self.source, self._made.options
        from . import link

        return link.identity(self._definition), repr(self._suite), self._made.options

    def __copy__(self) -> Function:
        return self  # nothing about it changes, as with any function

    def __deepcopy__(self, memo: object) -> Function:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickle carries the text and the options; it is compiled again on arrival.

        >>> from jib import compile
        >>> import pickle
        >>> pickle.loads(pickle.dumps(compile("a + b", params=["b", "a"]))).params
        ('b', 'a')
        """
        if self._definition is None:
            return _again, (self.source, *self._made.options)
        from . import link

        if self._suite is not None:
            raise TypeError("what Session.prepare gives is not pickled: it is statements, not a function of its own")
        face = (self.__name__, self.__qualname__, self.__module__, self.__doc__)
        return _linked_again, (link.plain(self._definition), face, *self._made.options)

    def __repr__(self) -> str:
        return f"<jib function {self.__name__}{self.__signature__}>"

    def _repr_html_(self) -> str:
        """What notebooks show: signature, text, specialisations."""
        from .display import function_html

        return function_html(self)


def _again(source: str, signature: str | None, params: tuple[str, ...] | None, *others: Any) -> Function:
    """The function of a pickle."""
    from .api import compile

    return compile(source, signature, params=params, **dict(zip(Options._fields[2:], others)))


def _linked_again(definitions: Any, face: Any, signature: Any, params: None, *others: Any) -> Function:
    """The function of a pickle that was made of several definitions."""
    from . import link

    options = link.options_of(signature, **dict(zip(Options._fields[2:], others)))
    function = link.build(link.restored(definitions), options)
    function._show_as(*face)
    return function


def _annotation(text: str | None, empty: Any) -> Any:
    """The type that an annotation's text stands for in Python, or the text itself where Python has none."""
    if text is None:
        return empty
    return {"int": int, "float": float, "bool": bool, "None": None}.get(text, text)
