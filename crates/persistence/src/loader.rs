//! A data loader: rows asked for at the same moment are read by one statement.
//!
//! Sending a statement and getting its answer costs more than what the database does for one row: thread switches on
//! SQLite, a round trip on PostgreSQL. Nobody waits for company: the statement goes when the requests at hand have been
//! looked at, and one that comes later goes with the next. So whoever asks after a commit sees what it stored.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sea_orm::{DbErr, QueryResult, error::ConnAcquireErr};
use tokio::{runtime::Handle, sync::oneshot};

/// Most rows one statement reads; what is left goes with another, on another connection.
const MOST: usize = 32;

/// The row, shared by all who asked for it, if there is one.
type Answer = Result<Option<Arc<QueryResult>>, DbErr>;

/// Rows of one statement by their key.
#[derive(Debug)]
pub(crate) struct Loader<K>(Queue<K>);

type Queue<K> = Arc<Mutex<Vec<Asked<K>>>>;

#[derive(Debug)]
struct Asked<K> {
    key: K,
    answer: oneshot::Sender<Answer>,
}

impl<K> Default for Loader<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Clone + Eq + Hash + Send + 'static> Loader<K> {
    /// The row of `key`, which `read` reads for each of the keys that has one.
    pub(crate) async fn load<R, F>(&self, key: K, read: R) -> Answer
    where
        R: FnOnce(Vec<K>) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Vec<(K, QueryResult)>, DbErr>> + Send,
    {
        // Who was to read it may have ended with its runtime; then this one is in time to begin by itself.
        match self.ask(key.clone(), read.clone()).await {
            Ok(answer) => answer,
            Err(_) => {
                self.ask(key, read).await.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)))
            }
        }
    }

    fn ask<R, F>(&self, key: K, read: R) -> oneshot::Receiver<Answer>
    where
        R: FnOnce(Vec<K>) -> F + Send + 'static,
        F: Future<Output = Result<Vec<(K, QueryResult)>, DbErr>> + Send,
    {
        let (answer, told) = oneshot::channel();
        let begins = {
            let mut queue = lock(&self.0);
            queue.push(Asked { key, answer });
            queue.len() % MOST == 1
        };
        if begins {
            let batch = Batch(Some(Arc::clone(&self.0)));
            // It runs after the tasks that are ready now, each of which may add to it.
            Handle::current().spawn(async move { batch.run(read).await });
        }
        told
    }
}

/// As many of a queue as one statement reads, until taken. There are as many of these as it takes to empty the queue, so
/// one that ends without having run takes its part out: nobody shall wait for it.
struct Batch<K>(Option<Queue<K>>);

impl<K> Batch<K> {
    fn take(&mut self) -> Vec<Asked<K>> {
        let Some(queue) = self.0.take() else { return Vec::new() };
        let mut queue = lock(&queue);
        let count = queue.len().min(MOST);
        queue.drain(..count).collect()
    }
}

impl<K: Clone + Eq + Hash> Batch<K> {
    async fn run<F>(mut self, read: impl FnOnce(Vec<K>) -> F)
    where
        F: Future<Output = Result<Vec<(K, QueryResult)>, DbErr>>,
    {
        let mut asked = HashMap::<K, Vec<oneshot::Sender<Answer>>>::new();
        for Asked { key, answer } in self.take() {
            asked.entry(key).or_default().push(answer);
        }
        let keys = asked.keys().cloned().collect();
        match read(keys).await {
            Ok(rows) => {
                for (key, row) in rows {
                    tell(asked.remove(&key).unwrap_or_default(), &Ok(Some(Arc::new(row))));
                }
                tell(asked.into_values().flatten(), &Ok(None));
            }
            Err(error) => tell(asked.into_values().flatten(), &Err(error)),
        }
    }
}

fn tell(those: impl IntoIterator<Item = oneshot::Sender<Answer>>, answer: &Answer) {
    for one in those {
        // One that went away does not want to know.
        let _ = one.send(answer.clone());
    }
}

impl<K> Drop for Batch<K> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

fn lock<K>(queue: &Queue<K>) -> MutexGuard<'_, Vec<Asked<K>>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}
