//! Whole-array operations one inside the other become one: `sum(a * b)` makes no array of the products.
//!
//! In: `p = map f(…); c = op g(…, p, …)`, where nobody else reads p. Out: `c = op gf(…)`, whose kernel gf does f's instructions and then g's.
//! It is the same because a kernel's result depends on its elements alone, and shapes that fit one after the other fit together:
//! stretching is associative. Where p might have failed for its shapes, the question (`Fits`) stays where it was. False if what p reads is
//! written between the two, or if p's kernel can fail and something between them too. And not worth it where p would be done again for every
//! row that it is stretched to.

use std::collections::HashMap;

use crate::typed::{Args, Block, FuncId, Function, Inst, Module, Op, Terminator, Value};
use crate::types::{Ty, keep};

/// What a kernel may do at the most to be done more often than needed, and how many operands one may have.
const CHEAP: usize = 3;
const OPERANDS: usize = 60;
/// How many instructions a kernel may have: time to make it grows with the square, and what more would save is nothing beside it.
const LARGEST: usize = 256;

pub fn run(module: &mut Module) {
    for f in 0..module.functions.len() {
        let whole = |inst: &Inst| matches!(inst.op, Op::Map(_));
        if module.functions[f].blocks.iter().all(|block| !block.insts.iter().any(whole)) {
            continue;
        }
        let uses = count_uses(&module.functions[f]);
        for b in 0..module.functions[f].blocks.len() {
            let mut at = 0;
            while at < module.functions[f].blocks[b].insts.len() {
                // What was put in may have operands to put in.
                if !fuse(module, f, b, &mut at, &uses) {
                    at += 1;
                }
            }
        }
    }
    keep::clear(module);
}

fn count_uses(function: &Function) -> HashMap<Value, usize> {
    let mut uses = HashMap::new();
    for block in &function.blocks {
        block.uses().for_each(|value| *uses.entry(value).or_default() += 1);
    }
    uses
}

/// Puts one operand's kernel into that of the instruction at `at`, which moves with it; whether there was one to put in.
fn fuse(module: &mut Module, f: usize, b: usize, at: &mut usize, uses: &HashMap<Value, usize>) -> bool {
    let function = &module.functions[f];
    let insts = &function.blocks[b].insts;
    let consumer = &insts[*at];
    let target = usize::from(matches!(consumer.op, Op::MapInto(_)));
    if !matches!(consumer.op, Op::Map(_) | Op::MapInto(_) | Op::Reduce(..)) {
        return false;
    }
    let read_once = |value: &Value| {
        let here = consumer.args[target..].iter().filter(|arg| *arg == value).count();
        uses.get(value) == Some(&here)
    };
    let made_by = |value: &Value| insts[..*at].iter().rposition(|inst| inst.result == *value);
    let found = consumer.args[target..].iter().filter(|value| read_once(value)).find_map(|value| {
        let made = made_by(value)?;
        fits(module, function, &insts[made..=*at]).then_some(made)
    });
    let Some(made) = found else { return false };
    let (producer, consumer) = (insts[made].clone(), insts[*at].clone());
    let (Some(first), Some(second)) = (producer.op.function(), consumer.op.function()) else { return false };
    let (kernel, args) = compose(
        (&module.functions[first.0 as usize], &producer),
        (&module.functions[second.0 as usize], &consumer.args[target..]),
    );
    let id = FuncId(module.functions.len() as u32);
    module.functions.push(kernel);
    let insts = &mut module.functions[f].blocks[b].insts;
    let fused = &mut insts[*at];
    fused.args.truncate(target);
    fused.args.extend(args);
    if let Some(kernel) = fused.op.function_mut() {
        *kernel = id;
    }
    let arrays = distinct_arrays(&module.functions[f], &producer);
    let insts = &mut module.functions[f].blocks[b].insts;
    if arrays.len() > 1 {
        // Its result is None, as that of the other is not; nobody reads it.
        let question = Inst { result: Value(u32::MAX), op: Op::Fits, args: arrays, span: producer.span };
        insts[made] = question;
        let result = module.functions[f].new_value(Ty::None);
        module.functions[f].blocks[b].insts[made].result = result;
    } else {
        insts.remove(made);
        *at -= 1;
    }
    true
}

