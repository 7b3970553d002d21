//! Letters: what makes their words, and what sends them.

use std::sync::Arc;

use credentials::{KeyedHash, Seal};
use domain::{
    Error, Result,
    identity::{Links, Mailroom, Post},
    job::Failure,
    mail::{Mail, Mailer},
};
use integrations::{
    mail::{FileMailer, Sender, SmtpMailer, Templates},
    resilience::Kind,
};

use crate::{
    config::{Config, Transport},
    foundation::Foundation,
};

/// What flows by mail stand on.
pub(crate) fn mailroom(config: &Config, foundation: &Foundation) -> Result<Mailroom> {
    let open = config.mail.transport != Transport::Off;
    Ok(Mailroom {
        sealer: Arc::new(Seal::new(foundation.master.clone(), Arc::clone(&foundation.shop.entropy))),
        mac: Arc::new(KeyedHash::new(&foundation.master, "codes")?),
        // Without a public address nothing is sent, so no link is made.
        links: config.public.links.clone().unwrap_or_else(|| Links::new("", Vec::new())),
        verification: config.identity.verification,
        open,
    })
}

/// What sends letters, made of the settings.
///
/// # Errors
/// For templates that would make no letter, and for what the mail server is said to be.
pub(crate) fn post(config: &Config, foundation: &Foundation) -> Result<Post> {
    let mail = &config.mail;
    let stationery = Arc::new(Templates::new(&mail.shop, mail.templates.as_deref())?);
    let mailer: Arc<dyn Mailer> = match &mail.transport {
        Transport::Off => Arc::new(Nothing),
        Transport::File(folder) => Arc::new(FileMailer::new(folder.clone(), sender(config, foundation)?)),
        Transport::Smtp(settings, roots) => {
            let mut settings = settings.clone();
            if let Some(file) = roots {
                let read = std::fs::read(file);
                settings.extra_roots = read.map_err(|fault| Error::internal(format!("{}: {fault}", file.display())))?;
            }
            let server = foundation.dependencies.one(Kind::Mail);
            Arc::new(SmtpMailer::new(&settings, sender(config, foundation)?, server)?)
        }
    };
    Ok(Post { room: mailroom(config, foundation)?, stationery, mailer })
}

fn sender(config: &Config, foundation: &Foundation) -> Result<Sender> {
    Sender::new(&config.mail.from, Arc::clone(&foundation.shop.clock)).map_err(Error::internal)
}

/// Sends nothing: letters that were wanted before mails were turned off wait until they are on again.
struct Nothing;

#[async_trait::async_trait]
impl Mailer for Nothing {
    async fn send(&self, _: &Mail) -> Result<(), Failure> {
        Err(Failure::Retry("mail.transport is off".to_owned()))
    }
}
