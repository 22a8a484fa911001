//! Vectors: every operation they know, at every width, and programs made at random.

use super::*;

fn float_of(bits: usize) -> Option<Ty> {
    match bits {
        32 => Some(F32),
        64 => Some(Ty::FLOAT),
        _ => None,
    }
}

fn ints_of(bits: u32) -> impl Iterator<Item = Ty> {
    IntTy::ALL.into_iter().filter(move |int| int.bits() == bits).map(Ty::Int)
}

/// A kernel of one operation, twice if it can be put upon itself: it must be done in vectors.
fn single(op: Op, types: &[Ty], result: Ty) {
    let mut f = function("f", types, result.clone());
    let args: Vec<Value> = (0..types.len()).map(|i| f.param(BlockId(0), i)).collect();
    let value = f.op(op.clone(), &args, result.clone());
    f.ret(value);
    let module = module(vec![f.done()]);
    for uniform in 0..1 << types.len() {
        let kernel = kernel(module.clone(), uniform);
        assert!(kernel.is_vector(), "{op:?} of {types:?}");
        agrees_always(&kernel, uniform);
    }
}

const CONDS: [Cond; 6] = [Cond::Lt, Cond::Le, Cond::Gt, Cond::Ge, Cond::Eq, Cond::Ne];
const NUMPY: Mode = Mode::Numpy;

#[test]
fn floats() {
    for ty in [Ty::FLOAT, F32] {
        for op in [Op::Add(NUMPY), Op::Sub(NUMPY), Op::Mul(NUMPY), Op::Div(NUMPY)] {
            single(op, &[ty.clone(), ty.clone()], ty.clone());
        }
        for op in [Op::Neg(NUMPY), Op::Abs(NUMPY), Op::Sqrt, Op::Floor, Op::Ceil, Op::Trunc, Op::Nearest] {
            single(op, std::slice::from_ref(&ty), ty.clone());
        }
        single(Op::Convert, &[Ty::Bool], ty.clone());
    }
    single(Op::CopySign, &[Ty::FLOAT, Ty::FLOAT], Ty::FLOAT);
    single(Op::Convert, &[Ty::INT], Ty::FLOAT);
    single(Op::Convert, &[Ty::Int(IntTy::I32)], F32);
}

#[test]
fn ints() {
    for bits in [8, 16, 32, 64] {
        for ty in ints_of(bits) {
            let pair = [ty.clone(), ty.clone()];
            for op in [Op::Add(NUMPY), Op::Sub(NUMPY), Op::And, Op::Or, Op::Xor] {
                single(op, &pair, ty.clone());
            }
            if bits > 8 {
                single(Op::Mul(NUMPY), &pair, ty.clone());
            }
            for op in [Op::Neg(NUMPY), Op::Abs(NUMPY), Op::Invert] {
                single(op, std::slice::from_ref(&ty), ty.clone());
            }
            single(Op::Convert, &[Ty::Bool], ty.clone());
            for op in [Op::Shl(NUMPY), Op::Shr(NUMPY)] {
                for count in [0, 1, 7, 31, 63, 64, -1] {
                    let mut f = function("f", std::slice::from_ref(&ty), ty.clone());
                    let (x, n) = (f.param(BlockId(0), 0), f.int(count));
                    let shifted = f.op(op.clone(), &[x, n], ty.clone());
                    f.ret(shifted);
                    let kernel = kernel(module(vec![f.done()]), 0);
                    assert!(kernel.is_vector());
                    agrees_always(&kernel, 0);
                }
            }
        }
    }
}

#[test]
fn comparisons_and_choices() {
    let mut types = vec![Ty::Bool, Ty::FLOAT, F32];
    types.extend(IntTy::ALL.map(Ty::Int));
    for ty in types {
        for cond in CONDS {
            single(Op::Cmp(cond), &[ty.clone(), ty.clone()], Ty::Bool);
            // The lesser or greater of two, in both ways.
            for swap in [false, true] {
                let mut f = function("f", &[ty.clone(), ty.clone()], ty.clone());
                let (x, y) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
                let truth = f.op(Op::Cmp(cond), &[x, y], Ty::Bool);
                let chosen = f.op(Op::Select, &if swap { [truth, y, x] } else { [truth, x, y] }, ty.clone());
                f.ret(chosen);
                let kernel = kernel(module(vec![f.done()]), 0);
                assert!(kernel.is_vector());
                agrees_always(&kernel, 0);
            }
        }
        single(Op::Select, &[Ty::Bool, ty.clone(), ty.clone()], ty.clone());
    }
    for op in [Op::And, Op::Or, Op::Xor] {
        single(op, &[Ty::Bool, Ty::Bool], Ty::Bool);
    }
    single(Op::Not, &[Ty::Bool], Ty::Bool);
}

