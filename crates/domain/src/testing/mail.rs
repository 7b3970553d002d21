//! Letters that stay where a test can read them, and secrets that anybody could open.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use super::PlainMac;
use crate::{
    Shop,
    error::{Error, Result},
    identity::{Links, Mailroom, Post, SendLetter, Verification, deliver},
    job::{
        Failure, Job as _, Settled,
        ports::{Ask, JobQueue},
    },
    mail::{Letter, Mail, Mailer, Stationery},
    secrets::Sealer,
};

/// Puts the context before what it seals, and turns every bit round.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainSealer;

impl Sealer for PlainSealer {
    fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>> {
        Ok([context.as_bytes(), b"\0", plain].concat().into_iter().map(|byte| !byte).collect())
    }

    fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let plain: Vec<u8> = sealed.iter().map(|byte| !byte).collect();
        let rest = plain.strip_prefix(context.as_bytes()).and_then(|rest| rest.strip_prefix(b"\0"));
        rest.map(<[u8]>::to_vec).ok_or_else(|| Error::internal("sealed for something else"))
    }
}

/// Takes letters, whose text is their secret, and keeps them.
#[derive(Debug, Default)]
pub struct Postbox {
    sent: Mutex<Vec<Mail>>,
    refusals: Mutex<Vec<Failure>>,
}

impl Postbox {
    /// Refuses the next letter that it has no refusal for yet.
    pub fn refuse(&self, failure: Failure) {
        locked(&self.refusals).push(failure);
    }

    /// Everything sent since it was last asked.
    pub fn sent(&self) -> Vec<Mail> {
        std::mem::take(&mut *locked(&self.sent))
    }

    /// What flows by mail stand on, with links to `https://shop.example/account` and
    /// redirects to `http://localhost:5173`.
    pub fn room(verification: Verification) -> Mailroom {
        let links = Links::new("https://shop.example/account", vec!["http://localhost:5173".to_owned()]);
        Mailroom { sealer: Arc::new(PlainSealer), mac: Arc::new(PlainMac), links, verification, open: true }
    }

    /// What sending letters stands on.
    pub fn post(self: &Arc<Self>, room: &Mailroom) -> Post {
        Post { room: room.clone(), stationery: Arc::<Self>::clone(self), mailer: Arc::<Self>::clone(self) }
    }

    /// Tries to send every letter that is due, once, and gives those that were sent. A refused one is left waiting.
    ///
    /// # Errors
    /// Those of the queue.
    pub async fn deliver_all(
        self: &Arc<Self>,
        shop: &Shop,
        room: &Mailroom,
        queue: &dyn JobQueue,
    ) -> Result<Vec<Mail>> {
        let (now, until) = (shop.now(), shop.now() + Duration::from_mins(1));
        let ask = Ask { worker: "test".to_owned(), free: vec![(SendLetter::NAME, 100)], most: 100, now, until };
        for job in queue.take(&ask).await? {
            let letter: SendLetter = serde_json::from_value(job.payload.clone()).map_err(Error::internal)?;
            let settled = match deliver(shop, &self.post(room), &letter, job.id).await {
                Ok(()) => Settled::Done,
                Err(_) => Settled::Again { at: now, errors: Vec::new() },
            };
            queue.settle(job.attempt(), &settled, now).await?;
        }
        Ok(self.sent())
    }
}

impl Stationery for Postbox {
    fn write(&self, letter: &Letter) -> Result<Mail> {
        let (id, to, about) = (letter.id, letter.to.clone(), letter.subject);
        Ok(Mail { id, to, about, subject: about.name().to_owned(), text: letter.secret.clone(), html: String::new() })
    }
}

#[async_trait]
impl Mailer for Postbox {
    async fn send(&self, mail: &Mail) -> Result<(), Failure> {
        if let Some(failure) = locked(&self.refusals).pop() {
            return Err(failure);
        }
        locked(&self.sent).push(mail.clone());
        Ok(())
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
