//! Uploads that go on where they broke off: created, brought in portions, and handed over when the last byte is there.
//!
//! Each portion lies in the store as bytes of its own that the upload holds, so a portion is there whole or not at all, on every
//! node and in every store. When all are there a job gives them, one after the other, to the same use case that takes a file
//! in one piece. What becomes of an upload is written in the transaction that stores what it became.

mod append;
mod create;
mod end;
mod events;
mod expire;
mod finish;
mod lost;
pub mod ports;
mod upload;

pub use append::{Progress, append};
pub use create::{NewUpload, create_upload};
pub use end::{Origin, delete_upload, find_upload};
pub use expire::expire_uploads;
pub use finish::{FinishUpload, Finisher, finish_upload};
pub use lost::fail_lost_uploads;
pub use upload::{Outcome, Part, Purpose, Resumable, UploadState};

#[cfg(test)]
mod tests;
