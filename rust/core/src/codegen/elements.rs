//! A function for each of many elements: `extern "C" fn(ctx, operands, count) -> status`.
//!
//! In: a function whose parameters and result are numbers and bools. Out: a loop that loads an element of each argument, does the body, and
//! stores the scalars of the result. Always holds: nothing is loaded or stored outside of the runs, and nothing at all when `count`
//! is 0; elements are done in order, so that the first failure is that of the first element that fails; the loop itself does not tick.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, Block, BlockArg, InstBuilder, MemFlagsData, types};

use super::vector::Plan;
use super::{Lower, Scalars, Unit};
use crate::outside::{HowMany, Outside};
use crate::typed::{FuncId, Function, Op, Terminator, Value};
use crate::types::{Item, Ty};

/// One operand: what its elements are, and where the first one is.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub item: Item,
    pub first: ir::Value,
}

/// Which values of a function of one block are the same for all elements, and may be there before the first one: nobody can tell when
/// what cannot fail is done.
pub(super) fn hoisted(function: &Function, uniform: u64) -> Vec<bool> {
    let mut hoisted = vec![false; function.values.len()];
    for (i, param) in function.params().iter().enumerate() {
        hoisted[param.0 as usize] = uniform >> i & 1 == 1;
    }
    for inst in &function.blocks[0].insts {
        let stays = inst.op.can_raise(function.ty(inst.result)) || matches!(inst.op, Op::Extern(_));
        hoisted[inst.result.0 as usize] = !stays && inst.args.iter().all(|arg| hoisted[arg.0 as usize]);
    }
    hoisted
}

impl Unit<'_> {
    /// Whether the body stands in the loop, and is not called from there: it is one block that gives its result.
    pub(super) fn is_in_place(&self, id: FuncId) -> bool {
        let blocks = &self.module.functions[id.0 as usize].blocks;
        matches!(&blocks[..], [only] if matches!(only.end, Terminator::Return(_)))
    }

    /// Which arguments are the same for all elements, and how these are gone through.
    fn uniform(&self, id: FuncId) -> (u64, HowMany) {
        match (self.kernels[id.0 as usize], self.outside) {
            (Some(uniform), _) => (uniform, HowMany::Several),
            (None, Outside::Elements { uniform, how }) => (uniform, how),
            (None, _) => unreachable!("asked for elements"),
        }
    }
}

impl<'m> Lower<'_, 'm, '_> {
    pub(super) fn elements(&mut self) {
        let (uniform, how) = self.unit.uniform(self.id);
        let function = self.function;
        self.place(function.span);
        let [operands, count] = [1, 2].map(|i| self.at.block_params(self.entry)[i]);
        let (some, done) = (self.new_block(), self.new_block());
        self.at.ins().brif(count, some, &[], done, &[]);
        self.enter(some);
        let mut outs = function.result.scalars();
        let chooses = self.chooses();
        outs.truncate(if chooses { 1 } else { usize::MAX });
        let types = function.params().iter().map(|&param| function.ty(param)).chain(&outs);
        let items: Vec<Item> = types.map(|ty| Item::of(ty).expect("elements are numbers and bools")).collect();
        let runs: Vec<Run> = (items.iter().enumerate())
            .map(|(i, &item)| {
                let flags = MemFlagsData::trusted().with_readonly();
                Run { item, first: self.at.ins().load(types::I64, flags, operands, i as i32 * 8) }
            })
            .collect();
        let (inputs, outs) = runs.split_at(function.params().len());
        let is_uniform = |i: usize| uniform >> i & 1 == 1;
        for (i, (run, &param)) in inputs.iter().zip(function.params()).enumerate() {
            if is_uniform(i) {
                let scalar = self.load_item(run.item, run.first, 0);
                self.define(param, &[scalar]);
            }
        }
        let inputs: Vec<Option<Run>> =
            inputs.iter().enumerate().map(|(i, run)| (!is_uniform(i)).then_some(*run)).collect();
        let mut before = Vec::new();
        if self.unit.is_in_place(self.id) {
            before = hoisted(function, uniform);
            for inst in function.blocks[0].insts.iter().filter(|inst| before[inst.result.0 as usize]) {
                self.place(inst.span);
                self.inst(inst);
            }
        }
        let zero = self.at.ins().iconst(types::I64, 0);
        match Plan::of(function, uniform).filter(|_| how == HowMany::Several) {
            // What is left of a line is less than what a copy of it costs, and nobody looks at flags.
            Some(plan) if self.unit.is_of_rows(self.id) => {
                let from = self.whole_rounds(&plan, &inputs, outs, (count, done));
                self.one_by_one(&before, &inputs, outs, (from, count, done));
            }
            Some(plan) => self.vector_rounds(&plan, &inputs, outs, (count, done)),
            None => self.one_by_one(&before, &inputs, outs, (zero, count, done)),
        }
        self.enter(done);
        let status = self.at.ins().iconst(types::I32, 0);
        self.at.ins().return_(&[status]);
    }

