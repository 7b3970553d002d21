//! 3D models over HTTP.

use actix_web::{
    http::Method,
    test::{self, TestRequest},
};
use domain::{
    Principal,
    assets::models::{ProcessModel, VersionNumber, process_model},
    catalog::ProductStatus,
    id::ModelId,
    permission::Role,
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

const PATH: &str = "/api/v1/models3d";

async fn bring(door: &Door, by: &Principal, path: &str, text: &'static str) -> Reply {
    let request = TestRequest::post().uri(path).insert_header(door.bearer(by)).set_payload(text);
    door.send(request).await
}

async fn send(door: &Door, method: Method, path: &str, by: &Principal) -> Reply {
    door.send(TestRequest::default().method(method).uri(path).insert_header(door.bearer(by))).await
}

/// Does the job of the version that an answer names.
async fn process(door: &Door, id: &Value, version: u32) {
    let model: ModelId = id.as_str().unwrap().parse().unwrap();
    let job = ProcessModel { model, version: VersionNumber(version) };
    process_model(&door.services.shop, &door.services.models.workshop, job).await.unwrap();
}

/// The whole of a body that comes in pieces.
async fn whole(door: &Door, request: TestRequest) -> (u16, Vec<(String, String)>, String) {
    let drawn = souk_api::app::Drawn::of(&door.services);
    let app = test::init_service(souk_api::build(&door.services, &drawn)).await;
    let response = test::call_service(&app, request.to_request()).await;
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()));
    let (status, headers) = (response.status().as_u16(), headers.collect());
    let body = test::read_body(response).await;
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

fn named<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

#[actix_web::test]
async fn a_model_is_brought_examined_and_shown() {
    let door = Door::new();
    let owner = door.seller().await;
    let product = door.fixtures.stored_product(owner.seller.unwrap(), |_| ()).await;
    let made =
        bring(&door, &owner, &format!("{PATH}?productId={}&fileName=a%20cube.stl&name=Cube", product.id), "a cube")
            .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let model = made.json();
    let own = format!("{PATH}/{}", model["id"].as_str().unwrap());
    assert_eq!(made.header("location"), own);
    assert_eq!((&model["name"], &model["latestVersion"]), (&json!("Cube"), &json!(1)));

    let waits = door.get(&format!("{own}/versions/1")).await.json();
    assert_eq!((&waits["state"], &waits["progress"]), (&json!("processing"), &json!(0)));
    let refused = door.get(&format!("{own}/quote?material=pla")).await;
    assert_eq!((refused.status, refused.code()), (404, "NOT_FOUND".to_owned()), "none is ready");
    process(&door, &model["id"], 1).await;
    let version = door.get(&format!("{own}/versions/1")).await;
    let ready = version.json();
    assert_eq!((&ready["state"], &ready["progress"]), (&json!("ready"), &json!(100)));
    assert_eq!((&ready["findings"]["size"]["z"], &ready["findings"]["volume"]), (&json!(20.0), &json!(8000.0)));
    assert_eq!(ready["findings"]["unit"], json!({ "stated": false, "millimetres": 1.0 }));
    let sides: Vec<_> = ready["previews"].as_array().unwrap().iter().map(|one| one["side"].clone()).collect();
    assert_eq!(sides, [960, 480, 160]);
    let known = TestRequest::get().uri(&format!("{own}/versions/1"));
    let known = door.send(known.insert_header(("If-None-Match", version.header("etag")))).await;
    assert_eq!(known.status, 304);

    let copy = ready["copy"]["url"].as_str().unwrap();
    let (status, headers, body) = whole(&door, TestRequest::get().uri(copy)).await;
    assert_eq!((status, &*body), (200, "copy of a cube"));
    assert_eq!(named(&headers, "content-type"), "model/gltf-binary");
    assert!(named(&headers, "cache-control").contains("immutable"));
    let tag = named(&headers, "etag").to_owned();
    let known = door.send(TestRequest::get().uri(copy).insert_header(("If-None-Match", tag))).await;
    assert_eq!(known.status, 304);

    let quote = door.get(&format!("{own}/quote?material=pla&quantity=3")).await;
    assert_eq!(quote.status, 200, "{}", quote.text);
    let quote = quote.json();
    assert_eq!((&quote["grams"], &quote["total"], &quote["currency"]), (&json!(4.841), &json!(4.56), &json!("EUR")));
    let listed = door.get(&format!("{PATH}?productId={}", product.id)).await.json();
    assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &model["id"]));
}

