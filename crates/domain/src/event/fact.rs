//! What an event says, read back into types: the relay numbers no event that consumers could not read.

mod kinds;

use serde::Deserialize;
use uuid::Uuid;

use self::kinds::Kind;
use super::Event;
use crate::{
    assets::models::{VersionNumber, VersionState},
    catalog::{ProductStatus, Version},
    clock::Timestamp,
    id::{
        ApiKeyId, AssistantBatchId, AssistantBudgetId, AssistantFileId, AssistantPriceId, AuditId, CategoryId,
        ConversationId, EndpointId, FileId, GrantId, HookEventId, InvitationId, JobId, LibraryId, ModelId, ProductId,
        PromptId, ProviderKeyId, ReviewId, RoleId, RoomId, SellerId, SessionId, UploadId, UserId,
    },
    money::Amount,
};

/// The part of an event that its type of thing promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A product changed.
    Product(ProductFact),
    /// A product is gone for good; nothing else is known of it any more.
    ProductPurged(ProductId),
    /// A category changed.
    Category(CategoryId),
    /// A review changed.
    Review(ReviewId),
    /// A seller account changed, or who its members are.
    Seller(SellerId),
    /// Somebody was invited to a seller account, or is no more.
    Invitation(InvitationId),
    /// A library of large files changed, or what is locked in it.
    Library(LibraryId),
    /// An upload in portions.
    Upload(UploadId),
    /// A webhook that came in.
    Inbound(HookEventId),
    /// An endpoint of webhooks changed, or what is sent to it.
    WebhookEndpoint(EndpointFact),
    /// A person's account changed.
    User(UserId),
    /// Somebody signed in, went on, or is signed out.
    Session(SessionFact),
    /// The keys that sign tokens are others.
    SigningKey(Uuid),
    /// What a role may do changed.
    Role(RoleId),
    /// An API key changed.
    ApiKey(ApiKeyId),
    /// The beginning of the audit log was purged, up to this entry.
    AuditPurged(AuditId),
    /// A 3D model or a version of it changed.
    Model(ModelFact),
    /// A 3D model is gone with its product; nothing else is known of it any more.
    ModelPurged(ModelId),
    /// Somebody changed a job, or it tells how far it got.
    Job(JobId),
    /// A file of a product came or went.
    File(FileId),
    /// Somebody may take the files of a product away, or may not any more.
    Grant(GrantId),
    /// A conversation with the assistant changed.
    Conversation(ConversationId),
    /// What a model costs from a moment on.
    AssistantPrice(AssistantPriceId),
    /// How much may be spent on models.
    AssistantBudget(AssistantBudgetId),
    /// The key by which a provider of models knows us.
    ProviderKey(ProviderKeyId),
    /// What the shop asks of models.
    Prompt(PromptId),
    /// A file of questions or answers for the assistant came or went.
    AssistantFile(AssistantFileId),
    /// Questions that are asked in the background, and how far they are.
    AssistantBatch(AssistantBatchId),
    /// A room changed, who may be in it, or what was said in it.
    Room(RoomId),
}

/// What every event of a product carries: enough to decide who may hear of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductFact {
    /// The product.
    pub product_id: ProductId,
    /// The account that sells it.
    pub seller_id: SellerId,
    /// The category it is in.
    pub category_id: Option<CategoryId>,
    /// Where it stands; decides who could read it.
    pub status: ProductStatus,
    /// Where it stood before, when the change moved it.
    #[serde(default)]
    pub previous_status: Option<ProductStatus>,
    /// The category it was in before, when the change took it out of one.
    #[serde(default)]
    pub previous_category_id: Option<CategoryId>,
    /// What it is after the change; `None` when it is deleted.
    #[serde(flatten)]
    pub shown: Option<ShownProduct>,
}

/// What an event shows of a product: public facts, without the long texts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownProduct {
    /// Its name.
    pub name: String,
    /// Its name in URLs.
    pub slug: String,
    /// What it costs, in minor units.
    pub price_minor: Amount,
    /// Pieces on hand.
    pub stock: i64,
    /// How often it was changed.
    pub version: Version,
}

