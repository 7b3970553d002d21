//! Answers that are kept, so that who asks the same again is answered at once and at no cost.
//!
//! Each is for the one who asked and the API key they asked with: nobody is given what somebody else was told. It is kept sealed, under a
//! name from which nothing of the question can be read.

mod forget_answers;
mod look;
mod place;
pub mod ports;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use forget_answers::{ForgetAnswers, forget_when_gone, forgotten_by};
pub use look::{Keeping, Looked, Passed, look};
pub use place::{Place, Question};
use ports::AnswerStore;

use super::{ChatReply, Finish, Usage};
use crate::{clock::Timestamp, secrets::Sealer};

/// By what name the ledger knows who answered what was kept.
pub const DEPLOYMENT: &str = "souk/kept";

/// Which answers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepWhen {
    /// Those whose caller says how old one may be.
    Asked,
    /// All, unless their caller says otherwise.
    Always,
}

/// What keeping answers stands on. Cheap to clone.
#[derive(Clone)]
pub struct KeptAnswers {
    /// Where they lie.
    pub store: Arc<dyn AnswerStore>,
    /// Seals them: they hold what people said.
    pub sealer: Arc<dyn Sealer>,
    /// Which are kept.
    pub when: KeepWhen,
    /// For how long.
    pub fresh: Duration,
    /// The most bytes of one.
    pub longest: usize,
}

impl std::fmt::Debug for KeptAnswers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptAnswers").field("when", &self.when).field("fresh", &self.fresh).finish_non_exhaustive()
    }
}

/// What a caller wishes, in the words of `Cache-Control` (RFC 9111).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Nothing of this is to be kept.
    pub no_store: bool,
    /// What is kept is not to be given.
    pub no_cache: bool,
    /// Nothing else is to be given.
    pub only_if_cached: bool,
    /// How old what is given may be.
    pub max_age: Option<Duration>,
    /// For how long it must be good still.
    pub min_fresh: Option<Duration>,
}

/// An answer that was kept. `Debug` shows how much, never what.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// When it was made.
    pub made_at: Timestamp,
    /// What it used when it was made.
    pub usage: Usage,
    /// What was written to whoever asked, byte for byte.
    pub body: Bytes,
}

impl std::fmt::Debug for KeptAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.body.len();
        f.debug_struct("KeptAnswer").field("made_at", &self.made_at).field("bytes", &bytes).finish_non_exhaustive()
    }
}

/// What stands before the body of one that is kept.
#[derive(Serialize, Deserialize)]
struct Head {
    made_at: Timestamp,
    prompt: u64,
    completion: u64,
    cached: u64,
    reasoning: u64,
}

impl KeptAnswer {
    /// All of it as bytes: a line of JSON, and the body.
    fn bytes(&self) -> Option<Vec<u8>> {
        let Usage { prompt, completion, cached, reasoning } = self.usage;
        let head = Head { made_at: self.made_at, prompt, completion, cached, reasoning };
        let mut bytes = serde_json::to_vec(&head).ok()?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        Some(bytes)
    }

    fn read(bytes: Vec<u8>) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let Head { made_at, prompt, completion, cached, reasoning } = serde_json::from_slice(bytes.get(..end)?).ok()?;
        let usage = Usage { prompt, completion, cached, reasoning };
        Some(Self { made_at, usage, body: Bytes::from(bytes).slice(end + 1..) })
    }
}

/// Whether an answer is whole: it ended by itself, and the tools it wants can be used as it says. One that was cut short or withheld is
/// made anew whenever it is asked for.
pub fn is_whole(reply: &ChatReply) -> bool {
    let can_be_read = |arguments: &str| {
        arguments.is_empty() || serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(arguments).is_ok()
    };
    let can_be_used = reply.tool_calls.iter().all(|call| !call.name.is_empty() && can_be_read(&call.arguments));
    match reply.finish {
        Finish::Stop | Finish::Tools => can_be_used,
        Finish::Length | Finish::Filtered => false,
    }
}
