//! The C library's mathematics: the same libm that CPython's `math` is linked with, so its last bits are Python's.
//!
//! In and out: doubles by value. Rust's `f64::sin` and friends promise no particular result and may be folded by LLVM
//! with another one; these declarations are calls.
//!
//! Rust's own compiler_builtins brings a weak `cbrt`, with other last bits, and a slow `fmod`, and the linker may prefer them. glibc
//! has the same functions under the names of IEC 60559's types too, which nobody else defines.

// SAFETY: the signatures are those of C99's <math.h>; doubles go by value, `ldexp`'s int is a C int; no function
// keeps state but `errno`, which is per thread.
#[cfg_attr(unix, link(name = "m"))]
unsafe extern "C" {
    pub safe fn acos(x: f64) -> f64;
    pub safe fn acosh(x: f64) -> f64;
    pub safe fn asin(x: f64) -> f64;
    pub safe fn asinh(x: f64) -> f64;
    pub safe fn atan(x: f64) -> f64;
    pub safe fn atan2(y: f64, x: f64) -> f64;
    pub safe fn atanh(x: f64) -> f64;
    #[cfg_attr(all(target_os = "linux", target_env = "gnu"), link_name = "cbrtf64")]
    pub safe fn cbrt(x: f64) -> f64;
    pub safe fn ceil(x: f64) -> f64;
    pub safe fn cos(x: f64) -> f64;
    pub safe fn cosh(x: f64) -> f64;
    pub safe fn erf(x: f64) -> f64;
    pub safe fn erfc(x: f64) -> f64;
    pub safe fn exp(x: f64) -> f64;
    pub safe fn exp2(x: f64) -> f64;
    pub safe fn expm1(x: f64) -> f64;
    pub safe fn fabs(x: f64) -> f64;
    pub safe fn floor(x: f64) -> f64;
    #[cfg_attr(all(target_os = "linux", target_env = "gnu"), link_name = "fmodf64")]
    pub safe fn fmod(x: f64, y: f64) -> f64;
    pub safe fn hypot(x: f64, y: f64) -> f64;
    pub safe fn ldexp(x: f64, exponent: core::ffi::c_int) -> f64;
    pub safe fn log(x: f64) -> f64;
    pub safe fn log10(x: f64) -> f64;
    pub safe fn log1p(x: f64) -> f64;
    pub safe fn log2(x: f64) -> f64;
    pub safe fn pow(x: f64, y: f64) -> f64;
    pub safe fn rint(x: f64) -> f64;
    pub safe fn sin(x: f64) -> f64;
    pub safe fn sinh(x: f64) -> f64;
    pub safe fn sqrt(x: f64) -> f64;
    pub safe fn tan(x: f64) -> f64;
    pub safe fn tanh(x: f64) -> f64;
    pub safe fn trunc(x: f64) -> f64;
}
