//! Edges of every operation, and agreement with the runtime, which was written apart.

use super::*;
use crate::runtime::helper;

const P: Mode = Mode::Python;
const N: Mode = Mode::Numpy;
const F32: Ty = Ty::Float(FloatTy::F32);
const I8: Ty = Ty::Int(IntTy::I8);
const U8: Ty = Ty::Int(IntTy::U8);
const U64: Ty = Ty::Int(IntTy::U64);
const MIN: u64 = i64::MIN as u64;
const MAX: u64 = i64::MAX as u64;

/// An operation whose operands and result are of one type.
fn on(ty: &Ty, op: Op, args: &[u64]) -> Result<u64, Fault> {
    to(ty, ty, op, args)
}

fn to(result: &Ty, ty: &Ty, op: Op, args: &[u64]) -> Result<u64, Fault> {
    match eval(&op, &vec![ty; args.len()], result, args) {
        Ok(slots) => Ok(slots[0]),
        Err(Cause::Fault(fault)) => Err(fault),
        Err(other) => panic!("{other:?}"),
    }
}

fn f(x: f64) -> u64 {
    x.to_bits()
}

fn i(x: i64) -> u64 {
    x as u64
}

#[test]
fn ints_overflow_in_python_and_wrap_in_numpy() {
    let int = &Ty::INT;
    assert_eq!(on(int, Op::Add(P), &[MAX, 1]), Err(Fault::IntOverflow));
    assert_eq!(on(int, Op::Add(N), &[MAX, 1]), Ok(MIN));
    assert_eq!(on(int, Op::Sub(P), &[MIN, 1]), Err(Fault::IntOverflow));
    assert_eq!(on(int, Op::Mul(P), &[MIN, i(-1)]), Err(Fault::IntOverflow));
    assert_eq!(on(int, Op::Mul(N), &[MIN, i(-1)]), Ok(MIN));
    assert_eq!(on(int, Op::Neg(P), &[MIN]), Err(Fault::IntOverflow));
    assert_eq!(on(int, Op::Abs(N), &[MIN]), Ok(MIN));
    assert_eq!(on(&I8, Op::Add(P), &[127, 1]), Err(Fault::SizedIntOverflow));
    assert_eq!(on(&I8, Op::Add(N), &[127, 1]), Ok(i(-128)));
    assert_eq!(on(&U8, Op::Sub(N), &[0, 1]), Ok(255));
    assert_eq!(on(&U8, Op::Neg(P), &[1]), Err(Fault::SizedIntOverflow));
    assert_eq!(on(&U8, Op::Neg(P), &[0]), Ok(0));
    assert_eq!(on(&U64, Op::Mul(P), &[u64::MAX, u64::MAX]), Err(Fault::IntOverflow));
    assert_eq!(on(&U64, Op::Mul(N), &[u64::MAX, u64::MAX]), Ok(1));
    assert_eq!(on(&U64, Op::Abs(P), &[u64::MAX]), Ok(u64::MAX));
    assert_eq!(on(int, Op::NextIndex, &[MAX, 1]), Ok(MIN));
}

