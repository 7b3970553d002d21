//! Epochs of the shared cache, in memory.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;

use crate::{
    cache::{Epochs, Standing},
    error::{Error, Result},
};

/// Epochs that live as long as this. Time is the real one.
#[derive(Debug, Default)]
pub struct MemoryEpochs(Mutex<Row>);

#[derive(Debug, Default)]
struct Row {
    epoch: u64,
    source: String,
    suspended_until: Option<Instant>,
    away: bool,
}

impl MemoryEpochs {
    /// Whether every call fails from now on, as when the database is away.
    pub fn go_away(&self, away: bool) {
        self.row().away = away;
    }

    /// Begins with this epoch, as after an older copy of the database took its place.
    pub fn go_back(&self, epoch: u64) {
        self.row().epoch = epoch;
    }

    fn row(&self) -> MutexGuard<'_, Row> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn present(&self) -> Result<MutexGuard<'_, Row>> {
        let row = self.row();
        if row.away { Err(Error::Unavailable { what: "Database", source: "away".into() }) } else { Ok(row) }
    }
}

#[async_trait]
impl Epochs for MemoryEpochs {
    async fn standing(&self) -> Result<Standing> {
        let row = self.present()?;
        let left = row.suspended_until.map(|until| until.saturating_duration_since(Instant::now()));
        Ok(Standing { epoch: row.epoch, source: row.source.clone(), suspended: left.unwrap_or_default() })
    }

    async fn begin(&self, seen: u64, source: &str) -> Result<()> {
        let mut row = self.present()?;
        if row.epoch == seen {
            row.epoch += 1;
            source.clone_into(&mut row.source);
        }
        Ok(())
    }

    async fn suspend(&self, time: Duration) -> Result<()> {
        let mut row = self.present()?;
        row.epoch += 1;
        row.suspended_until = row.suspended_until.max(Some(Instant::now() + time));
        Ok(())
    }
}
