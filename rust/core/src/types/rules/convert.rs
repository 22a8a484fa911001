//! Conversions the text asks for: `int() float() bool() round()`, the sized types, and floats to integers.

use super::{Emit, Operand, Primitive, index, number};
use crate::diag::Diag;
use crate::typed::{Mode, Op};
use crate::types::{FloatTy, IntTy, Ty};

type Outcome = Result<Operand, Diag>;

fn not_a_number(e: &Emit, p: &Primitive, operand: &Operand) -> Diag {
    e.diag("not-a-number", &[&p.name, &operand.ty])
}

/// `int(x)`, `i32(x)`, …: floats are truncated; what the type cannot hold raises.
fn to_int(e: &mut Emit, p: &'static Primitive, operand: &Operand, int: IntTy) -> Outcome {
    match operand.ty {
        Ty::Float(_) => {
            let float = number(e, p, operand)?;
            Ok(e.op(Op::ToInt(e.mode), &[&float], Ty::Int(int)))
        }
        _ => converted(e, p, operand, Ty::Int(int)),
    }
}

/// A number that the text converts has the type that the text says: it is no literal any more, and gives way to nothing.
fn converted(e: &mut Emit, p: &'static Primitive, operand: &Operand, ty: Ty) -> Outcome {
    let number = e.convert(operand, &ty).ok_or_else(|| not_a_number(e, p, operand))?;
    Ok(Operand::of(ty, e.value(&number)))
}

pub fn int(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    to_int(e, p, &args[0], IntTy::I64)
}

/// `i8` … `u64`, by the row's name.
pub fn sized_int(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let int = IntTy::ALL
        .into_iter()
        .find(|int| p.name[1..].parse() == Ok(int.bits()) && int.signed() == p.name.starts_with('i'));
    to_int(e, p, &args[0], int.unwrap_or(IntTy::I64))
}

/// Whether what the row gives is of the type that it names, and not of Python's own.
pub fn names_a_type(p: &Primitive) -> bool {
    p.rule as usize == sized_int as *const () as usize || p.rule as usize == f32 as *const () as usize
}

pub fn float(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    converted(e, p, &args[0], Ty::FLOAT)
}

pub fn f32(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    converted(e, p, &args[0], Ty::Float(FloatTy::F32))
}

pub fn bool(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    e.truth(&args[0]).ok_or_else(|| not_a_number(e, p, &args[0]))
}

/// `round(x)`: to an int, half to even; in NumPy's arithmetic a float stays one. `round(x, n)`: to n decimals, of the type of x.
pub fn round(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let digits = args.get(1).filter(|digits| digits.ty != Ty::None);
    match (&args[0].ty, digits) {
        (Ty::Int(_), None) => Ok(args[0].clone()),
        (Ty::Bool, None) => index(e, &args[0]),
        (Ty::Bool | Ty::Int(_), Some(digits)) => {
            let (x, digits) = (index(e, &args[0])?, index(e, digits)?);
            Ok(e.helper("int_round", &[&x, &digits]))
        }
        (Ty::Float(_), None) if e.mode == Mode::Numpy => Ok(e.op(Op::Nearest, &[&args[0]], args[0].ty.clone())),
        (Ty::Float(_), None) => {
            let x = number(e, p, &args[0])?;
            Ok(e.helper("float_round_int", &[&x]))
        }
        (Ty::Float(_), Some(digits)) => {
            let (x, digits) = (number(e, p, &args[0])?, index(e, digits)?);
            let rounded = e.helper("float_round_digits", &[&x, &digits]);
            Ok(e.convert(&rounded, &args[0].ty).unwrap_or(rounded))
        }
        _ => Err(not_a_number(e, p, &args[0])),
    }
}

/// `floor ceil trunc`: an int in Python's arithmetic, as in `math`; a float in NumPy's.
fn to_whole(e: &mut Emit, p: &'static Primitive, args: &[Operand], name: &str, op: Op) -> Outcome {
    match (&args[0].ty, e.mode) {
        (Ty::Int(_), _) => Ok(args[0].clone()),
        (Ty::Bool, Mode::Numpy) if !args[0].gives_way() => Ok(args[0].clone()),
        (Ty::Bool, _) => index(e, &args[0]),
        (Ty::Float(_), Mode::Python) => {
            let x = number(e, p, &args[0])?;
            Ok(e.helper(name, &[&x]))
        }
        (Ty::Float(_), Mode::Numpy) => Ok(e.op(op, &[&args[0]], args[0].ty.clone())),
        _ => Err(not_a_number(e, p, &args[0])),
    }
}

pub fn floor(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    to_whole(e, p, args, "floor_int", Op::Floor)
}

pub fn ceil(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    to_whole(e, p, args, "ceil_int", Op::Ceil)
}

pub fn trunc(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    to_whole(e, p, args, "trunc_int", Op::Trunc)
}
