//! Libraries, and what lies in them.

use std::fmt;

use crate::{
    actor::Principal,
    assets::{Digest, Holder},
    clock::Timestamp,
    error::{Breach, Error, Result},
    id::{LibraryId, SellerId, UserId},
};

/// The name of a library: 1 to 100 letters, digits, `.`, `_` and `-`, a letter or digit first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LibraryName(String);

impl LibraryName {
    /// Reads a name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Breach> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if (1..=100).contains(&text.len()) && begins && text.chars().all(fits) {
            return Ok(Self(text.to_owned()));
        }
        Err(Breach::new("library_name", "must have 1 to 100 letters, digits, ., _ and -, a letter or digit first"))
    }

    /// A name as it was stored.
    pub fn stored(name: String) -> Self {
        Self(name)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LibraryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a client names a library by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The name of the seller account in addresses.
    pub seller: String,
    /// The name of the library under it.
    pub name: LibraryName,
}

/// A library of large files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Its id.
    pub id: LibraryId,
    /// Whose it is.
    pub seller: SellerId,
    /// Its name under the account.
    pub name: LibraryName,
    /// When the first thing was brought to it.
    pub created_at: Timestamp,
}

/// A library as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibrarySummary {
    /// The library.
    pub library: Library,
    /// The name of the seller account in addresses.
    pub seller_slug: String,
    /// How many objects it has.
    pub objects: u64,
    /// How many bytes they are together.
    pub bytes: u64,
    /// How many files are locked.
    pub locks: u64,
}

/// Something in a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Where.
    pub library: LibraryId,
    /// Whose library that is.
    pub seller: SellerId,
    /// What it is.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
    /// Who brought it.
    pub added_by: UserId,
    /// When.
    pub added_at: Timestamp,
}

impl Object {
    /// For whom its bytes count.
    pub(super) fn holders(&self) -> [Holder; 2] {
        [Holder::Person(self.added_by), Holder::Seller(self.seller)]
    }
}

/// Whether somebody may enter the libraries of an account: its members.
///
/// # Errors
/// [`Error::NotFound`], also where there is no such account.
pub(super) fn enter(who: &Principal, account: Option<SellerId>) -> Result<SellerId> {
    account.filter(|account| who.sellers.has(*account)).ok_or(Error::NotFound("Library"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_an_address() {
        for good in ["models", "Models-2.0_b", "7", &"x".repeat(100)] {
            assert_eq!(LibraryName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", ".git", "-a", "a/b", "a b", "a%2f", "ä", "a\0", &"x".repeat(101)] {
            assert!(LibraryName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
