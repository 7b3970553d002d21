//! Second factors: authenticator apps, the recovery codes beside them, and the challenge that asks for one at sign-in.

mod challenge;
mod desk;
mod enrol;
pub(super) mod events;
pub mod ports;
mod recovery;
mod remove;
mod renew;
mod sign_in;
mod totp;

pub(super) use challenge::challenge;
pub use challenge::{Challenge, StoredChallenge};
pub use desk::Factors;
pub use enrol::{Enrolment, begin_totp, confirm_totp};
pub use recovery::{RECOVERY_CODES, RecoveryCodes};
pub use remove::{remove_factors_of, remove_totp, renew_recovery_codes};
pub use renew::{Anew, Reauthentication, Renewed};
pub use sign_in::SecondFactorLogin;
pub use totp::StoredTotp;
