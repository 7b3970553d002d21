//! Objects on their way in and out.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::HeaderValue,
    web::{Path, Payload},
};
use domain::{
    Error,
    assets::{
        Digest,
        files::{FileName, MediaType},
        lfs::{admit_object, find_object, keep_object},
    },
    permission::WriteProducts,
};
use serde_json::json;

use super::{
    address::Of,
    bodies::{ObjectBody, read, unprocessable},
    told,
};
use crate::{
    Answer, Shared,
    assets::{Given, Said, attachment, give, linger, received},
    auth::Auth,
    body::JsonBody,
    etag::IfNoneMatch,
    problem::Problem,
};

type Parts = Path<(String, String, String)>;

fn digest(path: &Parts) -> Result<Digest, Problem> {
    path.2.parse().map_err(|_| Problem::from(Error::NotFound("Object")))
}

/// Takes an object in. What has another SHA-256 than its address is refused, and nothing of it is kept.
pub(super) async fn upload(
    auth: Auth<WriteProducts>,
    services: Shared,
    request: HttpRequest,
    at: Of,
    path: Parts,
    body: Payload,
) -> Answer {
    let digest = digest(&path)?;
    let size = Said::of(&request)?.size;
    let (shop, assets) = (&services.shop, &services.assets);
    let mut body = body.into_inner();
    let kept = async {
        let libraries = assets.libraries.as_ref();
        let terms = admit_object(shop, &assets.room, libraries, &auth.0, &at.0, digest, size).await?;
        received(&mut body, services.settings.transfer_idle, async |chunks| {
            assets.room.put(shop, chunks, &terms).await.map_err(Problem::from)
        })
        .await
    };
    let kept = match kept.await {
        Ok(kept) => kept,
        Err(problem) => {
            linger(&mut body).await;
            return Err(problem);
        }
    };
    keep_object(shop, &auth.0, &at.0, &kept).await?;
    Ok(told(HttpResponse::Ok(), &json!({ "oid": digest, "size": kept.size })))
}

/// Gives an object out, whole or from where it broke off.
pub(super) async fn download(
    auth: Auth<WriteProducts>,
    services: Shared,
    at: Of,
    path: Parts,
    known: IfNoneMatch,
) -> Answer {
    let digest = digest(&path)?;
    let found = find_object(services.assets.libraries.as_ref(), &auth.0, &at.0, digest).await?;
    found.ok_or(Error::NotFound("Object"))?;
    let held = services.assets.room.find(&digest).await?;
    let held = held.ok_or_else(|| Error::internal(format!("nobody holds the object {digest}")))?;
    let media_type = HeaderValue::from_static(MediaType::ANY);
    let disposition = Some(attachment(&FileName::stored(digest.to_string())));
    let given = Given { media_type, disposition, caching: "private, no-cache", marked: None };
    Ok(give(&services, &known, &held, given).await?.0)
}

/// Whether an object came in whole.
pub(super) async fn verify(auth: Auth<WriteProducts>, services: Shared, at: Of, body: JsonBody) -> Answer {
    let asked: ObjectBody = read(&body)?;
    let digest: Digest = asked.oid.parse().map_err(|_| Problem::from(Error::NotFound("Object")))?;
    let size = find_object(services.assets.libraries.as_ref(), &auth.0, &at.0, digest).await?;
    let size = size.ok_or(Error::NotFound("Object"))?;
    if size != asked.size {
        return Err(unprocessable(format!("It has {size} bytes")));
    }
    Ok(told(HttpResponse::Ok(), &json!({})))
}
