//! Batches from their file to their end, in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::{
    ports::{BatchQueries, LineDoor},
    *,
};
use crate::{
    actor::{Actor, Principal},
    assets::{Storeroom, Terms, Whole},
    assistant::Usage,
    error::Error,
    id::{ApiKeyId, AssistantBatchId, AssistantFileId},
    identity::{Known, known::KnownRules},
    job::{
        Job as _, Settled,
        ports::{Ask, JobQueue as _},
    },
    permission::{Authorized, Role, UseAssistant},
    testing::{Fixtures, MemoryBlobs, PlainMac, memory::MemoryStore},
};

const DAY: Duration = Duration::from_hours(24);

/// What happens when a line of this name is asked the next time; the last one is repeated.
type Script = BTreeMap<String, Vec<Said>>;

/// A door that says what it is told, by the field `say` of a body, and writes down what it was asked.
#[derive(Default)]
struct PlainDoor {
    script: Mutex<Script>,
    asked: Mutex<Vec<String>>,
    /// Done while a line is asked, once.
    meanwhile: Mutex<Option<(Carrier, CarryBatch, crate::Shop)>>,
}

impl PlainDoor {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer() -> Said {
    let usage = Usage { prompt: 3, completion: 2, cached: 1, reasoning: 0 };
    Said::Answer { body: json!({ "said": "yes" }).to_string(), usage }
}

fn away() -> Said {
    Said::Failed { status: 503, body: json!({ "error": "away" }).to_string() }
}

fn later(after: Duration) -> Said {
    Said::Later { after, status: 429, body: json!({ "error": { "code": "insufficient_quota" } }).to_string() }
}

#[async_trait]
impl LineDoor for PlainDoor {
    fn check(&self, _: &Principal, _: Endpoint, body: &Map<String, Value>) -> Result<(), LineFault> {
        let fault = || LineFault::new("invalid_value", "'say' must be a text").of("say");
        body.get("say").and_then(Value::as_str).map(|_| ()).ok_or_else(fault)
    }

    async fn ask(&self, _: &Authorized<UseAssistant>, _: Endpoint, _: &str, body: Map<String, Value>) -> Said {
        let name = body["say"].as_str().unwrap().to_owned();
        self.asked.lock().unwrap().push(name.clone());
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some((carrier, job, shop)) = meanwhile {
            carrier.carry(&shop, job).await.unwrap();
        }
        let mut script = self.script.lock().unwrap();
        match script.get_mut(&name) {
            None => answer(),
            Some(all) if all.len() > 1 => all.remove(0),
            Some(all) => all[0].clone(),
        }
    }
}

struct Given {
    fixtures: Fixtures,
    store: MemoryStore,
    door: Arc<PlainDoor>,
    carrier: Carrier,
    known: Arc<Known>,
    person: Principal,
}

impl Given {
    async fn new() -> Self {
        let (fixtures, store) = Fixtures::in_memory();
        let reader = Arc::new(store.clone());
        let clock = fixtures.shop.clock.clone();
        let known = Known::new(reader.clone(), reader.clone(), reader.clone(), clock, KnownRules::default());
        let (known, door) = (Arc::new(known), Arc::<PlainDoor>::default());
        let blobs = Arc::new(MemoryBlobs::new(fixtures.clock.clone()));
        let carrier = Carrier {
            queries: reader.clone(),
            room: Storeroom { blobs, index: reader },
            door: door.clone(),
            rights: Rights { known: known.clone(), mac: Arc::new(PlainMac) },
            rules: BatchRules { lines: 300, at_once: 2, ..BatchRules::default() },
        };
        let person = fixtures.person(Role::User).await;
        Self { fixtures, store, door, carrier, known, person }
    }

    fn by(&self) -> Authorized<UseAssistant> {
        authorized(self.person.clone())
    }

    fn script(&self, name: &str, all: &[Said]) {
        self.door.script.lock().unwrap().insert(name.to_owned(), all.to_vec());
    }

