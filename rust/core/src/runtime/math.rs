//! `math`'s functions of floats that CPython does not leave to libm alone.
//!
//! In: doubles. Out: CPython 3.11's result (Modules/mathmodule.c) or its exception. `fma` is 3.13's. `remainder_ieee`
//! is the same function without its errors.

use super::{float, libm, libm1_fault};
use crate::fault::Fault;

/// `math.log(x, base)`: the quotient of two checked logarithms, so that base 1 divides by zero.
pub fn log_base(x: f64, base: f64) -> Result<f64, Fault> {
    let log = |x: f64| {
        let result = libm::log(x);
        libm1_fault(x, result, false).map_or(Ok(result), Err)
    };
    float::truediv(log(x)?, log(base)?)
}

/// `math.atan2(y, x)`: C99's special cases are Python's.
pub fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}

/// `math.fmod(x, y)`.
pub fn fmod(x: f64, y: f64) -> Result<f64, Fault> {
    domain2(x, y, libm::fmod(x, y))
}

/// `math.remainder(x, y)`.
pub fn remainder(x: f64, y: f64) -> Result<f64, Fault> {
    domain2(x, y, remainder_ieee(x, y))
}

/// A NaN out of two numbers is outside the domain.
fn domain2(x: f64, y: f64, result: f64) -> Result<f64, Fault> {
    if result.is_nan() && !x.is_nan() && !y.is_nan() { Err(Fault::MathDomain) } else { Ok(result) }
}

/// IEEE 754's remainder: `x - n*y` with `n` the whole number nearest to `x / y`, ties to even; always exact.
pub fn remainder_ieee(x: f64, y: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if y.is_nan() {
        return y;
    }
    if x.is_infinite() || y == 0.0 {
        return f64::NAN;
    }
    if y.is_infinite() {
        return x;
    }
    let (magnitude, divisor) = (x.abs(), y.abs());
    let low = libm::fmod(magnitude, divisor);
    // `low` against its complement, not against half the divisor: halving could lose a bit among the subnormals, and
    // the complement is exact wherever it decides (Sterbenz).
    let high = divisor - low;
    let rest = if low < high {
        low
    } else if low > high {
        -high
    } else {
        // A tie: `magnitude - low` is n divisors; half of that leaves `low` over exactly when n is odd.
        low - 2.0 * libm::fmod(0.5 * (magnitude - low), divisor)
    };
    1f64.copysign(x) * rest
}

/// `math.pow(x, y)`: the errors of `math`, not those of `**`.
pub fn pow(x: f64, y: f64) -> Result<f64, Fault> {
    // C99's results where an operand is not finite are CPython's own table there.
    let result = libm::pow(x, y);
    if result.is_finite() || !x.is_finite() || !y.is_finite() {
        return Ok(result);
    }
    // A NaN is a negative number to a fraction; an infinity a zero to a negative number, or too large.
    Err(if result.is_nan() || x == 0.0 { Fault::MathDomain } else { Fault::MathRange })
}

/// `math.ldexp(x, exponent)`.
pub fn ldexp(x: f64, exponent: i64) -> Result<f64, Fault> {
    let result = scale(x, exponent);
    if result.is_infinite() && x.is_finite() { Err(Fault::MathRange) } else { Ok(result) }
}

/// `x * 2**exponent`, rounded once.
pub fn scale(x: f64, exponent: i64) -> f64 {
    // Beyond ±2200 every double is 0 or infinite: the clamp keeps the value.
    libm::ldexp(x, exponent.clamp(-5000, 5000) as i32)
}

/// `math.frexp(x)`: `(m, e)` with `x == m * 2**e` and `0.5 <= |m| < 1`; zero, infinities and NaN with exponent 0.
pub fn frexp(x: f64) -> (f64, i64) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    const FRACTION: u64 = (1 << 52) - 1;
    let exponent_bits = |x: f64| (x.to_bits() >> 52 & 0x7ff) as i64;
    // A subnormal is made normal first.
    let (normal, lifted) = if exponent_bits(x) == 0 { (x * 18014398509481984.0, 54) } else { (x, 0) };
    let sign_and_fraction = normal.to_bits() & (1 << 63 | FRACTION);
    (f64::from_bits(sign_and_fraction | 1022 << 52), exponent_bits(normal) - 1022 - lifted)
}

/// `math.modf(x)`: fractional and whole part, both with the sign of `x`.
pub fn modf(x: f64) -> (f64, f64) {
    if x.is_infinite() {
        return (0f64.copysign(x), x);
    }
    let whole = libm::trunc(x);
    ((x - whole).copysign(x), whole)
}

/// `math.nextafter(x, y)`.
pub fn nextafter(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() {
        x + y
    } else if x == y {
        // Equal zeros: the second one's sign.
        y
    } else if x < y {
        x.next_up()
    } else {
        x.next_down()
    }
}

