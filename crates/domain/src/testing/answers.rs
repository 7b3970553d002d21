//! Answers that are kept in memory until they are forgotten.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{assistant::kept::ports::AnswerStore, error::Result, id::UserId};

/// Keeps sealed answers, without an end.
#[derive(Debug, Default)]
pub struct PlainAnswers(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    kept: BTreeMap<(UserId, String), Bytes>,
    gone: BTreeSet<UserId>,
}

impl PlainAnswers {
    fn shelf<T>(&self, with: impl FnOnce(&mut Shelf) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many are kept.
    pub fn count(&self) -> usize {
        self.shelf(|shelf| shelf.kept.len())
    }

    /// Their bytes, as they lie there.
    pub fn bytes(&self) -> Vec<Bytes> {
        self.shelf(|shelf| shelf.kept.values().cloned().collect())
    }
}

#[async_trait]
impl AnswerStore for PlainAnswers {
    async fn get(&self, of: UserId, name: &str) -> Option<Bytes> {
        self.shelf(|shelf| shelf.kept.get(&(of, name.to_owned())).cloned())
    }

    async fn put(&self, of: UserId, name: &str, sealed: Bytes, _: Duration) {
        self.shelf(|shelf| {
            if !shelf.gone.contains(&of) {
                shelf.kept.insert((of, name.to_owned()), sealed);
            }
        });
    }

    async fn forget(&self, of: UserId, _: Duration) -> Result<()> {
        self.shelf(|shelf| {
            shelf.gone.insert(of);
            shelf.kept.retain(|(user, _), _| *user != of);
        });
        Ok(())
    }
}
