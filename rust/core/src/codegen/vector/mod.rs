//! Several elements at once: the vector form of the loop over elements.
//!
//! In: a function of one block and a `Plan` that says how its values lie in vectors of 128 bits. Out: a loop of rounds, each of `Plan::vectors`
//! vectors. Always holds: the bits are those of the scalar loop, but for what a nan carries beside being one; elements that do not fill
//! a round are done in a copy of it, filled up with the last element, so that nothing outside of the runs is touched and no flag is raised
//! for what is not there.

mod masks;
mod ops;
mod plan;

use std::collections::HashMap;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, Block, BlockArg, InstBuilder, StackSlotData, StackSlotKind, types};
use smallvec::SmallVec;

use super::array::{element, memory_type};
use super::elements::Run;
use super::{Lower, Scalars};
use crate::typed::{Terminator, Value};
use crate::types::Item;

pub(crate) use plan::{Plan, is_ordering};

/// What is known while one round is lowered.
struct Round<'p> {
    plan: &'p Plan,
    /// The lanes of vectors that were put together of them, as scalars.
    lanes: HashMap<ir::Value, Scalars>,
}

/// The loop's blocks and what it takes along.
struct Rounds {
    body: Block,
    after: Block,
    /// Of the runs that go by, in order.
    bases: SmallVec<[ir::Value; 8]>,
    index: ir::Value,
    end: ir::Value,
    /// Whether it goes over the copy.
    copied: ir::Value,
}

impl<'m> Lower<'_, 'm, '_> {
    /// `inputs` are None where an argument is the same for all elements.
    pub(super) fn vector_rounds(
        &mut self,
        plan: &Plan,
        inputs: &[Option<Run>],
        outs: &[Run],
        (count, done): (ir::Value, Block),
    ) {
        let runs: Vec<Run> = inputs.iter().flatten().chain(outs).copied().collect();
        let given = runs.len() - outs.len();
        let length = plan.round() as i64;
        let whole = self.at.ins().band_imm_s(count, -length);
        let rest = self.at.ins().band_imm_s(count, length - 1);
        let rounds = self.rounds(runs.len());
        let (copy, tail, give) = (self.new_block(), self.new_block(), self.new_block());
        let zero = self.at.ins().iconst(types::I64, 0);
        let no = self.at.ins().iconst(types::I8, 0);
        let firsts = runs.iter().map(|run| run.first);
        let args: Vec<BlockArg> = firsts.chain([zero, whole, no]).map(BlockArg::Value).collect();
        self.at.ins().brif(whole, rounds.body, &args, copy, &[]);

        self.all_rounds(plan, inputs, outs, &rounds);
        self.enter(rounds.after);
        self.at.ins().brif(rounds.copied, give, &[], copy, &[]);

        self.enter(copy);
        self.at.ins().brif(rest, tail, &[], done, &[]);
        self.enter(tail);
        let buffers: Vec<Run> = runs.iter().map(|&run| self.buffer(run, length)).collect();
        let last = self.at.ins().iadd_imm_s(rest, -1);
        let length = self.at.ins().iconst(types::I64, length);
        self.copy_elements(length, |lower, i| {
            let within = lower.at.ins().umin(i, last);
            let from = lower.at.ins().iadd(whole, within);
            for (run, buffer) in runs[..given].iter().zip(&buffers) {
                lower.copy_element((*run, from), (*buffer, i));
            }
        });
        let yes = self.at.ins().iconst(types::I8, 1);
        let firsts = buffers.iter().map(|run| run.first);
        let args: Vec<BlockArg> = firsts.chain([zero, length, yes]).map(BlockArg::Value).collect();
        self.at.ins().jump(rounds.body, &args);
        self.at.seal_block(rounds.body);

        self.enter(give);
        let buffers: Vec<Run> =
            (runs[given..].iter().zip(&rounds.bases[given..])).map(|(run, &first)| Run { first, ..*run }).collect();
        self.copy_elements(rest, |lower, i| {
            let to = lower.at.ins().iadd(whole, i);
            for (run, buffer) in outs.iter().zip(&buffers) {
                lower.copy_element((*buffer, i), (*run, to));
            }
        });
        self.at.ins().jump(done, &[]);
    }

