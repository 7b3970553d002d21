//! The one HTTP client against real listeners, some of which mean ill.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "all of this is tests")]

use std::{
    io::{BufRead, BufReader, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use souk_integrations::client::{CallError, CallSettings, HttpClient, Lookup, Method, Target, header};

/// Serves every connection by the same rule, on threads that end with the test's process.
struct Peer {
    address: SocketAddr,
    /// The heads of all requests.
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Peer {
    fn at(ip: [u8; 4], port: u16, answer: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((IpAddr::from(ip), port)).unwrap();
        let address = listener.local_addr().unwrap();
        let (heads, connections) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicUsize>::default());
        let (kept, counted, answer) = (Arc::clone(&heads), Arc::clone(&connections), Arc::new(answer));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::SeqCst);
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                    let head: Vec<String> =
                        lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                    let head = head.join("\n");
                    kept.lock().unwrap().push(head.clone());
                    answer(&mut stream, &head);
                });
            }
        });
        Self { address, heads, connections }
    }

    fn new(answer: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) -> Self {
        Self::at([127, 0, 0, 1], 0, answer)
    }

    fn saying(body: &'static str) -> Self {
        Self::new(move |stream, _| ok(stream, body))
    }

    fn leading_to(location: String) -> Self {
        Self::new(move |stream, _| {
            let _ = write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        })
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn ok(stream: &mut TcpStream, body: &str) {
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
}

/// A name that leads to other addresses each time.
struct Turning(Mutex<Vec<Vec<IpAddr>>>);

#[async_trait]
impl Lookup for Turning {
    async fn addresses(&self, _: &str) -> std::io::Result<Vec<SocketAddr>> {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Ok(answer.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect())
    }
}

fn quick() -> CallSettings {
    CallSettings { head: Duration::from_millis(400), whole: Duration::from_millis(600), ..CallSettings::default() }
}

fn client(allowed: &[&str]) -> HttpClient {
    let allowed = allowed.iter().map(|network| network.parse().unwrap()).collect();
    HttpClient::new(CallSettings { allowed, ..quick() }).unwrap()
}

fn turning(allowed: &[&str], answers: &[&[[u8; 4]]]) -> HttpClient {
    let allowed = allowed.iter().map(|network| network.parse().unwrap()).collect();
    let answers = answers.iter().map(|one| one.iter().map(|ip| IpAddr::from(*ip)).collect()).collect();
    HttpClient::with_lookup(CallSettings { allowed, ..quick() }, Arc::new(Turning(Mutex::new(answers)))).unwrap()
}

fn user(url: &str) -> Target {
    Target::of_user(url).unwrap()
}

#[tokio::test]
async fn a_base_of_the_operator_may_be_anywhere_and_an_address_of_a_user_may_not() {
    let peer = Peer::saying("inside");
    let client = client(&[]);
    let trusted = Target::of_operator(&peer.url()).unwrap();
    let answer = client.request(Method::GET, &trusted).send().await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"inside"[..]));
    let port = peer.address.port();
    for url in [
        peer.url(),
        format!("http://localhost:{port}"),
        format!("http://[::ffff:127.0.0.1]:{port}"),
        format!("http://2130706433:{port}"),
    ] {
        let refused = client.request(Method::GET, &user(&url)).send().await.unwrap_err();
        assert!(matches!(refused, CallError::Host), "{url}: {refused:?}");
    }
    assert_eq!(peer.connections(), 1, "nothing was connected to for them");
}

#[tokio::test]
async fn a_name_that_turns_gains_nothing() {
    // Both listen on one port, since a name does not choose it.
    let good = Peer::at([127, 0, 0, 2], 0, |stream, _| ok(stream, "good"));
    let evil = Peer::at([127, 0, 0, 1], good.address.port(), |stream, _| ok(stream, "evil"));
    let url = format!("http://turning.example:{}", good.address.port());
    let (allowed, inside) = ([127, 0, 0, 2], [127, 0, 0, 1]);
    let client = turning(&["127.0.0.2"], &[&[allowed], &[inside]]);
    assert_eq!(&client.request(Method::GET, &user(&url)).send().await.unwrap().body[..], b"good");
    assert!(matches!(client.request(Method::GET, &user(&url)).send().await, Err(CallError::Host)));
    // Of several addresses only those outside are tried.
    let client = turning(&["127.0.0.2"], &[&[inside, allowed]]);
    assert_eq!(&client.request(Method::GET, &user(&url)).send().await.unwrap().body[..], b"good");
    assert_eq!((good.connections(), evil.connections()), (2, 0));
}

