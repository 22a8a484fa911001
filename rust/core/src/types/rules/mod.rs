//! What each primitive makes of operands of given types: one function a family, named by the rows of the table of builtins.
//!
//! In: operands, whose number the row's arity allows. Out: the result, its instructions emitted on the way; or the user's mistake.

pub mod arith;
pub mod array;
pub mod augment;
pub mod compare;
pub mod convert;
pub mod math;
pub mod reduce;

use super::emit::{Emit, Operand};
use super::{FloatTy, Ty, promote};
use crate::builtins::Primitive;
use crate::diag::Diag;
use crate::ir::Literal;
use crate::typed::Mode;

/// A rule of the table.
pub type Rule = fn(&mut Emit, &'static Primitive, &[Operand]) -> Result<Operand, Diag>;

/// The type in which two numbers meet. A literal gives way to a sized type that can hold it, a weak number to any, as in NumPy 2; and
/// in NumPy's arithmetic ints of which no type holds both meet as floats.
fn meet(mode: Mode, a: &Operand, b: &Operand) -> Option<Ty> {
    let given_way = match (a.gives_way(), b.gives_way()) {
        (true, false) => given_way(a, &b.ty),
        (false, true) => given_way(b, &a.ty),
        _ => None,
    };
    given_way.or_else(|| promote(&a.ty, &b.ty)).or_else(|| {
        let ints = matches!((&a.ty, &b.ty), (Ty::Int(_), Ty::Int(_)));
        (ints && mode == Mode::Numpy).then_some(Ty::FLOAT)
    })
}

/// The sized type that a number takes for another one's sake.
fn given_way(number: &Operand, ty: &Ty) -> Option<Ty> {
    let fits = match (&number.ty, ty, &number.literal) {
        (Ty::Int(_), Ty::Int(int), Some(Literal::Int(value))) => int.holds(*value as i128),
        (Ty::Int(_), Ty::Int(_), None) => true,
        (Ty::Int(_) | Ty::Float(_), Ty::Float(FloatTy::F32), _) => true,
        _ => false,
    };
    fits.then(|| ty.clone())
}

/// The mistake of an operator that has no meaning for these types, in Python's words.
fn no_operator(e: &Emit, primitive: &Primitive, args: &[Operand]) -> Diag {
    let symbol = primitive.symbol();
    match args {
        [one] => e.diag("no-unary-operator", &[&symbol, &one.ty]),
        [a, b, ..] => e.diag("no-operator", &[&symbol, &a.ty, &b.ty]),
        [] => e.diag("no-operator", &[&symbol, &"nothing", &"nothing"]),
    }
}

/// An operand as a 64-bit int, as range() and the functions of integers take it: a bool or an int, never a float.
fn index(e: &mut Emit, operand: &Operand) -> Result<Operand, Diag> {
    match &operand.ty {
        Ty::Bool | Ty::Int(_) => Ok(e.convert(operand, &Ty::INT).unwrap_or_else(|| operand.clone())),
        Ty::Array(array) => Err(e.diag("array-index", &[array])),
        other => Err(e.diag("not-an-integer", &[other])),
    }
}

/// An operand as a float, as the functions of `math` take it.
fn number(e: &mut Emit, primitive: &Primitive, operand: &Operand) -> Result<Operand, Diag> {
    match e.convert(operand, &Ty::FLOAT) {
        Some(float) => Ok(float),
        None => Err(e.diag("not-a-number", &[&primitive.name, &operand.ty])),
    }
}

/// Ints of fewer than 64 bits and bools count as ints in a negation, an inversion or an absolute value only if they are bools.
fn bool_as_int(e: &mut Emit, operand: &Operand) -> Operand {
    match operand.ty {
        Ty::Bool => e.convert(operand, &Ty::INT).unwrap_or_else(|| operand.clone()),
        _ => operand.clone(),
    }
}

#[cfg(test)]
mod tests;
