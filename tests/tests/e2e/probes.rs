//! What operators and their programs ask: `/health`, `/ready`, `/metrics` and the documents.

use serde_json::Value;
use souk_e2e::{Database, Server, on_each_database};

on_each_database!(health_ready_and_metrics_have_their_form, documents_are_served);

async fn health_ready_and_metrics_have_their_form(database: Database) {
    let server = Server::start(database).await;
    let client = server.client();

    let health = client.get("/health").await.expect(200).json();
    assert_eq!(health["status"], "healthy");
    assert!(health["timestamp"].as_str().unwrap().ends_with('Z'), "{health}");
    assert!(health["uptime"].as_f64().unwrap() >= 0.0, "{health}");

    let ready = client.get("/ready").await.expect(200).json();
    assert_eq!((&ready["database"], &ready["redis"]), (&Value::Bool(true), &Value::Bool(true)), "{ready}");
    assert_eq!(ready["degraded"].as_array().map(Vec::len), Some(0), "{ready}");

    client.get("/api/v1/products?limit=1").await.expect(200);
    client.get("/api/v1/products/019f0000-0000-7000-8000-000000000000").await.expect(404);
    let metrics = client.get("/metrics").await.expect(200);
    assert!(metrics.header("content-type").starts_with("text/plain"), "{}", metrics.header("content-type"));
    let text = metrics.text();
    for name in ["http_requests_total", "http_request_duration_seconds", "db_query_duration_seconds"] {
        assert!(text.contains(&format!("# TYPE {name} ")), "{name} is missing:\n{text}");
    }
    let templated = text.lines().find(|line| line.starts_with("http_requests_total{") && line.contains("\"404\""));
    let templated = templated.unwrap_or_else(|| panic!("no 404 is counted:\n{text}"));
    assert!(templated.contains("{id}") && !templated.contains("019f0000"), "labels are route templates: {templated}");
}

async fn documents_are_served(database: Database) {
    let server = Server::start(database).await;
    let client = server.client();
    let document = client.get("/api-docs/openapi.json").await.expect(200).json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let older = client.get("/api-docs/openapi-3.0.json").await.expect(200).json();
    assert_eq!(older["openapi"], "3.0.3");
    let printed: Value = serde_json::from_str(&server.run_command(&["openapi"]).1).unwrap();
    assert_eq!(printed, document, "`souk openapi` prints what is served");

    let page = client.get("/swagger-ui/").await.expect(200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe-eval"), "{policy:?}");
}
