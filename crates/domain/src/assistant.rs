//! The assistant: language models of several providers behind one port, and what is spent on them.

mod answer;
mod budget;
mod call;
mod chat;
pub mod conversation;
mod denied;
mod embed;
mod fault;
mod held;
mod ledger;
mod model;
pub mod ports;
mod price;
mod reply;
mod search;
mod tokens;
pub mod tools;

#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use budget::{Budget, BudgetBy, BudgetSpan, Hold, Refusal, Spent, WindowKey, decide};
pub use call::{Whole, ask, stream};
pub use chat::{ChatRequest, Effort, Image, Message, Part, ResponseFormat, Role, Tool, ToolChoice};
pub use denied::Denied;
pub use embed::embed;
pub use fault::{Fault, FaultClass};
pub use ledger::{Batch, CallKind, CallState, NewCall, Settlement, Verdict};
pub use model::{Assistant, Deployment, Embedding, Model, Models};
pub use price::{Price, PriceList};
pub use reply::{ChatEvent, ChatReply, Finish, Gathered, ToolCall, Usage};
pub use search::SearchVectors;
pub use tokens::{bound, estimate};
