"""What texts are made of: the valid programs of this checkout, and the grammar's words and rules.

In: tests/filetests, the pages in docs/, grammar/jib.lark. Out: `PROGRAMS`, `WORDS`, `derive`.
Always holds: the same checkout gives the same, in the same order.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from lark import Lark

ROOT = Path(__file__).parents[2]

# Spaces, line ends and comments are pieces too: a mutation may move or double them.
_PIECE = re.compile(
    r"\n[ \t]*|[ \t]+|#[^\n]*|\w+(?:\.\w+)?|\"[^\"\n]*\"|'[^'\n]*'|\*\*=?|//=?|<<=?|>>=?|[-+*/%&|^<>=!:]=|->|.",
    re.DOTALL,
)


class Program(NamedTuple):
    text: str
    pieces: list[str]


def pieces(text: str) -> list[str]:
    return _PIECE.findall(text)


def _programs() -> list[Program]:
    texts: list[str] = []
    for path in sorted((ROOT / "tests" / "filetests").rglob("*.jib")):
        lines = path.read_text(encoding="utf-8").split("\n")
        # The directives are comments: a few words of them are enough.
        texts.append("\n".join(line for line in lines if not line.startswith("#")).strip("\n") + "\n")
    for path in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]):
        page = path.read_text(encoding="utf-8")
        texts += [
            text.replace("\\n", "\n") for _, text in re.findall(r"(?:compile|run|refused)\((\"|')(.+?)\1[,)]", page)
        ]
        texts += re.findall(r'(?:compile|run|refused)\("""\n(.+?)"""', page.replace("\n... ", "\n"), re.DOTALL)
    return [Program(text, pieces(text)) for text in dict.fromkeys(texts) if text.strip()]


PROGRAMS = _programs()

NAMES = (  # noqa: SIM905
    "x y z a b c n i j v0 abs min max sum range len int float bool i8 u8 i32 u64 f32 f64 sqrt sin exp log pow round divmod where "
    "math math.sin math.pi pi inf nan any all prod print gcd factorial comb isclose clip fma ldexp frexp modf tuple f g _ "
    "__class__ __import__"
).split()
NUMBERS = (  # noqa: SIM905
    "0 1 2 3 7 0.5 1.0 1e3 1e308 1e-320 5e999 0x10 0b11 0o7 1_000 255 256 65536 4294967296 9223372036854775807 9223372036854775808 "
    "18446744073709551615 18446744073709551616 00 .5 1. 64 63"
).split()
STRINGS = ["''", "'a'", '"b"', '"""c\nd"""', "r'\\d'", "'\\n'", "'\\x41'", "u'ü'", "'\\''", "'a' 'b'"]
_FOREIGN = (  # noqa: SIM905
    "import from class try except finally with del global nonlocal yield async await is as match case type @ { } ? ! $ ` \\ ... "
    '" \' """ # ; \t \f \r \x00 \x0b \u00a0 \u202e \ud800 é ａ \ufeff \u2212 \u201c 0x 1e 0_ 1j 08 f"{x}" b"" \\\n \r\n'
).split(" ")
BUILTIN_ERRORS = ("ValueError", "ValueError('no')", "ZeroDivisionError", "KeyError", "Exception")


class _Grammar:
    """The rules of the grammar, and for each symbol how few steps lead to words alone."""

    def __init__(self) -> None:
        text = (ROOT / "grammar" / "jib.lark").read_text(encoding="utf-8")
        lark: Any = Lark(text, parser="lalr", lexer="basic", maybe_placeholders=False, keep_all_tokens=True)
        self.rules: dict[str, list[list[str]]] = {}
        for rule in lark.rules:
            self.rules.setdefault(str(rule.origin.name), []).append([str(symbol.name) for symbol in rule.expansion])
        self.spelled: dict[str, list[str]] = {
            "NAME": NAMES + ["x", "y"] * 60,
            "NUMBER": NUMBERS + ["1", "2.5"] * 30,
            "STRING": STRINGS,
        }
        for terminal in lark.terminals:
            if terminal.name not in self.spelled:
                pattern = terminal.pattern.value
                texts = [pattern] if terminal.pattern.type == "str" else re.split(r"(?<!\\)\|", pattern[3:-1])
                self.spelled[terminal.name] = [re.sub(r"\\(.)", r"\1", each) for each in texts]
        self.height: dict[str, int] = {}
        while len(self.height) < len(self.rules):
            for name, options in self.rules.items():
                heights = [max([self.height.get(s, 0 if s.isupper() else 10**6) for s in option]) for option in options]
                if min(heights) < 10**6:
                    self.height.setdefault(name, 1 + min(heights))
        self.shortest = {
            name: min(options, key=lambda option: sum(self.height.get(symbol, 0) for symbol in option))
            for name, options in self.rules.items()
        }


@cache
def grammar() -> _Grammar:
    return _Grammar()


@cache
def words() -> list[str]:
    """For soup: every terminal of the grammar, names and numbers more often, and what is no word of it."""
    fixed = [
        each for name, texts in grammar().spelled.items() if name not in ("NAME", "NUMBER", "STRING") for each in texts
    ]
    layout = [
        "\n",
        "\n",
        "\n    ",
        "\n  ",
        ":\n    ",
        "if x:\n    ",
        "def f(x):\n    ",
        "for i in range(3):\n    ",
        "else:\n    ",
        "\n\n",
        "#\n",
    ]
    common = ["x", "y", "1", "2.5", "(", ")", "(", ")", "+", "*", ",", "=", ":", "[", "]"] * 3
    return fixed * 2 + NAMES + NUMBERS + STRINGS + _FOREIGN + layout * 2 + common + list(BUILTIN_ERRORS)


def derive(draw: Random, size: int) -> list[str]:
    """The words of a random sentence of the grammar, of about this many rules, with its layout; no more than that is promised."""
    made = grammar()
    found: list[str] = []
    indents = [""]
    fresh = True
    waiting = ["start"]
    while waiting:
        symbol = waiting.pop()
        options = made.rules.get(symbol)
        if options is not None:
            size -= 1
            option = (
                made.shortest[symbol] if size < 0 or len(options) == 1 else options[int(draw.random() * len(options))]
            )
            waiting.extend(reversed(option))
        elif symbol == "NEWLINE":
            found.append("\n")
            fresh = True
        elif symbol == "INDENT":
            indents.append(indents[-1] + " ")
        elif symbol == "DEDENT":
            indents.pop()
        else:
            if fresh:
                found.append(indents[-1])
                fresh = False
            spelled = made.spelled[symbol]
            found.append(spelled[int(draw.random() * len(spelled))])
            found.append(" ")
    return found
