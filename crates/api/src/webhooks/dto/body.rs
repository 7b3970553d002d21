//! What is sent to change webhooks.

use chrono::{DateTime, Utc};
use domain::{
    clock::Timestamp,
    id::{CategoryId, ProductId, SellerId},
    page::{Limit, PageRequest},
    webhooks::{Algorithm, EndpointInput, EventType, Form, MessageState, Order, ports::MessageFilter},
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    body::Fields,
    query::{Query, Read},
};

/// How much an event says.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = WebhookPayload, example = "full")]
#[serde(rename_all = "lowercase")]
pub enum PayloadName {
    /// What happened and what is so now.
    Full,
    /// What happened to which thing.
    Thin,
}

/// In which order events come.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = WebhookOrdering, example = "none")]
#[serde(rename_all = "lowercase")]
pub enum OrderingName {
    /// As fast as may be.
    None,
    /// Those of one thing one after the other.
    Thing,
}

/// How webhooks are signed.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = WebhookAlgorithm, example = "hmac-sha256")]
pub enum AlgorithmName {
    /// `v1`: both sides have the secret.
    #[serde(rename = "hmac-sha256")]
    Hmac,
    /// `v1a`: the receiver has the public key alone.
    #[serde(rename = "ed25519")]
    Ed25519,
}

/// What makes an endpoint.
#[derive(Debug, ToSchema)]
#[schema(as = NewWebhookEndpoint)]
#[serde(rename_all = "camelCase")]
pub struct EndpointBody {
    /// Where events are sent. It must not lead inside.
    #[schema(example = "https://example.com/hook", max_length = 2048, format = "web-address")]
    pub url: String,
    /// What one says of it.
    #[schema(example = "Stock robot", max_length = 200, format = "line")]
    pub description: Option<String>,
    /// The types it hears, by name; all that its owner may hear when empty or absent.
    #[schema(example = json!(["product.updated"]), pattern = r"^[a-z_]+\.[a-z_]+$")]
    pub event_types: Option<Vec<String>>,
    /// Only of products in one of these categories, and of these categories.
    #[schema(max_items = 50)]
    pub category_ids: Option<Vec<Uuid>>,
    /// Only of these products.
    #[schema(max_items = 50)]
    pub product_ids: Option<Vec<Uuid>>,
    /// Only of these seller accounts.
    #[schema(max_items = 50)]
    pub seller_ids: Option<Vec<Uuid>>,
    /// Only what is told on one of these channels, which are the topics of live streams.
    #[schema(example = json!(["products"]), max_items = 50, pattern = r"^(products|models)(:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})?$")]
    pub channels: Option<Vec<String>>,
    /// How much is said; `full` when absent.
    #[schema(example = "full", value_type = Option<PayloadName>)]
    pub payload: Option<String>,
    /// In which order; `none` when absent.
    #[schema(example = "none", value_type = Option<OrderingName>)]
    pub ordering: Option<String>,
    /// How many calls a minute at most; 0 for no bound, as when absent.
    #[schema(example = 600, minimum = 0, maximum = 1_000_000)]
    pub calls_per_minute: Option<i64>,
    /// How they are signed; `hmac-sha256` when absent.
    #[schema(example = "hmac-sha256", value_type = Option<AlgorithmName>)]
    pub algorithm: Option<String>,
    /// Whether it is on; true when absent.
    #[schema(example = true)]
    pub enabled: Option<bool>,
    /// The seller account it is to belong to, which one manages.
    pub seller_id: Option<Uuid>,
    /// Whether it is to hear the whole shop, for whoever runs it.
    #[schema(example = false)]
    pub shop: Option<bool>,
}

