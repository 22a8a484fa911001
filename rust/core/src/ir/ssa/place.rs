//! Where block parameters are needed: iterated dominance frontiers (Cytron et al. 1991), and of those only what is read.
//!
//! In: a function with variables, and its shape. Out: for each block the variables that need a parameter there: two writes
//! meet there and somebody reads what they have become. Always holds: no more arguments are asked for, over all jumps, than are left
//! (`n` variables that change between `n` breaks of a loop take n² of them), and time and memory are about linear in those and
//! in the instructions.

use crate::ir;
use crate::typed::cfg::Graph;

/// How many places may be looked at for each argument that is left.
const LOOKS: usize = 8;

/// The variables that need a parameter in each block; None when that takes more arguments than are left.
pub fn phis(function: &ir::Function, graph: &Graph, left: &mut usize) -> Option<Vec<Vec<u32>>> {
    let accesses = Accesses::new(function, graph);
    let mut places = candidates(graph, &accesses, left.saturating_mul(LOOKS))?;
    let mut demand = Demand::new(graph, &accesses, &places);
    for (local, blocks) in accesses.reads.iter().enumerate() {
        for &block in blocks {
            demand.read(local as u32, block);
        }
    }
    *left = left.checked_sub(demand.settle(*left))?;
    let read = demand.read;
    for (locals, read) in places.iter_mut().zip(read) {
        let mut read = read.into_iter();
        locals.retain(|_| read.next() == Some(true));
    }
    Some(places)
}

/// What blocks do with variables: for each variable the blocks that write it, the start among them, and those that read it
/// before they write it.
struct Accesses {
    writes: Vec<Vec<u32>>,
    reads: Vec<Vec<u32>>,
}

impl Accesses {
    fn new(function: &ir::Function, graph: &Graph) -> Accesses {
        let nlocals = function.locals.len();
        let mut writes: Vec<Vec<u32>> = vec![vec![0]; nlocals];
        let mut reads: Vec<Vec<u32>> = vec![Vec::new(); nlocals];
        for &block in &graph.rpo {
            let (first, last) = function.blocks[block as usize];
            for inst in &function.insts[first as usize..last as usize] {
                match inst.op {
                    ir::Op::Get(local) => {
                        let (writes, reads) = (&writes[local as usize], &mut reads[local as usize]);
                        // Block 0 counts as a writer; nobody jumps there, so that it needs no parameter.
                        if writes.last() != Some(&block) && reads.last() != Some(&block) {
                            reads.push(block);
                        }
                    }
                    ir::Op::Set(local, _) if writes[local as usize].last() != Some(&block) => {
                        writes[local as usize].push(block);
                    }
                    _ => {}
                }
            }
        }
        Accesses { writes, reads }
    }
}

/// The variables of which different writes meet in each block, read or not; in ascending order.
fn candidates(graph: &Graph, accesses: &Accesses, looks: usize) -> Option<Vec<Vec<u32>>> {
    let frontier = dominance_frontiers(graph);
    let mut phis = vec![Vec::new(); graph.successors.len()];
    let mut placed_for = vec![u32::MAX; graph.successors.len()];
    let mut looks = looks;
    for (local, writes) in accesses.writes.iter().enumerate() {
        if accesses.reads[local].is_empty() {
            continue;
        }
        let mut work = writes.clone();
        while let Some(block) = work.pop() {
            looks = looks.checked_sub(frontier[block as usize].len())?;
            for &join in &frontier[block as usize] {
                if placed_for[join as usize] != local as u32 {
                    placed_for[join as usize] = local as u32;
                    phis[join as usize].push(local as u32);
                    work.push(join);
                }
            }
        }
    }
    Some(phis)
}

/// Finds out which candidates are read, by an instruction or by another one that is.
struct Demand<'a> {
    graph: &'a Graph,
    places: &'a [Vec<u32>],
    /// Of each variable: what it holds at the end of a block, by the block's place in the dominator tree. The last entry at or before
    /// that place says in which block it became so, if as a parameter.
    holds: Vec<Vec<(u32, Option<u32>)>>,
    /// For each candidate, whether it is read.
    read: Vec<Vec<bool>>,
    work: Vec<(u32, u32)>,
    /// The arguments that they take.
    args: usize,
}

impl<'a> Demand<'a> {
    fn new(graph: &'a Graph, accesses: &Accesses, places: &'a [Vec<u32>]) -> Demand<'a> {
        let mut definitions: Vec<Vec<(u32, bool)>> = vec![Vec::new(); accesses.writes.len()];
        for (block, locals) in places.iter().enumerate() {
            for &local in locals {
                definitions[local as usize].push((block as u32, true));
            }
        }
        let holds = definitions.into_iter().zip(&accesses.writes).map(|(mut of_one, writes)| {
            if of_one.is_empty() {
                return Vec::new();
            }
            // A block that also writes it leaves what it writes: that comes last of the two.
            of_one.extend(writes.iter().map(|&block| (block, false)));
            of_one.sort_by_key(|&(block, param)| (graph.subtree(block).0, !param));
            spread(graph, &of_one)
        });
        let holds = holds.collect();
        let read = places.iter().map(|locals| vec![false; locals.len()]).collect();
        Demand { graph, places, holds, read, work: Vec::new(), args: 0 }
    }

    /// What the variable holds when a block begins is read.
    fn read(&mut self, local: u32, block: u32) {
        if self.places[block as usize].binary_search(&local).is_ok() {
            self.mark(local, block);
        } else if let Some(above) = self.graph.idom[block as usize] {
            self.read_at_end(local, above);
        }
    }

    fn read_at_end(&mut self, local: u32, block: u32) {
        let holds = &self.holds[local as usize];
        let place = self.graph.subtree(block).0;
        let next = holds.partition_point(|&(from, _)| from <= place);
        if let Some(&(_, Some(home))) = next.checked_sub(1).and_then(|last| holds.get(last)) {
            self.mark(local, home);
        }
    }

    fn mark(&mut self, local: u32, block: u32) {
        if let Ok(at) = self.places[block as usize].binary_search(&local)
            && !std::mem::replace(&mut self.read[block as usize][at], true)
        {
            self.args += self.graph.preds[block as usize].len();
            self.work.push((local, block));
        }
    }

    /// Marks what is read in turn; how many arguments that takes, or something above `most`.
    fn settle(&mut self, most: usize) -> usize {
        while let Some((local, block)) = self.work.pop() {
            if self.args > most {
                break;
            }
            for &pred in &self.graph.preds[block as usize] {
                if self.graph.reachable(pred) {
                    self.read_at_end(local, pred);
                }
            }
        }
        self.args
    }
}

/// Definitions in the order of the dominator tree, as steps: from which place on which one holds.
fn spread(graph: &Graph, definitions: &[(u32, bool)]) -> Vec<(u32, Option<u32>)> {
    let mut steps = Vec::with_capacity(2 * definitions.len());
    // Subtrees that are open: where they end, and what holds there.
    let mut open: Vec<(u32, Option<u32>)> = Vec::new();
    let close = |open: &mut Vec<(u32, Option<u32>)>, steps: &mut Vec<_>, place: u32| {
        while let Some((end, _)) = open.last().copied().filter(|&(end, _)| end <= place) {
            open.pop();
            steps.push((end, open.last().and_then(|&(_, holds)| holds)));
        }
    };
    for &(block, param) in definitions {
        let (start, size) = graph.subtree(block);
        close(&mut open, &mut steps, start);
        let holds = param.then_some(block);
        steps.push((start, holds));
        open.push((start + size, holds));
    }
    close(&mut open, &mut steps, u32::MAX);
    steps
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
