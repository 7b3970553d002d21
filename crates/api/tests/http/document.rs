//! The document and the application say the same.

use actix_web::{http::Method, test::TestRequest};
use domain::shop::Rules;
use serde_json::{Value, json};

use crate::setup::Door;

const ID: &str = "0190f5fe-7c00-7a00-8000-0123456789ab";

/// The document of a shop with the default rules.
pub fn document() -> Value {
    serde_json::to_value(souk_api::openapi(&Rules::default())).unwrap()
}

/// Method, path and document of every operation; ids in paths name nothing.
pub fn operations(document: &Value) -> Vec<(Method, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation.get("operationId").is_some() {
                let method = method.to_uppercase().parse().unwrap();
                all.push((
                    method,
                    path.replace("{id}", ID)
                        .replace("{userId}", ID)
                        .replace("{sessionId}", ID)
                        .replace("{imageId}", ID)
                        .replace("{messageId}", ID)
                        .replace("{offset}", "1")
                        .replace("{slug}", "x"),
                    operation.clone(),
                ));
            }
        }
    }
    all
}

#[actix_web::test]
async fn every_documented_operation_is_served_and_secured_ones_refuse_strangers() {
    let door = Door::new();
    let document = door.get("/api-docs/openapi.json").await.json();
    let all = operations(&document);
    assert!(all.len() >= 16, "{}", all.len());
    for (method, path, operation) in all {
        let request = TestRequest::default().method(method.clone()).uri(&path).set_json(json!({}));
        let answer = door.send(request).await;
        assert_ne!(answer.status, 405, "{method} {path}");
        assert!(answer.status < 500, "{method} {path}: {}", answer.text);
        let secured = operation["security"].as_array().is_some_and(|all| !all.contains(&json!({})));
        assert_eq!(
            answer.status == 401,
            secured || path.ends_with("/login") && answer.status == 401,
            "{method} {path}"
        );
        let documented = &operation["responses"][answer.status.to_string()];
        assert!(documented.is_object(), "{method} {path} does not document {}", answer.status);
    }
}

#[actix_web::test]
async fn every_answer_has_a_description_and_every_error_a_schema() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{method} {path}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert_ne!(response["description"], "", "{method} {path} {status}");
            if status.starts_with('4') {
                let schema = &response["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Error", "{method} {path} {status}");
            }
        }
    }
}

/// An example that the operation itself refuses would lead everybody astray.
#[actix_web::test]
async fn every_body_has_an_example_and_those_of_requests_are_taken() {
    let door = Door::new();
    let admin = door.person(domain::permission::Role::Admin).await;
    for (method, path, operation) in operations(&document()) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            for (kind, content) in response["content"].as_object().into_iter().flatten() {
                // Of bytes no example tells anything.
                let legible = kind == "application/json" || kind.starts_with("text/");
                let shown = content.get("example").is_some() == legible;
                assert!(shown || !status.starts_with('2'), "{method} {path} {status} {kind}");
            }
        }
        let asked = operation["requestBody"]["content"].as_object().into_iter().flatten();
        // Files are sent by tests of their own.
        for (kind, content) in asked.filter(|(kind, _)| *kind == "application/json") {
            let example = content.get("example").unwrap_or_else(|| panic!("{method} {path} {kind}"));
            let request = TestRequest::default().method(method.clone()).uri(&path).set_json(example);
            let answer = door.send(request.insert_header(door.bearer(&admin))).await;
            // The category of an example is in no shop.
            let names_category = |one: &String| one.contains(" /categoryId ") || one.contains(" /parentId ");
            // A moment of an example is not of the last days.
            let names_moment = |one: &String| one.contains(" /since ");
            let told =
                answer.status == 400 && !answer.broken().iter().all(|one| names_category(one) || names_moment(one));
            // Nobody answers questions here.
            let asks = path == "/api/v1/chat" || path.ends_with("/generations");
            let away = asks && answer.status == 503;
            assert!(!told && (answer.status < 500 || away), "{method} {path} {example}: {}", answer.text);
        }
    }
}

#[actix_web::test]
async fn every_reference_leads_somewhere() {
    fn walk(value: &Value, root: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, root)),
            Value::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                    assert!(root.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
                }
                map.values().for_each(|item| walk(item, root));
            }
            _ => {}
        }
    }
    for document in [document(), souk_api::openapi30(&Rules::default())] {
        walk(&document, &document);
    }
}

/// A field the document names and the reader does not, or the other way round, would be refused or ignored.
#[actix_web::test]
async fn every_field_the_document_names_is_read() {
    let door = Door::new();
    let admin = door.person(domain::permission::Role::Admin).await;
    let document = document();
    for (method, path, operation) in operations(&document) {
        let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema/$ref") else { continue };
        let schema = document.pointer(schema.as_str().unwrap().trim_start_matches('#')).unwrap();
        let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        // An array of arrays has the wrong type for every field; a field that is not read is `unknown` instead.
        let body: serde_json::Map<String, Value> = names.iter().map(|name| ((*name).clone(), json!([[]]))).collect();
        let request = TestRequest::default().method(method.clone()).uri(&path).set_json(Value::Object(body));
        let answer = door.send(request.insert_header(door.bearer(&admin))).await;
        let broken = answer.broken();
        assert!(!broken.iter().any(|one| one.ends_with(" unknown")), "{method} {path}: {broken:?}");
        for name in names {
            let told = broken.iter().any(|one| one.starts_with(&format!("body /{name}")));
            assert!(told, "{method} {path} does not read {name}: {}", answer.text);
        }
    }
}

/// The same for parameters.
#[actix_web::test]
async fn every_parameter_the_document_names_is_read() {
    let door = Door::new();
    let admin = door.person(domain::permission::Role::Admin).await;
    let document = document();
    for (method, path, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            let uri = format!("{path}?{name}=a&{name}=b");
            let request = TestRequest::default().method(method.clone()).uri(&uri).set_json(json!({}));
            let broken = door.send(request.insert_header(door.bearer(&admin))).await.broken();
            // A list may be given twice, but not of just anything.
            let list = parameter["schema"]["type"].to_string().contains("array");
            let rules: &[&str] = if list { &["enum", "topic"] } else { &["once"] };
            let told = rules.iter().any(|rule| broken.contains(&format!("query {name} {rule}")));
            assert!(told, "{method} {uri}: {broken:?}");
        }
    }
}

/// No handler has to refuse them: a new one cannot forget to.
#[actix_web::test]
async fn no_operation_takes_a_parameter_it_does_not_declare() {
    let door = Door::new();
    let admin = door.person(domain::permission::Role::Admin).await;
    let all = operations(&document());
    let requests = all.iter().map(|(method, path, _)| {
        let request = TestRequest::default().method(method.clone()).uri(&format!("{path}?colour=red"));
        request.set_json(json!({})).insert_header(door.bearer(&admin))
    });
    for ((method, path, _), answer) in all.iter().zip(door.send_all(requests).await) {
        let told = answer.broken().iter().any(|one| one == "query colour unknown");
        assert!(answer.status == 400 && told, "{method} {path}: {}", answer.text);
    }
    for path in ["/api/auth/register", "/api/auth/login"] {
        let answer = door.send(TestRequest::post().uri(&format!("{path}?colour=red")).set_json(json!({}))).await;
        assert_eq!(answer.broken(), ["query colour unknown"], "{path}");
    }
}
