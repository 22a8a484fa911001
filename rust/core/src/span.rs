//! Places in the text: half-open ranges of characters. Python turns them into lines and columns for people.

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
