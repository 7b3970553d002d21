//! A model that answers at once, always the same.

use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

use crate::{
    Done,
    http::{Line, length},
};

const WORDS: &str = "The bracket prints flat without supports in about two hours at standard quality.";

pub(crate) async fn serve(port: u16) -> Done {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(connection(stream));
    }
}

async fn connection(stream: TcpStream) -> Done {
    let head = r#""id":"chatcmpl-1","created":1700000000,"model":"fake""#;
    let usage = r#""usage":{"prompt_tokens":24,"completion_tokens":15,"total_tokens":39}"#;
    let whole = format!(
        r#"{{{head},"object":"chat.completion","choices":[{{"index":0,"message":{{"role":"assistant","content":"{WORDS}"}},"finish_reason":"stop"}}],{usage}}}"#
    );
    let whole =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{whole}", whole.len());
    let mut pieces = String::new();
    let mut piece = |data: String| {
        let event = format!("data: {data}\n\n");
        pieces.push_str(&format!("{:x}\r\n{event}\r\n", event.len()));
    };
    for word in WORDS.split_inclusive(' ') {
        piece(format!(
            r#"{{{head},"object":"chat.completion.chunk","choices":[{{"index":0,"delta":{{"content":"{word}"}},"finish_reason":null}}]}}"#
        ));
    }
    piece(format!(
        r#"{{{head},"object":"chat.completion.chunk","choices":[{{"index":0,"delta":{{}},"finish_reason":"stop"}}]}}"#
    ));
    piece(format!(r#"{{{head},"object":"chat.completion.chunk","choices":[],{usage}}}"#));
    piece("[DONE]".to_owned());
    let stream_head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let streamed = format!("{stream_head}{pieces}0\r\n\r\n");
    let mut line = Line::new(stream);
    while let Some(head) = line.head().await? {
        let asked = line.body(length(&head)).await?;
        let streams = asked.windows(13).any(|part| part == b"\"stream\":true");
        line.stream.write_all(if streams { streamed.as_bytes() } else { whole.as_bytes() }).await?;
    }
    Ok(())
}
