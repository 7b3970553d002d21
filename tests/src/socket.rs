//! A client of WebSockets that sees every message, and may break the protocol.

use std::{collections::VecDeque, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        http::{HeaderName, HeaderValue, Response},
    },
};

use crate::is_documented;

/// How long a message may take on a machine that runs other tests too.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open connection.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Messages that were passed over while another was waited for.
    passed: VecDeque<Value>,
    /// The message `connected`.
    pub connected: Value,
    /// The message `room_joined` of the room of all.
    pub global: Value,
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The close code; 1006 when there was none.
    pub code: u16,
    /// The reason.
    pub reason: String,
    /// The last message before it.
    pub farewell: Option<Value>,
}

impl Socket {
    /// Opens a connection, which must be given, and takes its first two messages.
    pub async fn open(url: &str, token: Option<&str>) -> Self {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        Self::try_open(url, &headers).await.unwrap_or_else(|refused| panic!("{url}: {refused:?}"))
    }

    /// Opens a connection with these headers, or gives the answer that refused it.
    pub async fn try_open(url: &str, headers: &[(&str, &str)]) -> Result<Self, Box<Response<Option<Vec<u8>>>>> {
        let url = url.replacen("http", "ws", 1);
        let mut request = url.as_str().into_client_request().unwrap();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        let stream = match connect_async(request).await {
            Ok((stream, _)) => stream,
            Err(Error::Http(answer)) => return Err(answer),
            Err(error) => panic!("{url}: {error}"),
        };
        let nothing = Value::Null;
        let mut socket = Self { stream, passed: VecDeque::new(), connected: nothing.clone(), global: nothing };
        socket.connected = socket.next().await;
        assert_eq!(socket.connected["type"], "connected", "{}", socket.connected);
        socket.global = socket.wait("room_joined").await;
        Ok(socket)
    }

    /// Says something.
    pub async fn say(&mut self, message: &Value) {
        self.send(Message::text(message.to_string())).await;
    }

    /// Sends a message of any kind.
    pub async fn send(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// Sends bytes as they are, past the protocol.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        use tokio::io::AsyncWriteExt as _;
        self.stream.get_mut().write_all(bytes).await.unwrap();
        self.stream.get_mut().flush().await.unwrap();
    }

    /// Says something and gives the answer, which repeats the `ref` it is given here.
    pub async fn ask(&mut self, message: &Value) -> Value {
        let mut message = message.clone();
        message["ref"] = json!("asked");
        self.say(&message).await;
        self.wait_for(|answer| answer["ref"] == "asked").await
    }

    /// Asks for a sign of life by the protocol itself, and waits for it.
    pub async fn ping(&mut self, bytes: &'static [u8]) {
        self.send(Message::Ping(bytes.into())).await;
        loop {
            let read = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("a pong within 20 s");
            match read.unwrap().unwrap() {
                Message::Pong(back) if *back == *bytes => return,
                Message::Text(text) => self.passed.push_back(serde_json::from_str(text.as_str()).unwrap()),
                _ => {}
            }
        }
    }

    /// The next message. Fails when there is none for too long.
    pub async fn next(&mut self) -> Value {
        match self.passed.pop_front() {
            Some(passed) => passed,
            None => self.read().await.unwrap_or_else(|closed| panic!("it was closed: {closed:?}")),
        }
    }

    /// The next message, or how the connection ended.
    pub async fn try_next(&mut self) -> Result<Value, Closed> {
        match self.passed.pop_front() {
            Some(passed) => Ok(passed),
            None => self.read().await,
        }
    }

    /// The next message of this type; others are kept for later.
    pub async fn wait(&mut self, kind: &str) -> Value {
        self.wait_for(|message| message["type"] == kind).await
    }

    /// The next message that fits; others are kept for later.
    pub async fn wait_for(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.passed.iter().position(&fits) {
            return self.passed.remove(place).unwrap();
        }
        loop {
            let message =
                self.read().await.unwrap_or_else(|closed| panic!("it was closed: {closed:?}; {:?}", self.passed));
            if fits(&message) {
                return message;
            }
            self.passed.push_back(message);
        }
    }

    /// Everything of a type that has come up to the answer of a `ping` sent now.
    pub async fn all(&mut self, kind: &str) -> Vec<Value> {
        let pong = self.ask(&json!({ "type": "ping" })).await;
        assert_eq!(pong["type"], "pong");
        let (these, others): (Vec<Value>, Vec<Value>) =
            self.passed.drain(..).partition(|message| message["type"] == kind);
        self.passed = others.into();
        these
    }

    /// Reads to the end.
    pub async fn closed(&mut self) -> Closed {
        let mut farewell = None;
        loop {
            match self.read().await {
                Ok(message) => farewell = Some(message),
                Err(closed) => return Closed { farewell: farewell.filter(|last| last["type"] == "closing"), ..closed },
            }
        }
    }

    /// Ends it as a cut of the network does.
    pub fn cut(self) {
        drop(self.stream);
    }

    /// Ends it in order.
    pub async fn close(mut self) {
        let _ = self.stream.close(None).await;
        while let Ok(Some(Ok(_))) = tokio::time::timeout(PATIENCE, self.stream.next()).await {}
    }

    async fn read(&mut self) -> Result<Value, Closed> {
        loop {
            let read = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            let read = read.unwrap_or_else(|_| panic!("a message within 20 s; kept: {:?}", self.passed));
            match read {
                Some(Ok(Message::Text(text))) => {
                    let message = serde_json::from_str(text.as_str()).unwrap();
                    is_documented("socket", "told", &message);
                    return Ok(message);
                }
                Some(Ok(Message::Close(frame))) => {
                    let (code, reason) =
                        frame.map_or((1005, String::new()), |frame| (frame.code.into(), frame.reason.to_string()));
                    return Err(Closed { code, reason, farewell: None });
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Closed { code: 1006, reason: String::new(), farewell: None }),
            }
        }
    }
}
