//! Ceremonies of passkeys without cryptography: an answer says of itself what it proves.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    id::UserId,
    identity::{
        User,
        passkeys::ports::{Ceremonies, Credential, Opened},
    },
};

/// An answer is `{"id", "challenge", "count"}`. No two challenges are the same, and a counter only goes up.
#[derive(Debug, Default, Clone, Copy)]
pub struct PlainCeremonies;

/// Counts challenges through the whole process.
static SERIAL: AtomicU64 = AtomicU64::new(1);

fn opened(excluded: usize) -> Opened {
    let challenge = format!("challenge-{}", SERIAL.fetch_add(1, Ordering::Relaxed));
    let options = json!({ "challenge": challenge, "excluded": excluded });
    Opened { options, state: challenge.into_bytes() }
}

impl PlainCeremonies {
    /// The answer of an authenticator to these options.
    pub fn answer(options: &Value, id: &str, count: u64) -> Value {
        json!({ "id": id, "challenge": options["challenge"], "count": count })
    }

    fn proven(state: &[u8], answer: &Value) -> Option<Credential> {
        let (id, count) = (answer["id"].as_str()?, answer["count"].as_u64()?);
        let right = answer["challenge"].as_str()?.as_bytes() == state;
        right.then(|| Credential { id: id.as_bytes().to_vec(), key: count.to_be_bytes().to_vec() })
    }
}

impl Ceremonies for PlainCeremonies {
    fn begin_registration(&self, _: &User, have: &[Vec<u8>]) -> Result<Opened> {
        Ok(opened(have.len()))
    }

    fn end_registration(&self, state: &[u8], answer: &Value) -> Result<Option<Credential>> {
        Ok(Self::proven(state, answer))
    }

    fn begin_sign_in(&self) -> Result<Opened> {
        Ok(opened(0))
    }

    fn claimed(&self, answer: &Value) -> Option<Vec<u8>> {
        answer["id"].as_str().map(|id| id.as_bytes().to_vec())
    }

    fn end_sign_in(&self, state: &[u8], answer: &Value, _: UserId, known: &Credential) -> Result<Option<Credential>> {
        let last: [u8; 8] = known.key.as_slice().try_into().map_err(Error::internal)?;
        Ok(Self::proven(state, answer)
            .filter(|proven| proven.id == known.id && proven.key.as_slice() > last.as_slice()))
    }
}
