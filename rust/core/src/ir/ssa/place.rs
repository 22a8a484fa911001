//! Where block parameters are needed: iterated dominance frontiers (Cytron et al. 1991).
//!
//! In: a function with variables, and its shape. Out: for each block the variables that need a parameter there; only those that
//! some block reads before it writes them.

use crate::ir;
use crate::typed::cfg::Graph;

/// The variables that need a parameter in each block.
pub fn phis(function: &ir::Function, graph: &Graph) -> Vec<Vec<u32>> {
    let nlocals = function.locals.len();
    let mut writers: Vec<Vec<u32>> = vec![vec![0]; nlocals];
    let mut crosses = vec![false; nlocals];
    let mut written_in = vec![u32::MAX; nlocals];
    for &block in &graph.rpo {
        let (first, last) = function.blocks[block as usize];
        for inst in &function.insts[first as usize..last as usize] {
            match inst.op {
                ir::Op::Get(local) if written_in[local as usize] != block => crosses[local as usize] = true,
                ir::Op::Set(local, _) if written_in[local as usize] != block => {
                    written_in[local as usize] = block;
                    writers[local as usize].push(block);
                }
                _ => {}
            }
        }
    }
    let frontier = dominance_frontiers(graph);
    let mut phis = vec![Vec::new(); function.blocks.len()];
    let mut placed_for = vec![u32::MAX; function.blocks.len()];
    for local in (0..nlocals).filter(|&local| crosses[local]) {
        let mut work = std::mem::take(&mut writers[local]);
        while let Some(block) = work.pop() {
            for &join in &frontier[block as usize] {
                if placed_for[join as usize] != local as u32 {
                    placed_for[join as usize] = local as u32;
                    phis[join as usize].push(local as u32);
                    work.push(join);
                }
            }
        }
    }
    phis
}

/// Where the dominance of each block ends. A walk up the dominator tree stops where an earlier one for the same join passed.
fn dominance_frontiers(graph: &Graph) -> Vec<Vec<u32>> {
    let mut frontier: Vec<Vec<u32>> = vec![Vec::new(); graph.successors.len()];
    for &join in &graph.rpo {
        let preds = &graph.preds[join as usize];
        if preds.len() < 2 {
            continue;
        }
        for &pred in preds.iter().filter(|&&p| graph.reachable(p)) {
            let mut runner = pred;
            while Some(runner) != graph.idom[join as usize] && frontier[runner as usize].last() != Some(&join) {
                frontier[runner as usize].push(join);
                match graph.idom[runner as usize] {
                    Some(up) => runner = up,
                    None => break,
                }
            }
        }
    }
    frontier
}
