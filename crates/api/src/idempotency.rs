//! `Idempotency-Key`: a creating POST sent twice has its effect once and its answer twice (ruling R17).

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest, HttpResponse,
    dev::Payload,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use domain::{
    Actor, Error,
    catalog::Version,
    idempotency::{Key, Once, Outcome, Reply},
};
use serde::Serialize;

use crate::{
    Answer, Services, acting,
    body::JsonBody,
    etag,
    problem::{In, Problem},
};

/// The request a key stands for.
#[derive(Debug)]
pub struct Keyed {
    key: Option<String>,
    /// Method and path, part of what must be the same the second time.
    line: String,
    actor: Option<domain::id::UserId>,
}

impl FromRequest for Keyed {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut given = request.headers().get_all("idempotency-key");
        let key = match (given.next(), given.next()) {
            (None, _) => None,
            (Some(one), None) => match one.to_str() {
                Ok(text) if (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) => {
                    Some(text.to_owned())
                }
                _ => return ready(Err(form())),
            },
            _ => return ready(Err(form())),
        };
        let extensions = request.extensions();
        let actor = extensions.get::<Actor>().and_then(Actor::principal).map(|principal| principal.user);
        let line = match (&key, request.headers().get(acting::HEADER).and_then(|seller| seller.to_str().ok())) {
            (None, _) => String::new(),
            (Some(_), None) => format!("{} {}", request.method(), request.path()),
            // For another account it is another request.
            (Some(_), Some(seller)) => format!("{} {} {seller}", request.method(), request.path()),
        };
        ready(Ok(Self { key, line, actor }))
    }
}

fn form() -> Problem {
    Problem::broken(In::Header, "Idempotency-Key", "key", "must be 1 to 255 visible ASCII characters, given once")
}

impl Keyed {
    /// Whether a key was sent.
    pub fn is_there(&self) -> bool {
        self.key.is_some()
    }

    /// The key in its scope, with a digest of the request.
    pub fn key(&self, services: &Services, operation: &'static str, body: &JsonBody) -> Option<Key> {
        self.key.as_ref().map(|key| {
            // Keyed, because a body may hold a password and a bare digest of it could be guessed at leisure.
            let fingerprint = services.mac.mac(&[b"request\0", self.line.as_bytes(), b"\0", body.bytes()].concat());
            Key { actor: self.actor, operation, key: key.clone(), fingerprint }
        })
    }

    /// Runs a command under the key, if one was sent, and answers: the first time with what `render` makes of its
    /// value, later with the same again. A refusal decided by the command is kept too; a fault of ours never is.
    pub async fn run<T>(
        self,
        services: &Services,
        operation: &'static str,
        body: &JsonBody,
        render: impl Fn(&T) -> Reply + Send + Sync,
        command: impl AsyncFnOnce(&Once<'_, T>) -> domain::Result<Outcome<T>>,
    ) -> Answer {
        self.run_shown(services, operation, body, &render, &render, command).await
    }

    /// [`Keyed::run`] for what holds a secret: the first answer is what `show` makes of it, and what is kept and given later is
    /// what `render` does, which MUST leave the secret out (ruling R17).
    pub async fn run_shown<T>(
        self,
        services: &Services,
        operation: &'static str,
        body: &JsonBody,
        render: impl Fn(&T) -> Reply + Send + Sync,
        show: impl Fn(&T) -> Reply,
        command: impl AsyncFnOnce(&Once<'_, T>) -> domain::Result<Outcome<T>>,
    ) -> Answer {
        let once = Once { key: self.key(services, operation, body), render: &render };
        match command(&once).await {
            Ok(Outcome::Fresh(value)) => Ok(response(show(&value))),
            Ok(Outcome::Replay(reply)) => again(reply),
            Err(error) => {
                let lasting = matches!(error, Error::NotFound(_) | Error::Conflict(_) | Error::Forbidden(_));
                let problem = Problem::from(error);
                if let Some(key) = once.key.as_ref().filter(|_| lasting) {
                    services.shop.remember(key, &problem.kept()).await?;
                }
                Err(problem)
            }
        }
    }
}

/// An answer that was given before.
pub fn again(reply: Reply) -> Answer {
    let replayed = (HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
    if let Some(problem) = Problem::replayed(&reply) {
        return Err(problem.header(replayed.0, replayed.1));
    }
    let mut response = response(reply);
    response.headers_mut().insert(replayed.0, replayed.1);
    Ok(response)
}

/// An answer of that status with the JSON of a view.
pub fn reply(status: StatusCode, headers: Vec<(String, String)>, view: &impl Serialize) -> Reply {
    // Views are made of plain values: writing them to memory cannot fail.
    Reply { status: status.as_u16(), headers, body: etag::json(view).unwrap_or_default() }
}

/// The answer to what made a thing: 201, where to read it, its version for `If-Match`, and its view.
pub fn created(location: String, version: Version, view: &impl Serialize) -> Reply {
    let mut reply = reply(StatusCode::CREATED, Vec::new(), view);
    reply.headers = vec![("Location".to_owned(), location), ("ETag".to_owned(), etag::tag(Some(version), &reply.body))];
    reply
}

/// The answer to a request, as it is kept.
pub fn response(reply: Reply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    for (name, value) in reply.headers {
        response.insert_header((name, value));
    }
    response.content_type("application/json").body(reply.body)
}
