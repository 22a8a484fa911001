//! Which values a block reads: operands, conditions, results, arguments of jumps; and which it defines.

use super::{Block, Terminator, Value};

impl Terminator {
    pub fn uses(&self) -> impl Iterator<Item = Value> {
        let own = match self {
            Terminator::Branch(value, ..) | Terminator::Return(value) => Some(*value),
            Terminator::Jump(_) | Terminator::Raise(_) => None,
        };
        own.into_iter().chain(self.targets().flat_map(|target| target.args.iter().copied()))
    }

    /// Replaces every value that is read.
    pub fn map_uses(&mut self, mut with: impl FnMut(Value) -> Value) {
        if let Terminator::Branch(value, ..) | Terminator::Return(value) = self {
            *value = with(*value);
        }
        for arg in self.targets_mut().flat_map(|target| target.args.iter_mut()) {
            *arg = with(*arg);
        }
    }
}

impl Block {
    /// What is defined in it: its parameters and results.
    pub fn defined(&self) -> impl Iterator<Item = Value> {
        self.params.iter().copied().chain(self.insts.iter().map(|inst| inst.result))
    }

    pub fn uses(&self) -> impl Iterator<Item = Value> {
        self.insts.iter().flat_map(|inst| inst.args.iter().copied()).chain(self.end.uses())
    }

    /// Replaces every value that is read.
    pub fn map_uses(&mut self, mut with: impl FnMut(Value) -> Value) {
        for arg in self.insts.iter_mut().flat_map(|inst| inst.args.iter_mut()) {
            *arg = with(*arg);
        }
        self.end.map_uses(with);
    }
}
