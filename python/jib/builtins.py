"""Python's view of the one table of builtins, which lives in Rust.

In: a name as it is spelled in a text (`sin`, `math.sin`), and the arguments of a call. Out: the row of the table,
and the operands of its primitive.
Always holds: the table says everything; nothing here knows a primitive by name. Rows are (name, aliases, signature, doc), a
constant's signature is "=" and its value the fifth field. A signature is written as Python writes parameters.
"""

from __future__ import annotations

from functools import cache

from .light import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    Default = int | float | bool | str | None | tuple[Any, ...]

MODULES = ("math",)
LATE = ("cbrt", "exp2", "fma")  # in `math` since 3.11 and 3.13; jib has them everywhere

LOOPED = ("range", "enumerate", "zip")  # only a loop can take these: no primitive is behind them, so Rust has no rows


class Param(NamedTuple):
    """A parameter of a builtin; `kind` is "positional", "any", "keyword" or "rest" (`*args`)."""

    name: str
    kind: str
    required: bool
    default: Default


class Builtin:
    """A row of the table; its signature is read when first asked for."""

    __slots__ = ("name", "signature", "doc", "value", "_params")

    def __init__(self, name: str, signature: str, doc: str, value: float | None = None) -> None:
        self.name = name
        self.signature = signature
        self.doc = doc
        self.value = value
        self._params: tuple[Param, ...] | None = None

    @property
    def constant(self) -> bool:
        """Whether this is a constant such as pi, not a function."""
        return self.signature == "="

    @property
    def params(self) -> tuple[Param, ...]:
        """The parameters, as the signature writes them."""
        if self._params is None:
            self._params = read_signature(self.signature)
        return self._params


class BindingError(Exception):
    """The arguments do not fit the parameters; the text says how, in Python's words."""


_table: dict[str, Builtin] = {}


def install(rows: Iterable[Sequence[Any]]) -> None:
    """Make these rows the table."""
    _table.clear()
    for name, aliases, signature, doc, *value in rows:
        builtin = Builtin(name, signature, doc, *value)
        for spelling in (name, *aliases):
            _table[spelling] = builtin
    for name in LOOPED:
        _table.setdefault(name, Builtin(name, "*args", "What a loop goes over."))


def _rows() -> dict[str, Builtin]:
    if not _table:
        from . import _native  # the extension, when the first name is looked up

        install(_native.builtins())
    return _table


def resolve(name: str) -> Builtin | None:
    """The builtin that a name in a text means: `sin` and `math.sin` are one, if Python's `math` has it.

    A row of its own for the dotted name goes before: `math.pow` is not `pow`.
    """
    table = _table or _rows()
    found = table.get(name)
    if found is None and name.startswith("math."):
        import math

        bare = name[len("math.") :]
        if hasattr(math, bare) or bare in LATE:
            return table.get(bare)
    return found


def names() -> list[str]:
    """Every name a text may use, for hints."""
    return list(_rows())


@cache
def constants() -> dict[str, float]:
    """The constants by name."""
    return {name: row.value for name, row in _rows().items() if row.constant and row.value is not None}


@cache
def exceptions() -> tuple[str, ...]:
    """The exceptions that a text can raise."""
    from . import _native

    return tuple(_native.exceptions())


def read_signature(signature: str) -> tuple[Param, ...]:
    """The parameters that a signature names.

    >>> [(p.name, p.kind, p.default) for p in read_signature("x, /, base=None, *, tol=1e-09")]
    [('x', 'positional', None), ('base', 'any', None), ('tol', 'keyword', 1e-09)]
    """
    params: list[Param] = []
    kind = "any"
    for word in signature.split(","):
        word = word.strip()
        if word == "/":
            params = [param._replace(kind="positional") for param in params]
        elif word == "*":
            kind = "keyword"
        elif word.startswith("*"):
            params.append(Param(word[1:], "rest", False, None))
            kind = "keyword"
        elif word:
            name, equals, default = word.partition("=")
            params.append(Param(name.strip(), kind, not equals, _default(default.strip())))
    return tuple(params)


