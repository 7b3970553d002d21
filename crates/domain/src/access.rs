//! Access: what roles may do and who has them, who is banned, and API keys.

mod api_key;
mod authenticate;
mod ban;
mod ban_user;
mod create_key;
mod create_role;
mod delete_key;
mod delete_role;
mod events;
mod grant_role;
mod key_text;
pub mod policy;
pub mod ports;
mod rename_key;
mod role_input;
mod stored_role;
mod table;
mod update_role;

pub use api_key::{ApiKey, KeyInput, MadeKey, NewKey};
pub use authenticate::{KeyCaller, Keys};
pub use ban::{Ban, BanInput, NewBan};
pub use ban_user::{LiftBan, ban_user, lift_ban, unban_user};
pub use create_key::create_key;
pub use create_role::create_role;
pub use delete_key::{delete_key, is_own};
pub use delete_role::delete_role;
pub use grant_role::{change_role, set_role};
pub use key_text::{KEY_PREFIX, KeyText};
pub(crate) use policy::is_above;
pub use rename_key::rename_key;
pub use role_input::{NewRole, RoleInput, RolePatch};
pub use stored_role::StoredRole;
pub use table::table;
pub use update_role::update_role;
