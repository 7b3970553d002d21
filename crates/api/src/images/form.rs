//! A file that comes with a request: alone, or as a form with fields beside it. It is read into memory and cut off as soon as
//! it is more than may be.

use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
    web::{Bytes, BytesMut, Payload},
};
use domain::{Violations, assets::image::FILE_MAX, id::ProductId};
use futures_util::StreamExt as _;

use super::upload::too_large;
use crate::{
    path::uuid,
    problem::{In, Problem},
};

/// Most bytes of a field beside the file: three hundred letters that take four bytes each.
const FIELD_MAX: usize = 4 * 1024;
/// How long nothing may come of a body (ruling R26).
const IDLE: Duration = Duration::from_secs(30);
/// What a form may have beside the file.
const AROUND: usize = 16 * 1024;

/// A file as it was sent.
#[derive(Debug)]
pub struct Sent {
    pub file: Bytes,
    /// What it was said to be.
    pub said: Option<String>,
    pub alt: Option<String>,
}

/// Reads the file of a request.
///
/// # Errors
/// 400 for what breaks a rule, 415 for another kind of body.
pub async fn read(request: &HttpRequest, payload: Payload, product: ProductId) -> Result<Sent, Problem> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let said = header(header::CONTENT_TYPE).unwrap_or_default();
    let kind = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let length = header(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    let form = kind == "multipart/form-data";
    if !form && !kind.starts_with("image/") && kind != "application/octet-stream" {
        let message = "Send the file as multipart/form-data, or alone as image/jpeg, image/png, image/gif, image/webp or \
                       application/octet-stream";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    // What says that it is too much need not be read.
    if length.is_some_and(|length| length >= FILE_MAX + if form { AROUND } else { 0 }) {
        return Err(too_large());
    }
    if form {
        return Form::default().read(Multipart::new(request.headers(), payload), product).await;
    }
    let mut payload = payload;
    let mut file = BytesMut::with_capacity(length.unwrap_or_default().min(FILE_MAX));
    while let Some(piece) = soon(payload.next()).await? {
        let piece = piece.map_err(|fault| malformed(format!("The body could not be read: {fault}")))?;
        take(&mut file, &piece)?;
    }
    Ok(Sent { file: file.freeze(), said: Some(said.to_owned()), alt: None })
}

#[derive(Default)]
struct Form {
    file: Option<(Bytes, Option<String>)>,
    alt: Option<String>,
    product: Option<String>,
    violations: Violations,
}

impl Form {
    async fn read(mut self, mut parts: Multipart, product: ProductId) -> Result<Sent, Problem> {
        let mut around = 0;
        while let Some(part) = soon(parts.next()).await? {
            let mut part = part.map_err(broken_form)?;
            around += 1;
            if around > 10 {
                return Err(malformed("The form has more parts than any field of it".to_owned()));
            }
            match part.name().unwrap_or_default().to_owned().as_str() {
                "file" if self.file.is_none() => {
                    let said = part.content_type().map(ToString::to_string);
                    self.file = Some((file(&mut part).await?, said));
                }
                "alt" if self.alt.is_none() => self.alt = Some(text(&mut part).await?),
                "productId" if self.product.is_none() => self.product = Some(text(&mut part).await?),
                name => {
                    let known = matches!(name, "file" | "alt" | "productId");
                    let (rule, message) = if known {
                        ("duplicate", "is given more than once")
                    } else {
                        ("unknown", "is not a field of this operation")
                    };
                    self.violations.add(format!("/{name}"), rule, message);
                    pass(&mut part).await?;
                }
            }
        }
        if self.product.as_deref().is_some_and(|named| uuid(named) != Some(product.0)) {
            self.violations.add(
                "/productId",
                "consistent",
                "must be the id of the product in the path, or be left out",
            );
        }
        let file = self.file.or_else(|| self.violations.missing("/file"));
        match file {
            Some((file, said)) if self.violations.is_empty() => Ok(Sent { file, said, alt: self.alt }),
            _ => Err(Problem::invalid(In::Body, &self.violations)),
        }
    }
}

async fn file(part: &mut Field) -> Result<Bytes, Problem> {
    let mut file = BytesMut::new();
    while let Some(piece) = soon(part.next()).await? {
        take(&mut file, &piece.map_err(broken_form)?)?;
    }
    Ok(file.freeze())
}

fn take(file: &mut BytesMut, piece: &[u8]) -> Result<(), Problem> {
    if file.len() + piece.len() >= FILE_MAX {
        return Err(too_large());
    }
    file.extend_from_slice(piece);
    Ok(())
}

async fn text(part: &mut Field) -> Result<String, Problem> {
    let mut text = Vec::new();
    while let Some(piece) = soon(part.next()).await? {
        let piece = piece.map_err(broken_form)?;
        if text.len() + piece.len() > FIELD_MAX {
            return Err(malformed(format!("A field beside the file must have at most {FIELD_MAX} bytes")));
        }
        text.extend_from_slice(&piece);
    }
    String::from_utf8(text).map_err(|_| malformed("The fields of the form must be UTF-8".to_owned()))
}

/// Goes past a part that is not wanted, but not past any number of bytes.
async fn pass(part: &mut Field) -> Result<(), Problem> {
    let mut passed = 0;
    while let Some(piece) = soon(part.next()).await? {
        passed += piece.map_err(broken_form)?.len();
        if passed >= FILE_MAX {
            return Err(too_large());
        }
    }
    Ok(())
}

/// What comes next, unless nothing does for too long.
async fn soon<T>(next: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::time::timeout(IDLE, next).await.map_err(|_| Problem::timeout())
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn broken_form(fault: MultipartError) -> Problem {
    malformed(format!("The form could not be read: {fault}"))
}

fn malformed(message: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, message)
}
