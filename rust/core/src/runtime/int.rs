//! Python's operators on 64-bit ints, signed and unsigned.
//!
//! In: `i64` or `u64`. Out: what Python's unbounded int gives where that fits, else [`Fault::IntOverflow`] (for
//! unsigned results too); division by zero and negative shifts raise what CPython raises.
//! Rules: Objects/longobject.c.

use super::float;
use crate::fault::Fault;
use std::cmp::Ordering;

/// Ints up to here are doubles exactly, and their quotient is one correctly rounded division.
const EXACT: u64 = 1 << 53;

/// `a / b`, correctly rounded.
pub fn truediv(a: i64, b: i64) -> Result<f64, Fault> {
    if b == 0 {
        return Err(Fault::DivisionByZero);
    }
    let (x, y) = (a.unsigned_abs(), b.unsigned_abs());
    if x <= EXACT && y <= EXACT {
        // Also right for 0 / -1: CPython answers -0.0 too.
        return Ok(a as f64 / b as f64);
    }
    let magnitude = divide_rounded(x, y);
    Ok(if (a < 0) != (b < 0) { -magnitude } else { magnitude })
}

pub fn unsigned_truediv(a: u64, b: u64) -> Result<f64, Fault> {
    if b == 0 {
        return Err(Fault::DivisionByZero);
    }
    Ok(if a <= EXACT && b <= EXACT { a as f64 / b as f64 } else { divide_rounded(a, b) })
}

/// The double nearest to `a / b`, for `b > 0`: a quotient of at least 55 bits whose lowest bit also says whether a
/// remainder was left ("sticky") rounds like the exact quotient (the method of `long_true_divide`).
fn divide_rounded(a: u64, b: u64) -> f64 {
    let bits = |n: u64| u64::BITS - n.leading_zeros();
    // Unless 0, the numerator has 56 bits more than b: at most 120.
    let shift = (56 + bits(b)).saturating_sub(bits(a));
    let numerator = u128::from(a) << shift;
    let divisor = u128::from(b);
    let sticky = u128::from(numerator % divisor != 0);
    let quotient = (numerator / divisor) | sticky;
    // The scaling is exact: no quotient of 64-bit ints is near the subnormals.
    quotient as f64 / (1u128 << shift) as f64
}

/// `a // b`.
pub fn floordiv(a: i64, b: i64) -> Result<i64, Fault> {
    Ok(divmod(a, b)?.0)
}

/// `a % b`.
pub fn modulo(a: i64, b: i64) -> Result<i64, Fault> {
    if b == 0 {
        return Err(Fault::IntModuloByZero);
    }
    // Wrapping only at MIN % -1, which is 0 in Python too.
    let remainder = a.wrapping_rem(b);
    Ok(if remainder != 0 && (remainder < 0) != (b < 0) { remainder + b } else { remainder })
}

/// `divmod(a, b)`.
pub fn divmod(a: i64, b: i64) -> Result<(i64, i64), Fault> {
    if b == 0 {
        return Err(Fault::IntFloorDivisionByZero);
    }
    // None only for MIN // -1.
    let quotient = a.checked_div(b).ok_or(Fault::IntOverflow)?;
    let remainder = a % b;
    if remainder != 0 && (remainder < 0) != (b < 0) {
        Ok((quotient - 1, remainder + b))
    } else {
        Ok((quotient, remainder))
    }
}

pub fn unsigned_floordiv(a: u64, b: u64) -> Result<u64, Fault> {
    a.checked_div(b).ok_or(Fault::IntFloorDivisionByZero)
}

pub fn unsigned_modulo(a: u64, b: u64) -> Result<u64, Fault> {
    a.checked_rem(b).ok_or(Fault::IntModuloByZero)
}

pub fn unsigned_divmod(a: u64, b: u64) -> Result<(u64, u64), Fault> {
    Ok((unsigned_floordiv(a, b)?, a % b))
}

