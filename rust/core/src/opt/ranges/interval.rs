//! Intervals of ints of 64 bits, and what operations make of them.
//!
//! In: where operands lie. Out: where the result lies, as 128 bits hold it: whoever asks says what becomes of a result that 64 bits do not
//! hold. Always holds: low ≤ high, and whatever operands of these intervals give lies in the interval that is given.

/// From low to high, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval {
    pub low: i64,
    pub high: i64,
}

/// The same of numbers that 64 bits may not hold: products of two ints have at most 127 bits.
pub type Wide = (i128, i128);

pub const ALL: Interval = Interval { low: i64::MIN, high: i64::MAX };

pub const fn from_to(low: i64, high: i64) -> Interval {
    Interval { low, high }
}

impl Interval {
    pub fn one(value: i64) -> Interval {
        from_to(value, value)
    }

    pub fn wide(self) -> Wide {
        (self.low.into(), self.high.into())
    }

    /// The only number of it.
    pub fn single(self) -> Option<i64> {
        (self.low == self.high).then_some(self.low)
    }

    pub fn within(self, low: i64, high: i64) -> bool {
        low <= self.low && self.high <= high
    }

    pub fn join(self, other: Interval) -> Interval {
        from_to(self.low.min(other.low), self.high.max(other.high))
    }

    /// What lies in both; None if nothing does.
    pub fn meet(self, other: Interval) -> Option<Interval> {
        let (low, high) = (self.low.max(other.low), self.high.min(other.high));
        (low <= high).then_some(from_to(low, high))
    }
}

/// If 64 bits hold all of it.
pub fn exact(wide: Wide) -> Option<Interval> {
    Some(from_to(i64::try_from(wide.0).ok()?, i64::try_from(wide.1).ok()?))
}

/// Of a result that raises where 64 bits do not hold it. One that always raises may be anything.
pub fn checked(wide: Wide) -> Interval {
    let clamp = |x: i128| x.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    if wide.1 < i64::MIN.into() || wide.0 > i64::MAX.into() { ALL } else { from_to(clamp(wide.0), clamp(wide.1)) }
}

/// Of a result that wraps.
pub fn wrapped(wide: Wide) -> Interval {
    exact(wide).unwrap_or(ALL)
}

pub fn add(a: Interval, b: Interval) -> Wide {
    let (a, b) = (a.wide(), b.wide());
    (a.0 + b.0, a.1 + b.1)
}

pub fn sub(a: Interval, b: Interval) -> Wide {
    let (a, b) = (a.wide(), b.wide());
    (a.0 - b.1, a.1 - b.0)
}

/// Monotone in each operand for a sign of the other: the ends are products of ends.
pub fn mul(a: Interval, b: Interval) -> Wide {
    let (a, b) = (a.wide(), b.wide());
    let products = [a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1];
    (products.into_iter().min().unwrap_or(0), products.into_iter().max().unwrap_or(0))
}

/// x · x is no less than 0, and c · x is a multiple of c: the greatest that 64 bits hold is c · ⌊MAX / |c|⌋.
pub fn square(a: Interval) -> Wide {
    let a = a.wide();
    let (p, q) = (a.0 * a.0, a.1 * a.1);
    (if a.0 <= 0 && 0 <= a.1 { 0 } else { p.min(q) }, p.max(q))
}

/// The multiples of c in 64 bits.
pub fn multiples(c: i64) -> Interval {
    let c = i128::from(c).abs().max(1);
    checked((-(1 << 63) / c * c, ((1 << 63) - 1) / c * c))
}

pub fn neg(a: Interval) -> Wide {
    sub(Interval::one(0), a)
}

pub fn abs(a: Interval) -> Wide {
    let (low, high) = a.wide();
    if low >= 0 {
        (low, high)
    } else if high <= 0 {
        (-high, -low)
    } else {
        (0, high.max(-low))
    }
}

/// By a count from 0 to 63.
pub fn shl(a: Interval, count: u32) -> Wide {
    let (low, high) = a.wide();
    (low << count, high << count)
}

/// By counts from 0 on: towards 0, or towards -1.
pub fn shr(a: Interval, counts: Interval) -> Interval {
    let (few, many) = (counts.low.clamp(0, 63), counts.high.clamp(0, 63));
    let low = if a.low < 0 { a.low >> few } else { a.low >> many };
    let high = if a.high < 0 { a.high >> many } else { a.high >> few };
    from_to(low, high)
}

/// Floors. By what is at least 1: monotone in a; towards 0 or -1 as b grows.
pub fn floor_div(a: Interval, b: Interval) -> Interval {
    if b.low < 1 {
        return ALL;
    }
    let low = a.low.div_euclid(if a.low < 0 { b.low } else { b.high });
    let high = a.high.div_euclid(if a.high < 0 { b.high } else { b.low });
    from_to(low, high)
}

/// The remainder has the divisor's sign and is less than it; one of a number that is not negative is no more than that number.
pub fn modulo(a: Interval, b: Interval) -> Interval {
    if b.low >= 1 {
        let most = if a.low >= 0 { a.high.min(b.high - 1) } else { b.high - 1 };
        // What is less than every divisor stays.
        if a.low >= 0 && a.high < b.low { a } else { from_to(0, most) }
    } else if b.high <= -1 {
        from_to(b.low + 1, 0)
    } else {
        from_to(b.low.saturating_add(1).min(0), b.high.saturating_sub(1).max(0))
    }
}

/// All ones from the highest bit of a number that is not negative.
fn ones(x: i64) -> i64 {
    if x == 0 { 0 } else { (u64::MAX >> x.leading_zeros()) as i64 }
}

