//! What models cost, how much may be spent on them, and by which keys providers know us.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    assistant::{
        Budget, BudgetBy, BudgetSpan, Price,
        terms::{
            ProviderKey, StoredBudget, StoredPrice, StoredTerms,
            ports::{TermsQueries, TermsRepo},
        },
    },
    id::{AssistantBudgetId, AssistantPriceId, ProviderKeyId},
};
use sea_orm::QueryResult;

use super::stored;
use crate::{
    database::Database,
    statement::{all, at, count, execute, one, statement},
    tx::SeaTx,
};

const PRICE: &str = "id, deployment, valid_from, input, cached, output, reasoning, created_at";
const BUDGET: &str = "id, name, counted_by, subject, span, model, cost, tokens, calls, created_at, updated_at";
const KEY: &str = "id, provider, sealed, hint, set_at";

impl Database {
    /// What the assistant costs, may spend and is known by.
    pub fn terms(&self) -> Arc<dyn TermsQueries> {
        Arc::new(self.clone())
    }
}

impl SeaTx {
    async fn counted(&self, table: &str) -> Result<u64> {
        let counted = one(&self.tx, statement(self.engine, format!("SELECT count(*) FROM {table}"), [])).await?;
        counted.map_or(Ok(0), |row| count(&row, 0))
    }

    fn held(&self) -> &'static str {
        self.engine.pick("", " FOR UPDATE")
    }
}

