//! What brings mails: SMTP, or a folder; and the words they have.

mod file;
mod message;
mod smtp;
mod templates;

pub use file::FileMailer;
pub use message::Sender;
pub use smtp::{SmtpMailer, SmtpSecurity, SmtpSettings};
pub use templates::Templates;
