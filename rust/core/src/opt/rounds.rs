//! Loops of few rounds, of which it is known how many, become these rounds.
//!
//! In: a loop that contains no other, is left from its head alone, and counts by a constant from one constant to another:
//!
//! ```text
//! head(i): … branch i < 3, body, exit … next = next_index i, 1; tick 1; jump head(next)
//! ```
//!
//! Out: the head and its body once for each round, one after the other, and the head once more, which goes to the exit. What was computed in
//! the last round's head is what is read after the loop, under the names it had. Nothing is left out and nothing is put together, ticks
//! neither: so the same happens in the same order, whatever it is. But the counter is a constant now, and what is
//! made of it: an index of a row of three needs no multiplication, and its test not the other tests around it.
//!
//! False of a loop that is left in its middle: what it leaves to would be reached from several rounds, and what it reads there has a name
//! in each.

use std::collections::HashMap;

use super::rewrite::drop_unreachable;
use crate::typed::cfg::{Graph, Loops};
use crate::typed::{BlockId, Cond, Const, Function, Inst, Module, Op, Target, Terminator, Value};
use crate::types::Ty;

/// How many rounds are made.
const ROUNDS: usize = 4;
/// How many instructions they may have together.
const LARGE: usize = 80;
/// How many instructions a function may gain.
const GROWTH: usize = 500;
/// A loop around one that is gone may be another.
const LEVELS: usize = 2;

struct Found {
    head: u32,
    blocks: Vec<u32>,
    rounds: usize,
    size: usize,
}

pub fn run(module: &mut Module) {
    for function in &mut module.functions {
        let mut room = GROWTH;
        for _ in 0..LEVELS {
            let mut found = find(function);
            found.retain(|found| {
                let fits = found.size <= room;
                room -= if fits { found.size } else { 0 };
                fits
            });
            if found.is_empty() {
                break;
            }
            found.iter().for_each(|found| write_out(function, found));
            drop_unreachable(function);
        }
    }
}

/// The loops that can be written out. None shares a block with another.
fn find(function: &Function) -> Vec<Found> {
    let backwards = |(b, block): (usize, &crate::typed::Block)| block.end.targets().any(|t| t.block.0 as usize <= b);
    if !function.blocks.iter().enumerate().any(backwards) {
        return Vec::new();
    }
    let graph = Graph::of(function);
    let innermost = Loops::of(&graph).innermost(&graph);
    if innermost.is_empty() {
        return Vec::new();
    }
    let mut constants = vec![None; function.values.len()];
    for inst in function.blocks.iter().flat_map(|block| &block.insts) {
        if let Op::Const(Const::Int(bits)) = inst.op {
            constants[inst.result.0 as usize] = Some(bits as i64);
        }
    }
    let found = innermost.into_iter().filter_map(|(head, blocks)| {
        let rounds = Body { function, graph: &graph, constants: &constants, head, blocks: &blocks }.rounds()?;
        let size = rounds * size(function, &blocks);
        (size <= LARGE).then_some(Found { head, blocks, rounds, size })
    });
    found.collect()
}

fn size(function: &Function, blocks: &[u32]) -> usize {
    let counts = |inst: &&Inst| !matches!(inst.op, Op::Const(_) | Op::Len(_));
    blocks.iter().map(|b| 1 + function.blocks[*b as usize].insts.iter().filter(counts).count()).sum()
}

struct Body<'a> {
    function: &'a Function,
    graph: &'a Graph,
    /// The values that are constant ints.
    constants: &'a [Option<i64>],
    head: u32,
    blocks: &'a [u32],
}

