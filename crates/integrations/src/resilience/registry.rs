//! Everybody we call, each once: whoever calls the same counts together.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use domain::{
    clock::{Clock, Entropy},
    health::Probe,
};

use super::{BreakerTerms, Dependency, Terms};

/// Of which kind somebody is: those of a kind have the same terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The server that takes letters.
    Mail,
    /// The store of files, where that is a bucket.
    Files,
    /// Those with whom people sign in.
    Providers,
    /// Those whose tokens are believed.
    Issuers,
    /// Who looks at files for malware.
    Scanner,
    /// Those who run language models.
    Assistant,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Mail, Self::Files, Self::Providers, Self::Issuers, Self::Scanner, Self::Assistant];

    /// Its name in settings, metrics and `/ready`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Files => "files",
            Self::Providers => "providers",
            Self::Issuers => "issuers",
            Self::Scanner => "scanner",
            Self::Assistant => "assistant",
        }
    }

    /// Its terms where nothing else is said.
    pub fn usual(self) -> Terms {
        let usual = Terms::default();
        match self {
            // Servers let a stranger wait before they speak, and read a letter before they answer. The job is done again.
            Self::Mail => Terms {
                timeout: std::time::Duration::from_secs(20),
                attempts: 1,
                at_once: 8,
                breaker: BreakerTerms { window: std::time::Duration::from_mins(1), ..usual.breaker },
                ..usual
            },
            // The head of an answer comes after a part of 8 MiB went there.
            Self::Files => Terms { timeout: std::time::Duration::from_secs(20), at_once: 64, ..usual },
            // Each provider says how long it may take. Another is asked rather than the same once more.
            Self::Assistant => Terms {
                timeout: std::time::Duration::from_hours(1),
                attempts: 1,
                at_once: 1024,
                waiting: 1024,
                ..usual
            },
            Self::Providers | Self::Issuers | Self::Scanner => usual,
        }
    }
}

/// Everybody we call.
pub struct Dependencies {
    terms: BTreeMap<Kind, Terms>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    known: Mutex<BTreeMap<(Kind, String), Dependency>>,
}

impl std::fmt::Debug for Dependencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dependencies").field("terms", &self.terms).finish_non_exhaustive()
    }
}

impl Dependencies {
    /// Nobody yet; on these terms, or else the usual ones.
    pub fn new(terms: BTreeMap<Kind, Terms>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { terms, clock, entropy, known: Mutex::default() }
    }

    /// The only one of a kind.
    pub fn one(&self, kind: Kind) -> Dependency {
        self.get(kind, "")
    }

    /// The one of this name among those of a kind.
    pub fn named(&self, kind: Kind, name: &str) -> Dependency {
        self.get(kind, name)
    }

    fn get(&self, kind: Kind, name: &str) -> Dependency {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || {
            let label = if name.is_empty() { kind.name().to_owned() } else { format!("{}.{name}", kind.name()) };
            let terms = self.terms.get(&kind).copied().unwrap_or_else(|| kind.usual());
            Dependency::new(&label, terms, Arc::clone(&self.clock), Arc::clone(&self.entropy))
        };
        known.entry((kind, name.to_owned())).or_insert_with(made).clone()
    }

    /// What `/ready` says of those of a kind: whether all are called as usual. Nobody is asked for it.
    pub fn probe(self: &Arc<Self>, kind: Kind) -> Arc<dyn Probe> {
        Arc::new(Called { all: Arc::clone(self), kind })
    }

    fn are_well(&self, kind: Kind) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Each is looked at, so that each tells its metrics how it stands.
        let ill = known.iter().filter(|((of, _), one)| *of == kind && !one.is_well());
        ill.count() == 0
    }
}

struct Called {
    all: Arc<Dependencies>,
    kind: Kind,
}

#[async_trait]
impl Probe for Called {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn required(&self) -> bool {
        false
    }

    async fn check(&self) -> bool {
        self.all.are_well(self.kind)
    }
}
