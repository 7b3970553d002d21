//! `ETag`, `If-None-Match` and `If-Match` (ruling R16).

mod tags;

use std::{
    convert::Infallible,
    fmt::Write as _,
    future::{Ready, ready},
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
};
use chrono::DateTime;
use domain::{catalog::Version, clock::Timestamp};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    Answer, Shared,
    problem::{In, Problem},
};

/// What a reader has already.
#[derive(Debug)]
pub struct IfNoneMatch(HttpRequest);

impl FromRequest for IfNoneMatch {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.clone())))
    }
}

impl IfNoneMatch {
    /// The request it came with.
    pub fn request(&self) -> &HttpRequest {
        &self.0
    }

    /// Whether the reader has what bears this tag.
    pub fn has(&self, tag: &str) -> bool {
        is_known(self.0.headers(), tag)
    }
}

/// Whether whoever sent these headers has what bears this tag.
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|one| one.trim() == "*" || one.trim().trim_start_matches("W/") == tag)
}

/// Answers 200 with the JSON of a resource and its `ETag`, or 304 when the reader has it already.
pub fn read(reader: &IfNoneMatch, version: Option<Version>, view: &impl Serialize) -> Answer {
    read_cached(reader, version, view, "private, no-cache")
}

/// [`read`] with another `Cache-Control`.
pub fn read_cached(
    reader: &IfNoneMatch,
    version: Option<Version>,
    view: &impl Serialize,
    caching: &'static str,
) -> Answer {
    let body = json(view)?;
    let tag = tag(version, &body);
    let value = HeaderValue::from_str(&tag).map_err(domain::Error::internal)?;
    let known = reader.has(&tag);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, value)).insert_header((header::CACHE_CONTROL, caching));
    Ok(if known { response.finish() } else { response.content_type("application/json").body(body) })
}

/// The version of what is told apart by the moment of its last change, such as a category or a review.
pub fn version_at(moment: Timestamp) -> Version {
    Version(moment.timestamp_micros())
}

/// Answers 200 with the JSON of a resource after a change, and its new `ETag`.
pub fn changed(version: Version, view: &impl Serialize) -> Answer {
    let body = json(view)?;
    let tag = tag(Some(version), &body);
    Ok(HttpResponse::Ok().insert_header((header::ETAG, tag)).content_type("application/json").body(body))
}

/// The JSON of a view.
pub fn json(view: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(view).map_err(|fault| domain::Error::internal(fault).into())
}

/// `"<version>-<digest of the body>"`; without a version the digest alone.
pub fn tag(version: Option<Version>, body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    let mut tag = String::with_capacity(40);
    tag.push('"');
    if let Some(Version(version)) = version {
        let _ = write!(tag, "{version}-");
    }
    for byte in digest.iter().take(tags::DIGEST / 2) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// What `If-Match` asks of the present version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Nothing was asked.
    Absent,
    /// The thing must exist.
    Any,
    /// It must have one of these versions; none when every tag was weak or not one we gave.
    Versions(Vec<Version>),
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let required = request.app_data::<Shared>().is_some_and(|services| services.settings.require_if_match);
        ready(match Self::of(request.headers()) {
            Ok(Self::Absent) if required => Err(Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "Send If-Match with the ETag of the version you read",
            )),
            other => other,
        })
    }
}

impl IfMatch {
    /// What the headers ask.
    ///
    /// # Errors
    /// 400 when it is no list of tags. A weak tag, and one that we never gave, can match nothing and is left out.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let lines: Vec<&[u8]> = headers.get_all(header::IF_MATCH).map(HeaderValue::as_bytes).collect();
        match lines.as_slice() {
            [] => return Ok(Self::Absent),
            [only] if only.trim_ascii() == b"*" => return Ok(Self::Any),
            _ => {}
        }
        let mut versions = Vec::new();
        for line in lines {
            let tags = tags::tags(line).ok_or_else(form)?;
            versions.extend(tags.iter().filter(|tag| tag.strong).filter_map(|tag| tags::version(tag.opaque)));
        }
        Ok(Self::Versions(versions))
    }

    /// The versions a change expects, out of this header and the `version` of the body.
    ///
    /// # Errors
    /// 400 when both are given and differ.
    pub fn expected(&self, body: Option<Version>) -> Result<Expected, Problem> {
        match (self, body) {
            (Self::Absent | Self::Any, body) => {
                Ok(Expected { versions: body.map(|version| vec![version]), by_header: false })
            }
            (Self::Versions(versions), Some(body)) if !versions.contains(&body) => Err(Problem::broken(
                In::Body,
                "/version",
                "consistent",
                "differs from If-Match; send one of them, or the same version in both",
            )),
            (Self::Versions(_), Some(body)) => Ok(Expected { versions: Some(vec![body]), by_header: true }),
            (Self::Versions(versions), None) => Ok(Expected { versions: Some(versions.clone()), by_header: true }),
        }
    }
}

