//! Another server of WebSockets, which tells everybody what is POSTed to it.

use std::error::Error;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::ws::PADDING;

/// Says numbers.
pub struct Publisher {
    socket: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

impl Publisher {
    pub async fn connect(address: &str) -> Result<Self, Box<dyn Error>> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, host: address.to_owned(), buffer: vec![0; 4096] })
    }

    pub async fn publish(&mut self, number: usize) -> Result<(), Box<dyn Error>> {
        // The content alone: what Souk tells beside it, such as who said it, is its own cost.
        let body = format!("{{\"content\":\"{number} {}\"}}", "x".repeat(PADDING));
        let head = format!("POST /broadcast HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n\r\n", self.host, body.len());
        self.socket.write_all(format!("{head}{body}").as_bytes()).await?;
        let read = self.socket.read(&mut self.buffer).await?;
        if !self.buffer[..read].starts_with(b"HTTP/1.1 200") {
            return Err("a message was refused".into());
        }
        Ok(())
    }
}
