//! The functions of `math` and NumPy's spellings of them.

use super::arith::float_type;
use super::{Emit, Operand, Primitive, index, meet, no_operator, number};
use crate::diag::Diag;
use crate::fault::Fault;
use crate::ir::Literal;
use crate::typed::{Cond, Mode, Op};
use crate::types::{IntTy, Ty};

type Outcome = Result<Operand, Diag>;

/// A function of floats whose helper has the row's name. Its result is a float, or f32 when all operands are; bools and pairs stay.
pub fn floats(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    call_floats(e, p, p.name, args)
}

/// The same, but of doubles: about the last bit of a double, which an f32 has not.
pub fn doubles(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let floats = args.iter().map(|arg| number(e, p, arg)).collect::<Result<Vec<_>, _>>()?;
    Ok(e.helper(p.name, &floats.iter().collect::<Vec<_>>()))
}

fn call_floats(e: &mut Emit, p: &'static Primitive, helper: &str, args: &[Operand]) -> Outcome {
    let ty = float_type(e.mode, args);
    let floats = args.iter().map(|arg| number(e, p, arg)).collect::<Result<Vec<_>, _>>()?;
    let result = e.helper(helper, &floats.iter().collect::<Vec<_>>());
    match result.ty {
        Ty::Float(_) => Ok(e.convert(&result, &ty).unwrap_or(result)),
        _ => Ok(result),
    }
}

/// A function of ints whose helper has the row's name.
pub fn ints(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let ints = args.iter().map(|arg| index(e, arg)).collect::<Result<Vec<_>, _>>()?;
    Ok(e.helper(p.name, &ints.iter().collect::<Vec<_>>()))
}

/// The type of a function of ints whose result is computed in 64 bits: in NumPy that which holds all operands. u64 are not among them:
/// they would be taken for negative numbers.
fn int_type(e: &Emit, p: &'static Primitive, args: &[Operand]) -> Result<Ty, Diag> {
    let [first, rest @ ..] = args else { return Ok(Ty::INT) };
    if e.mode == Mode::Python {
        return Ok(Ty::INT);
    }
    let mut all = first.clone();
    for arg in rest {
        let ty = meet(e.mode, &all, arg).ok_or_else(|| no_operator(e, p, args))?;
        all = Operand::typed(ty).with_weak(all.gives_way() && arg.gives_way());
    }
    match all.ty {
        Ty::Int(int) if int != IntTy::U64 => Ok(all.ty),
        _ => Err(no_operator(e, p, args)),
    }
}

/// `fmod(x, y)`. NumPy has it of ints too: what `%` gives, less the divisor where the sign is not that of x.
pub fn fmod(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let ints = e.mode == Mode::Numpy && args.iter().all(|arg| matches!(arg.ty, Ty::Bool | Ty::Int(_)));
    // Of ints that no type holds, as floats.
    let float = matches!(meet(e.mode, &args[0], &args[1]), Some(Ty::Float(_)));
    if !ints || float || args.iter().all(Operand::gives_way) {
        return floats(e, p, args);
    }
    let rest = super::arith::modulo(e, p, args)?;
    let Ty::Int(int) = rest.ty else { return Ok(rest) };
    let ty = rest.ty.clone();
    let (Some(x), Some(y)) = (e.convert(&args[0], &ty), e.convert(&args[1], &ty)) else {
        return Err(no_operator(e, p, args));
    };
    if !int.signed() {
        return Ok(rest);
    }
    let zero = e.convert(&Operand::int(0), &ty).unwrap_or_else(|| rest.clone());
    let signs = e.op(Op::Xor, &[&x, &y], ty.clone());
    let differ = e.compare(Cond::Lt, &signs, &zero);
    let some = e.compare(Cond::Ne, &rest, &zero);
    let wrong = e.op(Op::And, &[&differ, &some], Ty::Bool);
    let other = e.op(Op::Sub(Mode::Numpy), &[&rest, &y], ty.clone());
    Ok(e.op(Op::Select, &[&wrong, &other, &rest], ty))
}

