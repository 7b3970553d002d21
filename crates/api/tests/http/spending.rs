//! What models cost, what may be and what was spent on them, in process.

use std::{sync::Arc, time::Duration};

use actix_web::{http::Method, test::TestRequest};
use domain::{
    Principal,
    assistant::{
        Batch, CallKind, CallState, NewCall, Settlement, Usage,
        ports::LedgerStore as _,
        terms::{Settings, TermsKeeper},
    },
    clock::Timestamp,
    permission::Role,
    testing::{PlainKeys, plain_terms},
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

const BASE: &str = "/api/v1/assistant";

async fn send(door: &Door, method: Method, path: &str, by: &Principal, body: Option<Value>) -> Reply {
    let request = TestRequest::default().method(method).uri(&format!("{BASE}{path}")).insert_header(door.bearer(by));
    door.send(match body {
        Some(body) => request.set_json(body),
        None => request,
    })
    .await
}

async fn get(door: &Door, path: &str, by: &Principal) -> Reply {
    send(door, Method::GET, path, by, None).await
}

/// Calls of somebody: one each of so many models, of 5 and 4 tokens and 0.0000001 each.
async fn calls(door: &Door, by: &Principal, models: &[&str]) {
    let at = door.fixtures.shop.now();
    let call = |model: &&str| NewCall {
        id: door.fixtures.shop.id(),
        user: by.user,
        key: None,
        seller: None,
        request: "r-1".to_owned(),
        generation: None,
        kind: CallKind::Chat,
        model: (*model).to_owned(),
        deployment: "near/m".to_owned(),
        prompt: 10,
        completion: 20,
        cost: Some(500),
        holds: Vec::new(),
        started_at: at,
    };
    let calls: Vec<NewCall> = models.iter().map(call).collect();
    let ended = |call: &NewCall| Settlement {
        id: call.id,
        windows: Vec::new(),
        held: call.most(),
        state: CallState::Settled,
        usage: Usage { prompt: 5, completion: 4, cached: 0, reasoning: 0 },
        cost: Some(100),
        fault: None,
        first_at: None,
        first_after: None,
        ended_at: at,
    };
    let settled = calls.iter().map(ended).collect();
    door.store.write(&Batch { calls, settled }).await.unwrap();
    door.fixtures.clock.advance(Duration::from_secs(1));
}

#[actix_web::test]
async fn everybody_sees_what_they_spent_and_administrators_what_all_did() {
    let door = Door::new();
    let (ada, bob, admin) =
        (door.person(Role::User).await, door.person(Role::User).await, door.person(Role::Admin).await);
    calls(&door, &ada, &["small", "large", "=cmd()"]).await;
    calls(&door, &bob, &["small"]).await;
    let own = get(&door, "/usage?groupBy=model&limit=2", &ada).await;
    assert_eq!(own.status, 200, "{}", own.text);
    let page = own.json();
    let models: Vec<_> = page["items"].as_array().unwrap().iter().map(|one| one["model"].clone()).collect();
    assert_eq!((models, &page["currency"]), (vec![json!("=cmd()"), json!("large")], &json!("EUR")));
    assert_eq!(page["items"][0]["cost"], "0.0000001");
    assert_eq!(page["items"][0]["tokens"]["completion"], 4);
    assert_eq!((&page["items"][0]["calls"]["total"], &page["items"][0]["day"]), (&json!(1), &Value::Null));
    let cursor = page["nextCursor"].as_str().unwrap();
    // What began meanwhile is no part of the list that the cursor goes on in.
    calls(&door, &ada, &["zebra"]).await;
    let rest = get(&door, &format!("/usage?groupBy=model&limit=2&cursor={cursor}"), &ada).await.json();
    assert_eq!((&rest["items"][0]["model"], rest["items"].as_array().unwrap().len()), (&json!("small"), 1));
    assert_eq!(rest["nextCursor"], Value::Null);
    for (path, by) in
        [("/usage?groupBy=day&cursor=", &ada), ("/usage?groupBy=model&cursor=", &bob), ("/calls?cursor=", &ada)]
    {
        let refused = get(&door, &format!("{path}{cursor}"), by).await;
        assert_eq!(refused.broken(), ["query cursor cursor"], "{path}");
    }

    let all = get(&door, "/usage?scope=all&groupBy=user", &admin).await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 2, "{all}");
    let one = format!("/usage?scope=all&groupBy=user&groupBy=day&userId={}", bob.user);
    let one = get(&door, &one, &admin).await.json();
    assert_eq!((&one["items"][0]["userId"], &one["items"][0]["cost"]), (&json!(bob.user), &json!("0.0000001")));
    assert!(one["items"][0]["day"].is_string());
    for (path, by, status) in [
        ("/usage?scope=all".to_owned(), &ada, 403),
        (format!("/usage?userId={}", bob.user), &ada, 403),
        (format!("/calls?userId={}", ada.user), &ada, 200),
        ("/usage?groupBy=colour".to_owned(), &ada, 400),
        ("/usage?from=2030-01-01T00:00:00Z&to=2029-01-01T00:00:00Z".to_owned(), &ada, 400),
        ("/usage?from=yesterday".to_owned(), &ada, 400),
        ("/usage?colour=red".to_owned(), &ada, 400),
    ] {
        assert_eq!(get(&door, &path, by).await.status, status, "{path}");
    }
    let before = get(&door, "/usage?to=2000-01-01T00:00:00Z", &ada).await.json();
    assert_eq!(before["items"], json!([]));
}

