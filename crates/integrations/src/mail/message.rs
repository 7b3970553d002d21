//! A mail in the form that mail servers take.

use std::sync::Arc;

use domain::{clock::Clock, job::Failure, mail::Mail};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};

/// From whom mails are.
#[derive(Clone)]
pub struct Sender {
    mailbox: Mailbox,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("mailbox", &self.mailbox).finish_non_exhaustive()
    }
}

impl Sender {
    /// Mails from here: an address, or a name and an address as in `Shop <shop@example.com>`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(from: &str, clock: Arc<dyn Clock>) -> Result<Self, String> {
        Ok(Self { mailbox: mailbox(from)?, clock })
    }

    /// Whether mails can be from there.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(from: &str) -> Result<(), String> {
        mailbox(from).map(|_| ())
    }

    /// The mail with its head. The same mail has the same `Message-ID` however often it is sent.
    pub(super) fn message(&self, mail: &Mail) -> Result<Message, Failure> {
        let hopeless = || Failure::GiveUp("the mail cannot be written: its address is none".to_owned());
        let to: Address = mail.to.as_str().parse().map_err(|_| hopeless())?;
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        Message::builder()
            .from(self.mailbox.clone())
            .to(Mailbox::new(None, to))
            .subject(&mail.subject)
            .date(self.clock.now().into())
            .message_id(Some(format!("<{}@{}>", mail.id, self.mailbox.email.domain())))
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
            .map_err(|_| hopeless())
    }
}

fn mailbox(from: &str) -> Result<Mailbox, String> {
    from.parse().map_err(|_| "must be an address, or a name with one, such as Shop <shop@example.com>".to_owned())
}
