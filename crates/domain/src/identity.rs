//! People and seller accounts.

mod house;
mod login;
mod open_seller;
pub mod ports;
mod register;
mod seller;
mod user;

pub use house::{Selling, seller_for};
pub use login::{Credentials, Login, SignedIn};
pub use open_seller::{SellerInput, open_seller};
pub use register::{NewUser, UserInput, create_user, register};
pub use seller::Seller;
pub use user::{Email, Password, Profile, User};
