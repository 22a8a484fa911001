"""What a module that takes part in the first answer has of `typing`, which takes as long to import as all that those modules do.

In: classes written as `typing.NamedTuple` asks for. Out: the same named tuples, and `TYPE_CHECKING`, which whoever checks types takes for
true. Always holds: fields, defaults, equality, `repr`, pickles, `_replace`, `_make`, `_asdict` and `inspect.signature` are those of
`typing.NamedTuple`; no class costs more than its fields, since nothing is made by `exec` and no annotation is read.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    import inspect
    from collections.abc import Iterable, Mapping
    from typing import Any
    from typing import NamedTuple as NamedTuple
else:
    _new = tuple.__new__

    try:
        from _collections import _tuplegetter as _field  # as `collections` does
    except ImportError:

        def _field(index: int, doc: str | None) -> property:
            return property(lambda self: self[index], doc=doc)

    class _Signature:
        """`__signature__`, made when somebody asks: `inspect` is slow to import."""

        def __get__(self, instance: object, owner: type[NamedTuple]) -> inspect.Signature:
            import inspect

            kind, defaults = inspect.Parameter.POSITIONAL_OR_KEYWORD, owner._field_defaults
            annotations = inspect.get_annotations(next(each for each in owner.__mro__ if "_fields" in vars(each)))
            return inspect.Signature([
                inspect.Parameter(
                    name, kind, default=defaults.get(name, inspect.Parameter.empty), annotation=annotations[name]
                )
                for name in owner._fields
            ])  # fmt: skip

    class _Methods:
        """What is the same for all named tuples."""

        __signature__ = _Signature()

        def __new__(cls, /, *args: Any, **named: Any) -> NamedTuple:
            if named or len(args) != len(cls._fields):
                args = _completed(cls, args, named)
            return _new(cls, args)

        @classmethod
        def _make(cls, iterable: Iterable[Any]) -> NamedTuple:
            """A new one of these elements."""
            made = _new(cls, iterable)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, /, **named: Any) -> NamedTuple:
            """A new one in which these fields have other values."""
            made = self._make(map(named.pop, self._fields, self))
            if named:
                raise ValueError(f"Got unexpected field names: {[*named]!r}")
            return made

        __replace__ = _replace

        def _asdict(self) -> dict[str, Any]:
            """The elements by their names."""
            return dict(zip(self._fields, self))

        def __repr__(self) -> str:
            fields = ", ".join([f"{name}={value!r}" for name, value in zip(self._fields, self)])
            return f"{type(self).__name__}({fields})"

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

    # Each class gets them as its own, as classes of `typing.NamedTuple` do: a base between it and `tuple` would cost every class more.
    _METHODS = {name: vars(_Methods)[name] for name in (
        "__signature__", "__new__", "_make", "_replace", "__replace__", "_asdict", "__repr__", "__getnewargs__"
    )}  # fmt: skip

    class _Fields(type):
        """Makes the annotations of a class the fields of its tuples."""

        def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> type:
            fields = tuple(namespace.get("__annotations__", ()))
            defaults = {field: namespace[field] for field in fields if field in namespace}
            made = {**_METHODS, **namespace}
            made.update({field: _field(at, f"Alias for field number {at}") for at, field in enumerate(fields)})
            made.update(__slots__=(), _fields=fields, _field_defaults=defaults, __match_args__=fields)
            return type(name, (tuple,), made)

    NamedTuple = type.__new__(_Fields, "NamedTuple", (), {})

    def _completed(cls: type[NamedTuple], args: tuple[Any, ...], named: Mapping[str, Any]) -> Iterable[Any]:
        """The elements of a tuple, of which some are given by position, some by name, and some are defaults."""
        fields = cls._fields
        values = {**cls._field_defaults, **dict(zip(fields, args)), **named}
        if len(args) > len(fields) or len(values) != len(fields) or not named.keys().isdisjoint(fields[: len(args)]):
            try:
                cls.__signature__.bind(*args, **named)
            except TypeError as problem:
                raise TypeError(f"{cls.__name__}(): {problem}") from None
        return [values[field] for field in fields]
