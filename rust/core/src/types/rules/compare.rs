//! Comparisons, `not`, and what chooses between operands.

use super::{Emit, Operand, Primitive, array, meet, no_operator};
use crate::diag::Diag;
use crate::typed::{Cond, Mode, Op, Reduction};
use crate::types::{IntTy, Ty, join};

type Outcome = Result<Operand, Diag>;

pub fn lt(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    compare(e, p, args, Cond::Lt)
}

pub fn le(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    compare(e, p, args, Cond::Le)
}

pub fn gt(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    compare(e, p, args, Cond::Gt)
}

pub fn ge(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    compare(e, p, args, Cond::Ge)
}

pub fn eq(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    compare(e, p, args, Cond::Eq)
}

pub fn ne(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    compare(e, p, args, Cond::Ne)
}

/// The comparison with its operands swapped.
fn mirrored(cond: Cond) -> Cond {
    match cond {
        Cond::Lt => Cond::Gt,
        Cond::Le => Cond::Ge,
        Cond::Gt => Cond::Lt,
        Cond::Ge => Cond::Le,
        same => same,
    }
}

/// Numbers compare by value, whatever their types; tuples and None only for equality.
fn compare(e: &mut Emit, p: &'static Primitive, args: &[Operand], cond: Cond) -> Outcome {
    // Ints compare by their values even in NumPy, where they would give way.
    let [a, b] = [0, 1].map(|i| args[i].clone().with_weak(args[i].weak && !matches!(args[i].ty, Ty::Int(_))));
    let (a, b, python) = (&a, &b, e.mode == Mode::Python);
    let equality = matches!(cond, Cond::Eq | Cond::Ne);
    match (&a.ty, &b.ty) {
        (Ty::None, Ty::None) if equality => Ok(Operand::bool(cond == Cond::Eq)),
        (Ty::Tuple(x), Ty::Tuple(y)) if equality => {
            let (x, y) = (x.len(), y.len());
            if x != y {
                return Ok(Operand::bool(cond == Cond::Ne));
            }
            let mut all = Operand::bool(cond == Cond::Eq);
            for i in 0..x {
                let (left, right) = (e.item(a, i), e.item(b, i));
                let one = compare(e, p, &[left, right], cond)?;
                all = e.op(if cond == Cond::Eq { Op::And } else { Op::Or }, &[&all, &one], Ty::Bool);
            }
            Ok(all)
        }
        // A double holds the ints of up to 32 bits; wider ones are compared without rounding. NumPy rounds them.
        (Ty::Int(int), Ty::Float(_)) if python && int.bits() == 64 && !small(a) => {
            let float = super::number(e, p, b)?;
            Ok(e.op(Op::CmpIntFloat(cond), &[a, &float], Ty::Bool))
        }
        (Ty::Float(_), Ty::Int(int)) if python && int.bits() == 64 && !small(b) => {
            let float = super::number(e, p, a)?;
            Ok(e.op(Op::CmpIntFloat(mirrored(cond)), &[b, &float], Ty::Bool))
        }
        (Ty::Int(x), Ty::Int(y)) if meet(Mode::Python, a, b).is_none() => {
            Ok(if x.signed() { signed_unsigned(e, a, b, cond) } else { signed_unsigned(e, b, a, mirrored(cond)) })
        }
        _ => {
            let ty = meet(e.mode, a, b).ok_or_else(|| no_operator(e, p, args))?;
            // An int and an f32 meet in f32 in arithmetic, but compare as doubles, which hold both. NumPy's compare where they meet.
            let ty = if let (Ty::Float(_), true) = (&ty, python && a.ty != b.ty) { Ty::FLOAT } else { ty };
            match (e.convert(a, &ty), e.convert(b, &ty)) {
                (Some(a), Some(b)) => Ok(e.compare(cond, &a, &b)),
                _ => Err(no_operator(e, p, args)),
            }
        }
    }
}

/// A literal that a double holds exactly.
fn small(operand: &Operand) -> bool {
    operand.literal_int().is_some_and(|value| value.unsigned_abs() <= 1 << 53)
}

/// i64 against u64: a negative number is less than all; the others compare as unsigned.
fn signed_unsigned(e: &mut Emit, signed: &Operand, unsigned: &Operand, cond: Cond) -> Operand {
    let u64 = Ty::Int(IntTy::U64);
    let signed = e.convert(signed, &Ty::INT).unwrap_or_else(|| signed.clone());
    let negative = e.compare(Cond::Lt, &signed, &Operand::int(0));
    let bits = e.op(Op::Narrow(Mode::Numpy), &[&signed], u64);
    let as_unsigned = e.compare(cond, &bits, unsigned);
    let when_negative = Operand::bool(matches!(cond, Cond::Lt | Cond::Le | Cond::Ne));
    e.op(Op::Select, &[&negative, &when_negative, &as_unsigned], Ty::Bool)
}

