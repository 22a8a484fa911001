//! Lines: a kernel on elements that lie one after the other, called directly, and what has to be known before it may be.
//!
//! In: `Rows`, `Apart`, `Reach`, as `opt::vectorise` makes them. Out: the operands' addresses on our frame and a call of the kernel's `Face::Block`;
//! comparisons of addresses. Always holds: the kernel neither fails nor counts, so nobody looks at its status.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, types};

use super::Lower;
use super::abi::Callee;
use crate::typed::{FuncId, Value};
use crate::types::{Item, Ty};

impl Lower<'_, '_, '_> {
    /// A number stands on our frame as an element, behind the addresses.
    pub(super) fn rows(&mut self, kernel: FuncId, args: &[Value]) {
        let operands: Vec<Value> = args[1..].iter().chain(&args[..1]).copied().collect();
        let base = self.scratch(2 * operands.len());
        for (i, &operand) in operands.iter().enumerate() {
            let address = match self.function.ty(operand) {
                Ty::Array(_) => self.parts(operand).address,
                number => {
                    let item = Item::of(number).expect("verified: an element");
                    let offset = (operands.len() + i) as i64 * 8;
                    let address = self.at.ins().iadd_imm_s(base, offset);
                    let value = self.one(operand);
                    self.store_item(item, value, address, 0);
                    address
                }
            };
            self.at.ins().store(MemFlagsData::trusted(), address, base, i as i32 * 8);
        }
        let count = self.len(args[0], 0);
        let kernel = self.callee(Callee::Function(kernel));
        self.at.ins().call(kernel, &[self.ctx, base, count]);
    }

    /// No array goes around the end of memory, so that addresses compare as they are.
    pub(super) fn apart(&mut self, args: &[Value]) -> ir::Value {
        let [(a, a_end, to), (b, b_end, from)] = [args[0], args[1]].map(|array| {
            let parts = self.parts(array);
            let bytes = self.bytes(parts.ty.item, parts.lengths[0]);
            (parts.address, self.at.ins().iadd(parts.address, bytes), parts.ty.item.size())
        });
        let before = self.at.ins().icmp(IntCC::UnsignedLessThanOrEqual, b_end, a);
        let first = if to == from { a } else { a_end };
        let behind = self.at.ins().icmp(IntCC::UnsignedLessThanOrEqual, first, b);
        self.at.ins().bor(before, behind)
    }

    pub(super) fn reach(&mut self, args: &[Value]) -> ir::Value {
        let (line, of) = (self.parts(args[0]), self.parts(args[1]));
        let (element, offset) = self.address_of(&of, &args[2..]);
        let element = self.at.ins().iadd_imm_s(element, i64::from(offset));
        let end = self.at.ins().iadd_imm_s(element, of.ty.item.size() as i64);
        let before = self.at.ins().icmp(IntCC::UnsignedLessThanOrEqual, end, line.address);
        let further = self.at.ins().icmp(IntCC::UnsignedGreaterThan, element, line.address);
        let bytes = self.at.ins().isub(element, line.address);
        let zero = self.at.ins().iconst(types::I64, 0);
        let bytes = self.at.ins().select(further, bytes, zero);
        let shift = i64::from(line.ty.item.size().trailing_zeros());
        let elements = self.at.ins().ushr_imm_u(bytes, shift);
        let some = self.at.ins().iadd_imm_s(elements, 1);
        let count = line.lengths[0];
        let some = self.at.ins().umin(some, count);
        self.at.ins().select(before, count, some)
    }
}
