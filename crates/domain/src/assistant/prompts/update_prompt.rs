//! Changing what a prompt is for, and putting it away.

use super::{Prompt, PromptPatch, events, prompt::prompt_name};
use crate::{
    catalog::Version,
    error::{Error, Result},
    permission::{Authorized, WritePrompts},
    shop::Shop,
};

/// Changes a prompt. With `expected`, only if it has one of those versions.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`].
pub async fn update_prompt(
    shop: &Shop,
    by: &Authorized<WritePrompts>,
    name: &str,
    patch: PromptPatch,
    expected: Option<&[Version]>,
) -> Result<Prompt> {
    let (who, patch) = (by.principal(), &patch);
    shop.write("update_prompt", |mut tx| async move {
        let mut prompt = held(&mut *tx, name, expected).await?;
        let mut fields = Vec::new();
        if let Some(description) = patch.description.as_ref().filter(|given| **given != prompt.description) {
            prompt.description.clone_from(description);
            fields.push("description");
        }
        if let Some(is_archived) = patch.is_archived.filter(|given| *given != prompt.is_archived) {
            prompt.is_archived = is_archived;
            fields.push("archived");
        }
        if !fields.is_empty() {
            prompt.version = prompt.version.next();
            prompt.updated_at = tx.now();
            tx.prompts().update(&prompt).await?;
            shop.record(&mut *tx, Some(who.user), events::updated(&prompt, &fields)).await?;
        }
        tx.commit(prompt).await
    })
    .await
}

/// The prompt of a name, held until the transaction ends, if it has one of the versions that are expected.
pub(super) async fn held(
    tx: &mut (dyn crate::store::Tx + 'static),
    name: &str,
    expected: Option<&[Version]>,
) -> Result<Prompt> {
    let unknown = || Error::NotFound("Prompt");
    // What is no name may not be what a database takes.
    prompt_name(name).map_err(|_| unknown())?;
    let prompt = tx.prompts().find(name).await?.ok_or_else(unknown)?;
    if expected.is_some_and(|any| !any.contains(&prompt.version)) {
        return Err(Error::Stale("Prompt"));
    }
    Ok(prompt)
}