#[test]
fn division_floors() {
    let int = &Ty::INT;
    for (x, y, floor, rest) in
        [(7, 2, 3, 1), (-7, 2, -4, 1), (7, -2, -4, -1), (-7, -2, 3, -1), (6, -3, -2, 0), (-6, 3, -2, 0)]
    {
        assert_eq!(on(int, Op::FloorDiv(P), &[i(x), i(y)]), Ok(i(floor)), "{x} // {y}");
        assert_eq!(on(int, Op::Mod(P), &[i(x), i(y)]), Ok(i(rest)), "{x} % {y}");
    }
    assert_eq!(on(int, Op::FloorDiv(P), &[1, 0]), Err(Fault::IntFloorDivisionByZero));
    assert_eq!(on(int, Op::FloorDiv(N), &[1, 0]), Ok(0));
    assert_eq!(on(int, Op::FloorDiv(P), &[MIN, i(-1)]), Err(Fault::IntOverflow));
    assert_eq!(on(int, Op::FloorDiv(N), &[MIN, i(-1)]), Ok(MIN));
    assert_eq!(on(int, Op::Mod(P), &[MIN, i(-1)]), Ok(0));
    assert_eq!(on(int, Op::Mod(P), &[1, 0]), Err(Fault::IntModuloByZero));
    assert_eq!(on(int, Op::Mod(N), &[1, 0]), Ok(0));
    assert_eq!(on(&Ty::FLOAT, Op::Div(P), &[f(1.0), f(-0.0)]), Err(Fault::FloatDivisionByZero));
    assert_eq!(on(&Ty::FLOAT, Op::Div(N), &[f(1.0), f(-0.0)]), Ok(f(f64::NEG_INFINITY)));
    let truediv = |mode, x, y| to(&Ty::FLOAT, int, Op::IntDiv(mode), &[i(x), i(y)]);
    assert_eq!(truediv(P, 1, 0), Err(Fault::DivisionByZero));
    assert_eq!(truediv(N, -1, 0), Ok(f(f64::NEG_INFINITY)));
    assert_eq!(truediv(P, 0, -2), Ok(f(-0.0)));
    // Both operands rounded to floats first, this would end in 57.
    assert_eq!(truediv(P, 3373974047132314844, 24237296522948907), Ok(f(139.2058740519056)));
}

#[test]
fn shifts() {
    let int = &Ty::INT;
    assert_eq!(on(int, Op::Shl(P), &[1, 62]), Ok(1 << 62));
    assert_eq!(on(int, Op::Shl(P), &[1, 63]), Err(Fault::IntOverflow));
    assert_eq!(on(int, Op::Shl(P), &[i(-1), 63]), Ok(MIN));
    assert_eq!(on(int, Op::Shl(P), &[0, MAX]), Ok(0));
    assert_eq!(on(int, Op::Shl(P), &[1, MAX]), Err(Fault::IntOverflow));
    assert_eq!(on(int, Op::Shl(P), &[0, i(-1)]), Err(Fault::NegativeShift));
    assert_eq!(on(int, Op::Shl(N), &[1, 64]), Ok(0));
    assert_eq!(on(int, Op::Shl(N), &[1, i(-1)]), Ok(0));
    assert_eq!(on(&U8, Op::Shl(N), &[255, 4]), Ok(240));
    assert_eq!(on(&U8, Op::Shl(N), &[255, 8]), Ok(0));
    assert_eq!(on(int, Op::Shr(P), &[i(-5), 1]), Ok(i(-3)));
    assert_eq!(on(int, Op::Shr(P), &[i(-5), MAX]), Ok(i(-1)));
    assert_eq!(on(int, Op::Shr(P), &[5, i(-1)]), Err(Fault::NegativeShift));
    assert_eq!(on(int, Op::Shr(N), &[i(-5), i(-1)]), Ok(i(-1)));
    assert_eq!(on(&U64, Op::Shr(N), &[u64::MAX, 64]), Ok(0));
    assert_eq!(on(&U64, Op::Shr(P), &[u64::MAX, 63]), Ok(1));
}

#[test]
fn bits_and_bools() {
    assert_eq!(on(&U8, Op::Invert, &[1]), Ok(254));
    assert_eq!(on(&I8, Op::Invert, &[1]), Ok(i(-2)));
    assert_eq!(on(&Ty::Bool, Op::Xor, &[1, 1]), Ok(0));
    assert_eq!(on(&Ty::Bool, Op::Not, &[0]), Ok(1));
    assert_eq!(on(&Ty::INT, Op::And, &[i(-2), 7]), Ok(6));
    assert_eq!(on(&Ty::INT, Op::Or, &[i(-8), 7]), Ok(i(-1)));
}

