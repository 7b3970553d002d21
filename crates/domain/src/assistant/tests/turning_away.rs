//! Readers that turn to something else while the tokens of an answer are counted: they miss no end and no cut.

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};

use super::{Given, USED, says};
use crate::{
    assistant::{Answer, Fault, FaultClass, TokenCounter, ports::Frame},
    testing::{PlainModel, Script},
};

/// Says that every text has nine tokens, once it is let go.
struct Waiting {
    /// Told when it is asked.
    asked: Notify,
    let_go: Semaphore,
}

#[async_trait::async_trait]
impl TokenCounter for Waiting {
    async fn count(&self, texts: Vec<String>) -> Vec<u64> {
        self.asked.notify_one();
        let _permit = self.let_go.acquire().await.unwrap();
        vec![9; texts.len()]
    }
}

/// An answer of a model whose tokens are counted by one who waits.
async fn given(model: &Arc<PlainModel>) -> (Given, Arc<Waiting>, Answer) {
    let mut given = Given::of(&[("small", &[model])]).await;
    let counter = Arc::new(Waiting { asked: Notify::new(), let_go: Semaphore::new(0) });
    let mut models = (*given.assistant.models).clone();
    models.chat.values_mut().for_each(|model| model.counts = Some(counter.clone()));
    given.assistant.models = Arc::new(models);
    let answer = given.begin("small").await;
    (given, counter, answer)
}

/// What comes after all that it says; `None` when its reader turned away from it since somebody began to count.
async fn after_its_words(answer: &mut Answer, counter: &Waiting) -> Option<Result<Option<Frame>, Fault>> {
    loop {
        let next = tokio::select! {
            biased;
            next = answer.next() => next,
            () = counter.asked.notified() => return None,
        };
        if !matches!(next, Ok(Some(_))) {
            return Some(next);
        }
    }
}

#[tokio::test]
async fn an_end_is_read_and_written_down_though_its_reader_turned_away_meanwhile() {
    let (given, counter, mut answer) = given(&says("Hello you there", None)).await;
    assert!(after_its_words(&mut answer, &counter).await.is_none(), "nobody counted");
    assert_eq!(given.rows().await, ["p0/small reserved 0 0 - -"], "it is not over until it is read to its end");
    for _ in 0..2 {
        assert!(answer.next().await.unwrap().is_none(), "it has no other end");
        // By bytes: who counted them was not waited for.
        assert_eq!(given.rows().await, ["p0/small estimated 6 4 14000 -"]);
    }
    drop(answer);
    assert_eq!(given.rows().await, ["p0/small estimated 6 4 14000 -"], "an answer that was read was not given up");
}

#[tokio::test]
async fn who_waits_until_the_tokens_are_counted_has_them_in_the_ledger() {
    let (given, counter, mut answer) = given(&says("Hello you there", None)).await;
    counter.let_go.add_permits(2);
    while answer.next().await.unwrap().is_some() {}
    assert_eq!(given.rows().await, ["p0/small estimated 13 9 31000 -"], "four stand around a message");
    let (given, counter, mut answer) = self::given(&says("Hello you there", Some(USED))).await;
    assert!(matches!(after_its_words(&mut answer, &counter).await, Some(Ok(None))), "what is told is not counted");
    assert_eq!(given.rows().await, ["p0/small settled 4 2 8000 -"]);
}

#[tokio::test]
async fn who_turns_away_for_good_at_the_end_leaves_a_call_that_was_given_up() {
    let (given, counter, mut answer) = given(&says("Hello you there", None)).await;
    assert!(after_its_words(&mut answer, &counter).await.is_none(), "nobody counted");
    drop(answer);
    assert_eq!(given.rows().await, ["p0/small estimated 6 4 14000 abandoned"]);
}

#[tokio::test]
async fn a_cut_is_told_as_one_to_a_reader_that_listens_to_something_else_too() {
    let (given, counter, mut answer) = given(&PlainModel::new([Script::BreaksOff("Hello you there")])).await;
    let told = match after_its_words(&mut answer, &counter).await {
        Some(told) => told,
        // Whoever comes back asks what is next.
        None => answer.next().await,
    };
    assert_eq!(
        told.map(|frame| frame.is_some()).map_err(|fault| fault.class),
        Err(FaultClass::Cut),
        "it passes for an end"
    );
    assert!(answer.next().await.unwrap().is_none(), "after an error there is nothing more");
    drop(answer);
    assert_eq!(given.rows().await, ["p0/small estimated 6 4 14000 cut"]);
}
