"""The benchmark: how it measures, what it says, how it compares; and `python -m jib bench` itself, with few rounds. No time is asserted."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jib
from jib.bench import cli, kernels, machine, peers, run, say, texts
from jib.bench.measure import QUICK, Cell, Disagreement, Meter, Plan, Turns, agree, geometric, timed
from jib.bench.say import Table, grid, markdown, report

ROOT = Path(__file__).parents[1]
PLAN = Plan(rounds=4, seconds=0.0, most=100.0)


@pytest.fixture(scope="module")
def compare() -> Iterator[Any]:
    sys.path.insert(0, str(ROOT / "benches"))
    yield importlib.import_module("compare")
    sys.path.remove(str(ROOT / "benches"))


# --------------------------------------------------------------------------------------------- how it measures


def test_contenders_have_turns_in_each_round() -> None:
    order: list[str] = []

    def case(name: str, seconds: float) -> Any:
        def run() -> float:
            order.append(name)
            return seconds * len(order)

        return run

    turns = Meter(PLAN).in_turns({"a": case("a", 1.0), "b": case("b", 10.0)})
    assert order == ["a", "b"] * 5  # the first round does not count
    assert turns.taken == {"a": [3.0, 5.0, 7.0, 9.0], "b": [40.0, 60.0, 80.0, 100.0]}
    assert turns.ratio("b", "a")["b / a"] == Cell.of([40 / 3, 12.0, 80 / 7, 100 / 9], "x")
    assert turns.ratio("b", "c") == {} and turns.ratio("c", "a") == {}


def test_slow_ones_have_fewer_turns_spread_over_the_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("jib.bench.measure.perf_counter", lambda: now[0])

    def case(seconds: float) -> Any:
        def run() -> float:
            now[0] += seconds
            return seconds

        return run

    turns = Meter(PLAN._replace(most=2.5)).in_turns({"quick": case(0.1), "slow": case(1.0), "slowest": case(9.0)})
    assert turns.taken["quick"] == [0.1] * 4
    assert turns.taken["slow"] == [None, 1.0, None, 1.0]
    assert turns.taken["slowest"] == [None, None, None, 9.0]
    # Of rounds that both were in; of medians, if these are fewer than three.
    half = Turns({"a": [1.0, 2.0, 4.0, 8.0], "b": [None, 4.0, 4.0, 4.0]})
    assert half.ratio("b", "a") == {"b / a": Cell.of([2.0, 1.0, 0.5], "x")}
    assert turns.ratio("slow", "quick") == {"slow / quick": Cell(10.0, 10.0, 10.0, 1, "x")}
    apart = Turns({"a": [2.0, None], "b": [None, 8.0]})
    assert apart.ratio("b", "a") == {"b / a": Cell(4.0, 4.0, 4.0, 1, "x")}


def test_what_takes_too_long_at_once_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now, done = [0.0], []

    def work() -> None:
        done.append(1)
        now[0] += 7.0

    monkeypatch.setattr(Plan, "clock", lambda plan: lambda: now[0])
    turns = Meter(PLAN._replace(most=2.0)).compete({"slow": work})
    assert len(done) == 1 and turns.values("slow") == [7.0]


def test_work_is_repeated_for_the_length_of_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    now, done, before, forgot = [0.0], [], [], []

    def work() -> None:
        done.append(1)
        now[0] += 0.25

    monkeypatch.setattr(Plan, "clock", lambda plan: lambda: now[0])
    turns = Meter(PLAN._replace(seconds=1.0)).compete({"it": work}, {"it": lambda: before.append(1)})
    assert turns.values("it") == [0.25] * 4
    assert len(done) == 2 + 4 * 4 and len(before) == 2 + 4
    done.clear()
    turns = Meter(PLAN._replace(seconds=1.0)).compete({"it": work}, forget=lambda: forgot.append(1))
    assert turns.values("it") == [0.25] * 4 and len(done) == len(forgot) == 2 + 4 * 4


def test_what_is_forgotten_is_off_the_clock_and_a_turn_is_its_middle() -> None:
    now = [0.0]
    took = iter([1.0, 50.0, 2.0])

    def forget() -> None:
        now[0] += 1000.0

    def work() -> None:
        now[0] += next(took)

    assert timed(work, 3, lambda: now[0], forget=forget)() == 2.0


def test_cells() -> None:
    assert Cell.of([5.0]) == Cell(5.0, 5.0, 5.0, 1)
    assert Cell.of([4.0, 1.0, 3.0, 2.0, 5.0], best=True) == Cell(1.0, 1.0, 2.0, 5)
    assert Cell(2.0, 1.5, 2.5, 9).spread == 0.25
    assert Cell(16.0, 16.0, 16.0, 1, "x", most=15.0).missed == pytest.approx(1 / 15)
    assert Cell(120.0, 120.0, 120.0, 1, "x", least=150.0).missed == pytest.approx(0.2)
    assert Cell(14.0, 14.0, 14.0, 1, "x", most=15.0).missed < 0
    rows = [{"r": Cell(2.0, 1.0, 4.0, 5, "x")}, {"r": Cell(8.0, 4.0, 9.0, 3, "x")}, {}]
    assert geometric(rows, ["r", "s"]) == {
        "r": Cell(pytest.approx(4.0), pytest.approx(2.0), pytest.approx(6.0), 3, "x")
    }


def test_net_of_the_loop() -> None:
    turns = Turns({"": [1.0, 2.0, 1.0], "call": [5.0, 9.0, None]}).less("")
    assert turns.taken == {"call": [4.0, 7.0, None]}


def test_progress_and_the_rows_that_are_wanted() -> None:
    told: list[tuple[float, str]] = []
    meter = Meter(PLAN._replace(rows=("b", "c")), lambda part, row: told.append((part, row)))
    for _ in meter.over(["ab", "x", "c"]):
        meter.in_turns({"": lambda: 0.0})
    assert told == [
        (0.0, "ab"), (0.0, "ab"), (0.125, "ab"), (0.25, "ab"), (0.375, "ab"),
        (0.5, "c"), (0.5, "c"), (0.625, "c"), (0.75, "c"), (0.875, "c"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        ({"CPython": 0.5, "jib": 0.5, "numexpr": 0.5000000000001}, ""),
        ({"CPython": float("nan"), "jib": float("nan")}, ""),
        ({"CPython": 0.5, "jib": 0.5000000000000001}, "t: jib answers 0.5000000000000001, CPython 0.5"),
        ({"CPython": 0.0, "jib": -0.0}, "t: jib answers -0.0, CPython 0.0"),
        ({"CPython": 2, "jib": 2.0}, "t: jib answers 2.0, CPython 2"),
        ({"CPython": 0.5, "jib": 0.5, "numba": 0.6}, "t: numba answers 0.6, CPython 0.5"),
    ],
)
def test_answers_are_compared(answers: dict[str, Any], complaint: str) -> None:
    if not complaint:
        agree("t", answers)
        return
    with pytest.raises(Disagreement) as caught:
        agree("t", answers)
    assert str(caught.value) == complaint


# --------------------------------------------------------------------------------------------- what is measured


@pytest.mark.parametrize("name", kernels.KERNELS)
def test_kernels_answer_as_cpython_does(name: str) -> None:
    from jib.bench.tables.kernels import of_c, of_python

    kernel = kernels.KERNELS[name]
    if kernel.needs_numpy:
        pytest.importorskip("numpy")
    answer = of_python(kernel)(*kernel.args())
    answers = {"CPython": answer, "jib": jib.compile(kernel.text)(*kernel.args())}
    library = peers.compiled_c((Path(kernels.__file__).with_name("kernels.c")).read_text())
    if library is not None:
        import ctypes

        result = float if isinstance(answer, float) else int
        answers["C"] = of_c(ctypes.CDLL(str(library)), kernel, result)(*kernel.args())
    agree(name, answers)


def test_texts_have_the_sizes_they_say() -> None:
    small, middle, hundred, thousand = texts.of_all_sizes()
    assert small.is_expression and middle.is_expression and not hundred.is_expression
    assert (hundred.source.count("\n"), thousand.source.count("\n")) == (100, 1000)
    for text in (small, middle, hundred, thousand):
        expected = text.python()(*text.args.values())
        agree(text.name, {"CPython": expected, "jib": jib.compile(text.source)(*text.args.values())})


@pytest.mark.parametrize("peer", peers.EVALUATORS, ids=lambda peer: peer.name)
def test_peers_that_are_here_answer(peer: peers.Peer) -> None:
    pytest.importorskip(peer.module)
    if peer.name == "numba":
        pytest.skip("compiles for seconds; the run itself compares its answers")
    answered = []
    for text in texts.of_all_sizes()[:3]:
        work = peer.answer(text)
        if work is not None:
            agree(text.name, {"CPython": text.python()(*text.args.values()), peer.name: work()})
            answered.append(text.name)
    assert answered == ["a + b", "an expression", "100 lines"][: 3 if peer.lines else 2]
    adder = peer.adder()
    assert adder is not None
    assert float(eval(adder[0], {"x": 1.5, "y": 2.5, **adder[1]})) == 4.0


def test_machine_says_where_it_was() -> None:
    found = machine.machine()
    assert found["jib"] == jib.__version__
    assert found["python"].endswith(sys.version.split()[0])
    assert {"date", "cores", "system", "versions"} <= found.keys()
    assert found["versions"]["lark"]


def test_importing_jib_does_not_import_the_benchmark() -> None:
    program = (
        "import jib, sys; assert not [name for name in sys.modules if name.startswith('jib.bench')]\n"
        "heavy = ('numpy', 'rich', 'matplotlib', 'numba', 'numexpr', 'sympy')\n"
        "for name in heavy: sys.modules[name] = None\n"
        "import jib.bench.cli, jib.bench.one\n"
        "for name in jib.bench.run.TABLES.values(): __import__(name)\n"
        "print('fine')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("fine\n", "")


# --------------------------------------------------------------------------------------------- what it says


TABLE = Table(
    "Running",
    "kernel",
    {
        "fib | x": {
            "numba / jib": Cell(0.5, 0.5, 0.5, 3, "x", least=1.0),
            "jib": Cell(0.00123, 0.001, 0.0014, 3),
            "size": Cell(3_100_000, 3_100_000, 3_100_000, 1, "B"),
        },
        "gcd": {"jib": Cell(2e-9, 2e-9, 2e-9, 1), "numba / jib": Cell(0.98, 0.9, 1.0, 3, "x", least=1.0)},
    },
    ["A note."],
)
MARKDOWN = """\
### Running

