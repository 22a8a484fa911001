//! The shape of a function: who follows whom, in which order, and who dominates whom.
//!
//! In: the successors of each block, block 0 being the start. Out: predecessors, reverse post-order, immediate dominators.
//! Always holds: no recursion, and O(edges · log blocks) for any graph — hence Lengauer and Tarjan's algorithm, and not the
//! simpler one of Cooper, Harvey and Kennedy, for which a loop with 10⁵ `break`s is a quadratic bomb.

use smallvec::SmallVec;

use super::Function;

/// The blocks that follow one, at most two in well-formed code.
pub type Successors = SmallVec<[u32; 2]>;

/// The blocks that lead to one: seldom more than two.
pub type Preds = SmallVec<[u32; 2]>;

#[derive(Clone, Debug)]
pub struct Graph {
    pub successors: Vec<Successors>,
    /// The blocks that jump to a block, once for each edge, unreachable ones included.
    pub preds: Vec<Preds>,
    /// The reachable blocks in reverse post-order: a block comes after its dominators.
    pub rpo: Vec<u32>,
    /// The immediate dominator; None for block 0 and for unreachable blocks.
    pub idom: Vec<Option<u32>>,
    /// Where a block stands in a walk of the dominator tree that visits parents first, and how many blocks it dominates.
    /// An unreachable block dominates 0.
    place: Vec<(u32, u32)>,
}

/// A depth-first walk from block 0; everything but `number` is indexed by the order of first visit.
struct Walk {
    /// Visit order of a block; `UNSEEN` for unreachable ones.
    number: Vec<u32>,
    block: Vec<u32>,
    parent: Vec<u32>,
}

const UNSEEN: u32 = u32::MAX;

impl Graph {
    /// `successors[b]` are the blocks that `b` may go to; each is an index into the same list.
    pub fn new(successors: Vec<Successors>) -> Graph {
        let mut preds = vec![Preds::new(); successors.len()];
        for (block, next) in successors.iter().enumerate() {
            for &to in next {
                preds[to as usize].push(block as u32);
            }
        }
        let (walk, rpo) = depth_first(&successors);
        let idom = immediate_dominators(&walk, &preds);
        let place = places(&rpo, &idom);
        Graph { successors, preds, rpo, idom, place }
    }

    /// The graph of a function of typed IR.
    pub fn of(function: &Function) -> Graph {
        Graph::new(successors(function))
    }

    pub fn reachable(&self, block: u32) -> bool {
        self.place[block as usize].1 > 0
    }

    /// Where a block stands in the dominator tree: what it dominates, itself first, stands at so many places from there on.
    pub fn subtree(&self, block: u32) -> (u32, u32) {
        self.place[block as usize]
    }

    /// Whether every way from block 0 to `b` leads through `a`; a block dominates itself. False when either is unreachable.
    pub fn dominates(&self, a: u32, b: u32) -> bool {
        let (start, size) = self.place[a as usize];
        self.reachable(b) && self.place[b as usize].0.wrapping_sub(start) < size
    }
}

fn successors(function: &Function) -> Vec<Successors> {
    function.blocks.iter().map(|b| b.end.targets().map(|t| t.block.0).collect()).collect()
}

/// The order of a function's graph alone, for who asks nothing of dominators: they are most of the work.
pub fn reverse_post_order(function: &Function) -> Vec<u32> {
    match function.blocks.len() {
        // Nobody jumps to block 0.
        1 => vec![0],
        _ => depth_first(&successors(function)).1,
    }
}

/// The loops of a graph, as a tree: a loop is named for its head, where it is entered.
pub struct Loops {
    /// Of each block the head of the innermost loop it is in.
    inner: Vec<Option<u32>>,
    /// Of each head that of the loop around its own.
    outer: Vec<Option<u32>>,
}

impl Loops {
    pub fn of(graph: &Graph) -> Loops {
        let blocks = graph.successors.len();
        let mut loops = Loops { inner: vec![None; blocks], outer: vec![None; blocks] };
        // The outermost loop that is known around each head, with paths shortened on the way: what is inside comes first here.
        let mut around: Vec<u32> = (0..blocks as u32).collect();
        for &head in graph.rpo.iter().rev() {
            let mut work: Vec<u32> = graph.preds[head as usize].to_vec();
            work.retain(|&latch| graph.dominates(head, latch));
            while let Some(block) = work.pop() {
                let known = match loops.inner[block as usize] {
                    Some(inner) => find(&mut around, inner),
                    None => {
                        loops.inner[block as usize] = Some(head);
                        if block != head {
                            work.extend(graph.preds[block as usize].iter().filter(|from| graph.reachable(**from)));
                        }
                        continue;
                    }
                };
                if known != head {
                    loops.outer[known as usize] = Some(head);
                    around[known as usize] = head;
                    work.extend(graph.preds[known as usize].iter().filter(|from| graph.reachable(**from)));
                }
            }
        }
        loops
    }

