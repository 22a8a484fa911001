//! Arrays: indices, slices, elements, and what is known of their shape.

use super::{Emit, Operand, Primitive, index};
use crate::builtins::primitive;
use crate::diag::Diag;
use crate::fault::Fault;
use crate::typed::{Bounds, Cond, Op, Reduction};
use crate::types::{ArrayTy, Item, Ty, lift};

type Outcome = Result<Operand, Diag>;

/// The type of an operand that must be an array.
fn array(e: &Emit, operand: &Operand) -> Result<ArrayTy, Diag> {
    match operand.ty {
        Ty::Array(array) => Ok(array),
        ref other => Err(e.diag("not-an-array", &[other])),
    }
}

pub fn length(e: &mut Emit, array: &Operand, axis: u8) -> Operand {
    e.op(Op::Len(axis), &[array], Ty::INT)
}

/// An index of a dimension as one that counts from the start.
fn checked(e: &mut Emit, array: &Operand, axis: u8, position: &Operand) -> Result<Operand, Diag> {
    let position = index(e, position)?;
    let n = length(e, array, axis);
    Ok(e.op(Op::Index(Bounds::Both), &[&position, &n], Ty::INT))
}

fn at_checked(e: &mut Emit, operand: &Operand, axis: u8, position: &Operand) -> Outcome {
    let ty = array(e, operand)?;
    let position = checked(e, operand, axis, position)?;
    let view = ArrayTy { ndim: ty.ndim - 1, contiguous: ty.contiguous && axis == 0, ..ty };
    Ok(e.op(Op::At(axis), &[operand, &position], Ty::Array(view)))
}

/// `array[i, j]`: an element, or what is left when there are fewer indices than dimensions.
pub fn subscript(e: &mut Emit, operand: &Operand, positions: &[Operand]) -> Outcome {
    let ty = array(e, operand)?;
    if positions.len() > ty.ndim.into() {
        return Err(e.diag("too-many-indices", &[&ty.ndim, &positions.len()]));
    }
    if positions.len() < ty.ndim.into() {
        let mut view = operand.clone();
        for position in positions {
            view = at_checked(e, &view, 0, position)?;
        }
        return Ok(view);
    }
    let mut args = vec![operand.clone()];
    for (axis, position) in positions.iter().enumerate() {
        args.push(checked(e, operand, axis as u8, position)?);
    }
    Ok(e.op(Op::Load, &args.iter().collect::<Vec<_>>(), ty.item.ty()))
}

/// The number of a dimension, a literal that lowering has made.
fn dimension(e: &Emit, ty: ArrayTy, operand: &Operand) -> Result<u8, Diag> {
    match operand.literal_int() {
        Some(axis) if (0..i64::from(ty.ndim)).contains(&axis) => Ok(axis as u8),
        axis => Err(e.diag("too-many-indices", &[&ty.ndim, &(axis.unwrap_or(0) + 1)])),
    }
}

/// `at(array, axis, i)`: one index among slices.
pub fn at(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    let ty = array(e, &args[0])?;
    let axis = dimension(e, ty, &args[1])?;
    match ty.ndim {
        1 => subscript(e, &args[0], &args[2..]),
        _ => at_checked(e, &args[0], axis, &args[2]),
    }
}

/// `cut(array, axis, start, stop, step)`: a slice of one dimension; None is what is not given.
pub fn cut(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    let ty = array(e, &args[0])?;
    let axis = dimension(e, ty, &args[1])?;
    if args[2..].iter().all(|bound| bound.ty == Ty::None) {
        return Ok(args[0].clone());
    }
    let mut given = 0;
    let mut bound = |e: &mut Emit, operand: &Operand, bit: i64, default: i64| match operand.ty {
        Ty::None => Ok(Operand::int(default)),
        _ => {
            given |= bit;
            index(e, operand)
        }
    };
    let (start, stop) = (bound(e, &args[2], 1, 0)?, bound(e, &args[3], 2, 0)?);
    let step = bound(e, &args[4], 0, 1)?;
    let n = length(e, &args[0], axis);
    let range = e.helper("slice", &[&n, &start, &stop, &step, &Operand::int(given)]);
    let (first, count) = (e.item(&range, 0), e.item(&range, 1));
    let contiguous = ty.contiguous && axis == 0 && step.literal_int() == Some(1);
    let view = Ty::Array(ArrayTy { contiguous, ..ty });
    Ok(e.op(Op::Cut(axis), &[&args[0], &first, &count, &step], view))
}

