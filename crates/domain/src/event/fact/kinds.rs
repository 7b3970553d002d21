//! The kinds of events there are: the verbs of each type of thing, and what is read of it. One line is all that a new type of thing needs.

use serde::{Deserialize as _, de::DeserializeOwned};
use uuid::Uuid;

use super::{EndpointFact, Fact, ModelFact, ProductFact, SessionFact};
use crate::event::Event;

/// What there is to tell of one type of thing.
pub(super) struct Kind {
    /// The type of thing.
    pub of: &'static str,
    /// What may happen to it, with spaces between. An event with another verb is set aside.
    verbs: &'static str,
    /// What its events say.
    reads: Reading,
}

/// What an event says, and which thing it is about.
enum Reading {
    /// No more than which thing it is, in this field of the payload.
    Id(&'static str, fn(Uuid) -> Fact),
    /// What a reader of its own finds in the payload.
    Whole(fn(&Event) -> Result<(Fact, Uuid), String>),
}

/// All types of things.
const KINDS: &[Kind] = &[
    whole("product", "created updated deleted restored purged stock_changed", product),
    by_id("category", "created updated deleted", "categoryId", |id| Fact::Category(id.into())),
    by_id("review", "created updated deleted hidden shown", "reviewId", |id| Fact::Review(id.into())),
    by_id("seller", "created member_joined member_changed member_left", "sellerId", |id| Fact::Seller(id.into())),
    by_id("invitation", "created revoked", "invitationId", |id| Fact::Invitation(id.into())),
    by_id(
        "user",
        "created role_granted role_revoked banned unbanned password_changed email_verified email_changed \
         promoted promotion_requested identity_linked identity_unlinked deletion_requested deletion_withdrawn \
         export_requested export_made export_deleted renamed deleted factor_added factor_removed \
         recovery_codes_renewed recovery_code_used passkey_renamed",
        "userId",
        |id| Fact::User(id.into()),
    ),
    whole("session", "created refreshed authenticated ended", session),
    by_id("signing_key", "created removed", "keyId", Fact::SigningKey),
    by_id("role", "created updated deleted", "roleId", |id| Fact::Role(id.into())),
    by_id("api_key", "created renamed updated deleted", "apiKeyId", |id| Fact::ApiKey(id.into())),
    by_id("library", "created object_added deleted locked unlocked", "libraryId", |id| Fact::Library(id.into())),
    whole(
        "model",
        "created version_added version_measured version_ready version_failed version_deleted renamed detached \
         attached deleted purged",
        model,
    ),
    by_id("audit", "purged", "auditId", |id| Fact::AuditPurged(id.into())),
    by_id("file", "created deleted", "fileId", |id| Fact::File(id.into())),
    by_id("grant", "given taken", "grantId", |id| Fact::Grant(id.into())),
    by_id("upload", "created finished failed deleted", "uploadId", |id| Fact::Upload(id.into())),
    by_id("inbound", "received handled replayed", "hookEventId", |id| Fact::Inbound(id.into())),
    whole("webhook_endpoint", "created updated deleted disabled secret_rotated tested resent recovered", endpoint),
    by_id("conversation", "created updated message_marked deleted", "conversationId", |id| {
        Fact::Conversation(id.into())
    }),
    by_id("assistant_price", "created withdrawn", "priceId", |id| Fact::AssistantPrice(id.into())),
    by_id("assistant_budget", "created updated deleted", "budgetId", |id| Fact::AssistantBudget(id.into())),
    by_id("provider_key", "set removed", "providerKeyId", |id| Fact::ProviderKey(id.into())),
    by_id("prompt", "created updated version_written split_set rolled_back deleted", "promptId", |id| {
        Fact::Prompt(id.into())
    }),
    by_id("assistant_file", "created deleted", "fileId", |id| Fact::AssistantFile(id.into())),
    by_id("assistant_batch", "created cancelled ended deleted", "batchId", |id| Fact::AssistantBatch(id.into())),
    by_id("job", "retried cancelled requested reindexed rerendered", "jobId", |id| Fact::Job(id.into())),
    by_id(
        "room",
        "created updated deleted member_set member_removed banned unbanned muted unmuted message_deleted",
        "roomId",
        |id| Fact::Room(id.into()),
    ),
];

/// A type of thing whose events say which one it is, in this field, and no more.
const fn by_id(of: &'static str, verbs: &'static str, field: &'static str, fact: fn(Uuid) -> Fact) -> Kind {
    Kind { of, verbs, reads: Reading::Id(field, fact) }
}

/// A type of thing whose events say more.
const fn whole(of: &'static str, verbs: &'static str, read: fn(&Event) -> Result<(Fact, Uuid), String>) -> Kind {
    Kind { of, verbs, reads: Reading::Whole(read) }
}

impl Kind {
    /// The one of an event's kind, such as `product.created`.
    pub fn named(kind: &str) -> Option<&'static Self> {
        let (of, verb) = kind.split_once('.')?;
        KINDS.iter().find(|known| known.of == of && known.verbs.split(' ').any(|one| one == verb))
    }

