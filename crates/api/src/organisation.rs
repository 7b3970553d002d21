//! The doors of seller accounts with several members.

mod accounts;
pub mod dto;
mod invitations;
mod members;

use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of organisations.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(accounts::list_my_sellers)
        .service(members::list_seller_members)
        .service(members::set_seller_member)
        .service(members::remove_seller_member)
        .service(invitations::list_invitations)
        .service(invitations::create_invitation)
        .service(invitations::accept_invitation)
        .service(invitations::revoke_invitation);
}