/// What changes an endpoint; what is absent stays.
#[derive(Debug, ToSchema)]
#[schema(as = WebhookEndpointPatch)]
#[serde(rename_all = "camelCase")]
pub struct EndpointPatchBody {
    /// Where events are sent.
    #[schema(example = "https://example.com/hook", max_length = 2048, format = "web-address", nullable = false)]
    pub url: Option<String>,
    /// What one says of it.
    #[schema(example = "Stock robot", max_length = 200, format = "line", nullable = false)]
    pub description: Option<String>,
    /// The types it hears; empty for all.
    #[schema(example = json!(["product.updated"]), pattern = r"^[a-z_]+\.[a-z_]+$", nullable = false)]
    pub event_types: Option<Vec<String>>,
    /// Only of products in one of these categories; empty for all.
    #[schema(max_items = 50, nullable = false)]
    pub category_ids: Option<Vec<Uuid>>,
    /// Only of these products; empty for all.
    #[schema(max_items = 50, nullable = false)]
    pub product_ids: Option<Vec<Uuid>>,
    /// Only of these seller accounts; empty for all.
    #[schema(max_items = 50, nullable = false)]
    pub seller_ids: Option<Vec<Uuid>>,
    /// Only what is told on one of these channels; empty for all.
    #[schema(example = json!(["products"]), max_items = 50, pattern = r"^(products|models)(:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})?$", nullable = false)]
    pub channels: Option<Vec<String>>,
    /// How much is said.
    #[schema(example = "full", value_type = PayloadName, required = false)]
    pub payload: Option<String>,
    /// In which order.
    #[schema(example = "none", value_type = OrderingName, required = false)]
    pub ordering: Option<String>,
    /// How many calls a minute at most; 0 for no bound.
    #[schema(example = 600, minimum = 0, maximum = 1_000_000, nullable = false)]
    pub calls_per_minute: Option<i64>,
    /// Whether it is on. Switched on it begins anew; switched off what waits for it is given up.
    #[schema(example = true, nullable = false)]
    pub enabled: Option<bool>,
}

fn shared(fields: &mut Fields<'_>) -> EndpointInput {
    EndpointInput {
        url: fields.text("url"),
        description: fields.text("description"),
        types: fields.texts("eventTypes"),
        categories: fields.uuids("categoryIds").map(|ids| ids.into_iter().map(CategoryId).collect()),
        products: fields.uuids("productIds").map(|ids| ids.into_iter().map(ProductId).collect()),
        sellers: fields.uuids("sellerIds").map(|ids| ids.into_iter().map(SellerId).collect()),
        channels: fields.texts("channels"),
        form: fields.choice("payload", Form::named, "full, thin"),
        order: fields.choice("ordering", Order::named, "none, thing"),
        per_minute: fields.integer("callsPerMinute"),
        algorithm: None,
        enabled: fields.boolean("enabled"),
    }
}

fn algorithm(fields: &mut Fields<'_>) -> Option<Algorithm> {
    fields.choice("algorithm", Algorithm::named, "hmac-sha256, ed25519")
}

/// Reads an [`EndpointBody`]: what makes it, the seller account, and whether it is the shop's.
pub fn new_endpoint(fields: &mut Fields<'_>) -> (EndpointInput, Option<SellerId>, bool) {
    let input = EndpointInput { algorithm: algorithm(fields), ..shared(fields) };
    let (seller, shop) = (fields.uuid("sellerId").map(SellerId), fields.boolean("shop").unwrap_or_default());
    if shop && seller.is_some() {
        fields.violations.add("/shop", "one_owner", "must not be true beside a sellerId");
    }
    (input, seller, shop)
}

/// Reads an [`EndpointPatchBody`].
pub fn change(fields: &mut Fields<'_>) -> EndpointInput {
    fields.of_a_change();
    shared(fields)
}

/// Asks for another secret.
#[derive(Debug, ToSchema)]
#[schema(as = RotateWebhookSecret)]
pub struct RotateBody {
    /// How it signs; as the one before when absent.
    #[schema(example = "ed25519", value_type = Option<AlgorithmName>)]
    pub algorithm: Option<String>,
}

/// Reads a [`RotateBody`].
pub fn rotated(fields: &mut Fields<'_>) -> Option<Option<Algorithm>> {
    Some(algorithm(fields))
}