#[test]
fn lane_by_lane() {
    let mut f = function("f", &[Ty::FLOAT, Ty::INT], Ty::FLOAT);
    let (x, n) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
    let y = f.op(Op::Mul(NUMPY), &[x, x], Ty::FLOAT);
    let y = f.op(Op::Sub(NUMPY), &[y, x], Ty::FLOAT);
    let y = f.op(Op::Neg(NUMPY), &[y], Ty::FLOAT);
    let y = f.op(helper("exp"), &[y], Ty::FLOAT);
    let half = f.op(Op::FloorDiv(NUMPY), &[n, n], Ty::INT);
    let half = f.op(Op::Add(NUMPY), &[half, n], Ty::INT);
    let less = f.op(Op::CmpIntFloat(Cond::Lt), &[half, x], Ty::Bool);
    let z = f.op(Op::Convert, &[half], Ty::FLOAT);
    let z = f.op(Op::Add(NUMPY), &[z, y], Ty::FLOAT);
    let z = f.op(Op::Select, &[less, z, y], Ty::FLOAT);
    let mut z = f.op(Op::Sqrt, &[z], Ty::FLOAT);
    // Enough that vectors are worth it.
    for _ in 0..12 {
        z = f.op(Op::Add(NUMPY), &[z, x], Ty::FLOAT);
    }
    f.ret(z);
    let module = module(vec![f.done()]);
    for uniform in 0..4 {
        let kernel = kernel(module.clone(), uniform);
        assert!(kernel.is_vector() || uniform == 3);
        agrees_always(&kernel, uniform);
    }
}

/// Straight-line programs of 64-bit, 32-bit and narrower lanes.
#[test]
fn at_random() {
    let mut state = 0x0123_4567_89AB_CDEF_u64;
    let mut pick = move |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as usize % n
    };
    for round in 0..if cfg!(miri) { 2 } else { 250 } {
        let bits = [64, 64, 32, 16, 8][round % 5];
        let mut types: Vec<Ty> = ints_of(bits).chain(float_of(bits as usize)).collect();
        types.push(Ty::Bool);
        let params: Vec<Ty> = (0..1 + pick(4)).map(|_| types[pick(types.len())].clone()).collect();
        let result = types[pick(types.len())].clone();
        let mut f = function("f", &params, result.clone());
        let mut known: Vec<(Value, Ty)> =
            params.iter().enumerate().map(|(i, ty)| (f.param(BlockId(0), i), ty.clone())).collect();
        for _ in 0..3 + pick(14) {
            let made = random_op(&mut f, &known, &types, &mut pick);
            known.extend(made);
        }
        let last = known.iter().rev().find(|(_, ty)| *ty == result).map(|known| known.0);
        let last = last.unwrap_or_else(|| constant(&mut f, &result, 3));
        f.ret(last);
        let module = module(vec![f.done()]);
        for uniform in [0, pick(1 << params.len()) as u64] {
            let kernel = kernel(module.clone(), uniform);
            for count in [0, 1, 2, 7, 8, 9, 31, 32, 33, 64, 67, 100] {
                agrees(&kernel, uniform, count, round * 1000 + count, false);
            }
        }
    }
}

fn constant(f: &mut Builder, ty: &Ty, i: usize) -> Value {
    let bits = super::value(ty, i);
    let constant = match ty {
        Ty::Bool => Const::Bool(bits != 0),
        Ty::Int(_) => Const::Int(bits),
        _ => Const::Float(f64::from_bits(bits)),
    };
    f.op(Op::Const(constant), &[], ty.clone())
}

fn random_op(
    f: &mut Builder,
    known: &[(Value, Ty)],
    types: &[Ty],
    pick: &mut impl FnMut(usize) -> usize,
) -> Option<(Value, Ty)> {
    let ty = types[pick(types.len())].clone();
    let mut some = |f: &mut Builder, ty: &Ty| {
        let all: Vec<Value> = known.iter().filter(|known| known.1 == *ty).map(|known| known.0).collect();
        let i = pick(all.len() + 1);
        all.get(i).copied().unwrap_or_else(|| constant(f, ty, i * 17 + known.len()))
    };
    let (x, y, c) = (some(f, &ty), some(f, &ty), some(f, &Ty::Bool));
    let (op, args, result): (Op, Vec<Value>, Ty) = match (&ty, pick(10)) {
        (_, 0) => (Op::Select, vec![c, x, y], ty.clone()),
        (_, 1) => (Op::Cmp(CONDS[pick(6)]), vec![x, y], Ty::Bool),
        (Ty::Bool, 2) => (Op::Not, vec![x], Ty::Bool),
        (Ty::Bool, 3) => (Op::Convert, vec![x], types[pick(types.len() - 1)].clone()),
        (Ty::Bool, k) => ([Op::And, Op::Or, Op::Xor][k % 3].clone(), vec![x, y], Ty::Bool),
        (Ty::Float(_), 2) => (Op::Div(NUMPY), vec![x, y], ty.clone()),
        (Ty::Float(_), 3) => (Op::Sqrt, vec![x], ty.clone()),
        (Ty::Float(_), 4) => (Op::Floor, vec![x], ty.clone()),
        (Ty::Int(_), 2) => (Op::Xor, vec![x, y], ty.clone()),
        (Ty::Int(_), 3) => (Op::Invert, vec![x], ty.clone()),
        (Ty::Int(_), 4) => (Op::FloorDiv(NUMPY), vec![x, y], ty.clone()),
        (_, 5) => (Op::Neg(NUMPY), vec![x], ty.clone()),
        (_, 6) => (Op::Abs(NUMPY), vec![x], ty.clone()),
        (_, 7) => (Op::Mul(NUMPY), vec![x, y], ty.clone()),
        (_, 8) => (Op::Sub(NUMPY), vec![x, y], ty.clone()),
        _ => (Op::Add(NUMPY), vec![x, y], ty.clone()),
    };
    let value = f.op(op, &args, result.clone());
    Some((value, result))
}
