//! The vectors of search by the model of a provider, in place of the one that comes with the program. The shop itself calls: its calls are in
//! the ledger and count in its budgets. Whoever searches is found by words alone while there are none.

use std::{pin::pin, time::Duration};

use async_trait::async_trait;

use super::{Assistant, Denied, Fault, FaultClass, embed::embed_for};
use crate::{
    actor::Principal,
    catalog::similar::{Passage, TextVectors},
    deadline::Within,
    error::{Error, Result},
    id::UserId,
    identity::Sellers,
    permission::{Permission as _, Role, Roles, UseAssistant},
    shop::Shop,
};

/// Texts that are sent at once.
const AT_ONCE: usize = 64;
/// How long somebody who searches waits for the direction of their question.
const PATIENCE: Duration = Duration::from_millis(1500);
/// What calls of the shop have in the place of a request.
const REQUEST: &str = "search";

/// Makes vectors by a model of the assistant.
#[derive(Debug, Clone)]
pub struct SearchVectors {
    assistant: Assistant,
    shop: Shop,
    caller: Principal,
    /// The model, as callers know it.
    alias: String,
    /// Whose vectors can be compared: those of one model at one provider, of one length.
    name: String,
    /// The most bytes of a text.
    most: usize,
}

impl SearchVectors {
    /// By the model of this name, called by the shop, which is that person in the ledger.
    ///
    /// # Errors
    /// [`Error::Internal`] when there is no such model.
    pub fn new(assistant: Assistant, shop: Shop, caller: UserId, model: &str) -> Result<Self> {
        let known = assistant.models.embeddings.get(model);
        let known = known.ok_or_else(|| Error::internal(format!("there is no model {model:?} that makes vectors")))?;
        let name = format!("{}/{}", known.deployment, known.embedder.dimension());
        // As many as can be sure not to be refused before they are sent.
        let most = usize::try_from(known.window.saturating_mul(4)).unwrap_or(usize::MAX);
        let caller = Principal::new(caller, Roles::new([Role::User]), UseAssistant::SET, Sellers::NONE);
        Ok(Self { assistant, shop, caller, alias: model.to_owned(), name, most })
    }

    fn text(&self, passage: &Passage) -> String {
        let mut text = passage.title.clone();
        if !passage.body.is_empty() {
            text.push('\n');
            text.push_str(&passage.body);
        }
        text.truncate(text.floor_char_boundary(self.most));
        text
    }

    async fn made(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, Denied> {
        let made = embed_for(&self.assistant, &self.shop, &self.caller, REQUEST, &self.alias, texts).await?;
        Ok(made.vectors)
    }

    /// A text that the model cannot read means nothing to it; all the others are made nevertheless.
    async fn made_one_by_one(&self, texts: &[String], length: usize) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for text in texts {
            match self.made(std::slice::from_ref(text)).await {
                Ok(made) => vectors.extend(made),
                Err(denied) if is_of_the_text(&denied) => {
                    tracing::warn!(bytes = text.len(), "the model of search cannot read a text");
                    vectors.push(vec![0.0; length]);
                }
                Err(denied) => return Err(away(denied)),
            }
        }
        Ok(vectors)
    }
}

#[async_trait]
impl TextVectors for SearchVectors {
    fn model(&self) -> &str {
        &self.name
    }

    async fn embed(&self, passages: &[Passage]) -> Result<Vec<Vec<f32>>> {
        let texts: Vec<String> = passages.iter().map(|passage| self.text(passage)).collect();
        if passages.iter().any(|passage| passage.asked) {
            let made = pin!(self.made(&texts));
            return Within::new(self.shop.now() + PATIENCE, made).await.map_err(away);
        }
        let length = self.assistant.models.embeddings.get(&self.alias).map_or(0, |model| model.embedder.dimension());
        let mut vectors = Vec::with_capacity(texts.len());
        for texts in texts.chunks(AT_ONCE) {
            match self.made(texts).await {
                Ok(made) => vectors.extend(made),
                Err(denied) if is_of_the_text(&denied) => vectors.extend(self.made_one_by_one(texts, length).await?),
                Err(denied) => return Err(away(denied)),
            }
        }
        Ok(vectors)
    }
}

/// Whether it is the text that the model does not take.
fn is_of_the_text(denied: &Denied) -> bool {
    matches!(
        denied,
        Denied::TooLong { .. }
            | Denied::Fault(Fault { class: FaultClass::ContextWindow | FaultClass::ContentPolicy, .. })
    )
}

