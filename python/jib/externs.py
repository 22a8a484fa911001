"""Host functions that texts call by their names.

In: a C function (of ctypes, of cffi, of a library, or an address) or a Python callable, and its signature. Out: an `Extern`.
Always holds: a C function is what ctypes or cffi say it is, where they say it; everything else about an address is somebody's
word, and says so in its name. Rust keeps the target alive as long as anything that may call it.
"""

from __future__ import annotations

import keyword
import sys

from . import _native
from .light import TYPE_CHECKING
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

#: C's integers by the letters that ctypes gives them; those in capitals are unsigned.
_INTEGERS = "bhilqBHILQ"
_OTHERS = {"?": "bool", "f": "f32", "d": "float"}


class Extern(_native.Extern):
    """A function of the host that texts may call. Made by `jib.extern`; Python may call it too.

    >>> import jib
    >>> root = jib.extern((None, "cbrt"), "double(double)", pure=True)
    >>> root, root.name, root.signature, root.pure, root(8)
    (<jib extern cbrt: float(float), pure>, 'cbrt', 'float(float)', True, 2.0)
    """

    __slots__ = ("__weakref__", "_origin")

    #: What a pickle carries in place of the target; None: nothing can stand for it in another process.
    _origin: Any

    def __copy__(self) -> Extern:
        return self  # nothing about it changes

    def __deepcopy__(self, memo: object) -> Extern:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        origin = getattr(self, "_origin", None)
        if origin is None:
            raise TypeError(f"cannot pickle {self!r}: an address means nothing in another process")
        return _again, (origin, self.signature, self.name, self.pure)

    def __repr__(self) -> str:
        return f"<jib extern {self.name}: {self.signature}{', pure' if self.pure else ''}>"


def extern(
    target: Any = None,
    signature: str | None = None,
    name: str | None = None,
    *,
    pure: bool = False,
    unsafe_address: int | None = None,
) -> Extern:
    """A function that texts compiled with `externs=` can call by its name.

    `target` is a function pointer of ctypes or cffi; a pair of a library, as a path or a `ctypes.CDLL`, and a symbol in it; or a
    Python callable. In its place `unsafe_address` is the address of a C function. `signature`, such as "double(double, i32)", is needed
    where the target does not declare its types, and must agree where it does: a Python callable declares them by annotations. Its types
    are those of the language, numbers and bools, up to 16 of them; `float` is C's `double`, `f32` its `float`, `int` its `int64_t`,
    `i32` its `int`. `name` is needed where the target has none that a text can write. `pure` says that a call has no effect but its
    result: one that nobody needs may be left out, and one may be made again.

    Nobody can check that a library's function or an address has the signature that it is given: if not, the process may
    crash or worse. Raises CompileError for a mistake in the signature, TypeError and ValueError for other arguments, and
    what ctypes raises for a library or symbol that is not there.

    >>> import jib
    >>> def rate(year: int) -> float:
    ...     return {2023: 0.25, 2024: 0.5}[year]
    >>> jib.compile("amount * (1 + rate(year))", externs=[jib.extern(rate)])(200.0, 2024)
    300.0
    """
    if signature is not None and not isinstance(signature, str):
        raise TypeError(f"signature must be a str, not {type(signature).__name__}")
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name must be a str, not {type(name).__name__}")
    if not isinstance(pure, bool):
        raise TypeError(f"pure must be a bool, not {type(pure).__name__}")
    address: int | None
    origin: Any = None
    own_name: object = None
    declared: str | None = None
    if unsafe_address is not None:
        if target is not None:
            raise TypeError("extern() takes a target or unsafe_address, not both")
        address = _checked_address(unsafe_address)
        target = unsafe_address  # a jib.Address keeps its code alive
    elif isinstance(target, tuple):
        pointer, path, own_name = _symbol(target)
        address, origin, target = _ctypes_address(pointer), (path, own_name), pointer
    elif _is_ctypes(target):
        address, declared, own_name = (
            _ctypes_address(target),
            _ctypes_signature(target),
            getattr(target, "__name__", None),
        )
    elif _is_cffi(target):
        address, declared = _cffi(target)
    elif callable(target):
        address, origin, own_name = None, target, getattr(target, "__name__", None)
        if signature is None:
            declared = _annotated(target)
    else:
        hint = "; an address is given as unsafe_address=" if isinstance(target, int) else ""
        raise TypeError(f"extern() takes a C function or a Python callable, not {type(target).__name__}{hint}")
    name = _checked_name(own_name if name is None else name, name is None)
    if signature is None:
        if declared is None:
            if address is None and _declares_tuples(target):
                raise TypeError(
                    f"{name}() declares a tuple: functions of the host take and give numbers and bools, no tuples"
                )
            raise TypeError(f"{name}() does not declare its types: give its signature, such as 'double(double)'")
        signature = declared
    source = Source(signature)
    if declared is not None and declared is not signature:
        _compare(name, source, Source(declared))
    made = Extern(name, source, pure, target, unsafe_address=address)
    made._origin = origin
    return made


