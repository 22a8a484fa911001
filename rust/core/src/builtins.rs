//! The one table of primitives: operators, builtins, and the few that only loops use.
//!
//! A row says how a call is written, how many operands it takes, and by which rule it is typed and lowered; whether it may be
//! folded or dropped follows from the operations the rule emits (`Op::can_raise`). Python reads the rows that have a signature.
//! To add a function of floats that the runtime has a helper for, add a row with the rule `math::floats`.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::types::rules::{Rule, arith, array, augment, compare, convert, math, reduce};

/// One primitive.
pub struct Primitive {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// How a call is written, as in a `def`; empty for what no text can call.
    pub signature: &'static str,
    /// One line for people; for an operator its symbol, which messages show.
    pub doc: &'static str,
    /// The least and the greatest number of operands.
    pub arity: (usize, usize),
    pub rule: Rule,
    /// Whether it takes arrays as they are; else what it does to numbers, it does to each element.
    pub whole: bool,
}

impl Primitive {
    /// What messages call it: an operator's sign, or `name()`.
    pub fn symbol(&self) -> String {
        if self.signature.is_empty() { self.doc.to_owned() } else { format!("{}()", self.name) }
    }

    pub fn takes(&self, operands: usize) -> bool {
        (self.arity.0..=self.arity.1).contains(&operands)
    }
}

impl std::fmt::Debug for Primitive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A name that stands for a number.
pub struct Constant {
    pub name: &'static str,
    pub value: f64,
    pub doc: &'static str,
}

/// Any number of operands.
const MANY: usize = usize::MAX;

/// An operator: name, symbol, number of operands, rule.
const fn op(name: &'static str, symbol: &'static str, operands: usize, rule: Rule) -> Primitive {
    Primitive { name, aliases: &[], signature: "", doc: symbol, arity: (operands, operands), rule, whole: false }
}

/// A builtin: name, aliases, signature, least and greatest number of operands, rule, doc.
const fn row(
    name: &'static str,
    aliases: &'static [&'static str],
    signature: &'static str,
    arity: (usize, usize),
    rule: Rule,
    doc: &'static str,
) -> Primitive {
    Primitive { name, aliases, signature, doc, arity, rule, whole: false }
}

/// The same row, of something that takes arrays as they are.
const fn whole(row: Primitive) -> Primitive {
    Primitive { whole: true, ..row }
}

