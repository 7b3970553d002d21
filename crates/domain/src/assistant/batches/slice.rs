//! Asking some lines of a batch, a few at once, for a bounded time.

use std::{collections::VecDeque, pin::pin, time::Duration};

use bytes::BytesMut;

use super::{
    AssistantFile, Batch, BatchState, Carrier, LineEnd, LineFault, Said, WaitingLine,
    beside::Beside,
    carry::{Carried, in_hand, pass_on},
    line,
};
use crate::{
    assistant::Usage,
    error::{Error, Result},
    job::Backoff,
    shop::Shop,
};

/// How long a job begins lines.
const SLICE: Duration = Duration::from_secs(20);
/// How often it is looked whether anybody waits for lines that are being asked.
const LOOK: Duration = Duration::from_secs(1);
/// Most lines that a job begins.
const LINES: u32 = 200;
/// How often a line is asked at most: once, and three times more.
const ASKED: u32 = 4;
/// How long a line waits that was not answered.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(4), longest: Duration::from_mins(5) };
/// The longest rest of a batch that was told to come again later: somebody may have made room meanwhile.
const REST: Duration = Duration::from_mins(5);

/// What came of a line.
enum Went {
    /// It has its outcome: whether that is an answer.
    Ended(bool),
    /// It is asked again.
    Again,
    /// It is asked again after this time, and so are others.
    Later(Duration),
    /// Somebody else carries the batch, or it is to ask no more.
    Stopped,
    /// Whoever made the batch may not ask any more.
    Denied(LineFault),
}

