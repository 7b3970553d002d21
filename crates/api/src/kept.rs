//! Answers that are kept in the cache as they are sent, and answered without asking the database.

mod coding;

use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderMap, HeaderValue},
    web::{self, Bytes},
};
use coding::Coding;
use domain::{
    Actor,
    cache::{Entry, Key, Looked, Policy, Tag},
    id::ProductId,
};

use crate::{
    Answer, Services,
    ahead::Lessons,
    etag::{self, IfNoneMatch},
    problem::Problem,
    surrogate,
};

/// The bytes of most keys.
const KEY_ROOM: usize = 128;
/// The most bytes of a key. What is asked in more words is asked seldom, and would fill the memory with questions.
const KEY_MOST: usize = 2048;
/// Answers of fewer bytes are kept as they are: coding would save nothing.
const CODED_LEAST: usize = 1024;

/// What is asked, what the answer depends on and how long it is kept.
#[derive(Debug)]
pub struct Question<'a> {
    /// The whole question, scope and all.
    pub text: fmt::Arguments<'a>,
    /// What the answer depends on.
    pub tags: Vec<Tag>,
    /// How long it is kept.
    pub policy: Policy,
    /// Whether everybody is answered alike.
    pub open: bool,
    /// The product that whoever is answered sees.
    pub seen: Option<ProductId>,
    /// Whether it is all in the path and the query, in what the caller may know of ([`Scope`](domain::catalog::policy::Scope)) and in
    /// whether they are signed in: with those it is the same question at any later time.
    pub lasting: bool,
}

impl Question<'_> {
    /// Under what the answer is kept for this reader, and how it is coded for them.
    fn key(self, request: &HttpRequest) -> (Key, Coding) {
        let coding = Coding::of(request);
        let mut text = String::with_capacity(KEY_ROOM);
        // A string takes what is written to it.
        let _ = write!(text, "{}|{}", coding.name(), self.text);
        (Key::new(text, self.tags), coding)
    }
}

/// An answer as it was made.
#[derive(Debug)]
pub struct Made {
    /// Its `ETag`.
    pub tag: String,
    /// Its JSON.
    pub body: Vec<u8>,
}

/// The answer to a question, in the coding its reader takes: kept, or made by `make`; `None` when there is no such thing.
///
/// # Errors
/// Those of `make`.
pub async fn answered(
    services: &Services,
    caller: &Actor,
    reader: &IfNoneMatch,
    question: Question<'_>,
    make: impl AsyncFnOnce() -> Result<Option<Made>, Problem>,
) -> Result<Option<HttpResponse>, Problem> {
    let Question { policy, open, seen, lasting, .. } = question;
    let (key, coding) = question.key(reader.request());
    let entry = kept(services, &key, policy, coding, make).await?;
    if *entry == Entry::Absent {
        return Ok(None);
    }
    if lasting && is_kept(services, &key) {
        Lessons::learn(reader.request(), &key, open, seen);
    }
    if let Some(product) = seen {
        services.saw(caller, product);
    }
    let answer = answer(reader.request().headers(), &entry, open);
    surrogate::named(answer, &key.tags, services.settings.cache.surrogate_keys).map(Some)
}

/// What is kept under a key, or is made. An answer whose time is over is better than a fault of ours.
async fn kept(
    services: &Services,
    key: &Key,
    policy: Policy,
    coding: Coding,
    make: impl AsyncFnOnce() -> Result<Option<Made>, Problem>,
) -> Result<Arc<Entry>, Problem> {
    if !is_kept(services, key) {
        return anew(make, Coding::Identity).await;
    }
    Ok(match services.cache.look(key, policy).await {
        Looked::Hit(found) => found,
        // In boxes: what is there already needs no room for the making. The layer around compresses what is not kept.
        Looked::Bypass => Box::pin(anew(make, Coding::Identity)).await?,
        Looked::Miss(lead) => {
            let new = Box::pin(anew(make, coding)).await?;
            lead.fill(Arc::clone(&new));
            new
        }
        Looked::Stale(old, lead) => match Box::pin(anew(make, coding)).await {
            Ok(new) => {
                lead.fill(Arc::clone(&new));
                new
            }
            Err(problem) if problem.status().is_server_error() => {
                tracing::warn!(error = %problem.cause(), question = %key.text, "an old answer is given instead of a fault");
                old
            }
            Err(problem) => return Err(problem),
        },
    })
}

/// Whether an answer is kept under this key at all.
fn is_kept(services: &Services, key: &Key) -> bool {
    services.cache.keeps() && key.text.len() <= KEY_MOST
}

async fn anew(
    make: impl AsyncFnOnce() -> Result<Option<Made>, Problem>,
    coding: Coding,
) -> Result<Arc<Entry>, Problem> {
    entry(make().await?, coding).await
}

/// What is kept of an answer. Coding it takes longer than a request may hold up its thread.
async fn entry(made: Option<Made>, coding: Coding) -> Result<Arc<Entry>, Problem> {
    let Some(Made { tag, body }) = made else { return Ok(Arc::new(Entry::Absent)) };
    let coding = if body.len() < CODED_LEAST { Coding::Identity } else { coding };
    let body = match coding {
        Coding::Identity => body,
        coding => web::block(move || coding.encode(&body)).await.map_err(domain::Error::internal)??,
    };
    Ok(Arc::new(Entry::Present { tag, coding: coding.token(), body: body.into() }))
}

/// Answers with what is kept: 200, or 304 when whoever sent these headers has it. `open` when everybody is answered alike.
pub(crate) fn answer(reader: &HeaderMap, entry: &Entry, open: bool) -> Answer {
    let Entry::Present { tag, coding, body } = entry else { return Err(Problem::no_route()) };
    let known = etag::is_known(reader, tag);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    // To be asked about before each use: a change may come at any time.
    let caching = if open { "public, no-cache" } else { "private, no-cache" };
    response
        .insert_header((header::ETAG, tag.as_str()))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static(caching)));
    if let Some(coding) = coding {
        response.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static(coding)));
    }
    if known {
        return Ok(response.finish());
    }
    response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
    Ok(response.body(Bytes::from_owner(Arc::clone(body))))
}
