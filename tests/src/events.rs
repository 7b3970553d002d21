//! A client of server-sent events that sees every line, as no `EventSource` shows them.

use std::time::Duration;

use reqwest::{RequestBuilder, Response, header::HeaderMap};
use serde_json::Value;

use crate::is_documented;

/// How long a message may take on a machine that runs other tests too.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open stream.
#[derive(Debug)]
pub struct Events {
    answer: Response,
    text: String,
    /// The number it began after, where it was not asked for one.
    pub began: Option<u64>,
}

/// What one blank line ends.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    /// The number given with it.
    pub id: Option<u64>,
    /// Its JSON.
    pub data: Option<Value>,
    /// The wait before a client comes back.
    pub retry: Option<u64>,
    /// Comments.
    pub comment: Option<String>,
}

impl Message {
    /// The `type` of its data, or an empty text.
    pub fn kind(&self) -> &str {
        self.data.as_ref().and_then(|data| data["type"].as_str()).unwrap_or_default()
    }
}

impl Events {
    /// Opens a stream, which must be given, and takes its opening message.
    pub async fn open(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.url());
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut events = Self { answer, text: String::new(), began: None };
        let opening = events.next().await.unwrap();
        assert!(opening.retry.is_some(), "{opening:?}");
        events.began = opening.id;
        events
    }

    /// The headers of the answer.
    pub fn headers(&self) -> &HeaderMap {
        self.answer.headers()
    }

    /// The next message; `None` at the end of the stream. Fails when there is nothing for too long.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let (message, read_to): (Message, usize) = (read(message), self.text.len() - rest.len());
                self.text.drain(..read_to);
                if let Some(data) = &message.data {
                    is_documented("events", "event", data);
                }
                return Some(message);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.answer.chunk()).await.expect("a message within 20 s");
            match chunk {
                Ok(Some(bytes)) => self.text.push_str(std::str::from_utf8(&bytes).unwrap()),
                Ok(None) => {
                    assert!(self.text.is_empty(), "cut within a message: {:?}", self.text);
                    return None;
                }
                Err(error) => panic!("the stream broke: {error}"),
            }
        }
    }

    /// The next message that has data.
    pub async fn told(&mut self) -> Message {
        loop {
            let message = self.next().await.expect("the stream has not ended");
            if message.data.is_some() {
                return message;
            }
        }
    }

    /// The next message that has only a comment and perhaps a number.
    pub async fn heartbeat(&mut self) -> Message {
        loop {
            let message = self.next().await.expect("the stream has not ended");
            if message.comment.is_some() {
                return message;
            }
        }
    }
}

/// Reads the lines of one message, strictly: a line of another form is a fault of the server.
fn read(text: &str) -> Message {
    let mut message = Message::default();
    for line in text.lines() {
        let (field, value) = line.split_once(':').unwrap_or_else(|| panic!("not a line of an event stream: {line:?}"));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => message.comment = Some(value.to_owned()),
            "id" => message.id = Some(value.parse().unwrap()),
            "retry" => message.retry = Some(value.parse().unwrap()),
            "data" => message.data = Some(serde_json::from_str(value).unwrap()),
            other => panic!("an unexpected field: {other}"),
        }
    }
    message
}
