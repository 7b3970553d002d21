//! What models cost, what may be and what was spent on them, and by which keys their providers know us.

pub mod budgets;
mod calls;
mod csv;
mod cursor;
mod filter;
pub mod prices;
pub mod providers;
mod report;
mod view;

use utoipa_actix_web::service_config::ServiceConfig;

pub use self::filter::{CallStateName, FormName, GroupName, ReachName};
pub(crate) use self::{filter::moment, view::TokensView};
use crate::Services;

/// The operations.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(report::get_assistant_usage)
        .service(calls::list_assistant_calls)
        .service(prices::list_assistant_prices)
        .service(prices::create_assistant_price)
        .service(prices::withdraw_assistant_price)
        .service(budgets::list_assistant_budgets)
        .service(budgets::create_assistant_budget)
        .service(budgets::get_assistant_budget)
        .service(budgets::update_assistant_budget)
        .service(budgets::delete_assistant_budget)
        .service(providers::list_assistant_providers)
        .service(providers::set_assistant_provider_key)
        .service(providers::remove_assistant_provider_key);
}

impl Services {
    /// Lets a change of the terms hold on this node before it is told; the log tells the others, and this one where it fails now.
    async fn heed_terms(&self) {
        if let Err(error) = self.assistant.terms.reload().await {
            tracing::warn!(%error, "the terms of the assistant are read later");
        }
    }
}
