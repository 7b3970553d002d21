//! Refusals of the shell: every one in the one format.

use actix_web::test::TestRequest;
use serde_json::json;

use crate::setup::Door;

#[actix_web::test]
async fn unknown_routes_and_wrong_methods_are_told_apart() {
    let door = Door::new();
    let nothing = door.get("/api/v1/nothing").await;
    assert_eq!((nothing.status, nothing.code()), (404, "NOT_FOUND".to_owned()));
    for (path, allow) in [
        ("/api/v1/products", "GET, HEAD, POST"),
        ("/api/v1/products/0190f5fe-7c00-7a00-8000-0123456789ab", "DELETE, GET, HEAD, PATCH"),
        ("/api/auth/login", "POST"),
        ("/health", "GET, HEAD"),
        ("/metrics", "GET, HEAD"),
    ] {
        let wrong = door.send(TestRequest::put().uri(path)).await;
        assert_eq!((wrong.status, wrong.header("allow"), wrong.code().as_str()), (405, allow, "METHOD_NOT_ALLOWED"));
    }
    // A fixed path is itself and not the id of a product, even for a method that only products have.
    let wrong = door.send(TestRequest::patch().uri("/api/v1/products/batch-update")).await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, "POST"));
}

#[actix_web::test]
async fn bodies_that_cannot_be_read_are_refused_in_kind() {
    let door = Door::with(|services| services.settings.body_limit = 100);
    let post = || TestRequest::post().uri("/api/v1/auth/login");
    let json = ("Content-Type", "application/json");
    let malformed = door.send(post().insert_header(json).set_payload("{\n \"email\": }")).await;
    assert_eq!((malformed.status, malformed.code()), (400, "VALIDATION_ERROR".to_owned()));
    assert_eq!(malformed.json()["error"]["details"]["line"], 2);
    let other = door.send(post().insert_header(("Content-Type", "text/plain")).set_payload("{}")).await;
    assert_eq!((other.status, other.code()), (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()));
    for (charset, status) in [("utf-16", 415), ("\"ISO-8859-1\"", 415), ("UTF-8", 400), ("\"utf-8\"", 400)] {
        let kind = ("Content-Type", format!("application/json; charset={charset}"));
        let answer = door.send(post().insert_header(kind).set_payload("{}")).await;
        assert_eq!(answer.status, status, "{charset}: {}", answer.text);
        assert_eq!(answer.text.contains("UTF-8"), status == 415, "{charset}: {}", answer.text);
    }
    let large = door.send(post().insert_header(json).set_payload("x".repeat(101))).await;
    assert_eq!((large.status, large.code()), (413, "PAYLOAD_TOO_LARGE".to_owned()));
    let bytes = door.send(post().insert_header(json).set_payload(&b"{\"email\":\"\xff\"}"[..])).await;
    assert_eq!(bytes.status, 400);
}

#[actix_web::test]
async fn an_id_that_is_none_is_named_and_undeclared_parameters_are_too() {
    let door = Door::new();
    assert_eq!(door.get("/api/v1/products/7").await.broken(), ["path id uuid"]);
    let path = "/api/v1/products/0190f5fe-7c00-7a00-8000-0123456789ab?expand=all";
    assert_eq!(door.get(path).await.broken(), ["query expand unknown"]);
    assert_eq!(door.get("/api/v1/products?search=%00").await.broken(), ["query search control_character"]);
}

#[actix_web::test]
async fn the_same_problem_comes_as_problem_json_when_asked_for() {
    let door = Door::new();
    let request = TestRequest::get().uri("/nowhere").insert_header(("Accept", "application/problem+json"));
    let problem = door.send(request.insert_header(("X-Request-Id", "abc"))).await;
    assert_eq!(problem.header("content-type"), "application/problem+json");
    let expected = json!({
        "type": "about:blank", "title": "Not Found", "status": 404, "detail": "Route not found",
        "code": "NOT_FOUND", "details": {}, "requestId": "abc",
    });
    assert_eq!(problem.json(), expected);
}

#[actix_web::test]
async fn no_string_of_a_body_makes_a_fault_of_ours() {
    let door = Door::new();
    let seller = door.seller().await;
    for name in ["\u{0}nul", "\u{202e}txet", "Ω≈ç√∫˜µ≤≥÷", "'; DROP TABLE products; --", "\u{feff}bom", "😀😀😀"]
    {
        let body = json!({ "name": name, "price": 1 });
        let answer = door.post("/api/v1/products", &seller, &body).await;
        match answer.status {
            201 => assert_eq!(answer.json()["name"], name),
            400 => assert_eq!(answer.broken(), ["body /name control_character"]),
            other => panic!("{name:?}: {other}"),
        }
    }
}
