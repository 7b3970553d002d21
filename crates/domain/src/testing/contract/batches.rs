//! Batches of questions, their files and their lines: what is stored reads back, each line has one outcome, and nobody sees more than is theirs.

use std::{collections::BTreeMap, slice, time::Duration};

use super::{Harness, begin, fixtures};
use crate::{
    actor::Principal,
    assets::{Digest, Edition, Kept, Place, Stored, ports::Reach},
    assistant::{
        Usage,
        batches::{
            AssistantFile, Batch, BatchState, Counts, EndedLine, Endpoint, FilePurpose, LineEnd, LineFault, NewLine,
            Owner, Times, WINDOW, Waiting, WaitingLine,
        },
    },
    id::{ApiKeyId, AssistantFileId},
    permission::Role,
    testing::Fixtures,
};

/// Runs every case.
pub async fn run(harness: &impl Harness) {
    files_read_back_and_are_listed_from_one_on(harness).await;
    a_batch_reads_back_as_it_was_written(harness).await;
    each_line_has_one_outcome(harness).await;
    what_is_old_or_somebodys_is_found(harness).await;
}

async fn file(harness: &impl Harness, given: &Fixtures, owner: Owner, purpose: FilePurpose) -> AssistantFile {
    let now = given.shop.now();
    let digest = Digest::of(format!("lines {}", given.serial()).as_bytes());
    let file = AssistantFile {
        id: given.shop.id(),
        owner,
        purpose,
        name: "Fragen 質問.jsonl".to_owned(),
        digest,
        size: 1 << 33,
        created_at: now,
    };
    let mut tx = begin(harness).await;
    let edition = tx.blobs().claim(&Stored { digest, size: file.size }, Edition(1), now).await.unwrap();
    tx.blobs().hold(&Kept { place: Place { digest, edition }, size: file.size }, Reach::Private).await.unwrap();
    tx.batches().insert_file(&file).await.unwrap();
    assert_eq!(tx.batches().file(file.id).await.unwrap().as_ref(), Some(&file));
    tx.commit().await.unwrap();
    given.clock.advance(Duration::from_millis(2));
    file
}

async fn batch(harness: &impl Harness, given: &Fixtures, owner: Owner, input: AssistantFileId) -> Batch {
    let now = given.shop.now();
    let batch = Batch {
        id: given.shop.id(),
        owner,
        seller: Some(given.shop.id()),
        input,
        output: None,
        refusals: None,
        endpoint: Endpoint::Embeddings,
        state: BatchState::Validating,
        ending: None,
        faults: Vec::new(),
        metadata: BTreeMap::from([("für".to_owned(), "\"é\" 日本".to_owned())]),
        round: 1,
        fence: 0,
        counts: Counts::default(),
        usage: Usage::default(),
        times: Times {
            created_at: now,
            expires_at: now + WINDOW,
            began_at: None,
            cancelling_at: None,
            finalizing_at: None,
            ended_at: None,
        },
    };
    let mut tx = begin(harness).await;
    tx.batches().insert(&batch).await.unwrap();
    tx.commit().await.unwrap();
    given.clock.advance(Duration::from_millis(2));
    batch
}

async fn owners(given: &Fixtures) -> (Principal, Owner, Owner) {
    let person = given.person(Role::User).await;
    let key = Some(given.shop.id::<ApiKeyId>());
    let in_person = Owner { user: person.user, key: None };
    (person, in_person, Owner { key, ..in_person })
}

