//! The cookie that tells a browser again when it comes back from a provider: an answer that another browser brings is not heard.

use actix_web::http::header::{HeaderMap, HeaderValue};
use domain::{Error, identity::outside::Departure};

use crate::{cookies::named, problem::Problem};

/// How long it is kept, in seconds: as long as a sign-in may take.
const LIFE: u32 = 600;

/// What a browser keeps while its person is at a provider.
pub(super) struct Browser;

impl Browser {
    /// What a request brings of it.
    pub(super) fn of(headers: &HeaderMap, https: bool) -> Option<&str> {
        named(headers, Self::name(https))
    }

    /// What a browser is to keep. Where the provider's own page posts the answer, it is sent along with that too; browsers take such
    /// a cookie over https alone.
    pub(super) fn line(departure: &Departure, https: bool) -> Result<HeaderValue, Problem> {
        let name = Self::name(https);
        let kind = match (https, departure.posts) {
            (true, true) => "; Secure; SameSite=None",
            (true, false) => "; Secure; SameSite=Lax",
            (false, _) => "; SameSite=Lax",
        };
        let line = format!("{name}={}; Path=/; Max-Age={LIFE}; HttpOnly{kind}", departure.browser);
        HeaderValue::try_from(line).map_err(|error| Problem::from(Error::internal(error)))
    }

    fn name(https: bool) -> &'static str {
        if https { "__Host-souk_sign_in" } else { "souk_sign_in" }
    }
}
