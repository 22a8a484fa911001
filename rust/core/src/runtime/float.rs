//! Python's operators on floats and the conversions of floats to ints.
//!
//! In: doubles. Out: what CPython 3.11's Objects/floatobject.c gives, bit for bit, or its exception; ints outside 64
//! bits are [`Fault::IntOverflow`]. `round(x, ndigits)` is in `decimal`.

use super::libm;
use crate::fault::Fault;

/// `a / b`.
pub fn truediv(a: f64, b: f64) -> Result<f64, Fault> {
    if b == 0.0 { Err(Fault::FloatDivisionByZero) } else { Ok(a / b) }
}

/// Floor division and remainder with the sign of the divisor; with `b == 0` the remainder is NaN and the quotient
/// meaningless. The same code is in CPython (`_float_div_mod`) and in NumPy (`npy_divmod`), and both keep its last
/// bits.
pub fn floor_divide(a: f64, b: f64) -> (f64, f64) {
    let mut remainder = libm::fmod(a, b);
    // `fmod` is exact, the difference is not: the quotient is near a whole number, and is snapped to it below.
    let mut quotient = (a - remainder) / b;
    if remainder != 0.0 {
        if (b < 0.0) != (remainder < 0.0) {
            remainder += b;
            quotient -= 1.0;
        }
    } else {
        remainder = 0f64.copysign(b);
    }
    let whole = if quotient != 0.0 {
        let floor = libm::floor(quotient);
        if quotient - floor > 0.5 { floor + 1.0 } else { floor }
    } else {
        // The zero takes the sign of the true quotient.
        0f64.copysign(a / b)
    };
    (whole, remainder)
}

/// `a // b`.
pub fn floordiv(a: f64, b: f64) -> Result<f64, Fault> {
    if b == 0.0 { Err(Fault::FloatFloorDivisionByZero) } else { Ok(floor_divide(a, b).0) }
}

/// `a % b`.
pub fn modulo(a: f64, b: f64) -> Result<f64, Fault> {
    if b == 0.0 { Err(Fault::FloatModuloByZero) } else { Ok(floor_divide(a, b).1) }
}

/// `divmod(a, b)`.
pub fn divmod(a: f64, b: f64) -> Result<(f64, f64), Fault> {
    if b == 0.0 { Err(Fault::FloatDivmodByZero) } else { Ok(floor_divide(a, b)) }
}

/// `base ** exponent` (`float_pow`). CPython settles the special cases itself, and libm's `pow` sees positive finite
/// bases only.
pub fn pow(base: f64, exponent: f64) -> Result<f64, Fault> {
    if exponent == 0.0 {
        return Ok(1.0);
    }
    if base.is_nan() {
        return Ok(base);
    }
    if exponent.is_nan() {
        return Ok(if base == 1.0 { 1.0 } else { exponent });
    }
    if exponent.is_infinite() {
        let magnitude = base.abs();
        return Ok(if magnitude == 1.0 {
            1.0
        } else if (exponent > 0.0) == (magnitude > 1.0) {
            f64::INFINITY
        } else {
            0.0
        });
    }
    // Finite and not zero from here on.
    let odd = is_odd(exponent);
    if base.is_infinite() {
        let magnitude = if exponent > 0.0 { f64::INFINITY } else { 0.0 };
        return Ok(if odd { magnitude.copysign(base) } else { magnitude });
    }
    if base == 0.0 {
        return match (exponent < 0.0, odd) {
            (true, _) => Err(Fault::ZeroToNegativePower),
            (false, true) => Ok(base),
            (false, false) => Ok(0.0),
        };
    }
    if base < 0.0 && exponent != libm::floor(exponent) {
        return Err(Fault::NegativeBaseFractionalPower);
    }
    let magnitude = base.abs();
    let power = if magnitude == 1.0 { 1.0 } else { libm::pow(magnitude, exponent) };
    if power.is_infinite() {
        return Err(Fault::PowerRange);
    }
    Ok(if base < 0.0 && odd { -power } else { power })
}

/// Whether a finite double is an odd whole number.
pub fn is_odd(x: f64) -> bool {
    libm::fmod(x.abs(), 2.0) == 1.0
}

/// `int(x)` and `math.trunc(x)`.
pub fn trunc_int(x: f64) -> Result<i64, Fault> {
    whole_to_int(libm::trunc(x))
}