    /// Those rounds that are filled. Goes on at the first element that fills none, if there is one; where that is.
    pub(super) fn whole_rounds(
        &mut self,
        plan: &Plan,
        inputs: &[Option<Run>],
        outs: &[Run],
        (count, done): (ir::Value, Block),
    ) -> ir::Value {
        let length = plan.round() as i64;
        let whole = self.at.ins().band_imm_s(count, -length);
        let firsts: Vec<ir::Value> = inputs.iter().flatten().chain(outs).map(|run| run.first).collect();
        let rounds = self.rounds(firsts.len());
        let zero = self.at.ins().iconst(types::I64, 0);
        let no = self.at.ins().iconst(types::I8, 0);
        let args: Vec<BlockArg> = firsts.into_iter().chain([zero, whole, no]).map(BlockArg::Value).collect();
        self.at.ins().brif(whole, rounds.body, &args, rounds.after, &[]);

        self.all_rounds(plan, inputs, outs, &rounds);
        self.at.seal_block(rounds.body);

        self.enter(rounds.after);
        let rest = self.new_block();
        let some = self.at.ins().icmp(IntCC::UnsignedLessThan, whole, count);
        self.at.ins().brif(some, rest, &[], done, &[]);
        self.enter(rest);
        whole
    }

    /// Stores those elements of a round whose masks say so.
    fn store_chosen(
        &mut self,
        plan: &Plan,
        run: Run,
        vectors: Vec<ir::Value>,
        masks: Vec<ir::Value>,
        index: ir::Value,
    ) {
        let [any, all] = [0, 1].map(|all| {
            let mut masks = masks.iter().copied();
            let first = masks.next().expect("a round has a vector");
            masks.fold(first, |a, b| if all == 1 { self.at.ins().band(a, b) } else { self.at.ins().bor(a, b) })
        });
        let (some, every, each, next) = (self.new_block(), self.new_block(), self.new_block(), self.new_block());
        let any = self.at.ins().vany_true(any);
        self.at.ins().brif(any, some, &[], next, &[]);
        self.enter(some);
        let all = self.at.ins().vall_true(all);
        self.at.ins().brif(all, every, &[], each, &[]);

        self.enter(every);
        let address = self.element_address(run, index);
        self.store_round(plan, run.item, vectors.clone(), address);
        self.at.ins().jump(next, &[]);

        self.enter(each);
        let length = plan.round() as i64;
        let values = self.buffer(run, length);
        self.store_round(plan, run.item, vectors, values.first);
        let flags = self.buffer(Run { item: Item::Bool, ..run }, length);
        self.store_round(plan, Item::Bool, masks, flags.first);
        let length = self.at.ins().iconst(types::I64, length);
        self.copy_elements(length, |lower, i| {
            let flag = lower.element_address(flags, i);
            let flag = lower.at.ins().load(types::I8, element(), flag, 0);
            let (written, next) = (lower.new_block(), lower.new_block());
            lower.at.ins().brif(flag, written, &[], next, &[]);
            lower.enter(written);
            let to = lower.at.ins().iadd(index, i);
            lower.copy_element((values, i), (run, to));
            lower.at.ins().jump(next, &[]);
            lower.enter(next);
        });
        self.at.ins().jump(next, &[]);
        self.enter(next);
    }

    fn store_round(&mut self, plan: &Plan, item: Item, vectors: Vec<ir::Value>, address: ir::Value) {
        if item == Item::Bool {
            return self.store_masks(plan, vectors, address);
        }
        for (k, vector) in vectors.into_iter().enumerate() {
            self.at.ins().store(element(), vector, address, k as i32 * 16);
        }
    }

    /// Round after round, up to the end.
    fn all_rounds(&mut self, plan: &Plan, inputs: &[Option<Run>], outs: &[Run], rounds: &Rounds) {
        self.at.switch_to_block(rounds.body);
        self.round(plan, inputs, outs, rounds);
        let next = self.at.ins().iadd_imm_s(rounds.index, plan.round() as i64);
        let more = self.at.ins().icmp(IntCC::UnsignedLessThan, next, rounds.end);
        let bases = rounds.bases.iter().copied();
        let args: Vec<BlockArg> = bases.chain([next, rounds.end, rounds.copied]).map(BlockArg::Value).collect();
        self.at.ins().brif(more, rounds.body, &args, rounds.after, &[]);
    }

    fn rounds(&mut self, runs: usize) -> Rounds {
        let (body, after) = (self.new_block(), self.new_block());
        let bases = (0..runs).map(|_| self.at.append_block_param(body, types::I64)).collect();
        let [index, end] = [(); 2].map(|()| self.at.append_block_param(body, types::I64));
        let copied = self.at.append_block_param(body, types::I8);
        Rounds { body, after, bases, index, end, copied }
    }

