//! The meaning of every scalar operation on values: obvious and slow. The interpreter and the constant folder both ask here.
//!
//! In: an operation, the types of its operands, and their values; out: the result's value, or why there is none. A value is
//! its scalars as 64-bit slots, in order: an int as `IntTy` says, a float's bits (an f32's as the f64 of equal value), bool
//! as 0 or 1, None as no slot, a tuple as its elements one after the other. Takes for granted that the operation is
//! well-typed (`typed::verify`). Which fault an operation raises is decided here; generated code raises the same.

mod array;

use smallvec::SmallVec;

use crate::failure::Cause;
use crate::fault::Fault;
use crate::typed::{Cond, Const, Mode, Op};
use crate::types::{FloatTy, IntTy, Ty};

/// The slots of one value.
pub type Slots = SmallVec<[u64; 2]>;

/// The value of `op` on operands of `types`, whose slots are `args`, one operand after the other.
///
/// `Call`, `Extern`, `Print` and the counting of ticks mean something only to whoever runs a whole module; they have no value here.
pub fn eval(op: &Op, types: &[&Ty], result: &Ty, args: &[u64]) -> Result<Slots, Cause> {
    use Op::*;
    let slot = match op {
        Const(constant) => return Ok(constant_slots(constant)),
        Tuple => return Ok(Slots::from_slice(args)),
        Item(k) => {
            let crate::types::Ty::Tuple(items) = types[0] else { unreachable!("verified") };
            let start: usize = items[..*k as usize].iter().map(Ty::width).sum();
            return Ok(Slots::from_slice(&args[start..start + items[*k as usize].width()]));
        }
        Select => {
            let start = if args[0] != 0 { 1 } else { 1 + result.width() };
            return Ok(Slots::from_slice(&args[start..start + result.width()]));
        }
        Fail(fault) if args[0] != 0 => return Err(Cause::Fault(*fault)),
        RequireBound(name) if args[0] == 0 => return Err(Cause::Unbound(name.clone())),
        Fail(_) | RequireBound(_) => return Ok(Slots::new()),
        Helper(helper, mode) => {
            let mut out = Slots::from_elem(0, result.width());
            match mode {
                Mode::Numpy if helper.0.is_libm1() => helper.0.eval_raw(args, &mut out),
                _ => helper.0.eval(args, &mut out),
            }
            .map_err(Cause::Fault)?;
            return Ok(out);
        }
        Call(_) | Map(_) | MapInto(_) | Reduce(..) | Rows(_) | Extern(_) | Print(_) | Tick(_) | Prepay(_)
        | Refund(_) | PrepayMost | Mark | Keep => {
            unreachable!("eval knows no modules and no hosts")
        }
        NoArray => return Ok(Slots::from_elem(0, result.width())),
        Fits => return array::fits(types, args).map(|()| Slots::new()).map_err(Cause::Fault),
        Index(bounds) => array::index(*bounds, args[0] as i64, args[1] as i64).map_err(Cause::Fault)?,
        Apart => u64::from(array::apart(types, args)),
        Reach => array::reach(types, args),
        _ => match types[0] {
            Ty::Array(ty) => return Ok(array::on_arrays(op, *ty, result, args)),
            Ty::Float(float) => on_floats(op, *float, result, args),
            ty => on_ints(op, ty, result, args),
        }
        .map_err(Cause::Fault)?,
    };
    Ok(Slots::from_slice(&[slot]))
}

pub fn constant_slots(constant: &Const) -> Slots {
    match constant {
        Const::None => Slots::new(),
        Const::Bool(b) => Slots::from_slice(&[*b as u64]),
        Const::Int(bits) => Slots::from_slice(&[*bits]),
        Const::Float(x) => Slots::from_slice(&[x.to_bits()]),
    }
}

/// What an integer type raises when a result of its own arithmetic does not fit.
pub fn overflow(int: IntTy) -> Fault {
    if int.bits() == 64 { Fault::IntOverflow } else { Fault::SizedIntOverflow }
}

/// What `ToInt` raises for a finite number whose whole part does not fit.
pub fn float_overflow(int: IntTy) -> Fault {
    match int {
        IntTy::I64 => Fault::IntOverflow,
        IntTy::U64 => Fault::UnsignedOverflow,
        _ => Fault::SizedIntOverflow,
    }
}

