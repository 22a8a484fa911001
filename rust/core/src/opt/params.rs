//! Removes the parameters of blocks that are given the same value from everywhere.
//!
//! A parameter whose arguments are all `v`, or itself, is `v`: it starts as `v` and nothing changes it. `v` dominates the block,
//! as every way into it comes with `v` at hand. False when two different values are given, even if they are always equal.

use super::rewrite::Aliases;
use crate::typed::{Function, Module, Value};

/// Removing one may show that another is removable; nested loops need about a round per level.
const ROUNDS: usize = 4;

pub fn run(module: &mut Module) {
    for function in module.functions.iter_mut().filter(|function| function.blocks.len() > 1) {
        for _ in 0..ROUNDS {
            if !round(function) {
                break;
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Given {
    Nothing,
    One(Value),
    Several,
}

fn round(function: &mut Function) -> bool {
    let mut given: Vec<Vec<Given>> =
        function.blocks.iter().map(|block| vec![Given::Nothing; block.params.len()]).collect();
    for target in function.blocks.iter().flat_map(|block| block.end.targets()) {
        let b = target.block.0 as usize;
        for ((param, arg), given) in function.blocks[b].params.iter().zip(&target.args).zip(&mut given[b]) {
            *given = match *given {
                same if param == arg || same == Given::One(*arg) => same,
                Given::Nothing => Given::One(*arg),
                _ => Given::Several,
            };
        }
    }
    let mut aliases = Aliases::new(function);
    let mut removed = false;
    for (block, given) in function.blocks.iter_mut().zip(&mut given).skip(1) {
        let mut at = given.iter_mut();
        block.params.retain(|param| {
            let Some(given) = at.next() else { return true };
            let Given::One(value) = *given else { return true };
            // Two parameters may be given each other: then neither is the other's alias.
            if aliases.resolve(value) == *param {
                *given = Given::Several;
                return true;
            }
            aliases.set(*param, value);
            removed = true;
            false
        });
    }
    if removed {
        for target in function.blocks.iter_mut().flat_map(|block| block.end.targets_mut()).filter(|t| t.block.0 > 0) {
            let mut at = given[target.block.0 as usize].iter();
            target.args.retain(|_| !matches!(at.next(), Some(Given::One(_))));
        }
        aliases.apply(function);
    }
    removed
}
