//! What goes by mail: links and codes that are good once, the letters that bring them, and what they are for.

mod change;
mod code;
mod letter;
mod links;
mod mailroom;
mod reset;
mod sign_in;
mod verify;

pub use change::{confirm_email_change, request_email_change};
pub use code::{ActionCode, Purpose};
pub use letter::{Post, SendLetter, deliver};
pub use links::{Links, Redirect};
pub use mailroom::{Mailroom, Verification};
pub use reset::{confirm_password_reset, request_password_reset};
pub(in crate::identity) use sign_in::use_sign_in_code;
pub use sign_in::{CodeLogin, request_sign_in_code};
pub use verify::{confirm_email, request_verification};

pub(crate) use letter::{Errand, Notice};