/// Operations whose first operand is an int or a bool. A bool is an int of one bit here.
fn on_ints(op: &Op, ty: &Ty, result: &Ty, args: &[u64]) -> Result<u64, Fault> {
    let int = if let Ty::Int(int) = ty { *int } else { IntTy::U8 };
    let x = int.read(args[0]);
    let y = args.get(1).map_or(0, |&bits| int.read(bits));
    let zero = |mode: &Mode, fault| if *mode == Mode::Python { Err(fault) } else { Ok(0) };
    match op {
        Op::Add(mode) => fit(int, *mode, Some(x + y), x + y),
        Op::Sub(mode) => fit(int, *mode, Some(x - y), x - y),
        Op::Mul(mode) => fit(int, *mode, x.checked_mul(y), x.wrapping_mul(y)),
        Op::Neg(mode) => fit(int, *mode, Some(-x), -x),
        Op::Abs(mode) => fit(int, *mode, Some(x.abs()), x.abs()),
        Op::FloorDiv(mode) if y == 0 => zero(mode, Fault::IntFloorDivisionByZero),
        Op::FloorDiv(mode) => {
            let floor = x.div_euclid(y) - (y < 0 && x.rem_euclid(y) != 0) as i128;
            fit(int, *mode, Some(floor), floor)
        }
        Op::Mod(mode) if y == 0 => zero(mode, Fault::IntModuloByZero),
        Op::Mod(_) => {
            let rest = x.rem_euclid(y);
            Ok(int.wrap(if y < 0 && rest != 0 { rest + y } else { rest }))
        }
        // Of no divisor that is 0, which nobody asks for, these are 0.
        Op::Quotient(_) => Ok(int.wrap(x.checked_div(y).unwrap_or(0))),
        Op::Remainder(_) => Ok(int.wrap(x.checked_rem(y).unwrap_or(0))),
        Op::IntDiv(Mode::Python) if y == 0 => Err(Fault::DivisionByZero),
        Op::IntDiv(_) => Ok(divide(x, y).to_bits()),
        Op::And => Ok(args[0] & args[1]),
        Op::Or => Ok(args[0] | args[1]),
        Op::Xor => Ok(args[0] ^ args[1]),
        Op::Invert => Ok(int.wrap(!x)),
        Op::Not => Ok((x == 0) as u64),
        Op::Shl(mode) => shift_left(int, *mode, x, args[1] as i64),
        Op::Shr(mode) => match args[1] as i64 {
            count if count < 0 && *mode == Mode::Python => Err(Fault::NegativeShift),
            // No value has more than 64 bits, so more shifting changes nothing.
            count if count < 0 => Ok(int.wrap(x >> 64)),
            count => Ok(int.wrap(x >> count.min(64))),
        },
        Op::Cmp(cond) => Ok(compare(*cond, Some(x.cmp(&y)))),
        Op::CmpIntFloat(cond) => Ok(compare(*cond, compare_exactly(x, f64::from_bits(args[1])))),
        Op::Convert => match result {
            Ty::Float(FloatTy::F32) => Ok((x as f32 as f64).to_bits()),
            Ty::Float(FloatTy::F64) => Ok((x as f64).to_bits()),
            _ => Ok(args[0]),
        },
        Op::Narrow(mode) => match result {
            Ty::Int(to) if *mode == Mode::Python && !to.holds(x) => Err(Fault::SizedIntOverflow),
            Ty::Int(to) => Ok(to.wrap(x)),
            _ => unreachable!("verified"),
        },
        Op::NextIndex => Ok(int.wrap(x + y)),
        other => unreachable!("{other:?} on ints"),
    }
}

/// Operations whose first operand is a float.
fn on_floats(op: &Op, float: FloatTy, result: &Ty, args: &[u64]) -> Result<u64, Fault> {
    let x = f64::from_bits(args[0]);
    let y = args.get(1).map_or(0.0, |&bits| f64::from_bits(bits));
    let single = float == FloatTy::F32;
    // f32 arithmetic is done in f32: rounded once.
    let (p, q) = (x as f32, y as f32);
    let answer = match op {
        Op::Add(_) => {
            if single {
                (p + q) as f64
            } else {
                x + y
            }
        }
        Op::Sub(_) => {
            if single {
                (p - q) as f64
            } else {
                x - y
            }
        }
        Op::Mul(_) => {
            if single {
                (p * q) as f64
            } else {
                x * y
            }
        }
        Op::Div(Mode::Python) if y == 0.0 => return Err(Fault::FloatDivisionByZero),
        Op::Div(_) => {
            if single {
                (p / q) as f64
            } else {
                x / y
            }
        }
        Op::Sqrt => {
            if single {
                p.sqrt() as f64
            } else {
                x.sqrt()
            }
        }
        // From here on f64 is right for f32 too: the answer is a value of it.
        Op::Neg(_) => -x,
        Op::Abs(_) => x.abs(),
        Op::Floor => x.floor(),
        Op::Ceil => x.ceil(),
        Op::Trunc => x.trunc(),
        Op::Nearest => x.round_ties_even(),
        Op::CopySign => x.copysign(y),
        Op::Cmp(cond) => return Ok(compare(*cond, x.partial_cmp(&y))),
        Op::Convert => {
            if *result == Ty::Float(FloatTy::F32) {
                p as f64
            } else {
                x
            }
        }
        Op::ToInt(mode) => match result {
            Ty::Int(to) => return to_int(*to, *mode, x),
            _ => unreachable!("verified"),
        },
        other => unreachable!("{other:?} on floats"),
    };
    Ok(answer.to_bits())
}

