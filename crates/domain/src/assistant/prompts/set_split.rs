//! Saying which versions serve, and going back to the split before.

use super::{Prompt, Share, Split, events, update_prompt::held};
use crate::{
    catalog::Version,
    error::{Error, Result},
    permission::{Authorized, WritePrompts},
    shop::Shop,
    store::Tx,
};

/// Sets which versions serve. With `expected`, only if the prompt has one of those versions.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`]; [`Error::Invalid`] for a version that there is not.
pub async fn set_split(
    shop: &Shop,
    by: &Authorized<WritePrompts>,
    name: &str,
    shares: Vec<Share>,
    expected: Option<&[Version]>,
) -> Result<Prompt> {
    let (who, shares) = (by.principal(), &shares);
    shop.write("set_prompt_split", |mut tx| async move {
        let mut prompt = held(&mut *tx, name, expected).await?;
        for (index, share) in shares.iter().enumerate() {
            if prompt.latest.is_none_or(|latest| share.version > latest) {
                let message = format!("must be a version that there is, and {} is none", share.version.0);
                return Err(Error::invalid(format!("/shares/{index}/version"), "unknown", message));
            }
        }
        let number = prompt.split.as_ref().map_or(0, |split| split.number) + 1;
        let now = tx.now();
        let split = Split { number, origin: number, shares: shares.clone(), set_by: who.user, set_at: now };
        put(&mut *tx, &mut prompt, split).await?;
        shop.record(&mut *tx, Some(who.user), events::split_set(&prompt)).await?;
        tx.commit(prompt).await
    })
    .await
}

/// Goes back to the split that was set before the one that holds; again, to the one before that. With `expected`, only if the prompt
/// has one of those versions.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`]; [`Error::Conflict`] when there is none before.
pub async fn roll_back(
    shop: &Shop,
    by: &Authorized<WritePrompts>,
    name: &str,
    expected: Option<&[Version]>,
) -> Result<Prompt> {
    let who = by.principal();
    shop.write("roll_prompt_back", |mut tx| async move {
        let mut prompt = held(&mut *tx, name, expected).await?;
        let (number, before) = prompt.split.as_ref().map_or((0, 0), |split| (split.number, split.before()));
        let nothing = || Error::conflict("No split was set before the one that holds; set one");
        let before = tx.prompts().split(prompt.id, before).await?.ok_or_else(nothing)?;
        let split = Split { number: number + 1, set_by: who.user, set_at: tx.now(), ..before };
        put(&mut *tx, &mut prompt, split).await?;
        shop.record(&mut *tx, Some(who.user), events::rolled_back(&prompt)).await?;
        tx.commit(prompt).await
    })
    .await
}

async fn put(tx: &mut (dyn Tx + 'static), prompt: &mut Prompt, split: Split) -> Result<()> {
    tx.prompts().add_split(prompt.id, &split).await?;
    prompt.version = prompt.version.next();
    prompt.updated_at = split.set_at;
    prompt.split = Some(split);
    tx.prompts().update(prompt).await
}
