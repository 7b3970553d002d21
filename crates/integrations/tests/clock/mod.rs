//! The clock of the machine, for those who wait for a real peer: on a clock that stands still every timeout would be over at once.

use std::time::Duration;

use domain::clock::{Clock, Timestamp};

/// The clock of the machine.
pub struct Running;

#[async_trait::async_trait]
impl Clock for Running {
    fn now(&self) -> Timestamp {
        std::time::SystemTime::now().into()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