async fn files_read_back_and_are_listed_from_one_on(harness: &impl Harness) {
    let given = fixtures(harness);
    let (_, ada, robot) = owners(&given).await;
    let one = file(harness, &given, ada, FilePurpose::Batch).await;
    let two = file(harness, &given, robot, FilePurpose::BatchOutput).await;
    let three = file(harness, &given, ada, FilePurpose::Batch).await;
    let (_, eve, _) = owners(&given).await;
    file(harness, &given, eve, FilePurpose::Batch).await;
    let queries = harness.batches();
    assert_eq!(queries.get_file(two.id).await.unwrap(), Some(two.clone()));
    let listed = async |of, purpose, after: Option<&AssistantFile>, is_rising, limit| {
        queries.files(of, purpose, after.map(|file| file.id), is_rising, limit).await.unwrap()
    };
    assert_eq!(listed(ada, None, None, false, 9).await, [three.clone(), two.clone(), one.clone()]);
    assert_eq!(listed(ada, None, Some(&three), false, 1).await, slice::from_ref(&two));
    assert_eq!(listed(ada, None, Some(&one), true, 9).await, [two.clone(), three.clone()]);
    assert_eq!(listed(ada, Some(FilePurpose::Batch), None, true, 9).await, [one.clone(), three.clone()]);
    assert_eq!(listed(ada, Some(FilePurpose::Batch), Some(&three), false, 9).await, slice::from_ref(&one));
    assert_eq!(
        listed(robot, None, None, false, 9).await,
        slice::from_ref(&two),
        "a key shows what was made through it"
    );
    assert_eq!(listed(robot, Some(FilePurpose::Batch), None, false, 9).await, []);
    let mut tx = begin(harness).await;
    tx.batches().delete_file(one.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(queries.get_file(one.id).await.unwrap(), None);
}

async fn a_batch_reads_back_as_it_was_written(harness: &impl Harness) {
    let given = fixtures(harness);
    let (_, ada, robot) = owners(&given).await;
    let input = file(harness, &given, ada, FilePurpose::Batch).await;
    let one = batch(harness, &given, ada, input.id).await;
    let two = batch(harness, &given, robot, input.id).await;
    let queries = harness.batches();
    assert_eq!(queries.get(one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(queries.list(ada, None, 9).await.unwrap(), [two.clone(), one.clone()]);
    assert_eq!(queries.list(ada, Some(two.id), 9).await.unwrap(), slice::from_ref(&one));
    assert_eq!(queries.list(robot, None, 9).await.unwrap(), slice::from_ref(&two));
    let open: Vec<_> = queries.open(None, 1_000).await.unwrap().iter().map(|batch| batch.id).collect();
    assert!(open.is_sorted() && open.contains(&one.id) && open.contains(&two.id));
    assert_eq!(queries.open(Some(one.id), 1).await.unwrap(), [two]);
    let now = given.shop.now();
    let changed = Batch {
        output: Some(given.shop.id()),
        refusals: Some(given.shop.id()),
        state: BatchState::Finalizing,
        ending: Some(BatchState::Expired),
        faults: vec![LineFault { line: Some(7), ..LineFault::new("odd", "It is \"odd\"").of("body") }],
        round: 8,
        fence: 9,
        counts: Counts { total: 3, completed: 2, failed: 1 },
        usage: Usage { prompt: 1 << 40, completion: 2, cached: 3, reasoning: 4 },
        times: Times { began_at: Some(now), cancelling_at: Some(now), finalizing_at: Some(now), ..one.times },
        ..one.clone()
    };
    let mut tx = begin(harness).await;
    assert!(tx.batches().is_read(input.id).await.unwrap());
    // Whose it is and what it asks stays.
    let other = Batch { owner: robot, endpoint: Endpoint::Chat, metadata: BTreeMap::new(), ..changed.clone() };
    tx.batches().update(&other).await.unwrap();
    assert_eq!(tx.batches().find(one.id).await.unwrap(), Some(changed.clone()));
    tx.commit().await.unwrap();
    assert_eq!(queries.get(one.id).await.unwrap(), Some(changed));
}

async fn each_line_has_one_outcome(harness: &impl Harness) {
    let given = fixtures(harness);
    let (_, ada, _) = owners(&given).await;
    let input = file(harness, &given, ada, FilePurpose::Batch).await;
    let one = batch(harness, &given, ada, input.id).await;
    let other = batch(harness, &given, ada, input.id).await;
    let queries = harness.batches();
    let now = given.shop.now();
    let line =
        |number: u64| NewLine { number, custom_id: format!("名 {number}"), place: number * 10..number * 10 + 5 };
    let waiting = |number: u64, attempts| WaitingLine { number, place: line(number).place, attempts };
    let mut tx = begin(harness).await;
    tx.batches().put_lines(one.id, &[line(99)]).await.unwrap();
    // More than fit in one statement, and those in the place of what was there.
    let many: Vec<_> = (1..=1_200).map(line).collect();
    tx.batches().put_lines(other.id, &many).await.unwrap();
    tx.batches().put_lines(one.id, &[line(1), line(3), line(4), line(6)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(queries.waiting(other.id).await.unwrap(), Waiting { lines: 1_200, due: None });
    assert_eq!(queries.due(one.id, now, 2).await.unwrap(), [waiting(1, 0), waiting(3, 0)]);

    let later = now + Duration::from_mins(1);
    let answer =
        LineEnd::Answered { status: 200, request: "r-3".to_owned(), body: "{\"a\":\"\\u0000 日本\"}".to_owned() };
    let refusal = LineEnd::Answered { status: 429, request: "r-4".to_owned(), body: "{}".to_owned() };
    let unasked = LineEnd::Unasked { code: "batch_expired".to_owned(), message: "Too late".to_owned() };
    let mut tx = begin(harness).await;
    tx.batches().put_off(one.id, 1, 2, later).await.unwrap();
    assert!(tx.batches().end_line(one.id, 3, &answer).await.unwrap());
    assert!(!tx.batches().end_line(one.id, 3, &refusal).await.unwrap(), "the first outcome stays");
    tx.batches().put_off(one.id, 3, 9, later).await.unwrap();
    assert!(tx.batches().end_line(one.id, 4, &refusal).await.unwrap());
    assert!(!tx.batches().end_line(one.id, 5, &refusal).await.unwrap(), "there is no such line");
    tx.commit().await.unwrap();
    assert_eq!(queries.due(one.id, now, 9).await.unwrap(), [waiting(6, 0)]);
    assert_eq!(queries.due(one.id, later, 9).await.unwrap(), [waiting(1, 2), waiting(6, 0)]);
    assert_eq!(queries.waiting(one.id).await.unwrap(), Waiting { lines: 2, due: None }, "one was never asked");
    let mut tx = begin(harness).await;
    tx.batches().put_off(one.id, 6, 1, later + Duration::from_mins(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(queries.waiting(one.id).await.unwrap(), Waiting { lines: 2, due: Some(later) });

    let mut tx = begin(harness).await;
    assert_eq!(tx.batches().end_waiting(one.id, &unasked).await.unwrap(), 2);
    assert_eq!(tx.batches().end_waiting(one.id, &unasked).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let ended = |number: u64, end: &LineEnd| EndedLine { number, custom_id: line(number).custom_id, end: end.clone() };
    assert_eq!(queries.ended(one.id, true, 0, 9).await.unwrap(), [ended(3, &answer)]);
    let refused = [ended(1, &unasked), ended(4, &refusal), ended(6, &unasked)];
    assert_eq!(queries.ended(one.id, false, 0, 9).await.unwrap(), refused);
    assert_eq!(queries.ended(one.id, false, 1, 1).await.unwrap(), refused[1..2]);
    assert_eq!(queries.waiting(one.id).await.unwrap(), Waiting::default());
    let mut tx = begin(harness).await;
    tx.batches().forget_lines(one.id).await.unwrap();
    tx.batches().delete(other.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(queries.ended(one.id, false, 0, 9).await.unwrap(), []);
    assert_eq!(queries.waiting(other.id).await.unwrap(), Waiting::default(), "lines go with their batch");
    assert_eq!(queries.get(other.id).await.unwrap(), None);
}

async fn what_is_old_or_somebodys_is_found(harness: &impl Harness) {
    let given = fixtures(harness);
    let (person, ada, robot) = owners(&given).await;
    let (read, idle) =
        (file(harness, &given, ada, FilePurpose::Batch).await, file(harness, &given, robot, FilePurpose::Batch).await);
    let open = batch(harness, &given, ada, read.id).await;
    let mut over = batch(harness, &given, robot, idle.id).await;
    let now = given.shop.now();
    (over.state, over.times.ended_at) = (BatchState::Cancelled, Some(now));
    let mut tx = begin(harness).await;
    tx.batches().update(&over).await.unwrap();
    assert!(!tx.batches().is_read(idle.id).await.unwrap() && tx.batches().is_read(read.id).await.unwrap());
    tx.commit().await.unwrap();
    let (queries, after) = (harness.batches(), now + Duration::from_secs(1));
    let before = queries.ended_before(after, 1_000).await.unwrap();
    assert!(before.contains(&over.id) && !before.contains(&open.id));
    assert!(!queries.ended_before(now, 1_000).await.unwrap().contains(&over.id));
    let files = queries.files_before(after, 1_000).await.unwrap();
    assert!(files.contains(&idle.id) && !files.contains(&read.id), "a file that is read is not old");
    assert!(!queries.files_before(idle.created_at, 1_000).await.unwrap().contains(&idle.id));
    let (batches, files) = queries.of_person(person.user, 9).await.unwrap();
    assert_eq!((batches, files), (vec![open.id, over.id], vec![read.id, idle.id]));
    let (batches, files) = queries.of_person(person.user, 1).await.unwrap();
    assert_eq!((batches.len(), files.len()), (1, 1));
}
