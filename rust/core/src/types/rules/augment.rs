//! Augmented operators: `x += v`. Of numbers they are the operators; an array is changed in place, as in NumPy.

use super::{Emit, Operand, Primitive, Rule, arith};
use crate::builtins::primitive;
use crate::diag::Diag;
use crate::types::{Item, Ty, lift};

type Outcome = Result<Operand, Diag>;

/// The operator of this name, whose rule is given: for messages it is the augmented one.
fn augmented(e: &mut Emit, p: &'static Primitive, args: &[Operand], rule: Rule, name: &str) -> Outcome {
    let Ty::Array(target) = args[0].ty else {
        // A number becomes an array by an array, and the name stands for that from then on.
        return if lift::any_array(args) { lift::map(e, primitive(name).unwrap_or(p), args) } else { rule(e, p, args) };
    };
    let new = lift::map(e, primitive(name).unwrap_or(p), args)?;
    if let Ty::Array(made) = new.ty
        && kind(made.item) > kind(target.item)
    {
        return Err(e.diag("augmented-kind", &[&p.doc, &new.ty, &args[0].ty]));
    }
    lift::assign(e, &args[0], &new)?;
    Ok(args[0].clone())
}

/// NumPy's kinds, of which none is written to a lesser one ("same_kind").
fn kind(item: Item) -> u8 {
    match item {
        Item::Bool => 0,
        Item::Int(int) if !int.signed() => 1,
        Item::Int(_) => 2,
        Item::Float(_) => 3,
    }
}

macro_rules! rules {
    ($($name:ident: $rule:path, $operator:literal;)+) => {$(
        pub fn $name(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
            augmented(e, p, args, $rule, $operator)
        }
    )+};
}

rules! {
    iadd: arith::add, "add";
    isub: arith::sub, "sub";
    imul: arith::mul, "mul";
    itruediv: arith::truediv, "truediv";
    ifloordiv: arith::floordiv, "floordiv";
    imod: arith::modulo, "mod";
    ipower: arith::power, "power";
    iand: arith::and, "and_";
    ior: arith::or, "or_";
    ixor: arith::xor, "xor";
    ilshift: arith::lshift, "lshift";
    irshift: arith::rshift, "rshift";
}
