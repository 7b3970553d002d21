//! All that is kept of a person, by subject. What proves who somebody is, such as hashes, keys and digests, is not among it, and
//! neither is who others are beyond their ids.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{Error, Result, clock::Timestamp, id::UserId, identity::exports::ports::PersonalData};
use sea_orm::QueryResult;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    database::Database,
    statement::{all, at, statement},
};

/// What stands in a column.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Id,
    Text,
    Time,
    Number,
    Flag,
    Json,
}

use Kind::{Flag, Id, Json, Number, Text, Time};

/// A file of the archive.
struct Subject {
    name: &'static str,
    /// What is read, what it is called, and what it is.
    columns: &'static [(&'static str, &'static str, Kind)],
    /// `$1` is the person.
    from: &'static str,
    /// An order that stays: new rows come last.
    order: &'static str,
    /// The columns that name the person, by which rows are found. A test holds them against the schema.
    named: &'static [&'static str],
}

const SUBJECTS: &[Subject] = &[
    Subject {
        name: "profile",
        columns: &[
            ("id", "id", Id),
            ("email", "email", Text),
            ("name", "name", Text),
            ("email_verified_at", "emailVerifiedAt", Time),
            ("created_at", "createdAt", Time),
            ("updated_at", "updatedAt", Time),
            ("deletes_at", "deletesAt", Time),
        ],
        from: "users WHERE id = $1",
        order: "id",
        named: &[],
    },
    Subject {
        name: "roles",
        columns: &[("role", "role", Text), ("created_at", "since", Time)],
        from: "user_roles WHERE user_id = $1",
        order: "role",
        named: &["user_roles.user_id"],
    },
    Subject {
        name: "sessions",
        columns: &[
            ("id", "id", Id),
            // Those of an operator who acted as them are the operator's.
            ("CASE WHEN impersonator_id IS NULL THEN device END", "device", Text),
            ("CASE WHEN impersonator_id IS NULL THEN address END", "address", Text),
            ("impersonator_id", "impersonatorId", Id),
            ("created_at", "createdAt", Time),
            ("last_used_at", "lastUsedAt", Time),
            ("expires_at", "expiresAt", Time),
            ("ended_at", "endedAt", Time),
            ("ended_by", "endedBy", Text),
        ],
        from: "sessions WHERE user_id = $1",
        order: "id",
        named: &["sessions.user_id"],
    },
    Subject {
        name: "impersonations",
        columns: &[
            ("id", "id", Id),
            ("user_id", "userId", Id),
            ("impersonation_reason", "reason", Text),
            ("device", "device", Text),
            ("address", "address", Text),
            ("created_at", "createdAt", Time),
            ("ended_at", "endedAt", Time),
        ],
        from: "sessions WHERE impersonator_id = $1",
        order: "id",
        named: &["sessions.impersonator_id"],
    },
    Subject {
        name: "sign_in_places",
        columns: &[("seen_at", "seenAt", Time)],
        from: "sign_in_places WHERE user_id = $1",
        order: "seen_at, place",
        named: &["sign_in_places.user_id"],
    },
    Subject {
        name: "identities",
        columns: &[
            ("issuer", "issuer", Text),
            ("subject", "subject", Text),
            ("provider", "provider", Text),
            ("email", "email", Text),
            ("linked_at", "linkedAt", Time),
        ],
        from: "user_identities WHERE user_id = $1",
        order: "linked_at, issuer, subject",
        named: &["user_identities.user_id"],
    },
    Subject {
        name: "passkeys",
        columns: &[
            ("id", "id", Id),
            ("name", "name", Text),
            ("created_at", "createdAt", Time),
            ("last_used_at", "lastUsedAt", Time),
        ],
        from: "passkeys WHERE user_id = $1",
        order: "id",
        named: &["passkeys.user_id"],
    },
    Subject {
        name: "authenticator_apps",
        columns: &[("created_at", "createdAt", Time), ("confirmed_at", "confirmedAt", Time)],
        from: "totp_factors WHERE user_id = $1",
        order: "created_at",
        named: &["totp_factors.user_id"],
    },
    Subject {
        name: "api_keys",
        columns: &[
            ("id", "id", Id),
            ("name", "name", Text),
            ("hint", "hint", Text),
            ("seller_id", "sellerId", Id),
            ("scopes", "scopes", Text),
            ("created_at", "createdAt", Time),
            ("expires_at", "expiresAt", Time),
            ("last_used_at", "lastUsedAt", Time),
        ],
        from: "api_keys WHERE user_id = $1",
        order: "id",
        named: &["api_keys.user_id"],
    },
    Subject {
        name: "memberships",
        columns: &[
            ("m.seller_id", "sellerId", Id),
            ("s.name", "sellerName", Text),
            ("m.role", "role", Text),
            ("m.created_at", "since", Time),
        ],
        from: "seller_members m JOIN sellers s ON s.id = m.seller_id WHERE m.user_id = $1",
        order: "m.created_at, m.seller_id",
        named: &["seller_members.user_id"],
    },
    Subject {
        name: "invitations",
        columns: &[
            ("id", "id", Id),
            ("seller_id", "sellerId", Id),
            ("email", "email", Text),
            ("role", "role", Text),
            ("created_at", "createdAt", Time),
            ("expires_at", "expiresAt", Time),
        ],
        from: "seller_invitations WHERE email = (SELECT email FROM users WHERE id = $1)",
        order: "id",
        named: &[],
    },
    Subject {
        name: "invitations_made",
        // Whom they invited is for that person to know.
        columns: &[
            ("id", "id", Id),
            ("seller_id", "sellerId", Id),
            ("role", "role", Text),
            ("created_at", "createdAt", Time),
            ("expires_at", "expiresAt", Time),
        ],
        from: "seller_invitations WHERE by_id = $1",
        order: "id",
        named: &["seller_invitations.by_id"],
    },
    Subject {
        name: "bans",
        columns: &[("until", "until", Time), ("reason", "reason", Text), ("created_at", "createdAt", Time)],
        from: "user_bans WHERE user_id = $1",
        order: "created_at",
        named: &["user_bans.user_id"],
    },
    Subject {
        name: "reviews",
        columns: &[
            ("id", "id", Id),
            ("product_id", "productId", Id),
            ("CAST(stars AS bigint)", "rating", Number),
            ("comment", "comment", Text),
            ("hidden", "hidden", Flag),
            ("created_at", "createdAt", Time),
            ("updated_at", "updatedAt", Time),
        ],
        from: "reviews WHERE author_id = $1",
        order: "id",
        named: &["reviews.author_id"],
    },
    Subject {
        name: "product_views",
        columns: &[("product_id", "productId", Id), ("viewed_at", "viewedAt", Time)],
        from: "product_views WHERE user_id = $1",
        order: "viewed_at, product_id",
        named: &["product_views.user_id"],
    },
    Subject {
        name: "files",
        columns: &[
            ("id", "id", Id),
            ("product_id", "productId", Id),
            ("name", "name", Text),
            ("media_type", "mediaType", Text),
            ("size", "size", Number),
            ("licence", "licence", Text),
            ("created_at", "createdAt", Time),
        ],
        from: "product_files WHERE uploaded_by = $1",
        order: "id",
        named: &["product_files.uploaded_by"],
    },
    Subject {
        name: "model_versions",
        columns: &[
            ("model_id", "modelId", Id),
            ("number", "version", Number),
            ("file_name", "fileName", Text),
            ("size", "size", Number),
            ("created_at", "createdAt", Time),
        ],
        from: "model_versions WHERE uploaded_by = $1",
        order: "created_at, model_id, number",
        named: &["model_versions.uploaded_by"],
    },
    Subject {
        name: "uploads",
        columns: &[
            ("id", "id", Id),
            ("length", "length", Number),
            ("position", "offset", Number),
            ("state", "state", Text),
            ("created_at", "createdAt", Time),
        ],
        from: "uploads WHERE user_id = $1",
        order: "id",
        named: &["uploads.user_id"],
    },
    Subject {
        name: "webhooks",
        columns: &[
            ("id", "id", Id),
            ("source", "source", Text),
            ("kind", "type", Text),
            ("received_at", "receivedAt", Time),
            ("outcome", "outcome", Text),
        ],
        from: "hook_events WHERE user_id = $1",
        order: "id",
        named: &["hook_events.user_id"],
    },
    Subject {
        name: "library_objects",
        columns: &[("library_id", "libraryId", Id), ("size", "size", Number), ("added_at", "addedAt", Time)],
        from: "library_objects WHERE added_by = $1",
        order: "added_at, library_id, digest",
        named: &["library_objects.added_by"],
    },
    Subject {
        name: "library_locks",
        columns: &[("library_id", "libraryId", Id), ("path", "path", Text), ("locked_at", "lockedAt", Time)],
        from: "library_locks WHERE owner_id = $1",
        order: "id",
        named: &["library_locks.owner_id"],
    },
    Subject {
        name: "webhook_endpoints",
        columns: &[
            ("id", "id", Id),
            ("owner", "owner", Text),
            ("seller_id", "sellerId", Id),
            ("url", "url", Text),
            ("description", "description", Text),
            ("created_at", "createdAt", Time),
        ],
        from: "webhook_endpoints WHERE user_id = $1",
        order: "id",
        named: &["webhook_endpoints.user_id"],
    },
    Subject {
        name: "storage",
        columns: &[("bytes", "bytes", Number)],
        from: "storage_usage WHERE user_id = $1",
        order: "user_id",
        named: &["storage_usage.user_id"],
    },
    Subject {
        name: "grants",
        columns: &[("product_id", "productId", Id), ("created_at", "since", Time)],
        from: "grants WHERE user_id = $1",
        order: "created_at, product_id",
        named: &["grants.user_id"],
    },
    Subject {
        name: "rooms",
        columns: &[
            ("id", "id", Id),
            ("name", "name", Text),
            ("title", "title", Text),
            ("kind", "kind", Text),
            ("created_at", "createdAt", Time),
        ],
        from: "rooms WHERE owner_id = $1",
        order: "id",
        named: &["rooms.owner_id"],
    },
    Subject {
        name: "room_memberships",
        columns: &[("room_id", "roomId", Id), ("role", "role", Text), ("since", "since", Time)],
        from: "room_members WHERE user_id = $1",
        order: "since, room_id",
        named: &["room_members.user_id"],
    },
    Subject {
        name: "room_messages",
        columns: &[
            ("id", "id", Id),
            ("room_id", "roomId", Id),
            ("CAST(message_offset AS bigint)", "offset", Number),
            ("content", "content", Text),
            ("created_at", "createdAt", Time),
            ("deleted_at", "deletedAt", Time),
        ],
        from: "room_messages WHERE user_id = $1",
        order: "created_at, id",
        named: &["room_messages.user_id"],
    },
    Subject {
        name: "room_reads",
        columns: &[
            ("room_id", "roomId", Id),
            ("CAST(message_offset AS bigint)", "offset", Number),
            ("read_at", "readAt", Time),
        ],
        from: "room_reads WHERE user_id = $1",
        order: "room_id",
        named: &["room_reads.user_id"],
    },
    Subject {
        name: "room_sanctions",
        columns: &[
            ("room_id", "roomId", Id),
            ("kind", "kind", Text),
            ("reason", "reason", Text),
            ("until", "until", Time),
            ("created_at", "createdAt", Time),
        ],
        from: "room_sanctions WHERE user_id = $1",
        order: "created_at, room_id, kind",
        named: &["room_sanctions.user_id"],
    },
    Subject {
        name: "assistant_calls",
        columns: &[
            ("id", "id", Id),
            ("kind", "kind", Text),
            ("model", "model", Text),
            ("state", "state", Text),
            ("prompt_tokens", "promptTokens", Number),
            ("completion_tokens", "completionTokens", Number),
            ("started_at", "startedAt", Time),
            ("ended_at", "endedAt", Time),
        ],
        from: "assistant_calls WHERE user_id = $1",
        order: "id",
        named: &["assistant_calls.user_id"],
    },
    Subject {
        name: "prompt_generations",
        columns: &[
            ("id", "id", Id),
            ("prompt_id", "promptId", Id),
            ("version", "version", Number),
            ("model", "model", Text),
            ("state", "state", Text),
            ("started_at", "startedAt", Time),
            ("ended_at", "endedAt", Time),
        ],
        from: "prompt_generations WHERE user_id = $1",
        order: "id",
        named: &["prompt_generations.user_id"],
    },
    Subject {
        name: "assistant_files",
        columns: &[
            ("id", "id", Id),
            ("purpose", "purpose", Text),
            ("name", "name", Text),
            ("size", "size", Number),
            ("created_at", "createdAt", Time),
        ],
        from: "assistant_files WHERE user_id = $1",
        order: "id",
        named: &["assistant_files.user_id"],
    },
    Subject {
        name: "assistant_batches",
        columns: &[
            ("id", "id", Id),
            ("input_id", "inputFileId", Id),
            ("output_id", "outputFileId", Id),
            ("refusals_id", "errorFileId", Id),
            ("endpoint", "endpoint", Text),
            ("state", "status", Text),
            ("metadata", "metadata", Text),
            ("total", "total", Number),
            ("completed", "completed", Number),
            ("failed", "failed", Number),
            ("created_at", "createdAt", Time),
            ("ended_at", "endedAt", Time),
        ],
        from: "assistant_batches WHERE user_id = $1",
        order: "id",
        named: &["assistant_batches.user_id"],
    },
    Subject {
        name: "conversations",
        columns: &[
            ("id", "id", Id),
            ("title", "title", Text),
            ("model", "model", Text),
            ("system", "system", Text),
            ("archived", "archived", Flag),
            ("summary", "summary", Text),
            ("created_at", "createdAt", Time),
            ("updated_at", "updatedAt", Time),
        ],
        from: "conversations WHERE user_id = $1",
        order: "id",
        named: &["conversations.user_id"],
    },
    Subject {
        name: "conversation_messages",
        columns: &[
            ("m.id", "id", Id),
            ("m.conversation_id", "conversationId", Id),
            ("m.parent_id", "parentId", Id),
            ("m.speaker", "role", Text),
            ("m.parts", "parts", Text),
            ("m.state", "state", Text),
            ("m.model", "model", Text),
            ("m.created_at", "createdAt", Time),
        ],
        from: "conversation_messages m JOIN conversations c ON c.id = m.conversation_id WHERE c.user_id = $1",
        order: "m.id",
        named: &[],
    },
    Subject {
        name: "audit_log",
        columns: &[
            ("id", "id", Id),
            ("action", "action", Text),
            ("entity_type", "entityType", Text),
            ("entity_id", "entityId", Id),
            ("actor_id", "actorId", Id),
            ("impersonator_id", "impersonatorId", Id),
            ("metadata", "metadata", Json),
            ("created_at", "createdAt", Time),
        ],
        from: "audit_logs WHERE actor_id = $1 OR impersonator_id = $1 OR (entity_type = 'user' AND entity_id = $1)",
        order: "id",
        named: &["audit_logs.actor_id", "audit_logs.impersonator_id"],
    },
];

