//! The ledger of this node: what calls begin and end at one moment is written in one transaction, and while that is on its way the
//! next gather. Ends, for which nobody waits, gather for a moment, and go along with the next call that begins.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    Error, Result,
    assistant::{
        Batch, CallState, NewCall, Settlement, Verdict,
        ports::{Ledger, LedgerStore},
    },
    clock::Clock,
    id::AssistantCallId,
};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

/// The most calls that are written at once.
const MOST: usize = 1000;
/// How often a batch is tried whose transaction lost a race.
const ATTEMPTS: u32 = 5;
/// The pause before what the database did not take is told to it again.
const PAUSE: Duration = Duration::from_millis(200);
/// How long ends gather when no call begins.
const GATHERING: Duration = Duration::from_millis(10);
/// How long nothing is waited for at most.
const LONGEST: Duration = Duration::from_mins(1);

/// A call that waits to be written down.
struct Waiting {
    call: NewCall,
    told: oneshot::Sender<Result<Verdict>>,
}

#[derive(Default)]
struct Queue {
    begun: Vec<Waiting>,
    ended: Vec<Settlement>,
    /// Calls that go on and are not written down before they end.
    unwritten: HashMap<AssistantCallId, NewCall>,
}

/// The ledger of this node. Clones share it.
#[derive(Clone)]
pub(super) struct GroupLedger {
    store: Arc<dyn LedgerStore>,
    clock: Arc<dyn Clock>,
    queue: Arc<Mutex<Queue>>,
    /// A call begins.
    begun: Arc<Notify>,
    /// One ended.
    ended: Arc<Notify>,
    /// Whether calls are written down before they are made.
    reserves: bool,
}

impl GroupLedger {
    pub(super) fn new(store: Arc<dyn LedgerStore>, clock: Arc<dyn Clock>, reserves: bool) -> Self {
        Self { store, clock, queue: Arc::default(), begun: Arc::default(), ended: Arc::default(), reserves }
    }

