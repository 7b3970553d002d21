//! The doors of inbound webhooks: where they come in, and what operators see of them.

mod events;
mod receive;
pub mod view;

use std::sync::Arc;

use domain::inbound::{Sources, ports::HookQueries};
use utoipa_actix_web::service_config::ServiceConfig;

/// What inbound webhooks stand on.
#[derive(Clone)]
pub struct Hooks {
    /// Who may send some.
    pub sources: Sources,
    /// Reads what came.
    pub queries: Arc<dyn HookQueries>,
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooks").field("sources", &self.sources).finish_non_exhaustive()
    }
}

/// The operations of inbound webhooks.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(receive::receive_hook)
        .service(events::list_hook_events)
        .service(events::get_hook_event)
        .service(events::replay_hook_event);
}
