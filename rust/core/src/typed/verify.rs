//! Checks everything that typed IR promises; see the first lines of `typed`.
//!
//! In: a module from inference or from a pass. Out: nothing, or the first broken promise in words, with function and place.
//! Always holds: linear, no recursion, no panic on whatever a broken pass may have made.

mod ops;

use std::sync::atomic::{AtomicBool, Ordering};

use super::cfg::Graph;
use super::{Function, Inst, Module, Target, Terminator, Value, text};
use crate::diag::Error;
use crate::types::Ty;

/// Whether release builds verify too; see `always`.
static ALWAYS: AtomicBool = AtomicBool::new(cfg!(debug_assertions));

/// Whether every seam is verified: after inference and after each pass, and Cranelift's IR along its way. Debug builds always do,
/// others when a test says so. Gives what held before.
pub fn always(on: bool) -> bool {
    ALWAYS.swap(on || cfg!(debug_assertions), Ordering::Relaxed)
}

pub fn is_always() -> bool {
    ALWAYS.load(Ordering::Relaxed)
}

/// The check between two stages: nothing, or the words of a bug of ours in the stage before.
pub fn seam(module: &Module, after: &str) -> Result<(), Error> {
    if !is_always() {
        return Ok(());
    }
    verify(module).map_err(|broken| Error::internal(format!("broken after {after}: {broken}")))
}

pub fn verify(module: &Module) -> Result<(), String> {
    if module.functions.is_empty() {
        return Err("a module without functions".to_owned());
    }
    for (i, function) in module.functions.iter().enumerate() {
        if function.blocks.is_empty() {
            return Err(format!("function {i} {}: no blocks", function.name));
        }
    }
    for (i, function) in module.functions.iter().enumerate() {
        let checker = Checker { module, function };
        checker.run().map_err(|broken| format!("function {i} {}: {broken}", function.name))?;
    }
    Ok(())
}

/// Where a value comes to be: its block, and its place among what that block defines (parameters are 0).
type Definition = Option<(u32, u32)>;

struct Checker<'m> {
    module: &'m Module,
    function: &'m Function,
}

impl Checker<'_> {
    fn run(&self) -> Result<(), String> {
        if let Some(i) = self.function.values.iter().position(has_str) {
            return Err(format!("%{i} is a str, and no value of it is ever computed"));
        }
        self.indices()?;
        let graph = Graph::of(self.function);
        if let Some(b) = (0..self.function.blocks.len()).find(|b| !graph.reachable(*b as u32)) {
            return Err(format!("block{b} is unreachable"));
        }
        let definitions = self.definitions()?;
        for (b, block) in self.function.blocks.iter().enumerate() {
            for (i, inst) in block.insts.iter().enumerate() {
                let at = |broken| format!("block{b}: `{}`: {broken}", self.show(inst));
                for &arg in &inst.args {
                    self.dominates(&graph, &definitions, arg, (b as u32, i as u32 + 1)).map_err(at)?;
                }
                ops::check(self.module, self.function, inst).map_err(at)?;
            }
            let at = |broken| format!("block{b}: `{}`: {broken}", text::terminator(self.module, &block.end));
            for value in block.end.uses() {
                self.dominates(&graph, &definitions, value, (b as u32, u32::MAX)).map_err(at)?;
            }
            self.terminator(&block.end).map_err(at)?;
        }
        Ok(())
    }

    fn show(&self, inst: &Inst) -> String {
        text::instruction(self.module, self.function, inst, true)
    }

    /// Every index points at something; all further checks rely on it.
    fn indices(&self) -> Result<(), String> {
        let Function { values, blocks, .. } = self.function;
        for (b, block) in blocks.iter().enumerate() {
            let results = block.insts.iter().map(|inst| inst.result);
            if let Some(v) =
                block.params.iter().copied().chain(results).chain(block.uses()).find(|v| v.0 as usize >= values.len())
            {
                return Err(format!("block{b}: there is no value %{}", v.0));
            }
            for target in block.end.targets() {
                match target.block.0 {
                    0 => return Err(format!("block{b}: block0 is nobody's target")),
                    to if to as usize >= blocks.len() => return Err(format!("block{b}: there is no block{to}")),
                    _ => {}
                }
            }
            for inst in &block.insts {
                if let Some(callee) = inst.op.function()
                    && callee.0 as usize >= self.module.functions.len()
                {
                    return Err(format!("block{b}: there is no function {}", callee.0));
                }
            }
            if let Terminator::Raise(index) = block.end
                && index as usize >= self.module.raises.len()
            {
                return Err(format!("block{b}: there is no raise {index}"));
            }
        }
        Ok(())
    }

    fn definitions(&self) -> Result<Vec<Definition>, String> {
        let mut definitions = vec![None; self.function.values.len()];
        for (b, block) in self.function.blocks.iter().enumerate() {
            let results = block.insts.iter().enumerate().map(|(i, inst)| (inst.result, i as u32 + 1));
            for (value, place) in block.params.iter().map(|v| (*v, 0)).chain(results) {
                if definitions[value.0 as usize].replace((b as u32, place)).is_some() {
                    return Err(format!("block{b}: %{} is defined twice", value.0));
                }
            }
        }
        Ok(definitions)
    }

    fn dominates(
        &self,
        graph: &Graph,
        definitions: &[Definition],
        value: Value,
        user: (u32, u32),
    ) -> Result<(), String> {
        match definitions[value.0 as usize] {
            None => Err(format!("%{} is never defined", value.0)),
            Some((block, place)) if block == user.0 && place < user.1 => Ok(()),
            Some((block, _)) if block != user.0 && graph.dominates(block, user.0) => Ok(()),
            Some(_) => Err(format!("%{}'s definition does not dominate this use", value.0)),
        }
    }

    fn terminator(&self, end: &Terminator) -> Result<(), String> {
        match end {
            Terminator::Branch(value, ..) => expect(self.function.ty(*value), &Ty::Bool, "the condition")?,
            Terminator::Return(value) => expect(self.function.ty(*value), &self.function.result, "the result")?,
            Terminator::Jump(_) | Terminator::Raise(_) => {}
        }
        end.targets().try_for_each(|target| self.target(target))
    }

    fn target(&self, target: &Target) -> Result<(), String> {
        let params = &self.function.blocks[target.block.0 as usize].params;
        let (block, want, have) = (target.block.0, params.len(), target.args.len());
        if want != have {
            return Err(format!("block{block} has {want} parameters, gets {have}"));
        }
        for (param, arg) in params.iter().zip(&target.args) {
            expect(self.function.ty(*arg), self.function.ty(*param), &format!("the argument for %{}", param.0))?;
        }
        Ok(())
    }
}

fn has_str(ty: &Ty) -> bool {
    match ty {
        Ty::Tuple(items) => items.iter().any(has_str),
        other => *other == Ty::Str,
    }
}

fn expect(have: &Ty, want: &Ty, what: &str) -> Result<(), String> {
    if have == want { Ok(()) } else { Err(format!("{what} should be {want}, is {have}")) }
}

#[cfg(test)]
mod tests;
