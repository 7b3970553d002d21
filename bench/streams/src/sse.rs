//! Server-sent events: clients hear of a product, the publisher changes its stock.

use std::{error::Error, sync::Arc, time::Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Run, number};

pub async fn listen(run: Arc<Run>, address: String) -> Option<()> {
    let mut socket = TcpStream::connect(&address).await.ok()?;
    let request = format!("GET /api/v1/events?topics=products HTTP/1.1\r\nhost: {address}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.ok()?;
    let (mut text, mut buffer, mut last, mut open) = (String::new(), vec![0; 8192], 0, false);
    loop {
        let read = socket.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        let now = Instant::now();
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        if !open && text.contains("retry:") {
            open = true;
            run.listens();
        }
        while let Some((message, _)) = text.split_once("\n\n") {
            let length = message.len() + 2;
            if let Some(stock) = number(message, "\"stock\":") {
                run.heard(stock, &mut last, now);
            }
            text.drain(..length);
        }
    }
}

/// Changes the stock of a product.
pub struct Publisher {
    socket: TcpStream,
    head: String,
    buffer: Vec<u8>,
}

impl Publisher {
    pub async fn connect(address: &str, token: &str, product: &str) -> Result<Self, Box<dyn Error>> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let head = format!(
            "PATCH /api/v1/products/{product} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\n"
        );
        Ok(Self { socket, head, buffer: vec![0; 16384] })
    }

    pub async fn publish(&mut self, number: usize) -> Result<(), Box<dyn Error>> {
        let body = format!("{{\"stock\":{number}}}");
        let request = format!("{}content-length: {}\r\n\r\n{body}", self.head, body.len());
        self.socket.write_all(request.as_bytes()).await?;
        let read = self.socket.read(&mut self.buffer).await?;
        let answer = String::from_utf8_lossy(&self.buffer[..read.min(80)]).into_owned();
        if !answer.starts_with("HTTP/1.1 200") {
            return Err(format!("a change was refused: {answer}").into());
        }
        Ok(())
    }
}
