//! Straightens control flow: jumps through empty blocks, decided branches, runs of blocks that are one.

use super::rewrite::{Aliases, drop_unreachable};
use crate::typed::cfg::Graph;
use crate::typed::{Const, Function, Module, Op, Target, Terminator, Value};

/// How many empty blocks one jump is led through at most: an empty loop has no end.
const HOPS: usize = 16;
/// How many arguments a jump may gain with each of them.
const MORE_ARGS: usize = 8;

pub fn run(module: &mut Module) {
    for function in &mut module.functions {
        thread(function);
        drop_unreachable(function);
        merge(function);
        drop_unreachable(function);
    }
}

/// Runs of blocks that are one, alone.
pub(super) fn straighten(function: &mut Function) {
    merge(function);
    drop_unreachable(function);
}

/// A jump to a block that does nothing but go on goes there itself: `jump a; a: jump b` → `jump b`, and
/// `jump a(True); a(%p): branch %p, b, c` → `jump b`.
///
/// False when somebody else reads the parameters of the block in between: that block dominates them, and would no longer. What
/// else its successors read comes from before it, and so from before everyone who jumps to it.
fn thread(function: &mut Function) {
    if function.blocks.len() == 1 {
        return;
    }
    let mut threads = Threads::new(function);
    for b in 0..function.blocks.len() {
        let mut end = function.blocks[b].end.clone();
        match &mut end {
            Terminator::Jump(target) => threads.lead(function, None, target),
            Terminator::Branch(condition, then, otherwise) => {
                // On its edges the condition is known, whatever it is.
                threads.lead(function, Some((*condition, true)), then);
                threads.lead(function, Some((*condition, false)), otherwise);
            }
            Terminator::Return(_) | Terminator::Raise(_) => continue,
        }
        if let Terminator::Branch(_, then, otherwise) = &end
            && then == otherwise
        {
            end = Terminator::Jump(then.clone());
        }
        function.blocks[b].end = end;
    }
}

/// What is known while jumps are led on. It stays true meanwhile: a block's parameters are never written into another's end.
struct Threads {
    /// For parameters, their block and position.
    places: Vec<Option<(u32, u32)>>,
    bools: Vec<Option<bool>>,
    /// The blocks without instructions whose parameters nobody but their own end reads.
    passable: Vec<bool>,
}

impl Threads {
    fn new(function: &Function) -> Threads {
        let mut places = vec![None; function.values.len()];
        let mut bools = vec![None; function.values.len()];
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, param) in block.params.iter().enumerate() {
                places[param.0 as usize] = Some((b as u32, i as u32));
            }
            for inst in &block.insts {
                if let Op::Const(Const::Bool(truth)) = inst.op {
                    bools[inst.result.0 as usize] = Some(truth);
                }
            }
        }
        let mut passable: Vec<bool> = function.blocks.iter().map(|block| block.insts.is_empty()).collect();
        for (b, block) in function.blocks.iter().enumerate() {
            for value in block.uses() {
                if let Some((owner, _)) = places[value.0 as usize]
                    && owner != b as u32
                {
                    passable[owner as usize] = false;
                }
            }
        }
        Threads { places, bools, passable }
    }

    fn lead(&mut self, function: &Function, fact: Option<(Value, bool)>, target: &mut Target) {
        for _ in 0..HOPS {
            let b = target.block.0;
            if !self.passable[b as usize] {
                return;
            }
            let given = |value: Value| match self.places[value.0 as usize] {
                Some((owner, i)) if owner == b => target.args[i as usize],
                _ => value,
            };
            let next = match &function.blocks[b as usize].end {
                Terminator::Jump(next) => next,
                Terminator::Branch(condition, then, otherwise) => {
                    let condition = given(*condition);
                    let truth = match fact {
                        Some((value, truth)) if value == condition => Some(truth),
                        _ => self.bools[condition.0 as usize],
                    };
                    match truth {
                        Some(true) => then,
                        Some(false) => otherwise,
                        None => return,
                    }
                }
                Terminator::Return(_) | Terminator::Raise(_) => return,
            };
            let next = Target { block: next.block, args: next.args.iter().map(|arg| given(*arg)).collect() };
            if next.args.len() > target.args.len() + MORE_ARGS {
                // Long lists may be copied once, not for everyone who comes by.
                self.passable[b as usize] = false;
            }
            *target = next;
        }
    }
}

/// A block and its only successor, whose only predecessor it is, are one block.
fn merge(function: &mut Function) {
    if function.blocks.len() == 1 {
        return;
    }
    let graph = Graph::of(function);
    let mut aliases = Aliases::new(function);
    // Heads of chains come first in this order, so that every instruction moves once.
    for &head in &graph.rpo {
        while let Terminator::Jump(target) = &function.blocks[head as usize].end {
            let next = target.block.0;
            if graph.preds[next as usize].len() != 1 || next == head {
                break;
            }
            let args = target.args.clone();
            let block = &mut function.blocks[next as usize];
            let (params, insts) = (std::mem::take(&mut block.params), std::mem::take(&mut block.insts));
            // The rest of the block stays behind as something that nobody reaches and that reads nothing.
            let end = std::mem::replace(&mut block.end, Terminator::Raise(0));
            let end_span = block.end_span;
            for (param, arg) in params.into_iter().zip(args) {
                aliases.set(param, arg);
            }
            let block = &mut function.blocks[head as usize];
            block.insts.extend(insts);
            (block.end, block.end_span) = (end, end_span);
        }
    }
    aliases.apply(function);
}
