//! What an operator may do while they act as somebody else: read, and the changes that are named here. Every other change is refused,
//! so that a new operation is until somebody decides otherwise.

use domain::permission::not_for_others;

use crate::{problem::Problem, routes::Operation};

/// The operations that change something and are open to who acts as somebody else. What outlasts the quarter of an hour, gives rights
/// or proves who somebody is must not stand here: passwords, addresses, factors, sessions, keys, roles, members, accounts.
pub const ALLOWED: [&str; 31] = [
    "adjust_stock",
    "ban_from_room",
    "batch_update_products",
    "create_category",
    "create_file",
    "create_product",
    "create_review",
    "create_room",
    "create_ticket",
    "delete_category",
    "delete_file",
    "delete_image",
    "delete_product",
    "delete_review",
    "delete_room",
    "delete_room_message",
    "moderate_review",
    "mute_in_room",
    "order_images",
    "remove_room_member",
    "restore_product",
    "set_room_member",
    "stop_impersonation",
    "unban_from_room",
    "unmute_in_room",
    "update_category",
    "update_image",
    "update_product",
    "update_review",
    "update_room",
    "upload_image",
];

/// The operations that only read and are for the person alone all the same.
pub const REFUSED_READS: [&str; 6] = [
    "export_conversation",
    "get_conversation",
    "get_data_export_archive",
    "list_conversation_messages",
    "list_conversations",
    "resume_chat_answer",
];

/// Whether somebody who acts as somebody else may call an operation.
///
/// # Errors
/// 403.
pub fn check(method: &actix_web::http::Method, operation: &Operation) -> Result<(), Problem> {
    let id = operation.id.as_str();
    let may = if method.is_safe() { !REFUSED_READS.contains(&id) } else { ALLOWED.contains(&id) };
    if may { Ok(()) } else { Err(not_for_others().into()) }
}
