//! `math.gamma` and `math.lgamma`: CPython has its own, and their last bits are not libm's.
//!
//! In: a double. Out: CPython 3.11's result bit for bit, or its exception; the `_ieee` forms give NaN or an infinity
//! instead of the exception.
//!
//! The method is Lanczos' approximation (SIAM J. Numer. Anal. B 1, 1964) with Boost's parameters N = 13, g =
//! 6.0246800407767296, its sum written as a quotient of polynomials. The order of every operation is part of the
//! answer.

use super::libm;
use crate::fault::Fault;
use std::f64::consts::PI;

const G: f64 = 6.02468004077673;
const G_MINUS_HALF: f64 = 5.52468004077673;
/// ln π
const LN_PI: f64 = 1.1447298858494002;

/// Published with Boost's lanczos13m53, here as the nearest doubles; constant term first.
const NUMERATOR: [f64; 13] = [
    23531376880.41076,
    42919803642.6491,
    35711959237.35567,
    17921034426.03721,
    6039542586.352028,
    1439720407.3117216,
    248874557.86205417,
    31426415.585400194,
    2876370.6289353725,
    186056.26539522348,
    8071.672002365816,
    210.82427775157936,
    2.5066282746310002,
];

/// `x (x+1) … (x+11)`, constant term first.
const DENOMINATOR: [f64; 13] = [
    0.0,
    39916800.0,
    120543840.0,
    150917976.0,
    105258076.0,
    45995730.0,
    13339535.0,
    2637558.0,
    357423.0,
    32670.0,
    1925.0,
    66.0,
    1.0,
];

/// `math.gamma(x)`.
pub fn gamma(x: f64) -> Result<f64, Fault> {
    let result = gamma_ieee(x);
    if x == 0.0 || (result.is_nan() && !x.is_nan()) {
        // A pole, or -inf.
        Err(Fault::MathDomain)
    } else if result.is_infinite() && x.is_finite() {
        Err(Fault::MathRange)
    } else {
        Ok(result)
    }
}

/// `math.lgamma(x)`: ln |Γ(x)|.
pub fn lgamma(x: f64) -> Result<f64, Fault> {
    let result = lgamma_ieee(x);
    if result.is_infinite() && x.is_finite() {
        let pole = x <= 0.0 && x == libm::floor(x);
        Err(if pole { Fault::MathDomain } else { Fault::MathRange })
    } else {
        Ok(result)
    }
}

/// Γ(x): infinite at zero and on overflow, NaN at the negative integers and at -inf.
pub fn gamma_ieee(x: f64) -> f64 {
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x == 0.0 {
        return f64::INFINITY.copysign(x);
    }
    if x == libm::floor(x) {
        // Also -inf.
        if x < 0.0 {
            return f64::NAN;
        }
        if x <= 23.0 {
            // (x - 1)!, up to 22!: each product is exact, for the odd part of 22! has 51 bits.
            return (1..x as u32).fold(1.0, |product, factor| product * f64::from(factor));
        }
    }
    let magnitude = x.abs();
    if magnitude < 1e-20 {
        return 1.0 / x;
    }
    if magnitude > 200.0 {
        return if x < 0.0 { 0.0 / sin_pi(x) } else { f64::INFINITY };
    }
    let y = magnitude + G_MINUS_HALF;
    // What rounding added to y; `pow` and `exp` would magnify it, the factor below takes it out to first order.
    let error = if magnitude > G_MINUS_HALF { (y - magnitude) - G_MINUS_HALF } else { (y - G_MINUS_HALF) - magnitude };
    let correction = error * G / y;
    let power = |exponent: f64| libm::pow(y, exponent);
    if x < 0.0 {
        // Reflection: Γ(x) Γ(-x) = -π / (x sin πx).
        let mut r = -PI / sin_pi(magnitude) / magnitude * libm::exp(y) / lanczos_sum(magnitude);
        r -= correction * r;
        if magnitude < 140.0 {
            r / power(magnitude - 0.5)
        } else {
            // The whole power would overflow.
            let root = power(magnitude / 2.0 - 0.25);
            r / root / root
        }
    } else {
        let mut r = lanczos_sum(magnitude) / libm::exp(y);
        r += correction * r;
        if magnitude < 140.0 {
            r * power(magnitude - 0.5)
        } else {
            let root = power(magnitude / 2.0 - 0.25);
            r * root * root
        }
    }
}