/// `base ** exponent`, exact. A negative exponent is a fault even where the float would be whole: the type may not
/// depend on it.
pub fn pow(base: i64, exponent: i64) -> Result<i64, Fault> {
    if exponent < 0 {
        return Err(if base == 0 { Fault::ZeroToNegativePower } else { Fault::NegativeIntPower });
    }
    match base {
        // The only bases whose high powers fit: no loop over up to 2**63.
        1 => return Ok(1),
        0 => return Ok(i64::from(exponent == 0)),
        -1 => return Ok(if exponent & 1 == 0 { 1 } else { -1 }),
        _ => {}
    }
    u32::try_from(exponent).ok().and_then(|small| base.checked_pow(small)).ok_or(Fault::IntOverflow)
}

pub fn unsigned_pow(base: u64, exponent: u64) -> Result<u64, Fault> {
    if base <= 1 {
        return Ok(if exponent == 0 { 1 } else { base });
    }
    u32::try_from(exponent).ok().and_then(|small| base.checked_pow(small)).ok_or(Fault::IntOverflow)
}

/// `base ** -2` with a literal exponent: CPython's `long_pow` hands negative exponents to `float_pow`.
pub fn pow_float(base: i64, exponent: i64) -> Result<f64, Fault> {
    float::pow(base as f64, exponent as f64)
}

/// `pow(base, exponent, modulus)`; the result has the sign of the modulus. A negative exponent inverts the base
/// first.
pub fn powmod(base: i64, exponent: i64, modulus: i64) -> Result<i64, Fault> {
    if modulus == 0 {
        return Err(Fault::PowModulusZero);
    }
    let m = modulus.unsigned_abs();
    if m == 1 {
        // Before the inverse is asked for, as in CPython: pow(2, -1, 1) is 0.
        return Ok(0);
    }
    let residue = i128::from(base).rem_euclid(i128::from(m)) as u64;
    let mut square = if exponent < 0 { inverse(residue, m).ok_or(Fault::PowNotInvertible)? } else { residue };
    let mut left = exponent.unsigned_abs();
    let mut power = 1u64;
    while left > 0 {
        if left & 1 == 1 {
            power = multiply_modulo(power, square, m);
        }
        square = multiply_modulo(square, square, m);
        left >>= 1;
    }
    // Below m <= 2**63, so both casts keep the value.
    Ok(if modulus < 0 && power != 0 { (i128::from(power) - i128::from(m)) as i64 } else { power as i64 })
}

fn multiply_modulo(a: u64, b: u64, m: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(m)) as u64
}

/// The inverse of `a` modulo `m > 1`, if they are coprime: Euclid's algorithm with one Bézout coefficient.
fn inverse(a: u64, m: u64) -> Option<u64> {
    let (mut r, mut next_r) = (i128::from(a), i128::from(m));
    let (mut s, mut next_s) = (1i128, 0i128);
    while next_r != 0 {
        let quotient = r / next_r;
        (r, next_r) = (next_r, r - quotient * next_r);
        (s, next_s) = (next_s, s - quotient * next_s);
    }
    (r == 1).then(|| s.rem_euclid(i128::from(m)) as u64)
}

/// `a << count`.
pub fn lshift(a: i64, count: i64) -> Result<i64, Fault> {
    if count < 0 {
        return Err(Fault::NegativeShift);
    }
    if a == 0 {
        return Ok(0);
    }
    let shifted = if count < 64 { a << count } else { 0 };
    if count < 64 && shifted >> count == a { Ok(shifted) } else { Err(Fault::IntOverflow) }
}

/// `a >> count`.
pub fn rshift(a: i64, count: i64) -> Result<i64, Fault> {
    if count < 0 { Err(Fault::NegativeShift) } else { Ok(a >> count.min(63)) }
}

pub fn unsigned_lshift(a: u64, count: u64) -> Result<u64, Fault> {
    let fits = a == 0 || count <= u64::from(a.leading_zeros());
    // The `& 63` matters for 0 only.
    if fits { Ok(a << (count & 63)) } else { Err(Fault::IntOverflow) }
}

pub fn unsigned_rshift(a: u64, count: u64) -> u64 {
    if count < 64 { a >> count } else { 0 }
}

