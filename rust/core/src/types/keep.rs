//! Memory is given back in loops: what a round made and nobody can read any more.
//!
//! In: a module as `ticks` leaves it. Out: the same with a `Mark` at the entry of each function with a loop that makes arrays, by itself
//! or by what it calls, and a `Keep` wherever such a loop goes back, which names every array that may be read afterwards. Always holds: an
//! array that a function can reach and does not name was there before its mark. What callers have was made before the callee's mark; what
//! a callee gives was made after its caller's, who names it. A view lies within the memory of its array. To leave a `Keep` out is always
//! right. Before all passes, so that every engine and every level of optimisation does the same; those that move nothing across an
//! operation with an effect, and replace a value everywhere, keep it right.

use super::Ty;
use crate::typed::calls::{callees, components};
use crate::typed::cfg::Graph;
use crate::typed::{Args, Function, Inst, Module, Op, Terminator, Value};

/// A function takes so many steps of work at the most, and else keeps its arrays: arrays times the blocks through which they live.
const MOST: usize = 1 << 17;

pub fn insert(module: &mut Module) {
    let Some(makes) = makes(module) else { return };
    for function in &mut module.functions {
        let latches = latches(function, &makes);
        if latches.contains(&true)
            && let Some(live) = live(function, &latches)
        {
            place(function, &latches, live);
        }
    }
}

/// Leaves out what has become needless: where no loop that goes back makes arrays any more.
pub fn clear(module: &mut Module) {
    let is_keep = |inst: &Inst| matches!(inst.op, Op::Mark | Op::Keep);
    let insts = |function: &Function| function.blocks.iter().flat_map(|block| &block.insts).any(is_keep);
    if !module.functions.iter().any(insts) {
        return;
    }
    let makes = makes(module).unwrap_or_else(|| vec![false; module.functions.len()]);
    for function in &mut module.functions {
        let latches = latches(function, &makes);
        let mut kept = false;
        for (block, is_latch) in function.blocks.iter_mut().zip(latches) {
            block.insts.retain(|inst| is_latch || inst.op != Op::Keep);
            kept |= block.insts.iter().any(|inst| inst.op == Op::Keep);
        }
        if !kept {
            function.blocks.iter_mut().for_each(|block| block.insts.retain(|inst| inst.op != Op::Mark));
        }
    }
}

/// Of each function, whether it makes arrays, or what it calls does; None if nobody does.
fn makes(module: &Module) -> Option<Vec<bool>> {
    let own = |function: &Function| {
        function.blocks.iter().flat_map(|block| &block.insts).any(|inst| matches!(inst.op, Op::Map(_)))
    };
    let mut makes: Vec<bool> = module.functions.iter().map(own).collect();
    if !makes.contains(&true) {
        return None;
    }
    for component in components(module) {
        let some = |f: &u32| makes[*f as usize] || callees(&module.functions[*f as usize]).any(|g| makes[g as usize]);
        if component.iter().any(some) {
            component.iter().for_each(|f| makes[*f as usize] = true);
        }
    }
    Some(makes)
}

/// Of each block, whether it goes back in a loop that makes arrays.
fn latches(function: &Function, makes: &[bool]) -> Vec<bool> {
    let blocks = &function.blocks;
    let mut latches = vec![false; blocks.len()];
    let making = |inst: &Inst| match inst.op {
        Op::Map(_) => true,
        Op::Call(callee) => makes[callee.0 as usize],
        _ => false,
    };
    let makes: Vec<bool> = blocks.iter().map(|block| block.insts.iter().any(making)).collect();
    // True of any order: no edge back, no loop.
    let backwards = |(b, block): (usize, &crate::typed::Block)| block.end.targets().any(|t| t.block.0 as usize <= b);
    if !makes.contains(&true) || !blocks.iter().enumerate().any(backwards) {
        return latches;
    }
    let graph = Graph::of(function);
    let mut place = vec![usize::MAX; blocks.len()];
    graph.rpo.iter().enumerate().for_each(|(i, b)| place[*b as usize] = i);
    // The head for whose loop a block was last gone through.
    let mut seen = vec![u32::MAX; blocks.len()];
    for &head in &graph.rpo {
        let back = |from: &u32| graph.reachable(*from) && place[*from as usize] >= place[head as usize];
        let own: Vec<u32> = graph.preds[head as usize].iter().copied().filter(back).collect();
        if own.is_empty() {
            continue;
        }
        let (mut work, mut found) = (own.clone(), makes[head as usize]);
        seen[head as usize] = head;
        while let Some(b) = work.pop() {
            if found {
                break;
            }
            if std::mem::replace(&mut seen[b as usize], head) != head {
                found = makes[b as usize];
                work.extend(graph.preds[b as usize].iter().filter(|from| graph.reachable(**from)));
            }
        }
        own.iter().filter(|_| found).for_each(|b| latches[*b as usize] = true);
    }
    latches
}

fn holds_arrays(ty: &Ty) -> bool {
    match ty {
        Ty::Array(_) => true,
        Ty::Tuple(items) => items.iter().any(holds_arrays),
        _ => false,
    }
}

