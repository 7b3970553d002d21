//! Vectors of texts, through the same ledger.

use super::{
    Assistant, CallKind, Denied, Embedding,
    held::{Caller, Held, Wanted},
    ports::Embedded,
};
use crate::{
    actor::Principal,
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

/// Turns texts into vectors by the model of that name.
///
/// # Errors
/// Why there are none.
pub async fn embed(
    assistant: &Assistant,
    shop: &Shop,
    auth: &Authorized<UseAssistant>,
    request_id: &str,
    model: &str,
    texts: &[String],
) -> Result<Embedded, Denied> {
    embed_for(assistant, shop, auth.principal(), request_id, model, texts).await
}

fn bytes(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// About how many tokens the texts have whose bytes alone do not say that they fit.
async fn lengths(model: &Embedding, texts: &[String]) -> Vec<u64> {
    let long = texts.iter().filter(|text| bytes(text) > model.window);
    match &model.counts {
        Some(counts) => counts.count(long.cloned().collect()).await,
        None => long.map(|text| bytes(text).div_ceil(4)).collect(),
    }
}

/// The same for somebody who need not be asked whether they may.
pub(super) async fn embed_for(
    assistant: &Assistant,
    shop: &Shop,
    principal: &Principal,
    request_id: &str,
    model: &str,
    texts: &[String],
) -> Result<Embedded, Denied> {
    if assistant.models.is_empty() {
        return Err(Denied::NotConfigured);
    }
    let model = assistant.models.embeddings.get(model).ok_or_else(|| Denied::UnknownModel(model.to_owned()))?;
    if !principal.may_ask(&model.name) {
        return Err(Denied::NotForKey(model.name.clone()));
    }
    if let Some(tokens) = lengths(model, texts).await.into_iter().find(|tokens| *tokens > model.window) {
        return Err(Denied::TooLong { tokens, window: model.window });
    }
    // None has less than a byte, and what is longer than the window is refused over there.
    let most = texts.iter().map(|text| (bytes(text) + 8).min(model.window)).sum();
    let about = texts.iter().map(|text| bytes(text).div_ceil(4)).sum();
    let caller = Caller { principal, request: request_id, generation: None };
    let wanted = Wanted {
        kind: CallKind::Embedding,
        model: &model.name,
        deployment: &model.deployment,
        prompt: (most, about),
        completion: 0,
    };
    let mut held = Held::of(assistant, shop, caller, wanted).await?;
    match model.embedder.embed(texts).await {
        Ok(embedded) => {
            held.heard("");
            if let Some(usage) = embedded.usage {
                held.told(usage);
            }
            held.ended();
            Ok(embedded)
        }
        Err(fault) => {
            held.failed(&fault);
            Err(Denied::Fault(fault))
        }
    }
}
