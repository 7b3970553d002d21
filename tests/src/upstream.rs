//! A language model that is none: a server of our own that speaks the chat protocol of `OpenAI`, counts what it said, and behaves as it is
//! told.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::incoming::Incoming;

/// How long anything may take that is waited for, on a machine that runs other tests too.
const PATIENCE: Duration = Duration::from_secs(90);
/// The tokens that every question is said to have.
pub const PROMPT: u64 = 9;

/// How one question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    /// With so many words, and what was used.
    Words(u64),
    /// With as many words as are allowed.
    All,
    /// With so many words more than are allowed.
    Over(u64),
    /// With words that do not end; between two so much time passes.
    Endless(Duration),
    /// With so many words; between two so much time passes.
    Slowly(u64, Duration),
    /// With so many words of a stream, after which the connection breaks.
    CutAfter(u64),
    /// With words, and nothing or zeros of what was used.
    Untold(Option<u64>),
    /// It wants this tool used, with these arguments.
    Uses(&'static str, &'static str),
    /// As a model that does whatever the last text it read tells it: what stands there as `!call TOOL {..}` is the tool it wants. Told
    /// nothing of the sort, it says what it read.
    Obeys,
    /// With what is no JSON.
    Garbage,
    /// After so much time.
    Late(Duration),
    /// With this status.
    Refuse(u16),
}

/// What was answered to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The question.
    pub asked: Value,
    /// By which key it was asked.
    pub key: Option<String>,
    /// Words said.
    pub words: u64,
    /// When its reader went away before the end.
    pub left: Option<Instant>,
}

type Manners = dyn Fn(usize) -> Conduct + Send + Sync;

/// A language model on this machine. It ends with the runtime it was started on.
#[derive(Clone)]
pub struct Upstream {
    address: SocketAddr,
    counted: Arc<Mutex<Vec<Counted>>>,
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Upstream {
    /// Starts one that answers the question of each number, counted from 0, like this.
    pub async fn start(manners: impl Fn(usize) -> Conduct + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Self { address: listener.local_addr().unwrap(), counted: Arc::default() };
        let (manners, number): (Arc<Manners>, _) = (Arc::new(manners), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&upstream.counted);
        #[expect(clippy::disallowed_methods, reason = "the model answers beside the test")]
        tokio::spawn(async move {
            let mut serving = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (manners, number, counted) = (Arc::clone(&manners), Arc::clone(&number), Arc::clone(&counted));
                serving.spawn(async move { serve(stream, &*manners, &number, &counted).await });
            }
        });
        upstream
    }

    /// The base of its protocol.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What it was asked and answered so far.
    pub fn counted(&self) -> Vec<Counted> {
        self.counted.lock().unwrap().clone()
    }

