"""The parser's table: built from the grammar, saved, read, spoilt; and Lark itself afterwards."""

# ruff: noqa: E501 (tables of samples)

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import jib.mistakes
import jib.parse


def run_in_a_process(code: str, **environment: str) -> str:
    path = os.path.dirname(os.path.dirname(jib.parse.__file__))
    environment = {**os.environ, "PYTHONPATH": path, **environment}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


USE = "from jib.parse import parse, Source; print(parse(Source('a + 1')).body[0].value.op)"


def test_the_table_is_saved_and_loaded(tmp_path):
    cache = str(tmp_path / "new" / "cache")
    assert run_in_a_process(USE, JIB_CACHE_DIR=cache) == "add"
    [name] = os.listdir(cache)
    assert name.startswith("parser-") and name.endswith(".txt")
    loads_nothing_else = (
        USE + "\nimport sys; print('lark' in sys.modules, any(n.startswith('lark') for n in sys.modules))"
    )
    assert run_in_a_process(loads_nothing_else, JIB_CACHE_DIR=cache) == "add\nFalse False"
    assert os.listdir(cache) == [name]


def test_the_cache_directory_of_the_platform(tmp_path):
    assert run_in_a_process(USE, JIB_CACHE_DIR="", XDG_CACHE_HOME=str(tmp_path)) == "add"
    if sys.platform not in ("win32", "darwin"):
        assert os.listdir(tmp_path) == ["jib"]


@pytest.fixture(scope="module")
def table():
    return jib.parse._build(jib.parse._grammar())


def test_a_table_reads_as_it_was_written(table, tmp_path):
    path = str(tmp_path / "table")
    table.write(path)
    assert os.listdir(tmp_path) == ["table"]
    assert vars(jib.parse._Table.read(path)) == vars(table)


def test_spoilt_tables(table, tmp_path, monkeypatch):
    """Truncated, altered, empty, binary, a directory: built anew, and the answer is right. Also when the checksum is right."""
    saved = table.text()
    good = f"{jib.parse._digest(saved)}\n{saved}".encode()
    lines = saved.split("\n")
    forged = ["", "1", "0 0 0 0\n", "-1 -1 -1 -1", "9 9 9 9", "\n".join(lines[:50]), "\n".join(lines[:1] + lines[2:]), "\n".join(lines[:-1] + ["1 2 x"]),
              "\n".join(lines[:-1] + ["99999"]), saved.replace("binary", "nothing"), saved.replace(" 3 ", " 4 ")]  # fmt: skip
    spoilt = [
        b"",
        b"\0",
        good[:-1],
        good[:1000],
        good + b"\n",
        good.replace(b"SIGN", b"SIGM", 1),
        b"\xff\xfe" * 1000,
        os.urandom(3000),
    ]
    spoilt += [f"{jib.parse._digest(text)}\n{text}".encode() for text in forged[:9]]
    monkeypatch.setattr(jib.parse, "_build", lambda grammar: table)
    monkeypatch.setenv("JIB_CACHE_DIR", str(tmp_path))
    path = jib.parse._cache_path(jib.parse._grammar())
    for content in spoilt:
        with open(path, "wb") as file:
            file.write(content)
        monkeypatch.setattr(jib.parse, "_parser", None)
        assert jib.parse.parse(jib.parse.Source("a + 1")).body[0].value.op == "add"
        with open(path, "rb") as file:
            assert file.read() == good
    os.unlink(path)
    os.mkdir(path)
    monkeypatch.setattr(jib.parse, "_parser", None)
    assert jib.parse.parse(jib.parse.Source("a + 1")).body[0].value.op == "add"
    assert os.listdir(tmp_path) == [os.path.basename(path)]


def test_no_place_for_the_table(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    assert run_in_a_process(USE, JIB_CACHE_DIR=str(file / "below")) == "add"
    assert run_in_a_process(USE, JIB_CACHE_DIR="/proc/nowhere") == "add"


def test_lark_afterwards(tmp_path):
    """A program may use Lark itself, before and after; both get what they need."""
    after = "\n".join(
        [
            USE,
            "import lark, lark.lexer, lark.parsers.lalr_parser",
            "assert lark.lexer.Token is lark.Token and lark.__version__ and lark.__file__",
            "l = lark.Lark('start: \"a\"+', parser='lalr'); l.parse('aaa')",
            "try: l.parse('b')\nexcept lark.UnexpectedInput: pass",
            "print(parse(Source('b * 2')).body[0].value.op)",
            "from jib.errors import ParseError",
            "try: parse(Source('b *'))\nexcept ParseError as e: print(e.msg)",
        ]
    )
    cache = str(tmp_path)
    for _ in range(2):  # building the table, loading it
        assert run_in_a_process(after, JIB_CACHE_DIR=cache) == "add\nmul\nexpected an expression after '*'"
    assert (
        run_in_a_process("import lark\n" + after, JIB_CACHE_DIR=cache) == "add\nmul\nexpected an expression after '*'"
    )
    threads = "\n".join(
        [
            "import threading",
            "def use():\n  from lark import Lark\n  Lark('start: \"a\"', parser='lalr').parse('a')\n  done.append(1)",
            "done = []",
            "threads = [threading.Thread(target=use) for _ in range(4)]",
            "from jib.parse import parse, Source",
            "ours = threading.Thread(target=parse, args=(Source('a'),))",
            "ours.start()",
            "for t in threads: t.start()",
            "for t in threads: t.join()",
            "ours.join(); print(len(done))",
        ]
    )
    for _ in range(5):
        assert run_in_a_process(threads, JIB_CACHE_DIR=cache) == "4"


def test_the_grammar_has_no_conflicts(caplog):
    import logging

    import lark

    level = lark.logger.level
    lark.logger.setLevel(logging.DEBUG)
    lark.logger.propagate = True
    try:
        with caplog.at_level(logging.DEBUG, logger="lark"):
            jib.parse._build(jib.parse._grammar())
    finally:
        lark.logger.setLevel(level)
    assert not [record.message for record in caplog.records if "onflict" in record.getMessage()]


def test_pythons_keywords_are_ours_or_foreign():
    import keyword

    words = jib.parse._make_parser().lexicon.words
    assert set(keyword.kwlist) == set(words)
    assert all(explained in jib.mistakes._WORDS for explained, kind in words.items() if kind == "FOREIGN")


def test_every_action_is_used(table):
    from jib.actions import ACTIONS, TERMINALS

    assert set(ACTIONS) <= {action for _, _, action in table.rules}
    assert set(TERMINALS) <= {name for name, _, _ in table.terminals}
