"""Faults in what knows arrays: their elements, their views, whole arrays, and the passes that look at indices and memory."""

from __future__ import annotations

from .mutant import Mutant

ARRAYS = [
    Mutant(
        "array-index-end",
        "codegen/array.rs",
        "let outside = self.at.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, from_start, n);",
        "let outside = self.at.ins().icmp(IntCC::UnsignedGreaterThan, from_start, n);",
        "a literal index, or one that is not negative, may be the length",
    ),
    Mutant(
        "array-index-from-end",
        "codegen/array.rs",
        "let outside = self.at.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, from_end, n);",
        "let outside = self.at.ins().icmp(IntCC::SignedGreaterThanOrEqual, from_end, n);",
        "a negative index may lie before the array",
    ),
    Mutant(
        "array-transpose-strides",
        "codegen/array.rs",
        "array.strides.reverse();",
        "",
        "a transposed array has the strides of the other",
    ),
    Mutant(
        "array-bool-byte",
        "codegen/array.rs",
        "Item::Bool => self.at.ins().icmp_imm_s(IntCC::NotEqual, raw, 0),",
        "Item::Bool => raw,",
        "a byte other than 0 and 1 is a bool that is neither",
    ),
    Mutant(
        "array-slice-last",
        "runtime/int.rs",
        "(-1, n.saturating_sub(1))",
        "(-1, n)",
        "a slice backwards begins behind the array",
    ),
    Mutant(
        "whole-gather-column",
        "arrays.rs",
        "(row, column) = (row + 1, 0);",
        "(row, column) = (row, 0);",
        "every run of a block is the first row's",
    ),
    Mutant(
        "whole-no-overlap",
        "arrays.rs",
        "shape.total > 0 && !same && a.start < b.end && b.start < a.end",
        "shape.total > 0 && !same && a.start < b.end && b.start < a.end && a.start == b.start",
        "what is written changes what is read later",
    ),
    Mutant(
        "whole-small-apart",
        "arrays/whole/small.rs",
        "same || end(other) <= out.address || end(out) <= other.address",
        "same || end(other) <= out.address || other.address < out.address",
        "the same, of small arrays",
    ),
    Mutant(
        "whole-stretch-any",
        "arrays.rs",
        "_ => return Err(Fault::Shapes),",
        "_ => *common = n.max(*common),",
        "shapes that do not fit are stretched all the same",
    ),
    Mutant(
        "fold-order",
        "runtime/fold.rs",
        "together(together(together(a, b), together(c, d)), together(together(e, f), together(g, h)))",
        "together(together(together(a, c), together(b, d)), together(together(e, f), together(g, h)))",
        "accumulators are put together in another order",
    ),
    Mutant(
        "fold-strip-place",
        "arrays/whole.rs",
        "*place = place.wrapping_add(length * array.item.size());",
        "*place = place.wrapping_add(length * 8);",
        "the second strip of a block of small elements is elsewhere",
    ),
    Mutant(
        "fuse-over-writes",
        "opt/fuse.rs",
        "let writes = |op: &Op| op.writes() || matches!(op, Op::Call(_) | Op::Extern(_));",
        "let writes = |op: &Op| op.writes() && matches!(op, Op::Call(_) | Op::Extern(_));",
        "an operation is moved behind a write to what it reads",
    ),
    Mutant(
        "fuse-no-question",
        "opt/fuse.rs",
        "if arrays.len() > 1 {",
        "if arrays.len() > 9 {",
        "shapes that do not fit are found out elsewhere",
    ),
    Mutant(
        "merge-any-mode",
        "opt/merge.rs",
        "Op::Cmp(cond) | Op::CmpIntFloat(cond) => *cond as u64,",
        "Op::Cmp(_) | Op::CmpIntFloat(_) => 0,",
        "a comparison is taken for another one",
    ),
    Mutant(
        "unroll-after-store",
        "opt/unroll.rs",
        "if !blocks.contains(&target) {\n                return true;",
        "if !blocks.contains(&target) {\n                continue;",
        "a round that has written is begun again",
    ),
    Mutant(
        "bounds-range-stop",
        "opt/bounds/stride.rs",
        "all.push(vec![(start, i), (i, stop.plus(-1))]);",
        "all.push(vec![(start, i), (i, stop.plus(-2))]);",
        "the last turn of a loop with a step is thought to be further away from the end",
    ),
    Mutant(
        "vector-rest-last",
        "codegen/vector/mod.rs",
        "let last = self.at.ins().iadd_imm_s(rest, -1);",
        "let last = self.at.ins().iadd_imm_s(rest, 0);",
        "elements behind the end are read",
    ),
    Mutant(
        "kernel-uniform-mask",
        "codegen/whole.rs",
        "numbers.fold(0, |mask, (i, _)| mask | 1 << i)",
        "numbers.fold(0, |mask, (i, _)| mask | 2 << i)",
        "another operand is taken for a number than the one that is",
    ),
]
