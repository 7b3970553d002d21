//! The proof that the caller may, and proved a short while ago who they are.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use domain::{
    Error, Permission,
    identity::{Fresh, Freshness},
};

use crate::{
    Services, Shared,
    auth::{Auth, Own},
    problem::Problem,
};

/// Like [`Auth`], for sensitive acts. It reads the session; other requests do not pay for that.
#[derive(Debug)]
pub struct FreshAuth<P>(pub Fresh<P>);

impl<P: Permission> FromRequest for FreshAuth<P> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let auth = Auth::<P>::from_request(request, payload).into_inner();
        let own = Own::from_request(request, payload).into_inner();
        let services = request.app_data::<Shared>().cloned();
        Box::pin(async move {
            // Whoever may not is told so first.
            let (by, session) = (auth?.0, own?.0);
            let services = services.ok_or_else(|| Error::internal("a request without services"))?;
            Ok(Self(services.freshness().check(by, session, services.shop.now()).await?))
        })
    }
}

impl Services {
    /// Who looks whether a proof is fresh.
    pub fn freshness(&self) -> Freshness<'_> {
        Freshness {
            sessions: self.session_list.as_ref(),
            factors: self.proofs.ways.as_ref(),
            within: self.proofs.factors.fresh,
            mail: self.mailroom.open,
        }
    }
}