def _default(text: str) -> Default:
    known = {"": None, "None": None, "True": True, "False": False}
    if text in known:
        return known[text]
    if text[0] in "'\"":
        return text[1:-1].encode("ascii").decode("unicode_escape")
    return int(text) if text.lstrip("-").isdigit() else float(text)


def bind(
    name: str,
    params: Sequence[Param],
    args: Sequence[int],
    keywords: Sequence[tuple[str, int]],
    const: Callable[[Any], int],
) -> list[int]:
    """The operands of a call, in the order of the parameters; `const` makes an operand of a default.

    Every parameter gets an operand, in order, its default where the call is silent; but parameters at the end that the call
    is silent about and whose default is None are left out: `round(x)` has one operand, `isclose(a, b)` has four.
    BindingError, in Python's words, when the arguments do not fit.
    """
    if not keywords and len(args) == len(params) and (not params or params[-1].kind in ("positional", "any")):
        return list(args)
    positional = [param for param in params if param.kind in ("positional", "any")]
    rest = any(param.kind == "rest" for param in params)
    given: dict[str, int] = dict(zip([param.name for param in positional], args))
    for keyword, value in keywords:
        if not any(param.name == keyword and param.kind in ("any", "keyword") for param in params):
            if any(param.name == keyword and param.kind == "positional" for param in params):
                text = f"{name}() got some positional-only arguments passed as keyword arguments: '{keyword}'"
                raise BindingError(text)
            raise BindingError(f"{name}() got an unexpected keyword argument '{keyword}'")
        if keyword in given:
            raise BindingError(f"{name}() got multiple values for argument '{keyword}'")
        given[keyword] = value
    if len(args) > len(positional) and not rest:
        required = sum(param.required for param in positional)
        raise BindingError(too_many_text(name, required, len(positional), len(args)))
    for only, kinds in (("positional", ("positional", "any")), ("keyword-only", ("keyword",))):
        missing = [p.name for p in params if p.required and p.kind in kinds and p.name not in given]
        if missing:
            raise BindingError(missing_text(name, missing, only))
    used = [at for at, p in enumerate(params) if p.name in given or p.default is not None or p.kind == "rest"]
    operands: list[int] = []
    for param in params[: used[-1] + 1] if used else ():
        if param.kind == "rest":
            operands += args[len(positional) :]
        elif param.name in given:
            operands.append(given[param.name])
        else:
            operands.append(const(param.default))
    return operands


def misfit(name: str, params: Sequence[Param], count: int, keywords: Sequence[str]) -> str:
    """Python's words for a call that does not fit: so many positional arguments and these keywords.

    >>> misfit("f", [Param("a", "any", True, None)], 2, [])
    'f() takes 1 positional argument but 2 were given'
    """
    try:
        bind(name, params, range(count), [(keyword, 0) for keyword in keywords], lambda default: 0)
    except BindingError as mistake:
        return str(mistake)
    return f"{name}() got arguments that do not fit"


def missing_text(name: str, missing: Sequence[str], kind: str = "positional") -> str:
    """Python's words for arguments that are missing.

    >>> missing_text("f", ["a", "b"])
    "f() missing 2 required positional arguments: 'a' and 'b'"
    """
    quoted = [f"'{each}'" for each in missing]
    if len(quoted) > 2:
        listed = ", ".join(quoted[:-1]) + f", and {quoted[-1]}"
    else:
        listed = " and ".join(quoted)
    return f"{name}() missing {len(quoted)} required {kind} argument{'s' * (len(quoted) > 1)}: {listed}"


def too_many_text(name: str, required: int, takes: int, count: int) -> str:
    """Python's words for too many positional arguments.

    >>> too_many_text("f", 2, 2, 3)
    'f() takes 2 positional arguments but 3 were given'
    """
    accepted = f"{takes}" if required == takes else f"from {required} to {takes}"
    plural = "s" * (accepted != "1")
    return f"{name}() takes {accepted} positional argument{plural} but {count} {'was' if count == 1 else 'were'} given"
