//! Lists of what a user can choose from; they drive help texts.

/// One entry of a list.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// The word to write.
    pub name: &'static str,
    /// What it means, in one line.
    pub summary: &'static str,
}