    /// One round: what it loads, does and stores.
    fn round(&mut self, plan: &Plan, inputs: &[Option<Run>], outs: &[Run], rounds: &Rounds) {
        let function = self.function;
        let mut round = Round { plan, lanes: HashMap::new() };
        let mut bases = rounds.bases.iter();
        let mut next = |run: &Run| Run { first: *bases.next().expect("a base for each run"), ..*run };
        let inputs: Vec<Option<Run>> = inputs.iter().map(|run| run.as_ref().map(&mut next)).collect();
        let outs: Vec<Run> = outs.iter().map(next).collect();
        // The bytes of bools are as many as the elements of all vectors.
        let mut masks: Vec<(Value, Vec<ir::Value>)> = Vec::new();
        for (run, &param) in inputs.iter().zip(function.params()) {
            if let Some(run) = run
                && run.item == Item::Bool
            {
                let address = self.element_address(*run, rounds.index);
                masks.push((param, self.load_masks(plan, address)));
            }
        }
        let [block] = &function.blocks[..] else { unreachable!("planned: one block") };
        let Terminator::Return(result) = block.end else { unreachable!("planned: it returns") };
        let mut given: Vec<Vec<ir::Value>> = vec![Vec::new(); outs.len()];
        let chooses = self.chooses();
        let mut chosen: Vec<ir::Value> = Vec::new();
        for k in 0..plan.vectors {
            for (run, &param) in inputs.iter().zip(function.params()) {
                match run {
                    Some(run) if run.item != Item::Bool => {
                        let address = self.element_address(*run, rounds.index);
                        let vector = self.at.ins().load(plan.vector(run.item), element(), address, k as i32 * 16);
                        self.define(param, &[vector]);
                    }
                    _ => {}
                }
            }
            for (param, masks) in &masks {
                self.define(*param, &masks[k..=k]);
            }
            for inst in block.insts.iter().filter(|inst| !plan.is_hoisted(inst.result)) {
                self.place(inst.span);
                self.vector_inst(&mut round, inst);
            }
            self.place(block.end_span);
            let results: Scalars = self.of(result).into();
            if chooses {
                chosen.push(self.as_vector(plan, Item::Bool, results[1]));
            }
            for ((run, scalar), given) in outs.iter().zip(results).zip(&mut given) {
                let vector = self.as_vector(plan, run.item, scalar);
                if chooses || run.item == Item::Bool {
                    given.push(vector);
                } else {
                    let address = self.element_address(*run, rounds.index);
                    self.at.ins().store(element(), vector, address, k as i32 * 16);
                }
            }
        }
        for (run, masks) in outs.iter().zip(given) {
            if chooses {
                self.store_chosen(plan, *run, masks, std::mem::take(&mut chosen), rounds.index);
            } else if run.item == Item::Bool {
                let address = self.element_address(*run, rounds.index);
                self.store_masks(plan, masks, address);
            }
        }
    }

    /// Memory on our frame for so many elements of a run.
    fn buffer(&mut self, run: Run, length: i64) -> Run {
        let size = length as u32 * run.item.size() as u32;
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4);
        let slot = self.at.func.create_sized_stack_slot(slot);
        Run { first: self.at.ins().stack_addr(types::I64, slot, 0), ..run }
    }

    /// A loop over `0..count`, which is not 0.
    fn copy_elements(&mut self, count: ir::Value, one: impl FnOnce(&mut Self, ir::Value)) {
        let (body, after) = (self.new_block(), self.new_block());
        let index = self.at.append_block_param(body, types::I64);
        let zero = self.at.ins().iconst(types::I64, 0);
        self.at.ins().jump(body, &[BlockArg::Value(zero)]);
        self.at.switch_to_block(body);
        one(self, index);
        let next = self.at.ins().iadd_imm_s(index, 1);
        let more = self.at.ins().icmp(IntCC::UnsignedLessThan, next, count);
        self.at.ins().brif(more, body, &[BlockArg::Value(next)], after, &[]);
        self.at.seal_block(body);
        self.enter(after);
    }

    fn copy_element(&mut self, (from, i): (Run, ir::Value), (to, j): (Run, ir::Value)) {
        let address = self.element_address(from, i);
        let bits = self.at.ins().load(memory_type(from.item), element(), address, 0);
        let address = self.element_address(to, j);
        self.at.ins().store(element(), bits, address, 0);
    }
}
