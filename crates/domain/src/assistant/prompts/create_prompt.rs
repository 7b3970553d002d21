//! Making a prompt: its name and what it is for. What it says is written in versions.

use super::{NewPrompt, Prompt, events};
use crate::{
    catalog::Version,
    error::{Error, Result},
    idempotency::{Once, Outcome},
    permission::{Authorized, WritePrompts},
    shop::Shop,
};

/// The most prompts that are kept.
const MOST: u64 = 1_000;

/// Makes a prompt that says nothing yet.
///
/// # Errors
/// [`Error::Conflict`] when the name is taken, or there are too many.
pub async fn create_prompt(
    shop: &Shop,
    by: Authorized<WritePrompts>,
    new: NewPrompt,
    once: &Once<'_, Prompt>,
) -> Result<Outcome<Prompt>> {
    let (who, new) = (by.principal(), &new);
    shop.write_once("create_prompt", once, |mut tx| async move {
        if tx.prompts().count().await? >= MOST {
            return Err(Error::conflict(format!("There are {MOST} prompts already; delete one that nobody asks")));
        }
        let now = tx.now();
        let prompt = Prompt {
            id: shop.id(),
            name: new.name.clone(),
            description: new.description.clone(),
            is_archived: false,
            latest: None,
            split: None,
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
        };
        if !tx.prompts().insert(&prompt).await? {
            return Err(Error::conflict(format!("There is a prompt {} already; choose another name", prompt.name)));
        }
        shop.record(&mut *tx, Some(who.user), events::created(&prompt)).await?;
        tx.commit(prompt).await
    })
    .await
}
