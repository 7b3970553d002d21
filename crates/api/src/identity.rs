//! The doors of people and seller accounts.

mod accounts;
mod by_mail;
mod credentials;
mod deletion;
pub mod dto;
pub mod keys;
mod me;
mod origin;
pub mod outside;
pub mod pages;
mod sellers;
mod sessions;

pub use accounts::aliases;
pub(crate) use sessions::client;
use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of identity.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(accounts::register)
        .service(accounts::login)
        .service(by_mail::request_email_verification)
        .service(by_mail::confirm_email_verification)
        .service(by_mail::request_password_reset)
        .service(by_mail::confirm_password_reset)
        .service(by_mail::confirm_email_change)
        .service(by_mail::request_sign_in_code)
        .service(by_mail::login_with_code)
        .service(outside::list_providers)
        .service(outside::begin_sign_in)
        .service(outside::login_with_provider)
        .service(outside::list_identities)
        .service(outside::link_identity)
        .service(outside::unlink_identity)
        .service(credentials::change_password)
        .service(credentials::request_email_change)
        .service(deletion::request_deletion)
        .service(deletion::get_deletion)
        .service(deletion::withdraw_deletion)
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
