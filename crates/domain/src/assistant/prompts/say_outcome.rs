//! Saying how an answer turned out. As what is said in conversations, this leaves neither audit row nor event.

use super::{Generation, Outcome, OutcomeValue};
use crate::{
    error::{Error, Result},
    id::GenerationId,
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

/// The most measures of one answer.
const MOST: usize = 20;

/// Says how an answer turned out by a measure, in place of what was said of it before, and gives all that is said of it.
///
/// # Errors
/// [`Error::NotFound`], also for what somebody else asked; [`Error::Conflict`] for what is not done, and for too many measures.
pub async fn say_outcome(
    shop: &Shop,
    by: &Authorized<UseAssistant>,
    id: GenerationId,
    metric: &str,
    value: OutcomeValue,
) -> Result<(Generation, Vec<Outcome>)> {
    let who = by.principal();
    shop.write("say_outcome", |mut tx| async move {
        let found = tx.prompts().generation(id).await?.filter(|found| found.user == who.user);
        let generation = found.ok_or(Error::NotFound("Generation"))?;
        if generation.state != super::GenerationState::Done {
            return Err(Error::conflict("There was no answer that could turn out one way or the other"));
        }
        let mut all = tx.prompts().outcomes(id).await?;
        let outcome = Outcome { metric: metric.to_owned(), value, at: tx.now() };
        all.retain(|one| one.metric != metric);
        if all.len() >= MOST {
            return Err(Error::conflict(format!("An answer is measured in {MOST} ways at most")));
        }
        all.push(outcome.clone());
        all.sort_by(|a, b| a.metric.cmp(&b.metric));
        tx.prompts().put_outcome(id, &outcome).await?;
        tx.commit((generation, all)).await
    })
    .await
}