#[test]
fn floats_keep_signs_and_round_once() {
    let float = &Ty::FLOAT;
    assert_eq!(on(float, Op::Add(P), &[f(-0.0), f(0.0)]), Ok(f(0.0)));
    assert_eq!(on(float, Op::Mul(P), &[f(1e308), f(10.0)]), Ok(f(f64::INFINITY)));
    assert_eq!(on(float, Op::Neg(P), &[f(0.0)]), Ok(f(-0.0)));
    assert_eq!(on(float, Op::Abs(P), &[f(-0.0)]), Ok(f(0.0)));
    assert_eq!(on(float, Op::Nearest, &[f(2.5)]), Ok(f(2.0)));
    assert_eq!(on(float, Op::Nearest, &[f(-0.5)]), Ok(f(-0.0)));
    assert_eq!(on(float, Op::Floor, &[f(-0.5)]), Ok(f(-1.0)));
    assert_eq!(on(float, Op::Ceil, &[f(-0.5)]), Ok(f(-0.0)));
    assert_eq!(on(float, Op::Trunc, &[f(-1.5)]), Ok(f(-1.0)));
    assert_eq!(on(float, Op::Sqrt, &[f(2.0)]), Ok(f(2f64.sqrt())));
    assert!(on(float, Op::Sqrt, &[f(-1.0)]).is_ok_and(|bits| f64::from_bits(bits).is_nan()));
    assert_eq!(on(float, Op::CopySign, &[f(3.0), f(-0.0)]), Ok(f(-3.0)));
    assert_eq!(on(&F32, Op::Add(P), &[f(16777216.0), f(1.0)]), Ok(f(16777216.0)));
    assert_eq!(on(&F32, Op::Div(P), &[f(1.0), f(3.0)]), Ok(f((1f32 / 3f32) as f64)));
    assert_eq!(on(&F32, Op::Mul(P), &[f(1e38f32 as f64), f(10.0)]), Ok(f(f64::INFINITY)));
    assert_eq!(on(&F32, Op::Sqrt, &[f(2.0)]), Ok(f(2f32.sqrt() as f64)));
}

#[test]
fn comparisons() {
    let all = [Cond::Lt, Cond::Le, Cond::Gt, Cond::Ge, Cond::Eq, Cond::Ne];
    let truths = |ty: &Ty, x, y| all.map(|cond| to(&Ty::Bool, ty, Op::Cmp(cond), &[x, y]) == Ok(1));
    let less = [true, true, false, false, false, true];
    let equal = [false, true, false, true, true, false];
    let greater = [false, false, true, true, false, true];
    let unordered = [false, false, false, false, false, true];
    assert_eq!(truths(&Ty::INT, i(-1), 0), less);
    assert_eq!(truths(&U64, i(-1), 0), greater);
    assert_eq!(truths(&Ty::Bool, 0, 1), less);
    assert_eq!(truths(&Ty::FLOAT, f(-0.0), f(0.0)), equal);
    assert_eq!(truths(&Ty::FLOAT, f(f64::NAN), f(f64::NAN)), unordered);
    assert_eq!(truths(&F32, f(1.0), f(2.0)), less);
    let mixed = |int: &Ty, x, y| {
        all.map(|cond| {
            eval(&Op::CmpIntFloat(cond), &[int, &Ty::FLOAT], &Ty::Bool, &[x, f(y)]).is_ok_and(|bits| bits[0] == 1)
        })
    };
    assert_eq!(mixed(&Ty::INT, MAX, 2f64.powi(63)), less);
    assert_eq!(mixed(&Ty::INT, MIN, -(2f64.powi(63))), equal);
    assert_eq!(mixed(&Ty::INT, i((1 << 53) + 1), 2f64.powi(53)), greater);
    assert_eq!(mixed(&Ty::INT, i(-3), -2.5), less);
    assert_eq!(mixed(&Ty::INT, i(-2), -2.5), greater);
    assert_eq!(mixed(&Ty::INT, 0, -0.0), equal);
    assert_eq!(mixed(&Ty::INT, 0, 5e-324), less);
    assert_eq!(mixed(&Ty::INT, 0, -5e-324), greater);
    assert_eq!(mixed(&Ty::INT, MAX, f64::INFINITY), less);
    assert_eq!(mixed(&Ty::INT, MIN, f64::NEG_INFINITY), greater);
    assert_eq!(mixed(&Ty::INT, 0, f64::NAN), unordered);
    assert_eq!(mixed(&U64, u64::MAX, 2f64.powi(64)), less);
}

