//! One connection that listens to the log: from where it was, up to now, and on.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use actix_web::web::{Bytes, BytesMut};
use domain::{
    Shop,
    money::Currency,
    realtime::{Heard, Notice, Reach, Topic},
    relay::Numbered,
};
use tokio::{sync::watch, time::Interval};

use super::{
    caller::Caller,
    ear::Open,
    hub::{Hub, Listening, Told},
    view::{ClosingReason, GapReason, NoticeView, Sign},
};
use crate::{Shared, connection::Outlet, place::Place};

/// Events read from the log at a time.
const PAGE: u32 = 200;
/// Most notices put into one write.
const GATHER: usize = 64;
/// The pause after the log could not be read.
const PAUSE: Duration = Duration::from_secs(1);
/// After the end of a server its clients come back spread over so long, in milliseconds.
const SPREAD: u16 = 5_000;

/// A connection that listens. [`Listener::next`] gives what is to be written, in order and each event once.
#[derive(Debug)]
pub struct Listener {
    services: Shared,
    caller: Caller,
    topics: BTreeSet<Topic>,
    listening: Listening,
    /// The number up to which this connection was told everything it may hear.
    position: u64,
    opening: Option<Bytes>,
    beat: Interval,
    closing: watch::Receiver<bool>,
    ended: bool,
    place: Place,
    /// Where news may be written to at once.
    outlet: Option<Outlet>,
}

impl Listener {
    /// Begins to listen after `last`, or with what comes now.
    ///
    /// # Errors
    /// Those of the log.
    pub async fn begin(
        services: Shared,
        caller: Caller,
        topics: BTreeSet<Topic>,
        last: Option<u64>,
        place: Place,
        outlet: Option<Outlet>,
    ) -> domain::Result<Self> {
        let hub: &Arc<Hub> = &services.streams.hub;
        let (closing, listening) = (hub.closing(), hub.listen(&topics));
        let (position, begins) = match last {
            // Who is cut before the first event comes back to this place.
            None => (listening.from, format!("id: {}\n\n", listening.from)),
            Some(last) => {
                let (position, gap) = resume(last, services.streams.feed.reach().await?);
                let gap =
                    gap.map(|reason| sign(Some(position), &Sign::Gap { reason, after: last, resumed_at: position }));
                (position, format!("\n{}", gap.unwrap_or_default()))
            }
        };
        let opening = format!("retry: {}\n{begins}", services.settings.streams.retry.as_millis());
        let beat = services.settings.streams.heartbeat;
        let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + beat, beat);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let opening = Some(opening.into());
        Ok(Self { services, caller, topics, listening, position, opening, beat, closing, ended: false, place, outlet })
    }

    /// What is to be written next; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<Bytes> {
        if let Some(opening) = self.opening.take() {
            return Some(opening);
        }
        while !self.ended {
            let written = if *self.closing.borrow() {
                self.end(ClosingReason::Shutdown)
            } else if self.place.is_due() || self.caller.is_over(&self.services) {
                // Between the pages of the log too: who reads much of it is not waited for.
                self.look().await
            } else if self.position < self.listening.from {
                self.read_log().await
            } else {
                self.live().await
            };
            if !written.is_empty() {
                return Some(written);
            }
        }
        None
    }

    /// Reads on in the log, towards where the queue begins.
    async fn read_log(&mut self) -> Bytes {
        let page = match self.services.streams.feed.after(self.position, PAGE).await {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(%error, "a stream waits for the log");
                tokio::select! {
                    () = self.services.shop.clock.sleep(PAUSE) => {}
                    _ = self.closing.changed() => {}
                }
                return Bytes::new();
            }
        };
        let mut out = BytesMut::new();
        let first = page.first().map_or(self.listening.from + 1, |numbered| numbered.seq);
        if first > self.position + 1 {
            // What was to be read was purged meanwhile.
            let (after, resumed_at) = (self.position, first - 1);
            out.extend_from_slice(
                sign(Some(resumed_at), &Sign::Gap { reason: GapReason::Expired, after, resumed_at }).as_bytes(),
            );
            self.position = resumed_at;
        }
        for numbered in &page {
            self.position = numbered.seq;
            self.tell_read(&mut out, numbered);
        }
        out.freeze()
    }

    fn tell_read(&self, out: &mut BytesMut, numbered: &Numbered) {
        if let Some(notice) =
            Notice::of(numbered).filter(|notice| notice.topics.iter().any(|t| self.topics.contains(t)))
        {
            self.tell(out, &Told::new(notice));
        }
    }

    /// Waits for what comes: notices, the heartbeat, the end. Meanwhile notices may be written past this.
    async fn live(&mut self) -> Bytes {
        if let Some(open) = self.opened() {
            self.listening.open(open);
        }
        let woken = tokio::select! {
            // First: what was changed before a notice decides who hears of that.
            biased;
            () = self.place.due() => Woken::Changed,
            _ = self.beat.tick() => Woken::Beat,
            _ = self.closing.changed() => Woken::Changed,
            told = self.listening.next() => Woken::Told(told),
        };
        if let Some(position) = self.listening.shut() {
            self.position = position;
        }
        match woken {
            Woken::Changed => Bytes::new(),
            Woken::Beat => self.heartbeat().await,
            Woken::Told(Some(told)) => self.gather(&told),
            Woken::Told(None) => {
                self.listening = self.services.streams.hub.listen(&self.topics);
                Bytes::new()
            }
        }
    }

    /// What there is to know to write notices past this; nothing while it is to look who listens.
    fn opened(&self) -> Option<Open> {
        let outlet = self.outlet.clone().filter(|_| !self.place.is_owed())?;
        Some(Open {
            clock: Arc::clone(&self.services.shop.clock),
            currency: self.services.shop.rules.currency,
            outlet,
            scope: self.caller.scope,
            until: self.caller.session.map(|session| session.until),
            changed: self.place.watch(),
            closing: self.closing.clone(),
            position: self.position,
        })
    }

    /// Puts a notice and those that wait behind it into one write.
    fn gather(&mut self, first: &Told) -> Bytes {
        let mut out = BytesMut::new();
        self.take(&mut out, first);
        for _ in 1..GATHER {
            let Some(told) = self.listening.ready() else { break };
            self.take(&mut out, &told);
        }
        out.freeze()
    }

    fn take(&mut self, out: &mut BytesMut, told: &Told) {
        // After a read of the log the queue begins with what was read already.
        if told.notice.seq > self.position {
            self.position = told.notice.seq;
            self.tell(out, told);
        }
    }

    fn tell(&self, out: &mut BytesMut, told: &Told) {
        let notice = &told.notice;
        let Some(heard) = notice.heard(self.caller.scope) else { return };
        let written = told.written(heard, self.services.shop.rules.currency);
        out.extend_from_slice(written);
        self.services.streams.hub.written.increment(1);
    }

    /// Looks who listens now, and what they may hear.
    async fn look(&mut self) -> Bytes {
        let due = self.place.looks();
        match self.caller.still(&self.services).await {
            Ok(Some(caller)) => {
                self.place.saw();
                self.caller = caller;
            }
            Ok(None) => return self.end(ClosingReason::SessionEnded),
            // An outage says nothing about the person. The next beat asks again, or sooner who was told of a change.
            Err(error) => {
                tracing::warn!(%error, "a stream could not ask who listens");
                if due {
                    self.place.put_off();
                }
            }
        }
        Bytes::new()
    }

    /// Looks whether the caller may still listen, and says that we live and how far the log has come: a client that
    /// heard nothing for long comes back with a number that is still kept.
    async fn heartbeat(&mut self) -> Bytes {
        let closing = self.look().await;
        if self.ended {
            return closing;
        }
        let last = self.listening.last();
        let mut out = BytesMut::new();
        while let Some(told) = self.listening.ready() {
            self.take(&mut out, &told);
        }
        if last > self.position && !self.listening.is_behind() {
            self.position = last;
        }
        out.extend_from_slice(format!(": heartbeat\nid: {}\n\n", self.position).as_bytes());
        out.freeze()
    }

    fn end(&mut self, reason: ClosingReason) -> Bytes {
        self.ended = true;
        let mut last = String::new();
        if reason == ClosingReason::Shutdown {
            last = format!("retry: {}\n", jittered(&self.services.shop));
        }
        last.push_str(&sign(None, &Sign::Closing { reason }));
        last.into()
    }
}

