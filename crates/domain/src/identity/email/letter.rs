//! Letters: what is to be sent waits as a job, and gets its code and its words when it is written.

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Mailroom, Purpose, Redirect, mailroom::SEALED_FOR};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{JobId, UserId},
    identity::{Email, User},
    job::{Backoff, Failure, Job, Policy, Priority},
    mail::{Letter, Mailer, Stationery, Subject},
    secrets::unhex,
    shop::Shop,
    store::Tx,
};

/// The job that sends a letter. What it is about is sealed: neither addresses nor secrets lie in the table of jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendLetter {
    /// A sealed errand, in hexadecimal digits.
    pub sealed: String,
}

impl Job for SendLetter {
    const NAME: &'static str = "send_letter";

    fn policy() -> Policy {
        Policy {
            priority: Priority::High,
            attempts: 20,
            timeout: Duration::from_mins(2),
            backoff: Backoff { first: Duration::from_secs(2), longest: Duration::from_mins(15) },
            at_once: 8,
        }
    }
}

/// What a letter is to be sent for. Whom it concerns is looked up when it is written, not when it is asked for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Errand {
    Verify {
        email: Email,
        redirect: Option<Redirect>,
    },
    Reset {
        email: Email,
        redirect: Option<Redirect>,
    },
    Change {
        user: UserId,
        email: Email,
        redirect: Option<Redirect>,
    },
    SignIn {
        email: Email,
    },
    AddressInUse {
        email: Email,
    },
    PasswordChanged {
        email: Email,
    },
    EmailChanged {
        before: Email,
    },
    /// Something changed that the owner is told of, in case it was not them.
    Notice {
        email: Email,
        about: Notice,
    },
    /// The code is kept by who invites, and is here only in the sealed job.
    Invitation {
        email: Email,
        code: String,
        life: Duration,
    },
}

/// What an owner is told of, without a link or a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Notice {
    FactorAdded,
    FactorRemoved,
    RecoveryCodeUsed,
    PasskeyAdded,
    PasskeyRemoved,
    ArchiveReady,
    WebhookDisabled,
}

impl Notice {
    fn subject(self) -> Subject {
        match self {
            Self::FactorAdded => Subject::FactorAdded,
            Self::FactorRemoved => Subject::FactorRemoved,
            Self::RecoveryCodeUsed => Subject::RecoveryCodeUsed,
            Self::PasskeyAdded => Subject::PasskeyAdded,
            Self::PasskeyRemoved => Subject::PasskeyRemoved,
            Self::ArchiveReady => Subject::ArchiveReady,
            Self::WebhookDisabled => Subject::WebhookDisabled,
        }
    }
}

impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Errand(..)")
    }
}

/// What sending letters stands on.
#[derive(Clone)]
pub struct Post {
    /// Opens errands and makes codes.
    pub room: Mailroom,
    /// Finds the words.
    pub stationery: Arc<dyn Stationery>,
    /// Sends.
    pub mailer: Arc<dyn Mailer>,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("room", &self.room).finish_non_exhaustive()
    }
}

/// Sends the letter of a job, if there is somebody it concerns. Its code is made once, in the transaction that claims the
/// job; another attempt sends the same letter again, unless its code was used or replaced meanwhile. A letter may so arrive
/// twice, with one id, but none is lost.
///
/// # Errors
/// Why it was not sent, and whether another attempt may be.
pub async fn deliver(shop: &Shop, post: &Post, job: &SendLetter, id: JobId) -> Result<(), Failure> {
    let hopeless = || Failure::GiveUp("it cannot be opened: SOUK_SECRET_KEY is another than before".to_owned());
    let sealed = unhex(&job.sealed).ok_or_else(hopeless)?;
    let plain = post.room.sealer.open(SEALED_FOR, &sealed).map_err(|_| hopeless())?;
    let errand: Errand = serde_json::from_slice(&plain).map_err(|_| hopeless())?;
    let Some(letter) = write(shop, &post.room, &errand, id).await? else { return Ok(()) };
    if letter.to.is_nowhere() {
        return Ok(());
    }
    post.mailer.send(&post.stationery.write(&letter)?).await
}

