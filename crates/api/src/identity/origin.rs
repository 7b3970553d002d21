//! From where somebody tries to prove who they are.

use std::{
    future::{Ready, ready},
    net::IpAddr,
};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload};
use domain::{
    Error,
    identity::{Login, Proof, Throttle},
};

use crate::{Services, address, context::Context, problem::Problem};

/// The address of the client, as calls are counted.
#[derive(Debug, Clone, Copy)]
pub struct Origin(IpAddr);

impl FromRequest for Origin {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let client = request.extensions().get::<Context>().map(|context| address::counted(context.client));
        ready(client.map(Self).ok_or_else(|| Error::internal("a request without a context").into()))
    }
}

impl Origin {
    /// What bounds tries from here.
    pub fn throttle(self, services: &Services) -> Throttle<'_> {
        Throttle {
            limiter: services.limiter.as_ref(),
            policies: &services.settings.account_limits,
            places: services.places.as_ref(),
            mac: services.mailroom.mac.as_ref(),
            from: self.0,
        }
    }

    /// What signing in stands on.
    pub fn login(self, services: &Services) -> Login<'_> {
        Login {
            users: services.users.as_ref(),
            hasher: services.hasher.as_ref(),
            sessions: &services.sessions,
            throttle: self.throttle(services),
            verification: services.mailroom.verification,
        }
    }

    /// What proving anew who one is stands on.
    pub fn proof(self, services: &Services) -> Proof<'_> {
        Proof { users: services.users.as_ref(), hasher: services.hasher.as_ref(), throttle: self.throttle(services) }
    }
}
