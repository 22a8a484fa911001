//! The one table of the runtime: every helper's name, kinds and function.
//!
//! To add a function, write it as a safe Rust function in the file of its family and add its row here.

use std::panic::catch_unwind;

use super::{
    Body, Helper, Kind, Outcome, Slot, combinatorics, decimal, float, int, integer_math, libm, math, norm, numpy,
    panics, special,
};
use crate::fault::Fault;

type Checked<T> = Result<T, Fault>;

#[inline(always)]
fn trip(_infallible: bool) {
    #[cfg(feature = "faults")]
    crate::trip::wire(if _infallible { "infallible helper" } else { "helper" });
}

/// A function of libm; `overflow` as in CPython's `FUNC1(name, function, can_overflow)`.
macro_rules! libm1 {
    ($name:ident, $overflow:expr, $infallible:expr) => {
        Helper {
            name: stringify!($name),
            params: &[Kind::Float],
            results: &[Kind::Float],
            body: Body::Libm1 { f: libm::$name, overflow: $overflow },
            infallible: $infallible,
        }
    };
}

/// A safe Rust function behind slots.
macro_rules! slots {
    ($name:ident = $f:path, ($($arg:ident: $type:ty),+) -> $result:ty) => {{
        unsafe extern "C" fn call(args: *const u64, out: *mut u64) -> u32 {
            const ARITY: usize = [$(<$type as Slot>::KIND),+].len();
            // SAFETY: whoever calls a `SlotFn` keeps `args` valid for the row's `params` (see its doc).
            let [$($arg),+] = unsafe { *args.cast::<[u64; ARITY]>() };
            let call = || {
                trip(<$result as Outcome>::INFALLIBLE);
                let result: $result = $f($(<$type as Slot>::from_slot($arg)),+);
                result.into_slots()
            };
            match catch_unwind(call) {
                Ok(Ok(slots)) => {
                    // SAFETY: likewise `out`, for the row's `results`, whose length is the length of `KINDS`.
                    unsafe { *out.cast() = slots };
                    0
                }
                Ok(Err(fault)) => fault.code(),
                Err(_) => panics::note(),
            }
        }
        Helper {
            name: stringify!($name),
            params: &[$(<$type as Slot>::KIND),+],
            results: <$result as Outcome>::KINDS,
            body: Body::Slots(call),
            infallible: <$result as Outcome>::INFALLIBLE,
        }
    }};
}