/// `round(a, ndigits)`: to a multiple of `10**-ndigits`, ties to the even multiple (`int.__round__`).
pub fn round(a: i64, ndigits: i64) -> Result<i64, Fault> {
    if ndigits >= 0 {
        return Ok(a);
    }
    if ndigits < -19 {
        // Half of 10**20 is beyond every 64-bit int.
        return Ok(0);
    }
    let unit = 10i128.pow(ndigits.unsigned_abs() as u32);
    let a = i128::from(a);
    let below = a.div_euclid(unit);
    let up = match (2 * a.rem_euclid(unit)).cmp(&unit) {
        Ordering::Less => 0,
        Ordering::Equal => below & 1,
        Ordering::Greater => 1,
    };
    i64::try_from((below + up) * unit).map_err(|_| Fault::IntOverflow)
}

/// How often `for i in range(start, stop, step)` runs: up to 2**64 - 1 times.
pub fn range_count(start: i64, stop: i64, step: i64) -> Result<u64, Fault> {
    if step == 0 {
        return Err(Fault::RangeStepZero);
    }
    let (low, high) = if step > 0 { (start, stop) } else { (stop, start) };
    if low >= high {
        return Ok(0);
    }
    // The distance fits 64 unsigned bits.
    let distance = high.wrapping_sub(low) as u64;
    Ok((distance - 1) / step.unsigned_abs() + 1)
}

/// `x[start:stop:step]` of n elements: the first element, and how many; `given` says by its bits 1 and 2 whether there are a start and a
/// stop. CPython's `PySlice_AdjustIndices`.
pub fn slice(n: i64, start: i64, stop: i64, step: i64, given: i64) -> Result<(i64, i64), Fault> {
    if step == 0 {
        return Err(Fault::SliceStepZero);
    }
    let (first, last) = if step > 0 { (0, n) } else { (-1, n.saturating_sub(1)) };
    let clamp = |bound: i64| if bound < 0 { bound.saturating_add(n).max(first) } else { bound.min(last) };
    let start = if given & 1 != 0 {
        clamp(start)
    } else if step > 0 {
        first
    } else {
        last
    };
    let stop = if given & 2 != 0 {
        clamp(stop)
    } else if step > 0 {
        last
    } else {
        first
    };
    let count = range_count(start, stop, step)? as i64;
    // A view of nothing begins where the array begins.
    Ok((if count == 0 { 0 } else { start }, count))
}

/// Compares an int with a float exactly: -1, 0, 1, or 2 if the float is NaN. `a as f64 < b` would not do above 2**53.
pub fn cmp_float(a: i64, b: f64) -> i64 {
    // -(MIN as f64) is 2**63, where i64 ends.
    const END: f64 = -(i64::MIN as f64);
    if b.is_nan() {
        2
    } else if b >= END {
        -1
    } else if b < -END {
        1
    } else {
        let whole = b.trunc();
        // With equal whole parts what is cut off decides.
        sign(a.cmp(&(whole as i64)).then(order(whole, b)))
    }
}

/// [`cmp_float`] for an unsigned int.
pub fn unsigned_cmp_float(a: u64, b: f64) -> i64 {
    const END: f64 = 2.0 * -(i64::MIN as f64);
    if b.is_nan() {
        2
    } else if b >= END {
        -1
    } else if b < 0.0 {
        1
    } else {
        let whole = b.trunc();
        sign(a.cmp(&(whole as u64)).then(order(whole, b)))
    }
}

