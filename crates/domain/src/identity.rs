//! People and seller accounts.

mod change_role;
mod enrol_people;
mod events;
mod house;
mod login;
mod open_seller;
pub mod ports;
mod register;
mod seller;
mod user;

pub use change_role::{RoleChange, change_role};
pub(crate) use enrol_people::enrol;
pub use enrol_people::{Enrolled, NO_PASSWORD, Newcomer, enrol_people};
pub(crate) use house::stand_in;
pub use house::{Selling, seller_for};
pub use login::{Credentials, Login, SignedIn};
pub use open_seller::{SellerInput, open_seller};
pub use register::{NewUser, UserInput, create_user, register};
pub use seller::Seller;
pub use user::{Email, Password, Profile, User};
