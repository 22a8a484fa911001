"""Functions from other languages than jib's own: a frontend makes the IR, and the rest of the pipeline is the same.

In: a text in whatever language, the functions that a frontend has built for it, options. Out: a `Function`.
Always holds: IR that is not whole is a ValueError with function and instruction, never a crash, whoever made it; places are places in the
frontend's text, so carets stand there.
"""

from __future__ import annotations

from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from . import _native, ir
from .errors import ParseError, error
from .function import Function, Options, make
from .ir_build import Code
from .source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .externs import Extern
    from .ir_build import Where
    from .limits import Limits


class Builder(Code):
    """One function in the making: for frontends of other languages than jib's own. docs/ir.md says what the instructions do.

    What makes a value gives its number, which later instructions take. Locals and labels are numbers too; the parameters are the
    first locals. The last argument is always the place in the text, start and end as offsets.

    A block ends in `jump`, `branch`, `leave` or `throw`, and the next begins where a label is placed. A value can be used where every way
    there has passed it: what comes by one of several ways goes through a local. What nothing can reach is left out.

    >>> here = (0, 5)
    >>> f = Builder("larger", ["a", "b"])
    >>> a, b, first, second = f.get(0, here), f.get(1, here), f.label(), f.label()
    >>> f.branch(f.prim("gt", (a, b), here), first, second, here)
    >>> f.place(first)
    >>> f.leave(a, here)
    >>> f.place(second)
    >>> f.leave(b, here)
    >>> compile_ir(f.finish(), "a b |")(2, 3.5)
    3.5
    """

    __slots__ = ("name", "params", "returns", "span", "names")

    def __init__(
        self, name: str, params: Iterable[str | ir.Parameter] = (), returns: str | None = None, span: Where = (0, 0)
    ) -> None:
        """`params` are names, or `ir.Parameter`s where they have types or places; `returns` is the text of a type; `span` is where
        in the text the name stands."""
        self.name = name
        self.params = [p if isinstance(p, ir.Parameter) else ir.Parameter(p, None, span[0], span[1]) for p in params]
        self.returns = returns
        self.span = span
        super().__init__([param.name for param in self.params])
        self.names = set(self.locals)

    def local(self, like: str) -> int:
        """A further local. It has this name in messages and dumps, unless another has it."""
        if like in self.names:
            return super().local(like)
        self.names.add(like)
        self.locals.append(like)
        return len(self.locals) - 1

    def call(self, function: int, values: Sequence[int], span: Where) -> int:
        """Call a function by its place in what `compile_ir` is given."""
        return self.emit("call", (function, *values), span)

    def extern(self, function: int, values: Sequence[int], span: Where) -> int:
        """Call a function of the host, by its place in `externs`."""
        return self.emit("extern", (function, *values), span)

    def tuple(self, values: Sequence[int], span: Where) -> int:
        """Make a tuple."""
        return self.emit("tuple", (*values,), span)

    def unpack(self, value: int, at: int, of: int, span: Where) -> int:
        """One element of a tuple that must have so many."""
        return self.emit("unpack", (value, at, of), span)

    def cast(self, type: str, value: int, span: Where) -> int:
        """Convert to a type, as an annotation asks."""
        return self.emit("cast", (type, value), span)

    def place(self, label: int) -> None:
        """The label is here. ValueError if the block before has not ended, or the label has its place already."""
        if not self.dead:
            raise ValueError(f"'{self.name}': the block before a label ends in jump, branch, leave or throw")
        if self.places[label] >= 0:
            raise ValueError(f"'{self.name}': label {label} is placed twice")
        super().place(label)

    def finish(self) -> ir.Function:
        """The function as it is now. ValueError if its last block has not ended, or a label that is jumped to has no place."""
        if not self.dead:
            raise ValueError(f"'{self.name}': the last block does not end; leave() returns a value")
        for label, wanted in enumerate(self.wanted):
            if wanted and self.places[label] < 0:
                raise ValueError(f"'{self.name}': label {label} is never placed")
        blocks = self.settle([block.copy() for block in self.blocks])
        start, end = self.span
        return ir.Function(self.name, [*self.params], self.returns, start, end, [*self.locals], blocks, start, end)


