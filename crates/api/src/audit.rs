//! Reading the audit log.

use actix_web::{HttpResponse, get};
use chrono::{DateTime, Utc};
use domain::{
    audit::{AuditEntry, AuditFilter},
    id::UserId,
    page::PageRequest,
    permission::ReadAudit,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    Answer, Shared,
    auth::Auth,
    page::PageView,
    query::{Params, Query, Read},
};

/// Which entries to list; every part given must match.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct AuditParams {
    /// Entries by this person.
    user_id: Option<Uuid>,
    /// Entries of what this operator did as somebody else.
    impersonator_id: Option<Uuid>,
    /// Entries of this action.
    #[param(example = "product.delete", pattern = r"^[^\x00]*$")]
    action: Option<String>,
    /// Entries about this type of thing.
    #[param(example = "product", pattern = r"^[^\x00]*$")]
    entity_type: Option<String>,
    /// Entries about this thing.
    entity_id: Option<Uuid>,
    /// The page, from 1.
    #[param(required = false, minimum = 1, maximum = 4_294_967_295_i64, default = 1, value_type = i64)]
    page: u32,
    /// Items per page.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: u32,
}

impl Read for AuditParams {
    fn read(query: &mut Query) -> Option<Self> {
        let page = query.page();
        Some(Self {
            user_id: query.uuid("userId"),
            impersonator_id: query.uuid("impersonatorId"),
            action: query.one("action"),
            entity_type: query.one("entityType"),
            entity_id: query.uuid("entityId"),
            page: page.page,
            limit: page.limit.get(),
        })
    }
}

/// One thing somebody did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditView {
    /// Its id.
    pub id: Uuid,
    /// Who; null for the system itself.
    pub user_id: Option<Uuid>,
    /// The operator who did it as them; null when it was they themselves.
    pub impersonator_id: Option<Uuid>,
    /// What.
    #[schema(example = "product.create")]
    pub action: String,
    /// To what type of thing.
    #[schema(example = "product")]
    pub entity_type: String,
    /// To which thing.
    pub entity_id: Uuid,
    /// The fields before and after.
    #[schema(value_type = Object, example = json!({"before": {"price": 1995}, "after": {"price": 2450}}))]
    pub metadata: Value,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl From<AuditEntry> for AuditView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id.0,
            user_id: entry.actor.map(|user| user.0),
            impersonator_id: entry.impersonator.map(|user| user.0),
            action: entry.action,
            entity_type: entry.entity.kind,
            entity_id: entry.entity.id,
            metadata: entry.metadata,
            created_at: entry.at,
        }
    }
}

/// Lists what was done, newest first.
#[utoipa::path(
    tag = "audit",
    params(AuditParams),
    responses((status = 200, description = "The entries", body = PageView<AuditView>)),
    security(("bearer" = ["audit:read"]))
)]
#[get("/api/v1/audit")]
pub async fn list_audit(_auth: Auth<ReadAudit>, services: Shared, params: Params<AuditParams>) -> Answer {
    let Params(asked) = params;
    let filter = AuditFilter {
        actor: asked.user_id.map(UserId),
        impersonator: asked.impersonator_id.map(UserId),
        action: asked.action,
        entity_type: asked.entity_type,
        entity_id: asked.entity_id,
    };
    let page = PageRequest { page: asked.page, limit: domain::page::Limit::new(asked.limit).unwrap_or_default() };
    let entries = services.audit.list(&filter, page).await?;
    Ok(HttpResponse::Ok().json(PageView::from(entries.map(AuditView::from))))
}