impl Database {
    /// All that is kept of people.
    pub fn personal_data(&self) -> Arc<dyn PersonalData> {
        Arc::new(self.clone())
    }
}

/// The columns of the schema, as `table.column`, by which what is kept of a person is found.
pub fn personal_columns() -> Vec<&'static str> {
    SUBJECTS.iter().flat_map(|subject| subject.named).copied().collect()
}

#[async_trait]
impl PersonalData for Database {
    fn subjects(&self) -> Vec<&'static str> {
        SUBJECTS.iter().map(|subject| subject.name).collect()
    }

    async fn rows(&self, user: UserId, subject: &str, offset: u64, limit: u32) -> Result<Vec<Value>> {
        let found = SUBJECTS.iter().find(|one| one.name == subject);
        let subject = found.ok_or_else(|| Error::internal(format!("nothing is kept under {subject}")))?;
        let columns: Vec<_> = subject.columns.iter().map(|(column, ..)| *column).collect();
        let sql = format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT $2 OFFSET $3",
            columns.join(", "),
            subject.from,
            subject.order
        );
        let offset = i64::try_from(offset).map_err(Error::internal)?;
        let values = [user.0.into(), i64::from(limit).into(), offset.into()];
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        rows.iter().map(|row| read(row, subject)).collect()
    }
}

fn read(row: &QueryResult, subject: &Subject) -> Result<Value> {
    let mut read = Map::new();
    for (index, (_, name, kind)) in subject.columns.iter().enumerate() {
        read.insert((*name).to_owned(), value(row, index, *kind)?);
    }
    Ok(Value::Object(read))
}

fn value(row: &QueryResult, index: usize, kind: Kind) -> Result<Value> {
    Ok(match kind {
        Id => at::<Option<Uuid>>(row, index)?.map(|id| id.to_string().into()),
        Text => at::<Option<String>>(row, index)?.map(Value::from),
        Time => at::<Option<Timestamp>>(row, index)?.map(serde_json::to_value).transpose().map_err(Error::internal)?,
        Number => at::<Option<i64>>(row, index)?.map(Value::from),
        Flag => at::<Option<bool>>(row, index)?.map(Value::from),
        Json => at::<Option<Value>>(row, index)?,
    }
    .unwrap_or(Value::Null))
}
