//! What a node knows of one endpoint while it sends to it.

use std::{collections::VecDeque, sync::Arc};

use domain::webhooks::{
    Circuit, SecretText, Window,
    ports::{Lane, Signing, Taken},
};

/// What is sent to one endpoint.
pub(super) struct Track {
    /// How many calls it bears at once.
    pub(super) window: Window,
    /// How calls end.
    pub(super) circuit: Circuit,
    /// Calls under way.
    pub(super) flying: u32,
    /// What was taken and is not begun.
    pub(super) queue: VecDeque<Taken>,
    /// Where to, signed with what.
    pub(super) to: Arc<To>,
    /// Which secrets those are; `None` before the first look.
    signing: Option<Signing>,
    /// Whether its circuit is not closed: one call at a time.
    pub(super) careful: bool,
    /// Whether as much was taken as was asked for, so that more is likely to be due.
    pub(super) more: bool,
}

/// Where to send, signed with what.
#[derive(Default)]
pub(super) struct To {
    pub(super) url: String,
    pub(super) secrets: Vec<SecretText>,
}

impl Track {
    pub(super) fn new(most: u32) -> Self {
        Self {
            window: Window::new(most),
            circuit: Circuit::default(),
            flying: 0,
            queue: VecDeque::new(),
            to: Arc::default(),
            signing: None,
            careful: false,
            more: false,
        }
    }

    /// How it is to be called from now on; with the secrets that sign, where they are others.
    pub(super) fn is(&mut self, lane: &Lane, secrets: Option<Vec<SecretText>>) {
        self.careful = lane.careful;
        if let Some(secrets) = secrets {
            self.signing = Some(lane.signing);
            self.to = Arc::new(To { url: lane.url.clone(), secrets });
        } else if self.to.url != lane.url {
            self.to = Arc::new(To { url: lane.url.clone(), secrets: self.to.secrets.clone() });
        }
    }

    /// Which secrets sign for it, as far as is known.
    pub(super) fn signing(&self) -> Option<Signing> {
        self.signing
    }

    /// How many calls at once.
    pub(super) fn most(&self) -> u32 {
        if self.careful { 1 } else { self.window.calls() }
    }

    /// How many more messages to take: what is sent at once and as many again, so that calls need not wait for the database.
    pub(super) fn room(&self) -> u32 {
        let has = self.flying + u32::try_from(self.queue.len()).unwrap_or(u32::MAX);
        let wanted = if self.careful { 1 } else { self.window.calls().saturating_mul(2) };
        wanted.saturating_sub(has)
    }

    /// Whether it soon has nothing to send while more is likely to be due.
    pub(super) fn is_hungry(&self) -> bool {
        let waiting = u32::try_from(self.queue.len()).unwrap_or(u32::MAX);
        self.more && waiting <= self.most() / 2 && self.room() > 0
    }

    /// Whether there is nothing to remember: what is not called is as good as new.
    pub(super) fn is_at_rest(&self) -> bool {
        self.flying == 0 && self.queue.is_empty()
    }
}
