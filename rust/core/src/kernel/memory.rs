//! The entry's parameters become what lies in memory; what the function takes in its place is converted to.
//!
//! In: a module whose entry takes numbers. Out: the same, where the entry takes items and converts them itself. Always holds: nobody in the
//! module calls the entry then: where somebody did, it calls what the entry was.

use std::mem::replace;

use crate::typed::calls::is_called;
use crate::typed::{Args, Block, FuncId, Function, Inst, Mode, Module, Op, Terminator, Value};
use crate::types::{Item, Ty};

/// The conversions are NumPy's. Takes for granted that the entry's types take the items (`Unit::accept`).
pub fn take_items(module: &mut Module, items: impl Iterator<Item = Item>) {
    let items: Vec<Ty> = items.map(Item::ty).collect();
    if items.iter().zip(module.functions[0].params()).all(|(item, &param)| item == module.functions[0].ty(param)) {
        return;
    }
    if is_called(module, FuncId(0)) {
        stand_before(module);
    }
    let entry = &mut module.functions[0];
    let mut conversions = Vec::new();
    for (i, item) in items.into_iter().enumerate() {
        let param = entry.params()[i];
        let ty = entry.ty(param).clone();
        if item == ty {
            continue;
        }
        let op = match (&item, &ty) {
            (Ty::Int(from), Ty::Int(to)) if !(to.holds(from.min()) && to.holds(from.max())) => Op::Narrow(Mode::Numpy),
            _ => Op::Convert,
        };
        let taken = entry.new_value(item);
        entry.blocks[0].params[i] = taken;
        conversions.push(Inst { result: param, op, args: Args::from_slice(&[taken]), span: entry.span });
    }
    entry.blocks[0].insts.splice(0..0, conversions);
}

/// Puts an entry before the others that does nothing but call the one that was it.
fn stand_before(module: &mut Module) {
    for function in &mut module.functions {
        for inst in function.blocks.iter_mut().flat_map(|block| &mut block.insts) {
            if let Op::Call(callee) = &mut inst.op {
                callee.0 += 1;
            }
        }
    }
    let callee = &module.functions[0];
    let mut entry = Function {
        name: callee.name.clone(),
        values: Vec::new(),
        blocks: Vec::new(),
        result: callee.result.clone(),
        span: callee.span,
    };
    let params: Vec<Value> = callee.params().iter().map(|&param| entry.new_value(callee.ty(param).clone())).collect();
    let result = entry.new_value(callee.result.clone());
    let call = Inst { result, op: Op::Call(FuncId(1)), args: Args::from_slice(&params), span: callee.span };
    entry.blocks.push(Block { params, insts: vec![call], end: Terminator::Return(result), end_span: callee.span });
    let first = replace(&mut module.functions[0], entry);
    module.functions.insert(1, first);
}
