//! Which functions can end up calling themselves.
//!
//! In: the calls of a module. Out: a flag per function. No recursion here: Kosaraju's two walks with stacks of their own.

use crate::typed::{FuncId, Module, Op};

/// Whether any function of the module calls this one.
pub(super) fn is_called(module: &Module, callee: FuncId) -> bool {
    let insts = module.functions.iter().flat_map(|f| &f.blocks).flat_map(|b| &b.insts);
    insts.map(|inst| &inst.op).any(|op| *op == Op::Call(callee))
}

/// For each function the cycle of calls it lies on, if any: functions that can call each other have the same number.
pub(super) fn cycles(module: &Module) -> Vec<Option<u32>> {
    let n = module.functions.len();
    let mut callees = vec![Vec::new(); n];
    let mut callers = vec![Vec::new(); n];
    for (from, function) in module.functions.iter().enumerate() {
        for inst in function.blocks.iter().flat_map(|b| &b.insts) {
            if let Op::Call(FuncId(to)) = inst.op {
                callees[from].push(to as usize);
                callers[to as usize].push(from);
            }
        }
    }
    let mut finished = Vec::with_capacity(n);
    let mut seen = vec![false; n];
    for root in 0..n {
        walk(root, &callees, &mut seen, &mut finished);
    }
    let mut cycles = vec![None; n];
    seen.fill(false);
    let mut component = Vec::new();
    for &root in finished.iter().rev() {
        walk(root, &callers, &mut seen, &mut component);
        if component.len() > 1 || callees[root].contains(&root) {
            component.iter().for_each(|&f| cycles[f] = Some(root as u32));
        }
        component.clear();
    }
    cycles
}

/// Visits what is reachable and not seen yet; appends each in the order its walk ends.
fn walk(root: usize, next: &[Vec<usize>], seen: &mut [bool], finished: &mut Vec<usize>) {
    if std::mem::replace(&mut seen[root], true) {
        return;
    }
    let mut stack = vec![(root, 0)];
    while let Some((at, edge)) = stack.last_mut() {
        match next[*at].get(*edge) {
            Some(&to) => {
                *edge += 1;
                if !std::mem::replace(&mut seen[to], true) {
                    stack.push((to, 0));
                }
            }
            None => {
                finished.push(*at);
                stack.pop();
            }
        }
    }
}
