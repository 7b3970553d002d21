//! What an event says, read back into types: the relay numbers no event that consumers could not read.

use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use super::Event;
use crate::{
    assets::models::{VersionNumber, VersionState},
    catalog::{ProductStatus, Version},
    clock::Timestamp,
    id::{
        ApiKeyId, AssistantBudgetId, AssistantPriceId, AuditId, CategoryId, ConversationId, EndpointId, FileId,
        GrantId, HookEventId, InvitationId, JobId, LibraryId, ModelId, ProductId, PromptId, ProviderKeyId, ReviewId,
        RoleId, RoomId, SellerId, SessionId, UploadId, UserId,
    },
    money::Amount,
};

/// The verbs of each type of thing. An event with another kind is set aside.
const KINDS: &[(&str, &[&str])] = &[
    ("product", &["created", "updated", "deleted", "restored", "purged", "stock_changed"]),
    ("category", &["created", "updated", "deleted"]),
    ("review", &["created", "updated", "deleted", "hidden", "shown"]),
    ("seller", &["created", "member_joined", "member_changed", "member_left"]),
    ("invitation", &["created", "revoked"]),
    (
        "user",
        &[
            "created",
            "role_granted",
            "role_revoked",
            "banned",
            "unbanned",
            "password_changed",
            "email_verified",
            "email_changed",
            "promoted",
            "promotion_requested",
            "identity_linked",
            "identity_unlinked",
            "deletion_requested",
            "deletion_withdrawn",
            "export_requested",
            "export_made",
            "export_deleted",
            "renamed",
            "deleted",
            "factor_added",
            "factor_removed",
            "recovery_codes_renewed",
            "recovery_code_used",
            "passkey_renamed",
        ],
    ),
    ("session", &["created", "refreshed", "authenticated", "ended"]),
    ("signing_key", &["created", "removed"]),
    ("role", &["created", "updated", "deleted"]),
    ("api_key", &["created", "renamed", "updated", "deleted"]),
    ("library", &["created", "object_added", "deleted", "locked", "unlocked"]),
    (
        "model",
        &[
            "created",
            "version_added",
            "version_measured",
            "version_ready",
            "version_failed",
            "version_deleted",
            "renamed",
            "detached",
            "attached",
            "deleted",
            "purged",
        ],
    ),
    ("audit", &["purged"]),
    ("file", &["created", "deleted"]),
    ("grant", &["given", "taken"]),
    ("upload", &["created", "finished", "failed", "deleted"]),
    ("inbound", &["received", "handled", "replayed"]),
    (
        "webhook_endpoint",
        &["created", "updated", "deleted", "disabled", "secret_rotated", "tested", "resent", "recovered"],
    ),
    ("conversation", &["created", "updated", "message_marked", "deleted"]),
    ("assistant_price", &["created", "withdrawn"]),
    ("assistant_budget", &["created", "updated", "deleted"]),
    ("provider_key", &["set", "removed"]),
    ("prompt", &["created", "updated", "version_written", "split_set", "rolled_back", "deleted"]),
    ("job", &["retried", "cancelled", "requested", "reindexed", "rerendered"]),
    (
        "room",
        &[
            "created",
            "updated",
            "deleted",
            "member_set",
            "member_removed",
            "banned",
            "unbanned",
            "muted",
            "unmuted",
            "message_deleted",
        ],
    ),
];

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PurgedModelFact {
    model_id: ModelId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PurgedFact {
    product_id: ProductId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CategoryFact {
    category_id: CategoryId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReviewFact {
    review_id: ReviewId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SellerFact {
    seller_id: SellerId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserFact {
    user_id: UserId,
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyFact {
    key_id: Uuid,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LibraryFact {
    library_id: LibraryId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UploadFact {
    upload_id: UploadId,
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InboundFact {
    hook_event_id: HookEventId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InvitationFact {
    invitation_id: InvitationId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleFact {
    role_id: RoleId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiKeyFact {
    api_key_id: ApiKeyId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuditFact {
    audit_id: AuditId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileFact {
    file_id: FileId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GrantFact {
    grant_id: GrantId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobFact {
    job_id: JobId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConversationFact {
    conversation_id: ConversationId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssistantPriceFact {
    price_id: AssistantPriceId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssistantBudgetFact {
    budget_id: AssistantBudgetId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProviderKeyFact {
    provider_key_id: ProviderKeyId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFact {
    prompt_id: PromptId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoomFact {
    room_id: RoomId,
}

impl Fact {
    /// Reads an event.
    ///
    /// # Errors
    /// Why it cannot be read: an unknown kind, a field that is missing or of another type, or a payload about
    /// another thing than the event itself.
    pub fn of(event: &Event) -> Result<Self, String> {
        let entity = known(&event.kind).ok_or_else(|| format!("unknown kind {:?}", event.kind))?;
        if entity != event.entity.kind {
            return Err(format!("kind {:?} does not fit the entity type {:?}", event.kind, event.entity.kind));
        }
        let (fact, id): (Self, Uuid) = match entity {
            "product" if event.kind == "product.purged" => {
                let id = payload::<PurgedFact>(event)?.product_id;
                (Self::ProductPurged(id), id.0)
            }
            "product" => {
                let fact: ProductFact = payload(event)?;
                if fact.shown.is_none() && event.kind != "product.deleted" {
                    return Err(format!("the payload of {:?} does not show the product", event.kind));
                }
                let id = fact.product_id.0;
                (Self::Product(fact), id)
            }
            "category" => {
                let id = payload::<CategoryFact>(event)?.category_id;
                (Self::Category(id), id.0)
            }
            "review" => {
                let id = payload::<ReviewFact>(event)?.review_id;
                (Self::Review(id), id.0)
            }
            "seller" => {
                let id = payload::<SellerFact>(event)?.seller_id;
                (Self::Seller(id), id.0)
            }
            "session" => {
                let fact: SessionFact = payload(event)?;
                (Self::Session(fact), fact.session_id.0)
            }
            "model" if event.kind == "model.purged" => {
                let id = payload::<PurgedModelFact>(event)?.model_id;
                (Self::ModelPurged(id), id.0)
            }
            "model" => {
                let fact: ModelFact = payload(event)?;
                let id = fact.model_id.0;
                (Self::Model(fact), id)
            }
            "webhook_endpoint" => {
                let fact: EndpointFact = payload(event)?;
                (Self::WebhookEndpoint(fact), fact.endpoint_id.0)
            }
            _ => Self::by_id(entity, event)?,
        };
        if id == event.entity.id {
            Ok(fact)
        } else {
            Err(format!("the payload tells of {id}, the event of {}", event.entity.id))
        }
    }

    /// What says no more than which thing it is about, and its id.
    fn by_id(entity: &str, event: &Event) -> Result<(Self, Uuid), String> {
        Ok(match entity {
            "signing_key" => {
                let id = payload::<KeyFact>(event)?.key_id;
                (Self::SigningKey(id), id)
            }
            "invitation" => {
                let id = payload::<InvitationFact>(event)?.invitation_id;
                (Self::Invitation(id), id.0)
            }
            "library" => {
                let id = payload::<LibraryFact>(event)?.library_id;
                (Self::Library(id), id.0)
            }
            "role" => {
                let id = payload::<RoleFact>(event)?.role_id;
                (Self::Role(id), id.0)
            }
            "api_key" => {
                let id = payload::<ApiKeyFact>(event)?.api_key_id;
                (Self::ApiKey(id), id.0)
            }
            "audit" => {
                let id = payload::<AuditFact>(event)?.audit_id;
                (Self::AuditPurged(id), id.0)
            }
            "file" => {
                let id = payload::<FileFact>(event)?.file_id;
                (Self::File(id), id.0)
            }
            "grant" => {
                let id = payload::<GrantFact>(event)?.grant_id;
                (Self::Grant(id), id.0)
            }
            "upload" => {
                let id = payload::<UploadFact>(event)?.upload_id;
                (Self::Upload(id), id.0)
            }
            "inbound" => {
                let id = payload::<InboundFact>(event)?.hook_event_id;
                (Self::Inbound(id), id.0)
            }
            "job" => {
                let id = payload::<JobFact>(event)?.job_id;
                (Self::Job(id), id.0)
            }
            "conversation" => {
                let id = payload::<ConversationFact>(event)?.conversation_id;
                (Self::Conversation(id), id.0)
            }
            "assistant_price" => {
                let id = payload::<AssistantPriceFact>(event)?.price_id;
                (Self::AssistantPrice(id), id.0)
            }
            "assistant_budget" => {
                let id = payload::<AssistantBudgetFact>(event)?.budget_id;
                (Self::AssistantBudget(id), id.0)
            }
            "provider_key" => {
                let id = payload::<ProviderKeyFact>(event)?.provider_key_id;
                (Self::ProviderKey(id), id.0)
            }
            "prompt" => {
                let id = payload::<PromptFact>(event)?.prompt_id;
                (Self::Prompt(id), id.0)
            }
            "room" => {
                let id = payload::<RoomFact>(event)?.room_id;
                (Self::Room(id), id.0)
            }
            _ => {
                let id = payload::<UserFact>(event)?.user_id;
                (Self::User(id), id.0)
            }
        })
    }
}

/// The type of thing a known kind is about.
fn known(kind: &str) -> Option<&'static str> {
    let (entity, verb) = kind.split_once('.')?;
    KINDS.iter().find(|(name, verbs)| *name == entity && verbs.contains(&verb)).map(|(name, _)| *name)
}

fn payload<T: DeserializeOwned>(event: &Event) -> Result<T, String> {
    T::deserialize(&event.payload).map_err(|error| format!("the payload of {:?} does not decode: {error}", event.kind))
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
