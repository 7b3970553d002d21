//! Faults of settings, told all at once.

use std::fmt;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The setting, as its user named it.
    pub(crate) name: String,
    /// What is wrong and what would be right.
    pub(crate) message: String,
}

/// Every fault found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, name: impl Into<String>, message: impl Into<String>) {
        self.0.push(Fault { name: name.into(), message: message.into() });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|fault| fault.name.as_str()).collect()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        writeln!(f, "{count} {} in the settings:", if count == 1 { "fault" } else { "faults" })?;
        for fault in &self.0 {
            writeln!(f, "  {}: {}", fault.name, fault.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// The known name nearest to an unknown one, when it is near enough to be meant.
pub(crate) fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = unknown.chars().count() / 3 + 1;
    known.map(|name| (distance(unknown, name), name)).filter(|(far, _)| *far <= near).min().map(|(_, name)| name)
}

/// How many characters must be added, removed or replaced (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut corner = i;
        let mut before = i + 1;
        let mut next = vec![before];
        for (right, above) in b.iter().zip(row.iter().skip(1)) {
            let replaced = corner + usize::from(left != *right);
            before = replaced.min(above + 1).min(before + 1);
            corner = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_when_it_is_near() {
        let known = ["http.host", "http.port", "database.url"];
        assert_eq!(nearest("http.prot", known.into_iter()), Some("http.port"));
        assert_eq!(nearest("database.ur", known.into_iter()), Some("database.url"));
        assert_eq!(nearest("colour", known.into_iter()), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
