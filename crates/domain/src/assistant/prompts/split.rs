//! Which versions of a prompt serve, and how often each. Somebody always meets the same one while the split holds.

use serde::{Deserialize, Serialize};

use super::VersionNumber;
use crate::{
    clock::Timestamp,
    error::Violations,
    id::{PromptId, UserId},
    secrets::Mac,
};

/// The most versions that serve at once.
const SHARES_MOST: usize = 10;
/// The largest weight.
const WEIGHT_MOST: i64 = 10_000;

/// How often a version serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The version.
    pub version: VersionNumber,
    /// Its weight, beside those of the others.
    pub weight: u32,
}

/// Which versions serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Its number among the splits of its prompt, from 1.
    pub number: i64,
    /// The number of the split that it brings back; its own where it is new.
    pub origin: i64,
    /// The versions, by number, each once.
    pub shares: Vec<Share>,
    /// Who set it.
    pub set_by: UserId,
    /// When.
    pub set_at: Timestamp,
}

impl Split {
    /// The version that serves somebody: by a keyed hash of prompt and subject, so that it stays the same and nobody can choose it.
    pub fn serving(&self, mac: &dyn Mac, prompt: PromptId, subject: &str) -> Option<VersionNumber> {
        let digest = mac.mac(&[&b"prompt_split\0"[..], prompt.0.as_bytes(), subject.as_bytes()].concat());
        let draw = digest.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let total: u64 = self.shares.iter().map(|share| u64::from(share.weight)).sum();
        // The draw stands for a place in the whole, so that a small change of weights moves few people.
        let place = (u128::from(draw) * u128::from(total)) >> 64;
        let mut end = 0;
        let serving = self.shares.iter().find(|share| {
            end += u128::from(share.weight);
            place < end
        });
        serving.map(|share| share.version)
    }

    /// The number of the split that one goes back to; 0 when there is none.
    pub(super) fn before(&self) -> i64 {
        self.origin - 1
    }
}

/// How often a version is to serve, unchecked.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShareInput {
    /// The version.
    pub version: Option<i64>,
    /// Its weight.
    pub weight: Option<i64>,
}

/// Which versions are to serve, unchecked.
#[derive(Debug, Clone, Default)]
pub struct SplitInput {
    /// The versions.
    pub shares: Vec<ShareInput>,
}

impl SplitInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(&self, violations: &mut Violations) -> Option<Vec<Share>> {
        if self.shares.is_empty() || self.shares.len() > SHARES_MOST {
            violations.add("/shares", "max_items", format!("must have 1 to {SHARES_MOST} items"));
            return None;
        }
        let mut shares: Vec<Share> = Vec::new();
        for (index, given) in self.shares.iter().enumerate() {
            let at = |field: &str| format!("/shares/{index}/{field}");
            let version = match given.version {
                Some(number) if number >= 1 => Some(VersionNumber(number)),
                Some(_) => {
                    violations.add(at("version"), "range", "must be the number of a version, from 1");
                    None
                }
                None => violations.missing(at("version")),
            };
            let weight = match given.weight {
                Some(weight) if (1..=WEIGHT_MOST).contains(&weight) => u32::try_from(weight).ok(),
                Some(_) => {
                    violations.add(at("weight"), "range", format!("must be a whole number from 1 to {WEIGHT_MOST}"));
                    None
                }
                None => violations.missing(at("weight")),
            };
            if let (Some(version), Some(weight)) = (version, weight) {
                if shares.iter().any(|share| share.version == version) {
                    violations.add(at("version"), "unique", "is named before");
                }
                shares.push(Share { version, weight });
            }
        }
        shares.sort_by_key(|share| share.version);
        (shares.len() == self.shares.len() && violations.is_empty()).then_some(shares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::PlainMac;

    fn split(weights: &[u32]) -> Split {
        let shares =
            weights.iter().zip(1..).map(|(weight, number)| Share { version: VersionNumber(number), weight: *weight });
        Split {
            number: 1,
            origin: 1,
            shares: shares.collect(),
            set_by: UserId(uuid::Uuid::nil()),
            set_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn of(split: &Split, subject: u32) -> i64 {
        let prompt = PromptId(uuid::Uuid::from_u128(7));
        split.serving(&PlainMac, prompt, &format!("customer-{subject}")).unwrap().0
    }

    #[test]
    fn somebody_meets_the_same_version_and_the_weights_hold() {
        let tenth = split(&[90, 10]);
        let met: Vec<i64> = (0..4_000).map(|subject| of(&tenth, subject)).collect();
        assert_eq!(met, (0..4_000).map(|subject| of(&tenth, subject)).collect::<Vec<_>>());
        let second = met.iter().filter(|number| **number == 2).count();
        assert!((320..=480).contains(&second), "a tenth of 4000, not {second}");
        let fifth = split(&[80, 20]);
        let moved = (0..4_000).filter(|subject| of(&tenth, *subject) == 2 && of(&fifth, *subject) == 1).count();
        assert_eq!(moved, 0, "who met the new one meets it on when its share grows");
        let whole = split(&[1]);
        assert!((0..100).all(|subject| of(&whole, subject) == 1));
    }

    #[test]
    fn every_fault_of_a_split_is_told() {
        let check = |shares: &[(Option<i64>, Option<i64>)]| {
            let shares = shares.iter().map(|(version, weight)| ShareInput { version: *version, weight: *weight });
            let mut violations = Violations::default();
            let checked = SplitInput { shares: shares.collect() }.check(&mut violations);
            checked.ok_or_else(|| violations.iter().map(|one| (one.field.clone(), one.rule)).collect::<Vec<_>>())
        };
        let told = |field: &str, rule| (field.to_owned(), rule);
        assert_eq!(check(&[]), Err(vec![told("/shares", "max_items")]));
        assert_eq!(
            check(&[(Some(0), Some(0)), (None, None)]),
            Err(vec![
                told("/shares/0/version", "range"),
                told("/shares/0/weight", "range"),
                told("/shares/1/version", "required"),
                told("/shares/1/weight", "required"),
            ])
        );
        assert_eq!(check(&[(Some(1), Some(1)), (Some(1), Some(2))]), Err(vec![told("/shares/1/version", "unique")]));
        let checked = check(&[(Some(2), Some(10)), (Some(1), Some(90))]).unwrap();
        assert_eq!(checked.iter().map(|share| share.version.0).collect::<Vec<_>>(), [1, 2]);
    }
}