/// ln |Γ(x)|: infinite at the poles and on overflow.
pub fn lgamma_ieee(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x.is_infinite() {
        return f64::INFINITY;
    }
    if x == libm::floor(x) && x <= 2.0 {
        return if x <= 0.0 { f64::INFINITY } else { 0.0 };
    }
    let magnitude = x.abs();
    if magnitude < 1e-20 {
        return -libm::log(magnitude);
    }
    let mut r = libm::log(lanczos_sum(magnitude)) - G;
    r += (magnitude - 0.5) * (libm::log(magnitude + G - 0.5) - 1.0);
    if x < 0.0 { LN_PI - libm::log(sin_pi(magnitude).abs()) - libm::log(magnitude) - r } else { r }
}

/// Lanczos' sum for `x > 0`. From 5 on in powers of 1/x, which neither overflow nor lose bits.
fn lanczos_sum(x: f64) -> f64 {
    let terms = NUMERATOR.iter().zip(&DENOMINATOR);
    let (numerator, denominator) = if x < 5.0 {
        terms.rev().fold((0.0, 0.0), |(n, d), (a, b)| (n * x + a, d * x + b))
    } else {
        terms.fold((0.0, 0.0), |(n, d), (a, b)| (n / x + a, d / x + b))
    };
    numerator / denominator
}

/// sin πx for finite `x`, accurate near the whole numbers: reduced to an octant first, which is exact.
fn sin_pi(x: f64) -> f64 {
    let y = libm::fmod(x.abs(), 2.0);
    let sine = match (2.0 * y).round() as u32 {
        0 => libm::sin(PI * y),
        1 => libm::cos(PI * (y - 0.5)),
        // Not -sin π(y - 1): that is -0.0 at y == 1.
        2 => libm::sin(PI * (1.0 - y)),
        3 => -libm::cos(PI * (y - 1.5)),
        _ => libm::sin(PI * (y - 2.0)),
    };
    1f64.copysign(x) * sine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_at_whole_numbers_is_the_factorial() {
        assert_eq!(gamma(1.0), Ok(1.0));
        assert_eq!(gamma(5.0), Ok(24.0));
        assert_eq!(gamma(23.0), Ok(1124000727777607680000.0));
        assert_eq!(gamma(-1.0), Err(Fault::MathDomain));
        assert_eq!(gamma(-0.0), Err(Fault::MathDomain));
        assert_eq!(gamma_ieee(-0.0), f64::NEG_INFINITY);
    }

    #[test]
    fn gamma_elsewhere_is_cpythons() {
        assert_eq!(gamma(0.5), Ok(1.7724538509055159));
        assert_eq!(gamma(-1.5), Ok(2.3632718012073544));
        assert_eq!(gamma(171.5), Ok(9.483367566824801e307));
        assert_eq!(gamma(172.0), Err(Fault::MathRange));
        assert_eq!(gamma(1e-309), Err(Fault::MathRange));
        assert_eq!(gamma(f64::NEG_INFINITY), Err(Fault::MathDomain));
        assert_eq!(gamma(-201.5), Ok(0.0));
    }

    #[test]
    fn log_gamma() {
        assert_eq!(lgamma(2.0), Ok(0.0));
        assert_eq!(lgamma(0.5), Ok(0.5723649429247004));
        assert_eq!(lgamma(-0.0), Err(Fault::MathDomain));
        assert_eq!(lgamma(-3.0), Err(Fault::MathDomain));
        assert_eq!(lgamma(1e308), Err(Fault::MathRange));
        assert_eq!(lgamma(f64::NEG_INFINITY), Ok(f64::INFINITY));
    }
}
