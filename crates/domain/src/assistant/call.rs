//! A call of a model: written down, made with whoever answers, counted. Every door goes through here.

use std::time::Duration;

use async_trait::async_trait;

use super::{
    Answer, Assistant, CallKind, ChatRequest, Denied, Deployment, Fault, FaultClass, Model, Usage, estimate,
    held::{Caller, Held, Wanted},
    ports::{ChatStream, Completed},
    tokenizer,
    tokens::bound,
};
use crate::{
    id::GenerationId,
    limit::{Policy, Subject},
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

/// The longest that a caller waits until everybody is asked once more.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A whole answer, and which model gave it.
#[derive(Debug)]
pub struct Whole {
    /// The model, as callers know it.
    pub model: String,
    /// The answer.
    pub completed: Completed,
    /// What was used, and whether that is a guess of ours since its provider did not say.
    pub figures: (Usage, bool),
}

/// What a call is made for.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The id of the request.
    pub request: &'a str,
    /// The answer to a prompt.
    pub generation: Option<GenerationId>,
}

/// Asks a model for a whole answer.
///
/// # Errors
/// Why there is none.
pub async fn ask(
    assistant: &Assistant,
    shop: &Shop,
    auth: &Authorized<UseAssistant>,
    request_id: &str,
    model: &str,
    request: ChatRequest,
) -> Result<Whole, Denied> {
    ask_for(assistant, shop, auth, Origin { request: request_id, generation: None }, model, request).await
}

/// The same for an origin that is more than a request.
///
/// # Errors
/// Why there is none.
pub async fn ask_for(
    assistant: &Assistant,
    shop: &Shop,
    auth: &Authorized<UseAssistant>,
    origin: Origin<'_>,
    model: &str,
    request: ChatRequest,
) -> Result<Whole, Denied> {
    let caller = Caller { principal: auth.principal(), request: origin.request, generation: origin.generation };
    let (model, completed, mut held) = Call { assistant, shop, caller }.made(model, request, &AtOnce).await?;
    let reply = &completed.reply;
    held.heard(&reply.text);
    held.heard(&reply.reasoning);
    for call in &reply.tool_calls {
        held.heard(&call.name);
        held.heard(&call.arguments);
    }
    if let Some(usage) = reply.usage {
        held.told(usage);
    }
    held.reckon().await;
    let figures = held.figures();
    held.ended();
    Ok(Whole { model, completed, figures })
}

/// Asks a model for an answer piece by piece.
///
/// # Errors
/// Why there is none.
pub async fn stream(
    assistant: &Assistant,
    shop: &Shop,
    auth: &Authorized<UseAssistant>,
    request_id: &str,
    model: &str,
    request: ChatRequest,
) -> Result<Answer, Denied> {
    stream_for(assistant, shop, auth, Origin { request: request_id, generation: None }, model, request).await
}

/// The same for an origin that is more than a request.
///
/// # Errors
/// Why there is none.
pub async fn stream_for(
    assistant: &Assistant,
    shop: &Shop,
    auth: &Authorized<UseAssistant>,
    origin: Origin<'_>,
    model: &str,
    request: ChatRequest,
) -> Result<Answer, Denied> {
    let caller = Caller { principal: auth.principal(), request: origin.request, generation: origin.generation };
    let (model, stream, held) = Call { assistant, shop, caller }.made(model, request, &PieceByPiece).await?;
    Ok(Answer::new(stream, held, &model))
}

/// The way in which an answer is wanted.
#[async_trait]
trait Way: Send + Sync {
    type Brought: Send;

    async fn ask(&self, deployment: &Deployment, request: &ChatRequest) -> Result<Self::Brought, Fault>;
}

struct AtOnce;

#[async_trait]
impl Way for AtOnce {
    type Brought = Completed;

    async fn ask(&self, deployment: &Deployment, request: &ChatRequest) -> Result<Completed, Fault> {
        deployment.model.complete(request).await
    }
}

struct PieceByPiece;

#[async_trait]
impl Way for PieceByPiece {
    type Brought = Box<dyn ChatStream>;

    async fn ask(&self, deployment: &Deployment, request: &ChatRequest) -> Result<Self::Brought, Fault> {
        deployment.model.stream(request).await
    }
}

/// About how many tokens a question has. It is counted where its bytes alone do not say that it fits.
async fn length(model: &Model, request: &ChatRequest) -> u64 {
    match &model.counts {
        Some(counts) if bound(request) > model.window => tokenizer::counted(counts, request).await,
        _ => estimate(request),
    }
}

/// A call on its way to somebody who answers it.
struct Call<'a> {
    assistant: &'a Assistant,
    shop: &'a Shop,
    caller: Caller<'a>,
}

