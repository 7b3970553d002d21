//! The answers that are under way on this node. Each is made by a task of its own, which goes on for as long as somebody reads it, or to its
//! end if that was asked for.

use std::{
    collections::HashMap,
    future::pending,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::{
    Result, Shop,
    assistant::{
        Fault, FaultClass,
        conversation::{BEAT, Message, MessageState, Said, Turn, keep_answer, summarise},
    },
    id::{ConversationId, ConversationMessageId},
    permission::{Authorized, UseAssistant},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::told;
use crate::{Services, Shared};

/// How often an answer is written down that others may read.
const OFTEN: Duration = Duration::from_millis(500);

/// The answers that are under way on this node, at most one of each conversation.
#[derive(Debug, Default)]
pub struct Running(Mutex<HashMap<ConversationId, Arc<Live>>>);

/// An answer that is under way.
#[derive(Debug)]
pub(super) struct Live {
    id: ConversationMessageId,
    message: Mutex<Message>,
    /// Counts how often the message changed.
    changed: watch::Sender<u64>,
    readers: AtomicUsize,
    /// Whether it goes on when nobody reads it.
    outlasts: bool,
    stop: CancellationToken,
}

impl Running {
    fn all(&self) -> MutexGuard<'_, HashMap<ConversationId, Arc<Live>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up an answer; one that was under way in its conversation ends.
    fn take_up(&self, message: Message, outlasts: bool) -> Arc<Live> {
        let (id, conversation) = (message.id, message.conversation);
        let live = Arc::new(Live {
            id,
            message: Mutex::new(message),
            changed: watch::Sender::new(0),
            readers: AtomicUsize::new(0),
            outlasts,
            stop: CancellationToken::new(),
        });
        if let Some(before) = self.all().insert(conversation, Arc::clone(&live)) {
            before.stop.cancel();
        }
        live
    }

    fn put_down(&self, conversation: ConversationId, live: &Live) {
        let mut all = self.all();
        if all.get(&conversation).is_some_and(|other| other.id == live.id) {
            all.remove(&conversation);
        }
    }

    /// Reads along with the answer that is under way in a conversation on this node.
    pub(super) fn join(&self, conversation: ConversationId) -> Option<Reading> {
        self.all().get(&conversation).map(Reading::of)
    }

    /// Ends the answer that is under way in a conversation, if it is made here.
    pub(super) fn stop(&self, conversation: ConversationId) {
        if let Some(live) = self.all().get(&conversation) {
            live.stop.cancel();
        }
    }
}

impl Live {
    fn message(&self) -> MutexGuard<'_, Message> {
        self.message.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Message)) {
        change(&mut self.message());
        self.changed.send_modify(|count| *count += 1);
    }
}

/// Somebody who reads an answer that is made on this node.
#[derive(Debug)]
pub(super) struct Reading {
    live: Arc<Live>,
    changed: watch::Receiver<u64>,
    told: told::Reader,
}

impl Reading {
    fn of(live: &Arc<Live>) -> Self {
        live.readers.fetch_add(1, Ordering::AcqRel);
        Self { live: Arc::clone(live), changed: live.changed.subscribe(), told: told::Reader::default() }
    }

    /// What is said next; `None` at the end. Nothing is lost when this is dropped before it answers.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            if self.told.is_over() {
                return None;
            }
            self.changed.mark_unchanged();
            let more = {
                let message = self.live.message();
                self.told.catch_up(&message, message.state)
            };
            if !more.is_empty() {
                return Some(more);
            }
            // Whoever makes it says its end before they go.
            if self.changed.changed().await.is_err() {
                return None;
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if self.live.readers.fetch_sub(1, Ordering::AcqRel) == 1 && !self.live.outlasts {
            self.live.stop.cancel();
        }
    }
}

/// Whose answer it is, and for which request.
#[derive(Debug)]
pub(super) struct For {
    pub(super) by: Authorized<UseAssistant>,
    pub(super) request: Arc<str>,
}

/// Begins to make an answer, and reads it.
pub(super) fn begin(services: &Shared, whose: For, turn: Turn, message: Message, outlasts: bool) -> Reading {
    let live = services.chat.running.take_up(message, outlasts);
    let reading = Reading::of(&live);
    let services = services.clone();
    actix_web::rt::spawn(async move {
        let conversation = turn.conversation;
        let turn = make(&services, &live, &whose, turn).await;
        services.chat.running.put_down(conversation, &live);
        if let Some(turn) = turn {
            let (talks, shop) = (&services.chat.talks, &services.shop);
            let Turn { model, trimmed, .. } = &turn;
            summarise(talks, shop, &whose.by, &whose.request, conversation, model, trimmed).await;
        }
    });
    reading
}

type Keeping = Pin<Box<dyn Future<Output = Result<Option<MessageState>>> + Send>>;

