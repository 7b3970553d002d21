//! People and seller accounts.

mod enrol_people;
mod events;
mod house;
mod login;
mod open_seller;
pub mod ports;
mod register;
mod seller;
mod sellers;
mod user;

pub(crate) use enrol_people::enrol;
pub use enrol_people::{Enrolled, NO_PASSWORD, Newcomer, enrol_people};
pub use events::RoleChange;
pub(crate) use events::role_changed;
pub(crate) use house::stand_in;
pub use house::{Selling, seller_for};
pub use login::{Credentials, Login, SignedIn};
pub use open_seller::{SellerInput, open_seller};
pub use register::{NewUser, UserInput, create_user, register};
pub use seller::Seller;
pub use sellers::Sellers;
pub use user::{Email, Password, Profile, User};
