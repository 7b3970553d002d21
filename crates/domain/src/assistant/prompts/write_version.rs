//! Writing another version of a prompt. It serves nobody before a split names it.

use super::{Prompt, PromptContent, PromptVersion, VersionNumber, events, update_prompt::held};
use crate::{
    error::{Error, Result},
    idempotency::{Once, Outcome},
    permission::{Authorized, WritePrompts},
    shop::Shop,
};

/// The most versions of a prompt.
const MOST: i64 = 1_000;

/// Writes the next version.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when there are too many.
pub async fn write_version(
    shop: &Shop,
    by: Authorized<WritePrompts>,
    name: &str,
    content: PromptContent,
    once: &Once<'_, PromptVersion>,
) -> Result<Outcome<PromptVersion>> {
    let (who, content) = (by.principal(), &content);
    shop.write_once("create_prompt_version", once, |mut tx| async move {
        let mut prompt: Prompt = held(&mut *tx, name, None).await?;
        let number = VersionNumber(prompt.latest.map_or(0, |latest| latest.0) + 1);
        if number.0 > MOST {
            return Err(Error::conflict(format!("{name} has {MOST} versions already; make another prompt")));
        }
        let now = tx.now();
        let version = PromptVersion {
            prompt: prompt.id,
            number,
            content: content.clone(),
            written_by: who.user,
            written_at: now,
        };
        tx.prompts().add_version(&version).await?;
        prompt.latest = Some(number);
        prompt.version = prompt.version.next();
        prompt.updated_at = now;
        tx.prompts().update(&prompt).await?;
        shop.record(&mut *tx, Some(who.user), events::version_written(&prompt, number)).await?;
        tx.commit(version).await
    })
    .await
}
