//! The word by which a proposal is confirmed. It is kept nowhere: it says when it was made, and a keyed hash over whom it was given to and
//! for what. That it is good once is the work of the idempotency key that it is.

use std::time::Duration;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    actor::Principal,
    clock::Timestamp,
    error::{Error, Result},
    idempotency::Key,
    secrets::{Mac, hex, unhex},
};

/// How long a proposal may be confirmed: shorter than the answers under idempotency keys are kept, so that it stays good once.
pub(super) const LIFE: Duration = Duration::from_mins(10);

/// The bytes of the hash that a confirmation carries.
const CHECK: usize = 16;

/// Who would do what.
#[derive(Debug)]
pub(super) struct Deed<'a> {
    pub who: &'a Principal,
    pub tool: &'static str,
    pub arguments: &'a Map<String, Value>,
}

impl Deed<'_> {
    /// The confirmation of this deed, made at the moment that its id says.
    pub fn confirmation(&self, mac: &dyn Mac, id: Uuid) -> String {
        let hash = self.hash(mac, id);
        let check = hash.get(..CHECK).unwrap_or_default();
        hex(&[id.as_bytes().as_slice(), check].concat())
    }

    /// Until when a confirmation of that id is good.
    pub fn expires_at(id: Uuid) -> Timestamp {
        let made = id.get_timestamp().map(|time| time.to_unix()).unwrap_or_default();
        let made = Timestamp::from_timestamp(i64::try_from(made.0).unwrap_or_default(), made.1).unwrap_or_default();
        made + LIFE
    }

    /// The idempotency key of a confirmation, if it was made for this deed and is still good.
    pub fn confirmed(&self, mac: &dyn Mac, confirmation: &str, now: Timestamp) -> Result<Key> {
        let refused = |message| Error::invalid("/confirmation", "confirmation", message);
        let id = unhex(confirmation)
            .filter(|bytes| bytes.len() == 16 + CHECK)
            .and_then(|bytes| Uuid::from_slice(bytes.get(..16)?).ok())
            .filter(|id| same(&self.confirmation(mac, *id), confirmation));
        let Some(id) = id else {
            return Err(refused(
                "was not given to you for this tool and these arguments; call the tool again for another",
            ));
        };
        if Self::expires_at(id) <= now {
            return Err(refused("has ended; call the tool again for another"));
        }
        Ok(Key {
            actor: Some(self.who.user),
            operation: "confirm_tool",
            key: id.simple().to_string(),
            fingerprint: self.hash(mac, id),
        })
    }

    fn hash(&self, mac: &dyn Mac, id: Uuid) -> [u8; 32] {
        let seller = self.who.seller.map(|seller| seller.0).unwrap_or_default();
        let mut bytes = b"assistant tool\0".to_vec();
        for id in [self.who.user.0, seller, id] {
            bytes.extend_from_slice(id.as_bytes());
        }
        bytes.extend_from_slice(self.tool.as_bytes());
        bytes.push(0);
        // Sorted by name and without spaces, however they were sent.
        let mut fields: Vec<_> = self.arguments.iter().collect();
        fields.sort_unstable_by_key(|(name, _)| *name);
        for (name, value) in fields {
            for part in [name.clone(), value.to_string()] {
                bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                bytes.extend_from_slice(part.as_bytes());
            }
        }
        mac.mac(&bytes)
    }
}

/// Whether two texts are the same, looked at to the end whatever they are.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}
