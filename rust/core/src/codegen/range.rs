//! How many rounds a `range` with a step makes.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};

use super::Lower;
use crate::fault::Fault;
use crate::typed::Value;

impl Lower<'_, '_, '_> {
    /// What the helper `range_count` gives, without a call: one in a loop takes a register from all that stays the same there, for the
    /// address of its slots. Distances are unsigned, so that that from the least int to the largest fits, and the least step's size.
    pub(super) fn range_count(&mut self, args: &[Value]) -> ir::Value {
        let (start, stop) = self.two(args);
        let step = self.one(args[2]);
        if self.int_constant(args[2]).is_none_or(|step| step == 0) {
            let none = self.at.ins().icmp_imm_s(IntCC::Equal, step, 0);
            self.fault_if(none, Fault::RangeStepZero);
        }
        let up = self.at.ins().icmp_imm_s(IntCC::SignedGreaterThan, step, 0);
        let low = self.at.ins().select(up, start, stop);
        let high = self.at.ins().select(up, stop, start);
        let down = self.at.ins().ineg(step);
        let size = self.at.ins().select(up, step, down);
        let distance = self.at.ins().isub(high, low);
        let before = self.at.ins().iadd_imm_s(distance, -1);
        // Of a range without rounds it is any number.
        let whole = self.at.ins().udiv(before, size);
        let count = self.at.ins().iadd_imm_s(whole, 1);
        let some = self.at.ins().icmp(IntCC::SignedLessThan, low, high);
        let zero = self.at.ins().iconst(types::I64, 0);
        self.at.ins().select(some, count, zero)
    }
}
