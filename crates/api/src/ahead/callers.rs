//! Who called a moment ago, as a worker remembers.
//!
//! To find out who calls takes locks that all workers share. While nothing was heard of anybody's change, who sends the same header
//! again is who they were.

use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};

use actix_web::{
    dev::RequestHead,
    http::header::{self, HeaderValue},
};
use domain::{
    Actor,
    clock::Timestamp,
    identity::{known::Known, ports::Session},
};

use crate::middleware::authenticate::{By, Caller};

/// For how long somebody is remembered, for what is not told to [`Known`]: the keys that sign tokens.
const LONGEST: Duration = Duration::from_secs(1);
/// The most who are remembered; with one more all are forgotten.
const MOST: usize = 1024;
/// By so many of its last bytes a header is found, which are of a signature.
const END: usize = 24;

/// Who called a moment ago.
#[derive(Debug, Default)]
pub(super) struct Callers(RefCell<HashMap<[u8; END], Remembered>>);

#[derive(Debug)]
struct Remembered {
    /// What they sent.
    header: HeaderValue,
    /// What was known then.
    edition: u64,
    at: Timestamp,
    known: Rc<Somebody>,
}

/// Somebody who is signed in and calls with their token.
#[derive(Debug)]
pub(super) struct Somebody {
    pub(super) actor: Actor,
    session: Session,
}

impl Somebody {
    /// As who it is found out at every request.
    pub(super) fn caller(&self) -> Caller {
        Caller { actor: self.actor.clone(), invalid: false, by: By::Session(self.session) }
    }
}

impl Callers {
    /// Who sends this request, when that is known from a moment ago and cannot have changed.
    pub(super) fn find(&self, head: &RequestHead, known: &Known, now: Timestamp) -> Option<Rc<Somebody>> {
        let (header, end) = sent(head)?;
        let all = self.0.borrow();
        let found = all.get(end).filter(|found| found.header == header && found.edition == known.edition())?;
        let age = (now - found.at).abs().to_std().ok()?;
        (age < LONGEST && now < found.known.session.until && !known.is_deaf(now)).then(|| Rc::clone(&found.known))
    }

    /// Remembers who sent this request, when they are signed in and sent their token. `edition` was read before that was found out.
    pub(super) fn remember(&self, head: &RequestHead, caller: &Caller, edition: u64, at: Timestamp) {
        let (Some((header, end)), By::Session(session)) = (sent(head), &caller.by) else { return };
        let mut all = self.0.borrow_mut();
        if all.len() >= MOST && !all.contains_key(end) {
            all.clear();
        }
        let known = Rc::new(Somebody { actor: caller.actor.clone(), session: *session });
        all.insert(*end, Remembered { header: header.clone(), edition, at, known });
    }
}

/// The credentials that count, which are none of a browser's own.
fn sent(head: &RequestHead) -> Option<(&HeaderValue, &[u8; END])> {
    let header = head.headers().get(header::AUTHORIZATION)?;
    Some((header, header.as_bytes().last_chunk()?))
}
