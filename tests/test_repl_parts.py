"""The parts of the interactive loop: which lines belong together, what may stand at the cursor, what is kept, how mistakes are shown."""

from __future__ import annotations

import io
import os
import signal
import stat
import subprocess
import sys
import time
import weakref
from pathlib import Path
from threading import get_ident

import pytest
from hypothesis import given
from hypothesis import strategies as st

import jib
from jib import builtins
from jib.errors import ParseError
from jib.lower.annotations import SCALARS
from jib.parse import lexicon, parse
from jib.repl import chunks, complete, plain, report
from jib.repl.console import Console, Quit
from jib.repl.history import KEPT, LONGEST, MOST, History
from jib.repl.interrupts import CtrlC
from jib.source import Source

# ------------------------------------------------------------------------------------------------------ chunks


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("", True), ("1", True), ("x = (1,", False), ("x = (1,\n2)", True), ("x = (1,\n\n", False), ("a[", False), ("a + \\", False),
        ("a + \\\n", True), ("'''", False), ("'''\n'''", True), ("'", True), ("'(", True), ("# (", True), ("1 # :", True), ('"\\', False),
        ("def f():", False), ("def f():\n", True), ("def f():\n    1", False), ("def f():\n    1\n", True), ("def f(): return 1", True),
        ("if a: b", True), ("if a: b\nelse:", False), ("if a: b\nelse: c", False), ("if a: b\nelse: c\n  ", True), (")", True),
        ("x = f(lambda a:", False), ("x[1:", False), ("x[1:]", True), ("iffy", True), ("definite = 1", True), ("for_all:", False),
        ("def f():\n  '''a\n\n", False), ("def f():\n  '''a\n\n'''\n", True),
    ],
)  # fmt: skip
def test_whole(text: str, whole: bool) -> None:
    assert chunks.is_whole(text) is whole


def script(text: str) -> list[str]:
    made = chunks.Chunks()
    found = [each for line in text.split("\n") for each in made.add(line)]
    found += made.rest()
    for line, piece in found:
        assert text.split("\n")[line - 1].rstrip() == piece.split("\n")[0].rstrip()
    return [piece for _, piece in found]


def test_every_program_of_the_filetests_goes_through_in_pieces() -> None:
    """What the parser takes as a whole, it takes in pieces, and the pieces are the whole."""
    seen = 0
    for path in sorted((Path(__file__).parent / "filetests").rglob("*.jib")):
        text = path.read_text(encoding="utf-8")
        try:
            jib.compile(text)
        except Exception:
            continue
        pieces = script(text)
        for piece in pieces:
            try:
                parse(Source(piece))
            except ParseError as problem:
                raise AssertionError((path, piece)) from problem
        bare = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
        assert [
            line for piece in pieces for line in piece.split("\n") if line.strip() and not line.lstrip().startswith("#")
        ] == bare
        seen += 1
    assert seen > 100


@given(st.text(alphabet="if:def()[]'\"\\#\n \tax1,", max_size=60))
def test_no_character_is_lost_and_an_empty_line_ends_what_has_no_bracket(text: str) -> None:
    pieces = "".join(script(text))
    if "#" not in text:  # a line of a comment alone is left out
        assert "".join(pieces.split()) == "".join(text.split())
    scan = chunks.Scan()
    for line in [*text.split("\n"), ""]:
        scan.line(line)
    assert not scan.open or scan.brackets or scan.quote


@pytest.mark.parametrize(
    "line", ["(" * 100_000, "'" * 100_001, '"""' * 33_333, "\\" * 100_000, "a " * 50_000, "'\\" * 50_000, ":" * 100_000]
)
def test_time_is_linear(line: str) -> None:
    begin = time.perf_counter()
    made = chunks.Chunks()
    list(made.add(line))
    list(made.rest())
    assert time.perf_counter() - begin < 5


# -------------------------------------------------------------------------------------------------- completion


@pytest.fixture
def session() -> jib.Session:
    made = jib.Session()
    made.run("area = 2.5\ndef arena(r, n=2):\n    return r * n")
    return made


def offered(before: str, session: jib.Session) -> list[str]:
    return [each.text for each in complete.complete(before, session)[1]]


def test_completion_of_names(session: jib.Session) -> None:
    assert offered("1 + are", session) == ["area", "arena"]
    width, found = complete.complete("1 + aren", session)
    assert (width, found) == (4, [complete.Candidate("arena", "arena(r, n=2)", "yours")])
    assert complete.complete("area", session)[1][0] == complete.Candidate("area", "area", "float")
    assert "sqrt" in offered("sq", session) and "while" in offered("wh", session)
    assert offered("math.sq", session) == ["math.sqrt"]
    assert "math.pi" in offered("math.", session) and "math.where" not in offered("math.", session)
    assert len(offered("", session)) > 100
    for nothing in ("1", "zzz", "'ar", "# ar", "x.y", "ar ", "é"):
        assert offered(nothing, session) == [], nothing


