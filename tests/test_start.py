"""What a process loads until the first answer: the start of a process is mostly imports."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from typing import Any, NamedTuple

import pytest

import jib
from jib import light

#: jib's own modules that `import jib` loads.
AT_IMPORT = {"jib", "jib._native", "jib.api", "jib.errors", "jib.function", "jib.light", "jib.limits", "jib.source"}

#: Those that the first text needs as well.
AT_COMPILE = {
    "jib.actions", "jib.builtins", "jib.grammar", "jib.ir", "jib.ir_build", "jib.layout", "jib.lower", "jib.lower.annotations",
    "jib.lower.arrays", "jib.lower.build", "jib.lower.calls", "jib.lower.expressions", "jib.lower.indexing",
    "jib.lower.iteration", "jib.lower.loops", "jib.lower.reductions", "jib.lower.scan", "jib.lower.scopes",
    "jib.lower.statements", "jib.names", "jib.parse", "jib.syntax", "jib.table",
}  # fmt: skip

#: What takes longer to import than what it would be needed for.
SLOW = {
    "argparse", "ast", "contextlib", "ctypes", "dataclasses", "hashlib", "importlib.metadata", "inspect", "json", "lark", "linecache",
    "logging", "numpy", "pathlib", "subprocess", "tempfile", "threading", "tokenize", "traceback", "typing",
}  # fmt: skip


def loaded(*words: str) -> tuple[set[str], str]:
    """The modules of a process that are not in one which does nothing, and what it prints."""
    code = "import sys; before = set(sys.modules); {}; print(*set(sys.modules) - before)"
    if words[0] == "-m":
        work = f"sys.argv[1:] = {words[2:]!r}; from jib.cli import main; main(sys.argv[1:])"
    else:
        work = words[0]
    # Without site: what other packages' .pth files import is not ours.
    path = [each for each in sys.path if each]
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {path!r}\n{code.format(work)}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    *printed, last = done.stdout.splitlines()
    return set(last.split()), "\n".join(printed)


def test_importing_jib_loads_what_it_needs() -> None:
    modules, _ = loaded("import jib")
    assert {name for name in modules if name.partition(".")[0] == "jib"} == AT_IMPORT
    assert not modules & (SLOW | {"re", "enum"})


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (('import jib; print(jib.compile("a + b")(7, 35))',), set[str]()),
        (("-m", "jib", "-c", "a + b", "a=7", "b=35"), {"jib.cli"}),
    ],
)
def test_the_first_answer_loads_what_it_needs(words: tuple[str, ...], more: set[str]) -> None:
    modules, printed = loaded(*words)
    assert printed == "42"
    assert {name for name in modules if name.partition(".")[0] == "jib"} == AT_IMPORT | AT_COMPILE | more
    assert not modules & SLOW


def test_names_that_come_later_are_there() -> None:
    code = "from jib import *; import jib; print(sorted(set(jib.__all__) - set(globals())), set(jib.__all__) <= set(dir(jib)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] True\n"


# ---------------------------------------------------------------------------------- named tuples without `typing`


class Theirs(NamedTuple):
    """A pair."""

    left: int
    right: str = "r"

    def both(self) -> str:
        return f"{self.left} {self.right}"


class Ours(light.NamedTuple):
    """A pair."""

    left: int
    right: str = "r"

    def both(self) -> str:
        return f"{self.left} {self.right}"


class Derived(Ours):
    __slots__ = ()


def outcome(work: Any, kind: Any) -> Any:
    """What it gives, or the class of what it raises; the tuples without their names."""
    try:
        found = work(kind)
    except Exception as problem:
        return type(problem)
    return found.replace(kind.__name__, "Pair") if isinstance(found, str) else found


@pytest.mark.parametrize(
    "work",
    [
        lambda pair: tuple(pair(1)),
        lambda pair: pair(1, "b") == (1, "b") == pair(right="b", left=1),
        lambda pair: hash(pair(1)) == hash((1, "r")),
        lambda pair: repr(pair(1)),
        lambda pair: [(each.name, each.default, each.kind) for each in inspect.signature(pair).parameters.values()],
        lambda pair: pair(1).both() + pair(2).right,
        lambda pair: pair(1)._asdict(),
        lambda pair: pair.right.__doc__,
        lambda pair: tuple(pair(1)._replace(left=2)),
        lambda pair: tuple(pair._make([3, "c"])),
        lambda pair: (pair._fields, pair._field_defaults, pair.__match_args__, pair.__doc__),
        lambda pair: type(pickle.loads(pickle.dumps(pair(1)))) is pair and pickle.loads(pickle.dumps(pair(1, "x")))[1],
        lambda pair: hasattr(pair(1), "__dict__"),
        lambda pair: pair(),
        lambda pair: pair(1, "b", 3),
        lambda pair: pair(1, left=1),
        lambda pair: pair(1, middle=1),
        lambda pair: pair(1, "b", middle=1),
        lambda pair: pair(right="b"),
        lambda pair: pair._make([1]),
        lambda pair: setattr(pair(1), "left", 2),
        lambda pair: setattr(pair(1), "middle", 2),
    ],
)
def test_a_named_tuple_of_ours_is_like_one_of_typings(work: Any) -> None:
    assert outcome(work, Ours) == outcome(work, Theirs)


def test_a_class_with_fields_is_derived_from_as_usual() -> None:
    assert Derived(1) == Ours(1) and repr(Derived(right="b", left=1)) == "Derived(left=1, right='b')"
    assert type(Derived(1)._replace(left=2)) is Derived is type(pickle.loads(pickle.dumps(Derived(1))))
    assert inspect.signature(Derived) == inspect.signature(Ours)
    with pytest.raises(
        ValueError, match=r"^Got unexpected field names: \['middle'\]$"
    ):  # a TypeError of typing's since 3.13
        Derived(1)._replace(middle=1)


def test_limits_say_what_they_take() -> None:
    assert str(inspect.signature(jib.Limits)).startswith("(characters: 'int' = 1000000, tokens: 'int' = 150000,")
    with pytest.raises(TypeError, match=r"^Limits\(\): got an unexpected keyword argument 'letters'$"):
        jib.Limits(letters=1)  # type: ignore[call-arg]
