//! Locks: who works on a file that cannot be merged.

use crate::{
    clock::Timestamp,
    error::Breach,
    id::{LibraryId, LockId, UserId},
};

/// The path of a file in a repository: 1 to 1024 characters, relative, without empty, `.` and `..` parts or control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockPath(String);

impl LockPath {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Breach> {
        let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.chars().any(char::is_control);
        if text.chars().count() <= 1024 && text.split('/').all(plain) {
            return Ok(Self(text.to_owned()));
        }
        Err(Breach::new(
            "path",
            "must be the relative path of a file, of at most 1024 characters, without . and .. in it",
        ))
    }

    /// A path as it was stored.
    pub fn stored(path: String) -> Self {
        Self(path)
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A file that somebody works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// Its id.
    pub id: LockId,
    /// In which library.
    pub library: LibraryId,
    /// Which file.
    pub path: LockPath,
    /// Who.
    pub owner: UserId,
    /// Since when.
    pub locked_at: Timestamp,
}

/// A lock and what its owner is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedLock {
    /// The lock.
    pub lock: Lock,
    /// The name its owner goes by.
    pub owner_name: String,
}

/// What became of somebody who wants a file for themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locked {
    /// It is theirs.
    New(NamedLock),
    /// Somebody has it, maybe they themselves.
    Taken(NamedLock),
}

/// Which locks are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockFilter {
    /// That of this file.
    pub path: Option<String>,
    /// The one of this id.
    pub id: Option<LockId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_within_its_repository() {
        for good in ["a.stl", "models/a b.stl", "Zoë/\u{1F98A}.3mf", "...", &"x".repeat(1024)] {
            assert_eq!(LockPath::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "/a", "a/", "a//b", "../a", "a/..", "./a", "a\0", "a\nb", &"x".repeat(1025)] {
            assert!(LockPath::parse(bad).is_err(), "{bad:?}");
        }
    }
}