def test_completion_of_commands(session: jib.Session, tmp_path: Path) -> None:
    assert offered(":t", session) == [":type", ":time"]
    assert offered("  :res", session) == [":reset"]
    assert offered(":set ", session)[:2] == ["arithmetic", "engine"]
    assert offered(":set arith", session) == ["arithmetic"]
    assert offered(":set arithmetic n", session) == ["numpy"]
    assert offered(":set nothing n", session) == []
    assert offered(":asm --s", session) == ["--source"]
    assert offered(":asm --source are", session) == ["area", "arena"]
    assert offered(":help :sa", session) == [":save"]
    (tmp_path / "one.jib").write_text("1")
    (tmp_path / "folder").mkdir()
    assert offered(f":load {tmp_path}/", session) == ["folder/", "one.jib"]
    assert offered(f":load {tmp_path}/o", session) == ["one.jib"]
    assert offered(":load /no/such/place", session) == []
    assert offered(":load \0", session) == []


def test_what_is_offered_is_in_the_language(session: jib.Session) -> None:
    known = {*session, *builtins.MODULES, *builtins.exceptions(), *SCALARS}
    for name in offered("", session):
        if lexicon().words.get(name, "FOREIGN") == "FOREIGN":
            assert name in known or builtins.resolve(name) is not None
    assert {"math", "f32", "ZeroDivisionError"} <= {*offered("", session)}


# ----------------------------------------------------------------------------------------------------- history


