//! Python's text of values: what `print` writes and what `repr` shows.
//!
//! In: a type and the 64-bit slots of a value, as `eval` lays them out. Out: CPython's text, character for character. `str()`
//! and `repr()` agree on everything here.

use crate::typed::{Piece, Print};
use crate::types::Ty;

/// The text of a value of one slot or, for None, of whatever slot.
pub fn scalar(ty: &Ty, bits: u64) -> String {
    match ty {
        Ty::None => "None".to_owned(),
        Ty::Bool => if bits == 0 { "False" } else { "True" }.to_owned(),
        Ty::Int(int) => int.read(bits).to_string(),
        // An f32 travels as the f64 of equal value, and is shown as that.
        Ty::Float(_) => float(f64::from_bits(bits)),
        Ty::Tuple(_) | Ty::Str => value(ty, &[bits]),
        Ty::Array(_) => ty.to_string(),
    }
}

/// The text of a value; missing slots read as 0.
pub fn value(ty: &Ty, slots: &[u64]) -> String {
    let mut text = String::new();
    write_value(ty, slots, &mut text);
    text
}

/// Nesting is bounded by the parser's, hence the recursion.
fn write_value(ty: &Ty, slots: &[u64], out: &mut String) {
    let Ty::Tuple(items) = ty else {
        match ty {
            Ty::Str => out.push_str("''"),
            _ => out.push_str(&scalar(ty, slots.first().copied().unwrap_or(0))),
        }
        return;
    };
    out.push('(');
    let mut at = 0;
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write_value(item, slots.get(at..).unwrap_or(&[]), out);
        at += item.width();
    }
    out.push_str(if items.len() == 1 { ",)" } else { ")" });
}

/// What one `print` writes: `types` and `slots` are those of the operands, in order.
pub fn print_line(print: &Print, types: &[&Ty], slots: &[u64]) -> String {
    let mut text = String::new();
    let (mut operand, mut at) = (types.iter(), 0);
    for (i, piece) in print.pieces.iter().enumerate() {
        if i > 0 {
            text.push_str(&print.sep);
        }
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Value => {
                let Some(ty) = operand.next() else { continue };
                write_value(ty, slots.get(at..).unwrap_or(&[]), &mut text);
                at += ty.width();
            }
        }
    }
    text.push_str(&print.end);
    text
}

/// CPython's `repr(float)`: the fewest digits that read back as the same number, the nearest to it among those; exponent
/// form when the exponent is below -4 or at least 16.
pub fn float(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_owned();
    }
    if x.is_infinite() {
        return if x < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let shortest = shortest(x.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let sign = if x.is_sign_negative() { "-" } else { "" };
    if !(-4..16).contains(&exponent) {
        let mark = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{mantissa}e{mark}{:02}", exponent.unsigned_abs());
    }
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", "0".repeat((-1 - exponent) as usize));
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits}{}.0", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

/// The digits, as `1.25e-7` or `0e0`.
///
/// Rust finds the fewest; where two texts of that length are equally near, it takes the larger, and CPython the even one, which
/// is what rounding to that many digits gives. That may read back as another number, below a power of two.
fn shortest(x: f64) -> String {
    let fewest = format!("{x:e}");
    let digits = fewest.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
    let even = format!("{x:.*e}", digits - 1);
    if even.parse() == Ok(x) { even } else { fewest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{FloatTy, IntTy};

    #[test]
    fn floats_are_cpythons() {
        let rows = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-1.25, "-1.25"),
            (123456.789, "123456.789"),
            (1e15, "1000000000000000.0"),
            (9999999999999998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1.5e16, "1.5e+16"),
            (1e22, "1e+22"),
            (0.0001, "0.0001"),
            (0.00012, "0.00012"),
            (1e-5, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (-f64::NAN, "nan"),
            (2f64.powi(-44), "5.684341886080802e-14"),
            (9007199254740993.0, "9007199254740992.0"),
            // Ties between two shortest texts, one of them at a power of two.
            (2f64.powi(50) + 0.25, "1125899906842624.2"),
            (2f64.powi(-25), "2.9802322387695312e-08"),
            (2f64.powi(-1022), "2.2250738585072014e-308"),
        ];
        for (x, text) in rows {
            assert_eq!(float(x), text);
        }
    }

    #[test]
    fn scalars() {
        assert_eq!(scalar(&Ty::INT, u64::MAX), "-1");
        assert_eq!(scalar(&Ty::Int(IntTy::U64), u64::MAX), "18446744073709551615");
        assert_eq!(scalar(&Ty::Int(IntTy::I8), -5i64 as u64), "-5");
        assert_eq!((scalar(&Ty::Bool, 1), scalar(&Ty::Bool, 0)), ("True".to_owned(), "False".to_owned()));
        assert_eq!(scalar(&Ty::None, 0), "None");
        assert_eq!(scalar(&Ty::Float(FloatTy::F32), (0.1f32 as f64).to_bits()), "0.10000000149011612");
    }

    #[test]
    fn tuples_and_print() {
        let pair = Ty::Tuple([Ty::INT, Ty::FLOAT].into());
        let slots = [1, 2f64.to_bits()];
        assert_eq!(value(&pair, &slots), "(1, 2.0)");
        assert_eq!(value(&Ty::Tuple([Ty::INT].into()), &[7]), "(7,)");
        assert_eq!(value(&Ty::Tuple([].into()), &[]), "()");
        let nested = Ty::Tuple([pair.clone(), Ty::None, Ty::Bool].into());
        assert_eq!(value(&nested, &[1, 2f64.to_bits(), 1]), "((1, 2.0), None, True)");

        let pieces = vec![Piece::Text("x =".into()), Piece::Value, Piece::Value];
        let print = Print { sep: " ".into(), end: "!\n".into(), pieces };
        assert_eq!(print_line(&print, &[&pair, &Ty::INT], &[1, 2f64.to_bits(), 3]), "x = (1, 2.0) 3!\n");
        let empty = Print { sep: " ".into(), end: "\n".into(), pieces: vec![] };
        assert_eq!(print_line(&empty, &[], &[]), "\n");
    }
}
