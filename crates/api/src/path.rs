//! Parameters that stand in the path.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use domain::id::{
    ApiKeyId, AssistantBudgetId, AssistantPriceId, CategoryId, ConversationId, EndpointId, ExportId, FileId,
    GenerationId, HookEventId, InvitationId, JobId, LibraryId, ModelId, PasskeyId, ProductId, ReviewId, RoomId,
    SellerId, SessionId, UploadId, UserId,
};
use std::future::{Ready, ready};
use uuid::Uuid;

use crate::problem::{In, Problem};

/// What an id names, in the words of the document.
pub trait Named {
    /// Such as `product`.
    const NAME: &'static str;
}

impl Named for ProductId {
    const NAME: &'static str = "product";
}

impl Named for CategoryId {
    const NAME: &'static str = "category";
}

impl Named for ReviewId {
    const NAME: &'static str = "review";
}

impl Named for RoomId {
    const NAME: &'static str = "room";
}

impl Named for ConversationId {
    const NAME: &'static str = "conversation";
}

impl Named for SessionId {
    const NAME: &'static str = "session";
}

impl Named for UserId {
    const NAME: &'static str = "person";
}

impl Named for SellerId {
    const NAME: &'static str = "seller account";
}

impl Named for ApiKeyId {
    const NAME: &'static str = "API key";
}

impl Named for InvitationId {
    const NAME: &'static str = "invitation";
}

impl Named for PasskeyId {
    const NAME: &'static str = "passkey";
}

impl Named for UploadId {
    const NAME: &'static str = "upload";
}

impl Named for ExportId {
    const NAME: &'static str = "data export";
}

impl Named for ModelId {
    const NAME: &'static str = "3D model";
}

impl Named for FileId {
    const NAME: &'static str = "file";
}

impl Named for LibraryId {
    const NAME: &'static str = "library";
}

impl Named for HookEventId {
    const NAME: &'static str = "hook event";
}

impl Named for EndpointId {
    const NAME: &'static str = "webhook endpoint";
}

impl Named for AssistantPriceId {
    const NAME: &'static str = "price";
}

impl Named for AssistantBudgetId {
    const NAME: &'static str = "budget";
}

impl Named for GenerationId {
    const NAME: &'static str = "answer to a prompt";
}

impl Named for JobId {
    const NAME: &'static str = "job";
}

/// The `{id}` of a path, as the typed id of a resource.
#[derive(Debug, Clone, Copy)]
pub struct Id<T>(pub T);

impl<T: From<Uuid>> FromRequest for Id<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(named(request, "id").map(Self))
    }
}

/// The `{messageId}` of a path, below the `{id}` of what the message is of.
#[derive(Debug, Clone, Copy)]
pub struct MessageId<T>(pub T);

impl<T: From<Uuid>> FromRequest for MessageId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(named(request, "messageId").map(Self))
    }
}

/// The id that stands in a path under this name.
fn named<T: From<Uuid>>(request: &HttpRequest, name: &'static str) -> Result<T, Problem> {
    let given = request.match_info().get(name).unwrap_or_default();
    uuid(given).map(T::from).ok_or_else(|| Problem::broken(In::Path, name, "uuid", "must be a UUID"))
}

/// The UUID of a text in the one form that documents promise: 36 characters with hyphens.
pub fn uuid(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}
