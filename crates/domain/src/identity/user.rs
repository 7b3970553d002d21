//! A person who signs in.

use serde::{Deserialize, Serialize};

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

    /// An address as it was stored.
    pub fn stored(address: String) -> Self {
        Self(address)
    }
}

/// A password as typed: 8 to 1024 characters of any kind. `Debug` does not show it.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Checks a new password.
    pub fn parse(text: &str) -> Result<Self, Breach> {
        let length = text.chars().count();
        if !(8..=1024).contains(&length) {
            return Err(Breach::new("length", "must have 8 to 1024 characters"));
        }
        if text.contains('\0') {
            return Err(Breach::new("control_character", "must not contain the character U+0000"));
        }
        Ok(Self(text.to_owned()))
    }

    /// A password given at sign-in; rules for new ones do not apply.
    pub fn given(text: String) -> Self {
        Self(text)
    }

    /// The characters.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
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
        for bad in ["", "a", "a@", "@b.c", "a@b", "a b@c.d", "a@b..c", "a@-b.c", "a@b.c>", "a\u{0}@b.c"] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let password = Password::parse("correct horse").unwrap();
        assert_eq!(format!("{password:?}"), "Password(..)");
        assert!(Password::parse("short").is_err());
        assert!(Password::parse(&"x".repeat(1025)).is_err());
    }
}