impl Carrier {
    /// Asks some lines, and passes the batch on.
    pub(super) async fn slice(&self, shop: &Shop, batch: &Batch) -> Result<Carried> {
        let input = self.input(batch).await?.ok_or_else(|| Error::internal("the lines of an open batch are gone"))?;
        let input = &input;
        let mut due: VecDeque<_> = self.queries.due(batch.id, shop.now(), LINES).await?.into();
        let until = shop.now() + SLICE;
        let (mut asked, mut carried, mut rest, mut is_over) = (Beside::new(), Carried::default(), None, false);
        let (mut denied, mut failed) = (None, None);
        let mut left = pin!(self.left(shop, batch));
        loop {
            while asked.len() < self.rules.at_once && !is_over && shop.now() < until {
                let Some(line) = due.pop_front() else { break };
                asked.begin(self.line(shop, batch, input, line));
            }
            match asked.next(left.as_mut()).await {
                // Calls that go on are dropped, and counted as far as they came.
                None if asked.len() > 0 => return Ok(carried),
                None => break,
                Some(Ok(Went::Ended(true))) => carried.answered += 1,
                Some(Ok(Went::Ended(false))) => carried.refused += 1,
                Some(Ok(Went::Again)) => {}
                Some(Ok(Went::Later(after))) => (rest, is_over) = (rest.max(Some(after)), true),
                Some(Ok(Went::Stopped)) => return Ok(carried),
                Some(Ok(Went::Denied(fault))) => (denied, is_over) = (Some(fault), true),
                // Those beside it come to their end.
                Some(Err(error)) => (failed, is_over) = (Some(error), true),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        self.go_on(shop, batch, denied, rest).await?;
        Ok(carried)
    }

    /// Ends when nobody waits for the lines of a batch any more: it was cancelled or removed, or somebody else carries it.
    async fn left(&self, shop: &Shop, batch: &Batch) {
        let goes_on = |stored: &Batch| stored.fence == batch.fence && stored.state == BatchState::InProgress;
        loop {
            shop.clock.sleep(LOOK).await;
            // Where that cannot be read nothing is stopped.
            if let Ok(found) = self.queries.get(batch.id).await
                && !found.as_ref().is_some_and(goes_on)
            {
                return;
            }
        }
    }

    /// Passes a batch on: to be asked further, or to have its files written.
    async fn go_on(&self, shop: &Shop, batch: &Batch, denied: Option<LineFault>, rest: Option<Duration>) -> Result<()> {
        let waiting = self.queries.waiting(batch.id).await?;
        let denied = &denied;
        shop.write("pass_batch_on", |mut tx| async move {
            let stored = in_hand(&mut *tx, batch).await?;
            let Some(mut batch) = stored.filter(|stored| stored.state == BatchState::InProgress) else {
                return tx.commit(()).await;
            };
            let now = tx.now();
            let mut after = Duration::ZERO;
            if let Some(fault) = denied {
                batch.faults.push(fault.clone());
                batch.closing(BatchState::Failed, now);
            } else if waiting.lines == 0 {
                batch.closing(BatchState::Completed, now);
            } else {
                let until = |at: crate::clock::Timestamp| (at - now).to_std().unwrap_or_default();
                let due = waiting.due.map(until).unwrap_or_default();
                after = rest.map_or(due, |rest| rest.min(REST)).min(until(batch.times.expires_at));
            }
            pass_on(shop, &mut *tx, &mut batch, after).await?;
            tx.commit(()).await
        })
        .await
    }

    /// Asks a line with the rights that whoever made the batch has now.
    async fn line(&self, shop: &Shop, batch: &Batch, input: &AssistantFile, line: WaitingLine) -> Result<Went> {
        let proof = match self.rights.of(batch, shop.now()).await? {
            Ok(proof) => proof,
            Err(fault) => return Ok(Went::Denied(fault)),
        };
        let request = format!("batch_{}:{}", batch.id.0.simple(), line.number);
        if line.attempts >= ASKED {
            let end = LineEnd::Unasked {
                code: "batch_request_lost".to_owned(),
                message: "This line was asked several times, and each time whoever asked it was killed".to_owned(),
            };
            return self.ended(shop, batch, &line, &end, Usage::default()).await;
        }
        let attempts = line.attempts + 1;
        // Whatever becomes of this process, the attempt counts.
        let begun = shop.write("ask_batch_line", |mut tx| async move {
            let stored = in_hand(&mut *tx, batch).await?;
            let (id, now) = (batch.id, tx.now());
            let asks =
                stored.is_some_and(|stored| stored.state == BatchState::InProgress && now < stored.times.expires_at);
            if asks {
                tx.batches().put_off(id, line.number, attempts, now).await?;
            }
            tx.commit(asks).await
        });
        let line = &line_of(line.number, &line.place, attempts);
        if !begun.await? {
            return Ok(Went::Stopped);
        }
        let text = self.text(input, line).await?;
        let read = line::read(&text, batch.endpoint);
        let body = read.map_err(|fault| Error::internal(format!("a line that was good is not: {}", fault.code)))?.body;
        drop(text);
        match self.door.ask(&proof, batch.endpoint, &request, body).await {
            Said::Answer { body, usage } => {
                let end = LineEnd::Answered { status: 200, request, body };
                self.ended(shop, batch, line, &end, usage).await
            }
            Said::Refused { status, body } => {
                let end = LineEnd::Answered { status, request, body };
                self.ended(shop, batch, line, &end, Usage::default()).await
            }
            Said::Failed { status, body } if attempts >= ASKED => {
                let end = LineEnd::Answered { status, request, body };
                self.ended(shop, batch, line, &end, Usage::default()).await
            }
            Said::Failed { .. } => {
                let mut byte = [0];
                shop.entropy.fill(&mut byte);
                let [jitter] = byte;
                self.again(shop, batch, line, attempts, BACKOFF.pause(attempts, jitter)).await
            }
            Said::Later { after, status, body } if shop.now() + after >= batch.times.expires_at => {
                let end = LineEnd::Answered { status, request, body };
                self.ended(shop, batch, line, &end, Usage::default()).await
            }
            Said::Later { after, .. } => {
                let after = after.max(Duration::from_secs(1));
                // It was not asked, so that does not count.
                match self.again(shop, batch, line, line.attempts - 1, after).await? {
                    Went::Again => Ok(Went::Later(after)),
                    other => Ok(other),
                }
            }
        }
    }

    /// What stands in a line.
    async fn text(&self, input: &AssistantFile, line: &WaitingLine) -> Result<BytesMut> {
        let read = self.room.read(&input.digest, Some(line.place.clone())).await?;
        let mut chunks = read.ok_or_else(|| Error::internal("nobody holds the lines of an open batch"))?;
        let mut text = BytesMut::new();
        while let Some(piece) = chunks.next().await? {
            text.extend_from_slice(&piece);
        }
        Ok(text)
    }

    /// Stores the outcome of a line.
    async fn ended(&self, shop: &Shop, batch: &Batch, line: &WaitingLine, end: &LineEnd, usage: Usage) -> Result<Went> {
        let is_answer = end.is_answer();
        shop.write("end_batch_line", |mut tx| async move {
            let Some(mut stored) = in_hand(&mut *tx, batch).await? else { return tx.commit(Went::Stopped).await };
            if tx.batches().end_line(batch.id, line.number, end).await? {
                if is_answer {
                    stored.counts.completed += 1;
                } else {
                    stored.counts.failed += 1;
                }
                let sum = u64::saturating_add;
                stored.usage = Usage {
                    prompt: sum(stored.usage.prompt, usage.prompt),
                    completion: sum(stored.usage.completion, usage.completion),
                    cached: sum(stored.usage.cached, usage.cached),
                    reasoning: sum(stored.usage.reasoning, usage.reasoning),
                };
                tx.batches().update(&stored).await?;
            }
            tx.commit(Went::Ended(is_answer)).await
        })
        .await
    }

    /// Stores that a line is asked again.
    async fn again(
        &self,
        shop: &Shop,
        batch: &Batch,
        line: &WaitingLine,
        attempts: u32,
        after: Duration,
    ) -> Result<Went> {
        shop.write("put_batch_line_off", |mut tx| async move {
            if in_hand(&mut *tx, batch).await?.is_none() {
                return tx.commit(Went::Stopped).await;
            }
            let due = tx.now() + after;
            tx.batches().put_off(batch.id, line.number, attempts, due).await?;
            tx.commit(Went::Again).await
        })
        .await
    }
}

fn line_of(number: u64, place: &std::ops::Range<u64>, attempts: u32) -> WaitingLine {
    WaitingLine { number, place: place.clone(), attempts }
}