/// What every event of a model carries: enough to decide who may hear of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelFact {
    /// The model.
    pub model_id: ModelId,
    /// The product it belongs to.
    pub product_id: ProductId,
    /// The account that sells the product.
    pub seller_id: SellerId,
    /// Where the product stands; decides who can see the model.
    pub status: ProductStatus,
    /// The name of the model.
    pub name: String,
    /// The version that is told of, unless it is gone.
    pub version: Option<VersionNumber>,
    /// How far that is.
    pub state: Option<VersionState>,
    /// How much of what is to be done for it is done, of 100.
    pub progress: Option<u8>,
}

/// What every event of a session carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionFact {
    /// The session.
    pub session_id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// When the last of its access tokens ends.
    pub tokens_until: Timestamp,
}

/// What every event of an endpoint carries: enough to decide who may hear of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointFact {
    /// The endpoint.
    pub endpoint_id: EndpointId,
    /// The person whose it is, if it is one's.
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// The seller account whose it is, if it is one's.
    #[serde(default)]
    pub seller_id: Option<SellerId>,
}

impl Fact {
    /// Reads an event.
    ///
    /// # Errors
    /// Why it cannot be read: an unknown kind, a field that is missing or of another type, or a payload about
    /// another thing than the event itself.
    pub fn of(event: &Event) -> Result<Self, String> {
        let kind = Kind::named(&event.kind).ok_or_else(|| format!("unknown kind {:?}", event.kind))?;
        if kind.of != event.entity.kind {
            return Err(format!("kind {:?} does not fit the entity type {:?}", event.kind, event.entity.kind));
        }
        let (fact, id) = kind.read(event)?;
        if id == event.entity.id {
            Ok(fact)
        } else {
            Err(format!("the payload tells of {id}, the event of {}", event.entity.id))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{clock::Timestamp, event::Entity, id::EventId};

    fn event(kind: &str, entity: &str, payload: serde_json::Value) -> Event {
        Event {
            id: EventId(Uuid::from_u128(1)),
            kind: kind.to_owned(),
            entity: Entity::new(entity, Uuid::from_u128(7)),
            actor: None,
            at: Timestamp::UNIX_EPOCH,
            payload,
        }
    }

    #[test]
    fn a_known_event_reads_back() {
        let id = Uuid::from_u128(7);
        let told = event("seller.created", "seller", json!({ "sellerId": id, "slug": "ada" }));
        assert_eq!(Fact::of(&told), Ok(Fact::Seller(SellerId(id))));
        let payload = json!({
            "productId": id, "sellerId": Uuid::nil(), "categoryId": null, "status": "draft", "stock": 3,
            "name": "Lamp", "slug": "lamp", "priceMinor": 1995, "version": 2,
        });
        let Ok(Fact::Product(fact)) = Fact::of(&event("product.stock_changed", "product", payload)) else {
            panic!("must read");
        };
        assert_eq!((fact.product_id, fact.category_id, fact.status), (ProductId(id), None, ProductStatus::Draft));
        assert_eq!(
            fact.shown.map(|shown| (shown.name, shown.stock, shown.version)),
            Some(("Lamp".into(), 3, Version(2)))
        );
    }

    #[test]
    fn what_no_consumer_could_read_is_refused_with_its_reason() {
        let id = Uuid::from_u128(7);
        for (told, reason) in [
            (event("product.exploded", "product", json!({})), "unknown kind"),
            (event("created", "product", json!({})), "unknown kind"),
            (event("user.created", "seller", json!({ "userId": id })), "does not fit"),
            (event("user.created", "user", json!({ "userId": 7 })), "does not decode"),
            (event("user.created", "user", json!("text")), "does not decode"),
            (event("product.created", "product", json!({ "productId": id })), "sellerId"),
            (
                event("product.updated", "product", json!({ "productId": id, "sellerId": id, "status": "draft" })),
                "does not show",
            ),
            (event("user.created", "user", json!({ "userId": Uuid::nil() })), "tells of"),
        ] {
            let refused = Fact::of(&told).unwrap_err();
            assert!(refused.contains(reason), "{refused}");
        }
    }
}