def test_history_lives_on(tmp_path: Path) -> None:
    path = tmp_path / "new" / "history"
    kept = History(str(path))
    texts = ["1 + 1", "if a:\n    b\\n\n", "\\", "é\x1b[31m", "\\n\r"]
    for text in texts:
        kept.add(text)
    kept.add("   ")
    kept.add("x" * (KEPT + 1))
    assert History(str(path)).texts() == texts and not kept.problem
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@given(
    st.lists(
        st.text().filter(lambda text: text.strip() and not any("\ud800" <= c <= "\udfff" for c in text)), max_size=5
    )
)
def test_any_text_is_kept(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = str(tmp_path_factory.mktemp("history") / "history")
    for text in texts:
        History(path).add(text)
    assert History(path).texts() == texts


def test_a_history_of_garbage(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b"\xff\x00\n" + b"x" * (2 * LONGEST) + b"\n1\n\n2")
    assert History(str(path)).texts() == ["1", "2"]
    path.write_bytes(b"1\n" * (MOST + 100))
    assert len(History(str(path)).texts()) == MOST


def test_a_history_that_cannot_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    for path in (str(tmp_path), str(tmp_path / "file" / "history"), str(tmp_path / "pipe"), "/dev/null", "\0"):
        kept = History(path)
        assert "the history is not kept" in kept.problem and "JIB_HISTORY" in kept.problem
        kept.add("1")
        assert kept.texts() == []
    monkeypatch.setenv("JIB_HISTORY", "")
    assert History().problem == "" and History().texts() == []
    kept = History(str(tmp_path / "history"))
    kept.add("1")
    (tmp_path / "history").unlink()
    (tmp_path / "history").mkdir()
    kept.add("2")
    assert "Is a directory" in kept.problem


# ------------------------------------------------------------------------------------------------------ answers


class Spoken:
    """A console whose two streams can be read."""

    def __init__(self, interactive: bool = False) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.console = Console(jib.Session(), self.out, self.err, interactive=interactive, prompt=5)

    def say(self, text: str) -> tuple[str, str]:
        self.went_well = self.console.answer(text)
        said = self.out.getvalue(), self.err.getvalue()
        for stream in (self.out, self.err):
            stream.seek(0)
            stream.truncate()
        return said


@pytest.fixture
def spoken() -> Spoken:
    return Spoken()


def test_values_are_shown_and_the_last_is_kept(spoken: Spoken) -> None:
    assert spoken.say("1 + 1") == ("2\n", "")
    assert spoken.say("_ * 2.5") == ("5.0\n", "")
    assert spoken.say("x = 3") == ("", "") and spoken.say("_") == ("5.0\n", "")
    assert spoken.say("None") == ("", "") and spoken.say("_") == ("5.0\n", "")
    assert spoken.say("(x, True)") == ("(3, True)\n", "") and spoken.say("_[0]") == ("3\n", "")
    assert spoken.say(":set types on") == ("types on\n", "")
    assert spoken.say("(x, _)") == ("(3, 3)  # tuple[int, int]\n", "")


def test_carets_stand_under_the_typed_line() -> None:
    spoken = Spoken(interactive=True)
    assert spoken.say("1 + sqroot(2)") == (
        "",
        "         ^^^^^^\nCompileError: name 'sqroot' is not defined; did you mean 'sqrt'?\n",
    )
    assert not spoken.went_well
    assert spoken.say("1 / 0") == ("", "     ^^^^^\nZeroDivisionError: division by zero\n")
    spoken.say("def f(x):\n    return 1 / x\n")
    said = spoken.say("f(0)")[1]
    assert said == "  <jib-3>, line 2:\n    return 1 / x\n           ^^^^^\nZeroDivisionError: division by zero\n"
    assert spoken.say("a \x1b[31m")[1].startswith("  <jib-5>, line 1:\n    a \\x1b[31m\n      ^^^^\nParseError: ")


def test_excerpts() -> None:
    for text in ["\t\t1 +* 2", "x" * 300 + " +* 1", "1 " * 3 + "+ " * 300, "漢 = '漢字' + $"]:
        with pytest.raises(jib.JitError) as caught:
            jib.compile(text)
        lines = report.report(caught.value).split("\n")
        assert len(lines) == 4 and max(map(len, lines[:3])) < report.WIDEST + 20
        assert set(lines[2].strip()) == {"^"} and len(lines[2]) <= len(lines[1]) + 3


def test_an_exception_that_cannot_say_what_it_is() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert report.report(Mute()) == "Mute"
    assert report.report(SyntaxError()) == "SyntaxError"
    assert report.report(ValueError("a\x1bb")) == "ValueError: a\\x1bb"


def test_leaving(spoken: Spoken) -> None:
    for text in (":quit", ":q", " :quit "):
        with pytest.raises(Quit):
            spoken.say(text)


# ------------------------------------------------------------------------------------------------------- Ctrl-C


class Watched:
    """What a weak reference can be to."""


def test_ctrl_c_that_python_cannot_raise_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in the callbacks of an import that Ctrl-C meets: Python would print what is raised there, and go on."""
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(unraisable.exc_type))
    hook = sys.unraisablehook

    def work() -> None:
        watched = Watched()
        reference = weakref.ref(watched, lambda _: signal.raise_signal(signal.SIGINT))
        failing = weakref.ref(watched, lambda _: 1 // 0)
        assert reference() is failing() is watched
        del watched
        for _ in range(10_000_000):  # not for ever, if it does get lost
            pass

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with CtrlC() as ctrl_c:
            assert ctrl_c.heard_by(work) == (None, True)
            assert ctrl_c.heard_by(lambda: 42) == (42, False)  # it comes once
            signal.raise_signal(signal.SIGINT)  # and here there is nothing to hear it
            assert ctrl_c.heard_by(lambda: 43) == (43, False)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert told == [ZeroDivisionError] and sys.unraisablehook is hook
    assert capsys.readouterr() == ("", "")


def test_nothing_is_imported_while_ctrl_c_is_heard() -> None:
    """What Ctrl-C meets in an import is lost, or the import is."""
    program = """
import sys, jib
from jib.repl import plain
from jib.repl.console import Console
plain.rehearsing()()
console = Console(jib.Session(), sys.stdout, sys.stderr, interactive=True, prompt=5)
before = set(sys.modules)
for text in ("1 + 1", "def f(x):\\n    return 2.5 * x", "f(2)", "x = f(1)", "sqroot(2)", "1 +", "1 / 0"):
    console.answer(text)
assert set(sys.modules) == before, set(sys.modules) - before
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "2\n5.0\n"), done.stderr


