//! What everybody is held to who keeps answers.

use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use crate::{assistant::kept::ports::AnswerStore, id::UserId};

/// Longer than any case takes.
const LONG: Duration = Duration::from_mins(10);

/// Somebody whom no other case knows.
fn somebody(number: u128) -> UserId {
    UserId(Uuid::from_u128(0x0198_f5fe_7c00_7a00_8000_0000_0000_0000 + number))
}

/// Runs the cases. `answers` must have room for some kilobytes.
pub async fn run(answers: &dyn AnswerStore) {
    what_was_kept_is_for_one_person_under_one_name(answers).await;
    what_is_kept_last_takes_the_place_of_what_was(answers).await;
    who_is_forgotten_has_nothing_and_gets_nothing(answers).await;
}

async fn what_was_kept_is_for_one_person_under_one_name(answers: &dyn AnswerStore) {
    let (ada, bob) = (somebody(1), somebody(2));
    // Whatever bytes they are.
    let bytes = Bytes::from((0..=255).collect::<Vec<u8>>());
    answers.put(ada, "one", bytes.clone(), LONG).await;
    assert_eq!(answers.get(ada, "one").await, Some(bytes));
    assert_eq!(answers.get(ada, "two").await, None);
    assert_eq!(answers.get(bob, "one").await, None);
}

async fn what_is_kept_last_takes_the_place_of_what_was(answers: &dyn AnswerStore) {
    let ada = somebody(3);
    for text in ["first", "second", ""] {
        answers.put(ada, "one", Bytes::from(text), LONG).await;
        assert_eq!(answers.get(ada, "one").await, Some(Bytes::from(text)));
    }
}

async fn who_is_forgotten_has_nothing_and_gets_nothing(answers: &dyn AnswerStore) {
    let (ada, bob) = (somebody(4), somebody(5));
    for of in [ada, bob] {
        for number in 0..300 {
            answers.put(of, &format!("n{number}"), Bytes::from("text"), LONG).await;
        }
    }
    answers.forget(ada, LONG).await.unwrap();
    for number in 0..300 {
        let name = format!("n{number}");
        assert_eq!(answers.get(ada, &name).await, None, "{name}");
        assert!(answers.get(bob, &name).await.is_some(), "{name} is another's");
    }
    // What was on its way when they were forgotten.
    answers.put(ada, "late", Bytes::from("text"), LONG).await;
    assert_eq!(answers.get(ada, "late").await, None);
    answers.forget(ada, LONG).await.unwrap();
}
