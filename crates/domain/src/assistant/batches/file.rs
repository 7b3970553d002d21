//! A file of questions or answers: whose it is, and where its bytes lie.

use crate::{
    actor::Principal,
    assets::{Digest, Holder},
    clock::Timestamp,
    id::{ApiKeyId, AssistantFileId, UserId},
};

/// Whose something is, and by which key it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The person; for a key of a seller account whoever made the key.
    pub user: UserId,
    /// The API key, if it was made through one.
    pub key: Option<ApiKeyId>,
}

impl Owner {
    /// Whoever calls.
    pub fn of(by: &Principal) -> Self {
        Self { user: by.user, key: by.key }
    }

    /// Whether somebody may know of what this one made. In person one sees all of one's own; through a key, which others may have, no
    /// more than what was made through it.
    pub fn shows_to(&self, by: &Principal) -> bool {
        self.user == by.user && by.key.is_none_or(|key| self.key == Some(key))
    }
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilePurpose {
    /// Questions of a batch.
    Batch,
    /// What came of one.
    BatchOutput,
}

impl FilePurpose {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::BatchOutput => "batch_output",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Batch, Self::BatchOutput].into_iter().find(|purpose| purpose.name() == name)
    }
}

/// A file of questions or answers. Its bytes never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssistantFile {
    /// Its id.
    pub id: AssistantFileId,
    /// Whose it is.
    pub owner: Owner,
    /// What it is for.
    pub purpose: FilePurpose,
    /// What it was called.
    pub name: String,
    /// Its bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
    /// When it came.
    pub created_at: Timestamp,
}

impl AssistantFile {
    /// For whom its bytes count.
    pub fn holder(&self) -> Holder {
        Holder::Person(self.owner.user)
    }
}
