//! Whether this node is about to end, which `/ready` tells those who send requests here, and every answer its caller.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Set once, when the node is told to end. From then on it still serves, for as long as those who send requests here
/// take to notice.
#[derive(Debug, Clone, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// From now on new requests should go elsewhere.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it has begun.
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
