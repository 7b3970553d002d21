//! The assistant: language models of several providers behind one port, and what is spent on them.

mod chat;
mod fault;
pub mod ports;
mod reply;

pub use chat::{ChatRequest, Effort, Image, Message, Part, ResponseFormat, Role, Tool, ToolChoice};
pub use fault::{Fault, FaultClass};
pub use reply::{ChatEvent, ChatReply, Finish, Gathered, ToolCall, Usage};
