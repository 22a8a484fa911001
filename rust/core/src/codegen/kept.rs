//! How many values are kept through how many blocks: what register allocation takes time and memory for.
//!
//! In: a function of typed IR. Out: over all values, the blocks of machine code between their definition and their last use. An
//! operation that can raise ends a block of machine code. Where many paths join, what they bring counts too. Always holds: stops at the
//! given bound, so that asking costs no more than that.

use crate::typed::cfg::Graph;
use crate::typed::{Function, Value};

/// Where a value is defined or used: its block, and how many blocks of machine code come before it there.
type Place = (u32, u32);

/// The allocator puts the values that a parameter is given together one by one, going through those it has each time. That costs
/// as much as keeping one for every so many that it goes through.
const TOGETHER: usize = 32;

/// The sum for one function, or something above `most`.
pub fn kept(function: &Function, most: usize) -> usize {
    let graph = Graph::of(function);
    let mut defined: Vec<Place> = vec![(0, 0); function.values.len()];
    let mut uses: Vec<(Value, Place)> = Vec::new();
    let mut size = vec![0u32; function.blocks.len()];
    for &b in &graph.rpo {
        let block = &function.blocks[b as usize];
        let mut at = 0;
        block.params.iter().for_each(|param| defined[param.0 as usize] = (b, 0));
        for inst in &block.insts {
            uses.extend(inst.args.iter().map(|&arg| (arg, (b, at))));
            at += u32::from(inst.op.can_raise(function.ty(inst.result)));
            defined[inst.result.0 as usize] = (b, at);
        }
        uses.extend(block.end.uses().map(|value| (value, (b, at))));
        size[b as usize] = at + 1;
    }
    // All uses of a value together, the last of a block first.
    uses.sort_unstable_by_key(|&(value, (block, at))| (value, block, std::cmp::Reverse(at)));
    let mut sum = 0;
    for (block, preds) in function.blocks.iter().zip(&graph.preds) {
        sum += block.params.len() * (preds.len() * preds.len() / TOGETHER);
    }
    // The value for which a block was last gone through.
    let mut seen = vec![u32::MAX; function.blocks.len()];
    let mut work = Vec::new();
    let mut rest = &uses[..];
    while let Some(&(value, _)) = rest.first() {
        let (own, others) = rest.split_at(rest.partition_point(|&(v, _)| v == value));
        rest = others;
        let (home, from) = defined[value.0 as usize];
        let mut blocks = 0usize;
        for &(_, (block, at)) in own {
            if block == home {
                // Only the last one counts, and none where it is kept to the end anyway.
                if seen[home as usize] != value.0 {
                    seen[home as usize] = value.0;
                    blocks += (at - from.min(at)) as usize;
                }
            } else if seen[block as usize] != value.0 {
                seen[block as usize] = value.0;
                blocks += at as usize + 1;
                work.extend_from_slice(&graph.preds[block as usize]);
            }
        }
        while let Some(block) = work.pop() {
            if seen[block as usize] != value.0 {
                seen[block as usize] = value.0;
                blocks += size[block as usize] as usize;
                if block != home {
                    work.extend_from_slice(&graph.preds[block as usize]);
                }
            }
            if sum + blocks > most {
                return most + 1;
            }
        }
        sum += blocks * function.ty(value).width();
        if sum > most {
            return most + 1;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::kept;
    use crate::typed::build::{function, gcd};
    use crate::typed::{BlockId, Mode, Op};
    use crate::types::Ty;

    #[test]
    fn what_is_used_at_once_is_kept_through_nothing() {
        let mut f = function("f", &[Ty::INT], Ty::INT);
        let x = f.param(BlockId(0), 0);
        f.ret(x);
        assert_eq!(kept(&f.done(), 100), 0);
    }

    #[test]
    fn operations_that_can_raise_are_gone_through() {
        let mut f = function("f", &[Ty::INT], Ty::INT);
        let x = f.param(BlockId(0), 0);
        let y = f.op(Op::Add(Mode::Python), &[x, x], Ty::INT);
        let z = f.op(Op::Add(Mode::Python), &[y, y], Ty::INT);
        let w = f.op(Op::Add(Mode::Python), &[z, x], Ty::INT);
        f.ret(w);
        assert_eq!(kept(&f.done(), 100), 2, "x, through two additions");
    }

    #[test]
    fn a_loop_keeps_its_values_and_the_bound_ends_it() {
        let all = kept(&gcd(), 1000);
        assert!(all > 2, "{all}");
        assert_eq!(kept(&gcd(), all), all);
        assert_eq!(kept(&gcd(), 1), 2);
    }
}
