//! Answers that are kept in the cache as they are sent, and answered without asking the database.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header::{self, HeaderValue},
    web::Bytes,
};
use domain::cache::{Entry, Key, Looked, Policy};

use crate::{Answer, Services, etag::IfNoneMatch, problem::Problem};

/// The entry of a key: kept, or made by `make`. An entry whose time is over is better than a fault of ours.
///
/// # Errors
/// Those of `make`.
pub async fn kept(
    services: &Services,
    key: &Key,
    policy: Policy,
    make: impl AsyncFnOnce() -> Result<Entry, Problem>,
) -> Result<Arc<Entry>, Problem> {
    match services.cache.look(key, policy).await {
        Looked::Hit(entry) => Ok(entry),
        Looked::Bypass => make().await.map(Arc::new),
        Looked::Miss(lead) => {
            let entry = Arc::new(make().await?);
            lead.fill(Arc::clone(&entry));
            Ok(entry)
        }
        Looked::Stale(old, lead) => match make().await {
            Ok(entry) => {
                let entry = Arc::new(entry);
                lead.fill(Arc::clone(&entry));
                Ok(entry)
            }
            Err(problem) if problem.status().is_server_error() => {
                tracing::warn!(error = %problem.cause(), key = %key.text, "an old entry is served instead of a fault");
                Ok(old)
            }
            Err(problem) => Err(problem),
        },
    }
}

/// Answers with an entry: 200, 304 when the reader has it, or the refusal given when there is no such thing.
pub fn answer(reader: &IfNoneMatch, entry: &Entry, caching: HeaderValue, absent: impl FnOnce() -> Problem) -> Answer {
    let Entry::Present { tag, body } = entry else { return Err(absent()) };
    let known = reader.has(tag);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, tag.as_str())).insert_header((header::CACHE_CONTROL, caching));
    if known {
        return Ok(response.finish());
    }
    Ok(response.content_type("application/json").body(Bytes::from_owner(Arc::clone(body))))
}

/// To be asked about before each use: by everybody's caches when everybody is answered alike.
pub fn caching(open: bool) -> HeaderValue {
    HeaderValue::from_static(if open { "public, no-cache" } else { "private, no-cache" })
}