| kernel   |          jib |    size | numba / jib |
|----------|-------------:|--------:|------------:|
| fib \\| x | 1.23 ms ±16% | 3.10 MB |      0.50 ! |
| gcd      |      2.00 ns |       – |      0.98 ~ |

A note.
"""


def results(table: Table = TABLE, **found: Any) -> dict[str, Any]:
    tables = {"kernels": {"tables": [table.as_json()], "absent": [], "error": "", **found}}
    where = {"date": "2026-11-30", "jib": "0.1.0", "processor": "P", "versions": {"numpy": "2.4"}}
    return {"format": 1, "machine": where, "plan": QUICK._asdict(), "tables": tables}


def test_markdown() -> None:
    assert markdown(TABLE) == MARKDOWN
    assert grid(["a", "b"], []) == "| a | b |\n|---|--:|"
    assert Table.of_json(json.loads(json.dumps(TABLE.as_json()))) == TABLE


def test_report_names_the_absent_the_failures_and_the_goals() -> None:
    text = report(results(absent=["numba", "a C compiler"], error="Disagreement: no"))
    assert text.startswith("# jib beside its peers\n\n2026-11-30, quick: 7 rounds of 4.00 ms, by the clock. Medians; ")
    assert "- processor: P\n- versions: numpy 2.4\n\n## kernels\n\n" + MARKDOWN in text
    assert "Not installed, so not measured: numba, a C compiler.\n" in text
    assert "Failed: Disagreement: no\n" in text
    assert text.endswith(
        "## Goals\n\nGoals met: 0. Missed: 2.\n"
        "- Running: fib | x: numba / jib is 0.50, not at least 1.00\n"
        "- Running: gcd: numba / jib is 0.98, not at least 1.00\n"
    )
    assert "--cpu" not in text
    busy = results()
    busy["machine"] |= {"load": "2.50", "cores": 2}
    assert "- cores: 2\n\nOthers used the processors too: `--cpu` measures by processor time.\n\n## kernels" in report(
        busy
    )
    busy["plan"]["cpu"] = True
    assert "--cpu" not in report(busy)
    met = Table("T", "row", {"r": {"jib": Cell(1.0, 1.0, 1.0, 1, "x", most=3.0)}})
    assert say.goals(results(met)) == ["Goals met: 1. Missed: 0."]


# --------------------------------------------------------------------------------------------- what changed


def of_cells(**cells: Cell) -> dict[str, Any]:
    return results(Table("T", "row", {"a row": cells}))


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        # The middle halves overlap: noise, however far the medians are apart.
        (Cell(1.0, 0.8, 1.3, 9), Cell(1.28, 1.25, 1.4, 9), None),
        # They do not, but by less than five hundredths.
        (Cell(1.0, 0.99, 1.01, 9), Cell(1.04, 1.03, 1.05, 9), None),
        (Cell(1.0, 0.9, 1.1, 9), Cell(1.5, 1.4, 1.6, 9), "1.50 slower"),
        (Cell(1.5, 1.4, 1.6, 9), Cell(1.0, 0.9, 1.1, 9), "0.67 faster"),
        (Cell(1.5, 1.4, 1.6, 9, "x"), Cell(1.0, 0.9, 1.1, 9, "x"), "0.67 less"),
        # One round: no spread to go by.
        (Cell(1.0, 1.0, 1.0, 1), Cell(1.15, 1.1, 1.2, 9), None),
        (Cell(1.0, 1.0, 1.0, 1), Cell(1.25, 1.2, 1.3, 9), "1.25 slower"),
        # Sizes are exact.
        (Cell(100, 100, 100, 1, "B"), Cell(104, 104, 104, 1, "B"), None),
        (Cell(100, 100, 100, 1, "B"), Cell(106, 106, 106, 1, "B"), "1.06 more"),
    ],
)
def test_compare_by_the_rule(compare: Any, old: Cell, new: Cell, changed: str | None) -> None:
    text = compare.compared(of_cells(jib=old), of_cells(jib=new))
    assert text.endswith(f"{'None' if changed is None else 1} of 1 cells changed beyond noise.")
    if changed is not None:
        (row,) = [line for line in text.splitlines() if line.startswith("| kernels")]
        assert [cell.strip() for cell in row.strip("|").split("|")][::4] == ["kernels: T: a row", changed]


def test_compare_says_what_the_machine_did_and_what_is_missing(compare: Any) -> None:
    one = Cell(1.0, 0.9, 1.1, 9)
    old = of_cells(jib=one, CPython=one, numba=one)
    new = of_cells(jib=one, CPython=Cell(2.0, 1.9, 2.1, 9), C=one)
    new["machine"]["processor"] = "Q"
    text = compare.compared(old, new)
    assert "not the same processor: P and Q" in text
    assert "times of peers changed by a factor of 2.00 (median)" in text
    assert text.endswith(
        "1 of 2 cells changed beyond noise.\nonly in A: kernels: T: a row, numba\nonly in B: kernels: T: a row, C"
    )


def test_compare_as_a_program(tmp_path: Path) -> None:
    for name, middle in (("a", 1.0), ("b", 3.0)):
        cell = Cell(middle, middle * 0.9, middle * 1.1, 9)
        (tmp_path / f"{name}.json").write_text(json.dumps(of_cells(jib=cell)))

    def compared(*files: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, str(ROOT / "benches" / "compare.py"), *files]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env=environment())

    done = compared("a.json", "b.json")
    assert done.returncode == 0 and "3.00 slower" in done.stdout and done.stderr == ""
    done = compared("a.json", "c.json")
    assert (done.returncode, done.stdout) == (2, "") and "cannot read c.json" in done.stderr
    assert compared("a.json").returncode == 2


# --------------------------------------------------------------------------------------------- the programs


def environment(**others: str) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(Path(jib.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **others}


def bench(*words: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    given = environment()
    if path is not None:
        given["PYTHONPATH"] = f"{path}{os.pathsep}{given['PYTHONPATH']}"
    command = [sys.executable, "-m", "jib", "bench", *words]
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=given, timeout=300)


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that hides the peers, whichever of them are installed."""
    folder = tmp_path_factory.mktemp("hidden")
    for name in ("numba", "numexpr", "sympy", "asteval", "simpleeval", "cffi"):
        (folder / f"{name}.py").write_text(f"raise ImportError('no {name} here')\n")
    return folder


