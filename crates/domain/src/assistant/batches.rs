//! Batches of questions: a file with a question in each line, asked in the background and answered in a file of the same order.
//!
//! A batch is carried by a chain of jobs, each of which does a bounded slice. Every line is asked through the gateway that the door of its
//! endpoint uses, with the rights that whoever made the batch has at that moment.

mod beside;
mod cancel_batch;
mod carry;
mod create_batch;
mod events;
mod file;
mod files;
mod finish;
mod forget_batches;
mod line;
mod lines;
pub mod ports;
mod purge_batches;
mod rights;
mod rules;
mod slice;
mod spare;
mod state;
#[cfg(test)]
mod tests;
mod validate;

pub use cancel_batch::cancel_batch;
pub use carry::{Carried, Carrier, CarryBatch, settle_batches};
pub use create_batch::{NewBatch, create_batch};
pub use file::{AssistantFile, FilePurpose, Owner};
pub use files::{add_file, delete_file};
pub use forget_batches::{ForgetBatches, forget_batches, forget_when_gone};
pub use line::{EndedLine, LineEnd, NewLine, Said, Waiting, WaitingLine};
pub use purge_batches::purge_batches;
pub use rights::Rights;
pub use rules::BatchRules;
pub use spare::spare;
pub use state::{Batch, BatchState, Counts, Endpoint, LineFault, Times, WINDOW};
