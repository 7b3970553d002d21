//! A person who signs in.

use serde::{Deserialize, Serialize};

use super::outside::NOWHERE;
use crate::{
    clock::Timestamp,
    error::Breach,
    id::{SellerId, UserId},
    permission::Roles,
    text,
};

/// An e-mail address in the form accounts are found by: trimmed, lower case, at most 255 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// Reads an address. Only its shape is checked; that it works is proven by a mail.
    pub fn parse(text: &str) -> Result<Self, Breach> {
        let address = text::line(text.trim(), 1, 255)?.to_lowercase();
        let fits = address.split_once('@').is_some_and(|(local, host)| {
            let host_fits = host.contains('.') || host == "localhost";
            !local.is_empty()
                && local.chars().count() <= 64
                && host_fits
                && host.split('.').all(|label| {
                    !label.is_empty()
                        && !label.starts_with('-')
                        && !label.ends_with('-')
                        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                })
        });
        // Nobody gets a letter there, and nobody else the account of who has no address.
        let fits = fits && !is_nowhere(&address);
        if fits && !address.contains(|c: char| c.is_whitespace() || "<>()[],;:\"\\".contains(c)) {
            Ok(Self(address))
        } else {
            Err(Breach::new("email", "must be an e-mail address, such as ada@example.com"))
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands where somebody has no address: no letter goes there.
    pub fn is_nowhere(&self) -> bool {
        is_nowhere(&self.0)
    }

    /// An address as it was stored.
    pub fn stored(address: String) -> Self {
        Self(address)
    }
}

fn is_nowhere(address: &str) -> bool {
    address.split_once('@').is_some_and(|(_, host)| host == NOWHERE)
}

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their address, unique.
    pub email: Email,
    /// The name they go by, 1 to 100 characters.
    pub name: String,
    /// When they proved that the address is theirs.
    pub email_verified_at: Option<Timestamp>,
    /// Their roles.
    pub roles: Roles,
    /// When they signed up.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
}

/// What a person sees of themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The person.
    pub user: User,
    /// The seller account they act for, when there is one alone.
    pub seller: Option<SellerId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_folded_and_checked() {
        assert_eq!(Email::parse(" Ada@Example.COM ").unwrap().as_str(), "ada@example.com");
        for bad in [
            "",
            "a",
            "a@",
            "@b.c",
            "a@b",
            "a b@c.d",
            "a@b..c",
            "a@-b.c",
            "a@b.c>",
            "a\u{0}@b.c",
            "a@no-address.invalid",
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }
}
