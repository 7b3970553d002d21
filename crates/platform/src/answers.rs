//! Answers of language models that are kept in this process: as many as have room, and for a while.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{Result, assistant::kept::ports::AnswerStore, id::UserId};
use moka::sync::Cache;

/// What an entry takes beside its bytes.
const AROUND: usize = 200;
/// The most people who are remembered as forgotten.
const FORGOTTEN: u64 = 100_000;

type Name = (UserId, Arc<str>);

/// Keeps sealed answers in memory. They end with the process.
#[derive(Debug, Clone)]
pub struct LocalAnswers {
    kept: Cache<Name, Bytes>,
    gone: Cache<UserId, ()>,
}

impl LocalAnswers {
    /// Room for so many bytes, each kept for so long.
    pub fn new(most: u64, fresh: Duration) -> Self {
        let weight =
            |name: &Name, bytes: &Bytes| u32::try_from(AROUND + name.1.len() + bytes.len()).unwrap_or(u32::MAX);
        Self {
            kept: Cache::builder().max_capacity(most).weigher(weight).time_to_live(fresh).build(),
            gone: Cache::builder().max_capacity(FORGOTTEN).time_to_live(fresh).build(),
        }
    }
}

#[async_trait]
impl AnswerStore for LocalAnswers {
    async fn get(&self, of: UserId, name: &str) -> Option<Bytes> {
        self.kept.get(&(of, Arc::from(name)))
    }

    async fn put(&self, of: UserId, name: &str, sealed: Bytes, _: Duration) {
        let name = (of, Arc::from(name));
        if !self.gone.contains_key(&of) {
            self.kept.insert(name.clone(), sealed);
        }
        // Whoever forgets them says so first and looks then: one of the two sees the other.
        if self.gone.contains_key(&of) {
            self.kept.invalidate(&name);
        }
    }

    async fn forget(&self, of: UserId, _: Duration) -> Result<()> {
        self.gone.insert(of, ());
        let theirs: Vec<_> = self.kept.iter().map(|(name, _)| name).filter(|name| name.0 == of).collect();
        for name in theirs {
            self.kept.invalidate(name.as_ref());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::testing::contract;
    use uuid::Uuid;

    use super::*;

    const LONG: Duration = Duration::from_mins(10);

    #[tokio::test]
    async fn it_keeps_the_contract() {
        contract::answers::run(&LocalAnswers::new(1_000_000, LONG)).await;
    }

    #[tokio::test]
    async fn it_has_room_for_so_much_and_no_more() {
        let answers = LocalAnswers::new(10_000, LONG);
        let ada = UserId(Uuid::from_u128(1));
        answers.put(ada, "too long", Bytes::from(vec![b'x'; 20_000]), LONG).await;
        for number in 0..100 {
            answers.put(ada, &number.to_string(), Bytes::from(vec![b'x'; 1_000]), LONG).await;
        }
        answers.kept.run_pending_tasks();
        assert!(answers.kept.weighted_size() <= 10_000 && answers.kept.entry_count() > 4);
        assert_eq!(answers.get(ada, "too long").await, None);
    }

    #[tokio::test]
    async fn what_was_kept_for_long_enough_is_gone() {
        let short = Duration::from_millis(30);
        let answers = LocalAnswers::new(10_000, short);
        let ada = UserId(Uuid::from_u128(1));
        answers.put(ada, "one", Bytes::from("text"), short).await;
        tokio::time::sleep(short).await;
        assert_eq!(answers.get(ada, "one").await, None);
    }
}
