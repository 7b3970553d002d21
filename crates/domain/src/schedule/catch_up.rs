//! What becomes of ticks that passed while nobody looked.

use std::{collections::VecDeque, num::NonZeroU32};

use crate::clock::Timestamp;

/// What becomes of missed ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// They are left out.
    Skip,
    /// However many were missed, the last of them is run.
    Once,
    /// Each is run, the latest ones up to this many.
    All(NonZeroU32),
}

impl CatchUp {
    /// The form settings and answers show it in: `skip`, `once`, `all(7)`.
    pub fn name(self) -> String {
        match self {
            Self::Skip => "skip".to_owned(),
            Self::Once => "once".to_owned(),
            Self::All(limit) => format!("all({limit})"),
        }
    }

    /// Reads that form.
    pub fn named(text: &str) -> Option<Self> {
        match text {
            "skip" => Some(Self::Skip),
            "once" => Some(Self::Once),
            other => other.strip_prefix("all(")?.strip_suffix(')')?.parse().ok().map(Self::All),
        }
    }

    /// Which of the ticks that have passed are run, oldest first. `missed` says of a tick that it passed too long ago to
    /// count as on time.
    pub(super) fn choose(
        self,
        ticks: impl Iterator<Item = Timestamp>,
        missed: impl Fn(Timestamp) -> bool,
    ) -> Vec<Timestamp> {
        let most = match self {
            Self::Skip | Self::Once => 1,
            Self::All(limit) => usize::try_from(limit.get()).unwrap_or(usize::MAX),
        };
        let mut latest = VecDeque::new();
        for tick in ticks {
            latest.push_back(tick);
            if latest.len() > most {
                latest.pop_front();
            }
        }
        latest.into_iter().filter(|tick| self != Self::Skip || !missed(*tick)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_form_reads_back() {
        for text in ["skip", "once", "all(7)"] {
            assert_eq!(CatchUp::named(text).map(CatchUp::name).as_deref(), Some(text));
        }
        for wrong in ["", "never", "all", "all(0)", "all(-1)", "all(7"] {
            assert_eq!(CatchUp::named(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_policy_chooses_its_ticks() {
        let tick = |n: u64| Timestamp::UNIX_EPOCH + Duration::from_secs(n);
        let choose = |policy: &str| {
            let policy = CatchUp::named(policy).unwrap();
            policy.choose((1..=5).map(tick), |one| one < tick(5))
        };
        assert_eq!(choose("skip"), [tick(5)]);
        assert_eq!(choose("once"), [tick(5)]);
        assert_eq!(choose("all(3)"), [tick(3), tick(4), tick(5)]);
        assert_eq!(choose("all(100)").len(), 5);
        assert!(CatchUp::Skip.choose((1..=5).map(tick), |_| true).is_empty());
        assert_eq!(CatchUp::Once.choose((1..=5).map(tick), |_| true), [tick(5)]);
        assert!(CatchUp::Once.choose(std::iter::empty(), |_| true).is_empty());
    }
}