/// Of each value, whether it holds arrays that may have been made since the function began.
fn own(function: &Function, graph: &Graph) -> Vec<bool> {
    let mut own: Vec<bool> = function.values.iter().map(holds_arrays).collect();
    function.params().iter().for_each(|param| own[param.0 as usize] = false);
    for &b in &graph.rpo {
        for inst in &function.blocks[b as usize].insts {
            // They give what is in their operands.
            if matches!(
                inst.op,
                Op::At(_) | Op::Cut(_) | Op::Transpose | Op::Loosen | Op::Item(_) | Op::Tuple | Op::NoArray
            ) {
                own[inst.result.0 as usize] &= inst.args.iter().any(|arg| own[arg.0 as usize]);
            }
        }
    }
    own
}

/// Of each value, whether more is done with it than to hand it on.
fn read(function: &Function) -> Vec<bool> {
    // Which parameter of its block a value is.
    let mut params = vec![None; function.values.len()];
    let mut incoming: Vec<Vec<&[Value]>> = vec![Vec::new(); function.blocks.len()];
    let mut work: Vec<Value> = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        block.params.iter().enumerate().for_each(|(i, param)| params[param.0 as usize] = Some((b, i)));
        work.extend(block.insts.iter().flat_map(|inst| &inst.args));
        if let Terminator::Return(value) = block.end {
            work.push(value);
        }
        for target in block.end.targets() {
            incoming[target.block.0 as usize].push(&target.args);
        }
    }
    let mut read = vec![false; function.values.len()];
    while let Some(value) = work.pop() {
        if !std::mem::replace(&mut read[value.0 as usize], true)
            && let Some((b, i)) = params[value.0 as usize]
        {
            work.extend(incoming[b].iter().map(|args| args[i]));
        }
    }
    read
}

/// Of each block that is a latch, the values with arrays that may be read when it is left; None: that is too much work.
fn live(function: &Function, latches: &[bool]) -> Option<Vec<Vec<Value>>> {
    let graph = Graph::of(function);
    let (own, read) = (own(function, &graph), read(function));
    let counts = |value: Value| own[value.0 as usize] && read[value.0 as usize];
    let mut home = vec![u32::MAX; function.values.len()];
    // Where values are read: by an instruction, or, at its end, by where a block goes.
    let mut uses: Vec<(Value, u32, bool)> = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        let b = b as u32;
        let results = block.insts.iter().map(|inst| inst.result);
        block.params.iter().copied().chain(results).for_each(|value| home[value.0 as usize] = b);
        let args = block.insts.iter().flat_map(|inst| inst.args.iter().copied());
        uses.extend(args.filter(|arg| counts(*arg)).map(|arg| (arg, b, false)));
        for target in block.end.targets() {
            let params = &function.blocks[target.block.0 as usize].params;
            let handed = target.args.iter().zip(params).filter(|(arg, param)| counts(**arg) && read[param.0 as usize]);
            uses.extend(handed.map(|(arg, _)| (*arg, b, true)));
        }
        match block.end {
            Terminator::Return(value) if counts(value) => uses.push((value, b, true)),
            _ => {}
        }
    }
    uses.sort_unstable();
    let mut live = vec![Vec::new(); function.blocks.len()];
    // The value for which was last seen that a block is entered, or left, with it.
    let (mut entered, mut left) = (vec![u32::MAX; live.len()], vec![u32::MAX; live.len()]);
    let mut steps = 0;
    let mut work = Vec::new();
    for (value, block, at_end) in uses {
        work.push((block, at_end));
        while let Some((b, at_end)) = work.pop() {
            steps += 1;
            if at_end && latches[b as usize] && std::mem::replace(&mut left[b as usize], value.0) != value.0 {
                live[b as usize].push(value);
                steps += function.ty(value).size();
            }
            if home[value.0 as usize] != b && std::mem::replace(&mut entered[b as usize], value.0) != value.0 {
                work.extend(graph.preds[b as usize].iter().map(|from| (*from, true)));
            }
            if steps > MOST {
                return None;
            }
        }
    }
    Some(live)
}

fn place(function: &mut Function, latches: &[bool], live: Vec<Vec<Value>>) {
    let mark = function.new_value(Ty::INT);
    for (b, values) in live.into_iter().enumerate().filter(|(b, _)| latches[*b]) {
        let span = function.blocks[b].end_span;
        let mut args = Args::from_slice(&[mark]);
        let mut work: Vec<Value> = values.into_iter().rev().collect();
        while let Some(value) = work.pop() {
            let Ty::Tuple(items) = function.ty(value).clone() else {
                args.push(value);
                continue;
            };
            let first = work.len();
            for (i, item) in items.iter().enumerate().filter(|(_, item)| holds_arrays(item)) {
                let result = function.new_value(item.clone());
                let inst = Inst { result, op: Op::Item(i as u32), args: Args::from_slice(&[value]), span };
                function.blocks[b].insts.push(inst);
                work.push(result);
            }
            work[first..].reverse();
        }
        let result = function.new_value(Ty::None);
        function.blocks[b].insts.push(Inst { result, op: Op::Keep, args, span });
    }
    let inst = Inst { result: mark, op: Op::Mark, args: Args::new(), span: function.span };
    function.blocks[0].insts.insert(0, inst);
}

#[cfg(test)]
mod tests;
