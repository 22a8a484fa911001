"""The parser's table: that it is the grammar's, what it needs and leaves behind; and Lark itself afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import jib.mistakes
import jib.parse
from jib import grammar
from jib import table as shipped


def run_in_a_process(code: str, **environment: str) -> str:
    path = os.path.dirname(os.path.dirname(jib.parse.__file__))
    environment = {**os.environ, "PYTHONPATH": path, **environment}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


USE = "from jib.parse import parse, Source; print(parse(Source('a + 1')).body[0].value.op)"


@pytest.fixture(scope="module")
def table():
    return grammar.build(grammar.read())


def test_the_table_is_the_grammars(table):
    """If this fails, `make table` has been forgotten."""
    assert grammar.read() == shipped.GRAMMAR
    assert table == (shipped.RULES, shipped.PATTERNS, shipped.TEXTS, shipped.SYMBOLS, shipped.STATES)
    assert Path(shipped.__file__).read_text(encoding="utf-8") == grammar.written(grammar.read(), table)


def test_lark_is_not_loaded_and_nothing_is_written(tmp_path):
    loaded = USE + "\nimport sys; print([name for name in sys.modules if name.startswith('lark')])"
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    assert run_in_a_process(loaded, **home) == "add\n[]"
    assert os.listdir(tmp_path) == []


def test_a_table_leads_nowhere_outside(table):
    """Every number is a state, a rule or a line of symbols, and every state has as many steps as symbols."""
    for line in table.states:
        kind, *steps = map(int, line.split(" "))
        assert len(steps) == len(table.symbols[kind].split(" "))
        assert all(-len(table.rules) <= step < len(table.states) for step in steps)
    assert min(size for _, size, _ in table.rules) == 1


def test_a_changed_grammar_is_read_anew(monkeypatch):
    """Who works on the grammar sees at once what it does."""
    changed = grammar.read().replace('DIVIDE: "//" | "%"', 'DIVIDE: "//" | "%" | "!"')
    assert changed != grammar.read()
    monkeypatch.setattr(jib.parse, "_parser", None)
    monkeypatch.setattr(grammar, "read", lambda: changed)
    assert jib.parse.lexicon().operators["!"] == "DIVIDE"
    assert jib.parse.parse(jib.parse.Source("a // b ** 2")).body[0].value.op == "floordiv"


def test_lark_afterwards():
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
    assert run_in_a_process(after) == "add\nmul\nexpected an expression after '*'"
    assert run_in_a_process("import lark\n" + after) == "add\nmul\nexpected an expression after '*'"


def test_threads_that_need_the_parser_first():
    threads = "\n".join(
        [
            "import sys, threading; sys.setswitchinterval(1e-6)",
            "from jib.parse import parse, Source",
            "def use():\n  begin.wait(); done.append(parse(Source('a + 1')).body[0].value.op)",
            "done = []; begin = threading.Barrier(4)",
            "threads = [threading.Thread(target=use) for _ in range(4)]",
            "for t in threads: t.start()",
            "for t in threads: t.join()",
            "print(done)",
        ]
    )
    for _ in range(5):
        assert run_in_a_process(threads) == str(["add"] * 4)


def test_the_grammar_has_no_conflicts(caplog):
    import logging

    import lark

    level = lark.logger.level
    lark.logger.setLevel(logging.DEBUG)
    lark.logger.propagate = True
    try:
        with caplog.at_level(logging.DEBUG, logger="lark"):
            grammar.build(grammar.read())
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
    assert set(TERMINALS) <= {name for name, _ in table.patterns} | {name for _, name in table.texts}
