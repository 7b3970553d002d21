//! The protocol of Git LFS, in process.

use actix_web::test::{self, TestRequest};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::{Principal, assets::Digest, permission::Role};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

const JSON: &str = "application/vnd.git-lfs+json";

struct Pushed {
    door: Door,
    ada: Principal,
    base: String,
}

impl Pushed {
    async fn new() -> Self {
        let door = Door::new();
        let ada = door.seller().await;
        let mut tx = door.fixtures.tx().await;
        let seller = tx.organisations().seller(ada.seller.unwrap()).await.unwrap().unwrap();
        Self { door, ada, base: format!("/lfs/{}/models", seller.slug) }
    }

    async fn call(&self, request: TestRequest, by: &Principal) -> Reply {
        // As git sends it.
        let (_, bearer) = self.door.bearer(by);
        let pair = BASE64_STANDARD.encode(format!("git:{}", bearer.strip_prefix("Bearer ").unwrap()));
        self.door.send(request.insert_header(("Authorization", format!("Basic {pair}")))).await
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        let request = TestRequest::post().uri(&format!("{}{path}", self.base));
        self.call(request.insert_header(("Content-Type", JSON)).set_payload(body.to_string()), &self.ada).await
    }

    async fn put(&self, oid: &str, bytes: &'static str) -> Reply {
        let request = TestRequest::put().uri(&format!("{}/objects/{oid}", self.base));
        self.call(request.set_payload(bytes), &self.ada).await
    }

