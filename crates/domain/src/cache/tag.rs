//! What entries belong to.

use std::fmt;

use uuid::Uuid;

use crate::{
    event::{Event, Fact},
    id::ProductId,
};

/// Something that may change under an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tag {
    /// Any product: lists, totals, searches.
    Products,
    /// One product with its pictures, rating and reviews.
    Product(ProductId),
    /// The category tree.
    Categories,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Products => f.write_str("products"),
            Self::Product(id) => write!(f, "product:{id}"),
            Self::Categories => f.write_str("categories"),
        }
    }
}

/// What an event makes old.
pub fn tags(event: &Event) -> Vec<Tag> {
    let product = |id| vec![Tag::Products, Tag::Product(id)];
    match Fact::of(event) {
        Ok(Fact::Product(fact)) => product(fact.product_id),
        Ok(Fact::ProductPurged(id)) => product(id),
        // A review is shown with its product, and its stars in lists.
        Ok(Fact::Review(_)) => {
            event.payload.get("productId").and_then(id).map(ProductId).map_or_else(everything, product)
        }
        Ok(Fact::Category(_)) => vec![Tag::Categories],
        // Products that have other words are found by other searches.
        Ok(Fact::Job(_)) if event.kind == "job.reindexed" => vec![Tag::Products],
        // Their pictures have other addresses.
        Ok(Fact::Job(_)) if event.kind == "job.rerendered" => {
            let products = event.payload.get("products").and_then(|products| products.as_array());
            let products = products.into_iter().flatten().filter_map(id).map(|id| Tag::Product(ProductId(id)));
            std::iter::once(Tag::Products).chain(products).collect()
        }
        Ok(
            Fact::Seller(_)
            | Fact::Invitation(_)
            | Fact::Library(_)
            | Fact::Upload(_)
            | Fact::Inbound(_)
            | Fact::WebhookEndpoint(_)
            | Fact::User(_)
            | Fact::Session(_)
            | Fact::SigningKey(_)
            | Fact::Role(_)
            | Fact::ApiKey(_)
            | Fact::AuditPurged(_)
            | Fact::Model(_)
            | Fact::ModelPurged(_)
            | Fact::File(_)
            | Fact::Grant(_)
            | Fact::Job(_)
            | Fact::Conversation(_)
            | Fact::AssistantPrice(_)
            | Fact::AssistantBudget(_)
            | Fact::ProviderKey(_)
            | Fact::Prompt(_)
            | Fact::AssistantFile(_)
            | Fact::AssistantBatch(_)
            | Fact::Room(_),
        ) => Vec::new(),
        // What nobody can read may have changed anything.
        Err(_) => everything(),
    }
}

fn id(value: &serde_json::Value) -> Option<Uuid> {
    value.as_str()?.parse().ok()
}

/// The tags that every entry about the catalogue has one of.
fn everything() -> Vec<Tag> {
    vec![Tag::Products, Tag::Categories]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        clock::Timestamp,
        event::Entity,
        id::{EventId, UserId},
    };

    fn event(kind: &str, payload: Value) -> Event {
        let entity = kind.split_once('.').unwrap().0;
        let id = Uuid::from_u128(7);
        Event {
            id: EventId(id),
            kind: kind.to_owned(),
            entity: Entity::new(entity, id),
            actor: Some(UserId(Uuid::from_u128(5))),
            at: Timestamp::UNIX_EPOCH,
            payload,
        }
    }

    #[test]
    fn a_change_makes_old_what_shows_it() {
        let id = Uuid::from_u128(7);
        let product = vec![Tag::Products, Tag::Product(ProductId(id))];
        let deleted = json!({ "productId": id, "sellerId": id, "categoryId": null, "status": "draft" });
        assert_eq!(tags(&event("product.deleted", deleted)), product);
        assert_eq!(tags(&event("product.purged", json!({ "productId": id }))), product);
        let reviewed = Uuid::from_u128(9);
        let review = json!({ "reviewId": id, "productId": reviewed });
        assert_eq!(tags(&event("review.hidden", review)), [Tag::Products, Tag::Product(ProductId(reviewed))]);
        assert_eq!(tags(&event("category.updated", json!({ "categoryId": id }))), [Tag::Categories]);
        assert_eq!(tags(&event("seller.created", json!({ "sellerId": id }))), []);
        assert_eq!(tags(&event("user.created", json!({ "userId": id }))), []);
        let rerendered = json!({ "jobId": id, "kind": "rerender_images", "products": [id] });
        assert_eq!(tags(&event("job.rerendered", rerendered)), product);
        assert_eq!(tags(&event("audit.purged", json!({ "auditId": id }))), []);
    }

    #[test]
    fn what_cannot_be_read_makes_everything_old() {
        for broken in
            [event("product.exploded", json!({})), event("review.created", json!({ "reviewId": Uuid::from_u128(7) }))]
        {
            assert_eq!(tags(&broken), [Tag::Products, Tag::Categories], "{broken:?}");
        }
    }
}
