//! Links that are good for a short time.

use std::time::Duration;

use actix_web::{HttpResponse, http::header, post};
use domain::{
    Actor, Violations,
    assets::files::{LINK_DEFAULT, LINK_MAX, Link},
    id::FileId,
    permission::OwnAccount,
};
use utoipa::IntoParams;

use super::dto::{LinkBody, LinkView, content_url};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::{Fields, JsonBody},
    path::Id,
    query::{Query, Read},
};

/// Makes a link to a file that one may take away, for a program that cannot say who it is. It is a secret until its end.
#[utoipa::path(
    tag = "files",
    request_body = LinkBody,
    params(Id<FileId>),
    responses(
        (status = 200, description = "The link", body = LinkView),
        (status = 404, description = "No such file, or not for you to have"),
    ),
    security(("bearer" = ["account:own"]))
)]
#[post("/api/v1/files/{id}/links")]
pub async fn create_file_link(auth: Auth<OwnAccount>, services: Shared, id: Id<FileId>, body: JsonBody) -> Answer {
    let lasts = body.read(lasts)?;
    let (library, now) = (&services.assets.library, services.shop.now());
    let actor = Actor::Signed(auth.0.principal().clone());
    let file = library.take(&actor, id.0, None, now).await?;
    let Link { expires, signature } = library.links.sign(file.id, now + lasts);
    let url = format!("{}?expires={expires}&signature={signature}", content_url(&file));
    let expires_at = chrono::DateTime::from_timestamp(expires, 0).unwrap_or(now);
    let no_store = (header::CACHE_CONTROL, "no-store");
    Ok(HttpResponse::Ok().insert_header(no_store).json(LinkView { url, expires_at }))
}

fn lasts(fields: &mut Fields<'_>) -> Option<Duration> {
    let most = i64::try_from(LINK_MAX.as_secs()).ok()?;
    let Some(seconds) = fields.integer("expiresInSeconds") else { return Some(LINK_DEFAULT) };
    match u64::try_from(seconds) {
        Ok(whole) if (1..=most).contains(&seconds) => Some(Duration::from_secs(whole)),
        _ => {
            fields.violations.add("/expiresInSeconds", "range", format!("must be from 1 to {most}"));
            None
        }
    }
}

/// What a link holds.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LinkParams {
    /// When the link ends, in seconds since 1970; as it was given.
    #[param(required = false, example = 1_796_289_000_i64, minimum = 0, value_type = i64, rename = "expires")]
    expires: Option<i64>,
    /// What proves it; as it was given.
    #[param(
        required = false,
        example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        pattern = "^[0-9a-f]{64}$",
        rename = "signature"
    )]
    signature: Option<String>,
}

impl LinkParams {
    /// The link, when one was followed.
    pub(super) fn link(self) -> Option<Link> {
        Some(Link { expires: self.expires?, signature: self.signature? })
    }
}

impl Read for LinkParams {
    fn read(query: &mut Query) -> Option<Self> {
        let expires = query.parsed("expires", "integer", "must be a whole number", |text| {
            text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse().ok()).flatten()
        });
        let hexadecimal = |text: &str| {
            let fits = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            fits.then(|| text.to_owned())
        };
        let signature = query.parsed("signature", "form", "must be 64 small hexadecimal digits", hexadecimal);
        if query.violations.is_empty() && expires.is_some() != signature.is_some() {
            let lacking = if expires.is_some() { "signature" } else { "expires" };
            together(&mut query.violations, lacking);
        }
        Some(Self { expires, signature })
    }
}

fn together(violations: &mut Violations, lacking: &str) {
    violations.add(lacking, "required", "is needed: a link has both expires and signature");
}