def test_the_program(tmp_path: Path, hidden: Path) -> None:
    file = tmp_path / "out.json"
    done = bench(
        "--tables", "compile,call", "--rows", "a + b;jib;C b", "--rounds", "2", "--json", str(file), path=hidden
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "## compile\n\n### Text to first answer\n\n| text " in done.stdout
    assert "## call\n\n### A call that adds two floats\n\n| what is called " in done.stdout
    assert "Not installed, so not measured: numexpr, numba, asteval, simpleeval, sympy.\n" in done.stdout
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["format"] == 1 and found["plan"]["rounds"] == 2 and found["machine"]["jib"] == jib.__version__
    assert list(found["tables"]) == ["compile", "call"]
    first, stages = map(Table.of_json, found["tables"]["compile"]["tables"])
    assert list(first.rows) == ["a + b", "a + b, each once in turns"]
    assert {"jib", "CPython", "jib / CPython"} <= first.rows["a + b"].keys() and "numba" not in first.rows["a + b"]
    assert first.rows["a + b"]["jib / CPython"].most == 15.0
    assert set(stages.rows) >= {"parse", "lower", "machine", "total"}
    (calls,) = map(Table.of_json, found["tables"]["call"]["tables"])
    assert list(calls.rows) == ["C builtin", "jib"]
    assert found["tables"]["call"]["absent"] == ["numexpr", "numba", "asteval", "simpleeval", "sympy", "cffi"]


def test_a_table_that_fails_is_said_and_the_others_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.py").write_text("def measure(meter):\n    raise ValueError('no such luck')\n")
    (tmp_path / "noisy.py").write_text(
        "from jib.bench.say import Table\n"
        "def measure(meter):\n"
        "    for row in meter.over(['r']): print('noise', row)\n"
        "    return [Table('T', 'row')], ['x']\n"
    )
    seen: list[tuple[str, float]] = []
    found = run.run(
        {"broken": "broken", "noisy": "noisy"}, PLAN, lambda table, part, row: seen.append((table, part)), str(tmp_path)
    )
    assert found["tables"]["broken"] == {"tables": [], "absent": [], "error": "ValueError: no such luck"}
    assert found["tables"]["noisy"] == {"tables": [Table("T", "row").as_json()], "absent": ["x"], "error": ""}
    assert seen[0] == ("broken", 0.0) and seen[-1] == ("noisy", 1.0)
    monkeypatch.setattr(cli, "run", lambda tables, plan, show: found)
    assert cli.main(["--tables", "size"]) == 1
    assert "Failed: ValueError: no such luck" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--tables", "wood"], "there is no table 'wood': compile, start, call, kernels, memory, size"),
        (["--tables", ""], "there is no table ''"),
        (["--rounds", "0"], "invalid positive value: '0'"),
        (["--quick", "--full"], "not allowed with argument --quick"),
        (["fast"], "unrecognized arguments: fast"),
        (["--json"], "expected one argument"),
        (["--json", "no/such/folder/x.json"], "cannot write 'no/such/folder/x.json': No such file or directory"),
    ],
)
def test_bad_usage(words: list[str], complaint: str) -> None:
    done = bench(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: python -m jib bench") and complaint in done.stderr


def test_help() -> None:
    done = bench("--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: python -m jib bench") and "--tables" in done.stdout


def test_plans() -> None:
    words = cli.parser("p", run.TABLES, run.FIRST)
    assert cli.plan_of(words.parse_args([]), False) == QUICK
    wanted = words.parse_args(["--full", "--rounds", "3", "--rows", " a ;; b", "--cpu", "--tables", "size, call"])
    plan = cli.plan_of(wanted, wanted.full)
    assert (plan.rounds, plan.quick, plan.rows, plan.cpu) == (3, False, ("a", "b"), True)
    assert wanted.tables == ["size", "call"]


def test_all_tables_of_the_checkout(tmp_path: Path, hidden: Path) -> None:
    """Each runs, on one row, and is written down with plots where matplotlib is."""
    pytest.importorskip("numpy")
    copy = tmp_path / "benches"
    shutil.copytree(ROOT / "benches", copy, ignore=shutil.ignore_patterns("results", "__pycache__"))
    given = environment()
    given["PYTHONPATH"] = f"{hidden}{os.pathsep}{given['PYTHONPATH']}"
    words = ["--quick", "--rounds", "1", "--tables", "shapes,arrays,loops,small,growth,size"]
    words += ["--rows", "2*a+3*b;stencil;calls;terms of an and;two floats;auto;jib", "--sizes", "10", "--name", "it"]
    done = subprocess.run(
        [sys.executable, str(copy / "run.py"), *words],
        capture_output=True,
        encoding="utf-8",
        env=given,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    folder = copy / "results" / "it"
    found = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    rows = {name: [list(table["rows"]) for table in each["tables"]] for name, each in found["tables"].items()}
    assert rows["arrays"] == [["`2*a+3*b`"]] and rows["loops"] == [["3-point stencil 10⁶"]]
    assert rows["growth"][0][-1] == "total" and "np.add" in rows["small"][0]
    assert "two floats (copysign)" in rows["shapes"][0] and "engine='auto', hot" in rows["shapes"][1]
    assert (folder / "results.md").read_text(encoding="utf-8") == report(found)
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        assert "no plots" in done.stdout
    else:
        assert {path.name for path in folder.glob("*.svg")} == {"arrays.svg", "growth.svg"}


def test_plots_can_be_read_on_white_and_on_dark() -> None:
    pytest.importorskip("matplotlib")
    sys.path.insert(0, str(ROOT / "benches"))
    try:
        plots = importlib.import_module("plots")
    finally:
        sys.path.remove(str(ROOT / "benches"))

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(a: str, b: str) -> float:
        dark, bright = sorted([light(a), light(b)])
        return (bright + 0.05) / (dark + 0.05)

    for colour in (plots.INK, plots.OTHER, *plots.COLOURS.values(), *plots.MORE):
        assert min(contrast(colour, "#ffffff"), contrast(colour, "#0d1117")) >= 3.0, colour