pub fn not(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let truth = e.truth(&args[0]).ok_or_else(|| no_operator(e, p, args))?;
    Ok(match truth.literal {
        Some(crate::ir::Literal::Bool(value)) => Operand::bool(!value),
        _ => e.op(Op::Not, &[&truth], Ty::Bool),
    })
}

/// `where(condition, x, y)`: both are evaluated, one is taken.
pub fn where_(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let truth = e.truth(&args[0]).ok_or_else(|| no_operator(e, p, args))?;
    let ty = meet(e.mode, &args[1], &args[2]).or_else(|| join(&args[1].ty, &args[2].ty));
    let ty = ty.ok_or_else(|| e.diag("no-common-type", &[&"where()", &args[1].ty, &args[2].ty]))?;
    select(e, p, &truth, &args[1], &args[2], &ty)
}

fn select(e: &mut Emit, p: &'static Primitive, truth: &Operand, a: &Operand, b: &Operand, ty: &Ty) -> Outcome {
    match (e.convert(a, ty), e.convert(b, ty)) {
        (Some(a), Some(b)) => Ok(e.op(Op::Select, &[truth, &a, &b], ty.clone())),
        _ => Err(no_operator(e, p, &[a.clone(), b.clone()])),
    }
}

/// `min(a, b, …)`: the first of the least, and `max(a, b, …)`: the first of the greatest. A later operand wins only by being
/// strictly less (or greater), so that Python's choice on nan and on ties is kept.
fn extreme(e: &mut Emit, p: &'static Primitive, args: &[Operand], cond: Cond) -> Outcome {
    let items: Vec<Operand> = match (args, args.first().map(|arg| &arg.ty)) {
        ([one], Some(Ty::Tuple(items))) => (0..items.len()).map(|i| e.item(one, i)).collect(),
        ([one], Some(Ty::Array(_))) => {
            let least = cond == Cond::Lt;
            return array::reduction(e, if least { Reduction::Min } else { Reduction::Max }, one);
        }
        ([one], _) => return Err(e.diag("not-iterable-value", &[&one.ty])),
        _ => args.to_vec(),
    };
    let Some((first, rest)) = items.split_first() else { return Err(e.diag("empty-sequence", &[&p.name])) };
    if !first.ty.is_numeric() {
        return Err(no_operator(e, p, &[first.clone(), first.clone()]));
    }
    let mut best = first.clone();
    for item in rest {
        let better = compare(e, p, &[item.clone(), best.clone()], cond)?;
        let ty = meet(e.mode, &best, item).ok_or_else(|| no_operator(e, p, &[best.clone(), item.clone()]))?;
        best = select(e, p, &better, item, &best, &ty)?;
    }
    Ok(best)
}

pub fn min(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    extreme(e, p, args, Cond::Lt)
}

pub fn max(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    extreme(e, p, args, Cond::Gt)
}

/// NumPy's `minimum` and `maximum`: a nan wins.
fn nan_extreme(e: &mut Emit, p: &'static Primitive, args: &[Operand], cond: Cond) -> Outcome {
    let (a, b) = (&args[0], &args[1]);
    let ty = meet(e.mode, a, b).ok_or_else(|| no_operator(e, p, args))?;
    let better = compare(e, p, args, cond)?;
    let chosen = select(e, p, &better, a, b, &ty)?;
    if !matches!(ty, Ty::Float(_)) {
        return Ok(chosen);
    }
    let a = super::number(e, p, a)?;
    let nan = e.compare(Cond::Ne, &a, &a);
    select(e, p, &nan, &a, &chosen, &ty)
}

pub fn minimum(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    nan_extreme(e, p, args, Cond::Lt)
}

pub fn maximum(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    nan_extreme(e, p, args, Cond::Gt)
}

/// `clip(x, low, high)`: minimum(maximum(x, low), high).
pub fn clip(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let low = nan_extreme(e, p, &[args[0].clone(), args[1].clone()], Cond::Gt)?;
    nan_extreme(e, p, &[low, args[2].clone()], Cond::Lt)
}

fn logical(e: &mut Emit, p: &'static Primitive, args: &[Operand], op: Op) -> Outcome {
    match (e.truth(&args[0]), e.truth(&args[1])) {
        (Some(a), Some(b)) => Ok(e.op(op, &[&a, &b], Ty::Bool)),
        _ => Err(no_operator(e, p, args)),
    }
}

pub fn logical_and(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    logical(e, p, args, Op::And)
}

pub fn logical_or(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    logical(e, p, args, Op::Or)
}

pub fn logical_xor(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    logical(e, p, args, Op::Xor)
}
