//! A layer that some requests need, and all others go past.

use std::rc::Rc;

use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
};
use futures_util::future::{Either as Way, LocalBoxFuture};

/// The layer, around those requests only that need it.
pub fn only<T>(needs: fn(&ServiceRequest) -> bool, layer: T) -> Only<T> {
    Only { needs, layer }
}

/// See [`only`].
#[derive(Debug)]
pub struct Only<T> {
    needs: fn(&ServiceRequest) -> bool,
    layer: T,
}

impl<T, S, C> Transform<S, ServiceRequest> for Only<T>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
    T: Transform<Rc<S>, ServiceRequest, Response = ServiceResponse<C>, Error = Error, InitError = ()>,
    T::Transform: 'static,
    T::Future: 'static,
    C: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = Either<S, T::Transform>;
    type InitError = ();
    type Future = LocalBoxFuture<'static, Result<Self::Transform, ()>>;

    fn new_transform(&self, inside: S) -> Self::Future {
        let (needs, past) = (self.needs, Rc::new(inside));
        let through = self.layer.new_transform(Rc::clone(&past));
        Box::pin(async move { Ok(Either { needs, past, through: through.await? }) })
    }
}

/// What goes past the layer, and through it.
#[derive(Debug)]
pub struct Either<S, L> {
    needs: fn(&ServiceRequest) -> bool,
    past: Rc<S>,
    through: L,
}

impl<S, L, C> Service<ServiceRequest> for Either<S, L>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
    L: Service<ServiceRequest, Response = ServiceResponse<C>, Error = Error> + 'static,
    C: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = Way<S::Future, LocalBoxFuture<'static, Result<Self::Response, Error>>>;

    // The layer asks what is inside of it.
    forward_ready!(through);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        if !(self.needs)(&request) {
            return Way::Left(self.past.call(request));
        }
        let answer = self.through.call(request);
        Way::Right(Box::pin(async move { Ok(answer.await?.map_into_boxed_body()) }))
    }
}
