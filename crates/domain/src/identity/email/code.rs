//! Codes that are good once: long ones in links, short ones to be typed.

use std::time::Duration;

use crate::{clock::Timestamp, id::UserId, identity::Email};

/// What a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To prove that the address of an account is one's own.
    VerifyEmail,
    /// To choose a new password.
    ResetPassword,
    /// To prove that the address one changes to is one's own.
    ChangeEmail,
    /// To sign in.
    SignIn,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 4] = [Self::VerifyEmail, Self::ResetPassword, Self::ChangeEmail, Self::SignIn];

    /// The name that is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
            Self::SignIn => "sign_in",
        }
    }

    /// The purpose of a stored name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// How long a code is good.
    pub fn life(self) -> Duration {
        match self {
            Self::VerifyEmail => Duration::from_hours(24),
            Self::ResetPassword | Self::ChangeEmail => Duration::from_mins(30),
            Self::SignIn => Duration::from_mins(5),
        }
    }
}

/// A code as it is kept. A person has at most one for each purpose: an older one ends when a new one is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionCode {
    /// Whose it is.
    pub user: UserId,
    /// What it is for.
    pub purpose: Purpose,
    /// The address it was sent to.
    pub email: Email,
    /// A keyed hash of it; the code itself is kept nowhere.
    pub digest: [u8; 32],
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Whether two digests are the same, in a time that does not tell how much of them is.
pub(super) fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter().zip(other).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_read_back() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::named(purpose.name()), Some(purpose));
        }
    }

    #[test]
    fn digests_are_the_same_in_every_byte_or_not_at_all() {
        assert!(same(&[7; 32], &[7; 32]));
        for at in 0..32 {
            let mut other = [7; 32];
            other[at] ^= 0x80;
            assert!(!same(&[7; 32], &other), "byte {at}");
        }
    }
}
