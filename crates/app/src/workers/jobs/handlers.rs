//! Which handler does which kind of job.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    id::JobId,
    job::{Failure, Job, Policy},
};
use futures_util::future::BoxFuture;
use serde_json::Value;

type Handler = Arc<dyn Fn(Value, JobId) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// A kind that can be done.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) policy: Policy,
    pub(super) handler: Handler,
}

/// The kinds that can be done. A kind that none is registered for waits for a node that knows it.
#[derive(Default)]
pub(crate) struct Handlers(BTreeMap<&'static str, Known>);

impl Handlers {
    /// Jobs of this kind are done by `handle`. It is called with the job and its id, and MUST do what it does once: by a
    /// claim in the inbox of its transaction, or because a repetition changes nothing.
    pub(crate) fn on<J, F, R>(mut self, handle: F) -> Self
    where
        J: Job,
        F: Fn(J, JobId) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |payload, id| match serde_json::from_value(payload) {
            Ok(job) => Box::pin(handle(job, id)),
            Err(error) => {
                let reason = format!("its payload does not read: {error}");
                Box::pin(std::future::ready(Err(Failure::GiveUp(reason))))
            }
        });
        self.0.insert(J::NAME, Known { policy: J::policy(), handler });
        self
    }

    pub(super) fn get(&self, kind: &str) -> Option<(&'static str, &Known)> {
        self.0.get_key_value(kind).map(|(kind, known)| (*kind, known))
    }

    /// Every kind, with how many of it may run at the same time.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.0.iter().map(|(kind, known)| (*kind, known.policy.at_once))
    }
}