    /// Waits until that is as it should be.
    pub async fn until(&self, what: &str, there: impl Fn(&[Counted]) -> bool) -> Vec<Counted> {
        let began = Instant::now();
        loop {
            let counted = self.counted();
            if there(&counted) {
                return counted;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: after {} questions", counted.len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Answers question after question of one connection.
async fn serve(mut stream: TcpStream, manners: &Manners, number: &AtomicUsize, all: &Mutex<Vec<Counted>>) {
    let mut buffer = Vec::new();
    while let Some(question) = Incoming::next(&mut stream, &mut buffer).await {
        let asked: Value = serde_json::from_slice(&question.body).unwrap();
        let key = question.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
        let conduct = manners(number.fetch_add(1, Ordering::SeqCst));
        let place = {
            let mut all = all.lock().unwrap();
            all.push(Counted { asked: asked.clone(), key, words: 0, left: None });
            all.len() - 1
        };
        let said = |words: u64| all.lock().unwrap()[place].words = words;
        if !answer(&mut stream, &asked, conduct, said).await {
            all.lock().unwrap()[place].left = Some(Instant::now());
            return;
        }
    }
}

/// Answers one question; `false` when the connection is over.
async fn answer(stream: &mut TcpStream, asked: &Value, conduct: Conduct, said: impl Fn(u64)) -> bool {
    if conduct == Conduct::Obeys {
        return obey(stream, asked, said).await;
    }
    let allowed = ["max_tokens", "max_completion_tokens"].iter().find_map(|name| asked[*name].as_u64()).unwrap_or(16);
    let (words, usage) = match conduct {
        Conduct::Words(words) | Conduct::Slowly(words, _) => (words.min(allowed), Some(words.min(allowed))),
        Conduct::All => (allowed, Some(allowed)),
        Conduct::Over(more) => (allowed + more, Some(allowed + more)),
        Conduct::Endless(_) => (u64::MAX, None),
        Conduct::CutAfter(words) => (words, None),
        Conduct::Uses(..) | Conduct::Obeys => (0, Some(1)),
        Conduct::Untold(usage) => (3, usage),
        Conduct::Late(pause) => {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // Whoever asked has gone.
                _ = stream.readable() => return false,
            }
            (1, Some(1))
        }
        Conduct::Garbage => return whole(stream, 200, "{\"choices\": [").await,
        Conduct::Refuse(status) => {
            return whole(stream, status, "{\"error\":{\"message\":\"refused\",\"type\":\"odd\",\"code\":null}}").await;
        }
    };
    let usage = usage.map(|completion| {
        let prompt = if conduct == Conduct::Untold(Some(0)) { 0 } else { PROMPT };
        json!({ "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion })
    });
    if let Some(texts) = asked["input"].as_array() {
        let entry = |(index, text)| json!({ "index": index, "embedding": meaning(text) });
        let data: Vec<Value> = texts.iter().enumerate().map(entry).collect();
        let usage = json!({ "prompt_tokens": PROMPT, "total_tokens": PROMPT });
        return whole(stream, 200, &json!({ "data": data, "usage": usage }).to_string()).await;
    }
    let head = json!({ "id": "chatcmpl-upstream", "created": 1, "model": "upstream", "system_fingerprint": "fp" });
    if asked["stream"] != true {
        said(words);
        let text = "word ".repeat(usize::try_from(words).unwrap());
        let mut body = head;
        body["object"] = "chat.completion".into();
        body["choices"] =
            json!([{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }]);
        body["usage"] = usage.unwrap_or_default();
        return whole(stream, 200, &body.to_string()).await;
    }
    let begin = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    if stream.write_all(begin.as_bytes()).await.is_err() {
        return false;
    }
    for word in 0..words {
        let mut chunk = head.clone();
        chunk["object"] = "chat.completion.chunk".into();
        chunk["choices"] = json!([{ "index": 0, "delta": { "content": "word " }, "finish_reason": null }]);
        if !event(stream, &chunk.to_string()).await {
            return false;
        }
        said(word + 1);
        if let Conduct::Endless(pause) | Conduct::Slowly(_, pause) = conduct {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stream.readable() => return false,
            }
        }
    }
    if matches!(conduct, Conduct::CutAfter(_)) {
        return false;
    }
    let mut last = head.clone();
    last["choices"] = json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]);
    if let Conduct::Uses(name, arguments) = conduct {
        last["choices"] = wants(name, arguments);
    }
    let mut told = head;
    told["choices"] = json!([]);
    let tells = usage.is_some();
    told["usage"] = usage.unwrap_or_default();
    event(stream, &last.to_string()).await
        && (!tells || event(stream, &told.to_string()).await)
        && event(stream, "[DONE]").await
        && stream.write_all(b"0\r\n\r\n").await.is_ok()
}

/// The choices by which a tool is wanted.
fn wants(name: &str, arguments: &str) -> Value {
    let call =
        json!({ "index": 0, "id": "call_1", "type": "function", "function": { "name": name, "arguments": arguments } });
    json!([{ "index": 0, "delta": { "tool_calls": [call] }, "finish_reason": "tool_calls" }])
}

/// Answers a question as [`Conduct::Obeys`] says.
async fn obey(stream: &mut TcpStream, asked: &Value, said: impl Fn(u64)) -> bool {
    let read = asked["messages"].as_array().and_then(|all| all.last()).map(|last| last["content"].to_string());
    // However often it was put into JSON.
    let read = read.unwrap_or_default().replace('\\', "");
    let choices = match told(&read) {
        Some((name, arguments)) => wants(name, &arguments.to_string()),
        None => json!([{ "index": 0, "delta": { "content": read }, "finish_reason": "stop" }]),
    };
    said(1);
    let begin = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let usage = json!({ "prompt_tokens": PROMPT, "completion_tokens": 1, "total_tokens": PROMPT + 1 });
    stream.write_all(begin.as_bytes()).await.is_ok()
        && event(stream, &json!({ "id": "chatcmpl-upstream", "model": "upstream", "choices": choices }).to_string())
            .await
        && event(stream, &json!({ "id": "chatcmpl-upstream", "choices": [], "usage": usage }).to_string()).await
        && event(stream, "[DONE]").await
        && stream.write_all(b"0\r\n\r\n").await.is_ok()
}

/// The tool that a text tells to use, and its arguments.
fn told(text: &str) -> Option<(&str, Value)> {
    let (name, rest) = text.split_once("!call ")?.1.split_once(' ')?;
    Some((name, serde_json::Deserializer::from_str(rest).into_iter().next()?.ok()?))
}

/// A vector of three numbers: what sails, what shines, and anything else.
fn meaning(text: &Value) -> [f32; 3] {
    let text = text.as_str().unwrap_or_default().to_lowercase();
    let any = |words: &[&str]| f32::from(u8::from(words.iter().any(|word| text.contains(word))));
    [any(&["boat", "ship", "vessel"]), any(&["lamp", "light", "lantern"]), 0.25]
}

async fn whole(stream: &mut TcpStream, status: u16, body: &str) -> bool {
    let head = format!(
        "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.is_ok()
}

async fn event(stream: &mut TcpStream, data: &str) -> bool {
    let event = format!("data: {data}\n\n");
    stream.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await.is_ok()
}
