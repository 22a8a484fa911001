"""The extension, written in Rust: rust/python."""

from collections.abc import Sequence
from typing import Any

from typing_extensions import Self

from .builtins import Param
from .limits import Limits
from .source import Source

__version__: str

def builtins() -> list[tuple[str, list[str], str, str, float | None]]: ...
def _verify(always: bool) -> bool: ...
def read_signature(signature: Source) -> tuple[list[str], str]: ...

class Extern:
    def __new__(
        cls, name: str, signature: Source, pure: bool, target: Any, *, unsafe_address: int | None = None
    ) -> Self: ...
    def __call__(self, *args: Any) -> Any: ...
    @property
    def arity(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def signature(self) -> str: ...
    @property
    def pure(self) -> bool: ...

class Callable:
    def __new__(
        cls,
        ir: bytes,
        source: Source,
        name: str,
        params: tuple[Param, ...],
        signature: str | None,
        engine: str,
        opt_level: str,
        arithmetic: str,
        limits: Limits,
        fuel: int | None,
        timeout: float | None,
        counting: str | None = None,
        externs: Sequence[Extern] = (),
    ) -> Self: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def interrupt(self) -> None: ...
    def _dump(self, stage: str, signature: str | None) -> str: ...
    def _specializations(self) -> list[tuple[list[str], str, int, list[tuple[str, float]]]]: ...
    def _traps(self) -> int: ...
