use std::sync::Arc;

use super::{LONGEST, Name, clean};
use crate::codegen::Face;
use crate::span::{Lines, Text};
use crate::typed::FuncId;
use crate::typed::build::{gcd, module};

#[test]
fn a_name_has_types_place_and_face() {
    let mut module = module(vec![gcd()]);
    assert_eq!(Name::planned(&module, (FuncId(0), Face::Inner)).name, "jib:gcd(int, int)");
    let places = vec![("a.py".into(), 7), ("b.py".into(), 3)];
    let text = Text { name: "mine".to_owned(), lines: Arc::new(Lines(vec![0, 4, 9])), places };
    let expected = [("a.py", 7), ("a.py", 7), ("b.py", 3), ("b.py", 4), ("b.py", 4)];
    assert_eq!([0, 3, 4, 9, 99].map(|offset| text.place(offset)), expected);
    module.text = Some(Arc::new(text));
    assert_eq!(Name::planned(&module, (FuncId(0), Face::Outer)).name, "jib:mine(int, int) a.py:7 [outer]");
}

#[test]
fn a_name_is_one_line() {
    assert_eq!(clean("a\nb\u{1b}[31m\u{202e}\0 'ä' \\"), "a\\nb\\u{1b}[31m\\u{202e}\\0 'ä' \\");
    let long = clean(&"x".repeat(10 * LONGEST));
    assert_eq!((long.chars().count(), long.chars().last()), (LONGEST + 1, Some('…')));
    assert_eq!(clean(&"x".repeat(LONGEST)).len(), LONGEST);
}
