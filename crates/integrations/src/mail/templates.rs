//! The words of letters: templates in the binary, each of which an operator may replace by a file of its name.

use std::{path::Path, time::Duration};

use domain::{
    Error, Result,
    identity::Email,
    mail::{Letter, Mail, Stationery, Subject},
};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use uuid::Uuid;

/// Names and texts of the templates of one subject.
macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        &[
            ("layout.html", include_str!("../../templates/layout.html")),
            $(
                (concat!($name, ".txt"), include_str!(concat!("../../templates/", $name, ".txt"))),
                (concat!($name, ".html"), include_str!(concat!("../../templates/", $name, ".html"))),
            )+
        ]
    };
}

const BUILT_IN: &[(&str, &str)] = built_in!(
    "verify_email",
    "reset_password",
    "change_email",
    "sign_in_code",
    "address_in_use",
    "password_changed",
    "email_changed",
    "invitation",
    "factor_added",
    "factor_removed",
    "recovery_code_used",
    "passkey_added",
    "passkey_removed",
    "archive_ready",
    "webhook_disabled",
    "test",
);

/// The templates. Of each subject there are two: `<subject>.txt`, whose first line is `Subject: ..`, and `<subject>.html`. They
/// know `shop`, `secret` (a link, or a code) and `life`; a name that there is not is a fault.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    shop: String,
}

impl Templates {
    /// The templates of the binary, with those of the operator's folder in their place, for a shop of this name.
    ///
    /// # Errors
    /// When a template cannot be read, or would not make a mail; the message names it.
    pub fn new(shop: &str, folder: Option<&Path>) -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| if has_html(name) { AutoEscape::Html } else { AutoEscape::None });
        for (name, text) in BUILT_IN {
            let own = folder.map(|folder| folder.join(name)).filter(|path| path.exists());
            let text = match own {
                Some(path) => {
                    std::fs::read_to_string(&path).map_err(|fault| about(&path.display().to_string(), &fault))?
                }
                None => (*text).to_owned(),
            };
            environment.add_template_owned(*name, text).map_err(|fault| about(name, &fault))?;
        }
        let templates = Self { environment, shop: shop.to_owned() };
        // Found at the start, not when somebody waits for their letter.
        for subject in Subject::ALL {
            let to = Email::stored("ada@example.com".to_owned());
            templates.write(&Letter {
                id: Uuid::nil(),
                to,
                subject,
                secret: "x".to_owned(),
                life: Duration::from_mins(5),
            })?;
        }
        Ok(templates)
    }

    fn render(&self, name: &str, letter: &Letter) -> Result<String> {
        let template = self.environment.get_template(name).map_err(|fault| about(name, &fault))?;
        let values = context! { shop => &self.shop, secret => &letter.secret, life => spoken(letter.life) };
        template.render(values).map_err(|fault| about(name, &fault))
    }
}

impl Stationery for Templates {
    fn write(&self, letter: &Letter) -> Result<Mail> {
        let about_subject = letter.subject.name();
        let name = format!("{about_subject}.txt");
        let text = self.render(&name, letter)?;
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let subject = first.strip_prefix("Subject:").map(str::trim).filter(|subject| !subject.is_empty());
        let subject = subject.ok_or_else(|| Error::internal(format!("{name} must begin with a line `Subject: ..`")))?;
        Ok(Mail {
            id: letter.id,
            to: letter.to.clone(),
            about: letter.subject,
            subject: subject.to_owned(),
            text: rest.trim_start().to_owned(),
            html: self.render(&format!("{about_subject}.html"), letter)?,
        })
    }
}

fn has_html(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end == "html")
}

/// A fault of a template. What it says may quote the template, never a letter.
fn about(name: &str, fault: &dyn std::fmt::Display) -> Error {
    Error::internal(format!("mail template {name}: {fault}"))
}

/// A time as people say it: 24 hours, 30 minutes.
fn spoken(life: Duration) -> String {
    let minutes = life.as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (1, 0) => "1 hour".to_owned(),
        (hours, 0) if hours > 0 => format!("{hours} hours"),
        _ if minutes == 1 => "1 minute".to_owned(),
        _ => format!("{minutes} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(subject: Subject, secret: &str) -> Letter {
        let to = Email::stored("ada@example.com".to_owned());
        Letter { id: Uuid::from_u128(7), to, subject, secret: secret.to_owned(), life: Duration::from_mins(30) }
    }

    #[test]
    fn every_letter_has_a_subject_and_its_words_twice() {
        let templates = Templates::new("Brass & Co", None).unwrap();
        for subject in Subject::ALL {
            let mail = templates.write(&letter(subject, "https://shop.example/?a=1&token=c0de")).unwrap();
            assert!(!mail.subject.is_empty() && mail.text.contains("Brass & Co"), "{subject:?}: {}", mail.text);
            assert!(mail.html.contains("Brass &amp; Co") && mail.html.contains("<html"), "{subject:?}: {}", mail.html);
            let secret = !matches!(
                subject,
                Subject::PasswordChanged
                    | Subject::EmailChanged
                    | Subject::FactorAdded
                    | Subject::FactorRemoved
                    | Subject::RecoveryCodeUsed
                    | Subject::PasskeyAdded
                    | Subject::PasskeyRemoved
                    | Subject::ArchiveReady
                    | Subject::WebhookDisabled
                    | Subject::Test
            );
            assert_eq!(
                mail.text.contains("https://shop.example/?a=1&token=c0de"),
                secret,
                "{subject:?}: {}",
                mail.text
            );
            assert_eq!(mail.html.contains("token=c0de"), secret, "{subject:?}: {}", mail.html);
        }
    }

    #[test]
    fn what_stands_in_a_letter_is_no_markup() {
        let templates = Templates::new("<b>", None).unwrap();
        let mail = templates.write(&letter(Subject::ResetPassword, "https://x.example/\"><script>")).unwrap();
        assert!(!mail.html.contains("<script>") && !mail.html.contains("<b>"), "{}", mail.html);
        assert!(mail.text.contains("<script>"), "a text is not HTML");
        assert!(mail.text.contains("30 minutes") && mail.html.contains("30 minutes"));
    }

    #[test]
    fn the_operator_replaces_one_and_is_told_what_is_wrong_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("reset_password.txt");
        std::fs::write(&own, "Subject: Neues Passwort\n\n{{ secret }} ({{ life }})\n").unwrap();
        let mail =
            Templates::new("Souk", Some(folder.path())).unwrap().write(&letter(Subject::ResetPassword, "L")).unwrap();
        assert_eq!((mail.subject.as_str(), mail.text.as_str()), ("Neues Passwort", "L (30 minutes)"));
        for (wrong, told) in
            [("Hello {{ secret }}", "Subject"), ("Subject: x\n{{ name }}", "undefined"), ("Subject: {{", "syntax")]
        {
            std::fs::write(&own, wrong).unwrap();
            let Error::Internal(fault) = Templates::new("Souk", Some(folder.path())).unwrap_err() else {
                panic!("{wrong}")
            };
            assert!(fault.to_string().contains("reset_password.txt") && fault.to_string().contains(told), "{fault}");
        }
    }

    #[test]
    fn times_are_spoken() {
        for (minutes, text) in [
            (1, "1 minute"),
            (5, "5 minutes"),
            (30, "30 minutes"),
            (60, "1 hour"),
            (90, "90 minutes"),
            (1440, "24 hours"),
        ] {
            assert_eq!(spoken(Duration::from_mins(minutes)), text);
        }
    }
}
