//! What stands in the paths and queries of conversations.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use domain::{
    assistant::conversation::ports::{Listed, Place},
    id::ConversationMessageId,
    page::Limit,
    text::Search,
};
use serde_json::json;
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};

use super::cursor;
use crate::{
    problem::{In, Problem},
    query::{Query, Read},
};

/// The `{chatId}` of a path: the id of a conversation, or what the client calls it.
#[derive(Debug, Clone)]
pub struct ChatId(pub String);

impl FromRequest for ChatId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given = request.match_info().get("chatId").unwrap_or_default();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_name = (1..=100).contains(&given.len()) && given.bytes().all(fits);
        let fault = || Problem::broken(In::Path, "chatId", "name", "must have 1 to 100 letters, digits, - and _");
        ready(if is_name { Ok(Self(given.to_owned())) } else { Err(fault()) })
    }
}

impl IntoParams for ChatId {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut id = Parameter::new("chatId");
        id.parameter_in = ParameterIn::Path;
        id.description = Some("The conversation, by its id or by the `id` that the client gave it".to_owned());
        id.schema = serde_json::from_value(json!({
            "type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9_-]+$", "example": "chat-1"
        }))
        .ok();
        vec![id]
    }
}

/// Which conversations.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Those whose title, or one of whose messages, has all these words; the last may be the beginning of one.
    #[param(max_length = 200, example = "walnut lam")]
    search: Option<String>,
    /// Those that are put away instead of those that are not.
    #[param(required = false, default = false, example = false)]
    archived: bool,
    /// Where to go on: `nextCursor` of the answer before.
    #[param(max_length = 200)]
    cursor: Option<String>,
    /// How many at the most.
    #[param(required = false, minimum = 1, maximum = 100, default = 20, example = 20)]
    limit: u32,
}

impl ListParams {
    /// What is asked for.
    pub fn asked(self) -> (Listed, Option<Place>, Limit) {
        let listed = Listed { archived: self.archived, search: self.search.as_deref().map(Search::new) };
        let after = self.cursor.as_deref().and_then(cursor::open);
        (listed, after, Limit::new(self.limit).unwrap_or_default())
    }
}

impl Read for ListParams {
    fn read(query: &mut Query) -> Option<Self> {
        let short = |text: &str| (text.chars().count() <= 200).then(|| text.to_owned());
        let search = query.parsed("search", "max_length", "must have at most 200 characters", short);
        let archived = query.parsed("archived", "boolean", "must be true or false", |text| text.parse().ok());
        let place = |text: &str| (text.is_empty() || cursor::open(text).is_some()).then(|| text.to_owned());
        let cursor = query.parsed("cursor", "cursor", "must be a nextCursor of this list", place);
        let search = search.filter(|search| !search.is_empty());
        let cursor = cursor.filter(|cursor| !cursor.is_empty());
        Some(Self { search, archived: archived.unwrap_or_default(), cursor, limit: query.limit().get() })
    }
}

/// Which messages of a conversation.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryParams {
    /// Those before this message: `nextBefore` of the answer before. Without it the last ones.
    before: Option<uuid::Uuid>,
    /// How many at the most.
    #[param(required = false, minimum = 1, maximum = 100, default = 20, example = 20)]
    limit: u32,
}

impl HistoryParams {
    /// Before which message, and how many at the most.
    pub fn asked(self) -> (Option<ConversationMessageId>, usize) {
        (self.before.map(ConversationMessageId), usize::try_from(self.limit).unwrap_or(usize::MAX))
    }
}

impl Read for HistoryParams {
    fn read(query: &mut Query) -> Option<Self> {
        Some(Self { before: query.uuid("before"), limit: query.limit().get() })
    }
}