impl Body<'_> {
    /// How many rounds the loop makes, if that is known and not too many.
    fn rounds(&self) -> Option<usize> {
        let constant = |value: Value| self.constants[value.0 as usize];
        let head = &self.function.blocks[self.head as usize];
        let Terminator::Branch(condition, body, exit) = &head.end else { return None };
        if !self.blocks.contains(&body.block.0) || self.blocks.contains(&exit.block.0) {
            return None;
        }
        let test = head.insts.iter().find(|inst| inst.result == *condition)?;
        let Op::Cmp(cond @ (Cond::Lt | Cond::Gt)) = test.op else { return None };
        let (counter, limit) = (test.args[0], constant(test.args[1])?);
        let position = head.params.iter().position(|param| *param == counter)?;
        if *self.function.ty(counter) != Ty::INT {
            return None;
        }
        let inside = |block: &u32| self.blocks.contains(block);
        let targets = |b: &u32| self.function.blocks[*b as usize].end.targets();
        if self.blocks.iter().filter(|b| **b != self.head).flat_map(targets).any(|target| !inside(&target.block.0)) {
            return None;
        }
        // The same block once for each of its edges.
        let mut preds: Vec<u32> = self.graph.preds[self.head as usize].to_vec();
        preds.retain(|from| self.graph.reachable(*from));
        preds.dedup();
        let (mut start, mut step) = (None, None);
        for from in preds {
            for target in targets(&from).filter(|target| target.block.0 == self.head) {
                let arg = target.args[position];
                let (known, value) = match inside(&from) {
                    true => (&mut step, self.step(arg, counter)?),
                    false => (&mut start, constant(arg)?),
                };
                if known.is_some_and(|known| known != value) {
                    return None;
                }
                *known = Some(value);
            }
        }
        count(start?, step?, limit, cond)
    }

    /// How much more than the counter a value is.
    fn step(&self, value: Value, counter: Value) -> Option<i64> {
        let mut insts = self.blocks.iter().flat_map(|b| &self.function.blocks[*b as usize].insts);
        let next = insts.find(|inst| inst.result == value)?;
        let adds = matches!(next.op, Op::NextIndex | Op::Add(_)) && next.args[0] == counter;
        self.constants[next.args.get(1)?.0 as usize].filter(|_| adds)
    }
}

fn count(start: i64, step: i64, limit: i64, cond: Cond) -> Option<usize> {
    let (mut at, mut rounds) = (start, 0);
    while if cond == Cond::Lt { at < limit } else { at > limit } {
        (at, rounds) = (at.checked_add(step)?, rounds + 1);
        if rounds > ROUNDS {
            return None;
        }
    }
    Some(rounds)
}

fn write_out(function: &mut Function, found: &Found) {
    let first = function.blocks.len() as u32;
    let stride = found.blocks.len() as u32;
    let copies = found.rounds as u32;
    let head_at = found.blocks.iter().position(|b| *b == found.head).unwrap_or(0) as u32;
    // The head of a round; that of the last is the one that was.
    let head_of = |round: u32| BlockId(if round == copies { found.head } else { first + round * stride + head_at });
    for round in 0..copies {
        put_round(function, found, first + round * stride, head_of(round + 1));
    }
    for (b, block) in function.blocks.iter_mut().enumerate() {
        // Those in the loop are gone, those of the rounds know where they go.
        if (b as u32) < first && !found.blocks.contains(&(b as u32)) {
            let enters = block.end.targets_mut().filter(|target| target.block.0 == found.head);
            enters.for_each(|target| target.block = head_of(0));
        }
    }
    let head = &mut function.blocks[found.head as usize];
    if let Terminator::Branch(_, _, exit) = &head.end {
        head.end = Terminator::Jump(exit.clone());
    }
}

/// Appends a round, whose ways round lead to `next`.
fn put_round(function: &mut Function, found: &Found, base: u32, next: BlockId) {
    let mut values: HashMap<Value, Value> = HashMap::new();
    for &b in &found.blocks {
        let block = &function.blocks[b as usize];
        let defined: Vec<Value> = block.params.iter().copied().chain(block.insts.iter().map(|i| i.result)).collect();
        for value in defined {
            let ty = function.ty(value).clone();
            values.insert(value, function.new_value(ty));
        }
    }
    for &b in &found.blocks {
        let mut block = function.blocks[b as usize].clone();
        if b == found.head
            && let Terminator::Branch(_, body, _) = &block.end
        {
            block.end = Terminator::Jump(Target { block: body.block, args: body.args.clone() });
        }
        block.params.iter_mut().for_each(|param| *param = values[param]);
        block.insts.iter_mut().for_each(|inst| inst.result = values[&inst.result]);
        block.map_uses(|value| values.get(&value).copied().unwrap_or(value));
        for target in block.end.targets_mut() {
            match found.blocks.iter().position(|b| *b == target.block.0) {
                Some(_) if target.block.0 == found.head => target.block = next,
                Some(i) => target.block = BlockId(base + i as u32),
                None => {}
            }
        }
        function.blocks.push(block);
    }
}
