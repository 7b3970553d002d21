//! `[identity]`: tokens, and what a password hash costs.

use std::time::Duration;

use credentials::{Argon2Cost, TokenRules};
use domain::identity::Verification;

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "identity.issuer",
        "souk",
        "Who signs tokens: the `iss` other services check, best the public address.",
    ),
    Setting::new("identity.audience", "souk", "For whom tokens are: their `aud`."),
    Setting::new("identity.token_minutes", "15", "How long an access token lives."),
    Setting::new("identity.argon2_memory_kib", "19456", "Memory of one password hash."),
    Setting::new("identity.argon2_passes", "2", "Passes of one password hash."),
    Setting::new("identity.argon2_lanes", "1", "Lanes of one password hash."),
    Setting::new("identity.hashes_at_once", "0", "Password hashes at the same time; 0 is one for each core."),
    Setting::new(
        "identity.hashes_waiting",
        "256",
        "Password hashes that may wait for their turn; more are told 503 at once.",
    ),
    Setting::new("identity.hash_wait_ms", "5000", "How long a sign-in waits for its turn before it is told 503."),
    Setting::new(
        "identity.email_verification",
        "off",
        "Whether people prove their address by a letter: off, on, or required before they sign in. Then a sign-up is answered alike whether the address was free or not.",
    ),
];

/// Sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) tokens: TokenRules,
    pub(crate) cost: Argon2Cost,
    pub(crate) hashes_at_once: usize,
    pub(crate) hashes_waiting: usize,
    pub(crate) hash_wait: Duration,
    pub(crate) verification: Verification,
}

impl Identity {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (issuer, audience) = (reader.text("identity.issuer"), reader.text("identity.audience"));
        let minutes = reader.number("identity.token_minutes", 1..=24 * 60);
        // Below OWASP's least (7 MiB, 5 passes) a stolen table is cheap to try; development may, for slow machines.
        let least = if reader.strict() { 7 * 1024 } else { 8 };
        let memory_kib = reader.number("identity.argon2_memory_kib", least..=4 * 1024 * 1024);
        let passes = reader.number("identity.argon2_passes", 1..=64);
        let lanes = reader.number("identity.argon2_lanes", 1..=64);
        let hashes_at_once = reader.number("identity.hashes_at_once", 0..=1024);
        let hashes_waiting = reader.number("identity.hashes_waiting", 0..=100_000);
        let verification = verification(reader);
        let hash_wait = reader.millis("identity.hash_wait_ms", 1..=30_000);
        let (memory_kib, lanes) = (memory_kib?, lanes?);
        if memory_kib < 8 * lanes {
            reader.fault("identity.argon2_memory_kib", "must be at least 8 for each lane");
            return None;
        }
        Some(Self {
            tokens: TokenRules { issuer, audience, lifetime: Duration::from_mins(minutes?) },
            cost: Argon2Cost { memory_kib, passes: passes?, lanes },
            hashes_at_once: hashes_at_once?,
            hashes_waiting: hashes_waiting?,
            hash_wait: hash_wait?,
            verification: verification?,
        })
    }
}

fn verification(reader: &mut Reader<'_>) -> Option<Verification> {
    const KEY: &str = "identity.email_verification";
    let words = [("off", Verification::Off), ("on", Verification::On), ("required", Verification::Required)];
    let verification = reader.one_of(KEY, &words)?;
    if verification != Verification::Off && reader.text("mail.transport") == "off" {
        reader.fault(KEY, "needs letters: set mail.transport");
        return None;
    }
    Some(verification)
}
