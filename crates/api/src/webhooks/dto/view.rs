//! Webhooks as they are shown.

use chrono::{DateTime, Utc};
use domain::webhooks::{
    Attempt, Cause, Endpoint, Fault, Form, MadeEndpoint, Message, MessageState, Order, Owner, ports::Stats,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{OrderingName, PayloadName};

/// Whose an endpoint is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = WebhookOwner, example = "person")]
#[serde(rename_all = "lowercase")]
pub enum OwnerName {
    /// A person.
    Person,
    /// A seller account.
    Seller,
    /// The operator.
    Shop,
}

/// Why an endpoint is off.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = WebhookOff, example = "failing")]
#[serde(rename_all = "lowercase")]
pub enum OffName {
    /// Its owner switched it off.
    Owner,
    /// It failed for too long.
    Failing,
    /// It said that it is gone.
    Gone,
}

/// An endpoint, without its secrets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
#[serde(rename_all = "camelCase")]
pub struct EndpointView {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub owner: OwnerName,
    /// The seller account, when it is one's.
    pub seller_id: Option<Uuid>,
    /// Where events are sent.
    #[schema(example = "https://example.com/hook")]
    pub url: String,
    /// What its owner says of it.
    #[schema(example = "Stock robot")]
    pub description: String,
    /// The types it hears; empty for all that its owner may hear.
    #[schema(example = json!(["product.updated"]))]
    pub event_types: Vec<&'static str>,
    /// Only of products in one of these categories.
    pub category_ids: Vec<Uuid>,
    /// Only of these products.
    pub product_ids: Vec<Uuid>,
    /// Only of these seller accounts.
    pub seller_ids: Vec<Uuid>,
    /// Only what is told on one of these channels.
    #[schema(example = json!(["products"]))]
    pub channels: Vec<String>,
    /// How much is said.
    pub payload: PayloadName,
    /// In which order.
    pub ordering: OrderingName,
    /// How many calls a minute at most; null for no bound.
    #[schema(example = 600, minimum = 1, value_type = Option<i64>)]
    pub calls_per_minute: Option<u32>,
    /// Whether events are told to it.
    #[schema(example = true)]
    pub enabled: bool,
    /// Why not, if not.
    pub disabled_reason: Option<OffName>,
    /// Since when every call failed.
    pub failing_since: Option<DateTime<Utc>>,
    /// Until when it is left alone because most calls failed; past that it is tried with care.
    pub circuit_open_until: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<&Endpoint> for EndpointView {
    fn from(one: &Endpoint) -> Self {
        use domain::webhooks::Off;
        Self {
            id: one.id.0,
            owner: match one.owner {
                Owner::Person(_) => OwnerName::Person,
                Owner::Seller(_) => OwnerName::Seller,
                Owner::Shop => OwnerName::Shop,
            },
            seller_id: one.owner.seller().map(|seller| seller.0),
            url: one.url.clone(),
            description: one.description.clone(),
            event_types: one.types.iter().map(|kind| kind.name()).collect(),
            category_ids: one.filter.categories.iter().map(|id| id.0).collect(),
            product_ids: one.filter.products.iter().map(|id| id.0).collect(),
            seller_ids: one.filter.sellers.iter().map(|id| id.0).collect(),
            channels: one.filter.channels.clone(),
            payload: match one.form {
                Form::Full => PayloadName::Full,
                Form::Thin => PayloadName::Thin,
            },
            ordering: match one.order {
                Order::None => OrderingName::None,
                Order::Thing => OrderingName::Thing,
            },
            calls_per_minute: one.per_minute,
            enabled: one.is_on(),
            disabled_reason: one.off.map(|off| match off {
                Off::Owner => OffName::Owner,
                Off::Failing => OffName::Failing,
                Off::Gone => OffName::Gone,
            }),
            failing_since: one.failing_since,
            circuit_open_until: one.circuit_until,
            created_at: one.created_at,
            updated_at: one.updated_at,
        }
    }
}

/// An endpoint just made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeWebhookEndpoint)]
#[serde(rename_all = "camelCase")]
pub struct MadeEndpointView {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointView,
    /// What its receiver verifies with: `whsec_` and a secret, or `whpk_` and a public key. A repetition of the request shows null.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    pub secret: Option<String>,
}

impl MadeEndpointView {
    /// With its secret.
    pub fn shown(made: &MadeEndpoint) -> Self {
        Self { endpoint: EndpointView::from(&made.endpoint), secret: Some(made.secret.expose().to_owned()) }
    }

    /// Without.
    pub fn kept(made: &MadeEndpoint) -> Self {
        Self { endpoint: EndpointView::from(&made.endpoint), secret: None }
    }
}

/// What a receiver verifies with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookSecret)]
#[serde(rename_all = "camelCase")]
pub struct SecretView {
    /// `whsec_` and a secret, or `whpk_` and a public key. A repetition of a request with the same key shows null.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    pub secret: Option<String>,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = WebhookMessageState, example = "delivered")]
#[serde(rename_all = "lowercase")]
pub enum StateName {
    /// For its time, or for who sends it.
    Waiting,
    /// It is being sent.
    Sending,
    /// It arrived.
    Delivered,
    /// It was given up, and may be sent again.
    Failed,
}

impl From<MessageState> for StateName {
    fn from(state: MessageState) -> Self {
        match state {
            MessageState::Waiting => Self::Waiting,
            MessageState::Sending => Self::Sending,
            MessageState::Delivered => Self::Delivered,
            MessageState::Failed => Self::Failed,
        }
    }
}

/// A message, without its body.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookMessageSummary)]
#[serde(rename_all = "camelCase")]
pub struct MessageSummaryView {
    /// Its id.
    pub id: Uuid,
    /// The `webhook-id` it is sent under, the same in every attempt.
    #[schema(example = "msg_0190f5fe7c007a0080000123456789ab")]
    pub webhook_id: String,
    /// Its type.
    #[schema(example = "product.updated")]
    pub event_type: &'static str,
    /// The event it tells of; null for a test.
    pub event_id: Option<Uuid>,
    /// Where it stands.
    pub state: StateName,
    /// Why it was given up: `exhausted`, `aborted`, `gone` or `off`.
    #[schema(example = "exhausted")]
    pub cause: Option<&'static str>,
    /// How often it was tried.
    #[schema(example = 1, minimum = 0, value_type = i64)]
    pub attempts: u32,
    /// When it is tried next, if it is.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it arrived or was given up.
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<&Message> for MessageSummaryView {
    fn from(one: &Message) -> Self {
        Self {
            id: one.id.0,
            webhook_id: Message::webhook_id(one.id),
            event_type: one.kind.name(),
            event_id: one.event.map(|event| event.0),
            state: one.state.into(),
            cause: one.cause.map(Cause::name),
            attempts: one.attempts,
            next_attempt_at: one.next_attempt_at,
            created_at: one.created_at,
            finished_at: one.finished_at,
        }
    }
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookMessage)]
#[serde(rename_all = "camelCase")]
pub struct MessageView {
    /// What is known of it.
    #[serde(flatten)]
    pub summary: MessageSummaryView,
    /// What is sent, as it is sent.
    #[schema(value_type = Object, example = json!({ "type": "product.updated", "timestamp": "2026-01-02T03:04:05Z", "data": {} }))]
    pub body: Box<RawValue>,
}

impl MessageView {
    /// A message with its body; `None` for one that is no JSON.
    pub fn of(one: &Message) -> Option<Self> {
        let body = RawValue::from_string(one.body.clone()).ok()?;
        Some(Self { summary: one.into(), body })
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = WebhookFault, example = "status")]
#[serde(rename_all = "lowercase")]
pub enum FaultName {
    /// The receiver answered with a status that is no success.
    Status,
    /// It answered that it is elsewhere.
    Redirect,
    /// It took too long.
    Timeout,
    /// It could not be reached, or broke off.
    Connection,
    /// Its address is inside, or its host is unknown.
    Blocked,
    /// It cannot be sent.
    Unsendable,
}

impl From<Fault> for FaultName {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Status => Self::Status,
            Fault::Redirect => Self::Redirect,
            Fault::Timeout => Self::Timeout,
            Fault::Connection => Self::Connection,
            Fault::Blocked => Self::Blocked,
            Fault::Unsendable => Self::Unsendable,
        }
    }
}

/// An attempt at a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookAttempt)]
#[serde(rename_all = "camelCase")]
pub struct AttemptView {
    /// Its number, from 1.
    #[schema(example = 1, minimum = 1, value_type = i64)]
    pub number: u32,
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    #[schema(example = 42, minimum = 0)]
    pub duration_ms: u64,
    /// The status that was answered, if one was.
    #[schema(example = 204, value_type = Option<i64>)]
    pub status: Option<u16>,
    /// Why it failed, if it did.
    pub error: Option<FaultName>,
    /// The beginning of what was answered.
    #[schema(example = "ok")]
    pub response_body: String,
}

impl From<&Attempt> for AttemptView {
    fn from(one: &Attempt) -> Self {
        Self {
            number: one.number,
            at: one.at,
            duration_ms: one.millis,
            status: one.status,
            error: one.fault.map(FaultName::from),
            response_body: one.body.clone(),
        }
    }
}

/// How an endpoint is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookStats)]
#[serde(rename_all = "camelCase")]
pub struct StatsView {
    /// Messages that wait or are being sent.
    #[schema(example = 3, minimum = 0)]
    pub open: u64,
    /// Those that arrived, of what is kept.
    #[schema(example = 1200, minimum = 0)]
    pub delivered: u64,
    /// Those that were given up.
    #[schema(example = 0, minimum = 0)]
    pub failed: u64,
    /// When the oldest that waits was made.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Attempts of the last 24 hours.
    #[schema(example = 240, minimum = 0)]
    pub attempts_last_day: u64,
    /// Those of them that failed.
    #[schema(example = 2, minimum = 0)]
    pub failures_last_day: u64,
    /// How long they took on average, in milliseconds.
    #[schema(example = 85, minimum = 0, value_type = Option<i64>)]
    pub mean_duration_ms: Option<u64>,
}

impl From<&Stats> for StatsView {
    fn from(stats: &Stats) -> Self {
        Self {
            open: stats.open,
            delivered: stats.delivered,
            failed: stats.failed,
            waiting_since: stats.waiting_since,
            attempts_last_day: stats.attempts,
            failures_last_day: stats.failures,
            mean_duration_ms: stats.mean_millis,
        }
    }
}

/// What was put into the queue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueuedWebhook)]
#[serde(rename_all = "camelCase")]
pub struct QueuedView {
    /// The message to look for.
    pub message_id: Uuid,
}

/// How many messages are sent again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecoveredWebhooks)]
pub struct RecoveredView {
    /// How many.
    #[schema(example = 12, minimum = 0)]
    pub messages: u64,
}
