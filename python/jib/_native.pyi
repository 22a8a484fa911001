"""The extension, written in Rust: rust/python."""

from typing import Any

from typing_extensions import Self

from .builtins import Param
from .limits import Limits
from .source import Source

__version__: str

def builtins() -> list[tuple[str, list[str], str, str, float | None]]: ...
def _verify(always: bool) -> bool: ...

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
    ) -> Self: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def interrupt(self) -> None: ...
    def _dump(self, stage: str, signature: str | None) -> str: ...
    def _specializations(self) -> list[tuple[list[str], str, int, list[tuple[str, float]]]]: ...
    def _traps(self) -> int: ...