/// As many bits as the operand that is not negative has at most; of two negatives no more than each.
pub fn and(a: Interval, b: Interval) -> Interval {
    match (a.low >= 0, b.low >= 0) {
        (true, true) => from_to(0, a.high.min(b.high)),
        (true, false) => from_to(0, a.high),
        (false, true) => from_to(0, b.high),
        _ => signed(a, b),
    }
}

/// At least each, if neither is negative.
pub fn or(a: Interval, b: Interval) -> Interval {
    if a.low >= 0 && b.low >= 0 { from_to(a.low.max(b.low), ones(a.high | b.high)) } else { signed(a, b) }
}

pub fn xor(a: Interval, b: Interval) -> Interval {
    if a.low >= 0 && b.low >= 0 { from_to(0, ones(a.high | b.high)) } else { signed(a, b) }
}

/// Numbers of k bits and a sign stay such.
fn signed(a: Interval, b: Interval) -> Interval {
    let most = ones([a.low, a.high, b.low, b.high].into_iter().fold(0, |bits, x| bits | if x < 0 { !x } else { x }));
    from_to(!most, most)
}

pub fn invert(a: Interval) -> Interval {
    from_to(!a.high, !a.low)
}

/// The largest number whose square is no more than x, for 0 ≤ x.
pub fn root(x: i64) -> i64 {
    let mut guess = (x as f64).sqrt() as i64;
    while i128::from(guess) * i128::from(guess) > x.into() {
        guess -= 1;
    }
    while i128::from(guess + 1) * i128::from(guess + 1) <= x.into() {
        guess += 1;
    }
    guess
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: [i64; 17] = [
        i64::MIN,
        i64::MIN + 1,
        -(1 << 62),
        -9,
        -8,
        -3,
        -1,
        0,
        1,
        2,
        7,
        8,
        255,
        1 << 31,
        1 << 62,
        i64::MAX - 1,
        i64::MAX,
    ];

    fn intervals() -> impl Iterator<Item = Interval> {
        let pairs = SOME.iter().flat_map(|&low| SOME.iter().map(move |&high| (low, high)));
        pairs.filter(|(low, high)| low <= high).map(|(low, high)| from_to(low, high))
    }

    fn members(a: Interval) -> impl Iterator<Item = i64> {
        SOME.into_iter().filter(move |x| a.within(*x, *x) || (a.low <= *x && *x <= a.high))
    }

    fn holds(wide: Wide, value: i128, what: &str) {
        assert!(wide.0 <= value && value <= wide.1, "{what}: {value} is not in {wide:?}");
    }

    #[test]
    fn what_operands_give_lies_in_the_interval() {
        for a in intervals() {
            for b in intervals() {
                for x in members(a) {
                    for y in members(b) {
                        let (p, q) = (i128::from(x), i128::from(y));
                        let of = |name: &str| format!("{name} of {a:?} {b:?} at {x} {y}");
                        holds(add(a, b), p + q, &of("add"));
                        holds(sub(a, b), p - q, &of("sub"));
                        holds(mul(a, b), p * q, &of("mul"));
                        holds(and(a, b).wide(), p & q, &of("and"));
                        holds(or(a, b).wide(), p | q, &of("or"));
                        holds(xor(a, b).wide(), p ^ q, &of("xor"));
                        if y >= 0 && b.low >= 0 {
                            holds(shr(a, b).wide(), p >> q.min(64), &of("shr"));
                        }
                        if y != 0 {
                            let floor = p.div_euclid(q) - i128::from(y < 0 && p.rem_euclid(q) != 0);
                            holds(modulo(a, b).wide(), p - floor * q, &of("modulo"));
                            if b.low >= 1 {
                                holds(floor_div(a, b).wide(), floor, &of("floor_div"));
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn of_one_operand() {
        for a in intervals() {
            for x in members(a) {
                let p = i128::from(x);
                holds(neg(a), -p, "neg");
                holds(abs(a), p.abs(), "abs");
                holds(square(a), p * p, "square");
                holds(invert(a).wide(), !p, "invert");
                for count in [0, 1, 5, 63] {
                    holds(shl(a, count), p << count, "shl");
                }
            }
        }
    }

    #[test]
    fn ends_are_exact() {
        assert_eq!(mul(from_to(-3, 2), from_to(-5, 7)), (-21, 15));
        assert_eq!(square(from_to(-3, 2)), (0, 9));
        assert_eq!(floor_div(from_to(-7, 7), from_to(2, 3)), from_to(-4, 3));
        assert_eq!(modulo(from_to(0, 5), from_to(9, 12)), from_to(0, 5));
        assert_eq!(modulo(from_to(-1, 5), from_to(9, 12)), from_to(0, 11));
        assert_eq!(modulo(ALL, from_to(-3, -2)), from_to(-2, 0));
        assert_eq!(multiples(3), from_to(-9223372036854775806, 9223372036854775806));
        assert_eq!(multiples(i64::MIN), from_to(i64::MIN, 0));
        assert_eq!(or(from_to(4, 5), from_to(0, 8)), from_to(4, 15));
        assert_eq!(xor(from_to(-8, 7), from_to(0, 3)), from_to(-8, 7));
        assert_eq!(checked((1 << 70, 1 << 71)), ALL);
        assert_eq!(checked((5, 1 << 70)), from_to(5, i64::MAX));
        assert_eq!([0, 1, 3, 4, i64::MAX].map(root), [0, 1, 1, 2, 3037000499]);
        assert_eq!(from_to(0, 4).meet(from_to(5, 9)), None);
    }
}