/// Makes an answer to its end, and gives the turn back if it is whole.
async fn make(services: &Services, live: &Live, whose: &For, mut turn: Turn) -> Option<Turn> {
    let every = if live.outlasts { OFTEN } else { BEAT };
    let (mut due, mut keeping) = (Instant::now() + every, None::<Keeping>);
    let mut last = live.message().clone();
    loop {
        tokio::select! {
            biased;
            () = live.stop.cancelled() => {
                last = Message { state: MessageState::Cut, ..live.message().clone() };
                break;
            }
            kept = kept(&mut keeping) => {
                keeping = None;
                if !goes_on(kept) {
                    live.stop.cancel();
                }
                services.bus.publish(&topic(live.id), b"");
            }
            () = sleep_until(due), if keeping.is_none() => {
                due = Instant::now() + every;
                let is_over = services.draining.is_on() && live.readers.load(Ordering::Acquire) == 0;
                if is_over {
                    live.stop.cancel();
                    continue;
                }
                let (shop, message) = (services.shop.clone(), live.message().clone());
                keeping = Some(Box::pin(async move { keep(&shop, &message).await }));
            }
            heard = turn.next() => match heard {
                Ok(Some(events)) => live.change(|message| turn.hear(message, &events)),
                Ok(None) => match next_step(services, live, whose, &mut turn).await {
                    Step::Again => {}
                    Step::Over(message) => {
                        last = *message;
                        break;
                    }
                },
                Err(fault) => {
                    last.clone_from(&live.message());
                    broke_off(&mut last, &fault);
                    break;
                }
            }
        }
    }
    // What is under way now must not come after the end.
    if keeping.is_some() {
        let _ = kept(&mut keeping).await;
    }
    // Readers hear of the end when it is stored.
    let state = match keep(&services.shop, &last).await {
        Ok(Some(state)) => state,
        Ok(None) => MessageState::Cut,
        Err(_) => last.state,
    };
    last.state = state;
    let is_whole = state == MessageState::Done;
    live.change(|message| *message = last);
    services.bus.publish(&topic(live.id), b"");
    is_whole.then_some(turn)
}

/// What follows a step.
enum Step {
    /// The model was asked again.
    Again,
    /// The answer is at its end.
    Over(Box<Message>),
}

/// Uses the tools that are wanted, and asks the model again; without any the answer is whole.
async fn next_step(services: &Services, live: &Live, whose: &For, turn: &mut Turn) -> Step {
    let mut places = Vec::new();
    live.change(|message| places = turn.step_ended(message));
    let message = live.message().clone();
    if places.is_empty() {
        return Step::Over(Box::new(Message { state: MessageState::Done, ..message }));
    }
    let talks = &services.chat.talks;
    let asking = async {
        for (place, outcome) in turn.use_tools(talks, &whose.by, &message, &places).await {
            live.change(|message| {
                if let Some(Said::Tool(used)) = message.parts.get_mut(place) {
                    used.outcome = Some(outcome);
                }
            });
        }
        let message = live.message().clone();
        turn.ask_again(talks, &services.shop, &whose.by, &whose.request, &message).await
    };
    tokio::select! {
        biased;
        () = live.stop.cancelled() => Step::Over(Box::new(Message { state: MessageState::Cut, ..live.message().clone() })),
        asked = asking => match asked {
            Ok(()) => {
                live.change(|message| message.parts.push(Said::Step));
                Step::Again
            }
            Err(why) => {
                let (state, fault) = (MessageState::Failed, Some(why.replace('\0', "")));
                Step::Over(Box::new(Message { state, fault, ..live.message().clone() }))
            }
        },
    }
}

async fn kept(keeping: &mut Option<Keeping>) -> Result<Option<MessageState>> {
    match keeping {
        Some(keeping) => keeping.await,
        None => pending().await,
    }
}

/// Whether somebody still wants more of an answer. What could not be written down just now is written with what comes next.
fn goes_on(kept: Result<Option<MessageState>>) -> bool {
    kept.map_or(true, |state| state == Some(MessageState::Streaming))
}

fn broke_off(message: &mut Message, fault: &Fault) {
    message.state = if fault.class == FaultClass::Cut { MessageState::Cut } else { MessageState::Failed };
    message.fault = Some(format!("{} (provider_{})", fault.message.replace('\0', ""), fault.class.name()));
}

async fn keep(shop: &Shop, message: &Message) -> Result<Option<MessageState>> {
    let kept = keep_answer(shop, message).await;
    if let Err(error) = &kept {
        tracing::warn!(%error, "an answer was not written down");
    }
    kept
}

/// Where is told that an answer was written down.
pub(super) fn topic(message: ConversationMessageId) -> String {
    format!("chat:{message}")
}
