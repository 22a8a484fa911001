//! `math.factorial`, `math.comb` and `math.perm`.
//!
//! In: `i64`. Out: CPython's result, [`Fault::IntOverflow`] where it does not fit, or CPython's exception. Every loop
//! ends after at most 64 rounds: the results grow that fast.

use crate::fault::Fault;

/// `math.factorial(n)`, and `math.perm(n)`.
pub fn factorial(n: i64) -> Result<i64, Fault> {
    if n < 0 {
        return Err(Fault::FactorialNegative);
    }
    falling(n, n)
}

/// `math.perm(n, k)`: n! / (n - k)!
pub fn perm(n: i64, k: i64) -> Result<i64, Fault> {
    check(n, k)?;
    if k > n { Ok(0) } else { falling(n, k) }
}

/// `math.comb(n, k)`: n! / (k! (n - k)!)
pub fn comb(n: i64, k: i64) -> Result<i64, Fault> {
    check(n, k)?;
    if k > n {
        return Ok(0);
    }
    let mut result = 1i64;
    for i in 0..k.min(n - k) {
        // C(n, i+1) = C(n, i) (n - i) / (i + 1), exactly; up to n/2 the values grow, so the first outside decides.
        let next = i128::from(result) * i128::from(n - i) / i128::from(i + 1);
        result = i64::try_from(next).map_err(|_| Fault::IntOverflow)?;
    }
    Ok(result)
}

/// CPython's order: `n` is looked at first.
fn check(n: i64, k: i64) -> Result<(), Fault> {
    if n < 0 {
        Err(Fault::NegativeN)
    } else if k < 0 {
        Err(Fault::NegativeK)
    } else {
        Ok(())
    }
}

/// n (n-1) … of `k <= n` factors. The largest first: the smallest are 1 and 2, so what overflows does so early.
fn falling(n: i64, k: i64) -> Result<i64, Fault> {
    (0..k).try_fold(1i64, |product, i| product.checked_mul(n - i)).ok_or(Fault::IntOverflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: i64 = i64::MAX;

    #[test]
    fn factorials() {
        assert_eq!((factorial(0), factorial(20)), (Ok(1), Ok(2432902008176640000)));
        assert_eq!((factorial(21), factorial(MAX)), (Err(Fault::IntOverflow), Err(Fault::IntOverflow)));
        assert_eq!(factorial(-1), Err(Fault::FactorialNegative));
    }

    #[test]
    fn combinations() {
        assert_eq!(comb(66, 33), Ok(7219428434016265740));
        assert_eq!(comb(67, 33), Err(Fault::IntOverflow));
        assert_eq!((comb(MAX, MAX - 1), comb(MAX, MAX), comb(3, MAX)), (Ok(MAX), Ok(1), Ok(0)));
        assert_eq!((comb(-1, -1), comb(1, -1)), (Err(Fault::NegativeN), Err(Fault::NegativeK)));
    }

    #[test]
    fn permutations() {
        assert_eq!((perm(5, 2), perm(5, 6), perm(MAX, 1)), (Ok(20), Ok(0), Ok(MAX)));
        assert_eq!(perm(MAX, MAX), Err(Fault::IntOverflow));
        assert_eq!(perm(-1, 0), Err(Fault::NegativeN));
    }
}
