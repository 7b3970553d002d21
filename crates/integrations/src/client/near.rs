//! Connections to bases of the operator that are driven on the runtime of whoever calls: nobody there floods us, and a call is not
//! handed to another thread and back.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use tokio::runtime::{Handle, Id};

use super::{CallError, CallSettings, build, resolver::Vetting};

/// A client for each runtime, since a connection lives where it was made.
pub(super) struct Near {
    settings: CallSettings,
    tls: rustls::ClientConfig,
    resolver: Vetting,
    clients: RwLock<HashMap<Id, reqwest::Client>>,
}

impl std::fmt::Debug for Near {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Near").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Near {
    pub(super) fn new(settings: CallSettings, tls: rustls::ClientConfig, resolver: Vetting) -> Self {
        Self { settings, tls, resolver, clients: RwLock::default() }
    }

    /// The client of the runtime that this is called on. One whose runtime ended, and whose name another took, finds its
    /// connections closed and makes new ones.
    pub(super) fn client(&self) -> Result<reqwest::Client, CallError> {
        let here = Handle::current().id();
        if let Some(client) = self.clients.read().unwrap_or_else(PoisonError::into_inner).get(&here) {
            return Ok(client.clone());
        }
        let client = build(&self.settings, self.tls.clone(), self.resolver.clone());
        let client = client.map_err(|fault| CallError::Request(Box::new(fault)))?;
        let mut clients = self.clients.write().unwrap_or_else(PoisonError::into_inner);
        Ok(clients.entry(here).or_insert(client).clone())
    }
}
