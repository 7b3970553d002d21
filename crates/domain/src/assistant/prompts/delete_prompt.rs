//! Deleting a prompt that nobody ever asked; one that was asked is put away instead, so that what was spent on it keeps its name.

use super::{events, update_prompt::held};
use crate::{
    catalog::Version,
    error::{Error, Result},
    permission::{Authorized, WritePrompts},
    shop::Shop,
};

/// Deletes a prompt with its versions and splits. With `expected`, only if it has one of those versions.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`]; [`Error::Conflict`] when it was asked.
pub async fn delete_prompt(
    shop: &Shop,
    by: &Authorized<WritePrompts>,
    name: &str,
    expected: Option<&[Version]>,
) -> Result<()> {
    let who = by.principal();
    shop.write("delete_prompt", |mut tx| async move {
        let prompt = held(&mut *tx, name, expected).await?;
        if tx.prompts().is_asked(prompt.id).await? {
            return Err(Error::conflict(
                "Models were asked by this prompt; put it away instead, with \"archived\": true",
            ));
        }
        tx.prompts().delete(prompt.id).await?;
        shop.record(&mut *tx, Some(who.user), events::deleted(&prompt)).await?;
        tx.commit(()).await
    })
    .await
}
