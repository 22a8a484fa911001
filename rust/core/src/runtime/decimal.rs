//! `round(x, ndigits)` of a float: to the nearest multiple of `10**-ndigits`, ties to even, then correctly rounded to
//! a double.
//!
//! CPython's `double_round` prints the exact decimal expansion to that many digits and reads it back. Here the common
//! sizes are settled in a few exact float operations, and only the rest goes through decimal digits; both ways give
//! the same bits.

use super::libm;
use crate::fault::Fault;

/// `10.0 ** k` for the powers that are doubles exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Below 2**52 a double still has a bit for the half.
const HALVES_END: f64 = 4503599627370496.0;

/// `round(x, ndigits)`.
pub fn round_digits(x: f64, ndigits: i64) -> Result<f64, Fault> {
    // CPython's NDIGITS_MAX and NDIGITS_MIN: beyond them every double is its own rounding, or zero.
    if !x.is_finite() || ndigits > 323 {
        return Ok(x);
    }
    if ndigits < -308 {
        return Ok(0.0 * x);
    }
    if ndigits >= 0 && x.abs() >= HALVES_END {
        // A whole number already.
        return Ok(x);
    }
    let power = POWERS.get(ndigits.unsigned_abs() as usize).copied();
    if ndigits >= 0 {
        let digits = ndigits as usize;
        Ok(power.and_then(|power| by_multiplying(x, power)).unwrap_or_else(|| by_printing(x, digits)))
    } else {
        let zeros = ndigits.unsigned_abs() as usize;
        power.and_then(|power| by_dividing(x, power)).map_or_else(|| by_whole_digits(x, zeros), Ok)
    }
}

/// Rounds `x * power` and divides again. `product + error` is the exact product, so a tie is told from a near tie;
/// the whole number found and the power are exact doubles, so their quotient is the double nearest to the decimal.
fn by_multiplying(x: f64, power: f64) -> Option<f64> {
    let product = x * power;
    if product.abs() >= HALVES_END {
        return None;
    }
    let error = x.mul_add(power, -product);
    let even = product.round_ties_even();
    let cut = product - even;
    // |error| is below half a unit of `product`: it decides only where `cut` is a half exactly.
    let whole = if cut == 0.5 && error > 0.0 {
        even + 1.0
    } else if cut == -0.5 && error < 0.0 {
        even - 1.0
    } else {
        even
    };
    Some((whole / power).copysign(x))
}

/// Rounds `x / power` and multiplies again. `rest` is exact: it is a multiple of the smaller of x's unit and the
/// power's, and not much larger than half the power.
fn by_dividing(x: f64, power: f64) -> Option<f64> {
    let quotient = x / power;
    if quotient.abs() >= HALVES_END {
        return None;
    }
    let near = quotient.round_ties_even();
    let rest = (-near).mul_add(power, x);
    let half = power / 2.0;
    let odd = libm::fmod(near, 2.0) != 0.0;
    let whole = if rest > half || (rest == half && odd) {
        near + 1.0
    } else if rest < -half || (rest == -half && odd) {
        near - 1.0
    } else {
        near
    };
    Some((whole * power).copysign(x))
}

/// Prints with that many decimals and reads back: Rust prints exactly, ties to even, and reads correctly rounded.
fn by_printing(x: f64, digits: usize) -> f64 {
    format!("{x:.digits$}").parse().unwrap_or(x)
}

/// Rounds away that many digits before the point, for `x` whose whole part is out of reach of the exact operations.
fn by_whole_digits(x: f64, zeros: usize) -> Result<f64, Fault> {
    if x.abs() < HALVES_END {
        // More than 22 zeros: 10**23 / 2 is far away.
        return Ok(0f64.copysign(x));
    }
    // A whole number: every digit is printed, nothing is rounded.
    let text = format!("{:.0}", x.abs()).into_bytes();
    if text.len() < zeros {
        return Ok(0f64.copysign(x));
    }
    let (kept, cut) = text.split_at(text.len() - zeros);
    let mut kept = kept.to_vec();
    let odd = kept.last().is_some_and(|digit| digit % 2 == 1);
    let up = match cut.split_first() {
        Some((b'5', rest)) => odd || rest.iter().any(|&digit| digit != b'0'),
        Some((&first, _)) => first > b'5',
        None => false,
    };
    if up {
        increment(&mut kept);
    }
    kept.splice(0..0, *b"0");
    kept.extend_from_slice(format!("e{zeros}").as_bytes());
    // Always a number; a text that is not one would be rounded to itself.
    let rounded: f64 = std::str::from_utf8(&kept).ok().and_then(|text| text.parse().ok()).unwrap_or(x);
    if rounded.is_infinite() { Err(Fault::RoundOverflow) } else { Ok(rounded.copysign(x)) }
}

/// Adds one to a number in decimal digits.
fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_those_of_the_exact_value() {
        assert_eq!(round_digits(2.675, 2), Ok(2.67));
        assert_eq!(round_digits(0.125, 2), Ok(0.12));
        assert_eq!(round_digits(0.375, 2), Ok(0.38));
        assert_eq!(round_digits(1.005, 2), Ok(1.0));
        assert_eq!(round_digits(2.5, 0), Ok(2.0));
        assert_eq!(round_digits(5e15 + 0.5, 0), Ok(5e15));
        assert_eq!(round_digits(25.0, -1), Ok(20.0));
        assert_eq!(round_digits(5e22, -23), Ok(0.0));
    }

    #[test]
    fn extremes() {
        assert_eq!(round_digits(f64::MAX, -308), Err(Fault::RoundOverflow));
        assert_eq!(round_digits(f64::MAX, -309), Ok(0.0));
        assert_eq!(round_digits(f64::MAX, 400), Ok(f64::MAX));
        assert_eq!(round_digits(5e-324, 323), Ok(0.0));
        assert_eq!(round_digits(1.7e-323, 323), Ok(1e-323));
        assert_eq!(round_digits(f64::INFINITY, i64::MIN), Ok(f64::INFINITY));
        assert_eq!(round_digits(-0.4, 0).map(f64::to_bits), Ok((-0.0f64).to_bits()));
    }

    #[test]
    fn the_fast_ways_agree_with_the_digits() {
        let mut seed = 1u64;
        for _ in 0..100_000 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let x = (seed >> 11) as f64 / 1e6 / POWERS[(seed % 17) as usize];
            let digits = (seed >> 32) as usize % 23;
            if let Some(fast) = by_multiplying(x, POWERS[digits]) {
                assert_eq!(fast.to_bits(), by_printing(x, digits).to_bits(), "{x:e} {digits}");
            }
        }
    }
}
