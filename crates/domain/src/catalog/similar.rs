//! What products mean, as vectors: search by meaning beside search by words, and products like another.
//!
//! The vectors of products are kept in the database by one step after the other: from the numbered log, and by a walk over the
//! catalogue when the model that makes them is another one. Each node holds them in memory and reads what changed. What they
//! find is only a proposal: whether a caller may see a product, and what it says, is read from the database each time.

mod embed;
mod find;
mod index;
mod keep;
pub mod ports;
#[cfg(test)]
mod tests;
mod vector;

pub use embed::{Passage, TextVectors};
pub use find::{Finder, Findings, Found, LEAST, Mode, NEAREST};
pub use index::{Index, Near};
pub use keep::{Keeping, Kept, follow, keep_vectors};
pub use vector::{Vector, VectorBytes};