    /// Whether it is a kernel that says of each element whether it is written: see `Op::Rows`.
    pub(super) fn chooses(&self) -> bool {
        self.unit.is_kernel(self.id) && matches!(self.function.result, Ty::Tuple(_))
    }

    fn one_by_one(
        &mut self,
        before: &[bool],
        inputs: &[Option<Run>],
        outs: &[Run],
        (from, count, done): (ir::Value, ir::Value, Block),
    ) {
        let function = self.function;
        let body = self.new_block();
        let index = self.at.append_block_param(body, types::I64);
        self.at.ins().jump(body, &[BlockArg::Value(from)]);
        self.at.switch_to_block(body);
        self.stack_checked = false;
        let waiting = inputs.iter().zip(function.params()).filter_map(|(run, &param)| Some((param, (*run)?)));
        let results = self.one_element(before, waiting.collect(), index);
        let next = self.chooses().then(|| {
            let (written, next) = (self.new_block(), self.new_block());
            self.at.ins().brif(results[1], written, &[], next, &[]);
            self.enter(written);
            next
        });
        for (run, scalar) in outs.iter().zip(results) {
            let address = self.element_address(*run, index);
            self.store_item(run.item, scalar, address, 0);
        }
        if let Some(next) = next {
            self.at.ins().jump(next, &[]);
            self.enter(next);
        }
        let next = self.at.ins().iadd_imm_s(index, 1);
        let more = self.at.ins().icmp(IntCC::UnsignedLessThan, next, count);
        self.at.ins().brif(more, body, &[BlockArg::Value(next)], done, &[]);
        self.at.seal_block(body);
    }

    /// The result for an element of each run. What is loaded is loaded where it is needed: before a call it would be put aside for it.
    fn one_element(&mut self, before: &[bool], mut waiting: Vec<(Value, Run)>, index: ir::Value) -> Scalars {
        let function = self.function;
        match (&function.blocks[..], self.unit.is_in_place(self.id)) {
            ([only], true) => {
                for inst in only.insts.iter().filter(|inst| !before[inst.result.0 as usize]) {
                    self.place(inst.span);
                    self.load_now(&mut waiting, &inst.args, index);
                    self.inst(inst);
                }
                self.place(only.end_span);
                let Terminator::Return(value) = only.end else { unreachable!("in place") };
                self.load_now(&mut waiting, &[value], index);
                self.of(value).into()
            }
            _ => {
                self.load_now(&mut waiting, function.params(), index);
                let args: Vec<Value> = function.params().to_vec();
                self.call_scalars(self.id, &args)
            }
        }
    }

    /// Loads those of the waiting elements that are among these.
    fn load_now(&mut self, waiting: &mut Vec<(Value, Run)>, wanted: &[Value], index: ir::Value) {
        waiting.retain(|(param, run)| {
            let now = wanted.contains(param);
            if now {
                let address = self.element_address(*run, index);
                let scalar = self.load_item(run.item, address, 0);
                self.define(*param, &[scalar]);
            }
            !now
        });
    }

    pub(super) fn element_address(&mut self, run: Run, index: ir::Value) -> ir::Value {
        let offset = self.bytes(run.item, index);
        self.at.ins().iadd(run.first, offset)
    }
}