    /// The head of the innermost loop a block is in.
    pub fn inner(&self, block: u32) -> Option<u32> {
        self.inner[block as usize]
    }

    /// The heads of the loops a block is in, innermost first.
    pub fn around(&self, block: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(self.inner(block), |head| self.outer[*head as usize])
    }

    /// The loops that contain no other: their heads and blocks.
    pub fn innermost(&self, graph: &Graph) -> Vec<(u32, Vec<u32>)> {
        let mut blocks: Vec<Vec<u32>> = vec![Vec::new(); self.inner.len()];
        let mut contains = vec![false; self.inner.len()];
        for &b in &graph.rpo {
            if let Some(head) = self.inner(b) {
                blocks[head as usize].push(b);
                self.outer[head as usize].iter().for_each(|outer| contains[*outer as usize] = true);
            }
        }
        let heads = graph.rpo.iter().filter(|b| !blocks[**b as usize].is_empty() && !contains[**b as usize]);
        heads.map(|&head| (head, blocks[head as usize].clone())).collect()
    }

    /// In how many of the loops around `from` another block is, too.
    pub fn shared(&self, from: u32, block: u32) -> usize {
        if self.inner(from).is_none() {
            return 0;
        }
        let (mine, theirs): (Vec<u32>, Vec<u32>) = (self.around(from).collect(), self.around(block).collect());
        mine.iter().rev().zip(theirs.iter().rev()).take_while(|(a, b)| a == b).count()
    }
}

/// The root of a tree of links, made shorter.
fn find(links: &mut [u32], from: u32) -> u32 {
    let mut at = from;
    while links[at as usize] != at {
        links[at as usize] = links[links[at as usize] as usize];
        at = links[at as usize];
    }
    at
}

fn depth_first(successors: &[Successors]) -> (Walk, Vec<u32>) {
    let mut walk = Walk { number: vec![UNSEEN; successors.len()], block: Vec::new(), parent: Vec::new() };
    let mut post = Vec::new();
    if successors.is_empty() {
        return (walk, post);
    }
    walk.enter(0, 0);
    let mut stack = vec![(0u32, 0usize)];
    while let Some((block, edge)) = stack.last_mut() {
        let from = *block;
        match successors[from as usize].get(*edge) {
            Some(&to) => {
                *edge += 1;
                if walk.number[to as usize] == UNSEEN {
                    walk.enter(to, walk.number[from as usize]);
                    stack.push((to, 0));
                }
            }
            None => {
                post.push(from);
                stack.pop();
            }
        }
    }
    post.reverse();
    (walk, post)
}

impl Walk {
    fn enter(&mut self, block: u32, parent: u32) {
        self.number[block as usize] = self.block.len() as u32;
        self.block.push(block);
        self.parent.push(parent);
    }
}

/// Lengauer and Tarjan 1979, with path compression. All of it in visit numbers.
fn immediate_dominators(walk: &Walk, preds: &[Preds]) -> Vec<Option<u32>> {
    let n = walk.block.len();
    let mut idom = vec![None; preds.len()];
    if n < 2 {
        return idom;
    }
    let (label, semi) = ((0..n as u32).collect(), (0..n as u32).collect());
    let mut forest = Forest { ancestor: vec![UNSEEN; n], label, semi, path: Vec::new() };
    let mut dom = vec![0u32; n];
    // A list for each vertex: its first, and for each in a list the one after it.
    let (mut bucket, mut after) = (vec![UNSEEN; n], vec![UNSEEN; n]);
    for w in (1..n).rev() {
        for &p in &preds[walk.block[w] as usize] {
            let v = walk.number[p as usize];
            if v != UNSEEN {
                let u = forest.eval(v);
                forest.semi[w] = forest.semi[w].min(forest.semi[u as usize]);
            }
        }
        let parent = walk.parent[w];
        let semi = forest.semi[w] as usize;
        after[w] = std::mem::replace(&mut bucket[semi], w as u32);
        forest.ancestor[w] = parent;
        let mut next = std::mem::replace(&mut bucket[parent as usize], UNSEEN);
        while next != UNSEEN {
            let v = next;
            let u = forest.eval(v);
            dom[v as usize] = if forest.semi[u as usize] < forest.semi[v as usize] { u } else { parent };
            next = after[v as usize];
        }
    }
    for w in 1..n {
        if dom[w] != forest.semi[w] {
            dom[w] = dom[dom[w] as usize];
        }
        idom[walk.block[w] as usize] = Some(walk.block[dom[w] as usize]);
    }
    idom
}

struct Forest {
    ancestor: Vec<u32>,
    label: Vec<u32>,
    semi: Vec<u32>,
    /// A buffer of `eval`'s.
    path: Vec<u32>,
}

