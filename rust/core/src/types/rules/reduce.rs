//! What takes several values or none: reductions over tuples, `len`, `print`, indexing.
//!
//! Reductions over generator expressions are loops by the time they arrive here.

use super::{Emit, Operand, Primitive, arith, array, index};
use crate::diag::Diag;
use crate::typed::{Op, Piece, Print, Reduction};
use crate::types::Ty;

type Outcome = Result<Operand, Diag>;

/// The elements of the one operand, which must be a tuple.
fn elements(e: &mut Emit, operand: &Operand) -> Result<Vec<Operand>, Diag> {
    match &operand.ty {
        Ty::Tuple(items) => Ok((0..items.len()).map(|i| e.item(operand, i)).collect()),
        other => Err(e.diag("not-iterable-value", &[other])),
    }
}

/// `sum(tuple, start=0)`: from left to right.
pub fn sum(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    if let Ty::Array(_) = args[0].ty {
        let total = array::reduction(e, Reduction::Sum, &args[0])?;
        return args.get(1).map_or(Ok(total.clone()), |start| arith::add(e, p, &[start.clone(), total]));
    }
    let mut total = args.get(1).cloned().unwrap_or_else(|| Operand::int(0));
    for item in elements(e, &args[0])? {
        total = arith::add(e, p, &[total, item])?;
    }
    Ok(total)
}

pub fn prod(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    if let Ty::Array(_) = args[0].ty {
        let product = array::reduction(e, Reduction::Prod, &args[0])?;
        return args.get(1).map_or(Ok(product.clone()), |start| arith::mul(e, p, &[start.clone(), product]));
    }
    let mut total = args.get(1).cloned().unwrap_or_else(|| Operand::int(1));
    for item in elements(e, &args[0])? {
        total = arith::mul(e, p, &[total, item])?;
    }
    Ok(total)
}

fn fold_truth(e: &mut Emit, p: &'static Primitive, args: &[Operand], start: bool, op: Op) -> Outcome {
    let mut result = Operand::bool(start);
    for item in elements(e, &args[0])? {
        let truth = e.truth(&item).ok_or_else(|| e.diag("not-a-number", &[&p.name, &item.ty]))?;
        result = e.op(op.clone(), &[&result, &truth], Ty::Bool);
    }
    Ok(result)
}

pub fn any(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    if let Ty::Array(_) = args[0].ty {
        return array::reduction(e, Reduction::Any, &args[0]);
    }
    fold_truth(e, p, args, false, Op::Or)
}

pub fn all(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    if let Ty::Array(_) = args[0].ty {
        return array::reduction(e, Reduction::All, &args[0]);
    }
    fold_truth(e, p, args, true, Op::And)
}

pub fn len(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    match &args[0].ty {
        Ty::Tuple(items) => Ok(Operand::int(items.len() as i64)),
        Ty::Array(_) => Ok(array::length(e, &args[0], 0)),
        other => Err(e.diag("no-len", &[other])),
    }
}

/// `tuple[index]`: the index is a literal, since each element has a type of its own.
pub fn subscript(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    if let Ty::Array(_) = args[0].ty {
        return array::subscript(e, &args[0], &args[1..]);
    }
    let [operand, position] = args else { return Err(e.diag("not-subscriptable", &[&args[0].ty])) };
    let Ty::Tuple(items) = &operand.ty else { return Err(e.diag("not-subscriptable", &[&operand.ty])) };
    let at = match (position.literal_int(), index(e, position)) {
        (Some(at), Ok(_)) => at,
        (None, Ok(_)) => return Err(e.diag("tuple-index-not-literal", &[])),
        (_, Err(diag)) => return Err(diag),
    };
    let length = items.len() as i64;
    match if at < 0 { at + length } else { at } {
        found if (0..length).contains(&found) => Ok(e.item(operand, found as usize)),
        _ => Err(e.diag("tuple-index-range", &[&at, &length])),
    }
}

/// Operands: the separator, the end, and what is printed.
pub fn print(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let (Some(sep), Some(end)) = (Emit::text(&args[0]), Emit::text(&args[1])) else {
        return Err(e.diag("not-a-number", &[&p.name, &args[0].ty]));
    };
    let mut pieces = Vec::new();
    let mut values: Vec<&Operand> = Vec::new();
    for arg in &args[2..] {
        match Emit::text(arg) {
            Some(text) => pieces.push(Piece::Text(text)),
            None => {
                pieces.push(Piece::Value);
                values.push(arg);
            }
        }
    }
    Ok(e.op(Op::Print(Print { sep, end, pieces }.into()), &values, Ty::None))
}