#[actix_web::test]
async fn files_are_for_those_who_sell_them_and_come_in_parts() {
    let door = Door::new();
    let (owner, stranger) = (door.seller().await, door.seller().await);
    let product = door.fixtures.stored_product(owner.seller.unwrap(), |_| ()).await;
    let path = format!("{PATH}?productId={}&fileName=%C3%B6.stl", product.id);
    let model = bring(&door, &owner, &path, "0123456789").await.json();
    let file = format!("{PATH}/{}/versions/1/file", model["id"].as_str().unwrap());
    assert_eq!(door.get(&file).await.status, 404);
    assert_eq!(
        send(&door, Method::GET, &file, &stranger).await.status,
        404,
        "who sees the model has no right to its file"
    );
    let grant = format!("/api/v1/products/{}/grants/{}", product.id, stranger.user);
    let grant = TestRequest::put().uri(&grant).insert_header(door.bearer(&owner)).set_json(json!({}));
    assert_eq!(door.send(grant).await.status, 200);
    let granted = TestRequest::get().uri(&file).insert_header(door.bearer(&stranger));
    assert_eq!(whole(&door, granted).await.0, 200);
    let get = || TestRequest::get().uri(&file).insert_header(door.bearer(&owner));
    let (status, headers, body) = whole(&door, get()).await;
    assert_eq!((status, &*body, named(&headers, "content-length")), (200, "0123456789", "10"));
    assert_eq!(named(&headers, "content-disposition"), "attachment; filename=\"_.stl\"; filename*=UTF-8''%C3%B6.stl");
    let tag = named(&headers, "etag").to_owned();
    for (range, expected, told) in [("bytes=2-4", "234", "bytes 2-4/10"), ("bytes=-3", "789", "bytes 7-9/10")] {
        let (status, headers, body) = whole(&door, get().insert_header(("Range", range))).await;
        assert_eq!((status, &*body, named(&headers, "content-range")), (206, expected, told));
    }
    let same = get().insert_header(("Range", "bytes=0-0")).insert_header(("If-Range", tag));
    assert_eq!(whole(&door, same).await.0, 206);
    let other = get().insert_header(("Range", "bytes=0-0")).insert_header(("If-Range", "\"other\""));
    assert_eq!(whole(&door, other).await.0, 200);
    let (status, headers, _) = whole(&door, get().insert_header(("Range", "bytes=10-"))).await;
    assert_eq!((status, named(&headers, "content-range")), (416, "bytes */10"));
}

#[actix_web::test]
async fn what_is_no_model_is_refused_and_each_fault_is_named() {
    let door = Door::with(|services| services.settings.limits.clear());
    let owner = door.seller().await;
    let product = door.fixtures.stored_product(owner.seller.unwrap(), |_| ()).await.id;
    let nobody = "019f0000-0000-7000-8000-000000000000";
    for (query, text, status, broken) in [
        (format!("productId={product}&fileName=a.stl"), "a bad one", 400, "body file"),
        (format!("productId={product}&fileName=a.stl"), "", 400, "body file"),
        (format!("productId={product}&fileName=a.exe"), "a cube", 400, "query fileName"),
        (format!("productId={product}&fileName=..%2Fa.stl"), "a cube", 400, "query fileName"),
        (format!("productId={product}&fileName=a%00.stl"), "a cube", 400, "query fileName"),
        (format!("productId={product}&fileName=a.stl&colour=red"), "a cube", 400, "query colour"),
        ("fileName=a.stl".to_owned(), "a cube", 400, "query productId"),
        (format!("productId={product}"), "a cube", 400, "query fileName"),
        (format!("productId={nobody}&fileName=a.stl"), "a cube", 404, ""),
    ] {
        let refused = bring(&door, &owner, &format!("{PATH}?{query}"), text).await;
        assert_eq!(refused.status, status, "{query}: {}", refused.text);
        if !broken.is_empty() {
            let told = refused.broken();
            assert!(told.iter().any(|one| one.starts_with(broken)), "{query}: {told:?}");
        }
    }
    let listed = door.get(PATH).await.json();
    assert_eq!(listed["total"], 0);
    let long: &'static str = Box::leak("x".repeat(1001).into_boxed_str());
    let path = format!("{PATH}?productId={product}&fileName=a.stl");
    let refused = bring(&door, &owner, &path, long).await;
    assert_eq!(refused.status, 413, "{}", refused.text);
    let other = format!("sha-256=:{}=:", "A".repeat(43));
    let request = TestRequest::post().uri(&path).insert_header(door.bearer(&owner)).set_payload("a cube");
    let refused = door.send(request.insert_header(("content-digest", other))).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert_eq!(door.get(PATH).await.json()["total"], 0);
}

#[actix_web::test]
async fn a_version_that_fails_says_why_and_models_go() {
    let door = Door::new();
    let owner = door.seller().await;
    let product = door.fixtures.stored_product(owner.seller.unwrap(), |_| ()).await.id;
    let model = bring(&door, &owner, &format!("{PATH}?productId={product}&fileName=a.stl"), "a cube").await.json();
    let own = format!("{PATH}/{}", model["id"].as_str().unwrap());
    let second = bring(&door, &owner, &format!("{own}/versions?fileName=b.3mf"), "a broken one").await;
    assert_eq!((second.status, second.header("location")), (201, &*format!("{own}/versions/2")));
    process(&door, &model["id"], 2).await;
    let failed = door.get(&format!("{own}/versions/2")).await.json();
    assert_eq!((&failed["state"], &failed["fault"]["code"]), (&json!("failed"), &json!("BROKEN")));
    assert!(failed.get("sha256").is_none() && failed.get("copy").is_none(), "{failed}");
    assert_eq!(send(&door, Method::GET, &format!("{own}/versions/2/file"), &owner).await.status, 409);
    let listed = door.get(&format!("{own}/versions")).await.json();
    let numbers: Vec<_> = listed["items"].as_array().unwrap().iter().map(|one| one["number"].clone()).collect();
    assert_eq!(numbers, [2, 1]);
    assert_eq!(send(&door, Method::DELETE, &format!("{own}/versions/2"), &owner).await.status, 200);
    assert_eq!(door.get(&format!("{own}/versions/2")).await.status, 404);
    assert_eq!(door.get(&format!("{own}/versions/0")).await.status, 400);
    let user = door.person(Role::User).await;
    assert_eq!(send(&door, Method::DELETE, &own, &user).await.status, 403);
    assert_eq!(send(&door, Method::DELETE, &own, &owner).await.status, 200);
    assert_eq!(door.get(&own).await.status, 404);
}

