//! The checksum of a portion, counted on its way.

use actix_web::{HttpRequest, http::StatusCode, web::Bytes};
use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::{Error, Result, assets::Chunks};

use crate::problem::{In, Problem};

/// Those that are understood.
pub(super) const ALGORITHMS: &str = "sha1,sha256";
const HEADER: &str = "Upload-Checksum";
/// How a checksum that does not fit is named among broken rules.
const RULE: &str = "checksum";

enum Sum {
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
}

/// What was said of a portion.
pub(super) struct Checksum {
    sum: Sum,
    said: Vec<u8>,
}

impl Checksum {
    /// What a request says.
    ///
    /// # Errors
    /// 400 for an algorithm that is not known, and for what is no checksum of it.
    pub(super) fn of(request: &HttpRequest) -> Result<Option<Self>, Problem> {
        let Some(header) = request.headers().get(HEADER) else { return Ok(None) };
        let refused = || {
            let message = format!("must be one of {ALGORITHMS}, a space, and the checksum as base64");
            Problem::broken(In::Header, HEADER, "checksum", message)
        };
        let text = header.to_str().ok().and_then(|text| text.split_once(' '));
        let (algorithm, said) = text.ok_or_else(refused)?;
        let (sum, length) = match algorithm {
            "sha1" => (Sum::Sha1(sha1::Digest::new()), 20),
            "sha256" => (Sum::Sha256(sha2::Digest::new()), 32),
            _ => return Err(refused()),
        };
        let said = BASE64_STANDARD.decode(said).ok().filter(|said| said.len() == length).ok_or_else(refused)?;
        Ok(Some(Self { sum, said }))
    }

    fn pass(&mut self, piece: &[u8]) {
        match &mut self.sum {
            Sum::Sha1(sum) => sha1::Digest::update(sum, piece),
            Sum::Sha256(sum) => sha2::Digest::update(sum, piece),
        }
    }

    fn fits(self) -> bool {
        let sum = match self.sum {
            Sum::Sha1(sum) => sha1::Digest::finalize(sum).to_vec(),
            Sum::Sha256(sum) => sha2::Digest::finalize(sum).to_vec(),
        };
        sum == self.said
    }
}

/// A portion that ends well only when it is what was said of it.
pub(super) struct Checked<'a> {
    pub(super) source: &'a mut dyn Chunks,
    pub(super) checksum: Option<Checksum>,
}

#[async_trait]
impl Chunks for Checked<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let next = self.source.next().await?;
        match &next {
            Some(piece) => self.checksum.iter_mut().for_each(|sum| sum.pass(piece)),
            None if self.checksum.take().is_some_and(|sum| !sum.fits()) => {
                return Err(Error::invalid(HEADER, RULE, "is not that of the bytes"));
            }
            None => {}
        }
        Ok(next)
    }
}

/// A portion that is not what was said of it has a status of its own (460).
pub(super) fn told(error: Error) -> Problem {
    match &error {
        Error::Invalid(violations) if violations.iter().any(|one| one.rule == RULE) => {
            let status = StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST);
            Problem::new(status, "The bytes do not have the checksum they were said to have; nothing of them was kept")
        }
        _ => error.into(),
    }
}
