//! What clients ask for, one by one. A request that cannot be carried out is answered with an error; the connection goes on.

use std::{collections::BTreeSet, time::Instant};

use domain::{
    Error, Principal,
    limit::Subject,
    realtime::Topic,
    room::{Hint, MessageInput, ports::Window},
};
use serde_json::Value;

use super::{
    closing::Ended,
    incoming::{Incoming, Request, Unread},
    outgoing::Outgoing,
    rooms::{DEFAULT_ROOM, TYPING},
    session::Session,
    topics::{Following, Missed, head},
    wire::Wire,
};
use crate::{
    problem::{In, Problem},
    settings::LimitRule,
    stream::caller::Caller,
};

/// Messages of a history when nobody says how many.
const HISTORY: u32 = 50;
/// The policy that counts messages, by the name limits know it by.
pub const MESSAGES: &str = "ws_messages";

impl Session {
    pub(super) async fn obey(&mut self, wire: &mut Wire, request: Request) -> Result<(), Ended> {
        let Request { reference, asked } = request;
        let asked = match asked {
            Ok(asked) => asked,
            Err(unread) => return wire.say(&misread(unread, reference)).await,
        };
        let or_global = |room: Option<String>| room.unwrap_or_else(|| DEFAULT_ROOM.to_owned());
        match asked {
            Incoming::Ping {} => wire.say(&Outgoing::Pong { timestamp: self.services.shop.now(), reference }).await,
            Incoming::JoinRoom { room, offset, epoch } => {
                self.join(wire, &room, offset.map(|offset| (offset, epoch)), reference).await
            }
            Incoming::LeaveRoom { room } => self.part(wire, &room, reference).await,
            Incoming::Message { room, content, client_id } => {
                self.post(wire, &or_global(room), MessageInput { content, client_id }, reference).await
            }
            Incoming::Typing { room, active } => {
                let done = self.typing(&or_global(room), active.unwrap_or(true));
                self.done(wire, done, reference).await
            }
            Incoming::Read { room, offset } => {
                let done = self.read(&or_global(room), offset).await;
                self.done(wire, done, reference).await
            }
            Incoming::History { room, after, before, limit } => {
                let window = after.map(Window::After).or(before.map(Window::Before)).unwrap_or(Window::Last);
                let room = or_global(room);
                match self.history(&room, window, limit.unwrap_or(HISTORY), reference.clone()).await {
                    Ok(history) => wire.say(&history).await,
                    Err(error) => self.refuse(wire, error, reference).await,
                }
            }
            Incoming::Subscribe { topics, since } => self.subscribe(wire, &topics, since, reference).await,
            Incoming::Unsubscribe { topics } => self.unsubscribe(wire, &topics, reference).await,
            Incoming::Refresh { token } => self.refresh(wire, &token, reference).await,
        }
    }

    /// Tells why a request was not carried out.
    pub(super) async fn refuse(&self, wire: &mut Wire, error: Error, reference: Option<String>) -> Result<(), Ended> {
        let retry_after_ms = match &error {
            Error::Limited(wait) => u64::try_from(wait.as_millis()).ok(),
            _ => None,
        };
        let limited = retry_after_ms.is_some();
        let problem = Problem::from(error);
        if problem.status().is_server_error() {
            tracing::error!(connection = %self.id, cause = problem.cause(), "a request over a WebSocket failed");
        }
        let mut told = told(&problem, reference);
        if let Outgoing::Error { message, retry_after_ms: after, .. } = &mut told
            && limited
        {
            "Rate limit exceeded".clone_into(message);
            *after = retry_after_ms;
        }
        wire.say(&told).await
    }

    async fn done(&self, wire: &mut Wire, done: domain::Result<()>, reference: Option<String>) -> Result<(), Ended> {
        match (done, reference) {
            (Ok(()), Some(reference)) => wire.say(&Outgoing::Done { reference }).await,
            (Ok(()), None) => Ok(()),
            (Err(error), reference) => self.refuse(wire, error, reference).await,
        }
    }

    /// Counts a message. Administrators are not counted (RL-05).
    pub(super) async fn count(&self) -> domain::Result<()> {
        let Some(principal) = self.principal().filter(|principal| !Principal::is_admin(principal)) else {
            return Ok(());
        };
        let mut rules = self.services.settings.limits.iter();
        let Some(rule) = rules.find(|rule: &&LimitRule| *rule.policy.name == *MESSAGES) else { return Ok(()) };
        let said = self.services.limiter.check(&[(&rule.policy, Subject::User(principal.user))]).await;
        let refused = said.iter().find(|decision| !decision.allowed);
        let outcome = if refused.is_some() { "refused" } else { "allowed" };
        metrics::counter!("limiter_decisions_total", "policy" => MESSAGES, "outcome" => outcome).increment(1);
        refused.map_or(Ok(()), |decision| Err(Error::Limited(decision.retry_after)))
    }

    /// Tells the others that the caller is writing; more than now and then is not told.
    fn typing(&mut self, room: &str, active: bool) -> domain::Result<()> {
        let user = self.user().ok_or(Error::Unauthenticated)?;
        let id = self.attended.find(room).ok_or_else(|| Error::conflict("You are not in this room"))?;
        let Some(attended) = self.attended.get_mut(id) else { return Ok(()) };
        let told =
            if active { attended.typed.is_none_or(|last| last.elapsed() >= TYPING) } else { attended.typed.is_some() };
        if !told {
            return Ok(());
        }
        attended.typed = active.then(Instant::now);
        self.services.bus.publish(&Hint::topic(id), &Hint::Typing { user, active }.encode());
        Ok(())
    }