    /// The object of this test as it comes, in pieces.
    async fn taken(&self, range: Option<&'static str>) -> (u16, String) {
        let mut request = TestRequest::get().uri(&format!("{}/objects/{}", self.base, oid("a cube")));
        if let Some(range) = range {
            request = request.insert_header(("Range", range));
        }
        let drawn = souk_api::app::Drawn::of(&self.door.services);
        let app = test::init_service(souk_api::build(&self.door.services, &drawn)).await;
        let answer = test::call_service(&app, request.insert_header(self.door.bearer(&self.ada)).to_request()).await;
        let status = answer.status().as_u16();
        (status, String::from_utf8(test::read_body(answer).await.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> Reply {
        self.call(TestRequest::get().uri(&format!("{}{path}", self.base)), &self.ada).await
    }
}

fn oid(bytes: &str) -> String {
    Digest::of(bytes.as_bytes()).to_string()
}

#[actix_web::test]
async fn an_object_is_asked_for_brought_verified_and_taken_away() {
    let pushed = Pushed::new().await;
    let object = json!({ "oid": oid("a cube"), "size": 6 });
    let batch = |operation: &str| json!({ "operation": operation, "transfers": ["basic", "tus"], "objects": [object], "ref": { "name": "refs/heads/main" } });
    let asked = pushed.post("/objects/batch", &batch("upload")).await;
    assert_eq!((asked.status, asked.header("content-type")), (200, JSON), "{}", asked.text);
    let actions = asked.json()["objects"][0]["actions"].clone();
    let href = actions["upload"]["href"].as_str().unwrap().to_owned();
    assert!(href.ends_with(&format!("{}/objects/{}", pushed.base, oid("a cube"))), "{href}");
    assert!(actions["upload"]["header"]["Authorization"].as_str().unwrap().starts_with("Basic "));
    assert_eq!(pushed.post("/objects/verify", &object).await.status, 404);
    assert_eq!(pushed.put(&oid("a cube"), "a cube").await.status, 200);
    assert_eq!(pushed.post("/objects/verify", &object).await.status, 200);
    assert_eq!(pushed.post("/objects/verify", &json!({ "oid": oid("a cube"), "size": 7 })).await.status, 422);
    let again = pushed.post("/objects/batch", &batch("upload")).await.json();
    assert_eq!(again["objects"][0].get("actions"), None, "it is there: {again}");
    let fetched = pushed.post("/objects/batch", &batch("download")).await.json();
    assert!(fetched["objects"][0]["actions"]["download"]["href"].is_string(), "{fetched}");
    assert_eq!(pushed.taken(None).await, (200, "a cube".to_owned()));
    assert_eq!(pushed.taken(Some("bytes=2-")).await, (206, "cube".to_owned()), "it goes on where it broke off");
}

#[actix_web::test]
async fn what_is_wrong_is_told_for_each_object_or_for_all() {
    let pushed = Pushed::new().await;
    pushed.put(&oid("a cube"), "a cube").await;
    let objects = json!([
        { "oid": oid("a cube"), "size": 5 },
        { "oid": "nonsense", "size": 1 },
        { "oid": oid("other"), "size": 5 },
    ]);
    let told = pushed.post("/objects/batch", &json!({ "operation": "download", "objects": objects })).await.json();
    let codes: Vec<_> = (0..3).map(|n| told["objects"][n]["error"]["code"].clone()).collect();
    assert_eq!(codes, [422, 422, 404], "{told}");
    let huge = json!([{ "oid": oid("other"), "size": u64::MAX }]);
    let told = pushed.post("/objects/batch", &json!({ "operation": "upload", "objects": huge })).await.json();
    assert_eq!(told["objects"][0]["error"]["code"], 413, "{told}");
    let many: Vec<_> = (0..1_001).map(|n| json!({ "oid": oid(&n.to_string()), "size": 1 })).collect();
    for (body, status) in [
        (json!({ "operation": "delete", "objects": [] }), 422),
        (json!({ "objects": [] }), 422),
        (json!({ "operation": "upload", "objects": [{ "oid": 1 }] }), 422),
        (json!({ "operation": "upload", "transfers": ["tus"], "objects": [] }), 422),
        (json!({ "operation": "upload", "hash_algo": "md5", "objects": [] }), 409),
        (json!({ "operation": "upload", "objects": many }), 413),
    ] {
        let refused = pushed.post("/objects/batch", &body).await;
        assert_eq!((refused.status, refused.header("content-type")), (status, JSON), "{}", refused.text);
        assert!(refused.json()["message"].is_string() && refused.json()["request_id"].is_string());
    }
    assert_eq!(pushed.put(&oid("a cube"), "a ball").await.status, 400, "other bytes than were said");
    assert_eq!(pushed.put("nonsense", "x").await.status, 404);
    assert_eq!(pushed.get(&format!("/objects/{}", oid("a ball"))).await.status, 404, "nothing of it was kept");
}

#[actix_web::test]
async fn to_everybody_else_there_is_no_library() {
    let pushed = Pushed::new().await;
    pushed.put(&oid("a cube"), "a cube").await;
    let path = format!("{}/objects/{}", pushed.base, oid("a cube"));
    let nobody = pushed.door.get(&path).await;
    assert_eq!((nobody.status, nobody.header("lfs-authenticate")), (401, "Basic realm=\"Git LFS\""));
    let wrong = TestRequest::get().uri(&path).insert_header(("Authorization", "Basic Z2l0Ondyb25n"));
    assert_eq!(pushed.door.send(wrong).await.status, 401);
    let (eve, buyer) = (pushed.door.seller().await, pushed.door.person(Role::User).await);
    assert_eq!(pushed.call(TestRequest::get().uri(&path), &eve).await.status, 404);
    assert_eq!(pushed.call(TestRequest::get().uri(&path), &buyer).await.status, 403);
    let unknown = TestRequest::get().uri("/lfs/no-such/models/locks");
    assert_eq!(pushed.call(unknown, &pushed.ada).await.status, 404);
    // A password in the place of a token is one of git alone.
    let (_, bearer) = pushed.door.bearer(&pushed.ada);
    let pair = BASE64_STANDARD.encode(format!("git:{}", bearer.strip_prefix("Bearer ").unwrap()));
    let me = TestRequest::get().uri("/api/v1/users/me").insert_header(("Authorization", format!("Basic {pair}")));
    assert_eq!(pushed.door.send(me).await.status, 401);
}

#[actix_web::test]
async fn locks_are_made_listed_and_let_go() {
    let pushed = Pushed::new().await;
    assert_eq!(pushed.get("/locks").await.json(), json!({ "locks": [], "next_cursor": "" }));
    let mut made = Vec::new();
    for path in ["a.stl", "b c/d.stl"] {
        pushed.door.fixtures.clock.advance(std::time::Duration::from_millis(1));
        let lock = pushed.post("/locks", &json!({ "path": path, "ref": { "name": "refs/heads/main" } })).await;
        assert_eq!(lock.status, 201, "{}", lock.text);
        made.push(lock.json()["lock"].clone());
    }
    let taken = pushed.post("/locks", &json!({ "path": "a.stl" })).await;
    assert_eq!((taken.status, &taken.json()["lock"]), (409, &made[0]));
    assert_eq!(pushed.post("/locks", &json!({ "path": "../a" })).await.status, 422);
    assert_eq!(pushed.get("/locks?limit=1").await.json()["locks"], json!([made[0]]));
    let next = pushed.get("/locks?limit=1").await.json()["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(pushed.get(&format!("/locks?cursor={next}")).await.json()["locks"], json!([made[1]]));
    assert_eq!(pushed.get("/locks?path=b%20c%2Fd.stl").await.json()["locks"], json!([made[1]]));
    assert_eq!(pushed.get("/locks?id=nonsense").await.json()["locks"], json!([]));
    assert_eq!(pushed.get("/locks?cursor=nonsense").await.status, 422);
    let verified = pushed.post("/locks/verify", &json!({})).await.json();
    assert_eq!((&verified["ours"], &verified["theirs"]), (&json!(made), &json!([])));
    let id = made[0]["id"].as_str().unwrap();
    assert_eq!(pushed.post(&format!("/locks/{id}/unlock"), &json!({ "force": false })).await.json()["lock"], made[0]);
    assert_eq!(pushed.post(&format!("/locks/{id}/unlock"), &json!({})).await.status, 404);
}

#[actix_web::test]
async fn libraries_are_listed_and_deleted() {
    let pushed = Pushed::new().await;
    pushed.put(&oid("a cube"), "a cube").await;
    let get = async |path: &str, by: &Principal| {
        pushed.door.send(TestRequest::get().uri(path).insert_header(pushed.door.bearer(by))).await
    };
    let listed = get("/api/v1/libraries", &pushed.ada).await.json();
    let library = listed["items"][0].clone();
    assert_eq!((&library["path"], &library["objects"], &library["bytes"]), (&json!(pushed.base), &json!(1), &json!(6)));
    let path = format!("/api/v1/libraries/{}", library["id"].as_str().unwrap());
    let eve = pushed.door.seller().await;
    assert_eq!(get("/api/v1/libraries", &eve).await.json()["total"], 0);
    assert_eq!(get(&path, &eve).await.status, 404);
    assert_eq!(get(&path, &pushed.ada).await.json(), library);
    let delete = async |by: &Principal| {
        pushed.door.send(TestRequest::delete().uri(&path).insert_header(pushed.door.bearer(by))).await.status
    };
    assert_eq!((delete(&eve).await, delete(&pushed.ada).await, delete(&pushed.ada).await), (404, 200, 404));
    assert_eq!(pushed.get(&format!("/objects/{}", oid("a cube"))).await.status, 404);
}
