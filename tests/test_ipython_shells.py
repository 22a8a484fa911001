"""jib in the shells of IPython: completion, loading, display, terminals, and a kernel with a notebook."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("IPython", minversion="8.12")

from ipython_shell import GCD, Shell, alone, values


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return alone(str(tmp_path_factory.mktemp("ipython")))


@pytest.fixture(scope="module")
def shell(environment: dict[str, str]) -> Shell:
    return Shell(environment)


# ----------------------------------------------------------------------------------------------------- completion

COMPLETE = """
from IPython.core.completer import provisionalcompleter
def complete(text):
    with provisionalcompleter():
        return sorted({each.text for each in get_ipython().Completer.completions(text, len(text))})
"""


def test_completion(shell: Shell) -> None:
    texts = {
        "%jib sq": ["sqrt", "square"],
        "y = %jib math.hy": ["math.hypot"],
        "%jib 1/lc": ["lcm"],
        "%%jib\nwhi": ["while"],
        "%%jib\ndef foo(alpha):\n    return alp": ["alpha"],
        "%%jib\nraise Zero": ["ZeroDivisionError"],
        "%%jib\nx: f6": ["f64"],
        "%%jib --dump c": ["cfg", "clif", "clif-opt"],
        "%%jib --d": ["--dump"],
        "%%jib --engine ": ["auto", "interpreter", "native"],
        "%%jib --arithmetic n": ["numpy"],
        "%jib cou": ["count", "count_nonzero"],
    }
    answers = shell(
        GCD, COMPLETE + "count = 3", *[f"complete({text!r})" for text in texts], "complete('math_x = 1; coun')"
    )
    assert [answer.value for answer in answers[2:-1]] == [str(found) for found in texts.values()]
    assert "count" in str(answers[-1].value) and "count_nonzero" not in str(answers[-1].value)


# -------------------------------------------------------------------------------------------------- loading, display


def test_unloading_takes_everything_away(shell: Shell) -> None:
    state = (
        "(dict(ip.magics_manager.magics['line']).keys() - before[0], len(ip.Completer.custom_matchers) - before[1], "
        "ip.custom_exceptions == before[2], 'JibMagics' in ip.magics_manager.registry)"
    )
    answers = shell(
        "%unload_ext jib",
        "ip = get_ipython(); before = "
        "(dict(ip.magics_manager.magics['line']).keys(), len(ip.Completer.custom_matchers), ip.custom_exceptions)",
        "%load_ext jib",
        "%load_ext jib",
        state,
        "import jib; jib.load_ipython_extension(ip)",
        state,
        "%unload_ext jib",
        state,
        "%jib 1",
        "import jib; jib.compile('1 +')",
        "%load_ext jib",
        "%jib 1 + 1",
        "%reload_ext jib",
        "%jib 2 + 1",
    )
    loaded = "({'jib'}, 1, False, True)"
    assert (answers[4].value, answers[6].value, answers[8].value) == (loaded, loaded, "(set(), 0, True, False)")
    assert answers[9].error == "UsageError"
    assert "api.py" in answers[10].out
    assert (answers[12].value, answers[14].value) == ("2", "3")


def test_other_peoples_exceptions_stay_theirs(shell: Shell) -> None:
    answers = shell(
        "%unload_ext jib",
        "def show(self, kind, value, trace, tb_offset=None): print('theirs', kind.__name__)",
        "get_ipython().set_custom_exc((LookupError,), show)",
        "%load_ext jib",
        "[][1]",
        "%jib 1 +",
        "1 / 0",
        "%unload_ext jib",
        "{}[1]",
    )
    assert answers[4].out == "theirs IndexError\n" and answers[8].out == "theirs KeyError\n"
    assert "ParseError: expected an expression" in answers[5].out and "Traceback" in answers[6].out


def test_functions_have_html(shell: Shell) -> None:
    answers = shell(
        GCD,
        "lcm(2, 3); html = lcm._repr_html_(); wanted = 'lcm(a, b)', '<pre style=', '<td>int, int</td><td>int</td>', '</table>'",
        "all(word in html for word in wanted)",
        "import jib; jib.compile('def f(x): return x < 1 # </pre><script>')._repr_html_().count('<script>')",
        "get_ipython().display_formatter.format(lcm)[0].keys() == {'text/plain', 'text/html'}",
        "get_ipython().display_formatter.format(lcm)[0]['text/plain']",
    )
    assert values(answers)[2:] == ["True", "0", "True", "'<jib function lcm(a, b)>'"]


def test_the_page_shows_what_happens(shell: Shell) -> None:
    """Blocks marked `ipython` in docs/notebooks.md, one session in all; spaces count but at the ends of lines."""
    text = (Path(__file__).parent.parent / "docs" / "notebooks.md").read_text(encoding="utf-8")
    lines = "\n".join(re.findall(r"^```ipython\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)).split("\n")
    cells: list[list[str]] = []
    printed: list[list[str]] = []
    for line in lines:
        if line.startswith("In ["):
            assert line.startswith(f"In [{len(cells) + 1}]: ")
            cells.append([line.partition("]: ")[2]])
            printed.append([])
        elif line.startswith("   ...: "):
            cells[-1].append(line.removeprefix("   ...: "))
        else:
            printed[-1].append(line.rstrip())
    assert len(cells) > 10 and cells[0] == ["%load_ext jib"]
    for answer, shown in zip(shell(*["\n".join(cell) for cell in cells[1:]]), printed[1:]):
        out = [line.rstrip() for line in answer.out.split("\n")]
        assert [line for line in out if line] == [line for line in shown if line]


def test_listings_are_lines(shell: Shell) -> None:
    """What `f.dump()` gives, where it is more than a text."""
    answers = shell(
        "import sys, types\nclass Listing(str): stage = 'ir'\nListing.__module__ = 'jib.listing'",
        "Listing('%1 = add\\n\x1b[31m')",
        "%unload_ext jib",
        "Listing('a\\nb')",
    )
    assert answers[1].out == "Out[3]: \n%1 = add\n\\x1b[31m\n" and answers[3].out == "Out[5]: 'a\\nb'\n"


# ------------------------------------------------------------------------------------------- terminals and kernels


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to one process")
def test_ctrl_c(environment: dict[str, str]) -> None:
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\nimport signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "shell = InteractiveShell.instance(colors='NoColor')\nshell.run_cell('%load_ext jib')\nshell.run_cell('x = 5')\n"
        "print('ready', flush=True)\n"
        "done = shell.run_cell('%%jib\\nx = 6\\nwhile True:\\n    x = (x + 1) % 7')\n"
        "print(type(done.error_in_exec).__name__, shell.user_ns['x'], shell.run_cell('%jib x + 1').result)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        assert child.stdout is not None
        lines: list[str] = []
        for line in child.stdout:
            lines.append(line)
            if line == "ready\n":
                time.sleep(1.0)
                child.send_signal(signal.SIGINT)
        assert child.wait(60) == 0
    assert lines[-1] == "KeyboardInterrupt 5 6\n", lines
    assert not any("integrations" in line for line in lines)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_dumps_have_colours_in_terminals(environment: dict[str, str]) -> None:
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\nshell.run_cell('%load_ext jib')\n"
        "shell.run_cell('%%jib --dump ir\\ndef f(x): return x * 0.5')\n"
        "shell.colors = 'NoColor' if len(shell.colors) and shell.colors[0].isupper() else 'nocolor'\n"
        "shell.run_cell('%%jib --dump ast\\ndef f(x): return x * 0.5')\n"
    )
    import pty

    main, side = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=side, stderr=side, stdin=side) as child:
        os.close(side)
        text = b""
        while True:
            try:
                part = os.read(main, 4096)
            except OSError:  # Linux, when the other side is closed
                break
            if not part:
                break
            text += part
        assert child.wait(60) == 0
    os.close(main)
    assert b"\x1b[32m0.5\x1b[39m" in text
    assert b"\x1b" not in text[text.index(b"Program @1:1") :]


NOTEBOOK = [
    "%load_ext jib\nimport numpy as np\na = np.arange(3.0)",
    "%%jib\ndef f(x): return x * 2 + k\nk = 3\nf(4)",
    "f(2), k",
    "%jib a * k",
    '%%jib --dump clif --signature "(float)"\ndef g(x): return sqrt(x)',
    "%%jib\nprint(k, 0.5)",
    "g",
    "%%jib\ndef h(x):\n    return x +",
    "%%jib\n\n1 // (k - 3)",
    "h",
    "print(k)",
]


def test_a_notebook(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # A kernel of this interpreter, whatever is installed beside it.
    folder = Path(environment["JUPYTER_DATA_DIR"]) / "kernels" / "jib-test"
    folder.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "test", "language": "python"}))
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in NOTEBOOK])
    nbclient.NotebookClient(book, timeout=120, allow_errors=True, kernel_name="jib-test").execute()
    outputs: list[Any] = [cell.outputs[0] if cell.outputs else None for cell in book.cells]
    assert outputs[1].data == {"text/plain": "11"}
    assert outputs[2].data["text/plain"] == "(7, 3)"
    assert outputs[3].data["text/plain"] == "array([0., 3., 6.])"
    assert "sqrt.f64" in outputs[4].data["text/plain"] and "\x1b" not in outputs[4].data["text/plain"]
    assert outputs[4].data["text/html"].startswith("<pre style=") and "sqrt.f64</span>" in outputs[4].data["text/html"]
    assert outputs[5].text == "3 0.5\n"
    assert outputs[6].data["text/plain"] == "<jib function g(x)>" and "<table>" in outputs[6].data["text/html"]
    assert (outputs[7].ename, outputs[8].ename, outputs[9].ename) == ("ParseError", "ZeroDivisionError", "NameError")
    for output, line in [(outputs[7], "line 3"), (outputs[8], "line 3")]:
        trace = "\n".join(output.traceback)
        assert line in trace and "^" in trace and "integrations" not in trace and "site-packages" not in trace
    assert outputs[10].text == "3\n"