#[test]
fn conversions() {
    assert_eq!(to(&Ty::FLOAT, &Ty::INT, Op::Convert, &[i((1 << 53) + 1)]), Ok(f(2f64.powi(53))));
    assert_eq!(to(&Ty::FLOAT, &U64, Op::Convert, &[u64::MAX]), Ok(f(2f64.powi(64))));
    // Through f64 this would round to 2**24 · 2**30 instead of the neighbour above.
    let tie = (1i64 << 54) + (1 << 30) + 1;
    assert_eq!(to(&F32, &Ty::INT, Op::Convert, &[i(tie)]), Ok(f((tie as f32) as f64)));
    assert_eq!(to(&F32, &Ty::FLOAT, Op::Convert, &[f(0.1)]), Ok(f(0.1f32 as f64)));
    assert_eq!(to(&Ty::INT, &Ty::Bool, Op::Convert, &[1]), Ok(1));
    assert_eq!(to(&I8, &Ty::INT, Op::Narrow(P), &[128]), Err(Fault::SizedIntOverflow));
    assert_eq!(to(&I8, &Ty::INT, Op::Narrow(N), &[128]), Ok(i(-128)));
    assert_eq!(to(&Ty::INT, &U64, Op::Narrow(P), &[1 << 63]), Err(Fault::SizedIntOverflow));
    let int = |mode, ty: &Ty, x| to(ty, &Ty::FLOAT, Op::ToInt(mode), &[f(x)]);
    assert_eq!(int(P, &Ty::INT, -1.9), Ok(i(-1)));
    assert_eq!(int(P, &Ty::INT, f64::NAN), Err(Fault::NanToInt));
    assert_eq!(int(P, &Ty::INT, f64::INFINITY), Err(Fault::InfinityToInt));
    assert_eq!(int(P, &Ty::INT, 2f64.powi(63)), Err(Fault::IntOverflow));
    assert_eq!(int(P, &Ty::INT, -(2f64.powi(63))), Ok(MIN));
    assert_eq!(int(P, &U64, -0.9), Ok(0));
    assert_eq!(int(P, &U64, -1.0), Err(Fault::UnsignedOverflow));
    assert_eq!(int(P, &U8, 256.0), Err(Fault::SizedIntOverflow));
    assert_eq!(int(P, &U8, 255.9), Ok(255));
    for x in [f64::NAN, f64::INFINITY, 1e300, -1e300] {
        assert_eq!(int(N, &Ty::INT, x), Ok(MIN));
        assert_eq!(int(N, &I8, x), Ok(i(-128)));
        assert_eq!(int(N, &U64, x), Ok(0));
    }
}

#[test]
fn checks_selects_and_tuples() {
    assert_eq!(eval(&Op::Fail(Fault::MathDomain), &[&Ty::Bool], &Ty::None, &[1]), Err(Cause::Fault(Fault::MathDomain)));
    assert_eq!(eval(&Op::Fail(Fault::MathDomain), &[&Ty::Bool], &Ty::None, &[0]), Ok(Slots::new()));
    let bound = Op::RequireBound("x".into());
    assert_eq!(eval(&bound, &[&Ty::Bool], &Ty::None, &[0]), Err(Cause::Unbound("x".into())));
    assert_eq!(eval(&bound, &[&Ty::Bool], &Ty::None, &[1]), Ok(Slots::new()));

    let pair = Ty::Tuple([Ty::INT, Ty::Bool].into());
    let nested = Ty::Tuple([Ty::None, pair.clone(), Ty::FLOAT].into());
    let slots = [3, 1, f(2.5)];
    assert_eq!(eval(&Op::Tuple, &[&Ty::None, &pair, &Ty::FLOAT], &nested, &slots).unwrap().as_slice(), slots);
    for (k, ty, want) in [(0, &Ty::None, &slots[..0]), (1, &pair, &slots[..2]), (2, &Ty::FLOAT, &slots[2..])] {
        assert_eq!(eval(&Op::Item(k), &[&nested], ty, &slots).unwrap().as_slice(), want);
    }
    let choose = |c| eval(&Op::Select, &[&Ty::Bool, &pair, &pair], &pair, &[c, 1, 0, 2, 1]).unwrap().to_vec();
    assert_eq!((choose(1), choose(0)), (vec![1, 0], vec![2, 1]));
    assert_eq!(eval(&Op::Const(Const::None), &[], &Ty::None, &[]), Ok(Slots::new()));
}

