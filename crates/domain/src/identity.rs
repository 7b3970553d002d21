//! People and seller accounts.

mod change_role;
mod end_sessions;
mod enrol_people;
mod events;
mod house;
pub mod known;
mod login;
mod open_seller;
pub mod ports;
mod purge_sessions;
mod refresh_token;
mod register;
mod rotate_keys;
mod seller;
mod session;
mod sessions;
mod user;

pub use change_role::{RoleChange, change_role};
pub use end_sessions::{end_sessions_of, revoke_session, revoke_sessions, sign_out};
pub(crate) use enrol_people::enrol;
pub use enrol_people::{Enrolled, NO_PASSWORD, Newcomer, enrol_people};
pub(crate) use house::stand_in;
pub use house::{Selling, seller_for};
pub use known::Known;
pub use login::{Credentials, Login};
pub use open_seller::{SellerInput, open_seller};
pub use purge_sessions::purge_sessions;
pub use refresh_token::{REFRESH_PREFIX, RefreshToken};
pub use register::{NewUser, UserInput, create_user, register};
pub use rotate_keys::{KeyPlan, RotateKeys, Rotated, rotate_keys};
pub use seller::Seller;
pub use session::{Client, EndReason, SessionRules, StoredSession};
pub use sessions::{Sessions, SignedIn};
pub use user::{Email, Password, Profile, User};