impl Call<'_> {
    /// Asks one after the other until somebody answers, and gives which model that was.
    async fn made<W: Way>(
        &self,
        model: &str,
        mut request: ChatRequest,
        way: &W,
    ) -> Result<(String, W::Brought, Held), Denied> {
        let wanted = request.max_tokens;
        let mut model = self.model(model)?;
        self.limited(model).await?;
        let (mut length, mut again) = (length(model, &request).await, self.assistant.again_after);
        while length > model.window {
            model = self
                .instead(model.when_too_long.as_ref(), model)
                .ok_or(Denied::TooLong { tokens: length, window: model.window })?;
            length = self::length(model, &request).await;
        }
        // Each model stands in for another once at most.
        let mut stood_in = 0;
        loop {
            request.max_tokens = Some(wanted.map_or(model.max_output, |wanted| wanted.min(model.max_output)));
            let fault = match self.walk(model, &request, length, way).await {
                Ok((brought, held)) => return Ok((model.name.clone(), brought, held)),
                Err(Denied::Fault(fault)) => fault,
                Err(denied) => return Err(denied),
            };
            let instead = match fault.class {
                FaultClass::ContextWindow => model.when_too_long.as_ref(),
                FaultClass::ContentPolicy => model.when_withheld.as_ref(),
                _ => None,
            };
            if let Some(other) = self.instead(instead, model).filter(|_| stood_in < 2) {
                (model, stood_in, length) = (other, stood_in + 1, self::length(other, &request).await);
                continue;
            }
            match again.take().filter(|_| fault.class.may_pass()) {
                Some(pause) => {
                    // Everybody was asked: once more after a moment, jittered so that callers do not come back together.
                    let mut byte = [0];
                    self.shop.entropy.fill(&mut byte);
                    let pause = pause / 2 + pause * u32::from(byte[0]) / 255 / 2;
                    let wait = fault.retry_after.map_or(pause, |told| told.max(pause));
                    if wait > LONGEST_PAUSE {
                        return Err(Denied::Fault(fault));
                    }
                    self.shop.clock.sleep(wait).await;
                }
                None => return Err(Denied::Fault(fault)),
            }
        }
    }

    /// Asks the deployments of a model, one after the other where that may help.
    async fn walk<W: Way>(
        &self,
        model: &Model,
        request: &ChatRequest,
        length: u64,
        way: &W,
    ) -> Result<(W::Brought, Held), Denied> {
        let answers = u64::from(request.choices.max(1));
        let completion = u64::from(request.max_tokens.unwrap_or(model.max_output)).saturating_mul(answers);
        let mut last = None;
        for deployment in &model.deployments {
            let wanted = Wanted {
                kind: CallKind::Chat,
                model: &model.name,
                deployment: &deployment.name,
                // What is longer is refused over there.
                prompt: (bound(request).min(model.window), length),
                completion,
            };
            let mut held = Held::of(self.assistant, self.shop, self.caller, wanted).await?;
            held.counted_by(model.counts.as_ref(), request);
            match way.ask(deployment, request).await {
                Ok(brought) => return Ok((brought, held)),
                Err(fault) => {
                    if fault.may_cost {
                        held.reckon().await;
                    }
                    held.failed(&fault);
                    let elsewhere = fault.class.may_pass_elsewhere();
                    tracing::warn!(deployment = deployment.name, class = fault.class.name(), "a model did not answer");
                    last = Some(fault);
                    if !elsewhere {
                        break;
                    }
                }
            }
        }
        Err(last.map_or_else(|| Denied::UnknownModel(model.name.clone()), Denied::Fault))
    }

    fn model(&self, name: &str) -> Result<&Model, Denied> {
        if self.assistant.models.is_empty() {
            return Err(Denied::NotConfigured);
        }
        let model = self.assistant.models.chat.get(name).ok_or_else(|| Denied::UnknownModel(name.to_owned()))?;
        if self.caller.principal.may_ask(name) { Ok(model) } else { Err(Denied::NotForKey(name.to_owned())) }
    }

    /// The model that stands in for another.
    fn instead(&self, name: Option<&String>, model: &Model) -> Option<&Model> {
        let other = self.assistant.models.chat.get(name?)?;
        (other.name != model.name && self.caller.principal.may_ask(&other.name)).then_some(other)
    }

    async fn limited(&self, model: &Model) -> Result<(), Denied> {
        if model.limits.is_empty() {
            return Ok(());
        }
        let subject = |policy: &Policy| {
            if policy.name.ends_with(":user") { Subject::User(self.caller.principal.user) } else { Subject::Everybody }
        };
        let asked: Vec<_> = model.limits.iter().map(|policy| (policy, subject(policy))).collect();
        let said = self.assistant.limiter.check(&asked).await;
        match said.iter().find(|decision| !decision.allowed) {
            Some(refused) => Err(Denied::Limited(refused.retry_after)),
            None => Ok(()),
        }
    }
}
