//! The doors of people and seller accounts.

mod accounts;
pub mod dto;
pub mod keys;
mod me;
mod sellers;
mod sessions;

pub use accounts::aliases;
use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of identity.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(accounts::register)
        .service(accounts::login)
        .service(keys::get_jwks)
        .service(me::get_me)
        .service(me::list_my_views)
        .service(sellers::create_seller)
        .service(sessions::refresh_session)
        .service(sessions::logout)
        .service(sessions::list_sessions)
        .service(sessions::revoke_session)
        .service(sessions::revoke_sessions);
}