    fn queue<T>(&self, with: impl FnOnce(&mut Queue) -> T) -> T {
        with(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes what comes until told to stop, then what is left.
    pub(super) async fn run(self, stop: CancellationToken) -> Result<()> {
        loop {
            let is_over = stop.is_cancelled();
            let wrote = self.write().await;
            if is_over && !wrote {
                return Ok(());
            }
            // What came meanwhile is remembered by these, but for those that were too many for one transaction.
            if !is_over && self.queue(|queue| queue.begun.is_empty()) {
                tokio::select! {
                    () = self.begun.notified() => {}
                    () = self.gathered() => {}
                    () = self.clock.sleep(LONGEST) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
    }

    /// Waits until calls ended, and a moment longer.
    async fn gathered(&self) {
        self.ended.notified().await;
        self.clock.sleep(GATHERING).await;
    }

    /// Writes what waits; `false` when there was nothing.
    async fn write(&self) -> bool {
        let (begun, settled) = self.queue(|queue| {
            let most = queue.begun.len().min(MOST);
            (queue.begun.drain(..most).collect::<Vec<_>>(), mem::take(&mut queue.ended))
        });
        if begun.is_empty() && settled.is_empty() {
            return false;
        }
        let (mut calls, mut told): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
        for waiting in begun {
            calls.push(waiting.call);
            told.push(waiting.told);
        }
        let waited = calls.len();
        if !self.reserves {
            // They are told already, and are written with their end.
            self.queue(|queue| calls.extend(settled.iter().filter_map(|one| queue.unwritten.remove(&one.id))));
        }
        let mut batch = Batch { calls, settled };
        match self.stored(&batch).await {
            Ok(verdicts) => {
                // Whoever went away does not want to know.
                told.into_iter().zip(verdicts).for_each(|(told, verdict)| drop(told.send(Ok(verdict))));
                batch.settled.iter().for_each(measure);
            }
            Err(error) => {
                tracing::error!(
                    calls = waited,
                    ended = batch.settled.len(),
                    error = crate::chain(&error),
                    "the ledger was not written"
                );
                let away = || Error::Unavailable { what: "The ledger", source: "the database did not take it".into() };
                for told in told {
                    drop(told.send(Err(away())));
                }
                let unwritten = batch.calls.split_off(waited);
                self.queue(|queue| {
                    queue.unwritten.extend(unwritten.into_iter().map(|call| (call.id, call)));
                    let later = mem::replace(&mut queue.ended, batch.settled);
                    queue.ended.extend(later);
                });
                self.ended.notify_one();
                self.clock.sleep(PAUSE).await;
            }
        }
        true
    }

    async fn stored(&self, batch: &Batch) -> Result<Vec<Verdict>> {
        let mut attempt = 1;
        loop {
            match self.store.write(batch).await {
                Err(Error::Transient(_)) if attempt < ATTEMPTS => attempt += 1,
                written => return written,
            }
        }
    }
}

#[async_trait]
impl Ledger for GroupLedger {
    async fn reserve(&self, call: NewCall) -> Result<Verdict> {
        if !self.reserves {
            self.queue(|queue| queue.unwritten.insert(call.id, call));
            return Ok(Ok(()));
        }
        let (told, verdict) = oneshot::channel();
        self.queue(|queue| queue.begun.push(Waiting { call, told }));
        self.begun.notify_one();
        let ended = |_| Error::Unavailable { what: "The ledger", source: "this node ends".into() };
        verdict.await.map_err(ended)?
    }

    fn settle(&self, settled: Settlement) {
        self.queue(|queue| queue.ended.push(settled));
        self.ended.notify_one();
    }
}

fn measure(settled: &Settlement) {
    if let Some(first) = settled.first_after {
        metrics::histogram!("assistant_first_word_seconds").record(first.as_secs_f64());
    }
    let state = settled.state.name();
    metrics::counter!("assistant_calls_total", "state" => state, "fault" => settled.fault.unwrap_or("none"))
        .increment(1);
    let usage = &settled.usage;
    if settled.state == CallState::Cached {
        metrics::counter!("assistant_tokens_saved_total").increment(usage.total());
        return;
    }
    for (kind, tokens) in [
        ("prompt", usage.prompt),
        ("completion", usage.completion),
        ("cached", usage.cached),
        ("reasoning", usage.reasoning),
    ] {
        metrics::counter!("assistant_tokens_total", "kind" => kind).increment(tokens);
    }
    metrics::counter!("assistant_cost_billionths_total").increment(settled.cost.unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use domain::{
        assistant::{CallKind, Spent, Usage, WindowKey},
        clock::Timestamp,
        permission::Role,
        testing::{FakeClock, Fixtures, memory::MemoryStore},
    };

    use super::*;

    /// Fails so often, then writes.
    struct Failing(MemoryStore, AtomicU32);

    #[async_trait]
    impl LedgerStore for Failing {
        async fn write(&self, batch: &Batch) -> Result<Vec<Verdict>> {
            let left = self.1.load(Ordering::SeqCst);
            if left > 0 {
                self.1.store(left - 1, Ordering::SeqCst);
                return Err(Error::internal("the disk is on fire"));
            }
            self.0.write(batch).await
        }

        async fn sweep(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
            self.0.sweep(before, now).await
        }

        async fn spent(&self, budget: &str, since: Timestamp) -> Result<Vec<(WindowKey, Spent)>> {
            self.0.spent(budget, since).await
        }

        async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
            self.0.purge(before, limit).await
        }
    }

    struct Given {
        fixtures: Fixtures,
        store: MemoryStore,
        ledger: GroupLedger,
    }

    impl Given {
        fn of(fails: u32, reserves: bool) -> Self {
            let (fixtures, store) = Fixtures::in_memory();
            let failing = Arc::new(Failing(store.clone(), AtomicU32::new(fails)));
            let clock: Arc<dyn Clock> = Arc::new(FakeClock::at(fixtures.shop.now()));
            Self { fixtures, store, ledger: GroupLedger::new(failing, clock, reserves) }
        }

        async fn call(&self) -> NewCall {
            NewCall {
                id: self.fixtures.shop.id(),
                user: self.fixtures.person(Role::User).await.user,
                key: None,
                seller: None,
                request: String::new(),
                generation: None,
                kind: CallKind::Chat,
                model: "m".to_owned(),
                deployment: "p/m".to_owned(),
                prompt: 1,
                completion: 1,
                cost: None,
                holds: Vec::new(),
                started_at: self.fixtures.shop.now(),
            }
        }

        fn ended(&self, call: &NewCall) -> Settlement {
            Settlement {
                id: call.id,
                windows: Vec::new(),
                held: call.most(),
                state: CallState::Settled,
                usage: Usage::default(),
                cost: None,
                fault: None,
                first_at: None,
                first_after: None,
                ended_at: self.fixtures.shop.now(),
            }
        }

        /// Runs the ledger until nothing is left.
        async fn drained(&self) {
            let stop = CancellationToken::new();
            stop.cancel();
            self.ledger.clone().run(stop).await.unwrap();
        }

        fn states(&self) -> Vec<CallState> {
            self.store.books().calls.values().map(|row| row.state).collect()
        }
    }

    #[tokio::test]
    async fn a_call_waits_until_it_is_written_and_an_end_is_told_again_until_it_is_taken() {
        let given = Given::of(0, true);
        let call = given.call().await;
        let (verdict, ()) = tokio::join!(given.ledger.reserve(call.clone()), given.drained());
        assert_eq!(verdict.unwrap(), Ok(()));
        assert_eq!(given.states(), [CallState::Reserved]);
        given.ledger.settle(given.ended(&call));
        given.drained().await;
        assert_eq!(given.states(), [CallState::Settled]);

        let given = Given::of(3, true);
        let call = given.call().await;
        let (refused, ()) = tokio::join!(given.ledger.reserve(call.clone()), given.drained());
        assert!(matches!(refused, Err(Error::Unavailable { .. })), "what is not written is not begun");
        let (verdict, ()) = tokio::join!(
            async {
                loop {
                    if let Ok(verdict) = given.ledger.reserve(call.clone()).await {
                        break verdict;
                    }
                }
            },
            async {
                while given.states().is_empty() {
                    given.drained().await;
                    tokio::task::yield_now().await;
                }
            }
        );
        assert_eq!(verdict, Ok(()));
        given.ledger.settle(given.ended(&call));
        given.drained().await;
        assert_eq!(given.states(), [CallState::Settled]);
    }

    #[tokio::test]
    async fn without_reservations_calls_are_written_with_their_end() {
        let given = Given::of(2, false);
        let call = given.call().await;
        assert_eq!(given.ledger.reserve(call.clone()).await.unwrap(), Ok(()));
        given.drained().await;
        assert!(given.states().is_empty());
        given.ledger.settle(given.ended(&call));
        given.drained().await;
        assert_eq!(given.states(), [CallState::Settled], "also when the database did not take it at first");
    }

    #[tokio::test]
    async fn whoever_goes_away_before_a_call_is_written_leaves_an_ended_row() {
        let given = Given::of(0, true);
        let call = given.call().await;
        let mut reserving = Box::pin(given.ledger.reserve(call.clone()));
        assert!(futures_util::poll!(&mut reserving).is_pending());
        drop(reserving);
        given.ledger.settle(given.ended(&call));
        given.drained().await;
        assert_eq!(given.states(), [CallState::Settled]);
    }
}
