//! How much one source may become: what a person writes is far below, and the worst text within compiles in seconds.

/// The limits that this half of the compiler asks about; Python's `Limits` has the same names and says what they are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits {
    /// Arguments of jumps, over all functions: the values of variables where paths join.
    pub joins: usize,
    /// Values of typed IR, over all combinations of types of one specialisation.
    pub values: usize,
    /// Blocks of machine code, over all functions of one specialisation.
    pub blocks: usize,
    /// The blocks of machine code through which values are kept, added up.
    pub kept: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { joins: 200_000, values: 250_000, blocks: 32_000, kept: 2_000_000 }
    }
}
