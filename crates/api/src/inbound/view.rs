//! Inbound webhooks as JSON.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use domain::inbound::{HookReport, HookState};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::job::view::JobErrorView;

/// What is answered to a sender.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookReceipt)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptView {
    /// The id of the event here.
    pub id: Uuid,
    /// Whether it had come before.
    #[schema(example = false)]
    pub known: bool,
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = HookState, example = "done")]
#[serde(rename_all = "lowercase")]
pub enum HookStateView {
    /// For its job, or for the next attempt of it.
    Waiting,
    /// It did what it does.
    Done,
    /// Nothing here does anything about it.
    Ignored,
    /// Its job was given up, cancelled or purged; it can be replayed.
    Failed,
}

impl From<HookState> for HookStateView {
    fn from(state: HookState) -> Self {
        match state {
            HookState::Waiting => Self::Waiting,
            HookState::Done => Self::Done,
            HookState::Ignored => Self::Ignored,
            HookState::Failed => Self::Failed,
        }
    }
}

/// How the body of an event is shown.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = HookBodyEncoding, example = "utf8")]
#[serde(rename_all = "lowercase")]
pub enum EncodingView {
    /// As it is.
    Utf8,
    /// In base64, for it is no text in UTF-8.
    Base64,
}

/// A webhook that came in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookEvent)]
#[serde(rename_all = "camelCase")]
pub struct HookEventView {
    /// Its id here.
    pub id: Uuid,
    /// Who sent it.
    #[schema(example = "clerk")]
    pub source: String,
    /// Its id there.
    #[schema(example = "msg_2Xg0aJ")]
    pub event_id: Option<String>,
    /// What kind of event it tells of.
    #[schema(example = "user.created")]
    pub r#type: Option<String>,
    /// Where it stands.
    pub state: HookStateView,
    /// What it did, or why nothing.
    #[schema(example = "appeared")]
    pub outcome: Option<String>,
    /// Whom it changed.
    pub user_id: Option<Uuid>,
    /// The job that handles it, or did last.
    pub job_id: Uuid,
    /// Attempts begun by that job.
    #[schema(example = 1, minimum = 0, value_type = i64)]
    pub attempts: u32,
    /// Why attempts failed, oldest first; only the latest are kept.
    pub errors: Vec<JobErrorView>,
    /// How often somebody had it handled again.
    #[schema(example = 0, minimum = 0, value_type = i64)]
    pub replays: u32,
    /// When it happened, or was signed.
    pub occurred_at: Option<DateTime<Utc>>,
    /// When it was stored.
    pub received_at: DateTime<Utc>,
    /// When it was handled.
    pub handled_at: Option<DateTime<Utc>>,
    /// The headers that say something; never one with a signature.
    #[schema(value_type = Object, example = json!({"content-type": "application/json"}))]
    pub headers: BTreeMap<String, String>,
    /// Bytes of the body.
    #[schema(example = 312, minimum = 0, value_type = i64)]
    pub size: u64,
    /// The body as it came; null in lists, and when it is not kept any more.
    #[schema(example = r#"{"type":"user.created"}"#)]
    pub body: Option<String>,
    /// How the body is shown.
    pub body_encoding: Option<EncodingView>,
}

impl From<HookReport> for HookEventView {
    fn from(HookReport { event, attempts, errors }: HookReport) -> Self {
        let (body, body_encoding) = match event.body.map(String::from_utf8) {
            None => (None, None),
            Some(Ok(text)) => (Some(text), Some(EncodingView::Utf8)),
            Some(Err(bytes)) => (Some(BASE64_STANDARD.encode(bytes.as_bytes())), Some(EncodingView::Base64)),
        };
        Self {
            id: event.id.0,
            source: event.source,
            event_id: event.event,
            r#type: event.kind,
            state: event.state.into(),
            outcome: event.outcome,
            user_id: event.user.map(|user| user.0),
            job_id: event.job.0,
            attempts,
            errors: errors.into_iter().map(JobErrorView::from).collect(),
            replays: event.replays,
            occurred_at: event.occurred_at,
            received_at: event.received_at,
            handled_at: event.handled_at,
            headers: event.headers,
            size: event.size,
            body,
            body_encoding,
        }
    }
}
