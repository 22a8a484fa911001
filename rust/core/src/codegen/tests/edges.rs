//! Every operation, in both modes, on every type it takes, at the edges of its operands; and with constant operands.

use super::*;

fn ints(int: IntTy) -> Vec<u64> {
    let (min, max) = (int.min(), int.max());
    let mut all = vec![min, min + 1, max, max - 1, max / 2, max / 2 + 1, 0, 1, 2, 3, 7, 10, 31, 32, 33, 63, 64, 65];
    all.extend([-1, -2, -3, -7, -10, -64, 1 << 31, 1 << 32, 3037000500, (1 << 53) - 1, 1 << 53, (1 << 53) + 1]);
    all.extend([-(1 << 53) - 1, -(1 << 53), 1 - (1 << 53), (1 << 62) + 1, (1 << 63) - 513, 1 << 63]);
    all.retain(|&value| int.holds(value));
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(|value| int.wrap(value)).collect()
}

fn floats(single: bool) -> Vec<u64> {
    let mut all =
        vec![0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e300, -1e300, f64::MAX, f64::MIN_POSITIVE, 5e-324];
    all.extend([f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 3.7, -3.7, 0.1, 1e16, 9007199254740993.0, -0.999, 255.5]);
    for power in [7, 8, 15, 16, 31, 32, 53, 63, 64] {
        let edge = 2f64.powi(power);
        all.extend([
            edge,
            -edge,
            edge - 1.0,
            -edge - 1.0,
            edge - 0.5,
            -edge - 0.5,
            edge.next_down(),
            (-edge).next_down(),
        ]);
    }
    if single {
        all = all.into_iter().map(|x| x as f32 as f64).collect();
    }
    all.into_iter().map(bits).collect()
}

fn operands(ty: &Ty) -> Vec<u64> {
    match ty {
        Ty::Bool => vec![0, 1],
        Ty::Int(int) => ints(*int),
        Ty::Float(float) => floats(*float == FloatTy::F32),
        other => panic!("no operands of {other}"),
    }
}

fn constant(ty: &Ty, bits: u64) -> Op {
    Op::Const(match ty {
        Ty::Bool => Const::Bool(bits != 0),
        Ty::Int(_) => Const::Int(bits),
        _ => Const::Float(f64::from_bits(bits)),
    })
}

/// A function of one operation.
fn single(op: &Op, types: &[Ty], result: &Ty) -> Module {
    let mut f = function("f", types, result.clone());
    let args: Vec<Value> = (0..types.len()).map(|i| f.param(BlockId(0), i)).collect();
    let value = f.op(op.clone(), &args, result.clone());
    f.ret(value);
    module(vec![f.done()])
}

fn check(op: Op, types: &[Ty], result: Ty) {
    let module = single(&op, types, &result);
    let codes = compiled(&module);
    for args in combinations(types) {
        let _ = agree(&module, &codes, &args);
    }
}

fn combinations(types: &[Ty]) -> Vec<Vec<u64>> {
    types.iter().fold(vec![vec![]], |all, ty| {
        let longer = |args: Vec<u64>| operands(ty).into_iter().map(move |bits| [&args[..], &[bits]].concat());
        all.into_iter().flat_map(longer).collect()
    })
}

/// The same with one operand known to the compiler.
fn check_constants(op: Op, ty: &Ty, other: &Ty, constants: &[u64], position: usize, result: Ty) {
    for &known in constants {
        let mut f = function("f", std::slice::from_ref(ty), result.clone());
        let x = f.param(BlockId(0), 0);
        let c = f.op(constant(other, known), &[], other.clone());
        let args = if position == 1 { [x, c] } else { [c, x] };
        let value = f.op(op.clone(), &args, result.clone());
        f.ret(value);
        let module = module(vec![f.done()]);
        let codes = compiled(&module);
        for bits in operands(ty) {
            let _ = agree(&module, &codes, &[bits]);
        }
    }
}

#[test]
fn integer_arithmetic() {
    for int in IntTy::ALL.map(Ty::Int) {
        for mode in MODES {
            for op in [Op::Add(mode), Op::Sub(mode), Op::Mul(mode), Op::FloorDiv(mode), Op::Mod(mode)] {
                check(op, &[int.clone(), int.clone()], int.clone());
            }
            for op in [Op::Shl(mode), Op::Shr(mode)] {
                check(op, &[int.clone(), Ty::INT], int.clone());
            }
            for op in [Op::Neg(mode), Op::Abs(mode)] {
                check(op, std::slice::from_ref(&int), int.clone());
            }
        }
        for op in [Op::And, Op::Or, Op::Xor] {
            check(op, &[int.clone(), int.clone()], int.clone());
        }
        check(Op::Invert, std::slice::from_ref(&int), int.clone());
    }
    check(Op::NextIndex, &[Ty::INT, Ty::INT], Ty::INT);
}

