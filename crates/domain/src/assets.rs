//! Bytes that people bring and take away: where they lie, who holds them, and how much each may keep.
//!
//! Bytes are named by their SHA-256 and lie once, however many hold them. They are put away before the transaction that
//! refers to them, and [held](ports::BlobRepo::hold) in it; what nobody holds is taken out after a grace. Each time bytes come
//! into the store anew they are another [`Edition`], and who holds names the one they put: so what is taken out is never what
//! somebody is about to hold, however long either of them stands still, and without a clock.

mod chunks;
mod collect;
mod digest;
pub mod files;
mod gauge;
pub mod image;
pub mod lfs;
pub mod models;
mod patch;
pub mod ports;
mod rules;
mod scan;
mod storeroom;
pub mod uploads;
mod usage;

pub use chunks::{Chunks, Whole};
pub use collect::{Copied, SettleFiles, SweepFiles, Swept, Verified, Wrong, copy_all};
pub use digest::{Digest, Edition, Place};
pub use gauge::{Gauge, Stored, Terms};
pub use patch::Patch;
pub use rules::AssetRules;
pub use scan::{Scan, ScannedBlobs, Scanner};
pub use storeroom::{Kept, Storeroom};
pub use usage::{Holder, Quotas, charge};