/// The order of two doubles that are not NaN.
fn order(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

fn sign(order: Ordering) -> i64 {
    order as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: i64 = i64::MIN;
    const MAX: i64 = i64::MAX;

    #[test]
    fn true_division_rounds_once() {
        assert_eq!(truediv(MAX, 3), Ok(3.0744573456182584e18));
        // Naively, both operands round to 2**53 first and the quotient is 1.0.
        assert_eq!(truediv((1 << 53) + 1, 1 << 53), Ok(1.0));
        assert_eq!(truediv(9007199254740993 * 3, 3), Ok(9007199254740992.0));
        assert_eq!(truediv(MIN, -1), Ok(9223372036854775808.0));
        assert_eq!(truediv(0, -5).map(f64::to_bits), Ok((-0.0f64).to_bits()));
        assert_eq!(truediv(18, -2706613921314612146), Ok(-6.650375902617591e-18));
        assert_eq!(truediv(1, 0), Err(Fault::DivisionByZero));
        assert_eq!(unsigned_truediv(u64::MAX, 1), Ok(18446744073709551616.0));
    }

    #[test]
    fn floors_toward_minus_infinity() {
        assert_eq!(divmod(-7, 2), Ok((-4, 1)));
        assert_eq!(divmod(7, -2), Ok((-4, -1)));
        assert_eq!(floordiv(MIN, -1), Err(Fault::IntOverflow));
        assert_eq!(modulo(MIN, -1), Ok(0));
        assert_eq!(modulo(1, 0), Err(Fault::IntModuloByZero));
    }

    #[test]
    fn powers_are_exact_or_fail() {
        assert_eq!(pow(-2, 63), Ok(MIN));
        assert_eq!(pow(2, 63), Err(Fault::IntOverflow));
        assert_eq!(pow(3, 39), Ok(4052555153018976267));
        assert_eq!(pow(-1, MAX), Ok(-1));
        assert_eq!(pow(0, -1), Err(Fault::ZeroToNegativePower));
        assert_eq!(pow(2, -1), Err(Fault::NegativeIntPower));
        assert_eq!(pow_float(2, -1), Ok(0.5));
        assert_eq!(unsigned_pow(2, 64), Err(Fault::IntOverflow));
        assert_eq!(powmod(3, -1, 7), Ok(5));
        assert_eq!(powmod(3, 2, -7), Ok(-5));
        assert_eq!(powmod(2, -1, 4), Err(Fault::PowNotInvertible));
        assert_eq!(powmod(MIN, MAX, MIN), Ok(0));
        assert_eq!(powmod(2, -1, 1), Ok(0));
    }

    #[test]
    fn shifts() {
        assert_eq!(lshift(-1, 63), Ok(MIN));
        assert_eq!(lshift(1, 63), Err(Fault::IntOverflow));
        assert_eq!(lshift(0, MAX), Ok(0));
        assert_eq!(rshift(-1, MAX), Ok(-1));
        assert_eq!(rshift(0, -1), Err(Fault::NegativeShift));
        assert_eq!(unsigned_lshift(1, 63), Ok(1 << 63));
        assert_eq!(unsigned_lshift(2, 63), Err(Fault::IntOverflow));
    }

    #[test]
    fn rounds_half_to_even() {
        assert_eq!((round(25, -1), round(35, -1), round(-25, -1)), (Ok(20), Ok(40), Ok(-20)));
        assert_eq!(round(MAX, -19), Err(Fault::IntOverflow));
        assert_eq!(round(MAX, MIN), Ok(0));
    }

    #[test]
    fn ranges_count_without_overflow() {
        assert_eq!(range_count(MIN, MAX, 1), Ok(u64::MAX));
        assert_eq!(range_count(10, 0, -3), Ok(4));
        assert_eq!(range_count(MAX, MIN, MIN), Ok(2));
        assert_eq!(range_count(0, 1, 0), Err(Fault::RangeStepZero));
    }

    #[test]
    fn comparisons_with_floats_are_exact() {
        assert_eq!(cmp_float((1 << 53) + 1, 9007199254740992.0), 1);
        assert_eq!(cmp_float(MAX, 9223372036854775808.0), -1);
        assert_eq!(cmp_float(MIN, -9223372036854775808.0), 0);
        assert_eq!((cmp_float(-1, -1.5), cmp_float(0, -0.0), cmp_float(0, f64::NAN)), (1, 0, 2));
        assert_eq!(unsigned_cmp_float(u64::MAX, 18446744073709551616.0), -1);
        assert_eq!((unsigned_cmp_float(0, -0.5), unsigned_cmp_float(0, 0.5)), (1, -1));
    }
}
