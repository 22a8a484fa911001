//! Ticks: the run's budget is counted down, and when it is spent the host is asked.
//!
//! A function with a tick in a loop keeps the budget in a variable, which the register allocator keeps in a register; the
//! context has it whenever others may look, which is while functions that tick are called and after returning. A function
//! whose loops all make such calls counts in the context: there is nothing to gain between them. A failing run
//! leaves the context as it is: nobody counts on after it.
//!
//! The host is asked through a stub that changes no register (`poll_stub`). A plain call may change all that hold floats, and to
//! be ready for it a loop would keep its floats in memory: six times slower, for a call that is made every 10,000th round.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, AbiParam, BlockArg, InstBuilder, MemFlagsData, Signature, types};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};

use super::Lower;
use super::abi::{Callee, Import};
use super::hooks::Context;
use crate::failure::Cause;
use crate::typed::calls::{callees, components};
use crate::typed::cfg::Loops;
use crate::typed::{Block, Inst, Module, Op, Target, Terminator, Value};

const BUDGET: i32 = offset_of!(Context, budget) as i32;
const UNITS: i32 = offset_of!(Context, units) as i32;

/// Where a function has the budget while it runs.
#[derive(Clone, Copy)]
pub(super) enum Budget {
    InContext,
    InVariable(Variable),
}

/// For each function, whether a call of it may tick.
pub(crate) fn ticking(module: &Module) -> Vec<bool> {
    let mut ticking = vec![false; module.functions.len()];
    for component in components(module) {
        let ticks = component.iter().any(|f| {
            let function = &module.functions[*f as usize];
            function.blocks.iter().any(|block| ticks(block) || wholes(block))
                || callees(function).any(|callee| ticking[callee as usize])
        });
        component.iter().for_each(|f| ticking[*f as usize] = ticks);
    }
    ticking
}

/// The signature of the stub: the context, and nothing back, as this convention asks for.
pub(super) fn poll_signature() -> Signature {
    let mut signature = Signature::new(CallConv::PreserveAll);
    signature.params.push(AbiParam::new(types::I64));
    signature
}

/// Builds the stub into `func`, which must be empty: calls the hook at this address, and keeps every register that generated
/// code uses.
pub(crate) fn poll_stub(func: &mut ir::Function, target: TargetFrontendConfig, hook: usize) {
    func.signature = poll_signature();
    let mut buffers = FunctionBuilderContext::new();
    let mut at = FunctionBuilder::new(func, &mut buffers);
    let entry = at.create_block();
    at.append_block_params_for_function_params(entry);
    at.switch_to_block(entry);
    let mut signature = Signature::new(target.default_call_conv);
    signature.params.push(AbiParam::new(types::I64));
    let signature = at.import_signature(signature);
    let context = at.block_params(entry)[0];
    let hook = at.ins().iconst(types::I64, hook as i64);
    at.ins().call_indirect(signature, hook, &[context]);
    at.ins().return_(&[]);
    at.seal_all_blocks();
    at.finalize(target);
}

fn ticks(block: &Block) -> bool {
    block.insts.iter().any(|inst| matches!(inst.op, Op::Tick(_)))
}

/// Whether a block has whole-array operations, which tick.
fn wholes(block: &Block) -> bool {
    block.insts.iter().any(|inst| inst.op.is_whole())
}

/// What a block prepays at its end, where it goes when that could be paid, and where else: the shape that `opt::unroll` makes.
pub(super) fn prepaying(block: &Block) -> Option<(u32, &Target, &Target)> {
    match (block.insts.last(), &block.end) {
        (Some(&Inst { op: Op::Prepay(units), result, .. }), Terminator::Branch(cond, paid, unpaid))
            if *cond == result =>
        {
            Some((units, paid, unpaid))
        }
        _ => None,
    }
}

