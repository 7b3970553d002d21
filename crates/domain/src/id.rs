//! Typed ids: UUIDv7, so that they sort by the time they were made.

use uuid::Uuid;

use crate::clock::{Entropy, Timestamp};

/// A new `UUIDv7`: the milliseconds of a moment, then random bits.
pub fn time_sorted(now: Timestamp, entropy: &dyn Entropy) -> Uuid {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    let mut random = [0; 10];
    entropy.fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// Declares a newtype over [`uuid::Uuid`]; without it every id would repeat the same forty lines.
macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl From<uuid::Uuid> for $name {
            fn from(value: uuid::Uuid) -> Self {
                Self(value)
            }
        }

        impl From<$name> for uuid::Uuid {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    )+};
}

id! {
    /// A sign-in that lasts, the `sid` of its tokens.
    SessionId,
    /// A person who signs in.
    UserId,
    /// A seller account, owned by one or more users.
    SellerId,
    /// A product.
    ProductId,
    /// A picture of a product.
    ImageId,
    /// A node of the category tree.
    CategoryId,
    /// A buyer's review of a product.
    ReviewId,
    /// An entry of the event log.
    EventId,
    /// An entry of the audit log.
    AuditId,
    /// A background job.
    JobId,
    /// A room people talk in.
    RoomId,
    /// A message in a room.
    MessageId,
    /// A role that says what somebody may do.
    RoleId,
    /// A 3D model.
    ModelId,
    /// An API key.
    ApiKeyId,
    /// An invitation to a seller account.
    InvitationId,
    /// A passkey.
    PasskeyId,
    /// An archive of all that is kept of a person.
    ExportId,
    /// A library of large files.
    LibraryId,
    /// A lock of a file in a library.
    LockId,
    /// An upload in portions.
    UploadId,
    /// A webhook that came in.
    HookEventId,
    /// A file of a product.
    FileId,
    /// That somebody may take the files of a product away.
    GrantId,
    /// Where events are told.
    EndpointId,
    /// An event for one endpoint.
    WebhookMessageId,
    /// A call of a language model.
    AssistantCallId,
    /// A conversation with the assistant.
    ConversationId,
    /// A message of such a conversation.
    ConversationMessageId,
    /// What a model costs from a moment on.
    AssistantPriceId,
    /// How much may be spent on models.
    AssistantBudgetId,
    /// The key by which a provider of models knows us.
    ProviderKeyId,
    /// A prompt of the shop.
    PromptId,
    /// An answer that was asked for by a prompt.
    GenerationId,
    /// A file of questions or answers for the assistant.
    AssistantFileId,
    /// Questions that are asked in the background.
    AssistantBatchId,
}
