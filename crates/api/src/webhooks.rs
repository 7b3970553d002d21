//! The doors of webhooks: endpoints, what became of their messages, and the catalogue of what can be heard.

mod catalogue;
mod data;
pub mod dto;
mod endpoints;
mod messages;
pub(crate) mod schema;
mod secrets;
pub mod words;

use std::sync::Arc;

use domain::webhooks::{
    Keyring, WebhookRules, Wording,
    ports::{Addresses, WebhookQueries},
};
use utoipa_actix_web::service_config::ServiceConfig;

/// What webhooks stand on.
#[derive(Clone)]
pub struct Webhooks {
    /// Reads endpoints and messages.
    pub queries: Arc<dyn WebhookQueries>,
    /// Makes and seals secrets.
    pub keyring: Keyring,
    /// Finds the words of examples.
    pub wording: Arc<dyn Wording>,
    /// Looks at addresses.
    pub addresses: Arc<dyn Addresses>,
    /// The operator's rules.
    pub rules: WebhookRules,
}

impl std::fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhooks").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// The operations of webhooks.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(catalogue::list_webhook_event_types)
        .service(endpoints::list_webhook_endpoints)
        .service(endpoints::create_webhook_endpoint)
        .service(endpoints::get_webhook_endpoint)
        .service(endpoints::update_webhook_endpoint)
        .service(endpoints::delete_webhook_endpoint)
        .service(endpoints::get_webhook_stats)
        .service(secrets::get_webhook_secret)
        .service(secrets::rotate_webhook_secret)
        .service(messages::test_webhook_endpoint)
        .service(messages::recover_webhook_messages)
        .service(messages::list_webhook_messages)
        .service(messages::get_webhook_message)
        .service(messages::list_webhook_attempts)
        .service(messages::resend_webhook_message);
}