impl Forest {
    /// The vertex of least semidominator on the way from `v` up to, but without, the root of its tree.
    fn eval(&mut self, v: u32) -> u32 {
        if self.ancestor[v as usize] == UNSEEN {
            return v;
        }
        let mut at = v;
        while self.ancestor[self.ancestor[at as usize] as usize] != UNSEEN {
            self.path.push(at);
            at = self.ancestor[at as usize];
        }
        while let Some(x) = self.path.pop() {
            let above = self.ancestor[x as usize] as usize;
            let (mine, theirs) = (self.label[x as usize], self.label[above]);
            if self.semi[theirs as usize] < self.semi[mine as usize] {
                self.label[x as usize] = theirs;
            }
            self.ancestor[x as usize] = self.ancestor[above];
        }
        self.label[v as usize]
    }
}

/// Numbers the dominator tree so that a block's descendants are a range that starts with it.
fn places(rpo: &[u32], idom: &[Option<u32>]) -> Vec<(u32, u32)> {
    let mut place = vec![(0, 0); idom.len()];
    for &block in rpo.iter().rev() {
        place[block as usize].1 += 1;
        if let Some(parent) = idom[block as usize] {
            place[parent as usize].1 += place[block as usize].1;
        }
    }
    let mut next = vec![1; idom.len()];
    for &block in rpo {
        if let Some(parent) = idom[block as usize] {
            let start = next[parent as usize];
            next[parent as usize] += place[block as usize].1;
            place[block as usize].0 = start;
            next[block as usize] = start + 1;
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[&[u32]]) -> Graph {
        Graph::new(edges.iter().map(|next| next.iter().copied().collect()).collect())
    }

    #[test]
    fn diamond_loop_and_unreachable() {
        let g = graph(&[&[1], &[2, 3], &[4], &[4], &[1, 5], &[], &[4]]);
        assert_eq!(g.idom, [None, Some(0), Some(1), Some(1), Some(1), Some(4), None]);
        assert_eq!(g.rpo.len(), 6);
        assert_eq!(g.preds[4].as_slice(), [2, 3, 6]);
        assert!(g.dominates(1, 5) && g.dominates(4, 4) && !g.dominates(2, 4) && !g.dominates(5, 4));
        assert!(!g.reachable(6) && !g.dominates(6, 6) && !g.dominates(0, 6));
    }

    /// A loop within a loop, each left in its middle, and one more behind them.
    #[test]
    fn loops_are_a_tree() {
        let g = graph(&[&[1], &[2, 6], &[3], &[4, 5], &[3], &[1, 6], &[6, 7], &[]]);
        let loops = Loops::of(&g);
        assert_eq!(loops.inner, [None, Some(1), Some(1), Some(3), Some(3), Some(1), Some(6), None]);
        assert_eq!(loops.outer, [None, None, None, Some(1), None, None, None, None]);
        assert_eq!([loops.shared(3, 4), loops.shared(3, 5), loops.shared(5, 6), loops.shared(1, 2)], [2, 1, 0, 1]);
        assert_eq!(loops.around(4).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(loops.innermost(&g), [(3, vec![3, 4]), (6, vec![6])]);
    }

    /// Dominance by its definition: `a` dominates `b` if `b` cannot be reached without `a`.
    fn dominates_slowly(g: &Graph, a: u32, b: u32) -> bool {
        let reach = |without: Option<u32>| {
            let mut seen = vec![false; g.successors.len()];
            let mut work: Vec<u32> = (without != Some(0)).then_some(0).into_iter().collect();
            while let Some(x) = work.pop() {
                if !std::mem::replace(&mut seen[x as usize], true) {
                    work.extend(g.successors[x as usize].iter().copied().filter(|&y| Some(y) != without));
                }
            }
            seen
        };
        let all = reach(None);
        all[a as usize] && all[b as usize] && (a == b || !reach(Some(a))[b as usize])
    }

    #[test]
    fn random_graphs_agree_with_the_definition() {
        let mut state = 1u64;
        let mut random = move |below: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((state >> 33) % below) as u32
        };
        for round in 0..if cfg!(miri) { 5 } else { 400 } {
            let n = 2 + random(11) as usize;
            let successors = (0..n).map(|_| (0..random(3)).map(|_| random(n as u64)).collect()).collect();
            let g = Graph::new(successors);
            for a in 0..n as u32 {
                for b in 0..n as u32 {
                    assert_eq!(
                        g.dominates(a, b),
                        dominates_slowly(&g, a, b),
                        "round {round}: {a} {b} {:?}",
                        g.successors
                    );
                }
            }
        }
    }

    #[test]
    fn a_long_chain_with_one_exit_is_fast() {
        let n = if cfg!(miri) { 300 } else { 200_000 };
        let g = Graph::new(
            (0..=n).map(|b| if b < n { [b + 1, n].into_iter().collect() } else { Successors::new() }).collect(),
        );
        assert_eq!(g.idom[n as usize], Some(0));
    }
}
