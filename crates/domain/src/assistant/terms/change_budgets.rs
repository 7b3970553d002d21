//! Setting how much may be spent.

use super::{BudgetPatch, NewBudget, StoredBudget, TermsKeeper, events};
use crate::{
    error::{Error, Result},
    id::AssistantBudgetId,
    idempotency::{Once, Outcome},
    permission::{Authorized, ManageAssistant},
    shop::Shop,
};

/// The most budgets that are kept: each call is held against all that count it.
const MOST: u64 = 1_000;

/// Makes a budget, which counts from now on.
///
/// # Errors
/// [`Error::Conflict`] when the name is taken, there are too many, or calls are not written down before they are made.
pub async fn create_budget(
    shop: &Shop,
    keeper: &TermsKeeper,
    by: Authorized<ManageAssistant>,
    new: NewBudget,
    once: &Once<'_, StoredBudget>,
) -> Result<Outcome<StoredBudget>> {
    let (who, new) = (by.principal(), &new);
    shop.write_once("create_assistant_budget", once, |mut tx| async move {
        if !keeper.keeps_budgets {
            return Err(Error::conflict("No budget can be kept while assistant.ledger is after"));
        }
        let taken = || Error::conflict(format!("There is a budget {} already", new.0.name));
        if keeper.settings.budgets.iter().any(|budget| budget.name == new.0.name) {
            return Err(taken());
        }
        if tx.terms().count_budgets().await? >= MOST {
            return Err(Error::conflict(format!("There are {MOST} budgets already")));
        }
        let now = tx.now();
        let id = shop.id::<AssistantBudgetId>();
        let stored = StoredBudget { id, budget: new.0.clone(), created_at: now, updated_at: now };
        if !tx.terms().insert_budget(&stored).await? {
            return Err(taken());
        }
        shop.record(&mut *tx, Some(who.user), events::budget_created(&stored)).await?;
        tx.commit(stored).await
    })
    .await
}

/// Changes how much may be spent; what was spent in the present stretch of time counts on.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] when nothing would bound it any more.
pub async fn update_budget(
    shop: &Shop,
    by: Authorized<ManageAssistant>,
    id: AssistantBudgetId,
    patch: BudgetPatch,
) -> Result<StoredBudget> {
    let who = by.principal();
    shop.write("update_assistant_budget", |mut tx| async move {
        let before = tx.terms().budget(id).await?.ok_or(Error::NotFound("Budget"))?;
        let mut after = before.clone();
        patch.apply(&mut after.budget);
        if after.budget.cost.or(after.budget.tokens).or(after.budget.calls).is_none() {
            return Err(Error::invalid("/cost", "exists", "must stay, or tokens, or calls; delete the budget instead"));
        }
        if after.budget != before.budget {
            after.updated_at = tx.now();
            tx.terms().update_budget(&after).await?;
            shop.record(&mut *tx, Some(who.user), events::budget_updated(&before, &after)).await?;
        }
        tx.commit(after).await
    })
    .await
}

/// Removes a budget.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete_budget(shop: &Shop, by: Authorized<ManageAssistant>, id: AssistantBudgetId) -> Result<()> {
    let who = by.principal();
    shop.write("delete_assistant_budget", |mut tx| async move {
        let budget = tx.terms().budget(id).await?.ok_or(Error::NotFound("Budget"))?;
        tx.terms().delete_budget(id).await?;
        shop.record(&mut *tx, Some(who.user), events::budget_deleted(&budget)).await?;
        tx.commit(()).await
    })
    .await
}
