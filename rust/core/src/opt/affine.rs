//! Several steps of `x * a + c` become one.
//!
//! In: any block. Out: the same, where
//!
//! ```text
//! (x * a + c) * b + d               is x * (a * b) + (c * b + d)
//! ((x * a + c) & m) * b + d & m     is x * (a * b) + (c * b + d) & m         for m = 2ᵏ - 1
//! ```
//!
//! with constants a, b, c, d, in arithmetic that wraps: sums and products are those of whole numbers modulo 2⁶⁴, and their lowest k bits depend on nothing but the
//! lowest k bits of what they are made of, so that a mask in between changes nothing that the last one leaves. The new constants are taken modulo 2⁶⁴. False of arithmetic that
//! raises, of a mask that has a 0 below a 1, of one in between that leaves less than the last one does, and of shifts to the right.
//!
//! So a linear congruential generator whose rounds are unrolled makes one step for all of them (`folds` tells `unroll` that so it will be). Steps are gone through
//! only where nobody else reads what lies between them. What is left of them `dce` takes away.

use super::unroll::counted::Body;
use crate::typed::{Args, Block, Const, Function, Inst, Mode, Module, Op, Terminator, Value};
use crate::types::Ty;

/// A value is a·base + c in its lowest bits, by so many products.
#[derive(Clone, Copy)]
struct Form {
    base: Value,
    a: u64,
    c: u64,
    bits: u32,
    products: u32,
}

pub fn run(module: &mut Module) {
    for function in &mut module.functions {
        let products = |block: &Block| block.insts.iter().filter(|inst| inst.op == Op::Mul(Mode::Numpy)).count();
        if function.blocks.iter().any(|block| products(block) > 1) {
            fold(function);
        }
    }
}

/// Whether unrolling a loop leaves one step: a single block of such steps, that no test interrupts.
pub(super) fn folds(body: &Body) -> bool {
    let function = body.function;
    let [head, rest] = body.blocks else { return false };
    let known = |value: &Value| body.known(*value).is_some();
    let steps = |inst: &Inst| match &inst.op {
        Op::Add(_) | Op::Sub(_) | Op::Mul(_) | Op::And => inst.args.iter().any(known),
        Op::Const(_) | Op::NextIndex | Op::Tick(_) | Op::Cmp(_) => true,
        _ => false,
    };
    let insts = || [head, rest].into_iter().flat_map(|b| &function.blocks[*b as usize].insts);
    insts().all(steps)
        && insts().any(|inst| matches!(inst.op, Op::Mul(_)))
        && matches!(function.blocks[*rest as usize].end, Terminator::Jump(_))
}

fn fold(function: &mut Function) {
    let mut uses = vec![0u32; function.values.len()];
    for value in function.blocks.iter().flat_map(Block::uses) {
        uses[value.0 as usize] += 1;
    }
    let mut constants: Vec<Option<u64>> = vec![None; function.values.len()];
    for inst in function.blocks.iter().flat_map(|block| &block.insts) {
        if let Op::Const(Const::Int(bits)) = inst.op {
            constants[inst.result.0 as usize] = Some(bits);
        }
    }
    let mut forms: Vec<Option<Form>> = vec![None; function.values.len()];
    for b in 0..function.blocks.len() {
        let insts = std::mem::take(&mut function.blocks[b].insts);
        let mut done = Vec::with_capacity(insts.len());
        let mut in_block = Vec::new();
        for mut inst in insts {
            if *function.ty(inst.result) == Ty::INT
                && let Some(form) = form(&inst, &uses, &constants, &forms)
            {
                forms[inst.result.0 as usize] = Some(form);
                in_block.push(inst.result);
                if form.products > 1 {
                    rewrite(function, &mut inst, form, &mut done);
                }
            }
            done.push(inst);
        }
        function.blocks[b].insts = done;
        // A base is known in its block; elsewhere a value stands for itself.
        in_block.iter().for_each(|value| forms[value.0 as usize] = None);
    }
}

fn form(inst: &Inst, uses: &[u32], constants: &[Option<u64>], forms: &[Option<Form>]) -> Option<Form> {
    let of = |value: Value| match forms[value.0 as usize] {
        Some(form) if uses[value.0 as usize] == 1 => form,
        _ => Form { base: value, a: 1, c: 0, bits: 64, products: 0 },
    };
    let (x, k) = match inst.args.as_slice() {
        &[x, y] => match (constants[x.0 as usize], constants[y.0 as usize]) {
            (_, Some(k)) => (x, k),
            (Some(k), _) if !matches!(inst.op, Op::Sub(_)) => (y, k),
            _ => return None,
        },
        _ => return None,
    };
    let form = of(x);
    Some(match inst.op {
        Op::Add(Mode::Numpy) => Form { c: form.c.wrapping_add(k), ..form },
        Op::Sub(Mode::Numpy) => Form { c: form.c.wrapping_sub(k), ..form },
        Op::Mul(Mode::Numpy) => {
            Form { a: form.a.wrapping_mul(k), c: form.c.wrapping_mul(k), products: form.products + 1, ..form }
        }
        Op::And if k != 0 && k & k.wrapping_add(1) == 0 => {
            let bits = k.count_ones();
            match bits <= form.bits {
                true => Form { bits, ..form },
                false => Form { base: x, a: 1, c: 0, bits, products: 0 },
            }
        }
        _ => return None,
    })
}

/// An instruction that is a mask of its form, or all of it, is made of the base.
fn rewrite(function: &mut Function, inst: &mut Inst, form: Form, done: &mut Vec<Inst>) {
    if inst.op != Op::And && form.bits < 64 {
        return;
    }
    let span = inst.span;
    let mut put = |op: Op, args: &[Value]| {
        let result = function.new_value(Ty::INT);
        done.push(Inst { result, op, args: Args::from_slice(args), span });
        result
    };
    let a = put(Op::Const(Const::Int(form.a)), &[]);
    let product = put(Op::Mul(Mode::Numpy), &[form.base, a]);
    let c = put(Op::Const(Const::Int(form.c)), &[]);
    if inst.op == Op::And {
        let sum = put(Op::Add(Mode::Numpy), &[product, c]);
        let mask = put(Op::Const(Const::Int(u64::MAX >> (64 - form.bits))), &[]);
        inst.args = Args::from_slice(&[sum, mask]);
    } else {
        (inst.op, inst.args) = (Op::Add(Mode::Numpy), Args::from_slice(&[product, c]));
    }
}