#[async_trait]
impl TermsRepo for SeaTx {
    async fn insert_price(&mut self, one: &StoredPrice) -> Result<bool> {
        let sql = format!(
            "INSERT INTO assistant_prices ({PRICE}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"
        );
        let price = &one.price;
        let values = [
            one.id.0.into(),
            price.deployment.as_str().into(),
            price.from.into(),
            stored(price.input).into(),
            stored(price.cached).into(),
            stored(price.output).into(),
            stored(price.reasoning).into(),
            one.created_at.into(),
        ];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? == 1)
    }

    async fn price(&mut self, id: AssistantPriceId) -> Result<Option<StoredPrice>> {
        let sql = format!("SELECT {PRICE} FROM assistant_prices WHERE id = $1{}", self.held());
        one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?.map(|row| price(&row)).transpose()
    }

    async fn delete_price(&mut self, id: AssistantPriceId) -> Result<()> {
        let sql = "DELETE FROM assistant_prices WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await.map(|_| ())
    }

    async fn count_prices(&mut self) -> Result<u64> {
        self.counted("assistant_prices").await
    }

    async fn insert_budget(&mut self, one: &StoredBudget) -> Result<bool> {
        let sql = format!(
            "INSERT INTO assistant_budgets ({BUDGET}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT DO NOTHING"
        );
        let budget = &one.budget;
        let values = [
            one.id.0.into(),
            budget.name.as_str().into(),
            budget.by.name().into(),
            budget.subject.into(),
            budget.span.name().into(),
            budget.model.clone().into(),
            budget.cost.map(stored).into(),
            budget.tokens.map(stored).into(),
            budget.calls.map(stored).into(),
            one.created_at.into(),
            one.updated_at.into(),
        ];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? == 1)
    }

    async fn budget(&mut self, id: AssistantBudgetId) -> Result<Option<StoredBudget>> {
        let sql = format!("SELECT {BUDGET} FROM assistant_budgets WHERE id = $1{}", self.held());
        one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?.map(|row| budget(&row)).transpose()
    }

    async fn update_budget(&mut self, changed: &StoredBudget) -> Result<()> {
        let sql = "UPDATE assistant_budgets SET cost = $2, tokens = $3, calls = $4, updated_at = $5 WHERE id = $1";
        let values = [
            changed.id.0.into(),
            changed.budget.cost.map(stored).into(),
            changed.budget.tokens.map(stored).into(),
            changed.budget.calls.map(stored).into(),
            changed.updated_at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn delete_budget(&mut self, id: AssistantBudgetId) -> Result<()> {
        let sql = "DELETE FROM assistant_budgets WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await.map(|_| ())
    }

    async fn count_budgets(&mut self) -> Result<u64> {
        self.counted("assistant_budgets").await
    }

    async fn provider_key(&mut self, provider: &str) -> Result<Option<ProviderKey>> {
        let sql = format!("SELECT {KEY} FROM provider_keys WHERE provider = $1{}", self.held());
        one(&self.tx, statement(self.engine, sql, [provider.into()])).await?.map(|row| key(&row)).transpose()
    }

    async fn put_provider_key(&mut self, key: &ProviderKey) -> Result<()> {
        let sql = format!(
            "INSERT INTO provider_keys ({KEY}) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (provider) DO UPDATE SET \
             sealed = excluded.sealed, hint = excluded.hint, set_at = excluded.set_at"
        );
        let values = [
            key.id.0.into(),
            key.provider.as_str().into(),
            key.sealed.clone().into(),
            key.hint.as_str().into(),
            key.set_at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn delete_provider_key(&mut self, provider: &str) -> Result<()> {
        let sql = "DELETE FROM provider_keys WHERE provider = $1";
        execute(&self.tx, statement(self.engine, sql, [provider.into()])).await.map(|_| ())
    }
}

#[async_trait]
impl TermsQueries for Database {
    async fn terms(&self) -> Result<StoredTerms> {
        let read = async |columns: &str, table: &str, order: &str| {
            let bytes = self.engine.pick("", "COLLATE \"C\"");
            let sql = format!("SELECT {columns} FROM {table} ORDER BY {}", order.replace('~', bytes));
            all(&self.reader, statement(self.engine, sql, [])).await
        };
        let prices = read(PRICE, "assistant_prices", "deployment ~, valid_from").await?;
        let budgets = read(BUDGET, "assistant_budgets", "name ~").await?;
        let keys = read(KEY, "provider_keys", "provider ~").await?;
        Ok(StoredTerms {
            prices: prices.iter().map(price).collect::<Result<_>>()?,
            budgets: budgets.iter().map(budget).collect::<Result<_>>()?,
            keys: keys.iter().map(key).collect::<Result<_>>()?,
        })
    }
}

fn price(row: &QueryResult) -> Result<StoredPrice> {
    let price = Price {
        deployment: at(row, 1)?,
        from: at(row, 2)?,
        until: None,
        input: count(row, 3)?,
        cached: count(row, 4)?,
        output: count(row, 5)?,
        reasoning: count(row, 6)?,
    };
    Ok(StoredPrice { id: AssistantPriceId(at(row, 0)?), price, created_at: at(row, 7)? })
}

fn budget(row: &QueryResult) -> Result<StoredBudget> {
    let (by, span): (String, String) = (at(row, 2)?, at(row, 4)?);
    let odd = || Error::internal(format!("a budget is by {by:?} and {span:?}"));
    let most = |index| -> Result<Option<u64>> {
        Ok(at::<Option<i64>>(row, index)?.map(|most| u64::try_from(most).unwrap_or_default()))
    };
    let budget = Budget {
        name: at(row, 1)?,
        by: BudgetBy::named(&by).ok_or_else(odd)?,
        subject: at(row, 3)?,
        span: BudgetSpan::named(&span).ok_or_else(odd)?,
        model: at(row, 5)?,
        cost: most(6)?,
        tokens: most(7)?,
        calls: most(8)?,
    };
    let id = AssistantBudgetId(at(row, 0)?);
    Ok(StoredBudget { id, budget, created_at: at(row, 9)?, updated_at: at(row, 10)? })
}

fn key(row: &QueryResult) -> Result<ProviderKey> {
    Ok(ProviderKey {
        id: ProviderKeyId(at(row, 0)?),
        provider: at(row, 1)?,
        sealed: at(row, 2)?,
        hint: at(row, 3)?,
        set_at: at(row, 4)?,
    })
}