/// `math.floor(x)`.
pub fn floor_int(x: f64) -> Result<i64, Fault> {
    whole_to_int(libm::floor(x))
}

/// `math.ceil(x)`.
pub fn ceil_int(x: f64) -> Result<i64, Fault> {
    whole_to_int(libm::ceil(x))
}

/// `round(x)`: the nearest int, ties to even.
pub fn round_int(x: f64) -> Result<i64, Fault> {
    whole_to_int(x.round_ties_even())
}

/// A double that is whole, infinite or NaN, as an int (`PyLong_FromDouble`).
fn whole_to_int(x: f64) -> Result<i64, Fault> {
    // 2**63, exactly.
    const END: f64 = -(i64::MIN as f64);
    if (-END..END).contains(&x) { Ok(x as i64) } else { Err(not_an_int(x, Fault::IntOverflow)) }
}

/// `int(x)` as a `u64`.
pub fn to_unsigned(x: f64) -> Result<u64, Fault> {
    // 2**64, exactly.
    const END: f64 = 2.0 * -(i64::MIN as f64);
    let whole = libm::trunc(x);
    if (0.0..END).contains(&whole) { Ok(whole as u64) } else { Err(not_an_int(x, Fault::UnsignedOverflow)) }
}

fn not_an_int(x: f64, too_large: Fault) -> Fault {
    if x.is_nan() {
        Fault::NanToInt
    } else if x.is_infinite() {
        Fault::InfinityToInt
    } else {
        too_large
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    fn same(a: f64, b: f64) {
        assert_eq!(a.to_bits(), b.to_bits(), "{a} {b}");
    }

    #[test]
    fn division_floors_and_keeps_zeros_signs() {
        assert_eq!(divmod(-7.0, 2.0), Ok((-4.0, 1.0)));
        assert_eq!(divmod(1.0, 0.1), Ok((9.0, 0.09999999999999995)));
        assert_eq!(divmod(-1.0, INF), Ok((-1.0, INF)));
        let (quotient, remainder) = floor_divide(-0.0, 3.0);
        same(quotient, -0.0);
        same(remainder, 0.0);
        same(floor_divide(4.0, -2.0).1, -0.0);
        assert_eq!(floordiv(1.0, 0.0), Err(Fault::FloatFloorDivisionByZero));
        assert_eq!(modulo(1.0, -0.0), Err(Fault::FloatModuloByZero));
    }

    #[test]
    fn power_follows_python_in_the_special_cases() {
        assert_eq!(pow(f64::NAN, 0.0), Ok(1.0));
        assert_eq!(pow(1.0, f64::NAN), Ok(1.0));
        assert_eq!(pow(-1.0, INF), Ok(1.0));
        assert_eq!(pow(0.5, -INF), Ok(INF));
        assert_eq!(pow(-INF, -3.0).map(f64::to_bits), Ok((-0.0f64).to_bits()));
        assert_eq!(pow(-INF, 0.5), Ok(INF));
        assert_eq!(pow(-2.0, 3.0), Ok(-8.0));
        assert_eq!(pow(-0.0, -1.0), Err(Fault::ZeroToNegativePower));
        assert_eq!(pow(-8.0, 0.5), Err(Fault::NegativeBaseFractionalPower));
        assert_eq!(pow(1e308, 2.0), Err(Fault::PowerRange));
        assert_eq!(pow(1e-308, 2.0), Ok(0.0));
    }

    #[test]
    fn conversions_to_int_check_the_range() {
        assert_eq!(trunc_int(-9223372036854775808.0), Ok(i64::MIN));
        assert_eq!(trunc_int(9223372036854775808.0), Err(Fault::IntOverflow));
        assert_eq!(trunc_int(f64::NAN), Err(Fault::NanToInt));
        assert_eq!(floor_int(-INF), Err(Fault::InfinityToInt));
        assert_eq!((floor_int(-0.5), ceil_int(-0.5), trunc_int(-0.5)), (Ok(-1), Ok(0), Ok(0)));
        assert_eq!((round_int(0.5), round_int(1.5), round_int(-2.5)), (Ok(0), Ok(2), Ok(-2)));
        assert_eq!((to_unsigned(-0.5), to_unsigned(-1.0)), (Ok(0), Err(Fault::UnsignedOverflow)));
        assert_eq!(to_unsigned(18446744073709549568.0), Ok(u64::MAX - 2047));
    }
}