#[tokio::test]
async fn every_redirect_is_vetted() {
    let inside = Peer::saying("secret");
    let name = format!("http://inside.example:{}", inside.address.port());
    for (n, location) in [inside.url(), name, "file:///etc/passwd".to_owned(), "http://a:b@127.0.0.9/".to_owned()]
        .into_iter()
        .enumerate()
    {
        let outside = Peer::at([127, 0, 0, 9], 0, move |stream, _| {
            let _ = write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        });
        let client = turning(&["127.0.0.9"], &[&[[127, 0, 0, 1]]]);
        let refused = client.request(Method::GET, &user(&outside.url())).send().await.unwrap_err();
        assert!(matches!(refused, CallError::Host | CallError::Address(_)), "{n}: {refused:?}");
        assert_eq!(outside.connections(), 1);
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn redirects_are_followed_by_what_asks_only_and_not_for_ever() {
    let end = Peer::saying("there");
    let way = Peer::leading_to(end.url());
    let client = client(&["127.0.0.0/8"]);
    let begun = client
        .request(Method::GET, &user(&way.url()))
        .header(header::AUTHORIZATION, "Bearer x")
        .header(header::ACCEPT, "text/plain");
    assert_eq!(&begun.send().await.unwrap().body[..], b"there");
    let heads = end.heads.lock().unwrap().join("\n").to_lowercase();
    assert!(heads.contains("accept: text/plain") && !heads.contains("authorization"), "{heads}");
    let posted =
        client.request(Method::POST, &user(&way.url())).json(&serde_json::json!({ "a": 1 })).send().await.unwrap();
    assert_eq!(
        (posted.status.as_u16(), end.connections()),
        (302, 1),
        "the answer to what changes something is the redirect"
    );
    let round = Peer::new(|stream, _| {
        let _ = write!(stream, "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    assert!(matches!(client.request(Method::GET, &user(&round.url())).send().await, Err(CallError::Redirect)));
    assert_eq!(round.connections(), 4, "three redirects");
    // What the operator configured is not left.
    let trusted = Target::of_operator(&way.url()).unwrap();
    assert!(matches!(client.request(Method::GET, &trusted).send().await, Err(CallError::Redirect)));
    assert_eq!(end.connections(), 1);
}

#[tokio::test]
async fn an_answer_has_bounds_of_size() {
    let announced = Peer::saying("0123456789");
    let unannounced = Peer::new(|stream, _| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        // Until nobody listens any more.
        while stream.write_all(&[b'x'; 8192]).is_ok() {}
    });
    let client = client(&["127.0.0.1"]);
    assert_eq!(client.request(Method::GET, &user(&announced.url())).at_most(10).send().await.unwrap().body.len(), 10);
    for (url, limit) in [(announced.url(), 9), (unannounced.url(), 100_000)] {
        let refused = client.request(Method::GET, &user(&url)).at_most(limit).send().await.unwrap_err();
        assert!(matches!(refused, CallError::TooLarge(most) if most == limit), "{refused:?}");
    }
    let mut flow = client.request(Method::GET, &user(&unannounced.url())).at_most(100_000).flow().await.unwrap();
    let mut read = 0;
    let ended = loop {
        match flow.next().await {
            Ok(Some(chunk)) => read += chunk.len(),
            ended => break ended,
        }
    };
    assert!(matches!(ended, Err(CallError::TooLarge(_))) && read <= 100_000, "{ended:?} after {read}");
}

#[tokio::test]
async fn five_gigabytes_are_refused_before_they_are_read() {
    const LENGTH: u64 = 5 * 1024 * 1024 * 1024;
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let huge = Peer::new(move |stream, _| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[b'x'; 8192]).is_ok() {
            counted.fetch_add(8192, Ordering::SeqCst);
        }
    });
    let refused = client(&["127.0.0.1"]).request(Method::GET, &user(&huge.url())).send().await.unwrap_err();
    assert!(matches!(refused, CallError::TooLarge(1_048_576)), "{refused:?}");
    // What the buffers of both sockets took, at most.
    assert!(sent.load(Ordering::SeqCst) < 64 * 1024 * 1024, "{sent:?}");
}

#[tokio::test]
async fn the_head_of_an_answer_has_bounds() {
    let many = Peer::new(|stream, _| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x-more: of it\r\n").is_ok() {}
    });
    let long = Peer::new(|stream, _| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nx-long: ");
        while stream.write_all(&[b'x'; 8192]).is_ok() {}
    });
    let client = client(&["127.0.0.1"]);
    for peer in [many, long] {
        let refused = client.request(Method::GET, &user(&peer.url())).send().await.unwrap_err();
        assert!(matches!(refused, CallError::Away(_)), "{refused:?}");
        assert!(refused.may_pass());
    }
}

