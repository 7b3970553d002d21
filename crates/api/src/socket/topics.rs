//! The topics of live streams that one connection listens to: what `stream::listener` is for server-sent events.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{
    catalog::policy::Scope,
    realtime::{Notice, Topic},
};
use tokio::time::{Instant, sleep_until};

use super::{frame::Frame, outgoing::Outgoing};
use crate::{
    Services,
    stream::{
        GapReason, NoticeView, Told,
        hub::{Hub, Listening},
        listener::resume,
    },
};

/// Events read from the log at a time.
const PAGE: u32 = 200;
/// The pause after the log could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// The topics one connection listens to, and how far it came in the log.
pub(super) struct Following {
    topics: BTreeSet<Topic>,
    listening: Listening,
    position: u64,
    /// When to read the log again, after that failed.
    paused: Option<Instant>,
}

impl Following {
    /// What one listens to.
    pub(super) fn topics(&self) -> &BTreeSet<Topic> {
        &self.topics
    }

    /// The number up to which everything was told.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Begins after this number.
    pub(super) fn begin_at(services: &Services, topics: BTreeSet<Topic>, position: u64) -> Self {
        let listening = services.streams.hub.listen(&topics);
        Self { topics, listening, position, paused: None }
    }

    /// Listens to other topics from here on. What was committed since [`Following::position`] is read from the log.
    pub(super) fn listen(&mut self, services: &Services, topics: BTreeSet<Topic>) {
        self.listening = services.streams.hub.listen(&topics);
        self.topics = topics;
    }

    /// Waits for what is new: something that came, or nothing when the log is to be read. Nothing is lost when this is
    /// dropped before it answers.
    pub(super) async fn news(&self) -> Option<Arc<Told>> {
        if let Some(at) = self.paused {
            sleep_until(at).await;
            return None;
        }
        if self.is_behind() {
            return None;
        }
        self.listening.next().await
    }

    /// What is to be told of what [`Following::news`] gave.
    pub(super) async fn take(&mut self, services: &Services, scope: Scope, told: Option<Arc<Told>>) -> Vec<Frame> {
        self.paused = None;
        match told {
            Some(told) => self.hear(services, scope, &told).into_iter().collect(),
            None if self.is_behind() => match self.read_log(services, scope).await {
                Ok(read) => read,
                Err(error) => {
                    tracing::warn!(%error, "a connection waits for the log");
                    self.paused = Some(Instant::now() + PAUSE);
                    Vec::new()
                }
            },
            // There was no room for something: the log has it.
            None => {
                self.listening = services.streams.hub.listen(&self.topics);
                Vec::new()
            }
        }
    }

    fn hear(&mut self, services: &Services, scope: Scope, told: &Told) -> Option<Frame> {
        if told.notice.seq <= self.position {
            return None;
        }
        self.position = told.notice.seq;
        spoken(services, scope, told)
    }

    /// Whether the log is to be read before what comes live.
    fn is_behind(&self) -> bool {
        self.position < self.listening.from
    }

    /// Reads on in the log.
    async fn read_log(&mut self, services: &Services, scope: Scope) -> domain::Result<Vec<Frame>> {
        let mut out = Vec::new();
        let page = services.streams.feed.after(self.position, PAGE).await?;
        let first = page.first().map_or(self.listening.from + 1, |numbered| numbered.seq);
        if first > self.position + 1 {
            let (after, resumed_at) = (self.position, first - 1);
            out.push(Outgoing::Gap { reason: GapReason::Expired, after, resumed_at }.frame());
            self.position = resumed_at;
        }
        for numbered in &page {
            self.position = numbered.seq;
            let notice = Notice::of(numbered).filter(|notice| any(&notice.topics, &self.topics));
            out.extend(notice.and_then(|notice| spoken(services, scope, &Told::new(notice))));
        }
        Ok(out)
    }
}

/// What somebody missed of topics they did not listen to, up to where the others have come: of what belongs to both, the
/// others were told.
pub(super) struct Missed<'a> {
    pub(super) topics: &'a BTreeSet<Topic>,
    pub(super) others: &'a BTreeSet<Topic>,
    pub(super) position: u64,
    pub(super) upto: u64,
}

impl Missed<'_> {
    /// Where to begin for somebody who had everything up to `since`, and what is missing before that.
    pub(super) async fn begin(&mut self, services: &Services, since: u64) -> domain::Result<Option<Outgoing>> {
        let (position, gap) = resume(since, services.streams.feed.reach().await?);
        self.position = position;
        Ok(gap.map(|reason| Outgoing::Gap { reason, after: since, resumed_at: position }))
    }

    /// The next page; `None` at the end.
    pub(super) async fn page(&mut self, services: &Services, scope: Scope) -> domain::Result<Option<Vec<Frame>>> {
        if self.position >= self.upto {
            return Ok(None);
        }
        let page = services.streams.feed.after(self.position, PAGE).await?;
        if page.is_empty() {
            return Ok(None);
        }
        let mut out = Vec::new();
        for numbered in page.iter().filter(|numbered| numbered.seq <= self.upto) {
            let notice = Notice::of(numbered)
                .filter(|notice| any(&notice.topics, self.topics) && !any(&notice.topics, self.others));
            out.extend(notice.and_then(|notice| spoken(services, scope, &Told::new(notice))));
        }
        self.position = page.last().map_or(self.upto, |numbered| numbered.seq);
        Ok(Some(out))
    }
}

/// The present end of what is told live on this node.
pub(super) fn head(hub: &Hub) -> u64 {
    hub.last()
}

fn any(of: &[Topic], these: &BTreeSet<Topic>) -> bool {
    of.iter().any(|topic| these.contains(topic))
}

fn spoken(services: &Services, scope: Scope, told: &Told) -> Option<Frame> {
    let heard = told.notice.heard(scope)?;
    metrics::counter!("stream_events_sent_total", "protocol" => "ws").increment(1);
    Some(told.spoken(heard, || {
        let view = NoticeView::new(&told.notice, heard, services.shop.rules.currency);
        Frame::text(&serde_json::to_string(&view).unwrap_or_default())
    }))
}
