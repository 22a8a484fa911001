//! `math.gcd`, `math.lcm` and `math.isqrt`.
//!
//! In: `i64`. Out: CPython's result, [`Fault::IntOverflow`] where it does not fit, or CPython's exception.

use crate::fault::Fault;

/// The greatest common divisor, Euclid's way.
pub fn gcd_of(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// `math.gcd(a, b)`: never negative.
pub fn gcd(a: i64, b: i64) -> Result<i64, Fault> {
    // 2**63 is possible: gcd(MIN, 0).
    i64::try_from(gcd_of(a.unsigned_abs(), b.unsigned_abs())).map_err(|_| Fault::IntOverflow)
}

/// The greatest common divisor as bits: 2**63 comes as MIN, whose size it is, so that one of more numbers may follow from it.
pub fn gcd_partial(a: i64, b: i64) -> i64 {
    gcd_of(a.unsigned_abs(), b.unsigned_abs()) as i64
}

/// `math.lcm(a, b)`: never negative, 0 with 0.
pub fn lcm(a: i64, b: i64) -> Result<i64, Fault> {
    let (a, b) = (a.unsigned_abs(), b.unsigned_abs());
    if a == 0 || b == 0 {
        return Ok(0);
    }
    let multiple = (a / gcd_of(a, b)).checked_mul(b);
    multiple.and_then(|multiple| i64::try_from(multiple).ok()).ok_or(Fault::IntOverflow)
}

/// `math.isqrt(n)`.
pub fn isqrt(n: i64) -> Result<i64, Fault> {
    n.checked_isqrt().ok_or(Fault::IsqrtNegative)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisors_and_multiples() {
        assert_eq!((gcd(12, -18), gcd(0, 0)), (Ok(6), Ok(0)));
        assert_eq!(gcd(i64::MIN, 0), Err(Fault::IntOverflow));
        assert_eq!(gcd(i64::MIN, 6), Ok(2));
        assert_eq!((lcm(4, -6), lcm(0, i64::MIN)), (Ok(12), Ok(0)));
        assert_eq!(lcm(i64::MIN, 1), Err(Fault::IntOverflow));
        assert_eq!(lcm(i64::MAX, i64::MAX - 1), Err(Fault::IntOverflow));
    }

    #[test]
    fn integer_roots() {
        assert_eq!(isqrt(i64::MAX), Ok(3037000499));
        assert_eq!(isqrt(3037000499 * 3037000499 - 1), Ok(3037000498));
        assert_eq!(isqrt(-1), Err(Fault::IsqrtNegative));
    }
}
