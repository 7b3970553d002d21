//! Which jobs follow from an event: pure rules, listed where the relay is wired.

use super::Request;
use crate::event::Event;

/// What one context wants done when it hears of an event. MUST be quick: the relay asks inside its transaction.
pub type Reaction = fn(&Event) -> Vec<Request>;

/// Every reaction there is. The relay stores what they want in the transaction that numbers the event, so a numbered
/// event has its jobs and no event has them twice.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reactions(pub &'static [Reaction]);

impl Reactions {
    /// What is to be done about an event.
    pub fn to(&self, event: &Event) -> Vec<Request> {
        self.0.iter().flat_map(|reaction| reaction(event)).collect()
    }
}
