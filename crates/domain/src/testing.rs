//! Support for tests and examples: a store in memory, a clock that is set, randomness from a seed, and the contract
//! every adapter of a port is held to.

mod analysis;
mod answers;
mod assistant;
mod blobs;
mod ceremonies;
mod clock;
mod codes;
pub mod contract;
mod embedder;
mod entropy;
mod epochs;
mod fixtures;
mod hasher;
mod hooks;
mod imaging;
mod mac;
mod mail;
pub mod memory;
mod providers;
pub mod search_parity;
mod terms;
mod tokens;
mod turnstile;
mod webhooks;

pub use analysis::PlainAnalysis;
pub use answers::PlainAnswers;
pub use assistant::{PlainCounter, PlainLedger, PlainModel, PlainVectors, Script};
pub use blobs::MemoryBlobs;
pub use ceremonies::PlainCeremonies;
pub use clock::FakeClock;
pub use codes::PlainCodes;
pub use embedder::PlainEmbedder;
pub use entropy::SeededEntropy;
pub use epochs::MemoryEpochs;
pub use fixtures::Fixtures;
pub use hasher::PlainHasher;
pub use hooks::PlainHooks;
pub use imaging::PlainImaging;
pub use mac::PlainMac;
pub use mail::{PlainSealer, Postbox};
pub use providers::{PlainIssuers, PlainProviders};
pub use terms::{PlainKeys, plain_terms};
pub use tokens::PlainTokens;
pub use turnstile::Turnstile;
pub use webhooks::{PlainAddresses, PlainSigner, PlainWording};
