//! Somebody who talks to the server.

use reqwest::{Method, RequestBuilder, Url, header::HeaderMap};
use serde_json::{Value, json};

/// A caller, with or without a token.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    token: Option<String>,
    http: reqwest::Client,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// Method, path and status, for messages.
    pub what: String,
}

impl Client {
    /// A caller without a token.
    pub fn new(base: String) -> Self {
        // Built together with the product, the client knows TLS and wants its provider; who comes second finds it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { base, token: None, http }
    }

    /// The same caller at another node.
    #[must_use]
    pub fn at(&self, base: String) -> Self {
        Self { base, ..self.clone() }
    }

    /// The same caller at another address, on connections of their own.
    #[must_use]
    pub fn apart(&self, base: String) -> Self {
        Self { token: self.token.clone(), ..Self::new(base) }
    }

    /// The same caller with this token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same caller without a token.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// Opens a WebSocket as this caller.
    pub async fn socket(&self) -> crate::Socket {
        crate::Socket::open(&format!("{}/ws", self.base), self.token.as_deref()).await
    }

    /// Opens a WebSocket as this caller, with these parameters in its address.
    pub async fn socket_with(&self, query: &str) -> crate::Socket {
        crate::Socket::open(&format!("{}/ws?{query}", self.base), self.token.as_deref()).await
    }

    /// The token it sends.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// The same caller after sign-in.
    #[must_use = "the caller itself stays as it was"]
    pub async fn sign_in(&self, email: &str, password: &str) -> Self {
        let reply = self.anonymous().post("/api/v1/auth/login", &json!({ "email": email, "password": password })).await;
        self.with_token(reply.expect(200).json()["token"].as_str().unwrap())
    }

    /// Whether a path answers with success.
    pub async fn reachable(&self, path: &str) -> bool {
        self.http.get(format!("{}{path}", self.base)).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    /// A request to shape further; the path may hold a query.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        self.try_send(request).await.unwrap()
    }

    /// Sends a request that may not be answered, because the server may be away.
    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Reply> {
        let request = request.build()?;
        let what = format!("{} {}", request.method(), &request.url().as_str()[self.base.len()..]);
        let answer = self.http.execute(request).await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await?.to_vec();
        Ok(Reply { status, headers, body, what: format!("{what} = {status}") })
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path)).await
    }

    /// `GET` with query parameters, encoded here.
    pub async fn get_with(&self, path: &str, query: &[(&str, &str)]) -> Reply {
        let url = Url::parse_with_params(&format!("{}{path}", self.base), query).unwrap();
        self.get(&url.as_str()[self.base.len()..]).await
    }

    /// `GET` with query parameters, encoded here: the status, and the reply when it is no success. What succeeds may go on
    /// without an end.
    pub async fn begun(&self, path: &str, query: &[(&str, &str)]) -> (u16, Option<Reply>) {
        let url = Url::parse_with_params(&format!("{}{path}", self.base), query).unwrap();
        let request = self.request("GET", &url.as_str()[self.base.len()..]);
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        if answer.status().is_success() {
            return (status, None);
        }
        let what = format!("GET {} = {status}", url.path());
        let body = answer.bytes().await.unwrap().to_vec();
        (status, Some(Reply { status, headers, body, what }))
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request("POST", path).json(body)).await
    }

    /// `PATCH` with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request("PATCH", path).json(body)).await
    }

    /// `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request("PUT", path).json(body)).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.request("DELETE", path)).await
    }
}

impl Reply {
    /// The same reply, when it has this status.
    #[track_caller]
    #[allow(clippy::return_self_not_must_use, reason = "that it has the status is all that many callers want")]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text());
        self
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{}: {e}: {}", self.what, self.text()))
    }

    /// A header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The `error` object of an answer that has this status and code, after a look at its form.
    #[track_caller]
    pub fn error(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text());
        let body = self.json();
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{}: only `error`: {body}", self.what);
        let error = body["error"].clone();
        let mut keys: Vec<&String> = error.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["code", "details", "message", "requestId"], "{}: {error}", self.what);
        assert_eq!(error["code"], code, "{}: {error}", self.what);
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{}: {error}", self.what);
        assert_eq!(error["requestId"].as_str(), Some(self.header("x-request-id")), "{}: {error}", self.what);
        error
    }

    /// Whether the `details` of an error name this field.
    pub fn names(&self, field: &str) -> bool {
        serde_json::from_slice::<Value>(&self.body)
            .is_ok_and(|body| body["error"]["details"].to_string().contains(field))
    }
}
