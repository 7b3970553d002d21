//! Challenges: what somebody gets in place of a session who has proved one of two factors.

use std::time::Duration;

use crate::{
    clock::Timestamp,
    error::Result,
    id::UserId,
    identity::{Methods, Proven},
    secrets::{Mac, hex},
    shop::Shop,
    store::Tx,
};

/// What every challenge begins with, so that scanners for secrets find it and nobody takes it for another kind.
const PREFIX: &str = "souk_2f_";
/// How long one waits for its second factor.
const LIFE: Duration = Duration::from_mins(5);
/// How often one may be guessed at.
pub(super) const GUESSES: u32 = 5;

/// A sign-in that waits for its second factor. `Debug` does not show its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    /// What the second factor is sent with: `souk_2f_` and 64 hexadecimal digits. It is good once, and for nothing else.
    pub text: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Challenge").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// A challenge as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChallenge {
    /// A keyed hash of its text, which is kept nowhere.
    pub digest: [u8; 32],
    /// Who signs in.
    pub user: UserId,
    /// What they have proved so far.
    pub methods: Methods,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Makes a challenge for somebody who has proved one factor; `None` when they are gone, or the password they proved it by is another
/// by now.
pub(in crate::identity) async fn challenge(
    shop: &Shop,
    mac: &dyn Mac,
    tx: &mut dyn Tx,
    user: UserId,
    proven: Proven<'_>,
) -> Result<Option<Challenge>> {
    let now = shop.now();
    let mut random = [0; 32];
    shop.entropy.fill(&mut random);
    let text = format!("{PREFIX}{}", hex(&random));
    let stored = StoredChallenge { digest: digest(mac, &text), user, methods: proven.methods, expires_at: now + LIFE };
    let kept = tx.challenges().put(&stored, proven.checked, now).await?;
    Ok(kept.then_some(Challenge { text, expires_at: stored.expires_at }))
}

/// What a challenge is kept by.
pub(super) fn digest(mac: &dyn Mac, text: &str) -> [u8; 32] {
    mac.mac(format!("challenge\0{text}").as_bytes())
}
