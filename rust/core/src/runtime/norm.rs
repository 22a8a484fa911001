//! `math.hypot`: the Euclidean norm of CPython 3.11, which is more accurate than libm's and differs from it in the
//! last bit.
//!
//! In: two or three doubles. Out: the norm; an infinity wins over NaN, nothing fails (an overflow is inf, as in
//! Python).
//!
//! The method is `vector_norm` of Modules/mathmodule.c: scale by a power of two (lossless), square exactly by the
//! splitting of Veltkamp and Dekker (Dekker 1971, "A floating-point technique for extending the available
//! precision"), add with compensation (Neumaier 1974), and correct the root by one differential step (Borges 2019,
//! arXiv:1904.09481). The order of every operation is part of the answer.

use super::{libm, math};

/// `math.hypot(x, y)`.
pub fn hypot(x: f64, y: f64) -> f64 {
    norm([x, y])
}

/// `math.hypot(x, y, z)`.
pub fn hypot3(x: f64, y: f64, z: f64) -> f64 {
    norm([x, y, z])
}

/// A sum held as `total` and what rounding has cut off from it. `total` starts at 1 so that it is never smaller than
/// an addend, which is what makes the cut computable without a branch; the 1 is taken off at the end, exactly.
struct Sum {
    total: f64,
    /// One per order of magnitude of the addends: squares of high halves, mixed products, squares of low halves.
    cut: [f64; 3],
}

impl Sum {
    fn add(&mut self, order: usize, addend: f64) {
        let before = self.total;
        self.total += addend;
        self.cut[order] += (before - self.total) + addend;
    }

    fn value(&self) -> f64 {
        self.total - 1.0 + (self.cut[0] + self.cut[1] + self.cut[2])
    }
}

/// The two halves of a double, of at most 27 and 26 bits: their products are exact.
fn split(x: f64) -> (f64, f64) {
    // 2**27 + 1
    let t = x * 134217729.0;
    let high = t - (t - x);
    (high, x - high)
}

fn norm<const N: usize>(coordinates: [f64; N]) -> f64 {
    let coordinates = coordinates.map(f64::abs);
    // `f64::max` passes NaN over, as CPython's `if (x > max)` does.
    let max = coordinates.iter().copied().fold(0.0, f64::max);
    if max.is_infinite() {
        return max;
    }
    if coordinates.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    if max == 0.0 {
        return max;
    }
    let (_, exponent) = math::frexp(max);
    let mut sum = Sum { total: 1.0, cut: [0.0; 3] };
    if exponent < -1023 {
        // The scale itself would overflow: divide by the largest instead.
        for x in coordinates {
            let x = x / max;
            sum.add(0, x * x);
        }
        return max * libm::sqrt(sum.value());
    }
    let scale = math::scale(1.0, -exponent);
    for x in coordinates {
        let (high, low) = split(x * scale);
        sum.add(0, high * high);
        sum.add(1, 2.0 * high * low);
        // Below half a unit of the total: adding it there would change nothing.
        sum.cut[2] += low * low;
    }
    let root = libm::sqrt(sum.value());
    let (high, low) = split(root);
    sum.add(0, -high * high);
    sum.add(1, -2.0 * high * low);
    sum.add(2, -low * low);
    // What is left is the error of root², and its first-order correction.
    (root + sum.value() / (2.0 * root)) / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: f64 = 5e-324;

    #[test]
    fn norms() {
        assert_eq!(hypot(3.0, -4.0), 5.0);
        assert_eq!(hypot3(2.0, 3.0, 6.0), 7.0);
        assert_eq!(hypot(3.0 * TINY, 4.0 * TINY), 5.0 * TINY);
        assert_eq!(hypot3(1e308, 1e308, 1e308), 1.7320508075688772e308);
        assert_eq!(hypot(f64::MAX, f64::MAX), f64::INFINITY);
        assert_eq!(hypot(0.0, -0.0).to_bits(), 0);
    }

    #[test]
    fn infinity_wins_over_nan() {
        assert_eq!(hypot(f64::NAN, f64::NEG_INFINITY), f64::INFINITY);
        assert!(hypot3(f64::NAN, 1.0, 2.0).is_nan());
    }
}
