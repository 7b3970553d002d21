//! Deleting a prompt that nobody ever asked; one that was asked is put away instead, so that what was spent on it keeps its name.

use super::{events, update_prompt::held};
use crate::{
    catalog::Version,
    error::Result,
    permission::{Authorized, WritePrompts},
    shop::Shop,
};

/// Deletes a prompt with its versions and splits. With `expected`, only if it has one of those versions.
///
/// # Errors
/// [`crate::Error::NotFound`], [`crate::Error::Stale`].
pub async fn delete_prompt(
    shop: &Shop,
    by: &Authorized<WritePrompts>,
    name: &str,
    expected: Option<&[Version]>,
) -> Result<()> {
    let who = by.principal();
    shop.write("delete_prompt", |mut tx| async move {
        let prompt = held(&mut *tx, name, expected).await?;
        tx.prompts().delete(prompt.id).await?;
        shop.record(&mut *tx, Some(who.user), events::deleted(&prompt)).await?;
        tx.commit(()).await
    })
    .await
}
