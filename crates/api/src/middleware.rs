//! The layers between a socket and a handler, from the outside in: request id, log, security headers, CORS,
//! compression, timeout, address limit, authentication, actor limit (API-10, ruling R6).

pub mod authenticate;
pub mod cors;
pub mod deadline;
pub mod limit;
pub mod log;
pub mod only;
pub mod request_id;
pub mod security;
pub mod small;