#[actix_web::test]
async fn a_table_for_spreadsheets_has_all_of_it_and_no_formula() {
    let door = Door::new();
    let ada = door.person(Role::User).await;
    calls(&door, &ada, &["small", "=cmd()"]).await;
    let asked = get(&door, "/usage?groupBy=model&format=csv&limit=1", &ada).await;
    assert_eq!(asked.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<&str> = asked.text.split("\r\n").collect();
    assert_eq!(lines.len(), 4, "{}", asked.text);
    assert!(lines[0].starts_with("model,calls,") && lines[0].ends_with(",cost,currency"));
    assert_eq!(lines[1], "'=cmd(),1,0,1,0,0,0,0,0,5,4,0,0,0,0.0000001,EUR");
    let request = TestRequest::get().uri("/api/v1/assistant/usage?groupBy=model").insert_header(door.bearer(&ada));
    assert_eq!(door.send(request.insert_header(("accept", "text/csv"))).await.text, asked.text);
    assert!(get(&door, "/usage?format=json", &ada).await.text.starts_with('{'));
}

#[actix_web::test]
async fn calls_are_listed_one_by_one_the_newest_first() {
    let door = Door::new();
    let ada = door.person(Role::User).await;
    for model in ["a", "b", "c"] {
        calls(&door, &ada, &[model]).await;
    }
    let page = get(&door, "/calls?limit=2", &ada).await.json();
    let model = |page: &Value, at: usize| page["items"][at]["model"].clone();
    assert_eq!((model(&page, 0), model(&page, 1)), (json!("c"), json!("b")));
    assert_eq!((&page["items"][0]["state"], &page["items"][0]["cost"]), (&json!("settled"), &json!("0.0000001")));
    let next = page["nextCursor"].as_str().unwrap();
    let page = get(&door, &format!("/calls?limit=2&cursor={next}"), &ada).await.json();
    assert_eq!((model(&page, 0), &page["nextCursor"]), (json!("a"), &Value::Null));
    assert_eq!(get(&door, "/calls?state=failed", &ada).await.json()["items"], json!([]));
    assert_eq!(get(&door, "/calls?state=odd", &ada).await.broken(), ["query state enum"]);
}

#[actix_web::test]
async fn a_price_is_set_supersedes_and_stays() {
    let door = Door::new();
    let admin = door.person(Role::Admin).await;
    let price =
        |from: Value, input: &str| json!({ "deployment": "near/m", "from": from, "input": input, "output": "2.50" });
    let made = send(&door, Method::POST, "/prices", &admin, Some(price(Value::Null, "0.150"))).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!((&made.json()["input"], &made.json()["cached"]), (&json!("0.15"), &json!("0.15")));
    let standing = || door.services.assistant.terms.standing.now();
    let at = |moment: Timestamp| standing().prices.at("near/m", moment).map(|price| price.input);
    let now = door.fixtures.shop.now();
    assert_eq!(at(now), Some(150_000), "it holds before it is answered");
    let later =
        send(&door, Method::POST, "/prices", &admin, Some(price(json!("2099-01-01T00:00:00Z"), "1"))).await.json();
    assert_eq!(at("2099-01-01T00:00:00Z".parse().unwrap()), Some(1_000_000));
    let again = send(&door, Method::POST, "/prices", &admin, Some(price(json!("2099-01-01T00:00:00Z"), "3"))).await;
    assert_eq!(again.status, 409);
    let listed = get(&door, "/prices?deployment=near/m", &admin).await.json();
    assert_eq!((&listed["total"], &listed["items"][1]["id"]), (&json!(2), &later["id"]));
    let delete = |id: &Value| {
        let path = format!("/prices/{}", id.as_str().unwrap());
        let (door, admin) = (&door, &admin);
        async move { send(door, Method::DELETE, &path, admin, None).await.status }
    };
    assert_eq!(delete(&made.json()["id"]).await, 409, "what holds stays");
    assert_eq!((delete(&later["id"]).await, delete(&later["id"]).await), (200, 404));
    assert_eq!(at("2099-01-01T00:00:00Z".parse().unwrap()), Some(150_000));
    let odd =
        json!({ "deployment": "near", "from": "2000-01-01T00:00:00Z", "input": "1e3", "output": ".5", "colour": 1 });
    let mut broken = send(&door, Method::POST, "/prices", &admin, Some(odd)).await.broken();
    broken.sort();
    let expected = [
        "body /colour unknown",
        "body /deployment pattern",
        "body /from future",
        "body /input pattern",
        "body /output pattern",
    ];
    assert_eq!(broken, expected);
}

#[actix_web::test]
async fn a_budget_is_made_changed_and_removed() {
    let door = Door::new();
    let (admin, ada) = (door.person(Role::Admin).await, door.person(Role::User).await);
    let body = json!({ "name": "daily", "by": "user", "span": "day", "cost": "2.50", "calls": 10 });
    assert_eq!(send(&door, Method::POST, "/budgets", &ada, Some(body.clone())).await.status, 403);
    let made = send(&door, Method::POST, "/budgets", &admin, Some(body.clone())).await;
    assert_eq!((made.status, &made.json()["cost"]), (201, &json!("2.5")), "{}", made.text);
    assert_eq!(send(&door, Method::POST, "/budgets", &admin, Some(body)).await.status, 409);
    let path = made.header("location").strip_prefix(BASE).unwrap().to_owned();
    let standing = || door.services.assistant.terms.standing.now().budgets.clone();
    assert_eq!((standing().len(), standing()[0].cost), (1, Some(2_500_000_000)));
    let patch = json!({ "cost": null, "tokens": 7 });
    let changed = send(&door, Method::PATCH, &path, &admin, Some(patch)).await.json();
    assert_eq!((&changed["cost"], &changed["tokens"], &changed["calls"]), (&Value::Null, &json!(7), &json!(10)));
    assert_eq!(standing()[0].tokens, Some(7));

    // A call of one person is held against it.
    let mut call = NewCall {
        id: door.fixtures.shop.id(),
        user: ada.user,
        key: None,
        seller: None,
        request: String::new(),
        generation: None,
        kind: CallKind::Chat,
        model: "m".to_owned(),
        deployment: "near/m".to_owned(),
        prompt: 2,
        completion: 3,
        cost: Some(500),
        holds: Vec::new(),
        started_at: door.fixtures.shop.now(),
    };
    call.holds = standing().iter().filter_map(|budget| budget.hold(&call)).collect();
    door.store.write(&Batch { calls: vec![call], settled: Vec::new() }).await.unwrap();
    let spent = get(&door, &path, &admin).await.json();
    assert_eq!(spent["spent"][0]["subject"], format!("user:{}", ada.user));
    assert_eq!((&spent["spent"][0]["tokens"], &spent["spent"][0]["cost"]), (&json!(5), &json!("0.0000005")));
    let nothing = json!({ "tokens": null, "calls": null });
    assert_eq!(send(&door, Method::PATCH, &path, &admin, Some(nothing)).await.broken(), ["body /cost exists"]);
    assert_eq!(send(&door, Method::DELETE, &path, &admin, None).await.status, 200);
    assert_eq!((get(&door, &path, &admin).await.status, standing().len()), (404, 0));
    let odd = json!({ "name": "A b", "by": "all", "subjectId": ada.user, "span": "year" });
    let mut broken = send(&door, Method::POST, "/budgets", &admin, Some(odd)).await.broken();
    broken.sort();
    assert_eq!(broken, ["body /cost exists", "body /name pattern", "body /span enum", "body /subjectId consistent"]);
}

#[actix_web::test]
async fn without_rows_before_a_call_no_budget_is_made() {
    let door = Door::with(|services| services.assistant.terms.keeps_budgets = false);
    let admin = door.person(Role::Admin).await;
    let body = json!({ "name": "daily", "by": "user", "span": "day", "calls": 10 });
    let refused = send(&door, Method::POST, "/budgets", &admin, Some(body)).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("assistant.ledger"), "{}", refused.text);
}