    async fn file(&self, content: &str) -> AssistantFile {
        let mut bytes = Whole::new(content.to_owned());
        let kept = self.carrier.room.put(&self.fixtures.shop, &mut bytes, &Terms::at_most(1 << 20)).await.unwrap();
        add_file(&self.fixtures.shop, &self.by(), "asked.jsonl", &kept).await.unwrap()
    }

    async fn batch(&self, content: &str) -> Batch {
        let input = self.file(content).await.id;
        let new = NewBatch { input, endpoint: Endpoint::Chat, metadata: BTreeMap::new() };
        create_batch(&self.fixtures.shop, &self.by(), &new).await.unwrap()
    }

    /// Does the jobs that are due; gives how many there were.
    async fn step(&self) -> usize {
        self.known.reload().await.unwrap();
        let now = self.fixtures.shop.now();
        let free = vec![(CarryBatch::NAME, 10), (ForgetBatches::NAME, 10)];
        let ask = Ask { worker: "w".to_owned(), free, most: 10, now, until: now + DAY };
        let jobs = self.store.take(&ask).await.unwrap();
        for job in &jobs {
            if job.kind == CarryBatch::NAME {
                let carry = serde_json::from_value(job.payload.clone()).unwrap();
                self.carrier.carry(&self.fixtures.shop, carry).await.unwrap();
            }
            let now = self.fixtures.shop.now();
            assert!(self.store.settle(job.attempt(), &Settled::Done, now).await.unwrap());
        }
        jobs.len()
    }

    async fn now(&self, batch: &Batch) -> Batch {
        self.store.get(batch.id).await.unwrap().unwrap()
    }

    /// Lets time pass until the batch is over.
    async fn ended(&self, batch: &Batch) -> Batch {
        for _ in 0..5_000 {
            if self.step().await == 0 {
                self.fixtures.clock.advance(Duration::from_mins(1));
            }
            let now = self.now(batch).await;
            if now.state.is_over() {
                return now;
            }
        }
        panic!("it does not end");
    }

