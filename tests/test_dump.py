"""Looking inside: every line knows its place, the source stands beside the code, other machines, folders, graphs."""

from __future__ import annotations

import contextlib
import copy
import os
import pickle
import re
import stat
import time
from pathlib import Path

import pytest

import jib
from jib import dump
from jib.listing import Listing, beside_source
from jib.source import Source, Span

LOOP = (
    "def total(n: int, x: float) -> float:\n    s = 0.0\n    for i in range(n):\n        s += x*i + 2.5\n    return s"
)
CODE = tuple(stage for stage, row in dump.ROWS.items() if row.instructions)
BUILT = [name for name, built in dump.targets().items() if built]


@jib.jit
def square(x):
    return x * x


@jib.jit
def squares(
    a,
    b,
):
    t = square(a)
    # and the other
    return t + square(b)


def begins(listing: Listing) -> list[tuple[str, Span | None]]:
    return list(zip(listing.split("\n"), listing.places))


def test_one_row_for_each_stage() -> None:
    assert tuple(dump.ROWS) == jib.STAGES


@pytest.mark.parametrize("stage", jib.STAGES)
def test_every_line_knows_its_place(stage: str) -> None:
    listing = jib.compile(LOOP).dump(stage)
    assert isinstance(listing, Listing) and isinstance(listing, str)
    assert (listing.stage, listing.source.text) == (stage, LOOP)
    assert len(listing.places) == len(listing.split("\n")) > 3
    assert not listing.endswith("\n")
    for line, span in begins(listing):
        # What a line says of its place is where its span begins.
        said = re.search(r"(?:[@]| ; |^@)(\d+):(\d+)(?: \w+)?$", line) or re.match(r"@(\d+):(\d+) ", line)
        if stage == "ir":
            said = re.search(r"@(\d+):(\d+)$", line)
            assert (said is None) == (span is None), line
            assert said is None or span == tuple(map(int, said.groups())), line
        elif said is not None and span is not None:
            assert listing.source.position(span.start) == tuple(map(int, said.groups())), line
        else:
            assert said is None, line
        if span is not None:
            assert 0 <= span.start < span.end <= len(LOOP), line


def test_places_have_ends() -> None:
    for stage in ("typed-ir", "clif", "clif-opt", "asm"):
        listing = jib.compile(LOOP).dump(stage)
        texts = {LOOP[slice(*span)] for span in listing.places if span is not None}
        assert {"x*i", "x*i + 2.5", "total"} <= texts, stage
    boxes = [
        LOOP[slice(*span)] for line, span in begins(jib.compile(LOOP).dump("cfg")) if 'label="block' in line and span
    ]
    assert any("x*i + 2.5" in box for box in boxes)


def test_a_listing_is_a_str() -> None:
    listing = jib.compile("a + b").dump("typed-ir", "(int, int)")
    for again in (pickle.loads(pickle.dumps(listing)), copy.copy(listing), copy.deepcopy(listing)):
        assert (again, again.stage, again.places, again.source.text) == (listing, "typed-ir", listing.places, "a + b")
    assert str(listing) == listing and type(str(listing)) is str
    assert {listing: 1}[str(listing)] == 1


# The source beside the code.


@pytest.mark.parametrize("stage", CODE)
@pytest.mark.parametrize("function", [jib.compile(LOOP), jib.compile("a*b + 1", "(float, float)"), squares])
def test_source_beside_the_code(stage: str, function: jib.Function) -> None:
    signature = "(float, float)" if function is squares else None
    plain, both = function.dump(stage, signature), function.dump(stage, signature, source=True)
    assert both == beside_source(plain)
    assert len(both.places) == len(both.split("\n"))
    shown, code = 0, []
    for line, span in begins(both):
        head = re.match(r"; +(\d+) \| (.*)", line)
        if head is not None:
            assert int(head[1]) != shown
            shown = int(head[1])
            text = function.source.split("\n")[shown - 1]
            assert head[2].startswith(text.rstrip()) and span is not None
            assert function.source[slice(*span)] == text
        else:
            assert span is None or plain.source.position(span.start)[0] == shown, line
            code.append((line, span))
    assert code == begins(plain)


