"""What the pages show is what happens: README.md and docs/ run, and what they say of tables and files is compared.

Every `>>>` runs and gives what stands under it; one page is one session, and spaces count. Fences of code blocks are blanked first: to
doctest a closing fence would be expected output. In a block marked `console` every line with `$ python -m jib` runs, or pipes into it
with `$ printf`, and prints the lines under it. On docs/examples.md so does every `$ python examples/`, in an empty folder, where `...`
stands for what may differ; what a block marked `python` shows there is in the example of its section.
The lines that a block marked `diff` changes are in the file that it names. docs/builtins.md is what docs/tables.py makes of the table of
builtins. What is named in backticks as a file, a test or a target of make is there, and links lead to files and headings, also where nobody
has built the site; docs/reference.md has every public name, and each has a docstring with an example.
"""

from __future__ import annotations

import doctest
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import traceback
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

import jib
from jib import _native

ROOT = Path(__file__).parent.parent
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
}
FENCE = re.compile(r"^[ \t]*(```|~~~).*$", re.MULTILINE)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def with_notes(kind: type[BaseException], error: BaseException) -> list[str]:
    """What Python prints of an exception since 3.11, its notes included, from its name on and in one piece."""
    lines = "".join(traceback.format_exception_only(kind, error)).splitlines(keepends=True)
    while lines[0][0] == " ":  # file, line and caret of a SyntaxError
        lines.pop(0)
    text = "".join(lines)
    # Python 3.10 prints notes too once pytest has brought exceptiongroup along.
    return [text + "".join([f"{note}\n" for note in getattr(error, "__notes__", []) if note not in text])]


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if ">>>" in text])
def test_examples_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.version_info < (3, 11):  # doctest there compares the last line of what is printed of an exception
        monkeypatch.setattr(
            doctest, "traceback", SimpleNamespace(**{**vars(traceback), "format_exception_only": with_notes})
        )
    text = FENCE.sub("", TEXTS[name])
    examples = doctest.DocTestParser().get_doctest(text, {"__name__": "__main__"}, name, name, 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    if runner.run(examples, out=report.append).failed:
        pytest.fail("".join(report), pytrace=False)


CONSOLE = [
    (words, printed)
    for text in TEXTS.values()
    for block in blocks(text, "console")
    for words, printed in re.findall(r"^\$ python -m jib (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]


@pytest.mark.parametrize(("words", "printed"), CONSOLE)
def test_commands_print(words: str, printed: str) -> None:
    command = [sys.executable, "-X", "utf8", "-m", "jib", *shlex.split(words)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=60, env=os.environ
    )
    assert done.stdout == printed


PIPED = [
    found
    for text in TEXTS.values()
    for block in blocks(text, "console")
    for found in re.findall(r"^\$ (printf .* \| python -m jib.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]


@pytest.mark.skipif(os.name != "posix", reason="a shell's pipes")
@pytest.mark.parametrize(("line", "printed"), PIPED)
def test_pipes_print(line: str, printed: str) -> None:
    command = line.replace("python -m jib", f"{shlex.quote(sys.executable)} -X utf8 -m jib")
    done = subprocess.run(
        command,
        shell=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        env=os.environ,
    )
    assert done.stdout == printed


GALLERY = TEXTS["docs/examples.md"]
PROGRAMS = [
    found
    for block in blocks(GALLERY, "console")
    for found in re.findall(r"^\$ python examples/(\S+)(.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]


@pytest.mark.parametrize(("program", "words", "printed"), PROGRAMS)
def test_examples_print(program: str, words: str, printed: str, tmp_path: Path) -> None:
    command = [sys.executable, "-X", "utf8", str(ROOT / "examples" / program), *shlex.split(words)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, cwd=tmp_path, env=os.environ)
    assert done.returncode == 0, done
    for name in re.findall(r"^(\w+) is not installed$", done.stdout, re.MULTILINE):
        assert find_spec(name.lower()) is None and shutil.which(name) is None
        pytest.skip(f"{name} is not installed")
    if done.stdout.startswith("there is no routine for "):
        pytest.skip(done.stdout)
    assert doctest.OutputChecker().check_output(printed, done.stdout, doctest.ELLIPSIS), done.stdout


def test_the_gallery_has_every_example_and_its_texts() -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py")}
    assert set(re.findall(r"\]\(\.\./examples/(\w+\.py)\)", GALLERY)) == files.keys()
    assert {program for program, _, _ in PROGRAMS} == files.keys() - {"profile_me.py", "callgrind_names.py"}
    shown = 0
    for section in re.split(r"^##+ ", GALLERY, flags=re.MULTILINE)[1:]:
        for block in blocks(section, "python"):
            (name,) = set(re.findall(r"\]\(\.\./examples/(\w+\.py)\)", section))
            assert block in files[name]
            shown += 1
    assert shown == len(blocks(GALLERY, "python")) > 0


CHANGES = [
    (name, path, lines)
    for name, text in TEXTS.items()
    for block in blocks(text, "diff")
    for path, lines in re.findall(r"^\+\+\+ (\S+)\n((?:(?!\+\+\+ ).*\n)*)", block, re.MULTILINE)
]


@pytest.mark.parametrize(("name", "path", "lines"), CHANGES)
def test_changes_would_apply(name: str, path: str, lines: str) -> None:
    there = "".join(line[1:] + "\n" for line in lines.splitlines() if line[:1] in (" ", "-") and line.strip())
    assert there in (ROOT / path).read_text(encoding="utf-8")


def test_the_page_of_builtins_is_made_of_their_table() -> None:
    made = runpy.run_path(str(ROOT / "docs/tables.py"))["page"]()
    assert TEXTS["docs/builtins.md"] == made, (
        "docs/builtins.md is older than the table: `make docs-tables` writes it anew"
    )


#: What a page says is there: a file of the tree, perhaps one of several, or a test in one.
NAMED = re.compile(r"(?<![\w/.])(?:tests|benches|examples|rust|python|grammar|docs)/[\w/.*-]+(?:::\w+)?")


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "CHANGELOG.md"])
def test_files_and_tests_that_pages_name_are_there(name: str) -> None:
    text = re.sub(r"^```diff\n.*?^```$", "", TEXTS[name], flags=re.MULTILINE | re.DOTALL)
    missing = []
    for words in re.findall(r"`([^`\n]+)`", text):
        for named in NAMED.findall(words):
            path, _, test = named.partition("::")
            found = [*ROOT.glob(path.rstrip("/."))]
            if not found or (test and f"def {test}(" not in found[0].read_text(encoding="utf-8")):
                missing.append(named)
    assert not missing


def test_targets_of_make_that_pages_name_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for name, text in TEXTS.items():
        named = re.findall(r"`make ([a-z-]+)", text) + re.findall(r"^make ([a-z-]+)", text, re.MULTILINE)
        assert set(named) <= targets, name


LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere_in_plain_markdown_too(name: str) -> None:
    text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", TEXTS[name], flags=re.MULTILINE | re.DOTALL)
    for path, anchor in LINK.findall(text):
        target = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        assert target.exists(), path
        if anchor:
            headings = re.findall(r"^#+ (.*)$", TEXTS[target.relative_to(ROOT).as_posix()], re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings], anchor


def test_the_first_page_has_every_other() -> None:
    pages = {name.removeprefix("docs/") for name in TEXTS if name.startswith("docs/")} - {"index.md"}
    listed = re.findall(r"^- \[.+?\]\((\S+\.md)\): ", TEXTS["docs/index.md"], re.MULTILINE)
    assert {path.rpartition("/")[2].lower() for path in listed} == pages
    assert len(listed) == len(pages)


def test_examples_of_the_extension_run() -> None:
    """Docstrings of Rust, which doctest finds in no file."""
    seen = 0
    for owner in (_native, _native.Callable, _native.Extern, _native.Pointer):
        for name, value in vars(owner).items():
            if not isinstance(value, type) and ">>>" in (getattr(value, "__doc__", None) or ""):
                examples = doctest.DocTestParser().get_doctest(value.__doc__, {}, name, name, 0)
                report: list[str] = []
                assert not doctest.DocTestRunner().run(examples, out=report.append).failed, "".join(report)
                seen += 1
    assert seen >= 3


PUBLIC = [name for name in jib.__all__ if callable(getattr(jib, name))]


@pytest.mark.parametrize("name", PUBLIC)
def test_the_reference_has_every_name_with_an_example(name: str) -> None:
    assert re.search(rf"^\.\. auto\w+:: jib\.{name}\b", TEXTS["docs/reference.md"], re.MULTILINE)
    found = getattr(jib, name)
    assert ">>>" in found.__doc__
    if isinstance(found, type):
        for member, value in vars(found).items():
            said = value.fget if isinstance(value, property) else value
            assert member.startswith("_") or not callable(said) or said.__doc__, f"{name}.{member}"