fn form() -> Problem {
    Problem::broken(In::Header, "If-Match", "etag", "must be `*` or entity tags in quotes, as ETag gave them")
}

/// The versions a change expects, any of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    versions: Option<Vec<Version>>,
    by_header: bool,
}

impl Expected {
    /// The versions; `None` when the caller did not say. An empty list fits nothing.
    pub fn versions(&self) -> Option<&[Version]> {
        self.versions.as_deref()
    }

    /// The versions as moments of the last change; see [`version_at`]. What is no moment fits nothing and is left out.
    pub fn moments(&self) -> Option<Vec<Timestamp>> {
        let moment = |version: &Version| DateTime::from_timestamp_micros(version.0);
        self.versions().map(|versions| versions.iter().filter_map(moment).collect())
    }

    /// The error of a change, as it is told: a stale header is 412, a stale body 409.
    pub fn problem(&self, error: domain::Error) -> Problem {
        match error {
            domain::Error::Stale(what) if self.by_header => Problem::precondition_failed(what),
            other => other.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn if_match(text: &str) -> Result<IfMatch, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_str(text).unwrap());
        IfMatch::of(&headers)
    }

    const DIGEST: &str = "00ff00ff00ff00ff";

    #[test]
    fn only_the_version_part_counts() {
        assert_eq!(if_match(&format!("\"3-{DIGEST}\"")).unwrap(), IfMatch::Versions(vec![Version(3)]));
        assert_eq!(if_match(&tag(Some(Version(4)), b"{}")).unwrap(), IfMatch::Versions(vec![Version(4)]));
        assert_eq!(if_match("*").unwrap(), IfMatch::Any);
        assert_eq!(if_match(&format!("W/\"3-{DIGEST}\"")).unwrap(), IfMatch::Versions(vec![]));
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for text in ["3", "*, \"a\"", "\"a\", *", "**", "\"a\" \"b\""] {
            assert_eq!(if_match(text).unwrap_err().status(), 400, "{text}");
        }
        let mut twice = HeaderMap::new();
        twice.append(header::IF_MATCH, HeaderValue::from_static("*"));
        twice.append(header::IF_MATCH, HeaderValue::from_static("*"));
        assert_eq!(IfMatch::of(&twice).unwrap_err().status(), 400);
    }

    #[test]
    fn what_fits_nothing_is_never_taken_for_no_condition() {
        for tag in ["\"abc\"", "\"3\"", "\"1-0\"", "\"a,b\"", "\"\"", "W/\"3\"", ""] {
            let expected = if_match(tag).unwrap().expected(None).unwrap();
            assert_eq!(expected.versions(), Some(&[][..]), "{tag}");
        }
        let no_moment = if_match(&format!("\"9223372036854775807-{DIGEST}\"")).unwrap().expected(None).unwrap();
        assert_eq!(no_moment.moments(), Some(vec![]));
    }

    #[test]
    fn header_and_body_must_agree() {
        let tags = if_match(&format!("\"3-{DIGEST}\", \"4-{DIGEST}\"")).unwrap();
        assert_eq!(tags.expected(Some(Version(4))).unwrap().versions(), Some(&[Version(4)][..]));
        assert_eq!(tags.expected(Some(Version(5))).unwrap_err().status(), 400);
        assert_eq!(tags.expected(None).unwrap().versions(), Some(&[Version(3), Version(4)][..]));
        assert_eq!(IfMatch::Absent.expected(None).unwrap().versions(), None);
    }
}
