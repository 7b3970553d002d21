//! Mails: what a letter says, and the ports that write and send it.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use uuid::Uuid;

use crate::{error::Result, identity::Email, job::Failure};

/// What a letter is about; its words stand in the template of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Somebody is to prove that an address is theirs.
    VerifyEmail,
    /// Somebody may choose a new password.
    ResetPassword,
    /// Somebody is to prove that the address they change to is theirs.
    ChangeEmail,
    /// The code that signs somebody in.
    SignInCode,
    /// Somebody tried to sign up with, or to change to, the address of an account that there is.
    AddressInUse,
    /// The password is another since now.
    PasswordChanged,
    /// The account has another address since now; said to the old one.
    EmailChanged,
    /// Somebody is invited to a seller account.
    Invitation,
    /// An authenticator app was added.
    FactorAdded,
    /// It was removed.
    FactorRemoved,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// A passkey was added.
    PasskeyAdded,
    /// One was deleted.
    PasskeyRemoved,
    /// The archive of all that is kept of somebody is there.
    ArchiveReady,
    /// A webhook endpoint was switched off because it failed.
    WebhookDisabled,
    /// An operator tries whether mails arrive.
    Test,
}

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 16] = [
        Self::VerifyEmail,
        Self::ResetPassword,
        Self::ChangeEmail,
        Self::SignInCode,
        Self::AddressInUse,
        Self::PasswordChanged,
        Self::EmailChanged,
        Self::Invitation,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::RecoveryCodeUsed,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::ArchiveReady,
        Self::WebhookDisabled,
        Self::Test,
    ];

    /// The name of its template.
    pub fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
            Self::SignInCode => "sign_in_code",
            Self::AddressInUse => "address_in_use",
            Self::PasswordChanged => "password_changed",
            Self::EmailChanged => "email_changed",
            Self::Invitation => "invitation",
            Self::FactorAdded => "factor_added",
            Self::FactorRemoved => "factor_removed",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRemoved => "passkey_removed",
            Self::ArchiveReady => "archive_ready",
            Self::WebhookDisabled => "webhook_disabled",
            Self::Test => "test",
        }
    }
}

/// A letter before it has words. Nothing in it was written by a stranger: who signs up with somebody else's address must
/// not be able to send them words of theirs. `Debug` shows neither address nor secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its id, the same whenever it is sent again, so that a mail server can tell.
    pub id: Uuid,
    /// Who gets it.
    pub to: Email,
    /// What it is about.
    pub subject: Subject,
    /// The link it holds, or the code; empty when it holds neither.
    pub secret: String,
    /// How long that is good for.
    pub life: Duration,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("id", &self.id).field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// A letter with its words. `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The id of the letter.
    pub id: Uuid,
    /// Who gets it.
    pub to: Email,
    /// What it is about, for logs.
    pub about: Subject,
    /// Its subject line.
    pub subject: String,
    /// Its words as plain text.
    pub text: String,
    /// Its words as HTML.
    pub html: String,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("id", &self.id).field("about", &self.about).finish_non_exhaustive()
    }
}

/// Finds the words of letters.
pub trait Stationery: Send + Sync {
    /// The letter with its words.
    fn write(&self, letter: &Letter) -> Result<Mail>;
}

/// Sends mails.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands a mail over to who brings it. MUST end within a time of its own, and MUST NOT tell of the mail's words or of its
    /// address in a failure.
    ///
    /// # Errors
    /// [`Failure::Retry`] while it may still be taken, [`Failure::GiveUp`] when it was refused for good.
    async fn send(&self, mail: &Mail) -> Result<(), Failure>;
}
