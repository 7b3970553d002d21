//! API keys as JSON.

use chrono::{DateTime, Utc};
use domain::{
    access::{ApiKey, KeyInput, KeyPatch, MadeKey},
    id::SellerId,
    page::{Limit, PageRequest},
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::permission::ScopeName;
use crate::{
    body::{Fields, Given},
    query::{Query, Read},
};

/// An API key, without its text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
#[serde(rename_all = "camelCase")]
pub struct KeyView {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    #[schema(example = "Stock robot")]
    pub name: String,
    /// The last four characters of its text.
    #[schema(example = "x3qd")]
    pub hint: String,
    /// What it is for. What its owner may not do any more, it may not either.
    #[schema(example = json!(["products:write"]), value_type = Vec<ScopeName>)]
    pub scopes: Vec<&'static str>,
    /// Who made it; it is theirs unless it is a seller account's.
    pub user_id: Uuid,
    /// The seller account it belongs to, if it does.
    pub seller_id: Option<Uuid>,
    /// How many calls a minute are allowed to it; null for as many as to every key.
    #[schema(example = 600, minimum = 1, value_type = Option<i64>)]
    pub calls_per_minute: Option<u32>,
    /// The models of the assistant it is for; null for all.
    #[schema(example = json!(["small"]))]
    pub models: Option<Vec<String>>,
    /// When it ends; null for never.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last used, give or take some seconds.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl From<&ApiKey> for KeyView {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.id.0,
            name: key.name.clone(),
            hint: key.hint.clone(),
            scopes: key.scopes.names().collect(),
            user_id: key.user.0,
            seller_id: key.seller.map(|seller| seller.0),
            calls_per_minute: key.per_minute,
            models: key.models.clone(),
            expires_at: key.expires_at,
            created_at: key.created_at,
            last_used_at: key.last_used_at,
        }
    }
}

/// An API key just made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeApiKey)]
#[serde(rename_all = "camelCase")]
pub struct MadeKeyView {
    /// The key.
    #[serde(flatten)]
    pub key: KeyView,
    /// Its text, which is shown this once: `souk_` and 64 letters. A repetition of the request shows null.
    #[schema(
        example = "souk_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        pattern = "^souk_[a-z2-7]{64}$"
    )]
    pub text: Option<String>,
}

impl MadeKeyView {
    /// With its text.
    pub fn shown(made: &MadeKey) -> Self {
        Self { key: KeyView::from(&made.key), text: Some(made.text.expose().to_owned()) }
    }

    /// Without.
    pub fn kept(made: &MadeKey) -> Self {
        Self { key: KeyView::from(&made.key), text: None }
    }
}

/// What makes an API key.
#[derive(Debug, ToSchema)]
#[schema(as = NewApiKey)]
#[serde(rename_all = "camelCase")]
pub struct KeyBody {
    /// What to call it.
    #[schema(example = "Stock robot", min_length = 1, max_length = 100, format = "name")]
    pub name: String,
    /// What it is for: permissions of one's own, but neither `keys:manage` nor `roles:manage`.
    #[schema(example = json!(["account:own"]), min_items = 1, value_type = Vec<ScopeName>)]
    pub scopes: Vec<String>,
    /// The seller account it is to belong to, which one owns; such a key is for `products:write` and nothing else.
    pub seller_id: Option<Uuid>,
    /// When it is to end, a moment to come; never when absent.
    #[schema(example = "2099-01-31T12:00:00Z")]
    pub expires_at: Option<DateTime<Utc>>,
    /// How many calls a minute to allow to it; as many as to every key when absent.
    #[schema(example = 600, minimum = 1, maximum = 1_000_000)]
    pub calls_per_minute: Option<i64>,
    /// The models of the assistant it is to be for, as `GET /v1/models` names them; all when absent.
    #[schema(example = json!(["small"]), max_items = 100, min_length = 1, max_length = 100, format = "name")]
    pub models: Option<Vec<String>>,
}

/// Reads a [`KeyBody`].
pub fn new_key(fields: &mut Fields<'_>) -> KeyInput {
    KeyInput {
        name: fields.text("name"),
        scopes: fields.texts("scopes"),
        seller: fields.uuid("sellerId").map(SellerId),
        expires_at: fields.moment("expiresAt"),
        per_minute: fields.integer("callsPerMinute"),
        models: fields.texts("models"),
    }
}

/// A change of an API key: what is absent stays.
#[derive(Debug, ToSchema)]
#[schema(as = ApiKeyPatch)]
pub struct KeyPatchBody {
    /// What to call it.
    #[schema(example = "Stock robot 2", min_length = 1, max_length = 100, format = "name", nullable = false)]
    pub name: Option<String>,
    /// The models of the assistant it is for; null for all.
    #[schema(example = json!(["small"]), max_items = 100, min_length = 1, max_length = 100, format = "name")]
    pub models: Option<Vec<String>>,
}

/// Reads a [`KeyPatchBody`].
pub fn key_patch(fields: &mut Fields<'_>) -> KeyPatch {
    fields.of_a_change();
    let mut patch = KeyPatch::default();
    if let Some(name) = fields.text("name") {
        patch.name(&name, &mut fields.violations);
    }
    match fields.texts_or_null("models") {
        Given::Value(models) => patch.models(Some(&models), &mut fields.violations),
        Given::Null => patch.models(None, &mut fields.violations),
        Given::Absent => {}
    }
    patch
}

/// Whose API keys.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct KeysParams {
    /// Those of this seller account, which one owns; one's own when absent.
    seller_id: Option<Uuid>,
    /// The page, from 1.
    #[param(required = false, minimum = 1, maximum = 4_294_967_295_i64, default = 1, value_type = i64)]
    page: u32,
    /// Items per page.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: u32,
}

impl KeysParams {
    /// The account asked for, if one is, and which page.
    pub fn asked(self) -> (Option<SellerId>, PageRequest) {
        let page = PageRequest { page: self.page, limit: Limit::new(self.limit).unwrap_or_default() };
        (self.seller_id.map(SellerId), page)
    }
}

impl Read for KeysParams {
    fn read(query: &mut Query) -> Option<Self> {
        let page = query.page();
        Some(Self { seller_id: query.uuid("sellerId"), page: page.page, limit: page.limit.get() })
    }
}
