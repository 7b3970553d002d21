//! What webhooks tell beside what live streams tell, as JSON.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The `data` of an event in the thin form: what it is about, to be read from the API.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookThin)]
pub struct ThinData<'a> {
    /// What it happened to.
    pub entity: ThingData<'a>,
}

/// The thing that something happened to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookThing)]
pub struct ThingData<'a> {
    /// Its kind.
    #[serde(rename = "type")]
    #[schema(example = "product")]
    pub kind: &'a str,
    /// Its id.
    pub id: Uuid,
}

/// The `data` of what happened to a category.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = WebhookCategory)]
#[serde(rename_all = "camelCase")]
pub struct CategoryData {
    /// The category.
    pub category_id: Uuid,
    /// The one above it.
    pub parent_id: Option<Uuid>,
    /// Its name; absent when it is gone.
    #[schema(example = "Lamps")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its name in URLs; absent when it is gone.
    #[schema(example = "lamps")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

/// The `data` of what happened to a member of a seller account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = WebhookMember)]
#[serde(rename_all = "camelCase")]
pub struct MemberData {
    /// The account.
    pub seller_id: Uuid,
    /// Who.
    pub user_id: Uuid,
}

/// The `data` of what happened to a person.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = WebhookPerson)]
#[serde(rename_all = "camelCase")]
pub struct PersonData {
    /// Who.
    pub user_id: Uuid,
}

/// The `data` of an endpoint that was switched off.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = WebhookDisabled)]
#[serde(rename_all = "camelCase")]
pub struct DisabledData {
    /// The endpoint.
    pub endpoint_id: Uuid,
    /// Why: `failing` or `gone`.
    #[schema(example = "failing")]
    pub reason: String,
    /// Since when every call had failed.
    pub failing_since: Option<DateTime<Utc>>,
}

/// The `data` of a test.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookTest)]
pub struct TestData {
    /// Always true.
    #[schema(example = true)]
    pub success: bool,
}