fn fit(int: IntTy, mode: Mode, exact: Option<i128>, wrapped: i128) -> Result<u64, Fault> {
    match (mode, exact) {
        (Mode::Numpy, _) => Ok(int.wrap(wrapped)),
        (Mode::Python, Some(value)) if int.holds(value) => Ok(int.wrap(value)),
        _ => Err(overflow(int)),
    }
}

fn shift_left(int: IntTy, mode: Mode, x: i128, count: i64) -> Result<u64, Fault> {
    match mode {
        Mode::Numpy if (0..int.bits() as i64).contains(&count) => Ok(int.wrap(x << count)),
        Mode::Numpy => Ok(0),
        Mode::Python if count < 0 => Err(Fault::NegativeShift),
        Mode::Python if x == 0 => Ok(0),
        Mode::Python if count < 64 => {
            let exact = x.checked_mul(1i128 << count);
            fit(int, mode, exact, 0)
        }
        Mode::Python => Err(overflow(int)),
    }
}

fn to_int(to: IntTy, mode: Mode, x: f64) -> Result<u64, Fault> {
    // `as` saturates: whatever is outside of i128 is outside of every integer type; nan becomes 0, and is asked for first.
    let whole = x.trunc() as i128;
    match mode {
        _ if !x.is_nan() && to.holds(whole) => Ok(to.wrap(whole)),
        Mode::Numpy => Ok(to.wrap(to.min())),
        Mode::Python if x.is_nan() => Err(Fault::NanToInt),
        Mode::Python if x.is_infinite() => Err(Fault::InfinityToInt),
        Mode::Python => Err(float_overflow(to)),
    }
}

/// `order` is None when an operand is nan.
fn compare(cond: Cond, order: Option<std::cmp::Ordering>) -> u64 {
    let truth = match (cond, order) {
        (Cond::Ne, None) => true,
        (_, None) => false,
        (Cond::Lt, Some(o)) => o.is_lt(),
        (Cond::Le, Some(o)) => o.is_le(),
        (Cond::Gt, Some(o)) => o.is_gt(),
        (Cond::Ge, Some(o)) => o.is_ge(),
        (Cond::Eq, Some(o)) => o.is_eq(),
        (Cond::Ne, Some(o)) => o.is_ne(),
    };
    truth as u64
}

/// An int of up to 65 bits with a float: their whole parts, then what is left of the float.
fn compare_exactly(x: i128, y: f64) -> Option<std::cmp::Ordering> {
    if y.is_nan() {
        return None;
    }
    // Saturates beyond 2**127, where any int loses.
    let below = y.floor();
    Some(x.cmp(&(below as i128)).then(0.0f64.total_cmp(&(y - below))))
}

/// The float nearest to x / y, ties to even; by zero as floats divide. Both have at most 65 bits.
fn divide(x: i128, y: i128) -> f64 {
    let (p, q) = (x.unsigned_abs(), y.unsigned_abs());
    // Both exact as floats: one rounding. This also gives x / 0 and the sign of 0 / y.
    if p >> 53 == 0 && q >> 53 == 0 || p == 0 || q == 0 {
        return x as f64 / y as f64;
    }
    // Scale the dividend to 128 bits: the quotient then has at least 63, so its last bit may stand for all that is cut off,
    // and the conversion to float rounds once. The result is between 2**-64 and 2**64: no overflow, no subnormals.
    let shift = p.leading_zeros() as i32;
    let scaled = p << shift;
    let quotient = (scaled / q) | !scaled.is_multiple_of(q) as u128;
    let magnitude = quotient as f64 * 2f64.powi(-shift);
    if (x < 0) != (y < 0) { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests;
