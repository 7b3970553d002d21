//! One event as listeners hear of it.

use super::Topic;
use crate::{
    catalog::{ProductStatus, policy::Scope},
    clock::Timestamp,
    event::{Fact, ModelFact, ProductFact},
    relay::Numbered,
};

/// A numbered event that belongs to topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its number in the log.
    pub seq: u64,
    /// When the change was made.
    pub at: Timestamp,
    /// The topics it belongs to, each once.
    pub topics: Vec<Topic>,
    /// What it tells of.
    pub subject: Subject,
    kind: Kind,
}

/// What a notice tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A product, as it is now.
    Product(ProductFact),
    /// A 3D model, and how far a version of it is.
    Model(ModelFact),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It came to be, or came back.
    Appeared,
    Changed,
    Gone,
}

/// What one listener hears (CAT-20). A change may bring a product into their sight or take it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Heard {
    /// There is a product they did not see before.
    Created,
    /// A product they see is another now.
    Updated,
    /// A product they saw is gone for them; they hear its id and nothing of what it is now.
    Deleted,
}

impl Notice {
    /// The notice of an event; `None` for one that belongs to no topic.
    pub fn of(numbered: &Numbered) -> Option<Self> {
        let event = &numbered.event;
        let product = match Fact::of(event) {
            Ok(Fact::Product(product)) => product,
            Ok(Fact::Model(model)) => return Some(Self::of_model(numbered, model)),
            _ => return None,
        };
        let kind = match event.kind.as_str() {
            "product.created" | "product.restored" => Kind::Appeared,
            "product.deleted" => Kind::Gone,
            _ => Kind::Changed,
        };
        let categories = [product.category_id, product.previous_category_id];
        let mut topics = vec![Topic::Products];
        for topic in categories.into_iter().flatten().map(Topic::Category) {
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        }
        Some(Self { seq: numbered.seq, at: event.at, topics, subject: Subject::Product(product), kind })
    }

    fn of_model(numbered: &Numbered, model: ModelFact) -> Self {
        let Numbered { seq, event } = numbered;
        let kind = match event.kind.as_str() {
            "model.deleted" | "model.detached" => Kind::Gone,
            _ => Kind::Changed,
        };
        let topics = vec![Topic::Models, Topic::ModelsOf(model.product_id)];
        Self { seq: *seq, at: event.at, topics, subject: Subject::Model(model), kind }
    }