#[test]
#[cfg(not(miri))]
fn helpers_check_in_python_and_not_in_numpy() {
    let exp = |mode, x| on(&Ty::FLOAT, Op::Helper(crate::typed::HelperRef(helper("exp").unwrap()), mode), &[f(x)]);
    assert_eq!(exp(P, 0.0), Ok(f(1.0)));
    assert_eq!(exp(P, 1000.0), Err(Fault::MathRange));
    assert_eq!(exp(N, 1000.0), Ok(f(f64::INFINITY)));
}

/// The runtime has its own implementations of these: two authors, one answer.
#[test]
fn agrees_with_the_runtime() {
    let mut state = 1u64;
    let edges = [
        0,
        1,
        2,
        i(-1),
        i(-2),
        3,
        MIN,
        MIN + 1,
        MAX,
        MAX - 1,
        1 << 53,
        (1 << 53) + 1,
        62,
        63,
        64,
        65,
        f(0.5),
        f(1e300),
    ];
    let mut random = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let bits = state.rotate_left(23) ^ state;
        match state >> 62 {
            0 => edges[bits as usize % edges.len()],
            1 => bits >> (bits & 63),
            2 => ((bits as i64) >> (bits & 63)) as u64,
            _ => bits,
        }
    };
    let rows: [(&str, Op, Ty, Ty, Ty); 18] = [
        ("int_truediv", Op::IntDiv(P), Ty::INT, Ty::INT, Ty::FLOAT),
        ("uint_truediv", Op::IntDiv(P), U64, U64, Ty::FLOAT),
        ("int_floordiv", Op::FloorDiv(P), Ty::INT, Ty::INT, Ty::INT),
        ("int_mod", Op::Mod(P), Ty::INT, Ty::INT, Ty::INT),
        ("uint_floordiv", Op::FloorDiv(P), U64, U64, U64),
        ("uint_mod", Op::Mod(P), U64, U64, U64),
        ("int_lshift", Op::Shl(P), Ty::INT, Ty::INT, Ty::INT),
        ("int_rshift", Op::Shr(P), Ty::INT, Ty::INT, Ty::INT),
        ("np_int_floordiv", Op::FloorDiv(N), Ty::INT, Ty::INT, Ty::INT),
        ("np_int_mod", Op::Mod(N), Ty::INT, Ty::INT, Ty::INT),
        ("np_uint_floordiv", Op::FloorDiv(N), U64, U64, U64),
        ("np_uint_mod", Op::Mod(N), U64, U64, U64),
        ("np_int_lshift", Op::Shl(N), Ty::INT, Ty::INT, Ty::INT),
        ("np_int_rshift", Op::Shr(N), Ty::INT, Ty::INT, Ty::INT),
        ("float_truediv", Op::Div(P), Ty::FLOAT, Ty::FLOAT, Ty::FLOAT),
        ("float_to_int", Op::ToInt(P), Ty::FLOAT, Ty::FLOAT, Ty::INT),
        ("float_to_uint", Op::ToInt(P), Ty::FLOAT, Ty::FLOAT, U64),
        ("np_float_to_int", Op::ToInt(N), Ty::FLOAT, Ty::FLOAT, Ty::INT),
    ];
    for (name, op, a, b, result) in rows {
        let helper = helper(name).unwrap();
        for _ in 0..if cfg!(miri) { 20 } else { 20_000 } {
            let args = &[random(), random()][..helper.params.len()];
            let mut out = [0];
            let theirs = helper.eval(args, &mut out).map(|()| out[0]).map_err(Cause::Fault);
            let ours = eval(&op, &[&a, &b][..args.len()], &result, args).map(|slots| slots[0]);
            let both_nan = |bits: u64| result == Ty::FLOAT && f64::from_bits(bits).is_nan();
            match (&ours, &theirs) {
                (Ok(x), Ok(y)) if both_nan(*x) && both_nan(*y) => {}
                _ => assert_eq!(ours, theirs, "{name} {args:?}"),
            }
        }
    }
}
