//! People who prove who they are elsewhere: at a provider they sign in with, or by the token of an issuer we believe.

mod appear;
mod bars;
mod begin_sign_in;
mod follow;
mod gate;
mod hear_provider;
mod link;
pub mod ports;
mod promote;
mod settle;
mod sign_in;
mod stranger;

pub use appear::{appear, still_visitor, visitor};
pub(crate) use bars::bar_again;
pub use begin_sign_in::{Departure, begin_sign_in};
pub(crate) use follow::part;
pub use follow::{Followed, News, follow};
pub use gate::Gate;
pub use hear_provider::{Answered, hear_provider};
pub use link::{link_identity, unlink_identity};
pub use promote::promote_with_provider;
pub use sign_in::ProviderLogin;
pub(crate) use stranger::NOWHERE;
pub use stranger::{ForeignId, Link, Stranger, Vouched};
