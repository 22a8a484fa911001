//! Places in the text: half-open ranges of characters. Python turns them into lines and columns for people.

use std::sync::Arc;

/// `text[start..end]`, counted in characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

/// Where the lines of a text begin, so that a dump can say `line:column`.
#[derive(Clone, Debug, Default)]
pub struct Lines(pub Vec<u32>);

impl Lines {
    /// Line and column of a character, both counted from 1.
    pub fn position(&self, offset: u32) -> (u32, u32) {
        let line = self.0.partition_point(|&start| start <= offset);
        let start = if line == 0 { 0 } else { self.0[line - 1] };
        (line.max(1) as u32, offset - start + 1)
    }

    /// `line:column` of where a span begins.
    pub fn show(&self, span: Span) -> String {
        let (line, column) = self.position(span.start);
        format!("{line}:{column}")
    }
}

/// A text as people know it: what its function is called, and where each of its lines stands.
#[derive(Clone, Debug)]
pub struct Text {
    /// Of the entry; the other functions have names of their own.
    pub name: String,
    pub lines: Arc<Lines>,
    /// The file of each line, and its number there; where there are more lines, they follow the last of these.
    pub places: Vec<(Arc<str>, u32)>,
}

impl Text {
    /// File and line of a character.
    pub fn place(&self, offset: u32) -> (&str, u32) {
        let line = self.lines.position(offset).0 as usize - 1;
        let beyond = line.saturating_sub(self.places.len().saturating_sub(1));
        let (file, first) = self.places.get(line).or(self.places.last()).map_or(("", 1), |(file, line)| (file, *line));
        (file, first.saturating_add(beyond as u32))
    }
}
