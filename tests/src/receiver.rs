//! A receiver of webhooks: a server of our own that keeps what it was sent and answers as it is told.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::hmac;
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::incoming::Incoming;

/// How long anything may take that is waited for, on a machine that runs other tests too.
const PATIENCE: Duration = Duration::from_secs(90);

/// One request that came.
#[derive(Debug, Clone)]
pub struct Hook {
    /// The `webhook-id`.
    pub id: String,
    /// The `webhook-timestamp`.
    pub timestamp: String,
    /// The `webhook-signature`.
    pub signature: String,
    /// The body, byte for byte.
    pub body: String,
    /// When it came.
    pub at: Instant,
    /// What was answered; `None` when nothing was.
    pub answered: Option<u16>,
}

impl Hook {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether one of its signatures was made with this secret (`whsec_..`) over exactly this body.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let secret = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let signed = format!("{}.{}.{}", self.id, self.timestamp, self.body);
        self.signature.split(' ').filter_map(|one| one.strip_prefix("v1,")).any(|one| {
            let made = BASE64_STANDARD.decode(one).unwrap();
            hmac::verify(&key, signed.as_bytes(), &made).is_ok()
        })
    }
}

/// What a receiver does with the request of this number, counted from 0.
type Manners = dyn Fn(usize) -> Manner + Send + Sync;

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It is answered with this status.
    Answer(u16),
    /// It is answered with this status after a while.
    Slowly(u16, Duration),
    /// It is never answered.
    Hang,
}

/// A receiver of webhooks on this machine. It ends with the runtime it was started on.
#[derive(Debug, Clone)]
pub struct Receiver {
    address: SocketAddr,
    hooks: Arc<Mutex<Vec<Hook>>>,
}

impl Receiver {
    /// Starts one with these manners.
    pub async fn start(manners: impl Fn(usize) -> Manner + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self { address: listener.local_addr().unwrap(), hooks: Arc::default() };
        let (manners, count): (Arc<Manners>, _) = (Arc::new(manners), Arc::new(AtomicUsize::new(0)));
        let hooks = Arc::clone(&receiver.hooks);
        #[expect(clippy::disallowed_methods, reason = "the receiver serves beside the test")]
        tokio::spawn(async move {
            let mut serving = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (manners, count, hooks) = (Arc::clone(&manners), Arc::clone(&count), Arc::clone(&hooks));
                serving.spawn(async move { serve(stream, &*manners, &count, &hooks).await });
            }
        });
        receiver
    }

    /// One that takes everything.
    pub async fn healthy() -> Self {
        Self::start(|_| Manner::Answer(204)).await
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// What came so far.
    pub fn hooks(&self) -> Vec<Hook> {
        self.hooks.lock().unwrap().clone()
    }

    /// Waits until what came is as it should be.
    pub async fn until(&self, what: &str, there: impl Fn(&[Hook]) -> bool) -> Vec<Hook> {
        let began = Instant::now();
        loop {
            let hooks = self.hooks();
            if there(&hooks) {
                return hooks;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: after {} requests", hooks.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Serves one connection, request after request.
async fn serve(mut stream: TcpStream, manners: &Manners, count: &AtomicUsize, hooks: &Mutex<Vec<Hook>>) {
    let mut buffer = Vec::new();
    while let Some(request) = Incoming::next(&mut stream, &mut buffer).await {
        let mut hook = hook(&request);
        let manner = manners(count.fetch_add(1, Ordering::SeqCst));
        let status = match manner {
            Manner::Answer(status) => status,
            Manner::Slowly(status, pause) => {
                tokio::time::sleep(pause).await;
                status
            }
            Manner::Hang => {
                hooks.lock().unwrap().push(hook);
                return std::future::pending().await;
            }
        };
        hook.answered = Some(status);
        hooks.lock().unwrap().push(hook);
        let answer = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\nok");
        let answer = if status == 204 { "HTTP/1.1 204 No Content\r\n\r\n".to_owned() } else { answer };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A request as one keeps it.
fn hook(request: &Incoming) -> Hook {
    let of = |name| request.header(name).unwrap_or_default().to_owned();
    Hook {
        id: of("webhook-id"),
        timestamp: of("webhook-timestamp"),
        signature: of("webhook-signature"),
        body: String::from_utf8(request.body.clone()).unwrap(),
        at: Instant::now(),
        answered: None,
    }
}
