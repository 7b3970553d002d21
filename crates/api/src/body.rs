//! JSON bodies: read once, every fault told at once with its JSON pointer.

mod fields;
mod object;

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
    web::{Bytes, BytesMut},
};
use futures_util::StreamExt as _;

pub use self::fields::{Fields, Given};
use crate::{
    Shared,
    problem::{In, Problem},
};

/// The bytes of a JSON body, within the size limit.
#[derive(Debug)]
pub struct JsonBody(Bytes);

impl JsonBody {
    /// What stands for a body that was not kept, wherever the same body must be known again.
    pub fn standing_for(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads one JSON object: `read` takes its fields and may add breaches of its own. What `read` did not take is
    /// unknown and refused (ruling R18).
    ///
    /// # Errors
    /// A 400 that lists every fault, or gives line and column when the text is no JSON object at all.
    pub fn read<T>(&self, read: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Result<T, Problem> {
        let text = std::str::from_utf8(&self.0)
            .map_err(|fault| malformed(format!("The body must be UTF-8; byte {} is not", fault.valid_up_to())))?;
        let mut fields: Fields<'_> = serde_json::from_str(text).map_err(|fault| {
            malformed(format!("The body must be one JSON object: {fault}"))
                .detail("line", fault.line().into())
                .detail("column", fault.column().into())
        })?;
        let value = read(&mut fields);
        fields.refuse_unknown();
        match value {
            Some(value) if fields.violations.is_empty() => Ok(value),
            _ => Err(Problem::invalid(In::Body, &fields.violations)),
        }
    }
}

/// Reads one JSON object that came another way than as a body, as [`JsonBody::read`] does. `None` when the text is none.
pub fn read_object<T>(
    text: &str,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Option<Result<T, domain::Violations>> {
    let mut fields: Fields<'_> = serde_json::from_str(text).ok()?;
    let value = read(&mut fields);
    fields.refuse_unknown();
    Some(match value {
        Some(value) if fields.violations.is_empty() => Ok(value),
        _ => Err(fields.violations),
    })
}

fn malformed(message: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, message)
}

impl FromRequest for JsonBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<Shared>().map_or(0, |services| services.settings.body_limit);
        let fault =
            wrong_type(request).or_else(|| announced(request).filter(|size| *size > limit).map(|_| too_large(limit)));
        let payload = payload.take();
        Box::pin(async move {
            match fault {
                Some(fault) => Err(fault),
                None => within(payload, limit).await.map(Self),
            }
        })
    }
}

/// The bytes of a body of any type, at most so many.
///
/// # Errors
/// 413 when there are more, 400 when it broke off.
pub async fn read_bytes(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    match announced(request).filter(|size| *size > limit) {
        Some(_) => Err(too_large(limit)),
        None => within(payload, limit).await,
    }
}

async fn within(mut payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|fault| malformed(format!("The body could not be read: {fault}")))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// What is wrong with the type that a body is said to have, if anything is.
pub(crate) fn wrong_type(request: &HttpRequest) -> Option<Problem> {
    let refused = |message| Some(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    let given = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let fits = essence.eq_ignore_ascii_case("application/json")
        || (essence.len() > 5 && essence.get(essence.len() - 5..).is_some_and(|end| end.eq_ignore_ascii_case("+json")));
    if !fits {
        return refused("Send the body as application/json");
    }
    // RFC 8259, 8.1: JSON between systems is UTF-8. Who says otherwise would have their text misread.
    let charsets =
        parts.filter_map(|part| part.split_once('=')).filter(|(name, _)| name.eq_ignore_ascii_case("charset"));
    let mut others = charsets.map(|(_, value)| value.trim_matches('"')).filter(|charset| !utf_8(charset));
    others.next().and_then(|_| refused("Send the body in UTF-8, as application/json without a charset"))
}

/// US-ASCII is a part of UTF-8.
fn utf_8(charset: &str) -> bool {
    ["utf-8", "utf8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known))
}

fn announced(request: &HttpRequest) -> Option<usize> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(limit: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The body must have at most {limit} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_is_refused() {
        for json in ["", "[]", "1", "{", "{\"a\":1}x", "{\"a\":NaN}", &"[".repeat(100_000)] {
            assert!(JsonBody(Bytes::copy_from_slice(json.as_bytes())).read(|_| Some(())).is_err(), "{json:.20}");
        }
        assert!(JsonBody(Bytes::from_static(b"{\"a\":\"\xff\"}")).read(|_| Some(())).is_err());
    }
}