#[actix_web::test]
async fn models_of_drafts_are_hidden_with_them() {
    let door = Door::new();
    let owner = door.seller().await;
    let draft = door.fixtures.stored_product(owner.seller.unwrap(), |one| one.status = ProductStatus::Draft).await.id;
    let model = bring(&door, &owner, &format!("{PATH}?productId={draft}&fileName=a.obj"), "a cube").await.json();
    let own = format!("{PATH}/{}", model["id"].as_str().unwrap());
    process(&door, &model["id"], 1).await;
    for path in
        [own.clone(), format!("{own}/versions"), format!("{own}/versions/1"), format!("{own}/quote?material=pla")]
    {
        assert_eq!(door.get(&path).await.status, 404, "{path}");
        assert_eq!(send(&door, Method::GET, &path, &owner).await.status, 200, "{path}");
    }
    assert_eq!(door.get(PATH).await.json()["total"], 0);
}

#[actix_web::test]
async fn the_page_that_turns_models_runs_nothing_from_elsewhere() {
    let door = Door::new();
    let page = door.get("/models/019f0000-0000-7000-8000-000000000000/view").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    for (path, kind) in [("/models/view.js", "text/javascript"), ("/models/view.css", "text/css")] {
        let file = door.get(path).await;
        assert!(file.status == 200 && file.header("content-type").starts_with(kind), "{path}");
        assert!(page.text.contains(path));
    }
}

#[actix_web::test]
async fn a_model_is_renamed_and_moved() {
    let door = Door::new();
    let (owner, stranger) = (door.seller().await, door.seller().await);
    let own = async || door.fixtures.stored_product(owner.seller.unwrap(), |_| ()).await.id.to_string();
    let (from, to) = (own().await, own().await);
    let theirs = door.fixtures.stored_product(stranger.seller.unwrap(), |_| ()).await.id.to_string();
    let model = bring(&door, &owner, &format!("{PATH}?productId={from}&fileName=a.stl"), "a cube").await.json();
    let path = format!("{PATH}/{}", model["id"].as_str().unwrap());
    let read = door.get(&path).await;
    let tag = read.header("etag");
    let patch = async |by: &Principal, body: Value, tag: Option<&str>| {
        let mut request = TestRequest::patch().uri(&path).insert_header(door.bearer(by)).set_json(body);
        if let Some(tag) = tag {
            request = request.insert_header(("If-Match", tag));
        }
        door.send(request).await
    };
    let renamed = patch(&owner, json!({ "name": "Round knob" }), Some(tag)).await;
    assert_eq!((renamed.status, &renamed.json()["name"]), (200, &json!("Round knob")), "{}", renamed.text);
    assert_ne!(renamed.header("etag"), tag);
    assert_eq!(patch(&owner, json!({ "name": "Late" }), Some(tag)).await.status, 412);
    let moved = patch(&owner, json!({ "productId": to }), None).await;
    assert_eq!((moved.status, &moved.json()["productId"]), (200, &json!(to)), "{}", moved.text);
    assert_eq!(door.get(&format!("{PATH}?productId={from}")).await.json()["total"], 0);
    let same = patch(&owner, json!({ "name": "Round knob", "productId": to }), None).await;
    assert_eq!((same.status, same.json()), (200, moved.json()), "nothing is changed by what is so already");
    for (body, broken) in [
        (json!({ "name": "" }), "body /name"),
        (json!({ "name": null }), "body /name"),
        (json!({ "name": "a\u{0}" }), "body /name"),
        (json!({ "productId": theirs }), "body /productId"),
        (json!({ "productId": "nothing" }), "body /productId"),
        (json!({ "sellerId": theirs }), "body /sellerId"),
    ] {
        let refused = patch(&owner, body.clone(), None).await;
        assert_eq!(refused.status, 400, "{body}: {}", refused.text);
        assert!(refused.text.contains(broken.split(' ').next_back().unwrap()), "{body}: {}", refused.text);
    }
    assert_eq!(patch(&stranger, json!({ "name": "Mine" }), None).await.status, 403);
    assert_eq!(door.get(&path).await.json()["name"], "Round knob");
}
