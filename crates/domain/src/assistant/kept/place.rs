//! Where an answer is kept: a name made of all that decides it.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::{
    actor::Principal,
    assistant::{CallKind, Model, Models},
    id::UserId,
    secrets::hex,
};

/// What is asked, as it came through a door.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// What is asked for.
    pub kind: CallKind,
    /// The name of the model.
    pub model: &'a str,
    /// The whole body: a field that is not known here may decide the answer over there.
    pub body: &'a Map<String, Value>,
}

impl std::fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("kind", &self.kind).field("model", &self.model).finish_non_exhaustive()
    }
}

/// Where an answer is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// For whom.
    pub of: UserId,
    /// Under which name.
    pub name: String,
}

impl Place {
    /// Where the answer to a question of somebody is kept; nowhere when there is no such model, or not for them.
    pub fn of(models: &Models, by: &Principal, question: Question<'_>) -> Option<Self> {
        let Question { kind, model, body } = question;
        if !by.may_ask(model) {
            return None;
        }
        let stands_for = match kind {
            CallKind::Chat => behind(models, models.chat.get(model)?),
            CallKind::Embedding => models.embeddings.get(model)?.deployment.clone(),
        };
        let key = by.key.map(|key| key.0.simple().to_string()).unwrap_or_default();
        let mut hash = Sha256::new();
        // The length before each part says where it ends. Objects are sorted, so that the order of their fields is no difference.
        for part in [kind.name(), &by.user.0.simple().to_string(), &key, model, &stands_for] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        for (name, value) in body {
            let value = value.to_string();
            for part in [name, &value] {
                hash.update(part.len().to_be_bytes());
                hash.update(part);
            }
        }
        Some(Self { of: by.user, name: hex(&hash.finalize()) })
    }

    /// What it is sealed for.
    pub(super) fn context(&self) -> String {
        format!("answer/{}", self.of.0.simple())
    }
}

/// Who answers for a model, also in its place: with others behind the name it is another model.
fn behind(models: &Models, model: &Model) -> String {
    let told = |model: &Model| {
        let names = model.deployments.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(",");
        format!("{names} {} {}", model.window, model.max_output)
    };
    let others = [&model.when_too_long, &model.when_withheld].map(|other| {
        let other = other.as_ref().and_then(|name| models.chat.get(name));
        other.map(told).unwrap_or_default()
    });
    format!("{}|{}", told(model), others.join("|"))
}
