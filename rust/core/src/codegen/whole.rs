//! Whole-array operations: the runtime walks through the arrays, and runs the kernel, a function of the module, on each block.
//!
//! In: `Map`, `MapInto`, `Reduce`. Out: a call that is told the kernel's address. Always holds: a kernel's function is its `Face::Block`, under its own number, and
//! nobody calls it otherwise (`kernels`).

use cranelift_codegen::ir::{self, InstBuilder, types};

use super::abi::{Callee, Import};
use super::{Lower, Scalars, Site, Unit};
use crate::arrays::whole::Whole;
use crate::failure::Cause;
use crate::typed::{FuncId, Inst, Module, Op, Value};
use crate::types::Ty;

/// A whole-array operation, and where it fails: for a reason whose code is stored, and because of the host.
pub(crate) struct WholeSite {
    pub whole: Whole,
    pub fault: u32,
    pub host: u32,
}

/// For each function, if it is a kernel, which of its parameters are one number for all elements, by their bits.
pub(super) fn kernels(module: &Module) -> Vec<Option<u64>> {
    let mut kernels = vec![None; module.functions.len()];
    for function in &module.functions {
        for inst in function.blocks.iter().flat_map(|block| &block.insts) {
            let (id, args) = match inst.op {
                Op::Map(id) | Op::Reduce(_, id) => (id, &inst.args[..]),
                Op::MapInto(id) | Op::Rows(id) => (id, &inst.args[1..]),
                _ => continue,
            };
            let numbers = args.iter().enumerate().filter(|(_, arg)| !matches!(function.ty(**arg), Ty::Array(_)));
            kernels[id.0 as usize] = Some(numbers.fold(0, |mask, (i, _)| mask | 1 << i));
        }
    }
    kernels
}

impl Unit<'_> {
    /// Whether it is done for lines (`Op::Rows`).
    pub(super) fn is_of_rows(&self, id: FuncId) -> bool {
        let mut insts = self.module.functions.iter().flat_map(|f| &f.blocks).flat_map(|block| &block.insts);
        insts.any(|inst| inst.op == Op::Rows(id))
    }

    pub(super) fn is_kernel(&self, id: FuncId) -> bool {
        self.kernels[id.0 as usize].is_some()
    }
}

impl<'m> Lower<'_, 'm, '_> {
    /// The operand that was made in the same block and is read here alone.
    fn spent(&self, inst: &Inst) -> Option<usize> {
        let made = |value: Value| {
            let blocks = self.function.blocks.iter();
            let home = blocks.clone().find(|block| block.insts.iter().any(|i| std::ptr::eq(i, inst)))?;
            let maker = home.insts.iter().find(|i| i.result == value)?;
            let read = blocks.flat_map(|block| block.uses()).filter(|used| *used == value).count();
            (matches!(maker.op, Op::Map(_)) && read == 1).then_some(())
        };
        let is_map = matches!(inst.op, Op::Map(_));
        inst.args.iter().position(|&arg| is_map && matches!(self.function.ty(arg), Ty::Array(_)) && made(arg).is_some())
    }

    pub(super) fn whole(&mut self, inst: &'m Inst) {
        let operands = inst.args.iter().map(|&arg| self.function.ty(arg).clone()).collect();
        let Some((mut whole, kernel)) = Whole::of(self.unit.module, &inst.op, operands) else {
            unreachable!("called for whole-array operations")
        };
        whole.spent = self.spent(inst);
        let scalars: Scalars = inst.args.iter().flat_map(|&arg| self.of(arg).iter().copied()).collect();
        let result = self.function.ty(inst.result).scalars();
        let base = self.scratch(scalars.len() + result.len());
        for (i, &scalar) in scalars.iter().enumerate() {
            self.store_slot(scalar, base, i as i32 * 8);
        }
        let results_at = scalars.len() as i32 * 8;
        let out = self.at.ins().iadd_imm_s(base, i64::from(results_at));
        let site = |cause, this: &mut Self| {
            this.unit.sites.push(Site { cause, span: inst.span });
            this.unit.sites.len() as u32 - 1
        };
        let (fault, host) = (site(None, self), site(Some(Cause::Host), self));
        let index = self.unit.wholes.len() as i64;
        self.unit.wholes.push(WholeSite { whole, fault, host });
        self.give_budget();
        let kernel = self.callee(Callee::Function(kernel));
        let kernel = self.at.ins().func_addr(types::I64, kernel);
        let index = self.at.ins().iconst(types::I64, index);
        let reference = self.callee(Callee::Import(Import::Whole));
        let call = self.at.ins().call(reference, &[self.ctx, index, kernel, base, out]);
        let status = self.at.func.dfg.first_result(call);
        self.propagate(status);
        self.take_budget();
        let slots = result.iter().enumerate();
        let loaded: Scalars =
            slots.map(|(i, ty)| self.load_slot(super::clif_type(ty), base, results_at + i as i32 * 8)).collect();
        self.define(inst.result, &loaded);
    }

    pub(super) fn mark(&mut self) -> ir::Value {
        let reference = self.callee(Callee::Import(Import::Mark));
        let call = self.at.ins().call(reference, &[self.ctx]);
        self.at.func.dfg.first_result(call)
    }

    /// Tells the host where the arrays lie: an array's first scalar is its address.
    pub(super) fn keep(&mut self, args: &[Value]) {
        let (mark, arrays) = (self.one(args[0]), &args[1..]);
        let base = self.scratch(arrays.len());
        for (i, &array) in arrays.iter().enumerate() {
            let address = self.of(array)[0];
            self.store_slot(address, base, i as i32 * 8);
        }
        let count = self.at.ins().iconst(types::I64, arrays.len() as i64);
        let reference = self.callee(Callee::Import(Import::Keep));
        self.at.ins().call(reference, &[self.ctx, mark, base, count]);
    }
}
