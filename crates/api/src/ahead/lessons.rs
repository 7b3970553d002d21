//! Which entry of the cache answers which words of a request.

use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc};

use actix_web::{
    HttpMessage as _, HttpRequest,
    dev::RequestHead,
    http::{
        Uri,
        header::{self, HeaderMap, HeaderValue},
        uri::PathAndQuery,
    },
};
use domain::{Actor, cache::Key, catalog::policy::Scope, id::ProductId};

use crate::{
    context::Context,
    routes::{Found, Operation},
};

/// The most words that are remembered; with one more all are forgotten.
const WORDS: usize = 4096;
/// The most lessons of the same words.
const ALIKE: usize = 16;

/// That some words, asked by somebody who may know of this much, are answered with this entry.
#[derive(Debug)]
pub struct Lesson {
    /// What the words ask for.
    pub operation: Arc<Operation>,
    reader: Reader,
    /// The entry.
    pub key: Key,
    /// Whether everybody is answered alike.
    pub open: bool,
    /// The product that whoever is answered sees.
    pub seen: Option<ProductId>,
}

/// What else than its words makes a difference to a request.
#[derive(Debug, PartialEq, Eq)]
struct Reader {
    scope: Scope,
    is_somebody: bool,
    coding: Option<HeaderValue>,
}

impl Reader {
    fn is(&self, scope: Scope, actor: &Actor, headers: &HeaderMap) -> bool {
        self.scope == scope
            && self.is_somebody == (*actor != Actor::Anonymous)
            && self.coding.as_ref() == headers.get(header::ACCEPT_ENCODING)
    }
}

/// What a worker has learned. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Lessons(Rc<RefCell<HashMap<String, Rc<Alike>>>>);

/// The lessons of the same words.
#[derive(Debug, Default)]
pub struct Alike(RefCell<Vec<Rc<Lesson>>>);

impl Alike {
    /// What this request is answered with when this caller sends it.
    pub fn find(&self, head: &RequestHead, actor: &Actor) -> Option<Rc<Lesson>> {
        let (alike, scope) = (self.0.borrow(), Scope::of(actor));
        alike.iter().find(|lesson| lesson.reader.is(scope, actor, head.headers())).cloned()
    }
}

impl Lessons {
    /// What is known of what is asked for.
    pub fn about(&self, asked: &Uri) -> Option<Rc<Alike>> {
        self.0.borrow().get(words(asked)?).cloned()
    }

    /// Learns from a request with what it is answered. Where nobody learns, nothing is.
    pub fn learn(request: &HttpRequest, key: &Key, open: bool, seen: Option<ProductId>) {
        let (Some(lessons), Some(words)) = (request.app_data::<Self>(), words(request.uri())) else { return };
        let extensions = request.extensions();
        let actor = extensions.get::<Actor>().unwrap_or(&Actor::Anonymous);
        let Some(Context { found: Found::Operation(operation), .. }) = extensions.get() else { return };
        // These are counted before it is known who calls, which is too early here.
        if !operation.address_limits.is_empty() {
            return;
        }
        if lessons.about(request.uri()).is_some_and(|alike| alike.find(request.head(), actor).is_some()) {
            return;
        }
        let reader = Reader {
            scope: Scope::of(actor),
            is_somebody: *actor != Actor::Anonymous,
            coding: request.headers().get(header::ACCEPT_ENCODING).cloned(),
        };
        let lesson = Lesson { operation: Arc::clone(operation), reader, key: key.clone(), open, seen };
        let mut all = lessons.0.borrow_mut();
        if all.len() >= WORDS {
            all.clear();
        }
        let mut alike = all.entry(words.to_owned()).or_default().0.borrow_mut();
        if alike.len() >= ALIKE {
            alike.clear();
        }
        alike.push(Rc::new(lesson));
    }
}

/// Path and query as they were sent.
fn words(asked: &Uri) -> Option<&str> {
    asked.path_and_query().map(PathAndQuery::as_str)
}
