//! For which of several seller accounts somebody acts.

use actix_web::{HttpMessage as _, dev::ServiceRequest};
use domain::{Actor, Error, id::SellerId};

use crate::{
    acting::HEADER,
    path::uuid,
    problem::{In, Problem},
};

/// Lets the caller act for the account they name. Who is not signed in acts for none, whatever they name.
///
/// # Errors
/// 400 for what is no id; 403 for an account they are no member of, whether there is one or not.
pub fn choose(request: &ServiceRequest) -> Result<(), Problem> {
    let Some(named) = request.headers().get(HEADER) else { return Ok(()) };
    let mut extensions = request.extensions_mut();
    let Some(Actor::Signed(principal)) = extensions.get_mut::<Actor>() else { return Ok(()) };
    let seller = named.to_str().ok().and_then(uuid);
    let seller = seller.ok_or_else(|| Problem::broken(In::Header, HEADER, "uuid", "must be a UUID"))?;
    *principal = principal
        .clone()
        .acting_for(SellerId(seller))
        .map_err(|_| Error::forbidden("You are no member of the seller account that Souk-Seller names"))?;
    Ok(())
}
