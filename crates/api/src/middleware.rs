//! What stands between a socket and a handler, from the outside in: request id, log, security headers, CORS,
//! compression, timeout, address limit, authentication, actor limit (API-10, ruling R6).

pub mod acting;
pub mod admit;
pub(crate) mod authenticate;
pub mod cors;
pub mod deadline;
pub(crate) mod limit;
pub(crate) mod log;
pub mod only;
pub mod outermost;
pub mod request_id;
pub(crate) mod security;
pub mod small;