def check_externs(externs: Iterable[Extern]) -> tuple[Extern, ...]:
    """The functions that a text may call, if that is what they are and no two have one name."""
    if isinstance(externs, (str, Extern)) or not hasattr(externs, "__iter__"):
        raise TypeError(f"externs must be a sequence of jib.Extern, not {type(externs).__name__}")
    found = tuple(externs)
    names: set[str] = set()
    for each in found:
        if not isinstance(each, Extern):
            raise TypeError(f"externs must be a sequence of jib.Extern, not one with {each!r:.80}")
        if each.name in names:
            raise ValueError(f"externs: two of them are called '{each.name}'")
        names.add(each.name)
    return found


def _again(target: Any, signature: str, name: str, pure: bool) -> Extern:
    """The function of a pickle."""
    return extern(target, signature, name, pure=pure)


def _checked_name(name: object, own: bool) -> str:
    if name is None:
        raise TypeError("this function has no name of its own: give name=")
    fine = isinstance(name, str) and name.isascii() and name.isidentifier() and not keyword.iskeyword(name)
    if not fine or (str(name).startswith("__") and str(name).endswith("__")):
        raise ValueError(f"{name!r:.80} is not a name that a text can call{'; give name=' if own else ''}")
    return str(name)


def _checked_address(address: object) -> int:
    if isinstance(address, bool) or not isinstance(address, int):
        raise TypeError(f"unsafe_address must be an int, not {type(address).__name__}")
    if not 0 < address <= sys.maxsize * 2 + 1:
        raise ValueError("unsafe_address is not the address of a function")
    return address


def _compare(name: str, given: Source, declared: Source) -> None:
    """A signature that was given must be the one that was declared."""
    mine, theirs = _native.read_signature(given), _native.read_signature(declared)
    if mine != theirs:
        shown = [f"{result}({', '.join(params)})" for params, result in (mine, theirs)]
        raise TypeError(f"{name}() has the signature '{shown[1]}', not '{shown[0]}'")


# -------------------------------------------------------------------------------------------------- Python callables


def _annotated(target: Any) -> str | None:
    """The signature that annotations write, if all are there."""
    import inspect

    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return None
    params = signature.parameters.values()
    if any(p.kind not in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in params):
        return None
    texts = [_type_text(annotation) for annotation in (signature.return_annotation, *(p.annotation for p in params))]
    return None if None in texts else f"{texts[0]}({', '.join(str(text) for text in texts[1:])})"


def _declares_tuples(target: Any) -> bool:
    """Whether annotations say that it takes or gives a tuple."""
    try:
        found = getattr(target, "__annotations__", None) or getattr(type(target).__call__, "__annotations__", {})
        return any(getattr(each, "__origin__", each) is tuple for each in found.values())
    except Exception:  # whatever it is, it declares no types that we can read
        return False


def _type_text(annotation: Any) -> str | None:
    if isinstance(annotation, str):
        return annotation
    return {int: "int", float: "float", bool: "bool", None: "None", type(None): "None"}.get(annotation)


