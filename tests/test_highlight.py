"""Colours: lexers, terminals, pages."""

from __future__ import annotations

import io
import itertools
import random
import re
import subprocess
import sys
import time
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import jib
from jib import builtins, highlight
from jib.lower.annotations import SCALARS
from jib.parse import lexicon

pygments = pytest.importorskip("pygments")

from pygments.formatters import NullFormatter  # noqa: E402
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, String, Token, Whitespace  # noqa: E402

from jib import lexers, palette  # noqa: E402

LANGUAGES = ("jib", *jib.STAGES)
FILETESTS = sorted((Path(__file__).parent / "filetests").rglob("*.jib"))
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def kinds(text: str, language: str = "jib") -> list[tuple[Any, str]]:
    """The tokens, without white space."""
    tokens = lexers.BY_LANGUAGE[language]().get_tokens_unprocessed(text)
    return [(kind, part) for _, kind, part in tokens if kind is not Whitespace]


def kind(text: str, word: str, language: str = "jib") -> Any:
    (found,) = {kind for kind, part in kinds(text, language) if part == word}
    return found


# -------------------------------------------------------------------------------------------------- the language


def test_the_tables_say_what_a_word_is() -> None:
    for name in builtins.names():
        row = builtins.resolve(name)
        if "." not in name and name not in SCALARS and row is not None:
            assert kind(f"{name} + 1", name) is (Name.Constant if row.constant else Name.Builtin), name
    for name in SCALARS:
        assert kind(f"x: {name} = 1", name) is Keyword.Type
    for word, terminal in lexicon().words.items():
        found = kind(f"1 {word} 2", word)
        assert (found is Error) == (terminal == "FOREIGN"), word
        assert found in Error or found in Keyword or found in Operator.Word


@pytest.mark.parametrize(
    ("text", "strange"),
    [
        ("class A: pass", ["class"]),
        ("import os", ["import"]),
        ("a is b", ["is"]),
        ("{1: 2}", ["{", "}"]),
        ("0777 + 1_000 + 1__0", ["0777", "1__0"]),
        ("naïve + x", ["naïve"]),
        ('f"{x}"', ["f"]),
        ('x = "open\ny = 1', ['"']),
        ('"""never\nclosed', ['"""']),
        ("a ? b", ["?"]),
        ("def if(x): return x", ["if"]),
        ("x \x00 y", ["\x00"]),
    ],
)
def test_what_is_no_part_of_the_language_is_an_error(text: str, strange: list[str]) -> None:
    found = [part for kind, part in kinds(text) if kind is Error]
    assert found == strange or (text.startswith("0777") and found == ["1__0"])


def test_kinds_of_tokens() -> None:
    text = """def area(r: float) -> float:
    "A doc: \\n."
    # why
    return math.pi * r ** 2 if r != 0x1F else m.size  # end
print("a\\tb", r"\\t", sqrt(2.5e3), None, not True)
raise ValueError("no")
"""
    assert kind(text, "area") is Name.Function
    assert kind(text, '"A doc: ') is String.Doc
    assert kind(text, "\\n") is String.Escape
    assert kind(text, "# why") is Comment.Single
    assert kind(text, "math") is Name.Namespace
    assert kind(text, "pi") is Name.Constant
    assert kind(text, "size") is Name.Attribute
    assert kind(text, "0x1F") is Number
    assert kind(text, "2") is Number.Integer
    assert kind(text, '"a') is String
    assert kind(text, 'r"\\t"') is String
    assert kind(text, "not") is Operator.Word
    assert kind(text, "None") is Keyword.Constant
    assert kind(text, "ValueError") is Name.Exception
    assert [part for found, part in kinds(text) if found is Error] == []


def test_a_function_of_the_text_is_no_builtin() -> None:
    found = kinds("gcd(4, 6)\ndef gcd(a, b): return gcd(b, a)")
    assert [token for token, part in found if part == "gcd"] == [Name.Builtin, Name.Function, Name]


def test_what_the_language_accepts_has_no_errors() -> None:
    assert len(FILETESTS) > 100
    for path in FILETESTS:
        text = path.read_text(encoding="utf-8")
        if "error: ParseError" in text or "error: LimitError" in text:
            continue
        assert [part for found, part in kinds(text) if found is Error] == [], path


