//! `[identity]`: tokens, and what a password hash costs.

use std::time::Duration;

use credentials::{Argon2Cost, TokenRules};
use domain::identity::{KeyPlan, SessionRules, Verification, known::KnownRules};

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "identity.issuer",
        "souk",
        "Who signs tokens: the `iss` other services check, best the public address.",
    ),
    Setting::new("identity.audience", "souk", "For whom tokens are: their `aud`."),
    Setting::new("identity.token_minutes", "15", "How long an access token lives."),
    Setting::new("identity.session_days", "30", "The longest a session lasts, however much it is used."),
    Setting::new("identity.session_idle_hours", "168", "After so long without a refresh a session is over."),
    Setting::new(
        "identity.refresh_grace_seconds",
        "10",
        "How long a used refresh token gives the same successor again, for tabs that race; later it ends the session.",
    ),
    Setting::new(
        "identity.max_sessions",
        "100",
        "Most sessions of one person; a sign-in beyond ends the one used least lately, 1 is one at a time.",
    ),
    Setting::new(
        "identity.silence_seconds",
        "30",
        "After so long without news of the log nobody is taken for signed in: 503 instead of trusting who may be locked out.",
    ),
    Setting::new(
        "identity.key_overlap_minutes",
        "60",
        "A new signing key is published for so long before it signs, so that other services know it by then.",
    ),
    Setting::new(
        "identity.fresh_minutes",
        "10",
        "For so long after somebody proved who they are they may do what is sensitive, such as adding a passkey, without proving it anew.",
    ),
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
        "identity.guest_days",
        "90",
        "Days that somebody lasts who signed in without saying who they are, unless they say it; 0 takes no guests.",
    ),
    Setting::new(
        "identity.deletion_days",
        "14",
        "Days in which somebody may call their deletion off; 0 deletes them at once.",
    ),
    Setting::new(
        "identity.email_verification",
        "off",
        "Whether people prove their address by a letter: off, on, or required before they sign in. Then a sign-up is answered alike whether the address was free or not.",
    ),
];

/// The longest an access token may be made to live.
const LONGEST_TOKEN: Duration = Duration::from_hours(24);

/// Sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) tokens: TokenRules,
    pub(crate) sessions: SessionRules,
    pub(crate) known: KnownRules,
    pub(crate) keys: KeyPlan,
    pub(crate) cost: Argon2Cost,
    pub(crate) hashes_at_once: usize,
    pub(crate) hashes_waiting: usize,
    pub(crate) hash_wait: Duration,
    pub(crate) deletion_grace: Duration,
    pub(crate) verification: Verification,
    pub(crate) fresh: Duration,
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
        let deletion_days: Option<u64> = reader.number("identity.deletion_days", 0..=90);
        let guest_days: Option<u64> = reader.number("identity.guest_days", 0..=3650);
        let verification = verification(reader);
        let hash_wait = reader.millis("identity.hash_wait_ms", 1..=30_000);
        let session_days: Option<u64> = reader.number("identity.session_days", 1..=3650);
        let idle_hours: Option<u64> = reader.number("identity.session_idle_hours", 1..=24 * 3650);
        let grace = reader.seconds("identity.refresh_grace_seconds", 0..=300);
        let most = reader.number("identity.max_sessions", 1..=10_000);
        let silence = reader.seconds("identity.silence_seconds", 5..=3600);
        // Nodes read the keys anew every half minute at the latest, and others keep them for five.
        let overlap: Option<u64> = reader.number("identity.key_overlap_minutes", 6..=7 * 24 * 60);
        let fresh: Option<u64> = reader.number("identity.fresh_minutes", 1..=24 * 60);
        let (memory_kib, lanes) = (memory_kib?, lanes?);
        if memory_kib < 8 * lanes {
            reader.fault("identity.argon2_memory_kib", "must be at least 8 for each lane");
            return None;
        }
        let guest = guest_days.map(|days| (days > 0).then(|| Duration::from_hours(24 * days)));
        let lifetime = Duration::from_mins(minutes?);
        let (longest, idle) = (Duration::from_hours(24 * session_days?), Duration::from_hours(idle_hours?));
        Some(Self {
            tokens: TokenRules { issuer, audience, lifetime },
            sessions: SessionRules { longest, idle, grace: grace?, most: most?, guest: guest? },
            known: KnownRules { silence: silence?, keep: lifetime, ..KnownRules::default() },
            // Its tokens may have been made under another setting, and clocks differ a little.
            keys: KeyPlan { overlap: Duration::from_mins(overlap?), keep: LONGEST_TOKEN + Duration::from_hours(1) },
            cost: Argon2Cost { memory_kib, passes: passes?, lanes },
            hashes_at_once: hashes_at_once?,
            hashes_waiting: hashes_waiting?,
            hash_wait: hash_wait?,
            deletion_grace: Duration::from_hours(24 * deletion_days?),
            verification: verification?,
            fresh: Duration::from_mins(fresh?),
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