/// The letter, with its code stored; `None` when it concerns nobody, or nobody any more.
async fn write(shop: &Shop, room: &Mailroom, errand: &Errand, id: JobId) -> Result<Option<Letter>> {
    let plain =
        |subject, to: &Email| Letter { id: id.0, to: to.clone(), subject, secret: String::new(), life: Duration::ZERO };
    let in_use =
        |email| Letter { secret: room.links.page("forgotten-password"), ..plain(Subject::AddressInUse, email) };
    let (whose, purpose, email, redirect) = match errand {
        Errand::AddressInUse { email } => return Ok(Some(in_use(email))),
        Errand::PasswordChanged { email } => return Ok(Some(plain(Subject::PasswordChanged, email))),
        Errand::EmailChanged { before } => return Ok(Some(plain(Subject::EmailChanged, before))),
        Errand::Notice { email, about } => return Ok(Some(plain(about.subject(), email))),
        Errand::Invitation { email, code, life } => {
            return Ok(Some(Letter { secret: code.clone(), life: *life, ..plain(Subject::Invitation, email) }));
        }
        Errand::Verify { email, redirect } => (Whose::Unproven, Purpose::VerifyEmail, email, redirect.as_ref()),
        Errand::Reset { email, redirect } => (Whose::Address, Purpose::ResetPassword, email, redirect.as_ref()),
        Errand::SignIn { email } => (Whose::Address, Purpose::SignIn, email, None),
        Errand::Change { user, email, redirect } => {
            (Whose::Person(*user), Purpose::ChangeEmail, email, redirect.as_ref())
        }
    };
    let wanted = &Wanted { whose, purpose, email };
    let issued = shop
        .write("write_letter", |mut tx| async move {
            let now = tx.now();
            let issued = wanted.issue(room, &mut *tx, id, now).await?;
            tx.commit(issued).await
        })
        .await?;
    let code = match issued {
        Issued::Nothing => return Ok(None),
        Issued::InUse => return Ok(Some(in_use(email))),
        Issued::Code(code) => code,
    };
    let link = || room.links.to(purpose, redirect, &code);
    let (subject, secret) = match purpose {
        Purpose::SignIn => (Subject::SignInCode, code.clone()),
        Purpose::VerifyEmail => (Subject::VerifyEmail, link()),
        Purpose::ResetPassword => (Subject::ResetPassword, link()),
        Purpose::ChangeEmail => (Subject::ChangeEmail, link()),
    };
    Ok(Some(Letter { secret, life: purpose.life(), ..plain(subject, email) }))
}

/// A code that is wanted.
struct Wanted<'a> {
    whose: Whose,
    purpose: Purpose,
    email: &'a Email,
}

/// Whose a code is to be.
#[derive(Clone, Copy)]
enum Whose {
    /// The person of the address.
    Address,
    /// The person of the address, unless they have proven that it is theirs.
    Unproven,
    /// This person, who wants the address.
    Person(UserId),
}

enum Issued {
    Nothing,
    InUse,
    Code(String),
}

impl Wanted<'_> {
    async fn issue(&self, room: &Mailroom, tx: &mut dyn Tx, id: JobId, now: Timestamp) -> Result<Issued> {
        let owner = tx.users().by_email(self.email).await?;
        let user = match self.whose {
            Whose::Person(user) if owner.is_some_and(|owner| owner != user) => return Ok(Issued::InUse),
            Whose::Person(user) => Some(user),
            Whose::Address | Whose::Unproven => owner,
        };
        let user = match user {
            Some(user) => tx.users().find(user).await?,
            None => None,
        };
        let Some(user) = user.filter(|user| self.concerns(user)) else { return Ok(Issued::Nothing) };
        let code = room.code(self.purpose, id);
        let kept = room.kept(user.id, self.purpose, self.email, &code, now);
        if tx.inbox().claim(SendLetter::NAME, id.0, now).await? {
            tx.codes().put(&kept, now).await?;
            return Ok(Issued::Code(code));
        }
        // An earlier attempt made the code; it was used, replaced or has ended, or it stands.
        let stands = tx.codes().find(user.id, self.purpose, now).await?;
        Ok(if stands.is_some_and(|code| code.digest == kept.digest) { Issued::Code(code) } else { Issued::Nothing })
    }

    fn concerns(&self, user: &User) -> bool {
        !matches!(self.whose, Whose::Unproven) || user.email_verified_at.is_none()
    }
}
