//! The doors of access: people as whoever runs the installation sees them, roles, and API keys.

pub mod dto;
mod impersonation;
mod keys;
mod roles;
mod sessions;
mod users;

use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of access.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(users::list_users)
        .service(users::get_user)
        .service(users::delete_user)
        .service(users::ban_user)
        .service(users::unban_user)
        .service(users::grant_role)
        .service(users::revoke_role)
        .service(sessions::list_user_sessions)
        .service(sessions::end_user_session)
        .service(sessions::end_user_sessions)
        .service(impersonation::impersonate_user)
        .service(impersonation::stop_impersonation)
        .service(roles::list_roles)
        .service(roles::create_role)
        .service(roles::get_role)
        .service(roles::update_role)
        .service(roles::delete_role)
        .service(keys::list_api_keys)
        .service(keys::create_api_key)
        .service(keys::get_api_key)
        .service(keys::update_api_key)
        .service(keys::delete_api_key);
}
