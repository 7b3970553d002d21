//! The changes of terms, told once for events and audit. Keys of providers stay out of both, their hints too.

use serde_json::{Value, json};

use super::{ProviderKey, StoredBudget, StoredPrice};
use crate::{
    assistant::amount::write_amount,
    event::{Change, Entity},
};

fn price(action: &'static str, event: &'static str, one: &StoredPrice) -> Change {
    let amount = |millionths| write_amount(millionths, 6);
    Change {
        action,
        event,
        entity: Entity::new("assistant_price", one.id),
        payload: json!({ "priceId": one.id, "deployment": one.price.deployment, "from": one.price.from }),
        metadata: json!({
            "deployment": one.price.deployment,
            "from": one.price.from,
            "input": amount(one.price.input),
            "cached": amount(one.price.cached),
            "output": amount(one.price.output),
            "reasoning": amount(one.price.reasoning),
        }),
    }
}

pub(super) fn price_created(new: &StoredPrice) -> Change {
    price("assistant_price.create", "assistant_price.created", new)
}

pub(super) fn price_withdrawn(gone: &StoredPrice) -> Change {
    price("assistant_price.withdraw", "assistant_price.withdrawn", gone)
}

fn budget(action: &'static str, event: &'static str, one: &StoredBudget, metadata: Value) -> Change {
    let payload = json!({ "budgetId": one.id, "name": one.budget.name });
    Change { action, event, entity: Entity::new("assistant_budget", one.id), payload, metadata }
}

fn told(one: &StoredBudget) -> Value {
    let budget = &one.budget;
    json!({
        "name": budget.name,
        "by": budget.by.name(),
        "subjectId": budget.subject,
        "span": budget.span.name(),
        "model": budget.model,
        "cost": budget.cost.map(|cost| write_amount(cost, 9)),
        "tokens": budget.tokens,
        "calls": budget.calls,
    })
}

pub(super) fn budget_created(new: &StoredBudget) -> Change {
    budget("assistant_budget.create", "assistant_budget.created", new, told(new))
}

pub(super) fn budget_updated(before: &StoredBudget, after: &StoredBudget) -> Change {
    let metadata = json!({ "before": told(before), "after": told(after) });
    budget("assistant_budget.update", "assistant_budget.updated", after, metadata)
}

pub(super) fn budget_deleted(gone: &StoredBudget) -> Change {
    budget("assistant_budget.delete", "assistant_budget.deleted", gone, told(gone))
}

fn key(action: &'static str, event: &'static str, one: &ProviderKey) -> Change {
    Change {
        action,
        event,
        entity: Entity::new("provider_key", one.id),
        payload: json!({ "providerKeyId": one.id, "provider": one.provider }),
        metadata: json!({ "provider": one.provider }),
    }
}

pub(super) fn key_set(new: &ProviderKey) -> Change {
    key("provider_key.set", "provider_key.set", new)
}

pub(super) fn key_removed(gone: &ProviderKey) -> Change {
    key("provider_key.remove", "provider_key.removed", gone)
}