# -------------------------------------------------------------------------------------------------------- stages

PROGRAM = """
def mean(x: f64[:], w: float) -> tuple[float, bool]:
    "Weighted."
    total = 0.0
    for i in range(len(x)):
        total += x[i] * w if x[i] > 1e-3 else -inf
    assert len(x) > 0, "empty; {not} @1:2 %3"
    return total / len(x), total != total
"""


@pytest.mark.parametrize("arithmetic", ["python", "numpy"])
@pytest.mark.parametrize("stage", jib.STAGES)
def test_stages_have_no_errors(stage: str, arithmetic: str) -> None:
    texts = [jib.compile(PROGRAM, arithmetic=arithmetic).dump(stage)]
    texts.append(jib.compile("sqrt(a * b) // c ** 2", arithmetic=arithmetic).dump(stage, "(float, i8, f32)"))
    for text in texts:
        found = kinds(text, stage)
        assert [part for token, part in found if token is Error] == []
        assert len({token for token, _ in found}) >= 4
        assert highlight.visible(text) == text


def test_words_of_stages() -> None:
    assert kind("  %3 = add.float %2, %1   ; 1:1", "add.float", "typed-ir") is Name.Builtin
    assert kind("  %3 = add.float %2, %1   ; 1:1", "; 1:1", "typed-ir") is Comment.Single
    assert kind("block0(%0: int):", "block0", "typed-ir") is Name.Label
    assert kind("block0(%0: i8):", "i8", "typed-ir") is Keyword.Type
    assert kind("@6:5        v3 = load.f64 notrap aligned v1", "load.f64", "clif") is Name.Builtin
    assert kind("@6:5        v3 = load.f64 notrap aligned v1", "v3", "clif") is Name.Variable
    assert kind("    brif v5, block1, block2", "brif", "clif") is Keyword
    assert kind("block0(v0: i64x2):", "i64x2", "clif") is Keyword.Type
    for line in ["   16  vmovsd (%rsi), %xmm0    ; 6:5", "  16: c5 fb 10 06  vmovsd (%rsi), %xmm0"]:
        assert kind(line, "vmovsd", "asm") is Name.Builtin
        assert kind(line, "%xmm0", "asm") is Name.Variable
    assert kind("  10  add x0, x1, #0x10", "#0x10", "asm") is Number
    # Lines of the source between those of a stage are in its colours.
    assert kind("; 4 |  return sqrt(x)\n   16  retq", "sqrt", "asm") is Name.Builtin
    assert kind("; 4 |  return sqrt(x)\n  %1 = get x", "return", "ir") is Keyword


# -------------------------------------------------------------------------------------------------------- garbage

ALPHABET = "ab1 .\n\t\r\f\"'\\@%:;|=,()[]{}$#+-_eéx0\x00\x1b\u202e\ud800"


@pytest.mark.parametrize("language", LANGUAGES)
def test_garbage_comes_out_as_it_went_in(language: str) -> None:
    draw = random.Random(7)
    lexer = lexers.BY_LANGUAGE[language]
    for length in [0, 1, 2, 3, 5, 8, 40, 200] * 20:
        text = "".join(draw.choice(ALPHABET) for _ in range(length))
        at = 0
        for start, _, part in lexer().get_tokens_unprocessed(text):
            assert start == at
            at += len(part)
            assert text[start:at] == part
        assert at == len(text)
        assert ANSI.sub("", highlight.coloured(text, language)) == highlight.visible(text)


