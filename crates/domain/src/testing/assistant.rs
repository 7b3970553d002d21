//! Language models that say what they are told, and a ledger that writes at once.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use crate::{
    assistant::{
        Batch, ChatEvent, ChatReply, ChatRequest, Fault, FaultClass, Finish, NewCall, Settlement, TokenCounter, Usage,
        Verdict,
        ports::{ChatStream, Completed, Embedded, Embedder, Frame, LanguageModel, Ledger, LedgerStore},
    },
    error::Result as Done,
};

/// What a model does when it is asked.
#[derive(Debug, Clone)]
pub enum Script {
    /// Says this, and what it used.
    Says(&'static str, Option<Usage>),
    /// Does not answer.
    Fails(Fault),
    /// Says this and breaks off.
    BreaksOff(&'static str),
    /// Wants a tool used, with these arguments.
    Wants(&'static str, &'static str),
}

/// A model that follows a script, and repeats its last line.
#[derive(Debug, Default)]
pub struct PlainModel {
    script: Mutex<VecDeque<Script>>,
    asked: Mutex<Vec<ChatRequest>>,
}

impl PlainModel {
    /// A model with this script.
    pub fn new(script: impl IntoIterator<Item = Script>) -> Arc<Self> {
        Arc::new(Self { script: Mutex::new(script.into_iter().collect()), asked: Mutex::default() })
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<ChatRequest> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The tool that is wanted used next, if one is.
    fn wanted(&self, request: &ChatRequest) -> Option<VecDeque<Result<ChatEvent, Fault>>> {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Script::Wants(name, arguments)) = script.front().cloned() else { return None };
        if script.len() > 1 {
            script.pop_front();
        }
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let call = ChatEvent::Tool {
            index: 0,
            id: Some(format!("call-{}", request.messages.len())),
            name: Some(name.to_owned()),
            arguments: arguments.to_owned(),
            signature: None,
        };
        Some(VecDeque::from([Ok(call), Ok(ChatEvent::Finish(Finish::Tools))]))
    }

    fn line(&self, request: &ChatRequest) -> Result<(&'static str, Option<Usage>, bool), Fault> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        let line = if script.len() > 1 { script.pop_front() } else { script.front().cloned() };
        match line {
            Some(Script::Says(text, usage)) => Ok((text, usage, false)),
            Some(Script::BreaksOff(text)) => Ok((text, None, true)),
            Some(Script::Fails(fault)) => Err(fault),
            Some(Script::Wants(..)) | None => Err(Fault::new(FaultClass::Unavailable, "it has no script")),
        }
    }
}

#[async_trait]
impl LanguageModel for PlainModel {
    async fn complete(&self, request: &ChatRequest) -> Result<Completed, Fault> {
        let (text, usage, breaks) = self.line(request)?;
        if breaks {
            return Err(Fault::new(FaultClass::Cut, "it broke off").costly());
        }
        let (text, reasoning) = (text.to_owned(), String::new());
        let reply = ChatReply { text, reasoning, tool_calls: Vec::new(), finish: Finish::Stop, usage };
        Ok(Completed { reply, raw: None })
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Box<dyn ChatStream>, Fault> {
        if let Some(events) = self.wanted(request) {
            return Ok(Box::new(Words(events)));
        }
        let (text, usage, breaks) = self.line(request)?;
        let words = text.split_inclusive(' ').map(|word| Ok(ChatEvent::Text(word.to_owned())));
        let mut events: VecDeque<_> = words.collect();
        if breaks {
            events.push_back(Err(Fault::new(FaultClass::Cut, "it broke off")));
        } else {
            events.push_back(Ok(ChatEvent::Finish(Finish::Stop)));
            events.extend(usage.map(|usage| Ok(ChatEvent::Usage(usage))));
        }
        Ok(Box::new(Words(events)))
    }
}

struct Words(VecDeque<Result<ChatEvent, Fault>>);

#[async_trait]
impl ChatStream for Words {
    async fn next(&mut self) -> Result<Option<Frame>, Fault> {
        self.0.pop_front().transpose().map(|event| event.map(|event| Frame { events: vec![event], raw: None }))
    }
}

/// Vectors of two numbers: how long a text is, and how many words it has.
#[derive(Debug, Default)]
pub struct PlainVectors;

#[async_trait]
impl Embedder for PlainVectors {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn dimension(&self) -> usize {
        2
    }

    async fn embed(&self, texts: &[String]) -> Result<Embedded, Fault> {
        let number = |count: usize| f32::from(u16::try_from(count).unwrap_or(u16::MAX));
        let vector = |text: &String| vec![number(text.len()), number(text.split_whitespace().count())];
        let prompt = texts.iter().map(|text| u64::try_from(text.split_whitespace().count()).unwrap_or(0)).sum();
        let usage = Some(Usage { prompt, ..Usage::default() });
        Ok(Embedded { vectors: texts.iter().map(vector).collect(), usage })
    }
}

/// Counts words as tokens.
#[derive(Debug, Default)]
pub struct PlainCounter;

#[async_trait]
impl TokenCounter for PlainCounter {
    async fn count(&self, texts: Vec<String>) -> Vec<u64> {
        texts.iter().map(|text| u64::try_from(text.split_whitespace().count()).unwrap_or(0)).collect()
    }
}

/// A ledger that writes each call at once, and what ended with the next one.
pub struct PlainLedger {
    store: Arc<dyn LedgerStore>,
    ended: Mutex<Vec<Settlement>>,
}

impl std::fmt::Debug for PlainLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlainLedger(..)")
    }
}

impl PlainLedger {
    /// One over this store.
    pub fn new(store: Arc<dyn LedgerStore>) -> Arc<Self> {
        Arc::new(Self { store, ended: Mutex::default() })
    }

    /// Writes what ended.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn flush(&self) -> Done<()> {
        self.write(Vec::new()).await.map(|_| ())
    }

    async fn write(&self, calls: Vec<NewCall>) -> Done<Vec<Verdict>> {
        let settled = std::mem::take(&mut *self.ended.lock().unwrap_or_else(PoisonError::into_inner));
        self.store.write(&Batch { calls, settled }).await
    }
}

#[async_trait]
impl Ledger for PlainLedger {
    async fn reserve(&self, call: NewCall) -> Done<Verdict> {
        Ok(self.write(vec![call]).await?.pop().unwrap_or(Ok(())))
    }

    fn settle(&self, settled: Settlement) {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).push(settled);
    }
}
