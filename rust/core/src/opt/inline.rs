//! Puts small functions in the place of their calls, then removes the functions that nobody calls any more.
//!
//! Callees come before callers, so that what is put in has been filled itself. A function that can reach itself is put nowhere but into
//! itself, if it is small and calls itself directly: once, in the place of each of its calls, so that half of them and more are gone.
//! What is put in has its own ticks, so fuel counts what it counted. Spans stay those of the callee: a failure is shown where it is written. Growth is bounded: a callee has at most
//! `SMALL` instructions, and no function grows beyond `LARGE`. Calls that are gone no longer count towards RecursionError.

use std::collections::HashMap;

use super::rewrite::{Aliases, drop_unreachable};
use crate::typed::calls::{callees, components, is_cycle, used};
use crate::typed::{Block, BlockId, FuncId, Function, Inst, Module, Op, Target, Terminator, Value};

/// How many instructions and terminators a function may have to be put in the place of a call.
const SMALL: usize = 40;
/// Up to how many a function may grow.
const LARGE: usize = 20_000;
/// How large a function may become by being put into itself.
const SELF: usize = 64;

pub fn run(module: &mut Module) {
    let components = components(module);
    let mut recursive = vec![false; module.functions.len()];
    components.iter().filter(|c| is_cycle(module, c)).flatten().for_each(|f| recursive[*f as usize] = true);
    for f in components.into_iter().flatten() {
        // Taken out while its callees are read; only a recursive function would read itself.
        let mut function = std::mem::replace(&mut module.functions[f as usize], hole());
        let suits = |g: u32| !recursive[g as usize] && size(&module.functions[g as usize]) <= SMALL;
        fill(&mut function, suits, |g| &module.functions[g as usize]);
        let own = callees(&function).filter(|g| *g == f).count();
        if own > 0 && size(&function) * (1 + own) <= SELF {
            let once = function.clone();
            fill(&mut function, |g| g == f, |_| &once);
        }
        module.functions[f as usize] = function;
    }
    drop_uncalled(module);
}

fn hole() -> Function {
    Function {
        name: "".into(),
        values: Vec::new(),
        blocks: Vec::new(),
        result: crate::types::Ty::None,
        span: Default::default(),
    }
}

fn size(function: &Function) -> usize {
    function.blocks.iter().map(|block| block.insts.len() + 1).sum()
}

/// Puts the bodies of callees that suit where they are called.
fn fill<'a>(caller: &mut Function, suits: impl Fn(u32) -> bool, body: impl Fn(u32) -> &'a Function) {
    let mut suitable: HashMap<u32, bool> = HashMap::new();
    for callee in callees(caller) {
        suitable.entry(callee).or_insert_with(|| suits(callee));
    }
    if !suitable.values().any(|suits| *suits) {
        return;
    }
    let mut aliases = Aliases::new(caller);
    let mut room = LARGE.saturating_sub(size(caller));
    for b in 0..caller.blocks.len() {
        let insts = std::mem::take(&mut caller.blocks[b].insts);
        // What follows a call goes on in another block: `at` is the one that is being filled.
        let mut at = b;
        for inst in insts {
            let callee = match inst.op {
                Op::Call(callee) if suitable[&callee.0] => body(callee.0),
                _ => {
                    caller.blocks[at].insts.push(inst);
                    continue;
                }
            };
            if size(callee) > room {
                caller.blocks[at].insts.push(inst);
                continue;
            }
            room -= size(callee);
            at = put(caller, at, &inst, callee, &mut aliases);
        }
    }
    aliases.apply(caller);
    // A callee may never return.
    drop_unreachable(caller);
}

/// Ends block `at` with the body of `callee`; gives the block in which the caller goes on, with the end that `at` had.
fn put(caller: &mut Function, at: usize, call: &Inst, callee: &Function, aliases: &mut Aliases) -> usize {
    let values = caller.values.len() as u32;
    let value = |v: Value| Value(v.0 + values);
    caller.values.extend(callee.values.iter().cloned());
    aliases.extend(caller);
    for (param, arg) in callee.params().iter().zip(&call.args) {
        aliases.set(value(*param), *arg);
    }
    // The callee's block 0 is nobody's target: it becomes part of the block that calls. The others follow the caller's.
    let first = caller.blocks.len() as u32 - 1;
    let rest = BlockId(first + callee.blocks.len() as u32);
    for (i, block) in callee.blocks.iter().enumerate() {
        let mut insts: Vec<Inst> = block.insts.clone();
        for inst in &mut insts {
            inst.result = value(inst.result);
            inst.args.iter_mut().for_each(|arg| *arg = value(*arg));
        }
        let mut end = block.end.clone();
        end.map_uses(value);
        end.targets_mut().for_each(|target| target.block.0 += first);
        if let Terminator::Return(result) = end {
            end = Terminator::Jump(Target { block: rest, args: vec![result] });
        }
        if i == 0 {
            caller.blocks[at].insts.extend(insts);
            let own = std::mem::replace(&mut caller.blocks[at].end, end);
            let own_span = std::mem::replace(&mut caller.blocks[at].end_span, block.end_span);
            // Kept until the rest has its place.
            let params = vec![call.result];
            caller.blocks.push(Block { params, insts: Vec::new(), end: own, end_span: own_span });
        } else {
            let params = block.params.iter().map(|param| value(*param)).collect();
            let moved = Block { params, insts, end, end_span: block.end_span };
            let last = caller.blocks.len() - 1;
            caller.blocks.insert(last, moved);
        }
    }
    rest.0 as usize
}

/// Keeps what the entry can reach; the others keep their order, so that the entry stays 0.
fn drop_uncalled(module: &mut Module) {
    let mut called = vec![false; module.functions.len()];
    let mut work = vec![0u32];
    while let Some(f) = work.pop() {
        if !std::mem::replace(&mut called[f as usize], true) {
            work.extend(used(&module.functions[f as usize]));
        }
    }
    if called.iter().all(|called| *called) {
        return;
    }
    let mut names = Vec::with_capacity(called.len());
    let mut next = 0;
    for called in &called {
        names.push(FuncId(next));
        next += *called as u32;
    }
    let mut keep = called.iter();
    module.functions.retain(|_| keep.next() == Some(&true));
    for inst in module.functions.iter_mut().flat_map(|f| &mut f.blocks).flat_map(|block| &mut block.insts) {
        if let Some(callee) = inst.op.function_mut() {
            *callee = names[callee.0 as usize];
        }
    }
}
