//! Calls: of the module's functions, of the runtime's helpers, and `print`.

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::{self, InstBuilder, StackSlotData, StackSlotKind, types};
use smallvec::smallvec;

use std::sync::Arc;

use super::abi::{Callee, Import, PrintSite, kind_type, result_offset};
use super::{Face, Lower, Scalars};
use crate::failure::Cause;
use crate::fault::Fault;
use crate::runtime::{self, Body, Helper};
use crate::typed::{FuncId, Mode, Print, Value};

impl Lower<'_, '_, '_> {
    pub(super) fn call(&mut self, result: Value, callee: FuncId, args: &[Value]) {
        let scalars = self.call_scalars(callee, args);
        self.define(result, &scalars);
    }

    /// Calls a function of the module; a failure in it is ours.
    pub(super) fn call_scalars(&mut self, callee: FuncId, args: &[Value]) -> Scalars {
        if self.face == Face::Inner && !self.stack_checked && self.unit.may_recur(self.id, callee) {
            self.stack_check();
            self.stack_checked = true;
        }
        let ticks = self.unit.ticking[callee.0 as usize];
        if ticks {
            self.give_budget();
        }
        let reference = self.callee(Callee::Function(callee));
        let mut scalars: Scalars = smallvec![self.ctx];
        args.iter().for_each(|&arg| scalars.extend_from_slice(self.of(arg)));
        let call = self.at.ins().call(reference, &scalars);
        let results: Scalars = self.at.inst_results(call).into();
        // The status is what is returned last.
        self.propagate(results[results.len() - 1]);
        if ticks {
            self.take_budget();
        }
        match results[..] {
            [result, _] => smallvec![result],
            _ => {
                // At once: the next call may use the same area.
                let module = self.unit.module;
                self.load_slots(&module.functions[callee.0 as usize].result, self.ctx, result_offset(0))
            }
        }
    }

    pub(super) fn helper(&mut self, result: Value, helper: &'static Helper, mode: Mode, args: &[Value]) {
        let scalars: Scalars = args.iter().flat_map(|&arg| self.of(arg).iter().copied()).collect();
        let results = match helper.body {
            Body::Libm1 { overflow, .. } => smallvec![self.libm(helper, mode, scalars[0], overflow)],
            Body::Slots(_) if helper.name == "range_count" => smallvec![self.range_count(args)],
            Body::Slots(_) => self.slots(helper, &scalars),
        };
        self.define(result, &results);
    }

    /// A helper by its name, for operations that are partly done by the runtime.
    pub(super) fn runtime(&mut self, name: &str, args: &[ir::Value]) -> Scalars {
        let helper = runtime::helper(name).expect("the runtime has a row for every name used in codegen");
        self.slots(helper, args)
    }

    /// Calls a helper that reads and writes slots on our frame.
    fn slots(&mut self, helper: &'static Helper, args: &[ir::Value]) -> Scalars {
        debug_assert_eq!(args.len(), helper.params.len());
        let base = self.scratch(args.len() + helper.results.len());
        for (i, &arg) in args.iter().enumerate() {
            self.store_slot(arg, base, i as i32 * 8);
        }
        let results_at = args.len() as i32 * 8;
        let out = self.at.ins().iadd_imm_s(base, i64::from(results_at));
        let reference = self.callee(Callee::Import(Import::Helper(helper)));
        let call = self.at.ins().call(reference, &[base, out]);
        let status = self.at.func.dfg.first_result(call);
        if !helper.infallible {
            self.exit_with_code(status);
        }
        let kinds = helper.results.iter().enumerate();
        kinds.map(|(i, &kind)| self.load_slot(kind_type(kind), base, results_at + i as i32 * 8)).collect()
    }

    /// A function of libm. Its result less itself is 0 unless it is infinite or nan; only then `math`'s rules are asked.
    fn libm(&mut self, helper: &'static Helper, mode: Mode, x: ir::Value, overflow: bool) -> ir::Value {
        let reference = self.callee(Callee::Import(Import::Helper(helper)));
        let call = self.at.ins().call(reference, &[x]);
        let result = self.at.func.dfg.first_result(call);
        if mode == Mode::Numpy || helper.infallible {
            return result;
        }
        let difference = self.at.ins().fsub(result, result);
        let special = self.at.ins().fcmp(FloatCC::Unordered, difference, difference);
        let (look, done) = (self.new_block(), self.new_block());
        self.at.ins().brif(special, look, &[], done, &[]);

        self.enter(look);
        self.cold_here();
        // nan out of a number: outside the domain.
        let is_nan = self.at.ins().fcmp(FloatCC::Unordered, result, result);
        let number = self.at.ins().fcmp(FloatCC::Ordered, x, x);
        let domain = self.at.ins().band(is_nan, number);
        let (wrong, site) = self.exit_aside(Cause::Fault(Fault::MathDomain));
        let large = self.new_block();
        self.at.ins().brif(domain, wrong, &[site], large, &[]);
        self.enter(large);
        self.cold_here();
        // Infinity out of a finite number: too large, or a singularity.
        let not_nan = self.at.ins().fcmp(FloatCC::Ordered, result, result);
        let from = self.at.ins().fsub(x, x);
        let finite = self.at.ins().fcmp(FloatCC::Ordered, from, from);
        let range = self.at.ins().band(not_nan, finite);
        let fault = if overflow { Fault::MathRange } else { Fault::MathDomain };
        let (wrong, site) = self.exit_aside(Cause::Fault(fault));
        self.at.ins().brif(range, wrong, &[site], done, &[]);
        self.enter(done);
        result
    }

    pub(super) fn print(&mut self, print: &Arc<Print>, args: &[Value]) {
        let operands: Vec<_> = args.iter().map(|&arg| self.function.ty(arg).clone()).collect();
        let scalars: Scalars = args.iter().flat_map(|&arg| self.of(arg).iter().copied()).collect();
        let index = self.unit.prints.len() as i64;
        self.unit.prints.push(PrintSite { print: print.clone(), operands });
        let base = self.scratch(scalars.len());
        for (i, &scalar) in scalars.iter().enumerate() {
            self.store_slot(scalar, base, i as i32 * 8);
        }
        let index = self.at.ins().iconst(types::I64, index);
        let reference = self.callee(Callee::Import(Import::Print));
        let call = self.at.ins().call(reference, &[self.ctx, index, base]);
        let status = self.at.func.dfg.first_result(call);
        self.exit_if(status, Cause::Host);
    }

    /// The address of at least so many slots on our frame; the same for everyone.
    pub(super) fn scratch(&mut self, slots: usize) -> ir::Value {
        let size = slots.max(1) as u32 * 8;
        let func = &mut *self.at.func;
        let slot = *self.scratch.get_or_insert_with(|| {
            func.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, size, 3))
        });
        let data = &mut func.sized_stack_slots[slot];
        data.size = data.size.max(size);
        self.at.ins().stack_addr(types::I64, slot, 0)
    }

    /// The current block is not on the way that programs usually take.
    pub(super) fn cold_here(&mut self) {
        if let Some(block) = self.at.current_block() {
            self.at.set_cold_block(block);
        }
    }
}
