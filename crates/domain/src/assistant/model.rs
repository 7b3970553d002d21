//! The models there are, and who stands behind each.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    kept::KeptAnswers,
    ports::{Embedder, LanguageModel, Ledger},
    terms::Standing,
    tokenizer::Counts,
};
use crate::limit::{Policy, RateLimiter};

/// One model of one provider.
#[derive(Clone)]
pub struct Deployment {
    /// Provider and model there, such as `openai/gpt-4o-mini`: what prices and the ledger call it.
    pub name: String,
    /// Asks it.
    pub model: Arc<dyn LanguageModel>,
}

impl std::fmt::Debug for Deployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Deployment").field(&self.name).finish()
    }
}

/// A model as callers know it.
#[derive(Clone)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Who is asked, one after the other where that may help.
    pub deployments: Vec<Deployment>,
    /// The model to ask in its place for what is too long for it.
    pub when_too_long: Option<String>,
    /// The model to ask in its place when its provider will not answer that.
    pub when_withheld: Option<String>,
    /// How many tokens it reads, with its answer.
    pub window: u64,
    /// The most tokens of an answer.
    pub max_output: u32,
    /// How often it may be called by everybody together, and by one person.
    pub limits: Vec<Policy>,
    /// Counts tokens as it does; `None` when nobody knows how it does.
    pub counts: Option<Counts>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("name", &self.name)
            .field("deployments", &self.deployments)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

/// A model that makes vectors, as callers know it.
#[derive(Clone)]
pub struct Embedding {
    /// Its name.
    pub name: String,
    /// Provider and model there.
    pub deployment: String,
    /// Asks it.
    pub embedder: Arc<dyn Embedder>,
    /// The most tokens of one text.
    pub window: u64,
    /// How it counts tokens, where that is known.
    pub counts: Option<Counts>,
}

impl std::fmt::Debug for Embedding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedding")
            .field("name", &self.name)
            .field("deployment", &self.deployment)
            .finish_non_exhaustive()
    }
}

/// All models.
#[derive(Debug, Clone, Default)]
pub struct Models {
    /// Those that answer, by name.
    pub chat: BTreeMap<String, Model>,
    /// Those that make vectors, by name.
    pub embeddings: BTreeMap<String, Embedding>,
}

impl Models {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.chat.is_empty() && self.embeddings.is_empty()
    }

    /// Their names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.chat.keys().chain(self.embeddings.keys()).map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

/// What calls stand on. Cheap to clone.
#[derive(Clone)]
pub struct Assistant {
    /// The models.
    pub models: Arc<Models>,
    /// What they cost, and how much may be spent.
    pub terms: Arc<Standing>,
    /// Where calls are written down.
    pub ledger: Arc<dyn Ledger>,
    /// Counts calls by model.
    pub limiter: Arc<dyn RateLimiter>,
    /// How long to wait before everybody is asked once more; `None` when nobody is.
    pub again_after: Option<Duration>,
    /// What keeps answers; `None` when none are kept.
    pub kept: Option<KeptAnswers>,
}

impl std::fmt::Debug for Assistant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assistant").field("models", &self.models).finish_non_exhaustive()
    }
}
