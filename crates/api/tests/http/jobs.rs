//! Background jobs and the schedule, for operators.

use actix_web::test::TestRequest;
use domain::{
    job::{
        Settled,
        ports::{Ask, JobQueue},
    },
    permission::Role,
    testing::memory::MemoryStore,
};
use serde_json::json;

use crate::setup::{Door, knowing};

#[actix_web::test]
async fn an_operator_runs_an_entry_and_sees_what_became_of_it() {
    let door = Door::new();
    let admin = door.person(Role::Admin).await;
    let get = async |path: &str| door.send(TestRequest::get().uri(path).insert_header(door.bearer(&admin))).await;
    let schedule = get("/api/v1/schedules").await.json();
    let items = schedule["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["name"], "purge");
    // The clock of the tests shows 2026-01-02 03:04:05 UTC.
    assert_eq!((&items[0]["nextRun"], &items[0]["zone"]), (&json!("2026-01-03T01:30:00Z"), &json!("Europe/Berlin")));
    assert_eq!(
        (&items[1]["cron"], &items[1]["nextRun"], &items[1]["catchUp"]),
        (&json!(null), &json!(null), &json!("skip"))
    );

    let run = door.post("/api/v1/schedules/reindex/run", &admin, &json!({})).await;
    assert_eq!(run.status, 202, "{}", run.text);
    let job = run.json();
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    assert_eq!(
        (run.header("location"), &job["state"], &job["kind"]),
        (path.as_str(), &json!("waiting"), &json!("reindex_products"))
    );
    let twice = door.post("/api/v1/schedules/reindex/run", &admin, &json!({})).await;
    assert_eq!((twice.status, twice.code()), (409, "CONFLICT".to_owned()), "the clock stands still");
    let unknown = door.post("/api/v1/schedules/nothing/run", &admin, &json!({})).await;
    assert_eq!((unknown.status, unknown.code()), (404, "NOT_FOUND".to_owned()));

    let found = get(&path).await;
    assert_eq!((found.status, found.json()), (200, job.clone()));
    let known = TestRequest::get().uri(&path).insert_header(door.bearer(&admin));
    let known = door.send(known.insert_header(("If-None-Match", found.header("etag")))).await;
    assert_eq!(known.status, 304);
    for (query, total) in [("", 1), ("?state=waiting&kind=reindex_products", 1), ("?state=dead", 0), ("?kind=purge", 0)]
    {
        assert_eq!(get(&format!("/api/v1/jobs{query}")).await.json()["total"], total, "{query}");
    }
    assert_eq!(get("/api/v1/jobs?state=lost").await.broken(), ["query state enum"]);
    let runs = get("/api/v1/schedules").await.json();
    assert_eq!(runs["items"][1]["runs"][0]["jobId"], job["id"]);
    assert_eq!(
        (&runs["items"][1]["runs"][0]["byHand"], &runs["items"][1]["runs"][0]["state"]),
        (&json!(true), &json!("waiting"))
    );
}

#[actix_web::test]
async fn a_job_is_cancelled_and_retried() {
    let store = MemoryStore::new();
    let door = Door::with(|services| {
        services.shop.store = std::sync::Arc::new(store.clone());
        services.jobs = std::sync::Arc::new(store.clone());
        services.users = std::sync::Arc::new(store.clone());
        services.known = knowing(std::sync::Arc::new(store.clone()), &services.shop);
        services.schedules = std::sync::Arc::new(store.clone());
    });
    let given = domain::testing::Fixtures::new(std::sync::Arc::new(store.clone()), door.fixtures.clock.clone());
    let admin = given.person(Role::Admin).await;
    let job = door.post("/api/v1/schedules/purge/run", &admin, &json!({})).await.json();
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    let act = async |what: &str| door.post(&format!("{path}/{what}"), &admin, &json!({})).await;
    assert_eq!(act("retry").await.status, 409);
    assert_eq!(act("cancel").await.json()["state"], "cancelled");
    assert_eq!(act("retry").await.json()["state"], "waiting");

    let now = given.shop.now();
    let ask = Ask { worker: "w".to_owned(), free: vec![("purge", 1)], most: 1, now, until: now };
    let taken = store.take(&ask).await.unwrap().remove(0);
    let stopping = act("cancel").await.json();
    assert_eq!(
        (&stopping["state"], &stopping["stopAsked"], &stopping["worker"]),
        (&json!("running"), &json!(true), &json!("w"))
    );
    let errors = taken.errors_with("the disk is full", now);
    assert!(store.settle(taken.attempt(), &Settled::Dead { errors }, now).await.unwrap());
    let dead = door.send(TestRequest::get().uri(&path).insert_header(door.bearer(&admin))).await.json();
    assert_eq!((&dead["state"], &dead["errors"][0]["reason"]), (&json!("dead"), &json!("the disk is full")));
    assert_eq!(act("cancel").await.status, 409);
    assert_eq!(act("retry").await.json()["attempts"], 0);
    let traces = store.traces().into_iter().map(|(action, _)| action).filter(|action| action.starts_with("job."));
    let expected = ["job.request", "job.cancel", "job.retry", "job.cancel", "job.retry"];
    assert_eq!(traces.collect::<Vec<_>>(), expected);
    let other = door.post(&format!("/api/v1/jobs/{}/retry", uuid::Uuid::nil()), &admin, &json!({})).await;
    assert_eq!(other.status, 404);
}