/// `gcd(*ints)`, from left to right. Only the last step looks whether the result is an int: gcd(-2**63, 0, 3) is 1.
pub fn gcd(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let ty = int_type(e, p, args)?;
    let ints = args.iter().map(|arg| index(e, arg)).collect::<Result<Vec<_>, _>>()?;
    // gcd() is 0; of one number it is its absolute value, which gcd(0, x) is.
    let Some((last, before)) = ints.split_last() else { return Ok(Operand::int(0)) };
    let zero = Operand::int(0);
    let (first, middle) = before.split_first().unwrap_or((&zero, &[]));
    let mut result = first.clone();
    for next in middle {
        result = e.helper("gcd_partial", &[&result, next]);
    }
    result = e.helper("gcd", &[&result, last]);
    Ok(e.convert(&result, &ty).unwrap_or(result))
}

/// `lcm(*ints)`, from left to right. A zero anywhere makes it 0, whatever the others would become.
pub fn lcm(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let ty = int_type(e, p, args)?;
    let mut ints = args.iter().map(|arg| index(e, arg)).collect::<Result<Vec<_>, _>>()?;
    if ints.len() > 2 {
        let zero = Operand::int(0);
        let mut none = Operand::bool(false);
        for int in &ints {
            let is_zero = e.compare(Cond::Eq, int, &zero);
            none = e.op(Op::Or, &[&none, &is_zero], Ty::Bool);
        }
        ints = ints.iter().map(|int| e.op(Op::Select, &[&none, &zero, int], Ty::INT)).collect();
    }
    // lcm() is 1; of one number it is its absolute value, which lcm(1, x) is.
    let Some((first, rest)) = ints.split_first() else { return Ok(Operand::int(1)) };
    let mut result = first.clone();
    if rest.is_empty() {
        result = e.helper(p.name, &[&Operand::int(1), first]);
    }
    for next in rest {
        result = e.helper(p.name, &[&result, next]);
    }
    Ok(e.convert(&result, &ty).unwrap_or(result))
}

/// `sqrt(x)`: the instruction, after the test that `math.sqrt` makes.
pub fn sqrt(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let ty = float_type(e.mode, args);
    let x = number(e, p, &args[0])?;
    if e.mode == Mode::Python {
        let negative = e.compare(Cond::Lt, &x, &Operand::float(0.0));
        e.fail(Fault::MathDomain, &negative);
    }
    let root = e.op(Op::Sqrt, &[&x], Ty::FLOAT);
    Ok(e.convert(&root, &ty).unwrap_or(root))
}

/// `log(x, base=None)`.
pub fn log(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    match args {
        [x, base] if base.ty != Ty::None => call_floats(e, p, "log_base", &[x.clone(), base.clone()]),
        [x, ..] => call_floats(e, p, "log", std::slice::from_ref(x)),
        [] => Err(e.diag("not-a-number", &[&p.name, &"nothing"])),
    }
}

/// `perm(n, k=None)`.
pub fn perm(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    let n = index(e, &args[0])?;
    match args.get(1).filter(|k| k.ty != Ty::None) {
        Some(k) => {
            let k = index(e, k)?;
            Ok(e.helper("perm", &[&n, &k]))
        }
        None => Ok(e.helper("perm1", &[&n])),
    }
}

/// `hypot(*coordinates)` of up to three.
pub fn hypot(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    match args.len() {
        0 => Ok(Operand::float(0.0)),
        1 => fabs(e, p, args),
        2 => call_floats(e, p, "hypot", args),
        3 => call_floats(e, p, "hypot3", args),
        more => Err(e.diag("too-many-coordinates", &[&more])),
    }
}

pub fn fabs(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let ty = float_type(e.mode, args);
    let x = number(e, p, &args[0])?;
    let size = e.op(Op::Abs(e.mode), &[&x], Ty::FLOAT);
    Ok(e.convert(&size, &ty).unwrap_or(size))
}

