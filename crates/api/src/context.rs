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

/// Stands with a request for the head of an answer alone, which handlers see as `GET`.
#[derive(Debug, Clone, Copy)]
pub struct ForHead;

impl Context {
    /// Whether the body is bytes of any length.
    pub fn takes_bytes(&self) -> bool {
        matches!(&self.found, Found::Operation(operation) if operation.takes_bytes)
    }

    /// The route template, as a label of bounded cardinality.
    pub fn template(&self) -> &str {
        match &self.found {
            Found::Operation(operation) => &operation.template,
            _ => "unmatched",
        }
    }
}
