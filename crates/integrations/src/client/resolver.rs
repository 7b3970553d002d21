//! Looks names up and vets what they lead to: only what is vetted is connected to.

use std::{net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Guard;

/// Finds the addresses of a name.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// Every address of this host.
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<SocketAddr>>;
}

/// Asks the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.collect())
    }
}

/// A name leads to no address that may be called.
#[derive(Debug, thiserror::Error)]
#[error("the host is unknown or inside")]
pub(super) struct Inside;

/// Vets what a lookup finds.
#[derive(Clone)]
pub(super) struct Vetting {
    lookup: Arc<dyn Lookup>,
    guard: Option<Guard>,
}

impl Vetting {
    pub(super) fn new(lookup: Arc<dyn Lookup>, guard: Guard) -> Self {
        Self { lookup, guard: Some(guard) }
    }

    /// Lets every address through.
    pub(super) fn of_nothing(lookup: Arc<dyn Lookup>) -> Self {
        Self { lookup, guard: None }
    }
}

impl Resolve for Vetting {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, guard) = (Arc::clone(&self.lookup), self.guard.clone());
        Box::pin(async move {
            let Ok(mut found) = lookup.addresses(name.as_str()).await else { return Err(Inside.into()) };
            if let Some(guard) = guard {
                found.retain(|address| guard.admits(address.ip()));
            }
            if found.is_empty() {
                return Err(Inside.into());
            }
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}
