//! Everything that calls out: the one HTTP client, what brings mails and webhooks, what knows malware, those who say elsewhere who
//! somebody is, language models and the words they are asked in, and on which terms all of them are called.

pub mod blobs;
pub mod clamav;
pub mod client;
pub mod llm;
pub mod mail;
pub mod outside;
pub mod prompts;
pub mod resilience;
pub mod webhooks;