impl Lower<'_, '_, '_> {
    /// At the function's entry. A register pays in loops that tick and make no calls for which the context would have to know.
    pub(super) fn start_budget(&mut self, loops: &Loops) {
        let ticking = &self.unit.ticking;
        let calls = |inst: &Inst| matches!(inst.op, Op::Call(callee) if ticking[callee.0 as usize]);
        let blocks = &self.function.blocks;
        let mut calling = vec![false; blocks.len()];
        for (b, block) in blocks.iter().enumerate() {
            if wholes(block) || block.insts.iter().any(calls) {
                loops.around(b as u32).for_each(|head| calling[head as usize] = true);
            }
        }
        let alone = |(b, block): (usize, &Block)| {
            ticks(block) && loops.inner(b as u32).is_some_and(|head| !calling[head as usize])
        };
        if blocks.iter().enumerate().any(alone) {
            let variable = self.at.declare_var(types::I64);
            self.budget = Budget::InVariable(variable);
            self.take_budget();
        }
    }

    /// Counts so many; asks the host when there are less. What is left is found behind the question, where what there was is not needed
    /// any more: it can have the same register.
    pub(super) fn tick(&mut self, units: u32) {
        let budget = self.budget();
        let (ask, next) = (self.new_block(), self.new_block());
        let paid_from = self.at.append_block_param(next, types::I64);
        let short = self.at.ins().icmp_imm_s(IntCC::SignedLessThan, budget, i64::from(units));
        self.at.ins().brif(short, ask, &[], next, &[BlockArg::Value(budget)]);

        self.enter(ask);
        self.cold_here();
        self.store_budget(budget);
        let count = self.at.ins().iconst(types::I64, i64::from(units));
        self.at.ins().store(MemFlagsData::trusted(), count, self.ctx, UNITS);
        let reference = self.callee(Callee::Import(Import::Poll));
        self.at.ins().call(reference, &[self.ctx]);
        let left = self.load_budget();
        let (refused, site) = self.exit_aside(Cause::Host);
        let none = self.at.ins().icmp_imm_s(IntCC::SignedLessThan, left, 0);
        let again = self.at.ins().iadd_imm_s(left, i64::from(units));
        self.at.ins().brif(none, refused, &[site], next, &[BlockArg::Value(again)]);

        self.enter(next);
        let left = self.at.ins().iadd_imm_s(paid_from, -i64::from(units));
        self.set_budget(left);
    }

    /// Counts so many if there are as many, and goes where that leads.
    pub(super) fn prepay(&mut self, units: u32, paid: &Target, unpaid: &Target) {
        let budget = self.budget();
        let short = self.at.ins().icmp_imm_s(IntCC::SignedLessThan, budget, i64::from(units));
        let (unpaid, unpaid_args) = self.edge(unpaid);
        let there = self.new_block();
        self.at.ins().brif(short, unpaid, &unpaid_args, there, &[]);
        self.enter(there);
        let left = self.at.ins().iadd_imm_s(budget, -i64::from(units));
        self.set_budget(left);
        let (paid, paid_args) = self.edge(paid);
        self.at.ins().jump(paid, &paid_args);
    }

    /// The same where something else than a branch comes next: a bool.
    pub(super) fn prepaid(&mut self, units: u32) -> ir::Value {
        let budget = self.budget();
        let left = self.at.ins().iadd_imm_s(budget, -i64::from(units));
        let there = self.at.ins().icmp_imm_s(IntCC::SignedGreaterThanOrEqual, left, 0);
        let now = self.at.ins().select(there, left, budget);
        self.set_budget(now);
        there
    }

    /// As many as there are, at most so many: how many these are. What is there is never less than none.
    pub(super) fn prepay_most(&mut self, most: Value) -> ir::Value {
        let (budget, most) = (self.budget(), self.one(most));
        let paid = self.at.ins().smin(budget, most);
        let left = self.at.ins().isub(budget, paid);
        self.set_budget(left);
        paid
    }

    /// The way out of the copies of a loop (`opt::unroll`), taken once for many rounds.
    pub(super) fn refund(&mut self, units: u32) {
        self.cold_here();
        let budget = self.budget();
        let more = self.at.ins().iadd_imm_s(budget, i64::from(units));
        self.set_budget(more);
    }

    fn budget(&mut self) -> ir::Value {
        match self.budget {
            Budget::InContext => self.load_budget(),
            Budget::InVariable(variable) => self.at.use_var(variable),
        }
    }

    fn set_budget(&mut self, budget: ir::Value) {
        match self.budget {
            Budget::InContext => self.store_budget(budget),
            Budget::InVariable(variable) => self.at.def_var(variable, budget),
        }
    }

    /// Before others may look at the context.
    pub(super) fn give_budget(&mut self) {
        if let Budget::InVariable(variable) = self.budget {
            let budget = self.at.use_var(variable);
            self.store_budget(budget);
        }
    }

    /// After others may have changed the context.
    pub(super) fn take_budget(&mut self) {
        if let Budget::InVariable(variable) = self.budget {
            let budget = self.load_budget();
            self.at.def_var(variable, budget);
        }
    }

    fn load_budget(&mut self) -> ir::Value {
        self.at.ins().load(types::I64, MemFlagsData::trusted(), self.ctx, BUDGET)
    }

    fn store_budget(&mut self, budget: ir::Value) {
        self.at.ins().store(MemFlagsData::trusted(), budget, self.ctx, BUDGET);
    }
}
