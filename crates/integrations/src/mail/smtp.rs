//! Mails by SMTP.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    Error,
    job::Failure,
    mail::{Mail, Mailer},
};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
        extension::ClientId,
    },
};

use super::Sender;
use crate::resilience::{Class, Dependency, Refused, Repeat};

/// How the way to the server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// From the first byte on, as on port 465.
    Tls,
    /// From `STARTTLS` on, without which nothing is sent.
    StartTls,
    /// Not at all.
    None,
}

/// The server that takes mails.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpSettings {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is encrypted.
    pub security: SmtpSecurity,
    /// Who we are there; empty for nobody.
    pub username: String,
    /// The password that goes with it.
    pub password: String,
    /// How long each step of sending may take.
    pub timeout: Duration,
    /// Certificates that are trusted beside those of the web, in PEM.
    pub extra_roots: Vec<u8>,
}

impl std::fmt::Debug for SmtpSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port, security, .. } = self;
        f.debug_struct("SmtpSettings")
            .field("host", host)
            .field("port", port)
            .field("security", security)
            .finish_non_exhaustive()
    }
}

/// Sends mails through one server, on a connection for each.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Sender,
    server: Dependency,
}

impl std::fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpMailer").field("sender", &self.sender).finish_non_exhaustive()
    }
}

impl SmtpMailer {
    /// Sends through this server, on these terms.
    ///
    /// # Errors
    /// For a name of a server that is none, and for certificates that cannot be read.
    pub fn new(settings: &SmtpSettings, sender: Sender, server: Dependency) -> domain::Result<Self> {
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(encryption(settings)?)
            // The name of this machine is nobody's business.
            .hello_name(ClientId::Domain("souk.invalid".to_owned()))
            .timeout(Some(settings.timeout));
        if !settings.username.is_empty() {
            transport = transport.credentials(Credentials::new(settings.username.clone(), settings.password.clone()));
        }
        Ok(Self { transport: transport.build(), sender, server })
    }
}

fn encryption(settings: &SmtpSettings) -> domain::Result<Tls> {
    if settings.security == SmtpSecurity::None {
        return Ok(Tls::None);
    }
    let mut parameters = TlsParameters::builder(settings.host.clone());
    if !settings.extra_roots.is_empty() {
        parameters =
            parameters.add_root_certificate(Certificate::from_pem(&settings.extra_roots).map_err(Error::internal)?);
    }
    let parameters = parameters.build_rustls().map_err(Error::internal)?;
    Ok(if settings.security == SmtpSecurity::Tls { Tls::Wrapper(parameters) } else { Tls::Required(parameters) })
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<(), Failure> {
        let message = self.sender.message(mail)?;
        // A letter may have been taken whose taking was not told: what was begun is not repeated here, but by its job.
        let sent = self.server.call(Repeat::Unsent, |_| async {
            let sent = self.transport.send(message.clone()).await;
            let class = sent.as_ref().map_or_else(class, |_| Class::Answered);
            (sent, class)
        });
        match sent.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failure(&error)),
            Err(Refused::TimedOut(_)) => Err(Failure::Retry("the mail server took too long".to_owned())),
            Err(refused) => Err(Failure::Retry(format!("the mail server was not asked: {refused}"))),
        }
    }
}

/// What a failure says of the server: one that answers is there, also when it would not take the letter.
fn class(error: &lettre::transport::smtp::Error) -> Class {
    match error.status().map(|code| code.to_string()) {
        // It closes, as one does that has too much to do.
        Some(code) if code == "421" => Class::Failed,
        Some(_) => Class::Answered,
        None => Class::Failed,
    }
}

/// What a refusal means. What the server wrote is left out: it repeats addresses.
fn failure(error: &lettre::transport::smtp::Error) -> Failure {
    let Some(status) = error.status() else {
        let reason = if error.is_timeout() {
            "the mail server took too long"
        } else if error.is_tls() {
            "the mail server does not encrypt as mail.smtp_security says"
        } else if error.is_client() {
            "the mail server lacks what mail.smtp_security or mail.smtp_username ask for"
        } else {
            "the mail server is away or broke off"
        };
        return Failure::Retry(reason.to_owned());
    };
    let code = status.to_string();
    // Who we are is for the operator to mend, as is that they forbid what we are; then the mail goes out after all.
    let ours = matches!(code.as_str(), "530" | "534" | "535" | "538");
    if error.is_permanent() && !ours {
        Failure::GiveUp(format!("the mail server refused it for good with {code}"))
    } else {
        Failure::Retry(format!("the mail server answered {code}"))
    }
}
