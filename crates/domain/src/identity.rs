//! People and seller accounts.

mod change_password;
mod change_role;
mod email;
mod enrol_people;
mod events;
mod house;
mod login;
mod open_seller;
mod password;
pub mod ports;
mod register;
mod seller;
pub mod throttle;
mod user;

pub use change_password::{Proof, change_password};
pub use change_role::{RoleChange, change_role};
pub use email::{
    ActionCode, CodeLogin, Links, Mailroom, Post, Purpose, Redirect, SendLetter, Verification, confirm_email,
    confirm_email_change, confirm_password_reset, deliver, request_email_change, request_password_reset,
    request_sign_in_code, request_verification,
};
pub(crate) use enrol_people::enrol;
pub use enrol_people::{Enrolled, NO_PASSWORD, Newcomer, enrol_people};
pub(crate) use house::stand_in;
pub use house::{Selling, seller_for};
pub use login::{Credentials, Login, SignedIn};
pub use open_seller::{SellerInput, open_seller};
pub use password::Password;
pub use register::{NewUser, UserInput, create_user, register, register_unseen};
pub use seller::Seller;
pub use throttle::Throttle;
pub use user::{Email, Profile, User};
