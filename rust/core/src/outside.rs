//! How a unit of code is entered from outside: what a host says of its objects, so that code can take and give them itself.
//!
//! In: addresses and offsets, which the binding finds out when it is loaded. Out: nothing; `codegen` reads it. Always holds: what is
//! called by an address here never unwinds, and has the type that stands beside it.

/// What the outermost function of a unit takes and gives.
#[derive(Clone, Copy)]
pub enum Outside {
    /// `extern "C" fn(context, args, out) -> status`: slots of 64 bits, for `Code::run`.
    Slots,
    /// `extern "C" fn(callable, args, nargs, names) -> object`, CPython's vectorcall. The token is what calls get that need to know which
    /// code they come from.
    Objects { layout: &'static Layout, token: usize },
    /// `extern "C" fn(context, operands: *const *mut u8, count) -> status`: the function for each of `count` elements, for `Code::run_elements`.
    /// Bit i of `uniform` says that there is one i-th argument for all elements.
    Elements { uniform: u64, how: HowMany },
    /// `extern "C" fn(numbers…) -> number`, as C has them.
    Numbers { calls: &'static Numbers, token: usize },
}

/// How elements are gone through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HowMany {
    /// Several at once, where there is a plan for it.
    Several,
    One,
    /// One after the other, with no instruction that raises flags of the floating-point unit which the operations do not.
    OneQuietly,
}

/// How the host's objects hold numbers: offsets from the object's address, and addresses of its constants.
#[derive(Debug)]
pub struct Layout {
    /// The pointer to an object's class.
    pub class: i32,
    pub float_class: usize,
    /// The double of a float.
    pub float: i32,
    pub int_class: usize,
    pub int: IntLayout,
    pub false_: usize,
    pub true_: usize,
    pub none: usize,
    /// A count of references of 64 bits, to be raised when a constant is given; None: constants live for ever.
    pub references: Option<i32>,
    /// `fn(f64) -> object`
    pub new_float: usize,
    /// `fn(i64) -> object`
    pub new_int: usize,
    /// `fn(u64) -> object`
    pub new_uint: usize,
    /// The same as `other`, and two more: the token, and slots for the arguments. Gives `TOLD` when it has written the arguments there,
    /// which were what the code takes, but for ints that have not their values in place.
    pub unfit: usize,
    /// `fn(token, *const u64) -> object`: a tuple of the code's result type from its slots.
    pub new_tuple: usize,
    /// The vectorcall for arguments that are not what the code takes.
    pub other: usize,
    /// `fn(callable, token, args: *const u64, out: *mut u64) -> i32`: runs the code's slots; 0, or an exception is set.
    pub run: usize,
    /// `fn(callable, token, site: u32, code: u32) -> null`: sets the exception of a failure.
    pub fail: usize,
}

/// No object: `unfit` has told what the arguments are.
pub const TOLD: usize = 1;

/// Where an int has its value if it has one digit (of less than 32 bits) or none.
#[derive(Clone, Copy, Debug)]
pub enum IntLayout {
    /// The number of digits, negative for negative ints, in 64 bits (CPython before 3.12).
    Sized { size: i32, digit: i32 },
    /// `digits << 3 | 1 - sign` in 64 bits (CPython since 3.12).
    Tagged { tag: i32, digit: i32 },
}

/// What a function of C's numbers calls.
#[derive(Debug)]
pub struct Numbers {
    /// `fn(token, args: *const u64, out: *mut u64) -> i32`: runs the code's slots; 0 when it did.
    pub run: usize,
    /// `fn(token, site: u32, code: u32)`: is told of a failure, of which C hears nothing.
    pub fail: usize,
}