/// `store(array, value, i, …)`: writes an element.
pub fn store(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    let (operand, value, positions) = (&args[0], &args[1], &args[2..]);
    let ty = array(e, operand)?;
    if positions.len() > ty.ndim.into() {
        return Err(e.diag("too-many-indices", &[&ty.ndim, &positions.len()]));
    }
    // NumPy asks for this first.
    if !ty.writable {
        e.fail(Fault::ReadOnly, &Operand::bool(true));
    }
    if positions.len() < ty.ndim.into() {
        let view = subscript(e, operand, positions)?;
        return lift::assign(e, &view, value);
    }
    let mut parts = vec![operand.clone()];
    let mut indices = Vec::with_capacity(positions.len());
    for (axis, position) in positions.iter().enumerate() {
        indices.push(checked(e, operand, axis as u8, position)?);
    }
    parts.push(element(e, ty, value)?);
    parts.append(&mut indices);
    if ty.writable {
        e.op(Op::Store, &parts.iter().collect::<Vec<_>>(), Ty::None);
    }
    Ok(Operand::none())
}

/// A number as an element of an array: as NumPy has it for elements, a float is cut off, and what does not fit raises.
pub fn element(e: &mut Emit, ty: ArrayTy, value: &Operand) -> Outcome {
    let item = ty.item.ty();
    let element = match (&value.ty, &item) {
        (Ty::Float(_), Ty::Int(_)) => {
            let float = e.convert(value, &Ty::FLOAT).unwrap_or_else(|| value.clone());
            Some(e.op(Op::ToInt(e.mode), &[&float], item))
        }
        (Ty::Int(_) | Ty::Float(_), Ty::Bool) => e.truth(value),
        _ => e.convert(value, &item),
    };
    element.ok_or_else(|| e.diag("element-type", &[&ty, &value.ty]))
}

/// `assign(array, value)`: writes all elements.
pub fn assign(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    lift::assign(e, &args[0], &args[1])
}

/// `array.shape`: a tuple of ints.
pub fn shape(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    let ty = array(e, &args[0])?;
    let lengths: Vec<Operand> = (0..ty.ndim).map(|axis| length(e, &args[0], axis)).collect();
    Ok(e.tuple(&lengths))
}

/// `array.size`: the product of its lengths, which an array that is there does not let overflow.
pub fn size(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    let ty = array(e, &args[0])?;
    let mut product = length(e, &args[0], 0);
    for axis in 1..ty.ndim {
        let n = length(e, &args[0], axis);
        product = e.op(Op::Mul(crate::typed::Mode::Numpy), &[&product, &n], Ty::INT);
    }
    Ok(product)
}

pub fn ndim(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    Ok(Operand::int(array(e, &args[0])?.ndim.into()))
}

pub fn transpose(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    let ty = array(e, &args[0])?;
    let turned = ArrayTy { contiguous: ty.contiguous && ty.ndim == 1, ..ty };
    Ok(e.op(Op::Transpose, &[&args[0]], Ty::Array(turned)))
}

/// Element `at` of an array that must have `count`.
pub fn unpack(e: &mut Emit, operand: &Operand, at: usize, count: usize) -> Outcome {
    let n = length(e, operand, 0);
    let differs = e.compare(Cond::Ne, &n, &Operand::int(count as i64));
    e.fail(Fault::UnpackCount, &differs);
    subscript(e, operand, &[Operand::int(at as i64)])
}

/// How many turns a loop over it has.
pub fn iter_len(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    match &args[0].ty {
        Ty::Array(_) => Ok(length(e, &args[0], 0)),
        other => Err(e.diag("not-iterable-value", &[other])),
    }
}

/// A reduction of a whole array.
pub fn reduction(e: &mut Emit, reduction: Reduction, operand: &Operand) -> Outcome {
    array(e, operand)?;
    lift::reduce(e, reduction, None, std::slice::from_ref(operand))
}

pub fn argmin(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    reduction(e, Reduction::ArgMin, &args[0])
}

pub fn argmax(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    reduction(e, Reduction::ArgMax, &args[0])
}

pub fn count_nonzero(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    reduction(e, Reduction::CountNonzero, &args[0])
}

/// The sum divided by the number of elements. Ints are added as floats, which do not wrap.
pub fn mean(e: &mut Emit, p: &'static Primitive, args: &[Operand]) -> Outcome {
    let before = match array(e, &args[0])?.item {
        Item::Float(_) => None,
        _ => primitive("float"),
    };
    let total = lift::reduce(e, Reduction::Sum, before, &args[..1])?;
    let n = size(e, p, args)?;
    let n = e.convert(&n, &total.ty).unwrap_or(n);
    super::arith::truediv(e, p, &[total, n])
}

/// `dot(x, y)` of arrays of one dimension and one length.
pub fn dot(e: &mut Emit, _: &'static Primitive, args: &[Operand]) -> Outcome {
    for operand in args {
        let ty = array(e, operand)?;
        if ty.ndim != 1 {
            return Err(e.diag("dot-dimensions", &[&ty]));
        }
    }
    let (n, m) = (length(e, &args[0], 0), length(e, &args[1], 0));
    let differ = e.compare(Cond::Ne, &n, &m);
    e.fail(Fault::Shapes, &differ);
    lift::reduce(e, Reduction::Sum, primitive("mul"), args)
}
