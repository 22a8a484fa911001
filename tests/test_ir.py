"""The IR: its bytes, field by field, and its text form, back and forth."""

from __future__ import annotations

import struct

import pytest

from jib import ir

TEXT = """\
lines 0 21 35 60
func gcd(a: "int" @8:14, b @16:17) -> "tuple[int, float]" @22:25 @4:7
  locals a b t .t.3 i.4
block0:
  %0 = const 1 @24:25
  %1 = get b @21:22
  %2 = add %1, %0 @21:25
  set t, %2 @21:25
  %4 = const -0.0 @30:31
  %5 = const None @0:0
  %6 = const True @0:0
  %7 = const -9223372036854775808 @0:0
  %8 = const "a \\"b\\" \\\\ \\n h\\xe9 \\u20ac \\U0001f600" @0:0
  %9 = print @0:0
  %10 = tuple @0:0
  jump block1 @0:1
block1:
  %12 = call gcd.inner %2, %1 @1:2
  %13 = call gcd.other @1:2
  %14 = cast "float" %12 @1:2
  %15 = tuple %12, %14 @1:2
  %16 = unpack %15 0 2 @1:2
  %17 = math.pow %16, %14 @1:2
  branch %2, block2, block3 @1:2
block2:
  raise ValueError "text" @1:2
block3:
  raise ValueError @1:2
func gcd.inner(x @1:2, y.1 @2:3) @1:2
  locals x y.1
block0:
  %0 = const inf @0:0
  %1 = const 1e-05 @0:0
  return %1 @0:0
func gcd.other() @1:2
  locals
block0:
  %0 = const False @0:0
  return %0 @0:0
"""


