//! What several passes need to change a function: replaced values, and blocks that fall away.

use crate::typed::cfg::reverse_post_order;
use crate::typed::{BlockId, Function, Value};

/// Which value stands for which: chains are followed to their end.
pub struct Aliases(Vec<Value>);

impl Aliases {
    pub fn new(function: &Function) -> Aliases {
        Aliases((0..function.values.len() as u32).map(Value).collect())
    }

    /// Knows the values that the function has gained since.
    pub fn extend(&mut self, function: &Function) {
        self.0.extend((self.0.len() as u32..function.values.len() as u32).map(Value));
    }

    /// From now on `to` stands for `from`; `to` must not be an alias of `from`.
    pub fn set(&mut self, from: Value, to: Value) {
        let to = self.resolve(to);
        self.0[from.0 as usize] = to;
    }

    pub fn resolve(&mut self, value: Value) -> Value {
        let mut at = value;
        // Values made since have no aliases.
        while let Some(&next) = self.0.get(at.0 as usize) {
            if next == at {
                break;
            }
            // Halves the path, so that long chains stay cheap.
            let after = self.0.get(next.0 as usize).copied().unwrap_or(next);
            self.0[at.0 as usize] = after;
            at = after;
        }
        at
    }

    /// Replaces every use in the function.
    pub fn apply(&mut self, function: &mut Function) {
        for block in &mut function.blocks {
            block.map_uses(|value| self.resolve(value));
        }
    }
}

/// Removes the blocks that cannot be reached; the others keep their order.
pub fn drop_unreachable(function: &mut Function) {
    let order = reverse_post_order(function);
    if order.len() == function.blocks.len() {
        return;
    }
    let mut reachable = vec![false; function.blocks.len()];
    order.into_iter().for_each(|b| reachable[b as usize] = true);
    let mut renamed = vec![BlockId(u32::MAX); function.blocks.len()];
    let mut next = 0;
    for (b, name) in renamed.iter_mut().enumerate() {
        if reachable[b] {
            *name = BlockId(next);
            next += 1;
        }
    }
    let mut keep = reachable.iter();
    function.blocks.retain(|_| keep.next() == Some(&true));
    for target in function.blocks.iter_mut().flat_map(|block| block.end.targets_mut()) {
        target.block = renamed[target.block.0 as usize];
    }
}