/// They are read in a loop that looks at no clock, so it must not turn where the clock of the call is.
#[tokio::test]
async fn a_flood_of_interim_answers_holds_a_call_no_longer_than_it_may() {
    let flood = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(2000);
    let early = Peer::new(move |stream, _| while stream.write_all(flood.as_bytes()).is_ok() {});
    let client = client(&["127.0.0.1"]);
    let begun = Instant::now();
    let late = client.request(Method::GET, &user(&early.url())).send().await.unwrap_err();
    assert!(matches!(late, CallError::TimedOut(most) if most == Duration::from_millis(400)), "{late:?}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_answer_of_the_wrong_form_is_told_clearly() {
    #[derive(Debug, serde::Deserialize)]
    struct Expected {
        #[expect(dead_code, reason = "no answer here comes to be one")]
        price: f64,
    }
    let client = client(&["127.0.0.1"]);
    let deep: &'static str = Box::leak(format!("{{\"price\":{}", "[".repeat(100_000)).into_boxed_str());
    for body in ["{\"price\":1e400}", "{\"price\":\"1\"}", "{\"price\":NaN}", "{}", "[]", "<html>", "", deep] {
        let peer = Peer::saying(body);
        let answer = client.request(Method::GET, &user(&peer.url())).send().await.unwrap();
        let refused = answer.json::<Expected>().unwrap_err();
        assert!(matches!(refused, CallError::Away(_)), "{refused:?}");
    }
}

#[tokio::test]
async fn an_answer_has_bounds_of_time() {
    // They hold connections open until the test has ended.
    let (held, open_for) = mpsc::channel::<()>();
    let open_for = Arc::new(Mutex::new(open_for));
    let until_the_end = move |open_for: &Arc<Mutex<mpsc::Receiver<()>>>| {
        let _ = open_for.lock().unwrap().recv();
    };
    let silent = Peer::new({
        let open_for = Arc::clone(&open_for);
        move |_, _| until_the_end(&open_for)
    });
    let dripping = Peer::new(|stream, _| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        while stream.write_all(b"x").and_then(|()| stream.flush()).is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let client = client(&["127.0.0.1"]);
    let began = Instant::now();
    let late = client.request(Method::GET, &user(&silent.url())).send().await.unwrap_err();
    assert!(matches!(late, CallError::TimedOut(most) if most == Duration::from_millis(400)), "{late:?}");
    let late = client.request(Method::GET, &user(&dripping.url())).send().await.unwrap_err();
    assert!(matches!(late, CallError::TimedOut(most) if most == Duration::from_millis(600)), "{late:?}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(
        late.may_pass()
            && matches!(late.into_domain("The other side"), domain::Error::Unavailable { what: "The other side", .. })
    );
    // A flow that goes on is not cut, however long it takes as a whole.
    let mut flow = client.request(Method::GET, &user(&dripping.url())).flow().await.unwrap();
    let until = Instant::now() + Duration::from_millis(900);
    while Instant::now() < until {
        assert!(flow.next().await.unwrap().is_some());
    }
    drop(held);
}

#[tokio::test]
async fn who_is_away_is_told_apart_from_what_cannot_be_sent() {
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let client = client(&["127.0.0.1"]);
    let away = client.request(Method::GET, &user(&format!("http://{gone}/?token=s3cret"))).send().await.unwrap_err();
    assert!(matches!(away, CallError::Away(_)), "{away:?}");
    assert!(!format!("{away:?}").contains("s3cret"), "{away:?}");
    let bad = client.request(Method::GET, &user("http://127.0.0.1")).header(header::ACCEPT, "a\r\nb: c").send().await;
    assert!(matches!(bad, Err(CallError::Request(_))), "{bad:?}");
    let unknown = client.request(Method::GET, &user("http://nowhere.invalid")).send().await;
    assert!(matches!(unknown, Err(CallError::Host)), "{unknown:?}");
    // The environment's proxy is not asked: nothing reads it here.
    let answer = Peer::saying("{\"a\":1}");
    let read: serde_json::Value =
        client.request(Method::GET, &user(&answer.url())).send().await.unwrap().json().unwrap();
    assert_eq!(read["a"], 1);
    assert!(answer.heads.lock().unwrap()[0].to_lowercase().contains("user-agent: souk/"));
}

/// Serves several requests on each connection, and counts connections.
fn keeping() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, connections) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
    let counted = Arc::clone(&connections);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            counted.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || {
                let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                for _ in lines.filter(String::is_empty) {
                    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere");
                }
            });
        }
    });
    (address, connections)
}

#[test]
fn near_calls_are_made_where_they_are_asked_for_and_each_runtime_keeps_its_connections() {
    let (address, connections) = keeping();
    let client = HttpClient::new(CallSettings { near: true, ..quick() }).unwrap();
    let there = Target::of_operator(&format!("http://{address}")).unwrap();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let call = async || client.request(Method::GET, &there).send().await.unwrap().body;
    let (one, other) = (runtime(), runtime());
    for _ in 0..3 {
        for runtime in [&one, &other] {
            assert_eq!(&runtime.block_on(call())[..], b"here");
        }
    }
    assert_eq!(connections.load(Ordering::SeqCst), 2);
    // What ended with its runtime is not used by another.
    drop((one, other));
    for _ in 0..3 {
        assert_eq!(&runtime().block_on(call())[..], b"here");
    }
    let refused = runtime().block_on(client.request(Method::GET, &user(&format!("http://{address}"))).send());
    assert!(matches!(refused, Err(CallError::Host)), "an address of somebody else is vetted as ever");
}
