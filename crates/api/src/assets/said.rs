//! What the headers of an upload say of its bytes.

use actix_web::{
    HttpRequest,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName},
    },
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::assets::{Digest, files::MediaType};

use crate::problem::{In, Problem};

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub size: Option<u64>,
    pub digest: Option<Digest>,
    pub media_type: MediaType,
}

impl Said {
    /// What a request says.
    ///
    /// # Errors
    /// 400 for a digest that is none, or of another kind alone; 415 for a type that is none, and for bytes in a coding.
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let headers = request.headers();
        if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Send the bytes as they are, without Content-Encoding",
            ));
        }
        let media_type = match headers.get(header::CONTENT_TYPE) {
            None => MediaType::default(),
            Some(given) => given.to_str().ok().and_then(|text| MediaType::new(text).ok()).ok_or_else(|| {
                Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type must be a media type, such as model/stl")
            })?,
        };
        // The server has read it already, and refused what is no number.
        let size = headers.get(header::CONTENT_LENGTH).and_then(|size| size.to_str().ok()?.parse().ok());
        Ok(Self { size, digest: digest(headers)?, media_type })
    }
}

const NEWER: HeaderName = HeaderName::from_static("content-digest");
const SAME: HeaderName = HeaderName::from_static("repr-digest");
const OLDER: HeaderName = HeaderName::from_static("digest");

/// The SHA-256 of `Content-Digest` or `Repr-Digest` (RFC 9530), or of `Digest` (RFC 3230). Who sends one wants it checked, so one
/// that we cannot check is refused.
fn digest(headers: &HeaderMap) -> Result<Option<Digest>, Problem> {
    let mut found = None;
    for name in [NEWER, SAME, OLDER] {
        let lines: Vec<_> = headers.get_all(&name).collect();
        if lines.is_empty() {
            continue;
        }
        let refused = || {
            let form = if name == OLDER { "sha-256=<base64>" } else { "sha-256=:<base64>:" };
            Problem::broken(
                In::Header,
                name.as_str(),
                "digest",
                format!("must hold the SHA-256 of the bytes, as {form}"),
            )
        };
        let texts = lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
        let ours =
            texts.filter_map(|one| one.trim().split_once('=')).find(|(kind, _)| kind.eq_ignore_ascii_case("sha-256"));
        let (_, value) = ours.ok_or_else(refused)?;
        let value =
            if name == OLDER { Some(value) } else { value.strip_prefix(':').and_then(|value| value.strip_suffix(':')) };
        let bytes = value.and_then(|value| BASE64_STANDARD.decode(value).ok());
        let digest = bytes.and_then(|bytes| Digest::stored(&bytes)).ok_or_else(refused)?;
        if *found.get_or_insert(digest) != digest {
            return Err(refused());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const EMPTY: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    fn of(headers: &[(&'static str, String)]) -> Result<Said, u16> {
        let mut request = TestRequest::post();
        for (name, value) in headers {
            request = request.append_header((*name, value.as_str()));
        }
        Said::of(&request.to_http_request()).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn a_digest_is_read_in_every_form() {
        let digest = Some(Digest::of(b""));
        for headers in [
            vec![("content-digest", format!("sha-256=:{EMPTY}:"))],
            vec![("repr-digest", format!("sha-512=:AAAA:, sha-256=:{EMPTY}:"))],
            vec![("digest", format!("SHA-256={EMPTY}"))],
            vec![("digest", format!("sha-256={EMPTY}")), ("content-digest", format!("sha-256=:{EMPTY}:"))],
        ] {
            assert_eq!(of(&headers).unwrap().digest, digest, "{headers:?}");
        }
        assert_eq!(of(&[]).unwrap(), Said { size: None, digest: None, media_type: MediaType::default() });
    }

    #[test]
    fn what_cannot_be_checked_is_refused() {
        let other = BASE64_STANDARD.encode([7; 32]);
        for headers in [
            vec![("content-digest", "sha-512=:AAAA:".to_owned())],
            vec![("content-digest", format!("sha-256={EMPTY}"))],
            vec![("content-digest", "sha-256=:AAAA:".to_owned())],
            vec![("digest", "md5=AAAA".to_owned())],
            vec![("digest", format!("sha-256={other}")), ("content-digest", format!("sha-256=:{EMPTY}:"))],
        ] {
            assert_eq!(of(&headers), Err(400), "{headers:?}");
        }
        assert_eq!(of(&[("content-type", "nonsense".to_owned())]), Err(415));
        assert_eq!(of(&[("content-encoding", "gzip".to_owned())]), Err(415));
        let typed = of(&[("content-type", "Model/STL; x=y".to_owned())]).unwrap();
        assert_eq!(typed.media_type.as_str(), "model/stl");
    }
}