# ------------------------------------------------------------------------------------------------------------ ctypes


def _is_ctypes(target: Any) -> bool:
    """Whether this is a C function of ctypes; who has not imported that has none."""
    ctypes = sys.modules.get("_ctypes")
    return ctypes is not None and isinstance(target, ctypes.CFuncPtr)


def _symbol(target: tuple[Any, ...]) -> tuple[Any, str | None, str]:
    """The function of a library, the library's path, and the symbol."""
    import ctypes
    import os

    if len(target) != 2 or not isinstance(target[1], str):
        raise TypeError(f"a function of a library is a pair of library and symbol, not {target!r:.80}")
    library, symbol = target
    if isinstance(library, ctypes.PyDLL):
        raise TypeError("functions of a PyDLL are Python's own: they may raise")
    if not isinstance(library, ctypes.CDLL):
        if library is not None and not isinstance(library, (str, os.PathLike)):
            raise TypeError(f"a library is a path or a ctypes.CDLL, not {type(library).__name__}")
        library = ctypes.CDLL(None if library is None else os.fspath(library))
    # By index it is an object of its own, whose types nobody else declares.
    return library[symbol], library._name, symbol


def _ctypes_address(target: Any) -> int:
    import ctypes

    address = ctypes.cast(target, ctypes.c_void_p).value
    if not address:
        raise ValueError("the function pointer is NULL")
    return address


def _ctypes_signature(target: Any) -> str | None:
    """The signature that `argtypes` and `restype` write; None without `argtypes`, since they are not declared then."""
    import _ctypes

    if target._flags_ & _ctypes.FUNCFLAG_PYTHONAPI:
        raise TypeError("functions of Python's own interface may raise")
    if getattr(target, "errcheck", None) is not None:
        raise TypeError("a function with errcheck is more than a C function")
    if target.argtypes is None:
        return None
    params = [_ctypes_type(each, "argtypes") for each in target.argtypes]
    result = "None" if target.restype is None else _ctypes_type(target.restype, "restype")
    return f"{result}({', '.join(params)})"


def _ctypes_type(each: Any, where: str) -> str:
    import ctypes

    code = getattr(each, "_type_", None)
    if isinstance(each, type) and isinstance(code, str):
        if code in _OTHERS:
            return _OTHERS[code]
        if code in _INTEGERS:
            return f"{'u' if code.isupper() else 'i'}{ctypes.sizeof(each) * 8}"
    shown = each.__name__ if isinstance(each, type) else repr(each)
    raise TypeError(f"{where}: a text can hand over numbers and bools, not {shown:.80}")


# -------------------------------------------------------------------------------------------------------------- cffi


def _is_cffi(target: Any) -> bool:
    """Whether this is a value of cffi."""
    cffi = sys.modules.get("_cffi_backend")
    return cffi is not None and isinstance(target, cffi._CDataBase)


def _cffi(target: Any) -> tuple[int, str]:
    """The address of a C function, and its signature."""
    ffi = sys.modules["_cffi_backend"].FFI()
    kind = ffi.typeof(target)
    if kind.kind != "function" or kind.ellipsis:
        raise TypeError(f"extern() takes a function pointer of fixed types, not '{kind.cname}'")
    address = int(ffi.cast("uintptr_t", target))
    if not address:
        raise ValueError("the function pointer is NULL")
    result = "None" if kind.result.kind == "void" else _cffi_type(ffi, kind.result)
    return address, f"{result}({', '.join([_cffi_type(ffi, each) for each in kind.args])})"


def _cffi_type(ffi: Any, each: Any) -> str:
    known = {"_Bool": "bool", "float": "f32", "double": "float"}
    if each.cname in known:
        return known[each.cname]
    if each.kind == "primitive" and each.cname not in ("char", "wchar_t", "char16_t", "char32_t", "long double"):
        signed = int(ffi.cast(each, -1)) < 0
        return f"{'i' if signed else 'u'}{ffi.sizeof(each) * 8}"
    raise TypeError(f"a text can hand over numbers and bools, not '{each.cname}'")
