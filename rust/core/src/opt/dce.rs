//! Removes what nobody needs: results of operations that cannot raise, parameters of blocks, blocks that cannot be reached.
//!
//! Needed are the operands of whatever has an effect or decides where to go, of whatever is returned, and, of all that is
//! needed, the operands in turn. So a loop's variable that only feeds itself goes too. The parameters of the function stay.

use smallvec::SmallVec;

use crate::typed::{Function, Inst, Module, Terminator, Value};

use super::rewrite::drop_unreachable;

pub fn run(module: &mut Module) {
    for function in &mut module.functions {
        drop_unreachable(function);
        sweep(function, &needed(function));
    }
}

/// Where a value comes from.
#[derive(Clone, Copy)]
enum Origin {
    Nowhere,
    Inst(u32, u32),
    Param(u32, u32),
}

fn needed(function: &Function) -> Vec<bool> {
    let mut origins = vec![Origin::Nowhere; function.values.len()];
    // The arguments for each block's parameters, one list per jump.
    let mut incoming: Vec<SmallVec<[&[Value]; 2]>> = vec![SmallVec::new(); function.blocks.len()];
    let mut work: Vec<Value> = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, param) in block.params.iter().enumerate() {
            origins[param.0 as usize] = Origin::Param(b as u32, i as u32);
        }
        for (i, inst) in block.insts.iter().enumerate() {
            origins[inst.result.0 as usize] = Origin::Inst(b as u32, i as u32);
            if stays(function, inst) {
                work.extend(&inst.args);
            }
        }
        if let Terminator::Branch(value, ..) | Terminator::Return(value) = &block.end {
            work.push(*value);
        }
        for target in block.end.targets() {
            incoming[target.block.0 as usize].push(&target.args);
        }
    }
    let mut needed = vec![false; function.values.len()];
    while let Some(value) = work.pop() {
        if std::mem::replace(&mut needed[value.0 as usize], true) {
            continue;
        }
        match origins[value.0 as usize] {
            Origin::Inst(b, i) => work.extend(&function.blocks[b as usize].insts[i as usize].args),
            Origin::Param(b, i) => work.extend(incoming[b as usize].iter().map(|args| args[i as usize])),
            Origin::Nowhere => {}
        }
    }
    needed
}

fn stays(function: &Function, inst: &Inst) -> bool {
    inst.op.can_raise(function.ty(inst.result))
}

fn sweep(function: &mut Function, needed: &[bool]) {
    let is_needed = |value: &Value| needed[value.0 as usize];
    let kept: Vec<Option<Vec<bool>>> = function
        .blocks
        .iter()
        .enumerate()
        .map(|(b, block)| {
            (b > 0 && !block.params.iter().all(is_needed)).then(|| block.params.iter().map(is_needed).collect())
        })
        .collect();
    let values = &function.values;
    for (b, block) in function.blocks.iter_mut().enumerate() {
        block.insts.retain(|inst| is_needed(&inst.result) || inst.op.can_raise(&values[inst.result.0 as usize]));
        if b > 0 {
            block.params.retain(is_needed);
        }
        for target in block.end.targets_mut() {
            if let Some(kept) = &kept[target.block.0 as usize] {
                let mut keep = kept.iter();
                target.args.retain(|_| keep.next() == Some(&true));
            }
        }
    }
}
