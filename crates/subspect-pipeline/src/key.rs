//! Stage keys: a BLAKE3 hash over everything a stage's output depends on.
//!
//! A stage is reused exactly when the key beside its output equals the key of what is asked now, so whatever
//! may change a single bit of the output belongs into the key, and nothing else does (paths, threads, times).
//! Every part is hashed with its name and length, so that no two different lists of parts run together.

use blake3::Hasher;

/// Collects the parts of a key.
#[derive(Clone, Debug)]
pub struct KeyBuilder(Hasher);

impl KeyBuilder {
    /// A key of `stage`, whose code is at `version`: raise it when the stage's results change between releases;
    /// every release has keys of its own.
    pub fn new(stage: &str, version: u32) -> Self {
        KeyBuilder(Hasher::new())
            .text("subspect", env!("CARGO_PKG_VERSION"))
            .text("stage", stage)
            .text("version", &version.to_string())
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, name: &str, value: &str) -> Self {
        for part in [name, value] {
            self.0.update(&(part.len() as u64).to_le_bytes());
            self.0.update(part.as_bytes());
        }
        self
    }

    /// Adds a number, by its bits.
    #[must_use]
    pub fn number(self, name: &str, value: f64) -> Self {
        self.text(name, &format!("{:016x}", value.to_bits()))
    }

    /// Adds a whole number.
    #[must_use]
    pub fn count(self, name: &str, value: u64) -> Self {
        self.text(name, &value.to_string())
    }

    /// Adds a list of texts, with its length.
    #[must_use]
    pub fn list<'a>(self, name: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut n = 0;
        let mut key = self;
        for value in values {
            key = key.text(name, value);
            n += 1;
        }
        key.count(name, n)
    }

    /// Adds 32-bit numbers such as labels.
    #[must_use]
    pub fn numbers(self, name: &str, values: &[u32]) -> Self {
        let mut hasher = Hasher::new();
        for value in values {
            hasher.update(&value.to_le_bytes());
        }
        self.count(name, values.len() as u64).text(name, hasher.finalize().to_hex().as_str())
    }

    /// The key: 32 hexadecimal digits.
    pub fn finish(self) -> String {
        self.0.finalize().to_hex()[..32].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        let key = || KeyBuilder::new("s", 1);
        assert_ne!(key().text("a", "bc").finish(), key().text("ab", "c").finish());
        assert_ne!(key().list("l", ["a", "b"]).finish(), key().list("l", ["a"]).list("l", ["b"]).finish());
        assert_ne!(key().number("x", 0.1).finish(), key().number("x", 0.1 + f64::EPSILON).finish());
        assert_ne!(key().numbers("y", &[1, 2]).finish(), key().numbers("y", &[2, 1]).finish());
        assert_ne!(key().finish(), KeyBuilder::new("s", 2).finish());
        assert_eq!(key().text("a", "b").finish(), key().text("a", "b").finish());
    }
}
