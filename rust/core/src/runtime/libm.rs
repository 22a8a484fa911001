//! The C library's mathematics: the same libm that CPython's `math` is linked with, so its last bits are Python's.
//!
//! In and out: doubles by value. Rust's `f64::sin` and friends promise no particular result and may be folded by LLVM
//! with another one; these declarations are calls.

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
    #[link_name = "cbrt"]
    safe fn linked_cbrt(x: f64) -> f64;
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

/// The C library's `cbrt`, found by name at run time: Rust's compiler_builtins has a `cbrt` of its own, which the linker takes
/// before libm's and whose last bit is another. (Its other functions, such as `fmod` and `rint`, are exact in both.)
pub extern "C" fn cbrt(x: f64) -> f64 {
    #[cfg(all(unix, not(miri)))]
    {
        use core::ffi::{c_char, c_void};
        use std::sync::LazyLock;
        type Function = extern "C" fn(f64) -> f64;
        // SAFETY: dlsym's signature in POSIX.
        unsafe extern "C" {
            fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
        }
        static FOUND: LazyLock<Option<Function>> = LazyLock::new(|| {
            // RTLD_DEFAULT: what every library that is loaded for all sees; Python and this one need libm.
            let everywhere = if cfg!(target_os = "macos") { -2isize as *mut c_void } else { core::ptr::null_mut() };
            // SAFETY: the name ends in NUL.
            let found = unsafe { dlsym(everywhere, c"cbrt".as_ptr()) };
            // SAFETY: a function of that name is C99's; libm is never unloaded, since this library needs it.
            (!found.is_null()).then(|| unsafe { core::mem::transmute::<*mut c_void, Function>(found) })
        });
        if let Some(function) = *FOUND {
            return function(x);
        }
    }
    linked_cbrt(x)
}