def compile_ir(
    functions: ir.Function | Iterable[ir.Function],
    source: str,
    signature: str | None = None,
    *,
    name: str | None = None,
    doc: str | None = None,
    arithmetic: str = "python",
    engine: str = "native",
    opt_level: str = "speed",
    fuel: int | None = None,
    timeout: float | None = None,
    limits: Limits | None = None,
    nogil: bool | None = None,
    threads: int | None = None,
    externs: Iterable[Extern] = (),
) -> Function:
    """A native function from IR that a frontend has built of a text in its own language.

    `functions` come from `frontend.Builder`, or from `ir.from_text(…).functions`; the first is called, with its parameters. `source` is
    the text that their places are in: mistakes and failures show it. `doc` is the docstring. The other options are those of `compile`;
    of the `limits`, those count that are about what a text becomes. The order of `externs` is that in which the IR counts them.

    A function that is pickled takes its IR along, which is verified where it arrives. Two are equal if IR, text and options are.

    Raises ValueError if the IR is not whole, with function and instruction, TypeError and ValueError for other arguments; what is wrong
    with types, or beyond a limit, is a CompileError or LimitError with its place, as with `compile`.

    >>> import jib
    >>> from jib import ir
    >>> f = ir.Function("f", [], None, 0, 0, [], [[ir.Instruction("return", (3,), 0, 1)]], 0, 1)
    >>> jib.compile_ir(f, "?")
    Traceback (most recent call last):
      ...
    ValueError: in 'f': instruction 0 uses the result of 3, which has none before it
    """
    from .api import chosen
    from .ir_form import checked
    from .lower import EntryParameter, Lowered
    from .lower.arrays import array_parameters

    if not isinstance(source, str):
        raise TypeError(f"compile_ir() takes the text that the IR was built of, not {type(source).__name__}")
    if doc is not None and not isinstance(doc, str):
        raise TypeError(f"doc must be a str, not {type(doc).__name__}")
    options = Options(
        *chosen(signature, None, name, arithmetic, engine, opt_level, fuel, timeout, limits, nogil, threads, externs)
    )
    text = Source(str.__str__(source))
    made = checked([functions] if isinstance(functions, ir.Function) else functions, len(text.text))
    entry = made[0]
    size = sum([len(block) for function in made for block in function.blocks])
    if size > options.limits.ir_instructions:
        raise error("too-many-instructions", text, Span(entry.start, entry.end), options.limits.ir_instructions)
    names: set[str] = set()
    for param in entry.params:
        if not param.name.isidentifier() or iskeyword(param.name) or param.name in names:
            raise ValueError(f"in {entry.name!r:.80}: a parameter cannot be called {param.name!r:.80}")
        names.add(param.name)
    module = ir.Module(made, text.line_starts, tuple([callee.name for callee in options.externs]))
    data = ir.encode(module)
    _native.check_ir(data, options.externs)
    shown = array_parameters(made)
    params = [EntryParameter(p.name, "any", p.type, True, None, array) for p, array in zip(entry.params, shown)]
    lowered = Lowered(module, entry.name, tuple(params), entry.returns, doc)
    built = Built(make(text, data, lowered, options))
    built._module = module
    return built


class Built(Function):
    """A function that was made of IR."""

    __slots__ = ()

    _module: ir.Module

    def _identity(self) -> tuple[Any, ...]:
        # Bytes: they tell 1, 1.0 and True apart, and a nan is equal to itself.
        return self.source, self._made.options, self._made.doc, ir.encode(self._module)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (tuple(self._module.functions), self.source, self._made.doc, *self._made.options)


def _again(functions: Any, source: str, doc: str | None, signature: str | None, params: None, *others: Any) -> Function:
    """The function of a pickle."""
    return compile_ir(functions, source, signature, doc=doc, **dict(zip(Options._fields[2:], others)))


def mistake(source: str, span: Where, message: str) -> ParseError:
    """What a frontend raises for a mistake in its text: a ParseError with line, column and caret.

    >>> problem = mistake("1 +", (2, 3), "the stack is empty")
    >>> problem.msg, problem.lineno, problem.offset, problem.text
    ('the stack is empty', 1, 3, '1 +')
    """
    problem = error("frontend-mistake", Source(source), Span(*span), message)
    assert isinstance(problem, ParseError)
    return problem
