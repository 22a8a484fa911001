"""Functions as C sees them: addresses that know their type and keep their code alive.

In: a `_native.Pointer`. Out: an int, a ctypes function. Always holds: an address leaves only with its type.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import _native


class Address(int):
    """The address of native code. `c_type` is its type in C, `params` and `result` are jib's names of the types.

    The code lives as long as this object; an int made of it, `int(address)`, keeps nothing alive.

    >>> from jib import compile
    >>> address = compile("1 / x").address("double(double)")
    >>> address.c_type, address.params, address.result, address.error
    ('double (double)', ('float',), 'float', None)
    """

    _pointer: _native.Pointer

    def __new__(cls, pointer: _native.Pointer) -> Address:
        self = super().__new__(cls, pointer.address)
        self._pointer = pointer
        return self

    @property
    def c_type(self) -> str:
        """How C writes its type, as SciPy reads it."""
        return self._pointer.signature

    @property
    def params(self) -> tuple[str, ...]:
        """The types of the arguments."""
        return tuple(self._pointer.types[0])

    @property
    def result(self) -> str:
        """The type of the result."""
        return self._pointer.types[1]

    @property
    def error(self) -> BaseException | None:
        """The exception of the last call that failed, or None."""
        return self._pointer.error

    def __repr__(self) -> str:
        return f"<jib address {int(self):#x} of {self.c_type}>"

    def __reduce__(self) -> Any:
        raise TypeError("an address means nothing in another process; pickle the function")


#: jib's types as ctypes has them.
CTYPES: dict[str, Any] = {
    "None": None, "bool": ctypes.c_bool, "int": ctypes.c_int64, "float": ctypes.c_double, "f32": ctypes.c_float,
    "i8": ctypes.c_int8, "i16": ctypes.c_int16, "i32": ctypes.c_int32, "i64": ctypes.c_int64, "f64": ctypes.c_double,
    "u8": ctypes.c_uint8, "u16": ctypes.c_uint16, "u32": ctypes.c_uint32, "u64": ctypes.c_uint64,
}  # fmt: skip


def ctypes_function(address: Address) -> Any:
    """A ctypes function at an address, which it keeps."""
    result, *params = [CTYPES[name] for name in (address.result, *address.params)]
    function = ctypes.CFUNCTYPE(result, *params)(int(address))
    setattr(function, "jib_address", address)  # noqa: B010  (what it keeps; ctypes' types know nothing of it)
    return function
