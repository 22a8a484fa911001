//! NumPy's rules, for `arithmetic="numpy"` and for arrays, where they are not the bare libm function.
//!
//! In: slots as in the Python rows. Out: NumPy 2's scalar result: ints wrap, an int division by zero is 0, floats
//! give inf and nan. Nothing fails but an int to a negative power, which NumPy refuses too. Sources:
//! numpy/_core/src/umath/loops.c.src, npymath/npy_math_internal.h.src, multiarray/calculation.c. NumPy's vectorised
//! pow, exp, … may differ from libm's in the last bit, by CPU; these do not follow that.

use super::{float, integer_math, libm, math};
use crate::fault::Fault;

/// `np.sign`: NaN stays, both zeros give 0.0.
pub fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else if x == 0.0 {
        0.0
    } else {
        x
    }
}

pub fn int_floordiv(a: i64, b: i64) -> i64 {
    int_divmod(a, b).0
}

pub fn int_modulo(a: i64, b: i64) -> i64 {
    int_divmod(a, b).1
}

/// (0, 0) for a zero divisor, (MIN, 0) for MIN // -1.
pub fn int_divmod(a: i64, b: i64) -> (i64, i64) {
    if b == 0 {
        return (0, 0);
    }
    let (quotient, remainder) = (a.wrapping_div(b), a.wrapping_rem(b));
    if remainder != 0 && (remainder < 0) != (b < 0) { (quotient - 1, remainder + b) } else { (quotient, remainder) }
}

pub fn unsigned_floordiv(a: u64, b: u64) -> u64 {
    a.checked_div(b).unwrap_or(0)
}

pub fn unsigned_modulo(a: u64, b: u64) -> u64 {
    a.checked_rem(b).unwrap_or(0)
}

pub fn unsigned_divmod(a: u64, b: u64) -> (u64, u64) {
    (unsigned_floordiv(a, b), unsigned_modulo(a, b))
}

/// Modulo 2**64.
pub fn int_pow(base: i64, exponent: i64) -> Result<i64, Fault> {
    let exponent = u64::try_from(exponent).map_err(|_| Fault::NumpyNegativeIntPower)?;
    Ok(unsigned_pow(base as u64, exponent) as i64)
}

pub fn unsigned_pow(base: u64, exponent: u64) -> u64 {
    let (mut power, mut square, mut left) = (1u64, base, exponent);
    while left > 0 {
        if left & 1 == 1 {
            power = power.wrapping_mul(square);
        }
        square = square.wrapping_mul(square);
        left >>= 1;
    }
    power
}

/// A count outside 0..64 shifts everything out.
pub fn int_lshift(a: i64, count: i64) -> i64 {
    if (0..64).contains(&count) { a << count } else { 0 }
}

/// A count outside 0..64 leaves the sign.
pub fn int_rshift(a: i64, count: i64) -> i64 {
    if (0..64).contains(&count) { a >> count } else { a >> 63 }
}

pub fn unsigned_lshift(a: u64, count: u64) -> u64 {
    if count < 64 { a << count } else { 0 }
}

/// 2**63 wraps to MIN.
pub fn gcd(a: i64, b: i64) -> i64 {
    integer_math::gcd_of(a.unsigned_abs(), b.unsigned_abs()) as i64
}

pub fn lcm(a: i64, b: i64) -> i64 {
    let (a, b) = (a.unsigned_abs(), b.unsigned_abs());
    match integer_math::gcd_of(a, b) {
        0 => 0,
        divisor => (a / divisor).wrapping_mul(b) as i64,
    }
}

/// `a // b`: a/b, infinite or NaN, for a zero divisor.
pub fn floordiv(a: f64, b: f64) -> f64 {
    divmod(a, b).0
}

/// `a % b`: NaN for a zero divisor.
pub fn modulo(a: f64, b: f64) -> f64 {
    divmod(a, b).1
}

pub fn divmod(a: f64, b: f64) -> (f64, f64) {
    if b == 0.0 { (a / b, libm::fmod(a, b)) } else { float::floor_divide(a, b) }
}

/// `np.round(x, ndigits)`: multiply, round half to even, divide, each rounded; not Python's correctly rounded
/// decimal.
pub fn round_digits(x: f64, ndigits: i64) -> f64 {
    let scaled = if ndigits >= 0 { x * power_of_ten(ndigits) } else { x / power_of_ten(-ndigits.max(-400)) };
    let whole = scaled.round_ties_even();
    if ndigits == 0 {
        whole
    } else if ndigits > 0 {
        whole / power_of_ten(ndigits)
    } else {
        whole * power_of_ten(-ndigits.max(-400))
    }
}

/// NumPy's 10**n, by repeated multiplication: above 10**22 not always the nearest double.
fn power_of_ten(n: i64) -> f64 {
    // Infinite from 309 on.
    (0..n.min(400)).fold(1.0, |power, _| power * 10.0)
}

/// The conversion of a C cast on x86-64: what does not fit is MIN.
pub fn to_int(x: f64) -> i64 {
    float::trunc_int(x).unwrap_or(i64::MIN)
}

pub fn ldexp(x: f64, exponent: i64) -> f64 {
    math::scale(x, exponent)
}

pub fn log_base(x: f64, base: f64) -> f64 {
    libm::log(x) / libm::log(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ints_wrap() {
        assert_eq!(int_divmod(i64::MIN, -1), (i64::MIN, 0));
        assert_eq!(int_divmod(-7, 2), (-4, 1));
        assert_eq!(int_divmod(1, 0), (0, 0));
        assert_eq!(int_pow(3, 41), Ok(3i64.wrapping_pow(41)));
        assert_eq!(int_pow(2, -1), Err(Fault::NumpyNegativeIntPower));
        assert_eq!((int_lshift(1, 64), int_lshift(1, -1), int_rshift(-5, 64), int_rshift(-5, -1)), (0, 0, -1, -1));
        assert_eq!((gcd(i64::MIN, 0), lcm(0, 0)), (i64::MIN, 0));
    }

    #[test]
    fn floats_do_not_fail() {
        assert_eq!(floordiv(1.0, -0.0), f64::NEG_INFINITY);
        assert!(modulo(1.0, 0.0).is_nan() && floordiv(0.0, 0.0).is_nan());
        assert_eq!(divmod(-7.0, 2.0), (-4.0, 1.0));
        assert_eq!(round_digits(2.675, 2), 2.68);
        assert_eq!(round_digits(25.0, -1), 20.0);
        assert_eq!(to_int(f64::NAN), i64::MIN);
        assert_eq!(sign(-0.0).to_bits(), 0);
    }
}
