//! Arithmetic and bitwise operators.

use super::{Emit, Operand, Primitive, bool_as_int, index, meet, no_operator};
use crate::diag::Diag;
use crate::ir::Literal;
use crate::typed::{Mode, Op};
use crate::types::{FloatTy, IntTy, Ty};

type Outcome = Result<Operand, Diag>;

/// Whether these are bools of NumPy's, which it does not count with.
fn are_numpys_bools(e: &Emit, args: &[Operand]) -> bool {
    e.mode == Mode::Numpy && args.iter().all(|arg| arg.ty == Ty::Bool) && !args.iter().all(Operand::gives_way)
}

/// Both operands in the type in which they meet; bools meet as ints, NumPy's as ints of 8 bits.
fn same(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Result<(Operand, Operand, Ty), Diag> {
    let ty = meet(e.mode, &args[0], &args[1]).ok_or_else(|| no_operator(e, p, args))?;
    let count = if are_numpys_bools(e, args) { Ty::Int(IntTy::I8) } else { Ty::INT };
    let ty = if ty == Ty::Bool { count } else { ty };
    match (e.convert(&args[0], &ty), e.convert(&args[1], &ty)) {
        (Some(a), Some(b)) => Ok((a, b, ty)),
        _ => Err(no_operator(e, p, args)),
    }
}

/// In NumPy the sum of bools says whether one is true, and their product whether both are.
pub fn add(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    if are_numpys_bools(e, args) {
        return or(e, p, args);
    }
    let (a, b, ty) = same(e, p, args)?;
    Ok(e.op(Op::Add(e.mode), &[&a, &b], ty))
}

pub fn sub(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    if are_numpys_bools(e, args) {
        return Err(no_operator(e, p, args));
    }
    let (a, b, ty) = same(e, p, args)?;
    Ok(e.op(Op::Sub(e.mode), &[&a, &b], ty))
}

pub fn mul(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    if are_numpys_bools(e, args) {
        return and(e, p, args);
    }
    let (a, b, ty) = same(e, p, args)?;
    Ok(e.op(Op::Mul(e.mode), &[&a, &b], ty))
}

pub fn truediv(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let (a, b, ty) = same(e, p, args)?;
    match (&ty, e.mode) {
        (Ty::Float(_), mode) => Ok(e.op(Op::Div(mode), &[&a, &b], ty)),
        // NumPy divides the doubles; Python rounds the quotient once.
        (_, Mode::Numpy) => {
            let (a, b) = (super::number(e, p, &a)?, super::number(e, p, &b)?);
            Ok(e.op(Op::Div(Mode::Numpy), &[&a, &b], Ty::FLOAT))
        }
        (_, Mode::Python) => {
            let wide = Ty::Int(if ty == Ty::Int(IntTy::U64) { IntTy::U64 } else { IntTy::I64 });
            let (a, b) = (e.convert(&a, &wide), e.convert(&b, &wide));
            let (Some(a), Some(b)) = (a, b) else { return Err(no_operator(e, p, args)) };
            Ok(e.op(Op::IntDiv(Mode::Python), &[&a, &b], Ty::FLOAT))
        }
    }
}

/// A helper on doubles whose result is rounded to the type of its operands.
fn float_helper(e: &mut Emit, name: &str, a: &Operand, b: &Operand, ty: &Ty) -> Operand {
    let (Some(a), Some(b)) = (e.convert(a, &Ty::FLOAT), e.convert(b, &Ty::FLOAT)) else { return a.clone() };
    let result = e.helper(name, &[&a, &b]);
    e.convert(&result, ty).unwrap_or(result)
}

pub fn floordiv(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let (a, b, ty) = same(e, p, args)?;
    match ty {
        Ty::Float(_) => Ok(float_helper(e, "float_floordiv", &a, &b, &ty)),
        _ => Ok(e.op(Op::FloorDiv(e.mode), &[&a, &b], ty)),
    }
}

pub fn modulo(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let (a, b, ty) = same(e, p, args)?;
    match ty {
        Ty::Float(_) => Ok(float_helper(e, "float_mod", &a, &b, &ty)),
        _ => Ok(e.op(Op::Mod(e.mode), &[&a, &b], ty)),
    }
}

/// `divmod(a, b)`: the pair of `//` and `%`.
pub fn divmod(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let (a, b, ty) = same(e, p, args)?;
    if let Ty::Float(_) = ty {
        let (Some(x), Some(y)) = (e.convert(&a, &Ty::FLOAT), e.convert(&b, &Ty::FLOAT)) else {
            return Err(no_operator(e, p, args));
        };
        let pair = e.helper("float_divmod", &[&x, &y]);
        let both = Ty::Tuple([ty.clone(), ty].into());
        return Ok(e.convert(&pair, &both).unwrap_or(pair));
    }
    let quotient = e.op(Op::FloorDiv(e.mode), &[&a, &b], ty.clone());
    let rest = e.op(Op::Mod(e.mode), &[&a, &b], ty);
    Ok(e.tuple(&[quotient, rest]))
}

/// `a ** b`. An int to a literal negative power is a float, as in Python; to a power of unknown sign an int. A float to the power of 0.5
/// is its root in NumPy's arithmetic, which `pow` is not for -0.0 and -inf.
pub fn power(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let negative = args[1].literal_int().is_some_and(|exponent| exponent < 0);
    if negative && matches!(args[0].ty, Ty::Int(_) | Ty::Bool) && args[1].ty == Ty::INT {
        let (base, exponent) = (super::number(e, p, &args[0])?, super::number(e, p, &args[1])?);
        return Ok(e.helper("float_pow", &[&base, &exponent]));
    }
    if let (Mode::Numpy, Ty::Float(_), Some(Literal::Float(0.5))) = (e.mode, &args[0].ty, &args[1].literal) {
        return super::math::sqrt(e, p, &args[..1]);
    }
    let (a, b, ty) = same(e, p, args)?;
    match ty {
        Ty::Float(_) => Ok(float_helper(e, "float_pow", &a, &b, &ty)),
        Ty::Int(int) => {
            let (name, wide) = if int == IntTy::U64 { ("uint_pow", ty.clone()) } else { ("int_pow", Ty::INT) };
            let (Some(a), Some(b)) = (e.convert(&a, &wide), e.convert(&b, &wide)) else {
                return Err(no_operator(e, p, args));
            };
            let result = e.helper(name, &[&a, &b]);
            Ok(e.convert(&result, &ty).unwrap_or(result))
        }
        _ => Err(no_operator(e, p, args)),
    }
}

/// `pow(base, exp, mod=None)`.
pub fn pow(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    match args {
        [_, _] => power(e, p, args),
        [_, _, modulus] if modulus.ty == Ty::None => power(e, p, &args[..2]),
        [base, exponent, modulus] => {
            let (base, exponent, modulus) = (index(e, base)?, index(e, exponent)?, index(e, modulus)?);
            Ok(e.helper("int_powmod", &[&base, &exponent, &modulus]))
        }
        _ => Err(no_operator(e, p, args)),
    }
}

fn bitwise(e: &mut Emit, p: &'static Primitive, args: &[Operand], op: Op) -> Outcome {
    let ty = meet(e.mode, &args[0], &args[1]).filter(|ty| matches!(ty, Ty::Int(_) | Ty::Bool));
    let ty = ty.ok_or_else(|| no_operator(e, p, args))?;
    match (e.convert(&args[0], &ty), e.convert(&args[1], &ty)) {
        (Some(a), Some(b)) => Ok(e.op(op, &[&a, &b], ty)),
        _ => Err(no_operator(e, p, args)),
    }
}

pub fn and(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    bitwise(e, p, args, Op::And)
}

pub fn or(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    bitwise(e, p, args, Op::Or)
}

pub fn xor(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    bitwise(e, p, args, Op::Xor)
}

/// The shifted operand keeps its type; the count is any int. In NumPy it has a say in the type too.
fn shift(e: &mut Emit, p: &'static Primitive, args: &[Operand], op: Op) -> Outcome {
    if e.mode == Mode::Numpy {
        let (a, count, ty) = same(e, p, args)?;
        if !matches!(ty, Ty::Int(_)) {
            return Err(no_operator(e, p, args));
        }
        let count = index(e, &count)?;
        return Ok(e.op(op, &[&a, &count], ty));
    }
    let (a, count) = (bool_as_int(e, &args[0]), bool_as_int(e, &args[1]));
    let (Ty::Int(_), Ty::Int(_)) = (&a.ty, &count.ty) else { return Err(no_operator(e, p, args)) };
    let count = index(e, &count)?;
    let ty = a.ty.clone();
    Ok(e.op(op, &[&a, &count], ty))
}

pub fn lshift(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    shift(e, p, args, Op::Shl(e.mode))
}

pub fn rshift(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    shift(e, p, args, Op::Shr(e.mode))
}

/// One int or float operand; a bool counts as int.
fn unary(e: &mut Emit, p: &'static Primitive, args: &[Operand], op: Op, floats: bool) -> Outcome {
    let a = bool_as_int(e, &args[0]);
    match &a.ty {
        Ty::Int(_) => {}
        Ty::Float(_) if floats => {}
        _ => return Err(no_operator(e, p, args)),
    }
    let ty = a.ty.clone();
    Ok(e.op(op, &[&a], ty))
}

pub fn neg(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    match args[0].literal {
        Some(Literal::Float(value)) if args[0].ty == Ty::FLOAT => Ok(Operand::float(-value)),
        _ if are_numpys_bools(e, args) => Err(no_operator(e, p, args)),
        _ => unary(e, p, args, Op::Neg(e.mode), true),
    }
}

pub fn invert(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    if are_numpys_bools(e, args) {
        return Ok(e.op(Op::Not, &[&args[0]], Ty::Bool));
    }
    unary(e, p, args, Op::Invert, false)
}

pub fn abs(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    if are_numpys_bools(e, args) {
        return Ok(args[0].clone());
    }
    unary(e, p, args, Op::Abs(e.mode), true)
}

/// `+a`: an int for a bool, else the operand itself.
pub fn pos(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    match args[0].ty {
        _ if are_numpys_bools(e, args) => Err(no_operator(e, p, args)),
        Ty::Int(_) | Ty::Float(_) | Ty::Bool => Ok(bool_as_int(e, &args[0])),
        _ => Err(no_operator(e, p, args)),
    }
}

/// `a * a`, rounded once: NumPy's square.
pub fn square(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    mul(e, p, &[args[0].clone(), args[0].clone()])
}

/// The loop counter's addition, which cannot overflow.
pub fn next_index(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    // Ints, as lowering writes it; but bytes that cross may say anything.
    let (counter, step) = (index(e, &args[0])?, index(e, &args[1])?);
    Ok(e.op(Op::NextIndex, &[&counter, &step], Ty::INT))
}

pub fn as_index(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    index(e, &args[0])
}

/// How often a loop turns. Up to 2⁶⁴ - 1, and so an int whose bits count: it goes down by ones to 0.
pub fn range_count(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    let (start, stop, step) = (index(e, &args[0])?, index(e, &args[1])?, index(e, &args[2])?);
    Ok(e.helper("range_count", &[&start, &stop, &step]))
}

/// The type of a function of floats: f32 stays f32, everything else is float. NumPy takes the least that holds all that do not give
/// way, but where that is a half it is float here.
pub fn float_type(mode: Mode, args: &[Operand]) -> Ty {
    let f32 = Ty::Float(FloatTy::F32);
    if mode == Mode::Numpy {
        let strong = || args.iter().filter(|arg| !arg.gives_way()).map(|arg| &arg.ty);
        let floats = strong().any(|ty| matches!(ty, Ty::Float(_)));
        // A float of Python's asks for floats of its own where there are only ints.
        let asked = !floats && args.iter().any(|arg| arg.gives_way() && arg.ty == Ty::FLOAT);
        let holds = |ty: &Ty| matches!(ty, Ty::Int(int) if int.bits() <= 16) || *ty == Ty::Bool || *ty == f32;
        let more_than_half = |ty: &Ty| matches!(ty, Ty::Int(int) if int.bits() == 16) || *ty == f32;
        let single = !asked && strong().all(holds) && strong().any(more_than_half);
        return if single { f32 } else { Ty::FLOAT };
    }
    let all = args.iter().all(|arg| arg.ty == f32 || arg.gives_way());
    if all && args.iter().any(|arg| arg.ty == f32) { f32 } else { Ty::FLOAT }
}