/// Asks for a test.
#[derive(Debug, ToSchema)]
#[schema(as = TestWebhook)]
#[serde(rename_all = "camelCase")]
pub struct TestBody {
    /// Of which type an example is sent; `webhook.test` when absent.
    #[schema(example = "product.updated", pattern = r"^[a-z_]+\.[a-z_]+$")]
    pub event_type: Option<String>,
}

/// Reads a [`TestBody`].
pub fn tested(fields: &mut Fields<'_>) -> Option<EventType> {
    let known = "those that GET /api/v1/webhooks/event-types lists";
    Some(fields.choice("eventType", EventType::stored, known).unwrap_or(EventType::Test))
}

/// Asks for messages to be sent again.
#[derive(Debug, ToSchema)]
#[schema(as = RecoverWebhooks)]
pub struct RecoverBody {
    /// Those made at this moment or after, within the last 14 days.
    #[schema(example = "2026-11-26T00:00:00Z")]
    pub since: DateTime<Utc>,
}

/// Reads a [`RecoverBody`].
pub fn since(fields: &mut Fields<'_>) -> Option<Timestamp> {
    match fields.moment("since") {
        None if fields.violations.is_empty() => fields.violations.missing("/since"),
        since => since,
    }
}

/// Whose endpoints.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct EndpointsParams {
    /// Those of this seller account, which one manages; one's own when absent.
    seller_id: Option<Uuid>,
    /// Those that hear the whole shop, for whoever runs it.
    #[param(required = false, example = false)]
    shop: bool,
    /// The page, from 1.
    #[param(required = false, minimum = 1, maximum = 4_294_967_295_i64, default = 1, value_type = i64)]
    page: u32,
    /// Items per page.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: u32,
}

impl EndpointsParams {
    /// The account asked for, if one is, whether the shop is, and which page.
    pub fn asked(self) -> (Option<SellerId>, bool, PageRequest) {
        let page = PageRequest { page: self.page, limit: Limit::new(self.limit).unwrap_or_default() };
        (self.seller_id.map(SellerId), self.shop, page)
    }
}

impl Read for EndpointsParams {
    fn read(query: &mut Query) -> Option<Self> {
        let page = query.page();
        let seller_id = query.uuid("sellerId");
        let shop = query.parsed("shop", "boolean", "must be true or false", |text| text.parse().ok());
        if shop == Some(true) && seller_id.is_some() {
            query.violations.add("shop", "one_owner", "must not be true beside a sellerId");
        }
        Some(Self { seller_id, shop: shop.unwrap_or_default(), page: page.page, limit: page.limit.get() })
    }
}

/// Which messages.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct MessagesParams {
    /// Those in this state.
    #[param(value_type = Option<super::StateName>)]
    state: Option<MessageState>,
    /// Those of this type.
    #[param(value_type = Option<String>, example = "product.updated")]
    event_type: Option<EventType>,
    /// The page, from 1.
    #[param(required = false, minimum = 1, maximum = 4_294_967_295_i64, default = 1, value_type = i64)]
    page: u32,
    /// Items per page.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: u32,
}

impl MessagesParams {
    /// Which, and which page.
    pub fn asked(self) -> (MessageFilter, PageRequest) {
        let page = PageRequest { page: self.page, limit: Limit::new(self.limit).unwrap_or_default() };
        (MessageFilter { state: self.state, kind: self.event_type }, page)
    }
}

impl Read for MessagesParams {
    fn read(query: &mut Query) -> Option<Self> {
        let page = query.page();
        let states = "must be one of waiting, sending, delivered, failed";
        let state = query.parsed("state", "enum", states, MessageState::named);
        let types = "must be one of those that GET /api/v1/webhooks/event-types lists";
        let event_type = query.parsed("eventType", "enum", types, EventType::stored);
        Some(Self { state, event_type, page: page.page, limit: page.limit.get() })
    }
}
