//! Who calls whom in a module, and who can end up calling itself. No recursion here, whatever calls whom.

use super::{FuncId, Function, Module, Op};
use crate::externs::ExternRef;

/// The functions that one calls, once for each place where it does.
pub fn callees(function: &Function) -> impl Iterator<Item = u32> {
    function.blocks.iter().flat_map(|block| &block.insts).filter_map(|inst| match inst.op {
        Op::Call(callee) => Some(callee.0),
        _ => None,
    })
}

/// The functions that one runs, as calls or as kernels, once for each place where it does.
pub fn used(function: &Function) -> impl Iterator<Item = u32> {
    let insts = function.blocks.iter().flat_map(|block| &block.insts);
    insts.filter_map(|inst| inst.op.function().map(|id| id.0))
}

/// The functions of the host that a module calls, once for each place where it does.
pub fn externs(module: &Module) -> impl Iterator<Item = &ExternRef> {
    let blocks = module.functions.iter().flat_map(|function| &function.blocks);
    blocks.flat_map(|block| &block.insts).filter_map(|inst| match &inst.op {
        Op::Extern(callee) => Some(callee),
        _ => None,
    })
}

/// Whether any function of the module calls this one.
pub fn is_called(module: &Module, callee: FuncId) -> bool {
    module.functions.iter().flat_map(callees).any(|called| called == callee.0)
}

/// Whether the functions of a component can call themselves: it has several, or one that does.
pub fn is_cycle(module: &Module, component: &[u32]) -> bool {
    component.len() > 1 || component.iter().any(|f| used(&module.functions[*f as usize]).any(|callee| callee == *f))
}

/// For each function the cycle of calls it lies on, if any: functions that can call each other have the same number.
pub fn cycles(module: &Module) -> Vec<Option<u32>> {
    let mut cycles = vec![None; module.functions.len()];
    for component in components(module).iter().filter(|component| is_cycle(module, component)) {
        component.iter().for_each(|f| cycles[*f as usize] = Some(component[0]));
    }
    cycles
}

/// The strongly connected components of the call graph, callees first (Tarjan, without recursion).
pub fn components(module: &Module) -> Vec<Vec<u32>> {
    const UNSEEN: u32 = u32::MAX;
    let calls: Vec<Vec<u32>> = module.functions.iter().map(|function| used(function).collect()).collect();
    let n = calls.len();
    let (mut index, mut low, mut on_stack) = (vec![UNSEEN; n], vec![0; n], vec![false; n]);
    let (mut stack, mut found, mut next) = (Vec::new(), Vec::new(), 0);
    for root in 0..n as u32 {
        let mut walk = if index[root as usize] == UNSEEN { vec![(root, 0usize)] } else { Vec::new() };
        while let Some((f, edge)) = walk.last_mut() {
            let at = *f as usize;
            if *edge == 0 && index[at] == UNSEEN {
                (index[at], low[at], on_stack[at]) = (next, next, true);
                next += 1;
                stack.push(at as u32);
            }
            if let Some(&callee) = calls[at].get(*edge) {
                *edge += 1;
                let to = callee as usize;
                if index[to] == UNSEEN {
                    walk.push((callee, 0));
                } else if on_stack[to] {
                    low[at] = low[at].min(index[to]);
                }
                continue;
            }
            walk.pop();
            if let Some((parent, _)) = walk.last() {
                low[*parent as usize] = low[*parent as usize].min(low[at]);
            }
            if low[at] == index[at] {
                let start = stack.iter().rposition(|f| *f == at as u32).unwrap_or(0);
                let component = stack.split_off(start);
                component.iter().for_each(|f| on_stack[*f as usize] = false);
                found.push(component);
            }
        }
    }
    found
}