/// What a listener waits for.
enum Woken {
    /// Who listens may be somebody else, or the stream is to end.
    Changed,
    /// It is time for a sign of life.
    Beat,
    /// There is a notice, or one found no room.
    Told(Option<Arc<Told>>),
}

impl Drop for Listener {
    fn drop(&mut self) {
        let reason = if self.ended { "ended" } else { "lost" };
        metrics::counter!("streams_closed_total", "protocol" => "sse", "reason" => reason).increment(1);
    }
}

/// Where to go on for a client that had `last`, and why something is missing before that.
pub(crate) fn resume(last: u64, reach: Reach) -> (u64, Option<GapReason>) {
    if last > reach.last {
        (reach.last, Some(GapReason::AheadOfLog))
    } else if last + 1 < reach.first {
        (reach.first - 1, Some(GapReason::Expired))
    } else {
        (last, None)
    }
}

pub(crate) fn jittered(shop: &Shop) -> u16 {
    let mut random = [0; 2];
    shop.entropy.fill(&mut random);
    500 + u16::from_be_bytes(random) % SPREAD
}

fn sign(id: Option<u64>, sign: &Sign) -> String {
    frame(id, sign)
}

/// What is written of a notice for those who hear this of it.
pub(super) fn written(notice: &Notice, heard: Heard, currency: Currency) -> Bytes {
    frame(Some(notice.seq), &NoticeView::new(notice, heard, currency)).into()
}

/// One message of the event stream format (WHATWG HTML, section 9.2). JSON has no line breaks.
fn frame(id: Option<u64>, data: &impl serde::Serialize) -> String {
    let data = serde_json::to_string(data).unwrap_or_default();
    match id {
        Some(id) => format!("id: {id}\ndata: {data}\n\n"),
        None => format!("data: {data}\n\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_goes_on_where_it_was_or_is_told_what_it_missed() {
        let reach = Reach { first: 5, last: 9 };
        assert_eq!(resume(7, reach), (7, None));
        assert_eq!(resume(9, reach), (9, None));
        assert_eq!(resume(4, reach), (4, None));
        assert_eq!(resume(3, reach), (4, Some(GapReason::Expired)));
        assert_eq!(resume(0, reach), (4, Some(GapReason::Expired)));
        assert_eq!(resume(10, reach), (9, Some(GapReason::AheadOfLog)));
        assert_eq!(resume(u64::MAX, reach), (9, Some(GapReason::AheadOfLog)));
        let empty = Reach { first: 1, last: 0 };
        assert_eq!(resume(0, empty), (0, None));
        let purged = Reach { first: 10, last: 9 };
        assert_eq!((resume(9, purged), resume(8, purged)), ((9, None), (9, Some(GapReason::Expired))));
    }

    #[test]
    fn a_message_is_one_line_of_data_with_its_number() {
        let written = frame(Some(4), &serde_json::json!({ "name": "two\nlines" }));
        assert_eq!(written, "id: 4\ndata: {\"name\":\"two\\nlines\"}\n\n");
    }
}
