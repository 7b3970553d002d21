//! Locks.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Path, Query},
};
use domain::{
    Error,
    assets::lfs::{LockFilter, LockPath, Locked, NamedLock, library_of, lock_file, unlock_file},
    id::LockId,
    permission::WriteProducts,
};
use serde::Deserialize;
use serde_json::json;

use super::{
    address::Of,
    bodies::{LockBody, LockRequest, LocksRequest, UnlockRequest, read, unprocessable},
    told,
};
use crate::{Answer, Services, Shared, auth::Auth, body::JsonBody, problem::Problem};

/// Locks given at once, where no number is asked for, and at most.
const MOST: u32 = 100;

/// Locks a file.
pub(super) async fn create(auth: Auth<WriteProducts>, services: Shared, at: Of, body: JsonBody) -> Answer {
    let asked: LockRequest = read(&body)?;
    let path = LockPath::parse(&asked.path).map_err(|breach| unprocessable(format!("path {}", breach.message)))?;
    match lock_file(&services.shop, &auth.0, &at.0, &path).await? {
        Locked::New(lock) => Ok(told(HttpResponse::Created(), &json!({ "lock": LockBody::from(&lock) }))),
        // The protocol wants the lock that stands beside the message.
        Locked::Taken(lock) => Ok(told(
            HttpResponse::build(StatusCode::CONFLICT),
            &json!({ "lock": LockBody::from(&lock), "message": format!("{} locked it already", lock.owner_name) }),
        )),
    }
}

/// Lets a file go.
pub(super) async fn unlock(
    auth: Auth<WriteProducts>,
    services: Shared,
    at: Of,
    path: Path<(String, String, String)>,
    body: JsonBody,
) -> Answer {
    let asked: UnlockRequest = if body.bytes().is_empty() { UnlockRequest::default() } else { read(&body)? };
    let id: LockId = path.2.parse().map_err(|_| Problem::from(Error::NotFound("Lock")))?;
    let gone = unlock_file(&services.shop, &auth.0, &at.0, id, asked.force).await?;
    Ok(told(HttpResponse::Ok(), &json!({ "lock": LockBody::from(&gone) })))
}

/// Which locks are asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    path: Option<String>,
    id: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Lists locks.
pub(super) async fn list(auth: Auth<WriteProducts>, services: Shared, at: Of, asked: Query<Asked>) -> Answer {
    let asked = asked.into_inner();
    let id = asked.id.as_deref().map(str::parse::<LockId>);
    // An id that is none is nobody's lock.
    let nothing = matches!(id, Some(Err(_)));
    let filter = LockFilter { path: asked.path, id: id.and_then(Result::ok) };
    let (mut found, next) = page(&services, &auth, &at, &filter, asked.cursor.as_deref(), asked.limit).await?;
    if nothing {
        found.clear();
    }
    let locks: Vec<LockBody> = found.iter().map(LockBody::from).collect();
    Ok(told(HttpResponse::Ok(), &json!({ "locks": locks, "next_cursor": next.unwrap_or_default() })))
}

/// Tells which locks are the caller's and which are those of others, before a push.
pub(super) async fn verify(auth: Auth<WriteProducts>, services: Shared, at: Of, body: JsonBody) -> Answer {
    let asked: LocksRequest = if body.bytes().is_empty() { LocksRequest::default() } else { read(&body)? };
    let filter = LockFilter::default();
    let (found, next) = page(&services, &auth, &at, &filter, asked.cursor.as_deref(), asked.limit).await?;
    let me = auth.0.principal().user;
    let (ours, theirs): (Vec<&NamedLock>, Vec<&NamedLock>) = found.iter().partition(|named| named.lock.owner == me);
    let bodies = |locks: Vec<&NamedLock>| locks.into_iter().map(LockBody::from).collect::<Vec<_>>();
    let body = json!({ "ours": bodies(ours), "theirs": bodies(theirs), "next_cursor": next.unwrap_or_default() });
    Ok(told(HttpResponse::Ok(), &body))
}

/// The locks behind a cursor, and the cursor of those that follow.
async fn page(
    services: &Services,
    auth: &Auth<WriteProducts>,
    at: &Of,
    filter: &LockFilter,
    cursor: Option<&str>,
    limit: Option<u32>,
) -> Result<(Vec<NamedLock>, Option<String>), Problem> {
    let queries = services.assets.libraries.as_ref();
    let Some(library) = library_of(queries, &auth.0, &at.0).await? else { return Ok((Vec::new(), None)) };
    let after = match cursor.filter(|cursor| !cursor.is_empty()) {
        None => None,
        Some(cursor) => Some(cursor.parse::<LockId>().map_err(|_| unprocessable("cursor is none of ours"))?),
    };
    let limit = limit.unwrap_or(MOST).clamp(1, MOST);
    // One more tells whether there are more.
    let mut found = queries.locks(library.id, filter, after, limit + 1).await?;
    let more = found.len() > usize::try_from(limit).map_err(Error::internal)?;
    if more {
        found.pop();
    }
    let next = found.last().filter(|_| more).map(|last| last.lock.id.to_string());
    Ok((found, next))
}