def test_the_text_form_prints_and_reads_back() -> None:
    module = ir.from_text(TEXT)
    assert ir.to_text(module) == TEXT
    assert ir.from_text(ir.to_text(module)) == module
    entry = module.functions[0]
    assert (entry.start, entry.end, entry.returns, entry.returns_start) == (4, 7, "tuple[int, float]", 22)
    assert entry.blocks[0][2] == ir.Instruction("prim", ("add", 1, 0), 21, 25)
    assert entry.blocks[0][8].args == ('a "b" \\ \n h\u00e9 \u20ac \U0001f600',)
    assert [type(entry.blocks[0][at].args[0]) for at in (0, 4, 5, 6)] == [int, float, type(None), bool]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lines 0 21", "line 0 21", "line 1 of the IR: expected 'lines', found 'line'"),
        ("lines 0 21", "lines x 21", "line 1 of the IR: expected the start of a line, found 'x'"),
        ("func gcd(", "function gcd(", "line 2 of the IR: expected 'func', found 'function'"),
        ("(a: ", "(a ", "line 2 of the IR: expected a span such as @0:5, found '\"int\"'"),
        ("  locals a", "  local a", "line 3 of the IR: expected 'locals', found 'local'"),
        ("block1:\n", "block4:\n", "line 17 of the IR: expected 'block1', found 'block4'"),
        ("%2 = add", "%3 = add", "line 7 of the IR: expected '%2', found '%3'"),
        ("%2 = add", "add", "line 7 of the IR: add needs a result"),
        ("set t", "%3 = set t", "line 8 of the IR: set has no result"),
        ("set t", "set u", "line 8 of the IR: expected a local, found 'u'"),
        ("get b @21:22", "get b", "line 6 of the IR: expected a span such as @0:5, found the end of the line"),
        ("get b @21:22", "get b @21:22 3", "line 6 of the IR: expected the end of the line, found '3'"),
        ("const 1 @", "const one @", "line 5 of the IR: expected a literal, found 'one'"),
        (
            "call gcd.inner",
            "call gcd.outer",
            "line 18 of the IR: expected a function of this module, found 'gcd.outer'",
        ),
        ("jump block1", "jump to1", "line 16 of the IR: expected a block, found 'to1'"),
        ('"text"', '"text', "line 26 of the IR: expected a text in quotes, found '\"'"),
    ],
)
def test_a_bad_text_says_where_and_what(old: str, new: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        ir.from_text(TEXT.replace(old, new, 1))
    assert str(caught.value) == message


def test_any_cut_of_a_text_reads_or_raises_value_error() -> None:
    for end in range(len(TEXT)):
        try:
            ir.from_text(TEXT[:end])
        except ValueError as problem:
            assert "of the IR" in str(problem)


def test_the_bytes_field_by_field() -> None:
    module = ir.from_text("""\
lines 0 9
func f(x: "int" @1:2, y @3:4) -> "float" @5:6 @7:8
  locals x y t
block0:
  %0 = const None @10:11
  %1 = const True @10:11
  %2 = const -1 @10:11
  %3 = const 1.5 @10:11
  %4 = const "x" @10:11
  %5 = get y @12:13
  set t, %5 @14:15
  %7 = add %2, %3 @16:17
  %8 = call f %7, %7 @18:19
  %9 = tuple %7, %8, %8 @20:21
  %10 = unpack %9 1 3 @22:23
  %11 = cast "float" %10 @24:25
  jump block1 @26:27
block1:
  branch %11, block2, block3 @28:29
block2:
  return %11 @30:31
block3:
  raise ValueError "no" @32:33
""")
    data = ir.encode(module)
    assert data[:8] == b"jib-ir\x00\x02"
    nwords, nconstants, nstrings, ntext = struct.unpack_from("<4I", data, 8)
    words = list(struct.unpack_from(f"<{nwords}I", data, 24))
    at = 24 + 4 * nwords
    assert struct.unpack_from(f"<{nconstants}Q", data, at) == (
        2**64 - 1,
        struct.unpack("<Q", struct.pack("<d", 1.5))[0],
    )
    at += 8 * nconstants
    lengths = struct.unpack_from(f"<{nstrings}I", data, at)
    at += 4 * nstrings
    assert len(data) == at + ntext
    strings = []
    for length in lengths:
        strings.append(data[at : at + length].decode())
        at += length
    assert strings == ["f", "x", "int", "y", "float", "t", "add", "ValueError", "no"]
    f, x, int_, y, float_, t, add, error, no = range(9)
    # fmt: off
    assert words == [
        2, 0, 9, 0, 1,
        f, 7, 8, 2,
        x, int_ + 1, 1, 2,
        y, 0, 3, 4,
        float_ + 1, 5, 6,
        3, x, y, t,
        4,
        13,
        1, 10, 11, 0, 0,
        1, 10, 11, 1, 1,
        1, 10, 11, 2, 0,
        1, 10, 11, 3, 1,
        1, 10, 11, 4, x,
        2, 12, 13, 1,
        3, 14, 15, 2, 5,
        4, 16, 17, add, 2, 2, 3,
        5, 18, 19, 0, 2, 7, 7,
        6, 20, 21, 3, 7, 8, 8,
        7, 22, 23, 9, 1, 3,
        8, 24, 25, float_, 10,
        9, 26, 27, 1,
        1,
        10, 28, 29, 11, 2, 3,
        1,
        11, 30, 31, 11,
        1,
        12, 32, 33, error, no + 1,
    ]
    # fmt: on


def test_constants_are_told_apart_by_their_bits() -> None:
    values = [0, 0.0, -0.0, False, None, 1, True, 1.0, float("nan")]
    block = [ir.Instruction("const", (value,), 0, 0) for value in values]
    block.append(ir.Instruction("return", (0,), 0, 0))
    data = ir.encode(ir.Module([ir.Function("f", [], None, 0, 0, [], [block], 0, 0)], [0]))
    nwords, nconstants = struct.unpack_from("<2I", data, 8)
    constants = struct.unpack_from(f"<{nconstants}Q", data, 24 + 4 * nwords)
    assert constants == (0, 1 << 63, 1, 0x3FF0 << 48, 0x7FF8 << 48)
