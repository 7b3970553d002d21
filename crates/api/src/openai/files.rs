//! Files of questions, and of what came of them.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Path,
};
use domain::{
    Error,
    assets::files::FileName,
    assistant::batches::{AssistantFile, FilePurpose, Owner, delete_file},
    id::AssistantFileId,
    permission::UseAssistant,
};
use futures_util::stream;
use serde_json::{Value, json};

use super::{
    admitted,
    errors::{invalid, refusal},
    listing::{Wanted, id},
    told,
};
use crate::{Answer, Services, Shared, assets::attachment, auth::Auth, problem::Problem};

/// What stands before the id of a file.
pub(super) const KIND: &str = "file-";
/// The most files that may be asked for at once; fewer are told, and that there are more.
const MOST: u32 = 10_000;

/// A file, as this protocol knows it.
pub(super) fn shown(file: &AssistantFile) -> Value {
    json!({
        "id": format!("{KIND}{}", file.id.0.simple()),
        "object": "file",
        "bytes": file.size,
        "created_at": file.created_at.timestamp(),
        "filename": file.name,
        "purpose": file.purpose.name(),
        "status": "processed",
        "status_details": null,
    })
}

/// What somebody is told who asks for a file that there is not, or not for them.
fn unknown() -> Problem {
    refusal(StatusCode::NOT_FOUND, "file_not_found", Some("id"), "No such File object; GET /v1/files lists yours")
}

/// The file of that id, if it is for this caller to know of.
async fn found(services: &Services, auth: &Auth<UseAssistant>, text: &str) -> Result<AssistantFile, Problem> {
    admitted(services, &auth.0)?;
    let Some(id) = id(KIND, text) else { return Err(unknown()) };
    let found = services.assistant.batches.get_file(AssistantFileId(id)).await?;
    found.filter(|file| file.owner.shows_to(auth.0.principal())).ok_or_else(unknown)
}

/// Lists them, the newest first.
pub(super) async fn list(auth: Auth<UseAssistant>, services: Shared, http: HttpRequest) -> Answer {
    admitted(&services, &auth.0)?;
    let mut wanted = Wanted::read(&http, KIND, MOST, MOST)?;
    let purpose = wanted
        .one("purpose")
        .map(|name| FilePurpose::named(&name).ok_or_else(|| invalid("purpose", "must be batch or batch_output")));
    let is_rising = match wanted.one("order").as_deref() {
        None | Some("desc") => false,
        Some("asc") => true,
        Some(_) => return Err(invalid("order", "must be asc or desc")),
    };
    let (of, after) = (Owner::of(auth.0.principal()), wanted.after.map(AssistantFileId));
    let files =
        services.assistant.batches.files(of, purpose.transpose()?, after, is_rising, wanted.looked_for()).await?;
    Ok(wanted.told(files.iter().map(shown).collect()))
}

/// Tells of one.
pub(super) async fn get(auth: Auth<UseAssistant>, services: Shared, id: Path<String>) -> Answer {
    Ok(told(&shown(&found(&services, &auth, &id).await?)))
}

/// Gives its bytes.
pub(super) async fn content(auth: Auth<UseAssistant>, services: Shared, id: Path<String>) -> Answer {
    let file = found(&services, &auth, &id).await?;
    let room = &services.assets.room;
    let chunks = room.read(&file.digest, None).await?;
    let chunks = chunks.ok_or_else(|| Error::internal(format!("nobody holds the bytes of file {}", file.id)))?;
    // The next piece is read when the connection has room for it.
    let pieces = stream::try_unfold(chunks, async |mut chunks| {
        Ok::<_, Error>(chunks.next().await?.map(|piece| (piece, chunks)))
    });
    let mut answer = HttpResponse::Ok();
    answer
        .content_type("application/octet-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_DISPOSITION, attachment(&FileName::stored(file.name))))
        .no_chunking(file.size);
    Ok(answer.streaming(Box::pin(pieces)))
}

/// Deletes one.
pub(super) async fn delete(auth: Auth<UseAssistant>, services: Shared, id: Path<String>) -> Answer {
    let file = found(&services, &auth, &id).await?;
    delete_file(&services.shop, &auth.0, file.id).await.map_err(|error| match error {
        Error::NotFound(_) => unknown(),
        other => other.into(),
    })?;
    Ok(told(&json!({ "id": *id, "object": "file", "deleted": true })))
}