#[test]
fn integer_constants() {
    for int in [IntTy::I64, IntTy::U64, IntTy::I32, IntTy::U8] {
        let ty = Ty::Int(int);
        let known: Vec<u64> =
            ints(int).into_iter().filter(|&b| int.read(b).abs() < 70 || int.read(b).abs() > 1 << 62).collect();
        for mode in MODES {
            for op in [Op::Add(mode), Op::Sub(mode), Op::Mul(mode), Op::FloorDiv(mode), Op::Mod(mode)] {
                check_constants(op.clone(), &ty, &ty, &known, 1, ty.clone());
                check_constants(op, &ty, &ty, &known[..4], 0, ty.clone());
            }
            let counts = [0, 1, 7, 31, 32, 63, 64, 65, -1i64 as u64];
            for op in [Op::Shl(mode), Op::Shr(mode)] {
                check_constants(op, &ty, &Ty::INT, &counts, 1, ty.clone());
            }
        }
    }
}

#[test]
fn float_arithmetic() {
    for float in [Ty::FLOAT, F32] {
        let pair = [float.clone(), float.clone()];
        for mode in MODES {
            for op in [Op::Add(mode), Op::Sub(mode), Op::Mul(mode), Op::Div(mode)] {
                check(op, &pair, float.clone());
            }
            for op in [Op::Neg(mode), Op::Abs(mode)] {
                check(op, std::slice::from_ref(&float), float.clone());
            }
            let known = [0.0, -0.0, 2.0, f64::NAN].map(bits);
            check_constants(Op::Div(mode), &float, &float, &known, 1, float.clone());
        }
        for op in [Op::Sqrt, Op::Floor, Op::Ceil, Op::Trunc, Op::Nearest] {
            check(op, std::slice::from_ref(&float), float.clone());
        }
    }
    check(Op::CopySign, &[Ty::FLOAT, Ty::FLOAT], Ty::FLOAT);
}

#[test]
fn comparisons_and_truth() {
    let conds = [Cond::Lt, Cond::Le, Cond::Gt, Cond::Ge, Cond::Eq, Cond::Ne];
    let mut types = vec![Ty::Bool, Ty::FLOAT, F32];
    types.extend(IntTy::ALL.map(Ty::Int));
    for cond in conds {
        for ty in &types {
            check(Op::Cmp(cond), &[ty.clone(), ty.clone()], Ty::Bool);
        }
        for int in [IntTy::I64, IntTy::U64] {
            check(Op::CmpIntFloat(cond), &[Ty::Int(int), Ty::FLOAT], Ty::Bool);
        }
    }
    for op in [Op::And, Op::Or, Op::Xor] {
        check(op, &[Ty::Bool, Ty::Bool], Ty::Bool);
    }
    check(Op::Not, &[Ty::Bool], Ty::Bool);
    check(Op::Select, &[Ty::Bool, Ty::INT, Ty::INT], Ty::INT);
}

#[test]
fn conversions() {
    for int in IntTy::ALL {
        let ty = Ty::Int(int);
        for to in [ty.clone(), Ty::FLOAT, F32] {
            check(Op::Convert, &[Ty::Bool], to.clone());
            check(Op::Convert, std::slice::from_ref(&ty), to);
        }
        for other in IntTy::ALL {
            if other.min() <= int.min() && int.max() <= other.max() {
                check(Op::Convert, std::slice::from_ref(&ty), Ty::Int(other));
            }
            for mode in MODES {
                check(Op::Narrow(mode), std::slice::from_ref(&ty), Ty::Int(other));
            }
        }
        for mode in MODES {
            check(Op::ToInt(mode), &[Ty::FLOAT], ty.clone());
        }
    }
    for (from, to) in [(Ty::FLOAT, F32), (F32, Ty::FLOAT), (F32, F32), (Ty::FLOAT, Ty::FLOAT)] {
        check(Op::Convert, &[from], to);
    }
}

#[test]
fn true_division_of_ints() {
    for mode in MODES {
        for int in [IntTy::I64, IntTy::U64] {
            check(Op::IntDiv(mode), &[Ty::Int(int), Ty::Int(int)], Ty::FLOAT);
            let known = [0, 1, 3, (1 << 53) + 1].map(|c| int.wrap(c));
            check_constants(Op::IntDiv(mode), &Ty::Int(int), &Ty::Int(int), &known, 1, Ty::FLOAT);
        }
    }
}

#[test]
fn every_helper() {
    for helper in runtime::HELPERS {
        let scalar = |kind: &Kind| match kind {
            Kind::Int => Ty::INT,
            Kind::Float => Ty::FLOAT,
            Kind::Bool => Ty::Bool,
        };
        let params: Vec<Ty> = helper.params.iter().map(scalar).collect();
        let result = match helper.results {
            [one] => scalar(one),
            several => Ty::Tuple(several.iter().map(scalar).collect()),
        };
        let libm = matches!(helper.body, Body::Libm1 { .. });
        for mode in if libm { &MODES[..] } else { &MODES[..1] } {
            let module = single(&Op::Helper(HelperRef(helper), *mode), &params, &result);
            let codes = compiled(&module);
            // Not all combinations, of which there are millions: walk through each list at a pace of its own.
            for i in 0..400 {
                let pick = |(k, ty)| {
                    let all = operands(ty);
                    all[(i * [1, 7, 11, 13, 17][k] + i / all.len()) % all.len()]
                };
                let args: Vec<u64> = params.iter().enumerate().map(pick).collect();
                let _ = agree(&module, &codes, &args);
            }
        }
    }
}