def test_a_signal_when_the_prompt_is_over_is_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each condition of each key would make an application to ask, which takes a while, of some hundreds."""
    pytest.importorskip("prompt_toolkit")
    from prompt_toolkit.application import dummy
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output import DummyOutput

    from jib.repl.prompt import prompting

    def refuse(*_: object) -> None:
        raise AssertionError("an application is made")

    monkeypatch.setattr(dummy.DummyApplication, "__init__", refuse)
    with create_pipe_input() as keys:
        asked = prompting(jib.Session(), History(str(tmp_path / "history")), input=keys, output=DummyOutput())
        keys.send_text("1 + 1\r")
        assert asked.prompt() == "1 + 1"
        asked.app.key_processor.send_sigint()
        assert not asked.app.key_processor.input_queue
        with pytest.raises(KeyboardInterrupt):  # and while it is not over, it is heard
            asked.prompt(pre_run=lambda: asked.app.loop.call_soon(asked.app.key_processor.send_sigint))


# ------------------------------------------------------------------------------------------------------- attacks


def test_a_definition_is_shown_as_it_can_be_seen(spoken: Spoken) -> None:
    spoken.say("def f(x):\n    '\x1b[2J'\n    return x  # \x1b]0;title\x07")
    for text in (":help f", ":vars", ":ir --source f (int)", ":ast f"):
        said, _ = spoken.say(text)
        assert said and said.replace("\n", "").isprintable(), text


def test_what_is_set_is_said(spoken: Spoken) -> None:
    for text in ("fuel 1", "threads 1", "timeout 1.0", "fuel none", "types on", "types off"):
        assert spoken.say(f":set {text}") == (f"{text}\n", "")


def test_names_that_timeit_uses(spoken: Spoken) -> None:
    for name in ("call", "_i", "_it", "_t0", "_timer"):
        spoken.say(f"{name} = 3")
        assert " a call, between " in spoken.say(f":bench {name} + 1")[0]


def test_types_that_a_listing_is_for(spoken: Spoken) -> None:
    spoken.say("def f(x, y): return x")
    for types in ("(int, int)", "( int , float )", "(int, bool,)", "(f64[:],int)", "(f64[:, ::1], u8)", "(1, 2.5)"):
        assert "func f(" in spoken.say(f":ir --typed f {types}")[0], types
    start = time.perf_counter()
    assert spoken.say(f":ir f({'int ' * 1000}x)")[1]
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    "text", ["a" * 200_000 + " ", "math." * 40_000 + " ", "a(" * 100_000 + " ", "'\\'" * 10_000 + " x"]
)
def test_completion_takes_linear_time(text: str) -> None:
    start = time.perf_counter()
    complete.complete(text, jib.Session())
    assert time.perf_counter() - start < 2


def test_what_is_no_file_is_not_replaced(spoken: Spoken, tmp_path: Path) -> None:
    spoken.say("x = 1")
    pipe, link, file = tmp_path / "pipe", tmp_path / "link", tmp_path / "file"
    os.mkfifo(pipe)
    link.symlink_to(file)
    for text in (f":save {pipe}", f":cfg -o {pipe} x", f":save {tmp_path}"):
        assert "cannot write" in spoken.say(text)[1]
    assert pipe.is_fifo()
    assert spoken.say(f":save {link}")[1] == "" and link.is_symlink() and "x = 1" in file.read_text()
    taken = tmp_path / f"other.{os.getpid()}-{get_ident()}"
    taken.write_text("not ours")
    assert "cannot write" in spoken.say(f":save {tmp_path / 'other'}")[1] and taken.read_text() == "not ours"


def test_a_text_without_an_end_is_given_away() -> None:
    pieces = chunks.Chunks(longest=100)
    texts = [found for _ in range(1000) for found in pieces.add("(")]
    assert len(texts) == 19 and {len(text) for _, text in texts} == {101} and texts[1][0] == 52
    assert list(chunks.Chunks(longest=100).add("1" * 200)) == [(1, "1" * 200)]


def test_a_history_is_not_for_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readline = pytest.importorskip("readline")
    added: list[str] = []
    for name in ("set_completer", "set_completer_delims", "parse_and_bind"):
        monkeypatch.setattr(readline, name, lambda *_: None)
    monkeypatch.setattr(readline, "add_history", added.append)
    path = tmp_path / "history"
    path.write_bytes(b"1\n\0\n\x1b[2J\n\xc2\x9b2J\nif a:\\n  b\n")
    plain._readline(jib.Session(), History(str(path)))
    assert added == ["1", "if a:\n  b"]


def test_what_people_are_used_to() -> None:
    spoken = Spoken(interactive=True)
    assert (
        spoken.say("sqrt?")
        == spoken.say("?sqrt")
        == spoken.say("help(sqrt)")
        == ("sqrt(x, /)\n    The square root.\n", "")
    )
    assert spoken.say("help()")[0] == spoken.say(":help")[0] and max(map(len, spoken.say("?")[0].split("\n"))) < 96
    assert " a call, between " in spoken.say("%timeit 1 + 1")[0]
    for text in ("exit", "quit()"):
        with pytest.raises(Quit):
            spoken.say(text)
    spoken.say("exit = 3")
    assert spoken.say("exit") == ("3\n", "")
    piped = Spoken()
    assert "exit" in piped.say("exit")[1]


def test_a_function_is_no_value_but_is_shown(spoken: Spoken) -> None:
    spoken.say("def f(x: int, y=2): return x + y")
    assert spoken.say("f") == ("f(x: int, y=2)  # a function; :help f shows it\n", "")
    assert spoken.say(":help f") == ("def f(x: int, y=2): return x + y\n", "")
    assert spoken.say(":help while")[0].startswith("while is a word of the language")
    said = spoken.say(":asm f")[1]
    assert (
        said.startswith("f() does not say the types of its parameters: :asm f(1, 2.5) is for")
        and "\n" not in said.strip()
    )
    assert "vaddsd" in spoken.say(":asm f(1, 2.5)")[0]
    assert "Parameter name='x'" in spoken.say(":ast f")[0]
    assert "'string'" in spoken.say(":asm f (float, string)")[1]
    assert spoken.say(":asm --foo f(1)")[1].startswith(
        "there is no option --foo; :asm has --source, --bytes, --target, -o"
    )
    assert ":ir has no --opt" in spoken.say(":ir --opt f(1)")[1]
    spoken.say("foo = 2")
    assert "block0" in spoken.say(":ir --foo")[0]  # minus minus


def test_comments_and_nothing(spoken: Spoken) -> None:
    spoken.say("1 + 2")
    for text in ("# a comment", "", "  \n# another\n"):
        assert spoken.say(text) == ("", "") and spoken.went_well
    assert spoken.say(":type") == ("int\n", "")  # of what was run last


def test_forgetting(spoken: Spoken) -> None:
    spoken.say("def a(): return 1\nb = 2")
    spoken.say("def f(): return a()")
    assert "f() does not fit any more" in spoken.say(":reset a")[1]
    assert [line.split()[0] for line in spoken.say(":vars")[0].splitlines()] == ["b", "f"]
    assert spoken.say(":reset nothing") == ("", "there is no name nothing\n")
    assert spoken.say(":vars now") == ("", ":vars takes nothing\n")
    spoken.say(":reset")
    assert spoken.say(":vars") == ("no names yet\n", "")


def test_files(spoken: Spoken, tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    assert spoken.say(f":save {tmp_path}/s.jib")[0].startswith("0 names in ")
    assert spoken.say(f":load {tmp_path}/s.jib") == ("there is nothing in it\n", "")
    np.save(tmp_path / "data.npy", np.arange(3.0))
    np.save(tmp_path / "no name.npy", np.arange(3.0))
    np.save(tmp_path / "words.npy", np.array(["a"]))
    assert spoken.say(f":load {tmp_path}/data.npy") == ("data is f64[::1] of shape (3,)\n", "")
    assert spoken.say("sum(data)") == ("3.0\n", "")
    assert "no name is no name" in spoken.say(f":load {tmp_path}/no name.npy")[1]
    assert not spoken.say(f":load {tmp_path}/words.npy")[0] and not spoken.say(f":load {tmp_path}/none.npy")[0]
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY\x01\x00garbage")
    assert "cannot read" in spoken.say(f":load {tmp_path}/broken.npy")[1]
    assert spoken.say(":cfg -o x.png data[0]") == ("", "pictures are in SVG: name a file that ends in .svg\n")
    assert "digraph" in (spoken.say(f":cfg -o {tmp_path}/g.dot data[0]") and (tmp_path / "g.dot").read_text())


def test_lines_of_a_listing_are_numbered(spoken: Spoken) -> None:
    assert spoken.say(":explain")[1].startswith("nothing to explain yet")
    spoken.say(":asm 1.5 * 2")
    lines = spoken.say(":explain")[0].rstrip("\n").split("\n")
    width = len(str(len(lines)))
    assert [line[: width + 2] for line in lines] == [f"{number:{width}}  " for number in range(1, len(lines) + 1)]
    code = next(number for number, line in enumerate(lines, 1) if line.endswith("; 1:1"))
    assert spoken.say(f":explain {code}")[0] == "<jib-prepare>:1:1\n1.5 * 2\n^^^^^^^\n"


def test_budgets_name_their_setting(spoken: Spoken) -> None:
    assert spoken.say(":set fuel 10")[0] == "fuel 10\n"
    assert ":set fuel N allows more" in spoken.say("while True: pass")[1]
    assert spoken.say(":set fuel off") == ("fuel none\n", "")
    assert spoken.say(":set timeout None") == ("timeout none\n", "")


def test_carets_do_not_stand_under_what_was_printed() -> None:
    spoken = Spoken(interactive=True)
    assert spoken.say("print(1); 1 / 0")[1].startswith("  <jib-1>, line 1:\n    print(1); 1 / 0\n")
