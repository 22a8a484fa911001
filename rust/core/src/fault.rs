//! What can go wrong while a compiled function runs: one row per failure, with Python's exception and its text.
//!
//! In: the code a helper or generated code left behind. Out: the name of a builtin exception and what `str(exc)`
//! prints. Codes are 1-based and dense, so that 0 can mean "fine"; a row's code is its place in the table, and
//! nothing outside this file may rely on which number that is. Where CPython raises, exception and text are CPython
//! 3.11's.

macro_rules! faults {
    ($(#[$first_doc:meta])* $first:ident = $first_exception:literal, $first_message:literal;
     $($(#[$doc:meta])* $name:ident = $exception:literal, $message:literal;)*) => {
        /// A failure at run time. `as u32` is the code that generated code returns; 0 is no fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum Fault {
            $(#[$first_doc])* $first = 1,
            $($(#[$doc])* $name,)*
        }

        /// Every row, in the order of its code: `ROWS[code - 1]`.
        const ROWS: &[(Fault, &str, &str)] = &[
            (Fault::$first, $first_exception, $first_message),
            $((Fault::$name, $exception, $message)),*
        ];
    };
}

faults! {
    /// `1 / 0`, of ints.
    DivisionByZero = "ZeroDivisionError", "division by zero";
    /// `1.0 / 0.0`, and `math.log(x, 1)`.
    FloatDivisionByZero = "ZeroDivisionError", "float division by zero";
    /// `1 // 0`, `divmod(1, 0)`.
    IntFloorDivisionByZero = "ZeroDivisionError", "integer division or modulo by zero";
    /// `1 % 0`.
    IntModuloByZero = "ZeroDivisionError", "integer modulo by zero";
    /// `1.0 // 0.0`.
    FloatFloorDivisionByZero = "ZeroDivisionError", "float floor division by zero";
    /// `1.0 % 0.0`.
    FloatModuloByZero = "ZeroDivisionError", "float modulo";
    /// `divmod(1.0, 0.0)`.
    FloatDivmodByZero = "ZeroDivisionError", "float divmod()";
    /// `0.0 ** -1`, `0 ** -1`.
    ZeroToNegativePower = "ZeroDivisionError", "0.0 cannot be raised to a negative power";

    /// Ours: Python's int would have grown.
    IntOverflow = "OverflowError", "int result outside 64 bits";
    /// Ours: a value does not fit the sized integer type it is converted to.
    SizedIntOverflow = "OverflowError", "value outside the range of the integer type";
    /// Ours: a float of at least 2**64, or at most -1, converted to an unsigned integer.
    UnsignedOverflow = "OverflowError", "float value outside the range of an unsigned 64-bit int";
    InfinityToInt = "OverflowError", "cannot convert float infinity to integer";
    NanToInt = "ValueError", "cannot convert float NaN to integer";

    MathDomain = "ValueError", "math domain error";
    MathRange = "OverflowError", "math range error";
    /// `1e308 ** 2.0`: CPython raises from errno, hence the shape of the text.
    PowerRange = "OverflowError", "(34, 'Numerical result out of range')";
    /// `round(1.7e308, -308)`.
    RoundOverflow = "OverflowError", "rounded value too large to represent";
    FmaInvalid = "ValueError", "invalid operation in fma";
    FmaOverflow = "OverflowError", "overflow in fma";
    NegativeTolerance = "ValueError", "tolerances must be non-negative";

    /// Ours: Python would answer a float, but only the value of the exponent says so.
    NegativeIntPower = "ValueError", "int to a negative power is a float: write the exponent as a literal or a float";
    /// Ours: Python would answer a complex number.
    NegativeBaseFractionalPower = "ValueError", "negative float to a fractional power is complex";
    /// NumPy's own refusal, in arithmetic="numpy".
    NumpyNegativeIntPower = "ValueError", "Integers to negative integer powers are not allowed.";
    PowModulusZero = "ValueError", "pow() 3rd argument cannot be 0";
    PowNotInvertible = "ValueError", "base is not invertible for the given modulus";

    NegativeShift = "ValueError", "negative shift count";
    RangeStepZero = "ValueError", "range() arg 3 must not be zero";
    FactorialNegative = "ValueError", "factorial() not defined for negative values";
    IsqrtNegative = "ValueError", "isqrt() argument must be nonnegative";
    /// `comb(-1, k)`, `perm(-1, k)`.
    NegativeN = "ValueError", "n must be a non-negative integer";
    /// `comb(n, -1)`, `perm(n, -1)`.
    NegativeK = "ValueError", "k must be a non-negative integer";

    /// An index into an array: the words are ours, shorter than NumPy's.
    IndexRange = "IndexError", "index out of bounds";
    ReadOnly = "ValueError", "assignment destination is read-only";
    /// Of `Op::Map` and its like.
    Shapes = "ValueError", "operands could not be broadcast together";
    EmptyReduction = "ValueError", "an array without elements has no least or greatest";
    ArrayTooLarge = "MemoryError", "no memory for an array";
    /// `a, b = x` of an array that has not two elements.
    UnpackCount = "ValueError", "wrong number of values to unpack";
    SliceStepZero = "ValueError", "slice step cannot be zero";

    Recursion = "RecursionError", "maximum recursion depth exceeded";
}

/// The exceptions that a text can raise by `raise`: names in Python's `builtins`. Whoever raises looks there, and would call anything
/// else that has such a name.
pub static RAISABLE: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BufferError",
    "EOFError",
    "Exception",
    "FloatingPointError",
    "ImportError",
    "IndexError",
    "KeyError",
    "LookupError",
    "NameError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "RecursionError",
    "ReferenceError",
    "RuntimeError",
    "StopIteration",
    "TypeError",
    "UnboundLocalError",
    "ValueError",
    "ZeroDivisionError",
];

impl Fault {
    /// How many faults there are: the codes are `1..=COUNT`.
    pub const COUNT: u32 = ROWS.len() as u32;

    /// The code that generated code returns: never 0.
    pub fn code(self) -> u32 {
        self as u32
    }

    /// The fault of a code; `None` for 0 and for what no row has.
    pub fn from_code(code: u32) -> Option<Fault> {
        let index = code.checked_sub(1)?;
        ROWS.get(index as usize).map(|row| row.0)
    }

    /// The name of the builtin exception.
    pub fn exception(self) -> &'static str {
        self.row().1
    }

    /// What `str(exc)` prints.
    pub fn message(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Fault, &'static str, &'static str) {
        &ROWS[self as usize - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_count_from_one_and_come_back() {
        assert_eq!(Fault::from_code(0), None);
        assert_eq!(Fault::from_code(Fault::COUNT + 1), None);
        assert_eq!(Fault::from_code(u32::MAX), None);
        assert_eq!(Fault::DivisionByZero.code(), 1);
        for code in 1..=Fault::COUNT {
            let fault = Fault::from_code(code).expect("dense");
            assert_eq!(fault.code(), code);
            assert!(fault.exception().ends_with("Error"));
            assert!(!fault.message().is_empty());
        }
    }

    #[test]
    fn texts_are_cpythons() {
        assert_eq!(Fault::PowerRange.message(), "(34, 'Numerical result out of range')");
        assert_eq!(Fault::FloatModuloByZero.message(), "float modulo");
        assert_eq!(Fault::MathRange.exception(), "OverflowError");
    }
}
