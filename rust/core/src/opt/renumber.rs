//! Numbers values in the order in which they are defined, and forgets those that no longer are.
//!
//! For those who come after: frames of the interpreter stay small, and dumps count without gaps.

use crate::typed::{Function, Module, Value};

pub fn run(module: &mut Module) {
    module.functions.iter_mut().for_each(renumber);
}

fn renumber(function: &mut Function) {
    let mut names = vec![Value(u32::MAX); function.values.len()];
    let mut types = Vec::new();
    for block in &mut function.blocks {
        let results = block.insts.iter_mut().map(|inst| &mut inst.result);
        for value in block.params.iter_mut().chain(results) {
            let name = Value(types.len() as u32);
            types.push(function.values[value.0 as usize].clone());
            names[value.0 as usize] = name;
            *value = name;
        }
    }
    for block in &mut function.blocks {
        block.map_uses(|value| names[value.0 as usize]);
    }
    function.values = types;
}
