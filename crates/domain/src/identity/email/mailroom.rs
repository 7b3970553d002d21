//! What flows by mail stand on.

use std::sync::Arc;

use super::{ActionCode, Errand, Links, Notice, Purpose, SendLetter};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::{JobId, UserId},
    identity::Email,
    job::Request,
    secrets::{Mac, Sealer, hex},
    shop::Shop,
    store::Tx,
};

/// What sealed errands are sealed for.
pub(super) const SEALED_FOR: &str = "letter";

/// Whether people must prove that their address is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// Nobody is asked to.
    Off,
    /// Who signs up is sent a letter, and may sign in before they follow it.
    On,
    /// Nobody signs in before they have proven it.
    Required,
}

/// What flows by mail stand on.
#[derive(Clone)]
pub struct Mailroom {
    /// Seals what waits to be sent.
    pub sealer: Arc<dyn Sealer>,
    /// Makes codes, and the digests they are kept by.
    pub mac: Arc<dyn Mac>,
    /// Where links lead.
    pub links: Links,
    /// Whether people must prove that their address is theirs.
    pub verification: Verification,
    /// Whether mails can be sent at all.
    pub open: bool,
}

impl std::fmt::Debug for Mailroom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailroom")
            .field("verification", &self.verification)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

impl Mailroom {
    /// Stores the errand in this transaction: a letter is sent when it is committed, however often the process ends before.
    pub(crate) async fn send(&self, shop: &Shop, tx: &mut dyn Tx, errand: &Errand) -> Result<()> {
        let plain = serde_json::to_vec(errand).map_err(Error::internal)?;
        let job = SendLetter { sealed: hex(&self.sealer.seal(SEALED_FOR, &plain)?) };
        shop.enqueue(tx, Request::of(&job)).await.map(|_| ())
    }

    /// Tells an owner of a change, where letters are sent.
    pub(in crate::identity) async fn notify(
        &self,
        shop: &Shop,
        tx: &mut dyn Tx,
        email: &Email,
        about: Notice,
    ) -> Result<()> {
        if self.open {
            self.send(shop, tx, &Errand::Notice { email: email.clone(), about }).await?;
        }
        Ok(())
    }

    /// Stores an errand alone: the whole answer to a request that must not tell whether an address is known. Whether it is
    /// is looked up when the letter is written.
    pub(super) async fn send_alone(&self, shop: &Shop, name: &'static str, errand: &Errand) -> Result<()> {
        self.must_be_open()?;
        shop.write(name, |mut tx| async move {
            self.send(shop, &mut *tx, errand).await?;
            tx.commit(()).await
        })
        .await
    }

    /// # Errors
    /// [`Error::Unavailable`] when this installation sends no mails.
    pub(in crate::identity) fn must_be_open(&self) -> Result<()> {
        if self.open {
            return Ok(());
        }
        Err(Error::Unavailable { what: "Mail", source: "no mail can be sent; set mail.transport".into() })
    }

    /// The code that the letter of this job brings, always the same: so it need not be kept to be sent again.
    pub(super) fn code(&self, purpose: Purpose, job: JobId) -> String {
        let bytes = self.keyed(&["code", purpose.name(), &job.to_string()]);
        match purpose {
            Purpose::SignIn => {
                let (number, _) = bytes.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
                format!("{:08}", u64::from_be_bytes(*number) % 100_000_000)
            }
            _ => hex(&bytes),
        }
    }

    /// What a code is kept by. A short one is told apart by its person, so that nobody's guess fits somebody else's.
    pub(super) fn digest(&self, purpose: Purpose, user: Option<UserId>, code: &str) -> [u8; 32] {
        let user = user.map(|user| user.to_string()).unwrap_or_default();
        self.keyed(&["digest", purpose.name(), &user, code])
    }

    /// A code as it is kept.
    pub(super) fn kept(&self, user: UserId, purpose: Purpose, email: &Email, code: &str, now: Timestamp) -> ActionCode {
        let person = (purpose == Purpose::SignIn).then_some(user);
        let digest = self.digest(purpose, person, code);
        ActionCode { user, purpose, email: email.clone(), digest, expires_at: now + purpose.life() }
    }

    fn keyed(&self, parts: &[&str]) -> [u8; 32] {
        self.mac.mac(parts.join("\0").as_bytes())
    }
}

/// The refusal of a link that leads nowhere any more; one message for every cause.
pub(super) fn no_such_link() -> Error {
    Error::Unprocessable("token is unknown, was used or has ended; ask for a new link".to_owned())
}

/// Takes the code of a link out of the transaction's store.
pub(super) async fn take(
    room: &Mailroom,
    tx: &mut dyn Tx,
    purpose: Purpose,
    code: &str,
    now: Timestamp,
) -> Result<ActionCode> {
    tx.codes().take(purpose, &room.digest(purpose, None, code), now).await?.ok_or_else(no_such_link)
}
