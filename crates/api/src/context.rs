//! What is known of a request from its begin, for the layers and for whoever answers.

use std::{net::IpAddr, sync::Arc, time::Instant};

use crate::routes::Found;

/// What is known of a request from its begin.
#[derive(Debug, Clone)]
pub struct Context {
    /// The id of the request, in every log line and error body.
    pub id: Arc<str>,
    /// The address of the client.
    pub client: IpAddr,
    /// Which operation it is.
    pub found: Found,
    /// When it came.
    pub started: Instant,
}

impl Context {
    /// The route template, as a label of bounded cardinality.
    pub fn template(&self) -> &str {
        match &self.found {
            Found::Operation(operation) => &operation.template,
            _ => "unmatched",
        }
    }
}