/// A function of one float.
const fn float1(name: &'static str, aliases: &'static [&'static str], doc: &'static str) -> Primitive {
    row(name, aliases, "x, /", (1, 1), math::floats, doc)
}

pub static CONSTANTS: &[Constant] = &[
    Constant { name: "pi", value: std::f64::consts::PI, doc: "The ratio of a circle's circumference to its diameter." },
    Constant { name: "e", value: std::f64::consts::E, doc: "The base of the natural logarithm." },
    Constant { name: "tau", value: std::f64::consts::TAU, doc: "Twice pi." },
    Constant { name: "inf", value: f64::INFINITY, doc: "Positive infinity." },
    Constant { name: "nan", value: f64::NAN, doc: "Not a number." },
];

pub static PRIMITIVES: &[Primitive] = &[
    op("add", "+", 2, arith::add),
    op("sub", "-", 2, arith::sub),
    op("mul", "*", 2, arith::mul),
    op("truediv", "/", 2, arith::truediv),
    op("floordiv", "//", 2, arith::floordiv),
    op("mod", "%", 2, arith::modulo),
    op("power", "** or pow()", 2, arith::power),
    op("and_", "&", 2, arith::and),
    op("or_", "|", 2, arith::or),
    op("xor", "^", 2, arith::xor),
    op("lshift", "<<", 2, arith::lshift),
    op("rshift", ">>", 2, arith::rshift),
    whole(op("iadd", "+=", 2, augment::iadd)),
    whole(op("isub", "-=", 2, augment::isub)),
    whole(op("imul", "*=", 2, augment::imul)),
    whole(op("itruediv", "/=", 2, augment::itruediv)),
    whole(op("ifloordiv", "//=", 2, augment::ifloordiv)),
    whole(op("imod", "%=", 2, augment::imod)),
    whole(op("ipower", "**=", 2, augment::ipower)),
    whole(op("iand_", "&=", 2, augment::iand)),
    whole(op("ior_", "|=", 2, augment::ior)),
    whole(op("ixor", "^=", 2, augment::ixor)),
    whole(op("ilshift", "<<=", 2, augment::ilshift)),
    whole(op("irshift", ">>=", 2, augment::irshift)),
    op("neg", "-", 1, arith::neg),
    op("pos", "+", 1, arith::pos),
    op("invert", "~", 1, arith::invert),
    whole(op("not", "not", 1, compare::not)),
    op("lt", "<", 2, compare::lt),
    op("le", "<=", 2, compare::le),
    op("gt", ">", 2, compare::gt),
    op("ge", ">=", 2, compare::ge),
    op("eq", "==", 2, compare::eq),
    op("ne", "!=", 2, compare::ne),
    Primitive {
        name: "subscript",
        aliases: &[],
        signature: "",
        doc: "[]",
        arity: (2, 6),
        rule: reduce::subscript,
        whole: true,
    },
    // Arrays: indices among slices, slices, writing, attributes, and what `for` over one asks.
    whole(op("at", "[]", 3, array::at)),
    whole(op("cut", "[:]", 5, array::cut)),
    Primitive { name: "store", aliases: &[], signature: "", doc: "[]", arity: (3, 6), rule: array::store, whole: true },
    whole(op("assign", "[:]", 2, array::assign)),
    whole(op("shape", ".shape", 1, array::shape)),
    whole(op("size", ".size", 1, array::size)),
    whole(op("ndim", ".ndim", 1, array::ndim)),
    whole(op("transpose", ".T", 1, array::transpose)),
    whole(op("iter_len", "for", 1, array::iter_len)),
    // What `for` over a range is made of.
    whole(op("as_index", "range()", 1, arith::as_index)),
    whole(op("range_count", "range()", 3, arith::range_count)),
    whole(op("next_index", "+", 2, arith::next_index)),
    // Python's builtins.
    row("abs", &["absolute"], "x, /", (1, 1), arith::abs, "The absolute value."),
    whole(row("min", &[], "*args", (1, MANY), compare::min, "The first of the least.")),
    whole(row("max", &[], "*args", (1, MANY), compare::max, "The first of the greatest.")),
    row(
        "round",
        &[],
        "number, ndigits=None",
        (1, 2),
        convert::round,
        "To an int, or to ndigits decimals; half to even.",
    ),
    row("int", &[], "x=0, /", (1, 1), convert::int, "To an int, towards zero."),
    row("float", &["f64", "double", "float64"], "x=0.0, /", (1, 1), convert::float, "To a float."),
    row("bool", &[], "x=False, /", (1, 1), convert::bool, "Whether it is true."),
    row("pow", &[], "base, exp, mod=None", (2, 3), arith::pow, "base ** exp, or its rest by mod."),
    row("divmod", &[], "a, b, /", (2, 2), arith::divmod, "The pair (a // b, a % b)."),
    whole(row("len", &[], "x, /", (1, 1), reduce::len, "The number of elements.")),
    whole(row("sum", &[], "x, /, start=0", (1, 2), reduce::sum, "The sum, from left to right.")),
    whole(row("prod", &[], "x, /, *, start=1", (1, 2), reduce::prod, "The product, from left to right.")),
    whole(row("any", &[], "x, /", (1, 1), reduce::any, "Whether one is true.")),
    whole(row("all", &[], "x, /", (1, 1), reduce::all, "Whether none is false.")),
    whole(row("print", &[], "*args, sep=' ', end='\\n'", (2, MANY), reduce::print, "Writes to sys.stdout.")),
    whole(row("mean", &[], "x, /", (1, 1), array::mean, "The sum of an array's elements by their number.")),
    whole(row("dot", &[], "x, y, /", (2, 2), array::dot, "The sum of the products of two arrays' elements.")),
    whole(row("argmin", &[], "x, /", (1, 1), array::argmin, "The index of the first of an array's least elements.")),
    whole(row("argmax", &[], "x, /", (1, 1), array::argmax, "The index of the first of an array's greatest elements.")),
    whole(row("count_nonzero", &[], "x, /", (1, 1), array::count_nonzero, "How many of an array's elements are true.")),
    // The sized types.
    row("i8", &["int8"], "x, /", (1, 1), convert::sized_int, "To 8 bits, signed; OverflowError outside."),
    row("i16", &["int16"], "x, /", (1, 1), convert::sized_int, "To 16 bits, signed; OverflowError outside."),
    row("i32", &["int32"], "x, /", (1, 1), convert::sized_int, "To 32 bits, signed; OverflowError outside."),
    row("i64", &["int64"], "x, /", (1, 1), convert::sized_int, "To an int."),
    row("u8", &["uint8"], "x, /", (1, 1), convert::sized_int, "To 8 bits, unsigned; OverflowError outside."),
    row("u16", &["uint16"], "x, /", (1, 1), convert::sized_int, "To 16 bits, unsigned; OverflowError outside."),
    row("u32", &["uint32"], "x, /", (1, 1), convert::sized_int, "To 32 bits, unsigned; OverflowError outside."),
    row("u64", &["uint64"], "x, /", (1, 1), convert::sized_int, "To 64 bits, unsigned; OverflowError outside."),
    row("f32", &["float32"], "x, /", (1, 1), convert::f32, "To single precision."),
    // math: floats to floats.
    float1("sin", &[], "The sine of x radians."),
    float1("cos", &[], "The cosine of x radians."),
    float1("tan", &[], "The tangent of x radians."),
    float1("asin", &["arcsin"], "The arc sine, in radians."),
    float1("acos", &["arccos"], "The arc cosine, in radians."),
    float1("atan", &["arctan"], "The arc tangent, in radians."),
    float1("sinh", &[], "The hyperbolic sine."),
    float1("cosh", &[], "The hyperbolic cosine."),
    float1("tanh", &[], "The hyperbolic tangent."),
    float1("asinh", &["arcsinh"], "The inverse hyperbolic sine."),
    float1("acosh", &["arccosh"], "The inverse hyperbolic cosine."),
    float1("atanh", &["arctanh"], "The inverse hyperbolic tangent."),
    float1("exp", &[], "e to the power of x."),
    float1("exp2", &[], "2 to the power of x."),
    float1("expm1", &[], "exp(x) - 1, exact for small x."),
    float1("log2", &[], "The logarithm to base 2."),
    float1("log10", &[], "The logarithm to base 10."),
    float1("log1p", &[], "log(1 + x), exact for small x."),
    float1("cbrt", &[], "The cube root."),
    float1("erf", &[], "The error function."),
    float1("erfc", &[], "1 - erf(x)."),
    float1("gamma", &[], "The gamma function."),
    float1("lgamma", &[], "The logarithm of the absolute value of gamma."),
    float1("degrees", &["rad2deg"], "Radians to degrees."),
    float1("radians", &["deg2rad"], "Degrees to radians."),
    row("ulp", &[], "x, /", (1, 1), math::doubles, "The value of the last bit of x."),
    float1("frexp", &[], "The pair (m, e) with x == m * 2**e and 0.5 <= abs(m) < 1."),
    float1("modf", &[], "The pair of fractional and integral part."),
    row("sqrt", &[], "x, /", (1, 1), math::sqrt, "The square root."),
    row("fabs", &[], "x, /", (1, 1), math::fabs, "The absolute value, as a float."),
    row("log", &[], "x, base=None, /", (1, 2), math::log, "The natural logarithm, or that to a base."),
    row("atan2", &["arctan2"], "y, x, /", (2, 2), math::floats, "The angle of the point (x, y), in radians."),
    row("hypot", &[], "*coordinates", (0, MANY), math::hypot, "The Euclidean length of up to three coordinates."),
    row("fmod", &[], "x, y, /", (2, 2), math::fmod, "The rest of x / y with the sign of x."),
    row("remainder", &[], "x, y, /", (2, 2), math::floats, "The IEEE 754 remainder of x by y."),
    row("copysign", &[], "x, y, /", (2, 2), math::copysign, "The size of x with the sign of y."),
    row("nextafter", &[], "x, y, /", (2, 2), math::doubles, "The next float after x towards y."),
    row("ldexp", &[], "x, i, /", (2, 2), math::ldexp, "x * 2**i."),
    row("fma", &[], "x, y, z, /", (3, 3), math::floats, "x * y + z, rounded once."),
    row("math.pow", &[], "x, y, /", (2, 2), math::math_pow, "x to the power of y, as floats."),
    row("isclose", &[], "a, b, *, rel_tol=1e-09, abs_tol=0.0", (4, 4), math::floats, "Whether a and b are close."),
    row("isfinite", &[], "x, /", (1, 1), math::isfinite, "Whether x is neither infinite nor nan."),
    row("isinf", &[], "x, /", (1, 1), math::isinf, "Whether x is infinite."),
    row("isnan", &[], "x, /", (1, 1), math::isnan, "Whether x is nan."),
    row("floor", &[], "x, /", (1, 1), convert::floor, "The greatest int that is not above x."),
    row("ceil", &[], "x, /", (1, 1), convert::ceil, "The least int that is not below x."),
    row("trunc", &["fix"], "x, /", (1, 1), convert::trunc, "The int part of x."),
    // math: ints.
    row("gcd", &[], "*integers", (0, MANY), math::gcd, "The greatest common divisor."),
    row("lcm", &[], "*integers", (0, MANY), math::lcm, "The least common multiple."),
    row("isqrt", &[], "n, /", (1, 1), math::ints, "The int part of the square root."),
    row("factorial", &[], "n, /", (1, 1), math::ints, "n!"),
    row("comb", &[], "n, k, /", (2, 2), math::ints, "The ways to choose k of n."),
    row("perm", &[], "n, k=None, /", (1, 2), math::perm, "The ways to choose k of n in order."),
    // NumPy's spellings of what has no name above.
    row(
        "where",
        &[],
        "condition, x, y",
        (3, 3),
        compare::where_,
        "x where the condition is true, else y; both are evaluated.",
    ),
    row("minimum", &[], "a, b, /", (2, 2), compare::minimum, "The lesser; nan if one is."),
    row("maximum", &[], "a, b, /", (2, 2), compare::maximum, "The greater; nan if one is."),
    row("clip", &[], "x, low, high", (3, 3), compare::clip, "x, but not below low nor above high."),
    row("sign", &[], "x, /", (1, 1), math::sign, "-1, 0 or 1; nan for nan."),
    row("signbit", &[], "x, /", (1, 1), math::signbit, "Whether the sign of x is set, also that of -0.0."),
    row("rint", &[], "x, /", (1, 1), math::rint, "The nearest integral float, half to even."),
    row("square", &[], "x, /", (1, 1), arith::square, "x * x."),
    row("reciprocal", &[], "x, /", (1, 1), math::reciprocal, "1.0 / x."),
    row("logical_and", &[], "a, b, /", (2, 2), compare::logical_and, "Whether both are true; both are evaluated."),
    row("logical_or", &[], "a, b, /", (2, 2), compare::logical_or, "Whether one is true; both are evaluated."),
    row("logical_xor", &[], "a, b, /", (2, 2), compare::logical_xor, "Whether just one is true."),
    row("logical_not", &[], "a, /", (1, 1), compare::not, "Whether it is false."),
];

/// The primitive of that name; aliases are resolved in Python.
pub fn primitive(name: &str) -> Option<&'static Primitive> {
    static BY_NAME: OnceLock<HashMap<&'static str, &'static Primitive>> = OnceLock::new();
    BY_NAME.get_or_init(|| PRIMITIVES.iter().map(|p| (p.name, p)).collect()).get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_stands_for_one_thing() {
        let mut seen = HashSet::new();
        for p in PRIMITIVES {
            for name in p.aliases.iter().chain([&p.name]) {
                assert!(seen.insert(*name), "{name} is in two rows");
            }
            assert!(p.arity.0 <= p.arity.1, "{}", p.name);
        }
    }
}
