//! What an answer shows, named for a CDN in front: it keeps the answer until that is purged (CA-10).

use actix_web::{
    HttpResponse,
    http::header::{self, HeaderName, HeaderValue},
};
use domain::cache::Tag;

use crate::{Answer, problem::Problem};

/// By this name Fastly and Varnish purge.
const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");
/// By this name Cloudflare and Akamai do.
const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");

/// The answer, with the names of what it shows where the settings ask for them.
///
/// # Errors
/// Those of the answer.
pub fn named(answer: Answer, tags: &[Tag], wanted: bool) -> Answer {
    if !wanted {
        return answer;
    }
    let mut response: HttpResponse = answer?;
    let names: Vec<String> = tags.iter().map(Tag::to_string).collect();
    let headers = response.headers_mut();
    for (name, between) in [(SURROGATE_KEY, " "), (CACHE_TAG, ",")] {
        let value =
            HeaderValue::try_from(names.join(between)).map_err(domain::Error::internal).map_err(Problem::from)?;
        headers.insert(name, value);
    }
    // Who keeps it without asking must not give one caller what another may see.
    headers.append(header::VARY, HeaderValue::from_static("authorization, cookie"));
    Ok(response)
}
