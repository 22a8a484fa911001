//! A text for people whose lines know where they come from.
//!
//! In: lines one after the other, each with its place in the source. Out: the text, and a place or none for each of its lines.
//! Always holds: there are as many places as line ends.

use crate::span::Span;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub text: String,
    pub places: Vec<Option<Span>>,
}

impl Listing {
    /// One line, or several, that come from the same place.
    pub fn line(&mut self, text: &str, place: Option<Span>) {
        for line in text.split('\n') {
            self.text.push_str(line);
            self.text.push('\n');
            self.places.push(place);
        }
    }

    /// A piece of a line, or of several; what ends in it comes from there.
    pub fn piece(&mut self, text: &str, place: Option<Span>) {
        self.text.push_str(text);
        self.places.extend(text.bytes().filter(|&byte| byte == b'\n').map(|_| place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_a_place() {
        let mut listing = Listing::default();
        let [a, b] = [0, 4].map(|start| Some(Span { start, end: start + 1 }));
        listing.line("one\ntwo", a);
        listing.piece("th", None);
        listing.piece("ree\n\nfi", b);
        listing.piece("ve\n", None);
        assert_eq!(listing.text, "one\ntwo\nthree\n\nfive\n");
        assert_eq!(listing.places, [a, a, b, b, None]);
    }
}