def test_linked_texts_say_where_their_files_are() -> None:
    lines = Path(__file__).read_text(encoding="utf-8").split("\n")
    at = lines.index("    return t + square(b)") + 1
    listing = squares.dump("typed-ir", "(int, int)", source=True)
    assert re.search(rf"^; \d+ \|     return t \+ square\(b\) +; .*test_dump\.py:{at}$", listing, re.MULTILINE)
    number = next(n for n, line in enumerate(listing.split("\n"), 1) if "add.int" in line)
    place, text, carets = listing.explain(number).split("\n")
    assert place.endswith(f"test_dump.py:{at}:12")
    assert (text, carets) == ("    return t + square(b)", "           ^^^^^^^^^^^^^")
    assert "|     return x * x " in listing  # its code was put in place


def test_session() -> None:
    session = jib.Session()
    session.run("def f(x): return x / 2")
    session.run("def g(y):\n    return f(y) + 1")
    assert session["g"].dump("typed-ir", "(float)").explain("%2").split("\n")[1:] == [
        "def f(x): return x / 2",
        " " * 17 + "^^^^^",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"stage": "wood"}, "there is no stage called 'wood'; there are ast, ir, typed-ir, clif, clif-opt, asm, cfg"),
        ({"stage": ""}, "there is no stage called ''"),
        ({"stage": "ast", "source": True}, "the source does not stand beside 'ast'"),
        ({"stage": "cfg", "source": True}, "the source does not stand beside 'cfg'"),
        ({"stage": "clif", "bytes": True}, "bytes are those of 'asm', not of 'clif'"),
        (
            {"stage": "typed-ir", "target": "aarch64"},
            "'typed-ir' is the same for every target; clif, clif-opt, asm are not",
        ),
        (
            {"stage": "asm", "target": "mips"},
            "there is no target called 'mips'; there are aarch64, riscv64, s390x, x86_64",
        ),
        ({"stage": "asm", "target": ""}, "there is no target called ''"),
        ({"stage": "asm", "target": "x" * 10_000}, "there is no target called 'xxx"),
    ],
)
def test_what_cannot_be_shown(words: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        jib.compile(LOOP).dump(**words)  # type: ignore[arg-type]
    assert type(raised.value) is ValueError and len(str(raised.value)) < 1000


def test_no_types() -> None:
    with pytest.raises(ValueError, match='has been compiled for no types yet; say for which, as in signature="'):
        jib.compile("a + b").dump("asm")


# Machine code.


def test_bytes() -> None:
    plain, both = jib.compile(LOOP).dump("asm"), jib.compile(LOOP).dump("asm", bytes=True)
    assert plain.places == both.places
    at = 0
    for line, without in zip(both.split("\n"), plain.split("\n")):
        if line.startswith(";"):
            assert line == without
            continue
        offset, raw, rest = re.fullmatch(r" *([0-9a-f]+)  ((?:[0-9a-f]{2} )*[0-9a-f]{2}) +(.*)", line).groups()  # type: ignore[union-attr]
        assert int(offset, 16) == at
        at += len(bytes.fromhex(raw))
        assert without.split() == [offset, *rest.split()]
    assert at > 50


def test_constants_are_data() -> None:
    """They stand behind the code, and are not shown as the instructions that their bytes would be."""
    listing = jib.compile(LOOP).dump("asm", target="x86_64")
    words = [line.split()[1:] for line in listing.split("\n") if not line.startswith(";")]
    end = max(at for at, (word, *_) in enumerate(words) if word == "retq")
    assert {word for word, *_ in words[end + 1 :]} == {".byte", ".quad"}
    assert words[end:].count([".quad", "0x4004000000000000"]) == 2  # 2.5, in both lanes


RETURNS = {"aarch64": "ret", "riscv64": "ret", "s390x": "br %r14", "x86_64": "retq"}


@pytest.mark.parametrize("target", BUILT)
def test_targets(target: str) -> None:
    f = jib.compile("def f(x: float, y: float) -> float:\n    return sqrt(x*x + y) if x > y else y")
    listing = f.dump("asm", target=target, bytes=True)
    assert re.search(rf"^ *[0-9a-f]+  (?:[0-9a-f]{{2}} )+ +{re.escape(RETURNS[target])}\b", listing, re.MULTILINE)
    assert "x*x + y" in {f.source[slice(*span)] for span in listing.places if span}
    assert f.dump("asm", target=target) == f.dump("asm", target=target)
    for stage in ("clif", "clif-opt"):
        assert f.dump(stage, target=target).startswith("; f (entry)\nfunction u0:1(i64, i64, i64) -> i32 system_v")


@pytest.mark.parametrize("target", BUILT)
@pytest.mark.parametrize("item", ["f64", "f32", "i64", "i8", "u32", "bool"])
@pytest.mark.parametrize(
    "text",
    ["x*y + 1", "x if x > y else y", "sqrt(x) + floor(y)", "x // y", "min(x, y)", "sum(x[:] * y[:])", "round(x)"],
)
def test_kernels_for_all_targets(target: str, item: str, text: str) -> None:
    """Vectors too are compiled, or refused in words."""
    f = jib.compile(text, arithmetic="numpy")
    signature = f"({', '.join([f'{item}[:]'] * len(f.params))})"
    with contextlib.suppress(jib.CompileError):  # where the types do not fit the text
        assert f.dump("asm", signature, target=target)


def test_what_a_target_cannot_do() -> None:
    """Cranelift has no ints of 64 bits with a check for overflow on riscv64."""
    if "riscv64" not in BUILT:
        with pytest.raises(
            ValueError, match="the target 'riscv64' was not built into this jib, which has aarch64.*, x86_64"
        ):
            jib.compile("a + b").dump("asm", "(int, int)", target="riscv64")
    else:
        with pytest.raises(ValueError, match="Cranelift cannot compile this for riscv64: Unsupported"):
            jib.compile("a + b").dump("asm", "(int, int)", target="riscv64")


def test_two_targets_are_always_there() -> None:
    assert {"aarch64", "x86_64"} <= set(BUILT) <= set(dump.targets()) == set(RETURNS)


def test_a_large_function_takes_linear_time() -> None:
    """Ten thousand instructions, and a tenth of them."""

    def seconds(count: int) -> float:
        f = jib.compile("\n".join(["a = x", *["a = a * x + x"] * (count // 2), "a"]))
        best = 1e9
        for _ in range(3):
            start = time.perf_counter()
            listing = f.dump("asm", "(float)", source=True, bytes=True)
            listing.explain(listing.count("\n") // 2)
            best = min(best, time.perf_counter() - start)
        assert listing.count("\n") > count
        return best

    assert seconds(10_000) < 40 * seconds(1_000)


# Explaining.


def test_explain() -> None:
    listing = jib.compile(LOOP).dump("typed-ir")
    number = next(n for n, line in enumerate(listing.split("\n"), 1) if "mul.float" in line)
    name = listing.split("\n")[number - 1].split()[0]
    said = "<jib>:4:14\n        s += x*i + 2.5\n             ^^^"
    assert listing.explain(number) == listing.explain(name) == said
    clif = jib.compile(LOOP).dump("clif")
    value = re.search(r"(v\d+) = fmul", clif)
    assert value is not None and clif.explain(value[1]) == said
    asm = jib.compile(LOOP).dump("asm", target="x86_64")
    address = re.search(r"^ *([0-9a-f]+)  v?mulsd", asm, re.MULTILINE)
    assert address is not None
    assert asm.explain(address[1]) == asm.explain(f"0x{address[1]}") == said


def test_names_are_found_where_they_are_defined() -> None:
    text = "def f(x):\n    print('%0 = x, %1: y')\n    return x + 1"
    listing = jib.compile(text).dump("typed-ir", "(float)")
    assert listing.explain("%0").startswith("<jib>:1:5\n")  # a parameter of the function, not the text of the print
    defined = [line.split()[0] for line in listing.split("\n") if " = " in line and "print" not in line]
    for name in defined:
        assert listing.explain(name)
    clif = jib.compile("a + b").dump("clif", "(int, int)")
    both = re.search(r"(v\d+), (v\d+) = sadd_overflow", clif)
    assert both is not None and clif.explain(both[1]) == clif.explain(both[2]) == "<jib>:1:1\na + b\n^^^^^"


def test_a_name_of_two_functions() -> None:
    text = "def fib(n: int) -> int:\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\ndef f(n: int) -> int:\n    return fib(n)"
    listing = jib.compile(text).dump("clif")
    with pytest.raises(LookupError, match=r"^'?v2 stands on several lines, one in each function: \d+, \d+"):
        listing.explain("v2")


@pytest.mark.parametrize(
    ("at", "kind", "message"),
    [
        (0, IndexError, "there is no line 0: the listing has 5"),
        (-1, IndexError, "there is no line -1"),
        (6, IndexError, "there is no line 6"),
        (2, LookupError, "line 2 came from nothing in the text: block0(%0: int, %1: float):"),
        ("%77", LookupError, "nothing in this listing is %77"),
        ("v1", LookupError, "nothing in this listing is v1"),
        ("0x4", ValueError, "'0x4' is not the number of a line"),
        ("", ValueError, "'' is not the number of a line"),
        ("%1.*", ValueError, "'%1.*' is not the number of a line"),
    ],
)
def test_nothing_to_explain(at: int | str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=re.escape(message)):
        jib.compile("a + b").dump("typed-ir", "(int, float)").explain(at)


def test_carets_keep_to_their_text() -> None:
    source = Source("\tif a:\n\t\tb\x1b(\nc)\r\n")
    listing = Listing("x\ny\nz", "ir", source, [Span(9, 14), Span(4, 5), Span(6, 6)])
    assert listing.explain(1) == "<jib>:2:3\n\t\tb\\x1b(\n\t\t^^^^^^"
    assert listing.explain(2) == "<jib>:1:5\n\tif a:\n\t   ^"
    assert listing.explain(3) == "<jib>:1:7\n\tif a:\n\t     ^"


def test_nothing_in_a_text_drives_a_terminal() -> None:
    hidden = "\x1b[2J\x07\x7f\x9b\u2028\u200b"
    f = jib.compile(
        f"def f(x):\n    # {hidden}\n    assert x > 1, '{hidden}'\n    print('{hidden}', x, sep='{hidden}')\n"
        f"    if x < 0:\n        raise ValueError('{hidden}')\n    return x  # {hidden}"
    )
    for stage in jib.STAGES:
        for source in {False, stage in CODE}:
            listing = f.dump(stage, "(float)", source=source)
            assert all(line.isprintable() for line in listing.split("\n")), stage
            assert len(listing.splitlines()) == len(listing.places)


# Folders and graphs.


@pytest.fixture
def drawing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for Graphviz's dot, alone on PATH, which says what it was given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "dot"
    program.write_text('#!/bin/sh\necho "<svg>$*"\n/bin/cat\necho "</svg>"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))
    return program


@pytest.fixture
def no_drawing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


FILES = ["source.jib", "ast.txt", "ir.txt", "typed-ir.txt", "clif.clif", "clif-opt.clif", "asm.s", "cfg.dot"]


@pytest.mark.usefixtures("no_drawing")
def test_a_folder_of_all(tmp_path: Path) -> None:
    f = jib.compile(LOOP)
    folder = tmp_path / "new" / "folder"
    for _ in range(2):  # made, and made again
        paths = f.dump_all(folder, source=True, bytes=True)
        assert [path.name for path in paths] == FILES == sorted(os.listdir(folder), key=FILES.index)
    texts = {path.name: path.read_bytes().decode() for path in paths}
    assert texts["source.jib"] == LOOP
    for stage, row in dump.ROWS.items():
        want = f.dump(stage, source=row.instructions, bytes=stage == "asm")
        assert texts[row.file] == f"{want}\n"
    assert [path.name for path in f.dump_all(str(folder), target="aarch64")] == FILES
    assert (folder / "asm.s").read_text() == f.dump("asm", target="aarch64") + "\n"


def test_a_folder_with_a_picture(tmp_path: Path, drawing: Path) -> None:
    paths = jib.compile(LOOP).dump_all(tmp_path / "all")
    assert [path.name for path in paths] == [*FILES, "cfg.svg"]
    assert paths[-1].read_text() == f"<svg>-Tsvg\n{jib.compile(LOOP).dump('cfg')}</svg>\n"


@pytest.mark.usefixtures("no_drawing")
def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    f = jib.compile("a + b")
    with pytest.raises(ValueError, match='has been compiled for no types yet; say for which, as in signature="'):
        f.dump_all(tmp_path / "none")
    with pytest.raises(ValueError, match="no target called 'mips'"):
        f.dump_all(tmp_path / "none", "(int, int)", target="mips")
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match="file"):
            f.dump_all(folder, "(int, int)")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.usefixtures("no_drawing")
def test_no_file_is_half_written(tmp_path: Path) -> None:
    """One that cannot be put in its place leaves nothing behind."""
    (tmp_path / "ir.txt").mkdir()
    (tmp_path / "ir.txt" / "mine").write_text("")
    with pytest.raises(OSError):
        jib.compile("a + b").dump_all(tmp_path, "(int, int)")
    assert sorted(os.listdir(tmp_path)) == ["ast.txt", "ir.txt", "source.jib"]


@pytest.mark.skipif(os.name != "posix", reason="a stand-in that is a script")
def test_a_graph_is_drawn(drawing: Path) -> None:
    graph = jib.compile("x if c else -x").dump("cfg", "(float, bool)")
    assert graph.svg() == f"<svg>-Tsvg\n{graph}</svg>\n"
    drawing.write_text("#!/bin/sh\necho 'bad \x1b[31m graph' >&2\nexit 3\n")
    with pytest.raises(RuntimeError, match=re.escape("dot failed with status 3: bad \\x1b[31m graph")):
        graph.svg()
    drawing.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    start = time.monotonic()
    with pytest.raises(TimeoutError, match=re.escape("dot needed more than 0.2 seconds")):
        graph.svg(timeout=0.2)
    assert time.monotonic() - start < 30


@pytest.mark.usefixtures("no_drawing")
def test_a_graph_that_cannot_be_drawn() -> None:
    with pytest.raises(FileNotFoundError, match="Graphviz is not installed"):
        jib.compile("a").dump("cfg", "(int)").svg()
    with pytest.raises(ValueError, match="only 'cfg' is a graph, not 'ir'"):
        jib.compile("a").dump("ir").svg()


# What has been compiled.


def test_specializations_print_as_a_table() -> None:
    f = jib.compile("a + b")
    assert str(f.specializations) == "nothing has been compiled yet" and f.specializations == ()
    f(1, 2), f(1.5, 2)
    made = f.specializations
    head, *rows = str(made).split("\n")
    assert head.split("  ")[0] == "arguments" and head.endswith("total µs  bytes")
    assert [row.split("  ")[0] for row in rows] == ["int, int", "float, int"]
    assert [int(row.split()[-1]) for row in rows] == [one.code_bytes for one in made]
    assert repr(made) == str(made)
    page = made._repr_html_()
    assert page.count("<tr>") == 3 and "<td>float, int</td>" in page
    # It is a tuple in all else.
    assert (len(made), made[0].params, made[-1].result) == (2, ("int", "int"), "float")
    assert made == tuple(made) and tuple(made) == made
    assert [one.params for one in made] == [("int", "int"), ("float", "int")]
    assert isinstance(made, tuple) and pickle.loads(pickle.dumps(made)) == made
    assert str(made[0]).startswith("int(int, int): ")


def test_a_table_of_other_engines() -> None:
    f = jib.compile("def f():\n    return 1", engine="interpreter")
    f()
    head, row = str(f.specializations).split("\n")
    assert "machine" not in head and row.split()[:2] == ["none", "int"]


# Calls that go element by element.


def test_kernels_are_specialisations() -> None:
    np = pytest.importorskip("numpy")
    f = jib.compile("a + b*2")
    f(np.arange(3), 1)
    (made,) = f.specializations
    assert (made.params, made.result, made.kind) == (("i64[:]", "int"), "i64[:]", "elementwise")
    assert made.code_bytes > 0 and list(made.stages) == ["cross", "types", "passes", "clif", "machine", "link"]
    assert str(made).startswith("i64[:](i64[:], int): ") and "i64[:], int" in str(f.specializations)
    f(1, 2), f(np.ones((2, 2), "f4"), np.arange(2)), f(np.array(1.5), 2)
    assert [(one.kind, one.params, one.result) for one in f.specializations] == [
        ("call", ("int", "int"), "int"),
        ("elementwise", ("i64[:]", "int"), "i64[:]"),
        ("elementwise", ("f32[:]", "i64[:]"), "f64[:]"),
        ("elementwise", ("float", "int"), "float"),
    ]
    assert f._traps() == 0
    pair = jib.compile("lambda x: (x, x > 0)")
    pair(np.arange(3.0))
    assert pair.specializations[0].result == "tuple[f64[:], bool[:]]"


@pytest.mark.parametrize("stage", ["typed-ir", "clif", "clif-opt", "asm", "cfg"])
def test_a_signature_with_arrays_shows_the_kernel(stage: str) -> None:
    np = pytest.importorskip("numpy")
    f = jib.compile("a / (b*2)")
    shown = f.dump(stage, "(f64[:], float)")
    assert f.specializations == () and len(shown.places) == shown.count("\n") + 1
    assert shown == f.dump(stage, "f64[:](f64[:, :], float)") != f.dump(stage, "(float, float)")
    if stage in CODE and stage != "typed-ir":
        assert shown.startswith("; <expression> (each element)\n")
        assert "; 1 | a / (b*2)" in f.dump(stage, "(f64[:], float)", source=True)
        for target in BUILT:
            assert f.dump(stage, "(f64[:], float)", target=target).startswith("; <expression> (each element)\n")
    f(np.arange(3.0), 1.0)
    assert f.dump(stage) == shown  # nothing else has been compiled
    f(1, 2)
    assert f.dump(stage) == f.dump(stage, "(int, int)") != shown


def test_the_kernel_of_a_signature_is_that_of_the_call() -> None:
    np = pytest.importorskip("numpy")
    f = jib.compile("a + b")
    narrow = "func <expression>(%0: f32, %1: float) -> f32"
    assert f.dump("typed-ir", "(f32[:], float)").startswith(narrow)  # a number of Python's gives way
    f(np.ones(3, "f4"), np.float64(1))  # one of NumPy's does not
    assert f.dump("typed-ir", "(f32[:], float)").startswith("func <expression>(%0: f32, %1: float) -> float")
    f(np.ones(3, "f4"), 1.0)
    assert f.dump("typed-ir", "(f32[:], float)").startswith(narrow)
    assert "f64x2" in f.dump("clif", "(f64[:], f64[:])")
    assert "f64x2" not in jib.compile("a + b", opt_level="none").dump("clif", "(f64[:], f64[:])")
    whole = jib.compile("def f(x: f64[:]): return x[0]")
    assert "each element" not in whole.dump("clif", "(f64[:])")


def test_signatures_with_arrays_that_do_not_fit() -> None:
    f = jib.compile("a + b")
    with pytest.raises(jib.CompileError, match="returns 'float', and here 'f32'"):
        f.dump("clif", "f32[:](f64[:], float)")
    with pytest.raises(jib.CompileError, match="the signature has 1 type, the function takes 2"):
        f.dump("clif", "(f64[:])")
    with pytest.raises(TypeError, match="'x' is declared i8, which does not hold all elements of type int"):
        jib.compile("def g(x: i8): return x").dump("clif", "(i64[:])")
    with pytest.raises(jib.CompileError, match="argument 'x' must be int, not float"):
        jib.compile("def g(x: int, y): return x + y").dump("clif", "(float, f64[:])")
    with pytest.raises(TypeError, match="'b' must be numbers"):
        f.dump("clif", "(f64[:], tuple[int])")


# Signatures that are mistaken.


@pytest.mark.parametrize(
    ("signature", "end", "message"),
    [
        ("(float, int", 12, "'(float, int' is not a signature"),
        ("int, int", 9, "'int, int' is not a signature"),
        ("(int)", 6, "the signature has 1 type, the function takes 2"),
        ("()", 3, "the signature has 0 types, the function takes 2"),
        ("(f64[:], int, int)", 19, "the signature has 3 types, the function takes 2"),
    ],
)
def test_a_mistake_in_a_signature_is_shown_there(signature: str, end: int, message: str) -> None:
    for ask in (jib.compile("a * b").dump, lambda _, text: jib.compile("a * b", text)):
        with pytest.raises(jib.CompileError, match=re.escape(message)) as raised:
            ask("typed-ir", signature)
        problem = raised.value
        assert (problem.filename, problem.text, problem.lineno) == ("<signature>", signature, 1)
        assert (problem.offset, problem.end_offset) == (1, end)
    with pytest.raises(jib.CompileError, match="'flaot' is not a type") as raised:
        jib.compile("a * b").dump("typed-ir", "(é, flaot)".replace("é", "int"))
    assert (raised.value.offset, raised.value.end_offset) == (7, 12)
