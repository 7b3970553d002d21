//! The least that a server of WebSockets can do: it writes what is POSTed to /broadcast to every socket from as many threads
//! as it is told, and nothing else. No runtime, no room, nobody is asked who they are. What it reaches is what this machine
//! and the measuring client leave to any server.
//!
//! ```text
//! floor PORT THREADS
//! ```

use std::{
    error::Error,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Barrier, Mutex, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The answer to the one key that the measuring client sends.
const ACCEPTED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct Hall {
    parts: Vec<Mutex<Vec<TcpStream>>>,
    said: RwLock<Vec<u8>>,
    begin: Barrier,
    end: Barrier,
    next: AtomicUsize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(port), Some(threads)) = (arguments.next(), arguments.next()) else {
        return Err("usage: floor PORT THREADS".into());
    };
    let (port, threads): (u16, usize) = (port.parse()?, threads.parse()?);
    let hall = Arc::new(Hall {
        parts: (0..threads).map(|_| Mutex::default()).collect(),
        said: RwLock::default(),
        begin: Barrier::new(threads + 1),
        end: Barrier::new(threads + 1),
        next: AtomicUsize::new(0),
    });
    for part in 0..threads {
        let hall = Arc::clone(&hall);
        thread::spawn(move || write(&hall, part));
    }
    for socket in TcpListener::bind(("127.0.0.1", port))?.incoming() {
        let mut socket = socket?;
        socket.set_nodelay(true)?;
        let mut head = vec![0; 1024];
        let read = socket.read(&mut head)?;
        if head[..read].starts_with(b"GET /ws") {
            socket.write_all(ACCEPTED)?;
            let part = hall.next.fetch_add(1, Ordering::Relaxed) % threads;
            hall.parts[part].lock().unwrap().push(socket);
        } else {
            head.truncate(read);
            let hall = Arc::clone(&hall);
            thread::spawn(move || publish(&hall, socket, head));
        }
    }
    Ok(())
}

/// Writes what is said to a part of the sockets, again and again.
fn write(hall: &Hall, part: usize) {
    loop {
        hall.begin.wait();
        let said = hall.said.read().unwrap();
        hall.parts[part].lock().unwrap().retain_mut(|socket| socket.write_all(&said).is_ok());
        drop(said);
        hall.end.wait();
    }
}

/// Lets be written what a publisher says, one after the other.
fn publish(hall: &Hall, mut socket: TcpStream, mut request: Vec<u8>) {
    let mut buffer = [0; 1024];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((_, body)) = text.split_once("\r\n\r\n").filter(|(_, body)| body.ends_with('}')) {
            let length = u16::try_from(body.len()).unwrap();
            let mut frame = vec![0x81, 126];
            frame.extend_from_slice(&length.to_be_bytes());
            frame.extend_from_slice(body.as_bytes());
            *hall.said.write().unwrap() = frame;
            hall.begin.wait();
            hall.end.wait();
            if socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
                return;
            }
            request.clear();
        }
        match socket.read(&mut buffer) {
            Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
}