    async fn refresh(&mut self, wire: &mut Wire, token: &str, reference: Option<String>) -> Result<(), Ended> {
        let now = self.services.shop.now();
        let verified = self.services.sessions.tokens.verify(token, now);
        let known = match &verified {
            Some(session) => self.services.known.who(session).await.map(|known| known.map(|_| (*session, None))),
            None => self
                .services
                .visitor(token)
                .await
                .map(|known| known.map(|(_, visit)| (Caller::visiting(&visit), Some(visit)))),
        };
        let known = match known {
            Ok(known) => known,
            Err(error) => return self.refuse(wire, error, reference).await,
        };
        let refused = match (known, self.user()) {
            (Some((session, visit)), Some(user))
                if session.user == user && session.impersonator == self.impersonator() =>
            {
                self.go_on(session, visit);
                return wire.say(&Outgoing::Refreshed { expires_at: session.until, reference }).await;
            }
            (Some(_), Some(_)) => Error::forbidden("The token is another person's; open another connection"),
            (Some(_), None) => Error::forbidden("Nobody is signed in here; open another connection"),
            (None, _) => Error::Unauthenticated,
        };
        self.refuse(wire, refused, reference).await
    }

    async fn subscribe(
        &mut self,
        wire: &mut Wire,
        names: &[String],
        since: Option<u64>,
        reference: Option<String>,
    ) -> Result<(), Ended> {
        let topics = match read_topics(names) {
            Ok(topics) => topics,
            Err(error) => return self.refuse(wire, error, reference).await,
        };
        let others = self.following.as_ref().map(|one| one.topics().clone()).unwrap_or_default();
        let all: BTreeSet<Topic> = topics.union(&others).copied().collect();
        let most = self.services.settings.sockets.topics;
        if all.len() > most {
            let error = Error::conflict(format!("At most {most} topics on one connection"));
            return self.refuse(wire, error, reference).await;
        }
        let new: BTreeSet<Topic> = topics.difference(&others).copied().collect();
        let upto = self.following.as_ref().map_or_else(|| head(&self.services.streams.hub), Following::position);
        let mut missed = Missed { topics: &new, others: &others, position: upto, upto };
        let gap = match since {
            None => None,
            Some(since) => match missed.begin(&self.services, since).await {
                Ok(gap) => gap,
                Err(error) => return self.refuse(wire, error, reference).await,
            },
        };
        // From here on nothing is missed: what is committed meanwhile is read after what was missed before.
        let following = match self.following.take() {
            Some(mut following) => {
                following.listen(&self.services, all.clone());
                following
            }
            None => Following::begin_at(&self.services, all.clone(), upto),
        };
        let topics = all.iter().map(ToString::to_string).collect();
        wire.say(&Outgoing::Subscribed { topics, seq: missed.position, reference }).await?;
        if let Some(gap) = gap {
            wire.say(&gap).await?;
        }
        loop {
            match missed.page(&self.services, self.caller.scope).await {
                Ok(None) => break,
                Ok(Some(page)) => {
                    for text in page {
                        wire.send(text).await?;
                    }
                    // It may take long: who they are may change meanwhile.
                    self.current(wire).await?;
                }
                Err(error) => {
                    tracing::warn!(%error, "what was missed could not be read");
                    return Err(Ended::Internal);
                }
            }
        }
        self.following = Some(following);
        Ok(())
    }

    async fn unsubscribe(&mut self, wire: &mut Wire, names: &[String], reference: Option<String>) -> Result<(), Ended> {
        let topics = match read_topics(names) {
            Ok(topics) => topics,
            Err(error) => return self.refuse(wire, error, reference).await,
        };
        let mut left = BTreeSet::new();
        if let Some(mut following) = self.following.take() {
            left = following.topics().difference(&topics).copied().collect();
            if !left.is_empty() {
                following.listen(&self.services, left.clone());
                self.following = Some(following);
            }
        }
        let seq = self.following.as_ref().map_or_else(|| head(&self.services.streams.hub), Following::position);
        let topics = left.iter().map(ToString::to_string).collect();
        wire.say(&Outgoing::Subscribed { topics, seq, reference }).await
    }
}

fn read_topics(names: &[String]) -> domain::Result<BTreeSet<Topic>> {
    let mut violations = domain::Violations::default();
    let mut topics = BTreeSet::new();
    for (place, name) in names.iter().enumerate() {
        match name.parse() {
            Ok(topic) => {
                topics.insert(topic);
            }
            Err(unknown) => {
                let unknown: domain::realtime::UnknownTopic = unknown;
                violations.add(format!("/topics/{place}"), "topic", unknown.to_string());
            }
        }
    }
    violations.into_result()?;
    Ok(topics)
}

/// What is told of a request that cannot be read.
fn misread(unread: Unread, reference: Option<String>) -> Outgoing {
    let (message, details) = match unread {
        Unread::Format => ("Invalid message format".to_owned(), None),
        Unread::Type(kind) => {
            let shown: String = kind.chars().take(64).collect();
            (format!("Unknown message type: {shown}"), None)
        }
        Unread::Fields(violations) => {
            let problem = Problem::invalid(In::Body, &violations);
            return told(&problem, reference);
        }
    };
    Outgoing::Error { code: "VALIDATION_ERROR", message, details, retry_after_ms: None, reference }
}

fn told(problem: &Problem, reference: Option<String>) -> Outgoing {
    let details = (!problem.details().is_empty()).then(|| Value::Object(problem.details().clone()));
    let message = problem.message().to_owned();
    Outgoing::Error { code: problem.code(), message, details, retry_after_ms: None, reference }
}
