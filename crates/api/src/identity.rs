//! The doors of people and seller accounts.

mod accounts;
mod by_mail;
mod credentials;
mod deletion;
pub mod dto;
mod exports;
mod factors;
mod guests;
pub mod keys;
mod me;
mod origin;
pub mod outside;
pub mod pages;
mod passkeys;
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
        .service(guests::login_anonymously)
        .service(guests::promote_guest)
        .service(guests::promote_guest_with_provider)
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
        .service(exports::create_data_export)
        .service(exports::list_data_exports)
        .service(exports::get_data_export)
        .service(exports::get_data_export_archive)
        .service(exports::delete_data_export)
        .service(keys::get_jwks)
        .service(me::get_me)
        .service(me::list_my_views)
        .service(sellers::create_seller)
        .service(sessions::refresh_session)
        .service(sessions::logout)
        .service(sessions::list_sessions)
        .service(sessions::revoke_session)
        .service(sessions::revoke_sessions)
        .service(factors::login_with_second_factor)
        .service(factors::reauthenticate_session)
        .service(factors::get_my_factors)
        .service(factors::begin_totp)
        .service(factors::confirm_totp)
        .service(factors::delete_totp)
        .service(factors::renew_recovery_codes)
        .service(factors::delete_user_factors)
        .service(passkeys::begin_passkey_login)
        .service(passkeys::login_with_passkey)
        .service(passkeys::begin_passkey)
        .service(passkeys::create_passkey)
        .service(passkeys::list_passkeys)
        .service(passkeys::get_passkey)
        .service(passkeys::rename_passkey)
        .service(passkeys::delete_passkey);
}
