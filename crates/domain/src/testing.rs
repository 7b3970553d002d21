//! Support for tests and examples: a store in memory, a clock that is set, randomness from a seed.

mod clock;
mod entropy;
mod hasher;
pub mod memory;
mod tokens;

pub use clock::FakeClock;
pub use entropy::SeededEntropy;
pub use hasher::PlainHasher;
pub use tokens::PlainTokens;