#[actix_web::test]
async fn the_key_of_a_provider_is_set_and_never_shown() {
    let keys = Arc::<PlainKeys>::default();
    let door = Door::with({
        let keys = Arc::clone(&keys);
        move |services| {
            let TermsKeeper { queries, settings, .. } = services.assistant.terms.clone();
            let settings: Settings = (*settings).clone();
            services.assistant.terms = plain_terms(queries, settings, keys);
        }
    });
    let admin = door.person(Role::Admin).await;
    let shown = || async { get(&door, "/providers", &admin).await.json()["items"][0].clone() };
    let before = shown().await;
    assert_eq!(
        (&before["name"], &before["key"], &before["keyHint"]),
        (&json!("near"), &json!("settings"), &Value::Null)
    );
    let body = json!({ "key": "sk-0123456789abcdef" });
    let set = send(&door, Method::PUT, "/providers/near/key", &admin, Some(body.clone())).await;
    assert_eq!((set.status, &set.json()["keyHint"]), (200, &json!("cdef")), "{}", set.text);
    assert_eq!(keys.of("near").as_deref(), Some("sk-0123456789abcdef"), "it counts before it is answered");
    let after = shown().await;
    assert_eq!((&after["key"], &after["keyHint"]), (&json!("set"), &json!("cdef")));
    assert!(after["keySetAt"].is_string() && !after.to_string().contains("0123456789"));
    assert_eq!(send(&door, Method::PUT, "/providers/far/key", &admin, Some(body)).await.status, 404);
    for odd in ["short", "with a space in it", "line\nbreak-12345", "héllo-wörld-12345"] {
        let refused = send(&door, Method::PUT, "/providers/near/key", &admin, Some(json!({ "key": odd }))).await;
        assert_eq!(refused.broken(), ["body /key pattern"]);
        assert!(!refused.text.contains(odd), "{}", refused.text);
    }
    assert_eq!(send(&door, Method::DELETE, "/providers/near/key", &admin, None).await.status, 200);
    assert_eq!(send(&door, Method::DELETE, "/providers/near/key", &admin, None).await.status, 404);
    assert_eq!((keys.of("near"), &shown().await["key"]), (None, &json!("settings")));
    assert!(door.store.audit_entries().iter().all(|entry| !entry.metadata.to_string().contains("cdef")));
}