/// Whether the first of these may be done as part of the last.
fn fits(module: &Module, function: &Function, between: &[Inst]) -> bool {
    let [producer, middle @ .., consumer] = between else { return false };
    let (Op::Map(first), Some(second)) = (&producer.op, consumer.op.function()) else { return false };
    let kernel = &module.functions[first.0 as usize];
    let in_place = |id: FuncId| match &module.functions[id.0 as usize].blocks[..] {
        [only] => matches!(only.end, Terminator::Return(_)).then_some(only),
        _ => None,
    };
    let (Some(first), Some(second)) = (in_place(*first), in_place(second)) else { return false };
    if first.insts.len() + second.insts.len() > LARGEST {
        return false;
    }
    let writes = |op: &Op| op.writes() || matches!(op, Op::Call(_) | Op::Extern(_));
    let fails = first.insts.iter().any(|inst| inst.op.can_raise(kernel.ty(inst.result)));
    if middle.iter().any(|inst| writes(&inst.op) || fails && inst.op.has_effect()) {
        return false;
    }
    let ndim = |value: Value| if let Ty::Array(array) = function.ty(value) { array.ndim } else { 0 };
    let own = ndim(producer.result);
    let stretched = consumer.args.iter().any(|arg| ndim(*arg) > own);
    let cheap = first.insts.len() <= CHEAP && !first.insts.iter().any(|inst| matches!(inst.op, Op::Helper(..)));
    (!stretched || cheap) && producer.args.len() + consumer.args.len() <= OPERANDS
}

/// The arrays among its operands, each once.
fn distinct_arrays(function: &Function, inst: &Inst) -> Args {
    let mut arrays = Args::new();
    for &arg in inst.args.iter().filter(|arg| is_array(function, **arg)) {
        if !arrays.contains(&arg) {
            arrays.push(arg);
        }
    }
    arrays
}

fn is_array(function: &Function, value: Value) -> bool {
    matches!(function.ty(value), Ty::Array(_))
}

/// The kernel that does one and then the other, and its operands, each once.
fn compose(first: (&Function, &Inst), second: (&Function, &[Value])) -> (Function, Args) {
    let mut args = Args::new();
    let mut kernel = Function { blocks: Vec::new(), values: Vec::new(), ..second.0.clone() };
    let mut params: Vec<Value> = Vec::new();
    let mut param = |kernel: &mut Function, arg: Value, ty: &Ty| match args.iter().position(|known| *known == arg) {
        Some(at) => params[at],
        None => {
            args.push(arg);
            params.push(kernel.new_value(ty.clone()));
            params[params.len() - 1]
        }
    };
    let mut insts = Vec::new();
    let mut copy = |kernel: &mut Function, of: &Function, mut names: HashMap<Value, Value>| {
        let block = &of.blocks[0];
        for inst in &block.insts {
            let mut inst = inst.clone();
            inst.args.iter_mut().for_each(|arg| *arg = names[arg]);
            let result = kernel.new_value(of.ty(inst.result).clone());
            names.insert(std::mem::replace(&mut inst.result, result), result);
            insts.push(inst);
        }
        match block.end {
            Terminator::Return(value) => names[&value],
            _ => unreachable!("`fits` was asked"),
        }
    };
    let (producer, inst) = first;
    let named = producer.params().iter().zip(&inst.args);
    let names = named.map(|(&own, &arg)| (own, param(&mut kernel, arg, producer.ty(own)))).collect();
    let made = copy(&mut kernel, producer, names);
    let (consumer, operands) = second;
    let named = consumer.params().iter().zip(operands);
    let names = named
        .map(|(&own, &arg)| {
            let is_made = arg == inst.result;
            (own, if is_made { made } else { param(&mut kernel, arg, consumer.ty(own)) })
        })
        .collect();
    let value = copy(&mut kernel, consumer, names);
    let end_span = consumer.blocks[0].end_span;
    kernel.blocks.push(Block { params, insts, end: Terminator::Return(value), end_span });
    (kernel, args)
}
