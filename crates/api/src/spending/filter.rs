//! Which calls are asked for.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{
    Error,
    assistant::{
        CallState,
        spending::{SpendingBy, SpendingFilter},
    },
    clock::Timestamp,
    id::{ApiKeyId, SellerId, UserId},
    permission::{Authorized, ManageAssistant, UseAssistant},
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::query::Query;

/// What is told of when nobody says from when.
const USUAL: Duration = Duration::from_hours(24 * 30);

/// By what spending is told apart.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(as = SpendingGroup, rename_all = "lowercase")]
pub enum GroupName {
    /// The day, in UTC.
    Day,
    /// Who called.
    User,
    /// With which API key.
    Key,
    /// For which seller account.
    Seller,
    /// The model, as callers know it.
    Model,
    /// Who answered.
    Deployment,
}

/// Whose calls.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(as = SpendingReach, rename_all = "lowercase")]
pub enum ReachName {
    /// One's own.
    Own,
    /// Everybody's.
    All,
}

/// In which form.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(as = SpendingForm, rename_all = "lowercase")]
pub enum FormName {
    /// JSON, page by page.
    Json,
    /// A table for spreadsheets, all of it.
    Csv,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(as = AssistantCallState, rename_all = "lowercase")]
pub enum CallStateName {
    /// It goes on.
    Reserved,
    /// It ended, and the provider said what it used.
    Settled,
    /// It ended or was lost, and what it used is a guess.
    Estimated,
    /// It used more than the most it was allowed.
    Overrun,
    /// It failed and used nothing.
    Failed,
    /// It was answered by what was kept, at no cost.
    Cached,
}

/// Which calls are asked for.
#[derive(Debug, Clone, Default, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct Which {
    /// Those that began at this moment or later; thirty days before `to` when absent.
    #[param(example = "2026-11-01T00:00:00Z")]
    from: Option<DateTime<Utc>>,
    /// Those that began before this moment; now when absent.
    #[param(example = "2026-12-01T00:00:00Z")]
    to: Option<DateTime<Utc>>,
    /// Whose: one's own when absent. Everybody's are for administrators (`assistant:manage`).
    #[param(value_type = Option<ReachName>, inline = false)]
    scope: Option<bool>,
    /// Those of this person; with `scope=all` alone.
    user_id: Option<Uuid>,
    /// Those with this API key.
    key_id: Option<Uuid>,
    /// Those for this seller account.
    seller_id: Option<Uuid>,
    /// Those of this model.
    #[param(example = "small", pattern = r"^[^\x00]*$")]
    model: Option<String>,
    /// Those that this deployment answered.
    #[param(example = "openai/gpt-4o-mini", pattern = r"^[^\x00]*$")]
    deployment: Option<String>,
    /// Those that ended so.
    #[param(value_type = Option<CallStateName>, inline = false)]
    state: Option<CallState>,
}

impl Which {
    pub(super) fn read(query: &mut Query) -> Self {
        let which = Self {
            from: moment(query, "from"),
            to: moment(query, "to"),
            scope: query.parsed("scope", "enum", "must be own or all", |text| match text {
                "own" => Some(false),
                "all" => Some(true),
                _ => None,
            }),
            user_id: query.uuid("userId"),
            key_id: query.uuid("keyId"),
            seller_id: query.uuid("sellerId"),
            model: query.one("model"),
            deployment: query.one("deployment"),
            state: query.parsed(
                "state",
                "enum",
                "must be reserved, settled, estimated, overrun, failed or cached",
                CallState::named,
            ),
        };
        if which.from.zip(which.to).is_some_and(|(from, to)| from > to) {
            query.violations.add("to", "consistent", "must not be before from");
        }
        which
    }

    /// The calls meant, of these moments where a cursor says them.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for what others spent, unless the caller may see that.
    pub(super) fn filter(
        self,
        by: &Authorized<UseAssistant>,
        now: Timestamp,
        moments: Option<(Timestamp, Timestamp)>,
    ) -> Result<SpendingFilter, Error> {
        let own = by.principal().user;
        let user = if self.scope == Some(true) {
            if !by.principal().may::<ManageAssistant>() {
                return Err(Error::forbidden("Permission assistant:manage required to see what everybody spent"));
            }
            self.user_id.map(UserId)
        } else {
            Some(self.user_id.map_or(own, UserId))
        };
        if user.is_some_and(|user| user != own) && self.scope != Some(true) {
            return Err(Error::forbidden("What others spent is told with scope=all"));
        }
        let (from, until) = moments.unwrap_or_else(|| {
            let until = self.to.unwrap_or(now);
            (self.from.unwrap_or(until - USUAL), until)
        });
        Ok(SpendingFilter {
            from,
            until,
            user,
            key: self.key_id.map(ApiKeyId),
            seller: self.seller_id.map(SellerId),
            model: self.model,
            deployment: self.deployment,
            state: self.state,
        })
    }

    /// What the list is called in cursors: all but its moments, which go with the cursor.
    pub(super) fn list(&self, user: UserId, by: &[SpendingBy]) -> String {
        format!("{user} {by:?} {self:?}")
    }
}

/// A moment, exact to the microsecond, as databases keep it.
pub(crate) fn moment(query: &mut Query, name: &'static str) -> Option<Timestamp> {
    query.parsed(name, "date_time", "must be a moment, such as 2030-01-31T12:00:00Z", |text| {
        DateTime::from_timestamp_micros(DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros())
    })
}