    async fn content(&self, file: Option<AssistantFileId>) -> Vec<Value> {
        let Some(file) = file else { return Vec::new() };
        let file = self.store.get_file(file).await.unwrap().unwrap();
        let mut chunks = self.carrier.room.read(&file.digest, None).await.unwrap().unwrap();
        let mut text = Vec::new();
        while let Some(piece) = chunks.next().await.unwrap() {
            text.extend_from_slice(&piece);
        }
        String::from_utf8(text).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn authorized(who: Principal) -> Authorized<UseAssistant> {
    Actor::Signed(who).authorize::<UseAssistant>().unwrap()
}

fn line(name: &str) -> String {
    let body = json!({ "say": name });
    json!({ "custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body }).to_string() + "\n"
}

fn lines(count: usize) -> String {
    (0..count).map(|n| line(&format!("{n:03}"))).collect()
}

fn names(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["custom_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_line_is_asked_once_and_answered_in_its_order() {
    let given = Given::new().await;
    given.script("007", &[Said::Refused { status: 400, body: "{}".to_owned() }]);
    let batch = given.batch(&lines(250)).await;
    assert_eq!((batch.state, given.now(&batch).await.counts), (BatchState::Validating, Counts::default()));
    given.step().await;
    let begun = given.now(&batch).await;
    assert_eq!((begun.state, begun.counts.total, given.door.asked().len()), (BatchState::InProgress, 250, 0));
    given.step().await;
    assert_eq!(given.now(&batch).await.counts.completed, 199, "a job does a bounded piece");
    let ended = given.ended(&batch).await;
    assert_eq!((ended.state, ended.counts), (BatchState::Completed, Counts { total: 250, completed: 249, failed: 1 }));
    assert_eq!(ended.usage, Usage { prompt: 747, completion: 498, cached: 249, reasoning: 0 });
    let asked = given.door.asked();
    assert_eq!((asked.len(), asked.iter().collect::<BTreeSet<_>>().len()), (250, 250));
    let output = given.content(ended.output).await;
    assert!(names(&output).is_sorted() && output.len() == 249);
    assert_eq!(output[0]["response"]["body"], json!({ "said": "yes" }));
    let refused = given.content(ended.refusals).await;
    assert_eq!((names(&refused), &refused[0]["response"]["status_code"]), (vec!["007"], &json!(400)));
    assert_eq!(given.store.waiting(batch.id).await.unwrap(), Waiting::default());
    let told: Vec<_> = given.store.traces().into_iter().map(|(action, _)| action).collect();
    let expected = ["file.create", "batch.create", "file.create", "file.create", "batch.end"];
    assert_eq!(told, expected.map(|one| format!("assistant_{one}")));
}

#[tokio::test]
async fn nothing_is_asked_of_a_file_with_faults() {
    let given = Given::new().await;
    let bad = line("b").replace("\"b\"}", "7}");
    let batch = given.batch(&[line("a"), "\n".to_owned(), line("a"), bad, line("c")].concat()).await;
    let ended = given.ended(&batch).await;
    assert_eq!(ended.state, BatchState::Failed);
    let faults: Vec<_> = ended.faults.iter().map(|fault| (fault.line.unwrap(), fault.code.as_str())).collect();
    assert_eq!(faults, [(3, "duplicate_custom_id"), (4, "invalid_value")]);
    let many = given.batch(&"{}\n".repeat(200)).await;
    assert_eq!(given.ended(&many).await.faults.len(), 100, "no more are told");
    let long = given.batch(&lines(301)).await;
    assert_eq!(given.ended(&long).await.faults[0].code, "too_many_lines");
    let empty = given.batch("\n \n").await;
    assert_eq!(given.ended(&empty).await.faults[0].code, "empty_file");
    assert!(given.door.asked().is_empty());
}

#[tokio::test]
async fn who_fails_is_asked_four_times_and_who_says_later_is_not_counted() {
    let given = Given::new().await;
    given.script("000", &[away()]);
    given.script("001", &[away(), away(), answer()]);
    given.script(
        "002",
        &std::array::from_fn::<_, 10, _>(|n| if n < 9 { later(Duration::from_mins(3)) } else { answer() }),
    );
    let batch = given.batch(&lines(3)).await;
    let ended = given.ended(&batch).await;
    assert_eq!((ended.state, ended.counts), (BatchState::Completed, Counts { total: 3, completed: 2, failed: 1 }));
    let times = |name: &str| given.door.asked().iter().filter(|asked| *asked == name).count();
    assert_eq!((times("000"), times("001"), times("002")), (4, 3, 10));
    let refused = given.content(ended.refusals).await;
    assert_eq!((names(&refused), &refused[0]["response"]["status_code"]), (vec!["000"], &json!(503)));
    assert!(ended.times.ended_at.unwrap() < batch.times.created_at + Duration::from_hours(2), "it waited for minutes");
}

#[tokio::test]
async fn a_budget_without_room_until_the_end_is_a_refusal() {
    let given = Given::new().await;
    given.script("000", &[later(DAY * 3)]);
    let ended = given.ended(&given.batch(&lines(2)).await).await;
    assert_eq!(ended.counts, Counts { total: 2, completed: 1, failed: 1 });
    let refused = given.content(ended.refusals).await;
    assert_eq!(refused[0]["response"]["body"]["error"]["code"], "insufficient_quota");
    assert!(ended.times.ended_at.unwrap() < ended.times.created_at + DAY);
}

#[tokio::test]
async fn what_was_not_asked_in_time_says_so() {
    let given = Given::new().await;
    given.script("001", &[later(Duration::from_hours(5))]);
    let batch = given.batch(&lines(3)).await;
    given.step().await;
    // The window comes round again and again before the end, and there is never room.
    let ended = given.ended(&batch).await;
    assert_eq!(ended.counts, Counts { total: 3, completed: 2, failed: 1 });
    let late = given.batch(&lines(2)).await;
    given.step().await;
    given.fixtures.clock.advance(DAY);
    let ended = given.ended(&late).await;
    assert_eq!((ended.state, ended.counts.failed, ended.output), (BatchState::Expired, 2, None));
    let refused = given.content(ended.refusals).await;
    assert_eq!((&refused[0]["error"]["code"], &refused[0]["response"]), (&json!("batch_expired"), &Value::Null));
}

#[tokio::test]
async fn a_cancelled_batch_keeps_what_was_answered() {
    let given = Given::new().await;
    let batch = given.batch(&lines(250)).await;
    given.step().await;
    given.step().await;
    let input = delete_file(&given.fixtures.shop, &given.by(), batch.input).await;
    assert!(matches!(input, Err(Error::Conflict(_))), "it is read");
    let (shop, by) = (&given.fixtures.shop, given.by());
    for _ in 0..2 {
        assert_eq!(cancel_batch(shop, &by, batch.id).await.unwrap().state, BatchState::Cancelling);
    }
    let ended = given.ended(&batch).await;
    assert_eq!((ended.state, ended.counts.completed, ended.refusals), (BatchState::Cancelled, 200, None));
    assert_eq!((given.content(ended.output).await.len(), given.door.asked().len()), (200, 200));
    assert_eq!(cancel_batch(shop, &by, batch.id).await.unwrap().state, BatchState::Cancelled);
    delete_file(shop, &by, batch.input).await.unwrap();
    let done = given.ended(&given.batch(&lines(1)).await).await;
    assert!(matches!(cancel_batch(shop, &by, done.id).await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn a_batch_asks_with_the_rights_of_its_maker_as_they_are() {
    let given = Given::new().await;
    let batch = given.batch(&lines(250)).await;
    given.step().await;
    given.step().await;
    let mut tx = given.fixtures.tx().await;
    let pseudonym = crate::identity::Pseudonym::of(given.person.user);
    tx.users().erase(given.person.user, &pseudonym, given.fixtures.shop.now()).await.unwrap();
    tx.commit().await.unwrap();
    let ended = given.ended(&batch).await;
    assert_eq!((ended.state, ended.faults[0].code.as_str()), (BatchState::Failed, "not_authorized"));
    assert_eq!(
        (given.door.asked().len(), given.content(ended.output).await.len()),
        (200, 200),
        "the rest is not asked"
    );
    let new = NewBatch { input: batch.input, endpoint: Endpoint::Chat, metadata: BTreeMap::new() };
    let late = create_batch(&given.fixtures.shop, &given.by(), &new).await.unwrap();
    assert_eq!(given.ended(&late).await.faults[0].code, "not_authorized");
}

#[tokio::test]
async fn whoever_was_taken_over_says_nothing_and_no_line_is_answered_twice() {
    let given = Given::new().await;
    let batch = given.batch(&lines(3)).await;
    given.step().await;
    let job = CarryBatch { batch: batch.id, round: 2 };
    *given.door.meanwhile.lock().unwrap() = Some((given.carrier.clone(), job, given.fixtures.shop.clone()));
    // While its first line is asked, another worker takes the batch over and brings it to its end.
    let carried = given.carrier.carry(&given.fixtures.shop, job).await.unwrap();
    assert_eq!(carried, Carried::default());
    let ended = given.ended(&batch).await;
    assert_eq!(ended.counts, Counts { total: 3, completed: 3, failed: 0 });
    assert_eq!(names(&given.content(ended.output).await), ["000", "001", "002"]);
    // A job that the chain left behind has nothing to do, and so has one of a batch that is over.
    let before = given.store.traces().len();
    for round in 0..6 {
        given.carrier.carry(&given.fixtures.shop, CarryBatch { round, ..job }).await.unwrap();
    }
    assert_eq!((given.store.traces().len(), given.now(&batch).await), (before, ended));
}

#[tokio::test]
async fn a_line_that_kills_whoever_asks_it_is_given_up() {
    let given = Given::new().await;
    let batch = given.batch(&lines(2)).await;
    given.step().await;
    // Four times it was asked, and nobody came back to say what became of it.
    let mut tx = given.fixtures.tx().await;
    tx.batches().put_off(batch.id, 1, 4, given.fixtures.shop.now()).await.unwrap();
    tx.commit().await.unwrap();
    let ended = given.ended(&batch).await;
    let refused = given.content(ended.refusals).await;
    assert_eq!((names(&refused), &refused[0]["error"]["code"]), (vec!["000"], &json!("batch_request_lost")));
    assert_eq!(given.door.asked(), ["001"]);
}

#[tokio::test]
async fn a_batch_whose_job_was_given_up_goes_on() {
    let given = Given::new().await;
    let batch = given.batch(&lines(1)).await;
    let shop = &given.fixtures.shop;
    assert_eq!(settle_batches(shop, &given.store).await.unwrap(), 0, "its job waits");
    let now = shop.now();
    let ask = Ask { worker: "w".to_owned(), free: vec![(CarryBatch::NAME, 1)], most: 1, now, until: now + DAY };
    let job = given.store.take(&ask).await.unwrap().remove(0);
    given.store.settle(job.attempt(), &Settled::Dead { errors: Vec::new() }, now).await.unwrap();
    assert_eq!(settle_batches(shop, &given.store).await.unwrap(), 1);
    assert_eq!(given.ended(&batch).await.state, BatchState::Completed);
    assert_eq!(settle_batches(shop, &given.store).await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_old_goes_with_its_bytes_and_what_was_somebodys_with_them() {
    let given = Given::new().await;
    let (shop, queries) = (&given.fixtures.shop, &given.store);
    let held = async || -> u64 {
        let all = crate::assets::ports::BlobQueries::list(queries, None, 100).await.unwrap();
        all.iter().map(|blob| blob.references).sum()
    };
    let ended = given.ended(&given.batch(&lines(2)).await).await;
    let open = given.batch(&lines(1)).await;
    assert_eq!(held().await, 3);
    let month = Some(DAY * 30);
    assert_eq!(purge_batches(shop, queries, month).await.unwrap(), 0);
    given.fixtures.clock.advance(DAY * 31);
    assert_eq!(purge_batches(shop, queries, None).await.unwrap(), 0, "kept for ever");
    assert_eq!(purge_batches(shop, queries, month).await.unwrap(), 3, "the batch and its files, and not what is read");
    assert!(queries.get(ended.id).await.unwrap().is_none() && queries.get_file(open.input).await.unwrap().is_some());
    let job = ForgetBatches { user: given.person.user };
    for _ in 0..2 {
        forget_batches(shop, queries, job).await.unwrap();
    }
    assert_eq!((queries.of_person(given.person.user, 9).await.unwrap(), held().await), ((vec![], vec![]), 0));
    let usage = crate::assets::ports::BlobQueries::usage(queries, crate::assets::Holder::Person(given.person.user));
    assert_eq!(usage.await.unwrap(), 0, "and nothing counts for them any more");
}

#[tokio::test]
async fn others_and_other_keys_know_nothing_of_it() {
    let given = Given::new().await;
    let batch = given.batch(&lines(1)).await;
    let shop = &given.fixtures.shop;
    let key = given.person.clone().through_key(shop.id::<ApiKeyId>(), given.person.permissions);
    for other in [given.fixtures.person(Role::Admin).await, key.clone()] {
        let other = authorized(other);
        assert!(matches!(cancel_batch(shop, &other, batch.id).await, Err(Error::NotFound("Batch"))));
        assert!(matches!(delete_file(shop, &other, batch.input).await, Err(Error::NotFound("File"))));
        let new = NewBatch { input: batch.input, endpoint: Endpoint::Chat, metadata: BTreeMap::new() };
        assert!(matches!(create_batch(shop, &other, &new).await, Err(Error::NotFound("File"))));
    }
    let made = Owner::of(&key);
    assert!(made.shows_to(&given.person) && made.shows_to(&key), "in person one sees what one's keys made");
    let unknown = cancel_batch(shop, &given.by(), shop.id::<AssistantBatchId>()).await;
    assert!(matches!(unknown, Err(Error::NotFound("Batch"))));
}