pub fn copysign(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let ty = float_type(e.mode, args);
    let (x, y) = (number(e, p, &args[0])?, number(e, p, &args[1])?);
    let signed = e.op(Op::CopySign, &[&x, &y], Ty::FLOAT);
    Ok(e.convert(&signed, &ty).unwrap_or(signed))
}

/// `ldexp(x, i)`: a float and an int.
pub fn ldexp(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let (x, i) = (number(e, p, &args[0])?, index(e, &args[1])?);
    Ok(e.helper("ldexp", &[&x, &i]))
}

/// `math.pow`: always of floats, with its own errors.
pub fn math_pow(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let (x, y) = (number(e, p, &args[0])?, number(e, p, &args[1])?);
    let name = if e.mode == Mode::Numpy { "float_pow" } else { "math_pow" };
    Ok(e.helper(name, &[&x, &y]))
}

/// NumPy's `signbit`: whether the sign is set, also that of -0.0 and of a nan.
pub fn signbit(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let x = number(e, p, &args[0])?;
    let one = e.op(Op::CopySign, &[&Operand::float(1.0), &x], Ty::FLOAT);
    Ok(e.compare(Cond::Lt, &one, &Operand::float(0.0)))
}

pub fn isnan(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let x = number(e, p, &args[0])?;
    Ok(e.compare(Cond::Ne, &x, &x))
}

fn against_infinity(e: &mut Emit, p: &'static Primitive, args: &[Operand], cond: Cond) -> Outcome {
    let x = number(e, p, &args[0])?;
    let size = e.op(Op::Abs(e.mode), &[&x], Ty::FLOAT);
    Ok(e.compare(cond, &size, &Operand::float(f64::INFINITY)))
}

pub fn isinf(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    against_infinity(e, p, args, Cond::Eq)
}

/// False for nan too, since nan is not less than anything.
pub fn isfinite(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    against_infinity(e, p, args, Cond::Lt)
}

/// NumPy's `rint`: to the nearest integral float, half to even.
pub fn rint(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let ty = float_type(e.mode, args);
    let x = e.convert(&args[0], &ty).ok_or_else(|| e.diag("not-a-number", &[&p.name, &args[0].ty]))?;
    Ok(e.op(Op::Nearest, &[&x], ty))
}

/// NumPy's `sign`: -1, 0 or 1 in the operand's type; nan for nan.
pub fn sign(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    match args[0].ty {
        Ty::Float(_) => call_floats(e, p, "sign", args),
        Ty::Bool if e.mode == Mode::Numpy && !args[0].gives_way() => Err(no_operator(e, p, args)),
        // NumPy's keeps the type, which holds -1 if it has negative numbers.
        Ty::Int(_) if e.mode == Mode::Numpy => {
            let ty = args[0].ty.clone();
            let zero = e.convert(&Operand::int(0), &ty).unwrap_or_else(|| args[0].clone());
            let positive = e.compare(Cond::Gt, &args[0], &zero);
            let negative = e.compare(Cond::Lt, &args[0], &zero);
            let [up, down] = [positive, negative].map(|truth| e.convert(&truth, &ty).unwrap_or(truth));
            Ok(e.op(Op::Sub(Mode::Numpy), &[&up, &down], ty))
        }
        // No int holds all of these, but -1, 0 and 1 it does.
        Ty::Int(IntTy::U64) => {
            let positive = e.truth(&args[0]).ok_or_else(|| e.diag("not-a-number", &[&p.name, &args[0].ty]))?;
            Ok(e.convert(&positive, &Ty::INT).unwrap_or(positive))
        }
        _ => {
            let n = index(e, &args[0])?;
            Ok(e.helper("int_sign", &[&n]))
        }
    }
}

/// NumPy's `reciprocal` of floats.
pub fn reciprocal(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let one = Operand::literal(Literal::Float(1.0));
    super::arith::truediv(e, p, &[one, args[0].clone()])
}
