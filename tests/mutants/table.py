"""The faults that are planted: operands swapped, checks dropped, ends off by one, passes that do not look.

Each is text that stands exactly once in a file of the core, and what stands there instead; it compiles, and it is wrong.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    name: str
    file: str  # below rust/core/src
    old: str
    new: str
    what: str


MUTANTS = [
    # codegen: operations
    Mutant(
        "codegen-sub-swapped",
        "codegen/arith.rs",
        "let difference = self.at.ins().fsub(a, b);",
        "let difference = self.at.ins().fsub(b, a);",
        "x - y of floats is y - x",
    ),
    Mutant(
        "codegen-mul-unchecked",
        "codegen/arith.rs",
        "self.fault_if(overflow, Fault::IntOverflow);\n        product",
        "let _ = overflow;\n        product",
        "an int product that overflows wraps",
    ),
    Mutant(
        "codegen-add-constant-side",
        "codegen/arith.rs",
        "let wrong = if c >= 0 { IntCC::SignedLessThan } else { IntCC::SignedGreaterThan };\n"
        "        let overflow = self.at.ins().icmp(wrong, sum, a);",
        "let wrong = if c >= 0 { IntCC::SignedLessThanOrEqual } else { IntCC::SignedGreaterThanOrEqual };\n"
        "        let overflow = self.at.ins().icmp(wrong, sum, a);",
        "x + c overflows when the sum equals x: only for c = 0, which unoptimised code adds too",
    ),
    Mutant(
        "codegen-abs-min",
        "codegen/arith.rs",
        "if mode == Mode::Python {\n            self.fault_if_min(x, int);\n        }\n        let magnitude",
        "let magnitude",
        "abs of the least int is negative",
    ),
    Mutant(
        "codegen-f32-unrounded",
        "codegen/arith.rs",
        "if !is_f32(ty) {\n            return value;\n        }",
        "if is_f32(ty) || !is_f32(ty) {\n            return value;\n        }",
        "f32 arithmetic is not rounded to single precision",
    ),
    Mutant(
        "codegen-div-unguarded",
        "codegen/divide.rs",
        "self.fault_if(both, overflow(int));",
        "let _ = (both, overflow(int));",
        "MIN // -1 reaches the machine's division, which traps",
    ),
    Mutant(
        "codegen-mod-unguarded",
        "codegen/divide.rs",
        "            self.not_minus_one(b)\n        } else {",
        "            b\n        } else {",
        "MIN % -1 reaches the machine's division, which traps",
    ),
    Mutant(
        "codegen-floor-truncates",
        "codegen/divide.rs",
        "self.at.ins().isub(quotient, one_less)",
        "{ let _ = one_less; quotient }",
        "// of ints with different signs truncates",
    ),
    Mutant(
        "codegen-int-div-inexact",
        "codegen/divide.rs",
        "self.at.ins().ushr_imm_s(bits, 54)",
        "self.at.ins().ushr_imm_s(bits, 56)",
        "/ of ints rounds three times for ints between 2**53 and 2**55",
    ),
    Mutant(
        "codegen-compare-le",
        "codegen/compare.rs",
        "Cond::Le => IntCC::SignedLessThanOrEqual,",
        "Cond::Le => IntCC::SignedLessThan,",
        "x <= x is False for ints",
    ),
    Mutant(
        "codegen-compare-nan",
        "codegen/compare.rs",
        "Cond::Ne => FloatCC::NotEqual,",
        "Cond::Ne => FloatCC::OrderedNotEqual,",
        "nan != nan is False",
    ),
    Mutant(
        "codegen-compare-mixed",
        "codegen/compare.rs",
        "self.at.ins().ushr_imm_s(offset, 54)",
        "self.at.ins().ushr_imm_s(offset, 62)",
        "an int above 2**53 is compared with a float as a float",
    ),
    Mutant(
        "codegen-to-int-unchecked",
        "codegen/convert.rs",
        "self.exit_now(Cause::Fault(too_large(int)));",
        "let _ = too_large(int);\n            self.at.ins().jump(good, &[]);",
        "int(1e300) is the largest int",
    ),
    Mutant(
        "codegen-narrow-unchecked",
        "codegen/convert.rs",
        "self.fault_if(outside, Fault::SizedIntOverflow);",
        "let _ = outside;",
        "i8(300) wraps",
    ),
    Mutant(
        "codegen-shift-count",
        "codegen/bits.rs",
        "let beyond = self.at.ins().icmp_imm_s(IntCC::UnsignedGreaterThan, n, 63);\n            let nonzero",
        "let beyond = self.at.ins().icmp_imm_s(IntCC::UnsignedGreaterThan, n, 64);\n            let nonzero",
        "x << 64 is x << 0",
    ),
    Mutant(
        "codegen-shift-negative",
        "codegen/bits.rs",
        "if mode == Mode::Python {\n            self.fault_if_negative(n);\n        }",
        "",
        "x >> -1 is an answer",
    ),
    # codegen: calls, exits, ticks
    Mutant(
        "codegen-exit-site",
        "codegen/checks.rs",
        "let site = self.unit.sites.len() as u32;",
        "let site = (self.unit.sites.len() as u32).saturating_sub(1);",
        "a failure is said to be the one before it",
    ),
    Mutant(
        "codegen-propagate",
        "codegen/checks.rs",
        "self.at.ins().brif(status, fail, &[], next, &[]);",
        "let _ = (status, fail);\n        self.at.ins().jump(next, &[]);",
        "a failure of a called function is forgotten",
    ),
    Mutant(
        "codegen-stack-check",
        "codegen/checks.rs",
        "self.fault_if(low, Fault::Recursion);",
        "let _ = (low, Fault::Recursion);",
        "endless recursion runs off the stack",
    ),
    Mutant(
        "codegen-libm-domain",
        "codegen/calls.rs",
        "self.fault_if(domain, Fault::MathDomain);",
        "let _ = domain;",
        "sqrt(-1), log(-1) and so on are nan",
    ),
    Mutant(
        "codegen-scratch-slot",
        "codegen/calls.rs",
        "kinds.map(|(i, &kind)| self.load_slot(kind_type(kind), base, results_at + i as i32 * 8)).collect()",
        "kinds.map(|(i, &kind)| self.load_slot(kind_type(kind), base, results_at - 8 + i as i32 * 8)).collect()",
        "a helper's result is read one slot too low",
    ),
    Mutant(
        "abi-wide-result",
        "codegen/abi.rs",
        "self.store_slot(scalar, self.ctx, result_offset(i));",
        "self.store_slot(scalar, self.ctx, result_offset(scalars.len() - 1 - i));",
        "a tuple from a function that is called comes back reversed",
    ),
    Mutant(
        "abi-slot-offset",
        "codegen/abi.rs",
        "slot += scalars.len() as i32 * 8;",
        "slot += 8;",
        "what follows a tuple among the arguments is read too early",
    ),
    Mutant(
        "codegen-budget-taken",
        "codegen/ticks.rs",
        "Budget::InContext => self.store_budget(budget),",
        "Budget::InContext => {}",
        "recursion does not count its calls: it never asks its host",
    ),
    # types
    Mutant(
        "ticks-no-loops",
        "types/ticks.rs",
        "let units = calls as u32 + u32::from(goes_back) + u32::from(entered);",
        "let units = calls as u32 + u32::from(goes_back && entered) + u32::from(entered);",
        "loops do not tick: Ctrl-C does not end them",
    ),
    Mutant(
        "rules-floordiv-modulo",
        "types/rules/arith.rs",
        'Ty::Float(_) => Ok(float_helper(e, "float_mod", &a, &b, &ty)),',
        'Ty::Float(_) => Ok(float_helper(e, "float_mod", &b, &a, &ty)),',
        "% of floats has its operands swapped",
    ),
    Mutant(
        "rules-divmod-reversed",
        "types/rules/arith.rs",
        "Ok(e.tuple(&[quotient, rest]))",
        "Ok(e.tuple(&[rest, quotient]))",
        "divmod of ints gives the rest first",
    ),
    Mutant(
        "infer-callers",
        "types/settle.rs",
        "for (caller, site) in self.instances[at].callers.clone() {",
        "for (caller, site) in self.instances[at].callers.clone().into_iter().take(0) {",
        "callers are not looked at again when what a function returns has changed",
    ),
    Mutant(
        "infer-returns",
        "types/settle.rs",
        "result = Some(result.map_or(ty.clone(), |old| join(&old, &ty).unwrap_or(old)));",
        "result = Some(result.map_or(ty.clone(), |old| join(&old, &ty).map_or(old.clone(), |_| old)));",
        "a function returns the type of its first return",
    ),
    # opt
    Mutant(
        "fold-add-zero",
        "opt/fold/floats.rs",
        "Op::Add(_) if is(b, -0.0) => Some(Is(x)),",
        "Op::Add(_) if is(b, 0.0) || is(b, -0.0) => Some(Is(x)),",
        "x + 0.0 is x, also for -0.0",
    ),
    Mutant(
        "fold-mul-zero",
        "opt/fold/floats.rs",
        "Op::Mul(_) if is(a, 1.0) => Some(Is(y)),",
        "Op::Mul(_) if is(a, 1.0) => Some(Is(y)),\n            Op::Mul(_) if is(b, 0.0) => Some(Is(y)),",
        "x * 0.0 is 0.0, also for inf, nan and negative x",
    ),
    Mutant(
        "fold-reciprocal",
        "opt/fold/floats.rs",
        "(power_of_two(c) && power_of_two(reciprocal) && held).then_some(reciprocal)",
        "(held && power_of_two(1.0)).then_some(reciprocal)",
        "x / 3 is x * (1 / 3)",
    ),
    Mutant(
        "fold-mod-two",
        "opt/fold/ints.rs",
        "(Op::Mod(_), _, Some(1 | -1)) => number(0),",
        "(Op::Mod(_), _, Some(1 | -1 | 2)) => number(0),",
        "x % 2 is 0",
    ),
    Mutant(
        "fold-not-less",
        "opt/fold/logic.rs",
        "if matches!(cond, Cond::Eq | Cond::Ne) || !matches!(self.ty(args[0]), Ty::Float(_)) => {",
        "if matches!(cond, Cond::Eq | Cond::Ne) || !matches!(self.ty(args[0]), Ty::Bool) => {",
        "not x < y is x >= y, also for nan",
    ),
    Mutant(
        "fold-int-floor-shift",
        "opt/fold/ints.rs",
        "(Op::FloorDiv(_), _, Some(d)) if d > 1 && d & (d - 1) == 0 => {",
        "(Op::FloorDiv(_), _, Some(d)) if d > 1 && d & 1 == 0 => {",
        "x // 6 is x >> 1",
    ),
    Mutant(
        "cfg-passable",
        "opt/simplify_cfg.rs",
        "                    passable[owner as usize] = false;\n",
        "                    let _ = &passable[owner as usize];\n",
        "jumps are led past blocks whose parameters others read: SSA is broken",
    ),
    Mutant(
        "cfg-merge-preds",
        "opt/simplify_cfg.rs",
        "if graph.preds[next as usize].len() != 1 || next == head {",
        "if graph.preds[next as usize].len() > 2 || next == head {",
        "a block that two jump to is moved into one of them",
    ),
    Mutant(
        "dce-raises",
        "opt/dce.rs",
        "block.insts.retain(|inst| is_needed(&inst.result) || inst.op.can_raise(&values[inst.result.0 as usize]));",
        "let _ = values;\n        block.insts.retain(|inst| is_needed(&inst.result));",
        "an operation that raises is removed when nobody reads its result",
    ),
    Mutant(
        "dce-operands",
        "opt/dce.rs",
        "Origin::Inst(b, i) => work.extend(&function.blocks[b as usize].insts[i as usize].args),",
        "Origin::Inst(b, i) => work.extend(function.blocks[b as usize].insts[i as usize].args.first()),",
        "second operands are taken for dead: SSA is broken",
    ),
    Mutant(
        "inline-arguments",
        "opt/inline.rs",
        "for (param, arg) in callee.params().iter().zip(&call.args) {",
        "for (param, arg) in callee.params().iter().zip(call.args.iter().rev()) {",
        "an inlined function gets its arguments reversed",
    ),
    Mutant(
        "params-several",
        "opt/params.rs",
        "_ => Given::Several,",
        "Given::One(first) => Given::One(first),\n                Given::Several => Given::Several,",
        "a parameter that is given different values is the first of them",
    ),
    Mutant(
        "unroll-tail",
        "opt/unroll.rs",
        "let left = (found.copies - copy) as u32 * found.units;",
        "let left = (found.copies - copy - 1) as u32 * found.units;",
        "a loop that is left among its copies counts a round too many",
    ),
    Mutant(
        "unroll-next-copy",
        "opt/unroll.rs",
        "let next = if copy + 1 == found.copies { fast } else { BlockId(base + stride) };",
        "let next = if copy + 1 == found.copies { BlockId(found.head) } else { BlockId(base + stride) };",
        "the last copy of a loop goes back to the body that counts again: SSA is whole, fuel is not",
    ),
    # evaluation
    Mutant(
        "eval-floor",
        "eval.rs",
        "let floor = x.div_euclid(y) - (y < 0 && x.rem_euclid(y) != 0) as i128;",
        "let floor = x.div_euclid(y);",
        "the interpreter and the folder divide by negative ints wrongly",
    ),
    Mutant(
        "eval-select",
        "eval.rs",
        "let start = if args[0] != 0 { 1 } else { 1 + result.width() };",
        "let start = if args[0] != 0 { 1 } else { 2 };",
        "the interpreter takes a piece of the first tuple in place of the second",
    ),
    Mutant(
        "interp-jump-order",
        "interp.rs",
        "self.write_params(&function.blocks[target.block.0 as usize].params, &args);\n    }\n\n    fn enter",
        "for (param, arg) in function.blocks[target.block.0 as usize].params.iter().zip(&target.args) {\n"
        "            let value = self.gather(&[*arg]);\n            self.write_params(&[*param], &value);\n        }\n"
        "        let _ = args;\n    }\n\n    fn enter",
        "the interpreter writes a loop's variables one after the other: a, b = b, a goes wrong",
    ),
    Mutant(
        "interp-no-refund",
        "interp.rs",
        "Op::Refund(units) => self.budget += u64::from(*units),",
        "Op::Refund(_) => {}",
        "the interpreter counts rounds that were paid for and not made",
    ),
    Mutant(
        "runtime-round-tie",
        "runtime/int.rs",
        "Ordering::Equal => below & 1,",
        "Ordering::Equal => 1,",
        "round(25, -1) is 30",
    ),
    Mutant(
        "runtime-cmp-float",
        "runtime/int.rs",
        "sign(a.cmp(&(whole as i64)).then(order(whole, b)))",
        "sign(a.cmp(&(whole as i64)))",
        "an int equals a float with the same whole part",
    ),
    # the crossing
    Mutant(
        "decode-own-result",
        "ir/decode.rs",
        "if operand as usize >= number || !function.insts[operand as usize].op.has_result() {",
        "if operand as usize > number || !function.insts[operand as usize].op.has_result() {",
        "an instruction of mutated IR may use itself",
    ),
    Mutant(
        "decode-block-zero",
        "ir/decode.rs",
        "op => op.successors().iter().all(|&b| b != 0 && (b as usize) < function.blocks.len()),",
        "op => op.successors().iter().all(|&b| (b as usize) < function.blocks.len()),",
        "mutated IR may jump to the entry",
    ),
    Mutant(
        "ssa-dominance",
        "ir/ssa/mod.rs",
        "if !graph.dominates(home[operand as usize], block) {",
        "if !graph.reachable(home[operand as usize]) {",
        "mutated IR may use what is not there on every path",
    ),
    Mutant(
        "ssa-phi",
        "ir/ssa/place.rs",
        "                    phis[join as usize].push(local as u32);\n                    work.push(join);",
        "                    phis[join as usize].push(local as u32);",
        "a variable that joins does not join again further on",
    ),
    Mutant(
        "unroll-refund-short",
        "opt/unroll.rs",
        "let left = (found.copies - copy) as u32 * found.units;",
        "let left = (found.copies - copy - 1) as u32 * found.units;",
        "a copy of a loop that is left gives back too little",
    ),
    Mutant(
        "unroll-units",
        "opt/unroll.rs",
        "let units = found.copies as u32 * found.units;",
        "let units = found.copies as u32;",
        "rounds that take several units prepay one",
    ),
    Mutant(
        "unroll-wrong-round",
        "opt/unroll.rs",
        "let next = if copy + 1 == found.copies { fast } else { BlockId(base + stride) };",
        "let next = if copy + 1 >= found.copies { BlockId(first) } else { BlockId(base + stride) };",
        "the last copy goes to the first, and never ticks again",
    ),
    # code: its memory
    Mutant(
        "memory-untouched",
        "code/memory.rs",
        "start.write_volatile(0);",
        "",
        "the parts of a chunk do not join again, so that there are ever more mappings",
    ),
    Mutant(
        "memory-not-emptied",
        "code/memory.rs",
        "empty(self.start, self.len);\n        if",
        "if",
        "code that is dropped stays resident",
    ),
    Mutant(
        "memory-fork-unguarded",
        "code/memory.rs",
        "                    fork::guard();\n",
        "",
        "a child process waits for a lock that nobody holds",
    ),
    Mutant(
        "arena-joins-chunks",
        "code/memory/arena.rs",
        "if high < chunk_end",
        "if high <= chunk_end",
        "free pages of two chunks become one extent",
    ),
]
