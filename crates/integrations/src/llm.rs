//! Language models of others: `OpenAI` and whoever speaks its protocol, Anthropic, Gemini, Ollama.
//!
//! Own adapters over the one HTTP client, since the crates for many providers keep one of these promises and not the next: the bytes of
//! an answer pass through, a stream without the mark of its end is a cut, and the times for a connection, the first word and the whole
//! stand apart.

mod anthropic;
mod embeddings;
mod endpoint;
mod errors;
mod gemini;
mod keys;
mod ollama;
mod openai;
mod sse;

use std::{sync::Arc, time::Duration};

use domain::assistant::ports::{Embedder, LanguageModel};

pub use keys::LiveKeys;

use crate::{
    client::{HttpClient, Target},
    resilience::{Dependencies, Kind},
};

/// Which protocol a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// That of `OpenAI` itself, which bounds answers by `max_completion_tokens`.
    OpenAi,
    /// The same as others speak it, bounded by `max_tokens`.
    Compatible,
    /// That of Anthropic.
    Anthropic,
    /// That of Google Gemini.
    Gemini,
    /// That of Ollama itself.
    Ollama,
}

impl Protocol {
    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Compatible => "compatible",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
        }
    }

    /// Where it is spoken when nothing else is said; nowhere for what anybody may speak.
    pub fn usual_base(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => Some("https://api.openai.com/v1"),
            Self::Compatible => None,
            Self::Anthropic => Some("https://api.anthropic.com/v1"),
            Self::Gemini => Some("https://generativelanguage.googleapis.com/v1beta"),
            Self::Ollama => Some("http://127.0.0.1:11434/api"),
        }
    }
}

/// A provider as the operator set it up.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderSettings {
    /// Its name.
    pub name: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it is.
    pub base: String,
    /// By which key it knows us; a server beside us may want none.
    pub key: String,
    /// How long the first piece of an answer may take, and the pause between two.
    pub first: Duration,
    /// How long an answer may take as a whole.
    pub whole: Duration,
}

impl std::fmt::Debug for ProviderSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderSettings")
            .field("name", &self.name)
            .field("protocol", &self.protocol)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

/// By which language models are called.
#[derive(Debug, Clone)]
pub struct ModelCalls {
    /// The client.
    pub client: HttpClient,
    /// Everybody who is called.
    pub dependencies: Arc<Dependencies>,
    /// By which keys they know us.
    pub keys: Arc<LiveKeys>,
}

impl ModelCalls {
    /// A model of a provider.
    ///
    /// # Errors
    /// For a base that is no address.
    pub fn model(&self, provider: &ProviderSettings, model: &str) -> domain::Result<Arc<dyn LanguageModel>> {
        let at = self.endpoint(provider, model)?;
        Ok(match provider.protocol {
            Protocol::OpenAi => Arc::new(openai::OpenAi::new(at, model, "max_completion_tokens")),
            Protocol::Compatible => Arc::new(openai::OpenAi::new(at, model, "max_tokens")),
            Protocol::Anthropic => Arc::new(anthropic::Anthropic::new(at, model)),
            Protocol::Gemini => Arc::new(gemini::Gemini::new(at, model)),
            Protocol::Ollama => Arc::new(ollama::Ollama::new(at, model)),
        })
    }

    /// A model of a provider that makes vectors of so many numbers.
    ///
    /// # Errors
    /// For a base that is no address, and for a provider that makes none.
    pub fn embedder(
        &self,
        provider: &ProviderSettings,
        model: &str,
        dimension: usize,
    ) -> domain::Result<Arc<dyn Embedder>> {
        let at = self.endpoint(provider, model)?;
        let name = format!("{}/{model}", provider.name);
        match provider.protocol {
            Protocol::OpenAi | Protocol::Compatible => {
                Ok(Arc::new(embeddings::OpenAiEmbedder::new(at, name, model, dimension)))
            }
            Protocol::Gemini => Ok(Arc::new(embeddings::GeminiEmbedder::new(at, name, model, dimension))),
            Protocol::Ollama => Ok(Arc::new(embeddings::OllamaEmbedder::new(at, name, model, dimension))),
            Protocol::Anthropic => Err(domain::Error::internal(format!("{} makes no vectors", provider.name))),
        }
    }

    fn endpoint(&self, provider: &ProviderSettings, model: &str) -> domain::Result<endpoint::Endpoint> {
        let base = Target::of_operator(&provider.base).map_err(domain::Error::internal)?;
        let at = self.dependencies.named(Kind::Assistant, &format!("{}/{model}", provider.name));
        Ok(endpoint::Endpoint::new(self.client.clone(), at, base, provider, self.keys.of(&provider.name)))
    }
}
