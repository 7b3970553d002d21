//! People and seller accounts.

mod change_password;
mod delete_person;
mod doors;
mod email;
mod end_sessions;
mod enrol_people;
mod events;
pub mod exports;
pub mod factors;
mod fresh;
mod guests;
mod house;
pub mod known;
mod login;
mod open_seller;
pub mod outside;
pub mod passkeys;
mod password;
pub mod ports;
mod proven;
mod purge_sessions;
mod refresh_token;
mod register;
mod rotate_keys;
mod seller;
mod sellers;
mod session;
mod sessions;
mod shelf;
mod shop_person;
pub mod throttle;
mod user;
#[cfg(test)]
mod world;

pub use change_password::{Leave, Proof, change_password};
pub use delete_person::{DeletePerson, Pseudonym, delete_person, delete_when_due, request_deletion, withdraw_deletion};
pub(crate) use email::Errand;
pub(crate) use email::Notice;
pub use email::{
    ActionCode, CodeLogin, Links, Mailroom, Post, Purpose, Redirect, SendLetter, Verification, confirm_email,
    confirm_email_change, confirm_password_reset, deliver, request_email_change, request_password_reset,
    request_sign_in_code, request_verification,
};
pub(crate) use end_sessions::{end, end_acting};
pub use end_sessions::{end_sessions_of, revoke_session, revoke_sessions, sign_out};
pub(crate) use enrol_people::enrol;
pub use enrol_people::{Enrolled, NO_PASSWORD, Newcomer, enrol_people};
pub use events::RoleChange;
pub(crate) use events::{role_changed, session_impersonated};
pub use factors::{Challenge, Factors, SecondFactorLogin};
pub use fresh::{FRESH, Fresh, Freshness};
pub use guests::{GuestQueries, Promoted, Promotion, enter_as_guest, promote_guest, purge_guests};
pub(crate) use house::stand_in;
pub use house::{Selling, seller_for};
pub use known::Known;
pub use login::{Admitted, Credentials, Login};
pub use open_seller::{SellerInput, open_seller};
pub use outside::{ForeignId, Gate, ProviderLogin, Stranger};
pub use passkeys::{Passkey, Passkeys};
pub use password::Password;
pub use proven::{Method, Methods, Proven};
pub use purge_sessions::purge_sessions;
pub use refresh_token::{REFRESH_PREFIX, RefreshToken};
pub use register::{NewUser, UserInput, create_user, register, register_unseen};
pub use rotate_keys::{KeyPlan, RotateKeys, Rotated, rotate_keys};
pub use seller::Seller;
pub use sellers::Sellers;
pub use session::{Client, EndReason, Impersonation, SessionRules, StoredSession};
pub use sessions::{Sessions, SignedIn};
pub use shop_person::shop_person;
pub use throttle::Throttle;
pub use user::{Email, Profile, User};
