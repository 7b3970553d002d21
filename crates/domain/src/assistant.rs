//! The assistant: language models of several providers behind one port, and what is spent on them.

mod amount;
mod answer;
pub mod batches;
mod budget;
mod call;
mod chat;
pub mod conversation;
mod denied;
mod embed;
mod fault;
mod held;
pub mod kept;
mod ledger;
mod look_after;
mod model;
pub mod ports;
mod price;
pub mod prompts;
mod reply;
mod search;
pub mod spending;
pub mod terms;
mod tokenizer;
mod tokens;
pub mod tools;

#[cfg(test)]
mod tests;

pub use amount::{read_amount, write_amount};
pub use answer::Answer;
pub use budget::{Budget, BudgetBy, BudgetSpan, Hold, Refusal, Spent, WindowKey, decide};
pub use call::{Origin, Whole, ask, ask_for, stream, stream_for};
pub use chat::{ChatRequest, Effort, Image, Message, Part, ResponseFormat, Role, Tool, ToolChoice};
pub use denied::Denied;
pub use embed::embed;
pub use fault::{Fault, FaultClass};
pub use ledger::{Batch, CallKind, CallState, NewCall, Settlement, Verdict};
pub use look_after::{Looked, SettleCalls, settle_calls};
pub use model::{Assistant, Deployment, Embedding, Model, Models};
pub use price::{Price, PriceList};
pub use reply::{ChatEvent, ChatReply, Finish, Gathered, ToolCall, Usage};
pub use search::SearchVectors;
pub use tokenizer::{Counts, TokenCounter, Tokenizer};
pub use tokens::{bound, estimate};
