//! Answers that were kept: what a caller wishes of them, and what they are told of it, by `Cache-Control` (RFC 9111) and `Cache-Status`
//! (RFC 9211).

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponseBuilder,
    http::header::{self, HeaderMap, HeaderName},
    web::Bytes,
};
use domain::{
    assistant::{
        Usage,
        kept::{Keeping, KeptAnswer, Looked, Passed, Question, Wishes, look},
    },
    permission::{Authorized, UseAssistant},
};

use super::errors::denied;
use crate::{Services, context::Context, problem::Problem, spoken::begun};

/// Whether what is told was kept.
pub(super) const STATUS: HeaderName = HeaderName::from_static("cache-status");
/// The name of this cache among those on the way.
const NAME: &str = "souk";

/// What was kept, or what keeps what is made.
pub(super) enum Found {
    /// What was kept.
    Hit(Told, KeptAnswer),
    /// It is to be made.
    Make(Told, Option<Keeping>),
}

/// What the answer says of it.
pub(super) struct Told {
    status: Option<String>,
    age: Option<Duration>,
}

impl Told {
    /// That what was made is kept.
    pub(super) fn stored(&mut self) {
        if let Some(status) = &mut self.status {
            status.push_str("; stored");
        }
    }

    /// The head of a stream that says it.
    pub(super) fn head(&self, http: &HttpRequest) -> HttpResponseBuilder {
        let mut head = begun(http);
        self.say(&mut head);
        head
    }

    /// Says it.
    pub(super) fn say(&self, answer: &mut HttpResponseBuilder) {
        if let Some(status) = &self.status {
            answer.insert_header((STATUS, status.as_str()));
        }
        if let Some(age) = self.age {
            answer.insert_header((header::AGE, age.as_secs()));
        }
    }
}

/// Looks for what was kept.
///
/// # Errors
/// Why nothing is answered.
pub(super) async fn find(
    services: &Services,
    http: &HttpRequest,
    auth: &Authorized<UseAssistant>,
    question: Question<'_>,
    can_be_kept: bool,
) -> Result<Found, Problem> {
    let (assistant, shop) = (&services.assistant.assistant, &services.shop);
    let id = http.extensions().get::<Context>().map(|context| Arc::clone(&context.id)).unwrap_or_default();
    let looked = look(assistant, shop, auth, &id, question, wishes(http.headers()), can_be_kept).await;
    let told = |status| Told { status: Some(format!("{NAME}; {status}")), age: None };
    Ok(match looked.map_err(|why| denied(why, shop.now()))? {
        Looked::Off => Found::Make(Told { status: None, age: None }, None),
        Looked::Hit { answer, age, left } => {
            let told = Told { age: Some(age), ..told(format!("hit; ttl={}", left.as_secs())) };
            Found::Hit(told, answer)
        }
        Looked::Ask { passed, keeping } => {
            let why = match passed {
                Passed::Bypass => "bypass",
                Passed::Miss => "miss",
                Passed::Request => "request",
            };
            Found::Make(told(format!("fwd={why}")), keeping)
        }
    })
}

/// What a caller wishes. What is not understood is no wish, as the standard has it.
fn wishes(headers: &HeaderMap) -> Wishes {
    let mut wishes = Wishes::default();
    let lines = headers.get_all(header::CACHE_CONTROL).filter_map(|line| line.to_str().ok());
    for directive in lines.flat_map(|line| line.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let seconds = || {
            let digits = value.trim().trim_matches('"');
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            // A number that is too large is the largest there is.
            is_number.then(|| Duration::from_secs(digits.parse().unwrap_or(u64::from(u32::MAX))))
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" => wishes.no_store = true,
            "no-cache" => wishes.no_cache = true,
            "only-if-cached" => wishes.only_if_cached = true,
            "max-age" => wishes.max_age = seconds().or(wishes.max_age),
            "min-fresh" => wishes.min_fresh = seconds().or(wishes.min_fresh),
            _ => {}
        }
    }
    wishes
}

/// Gathers what is written to whoever asks, to be kept when it is whole.
pub(super) struct Record {
    keeping: Keeping,
    /// `None` once it is too long to be kept.
    written: Option<Vec<u8>>,
}

impl Record {
    pub(super) fn new(keeping: Keeping) -> Self {
        Self { keeping, written: Some(Vec::new()) }
    }

    /// This was written.
    pub(super) fn wrote(&mut self, piece: &[u8]) {
        let longest = self.keeping.longest();
        self.written = self.written.take().filter(|written| written.len() + piece.len() <= longest);
        if let Some(written) = &mut self.written {
            written.extend_from_slice(piece);
        }
    }

    /// That was all of it.
    pub(super) async fn keep(self, usage: Usage) {
        if let Some(written) = self.written {
            self.keeping.keep(usage, Bytes::from(written)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn wishes_are_read_as_the_standard_has_them() {
        let read = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::CACHE_CONTROL, HeaderValue::from_static(line));
            }
            wishes(&headers)
        };
        let seconds = |number| Some(Duration::from_secs(number));
        assert_eq!(read(&[]), Wishes::default());
        assert_eq!(
            read(&["No-Store, max-age=60", "only-if-cached,min-fresh = \"5\""]),
            Wishes {
                no_store: true,
                no_cache: false,
                only_if_cached: true,
                max_age: seconds(60),
                min_fresh: seconds(5)
            }
        );
        assert!(read(&["no-cache=\"x\""]).no_cache);
        assert_eq!(read(&["max-age=-1, max-age=, max-age=x, private, no-transform"]), Wishes::default());
        assert_eq!(read(&["max-age=99999999999999999999999"]).max_age, seconds(u64::from(u32::MAX)));
    }
}
