//! Whether the faults are what they are called.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use super::*;

/// Says back what it hears, on threads that end with the test's process.
fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut back = stream.try_clone().unwrap();
                let _ = std::io::copy(&mut stream, &mut back);
                let _ = back.shutdown(Shutdown::Write);
            });
        }
    });
    address
}

fn call(proxy: &FaultProxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.here()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// What comes back of it, and how long that took.
fn said(stream: &mut TcpStream, text: &str) -> (std::io::Result<String>, Duration) {
    let started = Instant::now();
    let said = stream.write_all(text.as_bytes()).and_then(|()| {
        let mut back = vec![0; text.len()];
        stream.read_exact(&mut back)?;
        Ok(String::from_utf8(back).unwrap())
    });
    (said, started.elapsed())
}

/// Waits until the proxy has as many connections open.
fn until_open(proxy: &FaultProxy, count: usize) {
    let until = Instant::now() + Duration::from_secs(20);
    while proxy.open() != count {
        assert!(Instant::now() < until, "{} are open", proxy.open());
        std::thread::yield_now();
    }
}

#[test]
fn without_a_fault_everything_passes() {
    let proxy = FaultProxy::to(&echo());
    let mut stream = call(&proxy);
    let long = "x".repeat(200_000);
    let mut back = stream.try_clone().unwrap();
    let heard = std::thread::spawn(move || {
        let mut all = String::new();
        back.read_to_string(&mut all).map(|_| all)
    });
    stream.write_all(long.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(heard.join().unwrap().unwrap() == long, "an end in order passes both ways");
    until_open(&proxy, 0);
    assert_eq!(proxy.ever(), 1);
}

#[test]
fn a_delay_holds_every_piece() {
    let proxy = FaultProxy::to(&echo());
    let mut stream = call(&proxy);
    proxy.set(Fault::Delay(Duration::from_millis(60)));
    let (heard, took) = said(&mut stream, "hello");
    assert_eq!(heard.unwrap(), "hello");
    assert!(took >= Duration::from_millis(120), "there and back: {took:?}");
}

#[test]
fn an_answer_breaks_off_in_its_middle() {
    let proxy = FaultProxy::to(&echo());
    let mut stream = call(&proxy);
    proxy.set(Fault::DropAfter(3));
    stream.write_all(b"hello").unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "hel");
    until_open(&proxy, 0);
}

#[test]
fn a_black_hole_takes_everything_and_gives_it_back_when_it_is_over() {
    let proxy = FaultProxy::to(&echo());
    let mut stream = call(&proxy);
    proxy.set(Fault::BlackHole);
    stream.write_all(b"hello").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(80))).unwrap();
    let mut back = [0; 5];
    assert_eq!(stream.read(&mut back).unwrap_err().kind(), ErrorKind::WouldBlock);
    // Who comes is taken too.
    let mut late = call(&proxy);
    late.set_read_timeout(Some(Duration::from_millis(80))).unwrap();
    late.write_all(b"later").unwrap();
    assert_eq!(late.read(&mut back).unwrap_err().kind(), ErrorKind::WouldBlock);
    proxy.set(Fault::None);
    for (stream, expected) in [(&mut stream, b"hello"), (&mut late, b"later")] {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, expected);
    }
}

#[test]
fn a_reset_breaks_what_is_open_and_what_comes() {
    let proxy = FaultProxy::to(&echo());
    let mut stream = call(&proxy);
    assert!(said(&mut stream, "hello").0.is_ok());
    proxy.set(Fault::Reset);
    let mut back = [0; 1];
    assert_eq!(stream.read(&mut back).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let late = TcpStream::connect(proxy.here()).and_then(|mut late| late.read(&mut back));
    assert_eq!(late.unwrap_err().kind(), ErrorKind::ConnectionReset);
    proxy.set(Fault::None);
    assert!(said(&mut call(&proxy), "again").0.is_ok());
}

#[test]
fn a_drip_comes_in_drops_and_ends_with_the_fault() {
    let proxy = FaultProxy::to(&echo());
    let mut stream = call(&proxy);
    proxy.set(Fault::Drip { bytes: 1, every: Duration::from_millis(20) });
    let (heard, took) = said(&mut stream, "hello");
    assert_eq!(heard.unwrap(), "hello");
    assert!(took >= Duration::from_millis(80), "four pauses: {took:?}");
    proxy.set(Fault::Drip { bytes: 1, every: Duration::from_mins(10) });
    stream.write_all(b"hello").unwrap();
    let mut back = [0; 5];
    stream.read_exact(&mut back[..1]).unwrap();
    proxy.set(Fault::None);
    stream.read_exact(&mut back[1..]).unwrap();
    assert_eq!(&back, b"hello");
}

#[test]
fn a_half_close_ends_the_answer_and_takes_what_comes() {
    let proxy = FaultProxy::to(&echo());
    let mut stream = call(&proxy);
    proxy.set(Fault::HalfClose);
    stream.write_all(b"hello").unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "", "the answer has ended");
    for _ in 0..3 {
        stream.write_all(b"still here").unwrap();
    }
    assert_eq!(proxy.open(), 1, "and the connection has not");
}

#[test]
fn nobody_listens_at_what_was_stopped_until_it_is_there_again() {
    let proxy = FaultProxy::to(&echo());
    let mut stream = call(&proxy);
    assert!(said(&mut stream, "hello").0.is_ok());
    proxy.set(Fault::Refuse);
    assert!(stream.read(&mut [0; 1]).is_err());
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(proxy.here()).is_ok() {
        assert!(Instant::now() < until, "it still listens");
    }
    proxy.set(Fault::None);
    while TcpStream::connect(proxy.here()).is_err() {
        assert!(Instant::now() < until, "it does not listen again");
    }
    assert!(said(&mut call(&proxy), "again").0.is_ok());
}

#[test]
fn a_url_keeps_all_but_its_place() {
    let (proxy, through) = FaultProxy::before("postgres://ada:x@127.0.0.1:1/shop?a=b");
    assert_eq!(through, format!("postgres://ada:x@{}/shop?a=b", proxy.here()));
    let (proxy, through) = FaultProxy::before("http://127.0.0.1:1");
    assert_eq!(through, format!("http://{}", proxy.here()));
}