    /// What an event of this kind says, and of which thing.
    pub fn read(&self, event: &Event) -> Result<(Fact, Uuid), String> {
        match self.reads {
            Reading::Id(field, fact) => {
                let id = id(event, field)?;
                Ok((fact(id), id))
            }
            Reading::Whole(read) => read(event),
        }
    }
}

fn product(event: &Event) -> Result<(Fact, Uuid), String> {
    if event.kind == "product.purged" {
        let id = id(event, "productId")?;
        return Ok((Fact::ProductPurged(id.into()), id));
    }
    let fact: ProductFact = payload(event)?;
    if fact.shown.is_none() && event.kind != "product.deleted" {
        return Err(format!("the payload of {:?} does not show the product", event.kind));
    }
    let id = fact.product_id.0;
    Ok((Fact::Product(fact), id))
}

fn model(event: &Event) -> Result<(Fact, Uuid), String> {
    if event.kind == "model.purged" {
        let id = id(event, "modelId")?;
        return Ok((Fact::ModelPurged(id.into()), id));
    }
    let fact: ModelFact = payload(event)?;
    let id = fact.model_id.0;
    Ok((Fact::Model(fact), id))
}

fn session(event: &Event) -> Result<(Fact, Uuid), String> {
    let fact: SessionFact = payload(event)?;
    Ok((Fact::Session(fact), fact.session_id.0))
}

fn endpoint(event: &Event) -> Result<(Fact, Uuid), String> {
    let fact: EndpointFact = payload(event)?;
    Ok((Fact::WebhookEndpoint(fact), fact.endpoint_id.0))
}

fn id(event: &Event, field: &str) -> Result<Uuid, String> {
    let given = event.payload.get(field).ok_or_else(|| undecoded(event, &format!("missing field `{field}`")))?;
    Uuid::deserialize(given).map_err(|error| undecoded(event, &error))
}

fn payload<T: DeserializeOwned>(event: &Event) -> Result<T, String> {
    T::deserialize(&event.payload).map_err(|error| undecoded(event, &error))
}

fn undecoded(event: &Event, why: &dyn std::fmt::Display) -> String {
    format!("the payload of {:?} does not decode: {why}", event.kind)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn nothing_stands_twice_in_the_table() {
        let things: BTreeSet<&str> = KINDS.iter().map(|kind| kind.of).collect();
        assert_eq!(things.len(), KINDS.len());
        for kind in KINDS {
            let verbs: BTreeSet<&str> = kind.verbs.split(' ').collect();
            assert_eq!(verbs.len(), kind.verbs.split(' ').count(), "{}: {}", kind.of, kind.verbs);
            assert!(
                verbs.iter().all(|verb| Kind::named(&format!("{}.{verb}", kind.of)).is_some_and(|it| it.of == kind.of))
            );
        }
        assert!(Kind::named("product.").is_none() && Kind::named("product.created updated").is_none());
    }
}