/// Whoever has no vector goes on without it, for whatever reason.
fn away(denied: Denied) -> Error {
    let why = match denied {
        Denied::Error(error) => return error,
        Denied::Limited(after) => return Error::Limited(after),
        Denied::Fault(fault) => fault.message,
        Denied::Budget(refusal) => format!("the budget {:?} has no room for it", refusal.budget),
        Denied::Unpriced(model) => format!("the model {model:?} has no price"),
        Denied::TooLong { tokens, window } => format!("{tokens} tokens, and the model reads {window}"),
        Denied::Unsupported { message, .. } => message,
        Denied::NotConfigured | Denied::UnknownModel(_) | Denied::NotForKey(_) | Denied::NotKept => {
            "there is no such model".to_owned()
        }
    };
    Error::Unavailable { what: "The model of search", source: why.into() }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::{
        assistant::{
            Budget, BudgetBy, BudgetSpan, Embedding, Models, PriceList,
            ports::{Embedded, Embedder},
            terms::{Standing, Terms},
        },
        identity::shop_person,
        limit::{Decision, Policy, RateLimiter, Subject},
        testing::{Fixtures, PlainLedger, memory::MemoryStore},
    };

    struct Open;

    #[async_trait]
    impl RateLimiter for Open {
        async fn check(&self, _: &[(&Policy, Subject)]) -> Vec<Decision> {
            Vec::new()
        }
    }

    /// Cannot read what says so, and says how many texts it was given at once.
    struct Picky;

    #[async_trait]
    impl Embedder for Picky {
        fn name(&self) -> &'static str {
            "picky"
        }

        fn dimension(&self) -> usize {
            2
        }

        async fn embed(&self, texts: &[String]) -> Result<Embedded, Fault> {
            if texts.iter().any(|text| text.contains("unreadable")) {
                return Err(Fault::new(FaultClass::ContextWindow, "too long"));
            }
            let count = f32::from(u16::try_from(texts.len()).unwrap());
            let length = |text: &String| vec![count, f32::from(u16::try_from(text.len()).unwrap())];
            Ok(Embedded { vectors: texts.iter().map(length).collect(), usage: None })
        }
    }

    async fn vectors(budgets: Vec<Budget>) -> (SearchVectors, MemoryStore, Arc<PlainLedger>) {
        let (given, store) = Fixtures::in_memory();
        let ledger = PlainLedger::new(Arc::new(store.clone()));
        let model = Embedding {
            name: "vectors".to_owned(),
            deployment: "near/picky".to_owned(),
            embedder: Arc::new(Picky),
            window: 10,
            counts: None,
        };
        let models = Models { chat: BTreeMap::new(), embeddings: BTreeMap::from([("vectors".to_owned(), model)]) };
        let assistant = Assistant {
            models: Arc::new(models),
            terms: Arc::new(Standing::new(Terms { prices: PriceList::default(), budgets })),
            ledger: ledger.clone(),
            limiter: Arc::new(Open),
            again_after: None,
            kept: None,
        };
        let caller = shop_person(&given.shop).await.unwrap();
        (SearchVectors::new(assistant, given.shop.clone(), caller, "vectors").unwrap(), store, ledger)
    }

    fn passage(title: &str) -> Passage {
        Passage { title: title.to_owned(), body: "b".to_owned(), asked: false }
    }

    #[tokio::test]
    async fn the_shop_calls_and_what_cannot_be_read_holds_nobody_up() {
        let (vectors, store, ledger) = vectors(Vec::new()).await;
        assert_eq!(vectors.model(), "near/picky/2");
        let long = "ä".repeat(100);
        let all = [passage("a"), passage("unreadable"), passage(&long)];
        let made = vectors.embed(&all).await.unwrap();
        assert_eq!(made, [[1.0, 3.0], [0.0, 0.0], [1.0, 40.0]], "each alone, and none longer than the model reads");
        let many: Vec<Passage> = (0..70).map(|_| passage("a")).collect();
        let made = vectors.embed(&many).await.unwrap();
        assert_eq!((made.len(), made[0][0], made[69][0]), (70, 64.0, 6.0));
        ledger.flush().await.unwrap();
        let calls = store.books().calls;
        assert_eq!(calls.len(), 6);
        assert!(calls.values().all(|call| call.call.user == vectors.caller.user && call.call.request == "search"));
    }

    #[tokio::test]
    async fn without_room_in_a_budget_one_goes_on_without_vectors() {
        let none = Budget {
            name: "shop".to_owned(),
            by: BudgetBy::User,
            subject: None,
            span: BudgetSpan::Month,
            model: None,
            cost: None,
            tokens: None,
            calls: Some(1),
        };
        let (vectors, ..) = vectors(vec![none]).await;
        vectors.embed(&[Passage::question("boat")]).await.unwrap();
        let refused = vectors.embed(&[Passage::question("boat")]).await.unwrap_err();
        assert!(matches!(refused, Error::Unavailable { .. }), "search goes on by words alone: {refused:?}");
    }
}
