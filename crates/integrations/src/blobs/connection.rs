//! The one HTTP client, as the library of the store wants it.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use async_trait::async_trait;
use bytes::Bytes;
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
    },
};
use reqwest::{Body, Method, Request, Url};

use crate::{
    client::{after, class_of},
    resilience::{Class, Dependency, Repeat},
};

/// Gives everybody who asks the same client, whose settings are ours, and calls the store on its terms: what is tried again is
/// decided here for all calls of the house, and not by the library.
#[derive(Clone)]
pub(super) struct Connection {
    pub client: reqwest::Client,
    pub store: Dependency,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl HttpConnector for Connection {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connection {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url: Url = parts.uri.to_string().parse().map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        // An object is written whole under its name, so writing it twice is writing it once.
        let repeat = if parts.method == Method::POST { Repeat::Unsent } else { Repeat::Always };
        let called = self.store.call(repeat, |_| {
            let mut request = Request::new(parts.method.clone(), url.clone());
            request.headers_mut().clone_from(&parts.headers);
            *request.body_mut() = Some(Body::wrap(body.clone()));
            async {
                let answer = self.client.execute(request).await;
                let class = class(&answer);
                (answer, class)
            }
        });
        let answer = called.await.map_err(|refused| HttpError::new(HttpErrorKind::Unknown, refused))?;
        let answer: http::Response<Body> = answer.map_err(fault)?.into();
        let (parts, body) = answer.into_parts();
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(Answer(body))))
    }
}

fn class(answer: &reqwest::Result<reqwest::Response>) -> Class {
    match answer {
        Ok(answer) => class_of(answer.status(), after(answer.headers().get(reqwest::header::RETRY_AFTER))),
        Err(error) if error.is_connect() => Class::Unsent,
        Err(error) if error.is_builder() => Class::Ours,
        Err(_) => Class::Failed,
    }
}

/// The body of an answer, whose faults are told in the terms of the library.
struct Answer(Body);

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, HttpError>>> {
        Pin::new(&mut self.0).poll_frame(context).map_err(fault)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.size_hint()
    }
}

/// Which faults are tried again is the library's to say; ours is what they are. An address is not among it: it may be signed.
fn fault(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_request() || error.is_body() {
        HttpErrorKind::Interrupted
    } else if error.is_decode() {
        HttpErrorKind::Decode
    } else {
        HttpErrorKind::Unknown
    };
    HttpError::new(kind, error.without_url())
}