LONG = 60_000
PATTERNS = [
    "a", "1", " ", "\n", "(", '"', "'", "\\", '\\"', "'''\"\"\"", "1.", "1_", "a:", "a=", "@1:", "%1, ", "func ", "; 4 | \"a\\", "-", "1e-",
    "/*", "<", "\r", 'f"', '"\\N{a', "ab ", "é", ";",
]  # fmt: skip


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name not in ("typed-ir", "clif-opt")])
def test_time_is_linear(language: str) -> None:
    """What takes time that grows with the square would take minutes."""
    texts = [pattern * (LONG // len(pattern)) + end for pattern, end in zip(PATTERNS, itertools.cycle(["é", ""]))]
    texts += ["a" * LONG + "\u00e9", '"' + "\\" * LONG, "; " + "1" * LONG, "  %" + "1" * LONG]
    if language == "cfg":  # Pygments' own
        texts = [text[:20_000] for text in texts]
    for text in texts:
        begin = time.perf_counter()
        for _ in lexers.BY_LANGUAGE[language]().get_tokens_unprocessed(text):
            pass
        assert time.perf_counter() - begin < 5, (language, text[:10])


def test_a_line_of_a_million_characters() -> None:
    text = "x = " + "a + 0.5 * " * 100_000 + "1"
    assert ANSI.sub("", highlight.coloured(text, "jib")) == text


# -------------------------------------------------------------------------------------------- terminals and pages


def test_colours_are_those_of_every_terminal() -> None:
    text = highlight.coloured('def f(x): return sqrt(x) + 0.5 if x is "a" else None  # why', "jib")
    codes = {code for sequence in ANSI.findall(text) for code in sequence[2:-1].split(";")}
    # Red, green, magenta, cyan; bold, italic, underlined; and their ends.
    assert codes <= {"31", "32", "35", "36", "39", "00", "01", "03", "04"}
    assert "\x1b[0m" not in text.replace("\x1b[00m", "") and "48" not in codes


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text: list[str] = []
        self.attributes: set[str] = set()
        self.styles: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.styles |= {value or "" for _, value in attrs}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


NASTY = [
    "<script>alert(1)</script>",
    "</pre><b>",
    '"><img src=x onerror=1>',
    "&lt;&amp;",
    "'\"&",
    "# <!-- ",
    '"<i>"',
    "\x00\x1b[31m\u202e\ud800",
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", NASTY)
def test_html_cannot_be_injected(text: str, language: str) -> None:
    reader = _Reader()
    reader.feed(highlight.html(f"a {text} b", language))
    assert set(reader.tags) <= {"pre", "span"} and reader.tags.count("pre") == 1
    assert reader.attributes <= {"style"}
    assert all(re.fullmatch(r"[-a-z0-9A-Z#:;., ]*", style) for style in reader.styles)
    assert "".join(reader.text) == highlight.visible(f"a {text} b")


def test_html_keeps_lines() -> None:
    for text in ["\n\na\n\n", "a", "", "a\n", "  a\n\tb  "]:
        reader = _Reader()
        reader.feed(highlight.html(text, "jib"))
        # HTML leaves out one newline behind <pre>.
        shown = "".join(reader.text)
        assert (shown[1:] if text.startswith("\n") else shown) == text


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_pages_can_be_read_on_dark_and_on_light() -> None:
    colours = {colour for _, page in palette.ROLES.values() for colour in re.findall(r"#[0-9a-f]{6}", page)}
    assert len(colours) >= 4
    for colour in colours:
        own = _luminance(colour)
        for ground in ("#ffffff", "#111111"):  # of Jupyter's themes
            other = _luminance(ground)
            assert (max(own, other) + 0.05) / (min(own, other) + 0.05) >= 4, (colour, ground)
    assert not any(style["bgcolor"] for own in (palette.Page, palette.Terminal) for _, style in own)


class Stream(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "environment", "wanted"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "0"}, False),
        (True, {"FORCE_COLOR": "0"}, False),
        (False, {"FORCE_COLOR": "", "TERM": "xterm"}, False),
        (False, {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_who_wants_colours(
    terminal: bool, environment: dict[str, str], wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert highlight.wants_colour(Stream(terminal)) is wanted


def test_streams_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    closed = io.StringIO()
    closed.close()
    assert not highlight.wants_colour(None)
    assert not highlight.wants_colour(closed)


def test_visible() -> None:
    for code in [*range(0x3000), *range(0xD7F0, 0xE010), *range(0xFE00, 0xFFFF), *range(0xE0000, 0xE0080), 0x1F600]:
        character = chr(code)
        shown = highlight.visible(character)
        assert highlight.visible(shown) == shown
        assert len(highlight.aligned(character)) == 1
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character not in "\n\t":
            assert shown.isascii() and shown.isprintable() and len(shown) > 3
            assert highlight.aligned(character).isprintable()
        if unicodedata.bidirectional(character) in ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"):
            assert shown.isascii()
    assert highlight.visible("a\r\nb\tc é 日本 😀\n") == "a\r\nb\tc é 日本 😀\n"
    assert highlight.visible("\x1b[31m\r\u202e\ud800\U000e0041") == "\\x1b[31m\\x0d\\u202e\\ud800\\U000e0041"


@pytest.mark.parametrize("function", [highlight.coloured, highlight.html])
def test_languages_are_those_that_there_are(function: Any) -> None:
    with pytest.raises(ValueError, match="language must be 'jib' or one of 'ast', .*, not 'lisp'"):
        function("a", "lisp")


# -------------------------------------------------------------------------------------------------- with Pygments


def test_pygments_finds_the_lexers() -> None:
    """By their entry points, where jib is installed."""
    from importlib.metadata import entry_points

    if not any(entry.value.startswith("jib.lexers") for entry in entry_points(group="pygments.lexers")):
        pytest.skip("jib is not installed with its entry points")
    from pygments.lexers import get_lexer_by_name, get_lexer_for_filename

    for alias, lexer in [
        ("jib", "JibLexer"), ("jib-ast", "AstLexer"), ("jib-ir", "IrLexer"), ("jib-asm", "AsmLexer"), ("clif", "ClifLexer"),
    ]:  # fmt: skip
        assert type(get_lexer_by_name(alias)).__name__ == lexer
    assert type(get_lexer_for_filename("gcd.jib")).__name__ == "JibLexer"
    assert type(get_lexer_for_filename("gcd.clif")).__name__ == "ClifLexer"


def test_entry_points_name_what_there_is() -> None:
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    section = text.partition('[project.entry-points."pygments.lexers"]\n')[2].partition("\n\n")[0]
    rows = dict(re.findall(r'^([\w-]+) = "jib\.lexers:(\w+)"$', section, re.MULTILINE))
    own = {found for found in vars(lexers).values() if isinstance(found, type) and found.__module__ == "jib.lexers"}
    assert {getattr(lexers, name) for name in rows.values()} == own
    for alias, name in rows.items():
        assert alias in getattr(lexers, name).aliases


def test_any_formatter_takes_the_tokens() -> None:
    text = "\n\ndef f(x):\n    return x is 1  \n"
    assert pygments.highlight(text, lexers.JibLexer(stripnl=False), NullFormatter()) == text
    assert Token.Error in {found for found, _ in lexers.JibLexer().get_tokens(text)}


def test_the_line_of_a_prompt() -> None:
    """As the REPL has it: prompt_toolkit asks for the tokens of texts that are being written."""
    pytest.importorskip("prompt_toolkit")
    from prompt_toolkit.document import Document
    from prompt_toolkit.lexers import PygmentsLexer
    from prompt_toolkit.styles import style_from_pygments_cls

    lines = ["def f(x):", '    return sqrt(x) + 0.5 if x else "open']
    fragments = PygmentsLexer(lexers.JibLexer).lex_document(Document("\n".join(lines)))
    for number, line in enumerate(lines):
        assert "".join(part for _, part, *_ in fragments(number)) == line
    assert ("class:pygments.name.builtin", "sqrt") in fragments(1)
    style = style_from_pygments_cls(palette.Terminal)
    assert style.get_attrs_for_style_str("class:pygments.name.builtin").color == "ansicyan"
    assert style.get_attrs_for_style_str("class:pygments.keyword").bold


BARE = """
import sys
sys.modules["pygments"] = None  # as if it were not installed
from jib import highlight
assert highlight.coloured("a < 'b'", "jib") == "a < 'b'"
assert highlight.html("a < '\\x1b'", "jib").endswith(">a &lt; &#x27;\\\\x1b&#x27;</pre>")
assert "jib.lexers" not in sys.modules
try:
    highlight.coloured("a", "lisp")
except ValueError:
    print("fine")
"""


def test_without_pygments() -> None:
    done = subprocess.run([sys.executable, "-c", BARE], capture_output=True, text=True, timeout=60)
    assert done.stdout == "fine\n", done.stderr


LIGHT = """
import sys, jib, jib.highlight
jib.compile("a + b")(1, 2)
print([name for name in sys.modules if name.startswith(("pygments", "IPython", "jib.integrations."))])
"""


def test_importing_jib_imports_none_of_it() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
