"""From text to a function that has been called once: a warm process, nothing cached.

jib beside CPython's own compile and eval, and beside numba and numexpr where they are installed; and where jib's microseconds go.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter
from typing import Any

import texts
from harness import Case, Stages, digits, duration, measure, options, save, table

import jib

TEXTS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "`a + b`": (texts.SHORT, (1.5, 2.5)),
    "`sin(x)**2 + …`": (texts.MIDDLE, (1.5, 2.5)),
    "100 lines": (texts.hundred_lines(), (40, 1.5)),
}


def jib_case(text: str, args: tuple[Any, ...]) -> Case:
    def case() -> float:
        begin = perf_counter()
        jib.compile(text)(*args)
        return perf_counter() - begin

    return case


def python_function(text: str) -> Callable[..., Any]:
    """The same text as a function of CPython's, compiled."""
    names: dict[str, Any] = dict(vars(math))
    if not text.startswith("def "):
        text = f"def work({', '.join(jib.compile(text).params)}):\n    return {text}"
    exec(compile(text, "<text>", "exec"), names)
    function: Callable[..., Any] = names["work"]
    return function


def python_case(text: str, args: tuple[Any, ...]) -> Case:
    names = list(jib.compile(text).params)
    expression = not text.startswith("def ")
    values = {**vars(math), **dict(zip(names, args))}

    def case() -> float:
        begin = perf_counter()
        if expression:
            eval(compile(text, "<text>", "eval"), values)
        else:
            python_function(text)(*args)
        return perf_counter() - begin

    return case


def numba_case(text: str, args: tuple[Any, ...]) -> Case:
    import numba

    def case() -> float:
        function = python_function(text)
        begin = perf_counter()
        numba.njit(function)(*args)
        return perf_counter() - begin

    case()
    return case


def numexpr_case(text: str, args: tuple[Any, ...]) -> Case:
    import numexpr

    names = list(jib.compile(text).params)
    text = text.replace("(x if x > y else y)", "where(x > y, x, y)")
    values = dict(zip(names, args))

    def case() -> float:
        begin = perf_counter()
        numexpr.evaluate(text, values, disable_cache=True)
        return perf_counter() - begin

    case()
    return case


def main() -> None:
    wanted = options(__doc__, rounds=200)
    measured: dict[str, Any] = {}
    for name, (text, args) in TEXTS.items():
        answer = jib.compile(text)(*args)
        assert answer == python_function(text)(*args), name
        cases = {"jib": jib_case(text, args), "CPython": python_case(text, args)}
        measured[name] = measure(cases, wanted.rounds)
        for peer, make in (("numexpr", numexpr_case), ("numba", numba_case)):
            if peer == "numexpr" and text.startswith("def "):
                continue
            try:
                case = make(text, args)
            except ImportError:
                continue
            # Slow ones: fewer rounds, with jib's among them.
            rounds = max(3, wanted.rounds // (4 if peer == "numexpr" else 40))
            measured[name][peer] = measure({"jib": cases["jib"], peer: case}, rounds)[peer]
    peers = list(dict.fromkeys([peer for results in measured.values() for peer in results]))
    table(
        "Text to first answer",
        ["text", *peers],
        [[name, *[results.get(peer, "–") for peer in peers]] for name, results in measured.items()],
    )

    stages = {name: Stages.medians(text, args, wanted.rounds) for name, (text, args) in TEXTS.items()}
    rows = []
    for stage in next(iter(stages.values())):
        rows.append([stage, *[digits(each[stage]) for each in stages.values()]])
    table("Where the microseconds go", ["stage", *stages], rows)
    print(
        "\nparse: lexing and parsing; cross: decoding, verifying, SSA; machine: Cranelift; callable: all that is between these."
    )

    first = [(text, args) for text, args in TEXTS.values()][:2]
    with_signature = measure(
        {
            "without": jib_case(*first[0]),
            "with": lambda: _compile_only(first[0][0], "float(float, float)"),
        },
        wanted.rounds,
    )
    table(
        "`a + b` with its types given at once",
        ["", "time"],
        [[f"{name} a signature", duration(result.median)] for name, result in with_signature.items()],
    )
    if wanted.json:
        save(__file__, {"text to first answer": measured, "stages in µs": stages})


def _compile_only(text: str, signature: str) -> float:
    begin = perf_counter()
    jib.compile(text, signature)
    return perf_counter() - begin


if __name__ == "__main__":
    main()