/// `math.ulp(x)`.
pub fn ulp(x: f64) -> f64 {
    let x = x.abs();
    if !x.is_finite() {
        return x;
    }
    let up = x.next_up();
    if up.is_infinite() { x - x.next_down() } else { up - x }
}

/// `math.fma(x, y, z)`, of Python 3.13.
pub fn fma(x: f64, y: f64, z: f64) -> Result<f64, Fault> {
    let result = x.mul_add(y, z);
    if result.is_nan() && !x.is_nan() && !y.is_nan() && !z.is_nan() {
        Err(Fault::FmaInvalid)
    } else if result.is_infinite() && x.is_finite() && y.is_finite() && z.is_finite() {
        Err(Fault::FmaOverflow)
    } else {
        Ok(result)
    }
}

/// `math.degrees(x)`: CPython multiplies by the rounded quotient.
pub fn degrees(x: f64) -> f64 {
    x * (180.0 / std::f64::consts::PI)
}

/// `math.radians(x)`.
pub fn radians(x: f64) -> f64 {
    x * (std::f64::consts::PI / 180.0)
}

/// `math.isclose(a, b, rel_tol=…, abs_tol=…)`.
pub fn isclose(a: f64, b: f64, rel_tol: f64, abs_tol: f64) -> Result<bool, Fault> {
    if rel_tol < 0.0 || abs_tol < 0.0 {
        return Err(Fault::NegativeTolerance);
    }
    if a == b {
        return Ok(true);
    }
    if a.is_infinite() || b.is_infinite() {
        // Their distance would be within every relative tolerance.
        return Ok(false);
    }
    let distance = (b - a).abs();
    Ok(distance <= (rel_tol * b).abs() || distance <= (rel_tol * a).abs() || distance <= abs_tol)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;
    const TINY: f64 = 5e-324;

    #[test]
    fn log_to_a_base_divides() {
        assert_eq!(log_base(8.0, 2.0), Ok(3.0));
        assert_eq!(log_base(2.0, 1.0), Err(Fault::FloatDivisionByZero));
        assert_eq!(log_base(0.0, 1.0), Err(Fault::MathDomain));
    }

    #[test]
    fn remainders() {
        assert_eq!(remainder(5.0, 2.0), Ok(1.0));
        assert_eq!(remainder(3.0, 2.0), Ok(-1.0));
        assert_eq!(remainder(-5.0, 2.0), Ok(-1.0));
        assert_eq!(remainder(TINY, INF), Ok(TINY));
        assert_eq!(remainder(3.0 * TINY, 2.0 * TINY), Ok(-TINY));
        assert_eq!(remainder(1.0, 0.0), Err(Fault::MathDomain));
        assert_eq!(fmod(INF, 1.0), Err(Fault::MathDomain));
        assert_eq!(fmod(-7.0, 2.0), Ok(-1.0));
    }

    #[test]
    fn power_has_the_errors_of_math() {
        assert_eq!(pow(0.0, -1.0), Err(Fault::MathDomain));
        assert_eq!(pow(-1.0, 0.5), Err(Fault::MathDomain));
        assert_eq!(pow(1e308, 2.0), Err(Fault::MathRange));
        assert_eq!(pow(0.0, -INF), Ok(INF));
        assert_eq!(pow(f64::NAN, 0.0), Ok(1.0));
    }

    #[test]
    fn taking_apart_and_putting_together() {
        assert_eq!(frexp(8.0), (0.5, 4));
        assert_eq!(frexp(-TINY), (-0.5, -1073));
        assert_eq!(frexp(-INF), (-INF, 0));
        assert_eq!(ldexp(0.5, 1024), Ok(8.98846567431158e307));
        assert_eq!(ldexp(1.0, i64::MAX), Err(Fault::MathRange));
        assert_eq!(ldexp(0.0, i64::MAX), Ok(0.0));
        assert_eq!(modf(-2.5), (-0.5, -2.0));
        assert_eq!(modf(-INF), (-0.0, -INF));
    }

    #[test]
    fn neighbours() {
        assert_eq!(nextafter(0.0, -1.0), -TINY);
        assert_eq!(nextafter(-0.0, 0.0).to_bits(), 0);
        assert_eq!(ulp(f64::MAX), 2f64.powi(971));
        assert_eq!(ulp(0.0), TINY);
    }

    #[test]
    fn fused_and_close() {
        assert_eq!(fma(0.0, INF, 1.0), Err(Fault::FmaInvalid));
        assert_eq!(fma(1e308, 1e308, -INF), Ok(-INF));
        assert_eq!(fma(1e308, 10.0, 1.0), Err(Fault::FmaOverflow));
        assert_eq!(isclose(1.0, 1.0 + 1e-10, 1e-9, 0.0), Ok(true));
        assert_eq!(isclose(INF, -INF, 1.0, 1.0), Ok(false));
        assert_eq!(isclose(1.0, 1.0, -1.0, 0.0), Err(Fault::NegativeTolerance));
    }
}
