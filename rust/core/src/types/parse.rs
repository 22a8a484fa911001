//! Reads the texts of types and signatures: `int`, `f32`, `tuple[int, float]`, `float(float, int)`.
//!
//! In: what a person wrote in an annotation, or as `signature=`. Out: types, or a sentence of what is wrong.

use super::{ArrayTy, FloatTy, IntTy, Item, Ty};

/// A signature: the types of the arguments, and of the result where it is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    pub params: Vec<Ty>,
    pub result: Option<Ty>,
}

/// What is wrong with a text: the code of a message, and the piece it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Wrong {
    pub code: &'static str,
    pub piece: String,
}

/// Tuples nest no deeper than this.
const DEPTH: usize = 8;

/// Reads a type.
pub fn ty(text: &str) -> Result<Ty, Wrong> {
    let mut reader = Reader { text, at: 0 };
    let ty = reader.ty(0)?;
    reader.end()?;
    Ok(ty)
}

/// Reads `result(type, …)` or `(type, …)`.
pub fn signature(text: &str) -> Result<Signature, Wrong> {
    let mut reader = Reader { text, at: 0 };
    let result = if reader.peek() == Some('(') { None } else { Some(reader.ty(0)?) };
    reader.expect('(')?;
    let params = reader.list(')', 0)?;
    reader.end()?;
    Ok(Signature { params, result })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    fn wrong(&self, code: &'static str) -> Wrong {
        Wrong { code, piece: self.text.to_owned() }
    }

    fn expect(&mut self, wanted: char) -> Result<(), Wrong> {
        if self.peek() != Some(wanted) {
            return Err(self.wrong("bad-signature"));
        }
        self.at += wanted.len_utf8();
        Ok(())
    }

    fn end(&mut self) -> Result<(), Wrong> {
        self.peek().map_or(Ok(()), |_| Err(self.wrong("bad-signature")))
    }

    /// Types up to the closing bracket; a comma may follow the last.
    fn list(&mut self, close: char, depth: usize) -> Result<Vec<Ty>, Wrong> {
        let mut items = Vec::new();
        loop {
            if self.peek() == Some(close) {
                self.at += 1;
                return Ok(items);
            }
            items.push(self.ty(depth)?);
            if self.peek() != Some(close) {
                self.expect(',')?;
            }
        }
    }

    fn ty(&mut self, depth: usize) -> Result<Ty, Wrong> {
        self.peek();
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = &rest[..length];
        self.at += length;
        if name == "const" {
            return match self.ty(DEPTH)? {
                Ty::Array(array) if array.writable => Ok(Ty::Array(ArrayTy { writable: false, ..array })),
                _ => Err(self.wrong("bad-signature")),
            };
        }
        if name == "tuple" {
            if depth == DEPTH {
                return Err(self.wrong("bad-signature"));
            }
            self.expect('[')?;
            return Ok(Ty::Tuple(self.list(']', depth + 1)?.into()));
        }
        let ty = scalar(name).ok_or_else(|| Wrong {
            code: if name.is_empty() { "bad-signature" } else { "unknown-type" },
            piece: if name.is_empty() { self.text.to_owned() } else { name.to_owned() },
        })?;
        if self.peek() == Some('[') {
            let item = Item::of(&ty).ok_or_else(|| self.wrong("bad-signature"))?;
            return Ok(Ty::Array(self.array(item)?));
        }
        Ok(ty)
    }

    /// `[:, :]`, or `[:, ::1]` of what is contiguous.
    fn array(&mut self, item: Item) -> Result<ArrayTy, Wrong> {
        self.expect('[')?;
        let mut ndim = 0;
        loop {
            self.expect(':')?;
            ndim += 1;
            let contiguous = self.peek() == Some(':');
            if contiguous {
                self.expect(':')?;
                self.expect('1')?;
            }
            if self.peek() == Some(']') {
                self.at += 1;
                if usize::from(ndim) > ArrayTy::MOST_DIMENSIONS {
                    return Err(self.wrong("too-many-dimensions"));
                }
                return Ok(ArrayTy { item, ndim, contiguous, writable: true });
            }
            if contiguous || usize::from(ndim) > ArrayTy::MOST_DIMENSIONS {
                return Err(self.wrong(if contiguous { "bad-signature" } else { "too-many-dimensions" }));
            }
            self.expect(',')?;
        }
    }
}

/// The names of scalar types; C's spellings as in ctypes and Numba are understood too.
fn scalar(name: &str) -> Option<Ty> {
    Some(match name {
        "None" | "void" => Ty::None,
        "bool" => Ty::Bool,
        "int" | "i64" | "int64" => Ty::INT,
        "float" | "f64" | "double" | "float64" => Ty::FLOAT,
        "f32" | "float32" => Ty::Float(FloatTy::F32),
        _ => {
            let plain = name.strip_prefix("uint").map(|bits| format!("u{bits}"));
            let plain = plain.or_else(|| name.strip_prefix("int").map(|bits| format!("i{bits}")));
            let name = plain.as_deref().unwrap_or(name);
            Ty::Int(IntTy::ALL.into_iter().find(|int| int.name() == name)?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_print_and_read_back() {
        for text in ["int", "float", "bool", "None", "u64", "i8", "f32", "tuple[int, tuple[float, bool]]", "tuple[]"] {
            assert_eq!(ty(text).unwrap().to_string(), text);
        }
        assert_eq!(ty(" tuple[ f64 , int32, ]").unwrap().to_string(), "tuple[float, i32]");
    }

    #[test]
    fn arrays() {
        for text in ["f64[:]", "i64[::1]", "const bool[:, :]", "const u8[:, :, :, ::1]", "tuple[f32[:], int]"] {
            assert_eq!(ty(text).unwrap().to_string(), text);
        }
        assert_eq!(ty("float[ : ,:: 1 ]").unwrap().to_string(), "f64[:, ::1]");
        assert_eq!(ty("f64[:, :, :, :, :]").unwrap_err().code, "too-many-dimensions");
        for text in ["f64[]", "f64[::1, :]", "f64[:", "None[:]", "const int", "const const f64[:]", "f64[::2]"] {
            assert_eq!(ty(text).unwrap_err().code, "bad-signature", "{text}");
        }
    }

    #[test]
    fn signatures() {
        let read = signature("float(float, int)").unwrap();
        assert_eq!(read, Signature { params: vec![Ty::FLOAT, Ty::INT], result: Some(Ty::FLOAT) });
        assert_eq!(signature("()").unwrap(), Signature { params: vec![], result: None });
        assert_eq!(signature("complex(int)").unwrap_err().code, "unknown-type");
        assert_eq!(signature("int").unwrap_err().code, "bad-signature");
        assert_eq!(signature("int(int))").unwrap_err().code, "bad-signature");
        assert_eq!(ty(&"tuple[".repeat(1000)).unwrap_err().code, "bad-signature");
    }
}
