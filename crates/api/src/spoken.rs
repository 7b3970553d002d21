//! An answer of a model as a stream of events: piece by piece as it is said, with a sign of life where nothing is said for a while.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, http::header, web::Bytes};
use domain::clock::Clock;
use futures_util::{Stream, StreamExt as _, stream};

/// After so long without a word something is written all the same: only so is it noticed that the reader has gone.
const QUIET: Duration = Duration::from_millis(300);
/// What no reader of such a stream takes for a word.
const COMMENT: &[u8] = b": \n\n";

/// The head of such an answer.
pub(crate) fn begun(request: &HttpRequest) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer.content_type("text/event-stream").insert_header((header::CACHE_CONTROL, "no-store"));
    // What gathers pieces holds them back: proxies, and compression where it is asked for.
    answer.insert_header(("X-Accel-Buffering", "no"));
    if request.headers().contains_key(header::ACCEPT_ENCODING) {
        answer.insert_header((header::CONTENT_ENCODING, "identity"));
    }
    answer
}

/// Answers with these pieces, after that head.
pub(crate) fn streamed(
    mut head: HttpResponseBuilder,
    pieces: impl Stream<Item = Bytes> + 'static,
    clock: Arc<dyn Clock>,
) -> HttpResponse {
    head.streaming(alive(pieces, clock).map(Ok::<_, actix_web::Error>))
}

/// These pieces, and between two that are far apart a comment now and then.
fn alive(pieces: impl Stream<Item = Bytes> + 'static, clock: Arc<dyn Clock>) -> impl Stream<Item = Bytes> {
    stream::unfold((Box::pin(pieces), clock), |(mut pieces, clock)| async move {
        let piece = tokio::select! {
            biased;
            piece = pieces.next() => piece?,
            () = quiet(&*clock) => Bytes::from_static(COMMENT),
        };
        Some((piece, (pieces, clock)))
    })
}

/// Ends after the time of a sign of life. Whoever makes the next word on this thread has their turn before, however fast a clock goes.
async fn quiet(clock: &dyn Clock) {
    tokio::task::yield_now().await;
    clock.sleep(QUIET).await;
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use domain::{clock::Timestamp, testing::FakeClock};
    use tokio::sync::mpsc;

    use super::*;

    #[actix_web::test]
    async fn where_nothing_is_said_there_is_a_sign_of_life_and_no_word_is_lost() {
        let clock = Arc::new(FakeClock::at(Timestamp::UNIX_EPOCH));
        let (say, mut said) = mpsc::unbounded_channel::<Bytes>();
        let pieces = stream::poll_fn(move |context| said.poll_recv(context));
        let mut told = pin!(alive(pieces, clock.clone()));
        say.send("one".into()).unwrap();
        assert_eq!((told.next().await, clock.now()), (Some("one".into()), Timestamp::UNIX_EPOCH));
        // A fake clock lets nobody wait, and counts the time.
        assert_eq!(told.next().await, Some(Bytes::from_static(COMMENT)));
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH + QUIET);
        say.send("two".into()).unwrap();
        drop(say);
        assert_eq!((told.next().await, told.next().await), (Some("two".into()), None));
    }
}
