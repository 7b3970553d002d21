//! `[mail]`: how letters go out, and from whom.

use std::{path::PathBuf, time::Duration};

use integrations::mail::{SmtpSecurity, SmtpSettings};

use super::{Reader, Setting, database::is_private};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "mail.transport",
        "file",
        "smtp, or file: each letter is a file on this machine. off: none is sent, and what needs one is told 503.",
    )
    .production("off"),
    Setting::new("mail.from", "Souk <souk@localhost>", "From whom letters are: an address, or a name and an address.")
        .production(""),
    Setting::new("mail.shop", "Souk", "What the shop is called in letters."),
    Setting::new("mail.folder", "data/mail", "Where the transport file puts letters."),
    Setting::new(
        "mail.templates",
        "",
        "A folder with words of your own: a file in it, such as reset_password.txt, stands for the built-in one of its name.",
    ),
    Setting::new("mail.smtp_host", "localhost", "The server that takes letters."),
    Setting::new("mail.smtp_port", "587", "Its port."),
    Setting::new("mail.smtp_security", "starttls", "starttls, tls from the first byte on (port 465), or none."),
    Setting::new("mail.smtp_username", "", "Who we are at that server; nobody when not set."),
    Setting::new("mail.smtp_password", "", "The password that goes with it.").secret(),
    Setting::new("mail.smtp_timeout_seconds", "15", "How long each step of sending a letter may take."),
    Setting::new("mail.smtp_ca_file", "", "Certificates in PEM that are trusted beside those of the web."),
];

/// How letters go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Not at all.
    Off,
    /// Into files in this folder.
    File(PathBuf),
    /// Through this server; the file holds certificates that are trusted beside those of the web.
    Smtp(SmtpSettings, Option<PathBuf>),
}

/// Letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) transport: Transport,
    pub(crate) from: String,
    pub(crate) shop: String,
    pub(crate) templates: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Off,
    File,
    Smtp,
}

impl Mail {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let kind = reader.one_of("mail.transport", &[("smtp", Kind::Smtp), ("file", Kind::File), ("off", Kind::Off)]);
        let smtp = smtp(reader);
        let (from, shop) = (reader.text("mail.from"), reader.text("mail.shop"));
        let templates = Some(reader.text("mail.templates")).filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let (kind, (smtp, roots)) = (kind?, smtp?);
        if let Err(fault) = integrations::mail::Sender::check(&from)
            && (kind != Kind::Off || !from.is_empty())
        {
            reader.fault("mail.from", fault);
            return None;
        }
        let transport = match kind {
            Kind::Off => Transport::Off,
            Kind::File if reader.strict() => {
                reader.fault("mail.transport", "must not be file in production: nobody would get their letters");
                return None;
            }
            Kind::File => Transport::File(reader.text("mail.folder").into()),
            Kind::Smtp => Transport::Smtp(smtp, roots),
        };
        if reader.strict() && transport != Transport::Off && reader.text("public.url").is_empty() {
            reader.fault(
                "public.url",
                "must be set in production when mail.transport is: links in letters are made of it",
            );
            return None;
        }
        Some(Self { transport, from, shop, templates })
    }
}

fn smtp(reader: &mut Reader<'_>) -> Option<(SmtpSettings, Option<PathBuf>)> {
    let host = reader.text("mail.smtp_host");
    let port = reader.number("mail.smtp_port", 1..=u16::MAX);
    let words = [("starttls", SmtpSecurity::StartTls), ("tls", SmtpSecurity::Tls), ("none", SmtpSecurity::None)];
    let security = reader.one_of("mail.smtp_security", &words);
    let (username, password) = (reader.text("mail.smtp_username"), reader.text("mail.smtp_password"));
    let timeout = reader.seconds("mail.smtp_timeout_seconds", 1..=25);
    let roots = Some(reader.text("mail.smtp_ca_file")).filter(|file| !file.is_empty()).map(PathBuf::from);
    let (port, security, timeout): (_, _, Duration) = (port?, security?, timeout?);
    if host.is_empty() {
        reader.fault("mail.smtp_host", "must name a server");
        return None;
    }
    if security == SmtpSecurity::None && !is_private(&host) && (reader.strict() || !username.is_empty()) {
        reader.fault("mail.smtp_security", "must not be none but for a server on this machine: letters hold secrets");
        return None;
    }
    Some((SmtpSettings { host, port, security, username, password, timeout, extra_roots: Vec::new() }, roots))
}