    /// What somebody with this scope hears of it; `None` when the product was and is none of theirs. A deletion reaches
    /// everyone who could read the product (ruling R8), and so does its withdrawal from the shop.
    pub fn heard(&self, scope: Scope) -> Option<Heard> {
        let (seller, status, previous) = match &self.subject {
            Subject::Product(product) => (product.seller_id, product.status, product.previous_status),
            Subject::Model(model) => (model.seller_id, model.status, None),
        };
        let shows = |status: ProductStatus| scope.shows(seller, status);
        let is = shows(status);
        let was = previous.map_or(is, shows);
        match (self.kind, was, is) {
            (Kind::Appeared, _, true) | (Kind::Changed, false, true) => Some(Heard::Created),
            (Kind::Changed, true, true) => Some(Heard::Updated),
            (Kind::Gone, _, true) | (Kind::Changed, true, false) => Some(Heard::Deleted),
            (_, _, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::{
        event::{Entity, Event},
        id::{CategoryId, EventId, SellerId},
    };

    const OWN: SellerId = SellerId(Uuid::from_u128(1));
    const OTHER: SellerId = SellerId(Uuid::from_u128(2));

    fn numbered(kind: &str, extra: &Value) -> Numbered {
        let id = Uuid::from_u128(7);
        let mut payload = json!({
            "productId": id, "sellerId": OWN, "categoryId": null, "status": "published",
            "name": "Lamp", "slug": "lamp", "priceMinor": 1995, "stock": 3, "version": 2,
        });
        for (field, value) in extra.as_object().unwrap() {
            payload[field] = value.clone();
        }
        let entity = Entity::new("product", id);
        let event =
            Event { id: EventId(id), kind: kind.to_owned(), entity, actor: None, at: Timestamp::UNIX_EPOCH, payload };
        Numbered { seq: 4, event }
    }

    fn heard(kind: &str, extra: &Value) -> [Option<Heard>; 4] {
        let notice = Notice::of(&numbered(kind, extra)).unwrap();
        [Scope::Published, Scope::seller(OTHER), Scope::seller(OWN), Scope::All].map(|scope| notice.heard(scope))
    }

    #[test]
    fn everybody_hears_of_published_products_and_their_seller_of_all() {
        use Heard::{Created, Deleted, Updated};
        let draft = json!({ "status": "draft" });
        assert_eq!(heard("product.created", &json!({})), [Some(Created); 4]);
        assert_eq!(heard("product.restored", &json!({})), [Some(Created); 4]);
        assert_eq!(heard("product.updated", &json!({})), [Some(Updated); 4]);
        assert_eq!(heard("product.stock_changed", &json!({})), [Some(Updated); 4]);
        assert_eq!(heard("product.deleted", &json!({})), [Some(Deleted); 4]);
        assert_eq!(heard("product.created", &draft), [None, None, Some(Created), Some(Created)]);
        assert_eq!(heard("product.updated", &draft), [None, None, Some(Updated), Some(Updated)]);
        assert_eq!(heard("product.deleted", &draft), [None, None, Some(Deleted), Some(Deleted)]);
    }

    #[test]
    fn coming_into_sight_is_heard_as_created_and_leaving_it_as_deleted() {
        use Heard::{Created, Deleted, Updated};
        let published = json!({ "previousStatus": "draft" });
        assert_eq!(heard("product.updated", &published), [Some(Created), Some(Created), Some(Updated), Some(Updated)]);
        let withdrawn = json!({ "status": "archived", "previousStatus": "published" });
        assert_eq!(heard("product.updated", &withdrawn), [Some(Deleted), Some(Deleted), Some(Updated), Some(Updated)]);
        let hidden = json!({ "status": "archived", "previousStatus": "draft" });
        assert_eq!(heard("product.updated", &hidden), [None, None, Some(Updated), Some(Updated)]);
    }

    #[test]
    fn a_product_that_moves_is_told_in_both_categories() {
        let [here, there] = [CategoryId(Uuid::from_u128(8)), CategoryId(Uuid::from_u128(9))];
        let moved = json!({ "categoryId": here, "previousCategoryId": there });
        let topics = |extra: &Value| Notice::of(&numbered("product.updated", extra)).unwrap().topics;
        assert_eq!(topics(&moved), [Topic::Products, Topic::Category(here), Topic::Category(there)]);
        assert_eq!(topics(&json!({ "categoryId": here })), [Topic::Products, Topic::Category(here)]);
        assert_eq!(topics(&json!({})), [Topic::Products]);
    }

    #[test]
    fn who_may_see_a_product_hears_how_far_its_models_are() {
        use Heard::{Deleted, Updated};
        let id = Uuid::from_u128(7);
        let told = |kind: &str, status: &str| {
            let more = json!({ "modelId": id, "status": status, "name": "Knob", "version": 1, "state": "processing" });
            let mut told = numbered(kind, &more);
            told.event.entity = Entity::new("model", id);
            let notice = Notice::of(&told).unwrap();
            assert_eq!(notice.topics, [Topic::Models, Topic::ModelsOf(crate::id::ProductId(id))]);
            [Scope::Published, Scope::seller(OTHER), Scope::seller(OWN), Scope::All].map(|scope| notice.heard(scope))
        };
        assert_eq!(told("model.version_measured", "published"), [Some(Updated); 4]);
        assert_eq!(told("model.version_ready", "draft"), [None, None, Some(Updated), Some(Updated)]);
        assert_eq!(told("model.deleted", "draft"), [None, None, Some(Deleted), Some(Deleted)]);
        assert_eq!(told("model.detached", "published"), [Some(Deleted); 4]);
        assert_eq!(told("model.attached", "draft"), [None, None, Some(Updated), Some(Updated)]);
    }

    #[test]
    fn other_events_belong_to_no_topic() {
        let id = Uuid::from_u128(7);
        let mut told = numbered("user.created", &json!({ "userId": id }));
        told.event.entity = Entity::new("user", id);
        assert_eq!(Notice::of(&told), None);
        let mut gone = numbered("product.purged", &json!({}));
        gone.event.kind = "product.purged".to_owned();
        assert_eq!(Notice::of(&gone), None);
    }
}
