//! A whole conversation as a file.

use std::collections::VecDeque;

use actix_web::{HttpResponse, get, http::header, web::Bytes};
use domain::{
    Error,
    assistant::conversation::Tree,
    id::{ConversationId, ConversationMessageId},
    permission::UseAssistant,
};
use futures_util::stream;

use super::{
    dto::{ConversationView, ExportView},
    messages::views,
};
use crate::{Answer, Shared, auth::Auth, etag::json, path::Id};

/// Messages read at once.
const PORTION: usize = 20;

/// Gives a whole conversation with all its branches, as a file.
#[utoipa::path(
    tag = "assistant",
    params(Id<ConversationId>),
    responses(
        (status = 200, description = "The conversation", body = ExportView, headers(("Content-Disposition" = String, description = "The name of the file"))),
        (status = 404, description = "No such conversation, or not yours"),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[get("/api/v1/conversations/{id}/export")]
pub async fn export_conversation(auth: Auth<UseAssistant>, services: Shared, id: Id<ConversationId>) -> Answer {
    let conversation = services.own_conversation(&auth.0, id.0).await?;
    let tree: Tree = services.chat.talks.queries.nodes(id.0).await?.into_iter().collect();
    let mut head = b"{\"conversation\":".to_vec();
    head.extend(json(&ConversationView::from(&conversation))?);
    head.extend(b",\"messages\":[");
    let left = tree.ids().collect();
    let export = Export { services, id: id.0, tree, left, next: Some(head), is_first: true };
    let body = stream::unfold(export, |mut export| async move {
        export.next().await.transpose().map(|piece| (piece.map_err(actix_web::Error::from), export))
    });
    let name = format!("attachment; filename=\"conversation-{}.json\"", id.0);
    let mut answer = HttpResponse::Ok();
    answer.content_type("application/json").insert_header((header::CACHE_CONTROL, "no-store"));
    Ok(answer.insert_header((header::CONTENT_DISPOSITION, name)).streaming(body))
}

/// A conversation on its way out.
struct Export {
    services: Shared,
    id: ConversationId,
    tree: Tree,
    left: VecDeque<ConversationMessageId>,
    /// What is written before anything else.
    next: Option<Vec<u8>>,
    is_first: bool,
}

impl Export {
    /// What is written next; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, crate::Problem> {
        if let Some(next) = self.next.take() {
            return Ok(Some(next.into()));
        }
        if self.left.is_empty() {
            // The end is told once.
            let end = std::mem::replace(&mut self.id, ConversationId(uuid::Uuid::nil()));
            return Ok((end.0 != uuid::Uuid::nil()).then(|| Bytes::from_static(b"]}")));
        }
        let portion: Vec<_> = self.left.drain(..self.left.len().min(PORTION)).collect();
        let mut text = Vec::new();
        for view in views(&self.services, self.id, &self.tree, &portion).await? {
            if !std::mem::replace(&mut self.is_first, false) {
                text.push(b',');
            }
            text.extend(serde_json::to_vec(&view).map_err(Error::internal)?);
        }
        Ok(Some(text.into()))
    }
}