/// Every helper.
pub static HELPERS: &[Helper] = &[
    // int: Python's operators on 64-bit ints.
    slots!(int_truediv = int::truediv, (a: i64, b: i64) -> Checked<f64>),
    slots!(int_floordiv = int::floordiv, (a: i64, b: i64) -> Checked<i64>),
    slots!(int_mod = int::modulo, (a: i64, b: i64) -> Checked<i64>),
    slots!(int_divmod = int::divmod, (a: i64, b: i64) -> Checked<(i64, i64)>),
    slots!(int_pow = int::pow, (base: i64, exponent: i64) -> Checked<i64>),
    slots!(int_pow_float = int::pow_float, (base: i64, exponent: i64) -> Checked<f64>),
    slots!(int_powmod = int::powmod, (base: i64, exponent: i64, modulus: i64) -> Checked<i64>),
    slots!(int_lshift = int::lshift, (a: i64, count: i64) -> Checked<i64>),
    slots!(int_rshift = int::rshift, (a: i64, count: i64) -> Checked<i64>),
    slots!(int_round = int::round, (a: i64, ndigits: i64) -> Checked<i64>),
    slots!(range_count = int::range_count, (start: i64, stop: i64, step: i64) -> Checked<u64>),
    slots!(slice = int::slice, (n: i64, start: i64, stop: i64, step: i64, given: i64) -> Checked<(i64, i64)>),
    slots!(cmp_int_float = int::cmp_float, (a: i64, b: f64) -> i64),
    slots!(uint_truediv = int::unsigned_truediv, (a: u64, b: u64) -> Checked<f64>),
    slots!(uint_floordiv = int::unsigned_floordiv, (a: u64, b: u64) -> Checked<u64>),
    slots!(uint_mod = int::unsigned_modulo, (a: u64, b: u64) -> Checked<u64>),
    slots!(uint_divmod = int::unsigned_divmod, (a: u64, b: u64) -> Checked<(u64, u64)>),
    slots!(uint_pow = int::unsigned_pow, (base: u64, exponent: u64) -> Checked<u64>),
    slots!(uint_lshift = int::unsigned_lshift, (a: u64, count: u64) -> Checked<u64>),
    slots!(uint_rshift = int::unsigned_rshift, (a: u64, count: u64) -> u64),
    slots!(cmp_uint_float = int::unsigned_cmp_float, (a: u64, b: f64) -> i64),
    // float: Python's operators and conversions.
    slots!(float_truediv = float::truediv, (a: f64, b: f64) -> Checked<f64>),
    slots!(float_floordiv = float::floordiv, (a: f64, b: f64) -> Checked<f64>),
    slots!(float_mod = float::modulo, (a: f64, b: f64) -> Checked<f64>),
    slots!(float_divmod = float::divmod, (a: f64, b: f64) -> Checked<(f64, f64)>),
    slots!(float_pow = float::pow, (base: f64, exponent: f64) -> Checked<f64>),
    slots!(float_round_int = float::round_int, (x: f64) -> Checked<i64>),
    slots!(float_round_digits = decimal::round_digits, (x: f64, ndigits: i64) -> Checked<f64>),
    slots!(float_to_int = float::trunc_int, (x: f64) -> Checked<i64>),
    slots!(float_to_uint = float::to_unsigned, (x: f64) -> Checked<u64>),
    slots!(floor_int = float::floor_int, (x: f64) -> Checked<i64>),
    slots!(ceil_int = float::ceil_int, (x: f64) -> Checked<i64>),
    slots!(trunc_int = float::trunc_int, (x: f64) -> Checked<i64>),
    // math: functions of libm.
    libm1!(sin, false, false),
    libm1!(cos, false, false),
    libm1!(tan, false, false),
    libm1!(asin, false, false),
    libm1!(acos, false, false),
    libm1!(atan, false, true),
    libm1!(sinh, true, false),
    libm1!(cosh, true, false),
    libm1!(tanh, false, true),
    libm1!(asinh, false, true),
    libm1!(acosh, false, false),
    libm1!(atanh, false, false),
    libm1!(exp, true, false),
    libm1!(exp2, true, false),
    libm1!(expm1, true, false),
    libm1!(log, false, false),
    libm1!(log2, false, false),
    libm1!(log10, false, false),
    libm1!(log1p, false, false),
    libm1!(cbrt, false, true),
    libm1!(sqrt, false, false),
    libm1!(erf, false, true),
    libm1!(erfc, false, true),
    libm1!(fabs, false, true),
    // Float to float, for NumPy's spellings.
    libm1!(floor, false, true),
    libm1!(ceil, false, true),
    libm1!(trunc, false, true),
    libm1!(rint, false, true),
    // math: CPython's own functions of floats.
    slots!(log_base = math::log_base, (x: f64, base: f64) -> Checked<f64>),
    slots!(gamma = special::gamma, (x: f64) -> Checked<f64>),
    slots!(lgamma = special::lgamma, (x: f64) -> Checked<f64>),
    slots!(atan2 = math::atan2, (y: f64, x: f64) -> f64),
    slots!(hypot = norm::hypot, (x: f64, y: f64) -> f64),
    slots!(hypot3 = norm::hypot3, (x: f64, y: f64, z: f64) -> f64),
    slots!(fmod = math::fmod, (x: f64, y: f64) -> Checked<f64>),
    slots!(remainder = math::remainder, (x: f64, y: f64) -> Checked<f64>),
    slots!(math_pow = math::pow, (x: f64, y: f64) -> Checked<f64>),
    slots!(copysign = f64::copysign, (x: f64, y: f64) -> f64),
    slots!(ldexp = math::ldexp, (x: f64, exponent: i64) -> Checked<f64>),
    slots!(frexp = math::frexp, (x: f64) -> (f64, i64)),
    slots!(modf = math::modf, (x: f64) -> (f64, f64)),
    slots!(nextafter = math::nextafter, (x: f64, y: f64) -> f64),
    slots!(ulp = math::ulp, (x: f64) -> f64),
    slots!(fma = math::fma, (x: f64, y: f64, z: f64) -> Checked<f64>),
    slots!(degrees = math::degrees, (x: f64) -> f64),
    slots!(radians = math::radians, (x: f64) -> f64),
    slots!(isclose = math::isclose, (a: f64, b: f64, rel_tol: f64, abs_tol: f64) -> Checked<bool>),
    slots!(isfinite = f64::is_finite, (x: f64) -> bool),
    slots!(isinf = f64::is_infinite, (x: f64) -> bool),
    slots!(isnan = f64::is_nan, (x: f64) -> bool),
    // math: CPython's functions of ints.
    slots!(gcd = integer_math::gcd, (a: i64, b: i64) -> Checked<i64>),
    slots!(gcd_partial = integer_math::gcd_partial, (a: i64, b: i64) -> i64),
    slots!(lcm = integer_math::lcm, (a: i64, b: i64) -> Checked<i64>),
    slots!(isqrt = integer_math::isqrt, (n: i64) -> Checked<i64>),
    slots!(factorial = combinatorics::factorial, (n: i64) -> Checked<i64>),
    slots!(comb = combinatorics::comb, (n: i64, k: i64) -> Checked<i64>),
    slots!(perm = combinatorics::perm, (n: i64, k: i64) -> Checked<i64>),
    slots!(perm1 = combinatorics::factorial, (n: i64) -> Checked<i64>),
    // NumPy's rules, where they differ from Python's.
    slots!(sign = numpy::sign, (x: f64) -> f64),
    slots!(int_sign = i64::signum, (a: i64) -> i64),
    slots!(np_int_floordiv = numpy::int_floordiv, (a: i64, b: i64) -> i64),
    slots!(np_int_mod = numpy::int_modulo, (a: i64, b: i64) -> i64),
    slots!(np_int_divmod = numpy::int_divmod, (a: i64, b: i64) -> (i64, i64)),
    slots!(np_int_pow = numpy::int_pow, (base: i64, exponent: i64) -> Checked<i64>),
    slots!(np_int_lshift = numpy::int_lshift, (a: i64, count: i64) -> i64),
    slots!(np_int_rshift = numpy::int_rshift, (a: i64, count: i64) -> i64),
    slots!(np_gcd = numpy::gcd, (a: i64, b: i64) -> i64),
    slots!(np_lcm = numpy::lcm, (a: i64, b: i64) -> i64),
    slots!(np_uint_floordiv = numpy::unsigned_floordiv, (a: u64, b: u64) -> u64),
    slots!(np_uint_mod = numpy::unsigned_modulo, (a: u64, b: u64) -> u64),
    slots!(np_uint_divmod = numpy::unsigned_divmod, (a: u64, b: u64) -> (u64, u64)),
    slots!(np_uint_pow = numpy::unsigned_pow, (base: u64, exponent: u64) -> u64),
    slots!(np_uint_lshift = numpy::unsigned_lshift, (a: u64, count: u64) -> u64),
    slots!(np_uint_rshift = int::unsigned_rshift, (a: u64, count: u64) -> u64),
    slots!(np_float_floordiv = numpy::floordiv, (a: f64, b: f64) -> f64),
    slots!(np_float_mod = numpy::modulo, (a: f64, b: f64) -> f64),
    slots!(np_float_divmod = numpy::divmod, (a: f64, b: f64) -> (f64, f64)),
    slots!(np_float_pow = libm::pow, (base: f64, exponent: f64) -> f64),
    slots!(np_math_pow = libm::pow, (x: f64, y: f64) -> f64),
    slots!(np_float_round_digits = numpy::round_digits, (x: f64, ndigits: i64) -> f64),
    slots!(np_float_to_int = numpy::to_int, (x: f64) -> i64),
    slots!(np_hypot = libm::hypot, (x: f64, y: f64) -> f64),
    slots!(np_fmod = libm::fmod, (x: f64, y: f64) -> f64),
    slots!(np_remainder = math::remainder_ieee, (x: f64, y: f64) -> f64),
    slots!(np_ldexp = numpy::ldexp, (x: f64, exponent: i64) -> f64),
    slots!(np_fma = f64::mul_add, (x: f64, y: f64, z: f64) -> f64),
    slots!(np_log_base = numpy::log_base, (x: f64, base: f64) -> f64),
    slots!(np_gamma = special::gamma_ieee, (x: f64) -> f64),
    slots!(np_lgamma = special::lgamma_ieee, (x: f64) -> f64),
];
